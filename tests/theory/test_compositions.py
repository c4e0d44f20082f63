"""Models whose premises hold by construction: on the diagram, with the premises, and not trivial."""

import pytest

from theory import ESSL, Claim, Diagram, judge, parse_statement
from theory.claims.compositions import compositions
from theory.claims.exact import is_on
from theory.diagrams import SIGNAL, TWO_VIEWS

CASES = [
    pytest.param(TWO_VIEWS, ("I(X1;X2|C) == 0",), ("C", "X1", "X2", "Z1"), id="views share the class alone"),
    pytest.param(
        TWO_VIEWS, ("I(X1;X2|Z1) == 0", "I(X1;X2|Z2) == 0"), ("X1", "X2", "Z1", "Z2"), id="both sufficient"
    ),
    pytest.param(SIGNAL, ("I(X;S|Z) == 0",), ("X", "S", "T", "Z"), id="sufficiency"),
    pytest.param(
        SIGNAL, ("I(X;S|Z) == 0", "I(X;Z|S) == 0"), ("X", "S", "T", "Z"), id="minimal and sufficient"
    ),
    pytest.param(ESSL, ("H(A|X) == 0",), ("A", "C", "X", "Z"), id="lossless"),
    pytest.param(ESSL, ("I(A;Z|R) == 0",), ("C", "A", "R", "Z"), id="invariant"),
    pytest.param(ESSL, ("H(C) == 0",), ("A", "C", "X"), id="a constant"),
    pytest.param(Diagram.parse("X=>M, X->Z, M->Y"), ("H(M|Z) == 0",), ("X", "M", "Z", "Y"), id="a function"),
]


@pytest.mark.parametrize(("diagram", "given", "names"), CASES)
def test_models_are_on_the_diagram_and_satisfy_the_premises(diagram, given, names):
    facts = tuple(map(parse_statement, given))
    draw = compositions(diagram, facts, names)
    joints = [draw(seed) for seed in range(15)]
    for joint in joints:
        assert joint.names == names
        assert is_on(joint, diagram)
        for fact in facts:
            assert abs(joint.value(fact.relations[0].gap)) < 1e-12
    assert max(joint.value(f"I({names[0]};{names[-1]})") for joint in joints) > 0.01


def test_the_same_seed_gives_the_same_model():
    draw = compositions(ESSL, (parse_statement("H(A|X) == 0"),), ("A", "X"))
    assert (draw(3).probabilities == draw(3).probabilities).all()


def test_a_claim_with_premises_needs_no_models_of_its_own():
    given = ("I(X1;X2|C) == 0",)
    assert judge(Claim("T", "Mine", "I(C;X1) >= I(Z1;X2)", "true", TWO_VIEWS, given), models=30).holds
    assert not judge(Claim("T", "Mine", "I(C;Z1) >= I(Z1;X1)", "true", TWO_VIEWS, given), models=30).holds


def test_inequalities_are_drawn_until_they_hold():
    mine = Claim("T", "Mine", "I(A;X) >= 0", "true", given=("I(A;X) >= I(C;X)",))
    assert judge(mine, models=10).holds


def test_what_cannot_be_built_is_said():
    mine = Claim("T", "Mine", "I(A;X) >= 0", "true", given=("H(A) == 2 H(C)",))
    with pytest.raises(ValueError, match=r"no model that satisfies H\(A\) == 2 H\(C\) was found"):
        judge(mine, models=5)
