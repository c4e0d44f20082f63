"""Samples: named columns that know what they are.

A `Sample` holds one array per variable, all with the same first axis, and for each a `Variable` that
says whether it is discrete (with its number of states), continuous or an image, and which role it plays
in the causal diagram.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic.columns import check_whole, native
from synthetic.inference import check_names, infer_columns, joined, parts_of
from synthetic.variables import Variable
from theory.errors import shown

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from synthetic.streaming import SampleDataset

__all__ = ["Sample"]

_CHUNK = 2**20
"""The most entries that are checked at once, so that a large column needs little memory beside it."""


@dataclass(frozen=True)
class Sample:
    """Named columns drawn together.

    Args:
        columns: One array per variable, all with the same first axis n: shape (n,) for scalars,
            (n, d) for vectors, (n, channels, height, width) for images. They are kept, not copied, so do
            not change them afterwards; other byte orders and long doubles become the usual ones.
        variables: A description of each column, in the same order.
        groups: The column whose equal values mark dependent rows (several views of one raw image);
            None where the rows are independent. Estimators never split a group between folds and
            cluster their standard errors by it.
        metadata: Where the sample came from: generator, parameters, seed; and as `levels`, by column, what
            the numbers of discrete columns stand for.

    Raises:
        ValueError: If a column has no description or the reverse, the lengths differ, a column is
            empty, contains NaN or infinities, or a discrete one leaves 0 .. cardinality - 1.
        TypeError: If groups is no text.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    variables: Mapping[str, Variable]
    groups: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            check_whole(f"column {name!r}", column)
        arrays = {name: native(np.asarray(column)) for name, column in self.columns.items()}
        object.__setattr__(self, "columns", MappingProxyType(arrays))
        object.__setattr__(self, "variables", MappingProxyType(dict(self.variables)))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        if set(self.columns) != set(self.variables):
            raise ValueError(
                f"columns {sorted(self.columns)} and their descriptions {sorted(self.variables)} must agree"
            )
        if not self.columns:
            raise ValueError("a sample needs at least one column, got none")
        for name, column in self.columns.items():
            if column.ndim == 0:
                raise ValueError(f"column {name!r} must have one entry per row, got a single {column.dtype}")
            if self.variables[name].name != name:
                raise ValueError(f"column {name!r} is described as {self.variables[name].name!r}")
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"all columns must have the same length, got {lengths}")
        for name, column in self.columns.items():
            _check_column(column, self.variables[name])
        if not isinstance(self.groups, str | None):
            raise TypeError(f"groups must be the name of one column or None, got {shown(self.groups)}")
        if self.groups is not None and self.groups not in self.columns:
            raise ValueError(f"groups names an unknown column {self.groups!r}: the sample has {self.names}")

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        return tuple(self.columns)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "columns": dict(self.columns),
            "variables": dict(self.variables),
            "groups": self.groups,
            "metadata": dict(self.metadata),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, dict) else value)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name] if name in self.columns else self.select([name]).columns[name]

    def with_column(self, variable: Variable, column: npt.NDArray[Any]) -> Sample:
        """The same sample with one more column, or with one replaced.

        The numbers of a column that is replaced stand for what they did where its description stays, and for
        themselves where it changes.
        """
        new = Sample({variable.name: column}, {variable.name: variable})
        if len(new) != len(self):
            raise ValueError(f"column {variable.name!r} must have {len(self)} rows, got {len(new)}")
        held = self._held()
        metadata = dict(held.metadata)
        if held._levels(variable.name) is not None and held.variables.get(variable.name) != variable:
            metadata["levels"] = {k: v for k, v in metadata["levels"].items() if k != variable.name}
        return held._with(
            {**held.columns, variable.name: new[variable.name]},
            {**held.variables, variable.name: variable},
            held.groups,
            metadata,
        )

    def rows(self, index: npt.NDArray[Any] | slice) -> Sample:
        """The rows chosen by an index array, a mask or a slice.

        Raises:
            ValueError: If it chooses none.
            IndexError: If a row does not exist, a mask has another length, or it is no index.
        """
        held = self._held()
        try:
            columns = {name: column[index] for name, column in held.columns.items()}
        except IndexError as error:
            raise IndexError(
                f"rows needs an index of {len(held)} rows, got {shown(index)}, {error}"
            ) from None
        first = next(iter(columns.values()))
        if np.ndim(first) < np.ndim(next(iter(held.columns.values()))) or not len(first):
            raise ValueError(f"rows needs an index that chooses at least one row, got {index!r}")
        return held._with(columns, held.variables, held.groups)

    def _held(self) -> Sample:
        """The sample with all its columns at hand, and what their numbers stand for."""
        return self if isinstance(self.columns, MappingProxyType) else self.select(self.names)

    def _levels(self, name: str) -> list[Any] | None:
        """What the numbers of a column stand for; None where they stand for themselves."""
        levels = self.metadata.get("levels")
        return levels.get(name) if isinstance(levels, Mapping) else None

    def _with(
        self,
        columns: Mapping[str, npt.NDArray[Any]],
        variables: Mapping[str, Variable],
        groups: str | None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Sample:
        """A sample of columns that are parts of checked ones, and so need no check of their own."""
        found = object.__new__(Sample)
        object.__setattr__(found, "columns", MappingProxyType(dict(columns)))
        object.__setattr__(found, "variables", MappingProxyType({name: variables[name] for name in columns}))
        object.__setattr__(found, "groups", groups)
        told = self.metadata if metadata is None else MappingProxyType(dict(metadata))
        object.__setattr__(found, "metadata", told)
        return found

    @classmethod
    def infer(
        cls, columns: Mapping[str, npt.ArrayLike] | pd.DataFrame, *, groups: str | None = None
    ) -> Sample:
        """A sample of columns whose kinds are read from their types.

        Integers, booleans and strings are discrete: integers that start near zero keep their values, other
        states are numbered in sorted order and `metadata["levels"]` says what each number stands for.
        Floats are continuous.

        Raises:
            ValueError: If a column is empty or has missing, infinite or mixed values.
        """
        arrays, variables, levels = infer_columns(columns)
        return cls(arrays, variables, groups, {"levels": levels} if levels else {})

    @classmethod
    def concatenate(cls, samples: Sequence[Sample]) -> Sample:
        """The rows of several samples of the same variables, one after the other.

        A column whose levels differ is numbered anew by the levels of all samples, in sorted order where
        theirs are, so that equal numbers stand for equal labels. Equal values of the column of groups mark
        one group, also across samples. Of the metadata stays what all samples share.

        Raises:
            ValueError: If there is no sample, their variables, groups or the shapes of their rows differ, or
                a column has levels in one sample and none, or those of another kind, in another.

        Example:
            >>> parts = [Sample.infer({"A": ["x", "y"]}), Sample.infer({"A": ["y", "z"]})]
            >>> both = Sample.concatenate(parts)
            >>> both["A"].tolist(), both.metadata["levels"]
            ([0, 1, 1, 2], {'A': ['x', 'y', 'z']})
        """
        if not samples:
            raise ValueError("concatenate needs at least one sample, got none")
        held = [sample._held() for sample in samples]
        first = held[0]
        if any(set(other.names) != set(first.names) for other in held):
            held_names = " and ".join(str(names) for names in dict.fromkeys(other.names for other in held))
            raise ValueError(f"samples must have the same variables, got {held_names}")
        united = {name: _united(name, [sample._levels(name) for sample in held]) for name in first.names}
        held = [_renumbered(sample, united) for sample in held]
        for other in held[1:]:
            if dict(other.variables) != dict(held[0].variables) or other.groups != first.groups:
                raise ValueError(
                    f"samples must have the same variables and groups, got {first!r} with groups "
                    f"{first.groups!r} and {other!r} with groups {other.groups!r}"
                )
            for name in first.names:
                if other[name].shape[1:] != first[name].shape[1:]:
                    raise ValueError(
                        f"the rows of column {name!r} must have one shape, got {first[name].shape[1:]} and "
                        f"{other[name].shape[1:]}"
                    )
        metadata = {
            key: value
            for key, value in first.metadata.items()
            if key != "levels"
            and all(key in other.metadata and np.array_equal(other.metadata[key], value) for other in held)
        }
        levels = {name: found for name, found in united.items() if found is not None}
        columns = {name: np.concatenate([sample[name] for sample in held]) for name in first.names}
        told = {**metadata, "levels": levels} if levels else metadata
        return first._with(columns, held[0].variables, first.groups, told)

    def tensors(
        self, *, device: str | torch.device = "cpu", dtype: torch.dtype | None = None
    ) -> dict[str, torch.Tensor]:
        """The columns as torch tensors: int64 for discrete ones, `dtype` for the others.

        A tensor shares the memory of its column where type and device agree, unless the column is read-only
        or reversed.

        Args:
            device: Where to put them.
            dtype: The type of continuous columns and images; None for float32.
        """
        import torch

        from synthetic.devices import to_device

        found = {}
        for name, column in self.columns.items():
            discrete = self.variables[name].kind == "discrete"
            wanted = torch.int64 if discrete else dtype or torch.float32
            shared = column.flags.writeable and min(column.strides) >= 0
            usable = torch.from_numpy(column if shared else column.copy())
            found[name] = to_device(usable.to(wanted), device)
        return found

    def as_dataset(self) -> SampleDataset:
        """A torch Dataset whose items are dicts of tensors, one for each variable."""
        from synthetic.streaming import SampleDataset

        return SampleDataset(self)

    def select(self, names: Sequence[str]) -> Sample:
        """The sample with some of its variables; the column of groups stays if it is among them.

        A name without a column is the vector of the columns `name_0, name_1, ..`.

        Raises:
            ValueError: If no name is given or one is unknown.
        """
        names = check_names(names)
        columns: dict[str, npt.NDArray[Any]] = {}
        variables: dict[str, Variable] = {}
        for name in names:
            parts = parts_of(name, self.names)
            if parts is None:
                columns[name], variables[name] = self.columns[name], self.variables[name]
            else:
                columns[name] = joined(name, {part: self._values(part) for part in parts})
                variables[name] = Variable(name, "continuous")
        return self._with(columns, variables, self.groups if self.groups in names else None)

    def _values(self, name: str) -> npt.NDArray[Any]:
        """A column with the values that its numbers stand for."""
        levels = self._levels(name)
        return self.columns[name] if levels is None else np.asarray(levels)[self.columns[name]]

    def to_pandas(self) -> pd.DataFrame:
        """A table with one column per scalar; vectors and images become `name_0`, `name_1`, ..

        Raises:
            ValueError: If a scalar would be taken for a part of a vector, or a vector for a scalar.
        """
        import pandas as pd

        table: dict[str, npt.NDArray[Any]] = {}
        vectors: dict[str, tuple[str, ...]] = {}
        for name, column in self.columns.items():
            if column.ndim == 1:
                table[name] = column
                continue
            flat = column.reshape(len(column), -1)
            vectors[name] = tuple(f"{name}_{i}" for i in range(flat.shape[1]))
            for i, part in enumerate(vectors[name]):
                if part in self.columns or part in table:
                    raise ValueError(
                        f"the table would have two columns {part!r}: rename it, or the vector {name!r}"
                    )
                table[part] = flat[:, i]
        for name, parts in vectors.items():
            if name in table or parts_of(name, list(table)) != parts:
                other = next((p for p in parts_of(name, list(table)) or (name,) if p not in parts), name)
                raise ValueError(
                    f"{other!r} would be taken for a part of the vector {name!r}: rename one of them"
                )
        return pd.DataFrame(table)

    def __repr__(self) -> str:
        def show(v: Variable) -> str:
            return f"{v.name}[{v.cardinality}]" if v.kind == "discrete" else f"{v.name}:{v.kind}"

        return f"Sample({len(self)} rows: {', '.join(map(show, self.variables.values()))})"

    def _repr_html_(self) -> str:
        images = [v.name for v in self.variables.values() if v.kind == "image"]
        head = self.rows(slice(0, 8))
        roles = ", ".join(
            f"{html.escape(v.name)}: {v.role}, {v.kind}"
            + (f" of {v.cardinality} states" if v.cardinality else "")
            for v in self.variables.values()
        )
        parts = [f"<p>{len(self):,} rows ({roles})</p>"]
        table = head._without(images)
        if table is not None:
            parts.append(table.to_html(border=0))
        for name in images:
            parts.append(f'<p>{html.escape(name)}: <img alt="the first rows" src="{_strip(head[name])}"></p>')
        return "\n".join(parts)

    def _without(self, names: Sequence[str]) -> pd.DataFrame | None:
        kept = [name for name in self.names if name not in names]
        if not kept:
            return None
        return self.select(kept).to_pandas()


def _strip(images: npt.NDArray[Any]) -> str:
    """The images side by side, twice as large, as a PNG in a data address."""
    from matplotlib.image import imsave

    row = np.concatenate(list(np.moveaxis(images, 1, -1)), axis=1).repeat(2, axis=0).repeat(2, axis=1)
    buffer = io.BytesIO()
    colour = row if row.shape[-1] == 3 else row[..., 0]
    imsave(buffer, np.clip(colour, 0, 1), cmap="gray", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _united(name: str, found: Sequence[list[Any] | None]) -> list[Any] | None:
    """The levels of all samples together; None where no sample has any.

    Raises:
        ValueError: If only some have levels, or they are of different kinds.
    """
    told = [levels for levels in found if levels is not None]
    if not told:
        return None
    kinds = {type(level).__name__ for level in chain.from_iterable(told)}
    if len(told) < len(found) or len(kinds) > 1:
        other = "none" if len(told) < len(found) else "those of another kind"
        raise ValueError(
            f"column {name!r} has levels in one sample ({shown(told[0])}) and {other} in another, so that "
            "equal numbers may stand for different things: infer them from one table, or give both levels "
            "of one kind"
        )
    if all(levels == told[0] for levels in told):
        return told[0]
    union = list(dict.fromkeys(chain.from_iterable(told)))
    return sorted(union) if all(levels == sorted(levels) for levels in told) else union


def _renumbered(sample: Sample, united: Mapping[str, list[Any] | None]) -> Sample:
    """The sample with the numbers of its columns by these levels.

    Raises:
        ValueError: If a column has states without a level.
    """
    columns, variables = dict(sample.columns), dict(sample.variables)
    for name, levels in united.items():
        own = sample._levels(name)
        if levels is None or own is None or own == levels or variables[name].kind != "discrete":
            continue
        if len(own) < (variables[name].cardinality or 0):
            raise ValueError(
                f"column {name!r} has {variables[name].cardinality} states, but metadata['levels'] names "
                f"{len(own)}: {shown(own)}"
            )
        place = {level: number for number, level in enumerate(levels)}
        columns[name] = np.asarray([place[level] for level in own], dtype=np.int64)[columns[name]]
        variables[name] = replace(variables[name], cardinality=len(levels))
    return sample._with(columns, variables, sample.groups)


def _check_column(column: npt.NDArray[Any], variable: Variable) -> None:
    if not len(column):
        raise ValueError(f"column {variable.name!r} is empty")
    if not column.size:
        raise ValueError(
            f"column {variable.name!r} must have at least one entry in each row, got shape {column.shape}"
        )
    if variable.kind == "image" and column.ndim != 4:
        raise ValueError(
            f"image column {variable.name!r} needs shape (n, channels, height, width), got {column.shape}"
        )
    if variable.kind == "discrete":
        if not np.issubdtype(column.dtype, np.integer) or column.ndim != 1:
            raise ValueError(
                f"discrete column {variable.name!r} needs integers of shape (n,), "
                f"got {column.dtype} of shape {column.shape}"
            )
        low, high = int(column.min()), int(column.max())
        if low < 0 or high >= (variable.cardinality or 0):
            raise ValueError(
                f"discrete column {variable.name!r} must stay in 0..{(variable.cardinality or 0) - 1}, "
                f"got {low}..{high}"
            )
        return
    if not np.issubdtype(column.dtype, np.floating):
        raise ValueError(f"{variable.kind} column {variable.name!r} needs floats, got {column.dtype}")
    step = max(1, _CHUNK // max(1, column[0].size))
    if not all(np.isfinite(column[i : i + step]).all() for i in range(0, len(column), step)):
        raise ValueError(f"column {variable.name!r} contains NaN or infinities")
