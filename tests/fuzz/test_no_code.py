"""What is read is data: no code of a file runs, and nothing is written but where it was asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [p for room in ("theory", "synthetic", "synergy") for p in sorted((ROOT / room).rglob("*.py"))]
MODULE_NAMES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "subprocess", "pty"}
"""Modules that can run what a file says, or another program."""


def dangers(source: str) -> list[str]:
    """The calls and imports of a module that could run code that it reads."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found += [name for name in names if name.partition(".")[0] in MODULE_NAMES]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in (
            "eval",
            "exec",
            "compile",
            "__import__",
            "os.system",
            "os.popen",
            "sympify",
            "joblib.load",
        ):
            found.append(called)
        if called.endswith((".read_pickle", ".sympify", ".parse_expr")) or called.startswith("os.exec"):
            found.append(called)
        if called == "torch.load" and options.get("weights_only") != "True":
            found.append(f"{called} without weights_only")
        if called.endswith("np.load") and options.get("allow_pickle") not in (None, "False"):
            found.append(f"{called} with allow_pickle")
        if called.endswith("read_array") and options.get("allow_pickle") != "False":
            found.append(f"{called} without allow_pickle=False")
        if options.get("shell") == "True":
            found.append(f"{called} with a shell")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_can_run_what_it_reads(path):
    assert dangers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "eval('1')",
        "def f(x):\n    exec(x)",
        "os.system('ls')",
        "torch.load('x')",
        "torch.load('x', weights_only=False)",
        "np.load('x', allow_pickle=True)",
        "run('ls', shell=True)",
        "pd.read_pickle('x')",
        "sympy.sympify(text)",
    ],
)
def test_the_search_finds_what_it_looks_for(source):
    assert dangers(source)


def test_what_is_harmless_is_not_found():
    assert dangers("model.eval()\nre.compile('x')\nnp.load('x')\ntorch.load('x', weights_only=True)") == []


SCRIPT = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from attacks import ANSWERS, TEXTS, file_targets, mutant, text_mutant, answer

folder = Path(sys.argv[1])
targets = file_targets(folder / "valid")
for name, target in targets.items():
    for content in target.valid:
        target.attack(folder / "inputs", content)
from PIL import Image
Image.init()
seen = []
HARM = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.kill", "subprocess.Popen", "socket.connect",
        "socket.bind", "pickle.find_class", "marshal.loads", "ctypes.dlopen", "shutil.rmtree", "os.remove",
        "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod")

def hook(event, arguments):
    if event == "marshal.loads" and sys._getframe(1).f_code.co_filename == IMPORTER:
        return  # the bytecode of a module of ours, which is imported where it is used
    if event in HARM and not str(arguments[0]).startswith(str(folder)) and arguments[0] not in quiet:
        seen.append(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        if not str(arguments[0]).startswith(str(folder)):
            seen.append(f"{event} {arguments}")
    if event == "exec" and not Path(arguments[0].co_filename).is_file():
        caller = sys._getframe(1).f_code.co_filename
        if not caller.endswith(WRITERS):
            seen.append(f"{event} {arguments[0].co_filename} by {caller}")

quiet = ()
IMPORTER = "<frozen importlib._bootstrap_external>"
WRITERS = ("dataclasses.py", "collections/__init__.py", "typing.py")  # they evaluate what our code says
sys.dont_write_bytecode = True
sys.addaudithook(hook)
rng = random.Random(0)
for name, target in targets.items():
    for _ in range(60):
        target.attack(folder / "inputs", mutant(rng, target.valid))
for name, target in TEXTS.items():
    for _ in range(100):
        assert answer(lambda: target.read(text_mutant(rng, target.valid))) in ANSWERS
print(*seen[:5], sep="\\n")
control = open(sys.argv[3], "w")
print(len(seen))
"""


def test_reading_damaged_files_writes_nothing_and_runs_nothing(tmp_path):
    """An audit hook of Python sees every file that is opened and every program that is started."""
    folder = tmp_path / "in"
    folder.mkdir()
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        str(folder),
        str(Path(__file__).parent),
        str(tmp_path / "control"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["1"], done.stdout  # the control, which is written where nothing may be
