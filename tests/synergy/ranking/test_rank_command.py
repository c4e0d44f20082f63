"""`synergy rank` on the command line."""

import json
import re

import numpy as np
import pytest
from ranking_worlds import TINY, digits

import synergy.cli
from synergy.cli import run
from synergy.ranking import RankSettings

SET = [part for name, value in TINY.to_dict().items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def file(tmp_path):
    images, labels = digits(200)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    return str(tmp_path / "digits.npz")


def test_the_command(capsys, tmp_path, file):
    out = tmp_path / "r"
    arguments = ["rank", file, "--transformation", "rotation", "--transformation", "inversion", "--jobs", "1"]
    arguments += ["--seeds", "2", "--device", "cpu", "--out", str(out), *SET]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert "runs: about" in captured.err
    assert found["images"] == 200
    assert {entry["transformation"] for entry in found["ranking"]} == {"rotation", "inversion"}
    assert json.loads((out / "ranking.json").read_text()) == found
    first = (out / "ranking.json").read_bytes()
    assert run(arguments) == 0
    told = capsys.readouterr().out
    assert (out / "ranking.json").read_bytes() == first
    assert [row.split("│")[4].strip() for row in told.splitlines() if "random encoder" in row] == [""]
    accuracy = next(r["accuracy"] for r in found["references"] if r["name"] == "random encoder")
    assert [row.split("│")[5].strip() for row in told.splitlines() if "random encoder" in row] == [
        f"{accuracy:.3f}"
    ]
    assert "random encoder" in told
    assert "- rotation is " in told
    assert (out / "ranking.html").exists()


SMALL = ["--seeds", "2", "--jobs", "1", "--device", "cpu", "--no-explain"]


def test_settings_channels_and_parameters_are_options(capsys, tmp_path):
    images, labels = digits(120)
    np.savez(tmp_path / "four.npz", images=np.repeat(images, 4, axis=1), labels=labels % 2)
    given = ["--set", "steps=4", "--set", "most_epochs=3", "--set", "epochs=1", "--channels", "first"]
    turned = "{'name': 'continuous-rotation', 'steps': 5}"
    arguments = ["rank", str(tmp_path / "four.npz"), "--transformation", turned, *given, *SMALL, "--json"]
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(task["transformation"], task["states"]) for task in found["ranking"]] == [
        ("continuous-rotation", 5)
    ]
    usual = RankSettings().to_dict()
    assert found["settings"] == {**usual, "steps": 4, "most_epochs": 3, "epochs": 1}
    assert any("a pilot takes 3 steps, fewer than the 4 of `steps`" in note for note in found["notes"])


FILES = {
    "channels": (np.zeros((120, 4, 8, 8)), [], "four.npz: cannot tell .* pass --channels first or last"),
    "size": (
        np.zeros((120, 8, 8)),
        ["--size", "4"],
        "--size resizes image files, and .*four.npz' holds arrays",
    ),
    "nan": (
        np.where(np.arange(120)[:, None, None] == 7, np.nan, np.zeros((120, 8, 8))),
        [],
        "four.npz: images contain NaN or infinities, the first in image 7",
    ),
    "setting": (
        np.zeros((120, 8, 8)),
        ["--set", "step=4"],
        r"--set has no 'step' \(did you mean 'steps'\?\)",
    ),
    "no number": (np.zeros((120, 8, 8)), ["--set", "steps=x"], "--set steps must be an integer, got 'x'"),
    "folds": (
        np.zeros((120, 8, 8)),
        ["--set", "folds=40"],
        "--set folds must be at most half of the 48 judged",
    ),
    "mapping": (
        np.zeros((120, 8, 8)),
        ["--transformation", "{'name'"],
        "--transformation with parameters must be such as {'name': 'continuous-rotation', 'steps': 8}",
    ),
}


@pytest.mark.parametrize(("images", "more", "message"), FILES.values(), ids=FILES)
def test_errors_name_options_and_files(capsys, tmp_path, images, more, message):
    np.savez(tmp_path / "four.npz", images=images.astype(np.float32), labels=np.arange(120) % 2)
    assert run(["rank", str(tmp_path / "four.npz"), *SMALL, *more]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_refused_command_leaves_no_folder_above_its_own(capsys, tmp_path):
    (tmp_path / "there").mkdir()
    refused = ["rank", "digits", "--augmentation", "foo", "--out"]
    for out in ("o/a/b", "there/a"):
        assert run([*refused, str(tmp_path / out)]) == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


@pytest.mark.parametrize("joined", [True, False])
def test_what_is_kept_is_said_where_it_is(capsys, monkeypatch, tmp_path, joined):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(synergy.cli, "app", interrupted)
    out = [f"--out={tmp_path}"] if joined else ["--out", str(tmp_path)]
    said = []
    for arguments in (["rank", "verify"], ["rank", "digits", *out]):
        assert run(arguments) == 130
        said.append(capsys.readouterr().err)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "0.npz").write_bytes(b"")
    assert run(["rank", "digits", *out]) == 130
    assert said == ["synergy: interrupted\n"] * 2
    assert "interrupted; what is done is kept" in capsys.readouterr().err


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
