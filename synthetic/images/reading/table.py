"""Parquet tables of encoded images, as the data sets of the Hugging Face hub are stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthetic.images.reading.arrays import IMAGE_NAMES, LABEL_NAMES
from synthetic.images.reading.decode import Encoded

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_image_table"]


@dataclass(frozen=True)
class ImageTable:
    """Encoded images and their labels.

    Args:
        images: One for each row.
        labels: The label of each row, an integer or text.
        names: The name of each class where the file says them, else None.
        columns: The names of the two columns.
    """

    images: tuple[Encoded, ...]
    labels: list[Any]
    names: tuple[str, ...] | None
    columns: tuple[str, str]


def read_image_table(path: Path) -> ImageTable:
    """Read a Parquet file with a column of structs that have `bytes` (or of binary), and a column of labels.

    Raises:
        ValueError: If it is damaged, there is no such column or several, or a value is missing.
    """
    from synthetic.storage.parquet import Parquet

    opened = Parquet(path)
    image, label = _columns(path, opened.schema)
    encoded, labels = opened.read(image).to_pylist(), opened.read(label).to_pylist()
    images = []
    for row, (value, name) in enumerate(zip(encoded, labels, strict=True)):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not content:
            raise ValueError(f"row {row} of {str(path)!r} has no bytes under {image!r}")
        if name is None:
            raise ValueError(f"row {row} of {str(path)!r} has no label under {label!r}")
        images.append(Encoded(f"row {row} of {str(path)!r}", content))
    return ImageTable(tuple(images), labels, _class_names(opened.schema, label), (image, label))


def _columns(path: Path, schema: pa.Schema) -> tuple[str, str]:
    import pyarrow as pa

    images = [field.name for field in schema if _holds_bytes(field.type)]
    plain = [f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_string(f.type)]
    plain += [f.name for f in schema if pa.types.is_large_string(f.type)]
    if len(images) > 1:
        images = [name for name in IMAGE_NAMES if name in images][:1]
    labels = [name for name in LABEL_NAMES if name in plain][:1] or (plain if len(plain) == 1 else [])
    if not images or not labels:
        kinds = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise ValueError(
            f"{str(path)!r} must have a column of encoded images (structs with `bytes`) and one of labels "
            f"named {', '.join(LABEL_NAMES[:4])}, .., got {kinds[:300]}"
        )
    return images[0], labels[0]


def _holds_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        parts = [kind.field(i) for i in range(kind.num_fields)]
        return any(part.name == "bytes" and _is_binary(part.type) for part in parts)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _class_names(schema: pa.Schema, label: str) -> tuple[str, ...] | None:
    """The names in the metadata that the library `datasets` writes: info.features.LABEL.names."""
    try:
        content = json.loads((schema.metadata or {})[b"huggingface"])
        names = content["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) else None
