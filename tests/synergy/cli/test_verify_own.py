"""`synergy verify` on a table and on a diagram of one's own."""

import json

import numpy as np
import pandas as pd
import pytest

from synergy.cli import run
from synergy.verification import Settings
from theory import CLAIMS

OWN = "I(A;C|Z) >= I(A;Z)"


@pytest.fixture
def rows(tmp_path):
    """A file of A, C and Z in which Z shows the sum of both; with `chosen`, A depends on C and Z shows A."""

    def written(chosen=False, name="z.parquet"):
        rng = np.random.default_rng(0)
        c, a = rng.integers(3, size=(2, 2000))
        if chosen:
            a = np.where(rng.random(2000) < 0.7, c, a)
        z = np.where(rng.random(2000) < 0.1, rng.integers(3, size=2000), a if chosen else (a + c) % 3)
        frame = pd.DataFrame({"A": a, "C": c, "Z": z, "subject": np.arange(2000) // 4})
        frame.to_parquet(tmp_path / name)
        return str(tmp_path / name)

    return written


def told(capsys, tmp_path, *arguments):
    status = run(["verify", *arguments, "--quick", "--jobs", "1", "--json", "--out", str(tmp_path / "out")])
    return status, json.loads(capsys.readouterr().out)


def test_one_command_where_each_holds(capsys, tmp_path, rows):
    status, found = told(capsys, tmp_path, "E1", "E2", "G1", OWN, "--data", rows(), "--groups", "subject")
    sample = {v["claim"]: v["judgement"] for v in found["verdicts"] if v["world"] == "sample"}
    assert sample == {"E1": "verified", "E2": "verified", "G1": "by construction", OWN: "verified"}
    assert found["data"]["groups"] == "subject"
    assert [test["outcome"] for test in found["data"]["tests"]] == ["not rejected"]
    assert status == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "--data" in page
    assert "--groups subject" in page


def test_one_command_where_each_fails(capsys, tmp_path, rows):
    status, found = told(capsys, tmp_path, "E1", "E2", OWN, "--data", rows(chosen=True))
    sample = {v["claim"]: v["judgement"] for v in found["verdicts"] if v["world"] == "sample"}
    assert sample == {"E1": "violated", "E2": "violated", OWN: "violated"}
    assert [test["outcome"] for test in found["data"]["tests"]] == ["rejected"]
    assert status == 1


def test_the_table_says_what_the_rows_reject(capsys, tmp_path, rows):
    arguments = [
        "verify",
        "E1",
        "--data",
        rows(chosen=True),
        "--quick",
        "--jobs",
        "1",
        "--out",
        str(tmp_path / "o"),
    ]
    assert run(arguments) == 1
    printed = " ".join(capsys.readouterr().out.split())  # a terminal breaks the lines
    assert "What the diagram and the premises say about these rows" in printed
    assert (
        "warning: E1 in the proof world: the rows reject A _||_ C: the proof does not apply to them"
        in printed
    )


def test_own_diagrams_and_premises(capsys, tmp_path):
    worlds = ["--world", "proof", "--world", "exact", "--world", "sample", "--diagram", "two-views"]
    status, found = told(
        capsys, tmp_path, "I(Z1;Z2) <= I(X1;X2)", "I(Z1;C) >= I(Z1;X2) - I(Z1;X2|C)", *worlds
    )
    assert status == 0
    assert {v["judgement"] for v in found["verdicts"] if v["world"] == "proof"} == {"proved"}
    status, found = told(capsys, tmp_path, "I(X1;X2) <= I(X1;C)", *worlds)
    assert status == 1
    worlds_against = {v["world"] for v in found["verdicts"] if v["judgement"] in ("refuted", "violated")}
    assert worlds_against == {"proof", "exact", "sample"}
    status, _ = told(capsys, tmp_path, "I(X1;X2) <= I(X1;C)", *worlds, "--given", "I(X1;X2|C) == 0")
    assert status == 0


def test_a_strict_statement_that_the_rows_violate_exits_with_1(capsys, tmp_path):
    rng = np.random.default_rng(1)
    pd.DataFrame(rng.integers(2, size=(4000, 2)), columns=["A", "B"]).to_csv(
        tmp_path / "two.csv", index=False
    )
    arguments = ["verify", "I(A;B) > 0", "--diagram", "none", "--data", str(tmp_path / "two.csv"), "--quick"]
    assert run([*arguments, "--jobs", "1", "--out", str(tmp_path / "o")]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "note: I(A;B) > 0: the rows are asked whether it holds there, and the diagram whether" in printed
    assert "violated in these rows: I(A;B) > 0; possible on the diagram: I(A;B) > 0" in printed
    assert "proved (possible)" in printed
    assert "-0.0000" not in printed


def test_an_impossible_statement_is_told_as_prove_tells_it(capsys, tmp_path):
    arguments = ["verify", "I(A;C) > 0", "--world", "proof", "--quick", "--jobs", "1"]
    assert run([*arguments, "--out", str(tmp_path / "o")]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "refuted (impossible)" in printed
    assert "note: no diagram was named: I(A;C) > 0 is judged on the E-SSL diagram, C->R, S->R" in printed
    assert (tmp_path / "o" / "report.html").exists()


def test_what_stays_open_in_the_rows_is_told_with_its_reason(capsys, tmp_path):
    """I(A;C) is 0.0072 nats: the rows tell it from 0, and not from the margin."""
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=100_000)
    pd.DataFrame({"A": a, "C": np.where(rng.random(a.size) < 0.56, a, 1 - a)}).to_csv(tmp_path / "d.csv")
    arguments = ["verify", "I(A;C) == 0", "--data", str(tmp_path / "d.csv"), "--diagram", "none", "--world"]
    assert run([*arguments, "sample", "--jobs", "1", "--out", str(tmp_path / "o")]) == 3
    (line,) = [text for text in capsys.readouterr().out.splitlines() if text.startswith("inconclusive: ")]
    assert line.startswith("inconclusive: I(A;C) == 0 in your rows: ")
    assert line.endswith("the gap differs from 0, by less than the margin of 0.01 nats")


def test_the_help_tells_margins_and_strict_statements(capsys):
    assert run(["verify", "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "A gap smaller than the margin counts as none: 0.01 nats for frequencies" in printed
    assert "one with > or < of the diagram too" in printed
    settings = Settings()
    assert (settings.table_margin, settings.network_margin) == (0.01, 0.1)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_contradictory_premises_are_one_line(capsys, tmp_path, jobs):
    arguments = ["verify", "X _||_ Y", "--diagram", "X->Y", "--given", "X _||_ Y", "--given", "I(X;Y)>0"]
    worlds = ["--world", "proof", "--world", "exact"]
    assert run([*arguments, *worlds, "--quick", "--jobs", jobs, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("synergy: the given statements contradict each other or the diagram")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["E1", "--data", "{rows}", "--groups", "S"],
            "groups names 'S', which is no column of the data: it has A, C",
        ),
        (
            ["K1", "--data", "{rows}"],
            "K1 names Z1, Z2, X1, X2, which are no columns of the data: it has A, C, Z, subject",
        ),
        (
            ["I(A;Q) > 0", "--data", "{rows}", "--diagram", "none"],
            "I(A;Q) > 0 names Q, which is no column of the data: it has A, C, Z, subject",
        ),
        (
            ["K1", "K2", "--data", "{rows}"],
            "the data has A, C, Z, subject: rename its columns",
        ),
        (
            ["A >= C", "--data", "{rows}"],
            "cannot parse 'A >= C' at position 0",
        ),
        (
            ["E1", "--data", "{rows}", "--given", "I(A;X|Z) == 0"],
            "a premise names X, which is no column of the data",
        ),
        (["E1", "--data", "{rows}", "--diagram", "A->C, C->A"], "a diagram must have no cycle"),
        (["E1", "--data", "{rows}", "--world", "learned"], "with data the worlds are proof, exact, sample"),
        (["E1", "--data", "{rows}", "--generator", "digits"], "name data or generators, not both"),
        (["E1", "--data", "nowhere.parquet"], "nowhere.parquet"),
        (["E1", "--groups", "R"], "groups marks dependent rows of data, and there is no data"),
        (["I(Z1;Z2) <= I(X1;X2)"], "name a diagram that has it, such as two-views"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, rows, arguments, message):
    given = [word.replace("{rows}", rows()) for word in arguments]
    assert run(["verify", *given, "--quick", "--jobs", "1", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_list_of_claims_tells_cases_and_worlds(capsys):
    assert run(["list", "claims", "--json"]) == 0
    found = {row["id"]: row for row in json.loads(capsys.readouterr().out)["claims"]}
    assert list(found) == list(CLAIMS)
    assert found["E1"]["judged_in"] == ["proof", "symbolic", "exact", "sample", "learned"]
    assert "digits" in found["E1"]["judged_on"]["learned"]
    assert found["K1"]["judged_on"]["exact"][0] == "random models"
    assert run(["list", "claims"]) == 0
    assert "judged on" in capsys.readouterr().out
