"""Projection head: its layers, what is said of runs that obey the chapter of heads or break it."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.experiments import Scale
from synergy.experiments.findings import joint_confidence
from synergy.experiments.projection_head import experiment as heads
from synergy.experiments.projection_head.experiment import LAYERS, NETWORKS, column, layer_outputs
from synergy.learning import Invariance, Trained

SEEDS = 5


def runs(**changed):
    """Runs in which each layer of a network keeps less, but for the values that are given."""
    usual = {
        "SimCLR": {"I(A;.)": (0.6, 0.3, 0.05), "I(C;.)": (0.9, 0.8, 0.7), "I(A;C|.)": (0.2, 0.1, 0.0)},
        "rotation": {"I(A;.)": (1.0, 1.0, 1.0), "I(C;.)": (0.9, 0.6, 0.3), "I(A;C|.)": (0.2, 0.2, 0.3)},
        "untrained": {"I(A;.)": (0.3, 0.25, 0.2), "I(C;.)": (0.8, 0.7, 0.6), "I(A;C|.)": (0.2, 0.2, 0.2)},
        heads.DEALT: dict.fromkeys(heads.QUANTITIES, (0.0, 0.0, 0.0)),
    }
    rows = []
    for seed, network in product(range(SEEDS), NETWORKS):
        row = {"network": network, "seed": seed, "shared": 0.0}
        for (quantity, values), noise in zip(usual[network].items(), (1e-3, 2e-3, 3e-3), strict=True):
            for layer, value in zip(LAYERS, values, strict=True):
                found = changed.get(f"{network.split()[0]}_{quantity[2]}_{layer}", value)
                row[column(quantity, layer)] = found + noise * seed * (1 + LAYERS.index(layer)) / 10
        for layer in LAYERS:
            row[column(heads._BY_TRANSFORMATION, layer)] = row[column("I(A;C|.)", layer)] + changed.get(
                f"{network.split()[0]}_routes", 0.0
            )
        rows.append(row)
    frame = pd.DataFrame(rows)
    measured = [name for name in frame.select_dtypes(float) if name not in ("shared",)]
    frame[measured] += np.random.default_rng(0).normal(scale=1e-7, size=(len(frame), len(measured)))
    return frame


def verdicts(table):
    return {f.about: f.verdict(0.99) for f in heads._conclude(table).findings}


def test_runs_that_obey_the_chapter_agree():
    found = verdicts(runs())
    assert set(found.values()) == {"agrees", "no prediction"}
    conclusion = heads._conclude(runs())
    assert len(conclusion.table) == len(NETWORKS) * len(LAYERS)
    assert conclusion.seen == (
        "Before the head that predicts the rotation, more of the class is read than after it, and neither "
        "clearly more nor less of the rotation is read than after it."
    )
    figure = heads._draw(runs())
    assert len(figure.axes) == 3


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        pytest.param({"SimCLR_A_output": 0.9}, "H1, SimCLR: I(A;.)", id="head that knows more"),
        pytest.param({"rotation_C_output": 1.2}, "H1, rotation: I(C;.)", id="head with more of the class"),
        pytest.param({"rotation_routes": 0.3}, "H4, rotation", id="two routes that differ"),
        pytest.param(
            {"SimCLR_A_encoder": 0.06}, "SimCLR: I(A;.) that the trained", id="head that drops nothing"
        ),
        pytest.param(
            {"rotation_A_output": 0.7}, "rotation: I(A;.) that the head drops", id="head that forgets"
        ),
        pytest.param({"features_C_output": 0.5}, "control", id="measure that sees what is not there"),
    ],
)
def test_runs_that_break_it_disagree(changed, about):
    found = verdicts(runs(**changed))
    assert "disagrees" in {verdict for name, verdict in found.items() if name.startswith(about)}


def test_what_the_output_shows_the_encoder_holds_whatever_a_probe_reads():
    """The output is a function of the encoder: a probe that reads less there has missed it."""
    said = heads._conclude(runs(rotation_A_output=1.2)).seen
    assert "the probe misses 0.2" in said
    assert "nats of the rotation that the output shows" in said
    assert "less of the rotation" not in said
    other = heads._conclude(runs(rotation_A_output=0.7)).seen
    assert "more of the rotation is read than after it" in other
    assert "misses" not in other


def test_the_answer_is_as_careful_as_verdicts_where_seeds_share_their_images():
    table = runs()
    changed = table["network"] == heads.ROTATION
    table.loc[changed, column("I(C;.)", "output")] += 0.28 * table.loc[changed, "seed"]
    for shared in (0.0, 2 / 3):
        conclusion = heads._conclude(table.assign(shared=shared))
        confidence = joint_confidence(conclusion.findings)
        about = "rotation: I(C;.) that the head drops, in nats"
        verdict = next(f.verdict(confidence) for f in conclusion.findings if f.about == about)
        assert (verdict == "agrees") == ("more of the class is read" in conclusion.seen)


def test_no_interval_leaves_what_an_information_can_be():
    table = runs().query("seed < 2").assign(**{heads.CLASSES: 5})
    wild = table["seed"] == 1
    measured = [column(quantity, layer) for quantity in heads.QUANTITIES for layer in LAYERS]
    table.loc[wild, measured] *= 0.2
    conclusion = heads._conclude(table)
    assert max(f.smallest_effect() or 0 for f in conclusion.findings) <= 2 * np.log(5)
    for finding in conclusion.findings:
        spread, most = finding.spread(), np.log(4 if "I(A;" in finding.about else 5)
        if "less what" not in finding.about and np.isfinite(spread.low):
            assert -most - 1e-9 <= spread.low <= spread.mean <= spread.high <= most + 1e-9
    assert (conclusion.table["I(A;.) high"].dropna() <= np.log(4) + 1e-9).all()
    assert (conclusion.table["I(A;.) low"].dropna() > -1e-6).all()


def test_layers_are_those_of_the_network():
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4))
    head = Invariance("rotation", projection=5).head(4, {})
    images = np.random.default_rng(0).random((6, 3, 2, 2)).astype(np.float32)
    fitted = Trained(encoder, head, pd.DataFrame())
    found = layer_outputs(fitted, head, images, direction=False)
    assert [found[layer].shape for layer in LAYERS] == [(6, 4), (6, 4), (6, 5)]
    with torch.no_grad():
        whole = head(encoder(torch.from_numpy(images))).numpy()
    np.testing.assert_allclose(found["output"], whole, rtol=1e-6)
    assert (found["hidden"] >= 0).all()
    seen = layer_outputs(fitted, head, images, direction=True)["output"]
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, rtol=1e-6)


def test_the_heads_have_the_same_shape_but_for_their_outputs():
    deep, plain = heads.DeepHead("rotation").head(8, {}), Invariance("rotation").head(8, {})
    assert [type(a) for a in deep] == [type(b) for b in plain]
    assert deep[0].weight.shape == plain[0].weight.shape
    assert deep[2].out_features == 4


def test_features_that_are_dealt_at_random_tell_nothing():
    scale = Scale(seeds=1, steps=2, judged=300, features=8)
    row = heads._train((heads.DEALT, 0), scale)
    rows = [row[column(quantity, layer)] for quantity in heads.QUANTITIES for layer in LAYERS]
    assert np.isfinite(rows).all()
    assert max(rows) < heads._MARGIN
