r"""The modular shift: `X = A + C + N mod n`.

A is uniform on the subgroup of Z_n of order t (t = n: all shifts), C is a class among 0 .. n - 1, and N is
0 with probability 1 - e and uniform on Z_n with probability e. Then

    I(A;C|X) = H(A+N) + H(C+N) - H(N) - H(A+C+N),      I(A;X) = H(A+C+N) - H(C+N),

because given A (or C) the variable X is a shift of C+N (or A+N), and given both a shift of N. With
t = n both A+N and A+C+N are uniform, so that I(A;C|X) = H(C+N) - H(N).

The distribution of a sum is found by counting: C uniform on m classes falls on m residues, so that with
s = n/t a coset of the subgroup holds q + 1 classes (r cosets) or q classes (s - r cosets), where
m = q s + r. With a class prior p, C+N has the probabilities (1-e) p_c + e/n, and a coset of the subgroup
the sum of p over it.

Example:
    >>> form = ModularShiftForm(all_classes=True)
    >>> print(form.predict("I(A;C|X)").subs(noise, 0).simplify())
    log(n)
    >>> skewed = ModularShiftForm(prior=(0.7, 0.3, 0))
    >>> print(skewed.predict("I(A;C|X)").subs({n: 3, noise: 0}).evalf(6))
    0.610864
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from theory.predictions.closed_form import ClosedForm, Number, as_prior, entropy_of, entropy_of_states

__all__ = ["ModularShiftForm", "classes", "n", "noise", "shifts"]

n, classes, shifts = sympy.symbols("n classes shifts", integer=True, positive=True)
"""The number of states of X, of classes, and of transformations."""

noise = sympy.Symbol("noise", nonnegative=True)
"""The probability that X is redrawn."""


class ModularShiftForm(ClosedForm):
    """Closed forms of the modular shift in the symbols `n`, `classes`, `shifts` and `noise`.

    Args:
        all_classes: Whether C is uniform on all of Z_n, so that the symbol `classes` does not appear.
        subgroup: None if A is uniform on Z_n, else the numbers (n, classes, shifts), for which the
            counts of classes in each coset are found.
        prior: The distribution of C on Z_n, numbers or symbols, one for each of the n residues; None
            for the uniform one on 0 .. classes - 1.

    Raises:
        ValueError: If the prior is not a distribution, or the subgroup's order does not divide n.
    """

    variables = ("A", "C", "X")

    def __init__(
        self,
        *,
        all_classes: bool = False,
        subgroup: tuple[int, int, int] | None = None,
        prior: Sequence[Number] | None = None,
    ) -> None:
        floor = noise / n
        order, count, size = subgroup or (0, 0, 0)
        if subgroup is not None and (size < 1 or order % size):
            raise ValueError(f"the order of the subgroup must divide n={order}, got {size}")
        if prior is not None and subgroup is not None and len(prior) != order:
            raise ValueError(f"prior needs {order} probabilities, one for each residue, got {len(prior)}")
        t: sympy.Expr = n if subgroup is None else shifts
        h_noise = entropy_of((1, 1 - noise + floor), (n - 1, floor))
        h_shift = sympy.log(n)
        if subgroup is not None:
            h_shift = entropy_of((t, (1 - noise) / t + floor), (n - t, floor))
        if prior is not None:
            p = as_prior(prior, len(prior), "prior")
            c = entropy_of_states(p)
            h_class = entropy_of_states([(1 - noise) * x + floor for x in p])
        else:
            m = n if all_classes else classes
            c = sympy.log(m)
            h_class = c if all_classes else entropy_of((m, (1 - noise) / m + floor), (n - m, floor))
        h_both = sympy.log(n)
        if subgroup is not None:
            cosets = order // size
            if prior is not None:
                masses = [sympy.Add(*p[j::cosets]) for j in range(cosets)]
            else:
                q, r = divmod(count, cosets)
                masses = [(q + 1) / m] * r + [q / m] * (cosets - r)
            h_both = t * entropy_of_states([(1 - noise) * mass / t + floor for mass in masses])
        a = sympy.log(t)
        self._entropies = {
            "": sympy.Integer(0),
            "A": a,
            "C": c,
            "AC": a + c,
            "X": h_both,
            "AX": a + h_class,
            "CX": c + h_shift,
            "ACX": a + c + h_noise,
        }

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        return self._entropies["".join(sorted(variables))]
