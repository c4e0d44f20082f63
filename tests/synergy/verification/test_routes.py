"""Routes: claims are measured so that they can fail."""

import pytest

from synergy.verification.routes import RouteError, choose, routes
from theory import parse_statement, parse_term

LATENTS = ("A", "C", "S")


def route(text):
    return choose(parse_statement(text).relations[0], LATENTS)


def test_a_mutual_information_of_latents_has_two_routes():
    shown = [
        {str(loss): int(c) for loss, c in form.items()} for form in routes(parse_term("I(A;C|Z)"), LATENTS)
    ]
    assert shown == [{"L(A|Z)": 1, "L(A|C,Z)": -1}, {"L(C|Z)": 1, "L(C|A,Z)": -1}]


@pytest.mark.parametrize(
    ("statement", "gap"),
    [
        pytest.param(
            "I(A;Z|C) == I(A;Z) + I(A;C|Z)",
            "L(A|C) - L(A|C,Z) - L(A) + L(A|Z) - L(C|Z) + L(C|A,Z)",
            id="E1: the synergy by predicting the class",
        ),
        pytest.param(
            "I(C;Z|A) == I(C;Z) + I(A;C|Z)",
            "L(C|A) - L(C|A,Z) - L(C) + L(C|Z) - L(A|Z) + L(A|C,Z)",
            id="E3: the synergy by predicting the transformation",
        ),
        pytest.param("I(A;C|Z) <= H(A|Z)", "L(A|Z) - L(C|Z) + L(C|A,Z)", id="L1: from different losses"),
        pytest.param("I(A;C|Z) <= H(C|Z)", "L(C|Z) - L(A|Z) + L(A|C,Z)", id="L1 for the class"),
        pytest.param("I(A;Z) <= I(A;X)", "L(A|Z) - L(A|X)", id="D1"),
    ],
)
def test_terms_of_a_claim_share_no_losses(statement, gap):
    found = route(statement)
    assert not found.shared
    assert not found.by_construction
    signed = {part.strip() for part in gap.replace("- ", "+ -").split("+")}
    assert {("" if c > 0 else "-") + str(loss) for loss, c in found.gap.items()} == signed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("H(A|Z) >= 0", id="a loss is never negative"),
        pytest.param("I(A;Z|C) == H(A|C) - H(A|Z,C)", id="the definition of the measurement"),
    ],
)
def test_what_no_losses_can_contradict_is_by_construction(statement):
    assert route(statement).by_construction


def test_a_claim_with_one_route_only_says_what_it_shares():
    found = route("I(A;Z|C) >= H(A|C) - H(A|Z)")
    assert [str(loss) for loss in found.shared] == []
    assert [str(loss) for loss in route("I(A;Z) + I(A;Z) >= I(A;Z|C)").shared] == ["L(A|Z)"]


@pytest.mark.parametrize("term", ["H(Z)", "I(X;Z)", "I(X;Z|C)", "I(A;A)", "I(A;C;Z)"])
def test_terms_without_a_discrete_slot_are_refused(term):
    with pytest.raises(RouteError, match="cannot be measured by prediction"):
        routes(parse_term(term), LATENTS)
