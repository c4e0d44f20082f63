"""Models: elimination against the product of all tables, laws of d-separation, refusals."""

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import ESSL, Diagram, Joint, Model

DIAGRAMS = {
    "chain": Diagram.parse("A->B->C->D"),
    "fork": Diagram.parse("A->B, A->C, A->D"),
    "collider": Diagram.parse("A->D, B->D, C->D"),
    "diamond": Diagram.parse("A->B, A->C, B->D, C->D"),
    "lonely": Diagram.parse("A; B->C; D"),
    "function": Diagram.parse("A=>C, B=>C, C->D"),
}
seeds = st.integers(0, 2**32 - 1)
KEPT = st.lists(st.sampled_from("ABCD"), min_size=1, unique=True)


def slow_joint(model, names):
    """The product of all tables, state by state."""
    variables = model.diagram.variables
    table = np.zeros([model.cardinality(v) for v in names])
    for state in itertools.product(*(range(model.cardinality(v)) for v in variables)):
        at = dict(zip(variables, state, strict=True))
        p = math.prod(
            float(t[(*(at[u] for u in model.diagram.parents(v)), at[v])]) for v, t in model.tables.items()
        )
        table[tuple(at[v] for v in names)] += p
    return table


@given(st.sampled_from(list(DIAGRAMS)), seeds, KEPT, st.booleans())
@settings(max_examples=40, deadline=None)
def test_elimination_meets_the_product_of_all_tables(name, seed, kept, exact):
    sizes = dict(zip("ABCD", (2, 3, 2, 3), strict=True))
    make = Model.random_exact if exact else Model.random
    model = make(DIAGRAMS[name], sizes, seed=seed)
    joint = model.joint(kept)
    assert joint.names == tuple(kept)
    np.testing.assert_allclose(joint.probabilities.astype(float), slow_joint(model, kept), atol=1e-14)
    assert (joint.probabilities.dtype == object) == exact


@given(st.sampled_from(list(DIAGRAMS)), seeds)
@settings(max_examples=30, deadline=None)
def test_models_have_the_independences_of_their_diagram(name, seed):
    diagram = DIAGRAMS[name]
    joint = Model.random_exact(diagram, 2, seed=seed).joint()
    for left, right in itertools.combinations("ABCD", 2):
        rest = [v for v in "ABCD" if v not in (left, right)]
        for given_ in itertools.chain.from_iterable(itertools.combinations(rest, k) for k in range(3)):
            if diagram.d_separated({left}, {right}, given_):
                bar = f"|{','.join(given_)}" if given_ else ""
                assert joint.symbolic(f"I({left};{right}{bar})") == 0
    for node in diagram.deterministic:
        assert joint.symbolic(f"H({node}|{','.join(diagram.parents(node))})") == 0


@given(st.sampled_from(list(DIAGRAMS)), seeds)
@settings(max_examples=30, deadline=None)
def test_values_meet_those_of_the_whole_joint(name, seed):
    model = Model.random(DIAGRAMS[name], 2, seed=seed)
    for text in ("I(A;D)", "I(A;B|D)", "H(A,B,C,D)", "I(A;B;C)", "H(D|A) - 1/2 I(C;D)"):
        assert model.value(text) == pytest.approx(model.joint().value(text), abs=1e-12)


def test_thirty_variables_in_a_chain():
    names = [f"X{i}" for i in range(1, 31)]
    chain = Model.random(Diagram.parse("->".join(names)), 2, seed=3)
    product = chain.tables["X1"]
    joint = np.diag(product)
    for v in names[1:]:
        joint = joint @ chain.tables[v]
    np.testing.assert_allclose(chain.joint(("X1", "X30")).probabilities, joint, atol=1e-14)
    steps = [chain.value(f"I(X1;X{i})") for i in (2, 3, 4)]
    assert steps == sorted(steps, reverse=True)
    assert chain.value("I(X1;X3|X2)") == pytest.approx(0, abs=1e-12)
    rule = chain.value("H(X1)") + sum(chain.value(f"H({b}|{a})") for a, b in itertools.pairwise(names))
    assert chain.value(f"H({','.join(names)})") == pytest.approx(rule, abs=1e-11)


def test_entropies_of_many_variables_meet_the_whole_joint():
    names = [f"X{i}" for i in range(1, 18)]
    fans = ", ".join(f"X1->{v}" for v in names[1:])
    fan = Model.random(Diagram.parse(fans), 2, seed=5, concentration=0.5)
    whole = fan.joint()
    for kept in (names, names[1:], names[:1] + names[2:]):
        assert fan.value(f"H({','.join(kept)})") == pytest.approx(whole.entropy(kept), abs=1e-11)


def test_tables_that_arise_on_the_way_are_counted():
    sizes = {"H1": 2, "H2": 2, "O1": 4, "O2": 2}
    hidden = Model.random(Diagram.parse("H1->H2, H1->O1, H2->O2"), sizes, seed=0)
    # H2 goes first, 8 cells; what is left ties H1 to O1 and O2, 16 cells
    with pytest.raises(
        ValueError, match="summing out H1 for the marginal of O1, O2 needs a table of 16 cells"
    ):
        hidden.joint(("O1", "O2"), max_cells=15)
    assert hidden.joint(("O1", "O2"), max_cells=16).probabilities.shape == (4, 2)


def test_barren_variables_cost_nothing():
    text = ", ".join(f"A->X{i}" for i in range(60))
    star = Model.random(Diagram.parse(text), 4, seed=0)
    assert star.joint(("A", "X59")).probabilities.shape == (4, 4)


def test_a_large_clique_is_refused_before_it_is_built():
    parents = [f"P{i}" for i in range(14)]
    diagram = Diagram.parse(
        ", ".join(f"{p}->X" for p in parents) + ", " + ", ".join(f"{p}->Y" for p in parents)
    )
    model = Model.random(diagram, 2, seed=0)
    with pytest.raises(
        ValueError, match=r"summing out P\d+ for the marginal of X, Y needs a table of \d+ cells"
    ):
        model.joint(("X", "Y"), max_cells=2**13)
    assert model.joint(("X", "Y")).probabilities.sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_tables():
    one, two = (Model.random(ESSL, 3, seed=4, concentration=0.3) for _ in range(2))
    assert all((one.tables[v] == two.tables[v]).all() for v in ESSL.variables)
    assert (
        Model.random_exact(ESSL, 2, seed=1).tables["X"] == Model.random_exact(ESSL, 2, seed=1).tables["X"]
    ).all()
    assert (
        Model.random_exact(ESSL, 2, seed=1).tables["X"] != Model.random_exact(ESSL, 2, seed=2).tables["X"]
    ).any()


def test_compositions_are_equally_likely():
    coin = Diagram.parse("A")
    counts = np.zeros(4)
    for seed in range(400):
        counts[int(Model.random_exact(coin, 2, seed=seed, denominator=3).tables["A"][0] * 3)] += 1
    statistic = ((counts - 100) ** 2 / 100).sum()
    assert statistic < 16.3  # the 0.999 quantile of chi-square with 3 degrees of freedom


PAIR = Diagram.parse("A->B")
HALF = [0.5, 0.5]
BAD = {
    "table missing": (lambda: Model(PAIR, {"A": HALF}), "needs one table for each of ('A', 'B')"),
    "table unknown": (lambda: Model(PAIR, {"A": HALF, "C": HALF}), "got ('A', 'C')"),
    "wrong parents": (lambda: Model(PAIR, {"A": HALF, "B": HALF}), "the table of B needs shape (2,) + (k,)"),
    "row sums to 0.9": (
        lambda: Model(PAIR, {"A": [0.5, 0.4], "B": np.eye(2)}),
        "row of the table of A must be",
    ),
    "negative": (lambda: Model(PAIR, {"A": [1.5, -0.5], "B": np.eye(2)}), "row of the table of A must be"),
    "not a number": (
        lambda: Model(PAIR, {"A": [math.nan, 1], "B": np.eye(2)}),
        "row of the table of A must be",
    ),
    "mixed exactness": (
        lambda: Model(PAIR, {"A": np.array([Fraction(1, 2)] * 2), "B": np.eye(2)}),
        "all tables must be of Fractions if one is, those of ['B'] are not",
    ),
    "exact row": (
        lambda: Model(Diagram.parse("A"), {"A": np.array([Fraction(1, 2), Fraction(1, 3)])}),
        "row of the table of A must be a distribution",
    ),
    "no state": (lambda: Model.random(PAIR, 0, seed=0), "cardinality of A must be at least 1, got 0"),
    "cardinality missing": (
        lambda: Model.random(PAIR, {"A": 2}, seed=0),
        "must name every variable, B missing",
    ),
    "concentration 0": (lambda: Model.random(PAIR, seed=0, concentration=0), "must be positive, got 0"),
    "denominator 0": (lambda: Model.random_exact(PAIR, seed=0, denominator=0), "at least 1, got 0"),
    "unknown variable": (lambda: Model.random(PAIR, seed=0).joint(("Q",)), "unknown variable 'Q'"),
    "variable twice": (lambda: Model.random(PAIR, seed=0).joint(("A", "A")), "variable names must differ"),
    "unknown in a term": (lambda: Model.random(PAIR, seed=0).value("H(Q)"), "unknown variable 'Q'"),
    "marginal too large": (
        lambda: Model.random(PAIR, seed=0).joint(max_cells=3),
        "the joint of 2 variables needs a table of 4 cells (0.0 GiB), more than max_cells=3",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_arguments_are_named(case):
    make, message = BAD[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


@pytest.mark.parametrize("error", [9e-6, -9e-6, 2e-9, 1e-3])
def test_tables_that_do_not_sum_to_one_are_refused_and_not_normalised(error):
    for table in ([0.5, 0.5 + error], [[0.5, 0.5], [0.25, 0.75 + error]]):
        diagram = Diagram.parse("A") if np.ndim(table) == 1 else PAIR
        tables = {diagram.variables[-1]: table} if np.ndim(table) == 1 else {"A": HALF, "B": table}
        with pytest.raises(ValueError, match="must be a distribution, got the sum"):
            Model(diagram, tables)
        with pytest.raises(ValueError, match="must sum to 1" if np.ndim(table) == 1 else "be a distribution"):
            Joint(("A",), table) if np.ndim(table) == 1 else Joint(("A",), [0.5, 0.5]).channel(
                "A", "B", table
            )


def test_tables_that_sum_to_one_but_for_rounding_are_taken():
    tenths = [0.1] * 10  # adds up to 1 - 1.1e-16
    assert Model(Diagram.parse("A"), {"A": tenths}).value("H(A)") == pytest.approx(np.log(10), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Model.random(PAIR, 2, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: Model.random(PAIR, 2, seed=0.5), TypeError, "seed must be an integer, got 0.5"),
        (lambda: Model.random(PAIR, 2.5, seed=0), TypeError, "the cardinality of A must be an integer"),
        (
            lambda: Model.random(PAIR, 2, seed=0, concentration="1"),
            TypeError,
            "concentration must be a number",
        ),
        (lambda: Model.random_exact(PAIR, 2, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (
            lambda: Model.random_exact(PAIR, 2, seed=0, denominator=2.5),
            TypeError,
            "denominator must be an int",
        ),
    ],
    ids=["negative", "fractional", "half a state", "text", "negative, exact", "half a denominator"],
)
def test_seeds_and_counts_are_whole(call, error, message):
    with pytest.raises(error, match=message):
        call()
