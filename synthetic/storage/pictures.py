"""Images with their classes for other tools: folders of class folders, Parquet of encoded images, arrays."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.sample import Sample
from synthetic.storage.read import iter_shards

__all__ = ["PICTURE_FORMATS", "export_images"]

PICTURE_FORMATS = "a new folder, for a subfolder of PNG files for each class, or a .parquet or .npz file"
"""What `export_images` writes, in words."""

_LEVELS = 255
"""The shades of a byte."""


def export_images(
    source: str | Path | Sample,
    path: str | Path,
    *,
    image: str = "X",
    label: str = "C",
    names: Sequence[str] | None = None,
    clip: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write images and one label so that other tools read them.

    A folder gets a subfolder of PNG files for each class, as torchvision's ImageFolder reads it; `.parquet`
    gets encoded images and labels, as the library `datasets` reads them; `.npz` the arrays `images` and
    `labels`. Image files hold 256 shades, so that pixels are rounded to them; `.npz` keeps the floats.

    Args:
        source: A data set that `write_dataset` made, read shard by shard, or a sample.
        path: What to write; it must not exist.
        image: The column of images.
        label: The discrete column that becomes the label.
        names: The name of each state of the label; None for its number.
        clip: Whether pixels outside [0, 1] are set to the nearest of the two, which image files need.
        progress: Called with the number of images that are written.

    Raises:
        FileExistsError: If there is something at the path.
        ValueError: If a column is none of these, the suffix is unknown, names are missing, or pixels leave
            [0, 1] and `clip` is off.
    """
    place = Path(path)
    if place.suffix.lower() not in ("", ".parquet", ".npz"):
        raise ValueError(f"cannot export images to {str(path)!r}: expected {PICTURE_FORMATS}")
    if place.exists():
        raise FileExistsError(f"there is something at {str(path)!r}: name {PICTURE_FORMATS}")
    shards: Iterable[Sample] = [source] if isinstance(source, Sample) else iter_shards(source)
    parts = _parts(shards, image, label, names)
    if place.suffix.lower() == ".npz":
        return _to_arrays(parts, place, progress)
    encoded = _encoded(parts, clip, progress)
    place.parent.mkdir(parents=True, exist_ok=True)
    return _to_folder(encoded, place) if not place.suffix else _to_table(encoded, place)


Part = tuple[npt.NDArray[Any], npt.NDArray[np.int64], tuple[str, ...]]


def _parts(shards: Iterable[Sample], image: str, label: str, names: Sequence[str] | None) -> Iterator[Part]:
    """The images, labels and names of the classes of each shard."""
    for shard in shards:
        described = shard.variables
        if image not in described or described[image].kind != "image":
            kinds = ", ".join(f"{v.name} ({v.kind})" for v in described.values())
            raise ValueError(f"image must name a column of images, got {image!r} among {kinds}")
        if label not in described or described[label].kind != "discrete":
            kinds = ", ".join(f"{v.name} ({v.kind})" for v in described.values())
            raise ValueError(f"label must name a discrete column, got {label!r} among {kinds}")
        states = described[label].cardinality or 1
        known = names or shard.metadata.get("levels", {}).get(label) or range(states)
        if len(known) < states:
            raise ValueError(f"names must name each of the {states} states of {label!r}, got {len(known)}")
        yield shard[image], shard[label].astype(np.int64), tuple(map(str, known))


def _to_arrays(parts: Iterator[Part], place: Path, progress: Callable[[int], None] | None) -> Path:
    images, labels = [], []
    for pixels, numbers, names in parts:
        images.append(pixels)
        labels.append(np.asarray(names)[numbers] if names != tuple(map(str, range(len(names)))) else numbers)
        if progress is not None:
            progress(sum(map(len, images)))
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(place, images=np.concatenate(images), labels=np.concatenate(labels))
    return place


Encoded = tuple[bytes, int, tuple[str, ...]]


def _encoded(parts: Iterator[Part], clip: bool, progress: Callable[[int], None] | None) -> Iterator[Encoded]:
    """Each image as a PNG, with its label and the names of the classes."""
    from PIL import Image

    done = 0
    for pixels, numbers, names in parts:
        if pixels.shape[1] not in (1, 3):
            raise ValueError(f"image files hold 1 or 3 channels, got {pixels.shape[1]}: export to .npz")
        low, high = float(pixels.min()), float(pixels.max())
        if (low < 0 or high > 1) and not clip:
            raise ValueError(
                f"image files hold pixels in [0, 1], got {low:.3g} to {high:.3g}: export to .npz, which "
                "keeps them, or clip them with clip=True (--clip)"
            )
        shades = np.rint(np.clip(pixels, 0, 1) * _LEVELS).astype(np.uint8)
        for shown, number in zip(shades, numbers.tolist(), strict=True):
            picture = Image.fromarray(shown[0] if len(shown) == 1 else np.moveaxis(shown, 0, -1))
            buffer = io.BytesIO()
            picture.save(buffer, format="PNG")
            yield buffer.getvalue(), number, names
            done += 1
            if progress is not None:
                progress(done)


def _to_folder(encoded: Iterator[Encoded], place: Path) -> Path:
    for row, (content, number, names) in enumerate(encoded):
        folder = place / (names[number] or str(number)).replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row:07d}.png").write_bytes(content)
    return place


def _to_table(encoded: Iterator[Encoded], place: Path) -> Path:
    """Parquet with the columns and the metadata that the library `datasets` writes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    images, labels = [], []
    names: tuple[str, ...] = ()
    for row, (content, number, known) in enumerate(encoded):
        images.append({"bytes": content, "path": f"{row:07d}.png"})
        labels.append(number)
        names = known
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", kind), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    pq.write_table(pa.table({"image": images, "label": labels}, schema=schema), place)
    return place
