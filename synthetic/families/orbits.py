"""Orbits: a finite group acts on class prototypes, `X = A . V . x_C`, possibly redrawn on its orbit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.modular_shift import draw
from synthetic.families.wrapping import predict_with
from synthetic.generator import AnswerKind, FiniteGenerator
from synthetic.groups import Action, FiniteGroup, cyclic, parse_group
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import distribution, integer, probability
from theory.predictions import OrbitForm
from theory.predictions.modular_shift import noise as noise_symbol
from theory.support import Support

__all__ = ["Orbits"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Orbits(FiniteGenerator):
    """A group acting on the points of some orbits, with classes, pose and noise.

    Orbit j is the set of cosets of `stabilisers[j]`; its base point is the coset of the identity. Class c is
    at `classes[c] = (orbit, position)`: its prototype x_c is the base point moved by the group element
    `position`. Without noise and pose I(A;C|X) = H(C|O), the class entropy left inside an orbit.

    Args:
        group: The group G, or its name; A is uniform on it.
        stabilisers: For each orbit a subgroup of G.
        classes: For each class its orbit and its position, a group element.
        prior: The probability of each class; None for a uniform class.
        pose: The distribution of V on G, one for all classes or one row for each; None for no pose, V = 1.
        noise: The probability that X is redrawn uniformly on its orbit.

    Raises:
        ValueError: If a stabiliser is not a subgroup, a class is at no orbit or position, or a distribution
            is not one.

    Example:
        >>> pair = Orbits(stabilisers=((0, 2),), classes=((0, 0), (0, 1)))
        >>> print(pair.predict("I(A;C|X)"), round(float(pair.exact("I(A;C|X)")), 6))
        log(2) 0.693147
    """

    family: ClassVar[str] = "orbits"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    group: FiniteGroup = field(default_factory=lambda: cyclic(4))
    stabilisers: tuple[tuple[int, ...], ...] = ((0,), (0, 2), (0, 1, 2, 3))
    classes: tuple[tuple[int, int], ...] = ((0, 0), (1, 0), (1, 1), (2, 0))
    prior: tuple[float, ...] | None = None
    pose: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        given: Any = self.group
        if isinstance(given, str):
            object.__setattr__(self, "group", parse_group(given))
        elif not isinstance(given, FiniteGroup):
            raise TypeError(f"group must be a FiniteGroup or its name, got {given!r}")
        if not len(self.stabilisers):
            raise ValueError("stabilisers must have one subgroup for each orbit, got none")
        subgroups = tuple(
            self.group.require_subgroup(k, argument=f"stabilisers[{j}]")
            for j, k in enumerate(self.stabilisers)
        )
        object.__setattr__(self, "stabilisers", subgroups)
        if not len(self.classes):
            raise ValueError("classes must have at least one class, got none")
        places = []
        for c, place in enumerate(self.classes):
            if len(tuple(place)) != 2:
                raise ValueError(f"classes[{c}] must be a pair (orbit, position), got {place!r}")
            orbit = integer(f"the orbit of classes[{c}]", place[0], 0, len(subgroups) - 1)
            position = integer(f"the position of classes[{c}]", place[1], 0, self.group.order - 1)
            places.append((orbit, position))
        object.__setattr__(self, "classes", tuple(places))
        probability("noise", self.noise)
        if self.prior is not None:
            object.__setattr__(self, "prior", distribution("prior", self.prior, len(places)))
        if self.pose is not None:
            object.__setattr__(self, "pose", self._checked_pose())

    def _checked_pose(self) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
        rows: Any = self.pose
        if not isinstance(rows, Sequence | np.ndarray) or isinstance(rows, str) or not len(rows):
            raise ValueError(
                f"pose must be {self.group.order} probabilities, or such a row for each class, got {rows!r}"
            )
        if np.ndim(np.asarray(rows[0])) == 0:
            return distribution("pose", rows, self.group.order)
        if len(rows) != len(self.classes):
            raise ValueError(
                f"pose must have one row for each of {len(self.classes)} classes, got {len(rows)}"
            )
        return tuple(distribution(f"pose[{c}]", row, self.group.order) for c, row in enumerate(rows))

    @cached_property
    def action(self) -> Action:
        """The group acting on the points of all orbits, numbered orbit by orbit."""
        tables, offset = [], 0
        for subgroup in self.stabilisers:
            tables.append(self.group.coset_action(subgroup).table + offset)
            offset += self.group.index(subgroup)
        return Action(self.group, np.hstack(tables))

    @cached_property
    def prototypes(self) -> Integers:
        """The point x_c of each class, of shape (classes,)."""
        starts = np.cumsum([0, *(self.group.index(k) for k in self.stabilisers)])
        return np.array([starts[o] + self.group.left_cosets(self.stabilisers[o])[g] for o, g in self.classes])

    @cached_property
    def orbit_of(self) -> Integers:
        """The orbit of each point, of shape (points,)."""
        return np.repeat(np.arange(len(self.stabilisers)), [self.group.index(k) for k in self.stabilisers])

    @property
    def _prior(self) -> npt.NDArray[np.float64]:
        m = len(self.classes)
        return np.full(m, 1 / m) if self.prior is None else np.asarray(self.prior)

    @cached_property
    def _poses(self) -> npt.NDArray[np.float64] | None:
        """p(V | C), of shape (classes, order)."""
        if self.pose is None:
            return None
        return np.broadcast_to(np.asarray(self.pose), (len(self.classes), self.group.order))

    @property
    def diagram(self) -> Diagram:
        """C, and the pose V if there is one, make the raw point R; A moves it to X."""
        arrow = "->" if self.noise else "=>"
        edges = ["C=>O", "C=>R"]
        if self.pose is not None:
            edges.append("V=>R")
            if np.ndim(np.asarray(self.pose)) == 2:
                edges.append("C->V")
        return Diagram.parse(", ".join([*edges, f"R{arrow}X", f"A{arrow}X"]), name="orbits")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Class C, orbit O, pose V if there is one, raw point R, transformation A and input X."""
        points, order = self.action.points, self.group.order
        pose = () if self.pose is None else (Variable("V", "discrete", order, "pose"),)
        return (
            Variable("C", "discrete", len(self.classes), "class"),
            Variable("O", "discrete", len(self.stabilisers)),
            *pose,
            Variable("R", "discrete", points, "raw"),
            Variable("A", "discrete", order, "transformation"),
            Variable("X", "discrete", points, "input"),
        )

    def enumerate(self) -> Support:
        """The states of all variables."""
        images, order = self.action.table, self.group.order
        support = Support.independent({"C": self._prior})
        support = support.function("O", len(self.stabilisers), lambda C: self.orbit_of[self.prototypes[C]])
        if self._poses is None:
            support = support.function("R", self.action.points, lambda C: self.prototypes[C])
        else:
            support = support.channel("V", ("C",), self._poses)
            support = support.function("R", self.action.points, lambda C, V: images[V, self.prototypes[C]])
        support = support.channel("A", (), np.full(order, 1 / order))
        if not self.noise:
            support = support.function("X", self.action.points, lambda A, R: images[A, R])
        else:
            support = support.function("Y", self.action.points, lambda A, R: images[A, R])
            same = self.orbit_of[:, None] == self.orbit_of  # (points, points)
            kernel = (1 - self.noise) * np.eye(len(same)) + self.noise * same / same.sum(
                axis=1, keepdims=True
            )
            support = support.channel("X", ("Y",), kernel)
        return support.select(tuple(v.name for v in self.variables))

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw C, V and A; the rest follows from them, and from the noise."""
        images = self.action.table
        c = draw(self._prior, n, streams["C"])
        result: dict[str, Integers] = {"C": c, "O": self.orbit_of[self.prototypes[c]]}
        r = self.prototypes[c]
        if self._poses is not None:
            edges = np.cumsum(self._poses, axis=1)
            u = streams["V"].random(n)
            v = np.zeros(n, dtype=np.int64)
            for k, row in enumerate(edges):
                mine = c == k
                v[mine] = np.searchsorted(row / row[-1], u[mine], side="right")
            result["V"] = v
            r = images[v, r]
        a = streams["A"].integers(self.group.order, size=n)
        x = images[a, r]
        sizes = np.bincount(self.orbit_of)
        starts = np.cumsum(sizes) - sizes
        redrawn = streams["noise"].random(n) < self.noise
        orbit = self.orbit_of[x]
        fresh = starts[orbit] + (streams["X"].random(n) * sizes[orbit]).astype(np.int64)
        return {**result, "R": r, "A": a, "X": np.where(redrawn, fresh, x)}

    @cached_property
    def _form(self) -> OrbitForm:
        pose: Any = self.pose
        return OrbitForm(
            self.action.table.tolist(),
            self.prototypes.tolist(),
            prior=self.prior,
            noise=noise_symbol if self.noise else 0,
            pose=pose,
        )

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form among A, C, O, V and X; it has the symbol `noise` where there is noise.

        Raises:
            NoExactAnswerError: If the expression names R, which has no closed form.
        """
        return predict_with(self._form, self, expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The value of the noise."""
        return {noise_symbol: sympy.Rational(str(self.noise))}

    def forced_information(self) -> float:
        """J = I(C;T) with T = p(A|X), in nats: what an optimal solver must know of the class."""
        return float(self._form.forced_information().subs(dict(self.symbols)).evalf())
