r"""Optimal representations: the refinements of T, which are all of them (Theorem J1).

A representation has I(A;Z) = I(A;X) exactly when no value of Z is reached from two inputs with different
posteriors. So every optimal channel splits each class of inputs with one posterior into values of its own,
at random or not, and `random_refinement` draws one of these.
"""

from __future__ import annotations

import numpy as np

from theory.checks import integer
from theory.forced.statistic import with_statistic
from theory.joints import Joint

__all__ = ["random_refinement"]


def random_refinement(
    joint: Joint,
    *,
    seed: int,
    transformation: str = "A",
    inputs: str = "X",
    name: str = "Z",
    values: int = 3,
) -> Joint:
    """The joint with an optimal representation drawn at random.

    Each value of T gets 1 to `values` values of Z, and each input a random distribution on those of its T.

    Args:
        joint: The world.
        seed: Fixes the draw.
        transformation: The variable that is predicted.
        inputs: The variable that is represented.
        name: The name of the representation.
        values: The most values of Z for one value of T.

    Raises:
        ValueError: If `values` is not positive, the seed is negative, or as `with_statistic`.
    """
    integer("values", values, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    label = "T" + "'" * (1 + max(v.count("'") for v in joint.names))
    world = with_statistic(joint, transformation=transformation, inputs=inputs, name=label)
    statistic = world.marginal((inputs, label)).probabilities.astype(np.float64).argmax(axis=1)
    counts = rng.integers(1, values + 1, size=int(statistic.max()) + 1)
    starts = np.concatenate([[0], np.cumsum(counts)])
    kernel = np.zeros((len(statistic), int(starts[-1])))
    for x, t in enumerate(statistic):
        kernel[x, starts[t] : starts[t + 1]] = rng.dirichlet(np.full(counts[t], rng.choice((0.2, 1.0))))
    return joint.channel(inputs, name, kernel)
