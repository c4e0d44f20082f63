"""What users bring to `rank`: shapes, splits, labels, tasks, folders; and the order of what comes out."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from ranking_worlds import TINY, digits
from torch.utils.data import TensorDataset

from synergy.learning import ImageSet
from synergy.ranking import SHORTCUTS, RankSettings, headline, rank, statistics, store
from synergy.ranking.candidates import candidates
from synergy.ranking.data import ranked_images
from synergy.ranking.shortcuts import predicted
from synthetic import Digits, LabelledImages, from_arrays

QUICK = replace(TINY, images=80, judged=60, epochs=1, steps=4)
HERE = {"settings": QUICK, "seeds": 2, "jobs": 1, "device": "cpu"}


def noise(*shape, classes=2):
    """Images of noise, a little brighter by class."""
    labels = np.arange(shape[0]) % classes
    images = np.random.default_rng(0).uniform(0, 0.5, shape)
    return (images + 0.1 * labels.reshape(-1, *[1] * (len(shape) - 1))).astype(np.float32), labels


@pytest.mark.parametrize("shape", [(5, 9), (12, 8)])
def test_images_that_are_not_square_are_ranked_by_what_fits_them(shape):
    images, labels = noise(120, 3, *shape)
    found = rank(images, labels, explain=False, **HERE)
    names = {task.transformation for task in found.tasks}
    assert "rotation" not in names
    assert {"horizontal-flip", "vertical-flip", "inversion", "grayscale"} <= names


@pytest.mark.parametrize("side", [1, 2])
def test_images_of_few_pixels_are_explained(side):
    images, labels = noise(120, side, side)
    found = rank(images, labels, transformations=["inversion"], **HERE)
    assert all(math.isfinite(q.value) for q in found.tasks[0].quantities.values() if q is not None)


def test_statistics_of_one_pixel_are_its_own():
    x = torch.tensor([[[[0.25]], [[0.5]], [[0.75]]]])
    assert np.isfinite(statistics(x)).all()
    np.testing.assert_allclose(statistics(x, ["channel means"]), [[0.25, 0.5, 0.75]])
    assert not statistics(x, ["channel spreads", "sharpness"]).any()
    assert set(SHORTCUTS) >= {"channel means", "channel spreads", "sharpness"}


@pytest.mark.parametrize(
    "a",
    [
        np.arange(220) % 24,  # a tenth of the rows has no row of each state
        np.minimum(np.arange(400), 1),  # a state with one row
        np.arange(400) % 4,
    ],
    ids=["many states", "a single row", "enough"],
)
def test_simple_models_fit_what_can_hold_nothing_out(a):
    u = np.random.default_rng(0).normal(size=(len(a), 3))
    states = int(a.max()) + 1
    for log_p in predicted((u, a), u[:10], states, seed=0, thorough=False):
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0)


def test_files_that_say_what_to_test_on_are_judged_on_that_alone():
    images, labels = digits(300)
    names = tuple(map(str, range(10)))
    given = LabelledImages(images, labels, names, "memory", trained=200)
    found = ranked_images(given, None, replace(TINY, judged=60), seed=3)
    assert set(found.trained) == set(range(200))
    assert len(found.judged) == 60
    assert found.judged.min() >= 200
    whole = ranked_images(given, None, TINY, seed=3)  # no share of all, but all that there is to test on
    assert set(whole.judged) == set(range(200, 300))
    with pytest.raises(ValueError, match="290 to train on and 10 to test on, 10 of them labelled among"):
        ranked_images(replace(given, trained=290), None, TINY, seed=0)


def test_generators_channels_first_and_four_channels_are_read():
    world = Digits()
    found = ranked_images(world, None, TINY, seed=0)
    assert found.names == tuple(map(str, range(10)))
    np.testing.assert_allclose(found.pixels, world.raw.numpy(), atol=1e-6)
    thin, labels = noise(100, 2, 8, 3)
    assert ranked_images(ImageSet.from_arrays(thin, {"C": labels}), None, TINY, seed=0).shape == (2, 8, 3)
    many, labels = noise(100, 4, 6, 6)
    assert rank(many, labels, transformations=["inversion"], channels="first", explain=False, **HERE)


def test_images_of_no_known_class_are_known_by_name_in_capitals_too():
    images, _ = digits(120)
    names = ("cat", "dog", "Unlabeled")
    labels = np.arange(120) % 3
    found = ranked_images(LabelledImages(images, labels, names, "memory"), None, TINY, seed=0)
    assert found.names == ("cat", "dog")
    assert (found.labels == -1).sum() == 40
    assert "40 of 120 images have no known class" in found.notes


def test_combinations_are_of_single_transformations_and_each_once():
    def names(*given):
        return [c.name for c in candidates(given, (3, 8, 8), combinations=2)]

    assert names("rotation", "inversion", "rotation+inversion") == [
        "rotation",
        "inversion",
        "rotation+inversion",
    ]
    assert names("rotation+inversion", "inversion") == ["rotation+inversion", "inversion"]
    assert names("rotation", "rotation") == ["rotation"]


IMAGES, LABELS = digits(120)
BAD = {
    "dataset": (
        lambda tmp: rank(TensorDataset(torch.zeros(4, 1, 8, 8), torch.zeros(4))),
        TypeError,
        "ImageSet.from_dataset",
    ),
    "floats": (
        lambda tmp: rank(IMAGES, LABELS.astype(float)),
        TypeError,
        "integers or strings, -1 .* float64",
    ),
    "missing": (lambda tmp: rank(IMAGES, [None, *LABELS[1:]]), ValueError, "has the label -1"),
    "alone": (lambda tmp: rank(IMAGES, np.arange(120)), ValueError, "the only one of its class"),
    "folds": (
        lambda tmp: rank(IMAGES, LABELS, settings=RankSettings(judged=30, folds=16)),
        ValueError,
        "settings.folds must be at most half of the 30 judged images, got 16",
    ),
    "seed": (lambda tmp: rank(IMAGES, LABELS, seed=4_294_968), ValueError, "seed must be"),
    "two labels": (lambda tmp: rank(Digits(), LABELS), TypeError, "labels must be None"),
    "a file": (lambda tmp: rank(IMAGES, LABELS, out=tmp / "file"), ValueError, "file' is a file"),
    "runs": (lambda tmp: rank(IMAGES, LABELS, out=tmp), ValueError, "runs' is a file"),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_ranked_is_refused_before_anything_is_run(call, error, message, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "runs").write_text("")
    with pytest.raises(error, match=message):
        call(tmp_path)


def test_a_kept_run_that_lacks_something_is_made_again(tmp_path):
    given = {**HERE, "transformations": ["inversion"], "explain": False, "out": tmp_path}
    first = rank(IMAGES, LABELS, **given)
    for path in (tmp_path / "runs").iterdir():
        with np.load(path) as opened:
            arrays = {name: opened[name] for name in opened.files if name != "seconds"}
        np.savez_compressed(path, **arrays)
    again = rank(IMAGES, LABELS, **given)
    assert [task.gain for task in again.tasks] == [task.gain for task in first.tasks]


def told(monkeypatch, accuracies, *, seeds=4, **settings):
    """A ranking whose runs have known accuracies, by task, kind and seed."""

    def made(job, data, settings, device):
        m = len(data.judged)
        name = job.kind if job.candidate is None else job.candidate.name
        hard = np.random.default_rng([1, job.seed]).permutation(m)  # which images are hard, by seed
        found = {"right": hard < accuracies(name, job.seed) * m, "seconds": np.array(1.0)}
        if job.kind == "pilot":
            states = job.candidate.task.states
            found |= {"log_p": np.zeros((m, states)), "loss": np.array(0.1), "accuracy": np.array(0.9)}
            found["begun"] = np.array(True)
        return found

    monkeypatch.setattr(store, "run_job", made)
    images, labels = np.zeros((4_000, 4, 4), np.uint8), np.arange(4_000) % 2
    return rank(
        images,
        labels,
        explain=False,
        seeds=seeds,
        jobs=1,
        device="cpu",
        settings=RankSettings(images=500, judged=1_600, **settings),
    )


def test_no_task_that_was_dropped_stands_before_the_best(monkeypatch):
    """Random encoders that are worse with the first seeds do not favour what was dropped after these."""
    worth = {"rotation": 0.62, "jigsaw": 0.605, "inversion": 0.60, "horizontal-flip": 0.59, "blur": 0.3}
    found = told(
        monkeypatch,
        lambda name, seed: (0.5 if seed < 2 else 0.58) if name == "random" else worth.get(name, 0.4),
    )
    lost = {task.transformation for task in found.tasks if task.dropped is not None}
    assert "blur" in lost
    assert found.best.transformation == "rotation"
    groups = [task.group for task in found.tasks]
    assert groups == sorted(groups)
    assert not any(task.dropped for task in found.tasks if task.group == 1)
    random = found.references[0].accuracy
    for task in found.tasks:
        assert task.gain.value == pytest.approx(task.accuracy - random)
    assert headline(found).startswith("rotation is worth most: +")


def test_the_headline_says_no_more_than_the_rows(monkeypatch):
    def same(name, seed):
        return 0.5 + 0.002 * (seed % 3)

    assert "is not told from no training" in headline(told(monkeypatch, same))
    worse = told(monkeypatch, lambda name, seed: 0.7 if name == "random" else 0.4)
    assert headline(worse).startswith("No task is worth training on. ")
    assert all(task.worth == "less" for task in worse.tasks)


def test_nothing_that_varies_is_said_to_vary_nowhere():
    images = np.full((200, 6, 6), 0.5)
    found = rank(images, np.arange(200) % 2, transformations=["inversion"], explain=False, **HERE)
    assert found.tasks[0].gain.interval == (0.0, 0.0)
    assert any("classify each image alike: nothing is told" in note for note in found.notes)
    assert not any("more labels" in note for note in found.notes)


def test_real_image_generators_of_arrays_keep_the_names_of_classes():
    world = from_arrays(IMAGES, np.where(LABELS < 5, "low", "high"))
    assert ranked_images(world, None, TINY, seed=0).names == ("high", "low")
