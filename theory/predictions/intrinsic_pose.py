r"""Intrinsic pose: natural images already have an orientation, `X = A . V . x_C`.

V acts as class-dependent noise on A. With one stabiliser K_c and W = V K_c, the coset that the pose falls in,

    H(A|X,C) = E [ log |K_C| + H(W|C) ],      I(A;X|C) = log |G| - H(A|X,C),

because given X and C the product A V is uniform on a coset b K_C, so that A = b k V^-1 with k uniform on
K_C, whose entropy is that of V k^-1. Hence two extremes:

* V = 1: the orbit family, with synergy H(C|O).
* V uniform on G: then q_c is uniform on the orbit for every class, X is independent of A given C and alone,
  so that I(A;X) = 0, I(A;X|C) = 0 and the synergy is 0. The absolute transformation cannot be read from an
  image whose copies are equally likely in the data.

Example:
    >>> from theory.predictions import OrbitForm
    >>> turns = [[(x + g) % 4 for x in range(4)] for g in range(4)]
    >>> upright, random_pose = OrbitForm(turns, [0, 1]), IntrinsicPoseForm(turns, [0, 1])
    >>> print(upright.predict("I(A;C|X)"), random_pose.predict("I(A;C|X)"))
    log(2) 0
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from theory.predictions.closed_form import Number
from theory.predictions.orbits import OrbitForm, check_action

__all__ = ["IntrinsicPoseForm", "spread"]

spread = sympy.Symbol("spread", nonnegative=True)
"""The probability that the pose is drawn uniformly."""


class IntrinsicPoseForm(OrbitForm):
    """The orbit family with a pose that is upright with probability 1 - s and uniform on G else.

    Any other pose, also one for each class, goes to `OrbitForm(.., pose=..)`; this class is the
    one-parameter family between the two extremes, with the symbol `spread`.

    Args:
        action: The images of the points, `action[g][x]` = g.x, shape (order of G, points); element 0 is
            the identity.
        prototypes: The point of each class.
        spread: The probability s, a number or a symbol.
        prior: The distribution of C; None for uniform.

    Raises:
        ValueError: As `OrbitForm`, or if element 0 moves a point.
    """

    def __init__(
        self,
        action: Sequence[Sequence[int]],
        prototypes: Sequence[int],
        *,
        spread: Number = 1,
        prior: Sequence[Number] | None = None,
    ) -> None:
        rows = check_action(action)
        if rows[0] != tuple(range(len(rows[0]))):
            raise ValueError(f"element 0 must be the identity, got {rows[0]}")
        s = spread if isinstance(spread, sympy.Expr) else sympy.Rational(str(spread))
        pose = [1 - s + s / len(rows), *[s / len(rows)] * (len(rows) - 1)]
        super().__init__(rows, prototypes, prior=prior, pose=pose)
