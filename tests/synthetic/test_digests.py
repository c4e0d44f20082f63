"""What things of one's own are made of: what tells two of them apart, in every process alike."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from synthetic.digests import digest_of
from synthetic.transformations import FunctionTransformation


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


class Hidden:
    """An object that prints nothing of the value that it holds."""

    def __init__(self, value):
        self._value = value

    def __repr__(self):
        return "Hidden"


def table(middle):
    return pd.DataFrame({"x": np.arange(300.0), "s": ["a"] * 300}).replace({"x": {150.0: middle}})


def drawn(seed):
    return np.random.default_rng(seed)


FIRST, SECOND = [1], [2]


def by_default(x, factor=1):
    return factor * x


def by_another_default(x, factor=2):
    return factor * x


class Scales:
    """A class with a partial among its members."""

    by = functools.partial(scaled, 1)


class OtherScales:
    """The same with another factor."""

    by = functools.partial(scaled, 2)


OtherScales.__qualname__ = Scales.__qualname__

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
    "table": (table(150.0), table(7.0)),
    "series": (table(150.0)["x"], table(7.0)["x"]),
    "index": (pd.Index(range(3)), pd.Index(range(1, 4))),
    "private": (Hidden(1), Hidden(2)),
    "objects in a set": ({Hidden(1)}, {Hidden(2)}),
    "place": ([FIRST, SECOND, FIRST], [FIRST, SECOND, SECOND]),
    "generator": (drawn(0), drawn(1)),
    "type": (functools.partial(np.zeros, dtype=np.float32), functools.partial(np.zeros, dtype=np.float64)),
    "class of arrays": (Mine(np.ndarray), Mine(torch.Tensor)),
    "lazy module": (Mine(nn.LazyLinear(2)), Mine(nn.LazyLinear(3))),
    "partial of a class": (Scales, OtherScales),
    "sign of zero": (0.0, -0.0),
    "kind": (1, True),
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


def test_equal_things_are_one_whether_their_parts_are_shared_or_not():
    assert digest_of([FIRST, FIRST]) == digest_of([[1], [1]])
    assert digest_of(table(7.0)) == digest_of(table(7.0))
    assert digest_of({1, 2, 3}) == digest_of({3, 2, 1})


def test_what_a_thing_works_out_is_no_part_of_it():
    def same(images, labels):
        return images.clone()

    own = FunctionTransformation(same, states=2, exact=False)
    before = digest_of(own)
    own._groups[1, 2, 2] = None
    assert digest_of(own) == before


def test_parts_that_many_things_share_are_looked_at_once():
    """2^60 ways lead to the innermost list."""
    thing = []
    for _ in range(60):
        thing = [thing, thing]
    assert digest_of(thing) != digest_of([thing])


SCRIPT = """
import functools
import torch
from torch import nn
from synthetic.digests import digest_of
from synthetic.transformations import FunctionTransformation
from synergy.sweeping.identity import identity_of

class Net(nn.Module):
    kinds = {"one", "two", "three", "four"}
    def forward(self, x):
        return x if "two" in {"one", "two", "three", "four"} else -x

def chosen(images, labels):
    return images if "two" in {"one", "two", "three", "four"} else -images

names = {"one", "two", "three", "four"}
print(digest_of(Net, Net(), lambda: Net(), object(), lambda: names))
print(identity_of(functools.partial(chosen, labels=names))["source"])
print(FunctionTransformation(chosen, states=2))
"""


def test_a_digest_is_the_same_in_every_process(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
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
