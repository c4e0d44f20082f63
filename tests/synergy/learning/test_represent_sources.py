"""Images and labels from any holder: every source gives the same, and what does not fit is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from represented import CLASSES, FIRST, FLOATS, PIXELS, N, flat
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from synergy.learning import ImageSet, measure_representation, represent
from synthetic import Digits, LabelledImages, Sample
from synthetic.images.arrays import from_arrays


class Pictures(Dataset):
    def __init__(self, transform=None, labels=CLASSES, mode: str | None = None) -> None:
        self.transform, self.labels, self.mode = transform, labels, mode

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int):
        image = Image.fromarray(PIXELS[i])
        image = image if self.mode is None else image.convert(self.mode)
        return (image if self.transform is None else self.transform(image)), self.labels[i]


class Streamed(IterableDataset):
    def __iter__(self):
        yield from ((FIRST[i], int(CLASSES[i])) for i in range(N))


def as_tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


class Dicts(Dataset):
    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int):
        return {"image": FIRST[i], "label": torch.tensor(CLASSES[i]), "A": i % 2, "path": f"{i}.jpg"}


def sources():
    pairs = TensorDataset(FIRST, torch.from_numpy(CLASSES))
    yield "tensor", FIRST, CLASSES
    yield "bytes last", PIXELS, CLASSES
    yield "list labels", FLOATS, CLASSES.tolist()
    yield "mapping", FLOATS.float(), {"C": torch.from_numpy(CLASSES)}
    yield "image set", ImageSet.from_arrays(FIRST, {"C": CLASSES}), None
    yield "labelled", LabelledImages(PIXELS, CLASSES, ("a", "b", "c"), "here"), None
    yield "generator", from_arrays(PIXELS, CLASSES), None
    yield "dataset", pairs, None
    yield "pictures", Pictures(), None
    yield "pictures with a transform", Pictures(as_tensor), None
    yield "rgba", Pictures(mode="RGBA"), None
    yield "list of pictures", [Image.fromarray(p) for p in PIXELS], CLASSES
    yield "list of pairs", [(FIRST[i], CLASSES[i]) for i in range(N)], None
    yield "dicts", Dicts(), ("C",)
    yield "loader", DataLoader(pairs, batch_size=7), None
    yield "loader of pictures", DataLoader(Pictures(as_tensor), batch_size=7), None
    yield (
        "raw pictures",
        DataLoader(Pictures(), batch_size=4, collate_fn=lambda b: tuple(zip(*b, strict=True))),
        None,
    )
    yield "loader of dicts", DataLoader(Dicts(), batch_size=7), {"C": "label"}
    yield "iterable dataset", Streamed(), None
    yield "loader of a stream", DataLoader(Streamed(), batch_size=7), None
    yield "batches", ((FIRST[i : i + 4], CLASSES[i : i + 4]) for i in range(0, N, 4)), None
    yield "nested labels", [(FIRST[i], {"label": CLASSES[i]}) for i in range(N)], None


@pytest.mark.parametrize(("images", "labels"), [pytest.param(x, y, id=name) for name, x, y in sources()])
def test_every_source_gives_the_same(images, labels):
    expected = represent(flat, FIRST, "rotation", labels=CLASSES, seed=4)
    found = represent(flat, images, "rotation", labels=labels, batch_size=5, seed=4)
    assert found.names == ("C", "R", "A", "Z")
    for name in ("C", "R", "A"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_allclose(found["Z"], expected["Z"], atol=1e-6)


def test_the_same_as_transforming_an_image_set_first():
    images = ImageSet.from_generator(Digits())
    made = images.transformed("rotation", seed=3)
    found = represent(flat, images, "rotation", seed=3, batch_size=100, keep_images=True)
    for name in ("C", "R", "A", "X"):
        np.testing.assert_array_equal(found[name], made[name])
    assert found.variables["X"] == made.variables["X"]


def test_copies_are_transformed_anew_and_grouped():
    found = represent(flat, FIRST, "rotation", labels=CLASSES, copies=3, seed=1, batch_size=4)
    assert len(found) == 3 * N
    assert found.groups == "R"
    np.testing.assert_array_equal(found["R"], np.tile(np.arange(N), 3))
    np.testing.assert_array_equal(found["C"], np.tile(CLASSES, 3))
    assert not np.array_equal(found["A"][:N], found["A"][N : 2 * N])
    whole = represent(flat, FIRST, "rotation", labels=CLASSES, copies=3, seed=1)
    np.testing.assert_array_equal(found["A"], whole["A"])
    np.testing.assert_array_equal(found["Z"], whole["Z"])


def test_labels_follow_a_shuffled_loader_and_dropped_images_are_gone():
    loader = DataLoader(
        TensorDataset(FIRST, torch.from_numpy(CLASSES), torch.arange(N)),
        batch_size=5,
        shuffle=True,
        drop_last=True,
        generator=torch.Generator().manual_seed(0),
    )
    found = represent(flat, loader, labels=("C", "place"))
    assert len(found) == 20
    assert not np.array_equal(found["place"], np.sort(found["place"]))
    np.testing.assert_array_equal(found["C"], CLASSES[found["place"]])
    np.testing.assert_allclose(found["Z"], FLOATS.flatten(1)[found["place"]], atol=1e-6)


def test_images_alone_have_no_class():
    for images in (
        FIRST,
        DataLoader(TensorDataset(FIRST), batch_size=5),
        list(FIRST),
        DataLoader(FIRST, batch_size=5),
    ):
        found = represent(flat, images, "rotation")
        assert found.names == ("R", "A", "Z")
    assert represent(flat, FIRST).names == ("R", "Z")


def test_names_of_classes_are_kept():
    found = represent(flat, FIRST, labels=np.array(["cat", "dog", "eel"])[CLASSES])
    np.testing.assert_array_equal(found["C"], CLASSES)
    assert found.metadata["levels"]["C"] == ["cat", "dog", "eel"]
    labelled = represent(flat, LabelledImages(PIXELS, CLASSES, ("a", "b", "c"), "here"))
    assert labelled.metadata["levels"]["C"] == ["a", "b", "c"]


def test_a_label_of_ones_own_takes_the_place_of_a_transformation():
    angles = np.array([0, 90, 180, 270])[np.arange(N) % 4]
    found = represent(flat, FIRST, labels={"C": CLASSES, "A": angles})
    np.testing.assert_array_equal(found["A"], np.arange(N) % 4)
    assert found.variables["A"].role == "transformation"
    assert found.variables["A"].cardinality == 4
    assert found.metadata["levels"]["A"] == [0, 90, 180, 270]
    brought = represent(flat, Dicts())
    np.testing.assert_array_equal(brought["A"], np.arange(N) % 2)


def test_a_continuous_label_of_ones_own_is_measured_where_it_can_be():
    rng = np.random.default_rng(0)
    images = rng.random((200, 1, 4, 4))
    found = represent(flat, images, labels={"C": np.arange(200) % 2, "A": rng.random(200)})
    assert found.variables["A"].kind == "continuous"
    measured = measure_representation(found, quality="quick")
    assert {term for term, _ in measured.estimates} == {"I(A;C|Z)", "I(C;Z)", "I(C;Z|A)", "H(C|Z)"}


def test_a_sample_keeps_its_columns():
    drawn = Digits().sample(40, seed=0)
    found = represent(flat, drawn, batch_size=7)
    assert found.names == ("C", "R", "A", "Z")
    assert found.groups == "R"
    np.testing.assert_array_equal(found["Z"], drawn["X"].reshape(40, -1))
    assert represent(flat, drawn, keep_images=True).names == ("C", "R", "A", "X", "Z")


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (
            FIRST,
            {"labels": CLASSES[:5]},
            ValueError,
            "labels 'C' must have one entry for each of the 23 images, got 5",
        ),
        (FIRST, {"labels": np.eye(3)[CLASSES]}, TypeError, "one-hot labels give the place of the 1"),
        (FIRST, {"labels": {"C": CLASSES, "Z": CLASSES}}, ValueError, "labels cannot be called R, Z, X"),
        (FIRST, {"labels": CLASSES / 2}, ValueError, "labels 'C' must be integers or names, got floats"),
        (
            FIRST,
            {"labels": {"A": CLASSES}, "transformation": "rotation"},
            ValueError,
            "have a column 'A' and trans",
        ),
        (
            FIRST,
            {"labels": {"A": [0.0, np.nan] + [1.0] * (N - 2)}},
            ValueError,
            "column 'A' has NaN: 1 of 23 rows",
        ),
        (FIRST, {"labels": {"C": [None] * N}}, ValueError, "column 'C' has 23 missing values"),
        (FIRST, {"labels": "C"}, TypeError, "must be an array of one entry an image"),
        (FIRST, {"transformation": "rotations"}, ValueError, "unknown transformation 'rotations'"),
        (FIRST[:, :, :5], {"transformation": "rotation"}, ValueError, "rotation needs square images"),
        (FIRST.flatten(1).float(), {"transformation": "rotation"}, ValueError, r"needs images \(channels"),
        (
            FIRST.float(),
            {"transformation": "blur"},
            ValueError,
            r"blur needs pixels in \[0, 1\], got 0 to 255",
        ),
        (FIRST.int(), {}, TypeError, "unsigned bytes, booleans or floats, got torch.int32"),
        (FIRST[:0], {}, ValueError, r"shape \(n, ..\) with n > 0"),
        (FLOATS * np.nan, {}, ValueError, "images must be finite"),
        (torch.zeros(5), {}, ValueError, r"images must have shape \(n, ..\)"),
        (np.zeros((2, 8, 3, 8)), {}, ValueError, "cannot tell the channel axis"),
        (7, {}, TypeError, "images must be an array, an ImageSet"),
        (None, {}, TypeError, "images must be an array, an ImageSet"),
        ("nowhere", {}, FileNotFoundError, "there is no file or folder 'nowhere'"),
        ([], {}, ValueError, "images must not be empty"),
        (iter([]), {}, ValueError, "got a stream without batches"),
        (iter([3]), {}, TypeError, "batch 0 must hold images of shape"),
        (
            iter([FIRST[:2], (FIRST[:2], CLASSES[:2])]),
            {},
            ValueError,
            "every batch must come with the same labels",
        ),
        (iter([(FIRST[:2], CLASSES[:3])]), {}, ValueError, "for each of the 2 images, got 3"),
        (iter([FIRST[:2], FIRST[:2, :, :5]]), {}, ValueError, "all images must have one shape"),
        (iter([(FIRST, CLASSES, CLASSES)]), {}, ValueError, "batch 0 has 2 labels: name them"),
        (iter([FIRST]), {"labels": CLASSES}, ValueError, "labels must come with the images of a stream"),
        ([FIRST[0], FIRST[0, :, :5]], {}, ValueError, "same shape and type, got .* for image 1"),
        ([(FIRST[0], 0), FIRST[1]], {}, ValueError, "every image must come with the same labels"),
        ([(FIRST[0], np.eye(3)[0])], {}, TypeError, "label 0 of the dataset must be one class"),
        (
            Dicts(),
            {"labels": ("C", "angle")},
            ValueError,
            "item 0 must have the label 'angle', got label, A, path",
        ),
        ([{"picture": FIRST[0]}], {}, TypeError, "item 0 must have its images under images"),
        ([Image.new("I;16", (4, 4))], {}, ValueError, "image 0 has pixels of more than 8 bits"),
        (
            ImageSet.from_arrays(FIRST, {"C": CLASSES}),
            {"labels": CLASSES},
            ValueError,
            "labels must be left out",
        ),
        (Sample.infer({"Z": np.zeros((3, 2))}), {}, ValueError, "a sample must have one column of images"),
        (FIRST, {"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        (FIRST, {"copies": 0}, ValueError, "copies must be at least 1"),
        (FIRST, {"device": "tpu"}, ValueError, "device 'tpu'"),
        (FIRST, {"pool": "median"}, ValueError, "pool must be one of"),
        (FIRST, {"output": 3}, ValueError, "output 3 is not among what the encoder returns"),
        (FIRST, {"layer": "a"}, TypeError, "layer needs an encoder that is a torch module"),
    ],
)
def test_images_and_labels_that_do_not_fit(images, options, error: type[Exception], message: str):
    with pytest.raises(error, match=message) as caught:
        represent(lambda x: x, images, **options)
    assert "\n" not in str(caught.value)


def test_progress_is_told():
    told: list[tuple[int, int | None]] = []
    represent(flat, FIRST, batch_size=10, progress=lambda done, steps: told.append((done, steps)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    told.clear()
    represent(flat, iter([FIRST, FIRST]), progress=lambda done, steps: told.append((done, steps)))
    assert told == [(1, None), (2, None)]
