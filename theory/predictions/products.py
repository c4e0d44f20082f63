r"""Products: independent factors side by side.

Each variable of a product is the tuple of the variables of that name in the factors, and the factors are
independent, so that joint entropies add up, H(W) = H_1(W_1) + H_2(W_2), and with them every information
term. A factor whose transformation was renamed to B gives two transformations of one image:

    I(A,B;C|X) = I_1(A;C|X) + I_2(B;C|X),      C = (C_1, C_2), X = (X_1, X_2).

A product of groups that act on their own coordinates is the same thing: stabilisers multiply.

Example:
    >>> from theory.predictions import ModularShiftForm
    >>> first = ModularShiftForm(all_classes=True)
    >>> both = ProductForm(first, first.rename({"A": "B"}))
    >>> both.predict("I(A,B;C|X) - I(A;C|X) - I(B;C|X)")
    0
"""

from __future__ import annotations

import sympy

from theory.predictions.closed_form import ClosedForm

__all__ = ["ProductForm"]


class ProductForm(ClosedForm):
    """Independent families, variables of the same name joined.

    Args:
        factors: The families, at least one.

    Raises:
        ValueError: If there is none.
    """

    def __init__(self, *factors: ClosedForm) -> None:
        if not factors:
            raise ValueError("a product needs at least one factor, got none")
        self.factors = factors
        self.variables = tuple(dict.fromkeys(v for factor in factors for v in factor.variables))

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        return sympy.Add(*(f.entropy(variables & frozenset(f.variables)) for f in self.factors))
