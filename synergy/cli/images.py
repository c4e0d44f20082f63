"""Images for the command line, and `synergy describe`: what was understood of some data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synergy.cli.app import JSON, app, emit, results_folder

if TYPE_CHECKING:
    from synthetic import LabelledImages, Sample
    from synthetic.images.contact_sheet import ContactSheet

__all__ = ["SIZE", "images_of"]

SIZE = Annotated[
    int, typer.Option("--size", min=0, help="Resize image files to this side in pixels; 0 keeps their own.")
]
"""The option `--size`."""

_MANIFEST = "dataset.json"
"""The file that tells a dataset of ours from a folder of images."""
_CLASSES_SHOWN = 20
"""The most classes that are counted line by line."""
_SHEET = (8, 4)  # columns and rows of the contact sheet


def images_of(data: str, *, size: int = 0) -> LabelledImages:
    """The images and classes that DATA or IMAGES names on the command line.

    Args:
        data: `digits`, a folder that `generate` made, the folder of CIFAR-10's binary version (its test
            images), a folder of class subfolders or of `train` and `test`, or a file of images and labels.
        size: The side to resize image files to; 0 to keep their own.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it has no images or no labels.
    """
    import numpy as np

    from synthetic import Cifar10, Digits, LabelledImages, read_data, read_images
    from synthetic.images.cifar10 import is_cifar10

    if data == "digits":
        digits = Digits()
        names = tuple(map(str, digits.class_names))
        return LabelledImages(digits.raw.numpy(), np.asarray(digits.targets), names, data)
    path = Path(data)
    if is_cifar10(data):
        cifar = Cifar10(data, split="test")
        return LabelledImages(cifar.raw.numpy(), cifar.targets, cifar.class_names, data)
    if (path / _MANIFEST).is_file():
        return _of_sample(read_data(path), data)
    return read_images(path, size=size or None)


def _of_sample(sample: Sample, source: str) -> LabelledImages:
    """The raw images of a generated data set where it has some, else its inputs, with their classes."""
    import numpy as np

    from synthetic import LabelledImages

    images = [v.name for v in sample.variables.values() if v.kind == "image"]
    classes = [v.name for v in sample.variables.values() if v.role == "class" and v.kind == "discrete"]
    if not images or not classes:
        raise ValueError(f"{source!r} must have images and a class, got {', '.join(sample.names)}")
    labels = sample[classes[0]]
    states, numbers = np.unique(labels, return_inverse=True)
    names = tuple(str(state) for state in states.tolist())
    note = f"images from {images[0]!r}, labels from {classes[0]!r}"
    return LabelledImages(sample[images[0]], numbers.astype(np.int64), names, source, (note,))


@app.command("describe")
def describe_command(
    data: Annotated[str, typer.Argument(help="A table, a generated folder, images, or digits.")],
    size: SIZE = 0,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for a contact sheet.")] = None,
    as_json: JSON = False,
) -> None:
    """Say how data is understood: columns, kinds, numbers of states, classes and sizes of images."""
    found, sheet = _described(data, size, wanted=out is not None)
    if out is not None:
        if sheet is None:
            raise ValueError(f"a contact sheet shows images, and {data!r} has none: leave out --out")
        with results_folder(out):
            out.mkdir(parents=True, exist_ok=True)
            found["contact_sheet"] = str(sheet.save(out / "contact_sheet.png"))
    if as_json:
        emit(found)
        return
    _show(found)


def _described(data: str, size: int, *, wanted: bool) -> tuple[dict[str, Any], Any]:
    path = Path(data)
    is_table = path.suffix.lower() == ".csv" or (path / _MANIFEST).is_file()
    if not is_table and path.suffix.lower() in (".parquet", ".npz", ".safetensors"):
        try:
            return _of_images(images_of(data, size=size), wanted)
        except ValueError:
            is_table = True  # it holds no images with labels: a table of columns
    if is_table:
        return _of_table(data, wanted)
    return _of_images(images_of(data, size=size), wanted)


def _of_images(images: LabelledImages, wanted: bool) -> tuple[dict[str, Any], Any]:
    world = images.generator("horizontal-flip")
    _, channels, height, width = world.raw.shape
    found = {
        "data": images.source,
        "kind": "images",
        "images": len(images),
        "channels": channels,
        "height": height,
        "width": width,
        "classes": images.counts,
        "notes": list(images.notes),
    }
    return found, _sheet(world.sample(_SHEET[0] * _SHEET[1], seed=0), images.names) if wanted else None


def _of_table(data: str, wanted: bool) -> tuple[dict[str, Any], Any]:
    import numpy as np

    from synthetic import Table, read_data

    found = read_data(Path(data))
    sample = found.usable() if isinstance(found, Table) else found
    levels = sample.metadata.get("levels", {})
    columns = []
    for v in sample.variables.values():
        column = sample[v.name]
        row: dict[str, Any] = {"name": v.name, "kind": v.kind, "shape": list(column.shape[1:])}
        if v.kind == "discrete":
            states, counts = np.unique(column, return_counts=True)
            names = levels.get(v.name)
            shown = [str(names[s]) if names else str(s) for s in states.tolist()]
            counted = dict(list(zip(shown, counts.tolist(), strict=True))[:_CLASSES_SHOWN])
            row |= {"cardinality": v.cardinality, "states_seen": len(states), "counts": counted}
        else:
            row |= {"low": float(column.min()), "high": float(column.max())}
        columns.append(row)
    described = {
        "data": data,
        "kind": "table",
        "rows": len(sample),
        "groups": sample.groups,
        "columns": columns,
    }
    pictured = wanted and any(v.kind == "image" for v in sample.variables.values())
    return described, _sheet(sample, None) if pictured else None


def _sheet(sample: Sample, names: tuple[str, ...] | None) -> ContactSheet:
    from synthetic import contact_sheet

    columns, rows = _SHEET
    return contact_sheet(sample, columns=columns, rows=rows, names=None if names is None else {"C": names})


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 120)
    if found["kind"] == "images":
        table = Table(
            title=f"{found['images']:,} images of {found['channels']} x {found['height']} x {found['width']}"
        )
        table.add_column("class")
        table.add_column("images", justify="right")
        for name, count in found["classes"].items():
            table.add_row(name, f"{count:,}")
    else:
        table = Table(title=f"{found['rows']:,} rows")
        for title in ("column", "kind", "shape of a row", "states or range"):
            table.add_column(title)
        for row in found["columns"]:
            if row["kind"] == "discrete":
                said = f"{row['states_seen']} of {row['cardinality']} states occur"
            else:
                said = f"{row['low']:.4g} to {row['high']:.4g}"
            shape = " x ".join(map(str, row["shape"])) or "one value"
            table.add_row(row["name"], row["kind"], shape, said)
    console.print(table)
    for note in found.get("notes", ()):
        typer.echo(f"note: {note}")
    if "contact_sheet" in found:
        typer.echo(f"contact sheet: {found['contact_sheet']}")
