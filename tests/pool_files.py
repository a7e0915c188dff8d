"""Pools in every container, and what becomes of their records."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ila_core.pool.reading import Reading, read_pool
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings

POOL = [
    {"instruction": "Name a fruit.", "input": "", "output": "Pear ☃", "n": 1.5, "task": "t"},
    {"instruction": "Add.", "input": "1 2", "output": "3", "n": 2, "task": "u"},
    {"instruction": "Say nothing.", "input": "", "output": "", "n": 3, "task": "t"},
]


PARTIAL = ReadSettings(partial=True)


relaxed = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def lines(pool: Iterable[Mapping[str, Any]] = POOL) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in pool)


def table(pool: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(pool), sink, row_group_size=2)
    return sink.getvalue()


def arrow(records: list[dict[str, Any]], *, stream: bool = True, chunk: int = 1) -> bytes:
    sink = pa.BufferOutputStream()
    whole = pa.Table.from_pylist(records)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, whole.schema) as writer:
        writer.write_table(whole, max_chunksize=chunk)
    return sink.getvalue().to_pybytes()


def sheet(pool: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(pool[0]))
    writer.writeheader()
    writer.writerows(pool)
    return text.getvalue().encode()


def put(folder: Path, data: bytes, name: str = "pool.jsonl") -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def outcome(file: Path, settings: ReadSettings | None = None) -> list[str]:
    """What became of each item: the instruction of a record, the reason of a reject."""
    found = read_pool(file, settings)
    return [one.instruction if isinstance(one, Record) else one.reason for one in found]


def notes(file: Path) -> dict[str, int]:
    reading = Reading(file)
    list(reading)
    return reading.counts["notes"]


WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "pool.jsonl": lines,
    "pool.ndjson": lines,
    "lines.json": lines,
    "pool.txt": lines,
    "pool.json": lambda pool: json.dumps(pool, indent=2, ensure_ascii=False).encode(),
    "one-line.json": lambda pool: json.dumps(pool).encode(),
    "array.jsonl": lambda pool: json.dumps(pool).encode(),
    "wrapped.json": lambda pool: json.dumps({"version": 1, "data": pool, "end": [1]}).encode(),
    "concatenated.json": lambda pool: b"\n".join(json.dumps(r, indent=1).encode() for r in pool),
    "pool.csv": sheet,
    "pool.tsv": lambda pool: sheet(pool).replace(b",", b"\t"),
    "pool.parquet": table,
}


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
}


MANY = [{"prompt": f"{i} " + hashlib.sha256(str(i).encode()).hexdigest() * 5, "completion": "b"}
        for i in range(400)]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=15,
)  # fmt: skip


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(**sheets: Sequence[Sequence[object]]) -> bytes:
    """The least that is an .xlsx: texts inline, numbers as they are, dates in style 1."""

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        if isinstance(value, date):
            return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        return f"<c><v>{value}</v></c>"

    def related(kind: str, items: Iterable[tuple[str, str]]) -> str:
        inner = "".join(
            f'<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>'
            for id, target in items
        )
        return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'

    titles = list(sheets)
    listed = "".join(
        f'<sheet name="{title}" sheetId="{i}" r:id="r{i}"/>' for i, title in enumerate(titles, 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": related("officeDocument", [("r1", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": related(
            "worksheet", [(f"r{i}", f"worksheets/sheet{i}.xml") for i in range(1, 1 + len(titles))]
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{SHEET}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values(), 1):
        data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            f'<worksheet xmlns="{SHEET}"><sheetData>{data}</sheetData></worksheet>'
        )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return sink.getvalue()
