"""What the fuzz tests and `benchmarks/fuzz.py` attack, with which inputs, and what counts as an answer.

A target takes text or the bytes of a file. It may accept them, or refuse them with one ValueError or
TypeError of one line. Anything else is a failure: another error, an error of several lines, a message as long
as the input.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synthetic import (
    Sample,
    load_generator,
    make_generator,
    read_data,
    read_images,
    save_sample,
    write_dataset,
)
from synthetic.families.modular_shift import ModularShift
from synthetic.groups import group_from_dict, parse_group
from synthetic.table import Table
from theory import Diagram, check, parse_expression, parse_statement, parse_term, prove
from theory.diagrams import read_diagram
from theory.parser import ParseError
from theory.prover import Certificate

LONGEST = 2000
"""The most characters of an error."""


ANSWERS = {
    "accepted",
    *("ValueError", "TypeError", "ParseError", "TooLargeError", "DamagedFileError", "NoExactAnswerError"),
}
"""Every answer that an input may get; errors of libraries, such as a UnicodeDecodeError, are none."""


class WrongAnswerError(AssertionError):
    """An input that was neither accepted nor refused as it should be."""


def answer(call: Callable[[], object]) -> str:
    """`accepted`, or the kind of the documented error with which an input was refused.

    Raises:
        WrongAnswerError: If anything else happened.
    """
    try:
        call()
    except (ValueError, TypeError) as error:
        # the message of a ParseError shows the place on lines of its own; the command prints the reason alone
        text = error.reason if isinstance(error, ParseError) else str(error)
        if "\n" in text or "\r" in text:
            raise WrongAnswerError(f"an error of several lines: {text!r}") from error
        if len(text) > LONGEST:
            raise WrongAnswerError(f"an error of {len(text)} characters: {text[:200]!r}") from error
        if not text.strip():
            raise WrongAnswerError(f"an error that says nothing: {error!r}") from error
        return type(error).__name__
    except Exception as error:
        raise WrongAnswerError(f"{type(error).__name__}: {error}") from error
    return "accepted"


def used(data: Sample) -> None:
    """Look at a sample as `describe` does."""
    repr(data)
    sample = data.usable() if isinstance(data, Table) else data
    for name in sample.names:
        np.asarray(sample[name])


# --- text -------------------------------------------------------------------------------------------------

STATEMENTS = (
    "I(A;Z|C) >= I(A;Z)",
    "A _||_ C | X",
    "2 H(A,B) - 1/3 I(A;B;C|D) <= (1 + 1e-1) H(A) and H(B|A) == 0",
    "H(A)+H(B)>=H(A,B), 0 <= I(A';B)",
    "-I(A;C) + 3*(H(A) - H(C))/7 < H(X_1)",
    "0 <= 0 H(B) <= H(A) >= 0\nA ⊥ (B,C) and 0 == 0",
    "H(A)\n− 2·H(A∣B) ⩽ (0 +\n1) H(A)",
)
DIAGRAMS = (
    "C->R, S->R, V->R, R->X, A->X, X->Z",
    "A=>B=>C, D",
    "essl",
    "two-views, A->Q",
    "none",
    "X1->X2->X3",
    "A; B->C<-D\nE→F",
)
GROUPS = ("cyclic(4)", "dihedral(3) x cyclic(2)", "symmetric(3)", "trivial", "cyclic(4096)", "symmetric(5)")
SETTINGS = (
    *("4", "0.1", "1/10", "[0.5, 0.5]", "none", "cyclic(4)", "[[0],[0,2]]", "[[0,0],[1,0]]", "modular-shift"),
    *("[]", "[[]]", "{}", "", "-1", "0", "1e400", "nan", "9" * 60, "4096", "10000000", "[1e400]", "[null]"),
    *(
        '{"family": "orbits"}',
        '{"table": [[0]]}',
        '{"table": [[0,1],[1]]}',
        "true",
        '["a"]',
        "[" * 3000,
        "[-1]",
    ),
    *(
        "[[0.5,0.5],[0.5,0.5]]",
        "[99999999999999999999]",
        '{"C": 2}',
        "A->X",
        "rotation",
        "x",
        "\x00",
        "1e-300",
    ),
)
ALPHABET = "HIABCXZ(),;|+-*/<>=_0123456789.eE' \t\n[]{}\":xn\\⊥≥é\x00−·⩽∣⫫→←&≠"


def certificate() -> str:
    """The text of a certificate of several steps."""
    return prove("I(A;Z) <= I(A;X)", diagram="essl").certificate.to_json()  # type: ignore[union-attr]


@dataclass(frozen=True)
class TextTarget:
    """A parser of text.

    Args:
        read: The parser.
        valid: Texts that it accepts, from which others are made.
    """

    read: Callable[[str], object]
    valid: tuple[str, ...]


def _certified(text: str) -> None:
    Certificate.from_json(text)
    check(text)


def _read_back(text: str) -> None:
    """A statement prints as text that reads the same."""
    statement = parse_statement(text)
    if parse_statement(str(statement)) != statement:
        raise WrongAnswerError(f"{text!r} is read as {statement}, which reads differently")


def _drawn_back(text: str) -> None:
    diagram = read_diagram(text)
    if diagram is not None and Diagram.parse(str(diagram)) != diagram:
        raise WrongAnswerError(f"{text!r} is read as {diagram}, which reads differently")


def _loaded(text: str) -> None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        load_generator(content)


def _grouped(text: str) -> None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = text
    group_from_dict(content)


TEXTS: dict[str, TextTarget] = {
    "statements": TextTarget(_read_back, STATEMENTS),
    "expressions": TextTarget(parse_expression, ("I(A;Z|C) - 2 I(A;Z)", "1/3 H(A,B|C)", "(H(A) - H(B))/2")),
    "terms": TextTarget(parse_term, ("I(A;Z|C)", "H(A,B)", "I(A;B;C|D,E)")),
    "diagrams": TextTarget(_drawn_back, DIAGRAMS),
    "groups": TextTarget(parse_group, GROUPS[:4]),
    "group objects": TextTarget(_grouped, ('{"table": [[0,1],[1,0]], "name": "two"}', '"cyclic(2)"')),
    "certificates": TextTarget(_certified, (certificate(),)),
    "generators": TextTarget(
        _loaded,
        (
            json.dumps({"family": "modular-shift", "parameters": {"n": 4, "prior": [0.5, 0.5]}}),
            json.dumps({"family": "erasure", "parameters": {"base": {"family": "orbits", "parameters": {}}}}),
        ),
    ),
}


def settings_of_every_family() -> list[tuple[str, str]]:
    """The families that cost little to make, with each of their parameters."""
    from dataclasses import fields

    from synthetic import GENERATORS

    return [(family, f.name) for family in GENERATORS for f in fields(GENERATORS[family]) if f.init]


def made(family: str, settings: dict[str, str]) -> None:
    """Make a generator and ask what every generator knows."""
    world = make_generator(family, settings)
    repr(world)
    assert world.variables
    assert world.diagram is not None
    json.dumps(world.settings)


# --- files ------------------------------------------------------------------------------------------------


def _sample() -> Sample:
    return ModularShift(n=4).sample(12, seed=0)


def csv_files() -> list[bytes]:
    return [
        b"A,C,score\n0,a,0.5\n1,b,1.5\n2,a,-2e3\n",
        b'\xef\xbb\xbf"x, y",Z_0,Z_1\r\n"1\n2",0.1,0.2\r\nb,0.3,0.4\r\n',
    ]


def parquet_files() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    table = pa.table(
        {
            "A": pa.array([0, 1, 2, 1]),
            "text": pa.array(["a", "b", "a", "c"]),
            "Z": pa.array([[0.1, 0.2]] * 4, pa.list_(pa.float32())),
            "d": pa.array(["u", "v", "u", "v"]).dictionary_encode(),
        }
    )
    for compression in ("none", "snappy", "zstd"):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression=compression)
        found.append(buffer.getvalue())
    return found


def npz_files() -> list[bytes]:
    rng = np.random.default_rng(0)
    arrays = {"A": np.arange(6) % 3, "Z": rng.random((6, 2)), "name": np.array(list("abcabc"))}
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, array in arrays.items():
                content = io.BytesIO()
                np.save(content, array)
                archive.writestr(f"{name}.npy", content.getvalue())
        found.append(buffer.getvalue())
    return found


def safetensors_files(folder: Path) -> list[bytes]:
    from safetensors.numpy import save

    own = save_sample(_sample(), folder / "own.safetensors").read_bytes()
    return [own, save({"A": np.arange(4), "Z": np.ones((4, 3), np.float32), "h": np.ones(4, np.float16)})]


def pictures() -> list[bytes]:
    """Small images in every format that is read."""
    from PIL import Image

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    found = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        for mode in ("RGB", "L"):
            buffer = io.BytesIO()
            Image.fromarray(pixels).convert(mode).save(buffer, kind)
            found.append(buffer.getvalue())
    return found


def picture_tables() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [{"bytes": picture, "path": None} for picture in pictures()[:2]] * 2
    buffer = io.BytesIO()
    pq.write_table(pa.table({"image": images, "label": [0, 0, 1, 1]}), buffer)
    return [buffer.getvalue()]


def array_files() -> list[bytes]:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=np.ones((4, 6, 5), np.float32) / 2, labels=np.array([0, 1, 0, 1]))
    return [buffer.getvalue()]


def write_anew(path: Path, content: bytes) -> None:
    """A new file in place of an old one: some file systems wait for the disk where an old one is emptied."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


@dataclass
class FileTarget:
    """A reader of files.

    Args:
        name: The name of the file that is written, whose ending says its kind.
        read: Reads the file at a path.
        valid: The bytes of files that it accepts.
    """

    name: str
    read: Callable[[Path], object]
    valid: list[bytes] = field(repr=False)

    def attack(self, folder: Path, content: bytes) -> str:
        """Write the bytes and read them; what `answer` says."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_anew(path, content)
        return answer(lambda: self.read(path))


def _one_picture(path: Path) -> None:
    from synthetic.images.reading.decode import Encoded, decode

    decode([Encoded(path.name, path)])
    decode([Encoded(path.name, path.read_bytes())], size=(4, 4))


def file_targets(folder: Path) -> dict[str, FileTarget]:
    """The readers; `folder` is where valid files are made."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = write_dataset(ModularShift(n=4), samples=20, seed=0, out=folder / "dataset", shards=2)
    manifest = (dataset / "dataset.json").read_bytes()
    shards = [p.read_bytes() for p in sorted(dataset.glob("*.safetensors"))]

    def read_folder(path: Path) -> None:
        for shard in dataset.glob("*.safetensors"):
            if not (path.parent / shard.name).exists():
                (path.parent / shard.name).write_bytes(shard.read_bytes())
        used(read_data(path.parent))

    def read_shard(path: Path) -> None:
        if not (path.parent / "dataset.json").exists():
            (path.parent / "dataset.json").write_bytes(manifest)
        used(read_data(path.parent))

    def table(path: Path) -> None:
        used(read_data(path))

    return {
        "CSV": FileTarget("t.csv", table, csv_files()),
        "Parquet": FileTarget("t.parquet", table, parquet_files()),
        "npz": FileTarget("t.npz", table, npz_files()),
        "safetensors": FileTarget("t.safetensors", table, safetensors_files(folder)),
        "dataset.json": FileTarget("data/dataset.json", read_folder, [manifest]),
        "shard": FileTarget("shard/shard-00000-of-00001.safetensors", read_shard, shards),
        "images": FileTarget("picture", _one_picture, pictures()),
        "tables of images": FileTarget("i.parquet", read_images, picture_tables()),
        "arrays of images": FileTarget("i.npz", read_images, array_files()),
    }


# --- mutations --------------------------------------------------------------------------------------------

WORDS = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b"\x00" * 8,
    b"9" * 25,
    b"-1",
    b"\n",
    b"[" * 40,
    b"1e999",
)
"""What is written over or into a file: the ends of the integers, digits, the beginnings of lists."""


def mutant(rng: random.Random, valid: Sequence[bytes]) -> bytes:
    """One of the files with one to four changes: bytes flipped, cut, doubled, overwritten, spliced."""
    content = bytearray(rng.choice(valid))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        if not content:
            break
        i = rng.randrange(len(content))
        j = min(len(content), i + rng.choice((1, 2, 4, 8, 40)))
        kind = rng.randrange(7)
        if kind == 0:
            content[i] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[i] = rng.randrange(256)
        elif kind == 2:
            del content[i:j]
        elif kind == 3:
            content[i:i] = content[i:j]
        elif kind == 4:
            word = rng.choice(WORDS)
            content[i : i + rng.choice((0, len(word)))] = word
        elif kind == 5:
            other = rng.choice(valid)
            k = rng.randrange(len(other))
            content[i:] = other[k:]
        else:
            del content[i:]
    return bytes(content)


def text_mutant(rng: random.Random, valid: Sequence[str]) -> str:
    """One of the texts with pieces removed, doubled, replaced, or text from the same alphabet."""
    if rng.random() < 0.2:
        return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(40)))
    text = rng.choice(valid)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        i = rng.randrange(len(text) + 1)
        j = min(len(text), i + rng.choice((0, 1, 1, 2, 5, 20)))
        other = rng.choice(valid)
        k = rng.randrange(len(other) + 1)
        new = rng.choice(
            ("", rng.choice(ALPHABET), other[k : k + 6], text[i:j] * 2, "9" * 400, "(" * 200, '"', "null")
        )
        text = text[:i] + new + text[j:]
    return text


def odd_json(rng: random.Random, depth: int = 3) -> Any:
    """A JSON value of any kind."""
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(
            (None, True, 0, -1, 1, 2.5, 1e308, 10**30, "", "A", "1/2", "H(A)", "shannon", "nan")
        )
    if rng.random() < 0.5:
        return [odd_json(rng, depth - 1) for _ in range(rng.randrange(4))]
    keys = ("format", "parts", "steps", "kind", "weight", "table", "family", "parameters", "name", "claim")
    return {rng.choice(keys): odd_json(rng, depth - 1) for _ in range(rng.randrange(4))}


def replaced(rng: random.Random, value: Any) -> Any:
    """A JSON value with one of its parts replaced or left out."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: replaced(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        i = rng.randrange(len(value))
        return [*value[:i], replaced(rng, value[i]), *value[i + 1 :]]
    return odd_json(rng)
