"""Tasks of one's own: those that draw, those whose states show one image, those of unequal labels."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from ranking_worlds import TINY, digits

from synergy.learning import as_task
from synergy.ranking import rank
from synergy.ranking.candidates import Candidate
from synergy.ranking.pilots import begun

QUICK = replace(TINY, images=80, judged=60, epochs=1, steps=4)
HERE = {"settings": QUICK, "seeds": 2, "jobs": 1, "device": "cpu"}


def noisy(images, labels):
    """A is the strength of noise that torch draws."""
    return images + 0.1 * labels[:, None, None, None] * torch.randn_like(images)


def noisy_by_numpy(images, labels):
    drawn = torch.from_numpy(np.random.default_rng().normal(size=tuple(images.shape))).to(images.dtype)
    return images + 0.1 * labels[:, None, None, None] * drawn


def test_a_task_that_draws_is_taken_up_again_and_gives_the_same_bytes(tmp_path):
    images, labels = digits(140)
    told = []
    first, other = (
        rank(
            images,
            labels,
            transformations=[(noisy, 3)],
            out=tmp_path / folder,
            progress=lambda *a: told.append(a),
            **HERE,
        )
        for folder in ("one", "two")
    )
    runs = len(told)
    assert {**first.to_dict(), "seconds": 0} == {**other.to_dict(), "seconds": 0}
    again = rank(
        images,
        labels,
        transformations=[(noisy, 3)],
        out=tmp_path / "one",
        progress=lambda *a: told.append(a),
        **HERE,
    )
    assert len(told) == runs
    assert json.loads(again.to_json()) == first.to_dict()


def test_a_task_that_draws_elsewhere_is_refused(tmp_path):
    images, labels = digits(140)
    with pytest.raises(ValueError, match=r"'noisy_by_numpy' must make the same .* label 1 it does not"):
        rank(images, labels, transformations=[(noisy_by_numpy, 2)], out=tmp_path / "out", **HERE)
    assert not (tmp_path / "out").exists()


def test_draws_depend_on_the_seed_alone():
    images, codes = torch.zeros(5, 1, 4, 4), torch.ones(5, dtype=torch.long)
    candidate = Candidate(as_task((noisy, 2)))
    one = candidate.shown(images, codes, seed=1)
    torch.rand(7)
    assert torch.equal(candidate.shown(images, codes, seed=1), one)
    assert not torch.equal(candidate.shown(images, codes, seed=2), one)


def test_a_network_that_knows_how_often_a_label_is_has_not_begun():
    """A is 1 for three of four rotations: H(A) is that of (1/4, 3/4), and to guess 1 tells nothing."""
    entropy = Candidate(as_task("rotation", coarse=[0, 1, 1, 1])).entropy
    assert entropy == pytest.approx(math.log(4) - 0.75 * math.log(3))
    assert Candidate(as_task("rotation")).entropy == pytest.approx(math.log(4))
    labels = np.arange(400) % 4 > 0
    assert not begun(np.log(np.tile([0.25, 0.75], (400, 1))), labels.astype(np.int64), entropy)
