"""model-equivariance with any pair of encoders, and the equivariant ResNet-18 of equal size."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from synergy.cli import run
from synergy.experiments import Scale, experiment
from synergy.experiments.model_equivariance.experiment import (
    AUGMENTATIONS,
    ERROR,
    METRICS,
    PARAMETERS,
    PIXELS,
    UNTRAINED,
)
from synergy.experiments.scale import as_scale, encoder_name
from synergy.learning import ImageSet
from synergy.learning.encoders import ResNet18, build_encoder, count_parameters, regular_action
from synergy.learning.encoders.residual import EquivariantResNet18
from synthetic.groups import cyclic, dihedral
from synthetic.transformations import HorizontalFlip, Rotation


def small_linear():
    """An encoder of one's own."""
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(8))


def own_images(n=60, side=8):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = np.clip(rng.random((n, 1, side, side)) * 0.3 + 0.5 * labels[:, None, None, None], 0, 1)
    return ImageSet.from_arrays(images.astype(np.float32), {"C": labels})


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize(("group", "order"), [("C4", 4), ("D4", 8)])
def test_the_equivariant_resnet_moves_by_the_regular_representation(group, order, side):
    torch.manual_seed(0)
    net = EquivariantResNet18(group, 1, 16, width=8).eval()
    images = torch.rand(3, 1, side, side)
    features = net(images).view(3, -1, order)
    turns, mirrors = Rotation(), HorizontalFlip()
    assert (cyclic(4) if group == "C4" else dihedral(4)).order == order
    for h in range(order):
        moved = mirrors.transform(images, torch.full((3,), h // 4))
        moved = turns.transform(moved, torch.full((3,), h % 4))
        expected = regular_action(group, h, features)
        torch.testing.assert_close(net(moved).view(3, -1, order), expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(net(turns.transform(images, torch.ones(3, dtype=torch.long))), net(images))


def test_a_plain_resnet_does_not():
    torch.manual_seed(0)
    net = ResNet18(1, 16, width=8).eval()
    images = torch.rand(3, 1, 8, 8)
    turned = Rotation().transform(images, torch.ones(3, dtype=torch.long))
    features = net(images).view(3, -1, 4)
    assert not torch.allclose(net(turned).view(3, -1, 4), regular_action("C4", 1, features), atol=1e-3)


@pytest.mark.parametrize(
    ("plain", "equivariant"),
    [
        ("cnn", "c4"),
        ("cnn", "d4"),
        ("resnet18", "c4-resnet18"),
        ("resnet18", "d4-resnet18"),
        ("narrow-resnet18", "c4-narrow-resnet18"),
        ("narrow-resnet18", "d4-narrow-resnet18"),
    ],
)
def test_partners_are_of_equal_size(plain, equivariant):
    sizes = [count_parameters(build_encoder(name, (3, 16, 16), features=64)) for name in (plain, equivariant)]
    assert abs(sizes[1] - sizes[0]) <= 0.05 * max(sizes)


@pytest.mark.parametrize("name", ["c4-resnet18", "d4-narrow-resnet18"])
def test_an_equivariant_resnet_refuses_what_it_cannot_take(name):
    with pytest.raises(ValueError, match="needs square images, got 8 x 6"):
        build_encoder(name, (1, 8, 6), features=16)
    with pytest.raises(ValueError, match=r"features must be a multiple of \d for [CD]4, got 6"):
        build_encoder(name, (1, 8, 8), features=6)


def test_a_pair_of_ones_own_is_compared():
    scale = Scale(
        seeds=2, steps=2, judged=24, features=8, batch=16, data=own_images(), encoders=("c4", small_linear)
    )
    found = experiment("model-equivariance").run(scale)
    own = encoder_name(small_linear)
    assert own.endswith(":small_linear")
    assert set(found.runs["encoder"]) == {"c4", own, PIXELS}
    assert found.scale.to_dict()["encoders"] == ["c4", own]
    assert as_scale(found.scale.to_dict()).encoders == ("cnn", "c4")
    table = found.table.set_index(["augmentation", "encoder"])
    assert table.loc[("none", own), PARAMETERS] == 8 * 64 + 8
    assert table.loc[(UNTRAINED, PIXELS), PARAMETERS] == 0
    assert table.loc[(UNTRAINED, "c4"), ERROR] < 0.01
    assert all(f.relation is None for f in found.conclusion.findings)  # the second has no symmetry to gain by
    assert "may be due to size" in found.conclusion.seen
    assert {"c4", own} <= {c.get_label() for c in found.figure.axes[0].containers}


def test_a_narrow_resnet_is_compared_with_its_equivariant_partner():
    pair = ("narrow-resnet18", "c4-narrow-resnet18")
    scale = Scale(seeds=1, steps=1, judged=64, features=8, batch=8, data=own_images(120), encoders=pair)
    found = experiment("model-equivariance").run(scale)
    judged = [f for f in found.conclusion.findings if f.relation == ">"]
    assert len(judged) == len(AUGMENTATIONS) * len(METRICS)
    assert "due to size" not in found.conclusion.seen
    assert found.figure.axes


def runs_of(errors, parameters, *, gain=0.1):
    """Runs of two encoders with chosen equivariance errors, sizes and gain of the second."""
    rows = []
    for seed in range(4):
        for k, name in enumerate(("plain", "other")):
            for augmentation in (*AUGMENTATIONS, UNTRAINED):
                row = {"encoder": name, "augmentation": augmentation, "seed": seed, "shared": 0.0}
                row |= {PARAMETERS: parameters[k], ERROR: errors[k] if augmentation == UNTRAINED else np.nan}
                rows.append(row | {metric: 0.5 + gain * k + 1e-3 * seed * k for metric in METRICS})
        rows.append(
            {"encoder": PIXELS, "augmentation": UNTRAINED, "seed": seed, "shared": 0.0, PARAMETERS: 0}
        )
        rows[-1] |= dict.fromkeys(METRICS, 0.4)
    return pd.DataFrame(rows)


def test_a_gain_is_predicted_where_the_second_encoder_alone_has_the_symmetry():
    conclude = experiment("model-equivariance").conclude
    for errors, predicted in (((0.5, 1e-6), True), ((1e-6, 0.5), False), ((0.5, 0.6), False)):
        found = conclude(runs_of(errors, (1000, 1010)))
        assert any(f.relation is not None for f in found.findings) == predicted
    same = conclude(runs_of((0.5, 1e-6), (1000, 1010)))
    larger = conclude(runs_of((0.5, 1e-6), (1000, 2000)))
    assert "other has 1,010 parameters, plain 1,000." in same.seen
    assert "may be due to size" in larger.seen
    assert {f.verdict() for f in same.findings if f.relation} == {"agrees"}
    worse = conclude(runs_of((0.5, 1e-6), (1000, 1010), gain=-0.1))
    assert {f.verdict() for f in worse.findings if f.relation} == {"disagrees"}


@pytest.mark.parametrize(
    ("encoders", "error", "message"),
    [
        pytest.param("cnn", TypeError, "encoders must be a pair", id="one name"),
        pytest.param(("cnn",), TypeError, "encoders must be a pair", id="one"),
        pytest.param(
            ("cnn", "vit"), ValueError, "encoders must be among mlp, cnn, .* got 'vit'", id="unknown"
        ),
        pytest.param(("cnn", "cnn"), ValueError, "two that differ, got 'cnn' twice", id="same"),
        pytest.param(("cnn", 3), TypeError, "functions that make an untrained module, got int", id="number"),
        pytest.param(("cnn", nn.Linear(2, 2)), TypeError, "got Linear", id="module"),
    ],
)
def test_bad_pairs(encoders, error, message):
    with pytest.raises(error, match=message):
        Scale(encoders=encoders)


def test_two_functions_of_one_name_do_not_share_runs():
    def made(width):
        def encoder():
            return nn.Linear(4, width)

        return encoder

    scales = [Scale(encoders=("cnn", made(width))) for width in (4, 5)]
    assert scales[0].to_dict() == scales[1].to_dict()
    assert scales[0].identity != scales[1].identity
    assert Scale(encoders=("cnn", made(4))).identity == scales[0].identity


def flipping(flip):
    """An encoder whose module prints alike, whatever its forward does."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(-x) if flip else self.layer(x)

    def encoder():
        return Net()

    return encoder


def test_two_modules_that_print_alike_do_not_share_runs():
    plain, turned = flipping(flip=False), flipping(flip=True)
    assert repr(plain()) == repr(turned())
    assert encoder_name(plain) == encoder_name(turned)
    identities = [Scale(encoders=("cnn", encoder)).identity for encoder in (plain, turned)]
    assert identities[0] != identities[1]
    assert Scale(encoders=("cnn", flipping(flip=False))).identity == identities[0]


def test_the_command_takes_a_pair_and_a_function(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs_of_mine.py").write_text(
        "from torch import nn\n\n\ndef tiny():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))\n"
    )
    own = own_images(60)
    np.savez(tmp_path / "own.npz", images=own.images.numpy(), labels=own.labels["C"].numpy())
    small = ["--seeds", "1", "--jobs", "1", "--data", "own.npz", "--out", "out", "--json"]
    arguments = ["experiment", "model-equivariance", "--encoders", "mlp,pairs_of_mine:tiny", *small]
    monkeypatch.setattr(Scale, "quick", classmethod(lambda cls, **c: cls(steps=1, judged=24, batch=8, **c)))
    assert run(arguments) in (0, 1, 3)
    assert '"encoder": "pairs_of_mine:tiny"' in capsys.readouterr().out
    sys.modules.pop("pairs_of_mine", None)


def test_the_large_scale_compares_resnets_of_equal_size():
    assert Scale.large().encoders == ("resnet18", "c4-resnet18")


def test_a_pair_is_for_one_experiment_and_asking_for_its_identity_draws_nothing(capsys, tmp_path):
    assert run(["experiment", "shortcut", "--encoders", "cnn,c4", "--out", str(tmp_path)]) == 2
    assert "--encoders is for model-equivariance" in capsys.readouterr().err
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    assert Scale(encoders=("cnn", lambda: nn.Linear(4, 4))).identity
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        pytest.param("cnn", "--encoders must be two between a comma", id="one"),
        pytest.param("cnn,c4,d4", "--encoders must be two between a comma", id="three"),
        pytest.param("cnn,vit", "encoders must be among mlp, cnn", id="unknown"),
        pytest.param("cnn,nowhere_to_be_found:net", "cannot import 'nowhere_to_be_found'", id="no module"),
        pytest.param("cnn,math:nothing", "'math' has no 'nothing'", id="no function"),
    ],
)
def test_bad_pairs_on_the_command_line(capsys, tmp_path, pair, message):
    assert run(["experiment", "model-equivariance", "--encoders", pair, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
