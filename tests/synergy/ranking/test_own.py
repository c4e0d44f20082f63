"""What things of one's own are made of: what tells two of them apart, in every process alike."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from synergy.learning import as_task
from synergy.ranking.candidates import Candidate
from synergy.ranking.own import digest_of
from synthetic.transformations import FunctionTransformation, Transformation


def net(change, *, weight=None):
    """A module whose text says nothing of what it computes."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)
            if weight is not None:
                nn.init.constant_(self.layer.weight, weight)

        def forward(self, x):
            return change(self.layer(x))

    return Net


def scaled(factor):
    return lambda x: factor * x


def listed(number):
    return [number, {"of": (number, {number, 1})}]


@dataclass
class Mine:
    """An object with a value."""

    value: object


def by_default(x, factor=1):
    return factor * x


def by_another_default(x, factor=2):
    return factor * x


PAIRS = {
    "code": (lambda x: x + 1, lambda x: x - 1),
    "closure": (scaled(1), scaled(2)),
    "default": (by_default, by_another_default),
    "partial": (functools.partial(scaled, 1), functools.partial(scaled, 2)),
    "method of a held object": (net(scaled(1)), net(scaled(2))),
    "held class in a closure": (lambda: net(scaled(1)), lambda: net(scaled(2))),
    "number": (Mine(1), Mine(2)),
    "array": (Mine(np.arange(2000)), Mine(np.arange(2000) + (np.arange(2000) == 1000))),
    "tensor": (Mine(torch.zeros(2000)), Mine(torch.eye(2000)[1000])),
    "type of an array": (np.zeros(2), np.zeros(2, np.float32)),
    "deep": (listed(2), listed(3)),
    "bound": (Mine(1).__repr__, Mine(2).__repr__),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_what_differs_has_another_digest(one, other):
    assert digest_of(one) != digest_of(other)
    assert digest_of(one) == digest_of(one)


def test_modules_differ_by_their_weights_code_and_parts():
    torch.manual_seed(0)
    found = {
        digest_of(kind())
        for kind in (
            net(scaled(1), weight=0.5),
            net(scaled(1), weight=0.25),
            net(scaled(2), weight=0.5),
            lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU()),
            lambda: nn.Sequential(nn.LazyLinear(2), nn.ReLU()),
        )
    }
    assert len(found) == 5


def test_what_holds_itself_has_a_digest():
    loop = [1]
    loop.append(loop)
    mine = Mine(None)
    mine.value = mine
    assert digest_of(loop) != digest_of([1])
    assert len(digest_of(mine)) == 16


SCRIPT = """
import torch
from torch import nn
from synergy.ranking.own import digest_of

class Net(nn.Module):
    kinds = {"one", "two", "three", "four"}
    def forward(self, x):
        return x if "two" in {"one", "two", "three", "four"} else -x

print(digest_of(Net, Net(), lambda: Net(), object()))
"""


def test_a_digest_is_the_same_in_every_process(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    root = str(Path(__file__).parents[3])
    said = {
        subprocess.run(
            [sys.executable, str(tmp_path / "script.py")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def brighter(limit):
    """A function of one's own that does the same to dark images, whatever its limit."""

    def lit(images, labels):
        bright = images.mean(dim=(1, 2, 3)) > limit
        return torch.where((bright & (labels == 1))[:, None, None, None], 1 - images, images)

    return FunctionTransformation(lit, states=2)


def shifted(by):
    @dataclass(frozen=True)
    class Lit(Transformation):
        name: ClassVar[str] = "lit"
        exactness: ClassVar[str] = "not invertible"
        statement: ClassVar[str] = "bright images are inverted"

        @property
        def cardinality(self):
            return 2

        def transform(self, images, labels):
            return brighter(by).transform(images, labels)

    return Lit()


@pytest.mark.parametrize("made", [brighter, shifted])
def test_tasks_that_differ_on_images_that_are_not_shown_do_not_share_runs(made):
    dark = torch.full((4, 1, 4, 4), 0.1)
    one, other, again = (Candidate(as_task(made(limit))) for limit in (0.5, 0.9, 0.5))
    assert one.name == other.name
    codes = torch.ones(4, dtype=torch.long)
    assert torch.equal(one.task.apply(dark, codes), other.task.apply(dark, codes))
    assert one.identity(dark) != other.identity(dark)
    assert one.identity(dark) == again.identity(dark)
