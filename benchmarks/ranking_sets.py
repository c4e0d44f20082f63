"""The sets of images that the ranking is judged on.

Glyphs of several symmetries, styles, noises and pose priors; scikit-learn's digits; letters in the fonts
that matplotlib ships; patches of the two photographs that scikit-learn ships; gratings; and, where their
folder is given, CIFAR-10 and MNIST, whole and in part. Each has images to train on and others to test on.

What is chosen is chosen on CIFAR-10 and MNIST, on which the statistics U and the size of a pilot were settled
(`theory.md`, S4), and judged on all others, of which nobody had seen a longer training before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits, load_sample_images

from synergy.experiments.worlds import raw_glyphs
from synthetic import read_images
from synthetic.images.arrays import to_pixels
from synthetic.transformations import HueShift

Pixels = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Images:
    """Images (n, channels, height, width) in [0, 1] with their classes, to train on and to test on."""

    train: Pixels
    train_labels: Labels
    test: Pixels
    test_labels: Labels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        _, channels, height, width = self.train.shape
        return channels, height, width


def _glyphs(glyphs: str, *, n: int = 10_000, **changes: object) -> Images:
    drawn = [raw_glyphs(glyphs, size, seed=seed, **changes) for size, seed in ((n, 71), (3_000, 72))]
    parts = [(np.clip(s["X"], 0, 1).astype(np.float32), s["C"].astype(np.int64)) for s in drawn]
    return Images(*parts[0], *parts[1])


def _split(images: Pixels, labels: Labels, *, test: int, seed: int = 0) -> Images:
    order = np.random.default_rng([seed, 0x5E7]).permutation(len(images))
    held, rest = order[:test], order[test:]
    return Images(images[rest], labels[rest], images[held], labels[held])


def _digits() -> Images:
    found = load_digits()
    return _split((found.images[:, None] / 16).astype(np.float32), found.target.astype(np.int64), test=600)


def _letters(*, n: int = 11_000, side: int = 24, seed: int = 0) -> Images:
    """26 capital letters in the fonts that matplotlib ships, at random places, sizes and gray levels."""
    paths = [
        Path(p) for p in font_manager.findSystemFonts([str(Path(font_manager.__file__).parent / "mpl-data")])
    ]
    wanted = [p for p in paths if p.stem.startswith("DejaVu") and "Display" not in p.stem]
    fonts = {(p, s): ImageFont.truetype(str(p), s) for p in sorted(wanted) for s in (13, 15, 17, 19)}
    keys = list(fonts)
    rng = np.random.default_rng([seed, 0x1E7])
    labels = rng.integers(26, size=n)
    images = np.empty((n, 1, side, side), dtype=np.float32)
    for row, label in enumerate(labels):
        canvas = Image.new("L", (side, side), int(rng.integers(60)))
        x, y = side / 2 + rng.uniform(-2, 2, size=2)
        font = fonts[keys[rng.integers(len(keys))]]
        ImageDraw.Draw(canvas).text(
            (x, y), chr(65 + label), fill=int(rng.integers(150, 256)), font=font, anchor="mm"
        )
        images[row, 0] = np.asarray(canvas, dtype=np.float32) / 255
    noise = rng.normal(0, 0.1, size=images.shape).astype(np.float32)
    return _split(np.clip(images + noise, 0, 1), labels.astype(np.int64), test=3_000)


def _patches(*, n: int = 11_000, side: int = 24, seed: int = 0) -> Images:
    """Patches of two photographs, the class being the third of which photograph they lie in."""
    rng = np.random.default_rng([seed, 0xFA7])
    photos = [np.asarray(p, dtype=np.float32) / 255 for p in load_sample_images().images]
    labels = rng.integers(6, size=n)
    images = np.empty((n, 3, side, side), dtype=np.float32)
    for row, label in enumerate(labels):
        photo = photos[label // 3]
        height, width, _ = photo.shape
        third = width // 3
        x = int(rng.integers((label % 3) * third, (label % 3 + 1) * third - side))
        y = int(rng.integers(0, height - side))
        images[row] = photo[y : y + side, x : x + side].transpose(2, 0, 1)
    return _split(images, labels.astype(np.int64), test=3_000)


def _gratings(*, n: int = 11_000, side: int = 16, seed: int = 0) -> Images:
    """Gratings: the class is one of eight angles, phase, frequency and colours vary, and there is noise."""
    rng = np.random.default_rng([seed, 0x6A7])
    labels = rng.integers(8, size=n)
    angle = (labels + rng.uniform(-0.25, 0.25, size=n)) * np.pi / 8
    frequency, phase = rng.uniform(1.5, 4, size=n), rng.uniform(0, 2 * np.pi, size=n)
    y, x = np.mgrid[:side, :side] / side
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * frequency[:, None, None] * along + phase[:, None, None])
    dark, light = rng.uniform(0, 0.5, size=(2, n, 3, 1, 1))
    images = dark + (light + 0.5 - dark) * wave[:, None] + rng.normal(0, 0.15, size=(n, 3, side, side))
    return _split(np.clip(images, 0, 1).astype(np.float32), labels.astype(np.int64), test=3_000)


@cache
def _cifar(root: Path) -> Images:
    parts = []
    for part in ("train", "test"):
        found = read_images(root / "cifar10" / part)
        parts += [to_pixels(found.images).numpy(), found.labels]
    return Images(*parts)


def _cifar_classes(root: Path, classes: tuple[int, ...]) -> Images:
    """Some classes of CIFAR-10: 0 airplane, 1 automobile, 2 bird .. in alphabetical order."""
    whole = _cifar(root)
    place = np.full(10, -1)
    place[list(classes)] = np.arange(len(classes))
    train, test = np.isin(whole.train_labels, classes), np.isin(whole.test_labels, classes)
    return Images(
        whole.train[train], place[whole.train_labels[train]], whole.test[test], place[whole.test_labels[test]]
    )


def _cifar_gray(root: Path) -> Images:
    whole = _cifar(root)
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)[None, :, None, None]
    gray = [(x * weights).sum(axis=1, keepdims=True).clip(0, 1) for x in (whole.train, whole.test)]
    return Images(gray[0], whole.train_labels, gray[1], whole.test_labels)


@cache
def _mnist(root: Path) -> Images:
    with np.load(root / "mnist.npz", allow_pickle=False) as file:
        images, labels = file["images"], file["labels"].astype(np.int64)
    return _split((images[:, None] / 255).astype(np.float32), labels, test=4_000)


def _mnist_part(root: Path) -> Images:
    whole = _mnist(root)
    train, test = whole.train_labels < 5, whole.test_labels < 5
    return Images(whole.train[train], whole.train_labels[train], whole.test[test], whole.test_labels[test])


def _mnist_coloured(root: Path) -> Images:
    """MNIST with each digit in a random hue."""
    whole = _mnist(root)
    rng = np.random.default_rng(0xC01)

    def coloured(images: Pixels) -> Pixels:
        red = torch.from_numpy(images) * torch.tensor([1.0, 0.2, 0.2])[None, :, None, None]
        turns = torch.from_numpy((rng.random(len(images)) * 2 * np.pi).astype(np.float32))
        return np.asarray(HueShift().apply(red, turns).clamp(0, 1).numpy())

    return Images(coloured(whole.train), whole.train_labels, coloured(whole.test), whole.test_labels)


MADE: dict[str, Callable[[], Images]] = {
    "glyphs, mixed symmetries": lambda: _glyphs("mixed"),
    "glyphs, half-turn pairs": lambda: _glyphs("half-turn-pairs"),
    "glyphs, free orbits": lambda: _glyphs("free"),
    "glyphs, much noise": lambda: _glyphs("mixed", noise=0.6),
    "glyphs, leaning": lambda: _glyphs("free", pose={"values": [-1, 0, 1], "weights": [0.25, 0.5, 0.25]}),
    "glyphs, texture and clutter": lambda: _glyphs(
        "mixed",
        texture=[0.0, 0.8],
        occlusion=0.7,
        scale=[0.45, 0.7],
        background=[0.0, 0.3],
        stroke=[0.1, 0.2],
    ),
    "gratings": _gratings,
    "letters": _letters,
    "photo patches": _patches,
    "digits": _digits,
}
"""The sets that need no download."""

SHARED: dict[str, Callable[[Path], Images]] = {
    "CIFAR-10": _cifar,
    "CIFAR-10, animals": lambda root: _cifar_classes(root, (2, 3, 4, 5, 6, 7)),
    "CIFAR-10, gray": _cifar_gray,
    "MNIST": _mnist,
    "MNIST, 0 to 4": _mnist_part,
    "MNIST, coloured": _mnist_coloured,
}
"""The sets made of `cifar10/` and `mnist.npz` in a folder that is given."""


ORDER = (
    "CIFAR-10",
    "glyphs, mixed symmetries",
    "MNIST",
    "letters",
    "gratings",
    "photo patches",
    "digits",
    "glyphs, free orbits",
    "CIFAR-10, animals",
    "glyphs, texture and clutter",
    "MNIST, 0 to 4",
    "glyphs, leaning",
    "glyphs, half-turn pairs",
    "CIFAR-10, gray",
    "glyphs, much noise",
    "MNIST, coloured",
)
"""The order in which sets are done: what is done when time is over is a mixture of them all."""


def source(name: str) -> str:
    """What a set is made of: its variants share it."""
    return name.partition(",")[0]


def half(name: str) -> str:
    """`choosing` or `judging`: the half of the sets that a set belongs to."""
    return "choosing" if source(name) in ("CIFAR-10", "MNIST") else "judging"


@lru_cache(maxsize=2)
def load(name: str, root: Path | None) -> Images:
    """The images of a set.

    Raises:
        ValueError: If there is no such set, or it needs a folder.
    """
    if name not in ORDER:
        raise ValueError(f"unknown set {name!r}: there are {'; '.join(ORDER)}")
    if name in MADE:
        return MADE[name]()
    if root is None:
        raise ValueError(f"{name} needs --root, a folder with cifar10/ and mnist.npz")
    return SHARED[name](root)
