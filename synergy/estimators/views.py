"""Rows that lie close together in every column: views, or repeated measurements, of the same thing.

The embeddings of two augmented views of an image are no two draws. Their rows are near copies, and neighbours
take them for information. Near rows as such show nothing: independent rows may be dense, on curves or in
clusters. That they come in pairs, or k at a time, does. So space is cut into cells, finer and finer, and the
rows that share a cell must be as many as the law in `multiplicity.py` allows. A column that was spaced
evenly, by design or by its ranks, breaks that law too, so such tables are left alone. So would labels, of
which many designs have equal numbers; they are left out.

What cannot be told are copies that lie as far from each other as from other rows: they could as well be
clusters. In 300 rows of two columns that is a jitter of a twentieth of the spread, in eight a fifth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synergy.estimators.multiplicity import most_unlikely_multiplicity
from synthetic import Sample

__all__ = ["rows_that_are_views"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LEVEL = 1e-3
"""The chance that one of three numbers is beyond what is taken to be possible; they must conspire."""

_LEAST_CELLS = 20
"""Fewer clusters of equal size may be the classes of a balanced design, where an encoder keeps no more."""

_MOST_VIEWS = 16
"""More rows than this in each of many cells are classes of a balanced design rather than views."""

_MOST_COLUMNS = 8
"""Cells of more columns part most pairs; more columns are mixed into so many at random."""

_FINEST = 14
"""Cells are halved so often: the last ones are 1/16,000 of the range wide."""

_EVEN = 1 / 24
"""Half the variance, 1/12, of the share that a gap has of two neighbouring ones; even gaps are a design."""

_OFFSET = 0.618
"""Where the first cell begins, in widths: zero, where many columns have an atom, is no border."""


def rows_that_are_views(sample: Sample, names: list[str]) -> str | None:
    """What to say of rows that come k at a time, close together in these variables; None where they do not.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> pairs = np.repeat(rng.standard_normal((100, 2)), 2, axis=0) + 0.01 * rng.standard_normal((200, 2))
        >>> sample = Sample.infer({"X": pairs[:, 0], "Y": pairs[:, 1]})
        >>> rows_that_are_views(sample, ["X", "Y"])[:47]
        'more rows come 2 at a time, close together in X'
    """
    continuous = [name for name in names if sample.variables[name].kind == "continuous"]
    n = len(sample)
    if not continuous or n < 2 * _LEAST_CELLS:
        return None
    columns = _squeezed(np.column_stack([sample[name].reshape(n, -1) for name in continuous]))
    if not columns.shape[1] or any(map(_even, columns.T)):
        return None
    rng = np.random.default_rng(0x71E5)
    if columns.shape[1] > _MOST_COLUMNS:
        mix = rng.standard_normal((columns.shape[1], _MOST_COLUMNS))
        columns = columns @ (mix / np.linalg.norm(mix, axis=0))
    weights = rng.integers(1, 2**62, size=columns.shape[1], dtype=np.int64) | 1
    for halvings in range(_FINEST):
        codes = np.sort(np.floor(columns * 2.0**halvings + _OFFSET).astype(np.int64) @ weights)
        counts = np.diff(np.flatnonzero(np.r_[True, codes[1:] != codes[:-1], True]))
        k = most_unlikely_multiplicity(counts, _LEVEL, least=_LEAST_CELLS, most=_MOST_VIEWS)
        if k is not None:
            return (
                f"more rows come {k} at a time, close together in {','.join(names)}, than chance allows, so "
                "they are not independent: if they are views or repeated measurements of the same things, "
                "name the column of these by groups='column'"
            )
        if len(counts) == n:
            return None
    return None


def _squeezed(columns: Floats) -> Floats:
    """Columns in (-1, 1), half of the rows within (-1/2, 1/2) or so; without those that do not vary."""
    columns = columns.astype(np.float64)
    columns = columns[:, columns.max(axis=0, initial=-np.inf) > columns.min(axis=0, initial=np.inf)]
    centred = columns - np.median(columns, axis=0)
    spread = np.median(np.abs(centred), axis=0)
    spread = np.where(spread > 0, spread, np.abs(centred).max(axis=0, initial=0.0))
    scaled = centred / spread
    return np.asarray(scaled / (1 + np.abs(scaled)))


def _even(column: Floats) -> bool:
    """Whether the values keep a distance from each other that independent ones do not keep.

    Of independent values the gaps between neighbours are exponential, so the share that one has of it and the
    next one together is uniform.
    """
    gaps = np.diff(np.unique(column))
    if len(gaps) < _LEAST_CELLS:
        return False
    shares = gaps[:-1] / (gaps[:-1] + gaps[1:])
    return bool(np.square(shares - 0.5).mean() < _EVEN)
