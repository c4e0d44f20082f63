"""What the registry expects against what came out."""

import pytest

from synergy.verification.verdict import Verdict, standing, to_pandas


@pytest.mark.parametrize(
    ("expectation", "judgements", "expected"),
    [
        pytest.param("true", ["proved", "verified", "by construction"], "as expected", id="true holds"),
        pytest.param("true", ["verified", "violated"], "unexpected", id="true violated once"),
        pytest.param("true", ["refuted"], "unexpected", id="true refuted"),
        pytest.param("true", ["verified", "inconclusive"], "inconclusive", id="true and open"),
        pytest.param("true", ["unknown"], "inconclusive", id="true not proved"),
        pytest.param("true", ["violated", "inconclusive"], "unexpected", id="a violation beats an open row"),
        pytest.param("true", ["not applicable"], "as expected", id="nothing to say"),
        pytest.param("false", ["refuted"], "as expected", id="false refuted"),
        pytest.param("false", ["verified", "violated"], "as expected", id="false violated once"),
        pytest.param("false", ["verified", "verified"], "not contradicted here", id="false not met"),
        pytest.param("false", ["proved"], "unexpected", id="false proved"),
        pytest.param("false", ["verified", "inconclusive"], "inconclusive", id="false still open"),
        pytest.param("exists", ["violated", "verified"], "as expected", id="exists found"),
        pytest.param("exists", ["violated"], "unexpected", id="exists not found"),
        pytest.param("exists", ["unknown"], "inconclusive", id="exists open"),
    ],
)
def test_standing(expectation, judgements, expected):
    assert standing(expectation, judgements) == expected


def test_a_frame_has_one_row_per_verdict_and_no_objects():
    verdict = Verdict("E1", "proof", "any model", "H(A) >= 0", "proved", evidence={"steps": [1]})
    frame = to_pandas([verdict, verdict])
    assert len(frame) == 2
    assert "evidence" not in frame
    assert frame.loc[0, "judgement"] == "proved"
