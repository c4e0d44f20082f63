"""Whether a number of nats means the same on every set, and what is chosen on some sets holds on others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pandas as pd
from ranking_sets import half, source
from scipy.stats import rankdata, spearmanr

Tables = Mapping[tuple[str, str], pd.DataFrame]
Predictors = Mapping[str, Callable[[pd.DataFrame], pd.Series]]
Floats = npt.NDArray[np.float64]

RESAMPLES = 1000
"""Draws of sets with replacement."""

FEWEST_SOURCES = 3
"""With fewer sources none is left out."""


def pooled(
    found: Tables, names: Sequence[str], of: Predictors
) -> Iterator[tuple[str, int, float, tuple[float, float]]]:
    """The rank correlation of each predictor with the gain over all sets and tasks, with its interval."""
    by_set: dict[str, list[pd.DataFrame]] = {}
    for (name, _), table in found.items():
        by_set.setdefault(name, []).append(table.assign(truth=table["accuracy"] - table["none"]))
    parts = [pd.concat(tables) for tables in by_set.values()]
    rows = []
    for name in names:
        scored = [(np.asarray(of[name](p), float), p["truth"].to_numpy(dtype=float)) for p in parts]
        scored = [(x, y) for x, y in scored if np.isfinite(x).all()]
        if not scored:
            continue
        rng = np.random.default_rng(0)
        drawn = [
            _joined([scored[i] for i in rng.integers(len(scored), size=len(scored))])
            for _ in range(RESAMPLES)
        ]
        low, high = np.nanquantile(drawn, [0.025, 0.975])
        rows.append((name, sum(len(x) for x, _ in scored), _joined(scored), (float(low), float(high))))
    yield from sorted(rows, key=lambda row: -row[2])


def _joined(parts: Sequence[tuple[Floats, Floats]]) -> float:
    x, y = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    return float(spearmanr(x, y).statistic) if min(np.ptp(x), np.ptp(y)) > 0 else 0.0


Signed = tuple[tuple[str, int], ...]
"""Quantities with their signs."""


def _options(names: Sequence[str]) -> list[Signed]:
    """Every quantity, up or down, and every two."""
    singles: list[Signed] = [((name, sign),) for name in names for sign in (1, -1)]
    pairs: list[Signed] = [
        ((a, s), (b, t)) for a, b in combinations(names, 2) for s, t in product((1, -1), repeat=2)
    ]
    return singles + pairs


def _score(option: Signed, table: pd.DataFrame, of: Predictors) -> Floats:
    return np.sum([sign * rankdata(of[name](table)) for name, sign in option], axis=0)


def _correlation(option: Signed, table: pd.DataFrame, of: Predictors) -> float:
    score = _score(option, table, of)
    return float(spearmanr(score, table["accuracy"]).statistic) if np.ptp(score) else 0.0


def _regret(option: Signed, table: pd.DataFrame, of: Predictors) -> float:
    score, worth = _score(option, table, of), table["accuracy"].to_numpy(dtype=float)
    return float(worth.max() - worth[score == score.max()].mean())


def _told(option: Signed) -> str:
    return " + ".join(f"{'low ' if sign < 0 else ''}{name}" for name, sign in option)


def crossed(found: Tables, groups: Mapping[str, Sequence[str]], of: Predictors) -> list[list[str]]:
    """What is chosen on one half and judged on the other, both ways, and leaving out one source at a time."""
    rows = []
    for label, names in groups.items():
        keys = [key for key, t in found.items() if all(np.isfinite(of[n](t)).all() for n in names)]
        options = _options(names)
        table = np.array([[_correlation(option, found[key], of) for option in options] for key in keys])

        def best(chosen_on: Sequence[bool], table: Floats = table) -> int:
            return int(table[np.array(chosen_on)].mean(axis=0).argmax())

        halves = {name: [half(key[0]) == name for key in keys] for name in ("choosing", "judging")}
        for chosen_on, judged_on in (("choosing", "judging"), ("judging", "choosing")):
            if not any(halves[chosen_on]) or not any(halves[judged_on]):
                continue
            option = best(halves[chosen_on])
            places = np.flatnonzero(halves[judged_on])
            rows.append(
                [
                    label,
                    f"the {chosen_on} half",
                    _told(options[option]),
                    f"{table[halves[chosen_on], option].mean():.2f}",
                    f"the {judged_on} half",
                    f"{table[places, option].mean():.2f}",
                    f"{100 * np.mean([_regret(options[option], found[keys[i]], of) for i in places]):.1f}",
                ]
            )
        sources = sorted({source(name) for name, _ in keys})
        if len(sources) < FEWEST_SOURCES:
            continue
        told, values, regrets = [], [], []
        for left_out in sources:
            option = best([source(name) != left_out for name, _ in keys])
            told.append(_told(options[option]))
            for place in (i for i, (name, _) in enumerate(keys) if source(name) == left_out):
                values.append(table[place, option])
                regrets.append(_regret(options[option], found[keys[place]], of))
        often = max(set(told), key=told.count)
        rows.append(
            [
                label,
                "all other sources",
                f"{often} ({told.count(often)} of {len(told)} times)",
                "",
                "each source",
                f"{np.mean(values):.2f}",
                f"{100 * np.mean(regrets):.1f}",
            ]
        )
    return rows
