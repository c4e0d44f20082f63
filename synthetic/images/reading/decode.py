"""From encoded image files to pixels of one shape, by Pillow; a file that cannot be read is named.

Images come as torchvision's ImageFolder gives them: in RGB, without turning them by their EXIF orientation.
Here images that are all gray keep their one channel.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synthetic.storage.files import DamagedFileError, reading
from synthetic.storage.memory import require_room
from theory.errors import TooLargeError, one_line

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Encoded", "decode"]

_GRAY = ("1", "L", "LA")  # Pillow's modes of gray pixels of at most a byte
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # modes of more than a byte, which RGB would cut off
_ORIENTATION = 0x0112  # the EXIF tag that says how a camera was held
_MOST_BYTES = 2**32  # of decoded pixels; float32 copies of them take four times as much


@dataclass(frozen=True)
class Encoded:
    """One encoded image.

    Args:
        name: What to call it in errors: its path, or its row.
        content: Its bytes, or the path of its file.
    """

    name: str
    content: bytes | Path


@dataclass(frozen=True)
class Decoded:
    """Pixels of one shape.

    Args:
        pixels: Unsigned bytes of shape (n, channels, height, width), with 1 or 3 channels.
        notes: What a reader must know of how they came about.
    """

    pixels: npt.NDArray[np.uint8]
    notes: tuple[str, ...] = ()


Told = Callable[[int, int], None]
"""Called with the images that are done and the images in all."""


def decode(
    images: Sequence[Encoded], *, size: tuple[int, int] | None = None, progress: Told | None = None
) -> Decoded:
    """Decode images, resizing them where a size is asked for.

    Args:
        images: The encoded images; at least one.
        size: The (height, width) to resize to, bilinear with antialiasing; None to keep their own.
        progress: Called after each image.

    Raises:
        ValueError: If an image cannot be read (it is named), has pixels of more than a byte, sizes differ and
            no `size` was asked for, or the pixels would not fit.
    """
    survey = _survey(images)
    if size is None and len(survey.sizes) > 1:
        raise ValueError(survey.differ())
    height, width = size or survey.common
    channels = 1 if survey.gray else 3
    need = len(images) * channels * height * width
    if need > _MOST_BYTES:
        raise TooLargeError(
            f"{len(images):,} images of {height} x {width} need {need / 2**30:.1f} GiB, more than "
            f"{_MOST_BYTES / 2**30:.0f}: resize them, or read fewer"
        )
    require_room(f"{len(images):,} images of {height} x {width}", need, stored=need)
    pixels = np.empty((len(images), channels, height, width), np.uint8)
    for i, image in enumerate(images):
        with _opened(image) as opened:
            pixels[i] = _pixels(opened, survey.gray, (width, height))
        if progress is not None:
            progress(i + 1, len(images))
    notes = []
    if survey.clear:
        notes.append(
            f"{survey.clear} of {len(images)} images have a channel of transparency, which is dropped"
        )
    if survey.gray_ones and not survey.gray:
        notes.append(f"{survey.gray_ones} of {len(images)} images are gray: their channels are equal")
    if size is not None and set(survey.sizes) != {size}:
        notes.append(f"resized to {height} x {width}, bilinear")
    if survey.turned:
        notes.append(f"the EXIF orientation of {survey.turned} images is not applied (as in ImageFolder)")
    return Decoded(pixels, tuple(notes))


@dataclass(frozen=True)
class _Survey:
    """What the headers of some images say.

    Args:
        sizes: How many images have each (height, width), and the name of the first.
        gray_ones: How many are gray.
        clear: How many have transparent pixels.
        turned: How many have an EXIF orientation.
    """

    sizes: dict[tuple[int, int], tuple[int, str]]
    gray_ones: int
    clear: int
    turned: int

    @property
    def gray(self) -> bool:
        """Whether all are gray."""
        return self.gray_ones == sum(count for count, _ in self.sizes.values())

    @property
    def common(self) -> tuple[int, int]:
        """The most frequent size."""
        return max(self.sizes, key=lambda shape: self.sizes[shape][0])

    def differ(self) -> str:
        """That the sizes differ, and which there are."""
        ordered = sorted(self.sizes.items(), key=lambda item: -item[1][0])
        shown = ", ".join(f"{h} x {w} ({count:,}, such as {name})" for (h, w), (count, name) in ordered[:3])
        return f"images must have one size, got {len(ordered)}: {shown}: resize them with size= (--size)"


def _survey(images: Sequence[Encoded]) -> _Survey:
    sizes: dict[tuple[int, int], tuple[int, str]] = {}
    gray_ones, clear, turned = 0, 0, 0
    for image in images:
        with _opened(image) as opened:
            mode, height, width = opened.mode, opened.height, opened.width
            turned += opened.getexif().get(_ORIENTATION, 1) != 1
            clear += opened.has_transparency_data
        if mode in _DEEP:
            raise ValueError(f"{image.name} has pixels of more than 8 bits (mode {mode}): save it with 8")
        gray_ones += mode in _GRAY
        count, name = sizes.get((height, width), (0, image.name))
        sizes[height, width] = (count + 1, name)
    return _Survey(sizes, gray_ones, clear, turned)


@contextmanager
def _opened(image: Encoded) -> Iterator[Image]:
    """The image, open; whatever goes wrong with it inside is one error that names it.

    Pillow warns of damaged metadata, which plays no part here.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    source = io.BytesIO(image.content) if isinstance(image.content, bytes) else image.content
    with reading(f"{image.name} cannot be read"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", Pillow.DecompressionBombWarning)
                with Pillow.open(source) as opened:
                    yield opened
        except UnidentifiedImageError:
            raise DamagedFileError(f"{image.name} is not an image that can be read") from None
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
            raise TooLargeError(f"{image.name} is too large: {one_line(error)}") from None


def _pixels(opened: Image, gray: bool, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    from PIL.Image import Resampling

    shown = opened.convert("L" if gray else "RGB")
    if shown.size != size:
        shown = shown.resize(size, Resampling.BILINEAR)
    array = np.asarray(shown, dtype=np.uint8)
    return array[None] if gray else np.moveaxis(array, -1, 0)
