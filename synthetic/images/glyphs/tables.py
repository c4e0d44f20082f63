"""Distance tables: each glyph in each discrete pose, sampled so that its symmetries are exact.

A table holds the distance to the nearest stroke on a square grid with an odd number of points, which is
mapped to itself by the eight symmetries of the square. Where a glyph is symmetric, or is the image of
another one, within 1e-9, the tables are made equal to the bit; looking up and shading then preserve it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synthetic.images.glyphs.shapes import GLYPH_SETS, Glyph, as_glyph
from theory.errors import shown

__all__ = ["EXTENT", "distance_tables", "distinct_glyphs", "square_symmetries"]

EXTENT = 1.35
"""Half the side of the square that a table covers, in glyph units."""

_TOLERANCE = 1e-9
"""Tables that differ by less are equal but for rounding, in glyph units."""

Floats = npt.NDArray[np.float64]


def square_symmetries(table: Floats) -> list[Floats]:
    """The eight images of an array (.., side, side): four quarter-turns, then those of its mirror image."""
    mirrored = table[..., ::-1]
    turns = [np.rot90(table, k, axes=(-2, -1)) for k in range(4)]
    return turns + [np.rot90(mirrored, k, axes=(-2, -1)) for k in range(4)]


@lru_cache(maxsize=16)
def distance_tables(glyphs: tuple[Glyph, ...], poses: tuple[float, ...], half: int) -> Floats:
    """The tables of glyphs in poses.

    Args:
        glyphs: The glyphs.
        poses: Angles in quarter-turns, counter-clockwise.
        half: The number of grid points from the centre to the border.

    Returns:
        Distances in glyph units, shape (glyphs, poses, 2 half + 1, 2 half + 1), read-only.
    """
    tables = [_symmetrised(_sampled(glyph, pose, half)) for glyph in glyphs for pose in poses]
    _unify(tables)
    side = 2 * half + 1
    result = np.stack(tables).reshape(len(glyphs), len(poses), side, side)
    result.flags.writeable = False
    return result


def _sampled(glyph: Glyph, pose: float, half: int) -> Floats:
    """The table of one glyph: the part below a quarter-turn by rotated coordinates, the rest exactly."""
    whole = int(np.floor(pose))
    angle = (pose - whole) * np.pi / 2
    axis = np.arange(-half, half + 1, dtype=np.float64) * (EXTENT / half)
    x, y = axis[None, :], axis[:, None]
    if angle:
        cos, sin = np.cos(angle), np.sin(angle)
        table = glyph.distance(cos * x - sin * y, sin * x + cos * y)
    else:
        table = glyph.distance(x, y)
    return np.ascontiguousarray(np.rot90(table, whole))


def _symmetrised(table: Floats) -> Floats:
    images = [image for image in square_symmetries(table) if np.abs(image - table).max() < _TOLERANCE]
    return np.ascontiguousarray(np.minimum.reduce(images))


def _unify(tables: list[Floats]) -> None:
    """Replace each table that is an image of an earlier one by exactly that image."""
    for j in range(1, len(tables)):
        for i in range(j):
            match = _image_of(tables[i], tables[j])
            if match is not None:
                tables[j] = match
                break


def _image_of(source: Floats, target: Floats) -> Floats | None:
    if abs(float(source.sum() - target.sum())) > _TOLERANCE * source.size:
        return None
    for image in square_symmetries(source):
        if np.abs(image - target).max() < _TOLERANCE:
            return np.ascontiguousarray(image)
    return None


def distinct_glyphs(spec: object) -> tuple[Glyph, ...]:
    """At least two glyphs that all look different, from a list or the name of a set.

    Raises:
        TypeError: If it is neither a list nor a name.
        ValueError: If the set is unknown, or glyphs are too few or alike.
    """
    if isinstance(spec, str):
        if spec not in GLYPH_SETS:
            raise ValueError(
                f"unknown glyph set {shown(spec)}: expected one of {', '.join(GLYPH_SETS)}, or a list "
                "of glyphs"
            )
        spec = GLYPH_SETS[spec]
    if not isinstance(spec, Sequence):
        raise TypeError(f"glyphs must be a list of glyphs or the name of a set, got {spec!r}")
    result = tuple(as_glyph(g) for g in spec)
    if len(result) < 2:
        raise ValueError(f"glyphs must name at least two classes, got {len(result)}")
    names = [g.name for g in result]
    if len(set(names)) != len(names):
        raise ValueError(f"glyphs must differ, got {names}")
    seen: dict[bytes, str] = {}
    for name, table in zip(names, distance_tables(result, (0.0,), 16), strict=True):
        other = seen.setdefault(table.tobytes(), name)
        if other != name:
            raise ValueError(f"glyphs must look different, got {other!r} and {name!r} with the same strokes")
    return result
