"""Work is counted: an answer comes within the seconds that are allowed, and is the same on every machine."""

import math
from itertools import count
from time import thread_time

import numpy as np
import pytest

from theory import Proof, Unknown, prove
from theory.prover import budget
from theory.prover.budget import Budget, SpentError, limited, solve, spend

HARD = "2 I(A;B) <= 2 I(A;B|C) + 3 I(A;C|B) + 3 I(B;C|A) + 2 I(A;B|D) + 2 I(C;D)"
"""True or false, nobody knows: the search goes on until it is stopped."""

MANY = [f"I(A;Y{i}|B) <= I(C;Y{i}|D)" for i in range(5)]
"""Premises that bring the variables to nine, so that the linear programs are large."""


@pytest.fixture
def fast_clock(monkeypatch):
    """A machine that is never too slow."""
    monkeypatch.setattr(budget, "thread_time", lambda: 0.0)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"non_shannon": True}, id="copies"),
        pytest.param({"given": MANY}, id="nine variables"),
        pytest.param({"given": MANY, "non_shannon": True}, id="nine variables and copies"),
        pytest.param({"given": ["I(C;D) > 0", *MANY]}, id="strict premises"),
    ],
)
def test_an_unknown_comes_within_the_seconds_that_are_allowed(options):
    start = thread_time()
    found = prove(HARD, seconds=0.5, **options)
    took = thread_time() - start
    assert isinstance(found, Unknown)
    assert "in 0.5 s of work (seconds=1 allows more)" in found.reason
    assert took < 2  # a step counts as what it takes on a usual core; this one may be slower by a factor


def test_the_same_work_is_done_however_fast_the_machine(fast_clock):
    first, second = (prove(HARD, non_shannon=True, seconds=0.2).reason for _ in range(2))
    assert first == second


def test_a_machine_that_is_too_slow_is_stopped_by_the_clock(monkeypatch):
    ticks = count(step=0.01)
    monkeypatch.setattr(budget, "thread_time", lambda: next(ticks))
    assert "in 1 s of work" in prove(HARD, seconds=1.0).reason


def test_what_is_proved_at_once_needs_no_more_than_that():
    assert isinstance(prove("I(A;Z) <= I(A;X)", diagram="essl", seconds=0.05), Proof)
    assert prove("I(A;B) <= I(A;B|C)", seconds=0.3).verdict == "refuted"
    assert prove("I(A;C) == 0 and I(A;C|X) > 0", exists=True, seconds=0.3).verdict == "proved"


def test_more_seconds_may_decide_more():
    statement = (
        "2 I(A;B) <= 3 I(A;B|C) + 2 I(A;C|B) + 2 I(B;C|A) + 2 I(A;B|D) + I(A;D|B) + I(B;D|A) + 2 I(C;D)"
    )
    assert prove(statement, non_shannon=True, seconds=0.02).verdict == "unknown"
    assert prove(statement, non_shannon=True, seconds=math.inf).verdict == "proved"


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (True, TypeError), ("2", TypeError)],
)
def test_seconds_must_be_positive(seconds, error):
    with pytest.raises(error, match="seconds must be"):
        prove("H(A) >= 0", seconds=seconds)


def test_steps_are_counted_and_refused(fast_clock):
    spend(100.0)  # without a limit there is nothing to count
    with limited(1.0) as outer:
        spend(0.75)
        with pytest.raises(SpentError):
            spend(0.5)
        spend(0.125)  # what was refused is not counted
        with limited(5.0) as inner:  # a part of the outer one: it counts there, and is stopped by it
            assert inner.left == 0.125
            spend(0.0625)
            with pytest.raises(SpentError):
                spend(0.125)
        assert (inner.spent, outer.left) == (0.0625, 0.0625)
        with limited(0.03125), pytest.raises(SpentError):
            spend(0.0625)
    assert Budget(math.inf).left == math.inf


def test_a_linear_program_is_stopped_by_its_iterations(fast_clock, monkeypatch):
    """An assignment of 60 to 60 takes more iterations than are allowed here."""
    from scipy.sparse import csc_matrix

    n = 60
    rng = np.random.default_rng(0)
    table = np.zeros((2 * n, n * n))
    for i in range(n):
        table[i, i * n : (i + 1) * n] = 1
        table[n + i, i::n] = 1
    program = {"A_eq": csc_matrix(table), "b_eq": np.ones(2 * n), "bounds": (0, 1)}
    objective = rng.random(n * n)
    whole = solve(objective, **program)
    assert whole.status == 0
    monkeypatch.setattr(budget, "_LEAST_ITERATIONS", 1)
    entries = n * n + 2 * n + 2 * n * n  # columns, rows and ones
    least = budget._PROGRAM + budget._PER_ENTRY * entries
    with limited(least + 1e-6), pytest.raises(SpentError):
        solve(objective, **program)
    with limited(100.0) as allowed:
        assert solve(objective, **program).fun == pytest.approx(whole.fun)
    assert 0 < allowed.spent < 100
