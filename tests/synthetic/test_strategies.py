import re
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from synthetic import cyclic
from synthetic.strategies import (
    UnsupportedPremiseError,
    actions,
    channels,
    diagrams,
    distributions,
    from_states,
    groups,
    joints,
    joints_on,
    models,
    orbit_worlds,
    premises,
    subgroups,
)
from synthetic.strategies.tables import kept_states
from theory import CLAIMS, ESSL, Claim, Diagram, Joint, Model, find_claim
from theory.claims.exact import holds, is_on

TOLERANCE = 1e-12
SMALL = Diagram.parse("C->X, A->X, X->Z")

quick = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hunt = settings(quick, max_examples=2000)


def minimal(strategy, condition, seed=None):
    return find(strategy, condition, settings=hunt, random=None if seed is None else Random(seed))


@quick
@given(joints("A", "C", "X"))
def test_joints_are_exact_and_print_as_the_call_that_makes_them(joint):
    assert sum(joint.probabilities.ravel()) == 1
    assert all(isinstance(p, Fraction) for p in joint.probabilities.ravel())
    again = eval(repr(joint), {"from_states": from_states})
    assert again.states == joint.states
    assert joint.value("H(A|X)") <= joint.value("H(A)") + TOLERANCE


@quick
@given(st.data())
def test_distributions_and_channels_are_stochastic(data):
    p = data.draw(distributions(4))
    assert sum(p) == 1
    assert min(data.draw(distributions(3, min_weight=1))) > 0
    kernel = data.draw(channels((2, 3), 3))
    assert kernel.shape == (2, 3, 3)
    assert (kernel.sum(axis=-1) == 1).all()
    function = data.draw(channels(4, 3, deterministic=True))
    assert set(function.ravel()) <= {0, 1}


@quick
@given(diagrams("A", "B", "C", "D", max_parents=2, deterministic=True).flatmap(models))
def test_models_are_on_their_diagram(model):
    joint = model.joint()
    assert is_on(joint, model.diagram)
    assert all(len(model.diagram.parents(v)) <= 2 for v in model.diagram.variables)
    tables = {v: table.astype(float) for v, table in model.tables.items()}
    floats = Model(model.diagram, tables).joint()
    assert np.allclose(joint.probabilities.astype(float), floats.probabilities, atol=TOLERANCE)


@quick
@given(joints_on(ESSL, "A", "C", "X", "Z"))
def test_joints_on_a_diagram_satisfy_its_laws(joint):
    assert joint.names == ("A", "C", "X", "Z")
    assert is_on(joint, ESSL)
    assert joint.value("I(A;Z)") <= joint.value("I(A;X)") + TOLERANCE


@quick
@given(st.data())
def test_groups_subgroups_and_actions_are_what_they_say(data):
    group = data.draw(groups(max_order=12))
    subgroup = data.draw(subgroups(group))
    assert group.order % len(subgroup) == 0
    assert group.is_normal(data.draw(subgroups(group, normal=True)))
    action = data.draw(actions(group))
    for orbit in action.orbits:
        assert len(orbit) * len(action.stabiliser(orbit[0])) == group.order


@quick
@given(orbit_worlds())
def test_synergy_of_orbit_worlds_without_noise_is_the_entropy_of_distinct_prototypes(world):
    assert world.predicted("I(A;C|X)") == pytest.approx(world.exact("I(A;C|X)").value, abs=TOLERANCE)
    if not world.noise and len(set(world.prototypes.tolist())) == len(world.classes):
        assert world.exact("I(A;C|X)").value == pytest.approx(world.exact("H(C|O)").value, abs=TOLERANCE)


@pytest.mark.parametrize("name", CLAIMS)
def test_premises_hold_by_construction_and_true_claims_with_them(name):
    judged = find_claim(name)

    @settings(quick, max_examples=15)
    @given(premises(judged))
    def check(joint):
        for fact in judged.given:
            assert holds(joint, fact)
        assert is_on(joint, judged.diagram)
        if judged.expectation == "true":
            assert holds(joint, judged.statement)

    check()


@pytest.mark.parametrize(
    ("name", "interesting"), [("L2", "H(A)"), ("V1", "H(Z)"), ("J1", "I(C;T)"), ("J3b", "I(A;X)")]
)
def test_premises_are_not_satisfied_trivially(name, interesting):
    chosen = find_claim(name)
    names = (*chosen.statement.variables, *(v for fact in chosen.given for v in fact.variables))
    drawn = premises(chosen, variables=dict.fromkeys(names))
    joint = find(
        drawn, lambda j: j.value(interesting) > 0.1, settings=settings(hunt, phases=[Phase.generate])
    )
    assert all(holds(joint, fact) for fact in find_claim(name).given)


def test_premises_that_no_rule_satisfies_use_the_claims_own_models_or_are_refused():
    with pytest.raises(UnsupportedPremiseError, match=r"I\(A;Z\) == I\(A;X\) cannot be satisfied"):
        premises(ESSL, given=["I(A;Z) == I(A;X)"])
    for fact in ("H(A|Z) == 0", "I(C;Z) == 0", "H(A) >= H(C)", "I(A;C;S) == 0", "I(A;A) == 0"):
        with pytest.raises(UnsupportedPremiseError, match="satisfied by construction"):
            premises(ESSL, given=[fact])
    mine = Claim(
        "MINE",
        "mine",
        "H(A) >= 0",
        "true",
        SMALL,
        ("H(A|Z) == 0",),
        prose="p",
        reference="r",
        worlds=("exact",),
        draw=lambda seed: Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a, "Z": lambda a, c: a}),
    )
    joint = minimal(premises(mine), lambda j: True)
    assert joint.value("H(A|Z)") == pytest.approx(0)


def test_given_facts_of_a_diagram_are_satisfied():
    facts = ["H(A|X) == 0", "A _||_ C", "I(X;A,C|A,C) == 0"]

    @quick
    @given(premises(SMALL, given=facts, variables="ACXZ"))
    def check(joint):
        assert joint.value("H(A|X)") == pytest.approx(0, abs=TOLERANCE)
        assert joint.value("I(A;C|X)") == pytest.approx(0, abs=TOLERANCE)

    check()


def denominators(joint):
    return {p.denominator for p in joint.states.values()}


def test_a_false_inequality_over_all_joints_shrinks_to_a_few_equal_states():
    joint = minimal(joints("A", "C", "X"), lambda j: j.value("I(A;C|X)") > j.value("I(A;C)") + 1e-9)
    assert set(joint.cardinalities.values()) == {2}
    assert len(joint.states) <= 4
    assert len(set(joint.states.values())) == 1


@pytest.mark.parametrize(
    ("diagram", "seed"),
    [
        pytest.param(ESSL, 0, id="hidden causes of the input"),
        *(pytest.param(SMALL, seed, id=f"none, seed {seed}") for seed in (1, 2)),
    ],
)
def test_a_false_independence_on_a_diagram_shrinks_to_bits(diagram, seed):
    # A and C are independent bits, so that four states are the fewest.
    joint = minimal(joints_on(diagram, "A", "C", "Z"), lambda j: j.value("I(A;C|Z)") > 1e-9, seed)
    assert set(joint.cardinalities.values()) == {2}
    assert len(joint.states) == 4


def test_an_alphabet_keeps_any_of_its_states():
    kept = [tuple(minimal(kept_states(1, 3), lambda k, state=state: k == [state])) for state in range(3)]
    assert kept == [(0,), (1,), (2,)]
    assert minimal(kept_states(2, 3), lambda k: 2 in k) == [0, 2]


def test_every_strategy_shrinks_to_its_simplest_value():
    def anything(value):
        return True

    assert minimal(joints("A", "C"), anything).states == {(0, 0): 1}
    assert minimal(diagrams("A", "B", "C"), anything).graph.number_of_edges() == 0
    assert minimal(groups(), anything).order == 1
    assert minimal(groups(), lambda g: g.order > 4) == cyclic(5)
    assert minimal(distributions(3), anything) == (1, 0, 0)
    assert minimal(distributions(3, min_weight=1), anything) == (Fraction(1, 3),) * 3
    assert minimal(channels(2, 2), anything).tolist() == [[1, 0], [1, 0]]
    assert minimal(actions(max_orbits=3), anything).points == 1
    assert minimal(orbit_worlds(), lambda w: len(w.classes) > 1).group.order == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: joints(), "at least one name"),
        (lambda: joints("A", max_states=1), "max_states must be at least 2"),
        (lambda: joints(*"ABCDEFGHIJK", max_states=3), "more than 65,536"),
        (lambda: distributions(0), "size must be at least 1"),
        (lambda: distributions(2, max_weight=0), "max_weight must be at least 1"),
        (lambda: channels(0, 2), "inputs must be at least 1"),
        (lambda: channels(2, 0), "outputs must be at least 1"),
        (lambda: groups(max_order=0), "max_order must be at least 1"),
        (lambda: joints_on(SMALL, "Q"), "unknown variable 'Q'"),
        (lambda: premises(SMALL, given=["H(Q) == 0"]), "unknown variable 'Q'"),
        (lambda: diagrams().example(), "at least one name"),
        (lambda: from_states("A B", {(0,): 1}), "a value for A B"),
        (lambda: from_states("A", {}), "at least one state"),
        (lambda: from_states("A", {(0,): "1/2"}), "must sum to 1"),
    ],
)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def documented_blocks():
    page = Path(__file__).parents[2] / "docs" / "strategies.md"
    return re.findall(r"```(\w+)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_short_test_finds_and_shrinks_a_counterexample():
    blocks = documented_blocks()
    false = next(code for kind, code in blocks if kind == "python" and "def test_seeing_more" in code)
    shown = next(text for kind, text in blocks if kind == "text" and "joint=from_states" in text)
    assert len([line for line in false.splitlines() if line.strip()]) == 6
    namespace = {}
    exec(compile(false.replace("@settings(deadline=None)\n", ""), "docs/strategies.md", "exec"), namespace)
    test = settings(hunt)(namespace["test_seeing_more_never_makes_dependent"])
    with pytest.raises(AssertionError) as caught:
        test()
    call = re.compile(r"joint=from_states\('A C X', \{.*\}\),")
    assert call.search("\n".join(caught.value.__notes__))
    assert call.search(shown)


def test_the_page_prints_what_it_says(capsys):
    """That all of its blocks run is a test of the documentation."""
    blocks = documented_blocks()
    (code,) = (code for kind, code in blocks if kind == "python" and "print(" in code)
    exec(compile(code, "docs/strategies.md", "exec"), {})
    printed = capsys.readouterr().out
    shown = next(text for kind, text in blocks if text.startswith("ExactModel"))
    for model in (printed, shown):  # which of the simplest models is found depends on Hypothesis's version
        assert re.fullmatch(
            r"ExactModel\(p\(C\) = .*; p\(A\) = .*; p\(X\|C,A\) = .*; p\(Z\|X\) = .*\)\n", model
        )
        numbers = re.findall(r"[\d/]+", model)
        assert set(numbers) <= {"0", "1", "1/2", "1/3", "2/3"}


def test_nothing_but_the_strategies_needs_hypothesis():
    package = Path(__file__).parents[2] / "synthetic"
    importing = {
        p.parent.name
        for p in package.rglob("*.py")
        if re.search(r"^\s*(from|import) hypothesis", p.read_text(), re.M)
    }
    assert importing == {"strategies"}
    assert not re.search(
        r"import .*strategies|from synthetic\.strategies", (package / "__init__.py").read_text()
    )
