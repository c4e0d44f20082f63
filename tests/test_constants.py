"""Module constants have a line that explains them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = ("theory", "synthetic", "synergy")
"""The packages without an unexplained constant."""

MODULES = [path for folder in CLEAN for path in sorted((ROOT / folder).rglob("*.py"))]


def unexplained(source: str) -> list[str]:
    """The constants of a module without a docstring below, or a comment above or beside them.

    Exempt are names with two underscores, type variables, aliases of types, and compiled regular expressions.
    """
    lines = source.splitlines()
    body = ast.parse(source).body
    found = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign):
            names = ast.unparse(node.targets[0])
        elif isinstance(node, ast.AnnAssign):
            names = ast.unparse(node.target)
        else:
            continue
        documented = (
            isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        )
        above = lines[node.lineno - 2] if node.lineno > 1 else ""
        commented = above.lstrip().startswith("#") or "  # " in lines[node.end_lineno - 1]
        if not (documented or commented or names.startswith("__") or exempt(node.value)):
            found.append(names)
    return found


def exempt(value: ast.expr) -> bool:
    """Whether a value is a type variable, an alias of a type, or a regular expression."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in ("TypeVar", "ParamSpec", "re.compile")
    aliased = ("npt.NDArray", "tuple", "dict", "list", "frozenset", "Callable", "Mapping", "Literal")
    return isinstance(value, ast.Subscript) and ast.unparse(value.value) in aliased


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_constants_are_explained(path):
    assert unexplained(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("_LIMIT = 3\n", ["_LIMIT"]),
        ("a = 1\n_LIMIT: int = 3\n\n\ndef f():\n    '''f.'''\n", ["a", "_LIMIT"]),
        ("_GAP, _LINE = 8, 11\n", ["(_GAP, _LINE)"]),
        ("_LIMIT = 3\n'''The most rows.'''\n", []),
        ("# The most rows.\n_LIMIT = 3\n", []),
        ("_LIMIT = 3  # the most rows\n", []),
        ("_MARK = '#'\n", ["_MARK"]),
        ("__all__ = ['f']\n", []),
        ("Floats = npt.NDArray[np.float64]\nT = TypeVar('T')\n_NAME = re.compile('[a-z]+')\n", []),
        ("_FIRST = TABLE[0]\n", ["_FIRST"]),
    ],
)
def test_the_check_of_constants_finds_them(source, names):
    assert unexplained(source) == names
