"""Contact sheets: the pixels are the sample's, the captions name the latents."""

import io

import numpy as np
import pytest
from PIL import Image

from synthetic import Digits, Glyphs, ModularShift, contact_sheet
from synthetic.images.contact_sheet import _caption, _class_names


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_sheet_shows_the_images_of_the_sample():
    sample = Glyphs(("F", "6", "9"), size=16, noise=0.2).sample(10, seed=0)
    sheet = contact_sheet(sample, columns=4, rows=2, side=64, title="")
    found = pixels(sheet.png)
    assert found.shape == (sheet.height, sheet.width, 3)
    for k in (0, 3):  # each pixel becomes a square of 4 x 4
        x, y = 8 + k * 72, 8
        shown = found[y + 2 : y + 64 : 4, x + 2 : x + 64 : 4] / 255
        expected = np.clip(np.moveaxis(sample["X"][k], 0, -1), 0, 1)
        assert np.abs(shown - expected).max() <= 1 / 255


def test_gray_images_and_few_rows():
    sheet = contact_sheet(Digits().sample(3, seed=0), columns=8)
    found = pixels(sheet.png)
    assert (found[..., 0] == found[..., 2]).all()
    assert sheet.width == 3 * (96 + 8) + 8


def test_captions_name_classes_and_values():
    sample = Glyphs(("F", "6"), size=16, hue={"low": 0, "high": 1}).sample(1, seed=0)
    names = _class_names(sample)
    assert names == {"C": ["F", "6"]}
    text = _caption(sample, 0, ["C", "A", "hue"], names, 99)
    assert text == f"C={names['C'][sample['C'][0]]} A={sample['A'][0]} hue={sample['hue'][0]:.2f}"
    assert max(map(len, _caption(sample, 0, ["C", "A", "hue"], names, 6).split("\n"))) <= 6
    assert _class_names(Digits(classes=(6, 9)).sample(1, seed=0)) == {"C": ["6", "9"]}


def test_more_captions_make_a_taller_sheet():
    sample = Glyphs(size=16).sample(8, seed=0)
    assert contact_sheet(sample).height > contact_sheet(sample, captions=["C"]).height


def test_the_same_sample_gives_the_same_file(tmp_path):
    sample = Glyphs(size=16).sample(4, seed=0)
    one, two = contact_sheet(sample), contact_sheet(sample)
    assert one.png == two.png
    assert one._repr_png_() == one.png
    assert one.save(tmp_path / "sheet.png").read_bytes() == one.png


BAD = {
    "no image": (lambda: ModularShift().sample(3, seed=0), {}, "needs an image column"),
    "not an image": (lambda: Digits().sample(3, seed=0), {"image": "C"}, "image must be one of"),
    "unknown caption": (lambda: Digits().sample(3, seed=0), {"captions": ["S"]}, "unknown variable 'S'"),
    "image as caption": (lambda: Digits().sample(3, seed=0), {"captions": ["X"]}, "scalars or pairs"),
    "no columns": (lambda: Digits().sample(3, seed=0), {"columns": 0}, "columns must be at least 1"),
    "no rows": (lambda: Digits().sample(3, seed=0), {"rows": 0}, "rows must be at least 1"),
    "tiny images": (lambda: Digits().sample(3, seed=0), {"side": 4}, "side must be at least 16"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_sheets(case: str):
    make, options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        contact_sheet(make(), **options)
