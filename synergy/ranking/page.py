"""From a ranking to one HTML page, with jinja2: one file that refers to nothing outside itself."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib import pyplot

from synergy.ranking.figure import draw_ranking
from synergy.ranking.files import write_together
from synergy.ranking.quantities import MEANINGS, QUANTITIES
from synergy.ranking.words import points

if TYPE_CHECKING:
    from synergy.ranking.result import Ranked, Ranking

__all__ = ["headline", "render_ranking", "write_ranking"]

_WORTH = {"more": "expected", "undecided": "inconclusive", "less": "unexpected"}
"""The tone of a gain on the page."""

_SAID = {
    "more": "more than no training",
    "undecided": "not told from no training",
    "less": "less than no training",
}
"""The same in words."""


def headline(ranking: Ranking) -> str:
    """The answer in a sentence."""
    best = ranking.best
    alike = [task.name for task in ranking.tasks if task.group == 1 and task is not best]
    more = [task.name for task in ranking.tasks if task.worth == "more" and task is not best]
    gained = f"{points(best.gain.value)} points of accuracy over no training"
    if best.worth == "more":
        said = f"{best.name} is worth most: {gained}"
    elif best.worth == "less":
        said = f"{best.name} stands first, and is worth less than no training: {gained}"
    else:
        said = f"{best.name} stands first, and is not told from no training: {gained}"
    if len(ranking.worth_less) == len(ranking.tasks):
        said = f"No task is worth training on. {said}"
    if more and best.worth != "more":
        said += f"; worth more than no training: {', '.join(more)}"
    if alike:
        said += f"; not told from {best.name}: {', '.join(alike)}"
    return f"{said}."


def render_ranking(ranking: Ranking) -> str:
    """The text of the page."""
    figure = draw_ranking(ranking)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    pyplot.close(figure)
    environment = Environment(
        loader=PackageLoader("synergy.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = [name for name in QUANTITIES if any(task.quantities.get(name) for task in ranking.tasks)]
    return environment.get_template("ranking.html.jinja").render(
        ranking=ranking,
        headline=headline(ranking),
        tone=_WORTH[ranking.best.worth],
        picture=base64.b64encode(picture.getvalue()).decode(),
        names=names,
        meanings=MEANINGS,
        worth=_WORTH,
        said=_SAID,
        points=points,
        nats=_nats,
        ordered=_ordered,
    )


def write_ranking(ranking: Ranking, out: str | Path) -> list[Path]:
    """Write `ranking.json`, `ranking.csv`, `ranking.html` and the figure into a folder.

    Each file appears whole or not at all, and none before all are made.

    Raises:
        TypeError: If `ranking` is none, or `out` is no path.
        ValueError: If `out` is a file.
    """
    if not hasattr(ranking, "tasks"):
        raise TypeError(f"ranking must be what rank gives, got {type(ranking).__name__}")
    if not isinstance(out, str | Path):
        raise TypeError(f"out must be the path of a folder, got {type(out).__name__}")
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out must be a folder, got the file {str(out)!r}")
    texts = {
        "ranking.json": ranking.to_json(),
        "ranking.csv": ranking.table.to_csv(index=False),
        "ranking.html": render_ranking(ranking),
    }
    figure = draw_ranking(ranking)
    written = write_together(
        folder, {name: text.encode() for name, text in texts.items()}, {"ranking": figure}
    )
    pyplot.close(figure)
    return written


def _nats(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _ordered(task: Ranked) -> list[tuple[str, str]]:
    """The named shortcuts of a task, the most telling first."""
    found = sorted(task.shortcuts.items(), key=lambda pair: -pair[1].value)
    return [(name, f"{_nats(q.value)} ± {_nats(q.error)}") for name, q in found]
