"""Copies: the known inequalities beyond Shannon's and Zhang and Yeung's, and nothing that is false."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from theory import Certificate, Joint, Proof, check, parse_statement, prove
from theory.prover import Part, Step
from theory.prover.proof.certificate import Copy

INGLETON = "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)"
MAKARYCHEV = "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D) + I(A;B|E) + I(A;E|B) + I(B;E|A)"
TERMS = ("I(A;B|C)", "I(A;C|B)", "I(B;C|A)", "I(A;B|D)", "I(A;D|B)", "I(B;D|A)", "I(C;D)")
SIX = {
    "37": (5, 3, 1, 2, 0, 0, 2),
    "38": (4, 2, 1, 3, 1, 0, 2),
    "39": (4, 4, 1, 2, 1, 1, 2),
    "40": (3, 3, 3, 2, 0, 0, 2),
    "41": (3, 4, 2, 3, 1, 0, 2),
    "42": (3, 2, 2, 2, 1, 1, 2),
}
"""2 I(A;B) <= sum of coefficient times TERMS: the six of Dougherty, Freiling and Zeger (2006), under the
numbers that they have in the paper of 2011."""


def six(weights):
    return "2 I(A;B) <= " + " + ".join(f"{w} {t}" for w, t in zip(weights, TERMS, strict=True) if w)


def fewer(weights, place):
    """The inequality with one coefficient smaller by one."""
    return tuple(w - (i == place) for i, w in enumerate(weights))


@cache
def proved(name):
    # some take more than a second of the two that are usual, which a busy machine does not keep to
    return prove(six(SIX[name]), non_shannon=True, seconds=60)


@pytest.mark.parametrize("name", SIX)
def test_the_six_are_proved_with_two_copies(name):
    proof = proved(name)
    assert isinstance(proof, Proof)
    assert check(json.dumps(proof.certificate.to_dict()))
    assert len(proof.certificate.parts[0].copies) == 2
    assert prove(six(SIX[name]), counterexample=False).verdict == "unknown"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(MAKARYCHEV, id="Makarychev et al."),
        pytest.param(
            "I(B;A) <= I(A;B|D) + I(C;D) + I(A;B|C) + I(A;E|B) + I(B;E|A) + I(A;B|E)", id="in another order"
        ),
        pytest.param(
            "3 I(U;Z) - I(U;Z|X) - I(U;Z|Y) - I(U;Z|W) - 3 I(U;Z|X) "
            "<= I(X;U,Z) + H(X) + H(Y) + H(W) - H(X,Y,W)",
            id="Zhang and Yeung's of three variables",
        ),
    ],
)
def test_inequalities_of_five_variables_are_proved_with_a_copy(statement):
    proof = prove(statement, non_shannon=True)
    assert isinstance(proof, Proof)
    assert check(proof.certificate)


def test_an_equality_under_premises_may_need_a_copy():
    """Under premises that make five of its terms vanish, Makarychev's inequality makes the sixth vanish."""
    given = [f"{term} == 0" for term in ("I(A;B|C)", "I(A;B|D)", "I(C;D)", "I(A;B|E)", "I(A;E|B)")]
    proof = prove("I(A;B) <= I(B;E|A)", given=given, non_shannon=True)
    assert isinstance(proof, Proof)
    assert check(proof.certificate)


@pytest.mark.parametrize(
    "renaming",
    [
        pytest.param(
            lambda text: (
                text.replace("|", "|K,").replace("I(C;D)", "I(C;D|K)").replace("I(A;B) ", "I(A;B|K) ")
            ),
            id="all given K",
        ),
        pytest.param(lambda text: text.replace("A", "A,E"), id="two variables as one"),
        pytest.param(lambda text: text.replace("A", "A,E").replace("D", "D,F,G"), id="seven variables"),
    ],
)
def test_conditions_and_groups_count_as_nothing_and_as_one(renaming):
    proof = prove(renaming(six(SIX["42"])), non_shannon=True, seconds=30)
    assert isinstance(proof, Proof)
    assert check(json.dumps(proof.certificate.to_dict()))
    assert proof.certificate.parts[0].copies


def test_ingleton_is_refuted_and_lines_near_the_six_are_not_proved():
    assert prove(INGLETON, non_shannon=True).verdict == "refuted"
    for weights in ((2, 0, 0, 3, 0, 0, 2), (3, 1, 1, 2, 0, 0, 2), (2, 2, 2, 2, 1, 1, 2)):
        assert prove(six(weights), non_shannon=True).verdict != "proved"


FOUR_ATOMS = Joint.from_function(
    ("u", "v"), (2, 2), {"C": lambda u, v: u, "D": lambda u, v: v, "A": min, "B": max}
).marginal(("A", "B", "C", "D"))
"""C and D independent bits, A their minimum, B their maximum: Ingleton's inequality fails."""


def atoms(seed):
    """A distribution near the four atoms, which Ingleton's inequality fails on by more or less."""
    rng = np.random.default_rng(seed)
    table = FOUR_ATOMS.probabilities.copy()
    table[table > 0] *= np.exp(rng.normal(scale=0.5, size=4))
    table += rng.dirichlet(np.ones(16)).reshape(table.shape) * rng.choice([0, 1e-3, 1e-2])
    return Joint(FOUR_ATOMS.names, table / table.sum())


def test_what_is_proved_holds_where_ingleton_fails():
    """An oracle without any proof: the inequalities on distributions that break the one near them."""
    gap = parse_statement(INGLETON).relations[0].gap
    proofs = [proved(name) for name in SIX]
    broken = 0
    for seed in range(200):
        joint = atoms(seed)
        broken += joint.value(gap) < -1e-6
        for proof in proofs:
            assert joint.value(proof.statement.relations[0].gap) >= -1e-12
    assert broken > 100


@pytest.mark.parametrize("seed", range(6))
def test_random_lines_near_the_six_are_proved_only_where_no_distribution_breaks_them(seed):
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(SIX)))
    weights = fewer(SIX[name], int(rng.choice(np.flatnonzero(SIX[name]))))
    found = prove(six(weights), non_shannon=True, counterexample=False)
    if isinstance(found, Proof):
        assert check(found.certificate)
        gap = found.statement.relations[0].gap
        assert min(atoms(s).value(gap) for s in range(200)) >= -1e-12
    else:
        assert found.verdict == "unknown"


def with_part(certificate, change):
    return replace(certificate, parts=(change(certificate.parts[0]), *certificate.parts[1:]))


def with_copies(change):
    return lambda part: replace(part, copies=change(part.copies))


def with_step(kind, change):
    """One step of a kind changed."""

    def changed(part):
        place = next(i for i, step in enumerate(part.steps) if step.kind == kind)
        steps = (*part.steps[:place], change(part.steps[place]), *part.steps[place + 1 :])
        return replace(part, steps=steps)

    return changed


TAMPERED = {
    "no copies": with_copies(lambda copies: ()),
    "one copy less": with_copies(lambda copies: copies[:1]),
    "copies in another order": with_copies(lambda copies: copies[::-1]),
    "a name that is taken": with_copies(lambda c: (replace(c[0], names=("D",)), *c[1:])),
    "two copies of one name": with_copies(lambda c: (c[0], replace(c[1], names=c[0].names))),
    "copied over itself": with_copies(lambda c: (replace(c[0], over=(*c[0].over, *c[0].copied)), *c[1:])),
    "copied over less": with_copies(lambda c: (replace(c[0], over=c[0].over[:1]), *c[1:])),
    "copied over more": with_copies(lambda c: (replace(c[0], over=("A", "B", "D")), *c[1:])),
    "a copy of another": with_copies(lambda c: (replace(c[0], copied=("D",)), *c[1:])),
    "a copy of what is not there": with_copies(lambda c: (replace(c[0], copied=("Q",)), *c[1:])),
    "names as a list": with_copies(lambda c: (replace(c[0], names=[*c[0].names]), *c[1:])),
    "no such copy": with_step("copy", lambda step: replace(step, index=7)),
    "copy without a number": with_step("copy", lambda step: replace(step, index=None)),
    "another entropy": with_step("copy", lambda step: replace(step, quantity="H(A,D) - H(B,D)")),
    "twice an entropy": with_step("copy", lambda step: replace(step, quantity=f"2 {step.quantity}")),
    "independent of itself": with_step(
        "copy-independence", lambda step: replace(step, quantity="I(C'';C''|A,D)")
    ),
    "independent given nothing": with_step(
        "copy-independence", lambda step: replace(step, quantity=step.quantity.partition("|")[0] + ")")
    ),
    "a fact as an inequality": with_step("copy-independence", lambda step: replace(step, kind="shannon")),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_the_checker_rejects_copies_that_are_none(name):
    certificate = proved("38").certificate
    assert check(certificate)
    assert not check(with_part(certificate, TAMPERED[name]))


def forged(quantity, copies, steps):
    return Certificate(f"{quantity} >= 0", None, (), (Part(f"{quantity} >= 0", quantity, steps, copies),))


def test_a_copy_is_not_equal_to_what_it_copies():
    """A copy has the law of its original, not its values: I(C;C') may be less than H(C)."""
    copies = (Copy(("C",), (), ("C'",)),)
    steps = (
        Step("copy", Fraction(1), "H(C') - H(C)", 0),
        Step("copy-independence", Fraction(-1), "I(C';C)", 0),
        Step("shannon", Fraction(1), "H(C,C')"),
    )
    outcome = check(forged("-H(C)", copies, steps))
    assert not outcome.valid
    assert "do not add up" in outcome.reason


@pytest.mark.parametrize(
    ("copy", "step"),
    [
        pytest.param(
            Copy(("A",), ("C",), ("A'",)),
            Step("copy-independence", Fraction(1), "I(A';B)", 0),
            id="independent only given what it is copied over",
        ),
        pytest.param(
            Copy(("A",), ("C",), ("A'",)),
            Step("copy", Fraction(1), "H(A',B) - H(A,B)", 0),
            id="the law with another variable is not kept",
        ),
        pytest.param(
            Copy(("A", "B"), ("C",), ("A'", "B'")),
            Step("copy", Fraction(1), "H(A',C) - H(B,C)", 0),
            id="the names are not exchanged",
        ),
        pytest.param(
            Copy(("A",), ("C",), ("A'",)),
            Step("copy", Fraction(1), "H(A'|C) - H(A|C)", 0),
            id="written with a condition",
        ),
    ],
)
def test_facts_that_do_not_follow_from_a_copy_are_rejected(copy, step):
    quantity = "H(A,B) - H(C)"
    outcome = check(forged(quantity, (copy,), (step,)))
    assert not outcome.valid
    assert "does not follow" in outcome.reason


def test_proofs_with_copies_print_and_survive_json():
    proof = proved("38")
    assert "Let C' be a copy of C given A, B, drawn independently of all else (copy lemma)." in str(proof)
    assert r"\(\mathrm{C'}\)" in proof.latex()
    certificate = proof.certificate
    assert Certificate.from_json(json.dumps(certificate.to_dict())) == certificate
    assert check(certificate.elemental())


@pytest.mark.parametrize(
    "copies",
    [
        pytest.param("C'", id="text"),
        pytest.param([{"copied": ["C"], "over": ["A"]}], id="no names"),
        pytest.param([{"copied": ["C"], "over": ["A"], "names": [1]}], id="a number as a name"),
        pytest.param([["C", "A", "C'"]], id="a list as a copy"),
    ],
)
def test_malformed_copies_in_json_are_rejected(copies):
    data = proved("38").certificate.to_dict()
    data["parts"][0]["copies"] = copies
    outcome = check(data)
    assert (outcome.valid, outcome.where) == (False, "certificate")


def test_a_copy_has_a_name_that_the_diagram_does_not_have():
    """Primes are added until the name is new, on diagrams as among the variables of the statement."""
    renamed = {"D": "C'"}
    statement = parse_statement(six(SIX["38"])).replace(renamed)
    proof = prove(statement, non_shannon=True)
    assert isinstance(proof, Proof)
    assert check(proof.certificate)
    names = {name for copy in proof.certificate.parts[0].copies for name in copy.names}
    assert not names & set(statement.variables)
