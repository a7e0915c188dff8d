"""Files that were made to fill memory, a disk or a visitor's time, and how they are told."""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from pool_files import lines, put

from ila_core.errors import IlaError
from ila_core.pool.arrow_buffers import unpacked_sizes
from ila_core.pool.ingest import ingest
from ila_core.pool.reading import preview, read_pool
from ila_core.pool.settings import ReadSettings

MEGABYTE = 1 << 20
RECORD = {"instruction": "Name a fruit.", "output": "Pear"}


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    ("pack", "name", "filling"),
    [
        (gzip.compress, "p.jsonl.gz", b"x"),
        (zstd, "p.jsonl.zst", b"x"),
    ],
)
def test_a_packed_file_breaks_off_where_it_unpacks_to_too_much(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str, filling: bytes
) -> None:
    bomb = put(tmp_path, pack(lines([RECORD]) + filling * (64 * MEGABYTE)), name)
    assert bomb.stat().st_size < 200_000
    with pytest.raises(IlaError, match=r"unpacks to more than 200 times its size.*--unpack-ratio"):
        list(read_pool(bomb))


def test_the_bound_is_lifted_by_its_option(tmp_path: Path) -> None:
    packed = put(tmp_path, zstd(lines([RECORD]) + b"x" * (17 * MEGABYTE)), "p.jsonl.zst")
    record, reject = read_pool(packed, ReadSettings(unpack_ratio=10**9))
    assert record.response == "Pear" and reject.reason == "invalid JSON"
    with pytest.raises(IlaError, match="breaks off after 1 usable record"):
        list(read_pool(packed))
    assert next(read_pool(packed, ReadSettings(partial=True))) == record


def test_small_and_usual_files_are_not_bounded(tmp_path: Path) -> None:
    small = put(tmp_path, zstd(lines([RECORD] * 20_000)), "p.jsonl.zst")
    assert small.stat().st_size * 200 < 20_000 * len(lines([RECORD])) < 16 * MEGABYTE
    assert len(list(read_pool(small))) == 20_000


def test_a_packed_table_is_unpacked_no_further(tmp_path: Path) -> None:
    bomb = put(tmp_path, zstd(b"PAR1" + bytes(64 * MEGABYTE)), "p.parquet.zst")
    with pytest.raises(IlaError, match="unpacks to more than 200 times its size"):
        list(read_pool(bomb))


def test_a_workbook_is_measured_before_it_is_opened(tmp_path: Path) -> None:
    bomb = tmp_path / "p.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", bytes(64 * MEGABYTE))
    with pytest.raises(IlaError, match="unpacks to more than 200 times its size"):
        list(read_pool(bomb))


def parquet(path: Path, columns: dict[str, pa.Array], **how: object) -> Path:
    pq.write_table(pa.table(columns), path, **how)
    return path


def test_a_parquet_file_of_one_long_value_again_and_again_breaks_off(tmp_path: Path) -> None:
    """A kilobyte that would be two gigabytes: each row names the same value of a dictionary."""
    long = pa.DictionaryArray.from_arrays(
        pa.array([0] * 4096, pa.int32()), pa.array(["x" * (2 * MEGABYTE)])
    )
    bomb = parquet(tmp_path / "p.parquet", {"instruction": long}, compression="zstd")
    assert bomb.stat().st_size < 5000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(IlaError, match="times its size"):
        list(read_pool(bomb))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 1 << 30, "the rows of a batch were made all at once"


def test_a_parquet_file_is_refused_before_it_gets_the_memory_it_asks_for(
    tmp_path: Path,
) -> None:
    bomb = parquet(
        tmp_path / "p.parquet", {"instruction": pa.array(["x" * (160 * MEGABYTE)])},
        compression="brotli", use_dictionary=False, write_statistics=False,
    )  # fmt: skip
    assert bomb.stat().st_size < 10_000
    code = (
        "import resource, sys; from ila_core.pool.reading import read_pool\n"
        "import pyarrow.parquet\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: list(read_pool(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)"
    )
    words = [sys.executable, "-c", code, str(bomb)]
    told, grown = subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    assert "unpacks to more than 200 times its size" in told
    assert int(grown) < 80 * MEGABYTE


def test_rows_of_nothing_come_to_an_end(tmp_path: Path) -> None:
    bomb = parquet(tmp_path / "p.parquet", {"instruction": pa.nulls(20_000_000, pa.string())})
    assert bomb.stat().st_size < 50_000
    with pytest.raises(IlaError, match="times its size"):
        list(read_pool(bomb))


@pytest.mark.parametrize(
    "how",
    [
        {}, {"compression": "none"}, {"use_dictionary": False}, {"data_page_version": "2.0"},
        {"row_group_size": 7}, {"data_page_size": 64}, {"write_statistics": False},
        {"compression": "gzip", "write_page_index": True},
        {"use_dictionary": False, "column_encoding": {"instruction": "DELTA_BYTE_ARRAY"}},
        {"write_page_checksum": True},
    ],
    ids=str,
)  # fmt: skip
def test_sound_parquet_of_every_kind_is_read_as_before(tmp_path: Path, how: dict) -> None:
    rows = [f"Say {'so ' * (row % 5)}{row}" for row in range(3000)]
    columns = {"instruction": pa.array(rows), "output": pa.array(["Yes."] * 3000)}
    columns["turns"] = pa.array([[{"a": row, "b": [None, 1.0, 0.5]}] for row in range(3000)])
    read = list(read_pool(parquet(tmp_path / "p.parquet", columns, **how)))
    assert [record.instruction for record in read] == rows


def test_a_page_that_is_none_is_told(tmp_path: Path) -> None:
    path = parquet(tmp_path / "p.parquet", {"instruction": pa.array(["a", "b"])})
    data = bytearray(path.read_bytes())
    data[4:12] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(IlaError, match="not whole Parquet"):
        list(read_pool(path))


def test_strings_that_are_no_utf8_are_rejects(tmp_path: Path) -> None:
    texts = pa.array([b"Name a fruit.", b"caf\xe9?", b"Add."]).cast(pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 3, texts.buffers())
    columns = {"instruction": broken, "output": pa.array(["Pear", "Yes", "3"])}
    path = parquet(tmp_path / "p.parquet", columns)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.table(columns).schema) as writer:
        writer.write_table(pa.table(columns))
    for file in (path, put(tmp_path, sink.getvalue(), "p.arrow")):
        first, reject, last = read_pool(file)
        assert (first.instruction, last.instruction) == ("Name a fruit.", "Add.")
        assert (reject.line, reject.reason, reject.text) == (2, "not UTF-8", r"caf\xe9?")


def test_a_header_in_another_encoding_is_told(tmp_path: Path) -> None:
    table = "question,réponse\n" + "What is it?,That.\n" * 40
    path = put(tmp_path, table.encode("latin-1"), "p.csv")
    with pytest.raises(IlaError, match=r"names of the columns .* are not UTF-8 .*--encoding"):
        list(read_pool(path))
    named = ReadSettings(encoding="latin-1", map="instruction=question,response=réponse")
    assert len(list(read_pool(path, named))) == 40


def test_rejects_are_all_counted_and_the_first_of_each_reason_are_kept(tmp_path: Path) -> None:
    pool = lines([RECORD]) + b"no json\n" * 30 + b'{"prompt": ""}\n' * 4 + b"[]\n" * 2
    path = put(tmp_path, pool, "p.jsonl")
    records = ingest(path, out=tmp_path / "out", settings=ReadSettings(rejects=4))
    counts = records.counts
    assert counts["read"] == counts["kept"] + counts["rejected"] == 37
    kept = [json.loads(line) for line in (tmp_path / "out" / "rejects.jsonl").open()]
    assert len(kept) == 4 + 4 + 2 and kept[3]["line"] == 5
    [note] = [note for note in counts["notes"] if "beyond the first 4 of its reason" in note]
    assert counts["notes"][note] == 26 and "--rejects" in note


def test_a_preview_ends_in_time(tmp_path: Path) -> None:
    path = put(tmp_path, b"\n" * (96 * MEGABYTE), "p.jsonl")
    start = time.monotonic()
    with pytest.raises(IlaError, match=r"Within 0\.2 seconds 0 items of .* no record"):
        preview(path, seconds=0.2)
    assert time.monotonic() - start < 20
    late = put(tmp_path, lines([RECORD]) + b"\n" * (96 * MEGABYTE), "q.jsonl")
    seen = preview(late, seconds=0.2)
    assert len(seen.records) == 1 and not seen.complete


@pytest.mark.parametrize("kind", [pa.ipc.new_stream, pa.ipc.new_file])
@pytest.mark.parametrize("packing", ["zstd", "lz4"])
def test_an_arrow_file_is_refused_before_it_gets_the_memory_it_asks_for(
    tmp_path: Path, kind: Callable[..., pa.ipc.RecordBatchWriter], packing: str
) -> None:
    names = pa.array(["x" * (40 * MEGABYTE), "y"])
    rows = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), names)
    for column in (names, rows):
        table = pa.table({"instruction": column})
        sink, how = pa.BufferOutputStream(), pa.ipc.IpcWriteOptions(compression=packing)
        with kind(sink, table.schema, options=how) as writer:
            writer.write_table(table)
        bomb = put(tmp_path, sink.getvalue().to_pybytes(), "p.arrow")
        assert bomb.stat().st_size < 400_000 and max(unpacked_sizes(bomb.open("rb"))) > 40 << 20
        memory = pa.default_memory_pool()
        most = max(memory.max_memory(), memory.bytes_allocated() + 20 * MEGABYTE)
        with pytest.raises(IlaError, match="unpacks to more than 200 times its size"):
            list(read_pool(bomb))
        assert memory.max_memory() <= most, "it was unpacked"
        assert len(list(read_pool(bomb, ReadSettings(unpack_ratio=10**9)))) == 2


def test_what_is_packed_in_an_arrow_file_is_added_up(tmp_path: Path) -> None:
    table = pa.table({"instruction": [f"Say {i}." for i in range(1000)], "n": range(1000)})
    for kind in (pa.ipc.new_stream, pa.ipc.new_file):
        for packing, counted in (("zstd", table.nbytes), (None, 0)):
            sink, how = pa.BufferOutputStream(), pa.ipc.IpcWriteOptions(compression=packing)
            with kind(sink, table.schema, options=how) as writer:
                writer.write_table(table, max_chunksize=250)
            file = put(tmp_path, sink.getvalue().to_pybytes(), "p.arrow")
            with file.open("rb") as stream:
                assert sum(unpacked_sizes(stream)) == pytest.approx(counted, rel=0.02)
