"""Exact signs: is a combination of entropies of a rational distribution positive, zero or negative?

With every probability an integer a over a common denominator D, an entropy is log D - (1/D) sum a log a.
A rational combination of entropies is therefore, up to a positive factor, a sum of integers times
logarithms of integers. Correctly rounded decimal logarithms, with the rounding error bounded in exact
arithmetic, decide its sign unless it is very small or zero. Then the integers are written as products of
pairwise coprime ones, whose logarithms are linearly independent over the rationals by unique
factorisation: the sum is zero exactly when every coefficient is, and if not, more digits decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theory.diagrams import Diagram
from theory.expressions import Entropies, Relation
from theory.joints import Joint

__all__ = ["Proposal", "WeightedStates", "holds", "off_diagram"]

_DIGITS = 30
"""Logarithms are first computed to so many decimal digits, which nearly always decides a sign."""


class WeightedStates:
    """A distribution as its states of positive probability, with integer weights over a common denominator.

    Args:
        names: The variables.
        states: Distinct states, one tuple for each.
        weights: Their positive weights; the denominator is the sum.
    """

    def __init__(
        self, names: Sequence[str], states: Sequence[tuple[int, ...]], weights: Sequence[int]
    ) -> None:
        self.names = tuple(names)
        self.states = list(states)
        self.weights = list(weights)
        self.denominator = sum(self.weights)

    @classmethod
    def of(cls, joint: Joint) -> WeightedStates:
        """The states of an exact joint that have positive probability.

        Raises:
            ValueError: If the probabilities are floating point.
        """
        table = joint.probabilities
        if table.dtype != object:
            raise ValueError("an exact check needs a joint of Fractions, got floating-point probabilities")
        where = [tuple(map(int, index)) for index in np.argwhere(table != 0)]
        values = [Fraction(table[index]) for index in where]
        denominator = lcm(*(p.denominator for p in values))
        return cls(joint.names, where, [int(p * denominator) for p in values])

    @classmethod
    def uniform(cls, names: Sequence[str], outcomes: npt.NDArray[np.int64]) -> WeightedStates:
        """Equally likely outcomes, an array of shape (outcomes, variables); states are relabelled 0, 1, .."""
        columns = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in outcomes.T]
        states, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
        return cls(names, [tuple(map(int, state)) for state in states], [int(c) for c in counts])

    def product(self, other: WeightedStates) -> WeightedStates:
        """The product of two independent distributions: every variable becomes a pair, entropies add up.

        A homogeneous linear relation between entropies that both satisfy holds for the product too. So do
        independences and functions.
        """
        axes = [other.names.index(name) for name in self.names]
        sizes = other.shape(self.names)
        states, weights = [], []
        for state, weight in zip(self.states, self.weights, strict=True):
            for second, factor in zip(other.states, other.weights, strict=True):
                pairs = zip(state, axes, sizes, strict=True)
                states.append(tuple(x * size + second[axis] for x, axis, size in pairs))
                weights.append(weight * factor)
        columns = [
            np.unique([state[i] for state in states], return_inverse=True)[1] for i in range(len(axes))
        ]
        packed = np.stack([column.reshape(-1) for column in columns], axis=1)
        return WeightedStates(self.names, [tuple(map(int, row)) for row in packed], weights)

    def shape(self, names: Sequence[str]) -> tuple[int, ...]:
        """The number of states of some variables."""
        return tuple(max(state[self.names.index(n)] for state in self.states) + 1 for n in names)

    def joint(self, names: Sequence[str]) -> Joint:
        """The exact joint of some variables."""
        table = np.full(self.shape(names), Fraction(0), dtype=object)
        axes = [self.names.index(n) for n in names]
        for state, weight in zip(self.states, self.weights, strict=True):
            index = tuple(state[axis] for axis in axes)
            table[index] = table[index] + Fraction(weight, self.denominator)
        return Joint(tuple(names), table)

    def marginal(self, names: frozenset[str]) -> dict[tuple[int, ...], int]:
        """The integer weights of the states of some variables."""
        axes = [i for i, name in enumerate(self.names) if name in names]
        total: dict[tuple[int, ...], int] = {}
        for state, weight in zip(self.states, self.weights, strict=True):
            key = tuple(state[axis] for axis in axes)
            total[key] = total.get(key, 0) + weight
        return total

    def sign(self, entropies: Entropies) -> int:
        """The sign of sum c H(set)."""
        if not entropies:
            return 0
        scale = lcm(*(c.denominator for c in entropies.values()))
        logs: dict[int, int] = {}
        for subset, coefficient in entropies.items():
            factor = int(coefficient * scale)
            logs[self.denominator] = logs.get(self.denominator, 0) + factor * self.denominator
            for weight in self.marginal(subset).values():
                logs[weight] = logs.get(weight, 0) - factor * weight
        return _sign_of_logs(logs)

    def independent(self, left: str, right: frozenset[str], given: frozenset[str]) -> bool:
        """Whether I(left; right | given) is exactly 0."""
        own = frozenset({left})
        names = [n for n in self.names if n in own | right | given]
        both = self.marginal(own | right | given)
        with_given, others, base = (self.marginal(s) for s in (own | given, right | given, given))

        def pick(state: tuple[int, ...], chosen: frozenset[str]) -> tuple[int, ...]:
            return tuple(x for x, n in zip(state, names, strict=True) if n in chosen)

        for state, weight in both.items():
            product = with_given[pick(state, own | given)] * others[pick(state, right | given)]
            if weight * base[pick(state, given)] != product:
                return False
        pairs: dict[tuple[int, ...], list[int]] = {key: [0, 0] for key in base}
        for side, chosen in enumerate((own | given, right | given)):
            kept = [n for n in self.names if n in chosen]
            for state in (with_given, others)[side]:
                key = tuple(x for x, n in zip(state, kept, strict=True) if n in given)
                pairs[key][side] += 1
        return sum(a * b for a, b in pairs.values()) == len(both)

    def determined(self, target: str, source: frozenset[str]) -> bool:
        """Whether `target` is exactly a function of `source`."""
        return len(self.marginal(source | {target})) == len(self.marginal(source))


def _coprime(numbers: Iterable[int]) -> list[int]:
    """Pairwise coprime integers above 1 of which all the numbers are products; nothing is factored."""
    basis: list[int] = []
    waiting = [n for n in numbers if n > 1]
    while waiting:
        number = waiting.pop()
        for i, other in enumerate(basis):
            shared = gcd(number, other)
            if shared > 1:
                basis.pop(i)
                waiting += [n for n in (shared, other // shared, number // shared) if n > 1]
                break
        else:
            basis.append(number)
    return basis


def _bounded_sign(logs: Mapping[int, int], digits: int) -> int:
    """The sign of sum m log n if so many digits decide it, else 0."""
    context = Context(prec=digits)
    value = error = Fraction(0)
    for number, multiple in logs.items():
        logarithm = context.create_decimal(number).ln(context) if number < 10**digits else None
        if logarithm is None:
            return 0
        value += multiple * Fraction(logarithm)
        error += abs(multiple) * Fraction(10) ** (logarithm.adjusted() + 1 - digits)
    return 0 if abs(value) <= error else 1 if value > 0 else -1


def _sign_of_logs(logs: Mapping[int, int]) -> int:
    """The sign of sum m log n over positive integers n, exact."""
    logs = {number: multiple for number, multiple in logs.items() if number > 1 and multiple}
    sign = _bounded_sign(logs, _DIGITS)
    if sign or not logs:
        return sign
    multiples: dict[int, int] = {}
    for base in _coprime(logs):
        multiples[base] = 0
        for number, multiple in logs.items():
            while number % base == 0:
                number //= base
                multiples[base] += multiple
    remaining = {base: multiple for base, multiple in multiples.items() if multiple}
    if not remaining:
        return 0
    digits = _DIGITS
    while True:
        digits *= 2
        sign = _bounded_sign(remaining, digits)
        if sign:
            return sign


class Proposal(NamedTuple):
    """A distribution that a search proposes, and what it is in one line."""

    distribution: WeightedStates
    description: str


def holds(distribution: WeightedStates, relation: Relation) -> bool:
    """Whether a relation is exactly true of a distribution."""
    sign = distribution.sign(relation.gap.entropies())
    if relation.operator == "==":
        return sign == 0
    return sign > 0 if relation.strict else sign >= 0


def off_diagram(distribution: WeightedStates, diagram: Diagram) -> str | None:
    """Why a distribution of an ancestral set of variables is not on a diagram, or None if it is.

    Each variable must be independent of those before it in `diagram.order` given its parents, which is
    equivalent to factorising on the diagram, and each deterministic one a function of its parents.
    """
    present = [v for v in diagram.order if v in distribution.names]
    for position, v in enumerate(present):
        parents = frozenset(diagram.parents(v))
        if not parents <= set(present):
            return f"{v} is there without its parents"
        before = frozenset(present[:position]) - parents
        if before and not distribution.independent(v, before, parents):
            return f"{v} is not independent of {', '.join(sorted(before))} given its parents"
        if v in diagram.deterministic and not distribution.determined(v, parents):
            return f"{v} is not a function of its parents"
    return None
