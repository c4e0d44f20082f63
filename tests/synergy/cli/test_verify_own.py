"""`synergy verify` on a table and on a diagram of one's own."""

import json

import numpy as np
import pandas as pd
import pytest

from synergy.cli import run
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["E1", "--data", "{rows}", "--groups", "S"],
            "groups names 'S', which is no column of the data: it has A, C",
        ),
        (
            ["K1", "--data", "{rows}"],
            "the claims name Z1, Z2, X1, X2, the data has A, C, Z, subject: rename its columns",
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
