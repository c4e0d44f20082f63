"""Exact joints: a named finite distribution that knows every information quantity of its variables.

Probabilities are float64, or `fractions.Fraction` objects for witnesses that are checked exactly.
Quantities are in nats.

With float64, H(S) is within `u ((1 + H) a + (20 + log2 n) H)` of the entropy of the very numbers of a table.
Here u is 2^-53, n the number of states of S, and a the sum of the numbers of states of the variables that
are summed out. The first term is the rounding of the marginals: a sum of k numbers that are not negative is
within k u of itself, and -p log p moves by |1 + log p| times that. The second is that of the logarithms and
of their pairwise sum. It holds for probabilities down to 1e-300, and adds up over the entropies of a term.

Example:
    >>> xor = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a ^ c})
    >>> round(xor.value("I(A;C|X)"), 6), round(xor.value("I(A;C)"), 6)
    (0.693147, 0.0)
    >>> xor.to_fractions().symbolic("I(A;C|X)")
    log(2)
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from fractions import Fraction
from functools import lru_cache
from itertools import product
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from theory.checks import SUM_TOLERANCE, array, distributions, integer
from theory.errors import shown
from theory.expressions import Expression, Term
from theory.names import variable_names
from theory.parser import parse_expression

if TYPE_CHECKING:
    import pandas as pd
    import sympy

__all__ = ["Joint", "frozen", "surprisals"]

_ROUNDING = 1e-12
"""How far from a fraction a float may be that stands for it."""

_MAX_LATTICE = 2**27
"""The largest number of cells of a table of all marginals."""

_MAX_STATE = 2**53
"""The numbers of states are smaller; no table is so long."""

_MAX_DIGITS = 40
"""The longest number that is factored."""

_MAX_SHOWN = 4096
"""The largest table that is shown."""


class Joint:
    """A joint distribution of named finite variables.

    Args:
        names: The variables, one for each axis, as names or one text with commas.
        probabilities: Array of shape (k_1, .., k_n), non-negative, summing to one. An object array of
            Fractions is kept exact; everything else becomes float64. The joint keeps a copy of its own.

    Raises:
        ValueError: If a name repeats, the number of axes differs from the number of names, or the
            probabilities are negative, masked, not finite, or do not sum to one within 1e-9.
        TypeError: If a name is no text, the probabilities are text or complex, or an object array holds
            anything but Fractions and integers.
    """

    def __init__(self, names: str | Sequence[str], probabilities: npt.ArrayLike) -> None:
        table = frozen("probabilities", probabilities)
        names = variable_names("names", names)
        if len(set(names)) != len(names):
            raise ValueError(f"variable names must differ, got {names}")
        if table.ndim != len(names):
            raise ValueError(
                f"probabilities of shape {table.shape} have {table.ndim} axes for {len(names)} "
                f"variables {names}"
            )
        if table.dtype == object:
            if any(p < 0 for p in table.flat):
                raise ValueError(f"probabilities must not be negative, got {min(table.flat)}")
            if sum(table.flat) != 1:
                raise ValueError(f"probabilities must sum to 1, got {sum(table.flat)}")
        else:
            if not np.isfinite(table).all():
                raise ValueError("probabilities must be finite, got NaN or infinity")
            if table.size and table.min() < 0:
                raise ValueError(f"probabilities must not be negative, got {table.min()}")
            if abs(table.sum() - 1) > SUM_TOLERANCE:
                raise ValueError(f"probabilities must sum to 1, got {table.sum()}")
        self.names = names
        self.probabilities = table
        self._entropies: dict[frozenset[str], float] = {frozenset(): 0.0}

    @classmethod
    def from_function(
        cls,
        names: str | Sequence[str],
        cardinalities: Sequence[int],
        functions: Mapping[str, Callable[..., int]],
    ) -> Joint:
        """Independent uniform variables and functions of them.

        Args:
            names: The independent uniform variables, as names or one text with commas.
            cardinalities: Their numbers of states.
            functions: For each further variable a function of all the independent ones, in their order, with
                values 0, 1, ..

        Raises:
            ValueError: If a value is negative or no integer, a cardinality is not positive, or the table
                would not fit, which is found before a function is called.
            TypeError: If a value or a cardinality is no number, or a function does not take one argument for
                each of the names.
        """
        names = variable_names("names", names)
        if not isinstance(functions, Mapping):
            raise TypeError(f"functions must be a mapping from names to functions, got {shown(functions)}")
        if not isinstance(cardinalities, Sized) or len(names) != len(cardinalities):
            raise ValueError(
                f"cardinalities must give one number for each of {tuple(names)}, got {cardinalities}"
            )
        sizes = [integer(f"the cardinality of {n}", k, 1) for n, k in zip(names, cardinalities, strict=True)]
        count = math.prod(sizes)
        if count > _MAX_LATTICE:
            raise ValueError(
                f"the joint of {', '.join(names)} has {shown(count)} states, more than {_MAX_LATTICE}: take "
                "smaller cardinalities"
            )
        for name, function in functions.items():
            _require_arguments(name, function, names)
        shape, cells = sizes, np.arange(count)  # the cell of each state in the table so far
        for name, function in functions.items():
            states = product(*map(range, sizes))
            values = np.fromiter((_state(name, s, function(*s)) for s in states), np.int64, count)
            shape = [*shape, int(values.max()) + 1]
            if math.prod(shape) > _MAX_LATTICE:
                raise ValueError(
                    f"the joint of {', '.join([*names, *functions])} needs {math.prod(shape)} cells or more, "
                    f"at most {_MAX_LATTICE} fit: number the values of each function 0, 1, .. without gaps"
                )
            cells = cells * shape[-1] + values
        table = np.zeros(math.prod(shape))
        table[cells] = 1 / count
        return cls((*names, *functions), table.reshape(shape))

    @property
    def cardinalities(self) -> dict[str, int]:
        """The number of states of each variable."""
        return dict(zip(self.names, self.probabilities.shape, strict=True))

    def axes(self, variables: str | Iterable[str]) -> tuple[int, ...]:
        """The axis of each variable; a ValueError names one that is unknown."""
        found = []
        for variable in variable_names("variables", variables):
            if variable not in self.names:
                raise ValueError(f"unknown variable {variable!r}: the joint has {', '.join(self.names)}")
            found.append(self.names.index(variable))
        return tuple(found)

    def entropy(self, variables: str | Collection[str]) -> float:
        """Joint entropy H(variables) = - sum p log p in nats.

        Raises:
            ValueError: If a variable is unknown.
            TypeError: If they are no names.
        """
        known = isinstance(variables, frozenset)
        key = frozenset(variables) if known else frozenset(variable_names("variables", variables))
        if key not in self._entropies:
            self._entropies[key] = _entropy(self._summed(key))
        return self._entropies[key]

    def entropies(self) -> dict[frozenset[str], float]:
        """The joint entropies of all 2^n subsets of the variables, in nats.

        Each axis gets one more slot with the sum over it, so that all marginals lie in one array; p log p of
        that array, folded back axis by axis, gives all entropies in a few passes over prod(k_i + 1) cells.

        Raises:
            ValueError: If that array would not fit.
        """
        cells = int(np.prod([k + 1 for k in self.probabilities.shape], dtype=object))
        if cells > _MAX_LATTICE:
            raise ValueError(
                f"all entropies of {self!r} need {cells} cells ({8 * cells / 2**30:.1f} GiB), more than "
                f"{_MAX_LATTICE}: ask for single terms, or for a marginal"
            )
        shape = self.probabilities.shape
        states = tuple(slice(0, k) for k in shape)
        table = np.empty([k + 1 for k in shape])
        table[states] = self.probabilities
        for axis in reversed(range(len(shape))):  # last ones first: what is summed stays contiguous
            slots = np.moveaxis(table[states[:axis]], axis, 0)
            np.add.reduce(slots[:-1], axis=0, out=slots[-1])
        table = surprisals(table)
        for k in shape:  # each fold moves the first axis last, so that all come round in order
            slots = table.reshape(k + 1, -1)
            table = np.empty((slots.shape[1], 2))  # (other axes, kept or summed)
            np.add.reduce(slots[:-1], axis=0, out=table[:, 0])
            table[:, 1] = slots[-1]
        subsets = [frozenset[str]()]
        for name in reversed(self.names):  # C order: the first axis varies slowest, slot 0 is "kept"
            subsets = [s | {name} for s in subsets] + subsets
        return dict(zip(subsets, table.ravel().tolist(), strict=True))

    def value(self, expression: str | Term | Expression) -> float:
        """The value of a term or linear expression, in nats.

        Raises:
            ParseError: If the text is not an expression.
            TypeError: If it is neither text nor a term or expression.
            ValueError: If it names an unknown variable.
        """
        readable = isinstance(expression, str | Term | Expression)
        variables, coefficients = _plan(expression if readable else parse_expression(expression))
        self.axes(variables)
        if len(coefficients) > 1 and len(variables) < len(self.names):
            missing = [s for s, _ in coefficients if s not in self._entropies]
            if len(missing) > 1:
                small = self._unchecked(self._kept(variables), self._summed(variables))
                self._entropies.update((s, small.entropy(s)) for s in missing)
        return sum((c * self.entropy(s) for s, c in coefficients), 0.0)

    def symbolic(self, expression: str | Term | Expression) -> sympy.Expr:
        """The exact value in nats, a rational combination of logarithms of primes.

        Logarithms of different primes are linearly independent over the rationals, so that two values are
        equal exactly when the expressions are.

        Raises:
            ValueError: If the joint is not exact (see `to_fractions`), a variable is unknown, or a
                numerator or denominator has more than 40 digits.
        """
        import sympy

        if self.probabilities.dtype != object:
            raise ValueError("symbolic values need a joint of Fractions: use to_fractions() first")
        logs: dict[int, Fraction] = {}
        form = parse_expression(expression)
        self.axes(form.variables)
        for subset, coefficient in form.entropies().items():
            for p in map(Fraction, np.atleast_1d(self._summed(subset)).flat):
                for number, sign in ((p.numerator, -1), (p.denominator, 1)) if p else ():
                    logs[number] = logs.get(number, Fraction(0)) + sign * coefficient * p
        primes: dict[int, Fraction] = {}
        for number, coefficient in logs.items():
            if len(str(number)) > _MAX_DIGITS:
                raise ValueError(f"{number} has more than {_MAX_DIGITS} digits: use smaller denominators")
            for prime, power in sympy.factorint(number).items():
                primes[prime] = primes.get(prime, Fraction(0)) + power * coefficient
        return sympy.Add(
            *(sympy.Rational(c.numerator, c.denominator) * sympy.log(q) for q, c in primes.items())
        )

    def to_fractions(self, *, max_denominator: int = 10**6) -> Joint:
        """The joint in Fractions: each probability the nearest one with a small denominator.

        Args:
            max_denominator: The largest denominator.

        Raises:
            ValueError: If a probability is no such fraction within 1e-12, one above 0 would become 0, or they
                do not sum to one.
        """
        if self.probabilities.dtype == object:
            return self
        integer("max_denominator", max_denominator, 1)
        near = [Fraction(float(p)).limit_denominator(max_denominator) for p in self.probabilities.flat]
        for p, fraction in zip(self.probabilities.flat, near, strict=True):
            if (p > 0) != (fraction > 0) or abs(float(fraction) - p) > _ROUNDING:
                raise ValueError(
                    f"{float(p)!r} is no fraction with a denominator up to {max_denominator}, "
                    f"the nearest is {fraction}: raise max_denominator, or pass probabilities as Fractions"
                )
        if sum(near) != 1:
            raise ValueError(
                f"the nearest fractions with denominators up to {max_denominator} sum to {float(sum(near))}: "
                "pass probabilities as Fractions instead"
            )
        table = np.empty(len(near), dtype=object)
        table[:] = near
        return Joint(self.names, table.reshape(self.probabilities.shape))

    def marginal(self, variables: str | Sequence[str]) -> Joint:
        """The distribution of some of the variables, in the order asked for."""
        variables = variable_names("variables", variables)
        keep = self.axes(variables)
        if len(set(keep)) != len(keep):
            raise ValueError(f"variable names must differ, got {tuple(variables)}")
        order = np.argsort(np.argsort(keep))
        return self._unchecked(tuple(variables), np.transpose(self._summed(variables), order))

    def _kept(self, variables: Iterable[str]) -> tuple[str, ...]:
        wanted = set(variables)
        return tuple(name for name in self.names if name in wanted)

    def _summed(self, variables: Iterable[str]) -> npt.NDArray[Any]:
        """The probabilities summed over all other variables, axes in their own order."""
        keep = set(self.axes(variables))
        table = self.probabilities
        done = 0
        for axis in range(len(self.names)):
            if axis not in keep:
                # one axis at a time, first ones first: the rest stays contiguous, which is fastest
                table = np.add.reduce(table, axis=axis - done)
                done += 1
        return np.asarray(table)

    @classmethod
    def _unchecked(cls, names: tuple[str, ...], table: npt.NDArray[Any]) -> Joint:
        joint = cls.__new__(cls)
        table.flags.writeable = False
        joint.names, joint.probabilities = names, table
        joint._entropies = {frozenset(): 0.0}
        return joint

    def condition(self, **states: int) -> Joint:
        """The distribution of the other variables given the states of some.

        Args:
            **states: The state of each variable that is conditioned on, as in `condition(A=0, C=1)`.

        Raises:
            ValueError: If a state does not exist or has probability zero.
            TypeError: If a state is no integer.
        """
        index: list[Any] = [slice(None)] * len(self.names)
        for variable, axis in zip(states, self.axes(states), strict=True):
            given: object = states[variable]
            last = self.probabilities.shape[axis] - 1
            if isinstance(given, bool) or not isinstance(given, Integral):
                raise TypeError(f"{variable} has states 0..{last}, got {shown(given)}, which is no integer")
            index[axis] = state = int(given)
            if not 0 <= state <= last:
                raise ValueError(f"{variable} has states 0..{last}, got {shown(state)}")
        slice_ = self.probabilities[tuple(index)]
        mass = slice_.sum()
        if not mass:
            raise ValueError(f"the condition {states} has probability 0")
        return Joint(tuple(v for v in self.names if v not in states), slice_ / mass)

    def channel(self, source: str | Sequence[str], target: str, kernel: npt.ArrayLike) -> Joint:
        """The joint with one more variable, drawn from `source` through a channel.

        Args:
            source: The input variable or variables of the channel.
            target: The name of the output.
            kernel: p(target | source), of shape (*cardinalities of source, cardinality of target).

        Raises:
            ValueError: If a source is named twice, the target is there already, the shape does not fit, a
                row is not a distribution, or the joint is of Fractions and the kernel is not.
        """
        sources = variable_names("source", source)
        axes = self.axes(sources)
        if len(set(sources)) != len(sources):
            raise ValueError(f"the sources of a channel must differ, got {sources}")
        rows = frozen(f"entries of the kernel of {target}", kernel)
        expected = tuple(self.probabilities.shape[axis] for axis in axes)
        if rows.shape[:-1] != expected:
            raise ValueError(
                f"kernel p({target}|{','.join(sources)}) needs shape {expected} + (k,), got {rows.shape}"
            )
        exact = self.probabilities.dtype == object
        table = rows if exact else rows.astype(np.float64)
        if exact and table.dtype != object:
            if (table % 1).any():
                raise ValueError(
                    f"a joint of Fractions needs a kernel of Fractions or integers, got {table.dtype}"
                )
            table = table.astype(np.int64).astype(object)
        distributions(f"the kernel of {target}", rows)
        order = np.argsort(axes)
        table = np.transpose(table, [*order, len(axes)])
        shape = [k if axis in axes else 1 for axis, k in enumerate(self.probabilities.shape)]
        return Joint(
            (*self.names, target), self.probabilities[..., None] * table.reshape(*shape, table.shape[-1])
        )

    def sample(self, n: int, *, seed: int) -> pd.DataFrame:
        """Draw n independent rows as a table of state numbers.

        Args:
            n: The number of rows.
            seed: Fixes the rows.

        Raises:
            ValueError: If n or the seed is negative.
            TypeError: If one is no integer.
        """
        import pandas as pd

        flat = self.probabilities.astype(np.float64).ravel()
        rng = np.random.default_rng(integer("seed", seed, 0))
        drawn = rng.choice(flat.size, size=integer("n", n, 0), p=flat / flat.sum())
        columns = np.unravel_index(drawn, self.probabilities.shape)
        return pd.DataFrame(dict(zip(self.names, columns, strict=True)))

    def to_pandas(self) -> pd.DataFrame:
        """The states of positive probability, one row each, with a column `probability`."""
        import pandas as pd

        states = [index for index in np.ndindex(*self.probabilities.shape) if self.probabilities[index]]
        frame = pd.DataFrame(states, columns=list(self.names))
        values = np.array([self.probabilities[index] for index in states], self.probabilities.dtype)
        return frame.assign(probability=values)

    def _repr_html_(self) -> str:
        frame = self.to_pandas() if self.probabilities.size <= _MAX_SHOWN else None
        return f"<code>{self!r}</code>" + ("" if frame is None else frame.to_html(index=False))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {k}" for name, k in self.cardinalities.items())
        return f"Joint({sizes})"


def _require_arguments(name: str, function: Callable[..., int], names: Sequence[str]) -> None:
    """Refuse a function that cannot be called with one argument for each of the names."""
    if not callable(function):
        raise TypeError(f"the function of {name} must be callable, got {shown(function)}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a built-in function that does not say
        return
    try:
        signature.bind(*names)
    except TypeError as error:
        raise TypeError(
            f"the function of {name} must take {len(names)} arguments, one for each of {', '.join(names)}: "
            f"it takes {signature} ({error})"
        ) from None


def _state(name: str, state: tuple[int, ...], value: Any) -> int:  # noqa: ANN401  (of a function of the user's)
    """The value of a function as the number of a state."""
    if isinstance(value, np.ndarray | np.bool_) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Real):
        raise TypeError(f"the values of {name} must be states 0, 1, .., got {value!r} at {state}")
    if value < 0 or value % 1 != 0:
        raise ValueError(f"the values of {name} must be states 0, 1, .., got {shown(value)} at {state}")
    if not value < _MAX_STATE:
        raise ValueError(
            f"the values of {name} must be states 0, 1, .. without gaps, got {shown(value)} at {state}"
        )
    return math.floor(float(value))


def frozen(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """A copy of some numbers that nobody can change: what was checked once stays as it was.

    Args:
        name: What to call them in an error.
        values: Real numbers, Fractions, or a tensor of torch, of any shape.

    Raises:
        TypeError: If they are text, complex, no dense tensor, or objects that are neither Fractions nor
            integers.
        ValueError: If entries are masked, or lists differ in length.
    """
    given: Any = values
    if hasattr(given, "detach"):  # a tensor, without importing torch
        try:
            given = given.detach().cpu().resolve_conj().resolve_neg().numpy()
        except (TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise TypeError(f"{name} must be a dense tensor of numbers: {reason}") from None
    table = array(name, given).copy()
    table.flags.writeable = False
    return table


def surprisals(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """-p log p for every entry, 0 at 0."""
    logs = np.where(p > 0, p, 1.0)
    np.log(logs, out=logs)
    logs *= -p
    return logs


def _entropy(table: npt.NDArray[Any]) -> float:
    return float(surprisals(table.astype(np.float64)).sum()) + 0.0


@lru_cache(maxsize=4096)
def _plan(
    expression: str | Term | Expression,
) -> tuple[tuple[str, ...], tuple[tuple[frozenset[str], float], ...]]:
    """The variables of an expression, and the coefficients of its joint entropies."""
    form = parse_expression(expression)
    return form.variables, tuple((subset, float(c)) for subset, c in form.entropies().items())
