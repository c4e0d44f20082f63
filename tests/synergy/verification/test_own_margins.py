"""What the margin decides on rows of the caller's own, and what is asked of rows and diagram."""

import re
from dataclasses import replace

import numpy as np
import pytest

from synergy.estimators import estimate
from synergy.verification import Settings, Verdict, render, verify
from synergy.verification.own import is_own
from theory import ESSL, ContradictionError

QUICK = replace(Settings.quick(device="cpu"), models=20)
NONE = {"diagram": "none", "settings": QUICK}


def pair(n, agree, seed=0):
    """Two bits that agree in this share of rows: at 0.56 I(A;B) is 0.0072 nats, within the margin of 0.01."""
    rng = np.random.default_rng(seed)
    a = rng.integers(2, size=n)
    return {"A": a, "B": np.where(rng.random(n) < agree, a, 1 - a)}


@pytest.fixture(scope="module")
def weak():
    return pair(100_000, 0.56)


def of_rows(report):
    (found,) = (v for v in report.verdicts if v.world == "sample")
    return found


@pytest.mark.parametrize("statement", ["I(A;B) > 0", "0 < I(A;B)"])
def test_what_is_told_from_0_is_above_0_though_the_margin_is_larger(weak, statement):
    report = verify(statement, data=weak, **NONE)
    found = of_rows(report)
    assert found.low > 0
    assert found.high < found.margin
    assert found.judgement == "verified"
    assert found.note.endswith("the gap is above 0")
    assert report.exit_status == 0


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("I(A;B) == 0", "the gap differs from 0, by less than the margin of 0.01 nats"),
        ("A _||_ B", "the gap differs from 0, by less than the margin of 0.01 nats"),
        ("I(A;B) <= 0", "the gap is below 0, by less than the margin of 0.01 nats"),
        ("H(A|B) >= H(A)", "the gap is below 0, by less than the margin of 0.01 nats"),
    ],
)
def test_what_is_told_from_0_is_not_verified_to_be_0(weak, statement, words):
    found = of_rows(verify(statement, data=weak, **NONE))
    assert found.judgement == "inconclusive"
    assert found.note.endswith(words)


def test_in_a_conjunction_the_part_that_is_told_from_0_counts(weak):
    rng = np.random.default_rng(5)
    table = {**weak, "C": rng.integers(2, size=len(weak["A"]))}
    for statement in ("I(A;C) == 0 and I(A;B) == 0", "I(A;B) == 0 and I(A;C) == 0"):
        found = of_rows(verify(statement, data=table, **NONE))
        assert (found.statement, found.judgement) == ("I(A;B) == 0", "inconclusive")
    both = of_rows(verify("I(A;B) > 0 and I(A;C) <= 0.0 I(A;C)", data=table, **NONE))
    assert both.judgement == "verified"


@pytest.mark.parametrize(
    ("statement", "judgement", "words"),
    [
        ("I(A;B) == 0", "verified", "the gap is within the margin of 0.01 nats"),
        ("I(A;B) <= 0", "verified", "the gap is not below 0 by more than the margin of 0.01 nats"),
        (
            "I(A;B) > 0",
            "violated",
            "no evidence that the gap is above 0; it is not more than the margin of 0.01",
        ),
        ("H(A) == 0", "violated", "the gap differs from 0 by more than the margin of 0.01 nats"),
        ("H(A) <= 0", "violated", "the gap is below 0 by more than the margin of 0.01 nats"),
        ("H(A) >= I(A;B) + H(A|B) + 0.001 I(A;B)", "verified", "by more than the margin of 0.01 nats"),
    ],
)
def test_the_note_says_where_the_margin_decides(statement, judgement, words):
    found = of_rows(verify(statement, data=pair(20_000, 0.5, seed=1), **NONE))
    assert found.judgement == judgement
    assert words in found.note


def test_what_is_fitted_is_judged_to_within_what_fitting_costs():
    """Of numbers the margin stands for more than the interval does, so an equality within it is verified."""
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=1500)
    table = {"A": a, "Z": rng.standard_normal((1500, 2)) + 0.3 * a[:, None]}
    found = of_rows(verify("I(A;Z) == 0", data=table, **NONE))
    assert found.fitted
    assert found.judgement == "verified"
    assert "the gap is within the margin of 0.1 nats, which fitting may cost" in found.note
    strict = of_rows(verify("I(A;Z) > 0", data=table, **NONE))
    assert strict.low > 0
    assert strict.judgement == "inconclusive"
    assert "the gap is above 0, by less than the margin of 0.1 nats, which fitting may cost" in strict.note


@pytest.mark.parametrize("claim", ["E1", "A _||_ C"])
def test_a_test_of_the_same_sentence_that_finds_the_opposite_is_told(claim):
    """In these rows, one in 250 of independent columns, the test rejects what the margin would let pass."""
    rng = np.random.default_rng(2)
    c, a = rng.integers(3, size=(2, 4000))
    z = np.where(rng.random(4000) < 0.1, rng.integers(3, size=4000), (a + c) % 3)
    report = verify(claim, data={"A": a, "C": c, "Z": z}, settings=QUICK)
    assert report.data.rejected == ("A _||_ C",)
    assert of_rows(report).judgement == "inconclusive"
    strict = replace(QUICK, alpha=0.01)  # at which the gap itself is not told from 0
    report = verify(claim, data={"A": a, "C": c, "Z": z}, settings=strict)
    found = of_rows(report)
    assert report.data.rejected == ("A _||_ C",)
    assert "the gap is within the margin of 0.01 nats, though its interval leaves out 0" in found.note
    assert found.judgement == "inconclusive"
    assert found.warnings == ("the rows reject A _||_ C (p = 0.004): the test finds the opposite",)


@pytest.mark.parametrize("rows", [4000, 100_000])
def test_a_strict_statement_that_the_rows_violate_is_no_success(rows):
    report = verify("I(A;B) > 0", data=pair(rows, 0.5, seed=1), **NONE)
    assert {v.world: v.judgement for v in report.verdicts} == {
        "proof": "proved",
        "exact": "verified",
        "sample": "violated",
    }
    assert report.exit_status == 1
    assert "violated in these rows: I(A;B) > 0; possible on the diagram: I(A;B) > 0" in report.summary()
    assert "UNEXPECTED" not in report.summary()
    assert "as expected" not in report.summary()
    assert "proved (possible)" in {str(cell) for cell in render(report).columns[-1].cells}
    assert report.notes == (
        "I(A;B) > 0: the rows are asked whether it holds there, and the diagram whether some model on it "
        "satisfies it",
    )


def test_a_strict_statement_without_rows_is_asked_of_the_diagram():
    report = verify("I(A;C|Z) > 0", worlds=["proof"], settings=QUICK)
    (proof,) = report.verdicts
    assert proof.note.startswith("possible on the diagram: some model satisfies it; ")
    assert report.exit_status == 0
    assert "possible on the diagram: I(A;C|Z) > 0" in report.summary()


def test_an_impossible_statement_is_refuted_and_saved(tmp_path):
    report = verify("I(A;C) > 0", worlds=["proof"], settings=QUICK)
    (proof,) = report.verdicts
    assert proof.judgement == "refuted"
    assert proof.note.startswith("impossible on the diagram: no model satisfies it; ")
    assert str(next(iter(render(report).columns[-1].cells))) == "refuted (impossible)"
    assert report.exit_status == 1
    report.save(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Impossible on the diagram: I(A;C) &gt; 0." in page
    assert ">refuted (impossible)</span>" in page


def test_a_statement_that_rows_and_diagram_contradict_is_violated_not_unexpected():
    report = verify("I(A;B) == H(A)", data=pair(4000, 0.6), **NONE)
    assert report.exit_status == 1
    assert (
        "violated in these rows: I(A;B) == H(A); refuted on the diagram: I(A;B) == H(A)" in report.summary()
    )
    assert "UNEXPECTED" not in report.summary()


def test_registered_claims_beside_statements_keep_their_words():
    rng = np.random.default_rng(0)
    c, a = rng.integers(3, size=(2, 3000))
    z = np.where(rng.random(3000) < 0.1, rng.integers(3, size=3000), (a + c) % 3)
    report = verify(["E1", "I(A;Z) > 0"], data={"A": a, "C": c, "Z": z}, settings=QUICK)
    assert [is_own(claim) for claim in report.claims] == [False, True]
    assert (
        "every registered claim came out as expected; violated in these rows: I(A;Z) > 0" in report.summary()
    )
    assert report.exit_status == 1


def test_premises_that_contradict_each_other_are_refused_from_every_process():
    for jobs in (1, 2):
        with pytest.raises(ContradictionError, match="contradict each other") as caught:
            verify(
                "X _||_ Y",
                diagram="X->Y",
                given=["X _||_ Y", "I(X;Y) > 0"],
                worlds=["proof", "exact"],
                settings=QUICK,
                jobs=jobs,
            )
        assert caught.value.certificate.statement == "contradiction"


@pytest.mark.parametrize(
    ("table", "term"),
    [
        pytest.param(pair(4000, 0.5, seed=1), "I(A;B)", id="independent"),
        pytest.param(pair(300, 1.0), "I(A;B) - H(A)", id="copy"),
        pytest.param(pair(3000, 0.7), "H(A|B) - I(A;B)", id="combination"),
    ],
)
def test_rows_give_the_numbers_of_estimate(table, term):
    report = verify(f"{term} == 0", data=table, **NONE)
    found, told = of_rows(report), estimate(table, term)
    assert (found.measured, found.standard_error) == (told.value, told.standard_error)
    assert (found.low, found.high) == told.interval
    assert found.samples == told.samples


def test_the_diagram_that_nobody_named_is_told():
    rng = np.random.default_rng(0)
    table = {name: rng.integers(2, size=500) for name in "ACZ"}
    report = verify("I(A;C) <= I(A;C|Z)", data=table, settings=QUICK)
    assert report.notes == (
        "no diagram was named: I(A;C) <= I(A;C|Z) is judged on the E-SSL diagram, "
        f"{', '.join(f'{a}->{b}' for a, b in ESSL.edges)}; the diagram 'none' assumes nothing",
    )
    assert report.to_dict()["notes"] == list(report.notes)
    assert verify("I(A;C) <= I(A;C|Z)", data=table, **NONE).notes == ()
    assert verify("E1", data=table, settings=QUICK).notes == ()


def test_rounding_errors_are_shown_as_0():
    for value in (-4.441e-16, -0.0):
        verdict = Verdict("E1", "exact", "c", "I(A;C) == 0", "verified", measured=value)
        assert str(verdict) == "E1 in the exact world on c: verified, gap 0 nats"
    report = verify("I(A;B) >= 0", data=pair(4000, 0.5, seed=1), **NONE)
    assert not re.search(r"-0(\.0+)?(?![.\d])", " ".join(str(c) for c in render(report).columns[4].cells))


@pytest.mark.parametrize("text", ["A ⫫ B", "A _||_ B", " I(A;B) == 0 ", "A ⊥⊥ B"])
def test_a_statement_is_one_with_whatever_sign_it_is_written(weak, text):
    report = verify(text, data=weak, worlds=["sample"], **NONE)
    assert all(is_own(claim) for claim in report.claims)
    assert of_rows(report).judgement == "inconclusive"


@pytest.mark.parametrize("text", ["A >= B", "foo bar", "0 >= 1"])
def test_what_is_no_statement_is_told_as_that_and_not_as_an_unknown_claim(weak, text):
    with pytest.raises(ValueError, match="cannot parse"):
        verify(text, data=weak, **NONE)


def test_what_the_rows_leave_open_is_told_once(weak):
    told = verify("I(A;B) == 0", data=weak, **{**NONE, "diagram": "A, B"}).summary()
    assert told.count("I(A;B) == 0") == 1
    assert "inconclusive in these rows: I(A;B) == 0" in told


def test_no_note_shows_a_rounding_error(weak):
    report = verify(["I(A;B) == 0", "I(A;B) > 0"], data=weak, **{**NONE, "diagram": "A, B"})
    notes = {v.claim: v.note for v in report.verdicts if v.world == "exact"}
    assert notes["I(A;B) == 0"] == "0 of 20 random models violate it, smallest slack 0 nats"
    assert notes["I(A;B) > 0"] == "none of 20 random models satisfies it, closest slack 0 nats"


def test_of_what_is_fitted_an_interval_above_0_that_holds_the_margin_is_told_as_that():
    """I(X;W) is 0.11 nats: 1,500 rows tell it from 0, and not from the margin of 0.1."""
    first, second = np.random.default_rng(0).normal(size=(2, 1500))
    found = of_rows(verify("I(X;W) > 0", data={"X": first, "W": first + 2 * second}, **NONE))
    assert 0 < found.low < found.margin < found.high
    assert found.judgement == "inconclusive"
    assert (
        "the interval is above 0, and not above the margin of 0.1 nats, which fitting may cost" in found.note
    )
