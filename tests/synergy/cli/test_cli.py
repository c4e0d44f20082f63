"""The command line: exit codes, JSON on standard output and nothing else, one line for bad input."""

import contextlib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import typer

import synergy.cli
from synergy import estimate
from synergy.cli import app, run
from theory import CHAPTERS, DIAGRAMS, check
from theory.prover import Certificate


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "shift"
    assert run(["generate", "modular-shift", "--samples", "10000", "--seed", "0", "--out", str(out)]) == 0
    return out


def answer(capsys, *arguments):
    """The exit status and the JSON object on standard output."""
    status = run([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_prove_with_a_certificate(capsys):
    status, found = answer(capsys, "prove", "I(A;Z|C) >= I(A;Z)", "--diagram", "essl")
    assert status == 0
    assert found["verdict"] == "proved"
    assert {"statement", "seconds"} <= set(found)
    assert check(Certificate.from_dict(found["certificate"]))


@pytest.mark.parametrize(
    ("statement", "diagram"),
    [
        pytest.param("I(A;Z|C) >= I(A;Z)", "none", id="no diagram, no explaining away"),
        pytest.param("I(A;C|Z) <= I(A;C|X)", "essl", id="D4"),
    ],
)
def test_refute_with_a_distribution(capsys, statement, diagram):
    status, found = answer(capsys, "prove", statement, "--diagram", diagram)
    assert status == 1
    assert found["verdict"] == "refuted"
    example = found["counterexample"]
    assert len(example["variables"]) == len(example["cardinalities"])
    assert {"state", "probability"} == set(example["probabilities"][0])


def test_prove_says_unknown(capsys):
    zhang_yeung = "I(C;D) <= 2 I(C;D|A) + I(C;D|B) + I(A;B) + I(A;C|D) + I(A;D|C)"
    status, found = answer(capsys, "prove", zhang_yeung)
    assert (status, found["verdict"]) == (3, "unknown")
    status, found = answer(capsys, "prove", zhang_yeung, "--non-shannon")
    assert (status, found["verdict"]) == (0, "proved")


def test_advice_is_in_the_words_of_the_command_line(capsys):
    zhang_yeung = "I(C;D) <= 2 I(C;D|A) + I(C;D|B) + I(A;B) + I(A;C|D) + I(A;D|C)"
    run(["prove", zhang_yeung])
    told = capsys.readouterr().out
    assert "--non-shannon" in told
    assert "non_shannon" not in told


def test_the_version_is_that_of_the_package(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.split() == ["synergy", version("essl-synergy")]


def test_every_argument_and_option_has_help():
    for name, command in typer.main.get_command(app).commands.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)


def test_prove_with_given_facts(capsys):
    assert answer(capsys, "prove", "I(A;C|X) == 0", "--given", "H(A|X) == 0")[1]["verdict"] == "proved"
    assert answer(capsys, "prove", "I(A;C|X) == 0")[1]["verdict"] == "refuted"


def test_prove_in_words(capsys):
    assert run(["prove", "I(A;Z) <= I(A;X)", "--diagram", "A->X, X->Z"]) == 0
    assert "d-separated" in capsys.readouterr().out


def test_exact_agrees_with_the_prediction(capsys):
    status, found = answer(capsys, "exact", "modular-shift", "I(A;C|X)", "--set", "n=4", "--set", "noise=0.1")
    assert status == 0
    assert found["predicted"] == pytest.approx(found["exact"], abs=1e-12)
    floor = 0.1 / 4
    p = np.array([1 - 3 * floor, floor, floor, floor])
    assert found["exact"] == pytest.approx(np.log(4) + (p * np.log(p)).sum(), abs=1e-12)
    assert found["standard_error"] == 0
    assert found["unit"] == "nats"
    assert "noise" in found["symbolic"]


def test_exact_in_bits(capsys):
    assert answer(capsys, "exact", "modular-shift", "H(A)", "--unit", "bits")[1]["exact"] == pytest.approx(2)


def test_estimate_covers_the_exact_value(capsys, dataset):
    status, found = answer(capsys, "estimate", str(dataset), "I(A;C|X)")
    assert status == 0
    keys = "term value standard_error interval confidence estimator samples unit notes"
    assert set(keys.split()) <= set(found)
    low, high = found["interval"]
    assert low <= np.log(4) <= high
    assert found["samples"] == 10_000


def test_generate_writes_the_sample_of_its_seed(dataset):
    from synthetic import ModularShift, read_dataset

    stored, drawn = read_dataset(dataset), ModularShift().sample(10_000, seed=0)
    assert all(np.array_equal(stored[name], drawn[name]) for name in drawn)


@pytest.mark.parametrize("what", ["claims", "generators", "estimators", "transformations"])
def test_list(capsys, what):
    status, found = answer(capsys, "list", what)
    assert status == 0
    assert len(found[what]) > 3
    assert run(["list", what]) == 0


def test_verify_in_a_pipe(capsys, tmp_path):
    arguments = ["verify", "E2", "D4", "--world", "proof", "--world", "exact", "--quick", "--jobs", "1"]
    status = run([*arguments, "--out", str(tmp_path / "r"), "--json"])
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert status == found["exit_status"] == 0
    assert {v["claim"] for v in found["verdicts"]} == {"E2", "D4"}
    assert (tmp_path / "r" / "verdicts.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["prove", "I(A;"], r"cannot parse 'I\(A;' at position 4", id="unparsable"),
        pytest.param(["prove", "H(A) >= 1"], "constant 1", id="constant"),
        pytest.param(["prove", "I(A;Q) >= 0", "--diagram", "essl"], "unknown variable 'Q'", id="variable"),
        pytest.param(["prove", "H(A) >= 0", "--diagram", "A->B, B->A"], "no cycle", id="cyclic diagram"),
        pytest.param(["prove", "H(A) >= 0", "--diagram", "A-B"], "cannot read the diagram", id="diagram"),
        pytest.param(["prove"], "Missing argument", id="no statement"),
        pytest.param(["exact", "torus", "H(A)"], "unknown generator 'torus'.*modular-shift", id="generator"),
        pytest.param(["exact", "modular-shift", "H(Q)"], "unknown variable 'Q'", id="unknown term"),
        pytest.param(["exact", "modular-shift", "H(A)", "--set", "m=3"], "no parameter 'm'", id="parameter"),
        pytest.param(["exact", "modular-shift", "H(A)", "--set", "n=x"], "n must be an integer", id="value"),
        pytest.param(["exact", "modular-shift", "H(A)", "--set", "n"], "expects name=value", id="no value"),
        pytest.param(["exact", "modular-shift", "H(A)", "--set", "noise=2"], "noise", id="out of range"),
        pytest.param(
            ["exact", "digits", "I(A;C|X)"], "depends on the unknown distribution", id="real images"
        ),
        pytest.param(["estimate", "nowhere", "H(A)"], "nowhere", id="no data"),
        pytest.param(["verify", "E9"], "unknown claim 'E9'", id="claim"),
        pytest.param(["verify", "--world", "dream"], "unknown world 'dream'", id="world"),
        pytest.param(["verify", "--generator", "torus"], "no case for generator 'torus'", id="case"),
        pytest.param(["verify", "--device", "tpu"], "device", id="device"),
        pytest.param(["list", "colours"], "colours", id="list"),
        pytest.param(["improve"], "No such command", id="command"),
        pytest.param(
            ["verify", "--jobs", "many"], "--jobs must be an integer, got 'many'", id="word for number"
        ),
        pytest.param(["verify", "--seed", "1.5"], "--seed must be an integer, got '1.5'", id="fraction"),
        pytest.param(["verify", "--seed", "-1"], "greater than or equal to 0, got '-1'", id="negative"),
        pytest.param(
            ["generate", "modular-shift", "--samples", "ten", "--seed", "0", "--out", "d"],
            "--samples must be an integer, got 'ten'",
            id="samples",
        ),
        pytest.param(
            ["estimate", "d", "H(A)", "--confidence", "high"],
            "--confidence must be a number, got 'high'",
            id="confidence",
        ),
        pytest.param(["exact", "modular-shift", "H(A)", "--unit", "bytes"], "bytes.*nats", id="unit"),
        pytest.param(["prove", "H(A) >= 0", "--fast"], "No such option", id="option"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, message):
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("synergy: ")
    assert "Traceback" not in lines[0]
    assert re.search(message, lines[0])


def test_bad_estimates(capsys, dataset):
    for arguments, message in [
        (["H(Q)"], "unknown variable 'Q'"),
        (["H(A"], "cannot parse"),
        (["H(A)", "--estimator", "oracle-of-delphi"], "oracle-of-delphi"),
        (["H(A)", "--confidence", "2"], "confidence"),
    ]:
        assert run(["estimate", str(dataset), *arguments]) == 2
        assert message in capsys.readouterr().err


def test_nothing_is_written_for_bad_input(tmp_path):
    out = tmp_path / "d"
    assert (
        run(
            ["generate", "modular-shift", "--samples", "10", "--seed", "0", "--out", str(out), "--set", "n=1"]
        )
        == 2
    )
    assert run(["verify", "E9", "--out", str(out)]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(["verify", "E1", "--world", "proof", "--out", str(tmp_path / "file" / "sub")]) == 2
    assert "cannot write to the folder" in capsys.readouterr().err
    assert run(["verify", "E1", "--world", "proof", "--out", str(tmp_path / "file")]) == 2
    assert "must be a folder" in capsys.readouterr().err


def test_no_arguments_show_the_help(capsys):
    assert run([]) == 0
    assert "prove" in capsys.readouterr().out


@pytest.mark.parametrize("count", [20, 40])
def test_statements_that_will_not_fit_are_refused_with_their_size(capsys, count):
    chain = " >= ".join(f"H(V{i})" for i in range(count))
    assert run(["prove", f"{chain} >= 0"]) == 2
    assert f"{count} variables" in capsys.readouterr().err


def test_what_exceeds_the_memory_is_one_line(capsys, tmp_path):
    out = tmp_path / "o"
    huge = str(10**15)
    assert run(["generate", "modular-shift", "--samples", huge, "--seed", "0", "--out", str(out)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_broken_pipe_is_not_a_verdict():
    reading, writing = os.pipe()
    os.close(reading)  # nobody will read
    command = [sys.executable, "-m", "synergy", "prove", "H(A) >= 0"]
    with os.fdopen(writing, "wb") as out:
        ended = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 141
    assert b"Traceback" not in ended.stderr


@pytest.fixture
def table(tmp_path):
    """Six copies of each of 50 rows, marked by G, with a date and missing scores beside."""
    rng = np.random.default_rng(0)
    a, c = rng.integers(2, size=50), rng.integers(2, size=50)
    frame = pd.DataFrame({"A": a.repeat(6), "C": (a ^ (c & rng.integers(2, size=50))).repeat(6)})
    frame["G"] = np.arange(50).repeat(6)
    frame["when"] = pd.date_range("2024", periods=300)
    frame["score"] = [None, *[0.5] * 299]
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    return frame, tmp_path


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_estimates_from_a_file_name_the_groups_and_ignore_the_rest(capsys, table, name):
    frame, folder = table
    status, found = answer(capsys, "estimate", str(folder / name), "I(A;C)", "--groups", "G")
    assert status == 0
    told = estimate(frame, "I(A;C)", groups="G")
    assert found["value"] == pytest.approx(told.value, abs=1e-12)
    assert found["interval"] == pytest.approx(list(told.interval), abs=1e-12)
    _, alone = answer(capsys, "estimate", str(folder / name), "I(A;C)")
    # copies tell nothing new: six of each make the interval without groups sqrt(6) times too short
    assert found["standard_error"] > 2 * alone["standard_error"]


def test_devices_go_where_an_estimator_takes_them(capsys, table):
    _, folder = table
    path = str(folder / "t.csv")
    status, _ = answer(
        capsys, "estimate", path, "I(A;C)", "--estimator", "classifier", "--device", "cpu", "--groups", "G"
    )
    assert status == 0
    for arguments, message in (
        (
            ["--estimator", "plug-in", "--device", "cpu"],
            "--device is for the estimators auto.*classifier.*; plug-in takes none, got 'cpu'",
        ),
        (["--estimator", "classifier", "--device", "tpu"], "tpu"),
        (["--groups", "H"], "unknown variable 'H': the data has A, C, G, when, score"),
        (["--groups", "score"], "column 'score' has .*missing"),
    ):
        assert run(["estimate", path, "I(A;C)", *arguments]) == 2
        told = capsys.readouterr().err.strip()
        assert re.search(message, told), told
        assert len(told.splitlines()) == 1


def test_the_default_takes_a_device(capsys, table):
    _, folder = table
    path = str(folder / "t.csv")
    _, plain = answer(capsys, "estimate", path, "I(A;C)")
    status, found = answer(capsys, "estimate", path, "I(A;C)", "--device", "cpu")
    assert status == 0
    assert (found["value"], found["interval"]) == (plain["value"], plain["interval"])


def test_blocks_of_rows_that_follow_one_another(capsys, table):
    """Every row of A and C stands six times in a row: 6 rows make the same groups as the column G."""
    frame, folder = table
    path = str(folder / "t.csv")
    _, marked = answer(capsys, "estimate", path, "I(A;C)", "--groups", "G")
    status, found = answer(capsys, "estimate", path, "I(A;C)", "--blocks", "6")
    assert status == 0
    assert found["value"] == pytest.approx(marked["value"], abs=1e-12)
    assert found["interval"] == pytest.approx(marked["interval"], abs=1e-12)
    assert found["value"] == pytest.approx(estimate(frame, "I(A;C)", blocks=6).value, abs=1e-12)
    warned = answer(capsys, "estimate", path, "I(A;C)")[1]["warnings"]
    assert warned
    assert not found["warnings"]
    for arguments, message in (
        (["--blocks", "6", "--groups", "G"], "blocks=6 and groups='G' exclude each other"),
        (["--blocks", "100"], "blocks=100 makes 3 blocks of 300 rows, at least 4 are needed"),
        (["--blocks", "0"], "blocks must be .*got 0"),
        (["--blocks", "six"], "six"),
    ):
        assert run(["estimate", path, "I(A;C)", *arguments]) == 2
        told = capsys.readouterr().err.strip()
        assert re.search(message, told), told
        assert len(told.splitlines()) == 1


def test_diagrams_by_name(capsys):
    status, found = answer(capsys, "prove", "I(Z1;Z2) <= I(X1;X2)", "--diagram", "two-views")
    assert (status, found["verdict"]) == (0, "proved")
    status, found = answer(capsys, "prove", "I(M;T) <= I(Z;T)", "--diagram", "signal, Z->M")
    assert (status, found["verdict"]) == (0, "proved")
    listed = answer(capsys, "list", "diagrams")[1]["diagrams"]
    assert [row["name"] for row in listed] == list(DIAGRAMS)
    assert run(["prove", "H(X) >= 0", "--diagram", "two-view"]) == 2
    error = capsys.readouterr().err
    assert "did you mean two-views?" in error
    assert error.count("\n") == 1


def test_a_chapter_is_verified(capsys, tmp_path):
    out = ["--out", str(tmp_path), "--jobs", "1"]
    status, found = answer(
        capsys, "verify", "--chapter", "heads", "--world", "proof", "--world", "exact", *out
    )
    assert status == 0
    assert {row["claim"] for row in found["verdicts"]} == {"H1", "H2f", "H3f", "H4"}
    assert {row["case"] for row in found["verdicts"] if row["claim"] == "H3f"} >= {"headed-shift", "witness"}
    assert "--chapter heads" in (tmp_path / "report.html").read_text()
    assert run(["verify", "E1", "--chapter", "heads", *out]) == 2
    assert "name claims or a chapter, not both" in capsys.readouterr().err
    assert run(["verify", "--chapter", "tails", *out]) == 2
    assert "unknown chapter 'tails': the registry has paper, contrast" in capsys.readouterr().err


def test_chapters_are_listed(capsys):
    rows = answer(capsys, "list", "claims")[1]["claims"]
    assert {row["chapter"] for row in rows} == set(CHAPTERS)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["verify", "E1"], "what is done is kept, and the same command goes on from there"),
        (["prove", "H(A) >= 0"], "synergy: interrupted\n"),
    ],
    ids=["resumes", "does not"],
)
def test_an_interruption_says_whether_the_same_command_goes_on(command, told, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(synergy.cli, "app", interrupted)
    assert run(command) == 130
    assert told in capsys.readouterr().err


def test_the_shell_completes_commands(monkeypatch, capsys):
    asked = {"_SYNERGY_COMPLETE": "complete_bash", "COMP_WORDS": "synergy pr", "COMP_CWORD": "1"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    with contextlib.suppress(SystemExit):
        run([])
    assert capsys.readouterr().out.split() == ["prove"]
