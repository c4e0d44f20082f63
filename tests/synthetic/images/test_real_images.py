"""Digits and one's own images: what a sample promises, what is known, what is refused."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset

from synthetic import Digits, NoExactAnswerError
from synthetic.images import RealImages, from_arrays, from_dataset
from synthetic.transformations import TRANSFORMATIONS, Blur, transformation

GRAY = [name for name, kind in TRANSFORMATIONS.items() if kind.channels is None]


def test_digits_are_scikit_learns():
    bunch = load_digits()
    sample = Digits().sample(1797, seed=0)
    order = np.argsort(sample["R"])
    np.testing.assert_array_equal(sample["R"][order], np.arange(1797))
    np.testing.assert_array_equal(sample["C"][order], bunch.target)
    raw = transformation("rotation").apply(
        torch.from_numpy(sample["X"]), torch.from_numpy((4 - sample["A"]) % 4)
    )
    np.testing.assert_array_equal(raw.numpy()[order, 0] * 16, bunch.images)


def test_raw_images_come_once_each_in_every_round():
    shown = Digits().sample(3 * 1797 + 5, seed=1)["R"]
    for k in range(3):
        assert len(set(shown[1797 * k : 1797 * (k + 1)].tolist())) == 1797
    assert len(set(shown[-5:].tolist())) == 5
    assert not np.array_equal(shown[:1797], shown[1797 : 2 * 1797])


def test_rows_of_one_raw_image_are_marked_dependent():
    sample = Digits().sample(10, seed=0)
    assert sample.groups == "R"
    assert {n: v.role for n, v in sample.variables.items()} == {
        "C": "class",
        "R": "raw",
        "A": "transformation",
        "X": "input",
    }
    assert sample.variables["R"].cardinality == 1797
    assert sample["X"].dtype == np.float32


@pytest.mark.parametrize("name", GRAY)
def test_x_is_the_transformed_raw_image(name: str):
    digits = Digits(transformation=name)
    sample = digits.sample(50, seed=4)
    expected = transformation(name).apply(digits.raw[sample["R"]], torch.from_numpy(sample["A"]))
    np.testing.assert_array_equal(sample["X"], expected.numpy())


def test_same_seed_same_bits_and_other_seed_other_bits():
    one, two, other = (Digits().sample(64, seed=s) for s in (5, 5, 6))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["R"], other["R"])


def test_transformations_are_uniform_and_independent_of_the_class():
    from scipy.stats import chi2_contingency

    sample = Digits().sample(1797 * 4, seed=0)
    table = np.zeros((10, 4))
    np.add.at(table, (sample["C"], sample["A"]), 1)
    assert chi2_contingency(table).pvalue > 1e-4
    assert abs(table.sum(0) - 1797).max() < 5 * math.sqrt(1797 * 4 * 0.25 * 0.75)


def test_chosen_classes_are_renumbered_in_the_given_order():
    digits = Digits(classes=(9, 6))
    assert digits.class_names == ("9", "6")
    bunch = load_digits()
    assert len(digits.raw) == int(np.isin(bunch.target, (6, 9)).sum())
    sample = digits.sample(len(digits.raw), seed=0)
    counts = np.bincount(sample["C"])
    assert counts.tolist() == [int((bunch.target == 9).sum()), int((bunch.target == 6).sum())]


def test_what_the_design_decides_is_exact():
    digits = Digits(transformation="jigsaw")
    assert float(digits.exact("H(A)")) == pytest.approx(math.log(24), abs=1e-15)
    for zero in ("I(A;C)", "I(A;R)", "H(X|R,A)", "H(C|R)", "I(A;C|R)", "I(C;X|R,A)", "I(A;X|R) - I(A;X|R,C)"):
        assert float(digits.exact(zero)) == 0


@pytest.mark.parametrize("term", ["I(A;X)", "H(C)", "I(A;C|X)", "I(A;X|R)", "H(X)"])
def test_what_depends_on_the_images_is_refused(term: str):
    with pytest.raises(NoExactAnswerError, match="unknown distribution of real images"):
        Digits().exact(term)


def test_no_joint_and_no_closed_form():
    with pytest.raises(NoExactAnswerError, match="1797 real images"):
        Digits().joint()
    with pytest.raises(NoExactAnswerError):
        Digits().predict("I(A;C|X)")
    with pytest.raises(ValueError, match="unknown variable 'S'"):
        Digits().exact("I(A;S)")
    with pytest.raises(NoExactAnswerError, match="continuous"):
        Digits(transformation="continuous-rotation").exact("H(A)")


def test_parameters_survive_json():
    for digits in (Digits(), Digits(Blur(sigmas=(0, 1)), classes=(6, 9))):
        again = Digits(**json.loads(json.dumps(digits.parameters)))
        assert again == digits
        np.testing.assert_array_equal(again.sample(9, seed=0)["X"], digits.sample(9, seed=0)["X"])


def test_the_diagram_is_the_essl_diagram_without_the_unknown_latents():
    diagram = Digits().diagram
    assert set(diagram.variables) == {"C", "R", "A", "X"}
    assert diagram.d_separated({"A"}, {"C", "R"})
    assert diagram.d_separated({"C"}, {"X"}, {"R", "A"})
    assert not diagram.d_separated({"A"}, {"C"}, {"X"})


def colours(n: int = 12, side: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(n, side, side, 3), dtype=np.uint8)


def test_bytes_are_divided_by_255_whatever_the_layout():
    pixels, labels = colours(), np.arange(12) % 3
    last = from_arrays(pixels, labels)
    first = from_arrays(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels))
    assert torch.equal(last.raw, first.raw)
    assert np.abs(last.raw.numpy().transpose(0, 2, 3, 1) - pixels / 255.0).max() <= 2**-25
    assert last.checksum == first.checksum


def test_inversion_is_exact_on_imported_bytes():
    images = from_arrays(colours(), np.arange(12) % 3, transformation="inversion").raw
    one = torch.ones(12, dtype=torch.long)
    action = transformation("inversion")
    assert torch.equal(action.apply(action.apply(images, one), one), images)


def test_string_labels_are_named():
    real = from_arrays(colours(4), ["ship", "car", "ship", "car"], transformation="grayscale")
    assert real.class_names == ("car", "ship")
    assert real.targets.tolist() == [1, 0, 1, 0]
    assert real.sample(4, seed=0).variables["C"].cardinality == 2


def test_a_torch_dataset_gives_the_same_as_its_arrays():
    pixels, labels = colours(), np.arange(12) % 3
    tensors = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
    real = from_dataset(TensorDataset(tensors, torch.from_numpy(labels)), transformation="jigsaw")
    reference = from_arrays(pixels, labels, transformation="jigsaw")
    np.testing.assert_array_equal(real.sample(20, seed=2)["X"], reference.sample(20, seed=2)["X"])
    assert len(from_dataset(TensorDataset(tensors, torch.from_numpy(labels)), limit=6).raw) == 6


def test_a_dataset_of_pil_images():
    from PIL import Image

    class Folder:
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> tuple[Image.Image, int]:
            return Image.fromarray(colours()[index]), index % 2

    real = from_dataset(Folder())
    np.testing.assert_array_equal(real.raw.numpy(), from_arrays(colours(4), [0, 1, 0, 1]).raw.numpy())


PRECISIONS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_floats_of_every_precision_keep_their_values(precision: torch.dtype):
    given = torch.rand(6, 8, 8, generator=torch.Generator().manual_seed(0)).to(precision)
    labels = torch.arange(6) % 2
    wanted = given.double()[:, None]
    readings = [
        from_arrays(given, labels),
        from_arrays(given.clone().requires_grad_(), labels),
        from_dataset(TensorDataset(given.clone().requires_grad_(), labels)),
        RealImages(given[:, None], labels.numpy()),
    ]
    for real in readings:
        assert real.raw.dtype == torch.float32
        assert not real.raw.requires_grad
        assert (real.raw.double() - wanted).abs().max() <= 2**-25
        assert real.sample(3, seed=0)["X"].shape == (3, 1, 8, 8)


@pytest.mark.parametrize("kind", ["<f2", ">f4", ">f8", "longdouble"])
def test_numpys_other_floats_are_read(kind: str):
    given = np.random.default_rng(0).random((4, 8, 8)).astype(kind)
    real = from_arrays(given, [0, 1, 0, 1])
    assert np.abs(real.raw.numpy()[:, 0] - given.astype(np.float64)).max() <= 2**-25


BAD_DIGITS = {
    "one class": (dict(classes=(3,)), "at least two digits"),
    "no such digit": (dict(classes=(3, 10)), "digits 0..9"),
    "repeated digit": (dict(classes=(3, 3)), "must differ"),
    "digit as text": (dict(classes=("3", "4")), "digits 0..9"),
    "colour transformation": (dict(transformation="grayscale"), "3 channels"),
    "unknown transformation": (dict(transformation="shear"), "unknown transformation 'shear'"),
}


@pytest.mark.parametrize("case", BAD_DIGITS)
def test_bad_digits(case: str):
    options, message = BAD_DIGITS[case]
    with pytest.raises(ValueError, match=message):
        Digits(**options)


def test_sample_needs_a_positive_size():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        Digits().sample(0, seed=0)


FLOATS = np.random.default_rng(0).random((6, 8, 8))
BAD_ARRAYS = {
    "pixels above one": (FLOATS * 2, [0, 1] * 3, {}, ValueError, "pixels in \\[0, 1\\]"),
    "negative pixels": (FLOATS - 0.5, [0, 1] * 3, {}, ValueError, "pixels in \\[0, 1\\]"),
    "not a number": (FLOATS * np.nan, [0, 1] * 3, {}, ValueError, "NaN"),
    "integers": (np.ones((6, 8, 8), dtype=int), [0, 1] * 3, {}, TypeError, "unsigned bytes"),
    "half precision above one": (
        FLOATS.astype(np.float16) * 2,
        [0, 1] * 3,
        {},
        ValueError,
        "pixels in \\[0, 1\\]",
    ),
    "text": (np.full((6, 8, 8), "a"), [0, 1] * 3, {}, TypeError, "unsigned bytes"),
    "one-hot labels": (FLOATS, np.eye(6, dtype=int), {}, ValueError, "integers or strings of shape"),
    "one class": (FLOATS, [0] * 6, {}, ValueError, "at least two classes"),
    "too few labels": (FLOATS, [0, 1], {}, ValueError, "one for each image"),
    "fractional labels": (FLOATS, [0.5] * 6, {}, ValueError, "integers or strings"),
    "two dimensions": (FLOATS[0], [0] * 8, {}, ValueError, "3 or 4 dimensions"),
    "ambiguous channels": (np.zeros((6, 3, 8, 3)), [0, 1] * 3, {}, ValueError, "cannot tell the channel"),
    "no channel axis": (np.zeros((6, 8, 8, 8)), [0, 1] * 3, {}, ValueError, "cannot tell the channel"),
    "unknown layout": (
        np.zeros((6, 8, 8, 3)),
        [0, 1] * 3,
        {"channels": "nhwc"},
        ValueError,
        "'auto', 'first'",
    ),
    "oblong rotation": (np.zeros((6, 8, 9)), [0, 1] * 3, {}, ValueError, "square images"),
    "gray hue": (FLOATS, [0, 1] * 3, {"transformation": "hue-shift"}, ValueError, "3 channels"),
    "empty": (np.zeros((0, 8, 8)), np.zeros(0, dtype=int), {}, ValueError, "n > 0"),
}


BAD_ARRAYS |= {
    "masked pixels": (np.ma.array(FLOATS, mask=FLOATS > 0.5), [0, 1] * 3, {}, ValueError, "masked entries"),
    "a label that is missing": (FLOATS, ["a", "b", float("nan")] * 2, {}, ValueError, "missing values"),
    "no label": (FLOATS, [0, 1, None] * 2, {}, ValueError, "2 missing values, the first in row 2"),
    "labels that mix": (FLOATS, [0, 1, True] * 2, {}, ValueError, "mixes or holds types"),
    "no pixels": (np.zeros((6, 0, 8)), [0, 1] * 3, {}, ValueError, "n > 0"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays(case: str):
    images, labels, options, error, message = BAD_ARRAYS[case]
    with pytest.raises(error, match=message):
        from_arrays(images, labels, **options)


class Stream:
    def __iter__(self):
        return iter([])


BAD_DATASETS = {
    "no length": (Stream(), {}, TypeError, "must have a length and an index"),
    "not pairs": ([np.zeros((8, 8))], {}, TypeError, "must be a pair"),
    "empty": ([], {}, ValueError, "must not be empty"),
    "limit zero": ([(np.zeros((8, 8)), 0)], {"limit": 0}, ValueError, "limit must be at least 1"),
    "shapes differ": (
        [(np.zeros((8, 8)), 0), (np.zeros((9, 9)), 1)],
        {},
        ValueError,
        "same shape and type",
    ),
    "one-hot labels": (
        [(np.zeros((8, 8)), torch.eye(4)[0])],
        {},
        TypeError,
        r"label 0 of the dataset must be one class, got a label of shape \(4,\)",
    ),
    "one-dimensional image": ([(np.zeros(8), 0)], {}, TypeError, "2 or 3 dimensions"),
}


@pytest.mark.parametrize("case", BAD_DATASETS)
def test_bad_datasets(case: str):
    dataset, options, error, message = BAD_DATASETS[case]
    with pytest.raises(error, match=message):
        from_dataset(dataset, **options)


def as_is(image: np.ndarray) -> np.ndarray:
    return image


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image))


@pytest.mark.parametrize("kind", [as_is, as_tensor])
@pytest.mark.parametrize("axis", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_datasets_find_the_channels_as_arrays_do(kind, axis: int, channels: int):
    images = np.random.default_rng(0).random((6, channels, 8, 8)).astype(np.float32)
    shown = np.moveaxis(images, 1, axis)
    pairs = [(kind(image), i % 2) for i, image in enumerate(shown)]
    found = from_dataset(pairs, transformation="horizontal-flip")
    assert torch.equal(found.raw, from_arrays(shown, [0, 1] * 3).raw)
    flipped = found.action.apply(found.raw, torch.ones(6, dtype=torch.long)).numpy()
    np.testing.assert_allclose(flipped, images[..., ::-1], atol=2**-24)  # the last axis is the width


AMBIGUOUS = {"eight channels": (4, 5, 6), "two ends": (3, 8, 3), "four channels": (8, 8, 4)}


@pytest.mark.parametrize("shape", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_datasets_whose_channels_cannot_be_told_say_so(shape: tuple[int, int, int]):
    images = np.random.default_rng(0).random((4, *shape))
    pairs = [(image, i % 2) for i, image in enumerate(images)]
    with pytest.raises(ValueError, match="cannot tell the channel axis of images of shape"):
        from_dataset(pairs, transformation="horizontal-flip")
    last = from_dataset(pairs, transformation="horizontal-flip", channels="last")
    assert last.raw.shape == (4, shape[2], shape[0], shape[1])
    first = from_dataset(
        [(torch.from_numpy(image), label) for image, label in pairs], transformation="horizontal-flip"
    )
    assert first.raw.shape == (4, *shape)  # by the convention of torch
    with pytest.raises(ValueError, match="channels must be 'auto'"):
        from_dataset(pairs, channels="chw")


@pytest.mark.parametrize("labels", [[3, 70, 3, 70, 70, 3], [-5, 2**40, -5, 2**40, 2**40, -5]])
def test_labels_need_no_contiguous_numbering(labels: list[int]):
    made = from_arrays(FLOATS, labels), RealImages(torch.from_numpy(FLOATS)[:, None], np.array(labels))
    for found in made:
        assert found.targets.tolist() == [0, 1, 0, 1, 1, 0]
        assert found.class_names == tuple(map(str, sorted(set(labels))))


@pytest.mark.parametrize(
    ("limit", "error"),
    [(0, ValueError), (1.5, TypeError), (True, TypeError)],
    ids=["none", "a half", "a truth"],
)
def test_limits_are_counts(limit: object, error: type[Exception]):
    with pytest.raises(error, match="limit must be"):
        from_dataset([(FLOATS[0], 0), (FLOATS[1], 1)], limit=limit)
