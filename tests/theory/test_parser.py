"""The grammar: what it reads, what it prints, and where its errors point."""

import re
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theory import (
    Expression,
    ParseError,
    Relation,
    Statement,
    Term,
    parse_expression,
    parse_statement,
    parse_term,
)

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
NAMES = ("A", "X1", "x_y", "H", "I", "Z'", "long_name", "é")
GROUPS = tuple(group for k in (1, 2, 3) for group in permutations(NAMES, k))
NUMBERS = tuple(Fraction(n, d) for n in (-100, -7, -1, 1, 2, 99) for d in (1, 2, 3, 97))
GROUP = st.sampled_from(GROUPS)
TERM = st.builds(Term, st.lists(GROUP, min_size=1, max_size=3).map(tuple), st.one_of(st.just(()), GROUP))
SUMMAND = st.tuples(st.sampled_from(NUMBERS), TERM)
EXPRESSION = st.lists(SUMMAND, min_size=1, max_size=3).map(lambda pairs: Expression(tuple(pairs)))
OPERATOR = st.sampled_from(["==", ">=", "<=", ">", "<"])
RELATION = st.builds(Relation, EXPRESSION, OPERATOR, EXPRESSION)
ANY_SUMMAND = st.tuples(st.sampled_from((Fraction(0), *NUMBERS)), TERM)
ANY_EXPRESSION = st.lists(ANY_SUMMAND, max_size=2).map(lambda pairs: Expression(tuple(pairs)))
ANY_RELATION = st.builds(Relation, ANY_EXPRESSION, OPERATOR, ANY_EXPRESSION).filter(lambda r: r.terms)
SIDE = st.sampled_from(
    ("0", "H(A)", "2 I(A;B)", "0 H(B)", "H(A) - H(A)", "0*(H(A) + H(B))", "(0)", "-0", "0/3")
)
SIGN = st.sampled_from(("==", ">=", "<=", ">", "<", " ≥ ", "="))
CHAIN = st.lists(st.tuples(SIGN, SIDE), min_size=1, max_size=3)
JOIN = st.sampled_from((" and ", ", ", "\n", "\n\n", " and\n"))


@QUICK
@given(TERM)
def test_terms_round_trip(term):
    assert parse_term(str(term)) == term


@QUICK
@given(EXPRESSION)
def test_expressions_round_trip(expression):
    assert parse_expression(str(expression)) == expression


@QUICK
@given(st.lists(RELATION, min_size=1, max_size=3))
def test_statements_round_trip(relations):
    statement = Statement(tuple(relations))
    assert parse_statement(str(statement)) == statement


@QUICK
@given(st.lists(ANY_RELATION, min_size=1, max_size=3))
def test_statements_with_zeros_round_trip(relations):
    statement = Statement(tuple(relations))
    assert parse_statement(str(statement)) == statement


@settings(QUICK, max_examples=200)
@given(SIDE, CHAIN, JOIN, SIDE, CHAIN)
def test_what_is_read_from_chains_with_zeros_reads_back(first, chain, join, second, other):
    """What is read prints as text that reads the same, and the prover's certificate of it is accepted."""
    text = join.join(a + "".join(map("".join, rest)) for a, rest in ((first, chain), (second, other)))
    statement, refused = None, ""
    try:
        statement = parse_statement(text)
    except ParseError as error:
        refused = error.reason
    if statement is None:
        assert re.search("is never true|at least one|begins with a sign", refused), text
        return
    assert parse_statement(str(statement)) == statement
    assert all(relation.terms for relation in statement)


@QUICK
@given(EXPRESSION, OPERATOR, EXPRESSION, OPERATOR, EXPRESSION)
def test_chains_round_trip(a, first, b, second, c):
    statement = Statement((Relation(a, first, b), Relation(b, second, c)))
    assert parse_statement(str(statement)) == statement
    assert str(statement).count(str(b)) >= 1


@QUICK
@given(st.text(alphabet="HIAB(),;|>=<+-*/ 0123.e_andXY", max_size=30))
def test_no_text_crashes_the_parser(text):
    try:
        statement = parse_statement(text)
    except ParseError as caught:
        error = caught
    else:
        assert parse_statement(str(statement)) == statement
        return
    assert 0 <= error.position <= len(text)
    assert error.text == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("I(A;Z|C)≥I(A;Z)", "I(A;Z|C) >= I(A;Z)"),
        ("H(A) ≤ 2H(B)", "H(A) <= 2 H(B)"),
        ("H(A)=0", "H(A) == 0"),
        ("A _||_ C | X", "I(A;C|X) == 0"),
        ("A,B ⊥⊥ C", "I(A,B;C) == 0"),
        ("A ⟂ B, H(C) > 0", "I(A;B) == 0 and H(C) > 0"),
        ("2*(H(A) - H(B))/4 >= 0", "1/2 H(A) - 1/2 H(B) >= 0"),
        ("-(H(A)) <= 0", "-H(A) <= 0"),
        ("+H(A) >= 0", "H(A) >= 0"),
        ("0.1 H(A) >= 1e-2 H(B)", "1/10 H(A) >= 1/100 H(B)"),
        ("(1+1e-8) I(A;Z) >= 0", "100000001/100000000 I(A;Z) >= 0"),
        ("1e-60 H(A) >= 0", "1/1" + "0" * 60 + " H(A) >= 0"),
        ("H(A) 3 >= .5H(B)", "3 H(A) >= 1/2 H(B)"),
        ("H(A,A|B,B) >= 0", "H(A|B) >= 0"),
        ("H(H) >= I(I;H)", "H(H) >= I(I;H)"),
        ("H(X') >= 0", "H(X') >= 0"),
        ("0 <= H(A) <= H(A,B)", "0 <= H(A) <= H(A,B)"),
        ("I(A;B) >= 0 >= 0", "I(A;B) >= 0"),
        ("0 <= 0 <= H(A)", "0 <= H(A)"),
        ("I(A;B|A) == 0 == 0", "I(A;B|A) == 0"),
        ("H(A) >= 0 H(B)", "H(A) >= 0"),
        ("0 == 0 and H(A) >= 0, 0 >= 0", "H(A) >= 0"),
        ("I(A;B) >= 0\nI(A;C) >= 0", "I(A;B) >= 0 and I(A;C) >= 0"),
        ("A _||_ B\n\nC _||_ D\n", "I(A;B) == 0 and I(C;D) == 0"),
        ("H(A)\n >= H(B) and\r\nH(C) >= 0", "H(A) >= H(B) and H(C) >= 0"),
        ("H(A)\n + H(B) >=\n 0", "H(A) + H(B) >= 0"),
        ("(H(A)\n- 2\nH(B)) >= 0", "H(A) - 2 H(B) >= 0"),
        ("H(A) − H(B) ⩽ 2·H(C) + 3×H(D|E)", "H(A) - H(B) <= 2 H(C) + 3 H(D|E)"),
        ("H(A) ⩾ 2⋅H(A∣B)", "H(A) >= 2 H(A|B)"),
        ("A ⊥ B ∣ C", "I(A;B|C) == 0"),
        ("A ⫫ B", "I(A;B) == 0"),
        ("A_||_B|C", "I(A;B|C) == 0"),
        ("(A,B) _||_ (C) | (D,E)", "I(A,B;C|D,E) == 0"),
        ("H(A) – H(B) ≦ H(A|B) ≧ 0", "H(A) - H(B) <= H(A|B) >= 0"),
        ("A _||_ B; C _||_ D;", "I(A;B) == 0 and I(C;D) == 0"),
        ("H(A) >= 0;\n", "H(A) >= 0"),
        ("I((A,B);C|(D,E)) >= 0", "I(A,B;C|D,E) >= 0"),
    ],
)
def test_what_is_read(text, printed):
    assert str(parse_statement(text)) == printed


@pytest.mark.parametrize("text", ["1e-300 H(A) >= 0", "1e300 1e300 H(A) >= 1e-300 1e-300 H(B)"])
def test_extreme_coefficients_round_trip(text):
    statement = parse_statement(text)
    assert parse_statement(str(statement)) == statement


def test_numbers_are_exact():
    assert parse_expression("0.1 H(A)").summands[0][0] == Fraction(1, 10)
    assert parse_expression("1e-30 H(A)").summands[0][0] == Fraction(1, 10**30)
    assert parse_expression("123456789012345678901234567890 H(A)").summands[0][0] == int("1234567890" * 3)


@pytest.mark.parametrize("parse", [parse_statement, parse_expression, parse_term])
def test_parsed_objects_pass_through(parse):
    text = {"parse_statement": "H(A) >= 0", "parse_expression": "2 H(A)", "parse_term": "H(A)"}[
        parse.__name__
    ]
    once = parse(text)
    assert parse(once) is once


def test_a_term_is_an_expression():
    assert parse_expression(Term((("A",),))) == parse_expression("H(A)")


MALFORMED = {
    "empty": (parse_statement, "", 0, "the text ends"),
    "no-operator": (parse_statement, "H(A)", 4, "expected a comparison"),
    "no-right-side": (parse_statement, "H(A) >=", 7, "the text ends"),
    "character": (parse_statement, "H(A) >= $", 8, r"unexpected character '\$'"),
    "reversed": (parse_statement, "H(A) => 0", 5, r"'=>' is written '>='"),
    "reversed too": (parse_statement, "H(A) =< H(A,B)", 5, r"'=<' is written '<='"),
    "unknown-function": (parse_statement, "D(A;B) >= 0", 0, r"expected H\(\.\.\) or I\(\.\.\)"),
    "infinity": (parse_statement, "H(A) <= inf H(B)", 8, "found 'inf'"),
    "nan": (parse_statement, "H(A) <= nan H(B)", 8, "found 'nan'"),
    "huge-exponent": (parse_statement, "1e999 H(A) >= 0", 0, "exponent up to 300"),
    "long-number": (parse_statement, "1" * 1001 + " H(A) >= 0", 0, "1000 characters"),
    "huge-product": (parse_statement, "1e300 " * 4 + "H(A) >= 0", 0, "about 900 digits"),
    "huge-sum": (parse_statement, "(" + "1e300 " * 2 + "+ 1e-300 1e-300) H(A) >= 0", 28, "about 900 digits"),
    "constant": (parse_statement, "H(A) >= 1", 8, "the constant 1"),
    "constant-sum": (parse_expression, "H(A) + 1/2", 0, "the constant 1/2"),
    "no-term": (parse_statement, "0 >= 0", 0, "at least one"),
    "two-slots-in-H": (parse_statement, "H(A;B) >= 0", 0, "H takes one slot"),
    "one-slot-in-I": (parse_statement, "I(A) >= 0", 3, "at least two slots"),
    "empty-slot": (parse_statement, "I(A;) >= 0", 4, "expected a variable name"),
    "empty-condition": (parse_statement, "H(A|) >= 0", 4, "expected a variable name"),
    "number-as-name": (parse_statement, "H(1) >= 0", 2, "expected a variable name"),
    "unclosed": (parse_statement, "(H(A) >= 0", 6, r"expected '\)'"),
    "unopened": (parse_statement, "H(A)) >= 0", 4, "expected a comparison"),
    "not-linear": (parse_statement, "H(A)*H(B) >= 0", 4, "not linear"),
    "divided-by-zero": (parse_statement, "H(A)/0 >= 0", 4, "other than 0"),
    "divided-by-term": (parse_statement, "1/H(A) >= 0", 1, "other than 0"),
    "three-independent": (parse_statement, "A _||_ B _||_ C", 15, "two sides"),
    "trailing-word": (parse_statement, "H(A) >= 0 or H(B) >= 0", 10, "expected the end"),
    "term-in-term": (parse_statement, "H(A,H(B)) >= 0", 3, r"expected '\)'"),
    "never true": (parse_statement, "I(A;B) >= 0 > 0", 0, "0 > 0 is never true"),
    "factor 0": (parse_statement, "0*H(A) == 0", 0, "whose factor is not 0"),
    "unequal": (parse_statement, "H(A) ≠ 0", 5, "the comparisons are =="),
    "unequal too": (parse_statement, "H(A) != 0", 5, "the comparisons are =="),
    "unequal from a stroke": (parse_statement, "A ⊥\u0338 B", 3, r"dependence is I\(A;B\) > 0"),
    "about": (parse_statement, "H(A) ≈ 0", 5, "the comparisons are =="),
    "dollar": (parse_statement, "$H(A) >= 0$", 0, "not LaTeX"),
    "power": (parse_statement, "H(A)^2 >= 0", 4, "linear"),
    "absolute value": (parse_statement, "|H(A)-H(B)| <= H(A,B)", 0, r"write \|x\| <= y as -y <= x <= y"),
    "smaller": (parse_statement, "I(A;B) <= min(H(A), H(B))", 10, "a comparison for each"),
    "value": (parse_statement, "H(Y|X=0) >= 0", 5, "never their values"),
    "chain": (parse_statement, "X - Y - Z", 0, r"a chain X - Y - Z is X _\|\|_ Z \| Y"),
    "other bars": (parse_statement, "A || B", 0, r"beside _\|\|_"),
    "empty set": (parse_statement, "I(A;B|∅) >= 0", 6, "leave out"),
    "prime": (parse_statement, "H(X′) >= 0", 3, "write a prime as '"),
    "mark on a letter": (parse_statement, "H(X\u0302) >= 0", 3, "rename the column"),
    "wide comma": (parse_statement, "H(A，B) >= 0", 3, "plain signs"),
    "where": (parse_statement, "H(A) >= 0 where A _||_ B", 10, "premises go into given="),
    "two semicolons": (parse_statement, "H(A) >= 0;;", 10, "expected a number"),
    "empty term": (parse_term, "", 0, "the text ends"),
    "ampersand": (parse_statement, "H(A) >= 0 & H(B) >= 0", 10, "write 'and'"),
    "wedge": (parse_statement, "H(A) >= 0 ∧ H(B) >= 0", 10, "write 'and'"),
    "colon": (parse_statement, "I(A:B) >= 0", 3, "write ';' between the slots"),
    "square brackets": (parse_statement, "H[A] >= 0", 1, "write round brackets"),
    "braces": (parse_statement, "I({A,B};C) >= 0", 2, "without braces"),
    "LaTeX": (parse_statement, r"H(A) \ge 0", 5, "not LaTeX"),
    "quotes": (parse_statement, "H('A') >= 0", 2, "without quotes"),
    "implies": (parse_statement, "H(A) == 0 => H(B) == 0", 10, r"is written '>='; premises go into given="),
    "arrow": (parse_statement, "H(A) == 0 -> H(B) == 0", 10, r"'->' is no part .* premises go into given="),
    "sign of an arrow": (parse_statement, "H(A) == 0 ⇒ H(B) == 0", 10, "premises go into given="),
    "equivalence": (parse_statement, "H(A) == 0 <=> H(B) == 0", 10, "premises go into given="),
    "given": (parse_statement, "A _||_ B given C", 9, "premises go into given="),
    "or": (parse_statement, "H(A) >= 0 or H(B) >= 0", 10, "never by 'or'"),
    "not": (parse_statement, "not H(A) >= 0", 0, "cannot be negated"),
    "logarithm": (parse_statement, "H(A) <= log(10)", 8, "`bounds` says with at="),
    "number": (parse_statement, "H(A) <= 2 H(B) + 1", 8, "the constant 1 .* `bounds` says with at="),
    "space in a name": (parse_statement, "H(my label) >= 0", 5, "rename the column"),
    "space in an independence": (parse_statement, "my label _||_ B", 3, "rename the column"),
    "dot in a name": (parse_statement, "I(c.1;B) >= 0", 3, "rename the column"),
    "dot before a letter": (parse_statement, "I(c.x;B) >= 0", 3, "rename the column"),
    "hyphen in a name": (parse_statement, "H(my-label) >= 0", 4, "rename the column"),
    "digit first": (parse_statement, "H(1st) >= 0", 2, "rename the column"),
    "two-terms": (parse_term, "H(A) + H(B)", 5, "expected the end"),
    "statement-as-expression": (parse_expression, "H(A) >= 0", 5, "expected the end"),
}


@pytest.mark.parametrize(("parse", "text", "position", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_text_is_refused_where_it_is_wrong(parse, text, position, reason):
    with pytest.raises(ParseError, match=reason) as error:
        parse(text)
    assert error.value.position == position
    assert text in str(error.value)
    assert str(error.value).splitlines()[-1] == "  " + " " * position + "^"


def test_a_line_that_begins_with_a_sign_is_ambiguous():
    """`H(A) >= 0 - H(B) <= 0` and `H(A) >= 0 and -H(B) <= 0` are different statements."""
    with pytest.raises(ParseError, match="a line that begins with a sign may go on or begin anew") as error:
        parse_statement("H(A) >= 0\n-H(B) <= 0")
    assert error.value.position == 10
    assert str(error.value).splitlines()[-2:] == ["  -H(B) <= 0", "  ^"]


def test_an_expression_of_several_lines_is_one():
    assert parse_expression("H(A)\n- 2 *\nH(B)\n") == parse_expression("H(A) - 2 H(B)")
    with pytest.raises(ParseError, match="expected the end"):
        parse_expression("H(A)\n2")


def test_the_error_shows_the_line_that_is_wrong():
    with pytest.raises(ParseError, match="unexpected character") as error:
        parse_statement("H(A) >= 0\nH(B) >= $\nH(C) >= 0")
    assert str(error.value).splitlines()[1:] == ["  H(B) >= $", "          ^"]


def test_objects_hold_no_zeros():
    term = Term((("A",),))
    assert Expression(((Fraction(0), term), (Fraction(1), term))) == parse_expression("H(A)")
    with pytest.raises(ValueError, match=r"at least one H.* got 0 >= 0"):
        Statement((Relation(Expression(), ">=", Expression(((Fraction(0), term),))),))


@pytest.mark.parametrize("value", [None, 3, 1.5, b"H(A) >= 0", ["H(A) >= 0"]], ids=repr)
@pytest.mark.parametrize("parse", [parse_statement, parse_expression, parse_term])
def test_only_text_is_parsed(parse, value):
    with pytest.raises(TypeError, match="must be a string, got"):
        parse(value)


def test_deeply_nested_brackets_are_refused_cleanly():
    with pytest.raises(ParseError, match="brackets"):
        parse_statement("(" * 5000 + "H(A)" + ")" * 5000 + " >= 0")
