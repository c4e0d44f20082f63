"""Families that wrap another one: its exact distribution, its closed form and its names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sympy

from synthetic.generator import FiniteGenerator, Generator, NoExactAnswerError
from theory import Expression, Term, parse_expression
from theory.predictions import ClosedForm
from theory.support import Support

__all__ = ["GeneratorForm", "SubstitutedForm", "fresh", "predict_with", "require_discrete", "support_of"]


def require_discrete(argument: str, base: object, needed: Collection[str] = ("A", "X")) -> Generator:
    """A generator whose variables are all discrete and that has the variables needed.

    Raises:
        TypeError: If it is no generator.
        ValueError: If a variable is not discrete, or one is missing.
    """
    if not isinstance(base, Generator):
        raise TypeError(f"{argument} must be a generator, got {base!r}")
    for v in base.variables:
        if v.kind != "discrete":
            raise ValueError(
                f"{argument} must be a discrete family, and {v.name} of {base.family} is {v.kind}"
            )
    names = [v.name for v in base.variables]
    for name in needed:
        if name not in names:
            raise ValueError(
                f"{argument} must have a variable {name}, and {base.family} has {', '.join(names)}"
            )
    return base


def support_of(base: Generator) -> Support:
    """The states of positive probability of a discrete generator."""
    return base.support if isinstance(base, FiniteGenerator) else Support.from_joint(base.joint())


def fresh(name: str, taken: Iterable[str]) -> str:
    """The name itself, or with the first number that is free: Y, Y2, Y3, .."""
    used = set(taken)
    number = 2
    result = name
    while result in used:
        result = f"{name}{number}"
        number += 1
    return result


class GeneratorForm(ClosedForm):
    """The closed form of a generator, as far as it predicts entropies.

    Args:
        generator: The generator.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.variables = tuple(v.name for v in generator.variables)
        self._known: dict[frozenset[str], sympy.Expr] = {frozenset(): sympy.Integer(0)}

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        if variables not in self._known:
            self._known[variables] = self.generator.predict(Term((tuple(sorted(variables)),)))
        return self._known[variables]


class SubstitutedForm(ClosedForm):
    """A closed form with its symbols replaced.

    Args:
        base: The closed form.
        values: The replacement of each symbol.
    """

    def __init__(self, base: ClosedForm, values: Mapping[sympy.Symbol, sympy.Expr]) -> None:
        self.base = base
        self.values = dict(values)
        self.variables = base.variables

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        return self.base.entropy(variables).subs(self.values, simultaneous=True)


def predict_with(form: ClosedForm, generator: Generator, expression: str | Term | Expression) -> sympy.Expr:
    """The prediction of a form, which may lack some of the generator's variables.

    Raises:
        NoExactAnswerError: If the generator has a variable that the form lacks.
        ValueError: If the generator has no such variable.
    """
    parsed = parse_expression(expression)
    known = [v.name for v in generator.variables]
    for variable in parsed.variables:
        if variable not in known:
            raise ValueError(f"unknown variable {variable!r}: {generator.family} has {', '.join(known)}")
        if variable not in form.variables:
            raise NoExactAnswerError(
                f"{generator.family} has no closed form with {variable}, only its exact value"
            )
    return form.predict(parsed)
