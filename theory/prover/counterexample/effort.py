"""How much work a search for a distribution may do, in three steps: milliseconds, hundredths, seconds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EFFORTS", "LOW", "MEDIUM", "CodeSearch", "Effort", "GateSearch"]


@dataclass(frozen=True)
class CodeSearch:
    """One search among linear codes; see `codes.search_codes`.

    Args:
        field: The number of elements of the field, a prime.
        dimension: Symbols in each variable.
        size: How many random codes to try at a time; 0 tries all codes, where they are few enough.
        rounds: How many times.
    """

    field: int
    dimension: int
    size: int
    rounds: int = 1


@dataclass(frozen=True)
class GateSearch:
    """One search among random gates; see `gates.search_gates`.

    Args:
        outcomes: The largest number of equally likely outcomes of all noise together.
        size: How many to draw at a time.
        rounds: How many times.
    """

    outcomes: int
    size: int
    rounds: int


@dataclass(frozen=True)
class Effort:
    """The searches that are made, in this order.

    Args:
        rays: Whether codes are made from the polymatroids that break the statement.
        codes: The searches among linear codes.
        gates: The searches among random gates.
        restarts: The random starts of the numerical search; 0 for no such search.
        products: Whether a distribution that only just fails a strict relation is multiplied with copies of
            one that does not.
    """

    rays: bool = False
    codes: tuple[CodeSearch, ...] = ()
    gates: tuple[GateSearch, ...] = ()
    restarts: int = 0
    products: bool = False


LOW = Effort(
    codes=(
        CodeSearch(field=2, dimension=1, size=256),
        CodeSearch(field=2, dimension=2, size=2048, rounds=6),
    )
)
"""Binary codes, for milliseconds: they refute most statements that are false."""

MEDIUM = Effort(
    rays=True,
    codes=(CodeSearch(field=2, dimension=1, size=0), CodeSearch(field=3, dimension=1, size=512)),
    gates=(GateSearch(outcomes=4, size=2048, rounds=6), GateSearch(outcomes=8, size=1024, rounds=6)),
)
"""All small binary codes, other codes and small gates, for some hundredths of a second."""

HIGH = Effort(
    codes=(
        CodeSearch(field=2, dimension=2, size=4096, rounds=8),
        CodeSearch(field=3, dimension=1, size=4096, rounds=2),
        CodeSearch(field=5, dimension=1, size=4096),
        CodeSearch(field=2, dimension=3, size=4096, rounds=6),
        CodeSearch(field=3, dimension=2, size=2048),
    ),
    gates=(GateSearch(outcomes=16, size=2048, rounds=24),),
    restarts=24,
    products=True,
)
"""Larger codes and gates, and a numerical search, for seconds."""

EFFORTS = (LOW, MEDIUM, HIGH)
"""In the order in which they are made."""
