"""A table of the caller's own: which columns play the variables, and what was understood of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from synergy.estimators.classifier import NestedCrossFit
from synergy.estimators.intake import Data, as_sample
from synergy.verification.fitting import readable
from synergy.verification.settings import Settings
from synthetic import Sample, Table, Variable, read_data
from synthetic.inference import parts_of
from theory import Claim

__all__ = ["OWN_ROWS", "Given", "read_given"]

OWN_ROWS = "your rows"
"""What the caller's rows are called in tables."""

_LABELS = 32
"""Floats that take at most so many values, each often, are labels."""
_ROWS_OF_LABEL = 20
"""The least number of rows to a value, on the average, for that."""
_LEAST_ROWS = 20
"""With fewer rows (or groups of rows) no verdict is attempted."""
_USUAL_DEVIATION = 1.0
"""The deviation of a row's share in a gap, in nats, where nothing is known yet of how many rows would do."""


@dataclass(frozen=True)
class Given:
    """The caller's rows.

    Args:
        sample: The columns that claims or diagrams name, all rows.
        settings: How much work to do.
        notes: What was understood of the columns.
        source: The path of the data; None where it was no file.
    """

    sample: Sample
    settings: Settings
    notes: tuple[str, ...] = ()
    source: str | None = None

    @cached_property
    def some(self) -> Sample:
        """At most `settings.data_rows` rows at random, whole groups, for what takes long."""
        most, rng = self.settings.data_rows, np.random.default_rng([self.settings.seed, 0xDA7A])
        if len(self.sample) <= most:
            return self.sample
        if self.sample.groups is None:
            return self.sample.rows(np.sort(rng.choice(len(self.sample), most, replace=False)))
        groups = np.unique(self.sample[self.sample.groups], return_inverse=True)[1].reshape(-1)
        sizes = np.bincount(groups)
        order = rng.permutation(len(sizes))
        taken = order[: max(2, int(np.searchsorted(np.cumsum(sizes[order]), most, side="right")))]
        return self.sample.rows(np.isin(groups, taken))

    @cached_property
    def fit(self) -> NestedCrossFit:
        """Cross-fitted losses on some of the rows."""
        s = self.settings
        return NestedCrossFit(
            self.some, folds=s.folds, seed=s.seed, quality=s.quality, device=s.judging_device
        )

    def rows_for(self, claim: Claim) -> Sample:
        """All rows where every column that the claim names is discrete, else some."""
        facts = (v for fact in claim.given for v in fact.variables)
        named = {*claim.statement.variables, *facts}
        kinds = {
            v.kind
            for name, v in self.sample.variables.items()
            if name in named or (name == "X" and "Z" in named)
        }
        return self.sample if kinds == {"discrete"} else self.some


def read_given(
    data: Data,
    claims: Sequence[Claim],
    *,
    groups: str | None,
    settings: Settings,
    premises: Sequence[str] = (),
) -> Given:
    """Read what claims and their diagrams name from a table.

    Args:
        data: Whatever `estimate` takes.
        claims: The claims; at least one of them must be readable in the columns.
        groups: The column whose equal values mark dependent rows.
        settings: How much work to do.
        premises: Variables that the caller's own premises name, which must be columns.

    Raises:
        TypeError: If the data is of an unknown kind.
        ValueError: If no claim can be read in the columns, a column is of the wrong kind, a premise or
            `groups` names no column, or there are too few rows; the message says what would do.
    """
    source = str(data) if isinstance(data, str | Path) else None
    opened = _opened(data)
    columns = opened.names
    if groups is not None and not _is_there(groups, columns):
        raise ValueError(f"groups names {groups!r}, which is no column of the data: it has {_told(columns)}")
    for name in premises:
        if not _is_there(name, columns):
            raise ValueError(
                f"a premise names {name}, which is no column of the data: it has {_told(columns)}"
            )
    wanted = [v for claim in claims for v in (*claim.statement.variables, *claim.diagram.variables)]
    wanted += [v for claim in claims for fact in claim.given for v in fact.variables]
    there = [name for name in dict.fromkeys(wanted) if _is_there(name, columns)]
    if not any(_is_readable(claim, there) for claim in claims):
        named = list(dict.fromkeys(v for claim in claims for v in claim.statement.variables))
        missing = [name for name in named if name not in there]
        if len(claims) == 1 and missing:
            which = "is no column" if len(missing) == 1 else "are no columns"
            told = f"{claims[0].id} names {', '.join(missing)}, which {which} of the data"
            raise ValueError(f"{told}: it has {_told(columns)}")
        told = f"the claims name {', '.join(named)}, the data has {_told(columns)}"
        raise ValueError(f"{told}: rename its columns")
    sample = as_sample(opened, there, groups=groups)
    sample, notes = _with_labels(sample)
    _check_kinds(sample, claims)
    _check_rows(sample, settings)
    constant = [v for v in there if bool((sample[v] == sample[v][:1]).all())]
    if constant:
        notes.append(f"{', '.join(constant)} {'takes' if len(constant) == 1 else 'take'} one value only")
    given = Given(sample, settings, tuple(notes), source)
    if len(given.some) < len(sample) and any(v.kind != "discrete" for v in sample.variables.values()):
        notes.append(
            f"{len(given.some):,} of {len(sample):,} rows, drawn at random, are used where not all columns "
            "are discrete (settings.data_rows)"
        )
    return replace(given, notes=tuple(notes))


def _opened(data: Data) -> Sample:
    if isinstance(data, str | Path):
        return read_data(data)
    if isinstance(data, Sample):
        return data
    if isinstance(data, dict) or hasattr(data, "keys") or isinstance(data, pd.DataFrame):
        return Table.of(data)
    raise TypeError(
        "data must be a Sample, a pandas DataFrame, a mapping of arrays by name, or a path, "
        f"got {type(data).__name__}"
    )


def _told(columns: Sequence[str]) -> str:
    return ", ".join(columns[:20]) + (f", .. ({len(columns)} in all)" if len(columns) > 20 else "")


def _is_there(name: str, columns: Sequence[str]) -> bool:
    try:
        parts_of(name, columns)
    except ValueError as error:
        if f"{name}_" in str(error) or "twice" in str(error):
            raise
        return False
    return True


def _is_readable(claim: Claim, names: Sequence[str]) -> bool:
    try:
        readable(claim.statement, names)
    except ValueError:
        return False
    return True


def _with_labels(sample: Sample) -> tuple[Sample, list[str]]:
    """Floats that repeat few values as labels: no information is lost, and frequencies estimate it better."""
    notes = []
    for name, variable in sample.variables.items():
        column = sample[name]
        if variable.kind != "continuous" or column.size != len(column):
            continue
        values, codes = np.unique(column.reshape(-1), return_inverse=True)
        if len(values) <= _LABELS and len(values) * _ROWS_OF_LABEL <= len(column):
            labels = Variable(name, "discrete", len(values), variable.role)
            sample = sample.with_column(labels, codes.reshape(-1).astype(np.int64))
            notes.append(f"the floats of {name} take {len(values)} values, which were read as labels")
    return sample, notes


def _check_kinds(sample: Sample, claims: Sequence[Claim]) -> None:
    """Refuse entropies of numbers, which change with their units.

    Raises:
        ValueError: If every claim that can be read asks for one.
    """
    reasons = []
    for claim in claims:
        if not _is_readable(claim, sample.names):
            continue
        wrong = [
            (term, name)
            for term in claim.statement.terms
            if len(term.groups) == 1
            for name in term.groups[0]
            if name in sample.variables
            and name not in term.given
            and sample.variables[name].kind != "discrete"
        ]
        if not wrong:
            return
        term, name = wrong[0]
        reasons.append(
            f"{claim.id} needs {term}, but the column {name} holds numbers: an entropy is of labels, which "
            "are integers, booleans or text"
        )
    if reasons:
        raise ValueError(reasons[0])


def _check_rows(sample: Sample, settings: Settings) -> None:
    groups = sample.groups
    count = len(sample) if groups is None else len(np.unique(sample[groups]))
    least = max(_LEAST_ROWS, 2 * settings.folds)
    if count < least:
        what = "rows" if groups is None else f"groups of rows ({groups})"
        discrete = all(v.kind == "discrete" for v in sample.variables.values())
        margin = settings.table_margin if discrete else settings.network_margin
        deviations = 3.5  # two-sided 5 % between a few claims, with a power of nine in ten
        enough = round((deviations * _USUAL_DEVIATION / margin) ** 2, -2)
        raise ValueError(
            f"{count} {what} are too few for a verdict: there must be {least}, and about {enough:,.0f} would "
            f"usually do for a margin of {margin:g} nats"
        )
