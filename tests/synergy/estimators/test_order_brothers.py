"""Rows that are not independent, behind a sorted column and in copies; and rows that only look so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from synergy import estimate
from synergy.estimators.order import dependence_warnings
from synergy.estimators.past import Sorting, follows, sorting
from synergy.independence import independence_test
from synthetic import Sample
from theory import parse_expression

Rows = dict[str, np.ndarray]


def walk(rng: np.random.Generator, n: int, keep: float = 0.9) -> np.ndarray:
    """A stationary autoregression."""
    return lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.normal(size=n + 200))[200:]


def chain(rng: np.random.Generator, n: int) -> np.ndarray:
    return (walk(rng, n) > 0).astype(int)


def linked(rng: np.random.Generator, n: int, r: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    x, y = rng.normal(size=(2, n))
    return x, r * x + np.sqrt(1 - r**2) * y


def warned(draw, term: str, seeds: int) -> int:
    parsed = parse_expression(term)
    samples = (Sample.infer(draw(np.random.default_rng(seed))) for seed in range(seeds))
    return sum(bool(dependence_warnings(sample, parsed)) for sample in samples)


def sorted_by(draw, *names: str):
    """The same rows, sorted by some columns as a data frame is."""

    def ordered(rng: np.random.Generator) -> Rows:
        data = draw(rng)
        order = np.lexsort([data[name] for name in reversed(names)])
        return {name: column[order] for name, column in data.items()}

    return ordered


def sessions(labels: list[int]) -> np.ndarray:
    return np.repeat(labels, 400 // len(labels))


BEHIND_A_SORTED_COLUMN = {
    "before and after": (lambda r: {"A": sessions([0, 1]), "X": walk(r, 400)}, "I(A;X)", "A _||_ X"),
    "sessions": (lambda r: {"A": sessions([0, 1, 2, 3]), "X": walk(r, 400)}, "I(A;X)", "A _||_ X"),
    "sessions by other names": (
        lambda r: {"A": sessions([2, 0, 3, 1]), "X": walk(r, 400)},
        "I(A;X)",
        "A _||_ X",
    ),
    "row number": (lambda r: {"T": np.arange(400), "X": walk(r, 400)}, "I(T;X)", "T _||_ X"),
    "walks given the session": (
        lambda r: {"D": sessions([0, 1]), "X": walk(r, 400), "Y": walk(r, 400)},
        "I(X;Y|D)",
        "X _||_ Y | D",
    ),
    "chains given the session": (
        lambda r: {"D": sessions([0, 1]), "X": chain(r, 400), "Y": chain(r, 400)},
        "I(X;Y|D)",
        "X _||_ Y | D",
    ),
}


@pytest.mark.parametrize(
    ("draw", "term", "statement"), BEHIND_A_SORTED_COLUMN.values(), ids=BEHIND_A_SORTED_COLUMN.keys()
)
def test_a_sorted_column_hides_no_past(draw, term, statement):
    # Of a walk of 400 rows parabolas in blocks leave a past of some five standard errors: one may be missed.
    assert warned(draw, term, 20) >= 19
    found = independence_test(draw(np.random.default_rng(0)), statement, permutations=19)
    assert any("the rows are not independent" in warning for warning in found.warnings)


def test_names_have_no_order():
    """Sessions count alike whatever they are called, whether the rows are independent in them or not."""
    for draw in (walk, lambda rng, n: rng.normal(size=n)):
        x = draw(np.random.default_rng(0), 400) + sessions([0, 3, 1, 2])
        said = [
            dependence_warnings(Sample.infer({"A": sessions(labels), "X": x}), parse_expression("I(A;X)"))
            for labels in ([0, 1, 2, 3], [2, 0, 3, 1])
        ]
        assert said[0] == said[1]
        assert bool(said[0]) == (draw is walk)


def table(rng: np.random.Generator) -> Rows:
    x, y = linked(rng, 300)
    return {"X": x, "Y": y, "A": (x + rng.normal(size=300) > 0).astype(int), "B": rng.integers(4, size=300)}


def rounded_table(rng: np.random.Generator) -> Rows:
    return {name: column.round(1) for name, column in table(rng).items()}


def of_x(function, noise: float):
    def draw(rng: np.random.Generator) -> Rows:
        x = rng.normal(size=300)
        return {"X": x, "Y": function(x) + noise * rng.normal(size=300)}

    return draw


def vectors(rng: np.random.Generator) -> Rows:
    z = rng.normal(size=(300, 2))
    z = z[np.argsort(z[:, 0])]
    return {"X": z, "Y": z.sum(axis=1) + rng.normal(size=300)}


SORTED = {
    **{f"by {', '.join(by)}": (sorted_by(table, *by), "I(X;Y|A,B)") for by in ("X", "A", "AX", "BX", "BAX")},
    **{f"rounded by {', '.join(by)}": (sorted_by(rounded_table, *by), "I(X;Y|A,B)") for by in ("X", "XY")},
    "parabola": (sorted_by(of_x(np.square, 0.1), "X"), "I(X;Y)"),
    "parabola by its value": (sorted_by(of_x(np.square, 0.1), "Y"), "I(X;Y)"),
    "parabola without noise": (sorted_by(of_x(np.square, 0.0), "X"), "I(X;Y)"),
    "sine": (sorted_by(of_x(lambda x: np.sin(3 * x), 0.2), "X"), "I(X;Y)"),
    "exponential": (sorted_by(of_x(lambda x: np.exp(2 * x), 0.1), "Y"), "I(X;Y)"),
    "step": (sorted_by(of_x(np.sign, 0.1), "X"), "I(X;Y)"),
    "vectors by their first coordinate": (vectors, "I(X;Y)"),
    "labels with an effect": (
        lambda r: {"A": sessions([2, 0, 3, 1]), "X": sessions([2, 0, 3, 1]) + r.normal(size=400)},
        "I(A;X)",
    ),
    "many labels with effects": (
        lambda r: (lambda a: {"A": a, "X": r.normal(size=60)[a] + 0.3 * r.normal(size=300)})(
            np.sort(r.integers(60, size=300))
        ),
        "I(A;X)",
    ),
}


@pytest.mark.parametrize(("draw", "term"), SORTED.values(), ids=SORTED.keys())
def test_a_sorted_table_of_independent_rows_is_not_warned_of(draw, term):
    # At 1 in 1,000 a second warning of 40 tables comes once in 1,300 runs.
    assert warned(draw, term, 40) <= 1


def test_what_a_table_is_sorted_by():
    rng = np.random.default_rng(0)
    for by, found in (("X", {"X"}), ("A", {"A"}), ("AX", {"A", "X"}), ("BAX", {"A", "B", "X"})):
        data = Sample.infer(sorted_by(table, *by)(rng))
        assert sorting(data, ["X", "Y", "A", "B"], 300).names == found
    assert sorting(Sample.infer(table(rng)), ["X", "Y", "A", "B"], 300).names == set()


@pytest.mark.parametrize("kind", ["numbers", "heavy tails", "labels"])
def test_the_level_beyond_a_trend(kind):
    draws = {
        "numbers": lambda r: r.normal(size=300),
        "heavy tails": lambda r: r.standard_cauchy(300),
        "labels": lambda r: r.integers(3, size=300),
    }
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        order = Sorting(frozenset({("T", 0)}), np.zeros(300, dtype=int), (np.sort(rng.normal(size=300)),))
        found.append(order.follows(draws[kind](rng)))
    # binomial(300, 0.05) exceeds 30, and binomial(300, 0.01) exceeds 10, in 3 of 10,000 runs at most
    assert np.sum(np.array(found) < 0.05) <= 30
    assert np.sum(np.array(found) < 0.01) <= 10


def test_rare_values_off_an_atom_say_nothing_by_their_order():
    """Of 15 values among 300 rows less than one pair is expected at a lag: too few for a normal sum."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rare = (rng.random(300) < 0.05) * rng.exponential(size=300)
        assert follows(rare, np.zeros(300, dtype=int)) == 1.0


# Rows that were entered more than once.


def copies(times: int, digits: int | None, n: int = 300):
    def draw(rng: np.random.Generator) -> Rows:
        rows = rng.permutation(np.repeat(np.arange(n // times), times))
        x, y = rng.normal(size=(2, n // times))
        return {
            name: (column if digits is None else column.round(digits))[rows]
            for name, column in (("X", x), ("Y", y))
        }

    return draw


def part_twice(rng: np.random.Generator) -> Rows:
    x, y = rng.normal(size=(2, 200)).round(2)
    rows = rng.permutation(np.concatenate([np.arange(200), np.arange(100)]))
    return {"X": x[rows], "Y": y[rows]}


def one_rounded(rng: np.random.Generator) -> Rows:
    data = copies(2, None)(rng)
    return data | {"Y": data["Y"].round(1)}


def labels_five_times(rng: np.random.Generator) -> Rows:
    rows = rng.permutation(np.repeat(np.arange(100), 5))
    x, y = rng.integers(4, size=(2, 100))
    return {"X": x[rows], "Y": y[rows]}


COPIES = {
    **{
        f"{times} times, {digits} digits": copies(times, digits)
        for times in (2, 3, 5)
        for digits in (None, 2, 1)
    },
    "a third again": part_twice,
    "one column rounded": one_rounded,
    "labels five times": labels_five_times,
}


@pytest.mark.parametrize("draw", COPIES.values(), ids=COPIES.keys())
def test_rows_entered_again_are_warned_of(draw):
    assert warned(draw, "I(X;Y)", 20) == 20


def test_copies_of_rounded_rows_in_a_test_and_with_groups():
    data = copies(3, 2)(np.random.default_rng(0))
    found = independence_test(data, "X _||_ Y", permutations=19)
    assert any("rows than chance allows occur 3 times" in warning for warning in found.warnings)
    rows = np.unique(data["X"] + 1000 * data["Y"], return_inverse=True)[1]
    assert estimate(data | {"G": rows}, "I(X;Y)", groups="G").warnings == ()


def cut_off(rng: np.random.Generator, low: float, high: float, n: int = 300) -> Rows:
    return {name: np.clip(column, low, high) for name, column in zip("XY", linked(rng, n), strict=True)}


def inflated(rng: np.random.Generator, share: float, same: float) -> Rows:
    gate = rng.random(300) < share
    other = np.where(rng.random(300) < same, gate, rng.random(300) < share)
    return {"X": gate * rng.exponential(size=300), "Y": other * rng.exponential(size=300)}


def rounded(rng: np.random.Generator, n: int, digits: int, r: float) -> Rows:
    return {name: column.round(digits) for name, column in zip("XY", linked(rng, n, r), strict=True)}


def half_levels(rng: np.random.Generator) -> Rows:
    return {
        name: np.where(rng.random(300) < 0.5, rng.integers(9, size=300) / 8, rng.random(300)) for name in "XY"
    }


def function_of_rounded(rng: np.random.Generator) -> Rows:
    x = rng.normal(size=300).round(1)
    return {"X": x, "Y": np.exp(x)}


def balanced(rng: np.random.Generator) -> Rows:
    cells = rng.permutation(np.arange(360) % 36)
    return {"X": cells // 6, "Y": cells % 6}


INDEPENDENT = {
    "cut off below": lambda r: cut_off(r, 0, np.inf),
    "cut off on both sides": lambda r: cut_off(r, -1, 1),
    "cut off on both sides, few rows": lambda r: cut_off(r, -1, 1, 100),
    "zeros": lambda r: inflated(r, 0.3, 0.8),
    "zeros at once": lambda r: inflated(r, 0.5, 1.0),
    "mostly zeros": lambda r: inflated(r, 0.05, 0.0),
    "mostly zeros at once": lambda r: inflated(r, 0.05, 1.0),
    "levels and values between": half_levels,
    "two digits": lambda r: rounded(r, 300, 2, 0.9),
    "one digit": lambda r: rounded(r, 300, 1, 0.9),
    "one digit, many rows": lambda r: rounded(r, 3000, 1, 0.9),
    "function of a rounded column": function_of_rounded,
    "doses": lambda r: {"X": r.choice([0, 0.1, 0.5, 1, 5, 10], 300), "Y": r.normal(size=300).round(1)},
    "few labels": lambda r: {"X": r.integers(3, size=300), "Y": r.integers(5, size=300)},
    "many labels": lambda r: {"X": r.integers(100, size=300), "Y": r.integers(150, size=300)},
    "heavy counts": lambda r: {"X": np.minimum(r.zipf(1.5, 300), 10**6), "Y": r.poisson(3, 300)},
    "balanced design": balanced,
    "heavy tails": lambda r: {"X": r.standard_cauchy(300), "Y": r.standard_cauchy(300)},
}


@pytest.mark.parametrize("draw", INDEPENDENT.values(), ids=INDEPENDENT.keys())
def test_repeats_that_chance_makes_are_not_warned_of(draw):
    # At 1 in 1,000 a second warning of 40 samples comes once in 1,300 runs.
    assert warned(draw, "I(X;Y)", 40) <= 1


def test_an_atom_does_not_hide_copies():
    """Half the rows are at an edge, and every row is there twice."""
    data = cut_off(np.random.default_rng(0), 0, np.inf, 150)
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(150), 2))
    found = estimate({name: column[rows] for name, column in data.items()}, "I(X;Y)")
    assert any("so they are not independent" in warning for warning in found.warnings)
