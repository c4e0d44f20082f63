"""`synergy rank` on the command line."""

import json
import sys

import numpy as np
import pytest
from ranking_worlds import TINY, digits

from synergy.cli import run
from synergy.ranking import RankSettings


@pytest.fixture
def small(monkeypatch):
    """The command has no option for the size of pilots; here they are small."""
    monkeypatch.setattr(sys.modules["synergy.ranking.rank"], "RankSettings", lambda: TINY)


@pytest.fixture
def file(tmp_path):
    images, labels = digits(200)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return str(tmp_path / "digits.npz")


def test_the_command(capsys, tmp_path, file, small):
    out = tmp_path / "r"
    arguments = ["rank", file, "--transformation", "rotation", "--transformation", "inversion", "--jobs", "1"]
    arguments += ["--seeds", "2", "--device", "cpu", "--out", str(out)]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert "at most about" in captured.err
    assert found["images"] == 200
    assert {entry["transformation"] for entry in found["ranking"]} == {"rotation", "inversion"}
    assert json.loads((out / "ranking.json").read_text()) == found
    first = (out / "ranking.json").read_bytes()
    assert run(arguments) == 0
    told = capsys.readouterr().out
    assert (out / "ranking.json").read_bytes() == first
    assert "random encoder" in told
    assert "- rotation is " in told
    assert (out / "ranking.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nowhere.npz"], "nowhere", id="no file"),
        pytest.param(
            ["digits", "--transformation", "melting"], "unknown transformation 'melting'", id="unknown"
        ),
        pytest.param(["digits", "--transformation", "hue"], "unknown transformation 'hue'", id="name"),
        pytest.param(["digits", "--combinations", "4"], "combinations", id="combinations"),
        pytest.param(["digits", "--augmentation", "glow"], "unknown augmentation 'glow'", id="augmentation"),
        pytest.param(["digits", "--seeds", "1"], "--seeds", id="seeds"),
        pytest.param(["digits", "--device", "abacus"], "unknown device 'abacus'", id="device"),
    ],
)
def test_bad_input(capsys, arguments, message):
    assert run(["rank", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", 0),
        ("epochs", 1.5),
        ("folds", 1),
        ("confidence", 1.0),
        ("judged_share", 0.0),
        ("longer", 0.5),
    ],
)
def test_bad_settings(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        RankSettings(**{name: value})
