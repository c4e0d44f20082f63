"""A group acting on points: orbits and stabilisers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from synthetic.groups.group import FiniteGroup

__all__ = ["Action"]

Integers = npt.NDArray[np.int64]


class Action:
    """A left action of a finite group on the points 0 .. k - 1.

    Args:
        group: The group.
        table: The images, `table[g, x] = g.x`, integers of shape (order, k).

    Raises:
        ValueError: If the shape does not fit, an image is not a point, or a law fails: the identity must
            leave every point, and (gh).x must be g.(h.x).

    Example:
        >>> from synthetic.groups import cyclic
        >>> action = cyclic(4).coset_action([0, 2])
        >>> action.orbits, action.stabiliser(0)
        (((0, 1),), (0, 2))
    """

    def __init__(self, group: FiniteGroup, table: npt.ArrayLike) -> None:
        images = np.array(table)
        if images.ndim != 2 or len(images) != group.order or not images.size:
            raise ValueError(
                f"an action of {group!r} needs shape ({group.order}, points), got {images.shape}"
            )
        if not np.issubdtype(images.dtype, np.integer):
            raise ValueError(f"an action needs integer points, got {images.dtype}")
        points = images.shape[1]
        if images.min() < 0 or images.max() >= points:
            raise ValueError(f"images must stay in 0..{points - 1}, got {images.min()}..{images.max()}")
        if not np.array_equal(images[group.identity], np.arange(points)):
            raise ValueError("the identity must leave every point where it is")
        for g in group.generators:
            if not np.array_equal(images[group.table[:, g]], images[:, images[g]]):
                raise ValueError(f"the action breaks (hg).x = h.(g.x) for g={g}")
        self.group = group
        self.table: Integers = images.astype(np.int64)
        self.table.flags.writeable = False

    @property
    def points(self) -> int:
        """The number of points acted on."""
        return int(self.table.shape[1])

    def apply(self, g: npt.ArrayLike, x: npt.ArrayLike) -> Integers:
        """The image g.x, elementwise with broadcasting.

        Raises:
            ValueError: If an element or a point does not exist.
        """
        point = np.asarray(x)
        if not np.issubdtype(point.dtype, np.integer):
            raise ValueError(f"points are integers 0..{self.points - 1}, got {point.dtype}")
        if point.size and (point.min() < 0 or point.max() >= self.points):
            raise ValueError(f"points are 0..{self.points - 1}, got {point.min()}..{point.max()}")
        return np.asarray(self.table[self.group._elements(g), point])

    def stabiliser(self, x: int) -> tuple[int, ...]:
        """The elements that leave a point where it is, sorted."""
        return tuple(int(g) for g in np.flatnonzero(self.apply(self.group.elements, x) == x))

    def orbit(self, x: int) -> tuple[int, ...]:
        """The images of a point, sorted."""
        return tuple(int(y) for y in np.unique(self.apply(self.group.elements, x)))

    @cached_property
    def orbits(self) -> tuple[tuple[int, ...], ...]:
        """The orbits, ordered by their smallest point."""
        return tuple(sorted({self.orbit(x) for x in range(self.points)}))

    @cached_property
    def orbit_of(self) -> Integers:
        """The number of the orbit of each point; shape (points,)."""
        return np.unique(self.table.min(axis=0), return_inverse=True)[1].astype(np.int64)

    def __repr__(self) -> str:
        return f"Action({self.group.name} on {self.points} points, {len(self.orbits)} orbits)"
