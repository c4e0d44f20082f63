"""Image worlds: glyphs drawn from known latents, and real images with a known transformation."""

from synthetic.images.arrays import ChannelOrder, ImageDataset, RealImages, from_arrays, from_dataset
from synthetic.images.cifar10 import Cifar10
from synthetic.images.contact_sheet import ContactSheet, contact_sheet
from synthetic.images.digits import Digits
from synthetic.images.glyphs import (
    GLYPH_SETS,
    GLYPHS,
    Choice,
    Glyph,
    Glyphs,
    GlyphViews,
    Prior,
    Triangular,
    Uniform,
)
from synthetic.images.real import RealImageGenerator

__all__ = [
    "GLYPHS",
    "GLYPH_SETS",
    "ChannelOrder",
    "Choice",
    "Cifar10",
    "ContactSheet",
    "Digits",
    "Glyph",
    "GlyphViews",
    "Glyphs",
    "ImageDataset",
    "Prior",
    "RealImageGenerator",
    "RealImages",
    "Triangular",
    "Uniform",
    "contact_sheet",
    "from_arrays",
    "from_dataset",
]
