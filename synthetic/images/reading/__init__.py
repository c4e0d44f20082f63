"""Reading your own images: folders of classes, array files, and tables of encoded images."""

from synthetic.images.reading.front import FORMATS, LabelledImages, read_images

__all__ = ["FORMATS", "LabelledImages", "read_images"]
