"""The synthetic storey: generators whose class, style, pose and transformation latents are known."""

from synthetic.class_circle import ClassCircle
from synthetic.erasure import Erasure
from synthetic.generator import Answer, FiniteGenerator, Generator, NoExactAnswerError
from synthetic.groups import Action, FiniteGroup, cyclic, dihedral, direct_product, parse_group, symmetric
from synthetic.images import Cifar10, Digits, Glyphs, RealImages, contact_sheet, from_arrays, from_dataset
from synthetic.linear_gaussian import LinearGaussian
from synthetic.modular_shift import ModularShift
from synthetic.orbits import Orbits
from synthetic.product import Product
from synthetic.quotient import Quotient
from synthetic.random_model import RandomModel
from synthetic.reduced_shift import ReducedShift
from synthetic.registry import GENERATORS, READERS, describe, load_generator, make_generator
from synthetic.sample import Sample, Variable
from synthetic.storage import (
    DamagedFileError,
    StoredDataset,
    export_parquet,
    iter_shards,
    open_dataset,
    read_data,
    read_dataset,
    read_table,
    write_dataset,
)
from synthetic.watermark import Watermark

__all__ = [
    "GENERATORS",
    "READERS",
    "Action",
    "Answer",
    "Cifar10",
    "ClassCircle",
    "DamagedFileError",
    "Digits",
    "Erasure",
    "FiniteGenerator",
    "FiniteGroup",
    "Generator",
    "Glyphs",
    "LinearGaussian",
    "ModularShift",
    "NoExactAnswerError",
    "Orbits",
    "Product",
    "Quotient",
    "RandomModel",
    "RealImages",
    "ReducedShift",
    "Sample",
    "StoredDataset",
    "Variable",
    "Watermark",
    "contact_sheet",
    "cyclic",
    "describe",
    "dihedral",
    "direct_product",
    "export_parquet",
    "from_arrays",
    "from_dataset",
    "iter_shards",
    "load_generator",
    "make_generator",
    "open_dataset",
    "parse_group",
    "read_data",
    "read_dataset",
    "read_table",
    "symmetric",
    "write_dataset",
]
