"""Readers of files: damaged ones, odd ones and bombs are read, or refused by one error of one line."""

import io
import json
import os
import random
import struct
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from attacks import ANSWERS, answer, file_targets, mutant, pictures, used, write_anew
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthetic import read_data, read_images, read_table
from synthetic.storage import memory
from theory.errors import TooLargeError

READERS = (
    *("CSV", "Parquet", "npz", "safetensors", "dataset.json", "shard"),
    *("images", "tables of images", "arrays of images"),
)
EXAMPLES = {"images": 1500, "shard": 500, "dataset.json": 500, "tables of images": 600}
"""How many mutants, where not a thousand."""


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    found = file_targets(tmp_path_factory.mktemp("valid"))
    assert tuple(found) == READERS
    return found


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused_in_one_line(name, targets, tmp_path):
    target = targets[name]
    refused = 0
    if name not in ("shard", "images"):
        assert {target.attack(tmp_path, content) for content in target.valid} == {"accepted"}

    @settings(max_examples=EXAMPLES.get(name, 1000), suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32))
    def mutants(seed):
        nonlocal refused
        content = mutant(random.Random(seed), target.valid)
        refused += target.attack(tmp_path, content) != "accepted"

    mutants()
    assert refused > 0


# --- odd contents of valid containers ----------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "1.5", "nan", "inf", "1e999", "9" * 30, "007", "a", "[1, 2]", "1,5", "true"]
    ),
    st.text(max_size=6),
)


@settings(max_examples=800, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"])
)
def test_csv_tables_of_any_cells(tmp_path_factory, rows, end):
    import csv

    path = tmp_path_factory.getbasetemp() / "cells.csv"
    path.unlink(missing_ok=True)
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        csv.writer(file, lineterminator=end).writerows(rows)
    assert answer(lambda: used(read_data(path))) in ANSWERS
    assert answer(lambda: read_table(path)) in ANSWERS


ODD_COLUMNS = {
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "struct": pa.array([{"x": 1}]),
    "nested lists": pa.array([[[1.0], [2.0]]]),
    "list of texts": pa.array([["a", "b"]]),
    "decimal": pa.array([1], pa.decimal256(60, 5)),
    "date": pa.array([0], pa.date32()),
    "duration": pa.array([10**18], pa.duration("ns")),
    "time": pa.array([0], pa.time64("ns")),
    "far timestamp": pa.array([2**62], pa.timestamp("ms")),
    "binary": pa.array([b"\xff\xfe"]),
    "fixed binary": pa.array([b"abcd"], pa.binary(4)),
    "half": pa.array([np.float16(1.5)]),
    "null": pa.nulls(1),
    "empty list": pa.array([[]], pa.list_(pa.float64())),
    "large unsigned": pa.array([2**64 - 1], pa.uint64()),
    "dictionary of numbers": pa.array([2.5]).dictionary_encode(),
    "text view": pa.array(["a"], pa.string_view()),
    "missing in a list": pa.array([[1.0, None]]),
    "boolean list": pa.array([[True, False]]),
    "fixed list": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
}


@pytest.mark.parametrize("kind", ODD_COLUMNS)
def test_parquet_columns_of_every_type_are_read_or_refused(kind, tmp_path):
    path = tmp_path / "t.parquet"
    try:
        pq.write_table(pa.table({"A": [1], "odd": ODD_COLUMNS[kind]}), path)
    except pa.ArrowNotImplementedError:  # this version of Arrow does not store it
        pq.write_table(pa.table({"A": [1], "odd": pa.nulls(1)}), path)
    assert answer(lambda: read_data(path).select(["A"])) == "accepted"
    assert answer(lambda: read_data(path).select(["odd"])) in ANSWERS
    assert answer(lambda: used(read_data(path))) in ANSWERS
    assert answer(lambda: read_images(path)) in ANSWERS


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.array([None, 1], dtype=object), id="objects"),
        pytest.param(np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]), id="structured"),
        pytest.param(np.array(["2020", "NaT"], dtype="datetime64[s]"), id="dates"),
        pytest.param(np.array([1 + 2j]), id="complex"),
        pytest.param(np.array(["a", "\U0001f600"]), id="text"),
        pytest.param(np.array([b"\xff"], dtype="S4"), id="bytes"),
        pytest.param(np.zeros(4, dtype="V8"), id="void"),
        pytest.param(np.array(5), id="scalar"),
        pytest.param(np.zeros((0, 3)), id="empty"),
        pytest.param(np.zeros((2, 0)), id="no columns"),
        pytest.param(np.zeros((2, 1, 1, 1, 1, 1, 2)), id="seven axes"),
        pytest.param(np.array([np.inf, np.nan]), id="not finite"),
        pytest.param(np.array([2**64 - 1], dtype=np.uint64), id="large"),
        pytest.param(np.ones(3, dtype=np.longdouble), id="long doubles"),
        pytest.param(np.ones((3, 2), dtype=">f8"), id="big-endian"),
    ],
)
def test_arrays_of_every_type_are_read_or_refused(array, tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, odd=array)
    assert answer(lambda: used(read_data(path))) in ANSWERS
    assert answer(lambda: len(read_data(path))) in ANSWERS
    assert answer(lambda: read_images(path)) in ANSWERS


@settings(max_examples=800, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["F64", "F32", "I8", "BOOL", "BF16", "F8_E4M3", "F4", "C64", "", "I64"]),
    shape=st.lists(st.sampled_from([0, 1, 2, 3, -1, 2**31, 2**63, 10**30, 1.5, "a", None]), max_size=3),
    offsets=st.lists(st.sampled_from([0, 1, 8, 16, 24, -1, 2**63, 10**30, "a"]), max_size=3),
    length=st.sampled_from([None, 0, 1, 2**31, 2**63, 2**64 - 1]),
    content=st.binary(max_size=24),
)
def test_headers_of_safetensors_that_lie_are_refused(tmp_path_factory, kind, shape, offsets, length, content):
    path = tmp_path_factory.getbasetemp() / "lie.safetensors"
    header = json.dumps({"A": {"dtype": kind, "shape": shape, "data_offsets": offsets}}).encode()
    write_anew(path, struct.pack("<Q", len(header) if length is None else length) + header + content)
    assert answer(lambda: used(read_data(path))) in ANSWERS
    assert answer(lambda: read_images(path)) in ANSWERS


# --- bombs --------------------------------------------------------------------------------------------------


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with two GiB."""
    monkeypatch.setattr(memory, "available_memory", lambda: 2**31)


def npy_header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"shape": shape, "fortran_order": False, "descr": kind})
    return buffer.getvalue()


def zipped(path, size: int, method: int) -> None:
    """An archive of one array of so many zeros, which takes next to nothing."""
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("A.npy", "w", force_zip64=True) as out:
        out.write(npy_header((size,), "|u1"))
        block = bytes(2**20)
        for _ in range(size // 2**20):
            out.write(block)


def test_an_npz_of_some_kilobytes_and_gigabytes_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_SMALL", 2**20)
    path = tmp_path / "bomb.npz"
    zipped(path, 2**25, zipfile.ZIP_BZIP2)
    assert path.stat().st_size < 2**15
    with pytest.raises(
        TooLargeError, match=r"declares 0\.0 GiB in a file of .* bytes, more than 1,000 times"
    ):
        read_data(path).select(["A"])
    assert answer(lambda: read_data(path)) == "accepted"  # nothing of it is read yet
    zipped(path, 2**25, zipfile.ZIP_STORED)
    assert len(read_data(path).select(["A"])) == 2**25  # a large file may be large in memory


def test_what_does_not_fit_is_refused_with_numbers(tmp_path, little_memory):
    with pytest.raises(
        TooLargeError, match=r"x declares 1\.5 GiB, and at most 50% of the available 2\.0 GiB"
    ):
        memory.require_room("x", 3 * 2**29, stored=3 * 2**29)
    memory.require_room("x", 2**30, stored=2**30)
    memory.require_room("x", 2**28, stored=1)


@pytest.mark.parametrize("claimed", [(10**15,), (2**40, 2**40), (7,), (2**62, 4), (0,)])
def test_a_header_that_disagrees_with_the_size_is_refused(claimed, tmp_path):
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("A.npy", npy_header(claimed) + bytes(64))
    assert answer(lambda: used(read_data(path))) != "accepted"
    assert answer(lambda: read_images(path)) != "accepted"


def test_a_parquet_file_that_repeats_one_number_or_text_is_refused_before_it_is_unpacked(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(memory, "_SMALL", 2**22)
    monkeypatch.setattr(memory, "_MOST_FOLD", 50)
    path = tmp_path / "bomb.parquet"
    rows = 2_000_000
    table = pa.table(
        {
            "A": pa.array(np.zeros(rows, np.int64)),
            "text": pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["x" * 1000]),
        }
    )
    pq.write_table(table, path, compression="zstd", row_group_size=rows)
    for name, size in (("A", 8 * rows), ("text", 1000 * rows)):
        with pytest.raises(
            TooLargeError, match=f"column '{name}' of .* declares .* more than 50 times"
        ) as caught:
            read_data(path).select([name])
        assert size > 50 * path.stat().st_size
        assert "\n" not in str(caught.value)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (2**31 - 1, 2**31 - 1), (9_000, 9_000), (0, 5)])
def test_pictures_that_declare_too_many_pixels_are_refused(size, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(png_header(*size))
    assert answer(lambda: read_images(tmp_path)) != "accepted"


def test_tables_of_very_many_columns_are_read_in_time_linear_in_them(tmp_path):
    columns = 2_500
    path = tmp_path / "wide.csv"
    names = [f"c{i}" for i in range(columns)]
    path.write_text("\n".join([",".join(names), *[",".join(["1"] * columns)] * 2]) + "\n")
    data = read_data(path)
    assert len(data.select(["c0", "c2499"])) == 2
    with pytest.raises(ValueError, match="unknown variable 'zz'") as caught:
        data.select(["zz"])
    assert len(str(caught.value)) < 1500
    assert len(data.usable().names) == columns


# --- what is not a file -------------------------------------------------------------------------------------


def folder_of_pictures(place):
    for name, picture in zip("ab", pictures(), strict=False):
        (place / name).mkdir(parents=True)
        (place / name / "x.png").write_bytes(picture)
    return place


def test_links_that_form_circles_are_followed_once(tmp_path):
    folder = folder_of_pictures(tmp_path / "f")
    for name in ("one", "two", "three"):
        (folder / "a" / name).symlink_to(folder, target_is_directory=True)
    assert len(read_images(folder, size=8)) <= 8


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    folder = folder_of_pictures(tmp_path / "f")
    os.mkfifo(folder / "a" / "y.png")
    assert len(read_images(folder)) == 2
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError):
        read_data(tmp_path / "t.csv")


def test_a_text_in_place_of_bytes_is_no_path(tmp_path):
    """A table whose images are texts must not open the files that they name."""
    folder = folder_of_pictures(tmp_path / "f")
    path = tmp_path / "t.parquet"
    images = [{"bytes": str(folder / "a" / "x.png")}, {"bytes": str(folder / "b" / "x.png")}]
    pq.write_table(pa.table({"image": images, "label": [0, 1]}), path)
    with pytest.raises(ValueError, match="must have a column of encoded images"):
        read_images(path)
