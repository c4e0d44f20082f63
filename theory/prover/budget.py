"""How long a proof may take: work is counted, so that the answer does not depend on the machine.

Every step of the search says beforehand, or where that cannot be known right afterwards, how long it takes
on a usual core: so many codes of so many symbols, so many iterations of a linear program of that size. When
these sum to the seconds that are allowed, the search ends, at the same step on every machine and under any
load. The clock (processor time of this thread) is there for machines that are slower than that; it ends the
search as well, and linear programs also while they run. A limit within another counts for both.

Example:
    >>> with limited(0.5) as budget:
    ...     spend(0.4)
    ...     spend(0.4)
    Traceback (most recent call last):
        ...
    theory.prover.budget.SpentError: 0.5 s of work were allowed
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import issparse

__all__ = ["Budget", "SpentError", "limited", "seconds_left", "solve", "spend"]

_PROGRAM = 2e-3
"""Seconds that a linear program takes besides its iterations: the checks of its matrices, the presolver."""

_PER_ENTRY = 1e-6
"""The same for each row, column and number in its matrix."""

_PER_ITERATION = 4e-6
"""Seconds of an iteration of the simplex method, however small the program."""

_PER_ITERATION_ENTRY = 4e-9
"""The same for each row, column and number in its matrix."""

_LEAST_ITERATIONS = 50
"""A program may always make so many iterations."""

_CLOCK_STATUS = 1
"""What `linprog` reports when it was stopped by the limit of iterations or of time."""


class SpentError(Exception):
    """The work that was allowed is done."""


class Budget:
    """Work that may be done, and what is left of it.

    Args:
        seconds: The seconds of a usual core; infinity for no limit.
        within: The budget that this is a part of: it may not be exceeded either, and everything counts there
            too.
    """

    def __init__(self, seconds: float, within: Budget | None = None) -> None:
        self.seconds = seconds
        self.within = within
        self.spent = 0.0
        self._start = thread_time()

    def __str__(self) -> str:
        if self.seconds == math.inf:
            return "with no limit of work"
        return f"in {self.seconds:g} s of work (seconds={2 * self.seconds:g} allows more)"

    @property
    def left(self) -> float:
        """The seconds of work that are left."""
        own = self.seconds - self.spent
        return own if self.within is None else min(own, self.within.left)

    @property
    def clock(self) -> float:
        """The seconds of processor time of this thread that are left."""
        own = self.seconds - (thread_time() - self._start)
        return own if self.within is None else min(own, self.within.clock)

    def spend(self, work: float) -> None:
        """Count a step.

        Raises:
            SpentError: If it would exceed what is left; a step that was refused is not counted.
        """
        if work > self.left or self.clock < 0:
            raise SpentError(f"{self.seconds:g} s of work were allowed")
        part: Budget | None = self
        while part is not None:
            part.spent += work
            part = part.within


_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)
"""The budget of the proof that is being sought in this thread or task."""


@contextmanager
def limited(seconds: float) -> Iterator[Budget]:
    """Limit the work that is done inside, which counts for the limit outside as well."""
    token = _CURRENT.set(Budget(seconds, _CURRENT.get()))
    try:
        yield _CURRENT.get()  # type: ignore[misc]  # it was set in the line above
    finally:
        _CURRENT.reset(token)


def spend(work: float) -> None:
    """Count a step of so many seconds, where work is limited.

    Raises:
        SpentError: If the work that was allowed does not suffice for it.
    """
    budget = _CURRENT.get()
    if budget is not None:
        budget.spend(work)


def seconds_left() -> float:
    """The seconds that a library may take, by work and by the clock; infinity without a limit."""
    budget = _CURRENT.get()
    return math.inf if budget is None else max(min(budget.left, budget.clock), 1e-3)


def solve(objective: np.ndarray[Any, Any], **program: Any) -> OptimizeResult:
    """The answer of `scipy.optimize.linprog` by HiGHS, within the work that is left.

    Raises:
        SpentError: If the work that was allowed does not suffice; before it starts, or while it runs.
    """
    budget = _CURRENT.get()
    options: dict[str, Any] = {}
    tables = [program[name] for name in ("A_ub", "A_eq") if program.get(name) is not None]
    entries = len(objective) + sum(table.shape[0] + _numbers(table) for table in tables)
    each = _PER_ITERATION + _PER_ITERATION_ENTRY * entries
    if budget is not None and budget.left < math.inf:
        budget.spend(_PROGRAM + _PER_ENTRY * entries)
        most = max(_LEAST_ITERATIONS, int(budget.left / each))
        options = {"time_limit": max(budget.clock, 1e-3), "maxiter": most}
    answer = linprog(objective, method="highs", options=options, **program)
    if budget is not None:
        stopped = answer.status == _CLOCK_STATUS
        budget.spend(math.inf if stopped else min(each * answer.nit, max(budget.left, 0.0)))
    return answer


def _numbers(table: Any) -> int:  # noqa: ANN401 - a matrix of scipy or of numpy
    """How many numbers of a matrix are not 0."""
    return int(table.nnz if issparse(table) else np.count_nonzero(table))
