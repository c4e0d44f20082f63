"""Everything that takes a device, on the pretended one: what the CPU finds, and no wait in a step."""

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from pretended import DEVICE, OnDevice, Traffic, pretend
from torch import nn

from synergy.device import choose_device, deterministic
from synergy.estimators import ESTIMATORS, estimate
from synergy.estimators.classifier import CrossFit, NetworkClassifier, TorchClassifier, classifier
from synergy.estimators.neighbours.tiles import tile_height
from synergy.experiments import EXPERIMENTS, Scale
from synergy.experiments.projection_head import experiment as projection_head
from synergy.learning import (
    Eliminate,
    Equivariance,
    ImageSet,
    Invariance,
    PredictLabel,
    PredictTransformation,
    Pretext,
    SoftEquivariance,
    Stream,
    Trained,
    Training,
    Untrained,
    as_task,
    equivariance_error,
    load_encoder,
    measure_representation,
    probes,
    represent,
    train,
)
from synergy.learning.encoders import ENCODERS, ResNet18, build_encoder
from synergy.ranking import RankSettings, rank
from synergy.verification import Settings, verify
from synthetic import Digits, Glyphs, ModularShift, Sample, from_arrays
from synthetic.transformations import TRANSFORMATIONS, on_grid, transformation
from synthetic.transformations.augment import AUGMENTATIONS


def pictures(n: int, channels: int = 3, side: int = 16) -> torch.Tensor:
    return on_grid(torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0)))


def image_set(n: int = 64, side: int = 16) -> ImageSet:
    return ImageSet(pictures(n, side=side), {"C": torch.arange(n) % 4}, {"C": 4})


def growth(work: Callable[[int], object]) -> Traffic:
    """What one more step costs: the traffic of four steps less that of two, over two, tables being there."""
    found = []
    for steps in (2, 2, 4):
        with pretend() as traffic:
            work(steps)
            found.append(traffic)
    fewer, more = found[1:]
    counters = [
        {place: (after[place] - before[place]) / 2 for place in after}
        for before, after in zip(vars(fewer).values(), vars(more).values(), strict=True)
    ]
    return Traffic(*(type(fewer.uploads)({k: v for k, v in c.items() if v}) for c in counters))


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_transformation_does_the_same_on_the_device_and_does_not_wait(name: str):
    action, images = transformation(name), pictures(48)
    labels = torch.from_numpy(action.draw(48, np.random.default_rng(0)))
    expected = action.apply(images, labels)
    with pretend() as traffic:
        there, drawn = images.cuda(), labels.cuda()
        found = action.apply(there, drawn)
        assert found.device == DEVICE
        torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=2e-6)
        traffic.clear()
        action.transform(there, drawn)
        assert not traffic.synchronisations
        action.apply(there, drawn)
        assert traffic.synchronisations.total() <= 1  # the labels are checked
        with pytest.raises(ValueError, match=r"must stay in 0\.\.23, got 24\.\.24"):
            transformation("jigsaw").apply(there, torch.full((48,), 24, device="cuda"))


def test_blur_without_a_sharp_label_does_the_same_on_the_device():
    action, images, labels = (
        transformation({"name": "blur", "sigmas": [0.7, 2.0]}),
        pictures(8),
        torch.arange(8) % 2,
    )
    with pretend():
        found = action.apply(images.cuda(), labels.cuda()).cpu()
    torch.testing.assert_close(found, action.apply(images, labels), rtol=0, atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_does_the_same_on_the_device_and_does_not_wait(name: str, channels: int):
    """In double precision, where the CPU goes image by image and the device chooses by masks."""
    chosen, images = AUGMENTATIONS[name], pictures(40, channels).double()
    numbers = torch.rand(40, chosen.numbers, generator=torch.Generator().manual_seed(1)).double()
    expected = chosen.apply(images, numbers)
    with pretend() as traffic:
        there, drawn = images.cuda(), numbers.cuda()
        traffic.clear()
        found = chosen.apply(there, drawn)
        assert not traffic.synchronisations
        assert torch.equal(there.cpu(), images)
        torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=2**-23)


PLACES = [[0.0, 0.0], [0.1, 0.0]]
WORLDS = {
    "plain": {},
    "colours and places": {"channels": 3, "hue": [0.0, 0.5], "position": PLACES, "noise": 0.2},
    "occlusion": {"occlusion": 0.3},
    "styles": {"background": [0.0, 0.4], "stroke": [0.2, 0.3], "scale": [0.6, 0.8], "texture": [0.0, 0.5]},
    "continuous": {"pose": {"low": 0.0, "high": 2.0}, "scale": {"low": 0.6, "mode": 0.7, "high": 0.8}},
    "poses": {"pose": [0.0, 1.0], "transformation": "vertical-flip"},
    "augmented": {"augmentation": "simclr", "channels": 3},
    **{name: {"transformation": name, "channels": 3} for name in TRANSFORMATIONS},
}


@pytest.mark.parametrize("name", WORLDS)
def test_glyphs_are_drawn_on_the_device(name: str):
    world = Glyphs("mixed", size=16, **WORLDS[name])
    with pretend() as traffic:
        world.tensors(4, seed=0, device="cuda")
        traffic.clear()
        drawn = world.tensors(32, seed=1, device="cuda")
        assert not traffic.synchronisations
        assert all(column.device == DEVICE for column in drawn.values())
        columns = {key: column.cpu() for key, column in drawn.items()}
        again = world.sample(32, seed=1, device="cuda")
    assert all(np.array_equal(again[key], column.numpy()) for key, column in columns.items())
    if "R" in columns and not {"noise", "occlusion", "augmentation"} & set(WORLDS[name]):
        raw = world.states.raw_images[columns["R"]]
        torch.testing.assert_close(columns["X"], world.action.apply(raw, columns["A"]), rtol=0, atol=2e-6)


@pytest.mark.parametrize("side", [16, 19])
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_does_the_same_on_the_device_and_does_not_wait(name: str, side: int):
    torch.manual_seed(0)
    encoder, images = build_encoder(name, (3, side, side), features=16), pictures(2, side=side)
    expected = encoder.eval()(images).detach()
    with pretend() as traffic:
        there, inputs = encoder.to("cuda"), images.cuda()
        there(inputs)
        traffic.clear()
        found = there(inputs)
        found.square().sum().backward()
        assert not traffic.synchronisations
        assert all(p.grad.device == DEVICE for p in there.parameters())
        torch.testing.assert_close(found.detach().cpu(), expected, rtol=1e-5, atol=1e-5)


TASKS: dict[str, Pretext] = {
    "rotation": PredictTransformation("rotation"),
    "jigsaw": PredictTransformation("jigsaw"),
    "blur": PredictTransformation("blur"),
    "hue": PredictTransformation({"name": "hue-shift", "steps": 3}),
    "several": PredictTransformation("rotation+grayscale", joint="sum"),
    "coarse": PredictTransformation(as_task("rotation", coarse=[0, 1, 0, 1])),
    "told": PredictTransformation("rotation", told="C"),
    "class": PredictLabel("C"),
    **{f"augmented: {name}": PredictLabel("C", augment=name) for name in AUGMENTATIONS},
    "invariance": Invariance("rotation"),
    "two crops": Invariance(augment="simclr"),
    "equivariance": Equivariance("rotation", augment="crop+flip", block=4),
    "soft": SoftEquivariance("rotation", block=4),
    "eliminate": Eliminate(PredictTransformation("rotation")),
    "reversal": Eliminate(PredictTransformation("rotation"), method="reversal"),
    "untrained": Untrained(),
}


def trained(pretext: Pretext, data, *, encoder="cnn", checkpoint=None, progress=False, **options) -> Trained:
    settings = Training(**{"epochs": 1, "batch_size": 8, "device": "cuda", "clip": 1.0, **options})
    return train(
        pretext,
        data,
        seed=3,
        encoder=encoder,
        features=8,
        options=settings,
        checkpoint=checkpoint,
        progress=progress,
    )


def weights(found: Trained) -> list[torch.Tensor]:
    return [v.detach().cpu() for v in found.encoder.state_dict().values()]


@pytest.mark.parametrize("name", TASKS)
def test_a_step_on_the_device_learns_the_same_and_does_not_wait(name: str):
    per_step = growth(lambda steps: trained(TASKS[name], image_set(8 * steps)))
    assert not per_step.synchronisations
    assert not per_step.uploads
    expected = trained(TASKS[name], image_set(32), device="cpu")
    with pretend():
        found = trained(TASKS[name], image_set(32))
        assert found.device == DEVICE
        curve, moved = found.curve, weights(found)
    np.testing.assert_allclose(curve["loss"], expected.curve["loss"], rtol=2e-4)
    for there, here in zip(moved, weights(expected), strict=True):
        torch.testing.assert_close(there, here, rtol=0, atol=2e-3)


@pytest.mark.parametrize(("precision", "waits"), [("bfloat16", 0), ("float16", 1)])
@pytest.mark.parametrize("name", ["rotation", "two crops", "eliminate"])
def test_mixed_precision_waits_once_a_step_at_most(name: str, precision: str, waits: int):
    """The scaler of float16 asks once in a step whether a gradient is infinite."""
    per_step = growth(lambda steps: trained(TASKS[name], image_set(8 * steps), precision=precision))
    assert per_step.synchronisations.total() == waits


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_a_run_that_is_resumed_on_the_device_ends_with_the_same_bits(tmp_path, optimiser: str):
    def run(**options) -> Trained:
        return trained(
            TASKS["eliminate"],
            image_set(16),
            encoder=dropping,
            epochs=3,
            optimiser=optimiser,
            learning_rate=1e-2,
            **options,
        )

    def stop(done: float) -> None:
        raise KeyboardInterrupt

    with pretend():
        whole = run()
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint=tmp_path, progress=stop)
        assert len(list(tmp_path.glob("epoch-000001.safetensors"))) == 1
        resumed = run(checkpoint=tmp_path)
        assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    assert whole.curve.equals(resumed.curve)


def dropping() -> nn.Module:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8), nn.Dropout(0.5))
    module.features = 8
    return module


def test_early_stopping_judges_on_the_device():
    held = image_set(20)
    options = Training(epochs=3, batch_size=8, patience=1, learning_rate=0.1, device="cuda")
    with pretend() as traffic:
        found = train(TASKS["class"], image_set(16), seed=0, options=options, held_out=held, progress=False)
        waits = {place for place in traffic.synchronisations if place.startswith("synergy/learning/run.py")}
    assert np.isfinite(found.curve["held_out_loss"]).all()
    assert waits


@pytest.mark.parametrize("name", ["colours and places", "occlusion", "augmented", "jigsaw", "blur"])
def test_a_stream_of_glyphs_is_drawn_without_waiting(name: str):
    world = Glyphs("mixed", size=16, **WORLDS[name])
    per_step = growth(lambda steps: trained(PredictLabel("C"), Stream(world, 8 * steps), encoder="mlp"))
    assert not per_step.synchronisations
    assert not per_step.uploads


@pytest.mark.parametrize(
    "source", [Digits(), from_arrays(pictures(9), [0, 1, 2] * 3)], ids=["digits", "arrays"]
)
def test_a_stream_of_real_images_uploads_numbers_alone(source):
    per_step = growth(lambda steps: trained(PredictLabel("A"), Stream(source, 8 * steps), encoder="mlp"))
    assert not per_step.synchronisations
    assert per_step.uploads.total() == 3  # which image, its class, how it is transformed
    with pretend():
        found = source.tensors(5, seed=2, device="cuda")
        assert all(isinstance(column, OnDevice) for column in found.values())
        assert torch.equal(found["X"].cpu(), source.tensors(5, seed=2)["X"])


def test_images_on_the_device_are_split_shown_and_trained_on(tmp_path):
    here = image_set(24)
    groups = torch.arange(24) // 2
    options = {"labels": here.labels, "states": here.states}
    with pretend() as traffic:
        there = ImageSet(
            here.images.cuda(), {"C": here.labels["C"].cuda()}, here.states, groups=groups.cuda()
        )
        plain = ImageSet(here.images, groups=groups, **options)
        assert there.digest == plain.digest
        for one, other in zip(there.split(0.5, seed=1), plain.split(0.5, seed=1), strict=True):
            assert one.images.device == DEVICE
            assert torch.equal(one.images.cpu(), other.images)
            assert torch.equal(one.groups, other.groups)
        shown, expected = (s.transformed("rotation+blur", copies=2, seed=0) for s in (there, plain))
        assert all(np.allclose(shown[name], expected[name], rtol=0, atol=2e-6) for name in expected)
        traffic.clear()
        list(there.batches(0, 8, seed=0, device=choose_device("cuda")))
        assert traffic.uploads.total() == 2  # the labels once, and the order of an epoch
        given = ImageSet.from_arrays(here.images.cuda(), {"C": here.labels["C"].cuda()})
        assert torch.equal(given.labels["C"], here.labels["C"])
        found = trained(TASKS["rotation"], there)
        assert np.allclose(found.represent(there.images), found.represent(here.images), atol=1e-5)
        found.save(tmp_path)
        assert load_encoder(tmp_path, device="cuda").device == DEVICE
        assert load_encoder(tmp_path, device="cpu").device.type == "cpu"
        made = from_arrays(there.images, there.labels["C"].cuda())
        assert torch.equal(made.raw, from_arrays(here.images, here.labels["C"]).raw)
        assert {t.device for t in ModularShift(n=4).sample(6, seed=0).tensors(device="cuda").values()} == {
            DEVICE
        }


def test_probes_and_terms_of_a_representation_from_the_device():
    source = Digits(classes=[0, 1])
    with pretend():
        found = trained(PredictLabel("A"), Stream(source, 16), encoder="mlp")
        judged = found.represented(source.sample(160, seed=5))
        table = probes(judged, ["C"], folds=2)
        measured = measure_representation(
            judged, terms=["I(C;Z)"], folds=2, device="cuda", model=NetworkClassifier(hidden=8, epochs=(1, 1))
        )
        assert measured.fit.device == "cuda"
    assert table["score"].between(0, 1).all()
    assert np.isfinite(measured["I(C;Z)"].value)


def rows(n: int = 240) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(n, 1)), rng.integers(3, size=n)
    return {
        "X": x,
        "Y": x + rng.normal(size=(n, 1)),
        "Z": rng.normal(size=(n, 1)),
        "C": c,
        "W": x + c[:, None],
    }


BOUNDS = ("barber-agakov", "nwj", "infonce", "smile", "donsker-varadhan")


@pytest.mark.parametrize("name", BOUNDS)
def test_a_variational_estimate_repeats_on_the_device_and_no_step_waits(name: str):
    data, options = rows(), {"estimator": name, "folds": 2, "batch": 32}
    with pretend():
        found, again = (estimate(data, "I(X;Y|Z)", **options, steps=6, device="cuda") for _ in range(2))
    assert np.isfinite(found.value)
    assert np.array_equal(found.scores, again.scores)
    per_step = growth(lambda k: estimate(data, "I(X;Y|Z)", **options, steps=k, device="cuda"))
    assert not per_step.synchronisations


def test_infonce_scores_all_rows_of_a_window_at_once():
    from synergy.estimators.variational.objectives import evaluate

    with pretend() as traffic:
        counts = []
        for n in (64, 128):
            scores = torch.randn(n, n, device="cuda")
            traffic.clear()
            found = evaluate(scores, "infonce", batch=32)
            counts.append(traffic.synchronisations.total())
            assert found.shape == (n,)
    assert counts == [0, 0]


OTHERS = [n for n, entry in ESTIMATORS.items() if "device" in entry.options and n not in BOUNDS]
"""Nearest neighbours and classifiers."""


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_estimator_gives_the_answer_of_the_cpu_or_refuses(name: str):
    options = {"estimator": name}
    if name == "classifier":
        options["model"] = TorchClassifier(nn.Linear(1, 3), epochs=3)
    term = "I(C;W)" if name in ("classifier", "ross") else "I(X;Y)"
    expected = pytest.approx(estimate(rows(), term, **options).value, abs=1e-6)
    with pretend():
        assert estimate(rows(), term, **options, device="auto").value == expected
        if name in ("ksg2", "gao", "ross"):
            with pytest.raises(ValueError, match=f"method {name!r} does not run on a device"):
                estimate(rows(), term, **options, device="cuda")
        else:
            assert estimate(rows(), term, **options, device="cuda").value == expected


def test_tiles_are_as_high_as_the_memory_of_the_device_allows():
    assert tile_height(100_000, torch.device("cpu")) == 47
    with pretend():
        assert tile_height(100_000, DEVICE) == 383  # a quarter of 8 GiB
        assert tile_height(1_000, DEVICE) == 1_000


@pytest.mark.parametrize("kind", ["network", "convolution"])
def test_the_networks_of_a_cross_fit_do_not_wait_in_a_step(kind: str):
    from synergy.estimators.classifier import ConvolutionClassifier

    sample = Digits(classes=[0, 1]).sample(96, seed=0)

    def fit(steps: int) -> None:
        settings = {"passes": 1, "epochs": (1, 1), "batch": 48 // steps, "device": "cuda"}
        model = (
            NetworkClassifier(hidden=8, members=1, **settings)
            if kind == "network"
            else ConvolutionClassifier(width=2, hidden=4, **settings)
        )
        CrossFit(sample, folds=2, model=model).losses("C", "X")

    assert not growth(fit).synchronisations


class Seen(nn.Linear):
    """A module that remembers what it met."""

    met: list[tuple] = []  # noqa: RUF012  (shared by its copies)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flags = torch.get_deterministic_debug_mode(), torch.backends.cudnn.deterministic
        Seen.met.append((x.device, self.weight.device, *flags))
        return super().forward(x)


def test_a_users_module_runs_where_it_was_asked_to_and_deterministically():
    with pretend():
        for options in ({"device": "cuda"}, {"model": Seen(1, 3).cuda()}):
            Seen.met.clear()
            classifier(Sample.infer(rows()), "I(C;W)", **{"model": Seen(1, 3), "folds": 2, **options})
            assert set(Seen.met) == {(DEVICE, DEVICE, 1, True)}
    Seen.met.clear()
    classifier(Sample.infer(rows()), "I(C;W)", model=Seen(1, 3), folds=2)
    assert set(Seen.met) == {(torch.device("cpu"), torch.device("cpu"), 0, False)}
    assert torch.get_deterministic_debug_mode() == 0
    assert not torch.backends.cudnn.deterministic


@pytest.mark.parametrize("before", [0, 1, 2])
def test_flags_of_determinism_are_as_they_were_afterwards(before: int, monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    kept = torch.utils.deterministic.fill_uninitialized_memory

    def interrupted() -> None:
        with deterministic(DEVICE):
            assert torch.get_deterministic_debug_mode() == max(before, 1)
            raise KeyboardInterrupt

    torch.set_deterministic_debug_mode(before)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert torch.get_deterministic_debug_mode() == before
    finally:
        torch.set_deterministic_debug_mode(0)
    assert torch.utils.deterministic.fill_uninitialized_memory == kept
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_what_cannot_run_on_a_device_says_so_in_one_line():
    from sklearn.linear_model import LogisticRegression

    sample = Sample.infer(rows())
    with pretend():
        with pytest.raises(
            ValueError, match="quality 'quick' fits a kernel classifier, which runs on the CPU"
        ):
            CrossFit(sample, quality="quick", device="cuda")
        with pytest.raises(ValueError, match="SklearnClassifier runs on the CPU alone"):
            CrossFit(sample, model=LogisticRegression(), device="cuda")
        assert CrossFit(sample, quality="quick", device="auto").device == "cpu"
        assert CrossFit(sample, device="auto").device == "cuda"
        assert CrossFit(sample, model=LogisticRegression(), device="auto").device == "cpu"


AUTOMATIC = {
    "neighbours": ("I(X;Y)", True),
    "neighbours given": ("I(X;Y|W)", True),
    "labels and numbers given": ("I(C;X|W)", True),
    "a sum": ("I(X;Y) + I(X;W)", True),
    "a label and a number": ("I(C;W)", "auto chose ross, which runs on the CPU alone"),
    "labels": ("H(C)", "auto chose the discrete estimator, which runs on the CPU alone"),
}


@pytest.mark.parametrize(("term", "there"), AUTOMATIC.values(), ids=AUTOMATIC.keys())
def test_auto_runs_what_it_chose_on_the_device_or_refuses(term: str, there: bool | str):
    expected = pytest.approx(estimate(rows(), term).value, abs=1e-6)
    assert estimate(rows(), term, device="cpu").value == expected
    with pretend():
        assert estimate(rows(), term, device="auto").value == expected
        if there is True:
            assert estimate(rows(), term, device="cuda").value == expected
        else:
            with pytest.raises(ValueError, match=there):
                estimate(rows(), term, device="cuda")


def test_auto_asks_for_a_device_that_is_there():
    with pytest.raises(ValueError, match="unknown device 'abacus'"):
        estimate(rows(), "H(C)", device="abacus")
    with pytest.raises(ValueError, match="no CUDA device is available"):
        estimate(rows(), "I(X;Y)", device="cuda")


def test_any_encoder_is_read_and_tried_on_the_device():
    encoder, images = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8)), pictures(20)
    expected = represent(encoder, images, "rotation", seed=1)
    error = equivariance_error(encoder, "rotation", images, seed=1)
    with pretend():
        found = represent(encoder, images, "rotation", seed=1, device="cuda")
        np.testing.assert_allclose(found["Z"], expected["Z"], atol=1e-5)
        there = equivariance_error(encoder, "rotation", images, seed=1, device="cuda")
    assert there.table.shape == error.table.shape
    assert next(encoder.parameters()).device.type == "cpu"


@pytest.mark.slow
def test_a_ranking_trains_its_pilots_on_the_device():
    digits = Digits(classes=[0, 1])
    tiny = RankSettings(images=60, judged=40, steps=2, most_epochs=2, features=8, folds=2)
    with pretend() as traffic:
        found = rank(
            digits.raw[:120].cuda(),
            digits.targets[:120],
            transformations=["rotation"],
            seeds=2,
            settings=tiny,
            jobs=1,
            device="cuda",
        )
    assert [task.transformation for task in found.tasks] == ["rotation"]
    assert traffic.uploads


@pytest.mark.slow
def test_verify_trains_its_networks_on_the_device():
    sizes = {"vector_rows": 160, "train_rows": 64, "judge_rows": 64, "image_rows": 64, "features": 4}
    settings = Settings(**sizes, vector_epochs=1, trainings=1, folds=2, quality="quick", device="cuda")
    with pretend() as traffic:
        report = verify("E1", worlds=("learned",), generators=("modular-shift",), settings=settings)
    assert report.verdicts
    assert traffic.uploads


@pytest.fixture
def large(monkeypatch) -> Scale:
    """The large scale for one step, its ResNet-18 a sixteenth as wide."""
    monkeypatch.setitem(ENCODERS, "resnet18", lambda shape, features: ResNet18(shape[0], features, width=4))
    scale = Scale.large(seeds=1, steps=2, batch=8, judged=48, features=16)  # an epoch of some 14 glyphs
    assert (scale.encoder, scale.precision, scale.device) == ("resnet18", "bfloat16", "cuda")
    return scale


@pytest.mark.slow
def test_an_experiment_takes_one_step_at_the_large_scale_on_the_device(large: Scale):
    with pretend() as traffic:
        outcome = EXPERIMENTS["invariance-or-equivariance"].run(large)
    assert outcome.runs["hue accuracy"].between(0, 1).all()
    assert traffic.uploads


def test_the_layers_of_an_untrained_head_are_read_on_the_device(large: Scale):
    images = pictures(4).numpy()
    with pretend():
        found = trained(Untrained(), image_set(8), encoder="mlp", compile=False)
        head = projection_head._head(projection_head.UNTRAINED, found, replace(large, features=8), 0)
        layers = projection_head.layer_outputs(found, head, images, direction=True)
    assert {name: values.shape for name, values in layers.items()} == {
        "encoder": (4, 8),
        "hidden": (4, 8),
        "output": (4, 64),
    }
