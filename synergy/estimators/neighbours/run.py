"""One nearest-neighbour estimate from checked slots: the method, its bias, its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
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
from synergy.estimators.neighbours.methods import NeighbourMethod, Neighbours, chosen, side_by_side
from synergy.estimators.neighbours.reach import Moves, ceiling_warning, reach, resolution_warning
from synergy.estimators.neighbours.reference import GaussianReference
from synergy.estimators.neighbours.search import available_workers
from synergy.estimators.neighbours.students import MOST_COLUMNS, StudentReference
from synergy.estimators.neighbours.subsamples import Groups, Thinned, group_codes, parts_of, subsampled
from synergy.estimators.neighbours.tiles import TILED
from synergy.statistics.intervals import check_confidence
from synergy.statistics.result import Estimate

__all__ = ["run"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SEVERAL_DIMENSIONS = 3
"""Beyond this many joint columns a bias need not show in k: spherical Student columns of 2 + 2 dimensions,
three degrees of freedom and 300 rows are low by 0.1 nats, and the value moves by 0.01 with 2 k."""

_PLANE_ROWS = 2_000
"""Of a pair of columns with more rows than this the Gaussian bias is below a fifth of the standard error."""

_ROWS_OF_COLUMN = 3
"""The least number of rows for each column from which their correlation matrix is taken."""

_CHEAP_ROWS, _MANY_DRAWS, _FEW_DRAWS = 4_000, 6, 1
"""Up to these rows, and beyond, how often the reference is drawn: its noise is a few percent of the error,
and a draw costs as much as the estimate."""

_ROWS_TO_TELL = 20
"""The least number of rows for each of several columns from which a copula that is not Gaussian is seen: two
pairs turned into spirals pass as Gaussian in 23 % of data sets of 6 columns and 100 rows, in 64 % of 10
columns, and in 0 and 15 % with 300 rows."""

_OF_EXCESS = 3.0
"""How many times what a value has beyond that of Gaussian rows it may miss beside: of the pairs that spirals
hide in 5 + 5 dimensions neighbours see a third or a quarter, 0.03 to 0.06 nats of 0.1 to 0.15."""

_STUDENT_DRAWS = 4
"""How often Student rows are drawn beyond these rows: how much their values vary has to be seen."""

_REFERENCE_NOISE = 0.3
"""n times the variance of one measured bias (measured for k = 5; the part that neighbours add)."""

_PLENTY_OF_ROWS = 10_000
"""Beyond these rows a value at k / 2.5 neighbours shows no more than the one at 2 k, and costs a fifth."""

_FEW_ROWS = 8
"""A value at 2 k neighbours is compared where there are this many times k rows, one at 4 k where twice."""


@dataclass
class _Found:
    """What is known of an estimate while it is made."""

    value: float
    raw: float
    extra: float = 0.0
    corrected: bool = False
    fits: bool = True
    resolved: bool = True
    """Whether the ranks tell the columns apart."""
    sparse: bool = False
    """Whether labels have few rows each, so that a bias may lie to either side."""
    excess: float = 0.0
    """What the value has beyond that of rows of the reference that fits."""
    root: Floats | None = None
    """A square root of the dispersion of Student rows, where the bias was measured on them."""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run(
    slots: list[Slot],
    *,
    method: NeighbourMethod,
    k: int,
    scale: Scaling | None,
    correction: Literal["none", "gaussian"],
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
    name, notes = chosen(method, slots)
    device = _placed(device, name)
    notes += [*fixed, *repeated, described(scale)]
    widths = (slots[0].width, slots[1].width, slots[2].width if len(slots) > 2 else 0)
    table, largest = side_by_side(slots, scale)
    first = bool(slots[0].discrete.all())
    neighbours = Neighbours(name, widths, available_workers(workers), largest, first, device)
    terms = neighbours.terms(table, k) if thinned.single else None
    raw = _raw(neighbours, table, thinned, k) if terms is None else float(np.nanmean(_shared(terms, k)))
    found = _Found(raw, raw, sparse=_sparse(slots, thinned.count, k), notes=notes)
    if terms is not None and (dropped := int(np.isnan(terms).sum())):
        notes.append(f"{dropped} of {n} rows left out: no other row shares their labels")
        if dropped > n / 2:
            found.warnings.append(
                f"the value is of {n - dropped} of {n} rows: no other row shares the labels of the rest, and "
                "what they would say is not known"
            )
    if not thinned.single:
        notes.append(f"the mean over draws of one row from each of {thinned.count} groups")
    if correction == "gaussian" and (name == "mesner-shalizi" or any(s.discrete.any() for s in slots)):
        notes.append("no Gaussian bias correction: it needs continuous columns without ties")
    elif correction == "gaussian":
        _correct(found, neighbours, table, thinned, k)
    error, ends = math.nan, (math.nan, math.nan)
    if interval:
        error, ends = _interval(found, neighbours, table, thinned, k, confidence)
        functions = smooth_functions(slots)
        if functions:
            ends = min(ends[0], 0.0), max(ends[1], 0.0)
            found.warnings.clear()
            notes.append(
                f"{' and '.join(functions)}: a function of the conditions as far as {n} rows tell. Then the "
                "information is 0, which the interval holds"
            )
        elif not found.resolved and widths[2]:
            ends = min(ends[0], 0.0), max(ends[1], 0.0)
            notes.append("the conditions may fix a side: then the information is 0, which the interval holds")
    if found.corrected and ends[0] > 0 and found.value - raw > max(raw, 0.0):
        found.warnings.append(
            f"most of the value is a correction: neighbours show {raw:.3f} nats, and the bias of such "
            f"columns makes it {found.value:.3f}, if they are what they look like"
        )
    found.warnings += ceiling_warning(slots, found.value)
    found.warnings += resolution_warning(raw, ends[1] if sum(widths) == 2 else None, thinned.count, k)
    if sum(widths) > _SEVERAL_DIMENSIONS and not found.corrected and found.fits:
        found.warnings.append(
            f"{sum(widths)} joint dimensions: nearest neighbours are biased there, mostly downwards, by more "
            "than the interval can show"
        )
    return Estimate(
        term=term or ("I(X;Y)" if len(slots) == 2 else "I(X;Y|Z)"),
        value=found.value,
        standard_error=error,
        interval=ends,
        confidence=confidence,
        estimator=f"{name} k={k}" + (" gaussian-corrected" if found.corrected else ""),
        samples=n,
        notes=tuple(found.notes),
        local=terms,
        warnings=tuple(found.warnings),
    )


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


def _raw(neighbours: Neighbours, table: Floats, thinned: Thinned, k: int) -> float:
    """The mean over draws of one row from each group.

    Raises:
        ValueError: If too few rows of a draw share their labels.
    """
    picks = thinned.picks(np.arange(len(table)))
    return float(np.mean([np.nanmean(_shared(neighbours.terms(table[rows], k), k)) for rows in picks]))


def _correct(found: _Found, neighbours: Neighbours, table: Floats, thinned: Thinned, k: int) -> None:
    """Remove the bias that Gaussian rows with the same correlations have, where the copula looks Gaussian.

    Where it does not, an unconditional estimate keeps the correction, which is then only part of the bias (on
    25 families that are not Gaussian it never moved the value away from the truth), and the interval has to
    hold the value without it too; a conditional one goes without.
    """
    widths, n = neighbours.widths, thinned.count
    if sum(widths) == 2 and n > _PLANE_ROWS:
        return
    if n < _ROWS_OF_COLUMN * sum(widths):
        found.notes.append(f"no Gaussian bias correction: {n} rows say too little of {sum(widths)} columns")
        return
    draws = _MANY_DRAWS if n <= _CHEAP_ROWS else _FEW_DRAWS
    reference = GaussianReference(
        lambda rows: neighbours.value(rows, k), widths, rows=n, draws=draws, seed=thinned.seed
    )
    try:
        measured = reference.measure(table, found.raw, _REFERENCE_NOISE / n)
    except ValueError:
        found.notes.append("no Gaussian bias correction: the columns are linearly dependent")
        return
    if not measured.copula.found:
        found.notes.append("no Gaussian bias correction: the columns are nearly linearly dependent")
        found.resolved = False
        if sum(widths) > 2:
            found.warnings.append(
                f"columns nearly determine each other: what they differ by is finer than {n} ranks resolve, "
                "and information that lies in it is missed"
            )
        return
    found.fits = measured.fits
    found.excess = max(0.0, measured.excess)
    if not measured.fits and 2 < sum(widths) <= MOST_COLUMNS:
        measured_on_students = _correct_as_students(found, neighbours, table, thinned, k)
        if measured_on_students:
            return
    if not measured.fits and widths[2]:
        found.notes.append("the copula is not Gaussian: no Gaussian bias correction")
        found.warnings.append(
            "the copula is not Gaussian, for which the bias was measured: given conditions, nearest "
            "neighbours are biased to either side, and the interval may miss"
        )
        return
    found.corrected = True
    found.value -= measured.bias
    found.extra = measured.variance
    found.notes.append(
        f"a bias of {measured.bias:+.4f} was measured on Gaussian rows with the same correlations"
    )
    if measured.fits:
        _doubt_few_rows(found, widths, n)
    else:
        found.notes.append("the copula is not Gaussian: the interval holds the value without the correction")
        if sum(widths) > _SEVERAL_DIMENSIONS:
            found.warnings.append(
                f"the copula of {sum(widths)} columns is not Gaussian, for which the bias was measured: "
                "nearest neighbours miss more of such information, and the interval may be too low"
            )


def _correct_as_students(
    found: _Found, neighbours: Neighbours, table: Floats, thinned: Thinned, k: int
) -> bool:
    """Remove the bias that Student rows have, where the columns look like these; whether they do."""
    n = thinned.count
    reference = StudentReference(
        lambda rows: neighbours.value(rows, k),
        neighbours.widths,
        rows=n,
        draws=_MANY_DRAWS if n <= _CHEAP_ROWS else _STUDENT_DRAWS,
        seed=thinned.seed,
    )
    try:
        measured = reference.measure(table, found.raw, _REFERENCE_NOISE / n)
    except ValueError:  # ranks of the draws that are linearly dependent
        return False
    if not measured.fits:
        return False
    found.corrected, found.fits, found.root = True, True, measured.copula.root
    found.excess = max(0.0, measured.excess)
    found.value -= measured.bias
    found.extra = measured.variance
    found.notes.append(
        f"a bias of {measured.bias:+.4f} was measured on Student rows with the same rank correlations and "
        f"{measured.copula.freedom:.2g} degrees of freedom, which the columns look like"
    )
    _doubt_few_rows(found, neighbours.widths, n)
    return True


def _doubt_few_rows(found: _Found, widths: tuple[int, int, int], n: int) -> None:
    """Warn where so few rows would look like those of the reference whatever they were drawn from."""
    columns = sum(widths)
    if columns > _SEVERAL_DIMENSIONS and n < _ROWS_TO_TELL * columns:
        found.warnings.append(
            f"{n} rows do not tell whether {columns} columns have the copula for which the bias was "
            "measured: if they have another, the interval may be too low"
        )


def _interval(
    found: _Found, neighbours: Neighbours, table: Floats, thinned: Thinned, k: int, confidence: float
) -> tuple[float, tuple[float, float]]:
    """The standard error, and an interval that holds sampling error and the bias that shows."""

    def estimate(rows: Indices) -> float:
        values = [neighbours.value(table[pick], k) for pick in thinned.picks(rows, few=True)]
        if reference is None:
            return float(np.mean(values))
        return float(np.mean(values)) - float(reference.biases(table[rows])[0])

    def at_k(rows: Floats) -> float:
        return neighbours.value(rows, k)

    reference: GaussianReference | StudentReference | None = None
    if found.corrected and sum(neighbours.widths) > 2:
        size = thinned.count // parts_of(thinned.count)
        reference = (
            GaussianReference(at_k, neighbours.widths, rows=size, draws=1, seed=thinned.seed)
            if found.root is None
            else StudentReference(
                at_k, neighbours.widths, rows=size, draws=1, seed=thinned.seed, root=found.root
            )
        )
    try:
        error, freedom, _ = subsampled(thinned, estimate, found.value, k)
    except ValueError:
        if reference is None:
            raise
        reference = None  # a part of the rows has linearly dependent ranks: its bias cannot be measured
        error, freedom, _ = subsampled(thinned, estimate, found.value, k)
    error = math.hypot(error, math.sqrt(found.extra))
    if not error > 0:
        found.warnings.append(
            "every subsample gives the same value, as where one column's units dwarf the others' or few rows "
            "share the labels of the conditions: the width of the interval says little"
        )
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    low, high = found.value - half, found.value + half
    if found.corrected and found.fits and sum(neighbours.widths) > 2:
        up = _OF_EXCESS * found.excess
        if up > 0:
            found.notes.append(
                f"the interval reaches {up:.3f} further up, for information that is not of such rows"
            )
        return error, (low, high + up)
    down, up = reach(_moves(found.raw, neighbours, table, thinned, k), error)
    if found.sparse:
        down = up = max(down, up)
    if found.corrected:
        low, high = min(low, found.raw - half), max(high, found.raw + up + half)
    if down + up > 0:
        found.notes.append(f"the interval reaches {max(down, up):.3f} further, for a bias that moves with k")
    return error, (low - down, high + (0.0 if found.corrected else up))


def _sparse(slots: list[Slot], n: int, k: int) -> bool:
    """Whether 2 k neighbours are a large part of a label's rows, so that a move does not tell its side.

    With k = 5 of 20 rows the value is too high by 0.04 nats (50 classes on a line, 1.32 nats), stays where
    it is with 10 neighbours and falls with 20.
    """
    labels = np.hstack([s.values[:, s.discrete] for s in slots])
    return bool(labels.shape[1]) and n < _FEW_ROWS * k * len(np.unique(labels, axis=0))


def _moves(raw: float, neighbours: Neighbours, table: Floats, thinned: Thinned, k: int) -> Moves:
    """How the value moves with the number of neighbours, as far as the rows allow."""

    def value(table: Floats, neighbour: int) -> float:
        picks = thinned.picks(np.arange(len(table)))
        return float(np.mean([neighbours.value(table[rows], neighbour) for rows in picks]))

    n, fewer = thinned.count, max(1, round(k / 2.5))
    plane = sum(neighbours.widths) == 2 and n <= _PLENTY_OF_ROWS
    labels = math.isfinite(neighbours.largest)
    return Moves(
        more=raw - value(table, 2 * k) if n >= _FEW_ROWS * k else 0.0,
        fewer=value(table, fewer) - raw if n <= _PLENTY_OF_ROWS else 0.0,
        most=raw - value(table, 4 * k) if plane and n >= 2 * _FEW_ROWS * k else 0.0,
        ranks=value(rankdata(table, axis=0) / len(table), fewer) - raw if plane and not labels else 0.0,
    )
