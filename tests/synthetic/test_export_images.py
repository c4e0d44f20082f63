"""Images that other tools read: class folders, Parquet of encoded images, arrays; and folders of splits."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synergy.cli import run
from synergy.experiments import Scale
from synergy.experiments.worlds import image_sets, shared_by_seeds
from synergy.learning import ImageSet
from synthetic import Digits, LabelledImages, Sample, Variable, export_images, read_images, write_dataset


def drawn(n: int = 12, *, channels: int = 3, low: float = 0.0) -> Sample:
    rng = np.random.default_rng(0)
    shades = rng.integers(0, 256, (n, channels, 5, 4)).astype(np.float32) / 255
    columns = {"C": np.arange(n) % 3, "X": shades + np.float32(low)}
    variables = {"C": Variable("C", "discrete", 3, "class"), "X": Variable("X", "image")}
    return Sample(columns, variables)


@pytest.mark.parametrize("name", ["pictures", "pictures.parquet", "pictures.npz"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_is_read_back(tmp_path, name: str, channels: int):
    sample = drawn(channels=channels)
    written = export_images(sample, tmp_path / name, names=["ant", "bee", "cat"])
    found = read_images(written)
    assert found.names == ("ant", "bee", "cat")
    order = np.argsort(sample["C"], kind="stable") if name == "pictures" else np.arange(12)
    np.testing.assert_array_equal(found.labels, sample["C"][order])
    pixels = found.images / 255 if found.images.dtype == np.uint8 else found.images
    np.testing.assert_allclose(pixels, sample["X"][order], atol=1e-6)


def test_parquet_says_what_the_hub_says(tmp_path):
    written = export_images(drawn(), tmp_path / "x.parquet", names=["ant", "bee", "cat"])
    schema = pq.read_schema(written)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"]["names"] == ["ant", "bee", "cat"]
    assert features["image"] == {"_type": "Image"}


def test_generated_sets_are_written_shard_by_shard(tmp_path):
    folder = write_dataset(Digits(), samples=30, seed=0, out=tmp_path / "set", shards=3)
    told: list[int] = []
    found = read_images(export_images(folder, tmp_path / "out", progress=told.append))
    assert len(found) == 30
    assert told == list(range(1, 31))


def test_the_command_writes_them(tmp_path, capsys):
    target = tmp_path / "pictures.parquet"
    command = ["generate", "digits", "--samples", "20", "--seed", "0", "--out", str(tmp_path / "set")]
    assert run([*command, "--images", str(target)]) == 0
    assert "images for other tools" in capsys.readouterr().out
    assert len(read_images(target)) == 20
    assert (
        run(
            [
                "generate",
                "modular-shift",
                *command[2:-1],
                str(tmp_path / "t"),
                "--images",
                str(tmp_path / "p"),
            ]
        )
        == 2
    )
    assert "image must name a column of images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sample", "name", "options", "error", "message"),
    [
        (drawn(low=0.5), "x", {}, ValueError, r"pixels in \[0, 1\], got .*clip=True"),
        (drawn(channels=2), "x", {}, ValueError, "image files hold 1 or 3 channels, got 2"),
        (drawn(), "x.jpg", {}, ValueError, r"cannot export images to .*x\.jpg': expected a new folder"),
        (drawn(), "x", {"label": "S"}, ValueError, "label must name a discrete column, got 'S'"),
        (drawn(), "x", {"image": "C"}, ValueError, "image must name a column of images, got 'C'"),
        (drawn(), "x", {"names": ["a"]}, ValueError, "names must name each of the 3 states of 'C', got 1"),
        (drawn(), ".", {}, FileExistsError, "there is something at"),
    ],
)
def test_what_cannot_be_written(tmp_path, sample, name: str, options, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        export_images(sample, tmp_path / name, **options)


def test_clipping_is_asked_for(tmp_path):
    found = read_images(export_images(drawn(low=0.5), tmp_path / "x.parquet", clip=True))
    assert found.images.max() == 255
    kept = read_images(export_images(drawn(low=0.5), tmp_path / "x.npz"))
    assert kept.images.max() > 1


# Folders of splits


def folder_of(path, splits: dict[str, dict[str, int]]):
    rng = np.random.default_rng(0)
    for split, classes in splits.items():
        for name, count in classes.items():
            (path / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path / split / name / f"{i}.png")
    return path


def test_train_and_test_are_a_split(tmp_path):
    folder = folder_of(
        tmp_path, {"train": {"a": 5, "b": 4}, "test": {"a": 2, "b": 3}, "val": {"a": 1, "b": 1}}
    )
    found = read_images(folder)
    assert len(found) == 14
    assert found.counts == {"a": 7, "b": 7}
    assert found.notes[:2] == (
        "9 images to train on and 5 to test on, as the folders say",
        "the folder 'val' is not read",
    )
    train, test = found.split()
    assert (train.counts, test.counts) == ({"a": 5, "b": 4}, {"a": 2, "b": 3})
    np.testing.assert_array_equal(train.images, read_images(folder / "train").images)
    np.testing.assert_array_equal(test.images, read_images(folder / "test").images)
    with pytest.raises(ValueError, match="has no split into train and test"):
        train.split()


def test_validation_stands_in_for_test(tmp_path):
    folder = folder_of(tmp_path, {"train": {"a": 2, "b": 2}, "val": {"a": 1, "b": 1}})
    assert read_images(folder).trained == 4


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": {"a": 2, "b": 2}, "test": {"a": 1}}, "at least two classes, got 'a' alone"),
        (
            {"train": {"a": 2, "b": 2}, "test": {"a": 1, "c": 1}},
            "train and test .* must have the same classes, and 'b'",
        ),
        (
            {"train": {"a": 2, "b": 0}, "test": {"a": 1, "b": 1}},
            "the class 'b' of .*train' has no image file",
        ),
        ({"val": {"a": 2, "b": 2}, "test": {"a": 1, "b": 1}}, "are splits and not classes"),
    ],
)
def test_splits_that_are_none(tmp_path, splits, message: str):
    with pytest.raises(ValueError, match=message):
        read_images(folder_of(tmp_path, splits))


def test_classes_that_are_called_like_splits_are_classes(tmp_path):
    for name in ("train", "bus"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "0.png")
    assert read_images(tmp_path).names == ("bus", "train")


def image_set(n: int, classes: int = 2) -> ImageSet:
    rng = np.random.default_rng(n)
    return ImageSet.from_arrays(
        rng.random((n, 1, 8, 8)), {"C": np.arange(n) % classes}, states={"C": classes}
    )


def test_experiments_keep_the_split():
    train, test = image_set(80), image_set(50)
    scale = Scale.quick(data=(train, test), judged=40)
    scale.check_images(100)
    shown, judged = image_sets(scale, seed=0, default="digits")
    assert shown is train
    assert judged.size == 40
    assert shared_by_seeds(scale, default="digits") == 0
    assert scale.data_name == "80 + 50 images"
    assert scale.identity != Scale.quick(data=(train, image_set(51)), judged=40).identity
    assert scale.memory[1] == train.images.nbytes + test.images.nbytes


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            image_set(30),
            "at least 100 images, and 12 of each of two classes, .* got 30 images, and 15 of the second",
        ),
        (image_set(120, 60), "12 of each of two classes, .* got 120 images, and 2 of the second"),
        (
            (image_set(80), image_set(20)),
            "at least 40 images, and 5 of each of two classes, .* got 20 images",
        ),
        ((image_set(8), image_set(80)), "at least 60 images"),
    ],
)
def test_too_few_images_are_told_before_anything_runs(data, message: str):
    with pytest.raises(ValueError, match=message):
        Scale.quick(data=data).check_images(100)


def test_a_pair_must_fit():
    with pytest.raises(ValueError, match="data must have images of one shape and the same labels"):
        Scale.quick(data=(image_set(80), image_set(80, 3)))


def test_labelled_images_know_no_split_of_their_own():
    assert LabelledImages(np.zeros((2, 4, 4)), np.array([0, 1]), ("a", "b"), "here").trained is None
