"""Cases fit claims by their variables, their diagram and their premises."""

import json

import pytest

from synergy.verification import CASES, Case, judged_on
from synergy.verification.controls import CONTROL
from synergy.verification.fitting import why_not
from synergy.verification.listed import FILE, made_anew
from synthetic import ModularShift, RandomModel, ReducedShift, TwoViews
from theory import CLAIMS, Claim, find_claim

BY_NAME = {case.name: case for case in CASES}


def test_a_claim_of_one_line_meets_every_case_that_fits():
    mine = Claim("T1", "Mine", "I(A;C|Z) <= H(C)", "true")
    found = judged_on(mine)
    assert found.cases["proof"] == ("any model",)
    assert found.cases == judged_on(find_claim("E1")).cases | {"symbolic": found.cases["symbolic"]}
    assert found.count >= 14
    assert all(found.reasons.values())


def test_every_case_says_why_it_is_left_out():
    found = judged_on(find_claim("K4"))
    assert found.reasons["digits"] == "Z1, X2, X1 are not known here"
    assert "the premise I(X1;X2|Z1) == 0 does not hold" in found.reasons["two-views: class masked"]
    assert set(found.reasons) | {n for names in found.cases.values() for n in names} >= set(BY_NAME)


def test_no_claim_is_expected_where_its_diagram_is_broken():
    reason = why_not(find_claim("E1"), BY_NAME["confounded-shift"], "sample")
    assert reason == "C _||_ A in the claim's diagram, and not here"
    assert why_not(CONTROL, BY_NAME["confounded-shift"], "sample") is None


def test_what_the_diagram_does_not_say_may_hold_in_the_distribution():
    """Views that share nothing but the class are independent given it, whatever arrows are drawn."""
    claim = find_claim("K3")
    assert why_not(claim, BY_NAME["two-views: nothing shared but the class"], "sample") is None
    reason = why_not(claim, BY_NAME["two-views"], "sample")
    assert reason == "X1 _||_ X2 | C in the claim's diagram, and not here"


def test_premises_are_checked_exactly_where_the_joint_is_known():
    claim = find_claim("L2")
    assert why_not(claim, BY_NAME["modular-shift: lossless"], "sample") is None
    assert "the premise H(A|X) == 0 does not hold" in why_not(claim, BY_NAME["modular-shift"], "sample")
    assert why_not(claim, BY_NAME["digits"], "sample") is None


def test_functions_of_the_diagram_are_functions_in_the_case():
    assert why_not(find_claim("F1"), BY_NAME["quotient"], "sample") is None
    noisy = Case("noisy", RandomModel("C->X, B->X, X->Z, B->A", model_seed=1), "A is no function of B")
    reason = why_not(find_claim("F1"), noisy, "sample")
    assert reason == "A is a function of B in the claim's diagram, and not here"


@pytest.mark.parametrize(
    ("case", "world", "reason"),
    [
        (Case("a", TwoViews(), "no A"), "learned", "no transformation A"),
        (BY_NAME["linear-gaussian"], "learned", "A or C is continuous"),
        (BY_NAME["erasure"], "learned", "training seeds on images"),
        (BY_NAME["digits"], "exact", "digits has no exact value"),
    ],
)
def test_worlds_that_a_case_is_not_judged_in_have_a_reason(case, world, reason):
    assert reason in case.why_not_in(world)


def test_a_claim_that_is_left_out_of_a_case_is_named_with_its_reason():
    case = Case("slow", ModularShift(n=4), "a case", not_for={"E1": "it takes a week"})
    assert why_not(find_claim("E1"), case, "sample") == "it takes a week"
    assert why_not(find_claim("E2"), case, "sample") is None


def test_a_claim_about_z_is_trivial_where_z_is_the_input():
    case = Case("plain", ModularShift(n=4), "no Z")
    assert why_not(find_claim("D1"), case, "exact") == "trivial where the representation is the input itself"
    assert why_not(find_claim("D1"), Case("reduced", ReducedShift(n=4, modulus=2), "Z"), "exact") is None


def test_the_list_of_cases_is_that_of_the_code():
    """`python -m synergy.verification.listed` writes it anew."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == json.loads(made_anew())
    assert list(json.loads(made_anew())) == list(CLAIMS)
