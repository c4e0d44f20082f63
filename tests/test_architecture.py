"""The architecture: three storeys, imports go down only, and theory never loads torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOREYS = ("theory", "synthetic", "synergy")
MODULES = [path for storey in STOREYS for path in sorted((ROOT / storey).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, at any depth of the code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path):
    storey = path.relative_to(ROOT).parts[0]
    above = set(STOREYS[STOREYS.index(storey) + 1 :])
    assert not imported(path) & above
    if storey == "theory":
        assert "torch" not in imported(path)


def test_the_check_of_imports_can_fail(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from synergy.cli import main\n    import torch.nn\n")
    assert imported(module) == {"synergy", "torch"}


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_theory_does_not_load_torch():
    loaded = modules_after("import theory")
    assert "theory.expressions" in loaded
    assert not {"torch", "synthetic", "synergy"} & loaded


def test_proving_from_the_command_line_does_not_load_torch():
    loaded = modules_after("from synergy.cli import run\nrun(['prove', 'H(A) >= 0', '--json'])")
    assert "theory.prover" in loaded
    assert "torch" not in loaded


@pytest.mark.parametrize("package", STOREYS)
def test_public_names_exist_and_are_documented(package):
    module = __import__(package)
    assert module.__doc__
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None
