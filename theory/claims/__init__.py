"""Claims: every statement that the toolkit judges, by a short id.

A user adds one in one line:

    register(Claim("T1", "Mine", "I(A;Z|S) >= I(A;Z)", "true"))

`synergy.verification.judging(claim)` says on which cases, and in which worlds, it will be judged.

Example:
    >>> from theory.claims import find_claim, judge
    >>> judge(find_claim("E1")).holds
    True
    >>> find_claim("E9")
    Traceback (most recent call last):
        ...
    ValueError: unknown claim 'E9': the registry has E1, E2, E3, ...
"""

from theory.claims import catalogue
from theory.claims.evidence import Evidence, World
from theory.claims.exact import judge, slack
from theory.claims.registry import (
    CHAPTERS,
    CLAIMS,
    OWN,
    Check,
    Claim,
    Expectation,
    find_claim,
    of_chapter,
    register,
)

__all__ = [
    "CHAPTERS",
    "CLAIMS",
    "OWN",
    "Check",
    "Claim",
    "Evidence",
    "Expectation",
    "World",
    "catalogue",
    "find_claim",
    "judge",
    "of_chapter",
    "register",
    "slack",
]
