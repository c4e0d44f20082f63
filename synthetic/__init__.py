"""The synthetic storey: generators whose class, style, pose and transformation latents are known."""

from synthetic.families.class_circle import ClassCircle
from synthetic.families.erasure import Erasure
from synthetic.families.linear_gaussian import LinearGaussian
from synthetic.families.modular_shift import ModularShift
from synthetic.families.orbits import Orbits
from synthetic.families.product import Product
from synthetic.families.quotient import Quotient
from synthetic.families.random_model import RandomModel
from synthetic.families.reduced_shift import ReducedShift
from synthetic.families.watermark import Watermark
from synthetic.generator import Answer, FiniteGenerator, Generator, NoExactAnswerError
from synthetic.groups import Action, FiniteGroup, cyclic, dihedral, direct_product, parse_group, symmetric
from synthetic.images import Cifar10, Digits, Glyphs, RealImages, contact_sheet, from_arrays, from_dataset
from synthetic.registry import GENERATORS, READERS, describe, load_generator, make_generator
from synthetic.sample import Sample
from synthetic.storage import (
    DamagedFileError,
    StoredDataset,
    export_parquet,
    iter_shards,
    open_dataset,
    read_data,
    read_dataset,
    read_table,
    save_sample,
    write_dataset,
)
from synthetic.table import Table
from synthetic.variables import Variable

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
    "Table",
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
    "save_sample",
    "symmetric",
    "write_dataset",
]
