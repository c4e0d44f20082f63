"""Sweeps: cells, seeds, values, what is kept, what fails, and who may write."""

import dataclasses
import functools
import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from filelock import FileLock

from synergy import sweep
from synergy.cli import run
from synergy.statistics.result import Estimate
from synergy.sweeping.identity import identity_of
from synergy.sweeping.plain import from_text, plain, to_text
from synthetic import BusyError, DamagedFileError


def power(base, exponent, seed):
    return base**exponent + seed


def logged(n, seed, folder="."):
    with (Path(folder) / "calls").open("a") as file:
        file.write(f"{n},{seed}\n")
    return {"double": 2 * n, "by": {"seed": n * seed}}


def fails_on_three(n, seed):
    if n == 3:
        raise KeyError("three")
    return n


def kills_on_three(n, seed):
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return file.read_text().split() if file.exists() else []


GRIDS = {
    "lists": {"base": [2, 3], "exponent": [1, 2]},
    "dicts": [{"base": b, "exponent": e} for b in (2, 3) for e in (1, 2)],
    "frame": pd.DataFrame({"base": [2, 2, 3, 3], "exponent": [1, 2, 1, 2]}),
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("kept", [False, True])
def test_all_combinations_with_all_seeds_in_order(grid, kept, tmp_path):
    found = sweep(power, grid, seeds=2, out=tmp_path / "out" if kept else None)
    frame = found.to_pandas()
    assert frame["value"].tolist() == [2, 3, 4, 5, 3, 4, 9, 10]
    assert frame["seed"].tolist() == [0, 1] * 4
    assert frame["base"].tolist() == [2] * 4 + [3] * 4
    assert len(found) == 8
    assert found.failed == ()
    assert found.exit_status == 0


def test_the_same_cells_from_processes(tmp_path):
    grid = {"base": list(range(6)), "exponent": [0.5, 1.5]}
    one = sweep(power, grid, seeds=[3, 1]).to_pandas()
    two = sweep(power, grid, seeds=[3, 1], jobs=2, out=tmp_path / "two").to_pandas()
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"), check_exact=True)


def test_what_is_done_is_not_done_again(tmp_path):
    out = tmp_path / "out"
    sweep(logged, {"n": [1, 2], "folder": [str(tmp_path)]}, out=out)
    assert calls(tmp_path) == ["1,0", "2,0"]
    told = []
    found = sweep(
        logged,
        {"n": [1, 2, 5], "folder": [str(tmp_path)]},
        seeds=2,
        out=out,
        progress=lambda *args: told.append(args[:2]),
    )
    assert calls(tmp_path)[2:] == ["1,1", "2,1", "5,0", "5,1"]
    assert told[0] == (2, 6)
    assert told[-1] == (6, 6)
    assert found.to_pandas()["double"].tolist() == [2, 2, 4, 4, 10, 10]
    assert found.to_pandas()["by.seed"].tolist() == [0, 1, 0, 2, 0, 5]


def test_an_interruption_leaves_what_was_finished(tmp_path):
    def stops(n, seed):
        if n == 3 and not calls(tmp_path):
            (tmp_path / "calls").touch()
            (tmp_path / "calls").write_text("stopped\n")
            raise KeyboardInterrupt
        return n

    with pytest.raises(KeyboardInterrupt):
        sweep(stops, {"n": [1, 2, 3, 4]}, out=tmp_path / "out")
    [part] = (tmp_path / "out").glob("part-*.parquet")
    assert pq.read_table(part)["value"].to_pylist() == ["1", "2"]
    assert sweep(stops, {"n": [1, 2, 3, 4]}, out=tmp_path / "out").to_pandas()["value"].tolist() == [
        1,
        2,
        3,
        4,
    ]


def test_a_cell_that_fails_is_kept_with_its_error_and_run_again(tmp_path):
    found = sweep(fails_on_three, {"n": [1, 3, 5]}, out=tmp_path / "out")
    [failure] = found.failed
    assert (dict(failure.parameters), failure.seed) == ({"n": 3}, 0)
    assert (failure.error, failure.message) == ("KeyError", "'three'")
    assert "in fails_on_three" in failure.traceback
    assert found.exit_status == 1
    assert str(failure) == "n=3, seed=0: KeyError: 'three'"
    assert "1 failed" in str(found)
    frame = found.to_pandas()
    assert frame["value"].isna().tolist() == [False, True, False]
    assert frame["error"].tolist()[1] == "KeyError: 'three'"
    cell = json.loads(found.to_json())["cells"][1]
    assert cell["error"] == "KeyError"
    sweep(fails_on_three, {"n": [1, 3, 5]}, out=tmp_path / "out")
    assert len(list((tmp_path / "out").glob("part-*"))) == 2


def test_a_cell_that_kills_its_process_stops_no_other_one(tmp_path):
    found = sweep(kills_on_three, {"n": [1, 2, 3, 4, 5]}, jobs=2, out=tmp_path / "out")
    assert [failure.error for failure in found.failed] == ["WorkerDiedError"]
    assert found.to_pandas()["value"].dropna().tolist() == [1, 2, 4, 5]


def test_a_function_that_ends_the_program_is_a_failure():
    def ends(n, seed):
        raise SystemExit(3)

    assert [failure.error for failure in sweep(ends, {"n": [1]}).failed] == ["SystemExit"]


@dataclasses.dataclass
class Inner:
    a: float
    b: tuple[int, ...]


VALUES = [
    (0.1 + 0.2, 0.1 + 0.2),
    (float("nan"), None),
    (np.float32(0.1), float(np.float32(0.1))),
    (True, True),
    ("text", "text"),
    (None, None),
    ([1, (2, 3)], [1, [2, 3]]),
    ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
    (Inner(0.5, (1, 2)), {"a": 0.5, "b": [1, 2]}),
    (np.arange(3, dtype=np.int16), [0, 1, 2]),
    ({"m": np.eye(2)}, {"m": [[1.0, 0.0], [0.0, 1.0]]}),
]


@pytest.mark.parametrize(("value", "told"), VALUES, ids=lambda v: type(v).__name__)
def test_values_of_many_kinds(value, told, tmp_path):
    found = sweep(lambda n, seed: value, {"n": [1]}, out=tmp_path / "out")
    assert found.failed == ()
    assert json.loads(found.to_json())["cells"][0]["value"] == told


def test_arrays_read_back_bit_for_bit():
    array = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    found = sweep(lambda n, seed: {"x": array, "e": float("inf")}, {"n": [1]}).to_dict()["cells"][0]["value"]
    np.testing.assert_array_equal(found["x"], array)
    assert found["x"].dtype == np.float32
    assert found["e"] == float("inf")


def test_an_estimate_has_its_fields_as_columns():
    made = Estimate("H(A)", 0.5, 0.1, (0.3, 0.7), 0.95, "digamma", 9)
    frame = sweep(lambda n, seed: made, {"n": [1]}).to_pandas()
    assert frame.loc[0, "value"] == 0.5
    assert frame.loc[0, "interval"] == [0.3, 0.7]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "the result is of object"),
        ({1: 2}, "has the key 1 of int"),
        ({"a": [object()]}, r"the result\['a'\]\[0\] is of object"),
        (np.array(["a"]), "is an array of <U1"),
        (pd.DataFrame({"a": [1]}), "is of DataFrame"),
        (1j, "is of complex"),
    ],
)
def test_what_cannot_be_kept_is_a_failure_that_says_so(value, message):
    [failure] = sweep(lambda n, seed: value, {"n": [1]}).failed
    assert failure.error == "TypeError"
    with pytest.raises(TypeError, match=message):
        plain(value, "the result")


def test_nested_parameters(tmp_path):
    grid = {"sizes": [[1, 2], [3, [4]]], "options": [{"a": {"b": 1}}, {"a": {"b": 2}}]}
    found = sweep(lambda sizes, options, seed: len(sizes) + options["a"]["b"], grid, out=tmp_path / "out")
    assert found.to_pandas()["value"].tolist() == [3, 4, 3, 4]
    assert found.to_pandas()["sizes"].tolist() == [[1, 2], [1, 2], [3, [4]], [3, [4]]]


def test_a_result_named_as_a_parameter_has_a_name_of_its_own():
    frame = sweep(lambda n, seed: {"n": -n, "seed": 7}, {"n": [1]}).to_pandas()
    assert frame.iloc[0][["n", "seed", "result.n", "result.seed"]].tolist() == [1, 0, -1, 7]


@pytest.mark.parametrize(
    ("grid", "seeds", "error", "message"),
    [
        ({"n": [1, 2, 1]}, 1, ValueError, r"grid\['n'\] has 1 twice, at 0 and 2"),
        ({"n": [[1], [1]]}, 1, ValueError, r"has \[1\] twice"),
        ([{"n": 1}, {"n": 1}], 1, ValueError, r'grid has \{"n":1\} twice'),
        ({"n": [1]}, [0, 0], ValueError, "seeds has 0 twice"),
        ({"n": []}, 1, ValueError, "at least one value"),
        ([], 1, ValueError, "at least one setting"),
        ({"n": "abc"}, 1, TypeError, "must be a list of values, got 'abc'"),
        ({"n": 3}, 1, TypeError, "must be a list of values, got 3"),
        ("n=1", 1, TypeError, "dict of lists, a list of dicts or a DataFrame, got str"),
        ([1], 1, TypeError, r"grid\[0\] must be a dict"),
        ([{"n": 1}, {"m": 1}], 1, ValueError, r"grid\[1\] has the parameters \['m'\]"),
        ({"seed": [1]}, 1, ValueError, "must not name 'seed'"),
        ({"n": [1], 2: [3]}, 1, ValueError, "named as in Python, got 2"),
        ({"m": [1]}, 1, TypeError, "function must take the parameters m, seed by name"),
        ({"n": [object()]}, 1, TypeError, r"grid\['n'\] is of object"),
        ({"n": [1]}, 0, ValueError, "seeds must be at least 1"),
        ({"n": [1]}, [], ValueError, "at least one seed"),
        ({"n": [1]}, [-1], ValueError, "seeds must be at least 0"),
        ({"n": [1]}, "3", TypeError, "seeds must be a number"),
    ],
)
def test_bad_grids_are_refused_before_anything_runs(grid, seeds, error, message, tmp_path):
    with pytest.raises(error, match=message):
        sweep(fails_on_three, grid, seeds=seeds, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_function_is_noticed(tmp_path):
    def make(factor):
        return lambda n, seed: n * factor

    sweep(make(2), {"n": [1]}, out=tmp_path / "out")
    assert sweep(make(2), {"n": [1]}, out=tmp_path / "out").to_pandas()["value"].tolist() == [2]
    with pytest.raises(FileExistsError, match=r"cells that other code made \(source \w+ then and \w+ now\)"):
        sweep(make(3), {"n": [1]}, out=tmp_path / "out")
    with pytest.raises(FileExistsError, match=r"function .*lambda.* then and .*fails_on_three now"):
        sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")


def test_what_a_function_holds_is_part_of_it():
    add = functools.partial(power, exponent=2)
    assert identity_of(add) != identity_of(functools.partial(power, exponent=3))
    assert identity_of(add) == identity_of(functools.partial(power, exponent=2))
    assert sweep(add, {"base": [3]}).to_pandas()["value"].tolist() == [9]


class Offset:
    """A callable that does not print what it holds."""

    def __init__(self, held):
        self.held = held

    def __call__(self, n, seed):
        return n + self.held


def test_an_object_is_the_same_wherever_it_lies():
    made = [identity_of(Offset(1)) for _ in range(3)]
    assert made[0] == made[1] == made[2]
    assert made[0] != identity_of(Offset(2))
    inner = object()
    assert identity_of(lambda n, seed: (n, inner)) == identity_of(lambda n, seed: (n, inner))
    assert sweep(Offset(2), {"n": [1]}, seeds=np.int64(1)).to_pandas()["value"].tolist() == [3]


@dataclasses.dataclass(frozen=True)
class Rows:
    """What prints without its numbers, and remembers what it made of them."""

    numbers: np.ndarray = dataclasses.field(repr=False)

    @functools.cached_property
    def total(self):
        return float(self.numbers.sum())


@pytest.mark.parametrize(
    "made",
    [
        np.array,
        torch.tensor,
        pd.Series,
        lambda v: pd.DataFrame({"X": v}),
        lambda v: np.array([*v, None], dtype=object),
        lambda v: {"rows": [Rows(np.array(v))]},
        lambda v: (Offset(Rows(np.array(v))),),
    ],
    ids=["array", "tensor", "series", "table", "objects", "dataclass", "object"],
)
@pytest.mark.parametrize(
    "hold",
    [
        lambda v: functools.partial(power, v),
        lambda v: lambda n, seed: (n, v),
        lambda v: Offset(v).__call__,
        lambda v: Offset(functools.partial(power, v)),
    ],
    ids=["partial", "closure", "method", "object"],
)
def test_data_that_print_alike_are_told_apart(made, hold):
    plain, other = np.zeros(3000), np.zeros(3000)
    other[1500] = 1.0
    same, again, changed = (made(values.tolist()) for values in (plain, plain, other))
    assert repr(same) == repr(changed) or isinstance(same, tuple)
    assert identity_of(hold(same)) == identity_of(hold(again)) != identity_of(hold(changed))


def test_what_an_object_remembers_is_no_part_of_it_and_one_may_hold_itself():
    rows = Rows(np.arange(3.0))
    before = identity_of(functools.partial(power, rows))
    assert rows.total == 3.0
    assert identity_of(functools.partial(power, rows)) == before
    loops = [Offset(1), Offset(1)]
    for loop in loops:
        loop.held = [loop]
    assert identity_of(loops[0]) == identity_of(loops[1]) != identity_of(Offset(1))


def test_other_versions_are_noticed(tmp_path, monkeypatch):
    sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")
    monkeypatch.setattr("synergy.sweeping.identity.fingerprint", lambda: {"code": "abc", "python": "2.7"})
    with pytest.raises(FileExistsError, match=r"python 3\.\d+ then and 2.7 now"):
        sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")


def test_two_sweeps_to_one_folder(tmp_path):
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(BusyError, match="another sweep is writing"):
        sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")
    assert len(sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")) == 1


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds thesis.tex and is no store"):
        sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")
    assert (tmp_path / "out" / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("name", ["sweep.json", "part-000000.parquet"])
def test_damage_is_named(name, tmp_path):
    sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")
    (tmp_path / "out" / name).write_bytes(b"PAR1 {")
    with pytest.raises(DamagedFileError, match=f"{name} is damaged"):
        sweep(fails_on_three, {"n": [1]}, out=tmp_path / "out")


def test_text_is_read_back_as_it_was():
    held = {"a": [1, 0.1, None, "x", True], "b": float("-inf"), "c": np.arange(4).reshape(2, 2)}
    read = from_text(to_text(held))
    np.testing.assert_array_equal(read.pop("c"), held.pop("c"))
    assert read == held


MODULE = """
def measure(n, kind="plain", seed=0):
    if kind == "bad":
        raise ValueError("bad kind")
    return {"value": n * 10 + seed}
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "measured_here.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "measured_here:measure"


def test_the_command(module, capsys):
    command = ["sweep", module, "--grid", "n=1,2", "--seeds", "2", "--out", "out", "--jobs", "1"]
    assert run(command) == 0
    assert "4 cells of measured_here:measure, 0 failed" in capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [cell["value"]["value"] for cell in told["cells"]] == [10, 11, 20, 21]


def test_the_command_tells_of_failed_cells(module, capsys):
    command = [
        "sweep",
        module,
        "--grid",
        "n=1",
        "--grid",
        'kind=["plain","bad"]',
        "--out",
        "out",
        "--jobs",
        "1",
    ]
    assert run(command) == 1
    said = capsys.readouterr()
    assert "1 failed" in said.out
    assert "n=1, kind='bad', seed=0: ValueError: bad kind" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measured_here", "--grid", "n=1"], "expected MODULE:FUNCTION"),
        (["no_such_module_here:f", "--grid", "n=1"], "cannot import 'no_such_module_here'"),
        (["measured_here:other", "--grid", "n=1"], "has no 'other'"),
        (["measured_here:measure", "--grid", "n"], "--grid expects name=value"),
        (["measured_here:measure", "--grid", "n=[1"], "no JSON list"),
        (["measured_here:measure", "--grid", "n=1", "--grid", "n=2"], "names a parameter twice"),
        (["measured_here:measure", "--grid", "m=1"], "function must take the parameters m, seed"),
        (["measured_here:measure", "--grid", "n=1", "--cluster", "nowhere"], "cluster must be the address"),
    ],
)
def test_bad_commands_are_one_line(module, arguments, message, capsys):
    assert run(["sweep", *arguments, "--out", "out", "--jobs", "1"]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said
