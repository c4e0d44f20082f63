"""Scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.datasets import load_digits

from synthetic.images.real import RealImageGenerator
from synthetic.transformations import Transformation
from synthetic.transformations import transformation as resolve

__all__ = ["Digits"]


@lru_cache(maxsize=1)
def _load() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    bunch = load_digits()
    return (bunch.images / 16).astype(np.float32)[:, None], bunch.target.astype(np.int64)


@dataclass(frozen=True)
class Digits(RealImageGenerator):
    """The 1797 handwritten digits of 8 x 8 pixels that come with scikit-learn, transformed.

    C is the digit, or with `classes` the position of the digit among the chosen ones. Style and pose are
    not known. The pixels are multiples of 1/16.

    Args:
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        classes: The digits to keep, at least two; None for all ten.

    Raises:
        ValueError: If a digit is not one of 0 .. 9, one repeats, fewer than two are chosen, or the
            transformation cannot be applied to gray images of 8 x 8 pixels.

    References:
        E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.

    Example:
        >>> sample = Digits().sample(100, seed=0)
        >>> sample["X"].shape, len(set(sample["R"].tolist()))
        ((100, 1, 8, 8), 100)
        >>> round(float(Digits().exact("H(A)")), 6)
        1.386294
    """

    family: ClassVar[str] = "digits"
    transformation: str | Mapping[str, object] | Transformation = "rotation"
    classes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.classes is not None:
            chosen = tuple(self.classes)
            if any(isinstance(c, bool) or not isinstance(c, (int, np.integer)) for c in chosen):
                raise ValueError(f"classes must be digits 0..9, got {chosen}")
            if any(not 0 <= c <= 9 for c in chosen):
                raise ValueError(f"classes must be digits 0..9, got {chosen}")
            if len(set(chosen)) != len(chosen):
                raise ValueError(f"classes must differ, got {chosen}")
            if len(chosen) < 2:
                raise ValueError(f"classes needs at least two digits, got {chosen}")
            object.__setattr__(self, "classes", tuple(int(c) for c in chosen))
        action = resolve(self.transformation)
        action.check((1, 8, 8))
        object.__setattr__(self, "transformation", action)

    @property
    def action(self) -> Transformation:
        """The transformation that A chooses from."""
        return resolve(self.transformation)

    @cached_property
    def _kept(self) -> npt.NDArray[np.int64]:
        digits = _load()[1]
        return np.flatnonzero(np.isin(digits, range(10) if self.classes is None else list(self.classes)))

    @cached_property
    def raw(self) -> torch.Tensor:
        """The chosen digits, of shape (N, 1, 8, 8)."""
        return torch.from_numpy(_load()[0][self._kept])

    @cached_property
    def targets(self) -> npt.NDArray[np.int64]:
        """The class of each raw image, of shape (N,)."""
        digits = _load()[1][self._kept]
        if self.classes is None:
            return digits
        position = np.zeros(10, dtype=np.int64)
        position[list(self.classes)] = np.arange(len(self.classes))
        return position[digits]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The digits."""
        return tuple(str(c) for c in (range(10) if self.classes is None else self.classes))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as JSON can hold them."""
        return {**super().parameters, "classes": None if self.classes is None else list(self.classes)}
