"""Premises that a repair may name: how many, in what words, and which follow from which at once."""

import pytest

from theory import ESSL, parse_term, prove
from theory.repairing.premises import Premise, premises, words


@pytest.mark.parametrize(
    ("term", "diagram", "expected"),
    [
        ("I(A;C)", ESSL, "A and C are independent"),
        ("I(A;X)", ESSL, "X is invariant to A: it tells nothing of A"),
        ("I(A;C|Z)", ESSL, "A and C stay independent once Z is seen: no explaining away"),
        ("I(A;X|Z)", None, "A and X are independent given Z"),
        ("I(C;X|Z,S)", ESSL, "Z is sufficient for C: it keeps all that X tells of C, given S"),
        ("H(A)", ESSL, "A is constant"),
        ("H(A|X,Z)", None, "X and Z together determine A: A can be read off them"),
    ],
)
def test_premises_in_words(term, diagram, expected):
    assert words(Premise(parse_term(term)), diagram) == expected


@pytest.mark.parametrize(("n", "count"), [(2, 5), (3, 18), (4, 56), (6, 432)])
def test_there_are_as_many_premises_as_the_refusal_says(n, count):
    every = premises("ABCDEF"[:n])
    assert len(every) == len(set(every)) == count


def test_premises_that_follow_at_once_do():
    for strong in premises("ABC"):
        for weak in premises("ABC"):
            if weak.follows_at_once(strong):
                assert prove(weak.statement, given=strong.statement).verdict == "proved"
