"""On a real CUDA device: estimates repeat, generators and flags are left alone, and a step does not wait."""

import numpy as np
import pytest
import torch

from synergy.estimators import estimate
from synergy.learning import ImageSet, PredictLabel, Training, train
from synthetic import Digits
from synthetic.transformations import TRANSFORMATIONS, transformation

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("barber-agakov", {"steps": 40}),
        ("infonce", {"steps": 40}),
        ("classifier", {"quality": "default", "folds": 2}),
    ],
)
def test_estimates_repeat_and_leave_the_generator_and_the_flags_alone(name: str, options: dict):
    rng = np.random.default_rng(0)
    c = rng.integers(3, size=600)
    data = {"C": c, "W": c[:, None] + rng.normal(size=(600, 2))}
    before = torch.cuda.get_rng_state(), torch.get_rng_state(), torch.get_deterministic_debug_mode()
    first, second = (estimate(data, "I(C;W)", estimator=name, device="cuda", **options) for _ in range(2))
    assert first.value == second.value
    assert np.array_equal(first.scores, second.scores)
    assert torch.equal(torch.cuda.get_rng_state(), before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert torch.get_deterministic_debug_mode() == before[2]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_transformation_agrees_with_the_cpu(name: str):
    action, images = (
        transformation(name),
        torch.linspace(0, 1, 48 * 768).reshape(48, 3, 16, 16),
    )
    labels = torch.from_numpy(action.draw(48, np.random.default_rng(0)))
    found = action.apply(images.cuda(), labels.cuda()).cpu()
    torch.testing.assert_close(found, action.apply(images, labels), rtol=0, atol=1e-5)


def test_a_step_does_not_make_the_host_wait():
    """Torch itself raises where an operation would."""
    data = ImageSet.from_generator(Digits(), n=64)
    there = ImageSet(data.images.cuda(), data.labels, data.states)
    device = torch.device("cuda")
    batches = there.batches(0, 16, seed=0, device=device)
    task, encoder = (
        PredictLabel("C", augment="simclr"),
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8)).to(device),
    )
    head = task.head(8, there.states).to(device)
    first = next(batches)
    task.losses(encoder, head, first).total.backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        task.losses(encoder, head, next(batches)).total.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    found = train(
        task, there, seed=0, encoder="mlp", options=Training(epochs=1, batch_size=16, device="cuda")
    )
    assert np.isfinite(found.curve["loss"]).all()
