"""The notebooks: kept outputs, a verdict at the end, and that they run again.

Running one takes 5 to 25 seconds: `pytest -m notebook -k 02` runs one, `pytest -m "not notebook"` the first
alone, as `make test` does.
"""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs the extra essl-synergy[notebooks]")

FOLDER = Path(__file__).parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 300


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_at_most_twelve_and_each_has_its_number():
    numbers = [int(path.name[:2]) for path in PATHS]
    assert 1 <= len(numbers) <= 12
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(range(1, 13))


def test_outputs_are_kept_and_free_of_errors_and_of_this_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_of(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"/(home|root|tmp|work|usr|Users)/", text)


def test_its_verdict_is_asserted(path):
    notebook = nbformat.read(path, as_version=4)
    headings = [c.source for c in notebook.cells if c.cell_type == "markdown" and c.source.startswith("#")]
    assert headings[0].startswith(f"# {path.name[:2]} ")
    assert sum(cell.source.count("assert ") for cell in code_of(notebook)) >= 2


def later(path):
    """The first notebook runs with the other tests."""
    return pytest.param(path, id=path.stem, marks=[] if path is PATHS[0] else [pytest.mark.notebook])


@pytest.mark.parametrize("path", [later(path) for path in PATHS])
def test_it_runs_again(path, tmp_path):
    client = pytest.importorskip("nbclient", reason="needs the extra essl-synergy[notebooks]")
    notebook = nbformat.read(path, as_version=4)
    for cell in code_of(notebook):
        cell.outputs = []
    (tmp_path / "experiments").symlink_to(FOLDER / "experiments")
    runner = client.NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    runner.execute()
    assert all(cell.execution_count for cell in code_of(runner.nb))
