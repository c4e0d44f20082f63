"""A data set that is stored, and what its tests look at."""

import numpy as np

from synthetic import ModularShift, Sample, Variable

SHIFT = ModularShift(n=4, noise=0.1)


def partial_of(out):
    """The scratch folder of a data set."""
    [found] = out.parent.glob(f".{out.name}.*.partial")
    return found


def same(left, right):
    return left.names == right.names and all(np.array_equal(left[v], right[v]) for v in left.names)


def mixed():
    rng = np.random.default_rng(0)
    return Sample(
        {"C": np.arange(9) % 3, "X": rng.normal(size=(9, 2)), "Y": rng.normal(size=9).astype(np.float32)},
        {
            "C": Variable("C", "discrete", 5, "class"),
            "X": Variable("X", "continuous", None, "input"),
            "Y": Variable("Y", "continuous"),
        },
        groups="C",
        metadata={"seed": 4},
    )
