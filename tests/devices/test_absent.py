"""Where there is no CUDA device, asking for one is refused before anything is read or run."""

import numpy as np
import pytest
import torch
from torch import nn

from synergy.cli import run
from synergy.estimators import ESTIMATORS, estimate
from synergy.estimators.classifier import ConvolutionClassifier, CrossFit, NetworkClassifier, TorchClassifier
from synergy.experiments import EXPERIMENTS, Scale
from synergy.learning import (
    ImageSet,
    PredictLabel,
    Training,
    load_encoder,
    measure_representation,
    represent,
    train,
)
from synergy.ranking import rank
from synergy.verification import Settings, verify
from synthetic import ModularShift


@pytest.fixture(autouse=True)
def _no_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "E1"],
        ["verify", "E1", "--quick"],
        ["experiment", "projection-head"],
        ["experiment", "projection-head", "--data", "nowhere"],
        ["estimate", "nowhere.csv", "I(A;C)", "--estimator", "infonce"],
    ],
    ids=" ".join,
)
def test_a_command_says_so_in_one_line(arguments: list[str], capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run([*arguments, "--device", "cuda"]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert len(told.err.strip().splitlines()) == 1
    assert "device 'cuda' was asked for, but no CUDA device is available" in told.err
    assert not list(tmp_path.iterdir())


def test_the_large_scale_says_so_too(capsys, tmp_path):
    assert run(["experiment", "projection-head", "--scale", "large", "--out", str(tmp_path)]) == 2
    assert "no CUDA device is available" in capsys.readouterr().err


SAMPLE = ModularShift(n=3).sample(60, seed=0)
IMAGES = ImageSet(torch.zeros(4, 1, 8, 8), {"C": torch.tensor([0, 1, 0, 1])}, {"C": 2})
NETWORKS = [name for name, entry in ESTIMATORS.items() if "device" in entry.options]

CALLS = {
    "train": lambda: train(PredictLabel("C"), IMAGES, seed=0, options=Training(device="cuda")),
    "load_encoder": lambda: load_encoder("nowhere", device="cuda"),
    "CrossFit": lambda: CrossFit(SAMPLE, device="cuda"),
    "CrossFit of a module": lambda: CrossFit(SAMPLE, model=nn.Linear(3, 3), device="cuda"),
    "measure_representation": lambda: measure_representation(SAMPLE, representation="X", device="cuda"),
    "TorchClassifier": lambda: TorchClassifier(nn.Linear(3, 3), device="cuda"),
    "NetworkClassifier": lambda: NetworkClassifier(device="cuda"),
    "ConvolutionClassifier": lambda: ConvolutionClassifier(device="cuda"),
    "rank": lambda: rank(IMAGES, transformations=["rotation"], device="cuda"),
    "represent": lambda: represent(nn.Flatten(), IMAGES.images, device="cuda"),
    "experiment": lambda: EXPERIMENTS["projection-head"].run(Scale.large()),
    "verify": lambda: verify("E1", settings=Settings(device="cuda")),
    **{
        name: lambda name=name: estimate(
            {"A": np.arange(60) % 2, "X": np.arange(60.0), "Y": np.arange(60.0) ** 2},
            "I(A;X)" if ESTIMATORS[name].columns.startswith("a discrete") else "I(X;Y)",
            estimator=name,
            device="cuda",
        )
        for name in NETWORKS
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_so(name: str):
    with pytest.raises(ValueError, match="device 'cuda' was asked for, but no CUDA device is available"):
        CALLS[name]()


@pytest.mark.parametrize("name", NETWORKS)
def test_an_unknown_device_is_named(name: str):
    with pytest.raises(ValueError, match="unknown device 'abacus'"):
        estimate(SAMPLE, "I(A;C)", estimator=name, device="abacus")
