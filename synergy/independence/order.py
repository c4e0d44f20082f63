"""Whether both sides of a test follow their own past: rows that are not independent.

A permutation, and a product of residuals, takes the rows as independent. It needs less: where the rows of one
side are exchangeable given the condition, the other may depend on its past as it likes. So both sides must
resemble their neighbours in the order of the rows, beyond what the condition explains: within its states, or
in the residuals of a regression on it. A side by which the table is sorted may be such a past: then the other
side decides, beyond what the sorted one explains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synergy.estimators.past import LEAST_ROWS, LEVEL, LEVEL_OF_SORTED, MOST_ROWS, sorting
from synergy.estimators.repeats import repeated_rows
from synergy.estimators.views import rows_that_are_views
from synthetic import Sample
from theory import Term

__all__ = ["order_warnings", "residual_warning"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def order_warnings(sample: Sample, term: Term) -> list[str]:
    """What to say of rows that repeat one another, or nearly so; nothing where groups are given."""
    if sample.groups is not None:
        return []
    names = [name for name in term.variables if sample.variables[name].kind != "image"]
    repeated = repeated_rows(sample, names) or rows_that_are_views(sample, names)
    return [] if repeated is None else [repeated]


def residual_warning(
    sample: Sample,
    term: Term,
    sides: Sequence[Sequence[Floats | Integers]],
    *,
    strata: Integers | None = None,
) -> list[str]:
    """What to say where both sides follow their past; nothing where groups are given.

    Args:
        sample: The rows, which must be as many as the columns of the sides have.
        term: What is tested.
        sides: The columns of X and of Y that are compared, or their residuals given the condition.
        strata: Codes of the states within which rows are exchanged; None without any.
    """
    n = min(len(sample), MOST_ROWS)
    if sample.groups is not None or n < LEAST_ROWS:
        return []
    order = sorting(sample, [v for v in term.variables if sample.variables[v].kind != "image"], n)
    free = [
        side for side, names in zip(sides, term.groups, strict=True) if not order.names.intersection(names)
    ]
    level = LEVEL if len(free) == 2 else LEVEL_OF_SORTED
    codes = None if strata is None else strata[:n]
    for side in free:
        if not any(order.follows(column[:n], codes) < level / len(side) for column in side):
            return []
    if not free:
        return []
    left, right = (",".join(names) for names in term.groups)
    beyond = f", beyond what {','.join(term.given)} explains" if term.given else ""
    return [
        f"the rows are not independent: {left} and {right} of a row resemble those of the rows "
        f"before{beyond}, and true independences are rejected more often than the level says. "
        "groups='column' marks rows that belong together, blocks=n takes every n rows as a group"
    ]
