"""The synthetic storey: generators whose class, style, pose and transformation latents are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.deferred import public_names

if TYPE_CHECKING:
    from synthetic.families.class_circle import ClassCircle
    from synthetic.families.erasure import Erasure
    from synthetic.families.headed_shift import HeadedShift
    from synthetic.families.linear_gaussian import LinearGaussian
    from synthetic.families.modular_shift import ModularShift
    from synthetic.families.orbits import Orbits
    from synthetic.families.product import Product
    from synthetic.families.quotient import Quotient
    from synthetic.families.random_model import RandomModel
    from synthetic.families.reduced_shift import ReducedShift
    from synthetic.families.shared_signal import SharedSignal
    from synthetic.families.task_and_nuisance import TaskAndNuisance
    from synthetic.families.two_views import TwoViews
    from synthetic.families.watermark import Watermark
    from synthetic.generator import Answer, FiniteGenerator, Generator, NoExactAnswerError
    from synthetic.groups import Action, FiniteGroup, cyclic, dihedral, direct_product, parse_group, symmetric
    from synthetic.images import (
        Cifar10,
        Digits,
        Glyphs,
        GlyphViews,
        RealImages,
        contact_sheet,
        from_arrays,
        from_dataset,
    )
    from synthetic.images.reading import LabelledImages, read_images
    from synthetic.registry import GENERATORS, READERS, describe, load_generator, make_generator
    from synthetic.sample import Sample
    from synthetic.storage import (
        BusyError,
        DamagedFileError,
        StoredDataset,
        export_images,
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
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "synthetic.families.class_circle": ("ClassCircle",),
            "synthetic.families.erasure": ("Erasure",),
            "synthetic.families.headed_shift": ("HeadedShift",),
            "synthetic.families.linear_gaussian": ("LinearGaussian",),
            "synthetic.families.modular_shift": ("ModularShift",),
            "synthetic.families.orbits": ("Orbits",),
            "synthetic.families.product": ("Product",),
            "synthetic.families.quotient": ("Quotient",),
            "synthetic.families.random_model": ("RandomModel",),
            "synthetic.families.reduced_shift": ("ReducedShift",),
            "synthetic.families.shared_signal": ("SharedSignal",),
            "synthetic.families.task_and_nuisance": ("TaskAndNuisance",),
            "synthetic.families.two_views": ("TwoViews",),
            "synthetic.families.watermark": ("Watermark",),
            "synthetic.generator": ("Answer", "FiniteGenerator", "Generator", "NoExactAnswerError"),
            "synthetic.groups": (
                "Action",
                "FiniteGroup",
                "cyclic",
                "dihedral",
                "direct_product",
                "parse_group",
                "symmetric",
            ),
            "synthetic.images": (
                "Cifar10",
                "Digits",
                "GlyphViews",
                "Glyphs",
                "RealImages",
                "contact_sheet",
                "from_arrays",
                "from_dataset",
            ),
            "synthetic.registry": ("GENERATORS", "READERS", "describe", "load_generator", "make_generator"),
            "synthetic.sample": ("Sample",),
            "synthetic.images.reading": ("LabelledImages", "read_images"),
            "synthetic.storage": (
                "BusyError",
                "DamagedFileError",
                "StoredDataset",
                "export_images",
                "export_parquet",
                "iter_shards",
                "open_dataset",
                "read_data",
                "read_dataset",
                "read_table",
                "save_sample",
                "write_dataset",
            ),
            "synthetic.table": ("Table",),
            "synthetic.variables": ("Variable",),
        },
    )

__all__ = [
    "GENERATORS",
    "READERS",
    "Action",
    "Answer",
    "BusyError",
    "Cifar10",
    "ClassCircle",
    "DamagedFileError",
    "Digits",
    "Erasure",
    "FiniteGenerator",
    "FiniteGroup",
    "Generator",
    "GlyphViews",
    "Glyphs",
    "HeadedShift",
    "LabelledImages",
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
    "SharedSignal",
    "StoredDataset",
    "Table",
    "TaskAndNuisance",
    "TwoViews",
    "Variable",
    "Watermark",
    "contact_sheet",
    "cyclic",
    "describe",
    "dihedral",
    "direct_product",
    "export_images",
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
    "read_images",
    "read_table",
    "save_sample",
    "symmetric",
    "write_dataset",
]
