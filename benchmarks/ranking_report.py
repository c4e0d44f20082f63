"""How well each predictor orders the tasks of each set, and the tables of `results/ranking.md`."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from ranking_combined import crossed, pooled
from ranking_figure import draw
from ranking_sets import ORDER, half
from ranking_shortcuts import CHOICES
from scipy.stats import rankdata, spearmanr

from synergy.experiments.findings import summarise

MACHINE = "2 CPU cores, 24 GiB, no GPU"
"""Where the kept results were made."""

RANDOM = "random encoder"

BASELINES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "log of the number of states": lambda t: np.log(t["states"]),
    "pretext accuracy": lambda t: t["pretext_accuracy"],
    "low pretext accuracy": lambda t: -t["pretext_accuracy"],
    "pretext loss": lambda t: t["pretext_loss"],
    "low pretext loss": lambda t: -t["pretext_loss"],
    "always rotation": lambda t: (t["task"] == "rotation").astype(float),
}

THEORY = ("H(A|X)", "I(A;X)", "I(A;C|X)", "J", "I(A;U)", "I(A;R|X)", "I(A;X|U)")

LATER: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "I(A;X|U) / I(A;X)": lambda t: t["I(A;X|U)"] / t["I(A;X)"].clip(lower=LEAST),
    "I(A;X|U) / H(A)": lambda t: t["I(A;X|U)"] / np.log(t["states"]),
}
"""Written down after the first four sets were seen, where jigsaw, of 24 states, came first by nats alone."""

LEAST = 0.01
"""Nats: a share of less is one of nothing."""

PILOT = "the pilot's gain"

BOTH = "mean rank of the pilot's gain and I(A;X|U)"

STATES = "log of the number of states"

NOISE_DRAWS = 400
"""Draws of the error of the test images, for what a repeated truth would agree with itself."""

CLEAR = 2.0
"""A truth is told from no training where it is so many standard errors of the test images away."""


def other_u(choice: str) -> str:
    """The predictor I(A;X|U) with another U."""
    return f"I(A;X|U), U {choice}"


def predictors() -> dict[str, Callable[[pd.DataFrame], pd.Series]]:
    """Each predictor: a number per task, the larger the better."""
    found: dict[str, Callable[[pd.DataFrame], pd.Series]] = {PILOT: lambda t: t["gain"], **BASELINES}
    for name in THEORY:
        found[name] = lambda t, name=name: t[name]
    found |= LATER
    for choice in CHOICES:
        found[other_u(choice)] = lambda t, choice=choice: t["I(A;X)"] - t[choice]
    found[BOTH] = lambda t: pd.Series(rankdata(t["gain"]) + rankdata(t["I(A;X|U)"]), index=t.index)
    return found


def complete(pilots: pd.DataFrame, truth: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """The tasks of each set and encoder of which all truths are there, the longest where there are several.

    Returns:
        One row per task: what the pilots say, with `worth` and `none`, the accuracies of the truth and of the
        random encoder, their standard errors over the test images, and the steps.
    """
    by = ["images", "encoder", "shown", "epochs"]
    found: dict[tuple[str, str], pd.DataFrame] = {}
    longest: dict[tuple[str, str], int] = {}
    for (name, encoder, _, _), part in truth.groupby(by):
        table = pilots[pilots["images"] == name].drop_duplicates("task").set_index("task", drop=False)
        whole = part.groupby("seed").filter(lambda p, table=table: set(p["task"]) >= {RANDOM, *table.index})
        if whole.empty or len(table) < 3:
            continue  # an incomplete set would be an easier one
        mean = whole.groupby("task")[["accuracy", "tested", "steps"]].mean()
        steps = int(mean["steps"].max())
        if longest.get((name, encoder), 0) >= steps:
            continue
        error = np.sqrt(mean["accuracy"] * (1 - mean["accuracy"]) / mean["tested"])
        found[name, encoder] = table.assign(
            accuracy=mean["accuracy"].reindex(table.index),
            none=mean.loc[RANDOM, "accuracy"],
            error=error.reindex(table.index),
            none_error=error[RANDOM],
            truth_steps=steps,
        )
        longest[name, encoder] = steps
    return found


def _spearman(score: npt.NDArray[np.float64], worth: npt.NDArray[np.float64]) -> float:
    flat = min(len(np.unique(score)), len(np.unique(worth))) < 2
    return 0.0 if flat else float(spearmanr(score, worth).statistic)


def judged(found: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row per set, encoder and predictor: rank correlation, regret, whether the first is worth less."""
    rows = []
    for (name, encoder), table in found.items():
        worth = table["accuracy"].to_numpy(dtype=np.float64)
        gain = worth - table["none"].to_numpy()
        scores = {name: np.asarray(of(table), dtype=np.float64) for name, of in predictors().items()}
        for other in {e for n, e in found if n == name} - {encoder}:
            scores["the truth of another encoder"] = found[name, other]["accuracy"].to_numpy(dtype=np.float64)
        for predictor, score in scores.items():
            if not np.isfinite(score).all():
                continue
            first = score == score.max()
            rows.append(
                {
                    "images": name,
                    "half": half(name),
                    "encoder": encoder,
                    "predictor": predictor,
                    "tasks": len(table),
                    "spearman": _spearman(score, worth),
                    "regret": float(worth.max() - worth[first].mean()),
                    "first is worth less": float((gain[first] < 0).mean()),
                }
            )
    return pd.DataFrame(rows)


def repeated(table: pd.DataFrame) -> float:
    """The mean rank correlation of a truth with itself on other test images, its error drawn anew."""
    rng = np.random.default_rng(0)
    worth = table["accuracy"].to_numpy(dtype=np.float64)
    drawn = rng.normal(worth, table["error"].to_numpy(), size=(NOISE_DRAWS, len(worth)))
    return float(np.mean([_spearman(row, worth) for row in drawn]))


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean over sets of each predictor, the encoders of a set averaged first."""
    by_set = rows.groupby(["predictor", "images"])[["spearman", "regret", "first is worth less"]].mean()
    plain = by_set["spearman"].unstack("predictor")
    found = []
    for predictor, part in by_set.groupby(level=0):
        spread = summarise(part["spearman"].tolist(), bounds=(-1.0, 1.0))
        apart = summarise((plain[predictor] - plain[STATES]).dropna().tolist(), bounds=(-2.0, 2.0))
        found.append(
            {
                "predictor": predictor,
                "sets": len(part),
                "spearman": spread.mean,
                "low": spread.low,
                "high": spread.high,
                "ahead": apart.mean,
                "ahead low": apart.low,
                "ahead high": apart.high,
                "regret": 100 * part["regret"].mean(),
                "worst regret": 100 * part["regret"].max(),
                "first is worth less": part["first is worth less"].mean(),
            }
        )
    return pd.DataFrame(found).sort_values("spearman", ascending=False, ignore_index=True)


def _ends(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}" if np.isfinite(low) else ""


def _markdown(columns: list[str], rows: list[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def _table(rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return ["None is complete."]
    shown = [
        [
            row["predictor"],
            str(row["sets"]),
            f"{row['spearman']:.2f}",
            _ends(row["low"], row["high"]),
            f"{row['ahead']:+.2f}",
            _ends(row["ahead low"], row["ahead high"]),
            f"{row['regret']:.1f}",
            f"{row['worst regret']:.1f}",
            f"{100 * row['first is worth less']:.0f} %",
        ]
        for row in summary(rows).to_dict("records")
    ]
    columns = ["predictor", "sets", "Spearman, mean", "95 %", "ahead of log states", "95 %"]
    return _markdown([*columns, "regret, points", "worst", "first choice worth less than no training"], shown)


def write_report(results: Path) -> None:
    """Write `ranking.csv` and `ranking.md` from what is kept."""
    paths = [results / f"ranking-{part}.csv" for part in ("pilots", "truth", "shortcuts")]
    if not all(path.exists() for path in paths[:2]):
        print("nothing to report yet")
        return
    pilots, truth = (pd.read_csv(path) for path in paths[:2])
    if paths[2].exists():
        pilots = pilots.merge(pd.read_csv(paths[2]), on=["images", "task"], how="left")
    else:
        pilots = pilots.assign(**dict.fromkeys(CHOICES, np.nan))
    found = complete(pilots, truth)
    if not found:
        print("no set is complete yet")
        return
    rows = judged(found)
    rows.to_csv(results / "ranking.csv", index=False, float_format="%.4f")
    draw(rows, results / "ranking.png")
    lines = [
        "# Does `rank` tell the truth?",
        "",
        f"Machine: {MACHINE}; Python {platform.python_version()}. Made by "
        "`benchmarks/ranking.py`, which says how; `ranking-pilots.csv` has what was predicted, "
        "`ranking-truth.csv` every longer training, `ranking.csv` one row per set, encoder and predictor. "
        "Intervals are Student's over sets; the variants of one source count as sets of their own. "
        "*Regret* is the accuracy that the first choice loses to the best. *Ahead* is the difference of the "
        "rank correlation, set by set, from that of the log of the number of states, which costs nothing.",
        "",
        *_sizes(found, pilots, truth),
        f"- {' and '.join(LATER)} were written down after the truths of four sets (CIFAR-10, MNIST, letters, "
        "glyphs with mixed symmetries) had been seen; everything else before any.",
        "",
        "![the rank correlation of each predictor, a dot for each set](ranking.png)",
        "",
        "## On sets that were not used to choose anything",
        "",
        *_table(rows[rows["half"] == "judging"]),
        "",
        "## On CIFAR-10 and MNIST, on which U and the size of a pilot were settled",
        "",
        *_table(rows[rows["half"] == "choosing"]),
        "",
        "## All sets",
        "",
        *_table(rows),
        "",
        "## Worse than no training",
        "",
        *_called(found),
        "",
        "## The pilots, set by set",
        "",
        *_sets(found, rows),
        "",
        "## Across sets",
        "",
        "Rank correlation with the gain of the truth over all pairs of a set and a task at once, with a "
        "bootstrap interval over sets: whether a number of nats means the same usefulness on every set.",
        "",
        *_markdown(
            ["predictor", "pairs", "Spearman", "95 %"],
            [
                [n, str(k), f"{r:.2f}", _ends(*ends)]
                for n, k, r, ends in pooled(found, (PILOT, *THEORY, *LATER), predictors())
            ],
        ),
        "",
        "## Combinations",
        "",
        "A quantity, or the mean of the ranks of two, each up or down, is chosen by its mean rank "
        "correlation on some sets and judged on others.",
        "",
        *_markdown(
            [
                "chosen among",
                "chosen on",
                "chosen",
                "Spearman there",
                "judged on",
                "Spearman",
                "regret, points",
            ],
            crossed(
                found,
                {"quantities of the theory": THEORY, "these and the pilot's gain": (PILOT, *THEORY)},
                predictors(),
            ),
        ),
    ]
    (results / "ranking.md").write_text("\n".join(lines) + "\n")
    print(f"{rows['images'].nunique()} sets, written to {results / 'ranking.md'}")


def _sizes(
    found: Mapping[tuple[str, str], pd.DataFrame], pilots: pd.DataFrame, truth: pd.DataFrame
) -> list[str]:
    """How large pilots and truths were."""
    lines = []
    for (images, judged_on, seeds, longer), part in pilots.groupby(
        ["trained on", "judged on", "most seeds", "longer"]
    ):
        names = list(part["images"].unique())
        shown = f"{len(names)} sets" if len(names) > 3 else ", ".join(names)
        late = int((part["steps"] > part.groupby("images")["steps"].transform("min")).sum())
        lines.append(
            f"- Pilots of {shown}: trained on {images:,} images for {part['steps'].min()} steps (for more in "
            f"{late} of {len(part)} tasks, which began to learn no sooner), judged on {judged_on:,}, up to "
            f"{seeds} seeds; what reads A best is trained {longer:g} times as long; "
            f"{part.drop_duplicates('images')['seconds'].sum() / 60:.0f} minutes of a core."
        )
    for encoder, part in truth.groupby("encoder"):
        tables = [table for (_, e), table in found.items() if e == encoder]
        if not tables:
            continue
        times = [float(t["truth_steps"].iloc[0] / t["steps"].min()) for t in tables]
        lines.append(
            f"- Truths of {encoder}: every task and no training on {len(tables)} sets, "
            f"{min(times):.1f} to {max(times):.1f} times the steps of a pilot, seeds: "
            f"{part['seed'].nunique()}; {part['seconds'].sum() / 60:.0f} minutes of a core."
        )
    ceilings = [repeated(table) for table in found.values()]
    lines.append(
        "- A truth is measured too: on other test images of the same number it would agree with itself "
        f"with a rank correlation of {np.mean(ceilings):.2f} on average ({min(ceilings):.2f} to "
        f"{max(ceilings):.2f}), other training seeds not counted. No predictor can be expected to do better."
    )
    missing = [name for name in ORDER if name not in {images for images, _ in found}]
    if missing:
        lines.append(f"- Sets left out: {'; '.join(missing)}.")
    return lines


def _called(found: Mapping[tuple[str, str], pd.DataFrame]) -> list[str]:
    """What `rank` said of a task beside no training, and what the truth says."""
    table = pd.concat(found.values(), keys=found.keys(), names=["images", "encoder", None])
    error = np.hypot(table["error"], table["none_error"])
    gain = table["accuracy"] - table["none"]
    true = np.select([gain < -CLEAR * error, gain > CLEAR * error], ["less", "more"], "undecided")
    counts = pd.crosstab(table["worth"], true)
    names = ("less", "undecided", "more")
    counts = counts.reindex(index=names, columns=names, fill_value=0)
    signs = float((np.sign(table["gain"]) == np.sign(gain)).mean())
    told = counts.loc[["less", "more"], ["less", "more"]].to_numpy()
    said_less, is_less = int(counts.loc["less"].sum()), int(counts["less"].sum())
    wrong = int(told[0, 1] + told[1, 0])
    named = [
        f"{place[2]} on {place[0]} ({place[1]})"
        for place in table.index[
            (table["worth"] != true) & (table["worth"] != "undecided") & (true != "undecided")
        ]
    ]
    shown = f" ({'; '.join(named)})" if named else ""
    return [
        f"Every task of every set and encoder, {len(table)} in all. The pilots' verdict is that of their "
        f"interval, the truth's that of {CLEAR:g} standard errors over the test images.",
        "",
        *_markdown(
            ["the pilots say", *(f"the truth is {name}" for name in names)],
            [[name, *(str(counts.loc[name, other]) for other in names)] for name in names],
        ),
        "",
        f"Of {is_less} tasks that are worth less than no training {counts.loc['less', 'less']} were called "
        f"so, and {counts.loc['undecided', 'less']} were left undecided; of {said_less} that were called so "
        f"{counts.loc['less', 'more']} are worth more. Verdicts that are wrong beyond doubt: {wrong} of "
        f"{told.sum()}{shown}. The sign of the gain is right for {100 * signs:.0f} %.",
    ]


def _sets(found: Mapping[tuple[str, str], pd.DataFrame], rows: pd.DataFrame) -> list[str]:
    wide = rows.pivot_table(index=["images", "encoder"], columns="predictor", values=["spearman", "regret"])
    lines = []
    for key, table in found.items():
        order = table.sort_values("accuracy", ascending=False)
        lines.append(
            [
                key[0],
                half(key[0]),
                key[1],
                f"{wide['spearman'][PILOT][key]:.2f}",
                f"{100 * wide['regret'][PILOT][key]:.1f}",
                *(f"{wide['spearman'][name][key]:.2f}" for name in ("I(A;X|U)", "I(A;C|X)", "J", STATES)),
                f"{repeated(table):.2f}",
                f"{100 * table['none'].iloc[0]:.1f}",
                ", ".join(f"{t} {100 * a:.1f}" for t, a in order["accuracy"].items()),
            ]
        )
    columns = ["set", "half", "encoder", "Spearman of the pilots", "regret, points", "of I(A;X|U)"]
    columns += ["of the synergy", "of J", "of log states", "the truth repeated", "no training, %", "truth, %"]
    return _markdown(columns, lines)
