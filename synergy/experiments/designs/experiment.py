"""Finer transformations (F1) and several at once (M1), in numbers.

What can be refuted here is E1 with several labels, I(L1..Lk;Z|C) - I(L1..Lk;Z) = I(L1..Lk;C|Z), its sides by
predictions that they do not share, on glyphs whose synergy at the input is known. The steps from rung to
rung are "by construction", see `ladders`: they are reported without a prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.experiments.designs.ladders import (
    DATA,
    DRAWN,
    LADDERS,
    NOISE,
    PIXELS,
    SIDES,
    UNGUESSED,
    UNTRAINED,
    measure_rungs,
)
from synergy.experiments.findings import Finding
from synergy.experiments.limits import ACCURACY, GAIN, Information, Limits, Quantity, apart
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Runner
from synergy.experiments.show import entropies, legend_below, means, paired, points, shared_images, worded
from synergy.plots import COLOURS, plot_style, subplots

__all__ = ["FINE_GRAINED", "MULTIVARIATE"]

_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by five folds."""

MARGIN = 0.05
"""Of the identity, in nats: less than a fifth of the exact synergy of the drawn glyphs, 0.277."""

NOISE_MARGIN = 0.01
"""Of the coin: it must change a synergy by less, in nats."""

ROUNDING = 1e-5
"""In nats: a step that classifiers do not see, or that the input has not, differs from 0 by less."""

_BY_CLASS, _BY_LABELS, _ACCURACY = "I(A;C|Z)", "I(A;Z|C) - I(A;Z)", "class accuracy"
"""The columns: the synergy by predicting the class and by predicting the labels, the accuracy."""

_SYNERGY = Information("A", "C")
"""What a synergy is: it lies below either entropy."""

_KINDS: dict[str, Quantity] = {"I(A;Z)": Information("A"), _BY_CLASS: _SYNERGY, _ACCURACY: ACCURACY}
"""What the columns are; of a difference of two estimates nothing is known."""

_QUANTITIES = {name: _KINDS.get(name) for name in (*SIDES, _ACCURACY)}
"""The columns of the table, and what they are."""


def _known(runs: pd.DataFrame) -> dict[str, float]:
    """The most that can be known of the finest label and of the class in the runs of a condition."""
    return entropies(runs, A=float(runs["states"].max()))


def _nats(value: float) -> str:
    """A synergy for a sentence, where a measured one may fall below what any synergy is.

    Example:
        >>> _nats(0.1274), _nats(-0.03)
        ('0.127', '-0.030 (below 0: what classifiers miss)')
    """
    rounded = round(value, 3) + 0.0
    return f"{rounded:.3f}{' (below 0: what classifiers miss)' if rounded < 0 else ''}"


class _Part:
    """The runs of a ladder on some images."""

    def __init__(self, runs: pd.DataFrame, ladder: str, images: str) -> None:
        self.images, self.ladder = images, LADDERS[ladder]
        self.runs = runs[runs["images"] == images]
        self.shared = shared_images(self.runs)
        self.top = self.ladder.finest(images).name
        self.finest = self.runs[self.runs["condition"] == self.top].sort_values("seed")
        self.rungs = [name for name in self.ladder.names if f"one Z: {name}" in self.finest.dropna(axis=1)]

    def at(self, condition: str) -> pd.DataFrame:
        """The runs of a condition."""
        return self.runs[self.runs["condition"] == condition]

    def of_finest(self, larger: str, smaller: str) -> tuple[float, ...]:
        """The difference of two columns on the representation of the finest task, one number per seed."""
        return tuple((self.finest[larger] - self.finest[smaller]).tolist())

    @property
    def synergy(self) -> Limits:
        """What the synergy of the finest label, and so of every coarser one, cannot leave."""
        return _SYNERGY.within(_known(self.runs))

    def finding(
        self, about: str, values: tuple[float, ...], *, bounds: Limits | None = None, rounding: float = 0.0
    ) -> Finding:
        """A finding without prediction; by default the difference of two synergies."""
        bounds = bounds or apart(self.synergy)
        return Finding(
            f"{self.images}: {about}", values, shared=self.shared, bounds=bounds, rounding=rounding
        )

    def between(self, first: str, second: str, quantity: str) -> tuple[float, ...]:
        """The difference of a quantity between two conditions, one number per seed."""
        return paired(self.at(first), self.at(second), quantity)


def _judged(part: _Part) -> list[Finding]:
    """The identity and its controls; only on drawn glyphs a synergy is promised that it could miss."""
    gap = part.of_finest(_BY_LABELS, _BY_CLASS)
    about = f"{part.images}: I(A;Z|C) - I(A;Z) by predicting A less I(A;C|Z) by predicting C, in nats"
    if UNGUESSED not in part.finest:
        about += " (runs that were kept before: all labels of A at once, C without guessing A)"
    coin = Finding(
        f"{part.images}: I(A,N;C|Z) less I(A;C|Z), N a fair coin, in nats",
        part.of_finest(f"one Z: {NOISE}", f"one Z: {part.top}"),
        "==",
        NOISE_MARGIN,
        part.shared,
        apart(part.synergy),
    )
    identity = Finding(about, gap, "==", MARGIN, part.shared, apart(part.synergy))
    synergy = part.finest[_BY_CLASS]
    if part.images != DRAWN:
        return [
            identity,
            part.finding(
                "I(A;C|Z) by predicting C, the size of what E1 speaks of, in nats",
                tuple(synergy),
                bounds=part.synergy,
            ),
            coin,
        ]
    above = tuple(float(v) - MARGIN for v in synergy)
    least, most = part.synergy
    return [
        identity,
        Finding(
            f"{DRAWN}: I(A;C|Z) by predicting C less that margin of {MARGIN:g}, in nats",
            above,
            ">",
            bounds=(least - MARGIN, most - MARGIN),
        ),
        coin,
    ]


def _steps(part: _Part) -> list[Finding]:
    found = []
    for coarse, fine in pairwise(part.rungs):
        step = f"{fine} less {coarse}, in nats"
        values = part.of_finest(f"one Z: {fine}", f"one Z: {coarse}")
        found.append(part.finding(f"I(A;C|Z) on one Z, by construction: {step}", values, rounding=ROUNDING))
        if part.images == DRAWN:
            values = part.of_finest(f"exact: {fine}", f"exact: {coarse}")
            found.append(part.finding(f"exact I(A;C|X): {step}", values, rounding=ROUNDING))
        else:
            values = part.between(fine, coarse, _BY_CLASS)
            found.append(part.finding(f"I(A;C|Z), each on a Z of its own: {step}", values))
    if UNGUESSED in part.finest:
        values = part.of_finest(UNGUESSED, _BY_CLASS)
        found.append(
            part.finding("what I(A;C|Z) by predicting C seems more where A may not be guessed", values)
        )
    plain = part.of_finest(f"plain: {NOISE}", f"plain: {part.top}")
    about = "the same step of a fair coin by classifiers that cannot ignore it, in nats"
    return [*found, part.finding(about, plain)]


def _accuracies(part: _Part) -> list[Finding]:
    first, last = part.rungs[0], part.rungs[-1]
    pairs = ((last, first), (first, UNTRAINED), (first, PIXELS))
    return [
        part.finding(f"class accuracy: {a} less {b}", part.between(a, b, _ACCURACY), bounds=GAIN)
        for a, b in pairs
        if len(part.at(b))
    ]


def _seen(part: _Part, beside: Sequence[Finding]) -> str:
    """The answer on some images: two ways to the synergy, or the last rung beside the first."""
    first, last = part.rungs[0], part.rungs[-1]
    if part.images == DRAWN:
        mean = part.finest.mean(numeric_only=True)
        return (
            f"On {DRAWN} the synergy of {part.top} is {_nats(mean[_BY_LABELS])} nats by predicting the "
            f"transformations and {_nats(mean[_BY_CLASS])} by predicting the class; at the input it is "
            f"{mean[f'exact: {part.top}']:.3f}."
        )
    more = worded(part.between(last, first, _BY_CLASS), shared=part.shared, beside=beside)
    words = ("a higher", "a lower", "no clearly different")
    accuracy = worded(part.between(last, first, _ACCURACY), words, shared=part.shared, beside=beside)
    return (
        f"On {part.images}, {last} leaves {more} synergy than {first}, and {accuracy} accuracy of the class."
    )


def _draw_rungs(axis: Axes, part: _Part) -> None:
    """The ladder on the representation of the finest task, and what else is known of each rung."""
    long = pd.concat(
        part.finest.assign(
            rung=name,
            pooled=part.finest[f"one Z: {name}"],
            exact=part.finest[f"exact: {name}"] if part.images == DRAWN else float("nan"),
        )
        for name in part.rungs
    )
    draw = partial(points, axis, kind=_SYNERGY, known=_known)
    draw(part.rungs, long, "rung", "pooled", colour=0, shift=-0.15, label="one Z, by predicting C")
    end = part.finest.assign(rung=part.top)
    names = [*([""] * (len(part.rungs) - 1)), part.top]
    points(axis, names, end, "rung", _BY_LABELS, colour=3, shift=0.3, marker="^", label=None)
    axis.errorbar([], [], fmt="^", color=COLOURS[3], markersize=5, label="one Z, by predicting A")
    if part.images == DRAWN:
        draw(part.rungs, long, "rung", "exact", colour=4, marker="D", label="at the input, exact posteriors")
    else:
        draw(part.rungs, part.runs, "condition", _BY_CLASS, colour=1, marker="s", label="own Z, by C")
    axis.set(title=part.images, ylabel="synergy in nats")
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.set_xticks(range(len(part.rungs)), [_broken(name) for name in part.rungs], fontsize=8)


def _draw_accuracy(axis: Axes, part: _Part) -> None:
    names = [name for name in part.runs["condition"].unique() if name not in (UNTRAINED, PIXELS)]
    points(axis, names, part.runs, "condition", _ACCURACY, colour=2, kind=ACCURACY)
    for name, style in ((UNTRAINED, "--"), (PIXELS, ":")):
        level = part.at(name)[_ACCURACY].mean()
        axis.axhline(level, color="0.3", linestyle=style, linewidth=1.2, label=f"{name} {level:.3f}")
    axis.set(title=part.images, ylabel="accuracy of a linear probe of C")
    axis.set_xticks(range(len(names)), [_broken(name) for name in names], fontsize=8)


def _broken(name: str) -> str:
    """A name in short lines, one transformation a line."""
    return ",\n".join(
        fill(part, 9, break_long_words=False, break_on_hyphens=False) for part in name.split(", ")
    )


def _experiment(ladder: str, title: str, question: str, predicted: str) -> Experiment:
    rungs = LADDERS[ladder]

    def measure(runner: Runner) -> pd.DataFrame:
        scale = runner.scale
        images = scale.data_name or DATA
        apart = [rung.name for rung in rungs.apart] if scale.every else []
        conditions = [(images, name) for name in (*rungs.names, *apart, UNTRAINED, PIXELS)]
        if scale.draws_glyphs:
            conditions.append((DRAWN, rungs.finest(DRAWN).name))
        jobs = [(ladder, where, name, seed) for seed in range(scale.seeds) for where, name in conditions]
        return runner.spread(measure_rungs, jobs, label=lambda j: f"{j[1]}, {j[2]}, seed {j[3]}")

    def parts(runs: pd.DataFrame) -> list[_Part]:
        """Drawn glyphs first: the predictions are about them."""
        found = [_Part(runs, ladder, images) for images in runs["images"].unique()]
        return sorted(found, key=lambda part: part.images != DRAWN)

    def conclude(runs: pd.DataFrame) -> Conclusion:
        both = parts(runs)
        findings = [finding for part in both for finding in _judged(part)]
        findings += [finding for part in both for finding in _steps(part)]
        findings += [finding for part in both if part.images != DRAWN for finding in _accuracies(part)]
        table = means(runs, ["images", "condition"], _QUANTITIES, keep=["states"], known=_known)
        seen = " ".join(_seen(part, findings) for part in both)
        return Conclusion(table, tuple(findings), predicted, seen)

    def draw(runs: pd.DataFrame) -> Figure:
        both = parts(runs)
        with plot_style():
            figure, axes = subplots(len(both) + 1, width=3.7, height=3.5)
            for axis, part in zip(axes, both, strict=False):
                _draw_rungs(axis, part)
            _draw_accuracy(axes[-1], both[-1])
            legend_below(figure, axes, ncols=3)
        return figure

    return Experiment(ladder, title, question, measure, conclude, draw, fewest=_FEWEST, square=True)


_PREDICTED = (
    "On one representation I(A;Z|C) - I(A;Z) = I(A;C|Z) for the finest label A (E1), the left side by "
    "predicting the labels of A one after the other, the right one by predicting C, which may guess them "
    "first; a fair coin beside A adds no synergy. Both sides are usable information: with few rows the left "
    "one misses what classifiers of A do not find in the class, the right one keeps what classifiers of C "
    "miss for not knowing A, so a gap below 0 says that rows are too few. {claim} "
    "But these steps on one Z are by construction and no evidence: the classifiers are pooled with ones that "
    "miss a label. Plain classifiers, which must use every label, had measured a step of M1 as -0.045 nats "
    "[-0.062, -0.028]. Between representations that were each trained on a task of their own "
    "nothing is guaranteed, and no accuracy either."
)
"""The prediction of both experiments, but for the claim."""

FINE_GRAINED = _experiment(
    "fine-grained",
    "Finer transformations",
    "Does a finer transformation leave more synergy?",
    _PREDICTED.format(claim="By F1 a finer label has at least the synergy of its coarse label."),
)
"""The experiment on finer labels."""

MULTIVARIATE = _experiment(
    "multivariate",
    "Several transformations",
    "Do several transformations together leave more synergy?",
    _PREDICTED.format(claim="By M1 several transformations have at least the synergy of some of them."),
)
"""The experiment on several transformations."""
