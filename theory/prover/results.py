"""The results of `prove`: proofs, refutations, unknowns, and witnesses of existential statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from theory.expressions import Expression, Relation, Statement
from theory.joints import Joint
from theory.prover.counterexample.exact import WeightedStates
from theory.prover.proof import readable
from theory.prover.proof.certificate import Certificate

__all__ = [
    "ContradictionError",
    "Impossible",
    "Proof",
    "Refutation",
    "Sides",
    "Unknown",
    "Witness",
    "sides_of",
]

_STATES_SHOWN = 64
"""A distribution is printed with at most so many states."""


class ContradictionError(ValueError):
    """The given statements contradict each other or the diagram, so that anything would follow.

    Args:
        message: What contradicts what.
        certificate: Shannon's inequalities add up to 0 > 0 under the given statements; `theory.check`
            verifies it.
    """

    def __init__(self, message: str, certificate: Certificate) -> None:
        super().__init__(message)
        self.certificate = certificate

    def __reduce__(self) -> tuple[type[ContradictionError], tuple[str, Certificate]]:
        """Both arguments, so that it reaches another process as it is."""
        return type(self), (str(self), self.certificate)


@dataclass(frozen=True, repr=False)
class _Result:
    statement: Statement
    seconds: float = field(compare=False)

    def _head(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,  # type: ignore[attr-defined]  # each has one
            "statement": str(self.statement),
            "seconds": self.seconds,
        }

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        first, *rest = str(self).splitlines()
        return readable.html(first, rest)


@dataclass(frozen=True, repr=False)
class Proof(_Result):
    """The statement follows from Shannon's inequalities, the diagram and the given statements.

    Args:
        statement: What was proved.
        seconds: Wall-clock time of the search and the exact check.
        certificate: The evidence, which `theory.check` has accepted.
    """

    certificate: Certificate
    verdict: Literal["proved"] = "proved"

    @property
    def steps(self) -> int:
        """The number of inequalities and facts used."""
        return sum(len(part.steps) for part in self.certificate.parts)

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy prove --json`."""
        return {**self._head(), "certificate": self.certificate.to_dict()}

    def __str__(self) -> str:
        return f"proved: {self.statement}\n{readable.text(self.certificate)}"

    def latex(self) -> str:
        """The proof as a LaTeX fragment."""
        return rf"\(\displaystyle {self.statement.latex()}\)" + "\n" + readable.latex(self.certificate)


class Sides(NamedTuple):
    """The two sides of a relation of some distribution, in nats."""

    relation: Relation
    left: float
    right: float


def sides_of(relations: Sequence[Relation], joint: Joint) -> tuple[Sides, ...]:
    """The two sides of each relation, exactly 0 where they are."""
    exact = WeightedStates.of(joint)

    def value(side: Expression) -> float:
        return joint.value(side) if exact.sign(side.entropies()) else 0.0

    return tuple(Sides(r, value(r.left), value(r.right)) for r in relations)


@dataclass(frozen=True, eq=False, repr=False)
class _Example(_Result):
    joint: Joint
    sides: tuple[Sides, ...]
    description: str

    def _table(self) -> str:
        shown = [i for i, k in enumerate(self.joint.probabilities.shape) if k > 1]
        names = [self.joint.names[i] for i in shown]
        constant = [n for i, n in enumerate(self.joint.names) if i not in shown]
        lines = ["  ".join([*names, "probability"])] if names else []
        states = np.argwhere(self.joint.probabilities != 0) if names else ()
        for state in states[:_STATES_SHOWN]:
            cells = [f"{state[i]:<{len(n)}}" for i, n in zip(shown, names, strict=True)]
            lines.append("  ".join([*cells, str(self.joint.probabilities[tuple(state)])]))
        if len(states) > _STATES_SHOWN:
            lines.append(f".. {len(states)} states in all")
        if constant:
            lines.append(f"constant: {', '.join(constant)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heading, *_ = str(self).splitlines()
        shown = [i for i, k in enumerate(self.joint.probabilities.shape) if k > 1]
        names = [self.joint.names[i] for i in shown]
        states = np.argwhere(self.joint.probabilities != 0)
        rows = [
            [*(str(state[i]) for i in shown), str(self.joint.probabilities[tuple(state)])]
            for state in states[:_STATES_SHOWN]
        ]
        more = [f".. {len(states)} states in all"] if len(states) > _STATES_SHOWN else []
        below = [*more, *self._sides().splitlines()]
        return readable.html_table(heading, self.description, [*names, "probability"], rows, below)

    def _sides(self) -> str:
        return "\n".join(
            f"{relation}: {left:.10g} against {right:.10g} nats" for relation, left, right in self.sides
        )

    def _counterexample(self) -> dict[str, Any]:
        table = self.joint.probabilities
        return {
            "variables": list(self.joint.names),
            "cardinalities": list(table.shape),
            "probabilities": [
                {"state": list(map(int, index)), "probability": str(table[index])}
                for index in np.ndindex(*table.shape)
                if table[index]
            ],
            "sides": [
                {"relation": str(relation), "left": left, "right": right}
                for relation, left, right in self.sides
            ],
            "unit": "nats",
            "description": self.description,
        }

    def latex(self) -> str:
        """The distribution as a LaTeX tabular."""
        table = self.joint.probabilities
        shown = [i for i, k in enumerate(table.shape) if k > 1]
        head = " & ".join([*(rf"\({self.joint.names[i]}\)" for i in shown), "probability"])
        rows = [
            " & ".join([*(str(index[i]) for i in shown), rf"\({table[index]}\)"]) + r" \\"
            for index in np.ndindex(*table.shape)
            if table[index]
        ]
        return "\n".join(
            [
                rf"\(\displaystyle {self.statement.latex()}\): {self.description}",
                r"\begin{tabular}{" + "c" * (len(shown) + 1) + "}",
                head + r" \\ \hline",
                *rows,
                r"\end{tabular}",
            ]
        )


@dataclass(frozen=True, eq=False, repr=False)
class Refutation(_Example):
    """A distribution on the diagram that satisfies the given statements and breaks the statement.

    Args:
        statement: What was refuted.
        seconds: Wall-clock time.
        joint: The distribution, exact; variables of the diagram that are not in it are constant.
        sides: Each broken relation with the values of its two sides in nats.
        description: What the distribution is, in one line.
    """

    verdict: Literal["refuted"] = "refuted"

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy prove --json`."""
        return {**self._head(), "counterexample": self._counterexample()}

    def __str__(self) -> str:
        return f"refuted: {self.statement}\n{self.description}\n{self._table()}\n{self._sides()}"


@dataclass(frozen=True, eq=False, repr=False)
class Witness(_Example):
    """A distribution on the diagram that satisfies an existential statement.

    Args:
        statement: What was shown to be possible.
        seconds: Wall-clock time.
        joint: The distribution, exact; variables of the diagram that are not in it are constant.
        sides: Each relation with the values of its two sides in nats.
        description: What the distribution is, in one line.
    """

    verdict: Literal["proved"] = "proved"

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy prove --json`, with the distribution under `witness`."""
        return {**self._head(), "witness": self._counterexample()}

    def __str__(self) -> str:
        return f"proved (exists): {self.statement}\n{self.description}\n{self._table()}\n{self._sides()}"


@dataclass(frozen=True, repr=False)
class Impossible(_Result):
    """An existential statement that no distribution on the diagram satisfies.

    Args:
        statement: What was shown to be impossible.
        seconds: Wall-clock time.
        certificate: Shannon's inequalities add up to 0 > 0 if the statement is given.
    """

    certificate: Certificate
    verdict: Literal["refuted"] = "refuted"

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy prove --json`."""
        return {**self._head(), "certificate": self.certificate.to_dict()}

    def __str__(self) -> str:
        return f"refuted (impossible): {self.statement}\n{readable.text(self.certificate)}"

    def latex(self) -> str:
        """The contradiction as a LaTeX fragment."""
        return rf"\(\displaystyle {self.statement.latex()}\)" + "\n" + readable.latex(self.certificate)


@dataclass(frozen=True, repr=False)
class Unknown(_Result):
    """Neither a proof nor a counterexample was found.

    Args:
        statement: What was asked.
        seconds: Wall-clock time.
        reason: Why it was neither proved nor refuted.
    """

    reason: str
    verdict: Literal["unknown"] = "unknown"

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy prove --json`, with the reason."""
        return {**self._head(), "reason": self.reason}

    def __str__(self) -> str:
        return f"unknown: {self.statement}\n{self.reason}"

    def latex(self) -> str:
        """The statement and the reason as a LaTeX fragment."""
        return rf"\(\displaystyle {self.statement.latex()}\): unknown. {self.reason}"
