"""The bench of one case: its sample, its learned representations and their cross-fitted losses."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.estimators.classifier import CrossFit
from synergy.learning import ConvEncoder, MLPEncoder, Trained, train_classifier
from synergy.verification.cases import Case
from synergy.verification.settings import Settings
from synthetic import Sample, Variable

__all__ = ["Bench", "Target"]

Target = Literal["pretext", "mixture"]
"""What an encoder is trained to predict: A, or (A + C) modulo the number of transformations."""


class Bench:
    """Everything measured on one case, made when first asked for.

    Args:
        case: The case.
        settings: How much work to do.
    """

    def __init__(self, case: Case, settings: Settings) -> None:
        self.case = case
        self.settings = settings
        self._trained: dict[Target, Trained] = {}

    @property
    def has_images(self) -> bool:
        """Whether the input X is an image."""
        return any(v.name == "X" and v.kind == "image" for v in self.case.generator.variables)

    @cached_property
    def sample(self) -> Sample:
        """The sample of the sample world."""
        rows = self.settings.image_rows if self.has_images else self.settings.table_rows
        return self.case.sample(rows, seed=self.settings.seed)

    @cached_property
    def fit(self) -> CrossFit:
        """Cross-fitted losses on the sample."""
        return self._crossfit(self.sample)

    def _crossfit(self, sample: Sample) -> CrossFit:
        return CrossFit(
            sample, folds=self.settings.folds, seed=self.settings.seed, quality=self.settings.quality
        )

    def trained(self, target: Target) -> Trained:
        """A network trained to predict the target, on rows that no claim is judged on."""
        if target not in self._trained:
            train, _ = self._split
            labels = train["A"] if target == "pretext" else (train["A"] + train["C"]) % self._states
            self._trained[target] = train_classifier(
                self._encoder,
                _inputs(train),
                labels,
                states=self._states,
                epochs=self.settings.epochs,
                seed=self.settings.seed,
                device=self.settings.device,
            )
        return self._trained[target]

    @cached_property
    def learned(self) -> tuple[Sample, CrossFit]:
        """Raw inputs that no encoder saw, with two learned representations of them.

        Column Z holds the features of the encoder that predicts A. Column M holds the label that the
        mixture network predicts, an integer: all that it keeps is a guess of A + C.
        """
        _, judged = self._split
        inputs = _inputs(judged)
        z, m = self.trained("pretext").represent(inputs), _guess(self.trained("mixture"), inputs)
        sample = judged.with_column(Variable("Z", "continuous", None, "representation"), z)
        sample = sample.with_column(Variable("M", "discrete", self._states, "representation"), m)
        return sample, self._crossfit(sample)

    @property
    def _states(self) -> int:
        return next(v.cardinality or 1 for v in self.case.generator.variables if v.name == "A")

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
            return ConvEncoder(int(self.sample["X"].shape[1]), self.settings.features)
        return MLPEncoder(self.sample.variables["X"].cardinality or 1, self.settings.features)


@torch.no_grad()
def _guess(trained: Trained, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The most likely label of each input."""
    features = torch.from_numpy(trained.represent(inputs)).to(trained.device)
    return trained.head(features).argmax(dim=1).cpu().numpy()  # type: ignore[no-any-return]


def _inputs(sample: Sample) -> npt.NDArray[np.float32]:
    """The input as floats: images as they are, integers one-hot."""
    variable, column = sample.variables["X"], sample["X"]
    inputs: npt.NDArray[np.float32]
    if variable.kind == "discrete":
        inputs = np.eye(variable.cardinality or 1, dtype=np.float32)[column]
    else:
        inputs = np.ascontiguousarray(column, dtype=np.float32)
    return inputs
