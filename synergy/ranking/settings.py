"""How large the pilots of a ranking are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from synergy.learning import ENCODERS
from theory.checks import integer, number, probability
from theory.errors import shown

__all__ = ["Progress", "RankSettings"]

Progress = Callable[[int, int, str], None]
"""Called with the runs that are done, their number in all, and the name of the last."""


@dataclass(frozen=True)
class RankSettings:
    """The size of the pilots and of what is measured beside them.

    Args:
        images: Images that a pilot is trained on, at most.
        judged: Labelled images that the probe is cross-validated on, at most.
        judged_share: The share of the images that is judged, at most.
        epochs: Passes of a pilot over its images, where these are many.
        steps: Steps of a pilot, at least: few images are passed more often, at most `most_epochs` times.
        most_epochs: Passes over few images, at most.
        batch: Images in a step, at most.
        encoder: The network, a name in `synergy.learning.ENCODERS`.
        features: The dimension of its representation.
        folds: Folds of the probes and of the calibration of posteriors.
        longer: The networks that are told classes are trained at most so many times as long as a pilot.
        patience: Epochs without a better held-out loss after which they stop.
        stretch: A task that its first pilot does not begin to learn is given twice the steps, and twice
            again, up to so many times those of the others; 1 for never.
        pairs: How many of them are trained with the class and how many with shuffled classes.
        resolution: J reads the posterior rounded to multiples of 1 / `resolution`.
        confidence: The nominal coverage of the intervals.

    Raises:
        TypeError: If a number is none, or the encoder is no name.
        ValueError: If a number is out of range, or the encoder is unknown.
    """

    images: int = 6_000
    judged: int = 4_000
    judged_share: float = 0.4
    epochs: int = 12
    steps: int = 560
    most_epochs: int = 40
    batch: int = 128
    encoder: str = "cnn"
    features: int = 64
    folds: int = 5
    longer: float = 1.0
    patience: int = 4
    stretch: int = 2
    pairs: int = 2
    resolution: int = 4
    confidence: float = 0.95

    def __post_init__(self) -> None:
        positive = (
            "images",
            "judged",
            "epochs",
            "steps",
            "most_epochs",
            "batch",
            "features",
            "patience",
            "stretch",
        )
        for name in positive:
            integer(name, getattr(self, name), 1)
        for name in ("folds", "pairs", "resolution"):
            integer(name, getattr(self, name), 2)
        for name in ("judged_share", "confidence"):
            if not 0 < probability(name, getattr(self, name)) < 1:
                raise ValueError(f"{name} must be strictly between 0 and 1, got {getattr(self, name)}")
        number("longer", self.longer, low=1)
        if not isinstance(self.encoder, str):
            raise TypeError(f"encoder must be a name, such as 'cnn', got {type(self.encoder).__name__}")
        if self.encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {shown(self.encoder)}: expected one of {', '.join(ENCODERS)}")

    def passes(self, images: int, *, longer: float = 1.0) -> tuple[int, int]:
        """Epochs and batch size for so many images.

        Example:
            >>> RankSettings().passes(6000), RankSettings().passes(600)
            ((13, 128), (40, 128))
        """
        batch = min(self.batch, images)
        needed = -(-self.steps // max(1, images // batch))
        return round(longer * max(self.epochs, min(needed, self.most_epochs))), batch

    def bound_by(self, images: int) -> Literal["steps", "most_epochs", "epochs"]:
        """The setting that settles how many steps a pilot with so many images takes.

        Example:
            >>> RankSettings().bound_by(6000), RankSettings().bound_by(600)
            ('steps', 'most_epochs')
            >>> RankSettings(epochs=20).bound_by(6000)
            'epochs'
        """
        batch = min(self.batch, images)
        needed = -(-self.steps // max(1, images // batch))
        if min(needed, self.most_epochs) < self.epochs:
            return "epochs"
        return "steps" if needed <= self.most_epochs else "most_epochs"

    def step_count(self, images: int, *, longer: float = 1.0) -> int:
        """The steps of a pilot with so many images.

        Example:
            >>> RankSettings().step_count(6000), RankSettings().step_count(6000, longer=2)
            (598, 1196)
        """
        epochs, batch = self.passes(images, longer=longer)
        return epochs * (images // batch)

    def to_dict(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self)
