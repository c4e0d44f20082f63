"""Shortcuts, portfolios and words, against closed forms."""

import numpy as np
import pytest
import torch

from synergy.ranking import SHORTCUTS, statistics
from synergy.ranking.gains import Gain
from synergy.ranking.quantities import Quantity, combined
from synergy.ranking.shortcuts import predicted
from synergy.ranking.words import paragraph
from synthetic.transformations import transformation


def noisy(rng, truth, states, strength):
    logits = strength * np.eye(states)[truth] + rng.normal(size=(len(truth), states))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_a_portfolio_is_no_worse_than_its_best_member_nor_than_chance():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=3000)
    members = [noisy(rng, truth, 3, strength) for strength in (2.0, 1.0)]
    useless = noisy(rng, rng.permutation(truth), 3, 5.0)
    rows = np.arange(len(truth))
    losses = [-m[rows, truth].mean() for m in members]
    found = -combined([*members, useless], truth, 3, folds=5)[rows, truth].mean()
    assert found < min(losses)
    alone = -combined([useless], truth, 3, folds=5)[rows, truth].mean()
    assert alone == pytest.approx(np.log(3), abs=0.01)


@pytest.mark.parametrize("name", ["inversion", "rotation"])
def test_statistics_of_an_image_that_is_its_own_transform_do_not_change(name):
    """Gray images of one shade 1/2 are their own inversion and rotation."""
    images = torch.full((4, 3, 8, 8), 0.5)
    shown = transformation(name).apply(images, torch.ones(4, dtype=torch.long))
    np.testing.assert_allclose(statistics(shown), statistics(images), atol=1e-12)


def test_each_statistic_sees_what_it_is_named_after():
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(50, 3, 8, 8, generator=rng)
    changes = {
        "channel means": (images * 0.5, "channel equality"),
        "sharpness": (transformation("blur").apply(images, torch.full((50,), 3)), None),
        "channel equality": (images.mean(dim=1, keepdim=True).expand_as(images), None),
    }
    for name, (changed, _) in changes.items():
        before, after = (statistics(x, [name]).mean() for x in (images, changed))
        assert after < 0.8 * before, name
    flipped = images.flip(2)
    for name in ("channel means", "channel spreads", "channel equality", "histogram"):
        np.testing.assert_allclose(statistics(flipped, [name]), statistics(images, [name]), atol=1e-6)
    assert not np.allclose(statistics(flipped, ["border pixels"]), statistics(images, ["border pixels"]))
    with pytest.raises(ValueError, match="unknown statistic 'soul'"):
        statistics(images, ["soul"])
    assert statistics(images).shape[1] == sum(statistics(images, [n]).shape[1] for n in SHORTCUTS)


def test_simple_models_reach_the_entropy_of_a_known_rule():
    """A is the sign of U with 10 % errors: the loss is H(0.1)."""
    rng = np.random.default_rng(0)
    u = rng.normal(size=(6000, 2))
    a = ((u[:, 0] > 0) ^ (rng.random(6000) < 0.1)).astype(np.int64)
    found = predicted((u[:4000], a[:4000]), u[4000:], 2, seed=0)
    log_p = combined(found, a[4000:], 2, folds=5)
    loss = -log_p[np.arange(2000), a[4000:]]
    want = -0.1 * np.log(0.1) - 0.9 * np.log(0.9)
    error = loss.std() / np.sqrt(len(loss))
    assert want - 4 * error < loss.mean() < want + 4 * error + 0.03
    single = predicted((u[:50], np.zeros(50, dtype=np.int64)), u[:10], 2, seed=0)
    np.testing.assert_allclose(single[0], -np.log(2))


GAIN = Gain(-0.03, 0.005, (-0.04, -0.02), 4, 10.0)


def test_a_paragraph_says_what_the_numbers_say():
    quantities = {
        "H(A|X)": Quantity(0.2, 0.01),
        "I(A;X)": Quantity(1.0, 0.01),
        "I(A;U)": Quantity(0.92, 0.01),
        "I(A;X|U)": Quantity(0.08, 0.01),
        "I(A;C|X)": Quantity(-0.01, 0.01),
        "J": None,
    }
    text = paragraph(
        "blur",
        GAIN,
        entropy=1.2,
        quantities=quantities,
        shortcuts={"sharpness": Quantity(0.92, 0.01), "histogram": Quantity(0.1, 0.01)},
        dropped=2,
    )
    assert "worth less than no training" in text
    assert "solved by sharpness alone: 92 % of I(A;X)" in text
    assert "dropped after 2 seeds" in text
    assert "I(A;C|X) (-0.010 ± 0.010) is not negative in truth" in text


def test_a_lossless_task_is_called_so_and_a_bare_one_says_its_gain_alone():
    text = paragraph(
        "inversion",
        Gain(0.02, 0.01, (-0.01, 0.05), 2, 5.0),
        entropy=0.69,
        quantities={"H(A|X)": Quantity(0.01, 0.01), "I(A;X)": Quantity(0.68, 0.01)},
        shortcuts={},
        dropped=None,
    )
    assert "can be read off the input" in text
    assert "not told from no training" in text
    bare = paragraph("x", GAIN, entropy=1.0, quantities={}, shortcuts={}, dropped=None)
    assert bare.count(".") == bare.count("−") + 1
