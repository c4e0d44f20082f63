"""Controlled experiments: a question, what the theory predicts, what networks do.

An experiment is one file and one line in `EXPERIMENTS`. It measures runs, one row per condition and seed;
everything else, the table, the findings and the figure, is made from the runs alone.
"""

from synergy.experiments.class_information.experiment import CLASS_INFORMATION
from synergy.experiments.designs.experiment import FINE_GRAINED, MULTIVARIATE
from synergy.experiments.findings import Finding
from synergy.experiments.invariance.experiment import INVARIANCE_OR_EQUIVARIANCE
from synergy.experiments.model_equivariance.experiment import MODEL_EQUIVARIANCE
from synergy.experiments.outcome import Experiment, ExperimentOutcome, compact, write_outcome
from synergy.experiments.projection_head.experiment import PROJECTION_HEAD
from synergy.experiments.scale import Scale
from synergy.experiments.shape.experiment import SHAPE
from synergy.experiments.shortcut.experiment import SHORTCUT
from synergy.experiments.transformations.experiment import TRANSFORMATIONS

EXPERIMENTS: dict[str, Experiment] = {
    e.name: e
    for e in (
        TRANSFORMATIONS,
        CLASS_INFORMATION,
        MODEL_EQUIVARIANCE,
        FINE_GRAINED,
        MULTIVARIATE,
        SHORTCUT,
        INVARIANCE_OR_EQUIVARIANCE,
        PROJECTION_HEAD,
        SHAPE,
    )
}
"""The experiments by their name on the command line."""

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "ExperimentOutcome",
    "Finding",
    "Scale",
    "compact",
    "experiment",
    "write_outcome",
]


def experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        ValueError: If there is none; the message says which exist.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}: there are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
