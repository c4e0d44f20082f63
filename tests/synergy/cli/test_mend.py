"""`synergy repair` and `synergy bounds`: JSON, exit codes, one line for bad input."""

import json

import pytest

from synergy.cli import run
from theory import check
from theory.prover import Certificate

D4 = "I(A;C|Z) <= I(A;C|X)"


def answer(capsys, *arguments):
    """The exit status and the JSON object on standard output."""
    status = run([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_repair_of_d4(capsys):
    status, found = answer(capsys, "repair", D4, "--diagram", "essl")
    assert status == 0
    assert found["statement"] == D4
    assert found["verdict"] == "refuted"
    given = [assumption["given"] for assumption in found["assumptions"]]
    for premise in ("I(A;X|Z) == 0", "I(C;X|Z) == 0", "H(A|Z) == 0"):
        assert [premise] in given
    for assumption in found["assumptions"]:
        assert assumption["proved"] is True
        assert check(Certificate.from_dict(assumption["certificate"]))
    assert {"state", "probability"} == set(found["assumptions"][0]["counterexample"]["probabilities"][0])
    assert f"{D4} + I(A;X|Z)" in [entry["statement"] for entry in found["corrected"]]
    assert {"term": "I(A;X|Z)", "weight": "1"} in [t for entry in found["corrected"] for t in entry["added"]]


def test_repair_prints_the_answer(capsys):
    assert run(["repair", D4, "--diagram", "essl", "--at-most", "1"]) == 0
    shown = capsys.readouterr()
    assert "It is true under any one of:" in shown.out
    assert "Z is sufficient for A" in shown.out
    assert f"- {D4} + I(A;X|Z)" in shown.out
    assert shown.err == ""


def test_repair_within_and_given(capsys):
    arguments = [
        "--diagram",
        "Y->X, N->X, X->Z",
        "--given",
        "I(X;Y|Z) == 0",
        "--within",
        "X",
        "--at-most",
        "1",
    ]
    status, found = answer(capsys, "repair", "I(Z;N) == 0", *arguments)
    assert status == 0
    assert ["I(Z;N|Y) == 0"] in [a["given"] for a in found["assumptions"]]
    assert all(a["certificate"]["given"][0] == "I(X;Y|Z) == 0" for a in found["assumptions"])


def test_bounds_of_g1(capsys):
    status, found = answer(capsys, "bounds", "H(C|Z)", "--by", "H(A|Z)", "--by", "H(C|Z,A)")
    assert status == 0
    assert found["term"] == "H(C|Z)"
    assert [entry["bound"] for entry in found["upper"]] == ["H(C|Z) <= H(A|Z) + H(C|Z,A)"]
    assert [entry["bound"] for entry in found["lower"]] == ["H(C|Z) >= H(C|Z,A)"]
    for entry in (*found["upper"], *found["lower"]):
        assert check(Certificate.from_dict(entry["certificate"]))


def test_bounds_at_values(capsys):
    values = ["--at", "I(A;Z)=0.5", "--at", "H(A)=1.5"]
    status, found = answer(capsys, "bounds", "I(A;C|Z)", "--diagram", "essl", *values)
    assert (status, found["interval"]) == (0, [0.0, 1.0])
    assert run(["bounds", "I(A;C|Z)", "--diagram", "essl", *values]) == 0
    assert "With I(A;Z) = 0.5, H(A) = 1.5: I(A;C|Z) lies in [0, 1]" in capsys.readouterr().out


def test_bounds_that_were_cut_short_say_so(capsys):
    status, found = answer(capsys, "bounds", "I(A;C|Z)", "--by", "H(A)", "--seconds", "0.001")
    assert (status, found["complete"]) == (0, False)
    assert found["notes"][0].endswith("in 0.001 s of work (--seconds 0.002 allows more)")
    assert run(["bounds", "I(A;C|Z)", "--by", "H(A)", "--seconds", "0.001"]) == 0
    assert "- none was found" in capsys.readouterr().out


def test_values_that_violate_an_inequality_exit_with_1(capsys):
    values = ["--at", "I(A;Z)=1.5", "--at", "H(A)=1.386"]
    status, found = answer(capsys, "bounds", "I(A;C|Z)", "--diagram", "essl", *values)
    assert status == 1
    assert found["interval"] is None
    assert found["violated"]["violated"] == "H(A) >= I(A;Z)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["repair", "I(A;Z) <= I(A;X)", "--diagram", "essl"], "nothing to repair", id="true"),
        pytest.param(["repair", "H(A) == 0", "--given", "H(A) > 0"], "contradicts H(A) > 0", id="impossible"),
        pytest.param(["repair", D4, "--at-most", "3"], "at_most must be 1 or 2 premises, got 3", id="three"),
        pytest.param(["repair", "I(A,B,C,D;E) <= H(F|G)"], "6 variables are the limit", id="seven variables"),
        pytest.param(["repair", "I(A;C"], "cannot parse", id="no statement"),
        pytest.param(["bounds", "H(A)", "--by", "H(A)"], "by must not hold", id="by itself"),
        pytest.param(["bounds", "H(A)", "--at", "H(B)=-1"], "at least 0, got -1", id="negative"),
        pytest.param(["bounds", "H(A)", "--at", "H(B)=nan"], "must be finite, got nan", id="NaN"),
        pytest.param(["bounds", "H(A)", "--at", "H(B)"], "--at expects TERM=number", id="no number"),
        pytest.param(["bounds", "H(A)", "--at", "H(B)=1", "--at", "H(B)=2"], "'H(B)' twice", id="twice"),
        pytest.param(["bounds", "H(A)", *["--by", "H(B)"] * 2], "each term once", id="by twice"),
        pytest.param(["bounds", "H(A)", "--seconds", "0"], "seconds must be above 0, got 0", id="no time"),
        pytest.param(["bounds", "H(A)", "--seconds", "nan"], "seconds must be", id="time that is no number"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert message in shown.err


def test_an_interrupted_repair_prints_what_it_found(monkeypatch, capsys):
    from theory.repairing import attempt

    calls = []

    def interrupted(self):
        calls.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(attempt.Attempt, "_show", interrupted)
    status, found = answer(capsys, "repair", D4, "--diagram", "essl")
    assert calls
    assert status == 0
    assert found["complete"] is False
    assert found["assumptions"]
    assert found["corrected"]
