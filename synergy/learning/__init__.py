"""Small networks whose representations are measured."""

from synergy.learning.encoders import ConvEncoder, MLPEncoder
from synergy.learning.training import Trained, choose_device, train_classifier

__all__ = ["ConvEncoder", "MLPEncoder", "Trained", "choose_device", "train_classifier"]
