"""What the registry knows about an estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from synergy.statistics.result import Estimate

__all__ = ["Entry"]


@dataclass(frozen=True)
class Entry:
    """One estimator of the registry.

    Args:
        name: What `estimate(.., estimator=name)` calls it.
        columns: Which columns it takes.
        reference: Where it comes from.
        description: What it does, in a line.
        run: Called as `run(sample, expression, confidence=.., seed=.., **options)`; its other
            keyword-only parameters are the estimator's options.
    """

    name: str
    columns: str
    reference: str
    description: str
    run: Callable[..., Estimate]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options, beside confidence and seed."""
        parameters = inspect.signature(self.run).parameters.values()
        keyword = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
        return tuple(name for name in keyword if name not in ("confidence", "seed"))
