"""How well each predictor orders the tasks of each set, and the tables of `results/ranking.md`."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import bootstrap, rankdata, spearmanr

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

PILOT = "the pilot's gain"


def predictors(choices: Sequence[str]) -> dict[str, Callable[[pd.DataFrame], pd.Series]]:
    """Each predictor: a number per task, the larger the better."""
    found: dict[str, Callable[[pd.DataFrame], pd.Series]] = {PILOT: lambda t: t["gain"], **BASELINES}
    for name in THEORY:
        found[name] = lambda t, name=name: t[name]
    for choice in choices:
        found[f"I(A;X|U), U {choice}"] = lambda t, choice=choice: t[f"I(A;X|U) {choice}"]
    found["mean rank of the pilot's gain and I(A;X|U)"] = lambda t: pd.Series(
        rankdata(t["gain"]) + rankdata(t["I(A;X|U)"]), index=t.index
    )
    return found


def judged(
    pilots: pd.DataFrame, truth: pd.DataFrame, choices: Sequence[str], half: Callable[[str], str]
) -> pd.DataFrame:
    """One row per set, encoder and predictor: rank correlation, regret, who is called worse than none."""
    rows = []
    means = truth.groupby(["images", "encoder", "task"])["accuracy"].mean()
    for (name, encoder), part in means.groupby(level=[0, 1]):
        known = part.droplevel([0, 1])
        table = pilots[pilots["images"] == name].drop_duplicates("task").set_index("task", drop=False)
        tasks = [task for task in table.index if task in known.index]
        if RANDOM not in known.index or len(tasks) < len(table) or len(tasks) < 3:
            continue  # an incomplete set would be an easier one
        worth = known[tasks].to_numpy()
        gain = worth - known[RANDOM]
        table = table.loc[tasks]
        for predictor, of in predictors(choices).items():
            score = np.asarray(of(table), dtype=np.float64)
            if not np.isfinite(score).all():
                continue
            flat = len(np.unique(score)) < 2
            rows.append(
                {
                    "images": name,
                    "half": half(str(name)),
                    "encoder": encoder,
                    "predictor": predictor,
                    "tasks": len(tasks),
                    "spearman": 0.0 if flat else float(spearmanr(score, worth).statistic),
                    "regret": float(worth.max() - worth[score == score.max()].mean()),
                    "worse than none": int((gain < 0).sum()),
                    "called right": float(((table["gain"].to_numpy() < 0) == (gain < 0)).mean())
                    if predictor == PILOT
                    else float("nan"),
                    "first is worth less": float((gain[score == score.max()] < 0).mean()),
                }
            )
    return pd.DataFrame(rows)


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """A bootstrap interval of a mean over sets, within the range of the values."""
    if len(values) < 3 or np.ptp(values) == 0:
        return float("nan"), float("nan")
    found = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean over sets of each predictor, the encoders of a set averaged first."""
    by_set = rows.groupby(["predictor", "images"])[["spearman", "regret", "first is worth less"]].mean()
    found = []
    for predictor, part in by_set.groupby(level=0):
        low, high = _interval(part["spearman"].to_numpy())
        found.append(
            {
                "predictor": predictor,
                "sets": len(part),
                "spearman": part["spearman"].mean(),
                "low": low,
                "high": high,
                "regret": 100 * part["regret"].mean(),
                "worst regret": 100 * part["regret"].max(),
                "first is worth less": part["first is worth less"].mean(),
            }
        )
    return pd.DataFrame(found).sort_values("spearman", ascending=False, ignore_index=True)


def _table(frame: pd.DataFrame) -> list[str]:
    lines = [
        "| predictor | sets | Spearman, mean | 95 % over sets | regret, points | worst | "
        "first choice worth less than no training |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in frame.to_dict("records"):
        ends = "" if np.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
        lines.append(
            f"| {row['predictor']} | {row['sets']} | {row['spearman']:.2f} | {ends} | {row['regret']:.1f} | "
            f"{row['worst regret']:.1f} | {100 * row['first is worth less']:.0f} % |"
        )
    return lines


def write_report(results: Path, half: Callable[[str], str], choices: Sequence[str]) -> None:
    """Write `ranking.csv` and `ranking.md` from what is kept."""
    paths = [results / "ranking-pilots.csv", results / "ranking-truth.csv"]
    if not all(path.exists() for path in paths):
        print("nothing to report yet")
        return
    pilots, truth = (pd.read_csv(path) for path in paths)
    rows = judged(pilots, truth, choices, half)
    if rows.empty:
        print("no set is complete yet")
        return
    rows.to_csv(results / "ranking.csv", index=False, float_format="%.4f")
    chosen_on, judged_on = (rows[rows["half"] == name] for name in ("choosing", "judging"))
    lines = [
        "# Does `rank` tell the truth?",
        "",
        f"Machine: {platform.machine()}, Python {platform.python_version()}. Made by "
        "`benchmarks/ranking.py`, which says how; `ranking-pilots.csv` has what was predicted, "
        "`ranking-truth.csv` every longer training, `ranking.csv` one row per set, encoder and predictor.",
        "",
        *_cells(rows, truth),
        "",
        "## On sets that were not used to choose anything",
        "",
        *(_table(summary(judged_on)) if len(judged_on) else ["None is complete."]),
        "",
        "## On the sets to choose on",
        "",
        *(_table(summary(chosen_on)) if len(chosen_on) else ["None is complete."]),
        "",
        "## All sets",
        "",
        *_table(summary(rows)),
        "",
        "## The pilots, set by set",
        "",
        *_sets(rows),
        "",
        *_chosen(chosen_on, judged_on),
    ]
    (results / "ranking.md").write_text("\n".join(lines) + "\n")
    print(f"{rows['images'].nunique()} sets, written to {results / 'ranking.md'}")


def _cells(rows: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    lines = ["The truths that were made, each of every task and of no training:", ""]
    lines += [
        "| encoder | images | epochs | seeds | complete sets | minutes of a core |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (encoder, shown, epochs), part in truth.groupby(["encoder", "shown", "epochs"]):
        complete = rows[rows["encoder"] == encoder]["images"].nunique()
        lines.append(
            f"| {encoder} | up to {shown:,} | {epochs} | {part['seed'].nunique()} | {complete} | "
            f"{part['seconds'].sum() / 60:.0f} |"
        )
    return lines


def _sets(rows: pd.DataFrame) -> list[str]:
    lines = [
        "| set | half | encoder | tasks | Spearman | regret, points | tasks worth less than none | "
        "rightly called worse or better |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows[rows["predictor"] == PILOT].to_dict("records"):
        lines.append(
            f"| {row['images']} | {row['half']} | {row['encoder']} | {row['tasks']} | "
            f"{row['spearman']:.2f} | {100 * row['regret']:.1f} | {row['worse than none']} | "
            f"{100 * row['called right']:.0f} % |"
        )
    return lines


def _chosen(chosen_on: pd.DataFrame, judged_on: pd.DataFrame) -> list[str]:
    """What is best on the half to choose on, and how it does on the other."""
    if chosen_on.empty or judged_on.empty:
        return []
    first, second = (summary(part).set_index("predictor") for part in (chosen_on, judged_on))
    best = first.index[0]
    quantity = first.loc[[name for name in first.index if name in THEORY]].index[0]
    lines = ["## What was chosen", ""]
    for what, name in (("predictor", best), ("quantity of the theory", quantity)):
        lines.append(
            f"The best {what} on the sets to choose on is **{name}** (Spearman "
            f"{first.loc[name, 'spearman']:.2f}); on the other half it has "
            f"{second.loc[name, 'spearman']:.2f} and loses {second.loc[name, 'regret']:.1f} points."
        )
    return lines
