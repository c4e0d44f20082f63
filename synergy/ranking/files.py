"""Files that belong together: all are made before the first of them takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure

from synergy.plots import save_figure
from synthetic.storage.files import write_atomically

__all__ = ["write_together"]


def write_together(folder: Path, contents: Mapping[str, bytes], figures: Mapping[str, Figure]) -> list[Path]:
    """Write files and figures into a folder, so that each is there whole or not at all.

    They are written beside their places, and then moved there one by one: what fails before leaves the
    folder as it was. One that stops between two moves leaves new files beside old ones.

    Args:
        folder: Where to; made if there is none.
        contents: The bytes of each file by its name, moved in this order after the figures.
        figures: The figures by their names, see `save_figure`.

    Returns:
        The files in the order of their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", suffix=".part", dir=folder) as beside:
        made = [path for name, figure in figures.items() for path in save_figure(figure, beside, name)]
        for name, content in contents.items():
            made.append(Path(beside, name))
            write_atomically(made[-1], content)
        return sorted(path.replace(folder / path.name) for path in made)
