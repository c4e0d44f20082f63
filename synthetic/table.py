"""Tables: columns that are read and checked when they are named.

A file or a table of pandas may hold dates, lists or columns with missing values beside the few that a term
names. A `Table` reads a column when it is asked for, so that the others do no harm and cost nothing.

Example:
    >>> import pandas as pd
    >>> table = Table.of(pd.DataFrame({"A": [0, 1, 1], "score": [0.5, None, 1.5]}))
    >>> table.select(["A"])
    Sample(3 rows: A[2])
    >>> table.select(["score"])
    Traceback (most recent call last):
        ...
    ValueError: column 'score' has NaN: 1 missing values, the first in row 1: drop or fill them first
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from synthetic.inference import check_names, read_columns
from synthetic.sample import Sample
from theory.errors import one_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table"]


class Table(Sample):
    """A sample whose columns are read and checked when they are named.

    What asks for all columns, as `rows`, `tensors` and `to_pandas` do, asks that all can be variables;
    `usable` leaves the others out.

    Args:
        names: The columns, in their order.
        read: Gives the column of a name, of any library, not checked.
        rows: Gives the number of rows.
        source: What to call the table in an error; empty for none.
    """

    _names: tuple[str, ...]
    _times: Counter[str]
    _read: Callable[[str], Any]
    _rows: Callable[[], int]
    _source: str

    def __init__(
        self,
        names: Sequence[str],
        read: Callable[[str], Any],
        *,
        rows: Callable[[], int],
        source: str = "",
    ) -> None:
        for key, value in {
            "_names": tuple(names),
            "_times": Counter(names),
            "_read": read,
            "_rows": rows,
            "_source": source,
            "columns": _Lazy(names, lambda name: self.select([name]).columns[name]),
            "variables": _Lazy(names, lambda name: self.select([name]).variables[name]),
            "groups": None,
            "metadata": MappingProxyType({}),
        }.items():
            object.__setattr__(self, key, value)

    @classmethod
    def of(cls, columns: Mapping[Any, Any] | pd.DataFrame) -> Table:
        """The columns of a mapping or of a table of pandas.

        Raises:
            ValueError: If two columns have the same name.
        """
        names = [str(key) for key in columns]
        keys = dict(zip(names, columns, strict=True))

        def read(name: str) -> Any:  # noqa: ANN401  (a column of any library)
            return columns[keys[name]]

        def rows() -> int:
            return common_length({name: rows_of(read(name)) for name in names})

        return cls(names, read, rows=rows)

    def select(self, names: Sequence[str]) -> Sample:
        """Some of the columns as a checked sample.

        A name without a column is the vector of the columns `name_0, name_1, ..`.

        Raises:
            ValueError: If no name is given, one is unknown or stands for two columns, or a column has missing
                or infinite values or holds something that is not data.
        """
        names = check_names(names)
        with self._told():
            arrays, variables, levels = read_columns(names, self._times, self._read)
            return Sample(arrays, variables, None, {"levels": levels} if levels else {})

    def raw(self, name: str) -> Any:  # noqa: ANN401  (a column of any library)
        """One column as it is, not checked."""
        with self._told():
            return self._read(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Name the source in an error that does not yet, and tell a library's error as one of ours."""
        try:
            yield
        except (TypeError, OSError, MemoryError):
            raise
        except ValueError as error:
            if self._source in str(error) and "\n" not in str(error):
                raise
            raise ValueError(f"cannot use {self._source!r}: {one_line(error)}") from None
        except Exception as error:  # libraries raise an open set of errors, Arrow kinds of its own
            raise ValueError(f"cannot use {self._source!r}: {one_line(error)}") from None

    def usable(self) -> Sample:
        """The columns that can be variables, without the others.

        Raises:
            ValueError: If there is none, or they differ in length.
        """
        parts = [part for name in self._names if (part := self._one(name)) is not None]
        if not parts:
            return self.select(self._names[:1])
        levels = {name: found for part in parts for name, found in part.metadata.get("levels", {}).items()}
        with self._told():
            return Sample(
                {name: column for part in parts for name, column in part.columns.items()},
                {name: variable for part in parts for name, variable in part.variables.items()},
                None,
                {"levels": levels} if levels else {},
            )

    def _one(self, name: str) -> Sample | None:
        """One column as a sample; None where it cannot be a variable."""
        try:
            return self.select([name])
        except (TypeError, ValueError):
            return None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self._names

    def __len__(self) -> int:
        return self._rows()

    def __reduce__(self) -> tuple[Any, ...]:
        whole = self.usable()
        return Sample, (dict(whole.columns), dict(whole.variables), None, dict(whole.metadata))

    def __repr__(self) -> str:
        try:
            rows = f"{len(self)} rows: "
        except ValueError:
            rows = ""
        return f"Table({rows}{', '.join(self._names)})"

    def _repr_html_(self) -> str:
        return self.usable()._repr_html_()


class _Lazy(Mapping[str, Any]):
    """What a function gives for each of some names, asked when it is needed."""

    def __init__(self, names: Sequence[str], find: Callable[[str], Any]) -> None:
        self._names, self._find = dict.fromkeys(names), find

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  (a column of any library)
        if name not in self._names:
            raise KeyError(name)
        return self._find(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def common_length(columns: Mapping[str, int | None]) -> int:
    """The number of rows of columns of these lengths; None stands for a single value.

    Raises:
        ValueError: If they differ, or none has rows.
    """
    lengths = {length for length in columns.values() if length is not None}
    if len(lengths) != 1:
        raise ValueError(
            f"all columns must have the same length, got {dict(columns)}: name those that belong together"
        )
    return lengths.pop()


def rows_of(column: Any) -> int | None:  # noqa: ANN401  (a column of any library)
    """The number of rows of a column; None for a single value."""
    return len(column) if isinstance(column, list | tuple) or np.ndim(column) else None
