"""Estimates from counted shards are those of all rows in memory, bit for bit."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from synergy import estimate
from synergy.estimators import stored
from synergy.estimators.discrete import DiscreteCounts
from synthetic import Generator, LinearGaussian, ModularShift, Sample, Variable, read_dataset, write_dataset
from synthetic.parallel import available_memory
from synthetic.storage import read
from theory import Diagram, parse_expression

ESTIMATORS = ("auto", "plug-in", "digamma", "miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage")
TERMS = ("I(A;C|X)", "H(A,C)", "I(A;C|X) - I(A;C)", "I(A;C;X)")


@dataclass(frozen=True)
class Wide(Generator):
    """Three columns of many states, dependent ones, so that their table is sparse."""

    family: ClassVar[str] = "wide"
    main_terms: ClassVar[tuple[str, ...]] = ()
    states: int = 400
    constant: bool = False
    walk: bool = False

    @property
    def diagram(self) -> Diagram:
        """B is a function of A and D."""
        return Diagram.parse("A->B, D->B")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A, B and D."""
        return tuple(Variable(name, "discrete", self.states) for name in "ABD")

    def sample(self, n: int, *, seed: int) -> Sample:
        """n rows."""
        rng = np.random.default_rng(seed)
        a = rng.integers(self.states, size=n)
        d = np.zeros(n, dtype=np.int64) if self.constant else rng.integers(self.states, size=n)
        if self.walk:
            a = np.clip(np.cumsum(rng.integers(-1, 2, size=n)) + self.states // 2, 0, self.states - 1)
            d = (a + rng.integers(2, size=n)) % self.states
        columns = {"A": a, "B": (a + d) // 2 % self.states, "D": d}
        return Sample(columns, {v.name: v for v in self.variables})


def written(generator, folder, samples=5_000, shards=7):
    return write_dataset(generator, samples=samples, seed=1, out=folder / "data", shards=shards)


@pytest.fixture(scope="module")
def shift(tmp_path_factory):
    return written(ModularShift(n=4, noise=0.1), tmp_path_factory.mktemp("shift"))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("term", TERMS)
def test_every_discrete_estimator(shift, estimator, term, monkeypatch):
    whole = estimate(shift, term, estimator=estimator)
    assert whole.scores is not None
    monkeypatch.setattr(stored, "_SHARE", 0.0)
    counted = estimate(shift, term, estimator=estimator)
    assert counted.scores is None
    assert counted == whole


@pytest.mark.parametrize(("samples", "shards"), [(5_000, 7), (5_000, 1), (60, 60), (2, 2), (23, 4)])
@pytest.mark.parametrize("states", [3, 40, 400])
def test_dense_and_sparse_tables_and_any_number_of_shards(samples, shards, states, tmp_path, monkeypatch):
    folder = written(Wide(states=states), tmp_path, samples, shards)
    for term in ("I(A;B|D)", "I(A,D;B)"):
        whole = estimate(folder, term, estimator="nsb")
        with monkeypatch.context() as patch:
            patch.setattr(stored, "_SHARE", 0.0)
            patch.setattr(stored, "_ROWS", 100)
            assert estimate(folder, term, estimator="nsb") == whole


@pytest.mark.parametrize(
    ("option", "expected"),
    [("constant", "one value only in this data"), ("walk", "resemble those of the rows")],
)
def test_what_rows_say_is_said_too(option, expected, tmp_path, monkeypatch):
    """A variable of one value, and rows that follow one another."""
    folder = written(Wide(states=50, **{option: True}), tmp_path)
    whole = estimate(folder, "I(A;D)", unit="bits", clip=True, confidence=0.9)
    assert expected in " ".join(whole.notes + whole.warnings)
    monkeypatch.setattr(stored, "_SHARE", 0.0)
    assert estimate(folder, "I(A;D)", unit="bits", clip=True, confidence=0.9) == whole


def test_processes_count_the_same(shift):
    assert estimate(shift, "I(A;C|X)", jobs=2) == estimate(shift, "I(A;C|X)")


def test_what_needs_rows_gets_them(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_SHARE", 0.0)
    nearly_distinct = written(Wide(states=100_000), tmp_path / "a", samples=1_000)
    assert stored.counted(nearly_distinct, parse_expression("I(A;D)"), estimator="auto") is None
    assert stored.counted(nearly_distinct, parse_expression("I(A;D)"), estimator="nsb") is not None
    gaussian = written(LinearGaussian(), tmp_path / "b", samples=100)
    names = read_dataset(gaussian).names
    assert stored.counted(gaussian, parse_expression(f"I({names[0]};{names[1]})"), estimator="auto") is None
    assert stored.counted(gaussian, parse_expression("H(A)"), estimator="knn") is None


def test_what_does_not_fit_is_refused_with_the_numbers(tmp_path, monkeypatch):
    gaussian = written(LinearGaussian(), tmp_path, samples=5_000)
    first, second, *_ = (v for v in read_dataset(gaussian).names)
    monkeypatch.setattr(read, "_memory", lambda: 2**10)
    with pytest.raises(
        MemoryError, match=rf"needs 0 MiB for {first}, {second} and 0 MiB are available: name"
    ):
        estimate(gaussian, f"I({first};{second})")


def test_counts_that_are_added():
    rng = np.random.default_rng(0)
    rows = rng.integers(5, size=(2, 1000))
    for sizes in ({"A": 5, "B": 5}, {}):
        whole = DiscreteCounts(["A", "B"], sizes).add({"A": rows[0], "B": rows[1]})
        parts = DiscreteCounts(["A", "B"], sizes)
        for part in np.array_split(rows, 7, axis=1)[::-1]:
            parts.add_cells(DiscreteCounts(["A", "B"], sizes).add({"A": part[0], "B": part[1]}).cells())
        for left, right in zip(vars(whole.cells()).values(), vars(parts.cells()).values(), strict=True):
            np.testing.assert_array_equal(left, right) if not isinstance(left, dict) else None
    other = DiscreteCounts(["B", "A"]).add({"A": rows[0], "B": rows[1]}).cells()
    with pytest.raises(ValueError, match="cells must be of the columns"):
        whole.add_cells(other)
    with pytest.raises(ValueError, match=r"'A' must stay in 0\.\.2"):
        DiscreteCounts(["A", "B"], {"A": 3, "B": 5}).add_cells(whole.cells())


def test_the_available_memory_is_known_here():
    if not Path("/proc/meminfo").exists():
        pytest.skip("this system has no /proc/meminfo")
    assert available_memory() > 2**20
