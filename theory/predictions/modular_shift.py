r"""The modular shift: `X = A + C + N mod n`.

A is uniform on the subgroup of Z_n of order t (t = n: all shifts), C is uniform on the classes
0 .. m - 1, and N is 0 with probability 1 - e and uniform on Z_n with probability e. Then

    I(A;C|X) = H(A+N) + H(C+N) - H(N) - H(A+C+N),      I(A;X) = H(A+C+N) - H(C+N),

because given A (or C) the variable X is a shift of C+N (or A+N), and given both a shift of N. With
t = n both A+N and A+C+N are uniform, so that I(A;C|X) = H(C+N) - H(N).

The distribution of a sum is found by counting: C falls on m residues, so that with s = n/t a coset of
the subgroup holds q + 1 classes (r cosets) or q classes (s - r cosets), where m = q s + r.
"""

from __future__ import annotations

import sympy

from theory.predictions.closed_form import ClosedForm, entropy_of

__all__ = ["ModularShiftForm"]

n, classes, shifts = sympy.symbols("n classes shifts", integer=True, positive=True)
noise = sympy.Symbol("noise", nonnegative=True)


class ModularShiftForm(ClosedForm):
    """Closed forms of the modular shift in the symbols `n`, `classes` and `noise`.

    Args:
        all_classes: Whether C is uniform on all of Z_n, so that the symbol `classes` does not appear.
        subgroup: None if A is uniform on Z_n, else the numbers (n, classes, shifts), for which the
            counts of classes in each coset are found.
    """

    variables = ("A", "C", "X")

    def __init__(self, *, all_classes: bool, subgroup: tuple[int, int, int] | None = None) -> None:
        floor = noise / n
        m = n if all_classes else classes
        h_noise = entropy_of((1, 1 - noise + floor), (n - 1, floor))
        h_class = sympy.log(n) if all_classes else entropy_of((m, (1 - noise) / m + floor), (n - m, floor))
        t: sympy.Expr = n
        h_shift: sympy.Expr = sympy.log(n)
        h_both: sympy.Expr = sympy.log(n)
        if subgroup is not None:
            order, count, size = subgroup
            t = shifts
            cosets = order // size
            q, r = divmod(count, cosets)
            h_shift = entropy_of((t, (1 - noise) / t + floor), (n - t, floor))
            h_both = entropy_of(
                (r * t, (1 - noise) * (q + 1) / (m * t) + floor),
                ((cosets - r) * t, (1 - noise) * q / (m * t) + floor),
            )
        a, c = sympy.log(t), sympy.log(m)
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
