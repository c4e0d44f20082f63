"""Contact sheets: the first images of a sample with their latents as captions, in one PNG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from synthetic.sample import Sample
from theory.checks import integer

__all__ = ["ContactSheet", "contact_sheet"]

_DPI = 100
"""Pixels of the sheet in one of matplotlib's inches."""

_GAP, _LINE, _LETTER = 8, 11, 5
"""In pixels: the space between images, the height of a line of a caption, the width of a letter."""


@dataclass(frozen=True)
class ContactSheet:
    """A PNG image; shows itself in a notebook.

    Args:
        png: The bytes of the file.
        width: In pixels.
        height: In pixels.
    """

    png: bytes = field(repr=False)
    width: int
    height: int

    def save(self, path: str | Path) -> Path:
        """Write the PNG to a file and return its path."""
        target = Path(path)
        target.write_bytes(self.png)
        return target

    def _repr_png_(self) -> bytes:
        return self.png


def contact_sheet(
    sample: Sample,
    *,
    image: str | None = None,
    captions: Sequence[str] | None = None,
    columns: int = 8,
    rows: int = 4,
    side: int = 96,
    names: Mapping[str, Sequence[str]] | None = None,
    title: str | None = None,
) -> ContactSheet:
    """The first images of a sample in a grid, each with its latents below.

    Pixels below 0 or above 1, which noise makes, are shown as 0 and 1.

    Args:
        sample: A sample with an image column.
        image: Which image column; None for the first one.
        captions: Which other columns to show below each image; None for all scalars and pairs.
        columns: Images in a row.
        rows: Rows of images.
        side: The side of each image on the sheet, in pixels; images are enlarged without smoothing.
        names: The names of the states of a column, such as `{"C": ["cat", "dog"]}`; the classes of glyphs
            and digits are named without it.
        title: A line above; None for the generator's name and the seed.

    Raises:
        ValueError: If there is no image column, a column is unknown, or a size is not positive.
    """
    images = [v.name for v in sample.variables.values() if v.kind == "image"]
    if not images:
        raise ValueError(f"a contact sheet needs an image column, got {sample!r}")
    shown = images[0] if image is None else image
    if shown not in images:
        raise ValueError(f"image must be one of the image columns {images}, got {image!r}")
    integer("columns", columns, 1)
    integer("rows", rows, 1)
    integer("side", side, 16)
    if captions is None:
        captions = [n for n in sample if n not in images and sample[n][0].size <= 2]
    first = sample.rows(slice(0, columns * rows))
    for name in captions:
        if sample[name][0].size > 2:
            raise ValueError(
                f"captions must be scalars or pairs, and {name!r} has {sample[name][0].size} values"
            )
    labels = {**_class_names(sample), **(names or {})}
    width = (side + _GAP // 2) // _LETTER
    texts = [_caption(first, row, captions, labels, width) for row in range(len(first))]
    lines = max((text.count("\n") + 1 for text in texts if text), default=0)
    return _draw(first[shown], texts, columns, side, lines, _title(sample) if title is None else title)


def _caption(
    sample: Sample, row: int, names: Sequence[str], labels: Mapping[str, Sequence[str]], width: int
) -> str:
    """The latents of one row, in lines of at most `width` letters."""
    parts = []
    for name in names:
        value = sample[name][row]
        if name in labels:
            text = str(labels[name][int(value)])
        elif sample.variables[name].kind == "discrete":
            text = str(int(value))
        else:
            text = ",".join(f"{x:.2f}" for x in np.atleast_1d(value))
        parts.append(f"{name}={text}")
    return textwrap.fill(" ".join(parts), width, break_on_hyphens=False)


def _class_names(sample: Sample) -> dict[str, Sequence[str]]:
    """The names of the classes, where the sample's record of its generator has them."""
    parameters = sample.metadata.get("parameters")
    if not isinstance(parameters, Mapping) or "C" not in sample.variables:
        return {}
    classes: Any = parameters.get("glyphs") or parameters.get("names") or parameters.get("classes")
    if not isinstance(classes, list | tuple) or len(classes) != sample.variables["C"].cardinality:
        return {}
    return {"C": [str(x["name"]) if isinstance(x, Mapping) else str(x) for x in classes]}


def _title(sample: Sample) -> str:
    family, seed = sample.metadata.get("generator"), sample.metadata.get("seed")
    parameters = sample.metadata.get("parameters")
    action: Any = parameters.get("transformation") if isinstance(parameters, Mapping) else None
    if isinstance(action, Mapping):
        action = action.get("name")
    parts = [str(p) for p in (family, action and f"A = {action}", seed is not None and f"seed {seed}") if p]
    return ", ".join(parts)


def _draw(
    images: npt.NDArray[Any], texts: Sequence[str], columns: int, side: int, lines: int, title: str
) -> ContactSheet:
    gap = _GAP
    columns = min(columns, len(images))
    count = -(-len(images) // columns)
    cell_height = side + lines * _LINE + gap
    top = 22 if title else gap
    width, height = columns * (side + gap) + gap, count * cell_height + top
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    if title:
        figure.text(gap / width, 1 - 15 / height, title, fontsize=8, family="DejaVu Sans")
    for k, (pixels, text) in enumerate(zip(images, texts, strict=True)):
        x = gap + (k % columns) * (side + gap)
        y = top + (k // columns) * cell_height
        box = (x / width, 1 - (y + side) / height, side / width, side / height)
        axes = figure.add_axes(box)
        axes.set_axis_off()
        clipped = np.clip(np.moveaxis(pixels, 0, -1), 0, 1)
        if clipped.shape[-1] == 1:
            axes.imshow(clipped[..., 0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        else:
            axes.imshow(clipped, interpolation="nearest")
        figure.text(
            x / width,
            1 - (y + side + 2) / height,
            text,
            fontsize=6,
            family="DejaVu Sans Mono",
            va="top",
            linespacing=1.2,
        )
    buffer = io.BytesIO()
    canvas.print_png(buffer, metadata={"Software": None})
    return ContactSheet(buffer.getvalue(), width, height)
