"""The exact checker of certificates: small, and apart from the search that finds them.

It reads a certificate's text with the public parser, recomputes every quantity as a combination of joint
entropies in exact rationals, re-derives every independence by d-separation on the diagram, and compares
both sides of the identity. Nothing is taken over from the search.

Example:
    >>> from theory import check, prove
    >>> certificate = prove("I(A;Z|C) >= I(A;Z)", diagram="A->X, C->X, X->Z").certificate
    >>> check(certificate).valid
    True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, cast, get_args

from theory.diagrams import Diagram, closure, separated
from theory.expressions import Entropies, Expression, Relation, Statement, Term
from theory.parser import parse_expression, parse_statement, parse_term
from theory.prover.proof.certificate import Certificate, Part, Step, StepKind
from theory.prover.proof.copy_checks import Copies

__all__ = ["CONTRADICTION", "CheckResult", "check", "zhang_yeung"]

CONTRADICTION = "contradiction"
"""The `statement` of a certificate that shows its given statements to be contradictory."""


@dataclass(frozen=True)
class CheckResult:
    """Whether a certificate is valid, and if not, where its first fault is.

    Args:
        valid: Whether the certificate proves its statement.
        where: The place of the first fault, for instance `part 1, step 2`; empty if there is none.
        reason: What is wrong there; empty if nothing is.
    """

    valid: bool
    where: str = ""
    reason: str = ""

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        return "valid" if self.valid else f"rejected at {self.where}: {self.reason}"


class Certified(Protocol):
    """A result that has a certificate: a `Proof`, an `Impossible` or a `ContradictionError`."""

    @property
    def certificate(self) -> Certificate:
        """The evidence."""


class _FaultError(Exception):
    def __init__(self, where: str, reason: str) -> None:
        super().__init__(reason)
        self.where = where
        self.reason = reason


def zhang_yeung(a: Term, c: Term) -> Expression:
    """I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) - 2 I(C;D), all given K (Zhang and Yeung 1998).

    Args:
        a: I(A;B|K).
        c: I(C;D|K,..); only its two sides are read.
    """
    first, second = a.groups
    third, fourth = c.groups
    k = a.given

    def term(x: tuple[str, ...], y: tuple[str, ...], *more: str) -> Term:
        return Term((x, y), tuple(dict.fromkeys((*more, *k))))

    both = tuple(dict.fromkeys((*third, *fourth)))
    return Expression(
        (
            (Fraction(1), a),
            (Fraction(1), term(first, both)),
            (Fraction(3), term(third, fourth, *first)),
            (Fraction(1), term(third, fourth, *second)),
            (Fraction(-2), term(third, fourth)),
        )
    )


def _add(total: dict[frozenset[str], Fraction], entropies: Entropies, weight: Fraction) -> None:
    for subset, coefficient in entropies.items():
        total[subset] = total.get(subset, Fraction(0)) + weight * coefficient


def _step(
    step: Step, where: str, diagram: Diagram | None, given: list[Relation], copies: Copies
) -> tuple[Entropies, bool, bool]:
    """The step's quantity, whether it is an equality (any weight), and whether it is strict."""
    if type(step.weight) not in (Fraction, int):
        raise _FaultError(where, f"a weight must be an exact fraction, got {step.weight!r}")
    if step.index is not None and type(step.index) is not int:
        raise _FaultError(where, f"an index must be an integer, got {step.index!r}")
    if step.kind not in get_args(StepKind):
        raise _FaultError(
            where, f"a step's kind must be one of {', '.join(get_args(StepKind))}, got {step.kind!r}"
        )
    if step.kind == "given":
        if step.index is None or not 0 <= step.index < len(given):
            raise _FaultError(where, f"there is no given relation number {step.index}")
        relation = given[step.index]
        if parse_expression(step.quantity).entropies() != relation.gap.entropies():
            raise _FaultError(where, f"{step.quantity} is not what the given relation {relation} is about")
        return relation.gap.entropies(), relation.operator == "==", relation.operator in (">", "<")
    if step.kind == "zhang-yeung":
        expression = parse_expression(step.quantity)
        terms = [term for _, term in expression.summands]
        if len(terms) != 5 or len(terms[0].groups) != 2 or len(terms[4].groups) != 2:
            raise _FaultError(
                where, f"{step.quantity} is not written as an instance of Zhang and Yeung's inequality"
            )
        if zhang_yeung(terms[0], terms[4]).entropies() != expression.entropies():
            raise _FaultError(where, f"{step.quantity} is not an instance of Zhang and Yeung's inequality")
        return expression.entropies(), False, False
    if step.kind == "copy":
        expression = parse_expression(step.quantity)
        copies.require_same_law(expression, step.index)
        return expression.entropies(), True, False
    term = parse_term(step.quantity)
    if step.kind == "copy-independence":
        copies.require_independent(term, step.index)
        return term.entropies(), True, False
    if len(term.groups) > 2:
        raise _FaultError(where, f"{term} is not an entropy or a mutual information of two groups")
    if step.kind == "shannon":
        return term.entropies(), False, False
    if diagram is None:
        raise _FaultError(where, f"{term} == 0 is said to follow from a diagram, and there is none")
    diagram.require(*term.variables)
    left, right = set(term.groups[0]), set(term.groups[-1])
    if step.kind == "function":
        if len(term.groups) != 1 or not closure(diagram, set(term.given)) >= left:
            raise _FaultError(
                where, f"{term} == 0 does not follow from the diagram's deterministic variables"
            )
    elif len(term.groups) != 2 or not separated(diagram, left, right, set(term.given)):
        raise _FaultError(where, f"{term} == 0 does not follow: the two are not d-separated")
    return term.entropies(), True, False


def _part(
    part: Part, name: str, diagram: Diagram | None, given: list[Relation], known: set[str]
) -> tuple[Entropies, bool, bool]:
    """What the part proves `>= 0`, whether it is `== 0`, and whether it is `> 0`."""
    claim = parse_expression(part.claim).entropies()
    copies = Copies.checked(part.copies, known)
    rest: dict[frozenset[str], Fraction] = dict(claim)
    equality, strict = True, False
    for number, step in enumerate(part.steps, start=1):
        where = f"{name}, step {number}"
        try:
            quantity, is_equality, is_strict = _step(step, where, diagram, given, copies)
        except ValueError as error:
            raise _FaultError(where, str(error)) from None
        if not is_equality:
            if step.weight < 0:
                raise _FaultError(
                    where, f"the inequality {step.quantity} has the negative weight {step.weight}"
                )
            equality = equality and not step.weight
            strict = strict or (is_strict and step.weight > 0)
        _add(rest, quantity, -step.weight)
    left_over = {subset: c for subset, c in rest.items() if c}
    if left_over:
        subset, c = min(left_over.items(), key=lambda item: (len(item[0]), sorted(item[0])))
        raise _FaultError(
            name, f"the steps do not add up to the claim: {c} H({','.join(sorted(subset))}) is left over"
        )
    return claim, equality, strict


def _covers(relation: Relation, proved: list[tuple[Entropies, bool, bool]]) -> bool:
    gap, opposite = relation.gap.entropies(), (-relation.gap).entropies()
    above = [(e, s) for claim, e, s in proved if claim == gap]
    below = [e for claim, e, _ in proved if claim == opposite]
    if relation.operator in (">", "<"):
        return any(strict for _, strict in above)
    if relation.operator == "==":
        return any(equality for equality, _ in above) or bool(above and below)
    return bool(above)


def _require_text(certificate: Certificate) -> None:
    """Refuse certificates made in Python whose texts are no plain strings.

    Raises:
        TypeError: If one is not.
    """
    texts = [certificate.statement, *certificate.given]
    texts += [] if certificate.diagram is None else [certificate.diagram]
    for part in certificate.parts:
        texts += [part.relation, part.claim, *(step.quantity for step in part.steps)]
    for text in texts:
        if type(text) is not str:
            raise TypeError(f"a certificate holds its statements as text, got {text!r}")


def _held(evidence: Certified | Mapping[str, Any]) -> Certificate:
    """The certificate of a result, or the one that plain data tell."""
    found = getattr(evidence, "certificate", None)
    if isinstance(found, Certificate):
        return found
    if hasattr(evidence, "verdict"):
        raise TypeError(
            f"a result with the verdict {evidence.verdict!r} has no certificate: only what is proved, or "
            "shown to be impossible, has one"
        )
    return Certificate.from_dict(cast(Mapping[str, Any], evidence))


def check(certificate: Certificate | Certified | Mapping[str, Any] | str) -> CheckResult:
    """Check a certificate in exact rational arithmetic.

    For every part, claim = sum of weight times quantity must hold as an identity between joint entropies;
    inequalities must have non-negative weights; independences must follow by d-separation, functions from
    the deterministic variables, given relations must be among the given; copies must have new names, and
    their facts must be what the copy lemma says; and the claims must be what the statement's relations need.

    Args:
        certificate: A `Certificate`, its plain data, its JSON text, or a result that has one, such as a
            `Proof`.

    Returns:
        A `CheckResult`, true when the certificate is valid; otherwise it says where the first fault is.
    """
    try:
        if isinstance(certificate, str):
            certificate = Certificate.from_json(certificate)
        elif not isinstance(certificate, Certificate):
            certificate = _held(certificate)
        _require_text(certificate)
        diagram = None if certificate.diagram is None else Diagram.parse(certificate.diagram)
        given = [relation for text in certificate.given for relation in parse_statement(text)]
        relations: tuple[Relation, ...] = ()
        if certificate.statement != CONTRADICTION:
            relations = parse_statement(certificate.statement).relations
        if diagram is not None:
            diagram.require(*Statement(relations).variables if relations else ())
    except (AttributeError, TypeError, ValueError) as error:
        return CheckResult(False, "certificate", str(error))
    known = {v for relation in (*relations, *given) for v in relation.variables}
    known |= set() if diagram is None else set(diagram.variables)
    proved: dict[str, list[tuple[Entropies, bool, bool]]] = {}
    try:
        for number, part in enumerate(certificate.parts, start=1):
            try:
                outcome = _part(part, f"part {number}", diagram, given, known)
            except ValueError as error:
                raise _FaultError(f"part {number}", str(error)) from None
            proved.setdefault(part.relation, []).append(outcome)
    except _FaultError as fault:
        return CheckResult(False, fault.where, fault.reason)
    if certificate.statement == CONTRADICTION:
        if any(not claim and strict for claim, _, strict in proved.get(CONTRADICTION, [])):
            return CheckResult(True)
        return CheckResult(False, "certificate", "no part shows that 0 > 0")
    for relation in relations:
        if not _covers(relation, proved.get(str(relation), [])):
            return CheckResult(False, "certificate", f"no part proves {relation}")
    return CheckResult(True)
