"""A full disk, a folder that cannot be written or that goes away, a killed command, a clock that jumps."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synergy.cli import run
from synthetic import ModularShift, read_dataset, write_dataset
from synthetic.parallel.orphans import end_with_parent

COMMAND = [sys.executable, "-m", "synergy"]
"""The command by its module, so that it is the code beside these tests."""


def generate(out: Path, *, samples: int = 200_000, shards: int = 8) -> list[str]:
    return [
        *("generate", "modular-shift", "--samples", str(samples), "--shards", str(shards)),
        *("--seed", "3", "--out", str(out)),
    ]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What `generate` writes that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed") / "data"
    write_dataset(ModularShift(), samples=200_000, seed=3, out=folder, shards=8)
    return content(folder)


def command(arguments: list[str], **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=600, **options
    )


def one_line(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether the command says one line of its own, and no traceback."""
    lines = done.stderr.strip().splitlines()
    return len(lines) == 1 and lines[0].startswith("synergy: ")


def small_files() -> None:
    """No file may grow beyond 300 kB, as on a disk that is nearly full."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are those of Unix")
def test_a_full_disk_is_told_and_the_same_command_goes_on(tmp_path, undisturbed):
    out = tmp_path / "data"
    done = command(generate(out), preexec_fn=small_files)
    assert done.returncode == 2
    assert one_line(done)
    assert "File too large" in done.stderr
    assert not out.exists()
    assert command(generate(out)).returncode == 0
    assert content(out) == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path, capsys):
    """A file is where the folder should be, which also the superuser cannot change by writing."""
    (tmp_path / "file").write_text("mine")
    assert run(generate(tmp_path / "file" / "data")) == 2
    assert capsys.readouterr().err.count("\n") == 1
    if Path("/proc/self").is_dir():
        assert run(generate(Path("/proc/nowhere/data"))) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_is_deleted_half_way_is_told_and_made_anew(tmp_path):
    out = tmp_path / "data"

    def progress(done: int, total: int) -> None:
        if done == 60:
            for scratch in tmp_path.glob(".data.*.partial"):
                shutil.rmtree(scratch)

    with pytest.raises(FileNotFoundError):
        write_dataset(ModularShift(), samples=100, seed=0, out=out, shards=5, progress=progress)
    assert not out.exists()
    write_dataset(ModularShift(), samples=100, seed=0, out=out, shards=5)
    assert len(read_dataset(out)) == 100


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=str
)
def test_a_command_that_is_ended_goes_on_with_the_same_bytes(number, status, tmp_path, undisturbed):
    out = tmp_path / "data"
    with subprocess.Popen([*COMMAND, *generate(out)], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob(".data.*.partial/*.json")) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        said = process.communicate(timeout=300)[1]
    assert process.returncode in (status, 0)  # 0 where it was done before the signal came
    if process.returncode > 0:
        assert said.strip().startswith("synergy: interrupted; what is done is kept")
        assert said.count("\n") == 1
    assert command(generate(out)).returncode == 0
    assert content(out) == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_home_and_temporary_folders_that_cannot_be_written_do_no_harm(tmp_path, undisturbed):
    nowhere = {"HOME": "/proc/nowhere", "TMPDIR": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}
    done = command(generate(tmp_path / "data"), env={**os.environ, **nowhere})
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "data") == undisturbed
    done = command(["prove", "I(A;B) >= 0"], env={**os.environ, **nowhere})
    assert done.returncode == 0, done.stderr


SHM = {
    "missing": """
        mount -t tmpfs none "$1"
        for name in null zero urandom random; do touch "$1/$name"; mount --bind "/dev/$name" "$1/$name"; done
        mount --rbind "$1" /dev
        [ ! -e /dev/shm ]""",
    "not writable": "mount -t tmpfs -o ro none /dev/shm",
    "of 64 kB": "mount -t tmpfs -o size=64k none /dev/shm",
}
"""What a process finds at /dev/shm, by the shell commands that make it so for this process alone."""

PARALLEL = """
import sys
import numpy as np
from synthetic import ModularShift, write_dataset
from synthetic.parallel import map_unordered

write_dataset(ModularShift(), samples=200_000, seed=3, out=sys.argv[1], shards=8, jobs=2)
shared = np.arange(300_000.0)  # large enough to be mapped by the processes
found = dict(map_unordered(np.isin, [3.0, -1.0], jobs=2, shared=(shared,)))
assert (bool(found[0]), bool(found[1])) == (True, False)
"""


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    ).returncode,
    reason="needs the right to mount",
)
@pytest.mark.parametrize("kind", SHM)
def test_without_shared_memory_the_results_are_the_same(kind, tmp_path, undisturbed):
    """A real /dev/shm that is missing, refuses or is small, in a mount namespace of the command's own."""
    (tmp_path / "dev").mkdir()
    script = ["sh", "-ec", f'{SHM[kind]}\nshift\nexec "$@"', "sh", str(tmp_path / "dev")]
    done = subprocess.run(
        ["unshare", "--mount", *script, sys.executable, "-c", PARALLEL, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "data") == undisturbed
    serial = "joblib will operate in serial mode" in done.stderr  # its semaphores live in /dev/shm
    assert serial == (kind != "of 64 kB")


def test_a_folder_for_shared_arrays_that_cannot_be_written_is_named(monkeypatch):
    """Simulated: joblib is told to share arrays in a folder that does not exist and cannot be made."""
    import numpy as np

    from synthetic.parallel import map_unordered

    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", "/proc/nowhere")
    with pytest.raises(OSError, match=r"large arrays .*/proc/nowhere.*JOBLIB_TEMP_FOLDER"):
        dict(map_unordered(np.isin, [3.0, -1.0], jobs=2, shared=(np.arange(300_000.0),)))


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, undisturbed):
    jumps = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 10**9 * (-1) ** next(jumps))
    write_dataset(ModularShift(), samples=200_000, seed=3, out=tmp_path / "data", shards=8)
    assert content(tmp_path / "data") == undisturbed


def test_one_process_and_two_write_the_same_bytes(tmp_path, undisturbed):
    write_dataset(ModularShift(), samples=200_000, seed=3, out=tmp_path / "data", shards=8, jobs=2)
    assert content(tmp_path / "data") == undisturbed


ORPHAN = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import os, time
from synthetic.parallel.orphans import end_with_parent
assert end_with_parent(os.getppid())
print("watching", flush=True)
time.sleep(600)
'''], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks for the process under /proc")
def test_a_worker_ends_when_its_parent_was_killed():
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert Path(f"/proc/{worker}").exists()
        parent.kill()
    deadline = time.monotonic() + 60
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_that_is_no_worker_is_not_watched():
    assert not end_with_parent(os.getpid())
