"""The training loop: it learns, it repeats to the bit, it resumes to the bit, and it refuses bad input."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.device import choose_device, keep_freed_memory
from synergy.learning import (
    ENCODERS,
    ConvEncoder,
    Eliminate,
    Equivariance,
    ImageSet,
    Invariance,
    PredictLabel,
    PredictTransformation,
    Stream,
    Trained,
    Training,
    Untrained,
    build_encoder,
    load_encoder,
    train,
    train_classifier,
)
from synthetic import Digits

CPU = Training(epochs=3, batch_size=64, device="cpu")


@pytest.fixture(scope="module")
def digits() -> tuple[ImageSet, ImageSet]:
    return ImageSet.from_generator(Digits(), n=512).split(0.5, seed=0)


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    parts = {"encoder": trained.encoder, "head": trained.head}
    return {f"{k}.{n}": v for k, m in parts.items() for n, v in m.state_dict().items()}


def same(first: Trained, second: Trained) -> bool:
    a, b = weights(first), weights(second)
    return (
        a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a) and first.curve.equals(second.curve)
    )


TASKS = {
    "rotation": PredictTransformation("rotation"),
    "multivariate": PredictTransformation("rotation+inversion"),
    "supervised": PredictLabel("C"),
    "invariance": Invariance("rotation", augment="crop"),
    "strict equivariance": Equivariance("rotation"),
    "class told": PredictTransformation("rotation", told="C"),
    "class eliminated": Eliminate(PredictTransformation("rotation")),
    "class eliminated by reversal": Eliminate(PredictTransformation("rotation"), method="reversal"),
}


@pytest.mark.parametrize("name", TASKS)
def test_training_reduces_the_loss(digits: tuple[ImageSet, ImageSet], name: str):
    options = Training(epochs=8, batch_size=64, device="cpu")
    trained = train(TASKS[name], digits[0], seed=0, encoder="mlp", features=16, options=options)
    assert trained.curve["epoch"].tolist() == list(range(1, 9))
    assert trained.curve["loss"].iloc[-1] < trained.curve["loss"].iloc[0]


@pytest.mark.parametrize("name", ["cnn", "c4", "d4"])
def test_each_encoder_learns_rotation_better_than_chance(digits: tuple[ImageSet, ImageSet], name: str):
    options = Training(epochs=6, batch_size=64, device="cpu")
    train_set, judged = digits
    trained = train(
        PredictTransformation("rotation"),
        train_set,
        seed=0,
        encoder=name,
        features=16,
        options=options,
        held_out=judged,
    )
    last = trained.curve.iloc[-1]
    deviation = (0.25 * 0.75 / len(judged)) ** 0.5
    assert last["held_out_accuracy"] > 0.25 + 4 * deviation


def test_resnet_takes_a_step(digits: tuple[ImageSet, ImageSet]):
    options = Training(epochs=1, batch_size=16, device="cpu")
    few = digits[0].rows(torch.arange(16))
    trained = train(PredictLabel("C"), few, seed=0, encoder="resnet18", features=8, options=options)
    assert np.isfinite(trained.curve["loss"]).all()
    assert trained.represent(few.images).shape == (16, 8)


def test_a_random_encoder_is_not_trained(digits: tuple[ImageSet, ImageSet]):
    first, second = (train(Untrained(), digits[0], seed=s, options=CPU) for s in (0, 0))
    assert same(first, second)
    assert first.curve.empty
    other = train(Untrained(), digits[0], seed=1, options=CPU)
    assert not same(first, other)


def test_the_seed_fixes_everything(digits: tuple[ImageSet, ImageSet]):
    def run(seed: int) -> Trained:
        task = PredictTransformation("rotation", augment="crop+flip")
        return train(task, digits[0], seed=seed, encoder="c4", features=8, options=CPU, held_out=digits[1])

    assert same(run(0), run(0))
    assert not same(run(0), run(1))


def test_training_leaves_torchs_own_random_state_alone(digits: tuple[ImageSet, ImageSet]):
    before = torch.get_rng_state()
    train(PredictTransformation("rotation"), digits[0], seed=0, encoder="mlp", options=CPU)
    assert torch.equal(torch.get_rng_state(), before)


class StopError(Exception):
    pass


def stop_after(fraction: float):
    def report(done: float) -> None:
        if done >= fraction:
            raise StopError

    return report


RESUMED = {
    "adamw": (PredictTransformation("rotation"), {}),
    "sgd, clipped": (
        PredictTransformation("rotation"),
        {"optimiser": "sgd", "clip": 1.0, "learning_rate": 0.05},
    ),
    "adversary": (Eliminate(PredictTransformation("rotation")), {}),
    "bfloat16": (PredictTransformation("rotation"), {"precision": "bfloat16"}),
    "early stopping": (PredictLabel("C"), {"patience": 2, "learning_rate": 0.1, "epochs": 12}),
}


@pytest.mark.parametrize("name", RESUMED)
def test_an_interrupted_run_ends_with_the_same_bits(digits: tuple[ImageSet, ImageSet], name: str, tmp_path):
    task, changes = RESUMED[name]
    options = Training(**{"epochs": 4, "batch_size": 64, "device": "cpu", **changes})
    settings = {"seed": 3, "encoder": "mlp", "features": 8, "options": options, "held_out": digits[1]}
    whole = train(task, digits[0], **settings)
    with pytest.raises(StopError):
        train(task, digits[0], checkpoint=tmp_path, progress=stop_after(2 / options.epochs), **settings)
    index = json.loads((tmp_path / "checkpoint.json").read_text())
    assert index["state"]["epoch"] == 2
    assert same(train(task, digits[0], checkpoint=tmp_path, **settings), whole)
    again = train(task, digits[0], checkpoint=tmp_path, **settings)
    assert same(again, whole)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_fresh_stream_resumes_too(tmp_path):
    stream = Stream(Digits(), 128)
    settings = {"seed": 0, "encoder": "mlp", "features": 8, "options": CPU}
    whole = train(PredictLabel("A"), stream, **settings)
    with pytest.raises(StopError):
        train(PredictLabel("A"), stream, checkpoint=tmp_path, progress=stop_after(0.3), **settings)
    assert same(train(PredictLabel("A"), stream, checkpoint=tmp_path, **settings), whole)


def test_a_network_with_batch_statistics_resumes(digits: tuple[ImageSet, ImageSet], tmp_path):
    """Buffers are part of the state."""

    def build() -> torch.nn.Module:
        module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.BatchNorm1d(8))
        module.features = 8
        return module

    settings = {"seed": 0, "encoder": build, "options": CPU}
    whole = train(PredictLabel("C"), digits[0], **settings)
    with pytest.raises(StopError):
        train(PredictLabel("C"), digits[0], checkpoint=tmp_path, progress=stop_after(0.3), **settings)
    assert same(train(PredictLabel("C"), digits[0], checkpoint=tmp_path, **settings), whole)


def test_early_stopping_keeps_the_best_weights(digits: tuple[ImageSet, ImageSet]):
    options = Training(epochs=40, batch_size=64, learning_rate=0.02, patience=3, device="cpu")
    settings = {"seed": 0, "encoder": "mlp", "features": 16, "held_out": digits[1]}
    trained = train(PredictLabel("C"), digits[0], options=options, **settings)
    curve = trained.curve
    best = int(curve["held_out_loss"].idxmin())
    assert len(curve) == best + 1 + 3 < 40
    with torch.no_grad():
        logits = trained.head(torch.tensor(trained.represent(digits[1].images)))
        loss = torch.nn.functional.cross_entropy(logits, digits[1].labels["C"]).item()
    assert loss == pytest.approx(curve["held_out_loss"][best], rel=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"pretext": "rotation"}, "pretext must be a task such as", id="a name for a task"),
        pytest.param(
            {"source": np.zeros((4, 1, 8, 8))}, "source must be an ImageSet or a Stream", id="array"
        ),
        pytest.param({"source": Digits()}, "make one with ImageSet", id="a generator"),
        pytest.param({"held_out": Digits()}, "held_out must be an ImageSet or a Stream", id="held out"),
        pytest.param({"encoder": lambda x: x}, "a function without arguments that makes", id="no factory"),
        pytest.param({"encoder": lambda: 3}, "encoder must make a torch module, got int", id="no module"),
        pytest.param({"encoder": None}, "encoder must be a name in ENCODERS", id="no encoder"),
        pytest.param({"options": {}}, r"options must be Training\(\.\.\.\) or None, got {}", id="options"),
        pytest.param({"options": {"epochs": 3}}, r"options must be Training\(\.\.\.\)", id="more options"),
    ],
)
def test_something_else_is_refused(digits: tuple[ImageSet, ImageSet], changed: dict, message: str):
    given = {"pretext": PredictLabel("C"), "source": digits[0], "encoder": "mlp", "options": CPU, **changed}
    with pytest.raises(TypeError, match=message):
        train(given.pop("pretext"), given.pop("source"), seed=0, **given)


def test_a_checkpoint_that_was_chosen_on_other_data_is_refused(digits: tuple[ImageSet, ImageSet], tmp_path):
    settings = {"seed": 0, "encoder": "mlp", "features": 8, "checkpoint": tmp_path}
    options = Training(epochs=2, batch_size=64, patience=1, device="cpu")
    train(PredictLabel("C"), digits[0], options=options, held_out=digits[1], **settings)
    other = digits[1].rows(torch.arange(len(digits[1]) - 1))
    with pytest.raises(ValueError, match="belongs to another run: its held_out is"):
        train(PredictLabel("C"), digits[0], options=options, held_out=other, **settings)


def test_a_checkpoint_of_another_run_is_refused(digits: tuple[ImageSet, ImageSet], tmp_path):
    settings = {"encoder": "mlp", "features": 8, "options": CPU, "checkpoint": tmp_path}
    train(PredictLabel("C"), digits[0], seed=0, **settings)
    with pytest.raises(ValueError, match="belongs to another run: its seed is 0, this run's is 1"):
        train(PredictLabel("C"), digits[0], seed=1, **settings)
    with pytest.raises(ValueError, match="belongs to another run: its data"):
        train(PredictLabel("C"), digits[1].rows(torch.arange(len(digits[0]))), seed=0, **settings)


def test_a_damaged_checkpoint_is_named(digits: tuple[ImageSet, ImageSet], tmp_path):
    settings = {"seed": 0, "encoder": "mlp", "features": 8, "options": CPU, "checkpoint": tmp_path}
    train(PredictLabel("C"), digits[0], **settings)
    (tensors,) = tmp_path.glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:100])
    with pytest.raises(ValueError, match="is damaged"):
        train(PredictLabel("C"), digits[0], **settings)


def test_a_saved_encoder_comes_back_with_its_curve(digits: tuple[ImageSet, ImageSet], tmp_path):
    trained = train(PredictLabel("C"), digits[0], seed=0, encoder="d4", features=8, options=CPU)
    back = load_encoder(trained.save(tmp_path), device="cpu")
    assert np.array_equal(back.represent(digits[1].images), trained.represent(digits[1].images))
    pd.testing.assert_frame_equal(back.curve, trained.curve)
    assert back.description["seed"] == 0
    weights_file = tmp_path / "encoder.safetensors"
    weights_file.write_bytes(weights_file.read_bytes()[:100])
    with pytest.raises(ValueError, match="is damaged"):
        load_encoder(tmp_path)
    (tmp_path / "encoder.json").write_text("{}")
    with pytest.raises(ValueError, match="is damaged"):
        load_encoder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no encoder in"):
        load_encoder(tmp_path / "nowhere")


def test_representations_do_not_depend_on_the_batch(digits: tuple[ImageSet, ImageSet]):
    trained = train(PredictLabel("C"), digits[0], seed=0, options=CPU)
    images = digits[1].images
    small, large = (trained.represent(images, batch_size=b) for b in (17, 1000))
    np.testing.assert_allclose(small, large, rtol=1e-4, atol=1e-5)
    sample = trained.represented(digits[1].transformed("rotation", seed=0))
    assert sample.variables["Z"].role == "representation"
    np.testing.assert_allclose(sample["Z"], trained.represent(sample["X"]))


def test_the_classifier_shortcut_learns_and_reports():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=300)
    inputs = np.eye(3, dtype=np.float32)[labels] * 5 - 1
    done: list[float] = []
    trained = train_classifier(
        lambda: build_encoder("mlp", (3,), features=4),
        inputs,
        labels,
        states=3,
        epochs=5,
        seed=0,
        batch_size=50,
        device="cpu",
        progress=done.append,
    )
    assert trained.curve["accuracy"].iloc[-1] == 1
    assert done == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def some(n: int = 16, **options: object) -> Trained:
    settings = {"epochs": 1, "batch_size": 8, "device": "cpu", **options}
    images = ImageSet(torch.rand(n, 1, 8, 8), {"C": torch.arange(n) % 2}, {"C": 2})
    return train(PredictLabel("C"), images, seed=0, encoder="mlp", options=Training(**settings))


def pair(task: object = None, **settings: object) -> Trained:
    images = ImageSet(torch.rand(8, 1, 8, 6), {"C": torch.arange(8) % 2}, {"C": 2})
    options = Training(epochs=1, batch_size=4, device="cpu")
    return train(task or PredictLabel("C"), images, seed=0, options=options, **settings)


BAD = {
    "a batch larger than the data": (
        lambda: some(batch_size=17),
        ValueError,
        "batch_size must be between 1 and the number of rows 16, got 17",
    ),
    "a batch of nothing": (lambda: some(batch_size=0), ValueError, "batch_size must be at least 1, got 0"),
    "no epochs": (lambda: some(epochs=0), ValueError, "epochs must be at least 1, got 0"),
    "an unknown device": (lambda: some(device="abacus"), ValueError, "unknown device 'abacus'"),
    "an unsupported device": (lambda: some(device="meta"), ValueError, "'meta' is not supported"),
    "an unknown optimiser": (
        lambda: some(optimiser="adam"),
        ValueError,
        "optimiser must be 'adamw' or 'sgd'",
    ),
    "an unknown precision": (lambda: some(precision="int8"), ValueError, "precision must be"),
    "half precision without CUDA": (lambda: some(precision="float16"), ValueError, "needs CUDA"),
    "a learning rate of zero": (lambda: some(learning_rate=0), ValueError, "learning_rate must be above 0"),
    "a warm-up of everything": (
        lambda: some(warmup=1.0),
        ValueError,
        "warmup must be at least 0 and below 1",
    ),
    "patience without held-out data": (lambda: some(patience=1), ValueError, "needs held_out data"),
    "an unknown encoder": (
        lambda: pair(encoder="transformer"),
        ValueError,
        "unknown encoder 'transformer': expected one of mlp, cnn, resnet18, c4, d4",
    ),
    "no features": (lambda: pair(features=0), ValueError, "features must be at least 1"),
    "an equivariant encoder of oblong images": (lambda: pair(encoder="c4"), ValueError, "square images"),
    "features that the group does not divide": (
        lambda: build_encoder("d4", (1, 8, 8), features=12),
        ValueError,
        "multiple of 8 for D4, got 12",
    ),
    "an encoder that cannot take the images": (
        lambda: pair(encoder=torch.nn.Linear(7, 2)),
        ValueError,
        "the encoder failed on images of shape",
    ),
    "vectors for a CNN": (lambda: build_encoder("cnn", (64,)), ValueError, "needs images"),
    "an unknown label": (lambda: pair(PredictLabel("D")), ValueError, "unknown label 'D': the data has C"),
    "telling an unknown label": (
        lambda: pair(PredictTransformation("inversion", told="S")),
        ValueError,
        "unknown label 'S'",
    ),
    "eliminating an unknown label": (
        lambda: pair(Eliminate(PredictTransformation("inversion"), label="S")),
        ValueError,
        "unknown label 'S'",
    ),
    "a transformation that the images cannot take": (
        lambda: pair(PredictTransformation("rotation")),
        ValueError,
        "square images",
    ),
    "grayscale of gray images": (
        lambda: pair(PredictTransformation("grayscale")),
        ValueError,
        "needs images with 3 channels, got 1",
    ),
    "held-out images of another shape": (
        lambda: pair(held_out=ImageSet(torch.rand(4, 1, 8, 8), {"C": torch.zeros(4).long()}, {"C": 2})),
        ValueError,
        "held_out must have inputs of shape",
    ),
    "images of another shape to represent": (
        lambda: pair().represent(np.zeros((2, 3, 8, 6), dtype=np.float32)),
        ValueError,
        r"must have shape \(n, 1, height, width\)",
    ),
    "labels out of range": (
        lambda: train_classifier(
            lambda: ConvEncoder(1, 4),
            np.zeros((4, 1, 8, 8), np.float32),
            np.array([0, 1, 2, 9]),
            states=4,
            epochs=1,
            seed=0,
        ),
        ValueError,
        "labels 'A' must stay in 0..3, got 0..9",
    ),
    "labels of another length": (
        lambda: train_classifier(
            lambda: ConvEncoder(1, 4),
            np.zeros((4, 1, 8, 8), np.float32),
            np.array([0, 1]),
            states=2,
            epochs=1,
            seed=0,
        ),
        ValueError,
        "the length of the inputs",
    ),
    "half a feature": (lambda: pair(features=2.5), TypeError, "features must be an integer, got 2.5"),
    "a file for a checkpoint": (
        lambda: pair(checkpoint=__file__, progress=stop_after(0)),
        ValueError,
        "checkpoint must be a folder or a new one, got .* is a file",
    ),
    "a checkpoint below a file": (
        lambda: pair(checkpoint=f"{__file__}/run", progress=stop_after(0)),
        ValueError,
        "checkpoint must be a folder or a new one",
    ),
    "saving an encoder that has no name": (
        lambda: pair(encoder=lambda: ConvEncoder(1, 4)).save("nowhere"),
        ValueError,
        "chosen by its name",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_refused(case: str):
    call, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        call()


def test_a_diverging_loss_is_reported():
    images = ImageSet(torch.rand(8, 1, 8, 8), {"C": torch.arange(8) % 2}, {"C": 2})
    options = Training(
        epochs=30,
        batch_size=4,
        learning_rate=1e18,
        optimiser="sgd",
        weight_decay=0.5,
        warmup=0.0,
        device="cpu",
    )
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(PredictLabel("C"), images, seed=0, encoder="mlp", options=options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_asked_for_and_absent_is_refused():
    with pytest.raises(ValueError, match="'cuda' was asked for, but no CUDA device is available"):
        some(device="cuda")


def test_a_cuda_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for count, there in ((1, "there is only cuda:0"), (2, r"there is only cuda:0 \.\. cuda:1")):
        monkeypatch.setattr(torch.cuda, "device_count", lambda count=count: count)
        with pytest.raises(ValueError, match=f"device 'cuda:7' was asked for, but {there}"):
            choose_device("cuda:7")
        assert choose_device(f"cuda:{count - 1}").index == count - 1
        assert choose_device("cuda").index is None


def test_every_registered_encoder_has_its_features():
    for name in ENCODERS:
        encoder = build_encoder(name, (3, 16, 16), features=24)
        assert encoder.features == 24
        assert encoder.eval()(torch.rand(2, 3, 16, 16)).shape == (2, 24)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["rotation", "invariance", "class eliminated"])
def test_cuda_trains_and_repeats(digits: tuple[ImageSet, ImageSet], name: str, precision: str):
    options = Training(epochs=4, batch_size=64, precision=precision, device="cuda")

    def run() -> Trained:
        return train(TASKS[name], digits[0], seed=0, encoder="c4", features=16, options=options)

    first = run()
    assert first.device.type == "cuda"
    assert first.curve["loss"].iloc[-1] < first.curve["loss"].iloc[0]
    assert same(first, run())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_represents_as_the_cpu_does(digits: tuple[ImageSet, ImageSet]):
    options = Training(epochs=1, batch_size=64, device="cuda")
    trained = train(PredictTransformation("rotation"), digits[0], seed=0, encoder="d4", options=options)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        found = trained.represent(digits[1].images)
    trained.encoder.cpu()
    np.testing.assert_allclose(found, trained.represent(digits[1].images), rtol=1e-3, atol=1e-4)


STEPS = """
import resource, sys
import torch
from synergy.device import keep_freed_memory

kept = sys.argv[1] == "kept" and keep_freed_memory()
for step in range(12):
    if step == 4:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    parts = [torch.zeros(12 * 2**20) for _ in range(4)]
    del parts
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_freed_memory_is_kept_for_the_next_step():
    """Blocks of 48 MiB are fetched anew in each step, page by page, unless the process keeps them."""

    def faults(mode: str) -> tuple[int, int]:
        done = subprocess.run(
            [sys.executable, "-c", STEPS, mode], capture_output=True, text=True, check=True
        ).stdout.split()
        return int(done[0]), int(done[1])

    kept, few = faults("kept")
    _, many = faults("returned")
    if not kept:
        pytest.skip("this C library cannot be told to keep freed memory")
    assert few < many / 10


@pytest.mark.parametrize("limit", [0, 2**31])
def test_a_limit_that_the_c_library_cannot_hold_is_refused(limit: int):
    with pytest.raises(ValueError, match="limit must be between 1 and 2147483647"):
        keep_freed_memory(limit)


@pytest.mark.parametrize("encoder", ["mlp", "cnn", "c4"])
def test_no_inputs_have_no_representations(digits: tuple[ImageSet, ImageSet], encoder: str):
    trained = train(PredictLabel("C"), digits[0], seed=0, encoder=encoder, features=8, options=CPU)
    assert trained.represent(digits[0].images[:0]).shape == (0, 8)
