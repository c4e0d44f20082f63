"""What is of the wrong type is refused by name, wherever theory takes an object."""

from __future__ import annotations

import re

import numpy as np
import pytest

from theory import (
    Expression,
    Joint,
    Model,
    ParseError,
    Relation,
    Statement,
    Support,
    Term,
    bounds,
    judge,
    parse_expression,
    parse_statement,
    prove,
)

HALF = [0.5, 0.5]
SUPPORT = Support.independent({"A": HALF, "B": HALF})
JOINT = SUPPORT.joint()
MODEL = Model("A->X", {"A": HALF, "X": np.eye(2)})

TYPES = {
    "term of text": (lambda: Term("AB", "C"), "a term is made of tuples, .* parse_term reads text"),
    "term of texts": (lambda: Term(("A", "B")), "a term is made of tuples"),
    "expression of text": (lambda: Expression("H(A)"), "pairs of a number and a Term, got 'H.A.'; parse_exp"),
    "expression of floats": (lambda: Expression(((0.5, Term((("A",),))),)), "pairs of a number and a Term"),
    "relation of texts": (lambda: Relation("H(A)", ">=", "H(B)"), "a relation compares Expressions, got 'H"),
    "statement of text": (lambda: Statement("H(A) >= 0"), "a tuple of Relations, .* parse_statement reads"),
    "statement of a term": (lambda: prove(Term((("A",),))), "a statement must be a string, got Term"),
    "joint of a number": (lambda: Joint(3, HALF), "names must be names of variables, got 3"),
    "joint of numbers": (lambda: Joint([3], HALF), "names must be names of variables, got 3"),
    "functions as pairs": (
        lambda: Joint.from_function("A", (2,), [("X", abs)]),
        "functions must be a mapping",
    ),
    "entropy of a number": (lambda: JOINT.entropy(3), "variables must be names of variables, got 3"),
    "axes of numbers": (lambda: JOINT.axes([3]), "variables must be names of variables, got 3"),
    "value of a list": (lambda: JOINT.value(["H(A)"]), "must be a string, got list"),
    "value of a list of a model": (lambda: MODEL.value(["H(A)"]), "must be a string, got list"),
    "tables": (lambda: Model("A->X", 3), "tables must be a mapping from variables to tables, got 3"),
    "priors": (lambda: Support.independent(3), "priors must be a mapping"),
    "new names": (lambda: SUPPORT.rename("A"), "names must be a mapping from old to new names"),
    "entropy of a support": (lambda: SUPPORT.entropy(3), "variables must be names of variables, got 3"),
    "states between": (lambda: SUPPORT.with_column("C", 2, [0, 0.5, 0, 1]), "values of C must be integers"),
    "claim": (lambda: judge(3), "judge needs a claim or its id, got 3"),
    "terms": (lambda: bounds("I(A;B)", by=3), "by must be a term or several, got 3"),
}


@pytest.mark.parametrize(("make", "message"), TYPES.values(), ids=TYPES)
def test_wrong_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()


VALUES = {
    "operator": (lambda: Relation(Expression(), "=>", Expression()), "operator must be one of .* got '=>'"),
    "number of cardinalities": (lambda: Joint.from_function("A,C", 2, {}), "one number for each of .* got 2"),
    "variable of a model": (lambda: MODEL.cardinality("Q"), "unknown variable 'Q'"),
    "renamed alike": (lambda: SUPPORT.rename({"A": "B"}), r"names must differ, got \('B', 'B'\)"),
    "renamed unknown": (lambda: SUPPORT.rename({"Q": "B"}), "unknown variable 'Q'"),
    "product with itself": (lambda: SUPPORT.product(SUPPORT), "names must differ, there is 'A' already"),
    "column twice": (lambda: SUPPORT.with_column("A", 2, [0, 1, 0, 1]), "there is 'A' already"),
    "channel twice": (lambda: SUPPORT.channel("A", "B", np.eye(2)), "there is 'A' already"),
    "kernel of three states": (
        lambda: SUPPORT.channel("C", "A", np.eye(3)),
        r"needs shape \(2,\) \+ \(k,\), g",
    ),
    "kernel without axes": (lambda: SUPPORT.channel("C", "", np.array(1.0)), r"needs shape \(\) \+ \(k,\)"),
    "too few values": (lambda: SUPPORT.with_column("C", 2, [0, 1]), r"must be of shape \(4,\), got \(2,\)"),
    "states beyond": (lambda: SUPPORT.with_column("C", 2, [0, 1, 2, 3]), r"states 0\.\.1, got 0\.\.3"),
    "states below": (lambda: SUPPORT.function("C", 2, lambda A: A - 1), r"states 0\.\.1, got -1\.\.0"),
    "states of other variables": (
        lambda: Support({"A": 2}, np.zeros((2, 2), dtype=np.int64), np.array(HALF)),
        r"states must be of shape \(2, 1\), one column for each of A, got \(2, 2\)",
    ),
}


@pytest.mark.parametrize(("make", "message"), VALUES.values(), ids=VALUES)
def test_wrong_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("text", "hint"),
    [("I(A;B) >= 0", "a value is asked for"), ("H(A), H(B)", "a list"), ("H(A); H(B)", "a list")],
)
def test_what_is_more_than_one_value(text, hint):
    for ask in (parse_expression, JOINT.value, MODEL.value, SUPPORT.value):
        with pytest.raises(ParseError, match=re.escape(hint)):
            ask(text)


def test_objects_of_the_right_types_are_taken():
    one = Term((("A",),))
    assert Expression(((2, one),)) == parse_expression("2 H(A)")
    assert Statement((Relation(Expression(((1, one),)), ">=", Expression()),)) == parse_statement("H(A) >= 0")
    assert SUPPORT.with_column("C", 2, [False, True, False, True]).value("I(C;B)") == pytest.approx(np.log(2))
    assert SUPPORT.rename({"A": "B", "B": "A"}).names == ("B", "A")
