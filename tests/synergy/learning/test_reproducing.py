"""One seed fixes a run, whatever its encoder draws; a checkpoint is taken up by its own run alone."""

from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from synergy.learning import (
    Eliminate,
    ImageSet,
    PredictLabel,
    PredictTransformation,
    Stream,
    Trained,
    Training,
    train,
)
from synergy.learning.run import Run
from synergy.learning.seeds import seeded, stream_seed
from synthetic import Digits, Glyphs, from_arrays

CPU = torch.device("cpu")
OPTIONS = Training(epochs=4, batch_size=16, device="cpu")
ENCODER = {"seed": 0, "options": OPTIONS}


def images(n: int = 64) -> ImageSet:
    rng = torch.Generator().manual_seed(0)
    labels = {"C": torch.arange(n) % 3, "D": torch.arange(n) // 3 % 2}
    return ImageSet(torch.rand(n, 1, 8, 8, generator=rng), labels, {"C": 3, "D": 2})


def layers(*last: nn.Module):
    def build() -> nn.Module:
        module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), *last)
        module.features = 8
        return module

    return build


class Noisy(nn.Module):
    """Draws from torch's own generator in every step, and remembers what."""

    features = 4

    def __init__(self, drawn: list[float]) -> None:
        super().__init__()
        self.layer, self.drawn = nn.Linear(64, 4), drawn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.drawn.append(float(torch.rand(())))
        return self.layer(x.flatten(1))


class StopError(Exception):
    pass


def stop_half_way(done: float) -> None:
    if done >= 0.5:
        raise StopError


def same(first: Trained, second: Trained) -> bool:
    a, b = first.encoder.state_dict(), second.encoder.state_dict()
    return all(torch.equal(a[k], b[k]) for k in a) and first.curve.equals(second.curve)


def test_the_seed_fixes_dropout():
    settings = {"encoder": layers(nn.Dropout(0.5)), **ENCODER}
    first = train(PredictLabel("C"), images(), **settings)
    torch.rand(7)
    assert same(train(PredictLabel("C"), images(), **settings), first)


def test_every_step_draws_its_own_noise_and_another_seed_other_noise():
    def drawn(seed: int) -> list[float]:
        found: list[float] = []
        train(PredictLabel("C"), images(), seed=seed, encoder=lambda: Noisy(found), options=OPTIONS)
        return found

    first, other = drawn(0), drawn(1)
    assert len(set(first) | set(other)) == 2 * 4 * 4
    assert drawn(0) == first


def test_a_run_with_dropout_resumes_to_the_bit(tmp_path):
    settings = {"encoder": layers(nn.Dropout(0.5)), "held_out": images(24), **ENCODER}
    whole = train(PredictLabel("C"), images(), **settings)
    with pytest.raises(StopError):
        train(PredictLabel("C"), images(), checkpoint=tmp_path, progress=stop_half_way, **settings)
    assert same(train(PredictLabel("C"), images(), checkpoint=tmp_path, **settings), whole)


def test_judging_held_out_data_does_not_change_what_is_learned():
    settings = {"encoder": layers(nn.Dropout(0.5)), **ENCODER}
    judged, alone = (train(PredictLabel("C"), images(), held_out=h, **settings) for h in (images(24), None))
    assert judged.curve["loss"].equals(alone.curve["loss"])


def test_a_noisy_encoder_leaves_torchs_own_random_state_alone():
    before = torch.get_rng_state()
    train(PredictLabel("C"), images(), encoder=layers(nn.Dropout(0.5)), **ENCODER)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "index"), [("cuda", 1), ("cuda:2", 2)])
def test_the_generator_of_the_cuda_device_is_forked_and_seeded(
    monkeypatch: pytest.MonkeyPatch, name: str, index: int
):
    """And no other device's: 1 is the current one."""
    calls: list[object] = []

    @contextmanager
    def forked(devices: list[int]):
        calls.append(devices)
        yield

    def entered(device: int):
        calls.append(device)
        return nullcontext()

    monkeypatch.setattr(torch.random, "fork_rng", forked)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "device", entered)
    monkeypatch.setattr(torch.cuda, "manual_seed", calls.append)
    kept = torch.get_rng_state()
    with seeded(3, 1, 2, device=torch.device(name)):
        assert torch.initial_seed() == stream_seed(3, 1, 2)
    torch.set_rng_state(kept)
    assert calls == [[index], index, stream_seed(3, 1, 2)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_dropout_repeats_and_leaves_cudas_random_state_alone():
    options = Training(epochs=2, batch_size=16, device="cuda")
    before = torch.cuda.get_rng_state()
    settings = {"seed": 0, "encoder": layers(nn.Dropout(0.5)), "options": options}
    first, second = (train(PredictLabel("C"), images(), **settings) for _ in range(2))
    assert same(first, second)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_a_checkpoint_of_other_layers_is_refused(tmp_path):
    """ReLU and Tanh have the same weights."""
    train(PredictLabel("C"), images(), encoder=layers(nn.ReLU()), checkpoint=tmp_path, **ENCODER)
    with pytest.raises(ValueError, match="belongs to another run: its module is"):
        train(PredictLabel("C"), images(), encoder=layers(nn.Tanh()), checkpoint=tmp_path, **ENCODER)


def test_an_address_in_what_a_module_prints_is_no_difference(tmp_path):
    class Printed(nn.Identity):
        def extra_repr(self) -> str:
            return f"by {object()!r}"

    def run() -> Trained:
        return train(PredictLabel("C"), images(), encoder=layers(Printed()), checkpoint=tmp_path, **ENCODER)

    assert same(run(), run())


def drawn_images(seed: int, n: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 8, 8))


def test_a_checkpoint_of_a_stream_of_other_images_is_refused(tmp_path):
    first, other = (Stream(from_arrays(drawn_images(s), np.arange(12) % 3), 16) for s in (0, 1))
    settings = {"encoder": "mlp", "checkpoint": tmp_path, **ENCODER}
    trained = train(PredictLabel("A"), first, **settings)
    again = Stream(from_arrays(drawn_images(0), np.arange(12) % 3), 16)
    assert same(train(PredictLabel("A"), again, **settings), trained)
    with pytest.raises(ValueError, match="belongs to another run: its data is"):
        train(PredictLabel("A"), other, **settings)


def test_a_streams_digest_is_that_of_what_it_draws():
    classes = np.arange(12) % 3
    every = [
        Stream(Digits(), 8),
        Stream(Digits(), 9),
        Stream(Digits("jigsaw"), 8),
        Stream(Glyphs(size=16), 8),
        Stream(from_arrays(drawn_images(0), classes), 8),
        Stream(from_arrays(drawn_images(1), classes), 8),
        Stream(from_arrays(drawn_images(0), classes[::-1]), 8),
    ]
    assert len({stream.digest for stream in every}) == len(every)
    assert Stream(Digits(), 8).digest == every[0].digest


@pytest.mark.parametrize("method", ["alternating", "reversal", "independence"])
def test_elimination_of_weight_zero_is_the_task_alone_with_the_same_optimiser(method: str):
    """The control of an experiment on elimination: the critic does not reach encoder and head."""
    pretext = Eliminate(PredictLabel("C"), label="D", weight=0.0, method=method)
    control = train(pretext, images(), encoder="cnn", **ENCODER)
    alone = Run(PredictLabel("C"), images(), OPTIONS, CPU, "cnn", 64, 0)
    alone.optimiser.param_groups[0]["betas"] = (0.5, 0.999)
    while not alone.finished:
        alone.epoch()
    expected = alone.result()
    found = control.encoder.state_dict()
    assert all(torch.equal(found[k], v) for k, v in expected.encoder.state_dict().items())
    for own, wanted in zip(control.head.task.parameters(), expected.head.parameters(), strict=True):
        assert torch.equal(own, wanted)


@pytest.mark.parametrize("method", ["alternating", "reversal", "independence"])
def test_both_arms_of_elimination_see_the_same_draws(method: str):
    """A rate too small to move a weight leaves the losses of the untrained encoder."""
    options = Training(epochs=2, batch_size=16, learning_rate=1e-30, device="cpu")
    losses = [
        train(
            Eliminate(PredictTransformation("rotation"), weight=weight, method=method),
            images(),
            seed=0,
            options=options,
        ).curve["loss"]
        for weight in (0.0, 1.0)
    ]
    assert losses[0].equals(losses[1])
