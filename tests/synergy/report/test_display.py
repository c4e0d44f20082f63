"""What a terminal and a notebook show of proofs, refutations and estimates."""

from synergy.estimators import Estimate
from theory import ESSL, prove


def test_a_proof_is_shown_as_its_steps():
    proof = prove("I(A;Z|C) >= I(A;Z)", diagram=ESSL)
    assert repr(proof) == str(proof)
    assert repr(proof).startswith("proved: I(A;Z|C) >= I(A;Z)\n1. ")
    assert "<b>proved: I(A;Z|C) &gt;= I(A;Z)</b>" in proof._repr_html_()


def test_a_refutation_is_shown_as_a_table():
    refutation = prove("I(A;C|Z) <= I(A;C|X)", diagram=ESSL)
    assert repr(refutation).startswith("refuted: ")
    html = refutation._repr_html_()
    assert "<th>probability</th>" in html
    assert html.count("<td>1/4</td>") == 4
    assert "0.6931471806 against 0 nats" in html


def test_an_estimate_is_shown_with_its_interval_and_its_notes():
    estimate = Estimate("I(A;C)", 0.25, 0.1, (0.05, 0.45), 0.95, "plug-in", 1000, notes=("a < b",))
    html = estimate._repr_html_()
    assert "<b>I(A;C) = 0.2500 nats</b> [0.0500, 0.4500] at 95%" in html
    assert "1,000 rows" in html
    assert "<li>a &lt; b</li>" in html
