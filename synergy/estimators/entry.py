"""What the registry knows about an estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression

__all__ = ["Entry"]

_FROM_SAMPLE = ("confidence", "seed", "groups", "term", "columns")
"""Keywords that a call from the registry fills in: they are no options of the estimator."""


@dataclass(frozen=True)
class Entry:
    """One estimator of the registry: a function, and the options of it that this name fixes.

    Args:
        name: What `estimate(.., estimator=name)` calls it.
        columns: Which columns it takes.
        reference: Where it comes from.
        description: What it does, in a line.
        function: Called as `function(sample, expression, confidence=.., seed=.., **options)`, the seed only
            where it takes one. Its other keyword-only parameters are the estimator's options.
        fixed: Values of keywords that the name stands for; they are not offered as options.
        adapter: For a function of arrays, `function(x, y, z, *, ..)`: called as `adapter(name, function,
            sample, expression, **options)`, it takes the arrays from the sample.

    Example:
        >>> from synthetic import Sample
        >>> from theory import parse_expression
        >>> def share(sample, expression, *, of=1.0, confidence=0.95):
        ...     return Estimate(str(expression), of, 0.0, (of, of), confidence, "share", len(sample))
        >>> entry = Entry("half", "any", "nobody", "one half", share, {"of": 0.5})
        >>> entry.options, entry.run(Sample.infer({"A": [0, 1]}), parse_expression("H(A)")).value
        ((), 0.5)
    """

    name: str
    columns: str
    reference: str
    description: str
    function: Callable[..., Estimate]
    fixed: Mapping[str, object] = field(default_factory=dict, hash=False)
    adapter: Callable[..., Estimate] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options, beside confidence and seed."""
        return tuple(name for name in self._keywords if name not in (*_FROM_SAMPLE, *self.fixed))

    @property
    def _keywords(self) -> tuple[str, ...]:
        parameters = inspect.signature(self.function).parameters.values()
        return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)

    def run(
        self,
        sample: Sample,
        expression: Expression,
        *,
        confidence: float = 0.95,
        seed: int = 0,
        **options: Any,
    ) -> Estimate:
        """Estimate an expression on a sample.

        Args:
            sample: The data.
            expression: The quantity.
            confidence: The nominal coverage of the interval.
            seed: Fixes everything random.
            **options: Some of `options`.
        """
        function = partial(self.function, **self.fixed)
        given = {"confidence": confidence, **options}
        if "seed" in self._keywords:
            given["seed"] = seed
        if self.adapter is None:
            return function(sample, expression, **given)
        return self.adapter(self.name, function, sample, expression, **given)
