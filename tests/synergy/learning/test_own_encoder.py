"""Encoders of one's own: trained further, probed on test images, and their error of equivariance."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from synergy.learning import (
    FeatureEncoder,
    ImageSet,
    Invariance,
    PredictTransformation,
    Training,
    Untrained,
    build_encoder,
    equivariance_error,
    measure_representation,
    probe,
    probes,
    represent,
    train,
)
from synergy.learning.encoders import plane_group, regular_action
from synergy.ranking.candidates import candidates
from synthetic import Digits, Sample, Variable
from synthetic.transformations import FunctionTransformation

CPU = Training(epochs=1, batch_size=32, device="cpu")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return ImageSet.from_generator(Digits(), n=200, seed=0)


class Maps(nn.Module):
    """As torchvision's networks: no attribute `features` that is a number, maps inside."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.classifier = nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).mean((2, 3)))


@pytest.fixture
def pretrained() -> Maps:
    torch.manual_seed(1)
    return Maps()


def test_a_copy_of_a_module_is_trained_further(digits: ImageSet, pretrained: Maps):
    before = copy.deepcopy(pretrained.state_dict())
    trained = train(PredictTransformation("rotation"), digits, seed=0, encoder=pretrained, options=CPU)
    assert all(torch.equal(before[k], v) for k, v in pretrained.state_dict().items())
    assert pretrained.training
    assert trained.description["features"] == 10
    after = trained.encoder.own.state_dict()
    assert not torch.equal(after["classifier.weight"], before["classifier.weight"])
    again = train(PredictTransformation("rotation"), digits, seed=0, encoder=pretrained, options=CPU)
    assert all(torch.equal(v, again.encoder.own.state_dict()[k]) for k, v in after.items())


def test_a_layer_of_a_module_is_trained_for_any_task(digits: ImageSet, pretrained: Maps):
    encoder = FeatureEncoder(pretrained, layer="features", normalise=(0.5, 0.5))
    trained = train(Invariance("rotation"), digits, seed=0, encoder=encoder, options=CPU)
    assert trained.description["features"] == 6
    assert represent(trained, digits)["Z"].shape == (200, 6)
    untouched = train(Untrained(), digits, seed=0, encoder=encoder, options=CPU)
    expected = represent(pretrained, digits, layer="features", normalise=(0.5, 0.5))["Z"]
    np.testing.assert_allclose(untouched.represent(digits.images), expected, atol=1e-6)


@pytest.mark.parametrize("change", ["half", "frozen", "compiled", "inference"])
def test_modules_in_another_state_are_trained(digits: ImageSet, pretrained: Maps, change: str):
    encoder: nn.Module = pretrained
    if change == "half":
        encoder = encoder.half()
    elif change == "frozen":
        encoder.requires_grad_(requires_grad=False)
    elif change == "compiled":
        encoder = torch.compile(encoder, backend="eager")
    else:
        with torch.inference_mode():
            encoder = copy.deepcopy(encoder)
    trained = train(PredictTransformation("rotation"), digits, seed=0, encoder=encoder, options=CPU)
    weights = trained.encoder.own.classifier.weight
    assert weights.dtype == torch.float32
    assert torch.equal(weights, pretrained.classifier.weight) == (change == "frozen")


def test_a_function_may_make_a_module_without_features(digits: ImageSet):
    trained = train(PredictTransformation("rotation"), digits, seed=0, encoder=Maps, options=CPU)
    assert trained.description["features"] == 10


def test_checkpoints_know_the_weights_that_a_run_started_from(digits: ImageSet, pretrained: Maps, tmp_path):
    task = PredictTransformation("rotation")
    train(task, digits, seed=0, encoder=pretrained, options=CPU, checkpoint=tmp_path)
    train(task, digits, seed=0, encoder=pretrained, options=CPU, checkpoint=tmp_path)
    nn.init.zeros_(pretrained.classifier.bias)
    with pytest.raises(ValueError, match="belongs to another run"):
        train(task, digits, seed=0, encoder=pretrained, options=CPU, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureEncoder(3), "module must be a torch module"),
        (lambda: FeatureEncoder(Maps(), layer="feature"), "layer 'feature' does not exist in Maps"),
        (lambda: FeatureEncoder(Maps(), normalise=3), "normalise must be"),
    ],
)
def test_no_feature_encoder(make, message: str):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


# Probes on test images


def two(n: int, seed: int, *, names: tuple[str, ...] | None = None, dims: int = 3) -> Sample:
    rng = np.random.default_rng(seed)
    c = rng.integers(3, size=n) if names is None else rng.choice([0, 2], size=n)
    z = rng.standard_normal((n, dims)) + 4 * np.eye(3)[c][:, :dims]
    angle = z[:, :1] * 2 + 1
    if names is not None:
        table = Sample.infer({"C": np.array(names)[c], "S": angle, "Z": z})
        return Sample(table.columns, table.variables, None, table.metadata)
    return Sample(
        {"C": c, "S": angle, "Z": z},
        {
            "C": Variable("C", "discrete", 3, "class"),
            "S": Variable("S", "continuous", None, "style"),
            "Z": Variable("Z", "continuous", None, "representation"),
        },
    )


@pytest.mark.parametrize("method", ["linear", "knn"])
def test_probes_of_test_images_agree_with_scikit_learn(method: str):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    fitted, judged = two(400, 0), two(300, 1)
    found = probe(fitted, "C", test=judged, method=method)
    model = LogisticRegression(C=1.0) if method == "linear" else KNeighborsClassifier(15)
    expected = model.fit(fitted["Z"], fitted["C"]).score(judged["Z"], judged["C"])
    assert found.samples == 300
    assert found.folds == 0
    assert abs(found.score - expected) < 3 * found.standard_error
    usual = np.bincount(fitted["C"]).argmax()
    assert found.chance == pytest.approx((judged["C"] == usual).mean())


def test_a_continuous_target_is_read_from_test_images():
    assert probe(two(300, 0), "S", test=two(200, 1)).score > 0.999
    assert probe(two(300, 0), "S", test=two(200, 1), method="knn").score > 0.8


def test_the_test_images_are_not_fitted_on():
    fitted, judged = two(300, 0), two(300, 1)
    shuffled = judged.with_column(judged.variables["C"], np.random.default_rng(0).permutation(judged["C"]))
    wrong = probe(fitted, "C", test=shuffled)
    assert abs(wrong.score - 1 / 3) < 4 * wrong.standard_error
    assert probe(fitted, "C", test=judged).score > 0.9


def test_classes_are_matched_by_name():
    names = ("ant", "bee", "cat")
    fitted = two(600, 0)
    table = Sample.infer({"C": np.array(names)[fitted["C"]], "Z": fitted["Z"]})
    judged = two(300, 1, names=names)
    assert judged.variables["C"].cardinality == 2
    assert probe(table, "C", test=judged).score > 0.9
    with pytest.raises(ValueError, match="test must name the states of 'C'"):
        probe(fitted, "C", test=judged)


def test_the_table_has_both_ways():
    table = probes(two(300, 0), ["C"], test=two(200, 1), methods=(m for m in ("linear", "knn")))
    assert table[["method", "judged"]].to_numpy().tolist() == [
        ["linear", "test"],
        ["linear", "cross-validated"],
        ["knn", "test"],
        ["knn", "cross-validated"],
    ]
    assert (table["samples"] == 200).all()


@pytest.mark.parametrize(
    ("judged", "message"),
    [
        (two(50, 1, dims=2), "test must have 'Z' of 3 dimensions"),
        (
            Sample.infer({"C": np.linspace(0, 1, 50), "Z": np.zeros((50, 3))}),
            "'C' of the same kind, discrete",
        ),
        (Sample.infer({"Z": np.zeros((50, 3))}), "unknown variable 'C'"),
    ],
)
def test_test_images_that_do_not_fit(judged: Sample, message: str):
    with pytest.raises(ValueError, match=message):
        probe(two(50, 0), "C", test=judged)


# The error of equivariance


def test_built_in_equivariance_has_no_error_and_its_own_action():
    digits = ImageSet.from_generator(Digits())
    encoder = build_encoder("c4", (1, 8, 8), features=8)
    fitted = equivariance_error(encoder, "rotation", digits)
    assert fitted.value < 1e-4 < fitted.invariance
    group = plane_group("C4")

    def act(z: np.ndarray, label: int) -> np.ndarray:
        fields = torch.from_numpy(z).reshape(len(z), -1, group.order)
        return regular_action("C4", label, fields[..., None, None]).reshape(len(z), -1).numpy()

    known = equivariance_error(encoder, "rotation", digits, action=act)
    assert known.value < 1e-8
    assert known.images == len(digits)
    assert fitted.images < len(digits)
    wrong = equivariance_error(encoder, "rotation", digits, action=lambda z, a: act(z, -a % 4))
    assert wrong.value > 10 * known.value
    assert wrong.value > 0.01


def test_a_plain_encoder_has_some_and_an_invariant_one_has_none():
    digits = ImageSet.from_generator(Digits())
    torch.manual_seed(0)
    plain = equivariance_error(build_encoder("cnn", (1, 8, 8), features=8), "rotation", digits)
    assert plain.value > 0.05 + 3 * plain.standard_error

    def invariant(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.mean((1, 2, 3)), x.square().mean((1, 2, 3))], dim=1)

    found = equivariance_error(invariant, "rotation", digits)
    assert found.value < 1e-6
    assert found.invariance < 1e-6
    assert "equivariance error under rotation" in str(found)
    assert found.to_dict()["images"] == found.images


def test_pixels_themselves_are_equivariant():
    digits = ImageSet.from_generator(Digits())
    found = equivariance_error(lambda x: x.flatten(1)[:, :], "horizontal-flip", digits)
    assert found.value < 1e-3 < found.invariance
    few = equivariance_error(lambda x: x.flatten(1), "horizontal-flip", digits.rows(torch.arange(60)))
    assert few.warnings


@pytest.mark.parametrize(
    ("encoder", "images", "options", "message"),
    [
        (lambda x: x.flatten(1), torch.rand(15, 1, 4, 4), {}, "images must be at least 16"),
        (lambda x: x.flatten(1) * 0, torch.rand(20, 1, 4, 4), {}, "same features for all images"),
        (lambda x: x.flatten(1), torch.rand(20, 1, 4, 4), {"action": lambda z, a: z[:3]}, "action must give"),
        (lambda x: x.flatten(1), torch.rand(20, 1, 4, 5), {}, "rotation needs square images"),
    ],
)
def test_no_error_of_equivariance(encoder, images, options, message: str):
    with pytest.raises(ValueError, match=message):
        equivariance_error(encoder, "rotation", images, **options)


# A whole way, with a transformation of one's own


def test_a_function_with_states_goes_all_the_way(digits: ImageSet):
    def shift(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.roll(2 * int(a), -1) for x, a in zip(images, labels, strict=True)])

    trained = train(PredictTransformation((shift, 4)), digits, seed=0, encoder="mlp", features=8, options=CPU)
    sample = represent(trained, digits, (shift, 4), seed=1)
    assert sample.variables["A"].cardinality == 4
    assert sample.metadata["task"] == "shift"
    measured = measure_representation(sample, terms=["I(A;Z)"], quality="quick")
    assert measured["I(A;Z)"].samples == 200
    exact = FunctionTransformation(shift, 4, called="slide", exact=True)
    assert equivariance_error(trained, exact, digits).task == "slide"
    assert [c.name for c in candidates([(shift, 4), exact], (1, 8, 8))] == ["shift", "slide"]
    both = digits.transformed([exact, "horizontal-flip"], seed=0)
    assert both.metadata["task"] == "slide+horizontal-flip"
