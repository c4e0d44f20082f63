"""Data sets as one table for other tools."""

from __future__ import annotations

from pathlib import Path

from synthetic.storage.manifest import Manifest
from synthetic.storage.read import iter_shards
from synthetic.storage.tables import ParquetFile

__all__ = ["export_parquet"]


def export_parquet(source: str | Path, path: str | Path) -> Path:
    """Write a data set's table to one Parquet file, shard by shard with bounded memory.

    Args:
        source: The folder of the data set.
        path: The file to write, which ends in `.parquet`.

    Returns:
        The path that was written.

    Raises:
        FileNotFoundError: If there is no data set.
        ValueError: If it has images, or the suffix is not `.parquet`.
    """
    file = Path(path)
    if file.suffix != ".parquet":
        raise ValueError(f"cannot export to {str(file)!r}: expected a .parquet file")
    images = [v.name for v in Manifest.read(Path(source)).variables if v.kind == "image"]
    if images:
        raise ValueError(f"a Parquet table holds no images, and {str(source)!r} has {', '.join(images)}")
    with ParquetFile(file) as out:
        for shard in iter_shards(source):
            out.write(shard)
    return file
