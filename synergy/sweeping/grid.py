"""The cells of a sweep: settings of the parameters, each with every seed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from synergy.sweeping.plain import plain, to_text
from theory.checks import integer

__all__ = ["Cell", "Cells", "Grid"]

Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | pd.DataFrame
"""Lists of values by parameter, of which all combinations are run; or one setting after the other."""


@dataclass(frozen=True)
class Cell:
    """One run of the function.

    Args:
        parameters: What it is called with, beside the seed.
        seed: The seed.
        text: The parameters as JSON.
    """

    parameters: Mapping[str, Any]
    seed: int
    text: str

    @property
    def key(self) -> str:
        """What tells this cell from every other one: 24 hexadecimal digits."""
        return hashlib.sha256(f"{self.text} {self.seed}".encode()).hexdigest()[:24]


class Cells:
    """All cells of a grid with all seeds, made one by one, in the order of the grid.

    Args:
        grid: Lists of values by parameter, a list of settings, or a frame with a setting in each row.
        seeds: How many seeds, from 0; or the seeds.

    Raises:
        TypeError: If the grid is something else, or a value cannot be told in JSON.
        ValueError: If it is empty, a cell or a seed comes twice, or a setting has other parameters than the
            first.

    Example:
        >>> [(cell.parameters, cell.seed) for cell in Cells({"n": [2, 3]}, 2)][:3]
        [({'n': 2}, 0), ({'n': 2}, 1), ({'n': 3}, 0)]
    """

    def __init__(self, grid: Grid, seeds: int | Sequence[int]) -> None:
        self.seeds = _seeds(seeds)
        self._axes: dict[str, list[tuple[Any, str]]] | None = None
        self._rows: list[tuple[dict[str, Any], str]] = []
        if isinstance(grid, pd.DataFrame):
            grid = [{str(name): _item(value) for name, value in row.items()} for row in _records(grid)]
        if isinstance(grid, Mapping):
            self._axes = {_name(name): _axis(name, values) for name, values in grid.items()}
            self.names = tuple(self._axes)
            self.settings = prod(map(len, self._axes.values()))
        elif isinstance(grid, list | tuple):
            self._rows = list(_settings(grid))
            self.names = tuple(self._rows[0][0])
            self.settings = len(self._rows)
        else:
            raise TypeError(
                f"grid must be a dict of lists, a list of dicts or a DataFrame, got {type(grid).__name__}"
            )

    def __len__(self) -> int:
        return self.settings * len(self.seeds)

    def __iter__(self) -> Iterator[Cell]:
        for parameters, text in self._all():
            for seed in self.seeds:
                yield Cell(parameters, seed, text)

    def _all(self) -> Iterator[tuple[dict[str, Any], str]]:
        if self._axes is None:
            yield from self._rows
            return
        order = sorted(self.names)
        for values in product(*self._axes.values()):
            found = dict(zip(self.names, values, strict=True))
            text = ",".join(f"{to_text(name)}:{found[name][1]}" for name in order)
            yield {name: value for name, (value, _) in found.items()}, f"{{{text}}}"

    def check(self, function: Callable[..., Any]) -> None:
        """Refuse a function that cannot be called with these parameters and a seed.

        Raises:
            TypeError: If it cannot.
        """
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # a builtin that does not tell
            return
        try:
            signature.bind(**dict.fromkeys(self.names), seed=0)
        except TypeError as error:
            raise TypeError(
                f"function must take the parameters {', '.join((*self.names, 'seed'))} by name, got "
                f"{_called(function)}{signature}: {error}"
            ) from None


def _called(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    repeated = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if repeated:
        raise ValueError(f"grid has two columns {repeated[0]!r}")
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _item(value: Any) -> Any:  # noqa: ANN401  (a number of numpy, as Python's own)
    return value.item() if isinstance(value, np.generic) else value


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a parameter of the grid must be named as in Python, got {name!r}")
    if name == "seed":
        raise ValueError("grid must not name 'seed': pass seeds=..")
    return name


def _axis(name: str, values: object) -> list[tuple[Any, str]]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise TypeError(f"grid[{name!r}] must be a list of values, got {values!r}")
    found = [(_item(value), to_text(plain(value, f"grid[{name!r}]"))) for value in values]
    if not found:
        raise ValueError(f"grid[{name!r}] must have at least one value, got none")
    _refuse_repeated([text for _, text in found], f"grid[{name!r}]")
    return found


def _settings(grid: Sequence[Mapping[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    if not len(grid):
        raise ValueError("grid must have at least one setting, got none")
    texts = []
    for i, setting in enumerate(grid):
        if not isinstance(setting, Mapping):
            raise TypeError(f"grid[{i}] must be a dict of parameters, got {setting!r}")
        if set(setting) != set(grid[0]):
            raise ValueError(
                f"grid[{i}] has the parameters {sorted(map(str, setting))}, and grid[0] has "
                f"{sorted(map(str, grid[0]))}: all settings must have the same"
            )
        held = {_name(name): _item(value) for name, value in setting.items()}
        texts.append(to_text({name: plain(value, f"grid[{i}][{name!r}]") for name, value in held.items()}))
        yield held, texts[-1]
    _refuse_repeated(texts, "grid")


def _refuse_repeated(texts: Sequence[str], where: str) -> None:
    first: dict[str, int] = {}
    for i, text in enumerate(texts):
        if text in first:
            raise ValueError(f"{where} has {text} twice, at {first[text]} and {i}: each cell is run once")
        first[text] = i


def _seeds(seeds: object) -> tuple[int, ...]:
    if isinstance(seeds, bool | str) or not isinstance(seeds, Iterable | Integral):
        raise TypeError(f"seeds must be a number of seeds or a list of them, got {seeds!r}")
    if not isinstance(seeds, Iterable):
        return tuple(range(integer("seeds", seeds, 1)))
    found = tuple(integer("seeds", seed, 0) for seed in seeds)
    if not found:
        raise ValueError("seeds must name at least one seed, got none")
    _refuse_repeated([str(seed) for seed in found], "seeds")
    return found
