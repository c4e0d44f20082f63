"""What an estimate says of itself: notes (what was done) and warnings (what to beware of)."""

from __future__ import annotations

import json

from synergy.estimators.auto import combine
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import parse_expression

PLAIN = Estimate("I(X;Y)", 0.5, 0.1, (0.3, 0.7), 0.95, "ksg1 k=5", 100, notes=("columns standardised",))
WARNED = PLAIN.with_words(notes=["auto chose it"], warnings=["<rows> are not independent"])


def test_no_warning_unless_one_is_given():
    assert PLAIN.warnings == ()
    assert "warning" not in str(PLAIN)
    assert "warning" not in PLAIN._repr_html_()


def test_warnings_are_kept_apart_from_notes():
    assert WARNED.notes == ("auto chose it", "columns standardised")
    assert WARNED.warnings == ("<rows> are not independent",)
    assert WARNED.with_words(warnings=WARNED.warnings).warnings == WARNED.warnings


def test_warnings_reach_every_output():
    assert json.loads(json.dumps(WARNED.to_dict()))["warnings"] == ["<rows> are not independent"]
    assert PLAIN.to_dict()["warnings"] == []
    assert str(WARNED).endswith("warning: <rows> are not independent")
    assert "&lt;rows&gt; are not independent" in WARNED._repr_html_()
    assert "warnings=('<rows> are not independent',)" in repr(WARNED)
    assert WARNED.to("bits").warnings == WARNED.warnings


def test_a_combination_has_the_warnings_of_its_terms():
    sample = Sample.infer({"X": [0.0, 1.0], "Y": [1.0, 2.0], "Z": [0.0, 3.0]})

    def run(sample, expression, *, confidence, seed):
        del sample, confidence, seed
        return PLAIN.with_words(warnings=[f"beware of {expression}"])

    found = combine(sample, parse_expression("I(X;Y) - I(X;Z)"), run)
    assert found.warnings == ("beware of I(X;Y)", "beware of I(X;Z)")
