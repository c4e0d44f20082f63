"""No public call changes a global generator: of torch, of its device, of numpy, of Python."""

import importlib
import inspect
import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from pretended import DEVICE, pretend
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from synergy import independence_test, rank
from synergy.device import seeded_generators
from synergy.estimators import ESTIMATORS, estimate
from synergy.estimators.classifier import (
    ConvolutionClassifier,
    CrossFit,
    KernelClassifier,
    NestedCrossFit,
    NetworkClassifier,
    SklearnClassifier,
    TableClassifier,
    TorchClassifier,
    classifier,
    conditional_entropy_scores,
)
from synergy.estimators.neighbours import copula_knn, knn, mixed
from synergy.estimators.variational import variational
from synergy.experiments import Scale
from synergy.experiments.projection_head.experiment import UNTRAINED, _head
from synergy.learning import (
    ImageSet,
    Invariance,
    PredictLabel,
    Stream,
    Training,
    Untrained,
    equivariance_error,
    load_encoder,
    measure_representation,
    probe,
    probes,
    represent,
    train,
    train_classifier,
)
from synergy.ranking import RankSettings
from synergy.verification import CASES, Settings, verify
from synthetic import Digits, Glyphs, GlyphViews, ModularShift, ReducedShift, Sample, write_dataset
from theory import Model, judge, parse_expression, prove
from theory.claims import CLAIMS
from theory.diagrams import DIAGRAMS


def pictures(n: int = 24) -> torch.Tensor:
    return torch.arange(n * 64).reshape(n, 1, 8, 8) % 251 / 251


def images() -> ImageSet:
    return ImageSet(pictures(), {"C": torch.arange(24) % 2}, {"C": 2})


def sample(n: int = 80) -> Sample:
    a, c = np.arange(n) % 2, np.arange(n) // 2 % 2
    noise = np.random.default_rng(0).normal(size=n)
    return Sample.infer({"A": a, "C": c, "Z": a + 0.5 * noise, "W": c + noise**3})


def layer() -> nn.Module:
    with seeded_generators(0, torch.device("cpu")):
        module = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Dropout(0.5))
    module.features = 4
    return module


SHIFT = ModularShift(n=3)
NETWORK = NetworkClassifier(hidden=4, members=1, epochs=(1, 1))
CONVOLUTION = ConvolutionClassifier(width=2, hidden=4, epochs=(1, 1))
OPTIONS = Training(epochs=1, batch_size=8)


def fitted(model: object, given: str = "Z") -> object:
    return CrossFit(sample(), folds=2, model=model, device="auto").losses("A", given)


def dropped() -> object:
    with seeded_generators(0, torch.device("cpu")):
        module = nn.Sequential(nn.Linear(1, 4), nn.Dropout(), nn.Linear(4, 2))
    return fitted(TorchClassifier(module, epochs=1, device="cuda"))


def untrained_head() -> object:
    found = train(Untrained(), images(), seed=1, encoder="mlp", features=8)
    return _head(UNTRAINED, found, Scale(features=8), 1)


def bounded(bound: str) -> object:
    return variational(sample(), "I(Z;W)", bound=bound, folds=2, steps=2, seed=1, device="auto")


def verified() -> object:
    sizes = {"vector_rows": 160, "train_rows": 64, "judge_rows": 64, "image_rows": 64, "features": 4}
    settings = Settings(**sizes, vector_epochs=1, trainings=1, folds=2, quality="quick", models=2, seed=1)
    return verify("E1", worlds=("exact", "learned"), generators=("modular-shift",), settings=settings)


def ranked() -> object:
    tiny = RankSettings(images=40, judged=24, steps=2, most_epochs=2, features=4, folds=2)
    shown, classes = Digits(classes=[0, 1]).raw[:72], Digits(classes=[0, 1]).targets[:72]
    return rank(
        shown, classes, transformations=["rotation"], seeds=2, explain=False, settings=tiny, jobs=1, seed=1
    )


def saved(folder) -> object:
    train(PredictLabel("C"), images(), seed=1, encoder="mlp", options=OPTIONS).save(folder)
    return load_encoder(folder)


CALLS: dict[str, Callable[..., object]] = {
    "Case.sample": lambda folder: CASES[0].sample(8, seed=1),
    "ConvolutionClassifier.fit_predict": lambda folder: CrossFit(
        Digits(classes=[0, 1]).sample(60, seed=1), folds=2, model=CONVOLUTION, device="cuda"
    ).losses("C", "X"),
    "CrossFit": lambda folder: fitted("auto"),
    "Entry.run": lambda folder: ESTIMATORS["auto"].run(sample(), parse_expression("I(A;C)"), seed=1),
    "Generator.as_dataset": lambda folder: next(iter(SHIFT.as_dataset(seed=1))),
    "Generator.sample": lambda folder: SHIFT.sample(8, seed=1),
    "Generator.shard": lambda folder: SHIFT.shard(1, 8, seed=1),
    "Generator.stream": lambda folder: next(SHIFT.stream(8, 1)),
    "Glyphs.exact": lambda folder: Glyphs().exact("H(C)", seed=1),
    "Glyphs.exact_each": lambda folder: Glyphs().exact_each(["H(C)", "I(A;C)"], seed=1),
    "Glyphs.forced_information": lambda folder: Glyphs().forced_information(seed=1),
    "Glyphs.sample": lambda folder: Glyphs().sample(4, seed=1),
    "Glyphs.tensors": lambda folder: Glyphs(noise=0.1).tensors(4, seed=1, device="cuda"),
    "GlyphViews.exact": lambda folder: GlyphViews().exact("H(C)", seed=1),
    "GlyphViews.sample": lambda folder: GlyphViews().sample(4, seed=1),
    "GlyphViews.tensors": lambda folder: GlyphViews().tensors(4, seed=1, device="cuda"),
    "ImageSet.batches": lambda folder: list(images().batches(0, 8, seed=1, device=DEVICE)),
    "ImageSet.from_generator": lambda folder: ImageSet.from_generator(Digits(), n=8, seed=1),
    "ImageSet.some": lambda folder: images().some(8, seed=1),
    "ImageSet.split": lambda folder: images().split(0.5, seed=1),
    "ImageSet.transformed": lambda folder: images().transformed("rotation", seed=1),
    "Joint.sample": lambda folder: SHIFT.joint().sample(8, seed=1),
    "KernelClassifier.fit_predict": lambda folder: fitted(KernelClassifier(landmarks=8)),
    "Model.random": lambda folder: Model.random(DIAGRAMS["essl"], seed=1),
    "Model.random_exact": lambda folder: Model.random_exact(DIAGRAMS["essl"], seed=1),
    "NestedCrossFit": lambda folder: NestedCrossFit(sample(), folds=2, model=NETWORK).losses("A", ["C", "Z"]),
    "NetworkClassifier.fit_predict": lambda folder: fitted(NETWORK),
    "RealImageGenerator.sample": lambda folder: Digits().sample(8, seed=1),
    "RealImageGenerator.tensors": lambda folder: Digits().tensors(8, seed=1, device="cuda"),
    "ReducedShift.sample": lambda folder: ReducedShift().sample(8, seed=1),
    "Settings": lambda folder: Settings(seed=1),
    "Settings.quick": lambda folder: Settings.quick(seed=1),
    "SklearnClassifier.fit_predict": lambda folder: fitted(SklearnClassifier(RandomForestClassifier(4))),
    "Stream.batches": lambda folder: list(
        Stream(SHIFT, 8, "X").batches(0, 4, seed=1, device=torch.device("cuda"))
    ),
    "TableClassifier.fit_predict": lambda folder: CrossFit(sample(), folds=2, model=TableClassifier()).losses(
        "A", "C"
    ),
    "TorchClassifier.fit_predict": lambda folder: dropped(),
    "classifier": lambda folder: classifier(
        sample(), "I(A;Z)", folds=2, seed=1, model=NETWORK, device="cuda"
    ),
    "conditional_entropy_scores": lambda folder: conditional_entropy_scores(
        sample(), "A", "Z", folds=2, seed=1, model=NETWORK, device="cuda"
    ),
    "copula_knn": lambda folder: copula_knn(sample()["Z"], sample()["W"], seed=1),
    "estimate": lambda folder: estimate(sample(), "I(Z;W)", seed=1),
    "independence_test": lambda folder: independence_test(sample(), "Z _||_ W", seed=1),
    "judge": lambda folder: judge(CLAIMS["E1"], seed=1, models=2),
    "knn": lambda folder: knn(sample()["Z"], sample()["W"], seed=1, device="cuda"),
    "measure_representation": lambda folder: measure_representation(
        sample(), terms=["I(A;Z)"], folds=2, seed=1, model=NETWORK, device="cuda"
    ),
    "mixed": lambda folder: mixed(sample()["A"].astype(float), sample()["Z"], seed=1),
    "probe": lambda folder: probe(sample(), "A", folds=2, seed=1),
    "probes": lambda folder: probes(sample(), ["A"], folds=2, seed=1),
    "prove": lambda folder: prove("H(A|Z) >= H(A)", seed=1),
    "equivariance_error": lambda folder: equivariance_error(layer(), "rotation", pictures(), seed=1),
    "rank": lambda folder: ranked(),
    "represent": lambda folder: represent(layer(), pictures(), "rotation", seed=1, device="cuda"),
    "train": lambda folder: train(PredictLabel("C"), images(), seed=1, encoder="cnn", options=OPTIONS),
    "train_classifier": lambda folder: train_classifier(
        layer, pictures().numpy(), np.arange(24) % 2, states=2, epochs=1, seed=1, batch_size=8
    ),
    "variational": lambda folder: [bounded(name) for name in ("barber-agakov", "nwj", "infonce", "smile")],
    "write_dataset": lambda folder: write_dataset(SHIFT, samples=8, seed=1, out=folder / "made"),
    # without a seed of their own
    "load_encoder": saved,
    "verify": lambda folder: verified(),
    "an untrained projection head": lambda folder: untrained_head(),
    "train with dropout": lambda folder: train(
        Invariance("rotation"), images(), seed=1, encoder=layer, options=OPTIONS
    ),
}
"""A small call of every public function and method that takes a seed, by its name, and of a few others."""


PACKAGES = (
    "synergy",
    "synergy.estimators",
    "synergy.estimators.classifier",
    "synergy.estimators.discrete",
    "synergy.estimators.neighbours",
    "synergy.estimators.variational",
    "synergy.experiments",
    "synergy.independence",
    "synergy.learning",
    "synergy.ranking",
    "synergy.verification",
    "synthetic",
    "synthetic.images",
    "theory",
)
PROTOCOLS = {"Classifier.fit_predict", "Source.batches", "Ranking"}
"""What others implement, and a record that says which seed it was made with."""


def _takes_seed(function: object) -> bool:
    try:
        return "seed" in inspect.signature(function).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def seeded() -> Iterator[str]:
    """The public functions, classes and methods that take a seed."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            found = getattr(module, name)
            if _takes_seed(found):
                yield name
            if inspect.isclass(found):
                for key, method in vars(found).items():
                    if not key.startswith("_") and _takes_seed(getattr(method, "__func__", method)):
                        yield f"{name}.{key}"


def states() -> tuple[object, ...]:
    """What the global generators hold."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (the one that others use)
    held = (torch.get_rng_state().tolist(), torch.cuda.get_rng_state().tolist())
    return (*held, kind, keys.tolist(), rest, random.getstate())


def test_every_public_call_with_a_seed_is_tried():
    assert set(seeded()) - PROTOCOLS <= set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_no_call_changes_a_global_generator(name: str, tmp_path):
    with pretend():
        before = states()
        CALLS[name](tmp_path)
        assert states() == before


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.manual_seed(0),
        lambda: torch.rand(1),
        lambda: torch.rand(1, device="cuda"),
        lambda: nn.functional.dropout(torch.ones(4, device="cuda")),
        lambda: np.random.rand(),  # noqa: NPY002
        lambda: random.random(),
    ],
    ids=["seed", "torch", "device", "dropout", "numpy", "python"],
)
def test_a_draw_from_a_global_generator_would_be_seen(draw: Callable[[], object]):
    with pretend():
        before = states()
        draw()
        assert states() != before
