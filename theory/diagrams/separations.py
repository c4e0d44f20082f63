"""d-separation for all sets of variables at once, by bit operations on arrays.

For a set S the independences that a diagram implies *within* S, given the rest of S, are read from one
undirected graph on S: moralise the subgraph of the ancestors of S, then eliminate the ancestors outside
S by joining their neighbours (Lauritzen, Dawid, Larsen and Leimer 1990). Two variables of S are
d-separated given the rest of S exactly when they are not adjacent in it. `neighbours` computes these
graphs for all 2^k sets S of the first k variables together: entry [i, S] is the mask of i's neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theory.diagrams.diagram import Diagram

__all__ = ["closures", "neighbours"]

Masks = npt.NDArray[np.int64]


def _unions(parts: Sequence[int]) -> Masks:
    """For every set S of positions the union of the masks `parts[i]` with i in S."""
    total = np.zeros(1, dtype=np.int64)
    for part in parts:
        total = np.concatenate([total, total | part])
    return total


def neighbours(diagram: Diagram, names: Sequence[str], inside: int) -> Masks:
    """The graphs of all sets of the first `inside` names, as an array of shape (inside, 2^inside).

    Args:
        diagram: The causal diagram.
        names: An ancestral set of its variables; their order gives the bits.
        inside: How many of them, from the first, the sets are made of.
    """
    index = {name: i for i, name in enumerate(names)}
    parents = [sum(1 << index[p] for p in diagram.parents(name)) for name in names]
    ancestors = [1 << i for i in range(len(names))]
    for name in (v for v in diagram.order if v in index):
        for parent in diagram.parents(name):
            ancestors[index[name]] |= ancestors[index[parent]]
    sets = np.arange(1 << inside, dtype=np.int64)
    ancestral = _unions(ancestors[:inside])
    n = len(names)
    adjacent = np.zeros((n, len(sets)), dtype=np.int64)
    for child, mask in enumerate(parents):
        if not mask:
            continue
        present = -((ancestral >> child) & 1)
        adjacent[child] |= present & mask
        for p in (p for p in range(n) if mask >> p & 1):
            adjacent[p] |= present & (mask & ~(1 << p) | 1 << child)
    shifts = np.arange(n, dtype=np.int64)[:, None]
    for latent in range(n):
        hidden = -((ancestral & ~sets) >> latent & 1)
        if not hidden.any():
            continue
        joined = adjacent[latent] & hidden
        adjacent |= -((joined >> shifts) & 1) & joined
    result: Masks = adjacent[:inside] & sets & ~(1 << shifts[:inside])
    return result


def closures(functions: Sequence[tuple[int, int]], inside: int) -> Masks:
    """For each set of the first `inside` variables all variables that are functions of it.

    Args:
        functions: Pairs of masks (source, target).
        inside: How many variables the sets are made of.
    """
    closed = np.arange(1 << inside, dtype=np.int64)
    changed = bool(functions)
    while changed:
        before = closed.copy()
        for source, target in functions:
            closed = np.where(closed & source == source, closed | target, closed)
        changed = bool((closed != before).any())
    return closed
