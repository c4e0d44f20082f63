"""Ranking by pilots, on images and tasks whose worth is known."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from ranking_worlds import TINY, Idle, Watermark, digits
from scipy.special import log_softmax

from synergy.learning import ImageSet
from synergy.ranking import QUANTITIES, RankSettings, pilots, rank, render_ranking, write_ranking
from synergy.ranking.candidates import candidates
from synergy.ranking.data import ranked_images
from synergy.ranking.pilots import begun
from synthetic import LabelledImages

N = 600


def ranked(transformations, *, seed=0, images=None, **options):
    shown, labels = digits(N, seed=seed) if images is None else images
    given = {"settings": TINY, "seeds": 3, "jobs": 1, "device": "cpu", **options}
    return rank(shown, labels, transformations=transformations, seed=seed, **given)


@pytest.fixture(scope="module")
def ranking():
    return ranked(["rotation", Watermark(), Idle()])


def task(ranking, name):
    return next(t for t in ranking.tasks if t.transformation == name)


def test_a_task_that_shows_its_label_and_one_without_a_label_are_below_a_rotation(ranking):
    assert ranking.best.transformation == "rotation"
    assert task(ranking, "rotation").accuracy > task(ranking, "watermark").accuracy
    assert task(ranking, "rotation").accuracy > task(ranking, "idle").accuracy


def test_gains_are_differences_to_the_random_encoder(ranking):
    random = ranking.references[0]
    assert random.name == "random encoder"
    assert random.gain is None
    for found in ranking.tasks:
        low, high = found.gain.interval
        assert -1 <= low <= found.gain.value <= high <= 1
        if found.gain.seeds == 3:
            assert found.gain.value == pytest.approx(found.accuracy - random.accuracy)


def test_an_idle_task_has_no_information_and_all_of_it_unreadable(ranking):
    """H(A|X) = H(A|X,R) = log 2: nothing is told, by shape or else, and the pose is not to blame."""
    found = task(ranking, "idle").quantities
    assert found["H(A|X)"].value == pytest.approx(math.log(2), abs=0.02)
    for name in ("I(A;X)", "I(A;U)", "I(A;X|U)", "I(A;R|X)", "I(A;C|X)"):
        assert abs(found[name].value) < 0.02 + 4 * found[name].error, name


def test_a_watermark_is_solved_by_the_border(ranking):
    found = task(ranking, "watermark")
    assert found.quantities["H(A|X)"].value < 0.1
    assert found.quantities["I(A;U)"].value > 0.9 * math.log(4)
    assert found.shortcuts["border pixels"].value > 0.9 * math.log(4)
    assert found.shortcuts["border pixels"].value > found.shortcuts["channel spreads"].value
    assert abs(found.quantities["I(A;X|U)"].value) < 0.05 + 4 * found.quantities["I(A;X|U)"].error
    assert "border pixels alone" in found.told


def test_identities_between_the_quantities(ranking):
    for found in ranking.tasks:
        q = {name: found.quantities[name].value for name in QUANTITIES}
        assert q["H(A|X)"] + q["I(A;X)"] == pytest.approx(math.log(found.states), abs=1e-9)
        assert q["I(A;X|U)"] == pytest.approx(q["I(A;X)"] - q["I(A;U)"], abs=1e-9)
        assert q["I(A;R|X)"] <= q["H(A|X)"] + 1e-9


def test_neither_the_order_of_the_question_nor_processes_matter(ranking):
    other = ranked([Idle(), "rotation", Watermark()], explain=False, jobs=2)
    for found in other.tasks:
        assert found.gain == task(ranking, found.transformation).gain
    assert [t.name for t in other.tasks] == [t.name for t in ranking.tasks]


def test_shuffled_classes_cannot_be_read():
    """Where the class is no function of the image, no task is worth more than none."""
    images, labels = digits(N)
    shuffled = np.random.default_rng(5).permutation(labels)
    found = ranked(["rotation"], images=(images, shuffled), explain=False)
    assert abs(found.references[0].accuracy - 0.1) < 4 * math.sqrt(0.1 * 0.9 / found.judged)
    assert found.best.worth == "undecided"


def test_a_run_is_taken_up_again_and_gives_the_same_bytes(tmp_path):
    arguments = {"out": tmp_path, "seeds": 2}
    told = []
    first = ranked(["rotation", "inversion"], progress=lambda *a: told.append(a), **arguments)
    kept = sorted((tmp_path / "runs").iterdir())
    assert len(told) == len(kept)
    assert told[-1][0] == told[-1][1]
    kept[0].unlink()  # as if it had been interrupted
    kept[1].write_bytes(b"PK half a file")
    again = []
    second = ranked(["rotation", "inversion"], progress=lambda *a: again.append(a), **arguments)
    assert len(again) == 2
    assert {**second.to_dict(), "seconds": 0} == {**first.to_dict(), "seconds": 0}
    third = ranked(["rotation", "inversion"], progress=lambda *a: pytest.fail("run again"), **arguments)
    assert third.to_json() == second.to_json()


def test_other_images_are_other_runs(tmp_path):
    ranked(["inversion"], out=tmp_path, seeds=2, explain=False)
    before = set((tmp_path / "runs").iterdir())
    images, labels = digits(N)
    images[0, 0, 0, 0] = 1 - images[0, 0, 0, 0]
    ranked(["inversion"], out=tmp_path, seeds=2, explain=False, images=(images, labels))
    assert len(set((tmp_path / "runs").iterdir())) == 2 * len(before)


def test_the_cost_is_said_before_it_is_paid(tmp_path):
    order = []
    ranked(
        ["inversion"],
        out=tmp_path,
        explain=False,
        seeds=2,
        announce=lambda cost: order.append(cost),
        progress=lambda *a: order.append(a),
    )
    assert order[0].seconds > 0
    assert order[0].runs == len(order) - 1
    assert "runs: about" in str(order[0])
    ranked(["inversion"], out=tmp_path, explain=False, seeds=2, announce=lambda cost: order.append(cost))
    assert order[-1].done == order[-1].runs
    assert order[-1].seconds == 0


def test_combinations_and_augmentations():
    found = ranked(
        ["rotation", "inversion"], combinations=2, augmentations=["none", "crop"], seeds=2, explain=False
    )
    assert {t.name for t in found.tasks} == {
        f"{name}{end}"
        for name in ("rotation", "inversion", "rotation+inversion")
        for end in ("", " after crop")
    }
    assert next(t for t in found.tasks if t.name == "rotation+inversion").states == 8


def test_few_labels_are_said_to_be_few():
    images, labels = digits(N)
    labels = labels.copy()
    labels[60:] = -1
    found = ranked(["rotation"], images=(images, labels), seeds=2)
    assert found.judged == 60
    assert found.trained == 400
    text = " ".join(found.notes)
    assert "540 of 600 images have no known class" in text
    assert "judged on 60 labelled images: the intervals of the gains reach" in text
    assert "no supervised encoder" in text
    assert found.best.quantities["I(A;C|X)"] is None
    assert found.best.gain.smallest > 0.03


def test_images_may_bring_their_labels():
    images, labels = digits(N)
    want = ranked(["inversion"], seeds=2, explain=False).tasks[0].gain
    sets = [
        ImageSet.from_arrays(images, {"C": labels}),
        LabelledImages(images, labels, tuple("abcdefghij"), "memory"),
    ]
    for given in sets:
        found = rank(
            given, transformations=["inversion"], seeds=2, explain=False, settings=TINY, jobs=1, device="cpu"
        )
        assert found.tasks[0].gain == want
    with pytest.raises(TypeError, match="labels must be None"):
        rank(sets[0], labels)


def test_the_table_and_plain_data(ranking):
    told = ranking.to_dict()
    assert json.loads(ranking.to_json()) == told
    names = [entry["transformation"] for entry in told["ranking"]]
    assert names == [t.transformation for t in ranking.tasks]
    for entry in told["ranking"]:
        assert entry["interval"][0] <= entry["gain"] <= entry["interval"][1]
        assert {*QUANTITIES, *(f"{name} ±" for name in QUANTITIES)} <= set(entry)
        assert entry["worth"] in ("more", "less", "undecided")
    assert [e["gain"] for e in told["ranking"]] == sorted((e["gain"] for e in told["ranking"]), reverse=True)
    assert list(ranking.table["transformation"]) == names
    assert "rotation" in ranking._repr_html_()


def test_the_page_stands_alone(ranking, tmp_path):
    text = render_ranking(ranking)
    assert "http://" not in text
    assert "https://" not in text
    assert "watermark" in text
    assert all(t.told[:20] in text for t in ranking.tasks)
    written = {path.name for path in write_ranking(ranking, tmp_path)}
    assert written == {"ranking.json", "ranking.csv", "ranking.html", "ranking.png", "ranking.svg"}
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="out must be a folder"):
        write_ranking(ranking, tmp_path / "file")


def test_a_page_that_cannot_be_drawn_leaves_the_files_that_were_there(ranking, tmp_path, monkeypatch):
    write_ranking(ranking, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fails(*given, **more):
        raise KeyboardInterrupt

    for place in ("synergy.ranking.files.save_figure", "synergy.ranking.files.write_atomically"):
        with monkeypatch.context() as patch:
            patch.setattr(place, fails)
            with pytest.raises(KeyboardInterrupt):
                write_ranking(replace(ranking, seed=ranking.seed + 1), tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_networks_told_the_class_and_shuffled_classes_differ_in_nothing_else(monkeypatch):
    images, labels = digits(N)
    data = ranked_images(images, labels, TINY, seed=0)
    candidate = candidates(["rotation"], data.shape)[0]
    given, plain = {}, pilots.train

    def kept(pretext, source, **options):
        given[kind] = source, options.pop("held_out"), {**options, "options": str(options["options"])}
        return plain(pretext, source, **{**options, "held_out": given[kind][1]})

    monkeypatch.setattr(pilots, "train", kept)
    for seed in (0, 1):
        for kind in ("told", "untold"):
            pilots.run_job(pilots.Job(kind, candidate, seed), data, TINY, "cpu")
        (fitted, held, how), (fitted_too, held_too, how_too) = given["told"], given["untold"]
        assert how == how_too
        assert torch.equal(fitted.images, fitted_too.images)
        assert torch.equal(held.images, held_too.images)
        classes, shuffled = (
            torch.cat([one.labels["C"], two.labels["C"]])
            for one, two in ((fitted, held), (fitted_too, held_too))
        )
        assert not torch.equal(classes, shuffled)
        assert torch.equal(classes.sort().values, shuffled.sort().values)


IMAGES, LABELS = digits(80)
BAD = {
    "no labels": (lambda: rank(IMAGES), TypeError, "labels must be the class of each image"),
    "too few": (lambda: rank(IMAGES[:30], LABELS[:30]), ValueError, "at least 20 labelled images"),
    "one class": (lambda: rank(IMAGES, np.zeros(80, int)), ValueError, "at least two classes"),
    "lengths": (lambda: rank(IMAGES, LABELS[:70]), ValueError, "labels must have shape"),
    "continuous": (
        lambda: rank(IMAGES, LABELS, transformations=["continuous-rotation"]),
        ValueError,
        "continuous",
    ),
    "unknown": (lambda: rank(IMAGES, LABELS, transformations=["melting"]), ValueError, "unknown .*'melting'"),
    "text": (lambda: rank(IMAGES, LABELS, transformations="rotation"), TypeError, "must be a list of names"),
    "channels": (lambda: rank(IMAGES, LABELS, transformations=["grayscale"]), ValueError, "grayscale needs"),
    "combinations": (lambda: rank(IMAGES, LABELS, combinations=4), ValueError, "combinations must be"),
    "augmentation": (lambda: rank(IMAGES, LABELS, augmentations=["glow"]), ValueError, "'glow'"),
    "no augmentation": (lambda: rank(IMAGES, LABELS, augmentations=[]), TypeError, "augmentations must be"),
    "seeds": (lambda: rank(IMAGES, LABELS, seeds=1), ValueError, "seeds must be"),
    "device": (lambda: rank(IMAGES, LABELS, device="abacus"), ValueError, "unknown device 'abacus'"),
    "one name": (
        lambda: rank(
            IMAGES,
            LABELS,
            transformations=[{"name": "blur", "sigmas": (0, 1)}, {"name": "blur", "sigmas": (0, 2)}],
        ),
        ValueError,
        "are called 'blur'",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_tasks_that_no_pilot_began_to_learn_are_named():
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 2
    dark = rng.uniform(0, 0.2, size=(700, 1, 8, 8)) + 0.05 * labels[:, None, None, None]
    settings = RankSettings(
        images=400, judged=300, epochs=2, stretch=4, steps=8, features=16, most_epochs=4, batch=32
    )
    found = rank(
        dark,
        labels,
        transformations=["inversion", "horizontal-flip"],  # a mirrored image of noise is one like any other
        seeds=2,
        explain=False,
        settings=settings,
        jobs=1,
        device="cpu",
    )
    idle = [note for note in found.notes if "did not begin to learn" in note]
    assert len(idle) == 1
    assert "learn horizontal-flip in 24 steps, nor in 4 times as many:" in idle[0]
    steps = {task.name: task.steps for task in found.tasks}
    assert steps == dict.fromkeys(steps, settings.step_count(found.trained))  # no longer for nothing
    told = {task.name: "did not begin to learn it" in task.told for task in found.tasks}
    assert told == {"inversion": False, "horizontal-flip": True}


def test_what_only_the_class_tells_is_said_to_be_synergy_and_nothing_to_learn():
    """A bar at the left, or at the right by class: a mirrored image is one of the other class."""
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 2
    bars = rng.uniform(0, 0.3, size=(700, 1, 8, 8))
    bars[labels == 0, :, :, 1:3] += 0.6
    bars[labels == 1, :, :, 5:7] += 0.6
    found = rank(
        bars,
        labels,
        transformations=["inversion", "horizontal-flip"],
        seeds=2,
        settings=replace(TINY, judged=280),
        jobs=1,
        device="cpu",
    )
    flip = task(found, "horizontal-flip")
    assert flip.quantities["I(A;X)"].value < 0.03  # 0 in truth
    assert flip.quantities["I(A;C|X)"].value == pytest.approx(math.log(2), abs=0.1)
    assert "there is synergy, and nothing to learn from the input alone" in flip.told
    assert "there is synergy" not in task(found, "inversion").told
    assert sum("learn horizontal-flip, and the class would have told" in note for note in found.notes) == 1


def test_a_task_that_is_learnt_late_is_given_more_steps():
    shown, labels = digits(700)
    few = RankSettings(
        images=400,
        judged=300,
        epochs=1,
        steps=4,
        features=16,
        most_epochs=40,
        batch=64,
        longer=1.0,
        stretch=8,
    )
    given = {"transformations": ["inversion", "jigsaw"], "seeds": 2, "explain": False, "jobs": 1}
    found = rank(shown, labels, settings=few, device="cpu", **given)
    steps = {task.name: task.steps for task in found.tasks}
    base = few.step_count(found.trained)
    assert steps["inversion"] == base  # a sign of the mean: learnt at once
    assert steps["jigsaw"] in {2 * base, 4 * base, 8 * base}
    assert any(note.endswith(f"jigsaw ({steps['jigsaw'] // base} times)") for note in found.notes)
    assert found.to_dict()["ranking"][0]["steps"] == found.tasks[0].steps
    never = rank(shown, labels, settings=replace(few, stretch=1), device="cpu", **given)
    assert {task.steps for task in never.tasks} == {base}
    assert any(f"did not begin to learn jigsaw in {base} steps:" in note for note in never.notes)


def test_begun_asks_what_a_network_tells_of_images_it_did_not_see():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=2_000)
    chance = log_softmax(rng.normal(size=(2_000, 4)), axis=1)
    assert not begun(chance, labels, np.log(4))  # noise, confident in it
    assert not begun(np.full((2_000, 4), -np.log(4)), labels, np.log(4))
    right = rng.random(2_000) < 0.5  # right by half and very sure of it: its own loss is above log 4
    sure = np.full((2_000, 4), -30.0)
    sure[np.arange(2_000), np.where(right, labels, rng.integers(4, size=2_000))] = 0.0
    assert -log_softmax(sure, axis=1)[np.arange(2_000), labels].mean() > np.log(4)
    assert begun(sure, labels, np.log(4))
