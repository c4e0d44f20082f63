"""What the runs of class-information say of the price of avoiding the class: findings, table, figure.

Glyphs are judged by Z + 0.2 N, whose informations are exact (`blurred`), and so comparable with the exact
F(b); real images by Z and probes, whose informations are usable ones and lower bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from synergy.experiments.class_information.blurred import TERMS
from synergy.experiments.findings import Comparison, Finding, FindingVerdict
from synergy.experiments.limits import ACCURACY, GAIN, Information, Limits, Quantity, apart
from synergy.experiments.outcome import Conclusion
from synergy.experiments.show import entropies, means, paired, shared_images, worded
from theory import Joint
from theory.forced import price_of_avoidance

__all__ = [
    "BEST_READ",
    "CLASS_READ",
    "JUDGED",
    "NOISE_ERROR",
    "SETS",
    "STRONGEST",
    "SYNERGY",
    "TAUS",
    "blurred_name",
    "conclude",
    "exact_price",
    "judged_name",
]

SETS = ("free", "half-turn-pairs", "half-symmetric")
"""The sets of glyphs; only the last has forced class information."""

STRONGEST = 1.0
"""The weight of the elimination in the findings."""

SYNERGY = "I(A;C|X)"
"""The column of the synergy at the input."""

CLASS_READ = "accuracy of C by k-NN"
"""The column of the class as a probe reads it."""

BEST_READ = "best accuracy of C"
"""The column of the best accuracy that the noise allows."""

NOISE_ERROR = "largest Monte Carlo error"
"""The column of the largest Monte Carlo error of the quantities under noise."""

JUDGED = 0.2
"""The noise of the findings, in standard deviations of a feature.

Four features then carry at most 4/2 log(1 + 1/0.2^2) = 6.5 nats, just above the log 480 = 6.2 of the images:
all that the images tell could pass, so the noise alone need not cost any of A, and no more than that could.
"""

TAUS = (0.1, JUDGED, 0.3)
"""All noises that are recorded, to show how the numbers depend on it."""

_MARGIN = 0.05
"""In nats: a smaller difference from a prediction counts as none."""

_ELIMINATED = 0.1
"""A twentieth of the class of free glyphs and pairs, log 8 = 2.08 nats."""

_MOST = 0.5
"""An adversary that leaves more than this share of the class has eliminated nothing."""

_ROTATIONS = 4
"""The states of A."""

_TOOK, _LEFT, _OPEN = "took", "left", "open"
"""Whether an adversary took most of the class or left it, or the seeds leave that open."""

_VOID: dict[str, FindingVerdict | None] = {
    _TOOK: None,
    _LEFT: "nothing was eliminated",
    _OPEN: "elimination undecided",
}
"""What is said in place of a price."""

_TOLD_MARGIN = 0.02
"""The same for the gain of a head that is told the class."""

_LAW_MARGIN = 0.005
"""The curve is found to 0.001; four standard errors of the noise are below 0.004."""

_KINDS = {term: Information("C" if term == "I(C;Z)" else "A") for term in TERMS}
"""What is measured: two terms are about A, one is about C."""

_POINTS = 33
"""The number of budgets at which the curve is computed."""


def exact_price(glyphs: str) -> pd.DataFrame:
    """F(b) of a glyph set without noise, columns b and F in nats, from its two-state or one-state reduction.

    Example:
        >>> round(float(exact_price("half-symmetric")["F"].iloc[0]), 3)
        0.313
    """
    if glyphs == "half-symmetric":
        joint = Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a})
        price = price_of_avoidance(joint, [float(b) for b in np.linspace(0, np.log(2), _POINTS)])
        return pd.DataFrame({"b": price.budgets, "F": price.lower})
    flat = np.log(4) if glyphs == "free" else np.log(2)
    return pd.DataFrame({"b": [0.0, np.log(2)], "F": [flat, flat]})


curve = cache(exact_price)
"""The exact curve of a set of glyphs, computed once."""


def blurred_name(term: str, tau: float) -> str:
    """The column of a term of Z + tau N.

    Example:
        >>> blurred_name("I(A;Z|C)", 0.2)
        'I(A;Z+0.2N|C)'
    """
    return term.replace("Z", f"Z+{tau:g}N")


def judged_name(images: str, term: str) -> str:
    """The column by which images are judged: exact with noise for glyphs, by probes for real images."""
    return blurred_name(term, JUDGED) if images in SETS else term


def treated(runs: pd.DataFrame, images: str, treatment: str) -> pd.DataFrame:
    """The runs of some images as usual, told the class, or with the strongest adversary."""
    part = runs[(runs["images"] == images) & (runs["treatment"] == treatment)]
    return part[part["weight"] == STRONGEST] if treatment == "eliminated" else part


def below_the_curve(runs: pd.DataFrame, images: str, tau: float = JUDGED) -> pd.Series[float]:
    """F(I(C;Z)) less I(A;Z) of each run, Z with noise: what the best representation would hold more of A."""
    exact = curve(images)
    best = np.interp(runs[blurred_name("I(C;Z)", tau)], exact["b"], exact["F"])
    return pd.Series(best, index=runs.index) - runs[blurred_name("I(A;Z)", tau)].astype(float)


def gains(runs: pd.DataFrame, images: str) -> tuple[float, ...]:
    """I(A;Z|C) of the network that is told the class less I(A;Z) of the usual one, seed by seed."""
    told = treated(runs, images, "told").set_index("seed")[judged_name(images, "I(A;Z|C)")]
    usual = treated(runs, images, "as usual").set_index("seed")[judged_name(images, "I(A;Z)")]
    return tuple(float(v) for v in (told - usual).dropna().sort_index())


def _how(images: str) -> str:
    return "exact" if images in SETS else "by probes"


def _known(runs: pd.DataFrame) -> dict[str, float]:
    """The most that can be known of the transformation and of the class."""
    return entropies(runs, A=_ROTATIONS)


def _within(runs: pd.DataFrame, variable: str) -> Limits:
    """What an information about A or about C cannot leave."""
    return Information(variable).within(_known(runs))


def _findings(runs: pd.DataFrame) -> list[Finding]:
    """Those of glyphs first: they alone are judged, and words of other images are as careful."""
    found: list[Finding] = []
    for images in sorted(runs["images"].unique(), key=lambda name: name not in SETS):
        part = runs[runs["images"] == images]
        usual, eliminated = (treated(runs, images, name) for name in ("as usual", "eliminated"))
        shared, term = shared_images(part), judged_name(images, "I(A;Z)")
        void: FindingVerdict | None = None
        limits = _within(part, "A")
        if images not in SETS:
            void = _VOID[_elimination(runs, images, found)]
            found.append(_left(part, usual, eliminated, void))
        about = f"{images}: {term} as usual less that with the class eliminated, {_how(images)}, in nats"
        relation: Comparison | None = ">" if images == "half-symmetric" else "==" if images in SETS else None
        margin = _MARGIN if relation == "==" else 0.0
        found.append(
            Finding(
                about, paired(usual, eliminated, term), relation, margin, shared, apart(limits), void=void
            )
        )
        if images in SETS:
            left = judged_name(images, "I(C;Z)")
            about = f"{images}: {left} with the class eliminated, exact, in nats"
            within = _within(part, "C")
            found.append(Finding(about, tuple(eliminated[left].tolist()), "==", _ELIMINATED, bounds=within))
        if images == "half-symmetric":
            found += _on_the_curve(part, usual, eliminated)
        if len(treated(runs, images, "told")):
            found.append(_told(runs, images, shared))
    return found


def _elimination(runs: pd.DataFrame, images: str, beside: Sequence[Finding]) -> str:
    """Whether the adversary took most of the class from representations, so that a price can be told.

    Args:
        runs: All of them.
        images: On which.
        beside: The findings that are judged: the interval of what was left is as wide as theirs.
    """
    usual, eliminated = (
        treated(runs, images, name).set_index("seed")["I(C;Z)"] for name in ("as usual", "eliminated")
    )
    above = (eliminated - _MOST * usual).sort_index().tolist()
    shared = shared_images(runs[runs["images"] == images])
    return worded(above, (_LEFT, _TOOK, _OPEN), shared=shared, beside=beside)


def _left(
    part: pd.DataFrame, usual: pd.DataFrame, eliminated: pd.DataFrame, void: FindingVerdict | None
) -> Finding:
    """What the adversary left of the class: where it is most of it, no price is measured."""
    images = part["images"].iloc[0]
    left, before = (kind.set_index("seed")["I(C;Z)"] for kind in (eliminated, usual))
    return Finding(
        f"{images}: I(C;Z) with the class eliminated, by probes, in nats; as usual {before.mean():.3f}",
        tuple(float(v) for v in left.sort_index()),
        shared=shared_images(part),
        bounds=_within(part, "C"),
        void=void,
    )


def _on_the_curve(part: pd.DataFrame, usual: pd.DataFrame, eliminated: pd.DataFrame) -> list[Finding]:
    images = "half-symmetric"
    every = pd.concat([below_the_curve(part, images, tau) for tau in TAUS], axis=1).min(axis=1)
    least = every.groupby(part["seed"]).min()
    nearest, limits = below_the_curve(eliminated, images), _within(part, "A")
    return [
        Finding(
            f"{images}: accuracy of A as usual less that with the class eliminated",
            paired(usual, eliminated, "accuracy of A"),
            "==",
            _MARGIN,
            bounds=GAIN,
        ),
        Finding(
            f"{images}: F(I(C;Z+tau N)) less I(A;Z+tau N), the least of all networks and tau, "
            "exact, in nats (a law: below 0 the error would be ours)",
            tuple(least.tolist()),
            ">=",
            _LAW_MARGIN,
            bounds=apart(limits),
        ),
        Finding(
            f"{images}: F({judged_name(images, 'I(C;Z)')}) less {judged_name(images, 'I(A;Z)')} with the "
            "class eliminated, exact, in nats: how far from the best there is",
            tuple(nearest.tolist()),
            "==",
            _MARGIN,
            bounds=apart(limits),
        ),
    ]


def _told(runs: pd.DataFrame, images: str, shared: float) -> Finding:
    about = (
        f"{images}: {judged_name(images, 'I(A;Z|C)')} with the class told less "
        f"{judged_name(images, 'I(A;Z)')} as usual"
    )
    gained = gains(runs, images)
    least, most = apart(_within(runs[runs["images"] == images], "A"))
    if images not in SETS:
        return Finding(f"{about}, by probes, in nats", gained, shared=shared, bounds=(least, most))
    synergy = float(runs.loc[runs["images"] == images, SYNERGY].iloc[0])
    about += f", less the synergy {SYNERGY} = {synergy:.3f}, exact, in nats"
    values = tuple(v - synergy for v in gained)
    return Finding(about, values, "==", _TOLD_MARGIN, shared, (least - synergy, most - synergy))


def _details(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Of glyphs: the price by each noise, the class that is read without one, the error of the noise."""
    rows = []
    for images in (name for name in runs["images"].unique() if name in SETS):
        usual, eliminated = (treated(runs, images, name) for name in ("as usual", "eliminated"))
        prices = {tau: paired(usual, eliminated, blurred_name("I(A;Z)", tau)) for tau in TAUS}
        rows.append(
            {
                "images": images,
                **{f"price at tau {tau:g}": float(np.mean(values)) for tau, values in prices.items()},
                f"{CLASS_READ}, eliminated": eliminated[CLASS_READ].mean(),
                "at most": eliminated[BEST_READ].mean(),
                NOISE_ERROR: runs.loc[runs["images"] == images, NOISE_ERROR].max(),
            }
        )
    return pd.DataFrame(rows) if rows else None


def _seen(runs: pd.DataFrame, beside: Sequence[Finding]) -> str:
    """The price on glyphs, else on images that lost the class, and where most of it was left, or may be."""
    prices: dict[str, float] = {}
    others: dict[str, list[str]] = {said: [] for said in _VOID}
    for images in runs["images"].unique():
        usual, eliminated = (treated(runs, images, name) for name in ("as usual", "eliminated"))
        prices[images] = float(np.mean(paired(usual, eliminated, judged_name(images, "I(A;Z)"))))
        if images not in SETS:
            others[_elimination(runs, images, beside)].append(str(images))
    glyphs = {f"{images} glyphs": price for images, price in prices.items() if images in SETS}
    shown = glyphs or {images: prices[images] for images in others[_TOOK]}
    listed = ", ".join(f"{round(price, 3) + 0.0:.3f} on {name}" for name, price in shown.items())
    seen = f"Eliminating the class costs networks, in nats of I(A;Z): {listed or 'not told'}."
    for kind, said in (
        (_LEFT, "the adversary left most of the class: a loss there is not its price."),
        (_OPEN, "it is undecided whether the adversary took most of the class."),
    ):
        if others[kind]:
            seen += f" On {'; '.join(others[kind])} {said}"
    return seen


def _predicted(runs: pd.DataFrame) -> str:
    glyphs = runs[runs["images"].isin(SETS)]
    real = (
        "Of real images nobody knows J or the synergy: there is no prediction of the price, and none is "
        "measured where the adversary left most of the class or may have."
    )
    if glyphs.empty:
        return real
    told = (
        "A network that is told the class gains the synergy: I(A;Z|C) less I(A;Z) of the usual network is "
        "I(A;C|X). "
    )
    return (
        "A deterministic network forgets nothing of finitely many images, so glyphs are judged by "
        f"Z + {JUDGED:g} N, N standard normal, Z standardised: its informations are exact, and F(b) bounds "
        "them by a law. Eliminating the class costs nothing for free glyphs (synergy 0, J 0) and for "
        "half-turn pairs (synergy log 2, J 0), the negative controls, and up to 0.380 nats of I(A;Z) for the "
        "half-symmetric set (J log 2), by the curve F(b), which the best network reaches; the price shows in "
        "the loss, not in the accuracy. "
        f"{told if (glyphs['treatment'] == 'told').any() else ''}{real}"
    )


def conclude(runs: pd.DataFrame) -> Conclusion:
    """What the runs of class-information say."""
    glyphs = bool(set(SETS) & set(runs["images"]))
    exact = {blurred_name(term, JUDGED): kind for term, kind in _KINDS.items()} if glyphs else {}
    quantities: dict[str, Quantity] = {**exact, **_KINDS, "accuracy of A": ACCURACY, CLASS_READ: ACCURACY}
    findings = _findings(runs)
    return Conclusion(
        means(runs, ["images", "treatment", "weight"], quantities, keep=[SYNERGY], known=_known),
        tuple(findings),
        _predicted(runs),
        _seen(runs, findings),
        _details(runs),
    )
