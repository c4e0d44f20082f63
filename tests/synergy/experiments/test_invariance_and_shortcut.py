"""Invariance or equivariance, and the shortcut: their laws in closed form, and what is said of runs."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.experiments import Scale
from synergy.experiments.invariance import experiment as inv
from synergy.experiments.shortcut import experiment as cut
from synergy.experiments.shortcut.watermarks import judged_sets
from synergy.experiments.worlds import fit, image_sets, pixel_accuracy, probe_accuracy, untransformed
from synergy.learning import Untrained
from synergy.learning.batches import Batch

PRETEXTS = (inv.PIXELS, inv.RANDOM, "invariant", "equivariant", inv.CARE, inv.HIDDEN)
SEEDS = 5


def entropy(p):
    p = np.asarray([v for v in p.values() if v > 0])
    return -float((p * np.log(p)).sum())


def information(joint, x, y, given=()):
    """I(x;y|given) in nats of a table from tuples to probabilities, by positions."""

    def h(places):
        summed = {}
        for key, p in joint.items():
            part = tuple(key[i] for i in places)
            summed[part] = summed.get(part, 0.0) + p
        return entropy(summed)

    given = tuple(given)
    return h((x, *given)) + h((y, *given)) - h((x, y, *given)) - h(given)


def test_an_optimal_predictor_of_the_shift_knows_the_hue_that_is_seen():
    weights = (0.8, 0.1, 0.1)
    joint = {(a, (h + a) % 3): weights[h] / 3 for a, h in product(range(3), repeat=2)}
    assert inv.readable(weights) == pytest.approx(information(joint, 0, 1), abs=1e-12)
    posteriors = {tuple(round(3 * joint[a, seen], 12) for a in range(3)) for seen in range(3)}
    assert len(posteriors) == 3
    assert inv.readable((1 / 3, 1 / 3, 1 / 3)) == pytest.approx(0, abs=1e-12)


def test_how_far_a_transformation_moves_a_representation():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((20_000, 4))
    assert inv.moved(z, z) == 0
    assert inv.moved(z, 3 * z) == pytest.approx(inv.moved(10 * z, 30 * z), rel=1e-12)
    assert inv.moved(z, rng.standard_normal(z.shape)) == pytest.approx(1, abs=4 / np.sqrt(z.size))
    assert inv.moved(z, -z) == pytest.approx(2, abs=4 / np.sqrt(z.size))
    with pytest.raises(ValueError, match="all images are the same"):
        inv.moved(np.ones((3, 2)), np.ones((3, 2)))


def test_the_contrastive_pair_of_care_is_not_shifted_and_keeps_the_hue():
    care = inv._pretexts()[inv.CARE]
    hues = torch.eye(3)[torch.arange(32) % 3]
    images = hues[:, :, None, None].expand(-1, -1, 16, 16).contiguous()
    rng = torch.Generator().manual_seed(0)
    first, shifted, second = care.views(Batch(images, {}, rng)).chunk(3)
    torch.testing.assert_close(first, images, atol=1e-6, rtol=0)
    torch.testing.assert_close(second, images, atol=1e-6, rtol=0)
    steps = (shifted.mean(dim=(2, 3)).argmax(dim=1) - hues.argmax(dim=1)) % 3
    assert (steps.reshape(-1, care.block) == steps[:: care.block, None]).all()
    assert len(steps.unique()) > 1


def test_an_untrained_encoder_does_not_keep_the_hue_by_chance():
    scale = Scale(seeds=1, steps=4, judged=800)
    held = inv._images(scale.judged, inv._UNIFORM, 7, scale)
    assert held.images.min() == 0
    assert held.images.max() == 1
    judged = untransformed(held)
    fitted = [fit(Untrained(), held, seed=k, scale=scale, features=inv._FEATURES) for k in range(4)]
    accuracy = np.mean([probe_accuracy(f, judged, "hue") for f in fitted])
    assert 1 / 3 + 0.1 < accuracy < 0.9
    assert pixel_accuracy(judged, "hue") > 0.99


def hue_runs(**accuracy):
    """Runs in which every encoder keeps 0.5 of class and hue, or what is given for (encoder, latent)."""
    rows = []
    for seed, name in product(range(SEEDS), PRETEXTS):
        row = {"pretext": name, "seed": seed, "moved by a shift": 0.5, "I(A;Z)": float("nan")}
        for latent in inv.LATENTS:
            value = accuracy.get(f"{name.split()[0]} {latent}".replace(" ", "_"), 0.5)
            row[f"{latent} accuracy"] = value + 1e-4 * seed
        if "equivariant" in name:
            row["I(A;Z)"] = 1e-4 * seed + (0.0 if name == inv.HIDDEN else inv.readable(inv._MOSTLY_RED))
        rows.append(row)
    return pd.DataFrame(rows)


def test_soft_equivariance_is_one_more_point_that_no_prediction_rests_on():
    runs = hue_runs()
    soft = runs[runs["pretext"] == "invariant"].assign(pretext=inv.SOFT)
    both = inv._conclude(pd.concat([runs, soft]))
    alone = inv._conclude(runs)
    assert both.findings[: len(alone.findings)] == alone.findings
    added = both.findings[len(alone.findings) :]
    assert [f.relation for f in added] == [None, None, None]
    assert added[0].spread().mean == 0
    assert both.seen == alone.seen


def verdicts(conclusion):
    return {f.about: f.verdict(0.99) for f in conclusion.findings}


def test_a_hue_that_every_encoder_keeps_is_no_evidence():
    said = verdicts(inv._conclude(hue_runs()))
    assert said["accuracy of the hue, equivariant less random"] == "fixed by construction"
    assert said["accuracy of the hue, invariant less chance"] == "disagrees"
    assert said["accuracy of the hue, shift hidden less random"] == "fixed by construction"
    kept = {f"{name}_hue": 1.0 for name in ("raw", "equivariant", "both")}
    runs = hue_runs(**kept, invariant_hue=1 / 3, random_hue=0.6, random_C=0.9)
    runs.loc[runs["pretext"] == "equivariant", "hue accuracy"] -= 1e-4 * runs["seed"]
    conclusion = inv._conclude(runs)
    said = verdicts(conclusion)
    assert said["accuracy of the hue, equivariant less random"] == "agrees"
    assert said["accuracy of the hue, raw pixels less equivariant"] == "agrees"
    assert said["accuracy of the hue, invariant less chance"] == "agrees"
    assert "The equivariant encoder keeps more of the hue than the random one" in conclusion.seen


@pytest.mark.parametrize("g", [0.25, 0.5, 0.8])
def test_the_law_holds_for_a_representation_that_tells_the_watermark(g):
    """X = A + C mod 4, or A where the watermark is shown; Z = X with or without M."""
    joint = {
        (a, c, m, a if m else (a + c) % 4): (g if m else 1 - g) / 16
        for a, c, m in product(range(4), range(4), range(2))
    }
    unmarked = np.log(4)
    assert information(joint, 0, 1, (2, 3)) == pytest.approx((1 - g) * unmarked, abs=1e-12)
    blind = information(joint, 0, 1, (3,)) / ((1 - g) * unmarked)
    assert abs(blind - 1) > cut._MARGIN


@pytest.mark.parametrize("strength", cut.STRENGTHS)
def test_images_are_judged_unmarked_marked_and_mixed(strength):
    held = image_sets(Scale(), seed=0, default="digits")[1]
    sets = judged_sets(held, strength, pruned=False, copies=1, seed=3)
    mixed = sets.get("mixed", next(iter(sets.values())))
    marked = mixed["X"][:, 0, -1, -1] == 1
    assert marked.mean() == pytest.approx(strength, abs=1e-12)
    assert not mixed["X"][~marked][:, 0, 0].any()
    read = mixed["X"][marked, 0, 0, :8:2].argmax(axis=1)
    assert (read == mixed["A"][marked]).all()
    if strength < 1:
        rows = mixed.rows(~marked)
        first = judged_sets(held, 0.0, pruned=False, copies=1, seed=3)["unmarked"]
        assert sorted(rows["R"]) == list(range(held.size))
        assert np.array_equal(rows["X"], first["X"])
        assert np.array_equal(mixed.rows(slice(held.size))["X"], sets["unmarked"]["X"])


def cut_runs(read=1.0, told=1.0, start=0.2):
    """Runs that keep `read`^g of the synergy of unmarked images, and `told` of that among marked ones."""
    rows = []
    for seed in range(SEEDS):
        full = start * (1 + 0.02 * seed)
        for g, pruned in [*((g, False) for g in cut.STRENGTHS), (1.0, True)]:
            between = 0 < g < 1
            unmarked = full * read**g if g < 1 else float("nan")
            synergy = full if pruned else 0.0 if g == 1 else (1 - g) * unmarked * (told if between else 1)
            rows.append(
                {
                    "strength": g,
                    "pruned": pruned,
                    "seed": seed,
                    "H(A|Z)": 0.8 if pruned else (1 - g) * 0.8 / read**g,
                    cut.READ: 0.8 / read**g if g < 1 else float("nan"),
                    cut.UNREAD: 0.8 / read**g if between else float("nan"),
                    cut.SYNERGY: synergy,
                    cut.UNMARKED: unmarked,
                    cut.MARKED: 0.0 if g > 0 else float("nan"),
                    "mark accuracy": 1.0 if between else float("nan"),
                    "class accuracy": 0.7 + 0.001 * seed if g == 1 and not pruned else 0.9,
                    "I(A;C|X)": 0.28 * (1 if pruned else 1 - g),
                }
            )
    frame = pd.DataFrame(rows)
    measured = [name for name in frame.select_dtypes(float) if name not in ("strength",)]
    frame[measured] += np.random.default_rng(0).normal(scale=1e-7, size=(len(frame), len(measured)))
    return frame


def of(conclusion, relation, *words):
    """The verdicts of the findings with a relation that name some words."""
    return [
        f.verdict(0.99)
        for f in conclusion.findings
        if f.relation == relation and all(word in f.about for word in words)
    ]


def test_what_obeys_the_law_agrees():
    conclusion = cut._conclude(cut_runs())
    assert set(of(conclusion, "==")) == {"agrees"}
    assert "of the class falls from 0.900 without a watermark" in conclusion.seen
    assert len(cut._draw(cut_runs()).axes) == 2


def test_a_network_that_reads_unmarked_images_worse_misses_the_hypothesis_and_not_the_theorem():
    conclusion = cut._conclude(cut_runs(read=0.6))
    assert of(conclusion, "==", "of that at g = 0, less 1") == ["disagrees", "disagrees"]
    assert of(conclusion, "==", cut.UNMARKED) == ["agrees"] * 4
    miss = [f.spread().mean for f in conclusion.findings if f.relation is None]
    assert miss == pytest.approx([0.6**0.5 - 1, 0.6**0.8 - 1], abs=5e-6)  # 1e-7 of noise over 0.2


def test_a_representation_that_does_not_tell_the_watermark_misses_the_theorem():
    conclusion = cut._conclude(cut_runs(told=0.7))
    assert of(conclusion, "==", f"(1 - g) of {cut.UNMARKED}", "less 1") == ["disagrees", "disagrees"]
    assert of(conclusion, "==", f"g {cut.MARKED}") == ["agrees", "agrees"]


def test_no_share_of_a_synergy_that_is_not_there():
    conclusion = cut._conclude(cut_runs(start=0.0))
    assert not of(conclusion, "==", "I(A;C|Z)")
    assert "no share of it can be given" in conclusion.seen


def test_images_shared_by_seeds_widen_the_intervals():
    alone, together = (cut._conclude(runs) for runs in (cut_runs(), cut_runs().assign(shared=2 / 3)))
    for first, second in zip(alone.findings, together.findings, strict=True):
        assert (first.shared, second.shared) == (0.0, 2 / 3)
        assert second.spread().low <= first.spread().low
