"""The units of a column, and where it starts, play no part in a test of independence."""

import warnings

import numpy as np
import pytest

from synergy import independence_test


def data(n=120):
    rng = np.random.default_rng(501)
    z = rng.standard_normal(n)
    return {
        "X": z + rng.standard_normal(n),
        "Y": z + rng.standard_normal(n),
        "Z": z,
        "A": (z > 0).astype(int),
        "B": (z + rng.standard_normal(n) > 0).astype(int),
        "H": rng.standard_t(1.2, n),
        "V": rng.standard_normal((n, 2)),
        "I": rng.random((n, 1, 3, 3)).astype(np.float32),
    }


def found(statement, columns, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return independence_test(columns, statement, permutations=99, **options)


CASES = {
    "regressed": ("X _||_ Y | Z", {}),
    "permuted": ("X _||_ Y", {}),
    "heavy tails": ("X _||_ H", {}),
    "strata": ("X _||_ Y | A", {}),
    "vectors": ("X _||_ V | Z", {}),
    "local": ("X _||_ Y | Z", {"method": "local-permutation"}),
    "beside an image": ("A _||_ B | I,Z", {}),
}


@pytest.mark.parametrize(("statement", "options"), CASES.values(), ids=CASES)
def test_the_p_value_does_not_depend_on_units(statement, options):
    columns = data()
    first = found(statement, columns, **options)
    for name in [name for name in "XYZHV" if name in statement]:
        for power in (3, -200, 532, -600, 1000):
            scaled = {**columns, name: np.ldexp(columns[name], power)}
            again = found(statement, scaled, **options)
            assert again.p_value == first.p_value, (name, power)
            # classifiers work in single precision, the rest in digits that a power of two leaves alone
            single = 1e-4 if "I" in statement.split("|")[-1] else 0.0
            assert abs(again.statistic - first.statistic) <= single, (name, power)
        for factor in (1e160, 1e300, 1e-300):
            again = found(statement, {**columns, name: columns[name] * factor}, **options)
            assert abs(again.p_value - first.p_value) <= 0.02, (name, factor)
            assert again.statistic == pytest.approx(first.statistic, rel=1e-3)


def test_what_depends_still_depends_at_every_scale():
    columns = data()
    for factor in (1.0, 1e160, 1e300):
        assert found("X _||_ Y", {**columns, "X": columns["X"] * factor}).p_value == 0.01


@pytest.mark.parametrize("start", [2**60, 10**20, 10**400], ids=["2^60", "10^20", "10^400"])
def test_integers_that_no_float_tells_apart_are_told_apart(start):
    rng = np.random.default_rng(0)
    steps = rng.integers(30, size=200)
    labels = [start + int(step) for step in steps]
    assert found("A _||_ X", {"A": labels, "X": steps + rng.standard_normal(200)}).p_value == 0.01
    assert found("A _||_ X", {"A": labels, "X": rng.standard_normal(200)}).p_value > 0.05
