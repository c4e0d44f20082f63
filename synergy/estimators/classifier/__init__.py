"""Usable information by cross-fitted classifiers, images and mixed conditions included.

Example:
    >>> from synthetic import ModularShift
    >>> from synergy.estimators.classifier import CrossFit, classifier
    >>> sample = ModularShift(n=4).sample(2000, seed=0)
    >>> fit = CrossFit(sample, seed=0)
    >>> by_a = classifier(sample, "I(A;C|X)", predict="A", fit=fit)
    >>> by_c = classifier(sample, "I(A;C|X)", predict="C", fit=fit)
    >>> bool(max(abs(by_a.value - 1.3863), abs(by_c.value - 1.3863)) < 0.03)
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synergy.estimators.classifier.estimator import (
    CLASSIFIER_ENTRY,
    Prediction,
    classifier,
    conditional_entropy_scores,
    decompose,
)
from theory.deferred import public_names

if TYPE_CHECKING:
    from synergy.estimators.classifier.convolution import ConvolutionClassifier
    from synergy.estimators.classifier.crossfit import CrossFit, Quality, as_model
    from synergy.estimators.classifier.kernel import KernelClassifier
    from synergy.estimators.classifier.models import Classifier, SklearnClassifier, TableClassifier
    from synergy.estimators.classifier.modules import TorchClassifier
    from synergy.estimators.classifier.nested import NestedCrossFit
    from synergy.estimators.classifier.networks import NetworkClassifier
else:  # torch is loaded when one of these is used
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "synergy.estimators.classifier.convolution": ("ConvolutionClassifier",),
            "synergy.estimators.classifier.crossfit": ("CrossFit", "Quality", "as_model"),
            "synergy.estimators.classifier.kernel": ("KernelClassifier",),
            "synergy.estimators.classifier.models": ("Classifier", "SklearnClassifier", "TableClassifier"),
            "synergy.estimators.classifier.modules": ("TorchClassifier",),
            "synergy.estimators.classifier.nested": ("NestedCrossFit",),
            "synergy.estimators.classifier.networks": ("NetworkClassifier",),
        },
    )

__all__ = [
    "CLASSIFIER_ENTRY",
    "Classifier",
    "ConvolutionClassifier",
    "CrossFit",
    "KernelClassifier",
    "NestedCrossFit",
    "NetworkClassifier",
    "Prediction",
    "Quality",
    "SklearnClassifier",
    "TableClassifier",
    "TorchClassifier",
    "as_model",
    "classifier",
    "conditional_entropy_scores",
    "decompose",
]
