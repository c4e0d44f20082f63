"""What holds for every estimator, whatever it does: laws of the front, on 400 rows of its kind of data."""

import numpy as np
import pytest

from synergy import estimate
from synergy.estimators.registry import ESTIMATORS

LABELS = ("plug-in", "digamma", "miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage")
CRITICS = ("nwj", "infonce", "smile", "donsker-varadhan")
NAMES = [name for name in ESTIMATORS if name != "oracle"]  # the oracle needs a generator, not rows alone
QUICK = {name: {"steps": 60, "batch": 64} for name in (*CRITICS, "barber-agakov")}


def rows(name, n=400):
    rng = np.random.default_rng(5)
    if name in LABELS:
        x = rng.integers(4, size=n)
        return {"X": x, "Y": (x + rng.integers(3, size=n)) % 4}
    x, y = rng.standard_normal((2, n))
    if name in ("classifier", "barber-agakov", "ross"):
        label = rng.integers(3, size=n)
        return {"X": label, "Y": label + y}
    return {"X": x, "Y": 0.8 * x + 0.6 * y}


def found(name, data, term="I(X;Y)", **options):
    return estimate(data, term, estimator=name, **QUICK.get(name, {}), **options)


@pytest.fixture(scope="module")
def plain():
    return {name: found(name, rows(name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_the_order_of_the_rows_is_no_information(name, order, plain):
    data = rows(name)
    moved = np.argsort(data["X"], kind="stable")
    if order == "shuffled":
        moved = np.random.default_rng(1).permutation(len(moved))
    again = found(name, {key: column[moved] for key, column in data.items()})
    # The rows are the same: what differs is how they fall into folds and batches, a part of the error of one.
    assert abs(again.value - plain[name].value) <= 3 * max(plain[name].standard_error, 1e-12)
    if name in LABELS or name in ("gaussian", "gaussian-copula"):
        assert again.value == pytest.approx(plain[name].value, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_columns_and_of_the_sides_is_none(name, plain):
    data = rows(name)
    turned = found(name, dict(reversed(data.items())))
    assert turned.value == pytest.approx(plain[name].value, rel=1e-9)
    if not QUICK.get(name):  # a critic of (x, y) is another one than that of (y, x)
        swapped = found(name, data, "I(Y;X)")
        # Reference rows that are drawn for X and for Y change places: a thousandth of the error or so.
        assert abs(swapped.value - plain[name].value) <= 0.01 * plain[name].standard_error


@pytest.mark.parametrize("name", NAMES)
def test_what_was_passed_is_left_as_it_was(name):
    data = rows(name)
    kept = {key: column.copy() for key, column in data.items()}
    for column in data.values():
        column.setflags(write=False)
    first = found(name, data)
    for key, column in data.items():
        np.testing.assert_array_equal(column, kept[key])
    if first.scores is not None and first.scores.flags.writeable:
        first.scores[:] = 1e9  # must not be anything that a second call reads
    assert found(name, data).value == first.value


@pytest.mark.parametrize("name", NAMES)
def test_bits_are_nats_over_log_2(name, plain):
    bits = found(name, rows(name), unit="bits")
    assert bits.value == pytest.approx(plain[name].value / np.log(2), rel=1e-12)
    assert bits.standard_error == pytest.approx(plain[name].standard_error / np.log(2), rel=1e-12)
    assert bits.interval == pytest.approx(np.array(plain[name].interval) / np.log(2), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [2**32, 2**63 + 1])
def test_any_seed_will_do(name, seed):
    again = found(name, rows(name), seed=seed)
    assert np.isfinite(again.value)
    assert np.isfinite(again.standard_error)
