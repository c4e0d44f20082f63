"""Diagrams: reading, d-separation against an independent oracle, and bad input."""

from itertools import chain, combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theory import ESSL, Diagram, Model, read_diagram
from theory.diagrams.separations import neighbours
from theory.prover.proof.checker import closure, separated

NAMES = ("A", "B", "C", "D", "E")


@st.composite
def diagrams(draw):
    """Any acyclic graph over five variables; shrinks towards no edges."""
    order = draw(st.permutations(NAMES))
    pairs = list(combinations(order, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    children = [v for v in NAMES if any(b == v for _, b in edges)]
    fixed = draw(st.lists(st.sampled_from(children), unique=True)) if children else []
    return Diagram(edges, variables=NAMES, deterministic=fixed)


def blocked(graph, path, given):
    """Whether one undirected path is blocked, by the textbook rule."""
    for a, b, c in zip(path, path[1:], path[2:], strict=False):
        collider = graph.has_edge(a, b) and graph.has_edge(c, b)
        if collider:
            if b not in given and not (nx.descendants(graph, b) & given):
                return True
        elif b in given:
            return True
    return False


def slow_d_separated(diagram, left, right, given):
    """Pearl's definition: every path between the two sets is blocked."""
    graph = nx.DiGraph(diagram.edges)
    graph.add_nodes_from(diagram.variables)
    skeleton = graph.to_undirected()
    return all(
        blocked(graph, path, set(given))
        for a in left
        for b in right
        for path in nx.all_simple_paths(skeleton, a, b)
    )


def triples():
    for a, b in combinations(NAMES, 2):
        rest = [v for v in NAMES if v not in (a, b)]
        for given_ in chain.from_iterable(combinations(rest, k) for k in range(4)):
            yield a, b, given_


@given(diagrams())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_d_separation_is_pearls(diagram):
    for a, b, given_ in triples():
        assert diagram.d_separated({a}, {b}, given_) == slow_d_separated(diagram, {a}, {b}, given_)


@given(diagrams(), st.permutations(NAMES), st.integers(1, 5))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_the_vectorised_separation_agrees(diagram, order, inside):
    """`neighbours` for the first few of an ancestral set, against d-separation one by one."""
    graph = neighbours(diagram, order, inside)
    for mask in range(1 << inside):
        members = [i for i in range(inside) if mask >> i & 1]
        for i, j in combinations(members, 2):
            rest = {order[m] for m in members if m not in (i, j)}
            adjacent = bool(graph[i, mask] >> j & 1)
            assert adjacent == (not diagram.d_separated({order[i]}, {order[j]}, rest))


@given(diagrams())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_text_reads_back(diagram):
    assert Diagram.parse(str(diagram)) == diagram
    assert set(diagram.order) == set(NAMES)
    for position, v in enumerate(diagram.order):
        assert set(diagram.parents(v)) <= set(diagram.order[:position])


@given(diagrams(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_separated_variables_are_independent_in_every_model(diagram, seed):
    """Soundness with deterministic variables: separation implies zero information in a random model."""
    joint = Model.random(diagram, 2, seed=seed).joint()
    for a, b, given_ in triples():
        if separated(diagram, {a}, {b}, set(given_)):
            bar = f"|{','.join(given_)}" if given_ else ""
            assert abs(joint.value(f"I({a};{b}{bar})")) < 1e-12


def test_functions_close():
    diagram = Diagram.parse("A=>B, B=>C, C->D, D=>E")
    assert closure(diagram, {"A"}) == {"A", "B", "C"}
    assert closure(diagram, {"D"}) == {"D", "E"}
    assert closure(diagram, set()) == set()
    assert separated(diagram, {"C"}, {"D"}, {"A"})
    assert not separated(diagram, {"A"}, {"D"}, set())
    assert not separated(diagram, {"A", "D"}, {"D"}, set())


@pytest.mark.parametrize(
    ("left", "right", "given_", "expected"),
    [
        ("A", "C", "", True),
        ("A", "C", "X", False),
        ("A", "C", "Z", False),
        ("A", "Z", "X", True),
        ("C", "Z", "R", True),
        ("CSV", "A", "R", True),
        ("C", "S", "R", False),
        ("C", "XZA", "R", True),
        ("C", "XZA", "", False),
    ],
)
def test_the_essl_diagram(left, right, given_, expected):
    assert ESSL.d_separated(set(left), set(right), set(given_)) is expected


def test_parsing_keeps_order_and_marks():
    diagram = Diagram.parse("C->R, A=>X, R=>X, Q", name="test")
    assert diagram.variables == ("C", "R", "A", "X", "Q")
    assert diagram.deterministic == ("X",)
    assert diagram.parents("X") == ("R", "A")
    assert diagram.name == "test"
    assert repr(diagram) == "Diagram('C->R, R=>X, A=>X, Q', name='test')"
    assert Diagram.parse("A->B->C") == Diagram.parse("B->C, A->B")
    assert hash(Diagram.parse("A->B->C")) == hash(Diagram.parse("B->C, A->B"))
    assert Diagram.parse("A->B") != Diagram.parse("A=>B")
    assert Diagram.parse("A->B") != "A->B"


def test_the_graph_is_frozen():
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        ESSL.graph.add_edge("Z", "C")


BAD = {
    "empty": (lambda: Diagram.parse(""), "expected text such as"),
    "no-child": (lambda: Diagram.parse("A->"), "cannot read the diagram"),
    "no arrow": (lambda: Diagram.parse("A--B"), "cannot read the diagram"),
    "two-headed arrow": (
        lambda: Diagram.parse("A<->B"),
        "common cause that is not named; write it, as in U->A, U->B",
    ),
    "lone cause": (lambda: Diagram.parse("A,B->C"), "write 'A->C, B->C' for a cause, or put 'A' last"),
    "lone cause, arrow to the left": (lambda: Diagram.parse("A, C<-B"), "write 'A->C, C<-B' for a cause"),
    "lone cause in the middle": (
        lambda: Diagram.parse("D->E, A, B->C"),
        "'A' before 'B->C' could be a cause",
    ),
    "name with a space": (
        lambda: Diagram.parse("my label->X"),
        "letters, digits or underscores, not 'my label'",
    ),
    "name with a dot": (lambda: Diagram.parse("c.1->X"), "letters, digits or underscores, not 'c.1'"),
    "name": (lambda: Diagram.parse("1A->B"), "cannot read the diagram"),
    "edge of no direction": (lambda: Diagram.parse("A - B"), "an edge has a direction, -> or <-"),
    "undirected edge": (lambda: Diagram.parse("A -- B -- C"), "an edge has a direction"),
    "hyphen in a name": (lambda: Diagram.parse("my-label->X"), "a name no hyphen"),
    "set of causes": (lambda: read_diagram("{A,B}->C"), "write one edge for each, as in A->C, B->C"),
    "set of effects": (lambda: Diagram.parse("A->{B,C}"), "write one edge for each"),
    "and": (lambda: Diagram.parse("A->B and B->C"), "write a comma between edges"),
    "quotes": (lambda: Diagram.parse("'A'->'B'"), "write names without quotes"),
    "statement": (lambda: Diagram.parse("H(A) >= 0"), "statements go into given="),
    "independence": (lambda: Diagram.parse("A _||_ B"), "independences go into given="),
    "primes": (lambda: Diagram.parse("X''->X' Y"), 'not "X\' Y"'),
    "mixed, to the left": (lambda: Diagram.parse("A=>C<-B"), "all arrows into 'C'"),
    "mixed": (lambda: Diagram.parse("A=>C, B->C"), "all arrows into 'C'"),
    "cycle": (lambda: Diagram.parse("A->B->C->A"), "must have no cycle"),
    "loop": (lambda: Diagram([("A", "A")]), "must have no cycle"),
    "bad-name": (lambda: Diagram([("A", "B c")]), "variable name must be"),
    "number-name": (lambda: Diagram([("A", 3)]), "variable name must be"),
    "unknown-deterministic": (lambda: Diagram([("A", "B")], deterministic=["Q"]), "'Q' is not in"),
    "deterministic-root": (lambda: Diagram([("A", "B")], deterministic=["A"]), "at least one parent"),
    "unknown-in-query": (lambda: ESSL.d_separated({"A"}, {"Q"}), "unknown variable 'Q'"),
    "overlap": (lambda: ESSL.d_separated({"A"}, {"C"}, {"A"}), "disjoint sets"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


WRONG_TYPES = {
    "diagram of a number": (lambda: Diagram.parse(3), "a diagram is read from text"),
    "edges as text": (lambda: Diagram("A->B"), "use Diagram.parse"),
    "edge as text": (lambda: Diagram(["AB"]), "edges must be pairs"),
    "edge of three": (lambda: Diagram([("A", "B", "C")]), "edges must be pairs"),
    "number in a query": (lambda: ESSL.d_separated(1, "C"), "left must be names of variables, got 1"),
    "numbers in a query": (
        lambda: ESSL.d_separated("A", "C", [1]),
        "given must be names of variables, got 1",
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_wrong_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param("A->C<-B", "A->C, B->C", id="collider"),
        pytest.param("C<-B<-A", "A->B->C", id="to the left"),
        pytest.param("A→B, B⇒C", "A->B, B=>C", id="one sign"),
        pytest.param("A←B", "B->A", id="sign to the left"),
        pytest.param("A=>C<=B", "A=>C, B=>C", id="function to the left"),
        pytest.param("A⇐B⟸C", "C=>B=>A", id="signs of functions to the left"),
        pytest.param("A-->B<--C", "A->B, C->B", id="long"),
        pytest.param("A⟶B⟵C, C⟹D", "A->B, C->B, C=>D", id="long signs"),
        pytest.param("A->B\n  ->C<-\nD", "A->B->C<-D", id="chain over lines"),
        pytest.param("A->B; B->C", "A->B, B->C", id="semicolon"),
        pytest.param("A->B\n\nB->C\n", "A->B, B->C", id="lines"),
        pytest.param("A; B->C", "B->C, A", id="lone variable cut off"),
        pytest.param("A\nB->C", "B->C, A", id="lone variable on its line"),
        pytest.param("B->C, A, D", "B->C; A; D", id="lone variables last"),
    ],
)
def test_notation_of_diagrams(text, same):
    assert Diagram.parse(text) == Diagram.parse(same) == read_diagram(text)


def test_a_text_of_names_is_read_as_names_and_not_as_letters():
    chain_ = Diagram.parse("X1->X2->X3")
    assert chain_.d_separated("X1", "X3", "X2")
    assert not chain_.d_separated("X1", "X3")
    assert not chain_.d_separated("X1, X2", "X3")
    assert Diagram([("A", "X1")], variables="C, A", deterministic="X1").variables == ("C", "A", "X1")
    assert closure("A=>X1, X1=>X2", "A") == {"A", "X1", "X2"}
    assert separated("A->X1->X2", "A", "X2", "X1")
    assert not separated("A->X1->X2", "A", "X2", "")


def test_a_chain_separates_all_but_neighbours():
    names = [f"X{i}" for i in range(1, 13)]
    chain_ = Diagram.parse("->".join(names))
    graph = neighbours(chain_, names, 12)
    full = (1 << 12) - 1
    expected = [(1 << (i - 1) if i else 0) | (1 << (i + 1) if i < 11 else 0) for i in range(12)]
    assert np.array_equal(graph[:, full], expected)
