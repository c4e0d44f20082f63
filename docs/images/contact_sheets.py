"""Make the contact sheets of the documentation: `python docs/images/contact_sheets.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synthetic import Digits, Glyphs, Sample, Variable, contact_sheet
from synthetic.images.glyphs import GLYPHS
from synthetic.transformations import TRANSFORMATIONS, transformation

FOLDER = Path(__file__).parent
EVERYTHING = {
    "hue": {"low": 0.0, "high": 1.0},
    "background": [0.0, 0.2, 0.4],
    "stroke": {"low": 0.12, "high": 0.35},
    "scale": {"low": 0.5, "high": 0.9},
    "position": {"low": -0.12, "high": 0.12},
    "texture": [0.0, 0.6],
    "pose": {"low": -0.15, "high": 0.15},
    "noise": 0.03,
    "occlusion": 0.2,
}


def library() -> Sample:
    """Every glyph of the library, once."""
    names = list(GLYPHS)
    world = Glyphs(names, hue=0.55)
    raw = world.states.raw_images[world.states.numbers[:, 0, 0]].numpy()
    columns = {"C": np.arange(len(names)), "X": raw}
    variables = {
        "C": Variable("C", "discrete", len(names), "class"),
        "X": Variable("X", "image", None, "input"),
    }
    return Sample(columns, variables, metadata={"parameters": world.settings})


def transformations() -> tuple[Sample, list[str]]:
    """One glyph under eight labels of each transformation."""
    raw = Glyphs(("F", "key"), hue=0.07, background=0.2).states.raw_images[:1]
    images, labels, kinds = [], [], []
    for k, name in enumerate(TRANSFORMATIONS):
        action = transformation(name)
        states = action.cardinality
        steps = (
            torch.arange(8.0) * (2 * np.pi / 8)
            if states is None
            else torch.arange(8) * max(1, states // 8) % states
        )
        images.append(action.apply(raw.expand(8, -1, -1, -1), steps).numpy())
        labels += steps.tolist()
        kinds += [k] * 8
    columns = {"T": np.array(kinds), "A": np.array(labels, dtype=np.float64), "X": np.concatenate(images)}
    variables = {
        "T": Variable("T", "discrete", len(TRANSFORMATIONS)),
        "A": Variable("A", "continuous", None, "transformation"),
        "X": Variable("X", "image", None, "input"),
    }
    return Sample(columns, variables), list(TRANSFORMATIONS)


def main() -> None:
    """Write the sheets beside this file."""
    contact_sheet(library(), columns=10, rows=5, side=64, title="the library of glyphs").save(
        FOLDER / "glyph-library.png"
    )
    everything = Glyphs("mixed", **EVERYTHING).sample(32, seed=0)
    contact_sheet(everything).save(FOLDER / "glyphs.png")
    sample, names = transformations()
    sheet = contact_sheet(sample, columns=8, rows=9, side=80, names={"T": names}, title="the transformations")
    sheet.save(FOLDER / "transformations.png")
    augmented = Glyphs("free", augmentation="simclr", background=0.3).sample(24, seed=0)
    contact_sheet(augmented, captions=["C", "A"], rows=3, title="SimCLR augmentation, then rotation").save(
        FOLDER / "simclr.png"
    )
    contact_sheet(Digits("rotation").sample(16, seed=0), rows=2).save(FOLDER / "digits.png")


if __name__ == "__main__":
    main()
