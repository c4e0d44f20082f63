"""The random numbers of training steps: which ones agree, and which are their own."""

import itertools

import pytest
import torch

from synergy.learning import ImageSet, Stream
from synergy.learning.batches import step_streams
from synergy.learning.seeds import generator
from synthetic import Glyphs

CPU = torch.device("cpu")


def seeds(epoch: int, steps: int, *, seed: int = 3, held_out: bool = False) -> list[int]:
    return [g.initial_seed() for g in step_streams(epoch, steps, seed=seed, device=CPU, held_out=held_out)]


def test_a_step_has_the_same_numbers_however_many_follow():
    assert seeds(2, 5) == seeds(2, 9)[:5]


def test_no_two_steps_share_their_numbers():
    every = [s for epoch, seed in itertools.product(range(4), range(3)) for s in seeds(epoch, 20, seed=seed)]
    every += seeds(0, 20, held_out=True)
    assert len(set(every)) == len(every)


def test_held_out_steps_are_the_same_in_every_epoch():
    assert seeds(0, 5, held_out=True) == seeds(7, 5, held_out=True)


def test_a_step_draws_from_the_stream_of_its_seed_and_key():
    (stream,) = step_streams(0, 1, seed=5, device=CPU, held_out=False)
    assert torch.equal(torch.rand(4, generator=stream), torch.rand(4, generator=generator(5, 2, 0, 0)))


@pytest.mark.parametrize("kind", ["images", "stream"])
def test_every_batch_brings_the_numbers_of_its_step(kind: str):
    source = (
        ImageSet(torch.rand(10, 1, 8, 8), {"C": torch.arange(10) % 2}, {"C": 2})
        if kind == "images"
        else Stream(Glyphs(size=16), size=10)
    )
    drawn = [batch.rng.initial_seed() for batch in source.batches(1, 3, seed=4, device=CPU)]
    assert drawn == seeds(1, 3, seed=4)
    held = [batch.rng.initial_seed() for batch in source.batches(1, 3, seed=4, device=CPU, held_out=True)]
    assert held == seeds(0, len(held), seed=4, held_out=True)
