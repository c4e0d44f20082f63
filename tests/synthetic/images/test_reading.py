"""Reading one's own images: every format gives the same pixels and classes, and what is wrong is named."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.numpy import save_file

from synthetic import from_arrays, read_images
from synthetic.images.reading import decode as decoding
from synthetic.images.reading.decode import Encoded

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(6, 8, 10, 3), dtype=np.uint8)  # images of 8 x 10
NAMES = ("cat", "cat", "dog", "dog", "dog", "eel")


def png(pixels, mode=None):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    for i, name in enumerate(NAMES):
        (tmp_path / "data" / name / "deep").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name / "deep" / f"{i}.PNG").write_bytes(png(PIXELS[i]))
    (tmp_path / "data" / ".hidden").mkdir()
    (tmp_path / "data" / "cat" / "notes.txt").write_text("no image")
    return tmp_path / "data"


def parquet(path, images, labels, names=None, struct=True):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    values = [{"bytes": image, "path": None} for image in images] if struct else images
    table = pa.table({"image": pa.array(values, type=kind if struct else pa.binary()), "label": labels})
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        content = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": content})
    pq.write_table(table, path)
    return path


@pytest.fixture
def sources(tmp_path, folder):
    """The same six images in every format, channels first and last."""
    numbers = np.array([0, 0, 1, 1, 1, 2])
    np.savez_compressed(tmp_path / "last.npz", images=PIXELS, labels=np.array(NAMES))
    np.savez(tmp_path / "first.npz", X=np.moveaxis(PIXELS, -1, 1) / 255.0, y=numbers + 3, z=np.zeros((6, 2)))
    save_file({"image": PIXELS, "label": numbers}, tmp_path / "t.safetensors")
    encoded = [png(image) for image in PIXELS]
    table = parquet(tmp_path / "hub.parquet", encoded, numbers.tolist(), ["cat", "dog", "eel"])
    plain = parquet(tmp_path / "plain.parquet", encoded, list(NAMES), struct=False)
    return [folder, tmp_path / "last.npz", tmp_path / "first.npz", tmp_path / "t.safetensors", table, plain]


def test_every_format_gives_the_same_images_and_classes(sources):
    for source in sources:
        read = read_images(source)
        assert read.labels.tolist() == [0, 0, 1, 1, 1, 2]
        assert list(read.counts.values()) == [2, 3, 1]
        raw = read.generator("horizontal-flip").raw.numpy()
        assert np.allclose(raw, np.moveaxis(PIXELS, -1, 1) / 255, atol=2e-7)  # kept in multiples of 2^-24
        if source.suffix != ".safetensors" and source.name != "first.npz":
            assert read.names == ("cat", "dog", "eel")


def test_gray_files_keep_one_channel_and_mixed_ones_become_rgb(tmp_path):
    for name, shown in (("a", PIXELS[0, :, :, 0]), ("b", PIXELS[1, :, :, 0])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(png(shown))
    assert read_images(tmp_path).images.shape == (2, 1, 8, 10)
    (tmp_path / "b" / "2.png").write_bytes(png(PIXELS[2]))
    mixed = read_images(tmp_path).images
    assert mixed.shape == (3, 3, 8, 10)
    assert (mixed[0, 0] == mixed[0, 2]).all()


def test_sizes_that_differ_are_told_and_size_resizes(folder):
    (folder / "eel" / "large.png").write_bytes(png(PIXELS[0].repeat(2, axis=0)))
    with pytest.raises(
        ValueError, match=r"one size, got 2: 8 x 10 \(6, such as .*\), 16 x 10 \(1, such as .*large"
    ):
        read_images(folder)
    resized = read_images(folder, size=(4, 5))
    assert resized.images.shape == (7, 3, 4, 5)
    assert resized.notes == ("resized to 4 x 5, bilinear",)
    assert read_images(folder, size=6).images.shape == (7, 3, 6, 6)


def test_an_image_that_lies_on_its_side_is_read_as_it_is_stored_and_noted(folder):
    turned = Image.fromarray(PIXELS[0])
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "cat" / "side.jpg", exif=exif)
    read = read_images(folder)
    assert read.images.shape == (7, 3, 8, 10)
    assert "EXIF orientation of 1 images is not applied" in read.notes[0]


def test_transparency_and_gray_among_colours_are_noted(folder):
    assert read_images(folder).notes == ()
    clear = np.concatenate([PIXELS[0], np.zeros_like(PIXELS[0][..., :1])], axis=-1)
    (folder / "cat" / "clear.png").write_bytes(png(clear))
    (folder / "dog" / "gray.png").write_bytes(png(PIXELS[0][..., 0]))
    read = read_images(folder)
    assert read.notes == (
        "1 of 8 images have a channel of transparency, which is dropped",
        "1 of 8 images are gray: their channels are equal",
    )
    assert any(np.array_equal(image, np.moveaxis(PIXELS[0], -1, 0)) for image in read.images[1:])


def bad_folder(change):
    def made(folder, tmp_path):
        change(folder)
        return folder

    return made


def without_classes(folder, tmp_path):
    return folder / "cat" / "deep"


def splits(folder, tmp_path):
    (tmp_path / "all").mkdir()
    folder.rename(tmp_path / "all" / "train")
    return tmp_path / "all"


def one_class(folder, tmp_path):
    (tmp_path / "one").mkdir()
    (folder / "cat").rename(tmp_path / "one" / "cat")
    return tmp_path / "one"


def deep_pixels(folder):
    Image.fromarray(np.zeros((8, 10), np.uint16)).save(folder / "cat" / "x.png")


def truncated(folder):
    (folder / "cat" / "x.png").write_bytes(png(RNG.integers(0, 256, (8, 10, 3), dtype=np.uint8))[:150])


def no_image(folder):
    (folder / "cat" / "x.jpg").write_text("hello")


def a_text(folder, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    return tmp_path / "x.csv"


def a_single_image(folder, tmp_path):
    return folder / "cat" / "deep" / "0.PNG"


def no_labels(folder, tmp_path):
    np.savez(tmp_path / "x.npz", images=PIXELS)
    return tmp_path / "x.npz"


def no_images(folder, tmp_path):
    np.savez(tmp_path / "x.npz", labels=np.arange(6))
    return tmp_path / "x.npz"


def two_images(folder, tmp_path):
    np.savez(tmp_path / "x.npz", before=PIXELS, after=PIXELS, labels=np.arange(6))
    return tmp_path / "x.npz"


def objects(folder, tmp_path):
    np.savez(tmp_path / "x.npz", images=PIXELS, labels=np.array([{}, 1, 2, 3, 4, 5], dtype=object))
    return tmp_path / "x.npz"


def float_labels(folder, tmp_path):
    np.savez(tmp_path / "x.npz", images=PIXELS, labels=np.linspace(0, 1, 6))
    return tmp_path / "x.npz"


def a_damaged_archive(folder, tmp_path):
    np.savez_compressed(tmp_path / "x.npz", images=PIXELS, labels=np.arange(6))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[200:400] = bytes(200)
    (tmp_path / "x.npz").write_bytes(content)
    return tmp_path / "x.npz"


def a_missing_label(folder, tmp_path):
    return parquet(tmp_path / "x.parquet", [png(i) for i in PIXELS], [0, 1, None, 0, 1, 0])


def a_missing_image(folder, tmp_path):
    return parquet(tmp_path / "x.parquet", [png(i) for i in PIXELS[:5]] + [None], [0, 1, 1, 0, 1, 0])


def no_image_column(folder, tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "label": [0, 1]}), tmp_path / "x.parquet")
    return tmp_path / "x.parquet"


def a_row_that_is_no_image(folder, tmp_path):
    return parquet(tmp_path / "x.parquet", [png(i) for i in PIXELS[:5]] + [b"GIF8 no"], [0, 1, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder, tmp_path: tmp_path / "nowhere", "there is no file or folder"),
        (without_classes, "must have a subfolder of image files for each class, got none"),
        (splits, r"are splits and not classes \(train\)"),
        (one_class, "at least two classes, got 'cat' alone"),
        (bad_folder(lambda folder: (folder / "fox").mkdir()), "class 'fox' .* has no image file"),
        (bad_folder(deep_pixels), r"x\.png has pixels of more than 8 bits"),
        (bad_folder(truncated), r"x\.png cannot be read"),
        (
            bad_folder(lambda folder: (folder / "cat" / "x.jpg").write_text("hello")),
            r"x\.jpg is not an image",
        ),
        (a_text, "cannot read images from .*csv.* expected a folder with"),
        (a_single_image, "name the folder above its class folder"),
        (no_labels, "must hold the labels of its 6 images"),
        (no_images, "must hold one array of images"),
        (two_images, r"must hold one array of images .* got before of shape \(6, 8, 10, 3\)"),
        (objects, "holds Python objects"),
        (float_labels, "must be integers or text, got float64"),
        (a_damaged_archive, "cannot be read"),
        (a_missing_label, "row 2 of .* has no label under 'label'"),
        (a_missing_image, "row 5 of .* has no bytes under 'image'"),
        (no_image_column, "must have a column of encoded images"),
        (a_row_that_is_no_image, "row 5 of .* is not an image"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(folder, tmp_path, make, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
        read_images(make(folder, tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0, -3, (4,), (4, 0), 2.5, True])
def test_sizes_that_are_none_are_refused(folder, size):
    with pytest.raises((ValueError, TypeError), match="size"):
        read_images(folder, size=size)


def test_arrays_are_not_resized_and_the_cost_is_told_before(tmp_path, monkeypatch):
    np.savez(tmp_path / "x.npz", images=PIXELS, labels=np.arange(6))
    with pytest.raises(ValueError, match="size resizes image files"):
        read_images(tmp_path / "x.npz", size=4)
    monkeypatch.setattr(decoding, "_MOST_BYTES", 100)
    with pytest.raises(ValueError, match="1 images of 8 x 10 need"):
        decoding.decode([Encoded("one", png(PIXELS[0]))])


@pytest.mark.parametrize("column", [False, True], ids=["labels in a row", "labels in a column"])
@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("data_train", "target_train", "data_test", "target_test"),
    ],
    ids=lambda names: names[0],
)
def test_arrays_to_train_and_to_test_on_are_a_split(tmp_path, names, column):
    labels = np.array([0, 1, 0, 1, 0, 1]).reshape(-1, 1) if column else np.array([0, 1, 0, 1, 0, 1])
    held = dict(zip(names, (PIXELS[:4], labels[:4], PIXELS[4:], labels[4:]), strict=True))
    np.savez(tmp_path / "x.npz", **held, val_images=PIXELS)
    found = read_images(tmp_path / "x.npz")
    shown, others = found.split()
    np.testing.assert_array_equal(shown.images, PIXELS[:4])
    np.testing.assert_array_equal(others.images, PIXELS[4:])
    assert found.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert "the array 'val_images' is not read" in found.notes


def test_images_to_train_on_alone_are_no_split(tmp_path):
    np.savez(
        tmp_path / "x.npz", X_train=PIXELS, y_train=np.arange(6) % 2, X_val=PIXELS, y_val=np.arange(6) % 2
    )
    found = read_images(tmp_path / "x.npz")
    assert found.trained is None
    assert found.notes[0] == "images from 'X_train', labels from 'y_train'"


def test_a_split_that_does_not_fit_is_refused(tmp_path):
    labels = np.arange(6) % 2
    np.savez(tmp_path / "x.npz", x_train=PIXELS, y_train=labels, x_test=PIXELS[:, :3], y_test=labels)
    with pytest.raises(ValueError, match="of one shape and kind, got 'x_train' of uint8"):
        read_images(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", x_train=PIXELS, y_train=labels, x_test=PIXELS, y_test=labels[:5])
    with pytest.raises(ValueError, match=r"'y_test' of .* must hold the labels of the 6 images of 'x_test'"):
        read_images(tmp_path / "x.npz")


def test_pixels_up_to_255_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"pixels in \[0, 1\], got 0..255: divide by 255"):
        from_arrays(PIXELS.astype(np.float64) / PIXELS.max() * 255, np.arange(6) % 2)
