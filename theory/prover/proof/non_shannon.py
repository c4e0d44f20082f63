"""Instances of Zhang and Yeung's inequality, which no combination of Shannon's inequalities gives.

For any four (vector) variables, conditionally on any others,

    I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) >= 2 I(C;D)

(Zhang and Yeung 1998, "On characterization of entropy function via information inequalities", theorem 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

from theory.expressions import Expression, Term
from theory.prover.budget import spend
from theory.prover.lattice import Frame, bits
from theory.prover.proof.checker import zhang_yeung

__all__ = ["instances"]

_GROUPED = 5
"""Up to so many variables A, B, C and D may be groups of them."""

_CONDITIONED = 7
"""Up to so many variables single ones are also conditioned on others."""


_WRITTEN = 1.5e-4
"""Seconds that an instance takes to be written down and reduced."""


def _disjoint(masks: range, used: int) -> Iterator[int]:
    return (mask for mask in masks if not mask & used)


def _groups(k: int) -> Iterator[tuple[int, int, int, int, int]]:
    """(A, B, C, D, K): groups of variables up to `_GROUPED` of them, single ones beyond."""
    full = (1 << k) - 1
    if k <= _GROUPED:
        every = range(1, 1 << k)
        for a in every:
            for b in _disjoint(every, a):
                for c in _disjoint(every, a | b):
                    for d in _disjoint(range(c + 1, 1 << k), a | b | c):
                        rest = full & ~(a | b | c | d)
                        for given in (m for m in range(1 << k) if m & ~rest == 0):
                            yield a, b, c, d, given
        return
    for four in combinations(range(k), 4):
        others = [i for i in range(k) if i not in four]
        for a, b, c, d in permutations(four):
            if c < d:
                for size in range(len(others) + 1 if k <= _CONDITIONED else 1):
                    for chosen in combinations(others, size):
                        yield 1 << a, 1 << b, 1 << c, 1 << d, sum(1 << i for i in chosen)


def instances(frame: Frame) -> list[Expression]:
    """The instances over a frame, written so that the checker recognises them."""
    result = []
    spend(_WRITTEN * sum(1 for _ in _groups(len(frame.names))))
    for a, b, c, d, given in _groups(len(frame.names)):
        names = [frame.names_of(mask) for mask in (a, b, c, d)]
        condition = tuple(frame.names[i] for i in bits(given))
        result.append(
            zhang_yeung(
                Term((names[0], names[1]), condition),
                Term((names[2], names[3]), condition),
            )
        )
    return result
