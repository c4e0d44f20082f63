"""Held-out data: every row counts, none was trained on, and what does not fit is refused."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from synergy.learning import (
    Eliminate,
    Equivariance,
    ImageSet,
    Invariance,
    PredictLabel,
    PredictTransformation,
    Pretext,
    Source,
    Stream,
    Trained,
    Training,
    train,
)
from synthetic import Digits, Glyphs, from_arrays

CPU = torch.device("cpu")
OPTIONS = Training(epochs=1, batch_size=8, device="cpu")


def images(n: int, seed: int = 0, states: int = 3) -> ImageSet:
    rng = torch.Generator().manual_seed(seed)
    return ImageSet(torch.rand(n, 1, 8, 8, generator=rng), {"C": torch.arange(n) % states}, {"C": states})


def judged(pretext: Pretext, held_out: Source, source: Source | None = None, **options: object) -> Trained:
    settings = Training(**{"epochs": 1, "batch_size": 8, "device": "cpu", **options})
    given = images(32) if source is None else source
    return train(pretext, given, seed=0, encoder="mlp", features=8, options=settings, held_out=held_out)


@pytest.mark.parametrize("rows", [3, 8, 15, 17])
def test_every_held_out_row_counts_the_same(rows: int):
    held = images(rows, seed=1)
    trained = judged(PredictLabel("C"), held)
    logits = trained.head(torch.from_numpy(trained.represent(held.images)))
    found = trained.curve.iloc[-1]
    loss = functional.cross_entropy(logits, held.labels["C"]).item()
    assert found["held_out_loss"] == pytest.approx(loss, rel=1e-5)
    right = (logits.argmax(1) == held.labels["C"]).double().mean().item()
    assert found["held_out_accuracy"] == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize("pretext", [Invariance("rotation"), Equivariance("rotation", block=2)])
def test_a_loss_that_depends_on_the_batch_is_judged_on_whole_batches(pretext: Pretext):
    held = images(15, seed=1)
    every, whole = (judged(pretext, h).curve["held_out_loss"] for h in (held, held.rows(torch.arange(8))))
    assert every.equals(whole)


@pytest.mark.parametrize(("size", "sizes"), [(15, [8, 7]), (16, [8, 8]), (5, [5])])
def test_a_held_out_stream_has_as_many_rows_as_it_says(size: int, sizes: list[int]):
    drawn = Stream(Glyphs(size=16), size).batches(0, 8, seed=0, device=CPU, held_out=True)
    assert [len(batch) for batch in drawn] == sizes


def own(seed: int, transformation: str = "rotation") -> Stream:
    pixels = np.random.default_rng(seed).random((12, 8, 8))
    return Stream(from_arrays(pixels, np.arange(12) % 3, transformation=transformation), 16)


PAIR = Digits(classes=(0, 1))
SHARED = [(Digits(), Digits()), (Digits(), Digits("inversion")), (Digits(), PAIR), (PAIR, Digits())]


@pytest.mark.parametrize(("shown", "held"), SHARED)
def test_a_held_out_stream_of_the_trained_raw_images_is_refused(shown: Digits, held: Digits):
    count = min(len(shown.raw), len(held.raw))
    with pytest.raises(ValueError, match=f"held_out draws {count} raw images that the training stream draws"):
        judged(PredictTransformation("inversion"), Stream(held, 24), Stream(shown, 16))


def test_held_out_streams_of_other_images_and_without_end_are_taken():
    assert np.isfinite(judged(PredictLabel("C"), own(1), own(0)).curve["held_out_loss"]).all()
    glyphs = Stream(Glyphs(size=16), 16)
    assert np.isfinite(judged(PredictLabel("C"), glyphs, glyphs).curve["held_out_loss"]).all()
    split = Stream(Digits(), 16)
    assert np.isfinite(judged(PredictLabel("C"), images(16, states=10), split).curve["held_out_loss"]).all()


BAD = {
    "more states": (PredictLabel("C"), images(16, states=4), {}, "held_out has 4 states of 'C', more than"),
    "more states of what is told": (
        PredictTransformation("rotation", told="C"),
        images(16, states=4),
        {},
        "held_out has 4 states of 'C', more than the training data's 3",
    ),
    "more states of what is eliminated": (
        Eliminate(PredictTransformation("rotation")),
        images(16, states=4),
        {},
        "held_out has 4 states of 'C'",
    ),
    "one held-out image to tell apart": (
        Invariance("rotation"),
        images(1),
        {},
        "held_out must have at least 2 rows for invariance, got 1",
    ),
    "one image in a batch": (
        Invariance("rotation"),
        images(8),
        {"batch_size": 1},
        "batch_size must be at least 2 for invariance, got 1",
    ),
    "less than a block in a batch": (
        Equivariance("rotation"),
        images(8),
        {"batch_size": 7},
        "batch_size must be at least 8 for equivariance, got 7",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_judged_is_refused(case: str):
    pretext, held_out, options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        judged(pretext, held_out, **options)


def test_labels_that_the_task_does_not_read_and_fewer_states_are_taken():
    for pretext, states in ((PredictTransformation("rotation"), 4), (PredictLabel("C"), 2)):
        found = judged(pretext, images(16, seed=1, states=states)).curve["held_out_loss"]
        assert np.isfinite(found).all()
