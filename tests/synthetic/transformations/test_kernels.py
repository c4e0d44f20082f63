"""The compiled augmentation does what the operations of torch do, and is used where it can be."""

import subprocess
import sys

import pytest
import torch

from synthetic.transformations import augment
from synthetic.transformations.augment import AUGMENTATIONS, Augmentation

numba = pytest.importorskip("numba")
from synthetic.transformations import kernels  # noqa: E402  (needs numba)

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
            patch.setattr(augment, "_kernel", lambda: None)
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


@pytest.mark.parametrize("chosen", [*SETS, AUGMENTATIONS["none"]], ids=lambda a: a.name)
def test_rows_are_read_where_they_lie(chosen: Augmentation, by_torch):
    images, u = noise(50, (3, 12, 12)), numbers(80)
    rows = torch.randint(50, (80,), generator=torch.Generator().manual_seed(2))
    found = chosen.apply(images, u, rows)
    assert torch.equal(found, chosen.apply(images[rows], u))
    assert torch.equal(by_torch(chosen.apply, images, u, rows), by_torch(chosen.apply, images[rows], u))
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(chosen.apply(strided, u, rows), found)


@pytest.mark.parametrize("row", [-1, 50, 2**40])
def test_rows_out_of_range_are_refused_before_memory_is_read(row: int):
    images, u = noise(50, (3, 32, 32)), numbers(300)
    rows = torch.zeros(300, dtype=torch.int64)
    rows[217] = row
    with pytest.raises(IndexError, match=r"rows must be 0 \.\. 49, got"):
        AUGMENTATIONS["simclr"].apply(images, u, rows)


def test_memory_layout_does_not_matter():
    images, u = noise(30, (3, 16, 16)), numbers(30)
    simclr = AUGMENTATIONS["simclr"]
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(simclr.apply(strided, u), simclr.apply(images, u))
    assert torch.equal(simclr.apply(images, u.T.contiguous().T), simclr.apply(images, u))
    assert torch.equal(simclr.apply(images, u.double()), simclr.apply(images, u))


def test_no_images_are_no_work():
    for rows in (None, torch.zeros(0, dtype=torch.int64)):
        assert AUGMENTATIONS["simclr"].apply(noise(0, (3, 8, 8)), numbers(0), rows).shape == (0, 3, 8, 8)


def test_numbers_out_of_range_stay_within_the_image():
    u = numbers(40) * 6 - 2  # places, extents and blurs far beyond what uniform numbers can ask for
    result = AUGMENTATIONS["simclr"].apply(noise(40, (3, 16, 16)), u.clamp(min=0))
    assert torch.isfinite(result).all()


def test_it_is_used_for_float32_on_the_cpu_alone(monkeypatch: pytest.MonkeyPatch):
    called = []
    monkeypatch.setattr(augment, "_kernel", lambda: lambda *arguments: called.append(arguments))
    images, u = noise(2, (1, 8, 8)), numbers(2)
    for other in (images.double(), images.clone().requires_grad_(), images.to("meta")):
        AUGMENTATIONS["crop"].apply(other, u.to(other.device))
        assert not called
    AUGMENTATIONS["crop"].apply(images, u)
    assert len(called) == 1


def test_gradients_reach_the_images():
    images = noise(4, (3, 8, 8)).requires_grad_()
    AUGMENTATIONS["crop"].apply(images, numbers(4)).sum().backward()
    assert images.grad is not None


def test_without_numba_torch_does_it():
    """In a process where importing numba fails, as it does where it does not know the version of NumPy."""
    program = """
import sys
sys.modules["numba"] = None
import torch
from synthetic.transformations.augment import AUGMENTATIONS
images = torch.rand(4, 3, 8, 8)
assert AUGMENTATIONS["simclr"].apply(images, torch.rand(4, 14)).shape == images.shape
assert "synthetic.transformations.kernels" not in sys.modules
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.stdout.strip() == "done", ran.stderr


def test_kernels_compile_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch):
    real = numba.njit

    def nowhere(*, cache: bool, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(kernels.numba, "njit", nowhere)
    assert kernels.compiled(lambda x: x + 1)(2) == 3
