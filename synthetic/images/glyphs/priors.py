"""Priors of styles and poses: a few values with probabilities, or a continuous interval.

Every prior turns a uniform number into a draw by its quantile function, on whatever device the uniform
numbers are.

Example:
    >>> import torch
    >>> Choice((0.0, 0.5), (0.25, 0.75)).draw(torch.tensor([0.1, 0.9])).tolist()
    [0, 1]
    >>> Uniform(1.0, 3.0).draw(torch.tensor([0.5])).tolist()
    [2.0]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from theory.checks import distribution, number

__all__ = ["Choice", "Prior", "Triangular", "Uniform", "as_prior"]

Value = float | tuple[float, ...]
"""A number, or a pair of numbers."""


@dataclass(frozen=True)
class Choice:
    """Finitely many values, numbers or pairs of numbers.

    Args:
        values: The values, all different.
        weights: Their probabilities; None for equal ones.

    Raises:
        ValueError: If there is no value, one repeats, or the weights are not a distribution.
    """

    values: tuple[Value, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        values = tuple(_value(v) for v in self.values)
        if not values:
            raise ValueError("values must not be empty, got none")
        if len(set(values)) != len(values):
            raise ValueError(f"values must differ, got {values}")
        object.__setattr__(self, "values", values)
        if self.weights is not None:
            object.__setattr__(self, "weights", distribution("weights", list(self.weights), len(values)))

    @property
    def states(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The probability of each value."""
        return self.weights or (1 / self.states,) * self.states

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest number among the values."""
        numbers = [x for v in self.values for x in (v if isinstance(v, tuple) else (v,))]
        return min(numbers), max(numbers)

    def draw(self, uniform: torch.Tensor) -> torch.Tensor:
        """The number of the value, int64 of the shape of the uniform numbers."""
        if self.states == 1:
            return torch.zeros(uniform.shape, dtype=torch.int64, device=uniform.device)
        return torch.bucketize(uniform, _edges(self.probabilities, uniform.device, uniform.dtype), right=True)

    def at(self, index: torch.Tensor) -> torch.Tensor:
        """The values with these numbers, float32."""
        return _numbers(self.values, index.device)[index]

    def to_dict(self) -> dict[str, Any]:
        """The prior as JSON can hold it."""
        values = [list(v) if isinstance(v, tuple) else v for v in self.values]
        return {"values": values, **({"weights": list(self.weights)} if self.weights else {})}


@lru_cache(maxsize=256)
def _edges(probabilities: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """The uniform numbers at which a choice changes; they go to the device once and not in every draw."""
    return torch.tensor(probabilities[:-1], dtype=torch.float64).cumsum(0).to(device, dtype)


@lru_cache(maxsize=256)
def _numbers(values: tuple[Value, ...], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)


@dataclass(frozen=True)
class Uniform:
    """All numbers from `low` to `high`, equally likely.

    Raises:
        ValueError: If `low` is not below `high`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not number("low", self.low) < number("high", self.high):
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")

    @property
    def states(self) -> None:
        """None: a continuous prior."""
        return

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    def draw(self, uniform: torch.Tensor) -> torch.Tensor:
        """The value, float32."""
        return uniform * (self.high - self.low) + self.low

    def to_dict(self) -> dict[str, Any]:
        """The prior as JSON can hold it."""
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class Triangular:
    """Numbers from `low` to `high` with a density that rises to `mode` and falls again.

    Raises:
        ValueError: If `low <= mode <= high` does not hold or `low` is not below `high`.
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        low, mode, high = (number(k, getattr(self, k)) for k in ("low", "mode", "high"))
        if not (low <= mode <= high and low < high):
            raise ValueError(f"low <= mode <= high and low < high must hold, got {low}, {mode}, {high}")

    @property
    def states(self) -> None:
        """None: a continuous prior."""
        return

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    def draw(self, uniform: torch.Tensor) -> torch.Tensor:
        """The value, float32."""
        width, left = self.high - self.low, self.mode - self.low
        rising = self.low + torch.sqrt(uniform * (width * left))
        falling = self.high - torch.sqrt((1 - uniform) * (width * (self.high - self.mode)))
        return torch.where(uniform * width < left, rising, falling)

    def to_dict(self) -> dict[str, Any]:
        """The prior as JSON can hold it."""
        return {"low": self.low, "mode": self.mode, "high": self.high}


Prior = Choice | Uniform | Triangular
"""Any of the three."""


def as_prior(name: str, spec: object, *, low: float, high: float, pairs: bool = False) -> Prior:
    """A prior, from itself or from plain data.

    Args:
        name: The parameter, for the message.
        spec: A prior; a number (always that value); a list of equally likely values; or a mapping with
            the keys `values` and `weights`, `low` and `high`, or `low`, `mode` and `high`.
        low: The smallest value that makes sense.
        high: The largest.
        pairs: Whether the values are pairs (x, y) of numbers; a continuous prior then draws each of the
            two independently.

    Raises:
        TypeError: If it is none of these.
        ValueError: If it is malformed or leaves the range.
    """
    prior = _parse(name, spec, pairs)
    if isinstance(prior, Choice):
        for value in prior.values:
            if isinstance(value, tuple) != pairs or (isinstance(value, tuple) and len(value) != 2):
                wanted = "pairs (x, y) of numbers" if pairs else "numbers"
                raise ValueError(f"{name} must have values that are {wanted}, got {value!r}")
    least, most = prior.bounds
    if least < low or most > high:
        raise ValueError(f"{name} must stay between {low:g} and {high:g}, got {least:g}..{most:g}")
    return prior


def _parse(name: str, spec: object, pairs: bool) -> Prior:
    if isinstance(spec, (Choice, Uniform, Triangular)):
        return spec
    if isinstance(spec, Mapping):
        kinds: dict[frozenset[str], type[Prior]] = {
            frozenset({"values"}): Choice,
            frozenset({"values", "weights"}): Choice,
            frozenset({"low", "high"}): Uniform,
            frozenset({"low", "mode", "high"}): Triangular,
        }
        kind = kinds.get(frozenset(spec))
        if kind is None:
            raise ValueError(
                f"{name} must have the keys values (and weights), low and high, or low, mode and high; "
                f"got {', '.join(map(str, spec)) or 'none'}"
            )
        options: dict[str, Any] = {k: tuple(v) if isinstance(v, Sequence) else v for k, v in spec.items()}
        try:
            return kind(**options)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{name}: {error}") from None
    if isinstance(spec, (int, float)) and not isinstance(spec, bool):
        return Choice((float(spec),))
    if isinstance(spec, Sequence) and not isinstance(spec, str):
        single = pairs and len(spec) == 2 and all(isinstance(x, (int, float)) for x in spec)
        try:
            return Choice((tuple(spec),) if single else tuple(spec))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{name}: {error}") from None
    raise TypeError(f"{name} must be a number, a list of values or a prior, got {spec!r}")


def _value(value: object) -> Value:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(number("value", x) for x in value)
    single = number("value", value)
    return 0.0 if single == 0 and math.copysign(1, single) < 0 else single
