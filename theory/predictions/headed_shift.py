r"""The headed shift: `X = A + C + N mod n`, encoder `H = X mod d`, projection head `Z = H mod k`, k | d | n.

H is the reduced shift of X modulo d. As k divides d, Z = X mod k, the reduced shift modulo k. H adds nothing
to X, and Z nothing to H.

Example:
    >>> form = HeadedShiftForm(n=6, classes=2, shifts=2, encoder=6, head=2)
    >>> values = {**dict(zip(form.symbols, (6, 2, 2, 6, 2))), noise: 0}
    >>> print(form.predict("I(A;C|Z) - I(A;C|H)").subs(values).evalf(6))
    0.693147
"""

from __future__ import annotations

import sympy

from theory.predictions import modular_shift
from theory.predictions.closed_form import ClosedForm
from theory.predictions.modular_shift import noise
from theory.predictions.reduced_shift import ReducedShiftForm, modulus

__all__ = ["HeadedShiftForm", "encoder", "head", "noise"]

encoder, head = sympy.symbols("encoder head", integer=True, positive=True)
"""The states that the encoder and the head keep."""


class HeadedShiftForm(ClosedForm):
    """Closed forms in the symbols `n`, `classes`, `shifts`, `encoder`, `head` and `noise`.

    Args:
        n: The number of states of X.
        classes: The number of classes, at most `head`.
        shifts: The number of transformations, a divisor of n.
        encoder: The number of states of H, a divisor of n.
        head: The number of states of Z, a divisor of `encoder`.

    Raises:
        ValueError: If a number does not divide what it should, or there are more classes than `head`.
    """

    variables = ("A", "C", "X", "H", "Z")
    symbols = (modular_shift.n, modular_shift.classes, modular_shift.shifts, encoder, head)

    def __init__(self, *, n: int, classes: int, shifts: int, encoder: int, head: int) -> None:
        if encoder % head:
            raise ValueError(f"head must divide encoder={encoder}, got {head}")
        self._encoded = ReducedShiftForm(n=n, classes=classes, shifts=shifts, modulus=encoder)
        self._projected = ReducedShiftForm(n=n, classes=classes, shifts=shifts, modulus=head)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        latents = variables - {"H", "Z"}
        if "X" in variables or not variables & {"H", "Z"}:
            return self._encoded.entropy(latents)
        if "H" in variables:
            return self._encoded.entropy(latents | {"Z"}).subs(modulus, encoder)
        return self._projected.entropy(latents | {"Z"}).subs(modulus, head)
