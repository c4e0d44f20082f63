"""Small networks whose representations are measured."""

from synergy.learning.data import Batch, ImageSet, Source, Stream
from synergy.learning.device import choose_device
from synergy.learning.encoders import (
    ENCODERS,
    ConvEncoder,
    EquivariantEncoder,
    MLPEncoder,
    ResNet18,
    build_encoder,
    count_parameters,
)
from synergy.learning.loop import train
from synergy.learning.options import Training
from synergy.learning.pretext import (
    Eliminate,
    Equivariance,
    Invariance,
    PredictLabel,
    PredictTransformation,
    Pretext,
    Untrained,
)
from synergy.learning.tasks import Task, as_task
from synergy.learning.trained import Trained, load_encoder
from synergy.learning.training import train_classifier

__all__ = [
    "ENCODERS",
    "Batch",
    "ConvEncoder",
    "Eliminate",
    "Equivariance",
    "EquivariantEncoder",
    "ImageSet",
    "Invariance",
    "MLPEncoder",
    "PredictLabel",
    "PredictTransformation",
    "Pretext",
    "ResNet18",
    "Source",
    "Stream",
    "Task",
    "Trained",
    "Training",
    "Untrained",
    "as_task",
    "build_encoder",
    "choose_device",
    "count_parameters",
    "load_encoder",
    "train",
    "train_classifier",
]
