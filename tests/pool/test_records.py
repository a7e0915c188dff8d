"""Reading a pool: containers, what is kept and what is rejected, and what is read back."""

from __future__ import annotations

import codecs
import csv
import errno
import gzip
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ila_core.errors import IlaError, RunError, UsageError
from ila_core.pool import containers, records
from ila_core.pool.containers import squeeze
from ila_core.pool.records import (
    REJECT_CLIP,
    Reading,
    Record,
    Records,
    RecordsSettings,
    Reject,
    Turn,
    ingest,
    preview,
    read_pool,
)

POOL = [
    {"instruction": "Name a fruit.", "input": "", "output": "Pear ☃", "n": 1.5, "task": "t"},
    {"instruction": "Add.", "input": "1 2", "output": "3", "n": 2, "task": "u"},
    {"instruction": "Say nothing.", "input": "", "output": "", "n": 3, "task": "t"},
]
PARTIAL = RecordsSettings(partial=True)
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def lines(pool: Iterable[Mapping[str, Any]] = POOL) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in pool)


def table(pool: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(pool), sink, row_group_size=2)
    return sink.getvalue()


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


def outcome(file: Path, settings: RecordsSettings | None = None) -> list[str]:
    """What became of each item: the instruction of a record, the reason of a reject."""
    found = read_pool(file, settings)
    return [one.instruction if isinstance(one, Record) else one.reason for one in found]


def notes(file: Path) -> dict[str, int]:
    reading = Reading(file)
    list(reading)
    return reading.counts["notes"]


# Containers

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


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", WRITERS)
def test_every_container_gives_the_same_records(tmp_path: Path, name: str, suffix: str) -> None:
    file = put(tmp_path, PACKERS[suffix](WRITERS[name](POOL)), name + suffix)
    found = ingest(file, out=tmp_path / "run")
    assert list(found.instructions()) == ["Name a fruit.", "Add.\n\n1 2", "Say nothing."]
    assert list(found.responses()) == ["Pear ☃", "3", ""]
    assert found.sources() == ["t", "u", "t"]
    assert found.counts["formats"] == {"alpaca": 3}
    assert found.numbers("n")[0].tolist() == [1.5, 2, 3]
    if not name.endswith(("csv", "tsv")):  # cells are text
        assert [json.loads(original) for original in found.originals()] == POOL


@pytest.mark.parametrize("suffix", PACKERS)
def test_compression_is_seen_in_the_bytes_not_in_the_name(tmp_path: Path, suffix: str) -> None:
    assert len(outcome(put(tmp_path, PACKERS[suffix](lines()), "pool.jsonl"))) == 3
    assert len(outcome(put(tmp_path, PACKERS[suffix](lines()), "pool.jsonl.gz"))) == 3


def test_members_and_frames_one_after_the_other(tmp_path: Path) -> None:
    for pack in (gzip.compress, zstandard.compress):
        data = pack(lines(POOL[:1])) + pack(lines(POOL[1:]))
        assert len(outcome(put(tmp_path, data))) == 3


def test_zeros_after_the_last_member_are_padding(tmp_path: Path) -> None:
    assert len(outcome(put(tmp_path, gzip.compress(lines()) + bytes(600)))) == 3
    with pytest.raises(IlaError, match="after 3 usable records: its gzip data is broken"):
        outcome(put(tmp_path, gzip.compress(lines()) + b"\0\0rubbish"))


def test_jsonl_is_kept_byte_for_byte(tmp_path: Path) -> None:
    texts = [
        '  {"prompt":"a",  "completion" : "\\u00e9\\/"}\t',
        '{"prompt":"é☃","completion":"b","n":1.50,"big":123456789012345678901234567890}',
        '{"prompt":"a","completion":"b","n":NaN}',
        '{"prompt":"a","prompt":"b","completion":"\\ud83d\\ude00\u2028"}',
    ]
    file = put(tmp_path, "\r\n".join(texts).encode())
    found = ingest(file, out=tmp_path / "run")
    assert list(found.originals()) == texts
    assert list(found.take_originals([3, 0])) == [texts[3], texts[0]]
    exported = "".join(text + "\n" for text in texts).encode()
    assert found.fingerprint == hashlib.sha256(exported).hexdigest()


def test_only_the_newline_is_stripped(tmp_path: Path) -> None:
    data = b'{"prompt":"a"} \r\n{"prompt":"b"}\r \n{"prompt":"c"}\r'
    originals = [one.original for one in read_pool(put(tmp_path, data))]
    assert originals == ['{"prompt":"a"} ', '{"prompt":"b"}\r ', '{"prompt":"c"}\r']


def test_array_elements_keep_fields_and_the_spelling_of_numbers(tmp_path: Path) -> None:
    data = """[{"prompt": "a [\\"b c\\"] é", "n": 1.50, "e": 1e3, "big": 12345678901234567890123},
               {"prompt": "x\ty", "n": 0.5, "neg": -0}, {"prompt": "\\ud800 x"},
               {"prompt": "z", "n": 1.50}, {"prompt": "z", "n": 1e3}, {"prompt": "z", "n": NaN}]"""
    file = put(tmp_path, data.encode(), "pool.json")
    assert [one.original for one in read_pool(file)] == [
        '{"prompt":"a [\\"b c\\"] é","n":1.50,"e":1e3,"big":12345678901234567890123}',
        '{"prompt":"x\\ty","n":0.5,"neg":-0}',
        '{"prompt":"\\ud800 x"}',
        '{"prompt":"z","n":1.50}',
        '{"prompt":"z","n":1e3}',
        '{"prompt":"z","n":NaN}',
    ]


def test_table_rows_become_compact_json(tmp_path: Path) -> None:
    pool = [{"prompt": "é", "completion": "b", "tags": ["x", "y"], "none": None, "raw": b"ab"}]
    [record] = read_pool(put(tmp_path, table(pool), "pool.parquet"))
    assert isinstance(record, Record)
    assert record.original == (
        '{"prompt":"é","completion":"b","tags":["x","y"],"none":null,"raw":"YWI="}'
    )
    assert record.labels == ("x", "y")
    [record] = read_pool(put(tmp_path, b'question;answer\n"a;\nb";"c ""d"""\n', "p.csv"))
    assert record.original == '{"question":"a;\\nb","answer":"c \\"d\\""}'


def test_one_object_is_one_record_unless_it_holds_a_list_of_them(tmp_path: Path) -> None:
    talk = {"messages": [{"role": "user", "content": "Hi"}], "refs": [{"b": 1}], "meta": {}}
    assert outcome(put(tmp_path, json.dumps(talk, indent=1).encode(), "one.json")) == ["Hi"]
    assert outcome(put(tmp_path, json.dumps(talk).encode(), "one.json")) == ["Hi"]
    both = {"train": POOL, "test": POOL}
    with pytest.raises(IlaError, match="holds two lists, 'train' and 'test'"):
        outcome(put(tmp_path, json.dumps(both).encode(), "two.json"))


def test_several_files_and_globs(tmp_path: Path) -> None:
    for name, record in zip(("b.jsonl", "a.jsonl", "c.csv"), POOL, strict=True):
        put(tmp_path, sheet([record]) if name == "c.csv" else lines([record]), name)
    found = ingest([f"{tmp_path}/*.jsonl", tmp_path / "c.csv", tmp_path / "a.jsonl"],
                   out=tmp_path / "run")  # fmt: skip
    assert list(found.responses()) == ["3", "Pear ☃", ""]
    assert [Path(file["name"]).name for file in found.files] == ["a.jsonl", "b.jsonl", "c.csv"]
    data = (tmp_path / "a.jsonl").read_bytes()
    assert found.files[0]["sha256"] == hashlib.sha256(data).hexdigest()
    assert found.files[0]["kept"] == 1


def test_a_name_with_the_characters_of_a_glob_is_a_name(tmp_path: Path) -> None:
    assert len(outcome(put(tmp_path, lines(), "pool[1].jsonl"))) == 3


# Encodings and odd bytes


@pytest.mark.parametrize(
    ("encoding", "mark", "note"),
    [
        ("utf-8-sig", b"", "byte-order mark"),
        ("utf-16", b"", "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", b"", "UTF-16-LE"),
        ("utf-16-be", b"", "UTF-16-BE"),
        ("utf-32", b"", "UTF-32"),
    ],
)
@pytest.mark.parametrize("name", ["pool.jsonl", "pool.json", "pool.jsonl.gz"])
def test_other_encodings(tmp_path: Path, encoding: str, mark: bytes, note: str, name: str) -> None:
    text = '{"prompt":"é☃","completion":"b"}'
    data = mark + (f"[{text}]" if name == "pool.json" else text + "\r\n").encode(encoding)
    file = put(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name)
    assert [one.original for one in read_pool(file)] == [text]
    assert notes(file) == {note: 1}


def test_nul_bytes_and_marks_around_a_record_are_left_out(tmp_path: Path) -> None:
    record = b'{"prompt":"a","completion":"b"}'
    inside = b'{"prompt":"a\0","completion":"b"}'
    escaped = b'{"prompt":"a\\u0000","completion":"b"}'
    mark = codecs.BOM_UTF8
    data = b"\n".join([record, b"\0\0" + record + b"\0", mark + record, b"\0\0", inside, escaped])
    file = put(tmp_path, data)
    found = list(read_pool(file))
    assert [one.original for one in found[:3]] == [record.decode()] * 3
    assert [one.reason for one in found[3:5]] == ["NUL bytes"] * 2
    assert found[5].original == escaped.decode()
    assert notes(file) == {"NUL bytes": 2, "byte-order mark": 1, "repeated record": 2}


def test_unpaired_surrogates_are_taken_with_their_escape_in_the_original(tmp_path: Path) -> None:
    text = '{"prompt":"a\\ud800b","completion":["x"]}'.replace('["x"]', '"\\udc00"')
    file = put(tmp_path, text.encode())
    found = ingest(file, out=tmp_path / "run")
    assert list(found.originals()) == [text]
    assert list(found.instructions()) == ["a\ufffdb"]
    assert found.counts["notes"] == {"unpaired surrogate": 1}


def test_lines_that_are_no_records(tmp_path: Path) -> None:
    bad = {
        b"{bad": "invalid JSON",
        b'{"prompt":"a\tb"}': "invalid JSON",
        b'{"prompt":"a"} {}': "invalid JSON",
        b"[1,2]": "not an object",
        b'"text"': "not an object",
        b'{"prompt":"\xff"}': "not UTF-8",
        b'{"instruction":5}': "instruction is not text",
        b'{"n":' + b"1" * 5000 + b"}": "invalid JSON",
        b"[" * 100_000: "nested too deeply",
        b'{"a":' * 100_000: "nested too deeply",
    }
    file = put(tmp_path, b"\n\n".join([*bad, b'{"prompt":"good","completion":"b"}', b"  \n"]))
    assert outcome(file) == [*bad.values(), "good"]
    found = ingest(file, out=tmp_path / "run")
    assert found.counts["read"] == 11 and found.counts["kept"] == 1
    assert found.counts["rejected"] == 10
    assert found.counts["reasons"] == dict(Counter(bad.values()))
    written = [json.loads(line) for line in (tmp_path / "run" / "rejects.jsonl").open("rb")]
    assert [one["line"] for one in written] == list(range(1, 20, 2))
    assert written[5] == {
        "file": str(file), "line": 11, "reason": "not UTF-8", "text": '{"prompt":"\\xff"}',
    }  # fmt: skip
    assert len(written[8]["text"]) == REJECT_CLIP and written[8]["text"].endswith("[…")


def test_deep_but_sound_records_are_kept(tmp_path: Path) -> None:
    deep = '{"prompt":"a","completion":"b","deep":' + "[" * 400 + "]" * 400 + "}"
    for name, data in (("p.jsonl", deep), ("p.json", f"[{deep}]")):
        assert [one.original for one in read_pool(put(tmp_path, data.encode(), name))] == [deep]


def test_rows_that_are_no_records(tmp_path: Path) -> None:
    data = b'question,answer\na,b\nshort\n1,2,3\n\n\xff,x\n,y\n"\xc3\xa9",z\n'
    file = put(tmp_path, data, "pool.csv")
    assert outcome(file) == [
        "a", "wrong number of columns", "wrong number of columns", "not UTF-8", "no instruction",
        "é",
    ]  # fmt: skip
    assert [one.line for one in read_pool(file) if isinstance(one, Reject)] == [2, 3, 4, 5]


def test_elements_that_are_no_records(tmp_path: Path) -> None:
    data = b'[{"prompt":"a"}, 3, {"prompt":"\xff"}, [1], {"prompt":"\xc3\xa9"}, -1.5e3]'
    file = put(tmp_path, data, "pool.json")
    assert outcome(file) == ["a", "not an object", "not UTF-8", "not an object", "é",
                             "not an object"]  # fmt: skip


def test_a_line_of_five_megabytes(tmp_path: Path) -> None:
    long = {"prompt": "x" * 5_000_000, "completion": "b"}
    for name, data in (("p.jsonl", lines([long, POOL[0]])),
                       ("p.json", json.dumps([long, POOL[0]]).encode())):  # fmt: skip
        found = ingest(put(tmp_path, data, name), out=tmp_path / name[2:])
        assert [len(text) for text in found.instructions()] == [5_000_000, 13]


def test_a_line_over_the_limit_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "RECORD_LIMIT", 1000)
    long = {"prompt": "x" * 4500, "completion": "b"}
    found = list(read_pool(put(tmp_path, lines([POOL[0], long, POOL[1]]))))
    assert [getattr(one, "reason", "") for one in found] == ["", "too long", ""]
    assert found[1].line == 2


def test_a_row_group_ends_early_when_records_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_GROUP_CHARACTERS", 300)
    pool = [{"prompt": f"{i} " + "x" * (37 * i % 200), "completion": "b"} for i in range(50)]
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    assert pq.read_metadata(found.path).num_row_groups > 5
    asked = [49, 0, 7, 7, 30]
    assert [one.instruction for one in found.take(asked)] == [pool[i]["prompt"] for i in asked]


# Pools that are refused


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("p.png", b"\x89PNG\r\n\x1a\n123", "is a PNG image; a pool is .jsonl"),
        ("p.jsonl", b"PK\x03\x04abc", "is a ZIP archive"),
        ("p.jsonl", b"\n<!DOCTYPE HTML><html>", "is an HTML page"),
        ("p.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        ("p.txt", b"Dear diary", "does not begin with JSON"),
        ("p.bin", bytes(range(256)), "does not begin with JSON"),
        ("p.jsonl", b"", "holds no record: it is empty"),
        ("p.jsonl", b" \n\n", "holds no record: it is empty"),
        ("p.json", b"[]", "holds no record: it is empty"),
        ("p.csv", b"question,answer\n", "holds no record: it is empty"),
        ("p.parquet", b"{}", "is not Parquet"),
        ("p.parquet", b"PAR1 and no more", "it is not whole Parquet"),
        ("p.csv", b"a,b,a\n1,2,3\n", "more than one column named 'a'"),
        ("p.csv", b"x,y\n1,2\n", r"line 1, is a reject, unknown format \('{\"x\":\"1\""),
        ("p.jsonl", b"{}\n{}", r"the first, in line 1, is a reject, unknown format \('{}'\)"),
        ("p.jsonl", b"[" * 100_000, "a reject, nested too deeply"),
        ("p.json", b"[" * 100_000, "nested too deeply"),
        ("p.json", b'{"a":' * 100_000, "nested too deeply"),
    ],
)
@pytest.mark.parametrize("partial", [False, True])
def test_refused(tmp_path: Path, name: str, data: bytes, words: str, partial: bool) -> None:
    settings = RecordsSettings(partial=partial)
    with pytest.raises(IlaError, match=words) as caught:
        ingest(put(tmp_path, data, name), out=tmp_path / "run", settings=settings)
    assert name in str(caught.value) and str(caught.value).count(". ") == 0
    assert not (tmp_path / "run").exists()


def test_paths_that_name_nothing(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder; name its files"),
                        (tmp_path / "nope.jsonl", "nope.jsonl was not found"),
                        (tmp_path / "*.jsonl", r"\*.jsonl matches no file")):  # fmt: skip
        with pytest.raises(IlaError, match=words):
            ingest(path, out=tmp_path / "run")
    with pytest.raises(IlaError, match="No file was named"):
        ingest([], out=tmp_path / "run")


def test_a_pool_without_one_response(tmp_path: Path) -> None:
    file = put(tmp_path, b'{"prompt":"a"}\n{"prompt":"b"}\n')
    with pytest.raises(IlaError, match=r"None of the 2 records has a response.*--loss none"):
        ingest(file, out=tmp_path / "run")
    bare = ingest(file, out=tmp_path / "run", settings=RecordsSettings(require_response=False))
    assert list(bare.responses()) == ["", ""]


def test_mapped_fields_must_exist(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    mapped = RecordsSettings(map=(("instruction", "ask"),))
    with pytest.raises(UsageError, match=r"Field 'ask' not found in .*pool.jsonl; fields are "
                       "instruction, input, output, n, task. Name one of them with "
                       "--map instruction=FIELD"):  # fmt: skip
        ingest(file, out=tmp_path / "run", settings=mapped)
    with pytest.raises(UsageError, match="Field 'skill' not found"):
        ingest(file, out=tmp_path / "run", settings=RecordsSettings(labels_column="skill"))
    with pytest.raises(UsageError, match="has no part 'ask'"):
        read_pool(file, RecordsSettings(map=(("ask", "instruction"),)))
    columns = RecordsSettings(labels_column="output", source_column="n")
    found = ingest(file, out=tmp_path / "run", settings=columns)
    assert found.has_labels and found.labels() == [("Pear ☃",), ("3",), None]
    assert found.sources() == [None, "2", "3"]


def test_a_missing_mapped_field_is_told_early(tmp_path: Path) -> None:
    file = put(tmp_path, lines(POOL * 1000))
    reading = Reading(file, RecordsSettings(source_column="nope"))
    with pytest.raises(UsageError, match="'nope' not found"):
        list(reading)
    assert reading.read == 1000


# Files that break off

MANY = [{"prompt": f"{i} " + hashlib.sha256(str(i).encode()).hexdigest() * 5, "completion": "b"}
        for i in range(400)]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("p.jsonl.gz", gzip.compress(lines(MANY))),
        ("p.jsonl.zst", zstandard.compress(lines(MANY)) + zstandard.compress(lines(MANY))),
        ("p.json", json.dumps(MANY, indent=1).encode()),
        ("p.json.gz", gzip.compress(json.dumps(MANY).encode())),
        ("p.csv.gz", gzip.compress(sheet(MANY))),
        ("p.json", json.dumps({"data": MANY}).encode()),
        ("p.jsonl", lines(MANY).decode().encode("utf-16")[:-1] + b"\0\0\xd8"),
    ],
)
def test_half_a_file(tmp_path: Path, name: str, data: bytes) -> None:
    half = data if name == "p.jsonl" else data[: len(data) * 3 // 4]
    file = put(tmp_path, half, name)
    with pytest.raises(IlaError, match=r"breaks off after [\d,]+ usable records.*--partial"):
        ingest(file, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    found = ingest(file, out=tmp_path / "run", settings=PARTIAL)
    assert list(found.instructions())[:400] == [one["prompt"] for one in MANY[: len(found)]]
    assert len(found) > 100
    assert found.counts["notes"]["file that breaks off"] == 1


@relaxed
@given(share=st.floats(0, 1), pack=st.sampled_from([gzip.compress, zstandard.compress]))
def test_wherever_a_file_is_cut_a_prefix_remains(
    tmp_path: Path, share: float, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(lines(MANY))
    file = put(tmp_path, whole[: int(len(whole) * share)])
    try:
        kept = outcome(file, PARTIAL)
    except IlaError:
        return
    assert kept == [one["prompt"] for one in MANY[: len(kept)]]
    assert kept and (len(kept) == 400 or share < 1)


@relaxed
@given(share=st.floats(0, 1), indent=st.sampled_from([None, 1]))
def test_wherever_an_array_is_cut_a_prefix_remains(
    tmp_path: Path, share: float, indent: int | None
) -> None:
    whole = json.dumps(MANY[:50], indent=indent).encode()
    cut = whole[: int(len(whole) * share)]
    file = put(tmp_path, cut, "pool.json")
    try:
        kept = outcome(file, PARTIAL)
    except IlaError:
        return
    assert kept == [one["prompt"] for one in MANY[: len(kept)]]
    assert len(kept) == cut.count(b"}")


@pytest.mark.parametrize("number", ["0.25", "-1.5e+3", "12", "1E-7"])
def test_a_number_across_the_end_of_a_piece_is_one_number(tmp_path: Path, number: str) -> None:
    text = f'[{number}, {{"prompt":"a"}}]'
    for chunk in range(1, len(text)):
        file = containers.PoolFile(put(tmp_path, text.encode(), "pool.json"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(containers, "_CHUNK", chunk)
            assert [item.value for item in file.items()] == [float(number), {"prompt": "a"}]


def test_an_array_that_begins_with_no_object_is_an_array_all_the_same(tmp_path: Path) -> None:
    data = b'[\n  null,\n  {}\n,\n  {"prompt":"a"}\n]'
    assert outcome(put(tmp_path, data, "p.json")) == ["not an object", "unknown format", "a"]


def test_broken_inside(tmp_path: Path) -> None:
    data = b'[{"prompt":"a"}, {"prompt" "b"}, {"prompt":"c"}]'
    with pytest.raises(IlaError, match=r"after 1 usable record: its JSON is broken \(Expecting"):
        outcome(put(tmp_path, data, "p.json"))
    with pytest.raises(IlaError, match=r"'{' stands where , or \] should"):
        outcome(put(tmp_path, b'[{"prompt":"a"} {"prompt":"b"}]', "p.json"))
    data = b'question,answer\na,b\nc,"d\ne,f\n'
    with pytest.raises(IlaError, match="after 1 usable record: a quoted cell of row 2 is never"):
        outcome(put(tmp_path, data, "p.csv"))
    assert outcome(put(tmp_path, data, "p.csv"), PARTIAL) == ["a"]


def test_partial_passes_over_files_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    put(tmp_path, lines(), "a.jsonl")
    put(tmp_path, b"\x89PNG", "b.jsonl")
    put(tmp_path, b"", "c.jsonl")
    put(tmp_path, gzip.compress(lines())[:12], "d.jsonl")
    with pytest.raises(IlaError, match=r"b.jsonl is a PNG image"):
        ingest(tmp_path / "*.jsonl", out=tmp_path / "run")
    found = ingest(tmp_path / "*.jsonl", out=tmp_path / "run", settings=PARTIAL)
    assert len(found) == 3
    assert found.counts["notes"]["file passed over"] == 3


# JSON in pieces

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=15,
)  # fmt: skip


@relaxed
@given(
    values=st.lists(JSON, max_size=8),
    chunk=st.integers(1, 40),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
)
def test_array_in_pieces_of_any_size(
    tmp_path: Path, values: list[Any], chunk: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    file = containers.PoolFile(put(tmp_path, text.encode("utf-8", "surrogatepass"), "pool.json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(containers, "_CHUNK", chunk)
        items = list(file.items())
    assert [item.value for item in items] == values
    assert [json.loads(item.text) for item in items] == values
    assert all("\n" not in item.text for item in items)


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_squeeze_is_the_compact_text(value: Any, indent: int | str | None) -> None:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    spaced = json.dumps(value, indent=indent, ensure_ascii=False)
    assert json.loads(squeeze(spaced)) == value
    assert squeeze(spaced).replace("\x7f", "") == compact.replace("\x7f", "")


# Invariants

LINE = st.one_of(
    st.builds(
        lambda a, b, space: (json.dumps({"prompt": a, "completion": b}) + space).encode(),
        st.text(), st.text(), st.sampled_from(["", " ", "\t "]),
    ),
    st.sampled_from([b"", b"  ", b"{", b"[1]", b'{"prompt":5}', b'{"prompt":"\xff"}', b"\0",
                     b'{"prompt":"\\ud800"}', b'{"prompt":"x","n":NaN}', b'{"messages":[1]}']),
    st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b"")),
)  # fmt: skip


@relaxed
@given(body=st.lists(LINE, max_size=30), newline=st.sampled_from([b"\n", b"\r\n"]))
def test_any_mix_of_lines(tmp_path: Path, body: list[bytes], newline: bytes) -> None:
    """Kept + rejected = read, every line is told once, kept ones byte for byte."""
    first = b'{"prompt":"first","completion":"b"}'
    body = [first, *body]
    reading = Reading(put(tmp_path, newline.join(body)))
    found = list(reading)
    assert reading.kept + reading.rejected == reading.read == len(found)
    assert reading.read == sum(bool(line.strip()) for line in body)
    kept = [one.original.encode() for one in found if isinstance(one, Record)]
    remaining = iter(body)
    assert all(any(original in line for line in remaining) for original in kept)
    rejects = [one for one in found if isinstance(one, Reject)]
    assert all(body[one.line - 1].strip() for one in rejects)
    assert len(kept) + len({one.line for one in rejects}) == len(found)


@relaxed
@given(
    pool=st.lists(
        st.fixed_dictionaries({
            "instruction": st.text(min_size=1).filter(lambda text: text.strip(" \t\r\n\0")),
            "output": st.text().map(lambda text: text + "!"),
        }),
        min_size=1, max_size=12,
    ),
    name=st.sampled_from(["p.jsonl", "p.json", "p.csv", "p.parquet"]),
    suffix=st.sampled_from(list(PACKERS)),
)  # fmt: skip
def test_round_trip_through_every_container(
    tmp_path: Path, pool: list[dict[str, Any]], name: str, suffix: str
) -> None:
    data = PACKERS[suffix](WRITERS[name.replace("p.", "pool.")](pool))
    reading = Reading(put(tmp_path, data, name + suffix))
    found = [one for one in reading if isinstance(one, Record)]
    wanted = [one for one in pool if one["instruction"].strip()]
    if name == "p.csv":  # text mode would change lone carriage returns; cells keep them
        assert len(found) == len(wanted)
    assert [json.loads(one.original) for one in found] == wanted
    assert [one.instruction for one in found] == [one["instruction"] for one in wanted]


# What is read back


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[Records, list[dict[str, Any]]]:
    """5,000 records, so that there are three row groups."""
    folder = tmp_path_factory.mktemp("big")
    pool: list[dict[str, Any]] = [
        {"id": i % 4900, "conversations": [
            {"from": "system", "value": "s"}, {"from": "human", "value": f"ask {i}"},
            {"from": "function_call", "value": f"call {i}"}, {"from": "observation", "value": "o"},
            {"from": "gpt", "value": f"say {i}"},
        ], "tags": [f"t{i % 3}"] if i % 2 else None, "score": i / 7 if i % 5 else "x"}
        for i in range(5000)
    ]  # fmt: skip
    return ingest(put(folder, lines(pool)), out=folder / "run"), pool


def test_iterators_follow_the_file(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, pool = big
    assert len(found) == 5000 == found.counts["kept"]
    assert list(found.instructions()) == [f"ask {i}" for i in range(5000)]
    assert list(found.responses()) == [f"call {i}\n\nsay {i}" for i in range(5000)]
    assert [json.loads(text) for text in found.originals()] == pool
    conversations = list(found.conversations())
    assert len(conversations) == 5000
    assert conversations[4321] == (
        Turn("system", "s", False), Turn("user", "ask 4321", False),
        Turn("assistant", "call 4321", True), Turn("tool", "o", False),
        Turn("assistant", "say 4321", True),
    )  # fmt: skip
    assert found.counts["notes"] == {"duplicate id": 100}
    rows = [row for batch in found.batches(["row"], 700) for row in batch.column(0).to_pylist()]
    assert rows == list(range(5000))


def test_take_gives_the_rows_asked_in_the_order_asked(
    big: tuple[Records, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = big
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 5000, 300)
    originals, everything = list(found.originals()), list(read_pool(found.files[0]["name"]))
    assert found.take(rows) == [everything[row] for row in rows]
    monkeypatch.setattr(records, "_TAKE_WINDOW", 77)
    assert list(found.take_originals(rows)) == [originals[row] for row in rows]
    assert found.take([]) == [] and list(found.take_originals([])) == []
    for rows in ([5000], [-1]):
        with pytest.raises(IndexError, match="rows go from 0 to 4999"):
            found.take(rows)


def test_fields_and_numbers(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, pool = big
    assert found.fields() == ["id", "conversations", "tags", "score"]
    assert found.field("tags") == [record["tags"] for record in pool]
    assert found.field("conversations.1.value")[:2] == ["ask 0", "ask 1"]
    values, missing = found.numbers("score")
    assert values.dtype == np.float32 and missing == 1000
    assert values[1] == np.float32(1 / 7) and np.isnan(values[0])
    with pytest.raises(UsageError, match="'nope' not found in the pool; fields are id, conv"):
        found.field("nope")
    assert found.has_labels and found.labels()[:4] == [None, ("t1",), None, ("t0",)]


def test_a_field_that_is_always_empty_exists_all_the_same(tmp_path: Path) -> None:
    pool = [{"prompt": "a", "completion": "b", "n": None}] * 2
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    assert found.field("n") == [None, None]
    assert found.numbers("n")[1] == 2


def test_turns_of_a_slice(big: tuple[Records, list[dict[str, Any]]]) -> None:
    found, _ = big
    batch = next(found.batches(["turns"]))
    wanted = list(found.conversations())[100:103]
    assert records._turns_of(batch.column(0).slice(100, 3)) == wanted


def test_what_counts_as_a_number(tmp_path: Path) -> None:
    values = [1, "2.5", " 3 ", None, "x", float("nan"), float("inf"), 1e300, True, [1], "nan"]
    pool = [{"prompt": "a", "completion": "b", "n": value} for value in values]
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    numbers, missing = found.numbers("n")
    assert numbers[[0, 1, 2, 8]].tolist() == [1, 2.5, 3, 1]
    assert np.flatnonzero(np.isnan(numbers)).tolist() == [3, 4, 5, 6, 7, 9, 10] and missing == 7


def test_search(tmp_path: Path) -> None:
    pool = [{"prompt": "A red Fox", "completion": "x"}, {"prompt": "hen", "completion": "red É."},
            {"prompt": "fox", "completion": "(.*)"}]  # fmt: skip
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    assert found.search("RED") == [0, 1]
    assert found.search("fox red") == [0]
    assert found.search("é.") == [1]
    assert found.search("(.*)") == [2]
    assert found.search("cow") == []
    assert found.search("", limit=2) == [0, 1] and len(found.search("", limit=None)) == 3


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    def fingerprint(data: bytes, name: str) -> str:
        return ingest(put(tmp_path, data, name), out=tmp_path / f"run-{name}").fingerprint

    one = fingerprint(lines(), "a.jsonl")
    assert one == fingerprint(gzip.compress(b"{bad\n\n" + lines()), "b.jsonl")
    assert one != fingerprint(lines(POOL[::-1]), "c.jsonl")


def test_the_same_pool_gives_the_same_bytes(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    first = ingest(file, out=tmp_path / "a").path.read_bytes()
    assert ingest(file, out=tmp_path / "b").path.read_bytes() == first


def test_opening_what_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="was not found; build the landscape first"):
        Records.open(tmp_path / "records.parquet")
    put(tmp_path, b"PAR1 half", "records.parquet")
    with pytest.raises(RunError, match="is damaged"):
        Records.open(tmp_path)
    put(tmp_path, table(POOL), "records.parquet")
    with pytest.raises(RunError, match="was not written by ila"):
        Records.open(tmp_path)
    monkeypatch.setattr(records, "_VERSION", 2)
    ingest(put(tmp_path, lines()), out=tmp_path)
    monkeypatch.setattr(records, "_VERSION", 1)
    with pytest.raises(RunError, match="has version 2, this program reads 1; update it"):
        Records.open(tmp_path)


# Writing


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    ingest(put(tmp_path, lines(POOL * 3000)), out=tmp_path / "run",
           progress=lambda done, total: told.append((done, total)))  # fmt: skip
    done = [step[0] for step in told]
    assert len(told) == 5 and done == sorted(done) and told[-1] == (9000, 9000)
    assert all(total is not None and total >= done for done, total in told)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    file = put(tmp_path, lines(MANY))
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(IlaError, match=r"The disk is full: .*run could not be written"):
            ingest(file, out=tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "cannot be written to: Permission denied")],
)
def test_failures_of_the_disk_keep_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    before = ingest(put(tmp_path, lines()), out=tmp_path / "run").fingerprint

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(IlaError, match=words):
        ingest(put(tmp_path, lines(POOL[:1])), out=tmp_path / "run")
    assert sorted(os.listdir(tmp_path / "run")) == ["records.parquet", "rejects.jsonl"]
    assert Records.open(tmp_path / "run").fingerprint == before


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    with pytest.raises(IlaError, match="cannot be written to: File exists; name another folder"):
        ingest(file, out=file)
    with pytest.raises(IlaError, match="cannot be written to: Not a directory"):
        ingest(file, out=file / "run")


def test_stopping_midway_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(put(tmp_path, lines(POOL * 1000)), out=tmp_path / "run", progress=stop)
    assert not (tmp_path / "run").exists()


# Preview


def test_preview(tmp_path: Path) -> None:
    file = put(tmp_path, b"{bad\n" + lines(POOL) + b"[]\n" + lines(POOL * 10))
    seen = preview(file, limit=2, scan=5)
    assert seen.format == "alpaca" and seen.containers == {"JSON lines": 1}
    assert seen.mapping == {"instruction": "instruction", "response": "output", "source": "task"}
    assert seen.fields == ["instruction", "input", "output", "n", "task"]
    assert [record.response for record in seen.records] == ["Pear ☃", "3"]
    assert [reject.line for reject in seen.rejects] == [1, 5]
    assert (seen.counts["read"], seen.counts["kept"], seen.complete) == (5, 3, False)
    assert preview(put(tmp_path, lines()), scan=3).complete


def test_preview_of_mixed_formats_and_of_nothing(tmp_path: Path) -> None:
    file = put(tmp_path, lines([*POOL, {"question": "a", "answer": "b"}]))
    assert preview(file).formats == {"alpaca": 3, "question/answer": 1}
    with pytest.raises(IlaError, match="it is empty"):
        preview(put(tmp_path, b""))
    with pytest.raises(IlaError, match="None of the 1 record"):
        preview(put(tmp_path, b'{"prompt":"a"}'))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"instruction": "a", "output": "b"},]', "is broken"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": }]', "is broken"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": "c', "ends early"),
        ('[{"instruction": "a", "output": "b"}, {"instruction": tru', "ends early"),
        ('[{"instruction": "a", "output": "b"},', "ends early"),
    ],
)
def test_broken_json_is_told_from_json_that_is_cut(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "pool.json"
    file.write_text(text)
    with pytest.raises(IlaError, match=f"after 1 usable record: its JSON {reason}.*--partial"):
        list(read_pool(file))


def test_unknown_fields_are_named_with_the_option_that_maps_them(tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl"
    file.write_text('{"ask": "a", "say": "b"}\n')
    with pytest.raises(IlaError, match=r"fields are ask, say: .* --map instruction=FIELD"):
        list(read_pool(file))


def test_damage_inside_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl"
    lines = [f'{{"instruction": "ask {i} {i**7}", "output": "say {i**5}"}}' for i in range(500)]
    file.write_text("\n".join(lines))
    records = ingest(file, out=tmp_path / "run")
    data = bytearray(records.path.read_bytes())
    for place in range(200, len(data) // 2, 20):
        data[place] ^= 0xFF
    records.path.write_bytes(data)
    damaged = Records.open(records.path)
    with pytest.raises(RunError, match="is damaged"):
        list(damaged.originals())
    with pytest.raises(RunError, match="is damaged"):
        list(damaged.take_originals([0, 1]))
