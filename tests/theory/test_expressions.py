"""Terms, expressions, relations and statements: canonical forms against brute force, and their laws."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theory import (
    Expression,
    Joint,
    Relation,
    Statement,
    Term,
    TooLargeError,
    parse_expression,
    parse_statement,
    parse_term,
)

NAMES = ("A", "B", "C", "D")
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def terms(draw):
    """Any term over four variables; shrinks towards H(A)."""
    count = draw(st.integers(1, 3))
    group = st.sampled_from([g for k in (1, 2) for g in combinations(NAMES, k)])
    groups = tuple(draw(group) for _ in range(count))
    given_ = draw(st.sampled_from([g for k in (0, 1, 2) for g in combinations(NAMES, k)]))
    return Term(groups, given_)


@st.composite
def expressions(draw):
    """A combination of up to three terms; shrinks towards one."""
    number = st.sampled_from([Fraction(n, d) for n in (-5, -2, -1, 1, 3) for d in (1, 2, 7)])
    pairs = draw(st.lists(st.tuples(number, terms()), min_size=1, max_size=3))
    return Expression(tuple(pairs))


def joint(seed):
    rng = np.random.default_rng(seed)
    return Joint(NAMES, rng.dirichlet(np.full(2**4, 0.5)).reshape(2, 2, 2, 2))


def slow_information(distribution, groups, given_):
    """I(X;Y|W) as a sum over states of p log(p(xyw) p(w) / p(xw) p(yw)), or the entropy for one group."""
    names = distribution.names

    def p(state, kept):
        return sum(
            distribution.probabilities[other]
            for other in np.ndindex(*distribution.probabilities.shape)
            if all(other[i] == state[i] for i, n in enumerate(names) if n in kept)
        )

    total = 0.0
    for state in product(range(2), repeat=4):
        weight = distribution.probabilities[state]
        if weight > 0:
            w = set(given_)
            if len(groups) == 1:
                total -= weight * np.log(p(state, w | set(groups[0])) / p(state, w))
            else:
                x, y = (set(group) for group in groups)
                ratio = p(state, x | y | w) * p(state, w) / (p(state, x | w) * p(state, y | w))
                total += weight * np.log(ratio)
    return total


@pytest.mark.parametrize(
    "text",
    ["H(A)", "H(A,B|C)", "I(A;B)", "I(A;B|C)", "I(A,B;C|D)", "I(A;A|B)", "I(A,B;B,C)", "H(A|A)", "I(A;B|A)"],
)
def test_terms_are_what_their_definitions_say(text):
    term = parse_term(text)
    for seed in range(3):
        distribution = joint(seed)
        assert distribution.value(term) == pytest.approx(
            slow_information(distribution, term.groups, term.given), abs=1e-12
        )


def test_co_information_is_the_difference_of_conditional_informations():
    three = parse_expression("I(A;B;C|D)")
    assert three.entropies() == parse_expression("I(A;B|D) - I(A;B|C,D)").entropies()


@QUICK
@given(terms())
def test_terms_print_as_the_text_that_parses_back(term):
    assert parse_term(str(term)) == term
    assert term.latex().startswith(term.symbol + "(")


@QUICK
@given(
    expressions(), expressions(), st.sampled_from([Fraction(-3), Fraction(1, 7), Fraction(0), Fraction(2)])
)
def test_canonical_forms_are_linear(left, right, factor):
    total = (left + factor * right).entropies()
    for subset in set(left.entropies()) | set(right.entropies()):
        expected = left.entropies().get(subset, 0) + factor * right.entropies().get(subset, 0)
        assert total.get(subset, 0) == expected
    assert (left - left).entropies() == {}
    assert all(total.values())
    assert frozenset() not in total


@QUICK
@given(expressions())
def test_the_canonical_form_has_the_same_value(expression):
    distribution = joint(1)
    direct = sum(float(c) * distribution.value(term) for c, term in expression.summands)
    assert distribution.value(expression) == pytest.approx(direct, abs=1e-11)


@QUICK
@given(expressions())
def test_expressions_print_as_the_text_that_parses_back(expression):
    assert parse_expression(str(expression)) == expression


@QUICK
@given(expressions())
def test_renaming_there_and_back_changes_nothing(expression):
    there = expression.replace({"A": "Q1", "B": "Q2"})
    assert "A" not in there.variables
    assert there.replace({"Q1": "A", "Q2": "B"}) == expression


def test_renaming_onto_one_name_joins_the_variables():
    assert str(parse_term("I(A,B;C|D)").replace({"B": "A", "D": "C"})) == "I(A;C|C)"


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("H(A) >= H(B)", "H(A) - H(B)"),
        ("H(A) <= H(B)", "H(B) - H(A)"),
        ("H(A) > H(B)", "H(A) - H(B)"),
        ("H(A) < H(B)", "H(B) - H(A)"),
        ("H(A) == H(B)", "H(A) - H(B)"),
    ],
)
def test_the_gap_is_what_must_not_be_negative(text, gap):
    relation = parse_statement(text).relations[0]
    assert relation.gap.entropies() == parse_expression(gap).entropies()


def test_statements_chain_and_list_their_parts():
    chained = parse_statement("H(A,B) >= H(A) >= 0 and I(A;B) == 0")
    assert len(chained) == 3
    assert str(chained) == "H(A,B) >= H(A) >= 0 and I(A;B) == 0"
    assert chained.variables == ("A", "B")
    assert [str(term) for term in chained.terms] == ["H(A,B)", "H(A)", "I(A;B)"]
    assert list(chained)[1].terms == (Term((("A",),)),)
    assert chained.replace({"A": "X"}).variables == ("X", "B")


def test_latex():
    assert parse_expression("1/2 I(A1;B_x|C) - H(long)").latex() == (
        r"\tfrac{1}{2} I(A_{1}; \mathrm{B\_x} \mid C) - H(\mathrm{long})"
    )
    assert parse_statement("H(A) >= I(A;B) and H(A) > 0").latex() == (r"H(A) \ge I(A; B) \;\wedge\; H(A) > 0")
    assert Expression().latex() == "0"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Term(()), "at least one variable in every slot"),
        (lambda: Term((("A",), ())), "at least one variable in every slot"),
        (lambda: Statement(()), "at least one relation"),
    ],
    ids=["no-group", "empty-group", "no-relation"],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_everything_is_immutable_and_hashable():
    relation = Relation(parse_expression("H(A)"), ">=", Expression())
    assert len({relation, Relation(parse_expression("H(A)"), ">=", Expression())}) == 1
    with pytest.raises(AttributeError):
        relation.operator = "<="
    assert Fraction(3) * Expression() == Expression()


def by_inclusion_and_exclusion(term):
    """The canonical form from its definition, over all 2^k - 1 collections of slots."""
    given, total = frozenset(term.given), {}
    for size in range(1, len(term.groups) + 1):
        for chosen in combinations(term.groups, size):
            sign = Fraction(1 if size % 2 else -1)
            for subset, weight in ((given.union(*chosen), sign), (given, -sign)):
                total[subset] = total.get(subset, 0) + weight
    return {subset: weight for subset, weight in total.items() if subset and weight}


SOME = st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=3, unique=True).map(tuple)


@given(st.lists(SOME, min_size=1, max_size=6).map(tuple), st.lists(SOME, max_size=1))
def test_the_canonical_form_is_that_of_inclusion_and_exclusion(groups, given):
    term = Term(groups, given[0] if given else ())
    assert term.entropies() == by_inclusion_and_exclusion(term)


def test_slots_that_repeat_cost_nothing():
    many = parse_term("I(A;" + "B;" * 5000 + "C,B)")
    assert many.entropies() == parse_term("I(A;B)").entropies()


def test_too_many_slots_are_refused_with_numbers():
    slots = ";".join(f"X{i}" for i in range(40))
    with pytest.raises(TooLargeError, match=r"40 slots is a sum of up to 2\^40 joint entropies.*65,536"):
        parse_term(f"I({slots})").entropies()


def test_a_long_sum_has_its_terms_in_order():
    text = " - ".join(f"{k}/7 I(A;Z{k % 9}|C)" for k in range(1, 5001))
    parsed = parse_expression(text)
    assert [c for c, _ in parsed.summands] == [Fraction(k if k == 1 else -k, 7) for k in range(1, 5001)]
