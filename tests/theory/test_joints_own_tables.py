"""Joints and models keep copies of their tables, and name what is wrong with an argument."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from theory import Diagram, Joint, Model

EDGE = Diagram.parse("A->X")


def tables(a):
    return {"A": a, "X": np.full((2, 2), 0.5)}


@pytest.mark.parametrize("exact", [False, True])
def test_nothing_that_is_done_to_the_given_tables_changes_a_value(exact):
    half = np.array([Fraction(1, 2)] * 2, dtype=object) if exact else np.array([0.5, 0.5])
    even = np.full((2, 2), Fraction(1, 2), dtype=object) if exact else np.full((2, 2), 0.5)
    model, joint = Model(EDGE, {"A": half, "X": even}), Joint(("A",), half)
    half[0] = 0.9
    assert model.value("H(A)") == joint.value("H(A)") == pytest.approx(math.log(2), abs=1e-15)
    for table in (*model.tables.values(), joint.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0.9


def test_tensors_that_have_a_gradient_are_tables():
    torch = pytest.importorskip("torch")  # which the theory does not need
    half = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
    assert Joint(("A",), half).value("H(A)") == Model(EDGE, tables(half)).value("H(A)")
    turned = torch.imag((half.detach() * 1j).conj())  # a lazy negative: -0.5
    with pytest.raises(ValueError, match=r"must not be negative, got -0\.5"):
        Joint(("A",), turned)
    eye = torch.eye(2, requires_grad=True)
    assert Joint(("A",), half).channel("A", "B", eye).value("H(A|B)") == pytest.approx(0, abs=1e-15)
    with pytest.raises(TypeError, match="probabilities must be a dense tensor of numbers"):
        Joint(("A",), half.detach().to_sparse())


def test_the_size_is_found_before_a_function_is_called():
    calls = []
    with pytest.raises(ValueError, match=r"the joint of A, B has 10000000000 states, more than"):
        Joint.from_function(("A", "B"), (10**5, 10**5), {"X": lambda a, b: calls.append((a, b)) or 0})
    with pytest.raises(ValueError, match="has an integer of 3322 bits states"):
        Joint.from_function(("A", "B"), (10**500, 10**500), {})
    assert not calls


def test_functions_fill_the_cells_that_a_loop_fills():
    functions = {"X": lambda a, b: a + b, "Y": lambda a, b: a * b % 3}
    slow = np.zeros((3, 4, 6, 3))
    for a in range(3):
        for b in range(4):
            slow[a, b, a + b, a * b % 3] += 1 / 12
    found = Joint.from_function(("A", "B"), (3, 4), functions)
    np.testing.assert_array_equal(found.probabilities, slow)
    assert Joint.from_function((), (), {}).probabilities.shape == ()


@pytest.mark.parametrize("value", [10**400, Fraction(10**400), 2**53], ids=["integer", "fraction", "2^53"])
def test_values_that_no_table_has_are_refused(value):
    with pytest.raises(ValueError, match=r"the values of X must be states 0, 1, \.\. without gaps, got"):
        Joint.from_function(("A",), (2,), {"X": lambda a: value})


def flat():
    return Joint(("A", "B"), np.full((2, 2), 0.25))


BAD = {
    "a float": (
        lambda: flat().condition(A=0.0),
        TypeError,
        "A has states 0..1, got 0.0, which is no integer",
    ),
    "True": (lambda: flat().condition(A=True), TypeError, "A has states 0..1, got True, which is no integer"),
    "text": (lambda: flat().condition(A="x"), TypeError, "A has states 0..1, got 'x', which is no integer"),
    "outside": (lambda: flat().condition(A=-1), ValueError, "A has states 0..1, got -1"),
    "a source twice": (
        lambda: flat().channel(["A", "A"], "C", np.full((2, 2, 2), 0.5)),
        ValueError,
        "the sources of a channel must differ, got ('A', 'A')",
    ),
    "names that are lists": (lambda: Joint([["A"], "B"], np.full((2, 2), 0.25)), TypeError, "got ['A']"),
    "a huge denominator": (
        lambda: Model.random_exact(EDGE, 2, seed=0, denominator=10**30),
        ValueError,
        "denominator must be at most 4611686018427387904, got",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(case):
    make, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_states_of_numpy_are_states():
    assert flat().condition(A=np.int64(1)).probabilities.tolist() == [0.5, 0.5]


def test_exact_channels_take_whole_numbers_only():
    coin = Joint(("A",), np.array([Fraction(1, 3), Fraction(2, 3)]))
    assert coin.channel("A", "B", np.eye(2)).probabilities[1, 1] == Fraction(2, 3)
    with pytest.raises(ValueError, match="needs a kernel of Fractions or integers"):
        coin.channel("A", "B", np.full((2, 2), 0.5))


@pytest.mark.parametrize("concentration", [1e100, 1e308])
def test_a_huge_concentration_is_uniform(concentration):
    table = Model.random(EDGE, 3, seed=0, concentration=concentration).tables["X"]
    np.testing.assert_allclose(table, 1 / 3, rtol=1e-15)
    assert abs(Model.random(EDGE, 3, seed=0, concentration=1.0).tables["X"] - 1 / 3).max() > 0.01
