r"""Orbits: a finite group acts on class prototypes, `X = A . V . x_C`.

A finite group G acts on points, class c has the prototype x_c with stabiliser K_c, and O is the orbit that
x_C lies in. A is uniform on G. Without pose and noise (V = 1):

    H(A|X,C) = E log |K_C|,    H(A|X) = E log |K_C| + H(C|O),    I(A;C|X) = H(C|O).

*Proof.* Given C = c, X = A x_c shows A up to the coset A K_c, uniformly, which is the first equation. Given
X alone the class is still distributed as given O, because A is uniform and so X is uniform on its orbit
whatever the class in it; the cosets that belong to two classes of one orbit (prototypes x_c != x_d) are
disjoint, because no element moves both to the same point. So A shows C, and H(A|X) = H(A|X,C) + H(C|X). qed

With an intrinsic pose V, drawn from a distribution on G that may depend on the class, and with noise that
redraws X uniformly on its orbit with probability e, let q_c be the distribution of the point V x_c after
that redraw. Since A is uniform and acts by bijections,

    H(X|A,C) = E H(q_C),    H(X|A) = H(E q_C),    H(X|C) = E log |G x_C|,    H(X) = H(O) + E log |G x_C|.

**Forced class information.** The posterior of A at the point x of an orbit is a -> q_O(a^-1 x), normalised,
where q_O is the mixture of the q_c in the orbit. Two orbits have the same *pattern* when their sets of
posteriors agree; otherwise these sets are disjoint. Given C, the posterior is uniform on the set of its
orbit's pattern, so that T = p(A|X) tells about C exactly the pattern: J = I(C;T) = H(pattern(O)).

The group comes as plain data: `action[g][x]` is the point g.x, one row for each group element.

Example:
    >>> turns = [[0, 1], [1, 0], [0, 1], [1, 0]]  # four quarter turns, acting on 6 and 9 by half-turns
    >>> six_and_nine = OrbitForm(turns, [0, 1])
    >>> print(six_and_nine.predict("I(A;C|X)"), six_and_nine.predict("H(A|X,C)"))
    log(2) log(2)
    >>> six_and_nine.forced_information()
    0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import sympy

from theory.predictions.closed_form import (
    ClosedForm,
    Number,
    as_prior,
    as_probability,
    entropy_of_states,
)

__all__ = ["OrbitForm", "check_action"]


class OrbitForm(ClosedForm):
    """Closed forms of the orbit family.

    Args:
        action: The images of the points, `action[g][x]` = g.x, shape (order of G, points).
        prototypes: The point of each class, shape (classes,).
        prior: The distribution of C, numbers or symbols; None for uniform.
        noise: The probability that X is redrawn uniformly on its orbit, a number or a symbol.
        pose: The distribution of V on G: one row for all classes, shape (order,), or one for each,
            shape (classes, order), numbers or symbols; None for no pose, V = 1.

    Raises:
        ValueError: If the action's rows are not permutations closed under composition, a prototype is not
            a point, or a distribution is not one.
    """

    variables: tuple[str, ...] = ("A", "C", "O", "X")

    def __init__(
        self,
        action: Sequence[Sequence[int]],
        prototypes: Sequence[int],
        *,
        prior: Sequence[Number] | None = None,
        noise: Number = 0,
        pose: Sequence[Number] | Sequence[Sequence[Number]] | None = None,
    ) -> None:
        self.action = check_action(action)
        self.prototypes = tuple(int(x) for x in prototypes)
        points = len(self.action[0])
        if not self.prototypes or not all(0 <= x < points for x in self.prototypes):
            raise ValueError(f"prototypes must be points 0..{points - 1}, got {self.prototypes}")
        self.order = len(self.action)
        self.prior = as_prior(prior, len(self.prototypes), "prior")
        self.noise = as_probability(noise, "noise")
        self._pose = _poses(pose, len(self.prototypes), self.order)
        if self._pose is not None:
            self.variables = ("A", "C", "O", "V", "X")
        self.orbit_of = _orbits(self.action)
        sizes = [self.orbit_of.count(o) for o in self.orbit_of]
        self._orbit_sizes = [sizes[x] for x in self.prototypes]
        self._known: dict[frozenset[str], sympy.Expr] = {}

    @property
    def stabilisers(self) -> tuple[tuple[int, ...], ...]:
        """For each class the elements that leave its prototype where it is."""
        return tuple(tuple(g for g, row in enumerate(self.action) if row[x] == x) for x in self.prototypes)

    @property
    def class_orbits(self) -> tuple[int, ...]:
        """The number of the orbit of each class."""
        return tuple(self.orbit_of[x] for x in self.prototypes)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        if variables not in self._known:
            self._known[variables] = self._entropy(variables)
        return self._known[variables]

    def _entropy(self, names: frozenset[str]) -> sympy.Expr:
        total = sympy.Integer(0)
        if "A" in names:
            total += sympy.log(self.order)
        elif "X" in names:
            sizes = zip(self.prior, self._orbit_sizes, strict=True)
            total += sympy.Add(*(p * sympy.log(m) for p, m in sizes))
            names = (names - {"X"}) | {"O"}
        masses: dict[tuple[int, ...], list[sympy.Expr]] = {}
        for c, v, point, probability in self._arrivals("X" in names):
            state = {"C": c, "O": self.orbit_of[self.prototypes[c]], "V": v, "X": point}
            key = tuple(state[name] for name in sorted(names - {"A"}))
            masses.setdefault(key, []).append(probability)
        return total + entropy_of_states([sympy.Add(*parts) for parts in masses.values()])

    def _arrivals(self, with_points: bool) -> Iterable[tuple[int, int, int, sympy.Expr]]:
        """Class, pose, point before A acts, and their probability."""
        for c, (prototype, p) in enumerate(zip(self.prototypes, self.prior, strict=True)):
            orbit = [x for x, o in enumerate(self.orbit_of) if o == self.orbit_of[prototype]]
            for v, weight in self._poses_of(c):
                if not with_points:
                    yield c, v, -1, p * weight
                    continue
                start = prototype if v < 0 else self.action[v][prototype]
                for x in orbit:
                    q = self.noise / len(orbit) + ((1 - self.noise) if x == start else 0)
                    if q != 0:
                        yield c, v, x, p * weight * q

    def _poses_of(self, c: int) -> Iterable[tuple[int, sympy.Expr]]:
        if self._pose is None:
            return [(-1, sympy.Integer(1))]
        return [(v, weight) for v, weight in enumerate(self._pose[c]) if weight != 0]

    def patterns(self) -> dict[int, int]:
        """The number of the pattern of each orbit that a class lies in.

        Posteriors with symbols are compared as expressions, so the result holds for almost all values.
        """
        mass: dict[int, sympy.Expr] = {}
        for _, _, x, probability in self._arrivals(True):
            mass[x] = mass.get(x, sympy.Integer(0)) + probability
        pattern_of: dict[frozenset[tuple[sympy.Expr, ...]], int] = {}
        numbers: dict[int, int] = {}
        for orbit in dict.fromkeys(self.class_orbits):
            points = [x for x, o in enumerate(self.orbit_of) if o == orbit]
            total = sympy.Add(*(mass.get(x, sympy.Integer(0)) for x in points)) * self.order / len(points)
            share = {x: sympy.cancel(mass.get(x, sympy.Integer(0)) / total) for x in points}
            undone = [[row.index(x) for row in self.action] for x in points]  # a^-1 x for each a
            posteriors = frozenset(tuple(share[y] for y in images) for images in undone)
            numbers[orbit] = pattern_of.setdefault(posteriors, len(pattern_of))
        return numbers

    def forced_information(self) -> sympy.Expr:
        """J = I(C;T) with T = p(A|X), the entropy of the pattern of the class's orbit, in nats."""
        patterns = self.patterns()
        masses: dict[int, sympy.Expr] = {}
        for p, orbit in zip(self.prior, self.class_orbits, strict=True):
            masses[patterns[orbit]] = masses.get(patterns[orbit], sympy.Integer(0)) + p
        return entropy_of_states(list(masses.values()))


def check_action(action: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The rows as tuples, if they are the images of a group.

    Raises:
        ValueError: If a row is not a permutation of the points, the rows are not closed under
            composition, or some appear more often than others.
    """
    rows = tuple(tuple(int(x) for x in row) for row in action)
    if not rows or not rows[0]:
        raise ValueError("an action needs at least one element and one point, got none")
    points = list(range(len(rows[0])))
    for g, row in enumerate(rows):
        if sorted(row) != points:
            raise ValueError(f"action[{g}] must be a permutation of 0..{len(points) - 1}, got {list(row)}")
    counts = Counter(rows)
    table = np.array(list(counts))  # (distinct permutations, points)
    for second in counts:
        for first, product in zip(counts, np.array(second)[table].tolist(), strict=True):
            if tuple(product) not in counts:
                raise ValueError(
                    f"the action must be closed under composition: {second} after {first} is missing"
                )
    if len(set(counts.values())) > 1:
        raise ValueError("each permutation of an action must come from equally many group elements")
    return rows


def _orbits(action: tuple[tuple[int, ...], ...]) -> list[int]:
    smallest = [min(row[x] for row in action) for x in range(len(action[0]))]
    numbers = {x: i for i, x in enumerate(sorted(set(smallest)))}
    return [numbers[x] for x in smallest]


def _poses(
    pose: Sequence[Number] | Sequence[Sequence[Number]] | None, classes: int, order: int
) -> tuple[tuple[sympy.Expr, ...], ...] | None:
    if pose is None:
        return None
    rows = [cast(Sequence[Number], row) for row in pose if hasattr(row, "__len__")]
    if not rows:
        return (as_prior(cast(Sequence[Number], pose), order, "pose"),) * classes
    if len(rows) != classes:
        raise ValueError(f"pose needs one row for each of {classes} classes, got {len(rows)}")
    return tuple(as_prior(row, order, f"pose[{c}]") for c, row in enumerate(rows))
