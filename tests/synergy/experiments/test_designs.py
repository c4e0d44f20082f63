"""Finer and several transformations: their ladders, their exact synergies, and what can refute them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.collections import LineCollection

from synergy.experiments import Scale, experiment
from synergy.experiments.designs.experiment import MARGIN
from synergy.experiments.designs.ladders import (
    DRAWN,
    LADDERS,
    PIXELS,
    SIDES,
    UNTRAINED,
    TaskTransformation,
    exact_synergy,
    glyphs_under,
    measure_rungs,
)
from synergy.experiments.show import SHARED
from synergy.learning import ImageSet, as_task
from synthetic import Glyphs

TINY = Scale(seeds=2, steps=4, judged=100, features=8, tolerance=0.2)
NAMES = ("fine-grained", "multivariate")


def _runs(ladder, *, left=0.2, right=0.2, coin=0.0, accuracy=None, shared=2 / 3):
    """Runs with chosen numbers, three seeds that hardly differ."""
    rungs = LADDERS[ladder]
    level = accuracy or {}
    rows = []
    for seed in range(3):
        jitter = 1e-4 * seed
        for images in ("digits", DRAWN):
            top = rungs.finest(images).name
            names = (top,) if images == DRAWN else (*rungs.names, UNTRAINED, PIXELS)
            asked = rungs.names[: rungs.drawn] if images == DRAWN else rungs.names
            for name in names:
                row = {
                    "images": images,
                    "condition": name,
                    "seed": seed,
                    "states": 2,
                    SHARED: 0.0 if images == DRAWN else shared,
                    "I(A;Z)": 1.0,
                    "I(A;Z|C) - I(A;Z)": left + jitter,
                    "I(A;C|Z)": right,
                    "class accuracy": level.get(name, 0.9) + jitter * len(name),
                }
                if name == top:
                    for k, rung in enumerate(asked):
                        value = right - 0.01 * (len(asked) - 1 - k)
                        row |= {f"one Z: {rung}": value}
                        row |= {f"exact: {rung}": value} if images == DRAWN else {}
                    row |= {"one Z: noise": right + coin + jitter, "plain: noise": right - 0.2}
                    row |= {f"plain: {top}": right - 0.1}
                rows.append(row)
    frame = pd.DataFrame(rows)
    measured = [name for name in frame.select_dtypes(float) if name not in (SHARED,)]
    frame[measured] += np.random.default_rng(0).normal(scale=1e-7, size=(len(frame), len(measured)))
    return frame


def _verdicts(ladder, **chosen):
    conclusion = experiment(ladder).conclude(_runs(ladder, **chosen))
    return {f.about: f.verdict() for f in conclusion.findings}


def _of(verdicts, words):
    found = [verdict for about, verdict in verdicts.items() if words in about]
    assert found, f"no finding about {words}: {list(verdicts)}"
    return found


def test_each_rung_is_a_function_of_the_next_finer_one():
    for ladder in LADDERS.values():
        finest = ladder.rungs[-1]
        assert len(finest.labels) == len(ladder.rungs)
        assert len(set(zip(*finest.labels, strict=True))) == finest.task.states
    half, quarter, eighth = (np.array(label) for label in LADDERS["fine-grained"].rungs[-1].labels)
    assert (quarter // 2 == half).all()
    assert (eighth // 2 == quarter).all()
    for rung in LADDERS["fine-grained"].rungs:
        assert rung.task.applied == 8


def test_the_tasks_of_the_paper_turn_by_multiples_of_180_and_90_degrees():
    apart = LADDERS["fine-grained"].apart
    assert [rung.name for rung in apart] == ["turned by 180 degrees", "turned by 90 degrees"]
    image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for rung, step in zip(apart, (2, 1), strict=True):
        for a in range(rung.task.applied):
            turned = rung.task.apply(image, torch.tensor([a]))
            assert torch.allclose(turned, torch.rot90(image, step * a, (2, 3)), atol=1e-5)


def test_a_task_as_one_transformation_does_what_the_task_does():
    task = as_task("rotation+horizontal-flip+blur")
    images = torch.rand(task.applied, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(task.applied)
    whole = TaskTransformation(task)
    assert whole.cardinality == 32
    assert torch.equal(whole.apply(images, labels), task.apply(images, labels))
    world = glyphs_under(LADDERS["multivariate"].rungs[-1])
    assert {v.name: v.cardinality for v in world.variables}["A"] == 32
    with pytest.raises(ValueError, match="square"):
        whole.check((1, 8, 6))


def test_the_exact_synergy_is_that_of_the_generator():
    world = Glyphs(("6", "9", "F"), size=16, hue=[0.0], noise=1.5)
    answer = world.exact("I(A;C|X)", tolerance=0.003)
    assert answer.value > 0.1
    drawn = world.sample(4000, seed=3)
    posterior = world.posterior(drawn["X"], ["A", "C"])
    found = exact_synergy(world, drawn["X"], np.arange(4))
    each = [exact_synergy(world, drawn["X"][i : i + 1], np.arange(4)) for i in range(200)]
    error = np.hypot(np.std(each) / np.sqrt(len(drawn)), answer.standard_error)
    assert found == pytest.approx(answer.value, abs=4 * error)
    p = posterior[0]
    outer = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    slow = sum(p[i] * np.log(p[i] / outer[i]) for i in np.ndindex(p.shape) if p[i] > 0)
    assert each[0] == pytest.approx(slow, abs=1e-12)


def test_without_noise_the_half_turn_says_which_of_6_and_9_it_is():
    world = Glyphs(("6", "9", "F"), size=16, hue=[0.0])
    images = world.states.images.numpy()
    turns, repeats = world.states.support.column("X"), world.states.support.probabilities
    weights = np.bincount(turns, weights=repeats)
    by_hand = sum(
        w * exact_synergy(world, images[i : i + 1], np.array([0, 0, 1, 1])) for i, w in enumerate(weights)
    )
    assert by_hand == pytest.approx(2 / 3 * np.log(2), abs=1e-9)
    parity = sum(
        w * exact_synergy(world, images[i : i + 1], np.array([0, 1, 0, 1])) for i, w in enumerate(weights)
    )
    assert parity == pytest.approx(0, abs=1e-9)
    constant = exact_synergy(world, images, np.zeros(4, dtype=np.int64))
    assert constant == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_finer_label_has_at_least_the_exact_synergy_and_the_margin_is_small_beside_it(name):
    ladder = LADDERS[name]
    rung = ladder.finest(DRAWN)
    world = glyphs_under(rung)
    images = world.sample(200, seed=0)["X"]
    joint, found = np.zeros(rung.task.applied, dtype=np.int64), []
    for label in rung.labels:
        joint = joint * (max(label) + 1) + np.array(label)
        found.append(exact_synergy(world, images, np.unique(joint, return_inverse=True)[1]))
    assert (np.diff(found) > -1e-9).all()
    assert found[-1] > 5 * MARGIN


def test_the_same_job_gives_the_same_row():
    job = ("multivariate", DRAWN, LADDERS["multivariate"].finest(DRAWN).name, 0)
    first, second = (measure_rungs(job, TINY) for _ in range(2))
    assert first == second
    assert first["exact: rotation"] < first["exact: rotation, horizontal-flip"]


def test_images_of_ones_own_have_both_baselines_and_share_their_seeds():
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    images = np.clip(rng.random((80, 1, 8, 8)) * 0.3 + 0.5 * labels[:, None, None, None], 0, 1)
    own = ImageSet.from_arrays(images.astype(np.float32), {"C": labels})
    scale = Scale(seeds=1, steps=2, judged=64, features=4, batch=32, data=own, every=False)
    found = experiment("fine-grained").run(scale)
    assert found.figure.axes
    assert found.runs["condition"].tolist() == [*LADDERS["fine-grained"].names, UNTRAINED, PIXELS]
    assert np.allclose(found.runs[SHARED], 0.4 / 0.6)
    trained = ~found.runs["condition"].isin([UNTRAINED, PIXELS])
    assert np.isfinite(found.runs.loc[trained, [*SIDES]]).all(axis=None)
    assert found.runs.loc[~trained, [*SIDES]].isna().all(axis=None)
    assert np.isfinite(found.table["class accuracy"]).all()
    judged = [f.about for f in found.conclusion.findings if f.relation is not None]
    assert len(judged) == 2  # the identity and the coin


@pytest.mark.parametrize("name", NAMES)
def test_an_outcome_says_what_is_by_construction_and_shows_both_baselines(name):
    outcome = experiment(name).outcome(_runs(name), TINY)
    ladder, findings = LADDERS[name], outcome.conclusion.findings
    assert all(f.relation is None for f in findings if "by construction" in f.about)
    assert sum("by construction" in f.about for f in findings) == len(ladder.rungs) - 1 + ladder.drawn - 1
    assert all(f.shared == (0 if f.about.startswith(DRAWN) else pytest.approx(2 / 3)) for f in findings)
    assert "by construction" in outcome.conclusion.predicted
    assert "-0.045" in outcome.conclusion.predicted
    assert UNTRAINED in outcome.table["condition"].tolist()
    texts = {text.get_text() for text in outcome.figure.legends[0].get_texts()}
    assert any(t.startswith(UNTRAINED) for t in texts)
    assert any(t.startswith(PIXELS) for t in texts)


@pytest.mark.parametrize("name", NAMES)
def test_the_figure_shows_the_intervals_of_the_table(name):
    frame = _runs(name, right=0.02)
    frame["I(A;C|Z)"] += 0.05 * (frame["seed"] - 1)
    outcome = experiment(name).outcome(frame, TINY)
    bars = [c for c in outcome.figure.axes[1].collections if isinstance(c, LineCollection)]
    drawn = np.array([segment[:, 1] for bar in bars for segment in bar.get_segments()])
    table = outcome.table.set_index(["images", "condition"]).loc["digits"].loc[list(LADDERS[name].names)]
    assert (table["I(A;C|Z) low"] == 0).all()  # where they would reach below 0, which no information does
    for low, high in table[["I(A;C|Z) low", "I(A;C|Z) high"]].to_numpy():
        assert np.abs(drawn - [low, high]).max(axis=1).min() <= 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_the_identity_and_its_controls_can_fail(name):
    good = _verdicts(name)
    assert set(good.values()) == {"agrees", "no prediction", "fixed by construction"}
    fixed = [about for about, verdict in good.items() if verdict == "fixed by construction"]
    assert all("by construction" in about or "exact" in about for about in fixed)
    identity, power = f"{DRAWN}: I(A;Z|C)", "less that margin"
    missed = _verdicts(name, left=0.0)
    assert _of(missed, identity) == ["disagrees"]
    nothing = _verdicts(name, left=0.0, right=0.0)
    assert _of(nothing, identity) == ["agrees"]
    assert _of(nothing, power) == ["disagrees"]
    for coin in (-0.05, 0.05):
        assert _of(_verdicts(name, coin=coin), "N a fair coin") == ["disagrees"] * 2
    assert set(_of(good, "by construction")) <= {"no prediction", "fixed by construction"}


@pytest.mark.parametrize(("gain", "word"), [(-0.05, "a lower"), (0.05, "a higher")])
def test_the_accuracy_is_told_beside_its_baselines(gain, word):
    rungs = LADDERS["fine-grained"]
    levels = {rungs.names[0]: 0.9, rungs.names[-1]: 0.9 + gain, UNTRAINED: 0.95, PIXELS: 0.96}
    conclusion = experiment("fine-grained").conclude(_runs("fine-grained", accuracy=levels))
    assert f"{word} accuracy of the class" in conclusion.seen
    found = [f for f in conclusion.findings if "class accuracy" in f.about]
    assert [f.relation for f in found] == [None] * 3
    assert found[0].spread().mean == pytest.approx(gain, abs=0.01)


def test_further_tasks_run_where_every_condition_is_asked_for():
    names = []

    class Listed:
        scale = replace(TINY, seeds=1)

        def spread(self, function, jobs, *, label):
            names.extend(label(job) for job in jobs)
            return pd.DataFrame()

    experiment("fine-grained").measure(Listed())
    assert "cluttered-glyphs, turned by 180 degrees, seed 0" in names
    assert len(names) == len(set(names)) == 3 + 2 + 2 + 1
