"""Claims judged on rows of the caller's own: verdicts, tests of the diagram, and bad input."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synergy.verification import Settings, render, render_tests, verify
from synergy.verification.implied import implied
from synthetic import Sample
from theory import ESSL, Diagram
from theory.diagrams import TWO_VIEWS

QUICK = Settings.quick(device="cpu")
OWN = "I(A;C|Z) >= I(A;Z)"
"""A statement that no diagram implies: it holds where Z shows A only with the class."""


def made(n, seed, *, confounded=False, shows="sum", numbers=False):
    """A table of A, C and Z by plain numpy: what Z shows, A of C where confounded, labels or numbers.

    E1 holds unless confounded; E2 fails where A depends on C and Z shows A; OWN fails where Z shows A.
    """
    rng = np.random.default_rng(seed)
    c, a = rng.integers(3, size=(2, n))
    if confounded:
        a = np.where(rng.random(n) < 0.7, c, a)
    shown = {"sum": (a + c) % 3, "transformation": a}[shows]
    kept = np.where(rng.random(n) < 0.1, rng.integers(3, size=n), shown)
    z = 3 * np.eye(3)[kept] + rng.standard_normal((n, 3)) if numbers else kept
    return {"A": a, "C": c, "Z": z}


def judged(report):
    return {v.claim: v.judgement for v in report.verdicts if v.world == "sample"}


HOLDS = {"E1": "verified", "E2": "verified", "G1": "by construction", OWN: "verified"}
FAILS = {"E1": "violated", "E2": "violated", "G1": "by construction", OWN: "violated"}


@pytest.mark.parametrize("seed", [0, 1, 3, 4])  # with seed 2 the test of A _||_ C has p = 0.004
def test_labels_where_each_claim_holds_and_where_each_fails(seed):
    claims = ["E1", "E2", "G1", OWN]
    holds = verify(claims, data=made(4000, seed), settings=QUICK)
    assert judged(holds) == HOLDS
    assert holds.exit_status == 0
    assert holds.only_here == (OWN,)
    fails = verify(claims, data=made(4000, seed, confounded=True, shows="transformation"), settings=QUICK)
    assert judged(fails) == FAILS
    assert fails.data.rejected == ("A _||_ C",)
    assert fails.exit_status == 1


def test_numbers_where_each_claim_holds_and_where_each_fails():
    claims = ["E1", "E2", "G1", OWN]
    holds = verify(claims, data=made(800, 0, numbers=True), settings=QUICK)
    assert judged(holds) == {**HOLDS, "G1": "verified"}
    assert holds.exit_status == 0
    table = made(800, 0, numbers=True, confounded=True, shows="transformation")
    fails = verify(claims, data=table, settings=QUICK)
    assert judged(fails) == {**FAILS, "G1": "verified"}
    assert fails.exit_status == 1


def test_a_rejected_diagram_takes_its_proofs_with_it():
    report = verify(["E1", "G1"], data=made(3000, 0, confounded=True), settings=QUICK)
    proofs = {v.claim: v for v in report.verdicts if v.world == "proof"}
    assert proofs["E1"].judgement == "proved"
    assert proofs["E1"].warnings == ("the rows reject A _||_ C: the proof does not apply to them",)
    assert proofs["G1"].warnings == ()
    assert "the rows reject 1 of 1 (A _||_ C)" in report.summary()


@pytest.mark.parametrize("form", ["frame", "arrays", "sample", "parquet", "csv", "npz"])
def test_every_form_of_data_gives_the_same_verdict(form, tmp_path):
    table = made(2000, 0)
    path = tmp_path / f"rows.{form}"
    if form == "npz":
        np.savez(path, **table)
    elif form in ("parquet", "csv"):
        frame = pd.DataFrame(table)
        frame.to_parquet(path) if form == "parquet" else frame.to_csv(path, index=False)
    forms = {"frame": pd.DataFrame(table), "arrays": table, "sample": Sample.infer(table)}
    report = verify("E2", data=forms.get(form, path), settings=QUICK)
    told = verify("E2", data=table, settings=QUICK)
    assert [v.measured for v in report.verdicts] == [v.measured for v in told.verdicts]


def test_names_and_whole_floats_are_labels():
    table = made(2000, 0)
    named = {**table, "A": np.array(["left", "right", "up"])[table["A"]], "C": table["C"].astype(float)}
    report = verify(["E1", "G1"], data=named, settings=QUICK)
    assert judged(report) == {"E1": "verified", "G1": "by construction"}
    assert report.data.notes == ("the floats of C take 3 values, which were read as labels",)


def test_one_hot_rows_are_numbers():
    table = made(1000, 0)
    report = verify("E1", data={**table, "Z": np.eye(3)[table["Z"]]}, settings=QUICK)
    assert judged(report) == {"E1": "verified"}


def test_dependent_rows_count_as_groups():
    table = {name: np.repeat(column, 5) for name, column in made(400, 0).items()}
    table["R"] = np.repeat(np.arange(400), 5)
    alone = verify("E2", data=table, settings=QUICK).verdicts[-1]
    grouped = verify("E2", data=table, groups="R", settings=QUICK).verdicts[-1]
    assert grouped.standard_error == pytest.approx(alone.standard_error * 5**0.5, rel=0.1)


def test_one_transformation_decides_nothing_by_itself():
    report = verify(["E1", "E2"], data={**made(800, 0), "A": np.zeros(800, dtype=int)}, settings=QUICK)
    assert set(judged(report).values()) == {"by construction"}
    assert "A takes one value only" in report.data.notes
    assert [test.outcome for test in report.data.tests] == ["not testable"]


def test_a_claim_that_is_expected_false_is_not_contradicted_here():
    """D4 holds in rows whose Z is X: that is no surprise, and the proof world refutes it."""
    rng = np.random.default_rng(0)
    table = made(3000, 0)
    table["X"] = table["Z"]
    table["Z"] = np.where(rng.random(3000) < 0.3, 0, table["Z"])
    report = verify("D4", data=table, settings=QUICK)
    assert judged(report) == {"D4": "verified"}
    assert report.not_contradicted == ("D4",)
    assert "not contradicted here: D4" in report.summary()
    assert report.exit_status == 0


def test_a_claim_that_is_expected_false_and_is_not_refuted_stays_open():
    table = {**made(3000, 0), "X": made(3000, 0)["Z"]}
    report = verify("D4", data=table, worlds=["sample"], settings=QUICK)
    assert report.exit_status == 3


def test_premises_are_tested_with_the_diagram():
    table = made(3000, 0)
    table["X"] = 3 * table["Z"] + table["A"]
    report = verify("L2", data=table, settings=QUICK)
    outcomes = {test.statement: test.outcome for test in report.data.tests}
    assert outcomes == {
        "A _||_ C": "not rejected",
        "Z _||_ C,A | X": "not testable",
        "H(A|X) == 0": "not rejected",
    }
    assert judged(report)["L2"] == "by construction"
    assert report.exit_status == 0
    broken = verify("L2", data={**table, "X": table["Z"]}, settings=QUICK)
    assert {t.statement: t.outcome for t in broken.data.tests}["H(A|X) == 0"] == "rejected"
    assert judged(broken)["L2"] == "not applicable"
    assert broken.exit_status == 3


def test_premises_of_ones_own_make_it_true():
    rng = np.random.default_rng(0)
    c = rng.integers(2, size=3000)
    views = {name: np.where(rng.random(3000) < 0.2, rng.integers(2, size=3000), c) for name in ("X1", "X2")}
    statement, options = "I(X1;X2) <= I(X1;C)", {"diagram": "two-views", "settings": QUICK}
    alone = verify(statement, data={"C": c, **views}, **options)
    assert [v.judgement for v in alone.verdicts if v.world == "proof"] == ["refuted"]
    report = verify(statement, data={"C": c, **views}, given="I(X1;X2|C) == 0", **options)
    assert [v.judgement for v in report.verdicts if v.world == "proof"] == ["proved"]
    assert [(t.statement, t.source, t.outcome) for t in report.data.tests] == [
        ("X1 _||_ X2 | C", "premise", "not rejected")
    ]
    assert report.exit_status == 0


def test_tests_of_true_diagrams_reject_rarely():
    """Three true independences in 20 tables: rejections of any are rare, by Holm at most one in twenty."""
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, c, s = rng.integers(2, size=(3, 500))
        x = 2 * (a ^ c) + (s & (rng.random(500) < 0.5))
        z = np.where(rng.random(500) < 0.3, 0, x % 2)
        report = verify("E2", data={"A": a, "C": c, "S": s, "X": x, "Z": z}, settings=QUICK)
        assert len(report.data.tests) == 3
        wrong += bool(report.data.rejected)
    assert wrong <= 4  # of 20 with a chance of 0.05 each: more has a chance of 0.003


@pytest.mark.parametrize(
    ("diagram", "observed", "expected"),
    [
        (ESSL, ("A", "C", "Z"), ["A _||_ C"]),
        (ESSL, ("A", "C", "S", "X", "Z"), ["S _||_ C", "A _||_ C,S", "Z _||_ C,S,A | X"]),
        (TWO_VIEWS, ("C", "X1", "X2", "Z1", "Z2"), ["Z1 _||_ C,X2 | X1", "Z2 _||_ C,X1,Z1 | X2"]),
        (Diagram.parse("L->A, L->B, K->B, K->C"), ("A", "B", "C"), ["C _||_ A"]),
        (Diagram.parse("A->B, B->C, A->C"), ("A", "B", "C"), []),
    ],
)
def test_what_a_diagram_says_of_columns(diagram, observed, expected):
    assert implied(diagram, observed) == expected


def test_the_report_tells_the_tests(tmp_path):
    report = verify(["E1"], data=made(2000, 0, confounded=True), settings=QUICK)
    told = json.loads(json.dumps(report.to_dict()))
    assert told["data"]["tests"][0]["statement"] == "A _||_ C"
    assert told["data"]["tests"][0]["outcome"] == "rejected"
    assert render_tests(report).row_count == 1
    assert render(report).columns[2].header == "rows"
    report.save(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "A _||_ C" in page
    assert "Your rows" in page


def test_a_large_table_is_judged_on_some_of_its_rows():
    table = made(3000, 0, numbers=True)
    report = verify("E2", data=table, settings=replace(QUICK, data_rows=600))
    assert report.verdicts[-1].samples == 600
    assert "600 of 3,000 rows" in report.data.notes[0]


TABLE = made(400, 0)
BAD = [
    pytest.param(
        {"data": {"foo": [1] * 30, "bar": [2] * 30}},
        "E1 names A, Z, C, which are no columns of the data: it has foo, bar",
        id="columns",
    ),
    pytest.param(
        {"data": made(8, 0)}, "8 rows are too few for a verdict: there must be 20, and about", id="rows"
    ),
    pytest.param(
        {"data": TABLE, "groups": "R"},
        "groups names 'R', which is no column of the data: it has A, C, Z",
        id="groups",
    ),
    pytest.param(
        {"data": TABLE, "given": "I(A;X|Z) == 0"}, "a premise names X, which is no column", id="premise"
    ),
    pytest.param(
        {"data": TABLE, "given": ["I(A;Q) == 0"]}, "unknown variable 'Q': the E-SSL diagram has", id="unknown"
    ),
    pytest.param({"data": TABLE, "diagram": "A->C, C->Z, Z->A"}, "must have no cycle", id="cycle"),
    pytest.param(
        {"data": TABLE, "diagram": "A->C"}, "unknown variable 'Z': the diagram has A, C", id="diagram"
    ),
    pytest.param({"data": TABLE, "generators": ["digits"]}, "name data or generators, not both", id="both"),
    pytest.param(
        {"data": TABLE, "worlds": ["learned"]}, "with data the worlds are proof, exact, sample", id="world"
    ),
    pytest.param({"groups": "R"}, "groups marks dependent rows of data, and there is no data", id="no data"),
    pytest.param({"data": {**TABLE, "A": [None] * 400}}, "column 'A' has 400 missing values", id="missing"),
    pytest.param({"data": {**TABLE, "Z": np.full(400, np.nan)}}, "NaN", id="NaN"),
    pytest.param(
        {"data": {**TABLE, "Z": np.zeros((400, 2), dtype=int)}},
        "vectors and images hold floats",
        id="one-hot integers",
    ),
    pytest.param({"data": "nowhere.parquet"}, "nowhere.parquet", id="path"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        verify("E1", settings=QUICK, **arguments)


def test_an_entropy_of_numbers_is_refused():
    table = {**TABLE, "C": np.random.default_rng(0).standard_normal(400)}
    with pytest.raises(ValueError, match=r"G1 needs H\(C\|Z\), but the column C holds numbers"):
        verify("G1", data=table, settings=QUICK)


def test_data_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="data must be a Sample"):
        verify("E1", data=3, settings=QUICK)
