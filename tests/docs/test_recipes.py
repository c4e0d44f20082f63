"""The five recipes of the contributing page, followed to the letter in a copy of the packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```python title="([^"]+)"\n(.*?)^```$', PAGE, re.M | re.S))
CHANGES = dict(re.findall(r'^```diff title="([^"]+)"\n(.*?)^```$', PAGE, re.M | re.S))

USE = """
import json
from synergy import estimate, experiment, verify
from synergy.estimators import ESTIMATORS
from synergy.experiments import Scale
from synthetic import GENERATORS, Digits, make_generator
from theory import CLAIMS, judge, prove

claim = CLAIMS["V3"]
coin = make_generator("coin", {"noise": "0.5"})
rows = coin.sample(20_000, seed=0)
plain, found = (estimate(rows, "I(A;C|X)", estimator=name) for name in ("plug-in", "halves"))
images = Digits(transformation="roll").sample(50, seed=0)
rolled = Digits(transformation="roll").action
report = verify(["V3"], worlds=("proof", "exact"))
small = Scale.named("quick", seeds=1, steps=5, batch=32, judged=64, jobs=1)
outcome = experiment("labels").run(small)
print(json.dumps({
    "proof": prove(claim.statement, diagram=claim.diagram).verdict,
    "judged": judge(claim).holds,
    "status": report.exit_status,
    "exact": float(coin.exact("I(A;C|X)")),
    "counted": float((rows["C"] != rows["A"] ^ rows["X"]).mean()),
    "plain": plain.value,
    "estimate": [found.value, found.standard_error, found.estimator],
    "entry": ESTIMATORS["halves"].columns,
    "family": "coin" in GENERATORS,
    "images": list(images["X"].shape),
    "labels": rolled.cardinality,
    "experiment": [outcome.name, len(outcome.runs), len(outcome.findings)],
}))
"""


def change(text: str, diff: str) -> str:
    """Insert the lines with + below the lines above them, which must be in the text, in this order."""
    at = 0
    for line in diff.splitlines():
        kind, body = line[:1], line[1:]
        if kind == " ":
            at = text.index(f"{body}\n", at) + len(body) + 1
        elif kind == "+":
            text = f"{text[:at]}{body}\n{text[at:]}"
            at += len(body) + 1
    return text


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The packages with the five recipes applied."""
    root = tmp_path_factory.mktemp("recipes")
    for package in ("theory", "synthetic", "synergy"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        assert not (root / name).exists()
        (root / name).write_text(text)
    for name, diff in CHANGES.items():
        (root / name).write_text(change((root / name).read_text(), diff))
    return root


def test_each_recipe_is_one_file_and_one_line_with_its_import():
    assert len(FILES) == len(CHANGES) == 5
    for name, diff in CHANGES.items():
        added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+")]
        if (
            name == "synthetic/registry.py"
        ):  # the module is named in the line, and imported when it is asked for
            assert added == ['"coin": ("synthetic.families.coin", "Coin"),']
            continue
        assert len(added) == 2
        assert added[0].startswith("from ")


def test_what_the_recipes_add_works(copy):
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=copy, env=environment, capture_output=True, text=True, timeout=480
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["proof"], found["judged"], found["status"]) == ("proved", True, 0)
    assert found["family"]
    assert abs(found["counted"] - 0.25) < 4 * (0.25 * 0.75 / 20_000) ** 0.5
    value, error, name = found["estimate"]
    assert name == "halves"
    assert abs(value - found["exact"]) < 4 * error
    assert abs(value - found["plain"]) < 1e-3
    assert found["entry"] == "discrete columns"
    assert found["images"] == [50, 1, 8, 8]
    assert found["labels"] == 2
    assert found["experiment"] == ["labels", 2, 1]


def test_what_the_recipes_add_is_clean(copy):
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if ruff is None:
        pytest.skip("ruff is not installed")
    shutil.copy(ROOT / "pyproject.toml", copy)
    names = [*FILES, *CHANGES]
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run([ruff, *command, *names], cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_recipe_that_no_longer_fits_is_noticed():
    with pytest.raises(ValueError, match="substring not found"):
        change("other\n", CHANGES["synthetic/registry.py"])
