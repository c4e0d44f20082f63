"""Bounds within a limit of work: what is found by then holds, and is the same on every machine."""

import json
import math
from itertools import count
from time import thread_time

import pytest

from theory import bounds, check
from theory.prover import budget

LARGE = {
    "term": "I(A;B|C)",
    "by": ["I(A;D|E)", "I(B;D|F)", "H(A,B|G)", "I(C;G|A)"],
}
"""Seven variables and four terms: linear programs of 127 columns and 679 rows."""

SHORT, ENOUGH = 0.1, 0.25
"""Seconds of counted work that do not suffice to find and to prove its bounds, and that do: it takes 0.14."""

ESSL = {"term": "I(A;C|Z)", "by": ["I(A;C|X)", "I(A;X|Z)", "H(A)", "I(A;Z)"], "diagram": "essl"}
"""A question with several upper bounds."""

AT = {"I(A;C|X)": 0.25, "I(A;X|Z)": 0.5, "H(A)": 1.25, "I(A;Z)": 0.375}
"""Values that some model has."""


@pytest.fixture
def fast_clock(monkeypatch):
    """A machine that is never too slow."""
    monkeypatch.setattr(budget, "thread_time", lambda: 0.0)


def texts(found):
    return {str(bound) for bound in (*found.upper, *found.lower, *found.among)}


def test_an_answer_comes_within_the_seconds_that_are_allowed():
    """The count ends it on every machine; the clock, which differs, may only end it before."""
    start = thread_time()
    found = bounds(**LARGE, seconds=SHORT)
    assert thread_time() - start < SHORT + 1  # a step counts as what it takes on a usual core
    assert not found.complete
    assert "in 0.1 s of work (seconds=0.2 allows more)" in found.notes[0]
    for bound in (*found.upper, *found.lower, *found.among):
        assert check(json.dumps(bound.certificate.to_dict()))


def test_the_count_alone_says_whether_the_seconds_suffice(fast_clock):
    assert not bounds(**LARGE, seconds=SHORT).complete
    assert bounds(**LARGE, seconds=ENOUGH).complete


def test_what_is_found_by_then_is_part_of_the_whole(fast_clock):
    whole = bounds(**ESSL, at=AT, seconds=math.inf)
    assert whole.complete
    assert not whole.notes
    low, high = whole.interval
    cut = 0
    for seconds in (0.002, 0.02, 0.05, 0.1, 0.2, 0.5):
        found = bounds(**ESSL, at=AT, seconds=seconds)
        assert texts(found) <= texts(whole)
        assert found.interval[0] <= low <= high <= found.interval[1]
        assert found.interval[0] >= 0
        assert found.violated is None
        if found.complete:
            assert texts(found) == texts(whole)
        cut += not found.complete
    assert cut > 1


def test_the_same_work_is_done_however_fast_the_machine(fast_clock):
    first, second = ({**bounds(**ESSL, seconds=0.1).to_dict(), "seconds": 0} for _ in range(2))
    told = [json.dumps(answer) for answer in (first, second)]
    assert told[0] == told[1]


def test_a_machine_that_is_too_slow_is_stopped_by_the_clock(monkeypatch):
    ticks = count(step=0.01)
    monkeypatch.setattr(budget, "thread_time", lambda: next(ticks))
    assert "in 1 s of work" in bounds(**ESSL, seconds=1.0).notes[0]


@pytest.mark.parametrize("seconds", [0.001, 0.01])
def test_nothing_is_said_to_be_unbounded_before_all_was_looked_at(seconds, fast_clock):
    found = bounds("I(A;C|Z)", by=["I(A;C|X)"], diagram="essl", at={"I(A;C|X)": 1.0}, seconds=seconds)
    assert not found.complete
    assert "arbitrarily" not in str(found)
    assert found.interval == (0.0, math.inf)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (True, TypeError), ("2", TypeError)],
)
def test_seconds_must_be_positive(seconds, error):
    with pytest.raises(error, match="seconds must be"):
        bounds("H(A)", seconds=seconds)
