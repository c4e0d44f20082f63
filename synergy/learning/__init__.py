"""The learned world: small networks, what they are trained for, and what their representations hold.

Data: `ImageSet.from_generator(Digits())` or `(Cifar10(root))`, `ImageSet.from_arrays(images, {"C": labels})`,
`ImageSet.from_sample(sample)` and `ImageSet.from_dataset(pairs)`, with any torch Dataset of (image, label),
keep images in memory; `.split(0.6, seed=0)` gives a set to train on and one to judge on; `Stream(generator,
size)` draws afresh in every step.

Tasks: `PredictTransformation("rotation")`, several with `"rotation+inversion"` and `joint="product"` or
`"sum"`, a coarser label with `as_task("rotation", coarse=[0, 1, 0, 1])`, a base augmentation with
`augment="crop+flip"`; `PredictLabel("C")`, or `PredictLabel("A")` where inputs come transformed;
`Invariance("rotation")`, `Equivariance("rotation")`, `Untrained()`. Class information is added with
`told="C"` and eliminated with `Eliminate(task, label="C", weight=1.0)`.

Training: `train(task, source, seed=0, encoder="cnn", features=64, options=Training(epochs=20))`, also with
`held_out=` and `checkpoint=`, gives a `Trained` with `encoder`, `head`, `curve` (a DataFrame), `represent`,
`represented` and `save`; `load_encoder(folder)`. An encoder is a name in `ENCODERS` (mlp, cnn, resnet18, c4,
d4, c4-resnet18 and others), a function that makes a module, or a module of your own, of which a copy is
trained further.

Your own: `represent(encoder, images, "rotation")` takes any module or function and any holder of images, and
gives the sample that is measured below; `equivariance_error(encoder, "rotation", images)`; `FeatureEncoder`.

Measuring: `judged.transformed("rotation", copies=4, seed=1)` is a Sample with C, R, A and X whose groups are
R; `trained.represented(sample)` adds Z. Then `probes(sample)` is a table of linear and k-NN probes, and
`measure_representation(sample)` a `Measured`: `measured["I(A;C|Z)"]` is an Estimate,
`measured.estimates["I(A;C|Z)", "A"]` chooses the route, `measured.gap(..)` compares sides row by row,
`measured.to_pandas()` is a table, and `over_seeds([measured, ..])` adds the spread over training seeds.

Example:
    >>> from synthetic import Digits
    >>> images = ImageSet.from_generator(Digits(classes=(0, 1)), n=128)
    >>> task = PredictTransformation("rotation")
    >>> options = Training(epochs=2, batch_size=32, device="cpu")
    >>> trained = train(task, images, seed=0, encoder="mlp", features=8, options=options)
    >>> sample = trained.represented(images.transformed("rotation", seed=1))
    >>> sample["Z"].shape, len(trained.curve)
    ((128, 8), 2)
"""

from synergy.device import choose_device
from synergy.learning.batches import Batch, Source
from synergy.learning.data import ImageSet
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
from synergy.learning.measure import DEFAULT_TERMS, Measured, measure_representation, over_seeds
from synergy.learning.options import Training
from synergy.learning.own.equivariance import EquivarianceError, equivariance_error
from synergy.learning.own.represent import represent
from synergy.learning.own.wrapped import FeatureEncoder
from synergy.learning.pretext import (
    Eliminate,
    Equivariance,
    Invariance,
    PredictLabel,
    PredictTransformation,
    Pretext,
    SoftEquivariance,
    Untrained,
)
from synergy.learning.probes import Probe, probe, probes
from synergy.learning.stream import Stream
from synergy.learning.tasks import Task, as_task
from synergy.learning.trained import Trained, load_encoder
from synergy.learning.training import train_classifier

__all__ = [
    "DEFAULT_TERMS",
    "ENCODERS",
    "Batch",
    "ConvEncoder",
    "Eliminate",
    "Equivariance",
    "EquivarianceError",
    "EquivariantEncoder",
    "FeatureEncoder",
    "ImageSet",
    "Invariance",
    "MLPEncoder",
    "Measured",
    "PredictLabel",
    "PredictTransformation",
    "Pretext",
    "Probe",
    "ResNet18",
    "SoftEquivariance",
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
    "equivariance_error",
    "load_encoder",
    "measure_representation",
    "over_seeds",
    "probe",
    "probes",
    "represent",
    "train",
    "train_classifier",
]
