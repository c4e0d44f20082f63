r"""Erasure: X is replaced by a blank with probability d, independently of everything.

Whether X was erased is visible, so for any set W of other variables

    H(W, X') = h(d) + (1-d) H(W, X) + d H(W),

with h the binary entropy. The h(d) cancels in every conditional information, which leaves

    I(A;C|X') = (1-d) I(A;C|X) + d I(A;C),    I(A;X') = (1-d) I(A;X),    H(A|X') = (1-d) H(A|X) + d H(A).

With A and C independent, erasing multiplies the synergy by 1 - d while H(A|X) grows: a lossy
transformation is necessary for synergy, not sufficient.

Example:
    >>> from theory.predictions import ModularShiftForm
    >>> shift = ModularShiftForm(all_classes=True)
    >>> ratio = ErasedForm(shift).predict("I(A;C|X)") / shift.predict("I(A;C|X)")
    >>> print(ratio.simplify())
    1 - erasure
"""

from __future__ import annotations

import sympy

from theory.predictions.closed_form import ClosedForm, Number, as_probability, binary_entropy

__all__ = ["ErasedForm", "erasure"]

erasure = sympy.Symbol("erasure", nonnegative=True)
"""The probability of erasure."""


class ErasedForm(ClosedForm):
    """Any family with one variable erased.

    Args:
        base: The family.
        probability: The probability d of erasure, a number or a symbol; by default the symbol `erasure`.
        variable: The variable that is erased.

    Raises:
        ValueError: If the family lacks the variable or d is not a probability.
    """

    def __init__(self, base: ClosedForm, probability: Number = erasure, *, variable: str = "X") -> None:
        if variable not in base.variables:
            raise ValueError(
                f"unknown variable {variable!r}: the closed form has {', '.join(base.variables)}"
            )
        self.base = base
        self.probability = as_probability(probability, "probability")
        self.variable = variable
        self.variables = base.variables

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        whole = self.base.entropy(variables)
        if self.variable not in variables:
            return whole
        d = self.probability
        rest = self.base.entropy(variables - {self.variable})
        return binary_entropy(d) + (1 - d) * whole + d * rest
