"""Continuous families refuse quantities that are infinite."""

from __future__ import annotations

from collections.abc import Collection

from synthetic.generator import NoExactAnswerError
from theory import Expression

__all__ = ["require_finite"]


def require_finite(
    family: str, expression: Expression, names: Collection[str], continuous: Collection[str]
) -> None:
    """Refuse expressions with unknown variables, or with a continuous one in two slots of a term.

    Raises:
        ValueError: If a variable is unknown.
        NoExactAnswerError: If a term such as I(X;X) or H(X|X) is infinite.
    """
    for variable in expression.variables:
        if variable not in names:
            raise ValueError(f"unknown variable {variable!r}: {family} has {', '.join(names)}")
    for term in expression.terms:
        slots = (*term.groups, term.given)
        for variable in term.variables:
            if variable in continuous and sum(variable in slot for slot in slots) > 1:
                raise NoExactAnswerError(
                    f"{term} is infinite or undefined: {variable} is continuous and stands in two slots"
                )
