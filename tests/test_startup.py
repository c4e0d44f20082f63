"""What each command loads: only the libraries that it uses, so that it starts at once."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from theory.deferred import Registry, public_names

ROOT = Path(__file__).parents[1]

PICTURES = {"matplotlib", "seaborn"}
TABLES = {"pandas", "pyarrow"}
LEARNING = {"torch", "sklearn", "numba", "joblib", "safetensors"}
SCIENCE = {"sympy", "scipy", "networkx", "numpy"}
TERMINAL = {"rich", "jinja2"}
ALL = PICTURES | TABLES | LEARNING | SCIENCE | TERMINAL

COMMANDS = {
    "help": (["--help"], ALL),
    "help of a command": (["verify", "--help"], ALL),
    "version": (["--version"], ALL),
    "list claims": (["list", "claims"], ALL - {"numpy", "rich"}),
    "list claims in JSON": (["list", "claims", "--json"], ALL - {"numpy"}),
    "prove": (
        ["prove", "I(A;Z|C) >= I(A;Z)", "--diagram", "essl"],
        ALL - {"numpy", "scipy", "networkx"},
    ),
    "refute": (["prove", "I(A;C) >= H(A)", "--json"], ALL - {"numpy", "scipy", "networkx"}),
    "exact": (["exact", "modular-shift", "I(A;C|X)"], ALL - {"numpy", "sympy"}),
    "exact in JSON": (["exact", "reduced-shift", "I(A;C|Z)", "--json"], ALL - {"numpy", "sympy"}),
}

STATEMENTS = {
    "import theory": ALL,
    "import synthetic": ALL,
    "import synergy": ALL,
    "from theory import Joint, Diagram, CLAIMS, parse_statement": ALL - {"numpy"},
    "from theory import prove": ALL - {"numpy", "scipy"},
    "from synthetic import Sample, GENERATORS, make_generator, read_data": ALL - {"numpy"},
    "from synthetic import ModularShift": ALL - {"numpy", "sympy"},
    "from synergy import estimate": PICTURES | LEARNING | TERMINAL | {"sympy"},
}


def loaded_after(statement):
    """The modules that a new interpreter has after a statement."""
    code = f"import sys\n{statement}\nprint('\\n' + ' '.join(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(("arguments", "forbidden"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_loads_what_it_uses(arguments, forbidden):
    loaded = loaded_after(f"from synergy.cli import run\nrun({arguments!r})")
    assert "synergy.cli" in loaded
    assert not forbidden & loaded


@pytest.mark.parametrize(("statement", "forbidden"), STATEMENTS.items(), ids=STATEMENTS)
def test_an_import_loads_what_it_names(statement, forbidden):
    loaded = loaded_after(statement)
    assert statement.split()[1] in loaded
    assert not forbidden & loaded


@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
def test_an_estimate_of_integers_loads_no_networks(tmp_path, suffix):
    rows = np.random.default_rng(0).integers(2, size=(3, 200))
    table = {name: column for name, column in zip("ACX", rows, strict=True)}
    file = tmp_path / f"table.{suffix}"
    if suffix == "npz":
        np.savez(file, **table)
    else:
        frame = importlib.import_module("pandas").DataFrame(table)
        frame.to_csv(file, index=False) if suffix == "csv" else frame.to_parquet(file)
    command = ["estimate", str(file), "I(A;C|X)", "--json"]
    loaded = loaded_after(f"from synergy.cli import run\nassert run({command!r}) == 0")
    assert "synergy.estimators.discrete.plug_in" in loaded
    assert not (PICTURES | LEARNING | TERMINAL | {"sympy"}) & loaded


def test_the_check_can_fail():
    """A prediction loads sympy and an encoder torch: the names above are the right ones."""
    loaded = loaded_after("from synthetic import ModularShift\nModularShift().predict('I(A;C|X)')")
    assert "sympy" in loaded
    assert "torch" in loaded_after("from synergy import train")


def deferred_packages():
    """The packages with a table of public names: the file, and the table's modules and names."""
    for storey in ("theory", "synthetic", "synergy"):
        for path in sorted((ROOT / storey).rglob("__init__.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "public_names":
                    yield pytest.param(
                        path, ast.literal_eval(node.args[1]), id=str(path.parent.relative_to(ROOT))
                    )


@pytest.mark.parametrize(("path", "table"), list(deferred_packages()))
def test_type_checkers_and_the_interpreter_see_the_same_names(path, table):
    branch = next(
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        (node.module, alias.name)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {(home, name) for home, names in table.items() for name in names}
    package = importlib.import_module(".".join(path.parent.relative_to(ROOT).parts))
    submodules = {child.stem for child in path.parent.iterdir()}
    for home, name in sorted(seen):
        assert getattr(package, name) is getattr(importlib.import_module(home), name)
        assert name in dir(package)
        assert name in package.__all__
        assert name not in submodules, f"importing the module {name} would hide the name {name}"


def test_an_unknown_name_is_an_attribute_error():
    load, names = public_names("theory", {"fractions": ("Fraction",)})
    assert "Fraction" in names()
    with pytest.raises(AttributeError, match="module 'theory' has no attribute 'Decimal'"):
        load("Decimal")


def test_a_registry_is_a_mapping_that_can_be_added_to():
    registry = Registry({"half": ("fractions", "Fraction"), "missing": ("no.such.module", "Thing")})
    assert list(registry) == ["half", "missing"]
    assert "missing" in registry
    assert registry["half"](1, 2) * 2 == 1
    with pytest.raises(KeyError):
        registry["other"]
    with pytest.raises(ModuleNotFoundError):
        registry["missing"]
    registry["missing"] = str
    assert registry["missing"] is str
    del registry["missing"]
    assert len(registry) == 1
