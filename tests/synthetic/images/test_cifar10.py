"""CIFAR-10: small files in its binary format, written byte by byte, and what is refused."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from synthetic import READERS, Cifar10, NoExactAnswerError, describe, load_generator, make_generator
from synthetic.images.cifar10 import CLASSES, FILES, is_cifar10
from synthetic.transformations import TRANSFORMATIONS, transformation

ROWS = 7


def content(number: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """The labels (n,) and the pixels (n, 32, 32, 3) of a file: every one another."""
    rng = np.random.default_rng(number)
    return rng.integers(0, 10, rows, dtype=np.uint8), rng.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8)


def write(folder: Path, name: str, labels: np.ndarray, images: np.ndarray) -> None:
    """The format as its authors describe it: a label, then the red, green and blue planes row by row."""
    with (folder / name).open("wb") as file:
        for label, image in zip(labels, images, strict=True):
            file.write(bytes([label]))
            for channel in range(3):
                file.write(image[:, :, channel].tobytes(order="C"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for number, name in enumerate((*FILES["train"], *FILES["test"])):
        write(folder, name, *content(number))
    return tmp_path


def test_images_and_classes_come_back_in_the_order_of_the_files(root: Path):
    cifar = Cifar10(root)
    labels, images = (np.concatenate(parts) for parts in zip(*map(content, range(5)), strict=True))
    assert cifar.raw.shape == (5 * ROWS, 3, 32, 32)
    assert cifar.raw.dtype == torch.float32
    np.testing.assert_array_equal(cifar.targets, labels)
    pixels = cifar.raw.double().numpy().transpose(0, 2, 3, 1)
    assert np.abs(pixels - images / 255).max() <= 2**-25
    np.testing.assert_array_equal(np.rint(pixels * 255), images)


def test_the_test_split_is_its_own_file(root: Path):
    cifar = Cifar10(root, split="test")
    np.testing.assert_array_equal(cifar.targets, content(5)[0])
    assert len(cifar.raw) == ROWS


@pytest.mark.parametrize("size", [1, ROWS, ROWS + 2, 5 * ROWS])
def test_size_keeps_the_first_images(root: Path, size: int):
    few, every = Cifar10(root, size=size), Cifar10(root)
    assert torch.equal(few.raw, every.raw[:size])
    np.testing.assert_array_equal(few.targets, every.targets[:size])


def test_the_folder_itself_will_do(root: Path):
    inside = Cifar10(root / "cifar-10-batches-bin")
    assert torch.equal(inside.raw, Cifar10(str(root)).raw)
    assert is_cifar10(root)
    assert is_cifar10(root / "cifar-10-batches-bin")
    assert not is_cifar10(root.parent / "nowhere")


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_every_transformation_acts_on_them(root: Path, name: str):
    cifar = Cifar10(root, transformation=name, size=12)
    sample = cifar.sample(20, seed=0)
    assert sample["X"].shape == (20, 3, 32, 32)
    expected = transformation(name).apply(cifar.raw[sample["R"]], torch.from_numpy(sample["A"]))
    np.testing.assert_array_equal(sample["X"], expected.numpy())
    assert sample.groups == "R"
    assert sample.variables["C"].cardinality == 10


def test_inversion_is_exact_on_them(root: Path):
    raw, one = Cifar10(root).raw, torch.ones(5 * ROWS, dtype=torch.long)
    action = transformation("inversion")
    assert torch.equal(action.apply(action.apply(raw, one), one), raw)


def test_what_is_unknown_stays_unknown(root: Path):
    cifar = Cifar10(root)
    assert float(cifar.exact("I(A;C)")) == 0
    with pytest.raises(NoExactAnswerError, match="unknown distribution of real images"):
        cifar.exact("I(A;C|X)")


def test_parameters_survive_text_and_json(root: Path):
    cifar = Cifar10(root, split="test", transformation="jigsaw", size=3)
    stored = json.loads(json.dumps({"family": "cifar10", "parameters": cifar.settings}))
    assert load_generator(stored) == cifar
    typed = {"root": str(root), "split": "test", "transformation": "jigsaw", "size": "3"}
    assert make_generator("cifar10", typed) == cifar


def test_another_process_gets_the_name_of_the_folder_and_not_the_images(root: Path):
    cifar = Cifar10(root)
    before = len(pickle.dumps(cifar))
    images = cifar.raw
    assert len(pickle.dumps(cifar)) == before < images.nbytes / 100
    assert torch.equal(pickle.loads(pickle.dumps(cifar)).raw, images)


def test_the_family_describes_itself_without_files():
    described = describe("cifar10")
    json.dumps(described)
    assert READERS["cifar10"] is Cifar10
    assert described["diagram"] == "C->R, R=>X, A=>X"
    assert {v["name"]: v["cardinality"] for v in described["variables"]} == {
        "C": 10,
        "R": 50_000,
        "A": 4,
        "X": None,
    }
    parameters = {p["name"]: p for p in described["parameters"]}
    assert [name for name, p in parameters.items() if p["required"]] == ["root"]
    assert parameters["root"]["default"] is None
    assert parameters["split"]["type"] == "one of train, test"
    assert all(p["meaning"] for p in parameters.values())
    assert len(CLASSES) == len(set(CLASSES)) == 10


def only_pickles(root: Path) -> None:
    """The Python version; its files would raise if they were unpickled."""
    folder = root / "cifar-10-batches-bin"
    for path in folder.iterdir():
        path.unlink()
    python = root / "cifar-10-batches-py"
    python.mkdir()
    for name in FILES["train"]:
        (python / name.removesuffix(".bin")).write_bytes(b"cno_such_module\nrun\n(tR.")


def drop(*names: str):
    def change(root: Path) -> None:
        for name in names:
            (root / "cifar-10-batches-bin" / name).unlink()

    return change


def cut(root: Path) -> None:
    path = root / "cifar-10-batches-bin" / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])


def empty(root: Path) -> None:
    (root / "cifar-10-batches-bin" / "data_batch_1.bin").write_bytes(b"")


def mislabel(root: Path) -> None:
    path = root / "cifar-10-batches-bin" / "data_batch_2.bin"
    damaged = bytearray(path.read_bytes())
    damaged[2 * 3073] = 10
    path.write_bytes(bytes(damaged))


def nothing(root: Path) -> None:
    """The files as they are."""


BAD = {
    "one file missing": (
        drop("data_batch_4.bin"),
        {},
        FileNotFoundError,
        r"no data_batch_4.bin in .*cifar-10-batches-bin: looked for data_batch_1.bin .. data_batch_5.bin",
    ),
    "no file at all": (
        drop(*FILES["train"], *FILES["test"]),
        {},
        FileNotFoundError,
        "no data_batch_1.bin, data_batch_2.bin.*get the binary version",
    ),
    "the test file missing": (
        drop("test_batch.bin"),
        {"split": "test"},
        FileNotFoundError,
        "no test_batch.bin in",
    ),
    "the Python version": (only_pickles, {}, ValueError, "pickled.*so it never is: get the binary version"),
    "a truncated file": (
        cut,
        {},
        ValueError,
        rf"data_batch_3.bin is truncated.* 3073 .*got {ROWS * 3073 - 1}",
    ),
    "an empty file": (empty, {}, ValueError, "data_batch_1.bin is truncated.*got 0"),
    "a label out of range": (
        mislabel,
        {},
        ValueError,
        "labels must be in 0..9, got 10 in row 2 of .*data_batch_2.bin",
    ),
    "an unknown split": (
        nothing,
        {"split": "dev"},
        ValueError,
        "split must be one of train, test, got 'dev'",
    ),
    "more images than there are": (nothing, {"size": 99}, ValueError, "size must be at most 35, .*got 99"),
    "no images": (nothing, {"size": 0}, ValueError, "size must be at least 1, got 0"),
    "half an image": (nothing, {"size": 1.5}, TypeError, "size must be an integer"),
    "an unknown transformation": (
        nothing,
        {"transformation": "shear"},
        ValueError,
        "unknown transformation 'shear'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_folders_and_options_are_refused(root: Path, case: str):
    change, options, error, message = BAD[case]
    change(root)
    with pytest.raises(error, match=message):
        Cifar10(root, **options)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"root must be a folder with CIFAR-10, got '.*nowhere'"):
        Cifar10(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="root must be the path of a folder, got 3"):
        Cifar10(3)
    with pytest.raises(ValueError, match="cifar10 needs root: The folder `cifar-10-batches-bin`"):
        make_generator("cifar10")


def test_a_file_that_is_not_needed_may_be_missing(root: Path):
    drop("test_batch.bin")(root)
    assert len(Cifar10(root).raw) == 5 * ROWS
