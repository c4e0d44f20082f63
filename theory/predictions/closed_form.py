r"""Closed forms: a family's joint entropies in sympy, and every information quantity from them.

The entropy function \(\eta(p) = -p \log p\), continuous at 0, is a sympy function of its own, so that
closed forms stay readable, can be differentiated, and take the value 0 at both ends by substitution.

Every family has the same few methods, whatever its constructor takes (numbers, or symbols for those that
are to stay open):

    form.variables                      the variables that it knows
    form.predict("I(A;C|X)")            a sympy expression, in nats
    form.latex("I(A;C|X)")              the equation, in LaTeX
    form.function("I(A;C|X)", noise)    a numpy function of the symbols, for sweeps
    form.rename({"A": "B"})             the same family with other names

Example:
    >>> from theory.predictions import ModularShiftForm
    >>> from theory.predictions.modular_shift import n, noise
    >>> shift = ModularShiftForm(all_classes=True)
    >>> print(shift.predict("I(A;C|X)"))
    (1 - n)*eta(noise/n) + log(n) - eta(-noise + 1 + noise/n)
    >>> shift.function("I(A;C|X)", n, noise)(4, 0.1).round(6)
    np.float64(1.037514)
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from theory.expressions import Expression, Term
from theory.parser import parse_expression

__all__ = [
    "ClosedForm",
    "Eta",
    "Number",
    "as_number",
    "as_prior",
    "as_probability",
    "binary_entropy",
    "entropy_of",
    "entropy_of_states",
]

Number: TypeAlias = sympy.Expr | int | float
"""A parameter: a sympy expression, or a number; a float is taken as the decimal that it prints as."""

_SUM_TOLERANCE = 1e-9
"""Numbers of a prior may miss the sum 1 by this, for those that were typed as decimals."""

_MAX_FACTORED = 10**12
"""Logarithms of integers below this are split into those of their prime factors; larger ones take long."""


class Eta(sympy.Function):  # type: ignore[misc]  # sympy has no types
    r"""The entropy function \(\eta(p) = -p \log p\) with \(\eta(0) = 0\); undefined (nan) below 0."""

    nargs = 1

    @classmethod
    def eval(cls, p: sympy.Expr) -> sympy.Expr | None:
        """Evaluate at numbers, and at products of positive integers, which no substitution makes 0."""
        if p.is_zero or p == 1:
            return sympy.Integer(0)
        if p.is_number and p.is_negative:
            return sympy.nan
        counts = not p.is_Add and all(s.is_integer for s in p.free_symbols)
        if p.is_positive and (p.is_number or counts):
            return -p * sympy.expand_log(sympy.log(p))
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        r"""The derivative, \(-\log p - 1\)."""
        return -sympy.log(self.args[0]) - 1

    def _eval_rewrite_as_log(self, p: sympy.Expr, **options: object) -> sympy.Expr:
        return -p * sympy.log(p)

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"eta({printer._print(self.args[0])})"

    def _latex(self, printer: LatexPrinter) -> str:
        return rf"\eta\left({printer._print(self.args[0])}\right)"


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
        return _tidy(sympy.Add(*parts))

    def latex(self, expression: str | Term | Expression) -> str:
        """The equation `expression = closed form` in LaTeX, without dollar signs."""
        form = parse_expression(expression)
        value = self.predict(form)
        words = {s: rf"\mathrm{{{s}}}" for s in value.free_symbols if re.fullmatch("[a-z]{2,}", s.name)}
        return f"{form.latex()} = {sympy.latex(value, symbol_names=words)}"

    def function(
        self, expression: str | Term | Expression, *symbols: sympy.Symbol
    ) -> Callable[..., npt.NDArray[np.float64]]:
        """The closed form as a numpy function of the symbols, elementwise with broadcasting.

        Raises:
            ValueError: If the closed form has symbols that are not among the arguments.
        """
        from scipy.special import entr

        value = self.predict(expression)
        missing = value.free_symbols - set(symbols)
        if missing:
            names = ", ".join(sorted(map(str, missing)))
            raise ValueError(f"{expression} depends on {names} too, got only {symbols}")
        vectorised = sympy.lambdify(symbols, value, modules=[{"Eta": entr, "eta": entr}, "numpy"])

        def evaluate(*values: npt.ArrayLike) -> npt.NDArray[np.float64]:
            arrays = [np.asarray(v, dtype=np.float64) for v in values]
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
            return np.asarray(vectorised(*arrays) + np.zeros(shape))[()]

        return evaluate

    def rename(self, names: Mapping[str, str]) -> ClosedForm:
        """The same family with variables renamed.

        Raises:
            ValueError: If a variable is unknown or two get the same name.
        """
        return _Renamed(self, names)


class _Renamed(ClosedForm):
    def __init__(self, base: ClosedForm, names: Mapping[str, str]) -> None:
        for old in names:
            if old not in base.variables:
                raise ValueError(f"unknown variable {old!r}: the closed form has {', '.join(base.variables)}")
        self._base = base
        self.variables = tuple(names.get(v, v) for v in base.variables)
        if len(set(self.variables)) != len(self.variables):
            raise ValueError(f"variables must keep different names, got {self.variables}")
        self._old = dict(zip(self.variables, base.variables, strict=True))

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        return self._base.entropy(frozenset(self._old[v] for v in variables))


@lru_cache(maxsize=512)
def _tidy(value: sympy.Expr) -> sympy.Expr:
    """Cancel equal terms, with the factors of logarithms and of eta collected."""
    expanded = sympy.expand(value).replace(
        lambda part: (
            isinstance(part, sympy.log) and part.args[0].is_Integer and 0 < part.args[0] < _MAX_FACTORED
        ),
        lambda part: sympy.expand_log(part, factor=True),
    )
    atoms = expanded.atoms(sympy.log, Eta)
    return sympy.collect(expanded, sorted(atoms, key=sympy.default_sort_key)) if atoms else expanded


def as_number(value: Number, name: str) -> sympy.Expr:
    """A parameter as an exact sympy expression; a float is taken as the decimal that it prints as.

    Raises:
        TypeError: If it is not a number or a sympy expression.
    """
    if isinstance(value, sympy.Expr):
        return value
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return sympy.Rational(repr(float(value)))
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return sympy.Integer(int(value))
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return sympy.Rational(value.numerator, value.denominator)
    raise TypeError(f"{name} must be a finite number or a sympy expression, got {value!r}")


def as_probability(value: Number, name: str) -> sympy.Expr:
    """A parameter between 0 and 1; symbols pass.

    Raises:
        ValueError: If it is a number outside [0, 1].
    """
    p = as_number(value, name)
    if p.is_number and not 0 <= p <= 1:
        raise ValueError(f"{name} must be a probability, got {value}")
    return p


def as_prior(values: Iterable[Number] | None, size: int, name: str) -> tuple[sympy.Expr, ...]:
    """A distribution on `size` states, by default the uniform one; entries with symbols pass.

    Raises:
        ValueError: If the length differs, an entry is negative or the numbers do not sum to one.
    """
    if values is None:
        return (sympy.Rational(1, size),) * size
    prior = tuple(as_number(v, name) for v in values)
    if len(prior) != size:
        raise ValueError(f"{name} needs {size} probabilities, got {len(prior)}")
    if any(p.is_negative for p in prior):
        raise ValueError(f"{name} must not be negative, got {[str(p) for p in prior]}")
    total = sympy.Add(*prior)
    if total.is_number and abs(float(total) - 1) > _SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1, got {float(total)}")
    return prior


def entropy_of(*blocks: tuple[sympy.Expr | int, sympy.Expr]) -> sympy.Expr:
    """Entropy of a distribution with `count` states of probability `p` for each block (count, p).

    The convention 0 log 0 = 0 holds also when a block's count or probability becomes zero by
    substitution.
    """
    return sympy.Add(*(count * Eta(p) for count, p in blocks if count != 0))


def entropy_of_states(probabilities: Sequence[sympy.Expr]) -> sympy.Expr:
    """Entropy of a distribution given state by state, equal probabilities counted together."""
    counts: dict[sympy.Expr, int] = {}
    for p in probabilities:
        key = sympy.expand(p)
        counts[key] = counts.get(key, 0) + 1
    return entropy_of(*((count, p) for p, count in counts.items()))


def binary_entropy(p: Number) -> sympy.Expr:
    """The entropy of a coin that shows heads with probability p."""
    chance = as_probability(p, "p")
    return entropy_of((1, chance), (1, 1 - chance))
