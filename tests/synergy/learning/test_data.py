"""Where images come from: files, arrays, any torch Dataset; and networks take a step on each."""

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

from synergy.cli import run
from synergy.learning import ImageSet, PredictLabel, PredictTransformation, Stream, Trained, Training, train
from synthetic import Cifar10, Digits, read_dataset
from synthetic.parallel.tensors import as_tensors
from synthetic.transformations import transformation

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
CLASSES = np.arange(12) % 4


class Pictures(Dataset):
    """As torchvision's datasets give them: PIL images and Python integers."""

    def __init__(self, labels: list[object], images: np.ndarray = PIXELS) -> None:
        self.labels, self.images = labels, images

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, object]:
        return Image.fromarray(self.images[index]), self.labels[index]


@pytest.fixture
def cifar(tmp_path: Path) -> Cifar10:
    rows = np.concatenate(
        [CLASSES[:, None].astype(np.uint8), PIXELS.transpose(0, 3, 1, 2).reshape(12, -1)], 1
    )
    (tmp_path / "test_batch.bin").write_bytes(rows.tobytes())
    return Cifar10(tmp_path, split="test")


def test_a_dataset_of_pil_images_is_read_once():
    images = ImageSet.from_dataset(Pictures(CLASSES.tolist()))
    assert images.shape == (3, 32, 32)
    assert dict(images.states) == {"C": 4}
    np.testing.assert_array_equal(images.labels["C"].numpy(), CLASSES)
    found = images.images.double().numpy().transpose(0, 2, 3, 1)
    assert np.abs(found - PIXELS / 255).max() <= 2**-25


def test_tensors_arrays_and_pil_images_give_the_same(cifar: Cifar10):
    tensors = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2).copy())
    pictures = ImageSet.from_dataset(Pictures(CLASSES.tolist()))
    for other in (
        ImageSet.from_dataset(TensorDataset(tensors, torch.from_numpy(CLASSES))),
        ImageSet.from_dataset(TensorDataset(tensors.double() / 255, torch.from_numpy(CLASSES))),
        ImageSet.from_generator(cifar),
    ):
        assert torch.equal(other.images, pictures.images)
        assert torch.equal(other.labels["C"], pictures.labels["C"])


def test_inversion_is_exact_on_what_a_dataset_gave():
    images = ImageSet.from_dataset(Pictures(CLASSES.tolist())).images
    action, one = transformation("inversion"), torch.ones(len(images), dtype=torch.long)
    assert torch.equal(action.apply(action.apply(images, one), one), images)


def test_classes_keep_their_numbers():
    few = ImageSet.from_dataset(Pictures([7, 3, 7]), states=10)
    assert few.labels["C"].tolist() == [7, 3, 7]
    assert dict(few.states) == {"C": 10}
    assert ImageSet.from_dataset(Pictures([7, 3, 7]), limit=2).labels["C"].tolist() == [7, 3]


BAD = {
    "a label out of range": (
        lambda: ImageSet.from_dataset(Pictures([0, 4]), states=4),
        ValueError,
        r"labels 'C' must stay in 0\.\.3, got 0\.\.4",
    ),
    "a negative label": (
        lambda: ImageSet.from_dataset(Pictures([0, -1])),
        ValueError,
        "must not be negative, got -1",
    ),
    "a label that is a name": (
        lambda: ImageSet.from_dataset(Pictures([0, "cat"])),
        TypeError,
        "label 1 of the dataset must be an integer, got 'cat'",
    ),
    "a label that is a fraction": (
        lambda: ImageSet.from_dataset(Pictures([0.5])),
        TypeError,
        r"must be an integer, got 0\.5",
    ),
    "normalised images": (
        lambda: ImageSet.from_dataset(TensorDataset(torch.full((2, 3, 8, 8), -1.5), torch.tensor([0, 1]))),
        ValueError,
        r"pixels in \[0, 1\], got -1\.5\.\.-1\.5",
    ),
    "images of different shapes": (
        lambda: ImageSet.from_dataset([(np.zeros((8, 8)), 0), (np.zeros((9, 9)), 1)]),
        ValueError,
        "same shape and type",
    ),
    "one-hot labels": (
        lambda: ImageSet.from_dataset(TensorDataset(torch.zeros(4, 3, 8, 8), torch.eye(4).long())),
        TypeError,
        r"label 0 of the dataset must be one class, got a label of shape \(4,\): for a one-hot",
    ),
    "one-hot labels in an array": (
        lambda: ImageSet.from_dataset([(np.zeros((8, 8)), np.eye(3)[0])]),
        TypeError,
        r"must be one class, got a label of shape \(3,\)",
    ),
    "a negative number of raw images": (
        lambda: ImageSet.from_generator(Digits(), n=-1),
        ValueError,
        "n must be at least 1, got -1",
    ),
    "no raw images": (lambda: ImageSet.from_generator(Digits(), n=0), ValueError, "n must be at least 1"),
    "more raw images than there are": (
        lambda: ImageSet.from_generator(Digits(), n=5000),
        ValueError,
        "n must be at most 1797, the raw images of digits, got 5000",
    ),
    "gray images out of range": (
        lambda: ImageSet.from_arrays(np.full((8, 8, 8), 200.0)),
        ValueError,
        r"pixels in \[0, 1\], got 200\.\.200; pixels=None is for",
    ),
    "integers out of range": (
        lambda: ImageSet.from_arrays(np.full((8, 1, 8, 8), 200)),
        ValueError,
        r"pixels in \[0, 1\], got 200\.\.200",
    ),
    "images in integers": (
        lambda: ImageSet.from_dataset([(np.zeros((8, 8), dtype=np.int32), 0)]),
        TypeError,
        "unsigned bytes, booleans or floats",
    ),
    "images without labels": (
        lambda: ImageSet.from_dataset(TensorDataset(torch.zeros(2, 3, 8, 8))),
        TypeError,
        "must be a pair",
    ),
    "no images": (lambda: ImageSet.from_dataset([]), ValueError, "must not be empty"),
    "a stream": (lambda: ImageSet.from_dataset(iter([])), TypeError, "must have a length and an index"),
    "a folder without CIFAR in it": (
        lambda: Cifar10(Path(__file__).parent),
        FileNotFoundError,
        r"no data_batch_1\.bin, .* in .*learning: looked for",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_datasets_are_refused(case: str):
    call, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        call()


LARGE = {
    "resnet18": {},
    "resnet18, mixed precision": {"precision": "bfloat16"},
    "cnn, mixed precision": {"precision": "bfloat16"},
    "c4": {},
    "c4, mixed precision": {"precision": "bfloat16"},
    "d4": {},
}


def taken(images: ImageSet, name: str, rate: float, **changes: object) -> Trained:
    options = Training(epochs=1, batch_size=8, learning_rate=rate, weight_decay=0, device="cpu", **changes)
    task = PredictTransformation("rotation", augment="simclr")
    return train(task, images, seed=0, encoder=name.split(",")[0], features=16, options=options)


@pytest.mark.parametrize("name", LARGE)
def test_every_large_encoder_takes_a_step_on_photographs(cifar: Cifar10, name: str):
    """The loss of the first step is that of the untrained weights, and the step moves them."""
    images = ImageSet.from_generator(cifar).some(8, seed=0)  # one step
    moved, idle = (taken(images, name, rate, **LARGE[name]) for rate in (1e-2, 1e-30))
    z, before = moved.represent(images.images), idle.represent(images.images)
    assert z.shape == (8, 16)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()
    assert np.abs(z - before).max() > 1e-3
    assert moved.curve["loss"][0] == idle.curve["loss"][0]
    assert all(p.dtype == torch.float32 for p in moved.encoder.parameters())


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch's compiler imports its old one
def test_a_compiled_encoder_learns_what_an_eager_one_does(cifar: Cifar10):
    """The same operations, fused: the weights after a step differ by rounding.

    The compiler need not find out which vector instructions there are, nor start processes of its own.
    """
    from torch._inductor import config

    images = ImageSet.from_generator(cifar)
    with config.patch({"cpp.vec_isa_ok": False, "compile_threads": 1}):
        eager, fused = (taken(images, "cnn", 1e-2, compile=compiled) for compiled in (False, True))
    assert fused.curve["loss"][0] == pytest.approx(eager.curve["loss"][0], rel=1e-5)
    np.testing.assert_allclose(
        fused.represent(images.images), eager.represent(images.images), rtol=1e-3, atol=1e-3
    )


def test_photographs_stream_too(cifar: Cifar10):
    stream = Stream(cifar, 8)
    batch = next(stream.batches(0, 8, seed=0, device=torch.device("cpu")))
    assert batch.images.shape == (8, 3, 32, 32)
    turned = transformation("rotation").apply(batch.images, (4 - batch.labels["A"]) % 4)
    assert torch.equal(turned, cifar.raw[batch.labels["R"]])


def test_the_command_line_reads_photographs(tmp_path: Path, capsys: pytest.CaptureFixture):
    """`rank` takes the folder of a local copy, `generate` its root."""
    pixels = np.random.default_rng(1).integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    classes = np.arange(40) % 2
    rows = np.concatenate([classes[:, None].astype(np.uint8), pixels.reshape(40, -1)], 1)
    (tmp_path / "test_batch.bin").write_bytes(rows.tobytes())
    assert run(["rank", str(tmp_path), "--transformation", "rotation", "--json"]) == 2
    assert "at least 20 labelled images to judge on" in capsys.readouterr().err
    settings = ["--set", f"root={tmp_path}", "--set", "split=test", "--samples", "40", "--seed", "0"]
    assert run(["generate", "cifar10", *settings, "--out", str(tmp_path / "made")]) == 0
    made = read_dataset(tmp_path / "made")
    np.testing.assert_array_equal(made["C"], classes[made["R"]])
    assert run(["generate", "cifar10", "--samples", "1", "--seed", "0", "--out", str(tmp_path / "x")]) == 2
    assert "cifar10 needs root" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_cuda_trains_a_compiled_resnet(cifar: Cifar10, precision: str):
    options = Training(epochs=12, batch_size=6, precision=precision, compile=True, device="cuda")
    trained = train(
        PredictLabel("C"), ImageSet.from_generator(cifar), seed=0, encoder="resnet18", options=options
    )
    assert trained.device.type == "cuda"
    assert trained.curve["loss"].iloc[-1] < trained.curve["loss"].iloc[0]


def test_names_and_labels_that_are_not_there_are_refused():
    images = np.zeros((4, 1, 8, 8), np.float32)
    with pytest.raises(ValueError, match="states names labels that are not there: c"):
        ImageSet.from_arrays(images, {"C": np.arange(4)}, states={"c": 4})
    with pytest.raises(TypeError, match="labels must be a mapping"):
        ImageSet.from_arrays(images, np.arange(4))
    with pytest.raises(ValueError, match=r"labels 'C' must have shape \(4,\)"):
        ImageSet.from_arrays(images, {"C": np.zeros(0, int)})
    with pytest.raises(ValueError, match="labels of the dataset must not be negative, got -1"):
        ImageSet.from_dataset(TensorDataset(torch.zeros(3, 1, 8, 8), torch.tensor([0, -1, 1])))


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_images_of_every_precision_train(precision: torch.dtype):
    given = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)).to(precision).requires_grad_()
    labels = torch.arange(8) % 2
    options = Training(epochs=1, batch_size=4, device="cpu")
    for images in (
        ImageSet.from_dataset(TensorDataset(given, labels)),
        ImageSet.from_arrays(given, {"C": labels.numpy()}),
        ImageSet(given, {"C": labels.int()}, {"C": 2}),
    ):
        assert images.images.dtype == torch.float32
        assert not images.images.requires_grad
        assert (images.images.double() - given.detach().double()).abs().max() <= 2**-25
        assert len(images.digest) == 16
        trained = train(PredictLabel("C"), images, seed=0, encoder="mlp", options=options)
        assert np.isfinite(trained.curve["loss"]).all()


def test_inputs_of_three_dimensions_may_have_any_range_where_it_is_asked_for():
    rows = np.full((8, 4, 4), 200.0)
    assert ImageSet.from_arrays(rows, pixels=None).shape == (4, 4)
    assert ImageSet.from_arrays(rows / 255).shape == (4, 4)


def test_images_are_kept_in_the_order_that_steps_read_them_in():
    """With the channels next to one another, as arrays of pictures come, each step would copy them all."""
    shades = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
    images = ImageSet.from_arrays(torch.from_numpy(shades).permute(0, 3, 1, 2))
    assert images.images.is_contiguous()
    assert torch.equal(images.images, ImageSet.from_arrays(shades.transpose(0, 3, 1, 2).copy()).images)


def test_bytes_are_represented_as_they_are_read():
    """Divided by 255 in every reader, and by the trained encoder."""
    pixels = PIXELS.transpose(0, 3, 1, 2).copy()
    images = ImageSet.from_dataset(Pictures(CLASSES.tolist()))
    assert torch.equal(ImageSet.from_arrays(pixels, {"C": CLASSES}).images, images.images)
    options = Training(epochs=1, batch_size=4, device="cpu")
    trained = train(PredictLabel("C"), images, seed=0, encoder="mlp", options=options)
    expected = trained.represent(images.images)
    np.testing.assert_array_equal(trained.represent(pixels), expected)
    np.testing.assert_array_equal(trained.represent(torch.from_numpy(pixels)), expected)
    for other in (images.images.double(), images.images.numpy().astype(">f8"), images.images.tolist()):
        np.testing.assert_array_equal(trained.represent(other), expected)
    asked = images.images.clone().requires_grad_()
    np.testing.assert_array_equal(trained.represent(asked), expected)
    for refused in (pixels.astype(np.int64), torch.from_numpy(pixels).int()):
        with pytest.raises(TypeError, match="must be unsigned bytes, booleans or floats, got"):
            trained.represent(refused)


def test_images_travel_as_the_same_arrays_and_are_not_copied():
    images = ImageSet(torch.rand(5, 1, 4, 4), {"C": torch.arange(5) % 2}, {"C": 2}, torch.arange(5))
    assert images.__getstate__()["images"].array is images.__getstate__()["images"].array
    there = copy.copy(images)  # goes the way of a pickle
    assert there.digest == images.digest
    assert there.images.data_ptr() == images.images.data_ptr()
    assert there.labels["C"].tolist() == [0, 1, 0, 1, 0]
    sealed = images.__getstate__()["images"].array.copy()
    sealed.flags.writeable = False
    assert as_tensors({"x": type(images.__getstate__()["images"])(sealed)})["x"].equal(images.images)
