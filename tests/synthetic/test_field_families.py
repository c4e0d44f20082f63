"""Two views, shared signal, task and nuisance, headed shift: closed forms, enumeration, samples, refusals."""

import itertools
import math
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from synthetic import (
    HeadedShift,
    ReducedShift,
    SharedSignal,
    TaskAndNuisance,
    TwoViews,
    describe,
    load_generator,
    make_generator,
)
from theory.predictions.views import ViewsForm, classes, shared, signal_form

CLOSED_FORM = 1e-12  # rounding of a few hundred terms of size one
ROWS = 40_000
FALSE_ALARM = 1e-6  # of each chi-square test, so that all of them together fail by chance once in 10,000

WORLDS = {
    "two views": TwoViews(),
    "two views with noise": TwoViews(classes=3, shared=2, private=2, noise=0.15),
    "views that mask the class": TwoViews(classes=3, shared=3, private=1, first="style", second="mixture"),
    "views of everything and nothing": TwoViews(private=3, noise=0.1, first="input", second="nothing"),
    "views that share the class alone": TwoViews(classes=3, shared=1, noise=0.2, second="class"),
    "shared signal": SharedSignal(),
    "noisy signal": SharedSignal(2, 3, 2, 0.2, "input", "input", "own"),
    "signal that misses the task": SharedSignal(task="own", representation="shared"),
    "signal with a task of its own": SharedSignal(task="other", representation="own", smaller="nothing"),
    "task and nuisance": TaskAndNuisance(3, 2, 0.1),
    "task plus nuisance": TaskAndNuisance(3, 3, 0.1, "mixture"),
    "nuisance kept": TaskAndNuisance(representation="nuisance"),
    "headed shift": HeadedShift(),
    "noisy headed shift": HeadedShift(n=12, classes=3, shifts=4, noise=0.1, encoder=6, head=3),
}
worlds = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)


@worlds
def test_closed_forms_meet_enumeration_for_every_set_of_up_to_three_variables(world):
    names = [v.name for v in world.variables]
    for size in (1, 2, 3, len(names)):
        for subset in itertools.combinations(names, size):
            term = f"H({','.join(subset)})"
            assert world.predicted(term) == pytest.approx(world.exact(term).value, abs=CLOSED_FORM), term
    for term in world.main_terms:
        assert world.predicted(term) == pytest.approx(world.exact(term).value, abs=CLOSED_FORM)


@worlds
def test_samples_have_the_frequencies_of_the_enumeration(world):
    sample = world.sample(ROWS, seed=20_241)
    names = world.support.names
    assert tuple(sample.names) == names == tuple(v.name for v in world.variables)
    rows = np.column_stack([sample[name] for name in names])
    counts = Counter(map(tuple, rows.tolist()))
    states = [tuple(row) for row in world.support.states.tolist()]
    assert set(counts) <= set(states)
    expected = ROWS * world.support.probabilities
    order = np.argsort(expected)
    bins = np.minimum(np.cumsum(expected[order]) // 25, 1e9).astype(int)  # pooled to 25 rows or more
    seen = np.bincount(bins, weights=[counts[states[i]] for i in order])
    wanted = np.bincount(bins, weights=expected[order])
    seen, wanted = seen[wanted > 0], wanted[wanted > 0]
    if len(wanted) > 1:
        assert stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue > FALSE_ALARM


def test_frequencies_of_another_noise_are_noticed():
    sample, other = TwoViews(noise=0.1).sample(ROWS, seed=20_241), TwoViews(noise=0.13)
    table = other.joint(("C", "X1", "X2")).probabilities
    counts = np.bincount(
        np.ravel_multi_index([sample[v] for v in ("C", "X1", "X2")], table.shape), minlength=table.size
    )
    assert stats.chisquare(counts, ROWS * table.ravel()).pvalue < FALSE_ALARM


@worlds
def test_independences_and_functions_of_the_diagram_hold_exactly(world):
    diagram = world.diagram
    assert set(diagram.variables) == {v.name for v in world.variables}
    for a, b in itertools.combinations(diagram.variables, 2):
        for given in [()] + [(v,) for v in diagram.variables if v not in (a, b)]:
            if diagram.d_separated({a}, {b}, given):
                bar = f"|{given[0]}" if given else ""
                assert world.exact(f"I({a};{b}{bar})").value == pytest.approx(0, abs=1e-10)
    for v in diagram.deterministic:
        assert world.exact(f"H({v}|{','.join(diagram.parents(v))})").value == pytest.approx(0, abs=1e-10)


@worlds
def test_samples_are_fixed_by_their_seed_and_begin_alike(world):
    few, many = world.sample(50, seed=7), world.sample(80, seed=7)
    assert all(np.array_equal(few[v], many[v][:50]) for v in few.names)
    other = world.sample(80, seed=8)
    assert any(not np.array_equal(many[v], other[v]) for v in many.names)


@worlds
def test_generators_go_through_text_and_json(world):
    assert load_generator({"family": world.family, "parameters": world.settings}) == world
    assert make_generator(world.family, {k: str(v) for k, v in world.settings.items()}) == world
    assert describe(world.family)["answers"] == ["symbolic", "enumeration"]


def by_hand(noise, sizes=(2, 2, 2)):
    """Every state of two views by plain loops in fractions: {(c, q, x1, x2): probability}."""
    m, q, t = sizes
    views = list(itertools.product(range(m), range(q), range(t)))
    table = Counter()
    for c, s, place, a1, a2 in itertools.product(range(m), range(q), range(t), range(t), range(t)):
        for x1, x2 in itertools.product(views, repeat=2):
            p = Fraction(1, m * q * t**3)
            for x, a in ((x1, a1), (x2, a2)):
                p *= (1 - noise) * (x == (c, s, (place + a) % t)) + noise / len(views)
            table[c, s, x1, x2] += p
    return table


def information(table, left, right, given=()):
    """I(left;right|given) in nats, by sums over a table, with positions for variables."""

    def entropy(places):
        summed = Counter()
        for state, p in table.items():
            summed[tuple(state[i] for i in places)] += p
        return -math.fsum(float(p) * math.log(p) for p in summed.values() if p)

    return (
        entropy((*left, *given))
        + entropy((*right, *given))
        - entropy((*left, *right, *given))
        - entropy(given)
    )


@pytest.mark.parametrize("noise", [Fraction(0), Fraction(1, 5)])
def test_two_views_meet_plain_loops(noise):
    table, world = by_hand(noise), TwoViews(noise=float(noise))
    for term, places in {
        "I(X1;X2)": ((2,), (3,)),
        "I(X1;C)": ((2,), (0,)),
        "I(X1;X2|C)": ((2,), (3,), (0,)),
        "I(C;X1,X2)": ((0,), (2, 3)),
    }.items():
        assert world.predicted(term) == pytest.approx(information(table, *places), abs=CLOSED_FORM)


def test_laws_of_two_views():
    plain = TwoViews(classes=4, shared=3, private=2)
    assert plain.predicted("I(X1;X2)") == pytest.approx(math.log(12), abs=CLOSED_FORM)
    assert plain.predicted("I(X1;A1)") == pytest.approx(0, abs=CLOSED_FORM)
    assert plain.predicted("I(X1;A1|R)") == pytest.approx(math.log(2), abs=CLOSED_FORM)
    alone = TwoViews(classes=4, shared=1, private=2, noise=0.3)
    assert alone.exact("I(X1;X2|C)").value == pytest.approx(0, abs=CLOSED_FORM)
    assert TwoViews(noise=0.3).exact("I(X1;X2|C)").value > 0.1  # the control: a style that is shared
    masked = WORLDS["views that mask the class"]
    for term, value in {"I(C;Z1)": 0, "I(C;Z2)": 0, "I(C;Z1,Z2)": math.log(3)}.items():
        assert masked.predicted(term) == pytest.approx(value, abs=CLOSED_FORM)
    assert TwoViews(noise=1.0).predicted("I(X1;X2)") == pytest.approx(0, abs=CLOSED_FORM)


def test_a_headed_shift_is_two_reduced_shifts():
    world = WORLDS["noisy headed shift"]
    for name, modulus in (("H", 6), ("Z", 3)):
        reduced = ReducedShift(n=12, classes=3, shifts=4, noise=0.1, modulus=modulus)
        for term in ("I(A;C|Z)", "I(A;Z)", "I(C;Z)", "H(X|Z)"):
            own = re.sub(r"\bZ\b", name, term)
            assert world.exact(own).value == pytest.approx(reduced.exact(term).value, abs=CLOSED_FORM)


def test_views_keep_more_than_their_representations():
    view = TwoViews(classes=3, shared=3, private=2, noise=0.1, first="mixture", second="style")
    for i in (1, 2):
        assert view.exact(f"H(Z{i}|X{i})").value == pytest.approx(0, abs=CLOSED_FORM)
        assert view.exact(f"H(X{i}|Z{i})").value > 0.5


BAD = {
    "no class": (TwoViews, {"classes": 0}, "classes must be between 1 and 1048576, got 0"),
    "noise above 1": (TwoViews, {"noise": 1.5}, "noise must"),
    "unknown representation": (TwoViews, {"first": "all"}, "first must be one of input, content"),
    "mixture of unequal parts": (
        TwoViews,
        {"classes": 3, "second": "mixture"},
        "shared styles as classes=3",
    ),
    "no shared state": (SharedSignal, {"shared": 0}, "shared must be between 1 and"),
    "unknown task": (SharedSignal, {"task": "class"}, "task must be one of shared, own, other, input"),
    "M keeps what Z does not": (
        SharedSignal,
        {"representation": "own", "smaller": "shared"},
        "smaller must keep no more than representation='own', got 'shared'",
    ),
    "no nuisance": (TaskAndNuisance, {"nuisances": 0}, "nuisances must be between 1 and"),
    "unequal mixture": (
        TaskAndNuisance,
        {"classes": 3, "representation": "mixture"},
        "nuisances as classes=3",
    ),
    "encoder that does not divide": (HeadedShift, {"encoder": 4}, "encoder must be a divisor of n=6, got 4"),
    "head that does not divide": (HeadedShift, {"head": 4}, "head must be a divisor of encoder=6, got 4"),
    "more classes than head": (HeadedShift, {"classes": 3}, "classes must be at most head=2, got 3"),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_parameters_are_refused(case):
    family, changes, message = BAD[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        family(**changes)


def test_closed_forms_of_other_worlds_are_refused():
    with pytest.raises(ValueError, match="at most two views, got 3"):
        ViewsForm({"C": classes}, {}, ({}, {}, {}))
    with pytest.raises(ValueError, match=r"the sum C\+Q mixes coordinates of different orders"):
        ViewsForm({"C": classes, "Q": shared}, {"T": ("C+Q",)}, ())
    with pytest.raises(ValueError, match="unknown variable 'A'"):
        signal_form().predict("I(A;X)")
