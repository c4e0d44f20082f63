"""Statements on a diagram of the caller's own, in the worlds of proof, models and samples."""

import pytest

from synergy.verification import Settings, verify
from synergy.verification.own import Counterexample, DrawnModel, read_claim
from theory import ESSL

QUICK = Settings.quick(device="cpu")
VIEWS = "C->R, R->X1, R->X2, X1->Z1, X2->Z2"
WORLDS = ["proof", "exact", "sample"]


def judged(report):
    found = {}
    for v in report.verdicts:
        found.setdefault((v.claim, v.world), set()).add(v.judgement)
    return found


@pytest.mark.parametrize("statement", ["I(Z1;Z2) <= I(X1;X2)", "I(Z1;C) >= I(Z1;X2) - I(Z1;X2|C)"])
def test_true_statements_about_two_views(statement):
    report = verify(statement, diagram=VIEWS, worlds=WORLDS, settings=QUICK)
    found = judged(report)
    assert found[statement, "proof"] == {"proved"}
    assert found[statement, "exact"] <= {"verified", "by construction"}
    assert found[statement, "sample"] <= {"verified", "by construction"}
    assert {"drawn model", "two-views"} <= {v.case for v in report.verdicts}
    assert report.exit_status == 0


def test_a_false_statement_about_two_views():
    statement = "I(Z1;Z2) <= I(Z1;C)"
    report = verify(statement, diagram=VIEWS, worlds=WORLDS, settings=QUICK)
    found = judged(report)
    assert found[statement, "proof"] == {"refuted"}
    assert "violated" in found[statement, "exact"]
    assert ("counterexample", "violated") in {
        (v.case, v.judgement) for v in report.verdicts if v.world == "sample"
    }
    assert report.exit_status == 1


def test_what_no_random_model_breaks_the_prover_may():
    """X = A xor C of fair bits is rare among random tables; the exact world has the prover's."""
    statement = "I(A;C|X) <= 1000 I(A;X) + 1000 I(C;X)"
    report = verify(statement, diagram="A->X, C->X", worlds=["exact"], settings=QUICK)
    drawn = {v.case: v.judgement for v in report.verdicts if v.case in ("random models", "counterexample")}
    assert drawn == {"counterexample": "violated"}
    assert report.exit_status == 1


def test_premises_hold_in_the_models_that_are_drawn():
    claim = read_claim("I(X1;X2) <= I(X1;C)", VIEWS, ["I(X1;X2|C) == 0"])
    model = DrawnModel(claim)
    assert abs(model.exact("I(X1;X2|C)").value) < 1e-12
    assert model.exact("I(X1;X2)").value > 0.01
    rows = model.sample(500, seed=0)
    assert set(rows.names) == {"C", "X1", "X2"}
    assert (rows["X1"] == model.sample(500, seed=0)["X1"]).all()


def test_a_counterexample_has_every_variable():
    model = Counterexample(read_claim("I(X1;X2) <= I(X1;C)", VIEWS))
    assert set(model.joint().names) == {"X1", "X2", "C"}
    assert model.exact("I(X1;X2) - I(X1;C)").value > 0.1


def test_a_registered_claim_on_another_diagram():
    report = verify(
        "E1", diagram="C->R, S->R, V->R, R->X, C->A, A->X, X->Z", worlds=["proof"], settings=QUICK
    )
    assert [v.judgement for v in report.verdicts] == ["refuted"]
    assert report.exit_status == 1
    assert read_claim("E1", str(ESSL)).diagram == ESSL


def test_no_diagram_implies_nothing():
    claim = read_claim("I(A;C) == 0", "none")
    assert not claim.diagram.d_separated({"A"}, {"C"})
    assert verify("I(A;C) >= 0", diagram="none", worlds=["proof"], settings=QUICK).exit_status == 0


def test_a_statement_beyond_the_diagram_names_one_that_has_it():
    with pytest.raises(
        ValueError, match=r"unknown variable 'Z1': .*name a diagram that has it, such as two-views"
    ):
        verify("I(Z1;Z2) <= I(X1;X2)", settings=QUICK)


def test_what_is_no_claim_is_refused():
    with pytest.raises(TypeError, match="claims must be claims, their identifiers or statements, got 3"):
        verify([3], settings=QUICK)
