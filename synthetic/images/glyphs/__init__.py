"""Glyphs: images whose class, styles, pose and transformation are known, with the exact posterior."""

from synthetic.images.glyphs.generator import STYLES, Glyphs
from synthetic.images.glyphs.priors import Choice, Prior, Triangular, Uniform
from synthetic.images.glyphs.shapes import GLYPH_SETS, GLYPHS, Glyph
from synthetic.images.glyphs.views import GlyphViews

__all__ = [
    "GLYPHS",
    "GLYPH_SETS",
    "STYLES",
    "Choice",
    "Glyph",
    "GlyphViews",
    "Glyphs",
    "Prior",
    "Triangular",
    "Uniform",
]
