"""The weakest sets of one or two premises under which a statement is proved.

A set of premises works exactly when no polymatroid satisfies it and breaks the statement. So every ray that
breaks the statement must break a premise of the set, and rays found for one set rule out many others
(implicit hitting sets, Moreno-Centeno and Karp 2013): sets that the rays leave are tried by a linear
program, which either shows that the set works or yields a new ray. Whether one set implies another is
decided in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from theory.cones import ZERO, Cone, Floats
from theory.repairing.premises import Premise

__all__ = ["Search"]

Truths = npt.NDArray[np.bool_]
Chosen = tuple[int, ...]
"""A set of premises, by their numbers."""


class Search:
    """The search over the premises of one problem; what was found so far survives an interruption.

    Args:
        cone: The polymatroids on the diagram and under the given statements.
        gaps: What must not be negative, one array on the cone's columns each.
        candidates: The premises, simplest first; of those that say the same under the facts the first is
            kept, and those that hold anyway are left out.
        tick: Called before every program; it raises to stop the search.
        strict: What is positive; a set under which it vanishes contradicts it and does not work.
        positive: What must be positive, because something strict is.
        confirm: Decides whether premises work that the programs cannot tell apart from those that do.
        necessary: Decides whether the statement implies a premise. A set of such premises only says the
            statement again; it is kept apart, as everything that works implies it.
    """

    def __init__(
        self,
        cone: Cone,
        gaps: Sequence[Floats],
        candidates: Sequence[Premise],
        tick: Callable[[str], None],
        *,
        strict: Sequence[Floats] = (),
        positive: Sequence[Floats] = (),
        confirm: Callable[[Sequence[Premise]], bool] | None = None,
        necessary: Callable[[Premise], bool] | None = None,
    ) -> None:
        self.cone = cone
        self.gaps = gaps
        self.strict = strict
        self.positive = positive
        self.confirm = confirm
        self._necessary = necessary
        self._is_necessary: dict[int, bool] = {}
        self.tick = tick
        first: dict[tuple[float, ...], Premise] = {}
        self._same: dict[tuple[float, ...], list[Premise]] = {}
        for premise in candidates:
            key = tuple(cone.vector(premise.term))
            if any(key):
                first.setdefault(key, premise)
                self._same.setdefault(key, []).append(premise)
        self.premises = list(first.values())
        self.vectors: Floats = np.array(list(first)).reshape(len(first), len(cone.columns))
        self.stronger = self._stronger()
        self.broken: Truths = np.zeros((0, len(first)), dtype=bool)
        self.violating: Truths = np.zeros((0, len(first)), dtype=bool)
        self.found: list[Chosen] = []
        self.working: list[int] = []
        self.restated: list[Chosen] = []

    def _stronger(self) -> Truths:
        """Entry [i, j]: premise i implies premise j at once, under one of the names that each has."""
        groups = list(self._same.values())
        found = np.eye(len(groups), dtype=bool)
        for i, group in enumerate(groups):
            for strong in (p for p in group if p.is_function):
                for j, others in enumerate(groups):
                    found[i, j] |= any(p.follows_at_once(strong) for p in others)
        return found

    def _remember(self, point: Floats, *, violates: bool) -> None:
        row = (self.vectors @ point > ZERO)[None]
        self.broken = np.concatenate([self.broken, row])
        if violates:
            self.violating = np.concatenate([self.violating, row])

    def works(self, chosen: Chosen) -> bool:
        """Whether the statement is proved under some premises."""
        if not self.violating[:, list(chosen)].any(axis=1).all():
            return False
        if any(self.vanishes(strict[None], chosen) for strict in self.strict):
            return False
        for gap in self.gaps:
            self.tick("looking for assumptions")
            value, point = self.cone.ray(gap, self.vectors[list(chosen)])
            if value < -ZERO:
                self._remember(point, violates=True)
                return False
        if not all(self._follows_strictly(gap, chosen) for gap in self.positive):
            return False
        return self.confirm is None or self.confirm([self.premises[i] for i in chosen])

    def _follows_strictly(self, gap: Floats, chosen: Chosen) -> bool:
        """Whether a gap that is not negative is positive: where it is 0, something strict is, too."""
        total = np.zeros(len(self.cone.columns))
        zero = np.concatenate([self.vectors[list(chosen)], gap[None]])
        for strict in self.strict:
            self.tick("looking for assumptions")
            value, point = self.cone.ray(-strict, zero)
            if value >= -ZERO:
                return True
            total = total + point
        self._remember(total, violates=True)
        return False

    def implies(self, strong: Chosen, weak: Chosen) -> bool:
        """Whether some premises imply others."""
        if all(self.stronger[list(strong), j].any() for j in weak):
            return True
        kept = ~self.broken[:, list(strong)].any(axis=1)
        if (kept & self.broken[:, list(weak)].any(axis=1)).any():
            return False
        self.tick("comparing assumptions")
        total = self.vectors[list(weak)].sum(axis=0)
        value, point = self.cone.ray(-total, self.vectors[list(strong)])
        if value < -ZERO:
            self._remember(point, violates=False)
            return False
        return True

    def vanishes(self, quantities: Floats, chosen: Chosen) -> bool:
        """Whether some quantities are 0 wherever the premises hold."""
        self.tick("looking for what vanishes")
        zero = self.vectors[list(chosen)]
        return all(self.cone.ray(sign * q, zero)[0] >= -ZERO for q in quantities for sign in (-1.0, 1.0))

    def add(self, chosen: Chosen) -> None:
        """Record a set that works, unless it implies one that is recorded; drop those that imply it."""
        if any(self.implies(chosen, other) for other in self.found):
            return
        self.found = [other for other in self.found if not self.implies(other, chosen)]
        self.found.append(chosen)

    def restates(self, chosen: Chosen) -> bool:
        """Whether premises that work follow from the statement."""
        for i in chosen:
            if i not in self._is_necessary:
                self.tick("setting restatements apart")
                self._is_necessary[i] = self._necessary is not None and self._necessary(self.premises[i])
            if not self._is_necessary[i]:
                return False
        return True

    def singles(self) -> None:
        """Find the premises that work alone."""
        for i in range(len(self.premises)):
            if self.works((i,)):
                if self.restates((i,)):
                    self.restated.append((i,))
                else:
                    self.working.append(i)
                    self.add((i,))

    def pairs(self) -> None:
        """Find the pairs that work although neither premise does alone, weakest first."""
        n = len(self.premises)
        alive = np.triu(np.ones((n, n), dtype=bool), 1)
        alone = [*self.working, *(i for (i,) in self.restated)]
        alive[alone] = False
        alive[:, alone] = False
        seen = 0
        while True:
            for row in self.violating[seen:]:
                alive &= row[:, None] | row[None, :]
            seen = len(self.violating)
            where = np.argwhere(alive)
            if not len(where):
                return
            weights = self.broken.sum(axis=0)[where].sum(axis=1)
            i, j = (int(k) for k in where[int(np.argmin(weights))])
            alive[i, j] = False
            if not self.works((i, j)):
                continue
            if self.restates((i, j)):
                self.restated.append((i, j))
                continue
            self.add((i, j))
            below_i, below_j = self.stronger[:, i], self.stronger[:, j]
            both = below_i[:, None] & below_j[None, :]
            alive &= ~(both | both.T)

    def run(self, at_most: int) -> None:
        """Find the weakest sets of up to `at_most` premises."""
        self.singles()
        if at_most > 1:
            self.pairs()

    def weakest(self, some: Sequence[int]) -> list[int]:
        """Those of some premises that imply none of the others; the first of those that say the same."""
        kept: list[int] = []
        for i in some:
            if not any(self.implies((i,), (j,)) for j in kept):
                kept = [j for j in kept if not self.implies((j,), (i,))] + [i]
        return kept
