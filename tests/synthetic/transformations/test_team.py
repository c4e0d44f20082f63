"""Work that is shared among the threads of torch is done once, whoever does it."""

import ctypes
import os
import subprocess
import sys
import threading
from collections import Counter

import pytest
import torch

from synthetic.transformations import team

MANY = 2**20


class Workers:
    """A C function in Python that notes who takes which items."""

    def __init__(self) -> None:
        self.taken: Counter[int] = Counter()
        self.threads: set[int] = set()
        self.arguments: list[int] = []
        self.together = threading.Barrier(1)
        self._lock = threading.Lock()
        self._function = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_int64))(self._work)

    @property
    def address(self) -> int:
        return ctypes.cast(self._function, ctypes.c_void_p).value

    def _take(self, plan) -> int:
        with self._lock:
            first = plan[0]
            plan[0] = first + plan[1]
        return first

    def _work(self, plan) -> None:
        self.together.wait(timeout=60)
        with self._lock:
            self.threads.add(threading.get_ident())
            self.arguments = [plan[3], plan[4]]
        while (first := self._take(plan)) < plan[2]:
            with self._lock:
                self.taken.update(range(first, min(first + plan[1], plan[2])))


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


needs_team = pytest.mark.skipif(team._start() is None, reason="torch runs without the GNU OpenMP library")


@needs_team
@pytest.mark.parametrize("count", [3, 7, 100, 1001])
def test_every_item_is_taken_once_by_as_many_threads_as_torch_uses(count: int, three_threads):
    workers = Workers()
    workers.together = threading.Barrier(3)  # so that no thread is done before another has begun
    team.share(workers.address, count, MANY, [5, 2**40])
    assert workers.taken == Counter(range(count))
    assert len(workers.threads) == 3
    assert workers.arguments == [5, 2**40]


@pytest.mark.parametrize("reason", ["few values", "one item", "another library", "one thread of torch"])
def test_this_thread_alone_does_it(reason: str, three_threads, monkeypatch: pytest.MonkeyPatch):
    workers = Workers()
    if reason == "another library":
        monkeypatch.setattr(team, "_start", lambda: None)
    if reason == "one thread of torch":
        torch.set_num_threads(1)
    count = 1 if reason == "one item" else 50
    team.share(workers.address, count, 100 if reason == "few values" else MANY, [0, 0])
    assert workers.taken == Counter(range(count))
    assert workers.threads == {threading.get_ident()}


def test_no_items_are_no_work(three_threads):
    workers = Workers()
    team.share(workers.address, 0, 0, [0, 0])
    assert not workers.taken


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_does_not_wait_for_threads_that_it_does_not_have():
    """In a fresh process, because a fork of this one would take along the threads of other tests."""
    program = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, of a fork beside threads
import torch
from synthetic.transformations import transformation
torch.set_num_threads(3)
images, labels = torch.rand(64, 3, 32, 32), torch.arange(64) % 4
expected = transformation("rotation").transform(images, labels)
child = os.fork()
if child == 0:
    found = transformation("rotation").transform(images, labels)
    os._exit(0 if found.numpy().tobytes() == expected.numpy().tobytes() else 3)
print(os.waitpid(child, 0)[1])
"""
    pytest.importorskip("numba")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.stdout.strip() == "0", ran.stderr
