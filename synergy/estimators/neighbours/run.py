"""One nearest-neighbour estimate from checked slots: the method, its bias, its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit
from scipy.stats import rankdata

from synergy.estimators.columns import (
    ROWS_OF_NEIGHBOUR,
    Scaling,
    Slot,
    check_rows,
    check_scale,
    check_units,
    described,
    without_repeats,
)
from synergy.estimators.fixed import smooth_functions, without_fixed
from synergy.estimators.neighbours.correction import SEVERAL_DIMENSIONS, Correction, Rows, correction_of
from synergy.estimators.neighbours.methods import NeighbourMethod, Neighbours, chosen, side_by_side
from synergy.estimators.neighbours.reach import Moves, ceiling_warning, reach, resolution_warning
from synergy.estimators.neighbours.reference import GaussianReference
from synergy.estimators.neighbours.residuals import without_regressions
from synergy.estimators.neighbours.search import available_workers
from synergy.estimators.neighbours.students import StudentReference
from synergy.estimators.neighbours.subsamples import Groups, Thinned, group_codes, parts_of, subsampled
from synergy.estimators.neighbours.tiles import TILED
from synergy.statistics.intervals import check_confidence
from synergy.statistics.result import Estimate

__all__ = ["run"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_OF_EXCESS = 3.0
"""How many times what a value has beyond that of Gaussian rows it may miss beside: of the pairs that spirals
hide in 5 + 5 dimensions neighbours see a third or a quarter, 0.03 to 0.06 nats of 0.1 to 0.15."""

_PLENTY_OF_ROWS = 10_000
"""Beyond these rows a value at k / 2.5 neighbours shows no more than the one at 2 k, and costs a fifth."""

_ROWS_OF_ORDER = 16
"""By the ranks of this many rows the sides are put into an order."""

_FEW_ROWS = 8
"""A value at 2 k neighbours is compared where there are this many times k rows, one at 4 k where twice."""


@dataclass(frozen=True)
class _Interval:
    """A standard error, and an interval that holds sampling error and the bias that shows.

    Args:
        error: The standard error.
        ends: (low, high).
        notes: How far it reaches, and why.
    """

    error: float = math.nan
    ends: tuple[float, float] = (math.nan, math.nan)
    notes: tuple[str, ...] = ()


def run(
    slots: list[Slot],
    *,
    method: NeighbourMethod,
    k: int,
    scale: Scaling | None,
    correction: Literal["none", "gaussian"],
    regress: bool,
    confidence: float,
    interval: bool,
    groups: Groups | None,
    seed: int,
    workers: int | None,
    device: str | None,
    term: str | None,
) -> Estimate:
    """The estimate; see `synergy.estimators.neighbours.knn` for the arguments.

    Raises:
        ValueError: If an option is unknown, there is no such device or the method does not run on one, the
            method does not fit the columns, or there are too few rows.
    """
    if device is not None:
        from synergy.device import choose_device

        choose_device(device)
    check_confidence(confidence)
    check_scale(scale)
    if correction not in ("none", "gaussian"):
        raise ValueError(f"correction must be 'none' or 'gaussian', got {correction!r}")
    n = check_rows(slots, k)
    slots, fixed = without_fixed(slots)
    if not slots:
        return _fixed_by_condition(fixed, n, confidence, term)
    thinned = Thinned(group_codes(groups, n), seed)
    check_units(thinned.count, k, single=thinned.single)
    _check_strata(slots, n, k)
    slots, repeated = without_repeats(slots)
    slots, regressed = without_regressions(slots, scale) if regress else (slots, [])
    slots = _in_order(slots)
    name, notes = chosen(method, slots)
    device = _placed(device, name)
    notes += [*fixed, *repeated, *regressed, described(scale)]
    widths = (slots[0].width, slots[1].width, slots[2].width if len(slots) > 2 else 0)
    table, largest = side_by_side(slots, scale)
    first = bool(slots[0].discrete.all())
    neighbours = Neighbours(name, widths, available_workers(workers), largest, first, device)
    rows = Rows(neighbours, table, thinned, k)
    terms = neighbours.terms(table, k) if thinned.single else None
    raw = _raw(rows) if terms is None else float(np.nanmean(_shared(terms, k)))
    dropped = 0 if terms is None else int(np.isnan(terms).sum())
    if dropped:
        notes.append(f"{dropped} of {n} rows left out: no other row shares their labels")
    if not thinned.single:
        notes.append(
            f"the mean over draws of one row from each of {thinned.count} groups: every group counts the "
            "same, a large one no more than a small one"
        )
    found = Correction(raw)
    if correction == "gaussian" and (name == "mesner-shalizi" or any(s.discrete.any() for s in slots)):
        notes.append("no Gaussian bias correction: it needs continuous columns without ties")
    elif correction == "gaussian":
        found = correction_of(raw, rows)
    functions = smooth_functions(slots) if interval else []
    reached = _interval(found, rows, slots, functions, confidence) if interval else _Interval()
    return Estimate(
        term=term or ("I(X;Y)" if len(slots) == 2 else "I(X;Y|Z)"),
        value=found.value,
        standard_error=reached.error,
        interval=reached.ends,
        confidence=confidence,
        estimator=f"{name} k={k}" + (" gaussian-corrected" if found.corrected else ""),
        samples=n,
        notes=(*notes, *found.notes, *reached.notes),
        local=terms,
        warnings=tuple(_warnings(found, rows, slots, reached, dropped=dropped, fixed=bool(functions))),
    )


def _in_order(slots: list[Slot]) -> list[Slot]:
    """The slots with x and y in an order of their own, so that I(X;Y|Z) and I(Y;X|Z) are one number.

    It is that of their widths and of the ranks of the first rows, which no unit changes.
    """

    def key(s: Slot) -> tuple[int, ...]:
        ranks = [(s.values < row).sum(axis=0) for row in s.values[:_ROWS_OF_ORDER]]
        return (s.width, *np.concatenate(ranks).tolist())

    x, y, *z = slots
    return [y, x, *z] if key(y) < key(x) else slots


def _warnings(
    found: Correction,
    rows: Rows,
    slots: list[Slot],
    reached: _Interval,
    *,
    dropped: int,
    fixed: bool,
) -> list[str]:
    """What to beware of.

    Args:
        found: The estimate after its bias was looked for.
        rows: What it was made from.
        slots: The slots (x, y, z).
        reached: The interval; of NaN where none was asked for.
        dropped: How many rows were left out.
        fixed: Whether the conditions fix a side as far as the rows tell: then the interval holds the value
            0 that follows, and what was doubtful about the rows does not matter.
    """
    n, columns, (low, high) = len(rows.table), sum(rows.widths), reached.ends
    warnings: list[str] = []
    if not fixed:
        if dropped > n / 2:
            warnings.append(
                f"the value is of {n - dropped} of {n} rows: no other row shares the labels of the rest, and "
                "what they would say is not known"
            )
        warnings += found.warnings
        if reached.error == 0:
            warnings.append(
                "every subsample gives the same value, as where one column's units dwarf the others' or few "
                "rows share the labels of the conditions: the width of the interval says little"
            )
    if found.corrected and low > 0 and found.value - found.raw > max(found.raw, 0.0):
        warnings.append(
            f"most of the value is a correction: neighbours show {found.raw:.3f} nats, and the bias of such "
            f"columns makes it {found.value:.3f} nats, if they are what they look like"
        )
    warnings += ceiling_warning(slots, found.value)
    warnings += resolution_warning(found.raw, high if columns == 2 else None, rows.count, rows.k)
    if columns > SEVERAL_DIMENSIONS and not found.corrected and found.fits:
        warnings.append(
            f"{columns} joint dimensions: nearest neighbours are biased there, mostly downwards, by more "
            "than the interval can show"
        )
    return warnings


def _placed(device: str | None, method: str) -> str | None:
    """Where the tiles are searched; None for trees and bitsets, also for `auto` where CUDA is of no use.

    Raises:
        ValueError: If the method does not run in tiles.
    """
    if device is None:
        return None
    from synergy.device import choose_device

    place = choose_device(device)
    if device == "auto" and (place.type == "cpu" or method not in TILED):
        return None
    if method not in TILED:
        raise ValueError(f"method {method!r} does not run on a device: use one of {', '.join(TILED)}")
    return str(place)


def _fixed_by_condition(notes: list[str], n: int, confidence: float, term: str | None) -> Estimate:
    """Exactly 0: one side is a function of the conditions."""
    return Estimate(
        term=term or "I(X;Y|Z)",
        value=0.0,
        standard_error=0.0,
        interval=(0.0, 0.0),
        confidence=confidence,
        estimator="fixed by the conditions",
        samples=n,
        notes=(*notes, "a slot is a function of the conditions: the information is exactly 0"),
        local=np.zeros(n),
    )


def _check_strata(slots: list[Slot], n: int, k: int) -> None:
    """Check that labels of the conditions leave enough rows beside others: in a pair every term is 0.

    Raises:
        ValueError: If they do not.
    """
    labels = slots[2].values[:, slots[2].discrete] if len(slots) > 2 else np.empty((n, 0))
    if not labels.shape[1]:
        return
    sizes = np.unique(labels, axis=0, return_counts=True)[1]
    if (beside := int(sizes[sizes > 2].sum())) < ROWS_OF_NEIGHBOUR * k:
        raise ValueError(
            f"the labels of the conditions are all but distinct: {beside} of {n} rows share theirs with "
            f"two others, and {k} neighbours need at least {ROWS_OF_NEIGHBOUR * k} such rows"
        )


def _shared(terms: Floats, k: int) -> Floats:
    """The local terms, if enough rows share their labels with another to have one.

    Raises:
        ValueError: If they do not.
    """
    shared = int((~np.isnan(terms)).sum())
    if shared < ROWS_OF_NEIGHBOUR * k and 2 * shared <= len(terms):
        raise ValueError(
            f"the labels are all but distinct: {shared} of {len(terms)} rows share theirs with another "
            f"row, and {k} neighbours need at least {ROWS_OF_NEIGHBOUR * k} such rows"
        )
    return terms


def _raw(rows: Rows) -> float:
    """The mean over draws of one row from each group.

    Raises:
        ValueError: If too few rows of a draw share their labels.
    """
    picks = rows.thinned.picks(np.arange(len(rows.table)))
    drawn = (rows.neighbours.terms(rows.table[pick], rows.k) for pick in picks)
    return float(np.mean([np.nanmean(_shared(terms, rows.k)) for terms in drawn]))


def _interval(
    found: Correction, rows: Rows, slots: list[Slot], functions: list[str], confidence: float
) -> _Interval:
    """The standard error, and an interval that holds sampling error and the bias that shows.

    Args:
        found: The estimate after its bias was looked for.
        rows: What it was made from.
        slots: The slots (x, y, z).
        functions: Which of x and y the conditions fix as far as the rows tell.
        confidence: The nominal coverage.
    """
    error, freedom = _sampling_error(found, rows)
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    low, high = found.value - half, found.value + half
    notes = []
    if found.corrected and found.fits and sum(rows.widths) > 2:
        up = _OF_EXCESS * found.excess
        high += up
        if up > 0:
            notes.append(
                f"the interval reaches {up:.3f} nats further up, for information that is not of such rows"
            )
    else:
        down, up = reach(_moves(found.raw, rows), error)
        if _sparse(slots, rows.count, rows.k):
            down = up = max(down, up)
        if found.corrected:
            low, high = min(low, found.raw - half), max(high, found.raw + up + half)
        low, high = low - down, high + (0.0 if found.corrected else up)
        if down + up > 0:
            notes.append(
                f"the interval reaches {max(down, up):.3f} nats further, for a bias that moves with k"
            )
    if functions:
        notes.append(
            f"{' and '.join(functions)}: a function of the conditions as far as {len(rows.table)} rows tell. "
            "Then the information is 0, which the interval holds"
        )
    elif not found.resolved and rows.widths[2]:
        notes.append("the conditions may fix a side: then the information is 0, which the interval holds")
    if functions or (not found.resolved and rows.widths[2]):
        low, high = min(low, 0.0), max(high, 0.0)
    return _Interval(error, (low, high), tuple(notes))


def _sampling_error(found: Correction, rows: Rows) -> tuple[float, int]:
    """The standard error of the corrected value and its degrees of freedom, from parts of the rows."""
    thinned, reference = rows.thinned, _reference_of_parts(found, rows)

    def estimate(part: Indices) -> float:
        picks = thinned.picks(part, few=True)
        return float(np.mean([rows.value(rows.table[pick]) for pick in picks]))

    def corrected(part: Indices) -> float:
        return estimate(part) - (
            float(reference.biases(rows.table[part])[0]) if reference is not None else 0.0
        )

    try:
        error, freedom, _ = subsampled(thinned, corrected, found.value, rows.k)
    except ValueError:
        if reference is None:
            raise
        # a part of the rows has linearly dependent ranks: its bias cannot be measured
        error, freedom, _ = subsampled(thinned, estimate, found.value, rows.k)
    return math.hypot(error, math.sqrt(found.variance)), freedom


def _reference_of_parts(found: Correction, rows: Rows) -> GaussianReference | StudentReference | None:
    """What the bias of a part of the rows is measured on; None where that of the whole is not removed."""
    if not found.corrected or sum(rows.widths) == 2:
        return None
    size, seed = rows.count // parts_of(rows.count), rows.thinned.seed
    if found.root is None:
        return GaussianReference(rows.value, rows.widths, rows=size, draws=1, seed=seed)
    return StudentReference(rows.value, rows.widths, rows=size, draws=1, seed=seed, root=found.root)


def _sparse(slots: list[Slot], n: int, k: int) -> bool:
    """Whether 2 k neighbours are a large part of a label's rows, so that a move does not tell its side.

    With k = 5 of 20 rows the value is too high by 0.04 nats (50 classes on a line, 1.32 nats), stays where
    it is with 10 neighbours and falls with 20.
    """
    labels = np.hstack([s.values[:, s.discrete] for s in slots])
    return bool(labels.shape[1]) and n < _FEW_ROWS * k * len(np.unique(labels, axis=0))


def _moves(raw: float, rows: Rows) -> Moves:
    """How the value moves with the number of neighbours, as far as the rows allow."""
    neighbours, table, k = rows.neighbours, rows.table, rows.k

    def value(table: Floats, neighbour: int) -> float:
        picks = rows.thinned.picks(np.arange(len(table)))
        return float(np.mean([neighbours.value(table[pick], neighbour) for pick in picks]))

    n, fewer = rows.count, max(1, round(k / 2.5))
    plane = sum(neighbours.widths) == 2 and n <= _PLENTY_OF_ROWS
    labels = math.isfinite(neighbours.largest)
    return Moves(
        more=raw - value(table, 2 * k) if n >= _FEW_ROWS * k else 0.0,
        fewer=value(table, fewer) - raw if n <= _PLENTY_OF_ROWS else 0.0,
        most=raw - value(table, 4 * k) if plane and n >= 2 * _FEW_ROWS * k else 0.0,
        ranks=value(rankdata(table, axis=0) / len(table), fewer) - raw if plane and not labels else 0.0,
    )
