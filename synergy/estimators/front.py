"""One function in front of all estimators."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from synergy.estimators.intake import Data, as_sample, check_expression, is_constant
from synergy.estimators.order import dependence_warnings, in_blocks
from synergy.estimators.registry import ESTIMATORS
from synergy.estimators.stored import counted, estimate_counted
from synergy.statistics.intervals import check_confidence
from synergy.statistics.result import Estimate, Unit
from synthetic import Sample
from theory import Expression, Term
from theory.checks import integer, number

__all__ = ["estimate"]


def estimate(
    data: Data,
    term: str | Term | Expression,
    *,
    estimator: str = "auto",
    confidence: float = 0.95,
    seed: int = 0,
    unit: Unit = "nats",
    clip: bool = False,
    groups: str | None = None,
    blocks: int | None = None,
    jobs: int = 1,
    **options: Any,
) -> Estimate:
    """Estimate an information quantity from data, with a standard error and a confidence interval.

    Args:
        data: A Sample, a pandas DataFrame, a mapping of arrays by name, or the path of a file or folder, of
            which only what the term names is read. Integers, booleans and strings are discrete, floats
            continuous; a float array of shape (n, d) is one vector variable, of shape (n, channels, height,
            width) an image.
        term: Such as "I(A;C|X)"; where the estimator can, a linear combination of terms.
        estimator: `auto` or a name in `ESTIMATORS`.
        confidence: The nominal coverage of the interval.
        seed: Fixes everything random.
        unit: `nats` or `bits`.
        clip: Whether to raise a negative value of an information that cannot be negative to 0; the
            notes then say what it was.
        groups: The column that marks dependent rows; a Sample's own by default.
        blocks: For rows that follow one another, as in a time series: every so many rows are one group. A
            block should be several times as long as rows remember.
        jobs: Processes that count the shards of a data set's folder, for discrete columns. Inside
            `synthetic.parallel.cluster(..)` its workers do. Such an estimate, and one of a folder whose
            columns are too large for memory, has no scores and is else the same, bit for bit.
        **options: The options of the chosen estimator.

    Returns:
        The estimate; `notes` say what was chosen and done, and `warnings` what to beware of. They are empty
        where the interval can be believed.

    Raises:
        ValueError: If the term does not parse, names an unknown variable or repeats one; the data has
            NaN, infinite or missing values or columns of unequal lengths; or the estimator cannot take
            the columns.
        TypeError: If the data is of an unknown kind, or an option is not one of the estimator's or of the
            wrong type.

    Example:
        >>> from synthetic import ModularShift
        >>> sample = ModularShift(n=4, noise=0.1).sample(10_000, seed=0)
        >>> found = estimate(sample, "I(A;C|X)")
        >>> bool(found.interval[0] < 1.037514 < found.interval[1])
        True
    """
    if unit not in ("nats", "bits"):
        raise ValueError(f"unit must be 'nats' or 'bits', got {unit!r}")
    integer("seed", seed, 0)
    integer("jobs", jobs, 1)
    if not isinstance(clip, bool):
        raise TypeError(f"clip must be True or False, got {clip!r}")
    check_confidence(number("confidence", confidence))
    if estimator not in ESTIMATORS:
        near = difflib.get_close_matches(str(estimator), ESTIMATORS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {estimator!r}{hint}")
    entry = ESTIMATORS[estimator]
    for name in options:
        if name not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise TypeError(f"option {name!r} is not one of {estimator}'s, which are: {known}")
    parsed = check_expression(term)
    if groups is None and blocks is None and not options:
        stored = counted(data, parsed, estimator=estimator, jobs=jobs)
        if stored is not None and stored.rows > 1:
            found = estimate_counted(stored, parsed, estimator=estimator, confidence=confidence)
            return _told(found.to(unit), stored.head, parsed, stored.constant, clip=clip)
    sample = as_sample(data, parsed.variables, groups=groups)
    if blocks is not None:
        sample = in_blocks(sample, blocks)
    if len(sample) < 2:
        raise ValueError(f"an estimate needs at least 2 rows, got {len(sample)}")
    found = entry.run(sample, parsed, confidence=confidence, seed=seed, **options)
    constant = [
        v for v in parsed.variables if sample.variables[v].kind == "discrete" and is_constant(sample[v])
    ]
    return _told(found.to(unit), sample, parsed, constant, clip=clip)


def _told(
    found: Estimate, sample: Sample, parsed: Expression, constant: Sequence[str], *, clip: bool
) -> Estimate:
    """The estimate with what the rows say of it: their order, variables of one value, and clipping."""
    found = found.with_words(warnings=dependence_warnings(sample, parsed))
    if constant:
        takes = "takes" if len(constant) == 1 else "take"
        found = replace(
            found, notes=(*found.notes, f"{', '.join(constant)} {takes} one value only in this data")
        )
    if clip and len(parsed.summands) == 1 and parsed.summands[0][0] > 0 and len(parsed.terms[0].groups) < 3:
        found = _clipped(found)
    return found


def _clipped(found: Estimate) -> Estimate:
    low, high = found.interval
    if low >= 0 and found.value >= 0:
        return found
    return replace(
        found,
        value=max(found.value, 0.0),
        interval=(max(low, 0.0), max(high, 0.0)),
        notes=(
            *found.notes,
            f"clipped at 0: the value was {found.value:.6f} {found.unit}, the interval "
            f"[{low:.6f}, {high:.6f}] {found.unit}",
        ),
    )
