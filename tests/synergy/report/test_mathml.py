"""MathML: well-formed, faithful to the text, one element for each chain."""

from xml.etree import ElementTree

import pytest

from theory import CLAIMS, parse_expression, parse_statement, parse_term
from theory.mathml import mathml, mathml_lines, mathml_pieces


def words(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)
def test_every_claim_is_well_formed_and_its_alttext_parses_back(claim):
    for line in mathml_lines(claim.statement):
        root = ElementTree.fromstring(line)
        assert root.tag == "math"
        assert set(parse_statement(root.attrib["alttext"])) <= set(claim.statement)
    assert len(set(mathml_lines(claim.statement))) == len(mathml_lines(claim.statement))
    everything = " and ".join(
        ElementTree.fromstring(x).attrib["alttext"] for x in mathml_lines(claim.statement)
    )
    assert parse_statement(everything) == claim.statement


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I(A;Z|C) >= I(A;Z)", "I(A;Z|C)≥I(A;Z)"),
        ("H(A) - 2 H(C) == 0", "H(A)−2H(C)=0"),
        ("I(A;X1,X2) <= H(A) <= 3 H(C)", "I(A;X1,X2)≤H(A)≤3H(C)"),
        ("-H(A) < 0", "−H(A)<0"),
    ],
)
def test_the_visible_text(text, shown):
    assert words(ElementTree.fromstring(mathml(parse_statement(text)))) == shown


def test_subscripts_fractions_and_primes_are_marked_up():
    assert "<msub><mi>X</mi><mn>12</mn></msub>" in mathml(parse_term("H(X12)"))
    assert "<mfrac><mn>3</mn><mn>2</mn></mfrac>" in mathml(parse_expression("3/2 H(A)"))
    assert "<msup><mi>A</mi><mo>′</mo></msup>" in mathml(parse_term("H(A')"))


def test_a_conjunction_is_stacked_by_chains():
    lines = mathml_lines(parse_statement("I(A;C|Z) <= H(A|Z) <= H(A) and H(C) >= 0"))
    assert [ElementTree.fromstring(line).attrib["alttext"] for line in lines] == [
        "I(A;C|Z) <= H(A|Z) <= H(A)",
        "H(C) >= 0",
    ]


def test_it_takes_nothing_but_the_four_kinds():
    with pytest.raises(TypeError, match="needs a Term, Expression, Relation or Statement, got 'H"):
        mathml("H(A)")


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)
def test_pieces_add_up_to_the_statement(claim):
    texts = []
    for line, pieces in zip(mathml_lines(claim.statement), mathml_pieces(claim.statement), strict=True):
        elements = [ElementTree.fromstring(piece) for piece in pieces]
        assert "".join(map(words, elements)) == words(ElementTree.fromstring(line))
        texts.append(" ".join(element.attrib["alttext"] for element in elements))
    assert parse_statement(" and ".join(texts)) == claim.statement


def test_pieces_keep_signs_and_factors():
    (pieces,) = mathml_pieces(parse_statement("-2 H(A) + 1/2 H(C) >= 0"))
    shown = [ElementTree.fromstring(piece) for piece in pieces]
    assert [element.attrib["alttext"] for element in shown] == ["-2 H(A)", "+ 1/2 H(C)", ">= 0"]
    assert [words(element) for element in shown] == ["−2H(A)", "+12H(C)", "≥0"]
