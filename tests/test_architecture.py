"""The architecture: three storeys, imports go down only, and theory never loads torch."""

import ast
from pathlib import Path

import networkx as nx
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


@pytest.mark.parametrize("package", STOREYS)
def test_public_names_exist_and_are_documented(package):
    module = __import__(package)
    assert module.__doc__
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None


def imports_of(path: Path, root: Path) -> set[str]:
    """The modules of the project that a module imports anywhere, but for types alone."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for rest in node.orelse:
                visit(rest)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if file_of(name, root)}
            found.update(modules if modules == inner else {node.module, *modules})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_module(node.value):
            found.add(node.value)  # an import by name
        for child in ast.iter_child_nodes(node):
            visit(child)

    def is_module(text: str) -> bool:
        return all(part.isidentifier() for part in text.split(".")) and text.count(".") > 0

    visit(ast.parse(path.read_text()))
    return {name for name in found if file_of(name, root)}


def file_of(name: str, root: Path) -> Path | None:
    """The file of a module or package of that dotted name."""
    base = root.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def circles(paths: list[Path], root: Path) -> list[list[str]]:
    """The circles of imports among files, a package's `__init__` being the file of the package's name."""
    graph = nx.DiGraph()
    for path in paths:
        for name in imports_of(path, root):
            graph.add_edge(path, file_of(name, root))
    loops = [{p for p in group if graph.has_edge(p, p)} for group in nx.strongly_connected_components(graph)]
    groups = [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
    return [sorted(str(p.relative_to(root)) for p in group) for group in groups + [g for g in loops if g]]


def test_no_circle_of_imports():
    assert circles(MODULES, ROOT) == []


def test_the_check_of_circles_can_fail(tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    from b import g\n")
    (tmp_path / "b.py").write_text("from c import h\n")
    (tmp_path / "c.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import f\n"
    )
    files = sorted(tmp_path.glob("*.py"))
    assert circles(files, tmp_path) == []
    (tmp_path / "c.py").write_text("import a\n")
    assert circles(files, tmp_path) == [["a.py", "b.py", "c.py"]]
