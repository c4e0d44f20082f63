"""Texts in place of objects: diagrams, statements and names of variables, wherever they are taken."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from theory import (
    ESSL,
    Claim,
    Diagram,
    Joint,
    Model,
    Support,
    bounds,
    check,
    find_claim,
    judge,
    parse_statement,
    prove,
    repair,
)
from theory.claims import slack
from theory.claims.exact import is_on
from theory.diagrams import diagram_text
from theory.forced import forced_information
from theory.prover import ContradictionError, Refutation, Unknown

ZEROS = ("I(A;B) >= 0 >= 0", "0 <= 0 <= H(A)", "I(A;B|A) == 0 == 0", "H(A) >= 0 H(B)", "I(A;B)>=0\nI(A;C)>=0")
"""Statements with comparisons of 0 with 0, and on two lines: all are true."""


@pytest.mark.parametrize("text", ZEROS)
def test_statements_with_zeros_are_proved_with_a_certificate(text):
    proof = prove(text)
    assert proof.verdict == "proved"
    assert check(proof.certificate).valid
    assert prove(text, exists=True).verdict == "proved"


@pytest.mark.parametrize("text", ["H(B) == 0 == 0", "0 >= 0 and H(B) == 0", "H(B) == 0\n0 == 0"])
def test_premises_with_zeros_are_used(text):
    assert prove("I(A;B) == 0", given=text).verdict == "proved"
    assert bounds("I(A;B)", by="H(A)", given=text).upper[0].proof.verdict == "proved"


def test_statements_with_zeros_are_repaired():
    found, same = repair("I(A;B) <= 0 >= 0"), repair("I(A;B) <= 0")
    assert found.statement == same.statement
    assert list(map(str, found.corrected)) == list(map(str, same.corrected))


def test_a_result_is_checked_by_its_certificate():
    assert check(prove("I(A;B) >= 0")).valid
    assert check(prove("H(A) < 0", exists=True)).valid
    with pytest.raises(ContradictionError) as error:
        prove("H(A) >= 0", given="H(B) < 0")
    assert check(error.value).valid
    refuted = check(prove("I(A;B) == 0"))
    assert not refuted.valid
    assert "the verdict 'refuted' has no certificate" in refuted.reason
    unknown = prove("I(A;B) == 0", counterexample=False)
    assert isinstance(unknown, Unknown)
    assert "'unknown' has no certificate" in check(unknown).reason


def test_the_json_of_a_result_tells_where_its_certificate_is():
    saved = prove("I(A;B) >= 0").to_dict()
    assert "pass what it holds under 'certificate'" in check(saved).reason
    assert check(saved["certificate"]).valid


def test_a_relation_is_a_statement():
    relation = parse_statement("I(A;B) == 0").relations[0]
    assert prove(relation, given=relation).verdict == prove(relation, given=[relation]).verdict == "proved"


def test_a_claim_takes_texts():
    own = Claim("mine", "t", "I(P;Q) <= I(P;R)", "true", diagram="P->R->Q", given="H(P) > 0")
    assert own.diagram == Diagram.parse("P->R->Q")
    assert own.given == (parse_statement("H(P) > 0"),)
    for given in (["H(A|X) == 0"], ("H(A|X) == 0",), "H(A|X) == 0", parse_statement("H(A|X) == 0")):
        assert Claim("mine", "t", "I(A;C|X) == 0", "true", given=given).given == find_claim("L2").given
    assert Claim("mine", "t", "I(A;C) == 0", "true", diagram="essl").diagram == ESSL
    assert judge("E1").holds


def test_models_take_texts():
    tables = {"A": [0.5, 0.5], "X1": [[1, 0], [0, 1]]}
    model = Model("A->X1", tables)
    assert model.diagram == Diagram.parse("A->X1")
    assert model.joint("X1").names == ("X1",)
    assert model.joint("X1, A").names == ("X1", "A")
    for make in (Model.random, Model.random_exact):
        text, diagram = make("A->X1", 3, seed=4), make(Diagram.parse("A->X1"), 3, seed=4)
        assert all((text.tables[v] == diagram.tables[v]).all() for v in ("A", "X1"))
    assert is_on(Model.random("A->X<-C", 2, seed=0).joint(), "A->X<-C")
    assert diagram_text("Y->X, N->X, X->Z") == "nuisance"


@pytest.mark.parametrize("make", [lambda d: Model(d, {}), lambda d: Model.random(d, 2, seed=0), diagram_text])
def test_no_diagram_is_refused_where_one_is_needed(make):
    with pytest.raises(TypeError, match="a diagram is needed here"):
        make(None)
    with pytest.raises(ValueError, match="a diagram is needed here"):
        make("none")
    with pytest.raises(TypeError, match="diagram must be a Diagram, text"):
        make(3)


def test_names_of_variables_may_be_one_text():
    joint = Joint.from_function("A, C", (2, 2), {"X1": lambda a, c: a ^ c})
    assert joint.names == ("A", "C", "X1")
    assert Joint("A, X1", np.full((2, 2), 0.25)).names == ("A", "X1")
    assert joint.entropy("X1") == joint.entropy({"X1"}) == pytest.approx(np.log(2))
    assert joint.entropy("X1, A") == joint.entropy(("A", "X1")) == pytest.approx(2 * np.log(2))
    assert joint.marginal("X1,C").names == ("X1", "C")
    assert joint.axes("X1") == (2,)
    assert joint.channel("A, C", "Y", np.full((2, 2, 3), 1 / 3)).names == ("A", "C", "X1", "Y")
    assert forced_information(joint, inputs="X1") == pytest.approx(0)
    support = Support.independent({"A": np.full(2, 0.5), "X1": np.full(2, 0.5)})
    assert support.select("X1").names == ("X1",)
    assert support.joint("X1, A").names == ("X1", "A")
    assert support.entropy("A, X1") == pytest.approx(2 * np.log(2))
    with pytest.raises(ValueError, match="unknown variable 'AC'"):
        joint.marginal("AC")


def test_a_statement_may_be_a_text_where_a_joint_is_judged():
    joint = Joint.from_function("A, C", (2, 2), {})
    assert slack(joint, "H(A) >= H(C)\nH(A) <= H(A,C)") == pytest.approx(0, abs=1e-12)


def test_repair_takes_names_within_as_text():
    statement, options = "I(A;C|Z) <= I(A;C)", {"at_most": 1, "seconds": 1.0}
    as_text, as_names = repair(statement, within="B", **options), repair(statement, within=["B"], **options)
    assert list(map(str, as_text.assumptions)) == list(map(str, as_names.assumptions))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: a, "the function of X must take 2 arguments, one for each of A, C: it takes (a)"),
        (lambda a, b, c: a, "must take 2 arguments, one for each of A, C: it takes (a, b, c)"),
        (lambda *, a, c: a, "must take 2 arguments"),
        (3, "the function of X must be callable, got 3"),
    ],
    ids=["too few", "too many", "by name only", "no function"],
)
def test_functions_that_do_not_fit_the_variables_are_refused(function, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        Joint.from_function(("A", "C"), (2, 2), {"X": function})


def test_functions_that_fit_in_other_ways_are_called():
    for function in (max, lambda *states: max(states), lambda a, c, more=0: max(a, c) + more):
        found = Joint.from_function(("A", "C"), (2, 2), {"X": function})
        assert found.to_fractions().marginal("X").probabilities.tolist() == [Fraction(1, 4), Fraction(3, 4)]


def test_strategies_take_texts():
    from hypothesis import given, settings

    from synthetic.strategies import joints_on, models, premises

    @settings(max_examples=5, database=None, deadline=None)
    @given(joints_on("X->Y", "X"), premises("L2"), premises("A->X<-C", given="H(A|X) == 0"), models("A->X"))
    def drawn(joint, lossless, same, model):
        assert joint.names == ("X",)
        assert lossless.value("H(A|X)") == pytest.approx(0, abs=1e-12)
        assert same.value("H(A|X)") == pytest.approx(0, abs=1e-12)
        assert model.diagram == Diagram.parse("A->X")

    drawn()
    with pytest.raises(ValueError, match=r"got the statement 'I.*pass it as given="):
        premises("I(A;C|X) == 0")


def test_two_causes_are_never_read_as_a_lone_variable():
    """Read as lone, A would be independent of B given C; as a cause it is not."""
    with pytest.raises(ValueError, match="write 'A->C, B->C' for a cause"):
        prove("A _||_ B | C", diagram="A,B->C")
    assert isinstance(prove("A _||_ B | C", diagram="A->C<-B"), Refutation)
    assert prove("A _||_ B | C", diagram="A; B->C").verdict == "proved"


@pytest.mark.parametrize(
    ("non_shannon", "laws"),
    [
        (False, "from Shannon's inequalities and the facts"),
        (True, "from Shannon's and Zhang and Yeung's ineq"),
    ],
)
def test_an_unknown_under_premises_names_inequalities_that_need_them(non_shannon, laws):
    """Zhang and Yeung 1997; no unconditional inequality implies it (Kaced and Romashchenko 2013)."""
    premises = ("I(A;B) == 0", "I(A;B|C) == 0")
    statement = "I(C;D) <= I(C;D|A) + I(C;D|B)"
    found = prove(statement, given=premises, non_shannon=non_shannon, seconds=0.5)
    assert isinstance(found, Unknown)
    assert f"does not follow {laws}" in found.reason
    assert "was found in 0.5 s of work (seconds=1 allows more); some ineq" in found.reason
    assert "follow from no inequality without premises (Kaced and Romashchenko 2013)" in found.reason
    assert ("a proof with copies of variables" in found.reason) == non_shannon


def test_an_unknown_without_premises_does_not():
    without = prove("I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)", non_shannon=True, counterexample=False)
    assert isinstance(without, Unknown)
    assert "Kaced" not in without.reason
