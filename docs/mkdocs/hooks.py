"""Pages that are made at build time, and `{{I(A;C|X)}}` in any page as mathematics."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import experiments_page
import gallery_page
import measured_page
import pages
from mkdocs.structure.files import File, Files

from theory import parse_statement, parse_term
from theory.mathml import mathml

COVERAGE = "<!-- coverage -->"
"""Where the table of coverage belongs."""

_MATH = re.compile(r"\{\{(.+?)\}\}")


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401
    """Add the generated pages and their images."""
    made: dict[str, Callable[[], str | bytes]] = {
        "claims.md": pages.claims,
        "gallery.md": gallery_page.gallery,
        "generators.md": pages.generators,
        "cli.md": pages.command_line,
        "measured.md": measured_page.measured,
        "experiments.md": experiments_page.experiments,
        "api/theory.md": lambda: pages.interface("theory"),
        "api/synthetic.md": lambda: pages.interface("synthetic"),
        "api/synergy.md": lambda: pages.interface("synergy"),
    }
    for uri, make in made.items():
        plain = files.get_file_from_path(uri)
        if plain is not None:
            files.remove(plain)
        files.append(File.generated(config, uri, content=make()))
    for uri, content in {
        **pages.images(),
        **experiments_page.pictures(),
        **measured_page.pictures(),
    }.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Show statements and terms in double braces as MathML, and the coverage table where it belongs."""
    if COVERAGE in markdown:
        markdown = markdown.replace(COVERAGE, pages.coverage())
    return _MATH.sub(lambda match: _shown(match[1]), markdown)


def _shown(text: str) -> str:
    if re.search(r"[<>=]", text):
        return mathml(parse_statement(text))
    return mathml(parse_term(text))
