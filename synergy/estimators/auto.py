"""The choice of an estimator by the kinds, dimensions and sizes of the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier import classifier
from synergy.estimators.classifier.design import encode_target
from synergy.estimators.columns import TIED, ends_in_edges, free_columns, is_tied
from synergy.estimators.discrete.counts import Cells
from synergy.estimators.entries_continuous import one_term, run_copula_knn, run_frenzel_pompe, run_mixed
from synergy.estimators.entries_discrete import run_plug_in
from synergy.estimators.entry import Entry
from synergy.estimators.intake import floats_of, is_constant, split_columns
from synergy.estimators.neighbours.methods import NeighbourMethod
from synergy.estimators.sums import combine, reach_of_strata, summed
from synergy.estimators.variational import variational
from synergy.statistics.result import Estimate
from synthetic import Sample, Variable
from theory import Expression, Term, parse_expression

__all__ = ["ALL_DISCRETE", "AUTO_ENTRY", "ROWS_OF_NUMBER", "auto", "combine"]

_FEW_DIMENSIONS = 3
"""Up to this many continuous dimensions: neighbours rather than a classifier, and edges matter."""
_MANY_DIMENSIONS = 10
"""Beyond this many joint dimensions only nearly Gaussian columns can be trusted to any estimator."""
_ROWS_OF_STRATUM = 100
"""The fewest rows of a stratum in which neighbours are looked for."""
_ROWS_OF_STATE = 5
"""Numbers that repeat are labels where every joint state has this many rows on the average."""
_ROWS_OF_CLASSIFIER = 200
"""With fewer rows: neighbours rather than a classifier."""
_ONCE = 5
"""The fewest values of one row by which numbers with a floor or a cap are told from rare labels."""
ROWS_OF_NUMBER = 2
"""Integers with fewer rows than this to a value, on the average, are numbers and not labels."""
_MOST_COMPARED = 50
"""Of vectors of more dimensions only the constant ones are looked for."""
_frenzel_pompe = partial(run_frenzel_pompe, scale="balanced", regress=True)
"""By columns that any tails may have, less what conditions say of them."""
_mixed = partial(run_mixed, scale="balanced", regress=True)
"""The same with labels."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")
"""A number in a sentence."""
ALL_DISCRETE = "auto chose the discrete estimator: every column is discrete"
"""The note where counts suffice."""


def auto(
    sample: Sample,
    expression: Expression,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    device: str | None = None,
) -> Estimate:
    """Choose an estimator, run it, and say in `notes` what was chosen and why.

    All discrete, or numbers that repeat few values (at least 5 rows to each joint state that occurs): plug-in
    with the digamma correction. An image: the classifier where a slot is discrete, else InfoNCE. All
    continuous: nearest neighbours of normal scores with their Gaussian bias removed, within the strata of
    discrete conditions where there are any; up to 3 dimensions with a column that ends in edges (uniform,
    say), of such columns standardised and others' normal scores. What conditions without ties explain by more
    than half is first taken less a regression on them. A discrete slot with continuous columns: Ross's
    neighbours within a label up to 3 dimensions, Mesner-Shalizi where there are conditions or ties, the
    classifier beyond.

    Labels have no order, whatever they are called, integers included. Integers with fewer than two rows to a
    value are numbers, which a note says, and so are floats of which most values have one row, whatever floor
    or cap repeats. `independence_test` reads integers otherwise: of more than 12 values they are numbers
    there. A constant condition is left out, and so are dimensions that are constant or say what others of the
    variable say, before they are counted.

    Args:
        sample: The data.
        expression: A term or a linear combination.
        confidence: The nominal coverage of the interval.
        seed: Fixes everything random.
        device: Where networks are trained and neighbours are searched; None for the CPU. `auto` takes CUDA
            where there is one and what was chosen can use it.

    Raises:
        ValueError: If no estimator can take the columns, there is no such device, or CUDA is asked for by
            name and what was chosen runs on the CPU alone.
    """
    device = _placed(device)
    sample, numbers = _as_numbers(sample, expression)
    _, continuous, images = split_columns(sample, expression.variables)
    sample, notes = _without_dead(sample, continuous)
    if numbers:
        notes.append(
            f"{', '.join(numbers)}: integers with fewer than {ROWS_OF_NUMBER} rows to a value, read as "
            "numbers, not as labels"
        )
    found = _of_any(sample, expression, continuous, images, confidence=confidence, seed=seed, device=device)
    return _with_notes(found, *notes)


def _placed(device: str | None) -> str | None:
    """The device, or None for the CPU, where neighbours are searched by trees and bitsets.

    Raises:
        ValueError: If there is no such device.
    """
    if device is None:
        return None
    from synergy.device import choose_device

    return device if choose_device(device).type == "cuda" else None


def _on_the_cpu(device: str | None, chosen: str) -> None:
    """Refuse a device that was asked for by name where what was chosen cannot use it.

    Raises:
        ValueError: If one was.
    """
    if device not in (None, "auto"):
        raise ValueError(
            f"device {device!r} was asked for, but auto chose {chosen}, which runs on the CPU alone: leave "
            "the device out, or name an estimator that takes one"
        )


def _of_any(
    sample: Sample,
    expression: Expression,
    continuous: list[str],
    images: list[str],
    *,
    confidence: float,
    seed: int,
    device: str | None,
) -> Estimate:
    if not continuous and not images:
        _on_the_cpu(device, "the discrete estimator")
        found = run_plug_in(sample, expression, correction="digamma", confidence=confidence)
        return _with_notes(found, ALL_DISCRETE, *_weights(sample))
    labels = None if images else _as_labels(sample, continuous, expression)
    if labels is not None:
        _on_the_cpu(device, "the discrete estimator")
        found = run_plug_in(labels, expression, correction="digamma", confidence=confidence)
        shown = ", ".join(f"{name} {labels.variables[name].cardinality}" for name in continuous)
        why = f"the numbers repeat few values ({shown}), which were taken as labels"
        return _with_notes(found, f"auto chose the discrete estimator: {why}", *_weights(sample))
    if len(expression.summands) > 1 or expression.summands[0][0] != 1:
        return combine(sample, expression, partial(auto, device=device), confidence=confidence, seed=seed)
    term = expression.terms[0]
    fixed = [name for name in term.given if is_constant(sample[name])]
    if fixed:
        fewer = Term(term.groups, tuple(name for name in term.given if name not in fixed))
        found = auto(sample, parse_expression(fewer), confidence=confidence, seed=seed, device=device)
        found = found.with_words(notes=[f"{name} is constant and was left out" for name in fixed])
        return replace(found, term=str(expression))
    if len(term.groups) > 2:
        chained = _chained(term)
        return combine(sample, chained, partial(auto, device=device), confidence=confidence, seed=seed)
    found = _one(sample, expression, term, confidence=confidence, seed=seed, device=device)
    return _as_far_as_atoms(found, sample, expression)


def _as_numbers(sample: Sample, expression: Expression) -> tuple[Sample, list[str]]:
    """The sample with integers of fewer than two rows to a value as numbers, and their names.

    Labels that hardly repeat say nothing, and frequencies of them neither; integers can still be compared.
    Names cannot, and an entropy is of labels: both stay as they are.
    """
    found: list[str] = []
    if any(len(term.groups) == 1 for term in expression.terms):
        return sample, found
    for name in expression.variables:
        if not _is_integer(sample, name):
            continue
        levels = sample.metadata.get("levels", {}).get(name)
        if np.unique(sample[name]).size * ROWS_OF_NUMBER > len(sample):
            codes = sample[name]
            values = codes.astype(np.float64) if levels is None else floats_of(levels)[codes]
            sample = sample.with_column(Variable(name, "continuous"), values - values.min())
            found.append(name)
    return sample, found


def _without_dead(sample: Sample, continuous: list[str]) -> tuple[Sample, list[str]]:
    """The sample without the dimensions of vectors that are constant or say what others say, and notes.

    The choice is by the number of dimensions, which such ones must not change.
    """
    notes = []
    for name in continuous:
        values = np.asarray(sample[name], dtype=np.float64).reshape(len(sample), -1)
        varies = values.min(axis=0) < values.max(axis=0)
        if values.shape[1] < 2 or not varies.any():
            continue
        own = varies.copy()
        if varies.sum() <= _MOST_COMPARED:
            own[varies] = free_columns(values[:, varies])
        if not varies.all():
            notes.append(
                f"{int((~varies).sum())} of {len(varies)} components of {name} are constant and were left out"
            )
        for i in np.flatnonzero(varies & ~own):
            notes.append(f"component {i} of {name} is a function of the columns beside it, and was left out")
        if not own.all():
            sample = sample.with_column(Variable(name, "continuous"), values[:, own])
    return sample, notes


def _is_integer(sample: Sample, name: str) -> bool:
    """Whether a discrete column held integers: names, categories and truth values have no order."""
    if sample.variables[name].kind != "discrete":
        return False
    levels = sample.metadata.get("levels", {}).get(name)
    return levels is None or all(isinstance(level, int) and not isinstance(level, bool) for level in levels)


def _as_labels(sample: Sample, continuous: list[str], expression: Expression) -> Sample | None:
    """The sample with its numbers as labels, where all are single and few joint states occur; None without.

    Rounded numbers have the information of labels, and frequencies estimate it better than neighbours.
    """
    if any(len(term.groups) == 1 for term in expression.terms):
        return None
    labels = sample
    for name in continuous:
        if sample[name].size != len(sample):
            return None
        values, codes, rows = np.unique(sample[name].reshape(-1), return_inverse=True, return_counts=True)
        if not 1 < len(values) <= len(sample) / _ROWS_OF_STATE or _hardly_repeats(rows):
            return None
        labels = labels.with_column(Variable(name, "discrete", len(values)), codes.astype(np.int64))
    columns = {name: i for i, name in enumerate(expression.variables)}
    states = np.stack([np.asarray(labels[name], dtype=np.int64) for name in columns], axis=1)
    occur = np.unique(Cells(states, np.ones(len(sample)), columns).index(columns)).size
    return labels if occur * _ROWS_OF_STATE <= len(sample) else None


def _weights(sample: Sample) -> list[str]:
    """What frequencies of dependent rows are of, where groups differ in size."""
    if sample.groups is None or np.ptp(np.unique(sample[sample.groups], return_counts=True)[1]) == 0:
        return []
    return ["every row counts the same, so that a large group counts more than a small one"]


def _hardly_repeats(rows: npt.NDArray[np.int64]) -> bool:
    """Whether most values have one row: numbers, though a few values (a floor, a cap) have many.

    Args:
        rows: The number of rows of each value.

    Example:
        >>> _hardly_repeats(np.array([80, *[1] * 20])), _hardly_repeats(np.array([50, 40, 9, 1]))
        (True, False)
    """
    once = int((rows == 1).sum())
    return once >= _ONCE and 2 * once > rows.size


def _atoms(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
    """Which of the values that many rows share each component of a row has, all others as one.

    None where values repeat, or so many combinations occur that labels of them say little.

    Args:
        values: Shape (n,) or (n, d).
    """
    found = np.zeros(len(values), dtype=np.int64)
    for column in values.reshape(len(values), -1).T:
        codes, rows = np.unique(column, return_inverse=True, return_counts=True)[1:]
        if not _hardly_repeats(rows):
            return None
        shared = np.flatnonzero(rows > TIED * len(column))
        atoms = np.where(np.isin(codes, shared), np.searchsorted(shared, codes), shared.size)
        found = np.unique(found * (shared.size + 1) + atoms, return_inverse=True)[1].astype(np.int64)
    return found if (int(found.max()) + 1) * _ROWS_OF_STATE <= len(found) else None


def _as_far_as_atoms(found: Estimate, sample: Sample, expression: Expression) -> Estimate:
    """The interval at least as far to either side as that of the labels that a floor or a cap makes.

    I(X;Y) is at least what the labels "at the floor or not" tell of each other, and is known no better than
    that. Halves of the rows do not show what counts do: a pair that was never seen may still come. How far
    neighbours are off on the labels themselves is added.
    """
    _, continuous, images = split_columns(sample, expression.variables)
    groups = expression.terms[0].groups
    if images or len(groups) == 1:
        return found
    gates = {name: _atoms(sample[name]) for name in continuous}
    labels = sample
    for name, codes in gates.items():
        if codes is None:
            return found
        labels = labels.with_column(Variable(name, "discrete", int(codes.max()) + 1), codes)
    nothing = any(all(is_constant(labels[name]) for name in group) for group in groups)
    if nothing or all(is_constant(labels[name]) for name in continuous):
        return found
    known = run_plug_in(labels, expression, correction="digamma", confidence=found.confidence)
    off = run_mixed(labels, expression, confidence=found.confidence, labels=False).value - known.value
    low = min(found.interval[0], found.value - max(off, 0.0) - (known.value - known.interval[0]))
    high = max(found.interval[1], found.value + max(-off, 0.0) + (known.interval[1] - known.value))
    return replace(found, interval=(low, high)).with_words(warnings=known.warnings)


def _one(
    sample: Sample, expression: Expression, term: Term, *, confidence: float, seed: int, device: str | None
) -> Estimate:
    discrete, continuous, images = split_columns(sample, term.variables)
    predictable = any(set(group) <= set(discrete) for group in term.groups)
    if images or len(term.groups) == 1:
        why = f"{images[0]} is an image" if images else f"{term} is an entropy given continuous columns"
        if predictable:
            found = classifier(sample, expression, confidence=confidence, seed=seed, device=device)
            return _with_notes(found, f"auto chose the classifier: {why}")
        one_term(expression, estimator="auto")
        found = variational(
            sample, expression, bound="infonce", confidence=confidence, seed=seed, device=device or "cpu"
        )
        return _with_notes(
            found,
            f"auto chose infonce: {why} and no slot is discrete",
        ).with_words(
            warnings=["no estimator is trustworthy between images: read this as a bound, not as the value"]
        )
    dimensions = sum(int(np.prod(sample[name].shape[1:])) for name in continuous)
    if predictable:
        return _with_discrete_slot(
            sample, expression, dimensions, confidence=confidence, seed=seed, device=device
        )
    if discrete:
        return _stratified(sample, expression, term, confidence=confidence, seed=seed, device=device)
    edged = _with_edges(sample, continuous) if dimensions <= _FEW_DIMENSIONS else None
    if edged is not None:
        found = _frenzel_pompe(sample, expression, confidence=confidence, seed=seed, device=device)
        why = f"auto chose frenzel-pompe: all columns are continuous, and {edged} ends in edges, not in tails"
        return _with_notes(found, why)
    found = run_copula_knn(sample, expression, confidence=confidence, seed=seed, device=device)
    return _with_notes(
        found,
        f"auto chose copula-knn: all columns are continuous, {dimensions} dimensions",
    ).with_words(warnings=_trust(dimensions, len(sample)))


def _with_discrete_slot(
    sample: Sample,
    expression: Expression,
    dimensions: int,
    *,
    confidence: float,
    seed: int,
    device: str | None,
) -> Estimate:
    few = dimensions <= _FEW_DIMENSIONS
    if not few and len(sample) >= _ROWS_OF_CLASSIFIER:
        found = classifier(sample, expression, confidence=confidence, seed=seed, device=device)
        return _with_notes(
            found, f"auto chose the classifier: a discrete slot and {dimensions} continuous dimensions"
        )
    term = expression.terms[0]
    tied = next((name for name in split_columns(sample, term.variables)[1] if _has_ties(sample[name])), None)
    label = [g for g in term.groups if len(g) == 1 and sample.variables[g[0]].kind == "discrete"]
    numbers = [g for g in term.groups if all(sample.variables[n].kind == "continuous" for n in g)]
    method: NeighbourMethod = "mesner-shalizi"
    if label and numbers and not term.given and tied is None:
        method = "ross"
    if method == "ross":
        _on_the_cpu(device, "ross")
        device = None
    found = _mixed(sample, expression, confidence=confidence, seed=seed, method=method, device=device)
    return _with_notes(
        found,
        f"auto chose {method}: a discrete slot with "
        f"{dimensions} continuous dimension{'s' if dimensions > 1 else ''}"
        + (f", and {tied} repeats values" if tied is not None else ""),
    ).with_words(warnings=[] if few else _trust(_MANY_DIMENSIONS + 1, len(sample)))


def _has_ties(column: npt.NDArray[np.float64]) -> bool:
    """Whether a component repeats more than 5 % of its values; Ross's neighbours know no ties."""
    return any(is_tied(part) for part in column.reshape(len(column), -1).T)


def _stratified(
    sample: Sample, expression: Expression, term: Term, *, confidence: float, seed: int, device: str | None
) -> Estimate:
    """I(X;Y|Z,D) = sum_d p(d) I(X;Y|Z, D = d) where D is discrete and every state has rows enough.

    Each state has a seed of its own: what is drawn for its estimate is then independent of what is drawn for
    the others, as its rows are, and the squares of their errors add.
    """
    strata = tuple(name for name in term.given if sample.variables[name].kind == "discrete")
    elsewhere = [n for g in term.groups for n in g if sample.variables[n].kind == "discrete"]
    codes, _ = encode_target(sample, strata)
    sizes = np.bincount(codes)
    if elsewhere or not strata or sizes.min() < _ROWS_OF_STRATUM or sample.groups is not None:
        found = _mixed(sample, expression, confidence=confidence, seed=seed, device=device)
        return _with_notes(found, "auto chose mesner-shalizi: continuous and discrete columns together")
    inner = parse_expression(Term(term.groups, tuple(n for n in term.given if n not in strata)))
    parts = []
    for d in range(len(sizes)):
        rows = sample.rows(codes == d)
        if any(all(is_constant(rows[name]) for name in group) for group in term.groups):
            zero = Estimate(str(inner), 0.0, 0.0, (0.0, 0.0), confidence, "constant", len(rows))
            parts.append(zero.with_words(notes=["a slot is constant in a state: the information there is 0"]))
        else:
            own = int(np.random.SeedSequence([seed, d]).generate_state(1)[0])
            parts.append(run_copula_knn(rows, inner, confidence=confidence, seed=own, device=device))
    shares = sizes / len(sample)
    values = np.array([part.value for part in parts])
    spread = float(shares @ np.square(values - shares @ values)) / len(sample)
    error = float(np.sqrt(np.square(shares * [part.standard_error for part in parts]).sum() + spread))
    largest_first = [parts[d] for d in np.argsort(-sizes, kind="stable")]
    said = "; what follows is of the largest state that says it" if len(sizes) > 1 else ""
    dimensions = sum(int(np.prod(sample[n].shape[1:])) for n in inner.variables)
    weighted = list(zip(shares.tolist(), parts, strict=True))
    return summed(
        str(expression),
        weighted,
        error,
        reach_of_strata(weighted),
        samples=len(sample),
        confidence=confidence,
        notes=[
            f"auto chose copula-knn within the {len(sizes)} states of {', '.join(strata)}{said}",
            *_worded_once(note for part in largest_first for note in part.notes),
        ],
        warnings=[
            *_worded_once(warning for part in largest_first for warning in part.warnings),
            *_trust(dimensions, int(sizes.min())),
        ],
    )


def _worded_once(sentences: Iterable[str]) -> list[str]:
    """The first of all sentences that differ in their numbers only.

    Example:
        >>> _worded_once(["a bias of -0.02 is left", "a bias of +0.013 is left", "few rows"])
        ['a bias of -0.02 is left', 'few rows']
    """
    found: dict[str, str] = {}
    for sentence in sentences:
        found.setdefault(_NUMBER.sub("#", sentence), sentence)
    return list(found.values())


def _with_edges(sample: Sample, names: list[str]) -> str | None:
    """A variable with a component of kurtosis below 2.2, as a uniform one (1.8) has; None without.

    Normal scores stretch such edges into tails, which nearest neighbours follow less well.
    """
    for name in names:
        if ends_in_edges(np.asarray(sample[name], dtype=np.float64).reshape(len(sample), -1)):
            return name
    return None


def _trust(dimensions: int, rows: int) -> list[str]:
    if dimensions <= _MANY_DIMENSIONS:
        return []
    return [
        f"no estimator is trustworthy in {dimensions} joint dimensions with {rows} rows unless the columns "
        "are nearly Gaussian: the interval is of sampling error only"
    ]


def _chained(term: Term) -> Expression:
    """I(A;B;C|W) = I(A;B|W) - I(A;B|C,W), down to two slots."""
    *others, last = term.groups
    plain = Term(tuple(others), term.given)
    given = Term(tuple(others), (*last, *term.given))
    if len(others) == 2:
        return parse_expression(plain) - parse_expression(given)
    return _chained(plain) - _chained(given)


def _with_notes(found: Estimate, *notes: str) -> Estimate:
    return found.with_words(notes=notes)


AUTO_ENTRY = Entry(
    "auto",
    "any; linear expressions",
    "this library",
    "chooses by the kinds, dimensions and sizes of the columns and says what and why",
    auto,
)
"""The choice itself, in the registry."""
