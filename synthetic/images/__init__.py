"""Image worlds: glyphs drawn from known latents, and real images with a known transformation."""

from synthetic.images.arrays import ImageDataset, Layout, RealImages, from_arrays, from_dataset
from synthetic.images.digits import Digits
from synthetic.images.real import RealImageGenerator

__all__ = [
    "Digits",
    "ImageDataset",
    "Layout",
    "RealImageGenerator",
    "RealImages",
    "from_arrays",
    "from_dataset",
]
