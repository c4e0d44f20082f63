"""Real images with a known transformation: samples, and the few information quantities that are known."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from synthetic.devices import to_device
from synthetic.generator import Answer, Generator, NoExactAnswerError
from synthetic.sample import Sample
from synthetic.seeds import Streams
from synthetic.transformations import Transformation
from synthetic.variables import Variable
from theory import Diagram, Expression, Joint, Term, parse_expression
from theory.checks import integer

__all__ = ["RealImageGenerator"]


class RealImageGenerator(Generator):
    """Raw images with classes, and a transformation that is applied to them.

    C is the class, R the number of the raw image, A the transformation, X the image that it makes of R.
    Style and pose are not known, so they are no variables of the sample. The diagram is the E-SSL diagram
    without them: C -> R, and X is a function of R and A.

    A sample of n rows goes through the raw images in random order, so that none comes twice before all have
    been shown. A is uniform and independent. The sample's `groups` is R: rows that show the same raw image
    are not independent, and estimators keep them together.
    """

    @property
    @abstractmethod
    def action(self) -> Transformation:
        """The transformation that A chooses from."""

    @property
    @abstractmethod
    def raw(self) -> torch.Tensor:
        """The raw images, floats in [0, 1] of shape (N, channels, height, width)."""

    @property
    @abstractmethod
    def targets(self) -> npt.NDArray[np.int64]:
        """The class of each raw image, of shape (N,)."""

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """The name of each class, by its number."""

    @property
    def diagram(self) -> Diagram:
        """C -> R and R, A => X."""
        return Diagram.parse("C->R, R=>X, A=>X", name="E-SSL diagram of real images")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, R, A and X."""
        states = self.action.cardinality
        return (
            Variable("C", "discrete", len(self.class_names), "class"),
            Variable("R", "discrete", len(self.raw), "raw"),
            Variable("A", "continuous" if states is None else "discrete", states, "transformation"),
            Variable("X", "image", None, "input"),
        )

    def tensors(
        self, n: int, *, seed: int, device: torch.device | str | None = None
    ) -> dict[str, torch.Tensor]:
        """Draw n rows as torch tensors on a device.

        Args:
            n: The number of rows.
            seed: Fixes the draw: the same seed gives the same bits on the same device, and a larger draw
                begins with the smaller.
            device: Where the images are transformed; None for the CPU.

        Returns:
            C, R int64 and A int64 or float32 of shape (n,), X float32 of shape (n, channels, height, width).

        Raises:
            ValueError: If n is not positive or the seed is negative.
        """
        streams = Streams(seed)
        rounds = -(-integer("n", n, 1) // len(self.raw))
        order = [streams["R"].permutation(len(self.raw)) for _ in range(rounds)]
        raw = np.concatenate(order)[:n].astype(np.int64)
        place = torch.device("cpu" if device is None else device)
        shown = to_device(torch.from_numpy(raw), place)
        labels = to_device(torch.from_numpy(self.action.draw(n, streams["A"])), place)
        images = self.action.transform(self._raw_on(place)[shown], labels)
        classes = to_device(torch.from_numpy(self.targets[raw]), place)
        return {"C": classes, "R": shown, "A": labels, "X": images}

    def _raw_on(self, device: torch.device) -> torch.Tensor:
        """The raw images on a device, which go there once and not in every draw."""
        if device.type == self.raw.device.type == "cpu":
            return self.raw
        if device not in self._moved:
            self._moved[device] = self.raw.to(device)
        return self._moved[device]

    @cached_property
    def _moved(self) -> dict[torch.device, torch.Tensor]:
        return {}

    def sample(self, n: int, *, seed: int, device: torch.device | str | None = None) -> Sample:
        """Draw n rows; no raw image comes twice before all have been shown.

        Raises:
            ValueError: If n is not positive.
        """
        columns = {k: v.cpu().numpy() for k, v in self.tensors(n, seed=seed, device=device).items()}
        return Sample(
            columns,
            {v.name: v for v in self.variables},
            groups="R",
            metadata={"generator": self.family, "parameters": self.settings, "seed": int(seed)},
        )

    def joint(self) -> Joint:
        """Not known.

        Raises:
            NoExactAnswerError: Always.
        """
        raise NoExactAnswerError(
            f"{self.family} are {len(self.raw)} real images: the distribution they were drawn from is not "
            "known, and that of the images at hand would make the class a function of each single image"
        )

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The value of a quantity that the design alone decides, such as H(A), I(A;C) = 0 or H(X|R,A) = 0.

        The design says that A is drawn uniformly and independently of C and R, that the class is a function
        of the raw image, and that X is a function of R and A. All other quantities depend on the unknown
        distribution of the images.

        Raises:
            NoExactAnswerError: If the design does not decide it; the message names an entropy that remains.
            ValueError: If it names an unknown variable.
        """
        form = parse_expression(expression)
        for name in form.variables:
            if name not in ("C", "R", "A", "X"):
                raise ValueError(f"unknown variable {name!r}: {self.family} has C, R, A, X")
        states = self.action.cardinality
        times_a = Fraction(0)
        unknown: dict[frozenset[str], Fraction] = {}
        for subset, coefficient in form.entropies().items():
            rest = set(subset)
            if "R" in rest:
                rest.discard("C")
            if {"R", "A"} <= rest:
                rest.discard("X")
            if "A" in rest and "X" not in rest:
                rest.discard("A")
                times_a += coefficient
            if rest:
                key = frozenset(rest)
                unknown[key] = unknown.get(key, Fraction(0)) + coefficient
        remaining = [",".join(sorted(key)) for key, coefficient in unknown.items() if coefficient]
        if remaining:
            raise NoExactAnswerError(
                f"{form} depends on the unknown distribution of real images, through H({remaining[0]}); "
                "estimate it from a sample"
            )
        if times_a and states is None:
            raise NoExactAnswerError(f"{form} contains the entropy of a continuous transformation")
        return Answer(str(form), float(times_a) * log(states or 1), method="design")

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as JSON can hold them."""
        return {"transformation": describe(self.action)}


def describe(action: Transformation) -> str | Mapping[str, Any]:
    """A transformation as JSON can hold it: its name, or a mapping if it has parameters."""
    return {"name": action.name, **action.parameters} if action.parameters else action.name
