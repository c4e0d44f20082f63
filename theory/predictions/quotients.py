r"""Quotients: a coarse label of the applied transformation.

B is uniform on a finite group G and applied as in the orbit family; the pretext label is A = B N, the coset
of a normal subgroup N. Then, with O_N the orbit of x_C under N alone (without noise),

    I(B;C|X) = H(C|O),        I(A;C|X) = H(O_N|O) = I(B;C|X) - H(C|O_N):

the coarse task forgets the synergy of the subgroup that it divides out.

*Proof.* G/N acts on the N-orbits, A is uniform on it, and given the N-orbit of X the rest of X is independent
of A and C, because N moves X uniformly over it. So (A, C, N-orbit of X) is an orbit family whose prototypes
are the N-orbits of the x_c, and classes with the same N-orbit cannot be told apart by A. qed

Any other function of B is allowed as a label too; its entropies are counted.

Example:
    >>> turns = [[(x + g) % 4 for x in range(4)] for g in range(4)]
    >>> form = QuotientForm(turns, [0, 1, 2, 3], coarse=[0, 1, 0, 1])
    >>> print(form.predict("I(B;C|X)"), form.predict("I(A;C|X)"))
    2*log(2) log(2)
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from theory.predictions.closed_form import ClosedForm, Number, entropy_of_states
from theory.predictions.orbits import OrbitForm

__all__ = ["QuotientForm"]


class QuotientForm(ClosedForm):
    """Closed forms of the orbit family with a fine transformation B and its coarse label A.

    Args:
        action: The images of the points, `action[b][x]` = b.x, shape (order of G, points).
        prototypes: The point of each class.
        coarse: The label of each group element, integers from 0, shape (order of G,).
        prior: The distribution of C, numbers or symbols; None for uniform.
        noise: The probability that X is redrawn uniformly on its orbit, a number or a symbol.

    Raises:
        ValueError: As `OrbitForm`, or if there is not one label for each element.
    """

    variables = ("A", "B", "C", "O", "X")

    def __init__(
        self,
        action: Sequence[Sequence[int]],
        prototypes: Sequence[int],
        *,
        coarse: Sequence[int],
        prior: Sequence[Number] | None = None,
        noise: Number = 0,
    ) -> None:
        self.fine = OrbitForm(action, prototypes, prior=prior, noise=noise)
        if len(coarse) != self.fine.order:
            raise ValueError(
                f"coarse needs a label for each of {self.fine.order} elements, got {len(coarse)}"
            )
        self.coarse = tuple(int(label) for label in coarse)
        self._known: dict[frozenset[str], sympy.Expr] = {}

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        if "B" in variables:
            return self.fine.entropy(frozenset("A" if v == "B" else v for v in variables))
        if "A" not in variables:
            return self.fine.entropy(variables)
        if variables not in self._known:
            self._known[variables] = self._entropy(variables)
        return self._known[variables]

    def _entropy(self, variables: frozenset[str]) -> sympy.Expr:
        names = sorted(variables)
        masses: dict[tuple[int, ...], sympy.Expr] = {}
        for c, _, start, probability in self.fine._arrivals("X" in variables):
            orbit = self.fine.orbit_of[self.fine.prototypes[c]]
            for row, label in zip(self.fine.action, self.coarse, strict=True):
                state = {"A": label, "C": c, "O": orbit, "X": row[start]}
                key = tuple(state[name] for name in names)
                masses[key] = masses.get(key, sympy.Integer(0)) + probability / self.fine.order
        return entropy_of_states(list(masses.values()))
