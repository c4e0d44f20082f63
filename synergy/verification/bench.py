"""The bench of one case: its sample, its learned representations and their cross-fitted losses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.estimators.classifier import NestedCrossFit
from synergy.learning import MLPEncoder, Trained, build_encoder, train_classifier
from synergy.verification.cases import Case
from synergy.verification.settings import Settings
from synthetic import Answer, Sample, Variable
from theory import Expression

__all__ = ["Bench", "Target"]

Target = Literal["pretext", "mixture", "class"]
"""What an encoder is trained to predict: A, (A + C) modulo the number of transformations, or C."""


class Bench:
    """Everything measured on one case, made when first asked for.

    Args:
        case: The case.
        settings: How much work to do.
        targets: The networks that the claims to judge ask for.
    """

    def __init__(
        self, case: Case, settings: Settings, targets: Collection[Target] = ("pretext", "mixture", "class")
    ) -> None:
        self.case = case
        self.settings = settings
        self.targets = frozenset(targets)
        self._trained: dict[tuple[Target, int], Trained] = {}

    @property
    def has_images(self) -> bool:
        """Whether the input X is an image."""
        return any(v.name == "X" and v.kind == "image" for v in self.case.generator.variables)

    @cached_property
    def sample(self) -> Sample:
        """The sample of the sample world."""
        kinds = {v.kind for v in self.case.generator.variables}
        settings = self.settings
        numbers = settings.table_rows if kinds == {"discrete"} else settings.number_rows
        return self.case.sample(settings.image_rows if "image" in kinds else numbers, seed=settings.seed)

    @cached_property
    def fit(self) -> NestedCrossFit:
        """Cross-fitted losses on the sample."""
        return self._crossfit(self.sample)

    def _crossfit(self, sample: Sample) -> NestedCrossFit:
        settings = self.settings
        return NestedCrossFit(
            sample,
            folds=settings.folds,
            seed=settings.seed,
            quality=settings.quality,
            device=settings.judging_device,
        )

    def trained(self, target: Target, run: int = 0) -> Trained:
        """A network trained to predict the target, on rows that no claim is judged on.

        Args:
            target: What it predicts.
            run: Which of the networks that differ by their seed alone.
        """
        if (target, run) not in self._trained:
            train, _ = self._split
            labels = {
                "pretext": train["A"],
                "mixture": (train["A"] + train["C"]) % self._states("A"),
                "class": train["C"],
            }
            self._trained[target, run] = train_classifier(
                self._encoder,
                _inputs(train),
                labels[target],
                states=self._states("C" if target == "class" else "A"),
                epochs=self.settings.epochs if self.has_images else self.settings.vector_epochs,
                seed=self.settings.seed + 1000 * run,
                device=self.settings.device,
            )
        return self._trained[target, run]

    @cached_property
    def learned(self) -> tuple[Sample, NestedCrossFit]:
        """Raw inputs that no encoder saw, with learned representations of them.

        Columns Z, Z2, .. hold the features of encoders that predict A, trained with other seeds. M, M2, ..
        hold the label that a mixture network predicts, an integer: all that it keeps is a guess of A + C.
        Images have U, the representation of the case itself, and W, W2, .., the class that a network
        trained on it guesses: a shortcut and a class feature.
        """
        _, judged = self._split
        inputs = _inputs(judged)
        sample = judged
        if "class" in self.targets and "Z" in judged.variables and self.has_images:
            sample = sample.with_column(Variable("U", "continuous", None, "other"), judged["Z"])
        for run, names in enumerate(self.runs):
            z = self.trained("pretext", run).represent(inputs)
            sample = sample.with_column(Variable(names["Z"], "continuous", None, "representation"), z)
            guesses: list[tuple[Target, str, str]] = []
            if "mixture" in self.targets:
                guesses.append(("mixture", "M", "A"))
            if "U" in sample.variables:
                guesses.append(("class", "W", "C"))
            for target, letter, label in guesses:
                variable = Variable(names[letter], "discrete", self._states(label), "representation")
                sample = sample.with_column(variable, _guess(self.trained(target, run), inputs))
        return sample, self._crossfit(sample)

    def known(self, expression: Expression) -> Answer | None:
        """The exact value of an expression of latents and raw input; None where there is none."""
        try:
            return self.case.generator.exact(expression)
        except ValueError:
            return None

    @property
    def runs(self) -> tuple[Mapping[str, str], ...]:
        """For each training seed the columns that play Z, M and W."""
        marks = ["", *(str(k) for k in range(2, self.settings.trainings + 1))]
        return tuple({name: f"{name}{mark}" for name in "ZMW"} for mark in marks)

    def _states(self, name: str) -> int:
        return next(v.cardinality or 1 for v in self.case.generator.variables if v.name == name)

    @cached_property
    def _split(self) -> tuple[Sample, Sample]:
        """Rows to train on and rows to judge on, with no raw input in both."""
        settings = self.settings
        if not self.has_images:
            rows = self.case.sample(2 * settings.vector_rows, seed=settings.seed + 1)
            return rows.rows(slice(0, settings.vector_rows)), rows.rows(slice(settings.vector_rows, None))
        rows = self.case.sample(settings.train_rows + settings.judge_rows, seed=settings.seed + 1)
        if rows.groups is None:
            return rows.rows(slice(0, settings.train_rows)), rows.rows(slice(settings.train_rows, None))
        raw = np.unique(rows["R"])
        share = settings.train_rows / (settings.train_rows + settings.judge_rows)
        chosen = np.random.default_rng([settings.seed, 1]).permutation(raw)[: round(share * len(raw))]
        is_train = np.isin(rows["R"], chosen)
        return rows.rows(is_train), rows.rows(~is_train)

    def _encoder(self) -> nn.Module:
        if self.has_images:
            return build_encoder("cnn", self.sample["X"].shape[1:], features=self.settings.features)
        variable = self.sample.variables["X"]
        width = variable.cardinality or int(np.prod(self.sample["X"].shape[1:], dtype=np.int64))
        return MLPEncoder(width, self.settings.features)


@torch.no_grad()
def _guess(trained: Trained, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The most likely label of each input."""
    features = torch.from_numpy(trained.represent(inputs)).to(trained.device)
    return np.asarray(trained.head(features).argmax(dim=1).cpu())


def _inputs(sample: Sample) -> npt.NDArray[np.float32]:
    """The input as floats: images as they are, integers one-hot."""
    variable, column = sample.variables["X"], sample["X"]
    inputs: npt.NDArray[np.float32]
    if variable.kind == "discrete":
        inputs = np.eye(variable.cardinality or 1, dtype=np.float32)[column]
    else:
        inputs = np.ascontiguousarray(column, dtype=np.float32)
    return inputs
