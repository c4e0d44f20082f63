"""The compiled transformations do what the operations of torch do, and are used where they can be."""

import ctypes
import subprocess
import sys

import numpy as np
import pytest
import torch

from synthetic.transformations import backend, transformation
from synthetic.transformations.augment import AUGMENTATIONS, Augmentation
from synthetic.transformations.base import PixelPermutation, Transformation
from synthetic.transformations.smooth import Blur

numba = pytest.importorskip("numba")
from synthetic.transformations import compiled, native  # noqa: E402  (needs numba)

SETS = [
    *(a for a in AUGMENTATIONS.values() if a.name != "none"),
    Augmentation("mirror", flip=0.5),
    Augmentation("jitter", jitter=0.7),
    Augmentation("gray", gray=0.5),
    Augmentation("blur", blur=0.8),
]
SHAPES = [(3, 32, 32), (1, 32, 32), (3, 12, 20), (3, 21, 8), (1, 5, 5), (3, 1, 1), (3, 2, 3)]
ROUNDING = 2 * 32 * 2**-23
"""Each of two positions up to 32 is known to a unit in its last place; neighbouring pixels differ by 1."""


def noise(n: int, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def numbers(n: int) -> torch.Tensor:
    return torch.rand(n, 14, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def by_torch(monkeypatch: pytest.MonkeyPatch):
    """Run a function by the operations of torch."""

    def run(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(backend, "_compiled", lambda: None)
            return function(*arguments)

    return run


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("chosen", SETS, ids=lambda a: a.name)
def test_augmentations_agree(chosen: Augmentation, shape: tuple[int, ...], by_torch):
    images, u = noise(200, shape), numbers(200)
    found, expected = chosen.apply(images, u), by_torch(chosen.apply, images, u)
    assert torch.equal(found * 2**24, (found * 2**24).round())
    # contrast and saturation, up to 1.4 each, stretch what the crop rounded
    assert torch.allclose(found, expected, rtol=0, atol=1.4**2 * ROUNDING)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("sigmas", [(0.0, 0.5, 1.0, 2.0), (0.3, 0.0), (0.7, 1.5, 3.1)], ids=str)
def test_blurs_agree(sigmas: tuple[float, ...], shape: tuple[int, ...], by_torch):
    images, labels = noise(40, shape), torch.arange(40) % len(sigmas)
    blur = Blur(sigmas)
    found = blur.transform(images, labels)
    assert torch.allclose(found, by_torch(blur.transform, images, labels), rtol=0, atol=1e-6)
    for label, sigma in enumerate(sigmas):
        if sigma == 0:
            assert torch.equal(found[labels == label], images[labels == label])


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 16, 16), (3, 6, 6), (2, 10, 10)], ids=str)
@pytest.mark.parametrize("name", ["rotation", "jigsaw", "vertical-flip", "horizontal-flip"])
def test_permutations_agree_to_the_bit(name: str, shape: tuple[int, ...], by_torch):
    images, chosen = noise(60, shape), transformation(name)
    labels = torch.arange(60) % chosen.cardinality
    found = chosen.transform(images, labels)
    assert torch.equal(found, by_torch(chosen.transform, images, labels))


@pytest.mark.parametrize(
    "chosen", [transformation(name) for name in ("rotation", "jigsaw", "vertical-flip", "blur")], ids=str
)
def test_overwriting_changes_no_value(chosen: Transformation):
    images = noise(60, (3, 16, 16))
    labels = torch.arange(60) % (chosen.cardinality or 1)
    expected = chosen.transform(images, labels)
    given = images.clone()
    found = chosen.overwrite(given, labels)
    assert torch.equal(found, expected)
    assert found.data_ptr() == given.data_ptr()
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(chosen.overwrite(strided, labels), expected)


@pytest.mark.parametrize("chosen", [*SETS, AUGMENTATIONS["none"]], ids=lambda a: a.name)
def test_rows_are_read_where_they_lie(chosen: Augmentation, by_torch):
    images, u = noise(50, (3, 12, 12)), numbers(80)
    rows = torch.randint(50, (80,), generator=torch.Generator().manual_seed(2))
    found = chosen.apply(images, u, rows)
    assert torch.equal(found, chosen.apply(images[rows], u))
    assert torch.equal(by_torch(chosen.apply, images, u, rows), by_torch(chosen.apply, images[rows], u))
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(chosen.apply(strided, u, rows), found)


@pytest.mark.parametrize(
    "chosen",
    [transformation(name) for name in ("rotation", "jigsaw", "vertical-flip", "blur", "inversion")],
    ids=str,
)
def test_transformed_rows_are_read_where_they_lie(chosen: Transformation, by_torch):
    images, labels = noise(50, (3, 12, 12)), torch.arange(80) % (chosen.cardinality or 1)
    rows = torch.randint(50, (80,), generator=torch.Generator().manual_seed(2))
    kept = images.clone()
    expected = chosen.transform(images[rows], labels)
    assert torch.equal(chosen.take(images, rows, labels), expected)
    assert torch.equal(
        by_torch(chosen.take, images, rows, labels), by_torch(chosen.transform, images[rows], labels)
    )
    assert torch.equal(chosen.take(images, rows.to(torch.int32), labels), expected)
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(chosen.take(strided, rows, labels), expected)
    assert torch.equal(images, kept)


@pytest.mark.parametrize("row", [-1, 50, 2**40])
def test_transformed_rows_out_of_range_are_refused_before_memory_is_read(row: int):
    images, rows = noise(50, (3, 32, 32)), torch.zeros(300, dtype=torch.int64)
    rows[217] = row
    with pytest.raises(IndexError, match="a row or a label is out of range"):
        transformation("rotation").take(images, rows, torch.zeros(300, dtype=torch.int64))
    with pytest.raises(IndexError, match="out of range"):
        Blur().take(images, rows, torch.zeros(300, dtype=torch.int64))


@pytest.mark.parametrize("row", [-1, 50, 2**40])
def test_rows_out_of_range_are_refused_before_memory_is_read(row: int):
    images, u = noise(50, (3, 32, 32)), numbers(300)
    rows = torch.zeros(300, dtype=torch.int64)
    rows[217] = row
    with pytest.raises(IndexError, match="a row is out of range"):
        AUGMENTATIONS["simclr"].apply(images, u, rows)


def test_memory_layout_does_not_matter():
    images, u = noise(30, (3, 16, 16)), numbers(30)
    simclr, blur = AUGMENTATIONS["simclr"], Blur()
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(simclr.apply(strided, u), simclr.apply(images, u))
    assert torch.equal(simclr.apply(images, u.T.contiguous().T), simclr.apply(images, u))
    labels = torch.arange(60)[::2] % 4
    assert torch.equal(blur.transform(strided, labels), blur.transform(images, labels))


def test_threads_change_nothing():
    images, u, labels = noise(301, (3, 32, 32)), numbers(301), torch.arange(301) % 4
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            turned = transformation("rotation").transform(images, labels)
            blurred = Blur().transform(images, labels)
            found.append(torch.stack([AUGMENTATIONS["simclr"].apply(images, u), turned, blurred]))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


class Listed(PixelPermutation):
    """A table of one's own, such as a user may write."""

    name = "listed"
    statement = "none"
    cardinality = 2

    def __init__(self, table: np.ndarray) -> None:
        object.__setattr__(self, "table", table)

    def __hash__(self) -> int:
        return hash(self.table.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listed) and np.array_equal(self.table, other.table)

    def sources(self, height: int, width: int) -> np.ndarray:
        return self.table


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.int64])
def test_tables_of_any_integers_are_read(dtype: type, by_torch):
    images, labels = noise(20, (3, 4, 4)), torch.arange(20) % 2
    chosen = Listed(np.stack([np.arange(16), np.arange(16)[::-1]]).astype(dtype))
    found = chosen.transform(images, labels)
    assert torch.equal(found[labels == 1], images[labels == 1].flip(2, 3))
    assert torch.equal(found, by_torch(chosen.transform, images, labels))


def test_runs_of_any_length_and_place_are_moved_either_way_round(by_torch):
    shifted = np.roll(np.arange(64), 5)  # two runs, of 59 and 5 pixels
    halves = np.roll(np.arange(64), 32)
    broken = np.arange(64).reshape(4, 16)[::-1].ravel()
    broken[[3, 4]] = broken[[4, 3]]
    images = noise(40, (3, 8, 8))
    onward = shifted, halves, broken, np.roll(np.arange(64), 16).reshape(4, 16)[:, ::-1].ravel()
    for table in (*onward, *(order[::-1] for order in onward)):
        chosen = Listed(np.stack([np.arange(64), table]))
        labels = torch.arange(40) % 2
        expected = by_torch(chosen.transform, images, labels)
        assert torch.equal(chosen.transform(images, labels), expected)
        assert torch.equal(chosen.overwrite(images.clone(), labels), expected)
        assert torch.equal(expected[1, 0].flatten(), images[1, 0].flatten()[torch.tensor(table.copy())])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.full((2, 16), 16), "must be pixels in 0 .. 15"),
        (np.full((2, 16), -1), "must be pixels in 0 .. 15"),
        (np.zeros((2, 16)), "must be integers"),
        (np.zeros((3, 16), int), "of shape .2, 16."),
        (np.zeros((2, 9), int), "of shape .2, 16."),
    ],
)
def test_tables_that_point_elsewhere_are_refused(table: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        Listed(table).transform(noise(2, (1, 4, 4)), torch.arange(2))


@pytest.mark.parametrize("label", [-1, 4, 2**40])
def test_labels_out_of_range_are_refused_before_memory_is_read(label: int):
    images, labels = noise(3, (1, 8, 8)), torch.tensor([0, label, 1])
    for chosen in (transformation("rotation"), Blur()):
        with pytest.raises(IndexError, match="a label is out of range"):
            chosen.transform(images, labels)


def test_numbers_out_of_range_stay_within_the_image():
    u = numbers(40) * 6 - 2  # places, extents and blurs far beyond what uniform numbers can ask for
    result = AUGMENTATIONS["simclr"].apply(noise(40, (3, 16, 16)), u.clamp(min=0))
    assert torch.isfinite(result).all()


def test_they_are_used_for_float32_on_the_cpu_alone():
    images = noise(2, (1, 8, 8))
    assert backend.compiled_for(images) is compiled
    assert backend.compiled_for(images.double()) is None
    assert backend.compiled_for(images.clone().requires_grad_()) is None
    assert backend.compiled_for(images.to("meta")) is None


def test_without_numba_torch_does_it():
    """In a process where importing numba fails, as it does where it does not know the version of NumPy."""
    program = """
import sys
sys.modules["numba"] = None
import torch
from synthetic.transformations import backend
from synthetic.transformations.augment import AUGMENTATIONS
images = torch.rand(4, 3, 8, 8)
assert backend.compiled_for(images) is None
assert AUGMENTATIONS["simclr"].apply(images, torch.rand(4, 14)).shape == images.shape
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.stdout.strip() == "done", ran.stderr


def test_kernels_compile_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch):
    def nowhere(real):
        def compiler(*arguments, cache: bool = False, **options):
            if cache:
                raise RuntimeError("cannot cache function: no locator available")
            return real(*arguments, **options)

        return compiler

    monkeypatch.setattr(native.numba, "njit", nowhere(numba.njit))
    monkeypatch.setattr(native.numba, "cfunc", nowhere(numba.cfunc))
    assert native.compiled(lambda x: x + 1)(2) == 3

    def double(plan):
        plan[1] = 2 * plan[0]

    plan = np.array([21, 0])
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(native.shared(double))(plan.ctypes.data)
    assert plan[1] == 42
