r"""Watermark: a shortcut that shows A with probability g, independently of everything.

The watermarked input is X' = (X, M) with M = A with probability g and blank else. For any set W

    H(W, X') = h(g) + (1-g) H(W, X) + g H(W, X, A),

and with it

    I(A;C|X') = (1-g) I(A;C|X),          d/dg I(A;C|X') = - I(A;C|X) <= 0,

because I(A;C|X,A) = 0: where the watermark shows, nothing is left to explain. `synergy_slope` carries
this out on a family whose eight joint entropies are free symbols, so that it holds for every distribution,
and the sign is then one elemental Shannon inequality. It is strict wherever the synergy is positive.

Example:
    >>> from theory.predictions import ModularShiftForm
    >>> from theory.predictions.modular_shift import noise
    >>> shift = ModularShiftForm(all_classes=True)
    >>> print(WatermarkedForm(shift).predict("I(A;C|X)").subs(noise, 0).factor())
    -(strength - 1)*log(n)
"""

from __future__ import annotations

import sympy

from theory.predictions.closed_form import ClosedForm, Number, as_probability, binary_entropy

__all__ = ["FreeForm", "WatermarkedForm", "strength", "synergy_slope"]

strength = sympy.Symbol("strength", nonnegative=True)
"""The probability that the watermark shows."""


class WatermarkedForm(ClosedForm):
    """Any family whose input shows another variable with probability g.

    Args:
        base: The family.
        probability: The strength g, a number or a symbol; by default the symbol `strength`.
        variable: The variable that carries the watermark.
        mark: The variable that it shows.

    Raises:
        ValueError: If the family lacks a variable or g is not a probability.
    """

    def __init__(
        self, base: ClosedForm, probability: Number = strength, *, variable: str = "X", mark: str = "A"
    ) -> None:
        for name in (variable, mark):
            if name not in base.variables:
                raise ValueError(
                    f"unknown variable {name!r}: the closed form has {', '.join(base.variables)}"
                )
        self.base = base
        self.probability = as_probability(probability, "probability")
        self.variable = variable
        self.mark = mark
        self.variables = base.variables

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        whole = self.base.entropy(variables)
        if self.variable not in variables:
            return whole
        g = self.probability
        return binary_entropy(g) + (1 - g) * whole + g * self.base.entropy(variables | {self.mark})


class FreeForm(ClosedForm):
    """A family whose joint entropies are free symbols: what holds for it holds for every distribution.

    Args:
        variables: The variables; the entropy of the set {A, X} is the symbol H_AX.
        prefix: The letter before the underscore.
    """

    def __init__(self, *variables: str, prefix: str = "H") -> None:
        self.variables = variables
        self.prefix = prefix

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        name = f"{self.prefix}_{''.join(sorted(variables))}"
        return sympy.Symbol(name) if variables else sympy.Integer(0)


def synergy_slope() -> tuple[sympy.Expr, sympy.Expr]:
    """The slope of the synergy in the strength, and the inequality that gives its sign.

    Returns:
        d/dg I(A;C|X') for free joint entropies, and -I(A;C|X) of the family without watermark. The two
        are the same expression, and the second is at most 0 for every distribution.
    """
    free = FreeForm("A", "C", "X")
    slope = sympy.diff(WatermarkedForm(free).predict("I(A;C|X)"), strength)
    return sympy.expand(slope), free.predict("-I(A;C|X)")
