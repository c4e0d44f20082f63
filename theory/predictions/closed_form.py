"""Closed forms: a family's joint entropies in sympy, and every information quantity from them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import sympy

from theory.expressions import Expression, Term
from theory.parser import parse_expression

__all__ = ["ClosedForm", "entropy_of"]


class ClosedForm(ABC):
    """A family that knows the joint entropy of any set of its variables as a sympy expression."""

    variables: tuple[str, ...]

    @abstractmethod
    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """Any linear combination of information terms, in nats.

        Raises:
            ValueError: If it names a variable that the family does not have.
        """
        form = parse_expression(expression)
        for variable in form.variables:
            if variable not in self.variables:
                raise ValueError(
                    f"unknown variable {variable!r}: the closed form has {', '.join(self.variables)}"
                )
        parts = [
            sympy.Rational(c.numerator, c.denominator) * self.entropy(subset)
            for subset, c in form.entropies().items()
        ]
        return sympy.expand(sympy.Add(*parts))


def entropy_of(*blocks: tuple[sympy.Expr | int, sympy.Expr]) -> sympy.Expr:
    """Entropy of a distribution with `count` states of probability `p` for each block (count, p).

    The convention 0 log 0 = 0 holds also when a block's count or probability becomes zero by
    substitution.
    """
    parts = []
    for count, p in blocks:
        p = sympy.sympify(p)
        if p == 0 or count == 0:
            continue
        surprise = -count * p * sympy.log(p)
        parts.append(surprise if p.is_number else sympy.Piecewise((surprise, p > 0), (0, True)))
    return sympy.Add(*parts)
