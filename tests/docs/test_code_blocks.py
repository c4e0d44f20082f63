"""Every code block of the documentation runs: Python, commands with their output, make targets, recipes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

import theory
from synergy.cli import run
from theory.claims import registry

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.M | re.S)
LANGUAGES = {"python", "console", "sh", "text", "diff"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what follows it on the line, and its text."""

    language: str
    attributes: str
    text: str


def blocks(path: Path) -> list[Block]:
    return [Block(*match.groups()) for match in FENCE.finditer(path.read_text(encoding="utf-8"))]


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request):
    return request.param


def test_every_block_says_what_it_is(page):
    assert page.read_text(encoding="utf-8").count("\n```") % 2 == 0
    assert {block.language for block in blocks(page)} <= LANGUAGES


def executed(path: Path, name: str) -> dict[str, object]:
    """What the Python of a page defines, from its top to its end; its failed assertions are raised."""
    names: dict[str, object] = {"__name__": name}
    for number, block in enumerate(blocks(path)):
        if block.language == "python" and "title=" not in block.attributes:
            exec(compile(block.text, f"{path.name}, block {number}", "exec"), names)
    return names


def test_python_runs_from_the_top_of_a_page_to_its_end(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(theory, "CLAIMS", MappingProxyType(registry._REGISTRY))
    text = "".join(b.text for b in blocks(page) if b.language == "python" and "title=" not in b.attributes)
    assert set(re.findall(r"^(\w+) = ", text, re.M)) <= set(executed(page, page.stem))


def test_the_readme_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(executed(ROOT / "README.md", "readme")) > 1


def test_a_false_assertion_of_a_page_is_raised(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        executed(page, "page")


def commands(block: Block) -> list[tuple[str, str]]:
    """Each command of a console block with the output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


CONSOLE = [
    pytest.param(block, id=f"{path.stem}-{number}")
    for path in PAGES
    for number, block in enumerate(blocks(path))
    if block.language == "console"
]


@pytest.mark.parametrize("block", CONSOLE)
def test_commands_print_what_is_shown(block, tmp_path, capsys):
    wanted = re.search(r"exit status (\d)", block.attributes)
    for command, shown in commands(block):
        program, *arguments = shlex.split(command.replace("{tmp}", str(tmp_path)))
        assert program == "synergy"
        status = run(arguments)
        printed = capsys.readouterr().out.strip()
        assert status == (int(wanted[1]) if wanted else 0)
        pattern = ".*".join(map(re.escape, shown.strip().split("...")))
        assert re.fullmatch(pattern, printed, re.S), printed


def test_a_wrong_output_would_be_noticed(tmp_path, capsys):
    block = Block("console", "", '$ synergy prove "H(A) >= 0"\nproved: H(B) >= 0\n...')
    with pytest.raises(AssertionError):
        test_commands_print_what_is_shown(block, tmp_path, capsys)


def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for block in blocks(page):
        if block.language == "sh":
            lines = [line.split() for line in block.text.splitlines()]
            assert all(words[0] == "make" and set(words[1:]) <= targets for words in lines)


def test_pages_name_notebooks_that_exist():
    named = set(re.findall(r"^\| `(\d\d_\w+)`", (ROOT / "docs" / "notebooks.md").read_text(), re.M))
    assert named == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_hooks_run_tools_that_the_project_has():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with mkdocs, in the extra essl-synergy[docs]")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    development = (ROOT / "pyproject.toml").read_text()
    assert len(entries) >= 3
    for entry in entries:
        tool = entry.split()[0].removeprefix(".venv/bin/")
        assert f'"{tool}>=' in development
