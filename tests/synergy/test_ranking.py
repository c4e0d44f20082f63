"""Ranking transformations on images whose answers are known."""

import json

import numpy as np
import pytest

from synergy.cli import run
from synergy.ranking.rank import QUANTITIES, rank

N = 300


def bars(rng, n):
    """Two classes: a bar on the left edge, which a flip moves, or in the middle, which it does not."""
    labels = rng.integers(2, size=n)
    images = np.zeros((n, 8, 8))
    images[labels == 0, :, 0] = 1
    images[labels == 1, :, 3:5] = 1
    return np.clip(images + 0.02 * rng.random(images.shape), 0, 1), labels


@pytest.fixture(scope="module")
def ranking():
    images, labels = bars(np.random.default_rng(0), N)
    return rank(images, labels, transformations=["inversion", "horizontal-flip"], seed=0)


def row(ranking, name):
    return ranking.table.set_index("transformation").loc[name]


def test_half_symmetric_images_force_the_class(ranking):
    """A flip shows on one class only: T is one-hot or uniform, J = log 2 and I(A;X) = log(2)/2."""
    flip = row(ranking, "horizontal-flip")
    assert flip["J"] == pytest.approx(np.log(2), abs=4 * flip["J ±"] + 0.02)
    assert flip["I(A;X)"] == pytest.approx(np.log(2) / 2, abs=4 * flip["I(A;X) ±"] + 0.02)
    assert abs(flip["I(A;C|X)"]) < 4 * flip["I(A;C|X) ±"] + 0.02


def test_a_lossless_transformation_forces_nothing(ranking):
    inversion = row(ranking, "inversion")
    assert abs(inversion["J"]) < 4 * inversion["J ±"] + 0.01
    assert inversion["H(A|X)"] < 0.02


def test_the_most_informative_comes_first(ranking):
    assert list(ranking.table["transformation"]) == ["horizontal-flip", "inversion"]
    assert {f"{name} ±" for name in QUANTITIES} <= set(ranking.table.columns)
    assert "horizontal-flip" in ranking._repr_html_()


def test_shuffled_labels_force_nothing():
    rng = np.random.default_rng(1)
    images, labels = bars(rng, N)
    shuffled = rank(images, rng.permutation(labels), transformations=["horizontal-flip"], seed=0)
    flip = row(shuffled, "horizontal-flip")
    assert abs(flip["J"]) < 4 * flip["J ±"] + 0.01


def test_the_command(capsys, tmp_path):
    images, labels = bars(np.random.default_rng(2), 80)
    np.savez(tmp_path / "bars.npz", images=images.astype(np.float32)[:, None], labels=labels)
    arguments = [
        "rank",
        str(tmp_path / "bars.npz"),
        "--transformation",
        "inversion",
        "--out",
        str(tmp_path / "r"),
    ]
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 80
    assert found["ranking"][0]["transformation"] == "inversion"
    assert (tmp_path / "r" / "ranking.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nowhere.npz"], "nowhere", id="no file"),
        pytest.param(
            ["digits", "--transformation", "melting"], "unknown transformation 'melting'", id="unknown"
        ),
        pytest.param(["digits", "--transformation", "hue"], "unknown transformation 'hue'", id="name"),
    ],
)
def test_bad_input(capsys, arguments, message):
    assert run(["rank", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_continuous_transformations_are_refused():
    images, labels = bars(np.random.default_rng(3), 20)
    with pytest.raises(ValueError, match="continuous"):
        rank(images, labels, transformations=["continuous-rotation"])
