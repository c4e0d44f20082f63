"""The map of this machine: processes that die, errors, what is shared, memory, and the time that is left."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from synthetic.parallel import Pace, WorkerDiedError, fitting_jobs, map_unordered, memory
from synthetic.parallel.call import portable
from synthetic.parallel.pace import duration


def square(n: int) -> int:
    return n * n


def dies_once(n: int, folder: Path) -> int:
    """Kills its process on item 3, the first time."""
    mark = folder / "died"
    if n == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def dies_always(n: int) -> int:
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def fails(n: int) -> int:
    if n == 3:
        raise KeyError("three")
    return n


class OddError(Exception):
    """An error that cannot be built again from its arguments."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def fails_oddly(n: int) -> int:
    raise OddError(n, n)


class TwiceError(ValueError):
    """An error whose constructor adds words to its argument, and that holds a number."""

    def __init__(self, name: str, number: int = 0) -> None:
        super().__init__(f"no {name}")
        self.number = number


def fails_twice(n: int) -> int:
    raise TwiceError("file", n)


def fails_at_a_file(n: int) -> int:
    raise FileNotFoundError(2, "No such file", f"file {n}")


class StubbornError(Exception):
    """An error that only its own module makes: what it says is in none of its arguments."""

    __slots__ = ("told",)

    def __init__(self, told: str) -> None:
        super().__init__()
        self.told = told

    def __str__(self) -> str:
        return self.told


def fails_stubbornly(n: int) -> int:
    raise StubbornError(f"{n} times")


def where(n: int, array: np.ndarray) -> tuple[str, float]:
    return type(array).__name__, float(array[n])


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_once(jobs):
    found = list(map_unordered(square, range(20), jobs=jobs))
    assert sorted(found) == [(n, n * n) for n in range(20)]


def test_items_are_taken_as_they_are_needed():
    taken = []
    found = map_unordered(square, (taken.append(n) or n for n in range(10**9)))
    assert [next(found) for _ in range(3)] == [(0, 0), (1, 1), (2, 4)]
    assert len(taken) == 3


def test_a_process_that_is_killed_costs_time_only(tmp_path):
    told = []
    found = list(map_unordered(dies_once, range(8), jobs=2, shared=(tmp_path,), tell=told.append))
    assert (tmp_path / "died").exists()
    assert sorted(found) == [(n, n * n) for n in range(8)]
    assert told
    assert all("died" in line for line in told)


def test_an_item_that_kills_its_process_is_named_and_stops_no_other_one():
    found = []
    with pytest.raises(WorkerDiedError, match=r"item 3: its worker process died 3 times"):
        found.extend(map_unordered(dies_always, range(6), jobs=2))
    assert sorted(found) == [(n, n * n) for n in range(6) if n != 3]


def test_a_death_can_be_a_result():
    found = dict(map_unordered(dies_always, range(5), jobs=2, died=lambda index, error: -index))
    assert found == {0: 0, 1: 1, 2: 4, 3: -3, 4: 16}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_comes_with_its_traceback_after_what_was_begun(jobs):
    found = []
    with pytest.raises(KeyError, match="three") as caught:
        found.extend(map_unordered(fails, range(100), jobs=jobs))
    assert {0, 1, 2} <= {index for index, _ in found}
    assert len(found) < 20
    assert "in fails" in caught.value.__notes__[0]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("fails_so", [fails_oddly, fails_twice, fails_at_a_file])
def test_an_error_has_its_class_and_words_whatever_its_constructor_takes(fails_so, jobs):
    with pytest.raises(Exception, match=r".") as here:
        fails_so(2)
    with pytest.raises(type(here.value)) as caught:
        list(map_unordered(fails_so, [2, 2], jobs=jobs))
    assert type(caught.value) is type(here.value)
    assert str(caught.value) == str(here.value)
    held = {name: value for name, value in vars(caught.value).items() if name != "__notes__"}
    assert held == vars(here.value)


def test_an_error_that_cannot_travel_is_told_all_the_same():
    with pytest.raises(RuntimeError, match=r"^StubbornError: ") as caught:
        list(map_unordered(fails_stubbornly, [1, 2], jobs=2))
    assert "in fails_stubbornly" in caught.value.__notes__[0]
    assert type(portable(ValueError("plain"))) is ValueError


def test_what_cannot_be_sent_is_a_type_error():
    with pytest.raises(TypeError, match=r"cannot be sent between processes: .*lock"):
        list(map_unordered(square, [threading.Lock()] * 2, jobs=2))


def test_large_arrays_are_mapped_and_not_copied():
    array = np.arange(200_000, dtype=np.float64)
    found = dict(map_unordered(where, [1, 2, 3], jobs=2, shared=(array,)))
    assert found == {0: ("memmap", 1.0), 1: ("memmap", 2.0), 2: ("memmap", 3.0)}
    assert dict(map_unordered(where, [5], shared=(array,))) == {0: ("ndarray", 5.0)}


@pytest.mark.parametrize("jobs", [0, -1, True, 1.5])
def test_bad_jobs(jobs):
    with pytest.raises((TypeError, ValueError), match="jobs must be"):
        list(map_unordered(square, [1], jobs=jobs))


def test_jobs_fit_into_memory():
    gib = 2**30
    assert fitting_jobs(2, each=gib, available=10 * gib) == (2, None)
    jobs, told = fitting_jobs(16, each=2 * gib, shared=4 * gib, available=20 * gib)
    assert jobs == 6
    assert told == (
        "6 processes instead of 16: each needs about 2.0 GiB, 4.0 GiB together and 20.0 GiB are available"
    )
    assert fitting_jobs(4, each=8 * gib, available=gib)[0] == 1


def test_the_memory_of_a_container_counts(tmp_path, monkeypatch):
    for name, text in (("max", "1000000"), ("current", "400000"), ("none", "max")):
        (tmp_path / name).write_text(text)
    places = ((str(tmp_path / "max"), str(tmp_path / "current")),)
    monkeypatch.setattr(memory, "_LIMITS", places)
    assert memory.available_memory() == 600_000
    monkeypatch.setattr(memory, "_LIMITS", ((str(tmp_path / "none"), str(tmp_path / "current")),))
    assert memory.available_memory() > 600_000


def test_the_pace_leaves_out_what_was_taken_up():
    clock = iter([0.0, 10.0, 20.0])
    pace = Pace(clock=lambda: next(clock))
    assert pace.left(90, 100) is None
    assert pace.left(91, 100) == 90.0
    assert pace.left(95, 100) == 20.0
    assert [duration(s) for s in (0.4, 59, 61, 7300)] == ["0 s", "59 s", "1 min", "2 h 2 min"]


def test_results_do_not_wait_for_slow_ones():
    start = time.monotonic()
    first = next(map_unordered(time.sleep, [3.0, 0.0, 0.0], jobs=2))
    assert first[0] != 0
    assert time.monotonic() - start < 60
