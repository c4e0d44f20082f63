"""The experiment on what shape must tell: that it can fail, and that what it measures is what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from synergy.experiments import Scale, experiment
from synergy.experiments.shape.predictors import CHOICES, SHAPE_TERM, SHOWS_SHAPE, choices, predictors, term
from synergy.learning import ImageSet
from synergy.ranking.candidates import candidates
from synergy.ranking.data import ranked_images
from synergy.ranking.settings import RankSettings

ABOUT = "rank correlation of I(A;X|U) with the gain, mean over the sets"
TASKS = ("rotation", "jigsaw", "vertical-flip", "inversion", "blur")
SETTINGS = RankSettings(images=600, judged=400, epochs=1, steps=40, features=16)


def made_up(order, seeds=8):
    """Runs whose gains rise with the tasks, with I(A;X|U) in some order and everything else against it."""
    rng = np.random.default_rng(0)
    rows = []
    for images in ("one", "other"):
        for seed in range(seeds):
            rows.append({"images": images, "transformation": "random", "seed": seed, "accuracy": 0.5})
            for place, task in enumerate(TASKS):
                gain = 0.01 * place + rng.normal(0, 0.008)
                against = float(-place)
                rows.append(
                    {
                        "images": images,
                        "transformation": task,
                        "seed": seed,
                        "accuracy": 0.5 + gain,
                        "gain": gain,
                        SHAPE_TERM: float(order * place),
                        term(SHOWS_SHAPE): against,
                        "I(A;X)": against,
                        "log states": against,
                        "pilot": against,
                    }
                )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("order", "verdict"), [(1, "agrees"), (-1, "disagrees")])
def test_the_observation_can_hold_and_fail(order, verdict):
    outcome = experiment("shape").outcome(made_up(order), Scale.quick())
    said = dict(zip(outcome.findings["finding"], outcome.findings["verdict"], strict=True))
    assert said[ABOUT] == verdict
    others = [v for about, v in said.items() if " less that of " in about]
    # against itself, the order that is as wrong as all others is not ahead of them
    assert set(others) == ({"agrees"} if order == 1 else {"undecided"})
    assert sum(v == "no prediction" for v in said.values()) == 2
    details = outcome.conclusion.details
    best = details[details["quantity"] == SHAPE_TERM]["rank correlation"]
    assert (best * order > 0.5).all()
    assert (details["p of a permutation"] <= 1).all()
    assert outcome.figure.axes


def test_a_finding_of_one_seed_is_undecided():
    outcome = experiment("shape").outcome(made_up(1, seeds=1), Scale.quick(seeds=1))
    assert outcome.agrees is None
    assert outcome.figure.axes


def images(seed=0, n=1000):
    """Dark images that lean to the left or the right: a mirror changes no pixel's value, inversion all."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    pixels = rng.uniform(0, 0.2, size=(n, 1, 8, 8))
    pixels[:, 0, :, 1:3] += 0.2 * (1 + labels[:, None, None])
    return ImageSet.from_arrays(pixels.astype(np.float32), {"C": labels})


@pytest.fixture(scope="module")
def measured():
    data = ranked_images(images(), None, SETTINGS, seed=0)
    chosen = {c.name: c for c in candidates(["horizontal-flip", "inversion"], data.shape)}
    return len(data.judged), {
        name: predictors(candidate, data, SETTINGS, 0, every=True, device="cpu")
        for name, candidate in chosen.items()
    }


def test_what_statistics_tell_is_not_left_to_shape(measured):
    judged, found = measured
    slack = chi2.ppf(1 - 1e-6, len(CHOICES)) / (
        2 * judged
    )  # what weights that are fitted can be off by (Wilks)
    assert found["inversion"]["I(A;X)"] == pytest.approx(np.log(2), abs=slack)
    for choice in CHOICES:
        assert abs(found["inversion"][term(choice)]) <= slack


def test_statistics_of_single_pixels_cannot_tell_a_mirror(measured):
    judged, found = measured
    slack = chi2.ppf(1 - 1e-6, len(CHOICES)) / (2 * judged)
    assert CHOICES["first half"] == ("channel means", "channel equality", "histogram")
    mirror = found["horizontal-flip"]
    assert mirror["I(A;X)"] > 0.5
    assert mirror[term("first half")] == pytest.approx(mirror["I(A;X)"], abs=slack)
    assert mirror[term(SHOWS_SHAPE)] <= slack  # a thumbnail shows which side is bright
    assert mirror["log states"] == pytest.approx(np.log(2))


def test_it_runs_on_images_of_ones_own():
    scale = Scale(seeds=2, steps=6, judged=200, features=8, batch=32, every=False, data=images(1, 240))
    outcome = experiment("shape").run(scale)
    tasks = set(outcome.runs["transformation"])
    assert tasks == {"rotation", "horizontal-flip", "vertical-flip", "inversion", "jigsaw", "blur", "random"}
    trained = outcome.runs[outcome.runs["transformation"] != "random"]
    assert np.isfinite(trained[[term(c) for c in choices(False)]]).all(axis=None)
    assert set(outcome.runs["images"]) == {"240 images"}
    assert outcome.figure.axes
    with pytest.raises(ValueError, match="at least 100 images"):
        experiment("shape").run(replace(scale, data=images(1, 60)))
