"""Certificates: proofs as plain data that saves to JSON.

For each relation of the statement a `Part` writes its gap as

    gap = sum_i w_i inequality_i + sum_j v_j fact_j,    w_i >= 0,

where an inequality is a conditional entropy or mutual information (non-negative by Shannon), an instance
of Zhang and Yeung's, or a given `>=`, and a fact is zero: an independence by d-separation, a function by
the diagram, or a given `==`. A part may also make copies of variables (`Copy`), whose facts are zero too.
`theory.check` verifies such an identity in exact rationals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, cast, get_args

from theory.errors import TooLargeError, shown
from theory.expressions import Term
from theory.json_text import read_json
from theory.parser import parse_expression, parse_term

__all__ = ["Certificate", "Copy", "Part", "Step", "StepKind"]

StepKind = Literal["shannon", "zhang-yeung", "given", "independence", "function", "copy", "copy-independence"]
"""Why a step of a proof holds."""

_FORMAT = "theory-certificate-1"
"""The name and version of the JSON format, which every certificate begins with."""

_MOST_CHARACTERS = 2**25
"""The most characters of a certificate's text: reading it takes about ten times as many bytes."""

_WEIGHT = re.compile(r"-?\d{1,4000}(/0*[1-9]\d{0,3999})?\Z", re.ASCII)
"""An integer or a fraction of at most 4000 digits each, whose denominator is not zero."""


@dataclass(frozen=True)
class Step:
    """One inequality or fact with its weight.

    Args:
        kind: `shannon` and `zhang-yeung` are inequalities; `independence`, `function`, `copy` (a copy has the
            entropies of what it is a copy of) and `copy-independence` are facts. `given` is a fact where the
            given relation is an equality, else an inequality.
        weight: Its multiple; never negative for an inequality.
        quantity: The quantity that is non-negative or zero, as text, for instance `I(A;X|Z)`.
        index: For `given`, the number of the relation among all given relations, from 0; for the facts of a
            copy, the number of the copy in its part.
    """

    kind: StepKind
    weight: Fraction
    quantity: str
    index: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The step as plain data."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "weight": str(self.weight),
            "quantity": self.quantity,
        }
        return data if self.index is None else {**data, "index": self.index}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """The step that `to_dict` wrote.

        Raises:
            ValueError: If a key is missing or a value malformed.
        """
        kind = _text(data, "kind")
        if kind not in get_args(StepKind):
            raise ValueError(f"a step's kind must be one of {get_args(StepKind)}, got {kind!r}")
        index = data.get("index")
        if index is not None and (not isinstance(index, int) or isinstance(index, bool)):
            raise ValueError(f"a step's index must be an integer, got {index!r}")
        text = _text(data, "weight")
        if not _WEIGHT.match(text):
            raise ValueError(f"a step's weight must be a fraction such as '3/2', got {text[:60]!r}")
        return cls(cast(StepKind, kind), Fraction(text), _text(data, "quantity"), index)


@dataclass(frozen=True)
class Copy:
    """New variables: `names` given `over` are distributed as `copied` given `over`, independent of all else.

    Args:
        copied: The variables that are copied.
        over: The variables given which the copy is drawn.
        names: A new name for each of `copied`.
    """

    copied: tuple[str, ...]
    over: tuple[str, ...]
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The copy as plain data."""
        return {"copied": list(self.copied), "over": list(self.over), "names": list(self.names)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Copy:
        """The copy that `to_dict` wrote.

        Raises:
            ValueError: If a key is missing or a value malformed.
        """
        groups = [_list(data, key) for key in ("copied", "over", "names")]
        for name in (name for group in groups for name in group):
            if not isinstance(name, str):
                raise ValueError(f"a copy's variables must be text, got {name!r}")
        copied, over, names = map(tuple, groups)
        return cls(copied, over, names)

    def __str__(self) -> str:
        over = f" over {', '.join(self.over)}" if self.over else ""
        return f"{', '.join(self.names)} of {', '.join(self.copied)}{over}"


@dataclass(frozen=True)
class Part:
    """The certificate of one relation.

    Args:
        relation: The relation, as text.
        claim: The sum of the steps, as text: the quantity that is shown to be non-negative, or zero where
            no inequality is used.
        steps: The inequalities and facts.
        copies: The copies of variables that the steps speak of, in the order in which they are made.
    """

    relation: str
    claim: str
    steps: tuple[Step, ...]
    copies: tuple[Copy, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The part as plain data."""
        copies = {"copies": [copy.to_dict() for copy in self.copies]} if self.copies else {}
        return {
            "relation": self.relation,
            "claim": self.claim,
            **copies,
            "steps": [step.to_dict() for step in self.steps],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Part:
        """The part that `to_dict` wrote.

        Raises:
            ValueError: If a key is missing or a value malformed.
        """
        steps = tuple(Step.from_dict(_mapping(step, "a step")) for step in _list(data, "steps"))
        listed = _list(data, "copies") if "copies" in data else []
        copies = tuple(Copy.from_dict(_mapping(copy, "a copy")) for copy in listed)
        return cls(_text(data, "relation"), _text(data, "claim"), steps, copies)


@dataclass(frozen=True)
class Certificate:
    """A proof as data.

    Args:
        statement: The statement, as text. For a contradiction it is `0 > 0`.
        diagram: The diagram as text, or None.
        given: The given statements, as text.
        parts: One for each relation, two for an equality that needs inequalities.
    """

    statement: str
    diagram: str | None
    given: tuple[str, ...]
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """The certificate as plain data."""
        return {
            "format": _FORMAT,
            "statement": self.statement,
            "diagram": self.diagram,
            "given": list(self.given),
            "parts": [part.to_dict() for part in self.parts],
        }

    def elemental(self) -> Certificate:
        """The same proof with every Shannon inequality split into elemental ones by the chain rule.

        Over the variables V of a part these are H(x|V - x) >= 0 and I(x;y|K) >= 0 for single x and y;
        every entropy and mutual information is a sum of them (Yeung 2008, section 14.1).
        """
        return replace(self, parts=tuple(_split(part) for part in self.parts))

    def to_json(self) -> str:
        """The certificate as JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """The certificate that `to_json` wrote.

        Raises:
            ValueError: If it is not JSON or too long, a key is missing or a value malformed.
        """
        if len(text) > _MOST_CHARACTERS:
            raise TooLargeError(
                f"a certificate may have {_MOST_CHARACTERS:,} characters, got {len(text):,}: those of this "
                f"prover have some thousands"
            )
        return cls.from_dict(read_json(text, "a certificate"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Certificate:
        """The certificate that `to_dict` wrote.

        Raises:
            ValueError: If a key is missing or a value malformed.
        """
        data = _mapping(data, "a certificate")
        if data.get("format") != _FORMAT:
            inside = "; pass what it holds under 'certificate'" if "certificate" in data else ""
            raise ValueError(
                f"expected a certificate of format {_FORMAT!r}, got {shown(data.get('format'))}{inside}"
            )
        diagram = data.get("diagram")
        if diagram is not None and not isinstance(diagram, str):
            raise ValueError(f"a certificate's diagram must be text or null, got {shown(diagram)}")
        given = _list(data, "given")
        if not all(isinstance(text, str) for text in given):
            raise ValueError(f"a certificate's given statements must be text, got {shown(given)}")
        parts = tuple(Part.from_dict(_mapping(part, "a part")) for part in _list(data, "parts"))
        return cls(_text(data, "statement"), diagram, tuple(given), parts)


def _split(part: Part) -> Part:
    quantities = [step.quantity for step in part.steps]
    names = tuple(dict.fromkeys(v for q in (*quantities, part.claim) for v in parse_expression(q).variables))
    weights: dict[tuple[StepKind, str, int | None], Fraction] = {}
    for step in part.steps:
        terms = [step.quantity]
        if step.kind == "shannon":
            terms = [str(term) for term in _elemental(parse_term(step.quantity), names)]
        for quantity in terms:
            key = (step.kind, quantity, step.index)
            weights[key] = weights.get(key, Fraction(0)) + step.weight
    steps = (Step(kind, weight, quantity, index) for (kind, quantity, index), weight in weights.items())
    return replace(part, steps=tuple(steps))


def _elemental(term: Term, names: tuple[str, ...]) -> list[Term]:
    """Elemental quantities over `names` that add up to an entropy or a mutual information."""

    def ordered(some: Iterable[str]) -> tuple[str, ...]:
        chosen = set(some)
        return tuple(v for v in names if v in chosen)

    def entropy(x: str, given: set[str]) -> list[Term]:
        known, terms = set(given), []
        for y in names:
            if y != x and y not in known:
                terms.append(Term((ordered({min(x, y)}), ordered({max(x, y)})), ordered(known)))
                known.add(y)
        return [*terms, Term(((x,),), ordered(known))]

    given = set(term.given)
    left, right = ([v for v in group if v not in given] for group in (term.groups[0], term.groups[-1]))
    result: list[Term] = []
    for x in [v for v in left if v in right]:
        result += entropy(x, given)
        given.add(x)
    left, right = ([v for v in side if v not in given] for side in (left, right))
    for i, x in enumerate(left):
        for j, y in enumerate(right):
            pair = ((min(x, y),), (max(x, y),))
            result.append(Term(pair, ordered(given | set(left[:i]) | set(right[:j]))))
    return result


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected {what} as a JSON object, got {shown(value)}")
    return value


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"expected text under {key!r}, got {shown(value)}")
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise ValueError(f"expected a list under {key!r}, got {shown(value)}")
    return value
