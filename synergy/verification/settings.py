"""How much work a verification does, and how strict it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from theory.checks import integer, number
from theory.claims import World

__all__ = ["Call", "Settings"]


@dataclass(frozen=True)
class Settings:
    """The settings of a verification; they are written beside its results.

    Args:
        seed: Fixes every random choice.
        alpha: The family-wise error rate over the whole table.
        table_rows: Rows drawn from a generator of integers.
        number_rows: Rows drawn from a generator of numbers, which no images are among.
        image_rows: Rows drawn from a generator of images, in the sample world.
        data_rows: Rows of the caller's own table that are used where not all columns are discrete.
        vector_rows: Rows of integers that the learned world trains on, and as many to judge on.
        train_rows: Rows that the learned world's encoders are trained on.
        judge_rows: Rows that the learned world's claims are judged on, of other raw images.
        epochs: Training epochs of the encoders of images.
        vector_epochs: Training epochs of the encoders of integers.
        trainings: Training seeds in the learned world; a claim is judged on each network alone, and
            verified where it is verified on all of them.
        features: The dimension of a learned representation.
        folds: Cross-fitting folds.
        quality: How much work the classifier estimator does.
        exact_tolerance: Largest rounding error of exact values, in nats.
        table_margin: The margin for plug-in estimates, in nats.
        network_margin: The margin for usable information, in nats: a gap below it counts as none.
        models: Random models on the diagram in the exact world.
        device: Where networks run: encoders, and classifiers that judge them unless `quality` is `quick`.
        core: Whether to judge the core of the theory alone when no claim is named, and on the core cases
            when no generator is.

    Raises:
        ValueError: If a number is out of its range.
        TypeError: If a count is no integer, or a tolerance no number.
    """

    seed: int = 0
    alpha: float = 0.05
    table_rows: int = 50_000
    number_rows: int = 30_000
    image_rows: int = 1797 * 4
    data_rows: int = 20_000
    vector_rows: int = 4000
    train_rows: int = 1797 * 8
    judge_rows: int = 1797 * 8
    epochs: int = 10
    vector_epochs: int = 40
    trainings: int = 3
    features: int = 16
    folds: int = 5
    quality: Literal["quick", "default", "best"] = "quick"
    exact_tolerance: float = 1e-9
    table_margin: float = 0.01
    network_margin: float = 0.1
    models: int = 500
    device: str = "auto"
    core: bool = False

    def __post_init__(self) -> None:
        integer("seed", self.seed, 0)
        integer("folds", self.folds, 2)
        for name in (
            *(
                "table_rows",
                "number_rows",
                "image_rows",
                "data_rows",
                "vector_rows",
                "train_rows",
                "judge_rows",
                "epochs",
                "vector_epochs",
            ),
            *("trainings", "features", "models"),
        ):
            integer(name, getattr(self, name), 1)
        if not 0 < number("alpha", self.alpha) < 1:
            raise ValueError(f"alpha must lie strictly between 0 and 1, got {self.alpha}")
        for name in ("exact_tolerance", "table_margin", "network_margin"):
            number(name, getattr(self, name), low=0)

    @property
    def judging_device(self) -> str | None:
        """Where the classifiers that judge are trained; those of quality `quick` run on the CPU alone."""
        return None if self.quality == "quick" else self.device

    @classmethod
    def quick(cls, *, seed: int = 0, device: str = "auto") -> Settings:
        """Settings that finish the default table in about two minutes on two cores."""
        return cls(
            seed=seed,
            device=device,
            table_rows=20_000,
            number_rows=4000,
            image_rows=1797 * 2,
            train_rows=1797 * 8,
            judge_rows=1797 * 4,
            trainings=1,
            folds=4,
            quality="quick",
            models=100,
            core=True,
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self)


@dataclass(frozen=True)
class Call:
    """What `verify` was asked for, so that it can be asked again.

    Args:
        claims: Identifiers or statements; none where none was named.
        worlds: The worlds that were named.
        generators: The families or cases that were named.
        registered: Whether all claims and cases are the project's own, which the command line knows.
        chapter: The chapter that was named.
        data: The path of the caller's rows; `..` for rows that were no file.
        diagram: The diagram that was named.
        given: The premises that were named.
        groups: The column of groups that was named.
    """

    claims: tuple[str, ...] = ()
    worlds: tuple[World, ...] = ()
    generators: tuple[str, ...] = ()
    registered: bool = True
    chapter: str | None = None
    data: str | None = None
    diagram: str | None = None
    given: tuple[str, ...] = ()
    groups: str | None = None
