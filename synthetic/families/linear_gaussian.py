"""Linear Gaussian: C, S and A mixed into X by matrices; every term by log-determinants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.continuous import require_finite
from synthetic.generator import Answer, AnswerKind, Generator, NoExactAnswerError
from synthetic.seeds import Streams
from synthetic.variables import Role, Variable
from theory import Diagram, Expression, Term, parse_expression
from theory.checks import matrix, number, positive_definite
from theory.predictions import LinearGaussianForm

__all__ = ["LinearGaussian"]

Matrix = tuple[tuple[float, ...], ...]
Floats = npt.NDArray[np.float64]

_SOURCES: tuple[tuple[str, str, Role], ...] = (
    ("C", "class", "class"),
    ("S", "style", "style"),
    ("A", "transformation", "transformation"),
)
"""For each source its variable, its name in the parameters, and its role."""

_MAX_SYMBOLIC = 8
"""Closed forms are given up to so many dimensions: symbolic determinants grow fast."""

_a, _c, _s, _noise = sympy.symbols("a c s noise", positive=True)
"""The variances of A, C, S and the noise, where all are numbers."""

_SYMBOLS = {"C": _c, "S": _s, "A": _a}
"""The variance of each source."""


@dataclass(frozen=True)
class LinearGaussian(Generator):
    """X = class_map C + style_map S + transformation_map A + noise, all Gaussian with mean zero.

    Matrices are nested lists, tuples or arrays. Entropies are differential: they may be negative.

    Args:
        class_map: The matrix of C, of shape (dim X, dim C).
        style_map: The matrix of S, of shape (dim X, dim S); None for no style.
        transformation_map: The matrix of A, of shape (dim X, dim A).
        noise: The covariance of the noise, of shape (dim X, dim X), or one variance for all coordinates.
        class_covariance: The covariance of C; None for the identity.
        style_covariance: The covariance of S; None for the identity.
        transformation_covariance: The covariance of A; None for the identity.

    Raises:
        ValueError: If the shapes do not fit, or a covariance is not symmetric or is singular.

    Example:
        >>> world = LinearGaussian(style_map=None)
        >>> print(world.predict("I(A;C|X)").subs(world.symbols).simplify())
        -log(3)/2 + log(2)
        >>> round(float(world.exact("I(A;C|X)")), 6)
        0.143841
    """

    family: ClassVar[str] = "linear-gaussian"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "log-determinant")
    class_map: Matrix = ((1.0,),)
    style_map: Matrix | None = ((1.0,),)
    transformation_map: Matrix = ((1.0,),)
    noise: float | Matrix = 1.0
    class_covariance: Matrix | None = None
    style_covariance: Matrix | None = None
    transformation_covariance: Matrix | None = None

    def __post_init__(self) -> None:
        size = len(matrix("class_map", self.class_map))
        for _, name, _ in _SOURCES:
            values, spread = getattr(self, f"{name}_map"), getattr(self, f"{name}_covariance")
            if values is None and name == "style":
                if spread is not None:
                    raise ValueError("style_covariance needs a style_map, got None")
                continue
            checked = matrix(f"{name}_map", values, rows=size)
            object.__setattr__(self, f"{name}_map", checked)
            if spread is not None:
                covariance = positive_definite(f"{name}_covariance", spread, len(checked[0]))
                object.__setattr__(self, f"{name}_covariance", covariance)
        if isinstance(self.noise, (int, float, np.floating)):
            object.__setattr__(self, "noise", number("noise", self.noise, low=0, strict=True))
        else:
            object.__setattr__(self, "noise", positive_definite("noise", self.noise, size))

    @cached_property
    def _maps(self) -> dict[str, Floats]:
        found = {v: getattr(self, f"{name}_map") for v, name, _ in _SOURCES}
        return {v: np.asarray(m) for v, m in found.items() if m is not None}

    @cached_property
    def _covariances(self) -> dict[str, Floats]:
        given = {v: getattr(self, f"{name}_covariance") for v, name, _ in _SOURCES}
        return {
            v: np.eye(m.shape[1]) if given[v] is None else np.asarray(given[v]) for v, m in self._maps.items()
        }

    @cached_property
    def _floor(self) -> Floats:
        size = len(self.class_map)
        return np.eye(size) * self.noise if isinstance(self.noise, float) else np.asarray(self.noise)

    @property
    def diagram(self) -> Diagram:
        """C -> X <- A, and S -> X if there is a style."""
        return Diagram.parse(", ".join(f"{v}->X" for v in self._maps), name="linear Gaussian")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, S if there is a style, A and X, all continuous."""
        sources = (Variable(v, "continuous", None, role) for v, _, role in _SOURCES if v in self._maps)
        return (*sources, Variable("X", "continuous", None, "input"))

    @cached_property
    def covariance(self) -> tuple[dict[str, slice], Floats]:
        """The place of each variable, and the joint covariance of all."""
        places: dict[str, slice] = {}
        start = 0
        blocks = {**self._covariances, "X": self._floor}
        for v in (*self._maps, "X"):
            places[v] = slice(start, start + len(blocks[v]))
            start += len(blocks[v])
        joint = np.zeros((start, start))
        joint[places["X"], places["X"]] = self._floor
        for v, m in self._maps.items():
            joint[places[v], places[v]] = self._covariances[v]
            joint[places["X"], places[v]] = m @ self._covariances[v]
            joint[places[v], places["X"]] = joint[places["X"], places[v]].T
            joint[places["X"], places["X"]] += m @ self._covariances[v] @ m.T
        return places, joint

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the sources and the noise, and mix them."""
        size = len(self.class_map)
        x = _times(streams["X"].standard_normal((n, size)), np.linalg.cholesky(self._floor))
        found: dict[str, Floats] = {}
        for v, m in self._maps.items():
            root = np.linalg.cholesky(self._covariances[v])
            found[v] = _times(streams[v].standard_normal((n, m.shape[1])), root)  # (n, dim of v)
            x = x + _times(found[v], m)
        found["X"] = x
        return {v: column[:, 0] if column.shape[1] == 1 else column for v, column in found.items()}

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The value by log-determinants of the joint covariance, in nats; entropies are differential.

        Raises:
            ValueError: If a variable is unknown.
            NoExactAnswerError: If a term is infinite, such as I(X;X).
        """
        parsed = parse_expression(expression)
        places, joint = self.covariance
        require_finite(self.family, parsed, places, places)
        total = 0.0
        for subset, coefficient in parsed.entropies().items():
            index = np.concatenate([np.arange(joint.shape[0])[places[v]] for v in sorted(subset)])
            log_determinant = np.linalg.slogdet(joint[np.ix_(index, index)])[1]
            total += (
                float(coefficient) * 0.5 * (len(index) * math.log(2 * math.pi * math.e) + log_determinant)
            )
        return Answer(str(parsed), float(total), 0.0, "log-determinant")

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form: with the symbols `a`, `c`, `s`, `noise` where all is scalar, else a number.

        Raises:
            ValueError: If a variable is unknown.
            NoExactAnswerError: If a term is infinite, or X has more than 8 dimensions.
        """
        parsed = parse_expression(expression)
        names = (*self._maps, "X")
        require_finite(self.family, parsed, names, names)
        if max(len(self.class_map), *(m.shape[1] for m in self._maps.values())) > _MAX_SYMBOLIC:
            raise NoExactAnswerError(
                f"linear-gaussian has closed forms up to {_MAX_SYMBOLIC} dimensions; exact(..) has no limit"
            )
        return self._form.predict(parsed)

    @property
    def _scalar(self) -> bool:
        return len(self.class_map) == 1 and all(m.shape[1] == 1 for m in self._maps.values())

    @cached_property
    def _form(self) -> LinearGaussianForm:
        covariances: dict[str, Any] = dict(self._covariances)
        floor: Any = self._floor
        if self._scalar:
            covariances = {v: sympy.Matrix([[_SYMBOLS[v]]]) for v in self._maps}
            floor = sympy.Matrix([[_noise]])
        return LinearGaussianForm(self._maps, covariances, floor)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The variances of the sources and of the noise, where all is scalar."""
        if not self._scalar:
            return {}
        values = {_SYMBOLS[v]: s[0, 0] for v, s in self._covariances.items()} | {_noise: self._floor[0, 0]}
        return {symbol: sympy.Rational(repr(float(value))) for symbol, value in values.items()}


def _times(rows: Floats, m: npt.NDArray[np.floating[Any]]) -> Floats:
    """Each row times a matrix, bit for bit the same for any number of rows (which BLAS does not promise)."""
    return np.asarray(np.einsum("ni,di->nd", rows, m))
