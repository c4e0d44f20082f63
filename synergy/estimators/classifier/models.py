"""The classifiers: a frequency table, a kernel classifier, small networks, and anything of the user's.

Every one turns a design and a target into held-out log probabilities for the tuning and the test rows
of each split; `portfolio` calibrates and combines them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_softmax

from synergy.estimators.classifier.design import Design, Split

__all__ = [
    "Floats64",
    "Held",
    "KernelClassifier",
    "Model",
    "NetworkClassifier",
    "SklearnClassifier",
    "TableClassifier",
    "TorchClassifier",
]

Floats64 = npt.NDArray[np.float64]
Held = tuple[Floats64, Floats64]
"""Log probabilities of the tuning rows and of the test rows, shapes (tune, k) and (test, k)."""


@runtime_checkable
class Model(Protocol):
    """A classifier that is fitted in every split at once."""

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        ...


@dataclass(frozen=True)
class TableClassifier:
    """Frequencies of the target in each joint state of discrete conditions, shrunk to the marginal.

    The probability in a cell with counts n_a is (n_a + s p(a)) / (n + s) with p the target's own
    smoothed frequencies; the strength s is the one of a grid with the best leave-one-out loss.

    Args:
        strengths: The grid of s.
    """

    strengths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 32.0, 128.0)

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        del seed
        if not design.all_discrete:
            raise ValueError("a frequency table needs discrete conditions only")
        codes = np.zeros(len(y), dtype=np.int64) if design.codes is None else design.codes
        cells, codes = np.unique(codes, return_inverse=True)
        codes = codes.reshape(-1)
        held = []
        for split in splits:
            train = np.concatenate([split.fit, split.tune])
            counts = np.bincount(codes[train] * k + y[train], minlength=len(cells) * k).reshape(-1, k)
            total = counts.sum(axis=1, keepdims=True)
            prior = (counts.sum(axis=0) + 0.5) / (len(train) + 0.5 * k)  # (k,)
            strength = self._strength(counts, total, prior)
            log_p = np.log(counts + strength * prior) - np.log(total + strength)
            held.append((log_p[codes[split.tune]], log_p[codes[split.test]]))
        return held

    def _strength(
        self, counts: npt.NDArray[np.int64], total: npt.NDArray[np.int64], prior: Floats64
    ) -> float:
        """The strength with the least leave-one-out log loss, in closed form from the counts."""
        if len(counts) == 1:
            return 1.0
        left = np.maximum(counts - 1, 0)

        def loss(s: float) -> float:
            return -float((counts * (np.log(left + s * prior) - np.log(total - (total > 0) + s))).sum())

        return min(self.strengths, key=loss)


@dataclass(frozen=True)
class KernelClassifier:
    """Multinomial logistic regression on Nystroem features of a Gaussian kernel.

    The blocks are scaled to mean squared distance 1 (conditions that are discrete to `discrete`), so the
    kernel is a product over the blocks. Landmarks are drawn from the fitted rows (Williams and Seeger
    2001, "Using the Nystroem method to speed up kernel machines"); width and ridge are chosen on the
    tuning rows.

    Args:
        landmarks: The largest number of landmarks.
        widths: Multiples of 1 / (mean squared distance) that are tried.
        ridges: Inverse ridge strengths that are tried, each warm-started from the one before.
        discrete: The squared distance between two different states of a discrete condition.
        rows: At most this many rows are fitted on.
    """

    landmarks: int = 800
    widths: tuple[float, ...] = (0.5, 2.0, 4.0)
    ridges: tuple[float, ...] = (1.0, 10.0, 100.0)
    discrete: float = 0.8
    rows: int = 12_000

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        rng = np.random.default_rng([seed, 0x4E12])
        return [self._one(design, y, k, split, rng) for split in splits]

    def _one(
        self, design: Design, y: npt.NDArray[np.int64], k: int, split: Split, rng: np.random.Generator
    ) -> Held:
        fit = rng.permutation(split.fit)[: self.rows]
        scaled = self._scaled(design, fit)
        marks = fit[: self.landmarks]
        near = {
            name: _squared_distances(scaled[marks], scaled[rows])
            for name, rows in (("marks", marks), ("fit", fit), ("tune", split.tune), ("test", split.test))
        }
        best: tuple[float, Floats64, Floats64] | None = None
        for width in self.widths:
            factor = cholesky(np.exp(-width * near["marks"]) + 1e-6 * np.eye(len(marks)), lower=True)

            def features(name: str, factor: Floats64 = factor, width: float = width) -> Floats64:
                solved = solve_triangular(factor, np.exp(-width * near[name]), lower=True, check_finite=False)
                return np.ascontiguousarray(solved.T)

            phi, tune, test = features("fit"), features("tune"), features("test")
            weights: Floats64 | None = None
            for ridge in self.ridges:
                weights = _fit_logistic(phi, y[fit], k, ridge, weights)
                log_tune = _log_probabilities(tune, weights)
                loss = -float(log_tune[np.arange(len(split.tune)), y[split.tune]].mean())
                if best is None or loss < best[0]:
                    best = (loss, log_tune, _log_probabilities(test, weights))
        if best is None:
            raise ValueError(f"widths and ridges must not be empty, got {self.widths} and {self.ridges}")
        return best[1], best[2]

    def _scaled(self, design: Design, fit: npt.NDArray[np.int64]) -> Floats64:
        scaled = design.matrix.astype(np.float64)
        for block in design.blocks:
            part = scaled[:, block.columns]
            if block.kind == "discrete":
                part *= np.sqrt(self.discrete / 2)
                continue
            part -= part[fit].mean(axis=0)
            if block.kind == "continuous":
                spread = part[fit].std(axis=0)
                part /= np.where(spread > 0, spread, 1.0)
            part /= np.sqrt(2 * max(float(part[fit].var(axis=0).sum()), 1e-12))
            scaled[:, block.columns] = part
        return scaled


@dataclass(frozen=True)
class NetworkClassifier:
    """Small multi-layer perceptrons, all folds and members trained together as one batched network.

    Args:
        hidden: Units in each of the two hidden layers.
        members: Networks per fold; their log probabilities are averaged.
        passes: Row visits per network, at least `epochs[0]` and at most `epochs[1]` epochs.
        epochs: The least and the largest number of epochs.
        batch: Rows in a step.
        rate: The peak learning rate of the one-cycle schedule.
        dropout: The share of hidden units that is dropped.
        decay: The weight decay of AdamW.
        device: Where to train.
    """

    hidden: int = 192
    members: int = 2
    passes: int = 60_000
    epochs: tuple[int, int] = (4, 40)
    batch: int = 128
    rate: float = 5e-3
    dropout: float = 0.25
    decay: float = 1e-2
    device: str = "cpu"

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        generator = torch.Generator().manual_seed(seed)
        rng = np.random.default_rng([seed, 0x2E7])
        x = _standardised(design, np.concatenate([s.fit for s in splits]))
        rows = torch.tensor(x, device=self.device)
        labels = torch.tensor(y, device=self.device)
        owners = [i for i in range(len(splits)) for _ in range(self.members)]
        size = min(len(s.fit) for s in splits)
        batch = min(self.batch, size)
        steps = max(1, size // batch)
        epochs = int(np.clip(self.passes // max(size, 1), *self.epochs))
        layers = self._initial(len(owners), x.shape[1], k, generator)
        parameters = [p for layer in layers for p in layer]
        optimiser = torch.optim.AdamW(parameters, lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=epochs * steps, cycle_momentum=False
        )
        kept = [[p.detach().clone() for p in layer] for layer in layers]
        best = np.full(len(owners), np.inf)
        for epoch in range(epochs):
            order = torch.tensor(np.stack([rng.permutation(splits[i].fit)[: steps * batch] for i in owners]))
            order = order.to(self.device).reshape(len(owners), steps, batch)
            for step in range(steps):
                index = order[:, step]
                logits = self._forward(rows[index], layers, generator)
                loss = torch.nn.functional.cross_entropy(
                    logits.reshape(-1, k), labels[index].reshape(-1), reduction="sum"
                )
                optimiser.zero_grad()
                (loss / batch).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            if epoch >= epochs // 2 or epoch == epochs - 1:
                self._keep_best(rows, labels, layers, kept, best, splits, owners)
        return self._collect(rows, kept, splits, owners, k)

    def _initial(self, nets: int, d: int, k: int, generator: torch.Generator) -> list[list[torch.Tensor]]:
        sizes = [(d, self.hidden), (self.hidden, self.hidden), (self.hidden, k)]
        layers = []
        for fan_in, fan_out in sizes:
            bound = 1 / max(fan_in, 1) ** 0.5
            weight = (torch.rand(nets, fan_in, fan_out, generator=generator) * 2 - 1) * bound * 3**0.5
            if fan_out == k:
                weight = weight * 0.3
            layers.append(
                [
                    weight.to(self.device).requires_grad_(),
                    torch.zeros(nets, 1, fan_out, device=self.device, requires_grad=True),
                ]
            )
        return layers

    def _forward(
        self, x: torch.Tensor, layers: list[list[torch.Tensor]], generator: torch.Generator | None
    ) -> torch.Tensor:
        """Logits of shape (nets, rows, k); with a generator, units are dropped."""
        for weight, bias in layers[:-1]:
            x = torch.relu(torch.baddbmm(bias, x, weight))
            if generator is not None and self.dropout:
                mask = torch.rand(x.shape, generator=generator).to(x.device) >= self.dropout
                x = x * mask / (1 - self.dropout)
        weight, bias = layers[-1]
        return torch.baddbmm(bias, x, weight)

    @torch.no_grad()
    def _keep_best(
        self,
        rows: torch.Tensor,
        labels: torch.Tensor,
        layers: list[list[torch.Tensor]],
        kept: list[list[torch.Tensor]],
        best: Floats64,
        splits: Sequence[Split],
        owners: list[int],
    ) -> None:
        for net, owner in enumerate(owners):
            one = [[p[net : net + 1] for p in layer] for layer in layers]
            tune = torch.tensor(splits[owner].tune, device=self.device)
            logits = self._forward(rows[tune][None], one, None)[0]
            loss = float(torch.nn.functional.cross_entropy(logits, labels[tune]))
            if loss < best[net]:
                best[net] = loss
                for layer, snapshot in zip(layers, kept, strict=True):
                    for p, saved in zip(layer, snapshot, strict=True):
                        saved[net] = p[net]

    @torch.no_grad()
    def _collect(
        self,
        rows: torch.Tensor,
        kept: list[list[torch.Tensor]],
        splits: Sequence[Split],
        owners: list[int],
        k: int,
    ) -> list[Held]:
        held = []
        for fold, split in enumerate(splits):
            nets = [net for net, owner in enumerate(owners) if owner == fold]
            pair = []
            for index in (split.tune, split.test):
                total = np.zeros((len(index), k))
                for net in nets:
                    one = [[p[net : net + 1] for p in layer] for layer in kept]
                    logits = self._forward(rows[torch.tensor(index, device=self.device)][None], one, None)[0]
                    total += torch.log_softmax(logits.double(), dim=1).cpu().numpy()
                pair.append(log_softmax(total / len(nets), axis=1))
            held.append((pair[0], pair[1]))
        return held


@dataclass(frozen=True)
class SklearnClassifier:
    """Any scikit-learn classifier with `predict_proba` or `decision_function`.

    It sees one matrix: images flattened, discrete conditions one-hot, everything else as it is.

    Args:
        estimator: The classifier or pipeline; it is cloned for every fold.
    """

    estimator: Any

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        from sklearn.base import clone

        held = []
        for fold, split in enumerate(splits):
            fitted = clone(self.estimator)
            seeds = {p: seed + fold for p in fitted.get_params() if p.rpartition("__")[2] == "random_state"}
            fitted.set_params(**seeds).fit(design.matrix[split.fit], y[split.fit])
            pair = [self._log_p(fitted, design.matrix[rows], k) for rows in (split.tune, split.test)]
            held.append((pair[0], pair[1]))
        return held

    @staticmethod
    def _log_p(estimator: object, rows: npt.NDArray[np.float32], k: int) -> Floats64:
        fitted: Any = estimator
        log_p = np.full((len(rows), k), np.log(1e-9))
        seen = np.asarray(fitted.classes_)
        if hasattr(fitted, "predict_proba"):
            log_p[:, seen] = np.log(np.maximum(fitted.predict_proba(rows), 1e-9))
        else:
            margin = np.asarray(fitted.decision_function(rows))
            log_p[:, seen] = log_softmax(
                np.column_stack([-margin / 2, margin / 2]) if margin.ndim == 1 else margin, axis=1
            )
        return np.asarray(log_softmax(log_p, axis=1))


@dataclass(frozen=True)
class TorchClassifier:
    """A torch module that maps rows to logits, trained afresh in every fold with early stopping.

    Args:
        module: Takes a batch and gives logits of shape (batch, k). With one image and nothing else it
            gets images of shape (batch, channels, height, width), else the flat design matrix. It is
            copied, with its initial weights, for every fold.
        epochs: The number of passes over the data.
        batch: Rows in a step.
        rate: The peak learning rate.
        decay: The weight decay of AdamW.
        device: Where to train.
    """

    module: torch.nn.Module
    epochs: int = 20
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-2
    device: str = "cpu"

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        x = torch.tensor(_standardised(design, np.concatenate([s.fit for s in splits])))
        if len(design.blocks) == 1 and design.blocks[0].kind == "image":
            x = x.reshape(len(x), *design.blocks[0].shape)
        with torch.random.fork_rng(devices=[] if self.device == "cpu" else [self.device]):
            torch.manual_seed(seed)
            return [self._one(x.to(self.device), torch.tensor(y, device=self.device), k, s) for s in splits]

    def _one(self, x: torch.Tensor, y: torch.Tensor, k: int, split: Split) -> Held:
        module = copy.deepcopy(self.module).to(self.device)
        fit, tune, test = (torch.tensor(i, device=self.device) for i in (split.fit, split.tune, split.test))
        optimiser = torch.optim.AdamW(module.parameters(), lr=self.rate, weight_decay=self.decay)
        steps = max(1, len(fit) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=self.epochs * steps, cycle_momentum=False
        )
        best, kept = float("inf"), copy.deepcopy(module.state_dict())
        for _ in range(self.epochs):
            module.train()
            order = fit[torch.randperm(len(fit), device=self.device)]
            for index in order.tensor_split(steps):
                logits = module(x[index])
                if logits.shape != (len(index), k):
                    raise ValueError(
                        f"the module must give logits of shape (batch, {k}), "
                        f"got {tuple(logits.shape)} for {len(index)} rows"
                    )
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(logits, y[index]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            module.eval()
            with torch.no_grad():
                loss = float(torch.nn.functional.cross_entropy(module(x[tune]), y[tune]))
            if loss < best:
                best, kept = loss, copy.deepcopy(module.state_dict())
        module.load_state_dict(kept)
        module.eval()
        with torch.no_grad():
            pair = [torch.log_softmax(module(x[rows]).double(), 1).cpu().numpy() for rows in (tune, test)]
        return pair[0], pair[1]


def _standardised(design: Design, fit: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Each block centred and scaled: per column for vectors, as a whole for images."""
    x = design.matrix.copy()
    for block in design.blocks:
        part = x[:, block.columns]
        if block.kind == "discrete":
            continue
        part = part - part[fit].mean(axis=0)
        spread = (
            part[fit].std(axis=0) if block.kind == "continuous" else np.sqrt(part[fit].var(axis=0).mean())
        )
        x[:, block.columns] = part / np.where(spread > 0, spread, 1.0)
    return x


def _squared_distances(a: Floats64, b: Floats64) -> Floats64:
    """Shape (len(a), len(b))."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))


def _log_probabilities(phi: Floats64, weights: Floats64) -> Floats64:
    return np.asarray(log_softmax(phi @ weights[:-1] + weights[-1], axis=1))


def _fit_logistic(
    phi: Floats64, y: npt.NDArray[np.int64], k: int, inverse_ridge: float, start: Floats64 | None
) -> Floats64:
    """Weights of shape (m + 1, k), the last row the intercepts, of ridge-penalised multinomial regression."""
    n, m = phi.shape
    onehot = np.eye(k)[y]
    penalty = 1 / (inverse_ridge * n)

    def objective(flat: Floats64) -> tuple[float, Floats64]:
        weights = flat.reshape(m + 1, k)
        log_p = _log_probabilities(phi, weights)
        residual = (np.exp(log_p) - onehot) / n
        gradient = np.vstack([phi.T @ residual + penalty * weights[:-1], residual.sum(axis=0)])
        value = -float((log_p * onehot).sum()) / n + 0.5 * penalty * float((weights[:-1] ** 2).sum())
        return value, gradient.ravel()

    initial = np.zeros((m + 1) * k) if start is None else start.ravel()
    solved = minimize(objective, initial, jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": 1e-5})
    return np.asarray(solved.x).reshape(m + 1, k)
