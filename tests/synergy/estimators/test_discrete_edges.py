"""Discrete intervals where the delta method fails: no gap, no variance, no row of a state."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from test_discrete import counted, misses, noisy_copy

from synergy.estimators.discrete import DiscreteCounts, plug_in, plug_in_from_counts
from synergy.estimators.discrete import expansion as expansions
from synergy.estimators.discrete.marginals import Marginals
from synergy.estimators.discrete.unseen import loose_variables, new_value_reach, unseen_reach
from theory import Joint, parse_expression

GAP = "I(A;Z|C) - I(A;Z)"


def coins(rows: int) -> Marginals:
    """Three independent fair coins, every state seen equally often."""
    joint = Joint(("A", "C", "Z"), np.full((2, 2, 2), 1 / 8))
    return Marginals(counted(joint, np.full((2, 2, 2), rows)).cells())


def form_of(expression: str) -> dict[frozenset[str], float]:
    return {subset: float(c) for subset, c in parse_expression(expression).entropies().items()}


def random_world(seed: int) -> Joint:
    return Joint(("A", "C", "Z"), np.random.default_rng(seed).dirichlet(np.full(8, 3.0)).reshape(2, 2, 2))


@pytest.mark.parametrize(
    ("expression", "eigenvalues"),
    [
        (GAP, [1.0]),
        ("I(A;Z|C)", [1.0, 1.0]),
        ("I(A;Z) - I(A;C)", [1.0, -1.0]),
        ("H(A)", [-1.0]),
        ("2 I(A;Z) + I(A;C|Z)", [2.0, 1.0, 1.0]),
    ],
)
def test_the_spectrum_of_fair_coins_is_known(expression, eigenvalues):
    """In the basis of products of signs each information of fair coins is a sum of squares."""
    form = form_of(expression)
    cube, (least, greatest) = expansions._spectrum(coins(50), form, sum(form.values()))
    assert cube == pytest.approx(sum(v**3 for v in eigenvalues))
    assert (least, greatest) == pytest.approx((min(0, *eigenvalues), max(0, *eigenvalues)), abs=1e-9)


def test_the_trace_of_a_large_table_is_estimated(monkeypatch):
    marginals = Marginals(counted(random_world(1), np.arange(3, 11).reshape(2, 2, 2)).cells())
    form = form_of("I(A;Z|C)")
    exact = expansions._spectrum(marginals, form, 0.0)[0]
    monkeypatch.setattr(expansions, "_EXACT", 1)
    monkeypatch.setattr(expansions, "_PROBES", 160_000)
    assert expansions._spectrum(marginals, form, 0.0)[0] == pytest.approx(exact, rel=0.03)


def test_the_third_order_term_of_fair_coins_is_known():
    """z_u z_v z_w with u + v + w = 0 and not within two coins: 4 triples, 24 in order."""
    marginals, form = coins(50), form_of(GAP)
    triples = sum(c * d * marginals.triple(s, t) for s, c in form.items() for t, d in form.items())
    assert triples == pytest.approx(24)


@pytest.mark.parametrize(
    ("joint", "n"),
    [
        (random_world(2), 150),
        (random_world(2), 500),
        (Joint(("A", "C", "Z"), np.full((2, 2, 2), 1 / 8)), 1000),
    ],
    ids=["curved, 150 rows", "curved, 500 rows", "fair coins"],
)
def test_a_gap_near_zero_is_covered(joint, n):
    """With the slope at the estimate alone 13 to 19 % missed the first, and 4 to 7 % the last from below."""
    replicates = 300
    above, below = misses(joint, GAP, n, replicates, seed=5)
    spread = 3 * math.sqrt(0.05 * 0.95 / replicates)
    assert (above + below) / replicates <= 0.07 + spread
    assert below / replicates <= 0.05


@pytest.mark.parametrize("failures", [0.5, 1.0, 2.0])
def test_a_copy_that_never_failed_may_fail(failures):
    """With 0.5 failures expected, 61 % of the data sets have none: no variance, and yet no log 2."""
    n, replicates = 200, 200
    joint = noisy_copy(2, 1 - 2 * failures / n)
    above, below = misses(joint, "I(X;Y)", n, replicates, seed=3)
    assert (above + below) / replicates <= 0.07 + 3 * math.sqrt(0.05 * 0.95 / replicates)


def test_a_constant_column_may_have_another_state():
    found = plug_in("H(X)", {"X": np.zeros(100, dtype=int)})
    q = -math.log(0.05) / 100
    assert found.value == found.interval[0] == 0
    assert found.interval[1] == pytest.approx(-q * math.log(q) - (1 - q) * math.log1p(-q))


@pytest.mark.parametrize("expression", ["I(A;Z|C)", "H(A|C,Z)", "H(A,C,Z)", GAP, "I(A;C;Z)"])
def test_the_reach_is_the_extreme_over_worlds_with_a_new_state(expression):
    table = np.array([[[30, 0], [4, 9]], [[0, 25], [7, 0]]])
    joint = Joint(("A", "C", "Z"), table / table.sum())
    q = -math.log(0.05) / table.sum()
    changes = []
    for cell in np.argwhere(table == 0):
        moved = (1 - q) * table / table.sum()
        moved[tuple(cell)] += q
        changes.append(Joint(("A", "C", "Z"), moved).value(expression) - joint.value(expression))
    marginals = Marginals(counted(joint, table).cells())
    found = unseen_reach(marginals, form_of(expression), 0.05, float(table.sum()))
    assert found == pytest.approx((max(0.0, -min(changes)), max(0.0, *changes)), abs=1e-12)


@pytest.mark.parametrize("expression", ["H(A)", "H(A|C)", "H(A,C)", "H(A) - H(C)", "H(C|A)"])
def test_the_reach_is_the_extreme_over_worlds_with_a_new_value(expression):
    table = np.array([[30, 4], [1, 1], [20, 25]])  # a value of A is in two rows, none of C
    n = table.sum()
    q = -math.log(0.05) / n
    form = form_of(expression)
    before = Joint(("A", "C"), table / n).value(expression)
    changes = [0.0]
    for other in range(2):  # the new value of A comes with either value of C
        moved = np.vstack([(1 - q) * table / n, np.zeros(2)])
        moved[3, other] = q
        changes.append(Joint(("A", "C"), moved).value(expression) - before)
    marginals = Marginals(counted(Joint(("A", "C"), table / n), table).cells())
    loose = {"H(C|A)": ()}.get(expression, ("A",))  # H(C|A) = H(A,C) - H(A): balanced in A
    assert loose_variables(marginals, form) == loose
    want = (-min(changes), max(changes)) if loose else (0.0, 0.0)
    assert new_value_reach(marginals, form, 0.05, float(n)) == pytest.approx(want, abs=1e-12)


def test_an_information_is_balanced():
    table = np.array([[30, 4, 1], [1, 25, 2], [1, 1, 1]])
    marginals = Marginals(counted(Joint(("A", "C"), table / table.sum()), table).cells())
    assert loose_variables(marginals, form_of("I(A;C)")) == ()


UNSEEN = {
    "geometric": 0.8 ** np.arange(60),
    "squared Zipf": 1.0 / np.arange(1, 1001) ** 2,
    "one frequent, nine rare": np.r_[0.9, np.full(9, 0.1 / 9)],
}


def entropy_misses(name, expression, n, replicates):
    """The share of data sets whose interval misses and that are not warned of."""
    p = UNSEEN[name] / UNSEEN[name].sum()
    other = p[np.random.default_rng(0).permutation(len(p))]
    truth = -float(p @ np.log(p))
    missed = 0
    for seed in range(replicates):
        rng = np.random.default_rng([seed, n])
        y = rng.integers(2, size=n)
        x = np.where(y, rng.choice(len(p), size=n, p=p), rng.choice(len(p), size=n, p=other))
        if expression in ("H(X)", "I(X;W)"):
            x = rng.choice(len(p), size=n, p=p)
        found = plug_in(expression, {"X": x, "Y": y, "W": 3 * x}, scores=False)
        missed += not found.interval[0] <= truth <= found.interval[1] and not found.warnings
    return missed / replicates


MOST_MISSED = 0.07 + 3 * math.sqrt(0.07 * 0.93 / 200)
"""At most 7 % are missed in silence, and three standard errors of 200 data sets."""


@pytest.mark.parametrize("name", UNSEEN)
@pytest.mark.parametrize("expression", ["H(X)", "H(X|Y)", "I(X;W)"])
def test_an_entropy_with_values_that_were_not_seen_is_covered(name, expression, monkeypatch):
    """Of a copy W = 3 X the information is the entropy; 19 to 34 % missed without the reach, all too low."""
    assert entropy_misses(name, expression, 30, 200) <= MOST_MISSED
    monkeypatch.setattr(
        importlib.import_module("synergy.estimators.discrete.plug_in"), "loose_variables", lambda *_: ()
    )
    assert entropy_misses(name, expression, 30, 200) > MOST_MISSED


def test_nothing_is_added_where_every_state_was_seen():
    marginals = coins(1)
    assert unseen_reach(marginals, form_of(GAP), 0.05, 8.0) == (0.0, 0.0)


def test_a_deterministic_relation_is_estimated_as_the_entropy_that_it_is():
    """Y a function of X with ten states: rare states of X say nothing about H(Y)."""
    x = np.repeat(np.arange(10), 6)
    both = plug_in_from_counts("I(X;Y)", _counts(x))
    alone = plug_in_from_counts("H(Y)", _counts(x))
    assert both.value == pytest.approx(alone.value)
    assert both.standard_error == pytest.approx(alone.standard_error)


def _counts(x):
    return DiscreteCounts(("X", "Y"), {"X": 10, "Y": 2}).add({"X": x, "Y": x // 5})
