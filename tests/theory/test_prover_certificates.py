"""The exact checker: valid certificates pass, tampered ones are rejected at the right place, and a mutated
checker is found out by the same tampered ones."""

import importlib.util
import inspect
import json
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory import (
    ESSL,
    Certificate,
    ContradictionError,
    check,
    parse_expression,
    parse_term,
    prove,
)
from theory.diagrams import closure, separated
from theory.prover import Part, Step
from theory.prover.proof import checker
from theory.prover.proof.checker import CONTRADICTION

ZHANG_YEUNG = "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) - 2 I(C;D)"
XOR = "X=>Y, Z=>Y"


def contradiction():
    with pytest.raises(ContradictionError) as error:
        prove("H(A) >= 0", given=["H(A) > 0", "H(A) <= 0"])
    return error.value.certificate


def certificates():
    return {
        "E2": prove("I(A;Z|C) >= I(A;Z)", diagram=ESSL).certificate,
        "E1": prove("I(A;Z|C) == I(A;Z) + I(A;C|Z)", diagram=ESSL).certificate,
        "V1": prove("I(A;Z) == 0 and I(A;C|Z) == 0", diagram=ESSL, given="I(A;Z|R) == 0").certificate,
        "F1": prove("I(B;C|Z) >= I(A;C|Z)", given="H(A|B) == 0").certificate,
        "han": prove("H(A,B) + H(B,C) + H(C,A) >= 2 H(A,B,C)").certificate,
        "function": prove("H(Y) <= H(X) + H(Z)", diagram=XOR).certificate,
        "given": prove("H(A) <= 3 H(C)", given="H(A) <= H(B) <= 3 H(C)").certificate,
        "strict": prove("H(A) > 0", given="I(A;B) > 0").certificate,
        "zhang-yeung": prove(f"{ZHANG_YEUNG} >= 0", non_shannon=True).certificate,
        "contradiction": contradiction(),
    }


CERTIFICATES = certificates()


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_are_valid_and_survive_json(name):
    certificate = CERTIFICATES[name]
    assert check(certificate).valid
    text = certificate.to_json()
    assert json.loads(text) == certificate.to_dict()
    assert Certificate.from_json(text) == certificate
    assert check(text).valid
    assert check(json.loads(text)).valid


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates_split_into_elemental_inequalities(name):
    split = CERTIFICATES[name].elemental()
    assert check(split).valid
    for part in split.parts:
        everything = {v for s in part.steps for v in parse_expression(s.quantity).variables}
        for step_ in part.steps:
            if step_.kind == "shannon":
                term = parse_term(step_.quantity)
                assert all(len(group) == 1 for group in term.groups)
                if len(term.groups) == 1:
                    assert set(term.variables) == everything
                else:
                    assert term.groups[0] != term.groups[1]
                    assert not {v for group in term.groups for v in group} & set(term.given)


def places(certificate):
    return [(i, j) for i, part in enumerate(certificate.parts) for j in range(len(part.steps))]


def with_step(certificate, i, j, step):
    """The certificate with one step replaced, or left out if `step` is None."""
    part = certificate.parts[i]
    steps = list(part.steps)
    steps[j : j + 1] = [] if step is None else [step]
    parts = list(certificate.parts)
    parts[i] = replace(part, steps=tuple(steps))
    return replace(certificate, parts=tuple(parts))


@pytest.mark.parametrize("name", CERTIFICATES)
def test_every_tampered_step_is_rejected_where_it_is(name):
    certificate = CERTIFICATES[name]
    for i, j in places(certificate):
        step = certificate.parts[i].steps[j]
        changed = [
            replace(step, weight=step.weight + Fraction(1, 10**12)),
            replace(step, weight=step.weight * 2),
            replace(step, weight=-step.weight),
            replace(step, quantity="I(A;B;C)"),
            replace(step, quantity="nonsense"),
            replace(step, kind="given", index=17),
            None,
        ]
        for other in changed:
            outcome = check(with_step(certificate, i, j, other))
            assert not outcome.valid
            assert outcome.where.startswith((f"part {i + 1}", "certificate"))
            assert outcome.reason


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_for_another_statement_is_rejected(name):
    certificate = CERTIFICATES[name]
    for statement in ("I(A;B) >= H(A)", "H(A) == 0", "nonsense", CONTRADICTION):
        if statement != certificate.statement:
            assert not check(replace(certificate, statement=statement)).valid
    assert not check(replace(certificate, parts=())).valid


@pytest.mark.parametrize(
    ("name", "changes", "where", "reason"),
    [
        ("E2", {"diagram": "C->A, C->X, A->X, X->Z"}, "part 1, step 1", "not d-separated"),
        ("E2", {"diagram": None}, "part 1, step 1", "there is none"),
        ("E2", {"diagram": "A->Z"}, "certificate", "unknown variable 'C'"),
        ("V1", {"given": ()}, "part 2, step 2", "no given relation number 0"),
        ("V1", {"given": ("I(A;Z|S) == 0",)}, "part 2, step 2", "not what the given relation"),
        ("function", {"diagram": "X->Y, Z->Y"}, "part 1, step 2", "deterministic variables"),
        ("strict", {"given": ("I(A;B) >= 0",)}, "certificate", "no part proves H(A) > 0"),
        ("given", {"given": ("H(B) <= H(A)", "H(B) <= 3 H(C)")}, "part 1, step 1", "not what the given"),
        ("contradiction", {"given": ("H(A) >= 0", "H(A) <= 0")}, "certificate", "no part shows that 0 > 0"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 14 else "",
)
def test_changed_premises_are_rejected(name, changes, where, reason):
    outcome = check(replace(CERTIFICATES[name], **changes))
    assert not outcome
    assert outcome.where == where
    assert reason in outcome.reason
    assert str(outcome) == f"rejected at {where}: {outcome.reason}"


def one(statement, *steps, claim=None, diagram=None, given=()):
    relation = statement if statement == CONTRADICTION else statement.strip()
    return Certificate(statement, diagram, tuple(given), (Part(relation, claim or "0", tuple(steps)),))


def step(kind, weight, quantity, index=None):
    return Step(kind, Fraction(weight), quantity, index)


FORGED = {
    "negative-weight": one("-H(A) >= 0", step("shannon", -1, "H(A)"), claim="-H(A)"),
    "left-over": one("I(A;B) >= H(A)", step("shannon", 1, "I(A;B)"), claim="I(A;B) - H(A)"),
    "not-separated": one("-I(A;X) >= 0", step("independence", -1, "I(A;X)"), claim="-I(A;X)", diagram="A->X"),
    "collider": one(
        "-I(A;C|X) >= 0", step("independence", -1, "I(A;C|X)"), claim="-I(A;C|X)", diagram="A->X, C->X"
    ),
    "shared-variable": one(
        "-I(A,B;B|C) >= 0",
        step("independence", -1, "I(A,B;B|C)"),
        claim="-I(A,B;B|C)",
        diagram="A, B, C",
    ),
    "not-a-function": one("-H(X|A) >= 0", step("function", -1, "H(X|A)"), claim="-H(X|A)", diagram="A->X"),
    "function-of-one-parent": one(
        "-H(Y|X) >= 0", step("function", -1, "H(Y|X)"), claim="-H(Y|X)", diagram=XOR
    ),
    "other-given": one("-H(A) >= 0", step("given", -1, "H(A)", 0), claim="-H(A)", given=("H(B) == 0",)),
    "misquoted": one("-H(A) >= 0", step("given", -1, "H(B)", 0), claim="-H(A)", given=("H(A) == 0",)),
    "negative-index": one("-H(A) >= 0", step("given", -1, "H(A)", -1), claim="-H(A)", given=("H(A) == 0",)),
    "given-inequality-as-equality": one(
        "-H(A) >= 0", step("given", -1, "H(A)", 0), claim="-H(A)", given=("H(A) >= 0",)
    ),
    "co-information": one("I(A;B;C) >= 0", step("shannon", 1, "I(A;B;C)"), claim="I(A;B;C)"),
    "not-zhang-yeung": one(
        f"{ZHANG_YEUNG} - I(C;D) >= 0",
        step("zhang-yeung", 1, f"{ZHANG_YEUNG.replace('- 2', '- 3')}"),
        claim=f"{ZHANG_YEUNG} - I(C;D)",
    ),
    "another-claim": one("-H(A) >= 0", step("shannon", 1, "H(A)"), claim="H(A)"),
    "one-direction": one("H(A) == 0", step("shannon", 1, "H(A)"), claim="H(A)"),
    "weak-for-strict": one("H(A) > 0", step("shannon", 1, "H(A)"), claim="H(A)"),
    "strict-with-weight-zero": one(
        "H(A) > 0",
        step("shannon", 1, "H(A)"),
        step("given", 0, "H(B)", 0),
        claim="H(A)",
        given=("H(B) > 0",),
    ),
    "empty-contradiction": one(CONTRADICTION, claim="0"),
    "contradiction-of-something": one(
        CONTRADICTION, step("given", 1, "H(A)", 0), claim="H(A)", given=("H(A) > 0",)
    ),
}


def changed(**change):
    """A valid certificate whose only step is changed behind the back of its annotations."""
    valid = one("I(X;Y) >= 0", Step("shannon", Fraction(1), "I(X;Y)"), claim="I(X;Y)")
    [part] = valid.parts
    return replace(valid, parts=(replace(part, steps=(replace(part.steps[0], **change),)),))


INEXACT = {
    "float": changed(weight=1.0),
    "numpy-float": changed(weight=np.float64(1)),
    "bool": changed(weight=True),
    "text": changed(weight="1"),
    "index": changed(kind="given", index=0.0),
    "bool-index": changed(kind="given", index=False),
    "kind": changed(kind="obvious"),
    "quantity": changed(quantity=parse_term("I(X;Y)")),
}


@pytest.mark.parametrize("name", INEXACT)
def test_only_exact_types_pass_the_checker(name):
    assert check(changed()).valid
    outcome = check(INEXACT[name])
    assert not outcome.valid
    assert outcome.reason


def test_a_float_weight_proves_nothing_however_small():
    tiny = one(
        "I(X;Y) >= 1/1000000000000000000000000000000 H(X,Y)",
        Step("shannon", 1.0, "I(X;Y)"),
        claim="I(X;Y) - 1/1000000000000000000000000000000 H(X,Y)",
    )
    assert not check(tiny).valid


def test_json_that_is_nested_too_deep_is_refused():
    assert "nested" in check("[" * 100_000).reason


@pytest.mark.parametrize("name", FORGED)
def test_forged_certificates_are_rejected(name):
    outcome = check(FORGED[name])
    assert not outcome.valid
    assert outcome.reason


SOURCE = inspect.getsource(checker).replace(
    "from theory.diagrams import Diagram, closure, separated\n",
    "from collections.abc import Collection\nfrom theory.names import variable_names\n"
    "from theory.diagrams import Diagram, some_diagram\n"
    f"{inspect.getsource(closure)}\n{inspect.getsource(separated)}\n",
)
"""The checker with what it reads off a diagram, in one file."""

MUTANTS = {
    "sign": ("if step.weight < 0:", "if step.weight < 0 and step.weight > 0:"),
    "identity": ("    if left_over:\n", "    if left_over and not left_over:\n"),
    "separation": (
        "elif len(term.groups) != 2 or not separated(",
        "elif len(term.groups) != 2 and not separated(",
    ),
    "overlap": (
        "return not first & second and diagram.d_separated(first, second, fixed)",
        "return bool(first & second) or diagram.d_separated(first, second, fixed)",
    ),
    "function": ("if len(term.groups) != 1 or not closure(", "if len(term.groups) != 1 and not closure("),
    "parents": ("and closed.issuperset(diagram.parents(v))", "and closed & set(diagram.parents(v))"),
    "given": (
        "if parse_expression(step.quantity).entropies() != relation.gap.entropies():",
        "if step.index is None:",
    ),
    "index": ("not 0 <= step.index < len(given)", "not step.index < len(given)"),
    "given-operator": ('relation.operator == "==", relation.operator in', "True, relation.operator in"),
    "groups": ("if len(term.groups) > 2:", "if len(term.groups) > 3:"),
    "instance": (
        "if zhang_yeung(terms[0], terms[4]).entropies() != expression.entropies():",
        "if not terms:",
    ),
    "claim": ("if claim == gap]", "if claim]"),
    "direction": ("any(equality for equality, _ in above) or bool(above and below)", "bool(above or below)"),
    "strictness": ("return any(strict for _, strict in above)", "return bool(above)"),
    "strict-weight": ("strict or (is_strict and step.weight > 0)", "strict or is_strict"),
    "contradiction": ("if any(not claim and strict for claim", "if any(not claim or strict for claim"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutated_checker_is_found_out(name, tmp_path):
    """Each mutant accepts some forged certificate that the checker rejects."""
    before, after = MUTANTS[name]
    source = SOURCE
    assert source.count(before) == 1, f"the line to mutate is not there once: {before}"
    path = tmp_path / f"mutant_{name.replace('-', '_')}.py"
    path.write_text(source.replace(before, after), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    mutant = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = mutant
    try:
        spec.loader.exec_module(mutant)
        accepted = [forged for forged in FORGED if mutant.check(FORGED[forged]).valid]
        assert accepted
    finally:
        del sys.modules[path.stem]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "Expecting"),
        ([], "as a JSON object"),
        ({}, "expected a certificate of format"),
        ({"format": "theory-certificate-1"}, "expected a list under 'given'"),
        ({"format": "theory-certificate-1", "given": [], "parts": []}, "expected text under 'statement'"),
        ({"format": "theory-certificate-1", "given": [1], "parts": []}, "given statements must be text"),
        ({"format": "theory-certificate-1", "given": [], "diagram": 3}, "diagram must be text or null"),
        ({"format": "theory-certificate-1", "given": [], "parts": [3]}, "a part as a JSON object"),
    ],
    ids=["not-json", "list", "no-format", "no-given", "no-statement", "given", "diagram", "part"],
)
def test_malformed_certificates_are_refused(data, message):
    text = data if isinstance(data, str) else json.dumps(data)
    with pytest.raises(ValueError, match=message):
        Certificate.from_json(text)
    assert not check(text).valid


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "axiom"}, "kind must be one of"),
        ({"weight": "1/0"}, "weight must be a fraction"),
        ({"weight": "inf"}, "weight must be a fraction"),
        ({"weight": "1e999999999"}, "weight must be a fraction"),
        ({"weight": 1.5}, "expected text under 'weight'"),
        ({"index": "0"}, "index must be an integer"),
        ({"index": True}, "index must be an integer"),
    ],
    ids=["kind", "zero", "infinite", "huge", "float", "text-index", "bool-index"],
)
def test_malformed_steps_are_refused(changes, message):
    data = step("shannon", 1, "H(A)").to_dict()
    with pytest.raises(ValueError, match=message):
        Step.from_dict({**data, **changes})
