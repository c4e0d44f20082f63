"""Closed forms of the synthetic families, one file each; see `theory.predictions.closed_form`."""

from theory.predictions.closed_form import ClosedForm, Eta
from theory.predictions.erasure import ErasedForm
from theory.predictions.headed_shift import HeadedShiftForm
from theory.predictions.intrinsic_pose import IntrinsicPoseForm
from theory.predictions.linear_gaussian import LinearGaussianForm
from theory.predictions.modular_shift import ModularShiftForm
from theory.predictions.orbits import OrbitForm
from theory.predictions.products import ProductForm
from theory.predictions.quotients import QuotientForm
from theory.predictions.views import ViewsForm
from theory.predictions.watermark import WatermarkedForm

__all__ = [
    "ClosedForm",
    "ErasedForm",
    "Eta",
    "HeadedShiftForm",
    "IntrinsicPoseForm",
    "LinearGaussianForm",
    "ModularShiftForm",
    "OrbitForm",
    "ProductForm",
    "QuotientForm",
    "ViewsForm",
    "WatermarkedForm",
]
