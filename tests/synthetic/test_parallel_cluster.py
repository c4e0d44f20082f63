"""The map on a real cluster of three worker processes: deaths, what travels, what is refused."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from synthetic.parallel import OtherCodeError, WorkerDiedError, map_unordered

pytest.importorskip("distributed", reason="a cluster needs the extra essl-synergy[cluster]")


def slow_square(n):
    time.sleep(0.1)
    return n * n


def dies_always(n):
    time.sleep(0.3)
    if n == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


class Heavy:
    """Something large that tells where it arrives."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.array = folder, np.arange(300_000)

    def __setstate__(self, state):
        self.__dict__.update(state)
        with (self.folder / "arrived").open("a") as file:
            file.write(f"{os.getpid()}\n")


def reads(n, heavy):
    time.sleep(0.05)
    return int(heavy.array[n])


def test_nothing_is_lost_when_a_worker_is_killed(client):
    found = []
    for pair in map_unordered(slow_square, range(40)):
        found.append(pair)
        if len(found) == 5:  # its nanny starts another one
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    assert sorted(found) == [(n, n * n) for n in range(40)]


def test_an_item_that_kills_its_workers_is_named(client):
    found = []
    with pytest.raises(WorkerDiedError, match="item 2: every worker that ran it died"):
        found.extend(map_unordered(dies_always, range(4)))
    assert sorted(found) == [(0, 0), (1, 1), (3, 9)]


def test_what_is_shared_travels_once_to_each_worker(client, tmp_path):
    found = dict(map_unordered(reads, range(30), shared=(Heavy(tmp_path),)))
    assert found == {n: n for n in range(30)}
    arrived = [int(pid) for pid in (tmp_path / "arrived").read_text().split()]
    assert 1 <= len(arrived) == len(set(arrived)) <= 4


def test_what_cannot_be_sent_is_told_at_once(client):
    with pytest.raises(TypeError, match=r"item 0 cannot be sent to a worker: cannot pickle .*lock"):
        list(map_unordered(slow_square, [threading.Lock()]))


def test_workers_with_other_code_are_refused(client, monkeypatch):
    monkeypatch.setattr("synthetic.parallel.mapping.fingerprint", lambda: {"code": "abc", "numpy": "0.1"})
    with pytest.raises(OtherCodeError, match=rf"has code \w+ instead of abc, numpy {np.__version__} instead"):
        list(map_unordered(slow_square, [1]))
