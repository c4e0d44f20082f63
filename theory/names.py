"""Names of variables, as text or as several texts."""

from __future__ import annotations

from collections.abc import Iterable

from theory.errors import shown

__all__ = ["variable_names"]


def variable_names(name: str, value: object) -> tuple[str, ...]:
    """Names of variables: several texts, or one text with commas between the names.

    Raises:
        TypeError: If it is neither.

    Example:
        >>> variable_names("given", "X1, X2"), variable_names("given", {"X1"}), variable_names("given", "")
        (('X1', 'X2'), ('X1',), ())
    """
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",")) if value.strip() else ()
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be names of variables, got {shown(value)}")
    found = tuple(value)
    for one in found:
        if not isinstance(one, str):
            raise TypeError(f"{name} must be names of variables, got {shown(one)}")
    return found
