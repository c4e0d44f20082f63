"""A paragraph for each task, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from synergy.ranking.gains import Gain
from synergy.ranking.quantities import Quantity

__all__ = ["only_with_the_class", "paragraph", "points"]

_SURE = 2.0
"""A quantity is called different from 0 when it is so many standard errors away."""

_LITTLE = 0.02
"""In nats: less than this is called nothing."""

_MOSTLY = 0.8
"""A shortcut that explains so much of I(A;X) solves the task."""

_NEARLY_ALL = 0.95
"""From this share on, a part is called the whole."""

_SHOWN = 3
"""Digits of what is impossible that are shown: less is rounding, and not spoken of."""

_LOSSLESS = 0.05
"""With H(A|X) of at most this share of the entropy of A, the task can be read off the input."""


def paragraph(
    name: str,
    gain: Gain,
    *,
    entropy: float,
    quantities: Mapping[str, Quantity | None],
    shortcuts: Mapping[str, Quantity],
    dropped: int | None,
    stretch: int = 1,
    begun: bool = True,
    alike: bool = False,
) -> str:
    """What the numbers say of a task.

    Args:
        name: The task.
        gain: Over no training.
        entropy: H(A), in nats.
        quantities: What the theory asks; empty where it was not asked.
        shortcuts: I(A;U) of each statistic alone.
        dropped: After how many seeds the task was dropped; None where it was not.
        stretch: How many times longer than others it was trained.
        begun: Whether its pilots began to learn it.
        alike: Whether all its states show the same image.
    """
    said = [_gain(name, gain, dropped)]
    if stretch > 1:
        said.append(
            f"It was given {stretch} times the steps of others, which it needed to begin to be learnt."
        )
    if alike:
        said.append(
            "All its states show the same image: there is nothing to learn, and every information is 0."
        )
    elif not begun:
        said.append("Its pilots did not begin to learn it, so this says nothing of a training that does.")
    if quantities:
        if not alike:  # else all informations are 0, whatever was measured
            said += [_reading(entropy, quantities), _shortcut(quantities, shortcuts), _class(quantities)]
        said += _impossible(entropy, quantities)
    return " ".join(sentence for sentence in said if sentence)


def points(value: float) -> str:
    """A difference of accuracies in points, with a sign of the width of a digit.

    Example:
        >>> points(0.0123), points(-0.5)
        ('+1.2', '−50.0')
    """
    return f"{100 * value:+.1f}".replace("-", "−")


def _gain(name: str, gain: Gain, dropped: int | None) -> str:
    low, high = gain.interval
    ends = f"[{points(low)}, {points(high)}]"
    seeds = f"{gain.seeds} seed{'s' if gain.seeds > 1 else ''}"
    verdict = (
        "worth less than no training"
        if high < 0
        else "worth more than no training"
        if low > 0
        else "not told from no training"
    )
    dropping = "" if dropped is None else f"; dropped after {dropped} seeds, clearly behind the best"
    return f"{name} is {verdict}: {points(gain.value)} points of accuracy {ends} over {seeds}{dropping}."


def _reading(entropy: float, quantities: Mapping[str, Quantity | None]) -> str:
    left, told = quantities.get("H(A|X)"), quantities.get("I(A;X)")
    if left is None or told is None:
        return ""
    pose = quantities.get("I(A;R|X)")
    lost = 0.0 if pose is None else left.value - pose.value  # H(A|X,R): states show the same image
    if left.value <= _LOSSLESS * entropy:
        return (
            f"The transformation can be read off the input (at most {left.value:.2f} of {entropy:.2f} nats "
            "are left to guess), so the class has nothing to add (claim L2)."
        )
    if only_with_the_class(quantities):
        return (
            f"No network here could tell the transformation from the input (I(A;X) {told.value:.2f} of "
            f"{entropy:.2f} nats), and those that were told the class could: there is synergy, and nothing "
            "to learn from the input alone."
        )
    if told.value <= max(_LITTLE, _SURE * told.error):
        return (
            f"No network here could tell the transformation from the input (I(A;X) {told.value:.2f} of "
            f"{entropy:.2f} nats) in so few steps: a longer training may{_at_most(entropy, lost)}."
        )
    said = (
        f"{told.value:.2f} of {entropy:.2f} nats can be told from the input, at most "
        f"{left.value:.2f} are left to guess"
    )
    if pose is not None and pose.value > max(_LITTLE, _SURE * pose.error):
        share = min(1.0, pose.value / left.value)
        part = "" if share > _NEARLY_ALL else f"{100 * share:.0f} % of "
        said += f", {part}which the untransformed image would settle"
    if lost > _LITTLE:
        said += f"; {lost:.2f} nats cannot be told, as states show the same image"
    return said + "."


def _at_most(entropy: float, lost: float) -> str:
    """How much a longer training may tell, where states that show the same image leave less than all."""
    return (
        f" tell {max(0.0, entropy - lost):.2f} nats, as states show the same image" if lost > _LITTLE else ""
    )


def only_with_the_class(quantities: Mapping[str, Quantity | None]) -> bool:
    """Whether A can be told from the input and the class, and not from the input alone.

    Then I(A;C|X) is large and I(A;X) is not: the posterior of A given X, which is all that a network is
    trained to say, tells nothing of the class.
    """
    told, synergy = quantities.get("I(A;X)"), quantities.get("I(A;C|X)")
    if told is None or synergy is None:
        return False
    return told.value <= max(_LITTLE, _SURE * told.error) < synergy.value - _SURE * synergy.error


def _shortcut(quantities: Mapping[str, Quantity | None], shortcuts: Mapping[str, Quantity]) -> str:
    told, simple = quantities.get("I(A;X)"), quantities.get("I(A;U)")
    shape = quantities.get("I(A;X|U)")
    if told is None or simple is None or shape is None or told.value <= max(_LITTLE, _SURE * told.error):
        return ""
    share = max(0.0, min(1.0, simple.value / told.value))
    best = max(shortcuts, key=lambda key: shortcuts[key].value) if shortcuts else ""
    alone = max(0.0, min(1.0, shortcuts[best].value / told.value)) if best else 0.0
    left = f"shape must tell {max(0.0, shape.value):.2f} ± {shape.error:.2f} nats"
    if alone >= _MOSTLY:
        return f"It is solved by {best} alone: {100 * alone:.0f} % of I(A;X); {left}."
    if share >= _MOSTLY:
        return f"It is solved by simple statistics: {100 * share:.0f} % of I(A;X), {best} most; {left}."
    if share > 0.1:
        return f"Simple statistics tell {100 * share:.0f} % of I(A;X), {best} most; {left}."
    return f"Simple statistics tell next to nothing of it; {left}."


def _class(quantities: Mapping[str, Quantity | None]) -> str:
    synergy, forced = quantities.get("I(A;C|X)"), quantities.get("J")
    said = []
    if synergy is not None:
        sure = synergy.value > max(_LITTLE / 2, _SURE * synergy.error)
        said.append(
            f"Knowing the class adds {synergy.value:.3f} ± {synergy.error:.3f} nats to the guess"
            if sure
            else "Knowing the class adds nothing that could be seen"
        )
    if forced is not None:
        sure = forced.value > max(_LITTLE, _SURE * forced.error)
        said.append(
            f"its posterior tells {forced.value:.2f} ± {forced.error:.2f} nats of the class"
            if sure
            else "in its posterior, coarsely read, nothing of the class could be seen"
        )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _impossible(entropy: float, quantities: Mapping[str, Quantity | None]) -> list[str]:
    """A number that cannot be negative, and is, and H(A|X) above H(A): by how much, and why."""
    below = [
        f"{name} ({q.value:.3f} ± {q.error:.3f})"
        for name, q in quantities.items()
        if q and round(q.value, _SHOWN) < 0
    ]
    said = []
    if below:
        is_are = "is" if len(below) == 1 else "are"
        said.append(
            f"{', '.join(below)} {is_are} not negative in truth: read 0, up to the error of the estimate."
        )
    left = quantities.get("H(A|X)")
    if left is not None and round(left.value - entropy, _SHOWN) > 0:
        said.append(
            f"H(A|X) ({left.value:.3f} ± {left.error:.3f}) is at most H(A), {entropy:.3f} nats, in truth: "
            "read that."
        )
    return said
