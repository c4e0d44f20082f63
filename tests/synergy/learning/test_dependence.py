"""The criterion of independence, against its definition, and elimination without a critic."""

import numpy as np
import pytest
import torch

from synergy.learning import Eliminate, ImageSet, PredictLabel, Training, train
from synergy.learning.batches import Batch
from synergy.learning.pretext.dependence import _WIDTHS, dependence


def slow(z, label):
    """By the definition, with explicit centring matrices."""
    z = (z - z.mean(0)) / z.std(0, ddof=1)
    n, d = z.shape
    k, c = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            square = ((z[i] - z[j]) ** 2).sum() / (2 * d)
            k[i, j] = sum(np.exp(-square / width) for width in _WIDTHS)
            c[i, j] = label[i] == label[j]
    h = np.eye(n) - 1 / n
    k, c = h @ k @ h, h @ c @ h
    return np.trace(k @ c) / np.sqrt(np.trace(k @ k) * np.trace(c @ c))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    z, label = rng.standard_normal((20, 3)), rng.integers(4, size=20)
    z[:, 0] += label
    found = dependence(torch.tensor(z), torch.tensor(label))
    assert float(found) == pytest.approx(slow(z, label), abs=1e-5)


def test_units_and_order_do_not_matter_and_chance_is_small():
    rng = np.random.default_rng(0)
    label = torch.tensor(rng.integers(3, size=256))
    noise = torch.tensor(rng.standard_normal((256, 2)), dtype=torch.float32)
    shown = noise + 3 * torch.nn.functional.one_hot(label, 3)[:, :2]
    order = torch.tensor(rng.permutation(256))
    assert float(dependence(shown, label)) > 0.5
    assert float(dependence(noise, label)) < 0.15
    same = dependence(100 * shown[order] - 7, label[order])
    assert float(same) == pytest.approx(float(dependence(shown, label)), abs=1e-4)


@pytest.mark.parametrize("constant", ["label", "z"])
def test_what_does_not_vary_depends_on_nothing_and_has_a_gradient(constant):
    z = torch.zeros(8, 2) if constant == "z" else torch.randn(8, 2)
    z.requires_grad_()
    label = torch.zeros(8, dtype=torch.long) if constant == "label" else torch.arange(8) % 2
    found = dependence(z, label)
    found.backward()
    assert abs(float(found.detach())) < 1e-3
    assert torch.isfinite(z.grad).all()


def two_labels(n=512):
    """Vectors that show two independent labels in different places."""
    rng = np.random.default_rng(0)
    a, c = rng.integers(2, size=n), rng.integers(2, size=n)
    x = 0.3 * rng.standard_normal((n, 6))
    x[:, 0] += a
    x[:, 1] += c
    return ImageSet.from_arrays(x.astype(np.float32), {"A": a, "C": c, "both": 2 * a + c}, pixels=None)


def test_the_gradient_adds_the_criterion():
    images = two_labels(64)
    batch = Batch(images.images, dict(images.labels), torch.Generator().manual_seed(0))
    encoder = torch.nn.Linear(6, 3)
    pretext = Eliminate(PredictLabel("A"), "C", weight=4.0, method="independence")
    head = pretext.head(3, images.states)
    assert pretext.adversary_parameters(head) == []
    assert list(pretext.adversary_losses(encoder, head, batch)) == []
    z = encoder(batch.images)
    task = torch.nn.functional.cross_entropy(head.task(z), batch.labels["A"])
    expected = torch.autograd.grad(task + 4.0 * dependence(z, batch.labels["C"]), encoder.weight)[0]
    found = torch.autograd.grad(pretext.losses(encoder, head, batch).total, encoder.weight)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_training_with_it_forgets_the_one_label_and_keeps_the_other():
    images = two_labels()
    read = {}
    for weight in (0.0, 10.0):
        pretext = Eliminate(PredictLabel("both"), "C", weight=weight, method="independence")
        options = Training(epochs=30, batch_size=128, device="cpu")
        fitted = train(pretext, images, seed=0, encoder="mlp", features=4, options=options, progress=False)
        z = torch.from_numpy(fitted.represent(images.images.numpy()))
        read[weight] = {name: float(dependence(z, images.labels[name])) for name in "AC"}
    assert read[10.0]["C"] < 0.1
    assert min(read[0.0]["C"], read[0.0]["A"], read[10.0]["A"]) > 0.2
