"""What a ranking says of small, symmetric, copied and hardly labelled images, and how it refuses mistakes."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from ranking_worlds import TINY, Idle, digits
from test_quantities import GAIN

from synergy.learning import as_task
from synergy.ranking import RankSettings, rank, write_ranking
from synergy.ranking.alike import show_the_same, unreadable
from synergy.ranking.candidates import Candidate, candidates
from synergy.ranking.data import ranked_images
from synergy.ranking.quantities import Quantity
from synergy.ranking.shortcuts import predicted
from synergy.ranking.words import paragraph

QUICK = replace(TINY, images=80, judged=60, epochs=1, steps=4)
HERE = {"settings": QUICK, "seeds": 2, "jobs": 1, "device": "cpu"}
IMAGES, LABELS = digits(140)


def rings(n, *, side=8):
    """Images that every rotation by quarters and every flip leaves as they are."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(y, x)
    phase = np.random.default_rng(0).uniform(0, 3, size=(n, 1, 1))
    return (0.5 + 0.4 * np.cos(radius + phase)).astype(np.float32), np.arange(n) % 2


@pytest.mark.parametrize(
    ("size", "settings", "bound"),
    [
        (6_000, {}, "steps"),
        (600, {}, "most_epochs"),
        (600, {"most_epochs": 500}, "steps"),
        (6_000, {"epochs": 20}, "epochs"),
        (50, {"epochs": 60, "steps": 20}, "epochs"),
    ],
)
def test_more_of_the_setting_that_binds_is_more_steps_and_of_no_other(size, settings, bound):
    chosen = RankSettings(**settings)
    assert chosen.bound_by(size) == bound
    now = chosen.step_count(size)
    for name in ("steps", "most_epochs", "epochs"):
        more = replace(chosen, **{name: getattr(chosen, name) + chosen.batch}).step_count(size)
        assert name != bound or more > now, name
        assert name not in ("steps", "most_epochs") or name == bound or more == now, name


def test_fewer_steps_than_asked_for_are_said_with_the_setting_that_binds():
    settings = replace(QUICK, steps=500, most_epochs=3)
    found = rank(
        IMAGES, LABELS, transformations=["rotation"], explain=False, **{**HERE, "settings": settings}
    )
    steps = settings.step_count(80)
    said = f"a pilot takes {steps} steps, fewer than the 500 of `steps`: its 80 images are passed 3"
    assert any(note.startswith(said) for note in found.notes)
    enough = rank(IMAGES, LABELS, transformations=["rotation"], explain=False, **HERE)
    assert not any("fewer than the" in note for note in enough.notes)
    assert enough.tasks[0].steps >= QUICK.steps


@pytest.mark.parametrize("explain", [False, True])
def test_states_that_show_the_same_image_are_said_to_leave_nothing_to_learn(explain):
    images, labels = rings(160)
    names = ["rotation", "vertical-flip", "inversion"]
    found = rank(images, labels, transformations=names, explain=explain, **HERE)
    assert (
        sum("all states of rotation, vertical-flip show the same image" in note for note in found.notes) == 1
    )
    for task in found.tasks:
        same = task.name != "inversion"
        assert ("All its states show the same image" in task.told) == same
        assert not (same and ("longer" in task.told or "class" in task.told))
        assert not (same and task.steps > QUICK.step_count(80))


def test_h_of_a_given_x_and_r_by_counting():
    """Rings show one of 4 rotations: log 4. Half of the images rings: half of it. A coarse A: H(A)."""
    images, labels = rings(200)
    half = np.where(np.arange(200)[:, None, None] % 4 < 2, images, digits(200)[0][:, 0])
    rotation, coarse = Candidate(as_task("rotation")), Candidate(as_task("rotation", coarse=[0, 1, 1, 1]))
    whole, mixed = (ranked_images(x, labels, TINY, seed=0) for x in (images, half))
    assert unreadable(rotation, whole) == pytest.approx(math.log(4))
    assert unreadable(coarse, whole) == pytest.approx(coarse.entropy)
    assert show_the_same(rotation, whole)
    share = np.mean(mixed.judged % 4 < 2)
    assert unreadable(rotation, mixed) == pytest.approx(share * math.log(4))
    assert not show_the_same(rotation, mixed)
    assert show_the_same(Candidate(as_task(Idle())), mixed)


def test_a_paragraph_says_what_no_training_can_tell_and_what_cannot_be():
    entropy = math.log(2)

    def told(left, pose):
        known = {"H(A|X)": Quantity(left, 0.01), "I(A;X)": Quantity(entropy - left, 0.01)}
        quantities = {**known, "I(A;R|X)": Quantity(pose, 0.01)}
        return paragraph("x", GAIN, entropy=entropy, quantities=quantities, shortcuts={}, dropped=None)

    assert "a longer training may tell 0.39 nats, as states show the same image." in told(0.69, 0.39)
    assert "a longer training may." in told(0.69, 0.69)
    assert "0.30 nats cannot be told, as states show the same image." in told(0.4, 0.1)
    assert "H(A|X) (0.710 ± 0.010) is at most H(A), 0.693 nats, in truth" in told(0.71, 0.7)
    assert "in truth" not in told(0.6, 0.5)
    assert "in truth" not in told(entropy + 1e-5, 0.5)  # rounding


def test_a_label_that_was_minus_one_among_bytes_is_asked_about():
    labels = (np.arange(140) % 2).astype(np.uint8)
    wrapped = np.where(np.arange(140) < 100, labels, -1)  # numpy makes it 255
    (note,) = ranked_images(IMAGES, wrapped, TINY, seed=0).notes
    assert note.startswith("40 images have the label 255, which is a class: if it was -1")
    for plain in (labels, wrapped.astype(np.int64), np.arange(140, dtype=np.uint8) % 2 + 254):
        assert ranked_images(IMAGES, plain, TINY, seed=0).notes == ()


def test_copies_among_judged_and_trained_images_are_counted():
    images = np.arange(200, dtype=np.float32)[:, None, None] / 200 * np.ones((1, 4, 4), np.float32)
    labels = np.arange(200) % 2
    settings = replace(TINY, judged=80)
    plain = ranked_images(images, labels, settings, seed=0)
    assert plain.notes == ()
    inside, across = images.copy(), images.copy()
    inside[plain.judged[:3]] = inside[plain.judged[3]]
    across[plain.judged[:3]] = across[plain.trained[:3]]
    (note,) = ranked_images(inside, labels, settings, seed=0).notes
    assert note.startswith("4 of the 80 judged images are copies of others of them")
    (note,) = ranked_images(across, labels, settings, seed=0).notes
    assert note.startswith("3 of the 80 judged images are among those to train on too")


def test_labels_of_one_class_are_not_called_none():
    images, labels = digits(200)
    known = ranked_images(images, labels % 2, TINY, seed=0).judged
    one = np.where(np.isin(np.arange(200), known), labels % 2, -1)  # all that have a label are judged
    notes = {}
    for name, chosen in (("none", one), ("one class", np.where(one < 0, 1, one))):
        data = replace(ranked_images(images, labels % 2, TINY, seed=0), labels=chosen)
        notes[name] = notes_of(data)
    assert "no supervised encoder: the images that are trained on have no labels" in notes["none"]
    said = "no supervised encoder: the images that are trained on and have a label are of one class"
    assert said in notes["one class"]


def notes_of(data):
    """The notes of a ranking of these images."""
    from synergy.ranking.store import Runs
    from synergy.ranking.work import Work

    tasks = candidates(["inversion"], data.shape)
    runs = Runs(data, QUICK, "cpu", 1)
    return Work(data, QUICK, tasks, first=0, seeds=2, explain=True, runs=runs).ranking(0).notes


def test_simple_models_of_many_states_do_not_warn():
    u, a = np.random.default_rng(0).normal(size=(150, 3)), np.arange(150) % 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = predicted((u, a), u, 100, seed=0)
    for log_p in found:
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, atol=1e-9)


def test_a_folder_may_be_text(tmp_path):
    found = rank(IMAGES, LABELS, transformations=["inversion"], explain=False, **HERE)
    assert {path.name for path in write_ranking(found, str(tmp_path / "r"))} >= {
        "ranking.json",
        "ranking.png",
    }
    with pytest.raises(TypeError, match="ranking must be what rank gives, got str"):
        write_ranking("found", tmp_path)
    with pytest.raises(TypeError, match="out must be the path of a folder, got int"):
        write_ranking(found, 3)


NAMES = "rotation, horizontal-flip, vertical-flip, inversion, jigsaw, blur$"
BAD = {
    "typo": (["rotaton"], ValueError, rf"'rotaton' \(did you mean 'rotation'\?\): expected one of {NAMES}"),
    "case": (["Horizontal_Flip"], ValueError, r"'Horizontal_Flip' \(did you mean 'horizontal-flip'\?\)"),
    "part": (["rotation+blurr"], ValueError, r"'blurr' \(did you mean 'blur'\?\)"),
    "in a list": ([["rotation", "blurr"]], ValueError, r"'blurr' \(did you mean 'blur'\?\)"),
    "far": (["xyzzy"], ValueError, f"'xyzzy': expected one of {NAMES}"),
    "continuous": (["continuous-rotation"], ValueError, "has a continuous label, .*give it steps"),
}


@pytest.mark.parametrize(("names", "error", "message"), BAD.values(), ids=BAD)
def test_names_that_cannot_be_ranked(names, error, message):
    with pytest.raises(error, match=message):
        rank(IMAGES, LABELS, transformations=names, **HERE)


CALLS = {
    "a single task": (
        lambda: rank(IMAGES, LABELS, transformations=as_task("rotation")),
        TypeError,
        "transformations must be a list of tasks, also where there is one",
    ),
    "a single pair": (
        lambda: rank(IMAGES, LABELS, transformations=(lambda x, a: x, 2)),
        TypeError,
        "transformations must be a list of tasks, also where there is one",
    ),
    "no images": (lambda: rank(None, LABELS), TypeError, "images must be an array or .*, got NoneType"),
    "a mapping": (lambda: rank({"x": IMAGES}, LABELS), TypeError, "images must be an array or .*, got dict"),
    "one column": (
        lambda: rank(IMAGES, LABELS[:, None]),
        ValueError,
        r"labels must have shape \(n,\), one class for each image, got \(140, 1\)",
    ),
    "channels": (
        lambda: rank(IMAGES[:, 0], LABELS, channels="middle"),
        ValueError,
        "channels must be 'auto', 'fi",
    ),
    "called alike": (
        lambda: rank(IMAGES, LABELS, transformations=[(lambda x, a: x, 2), (lambda x, a: -x, 2)]),
        ValueError,
        "two different tasks are called 'own': .* called='mine'",
    ),
    "unequal": (
        lambda: rank([np.zeros((4, 4)), np.zeros((5, 4))] * 30, [0, 1] * 30),
        ValueError,
        r"images must have one shape, got \(4, 4\) for image 0 and \(5, 4\) for image 1",
    ),
    "unequal tensors": (
        lambda: rank([torch.zeros(4, 4), torch.zeros(5, 4)], [0, 1]),
        ValueError,
        "images must have one shape",
    ),
    "ragged": (lambda: rank([[[0.0, 1.0], [0.5]]] * 60, [0, 1] * 30), ValueError, "arrays of one shape"),
    "settings": (
        lambda: rank(IMAGES, LABELS, settings={}),
        TypeError,
        r"settings must be RankSettings\(\.\.\)",
    ),
    "out": (
        lambda: rank(IMAGES, LABELS, out=3),
        TypeError,
        "out must be the path of a folder or None, got int",
    ),
    "folder": (
        lambda: rank("folder"),
        TypeError,
        r"got 'folder': read .* with synthetic.read_images\(\.\.\)",
    ),
    "encoder": (
        lambda: RankSettings(encoder=torch.nn.Flatten()),
        TypeError,
        "encoder must be a name, such as 'cnn', got Flatten",
    ),
    "unknown encoder": (
        lambda: RankSettings(encoder="cn"),
        ValueError,
        "unknown encoder 'cn': expected one of",
    ),
    "longer": (lambda: RankSettings(longer=math.inf), ValueError, "longer must be finite"),
}


@pytest.mark.parametrize(("call", "error", "message"), CALLS.values(), ids=CALLS)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
