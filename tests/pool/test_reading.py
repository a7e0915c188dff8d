"""One pass over a pool: what is kept, what is rejected and why, what is refused, the preview."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from pool_files import (
    MANY,
    PARTIAL,
    POOL,
    lines,
    outcome,
    put,
    sheet,
)

from ila_core.errors import IlaError, UsageError
from ila_core.pool.ingest import ingest
from ila_core.pool.inputs import expand
from ila_core.pool.judging import REJECT_CLIP
from ila_core.pool.reading import Reading, preview, read_pool
from ila_core.pool.settings import ReadSettings
from ila_core.pool.survey import SURVEYED


def test_lines_that_are_no_records(tmp_path: Path) -> None:
    bad = {
        b"{bad": "invalid JSON",
        b'{"prompt":"a\tb"}': "invalid JSON",
        b'{"prompt":"a"} {}': "invalid JSON",
        b"[1,2]": "not an object",
        b'"text"': "not an object",
        b'{"prompt":"\xff"}': "not UTF-8",
        b'{"instruction":{"n":5}}': "instruction is not text",
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


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("p.png", b"\x89PNG\r\n\x1a\n123", "is a PNG image; a pool is .jsonl"),
        ("p.jsonl", b"PK\x03\x04abc", "is a ZIP archive"),
        ("p.jsonl", b"\n<!DOCTYPE HTML><html>", "is an HTML page"),
        ("p.json", b"<?xml version='1.0'?><Error/>", "is an XML document"),
        ("p.tar", b"pool.jsonl".ljust(257, b"\0") + b"ustar\x0000", "is a tar archive"),
        ("p.json", b"// mine\n[]", r"its JSON is broken \(Expecting value at '// mine"),
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
    settings = ReadSettings(partial=partial)
    with pytest.raises(IlaError, match=words) as caught:
        ingest(put(tmp_path, data, name), out=tmp_path / "run", settings=settings)
    assert name in str(caught.value) and str(caught.value).count(". ") == 0
    assert not (tmp_path / "run").exists()


def test_lines_out_of_an_array_and_objects_on_one_line(tmp_path: Path) -> None:
    data = b'{"prompt": "a", "completion": "b"}, \r\n[{"prompt": "c"}],\n{"prompt": "d",},\n'
    file = put(tmp_path, data)
    assert outcome(file) == ["a", "not an object", "invalid JSON"]
    assert next(iter(read_pool(file))).original == '{"prompt": "a", "completion": "b"}'
    data = b'{"prompt": "a"}{"prompt": "b"} {"prompt": "c"}\n{"prompt": "d"}'
    assert outcome(put(tmp_path, data)) == ["a", "b", "c", "d"]


def test_paths_that_name_nothing(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder without a pool; name its files"),
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
    bare = ingest(file, out=tmp_path / "run", require_response=False)
    assert list(bare.responses()) == ["", ""]


def test_mapped_fields_must_exist(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    mapped = ReadSettings(map="instruction=ask")
    with pytest.raises(UsageError, match=r"Field 'ask' not found in .*pool.jsonl; fields are "
                       "instruction, input, output, n, task. Name one of them with "
                       "--map instruction=FIELD"):  # fmt: skip
        ingest(file, out=tmp_path / "run", settings=mapped)
    with pytest.raises(UsageError, match="Field 'skill' not found"):
        ingest(file, out=tmp_path / "run", settings=ReadSettings(map="labels=skill"))
    with pytest.raises(UsageError, match="has no part 'ask'"):
        read_pool(file, ReadSettings(map="ask=instruction"))
    columns = ReadSettings(map="labels=output,source=n")
    found = ingest(file, out=tmp_path / "run", settings=columns)
    assert found.has_labels and found.labels() == [("Pear ☃",), ("3",), None]
    assert [record.source for record in found.take(range(3))] == [None, "2", "3"]


def test_a_missing_mapped_field_is_told_early(tmp_path: Path) -> None:
    file = put(tmp_path, lines(POOL * 1000))
    reading = Reading(file, ReadSettings(map="source=nope"))
    with pytest.raises(UsageError, match="'nope' not found"):
        list(reading)
    assert reading.tally.read == 1000


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
    reading = Reading(tmp_path / "*.jsonl", PARTIAL)
    shares = [reading.share for _ in reading]
    assert shares == sorted(shares) and shares[-1] < 1 and reading.share == 1


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    again = tmp_path / "other" / ".." / file.name
    again.parent.parent.mkdir()
    assert expand([file, again, str(tmp_path / "*.jsonl")]) == [file]


def test_unknown_fields_are_named_with_the_option_that_maps_them(tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl"
    file.write_text('{"ask": "a", "say": "b"}\n')
    with pytest.raises(IlaError, match=r"fields are ask, say: .* --map instruction=FIELD"):
        list(read_pool(file))


OWN = [{"ask": f"How {n}?", "say": f"Like {n}."} for n in range(3)]
TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def test_files_of_several_shapes_are_each_read_by_their_own(tmp_path: Path) -> None:
    put(tmp_path, lines(), "a.jsonl")
    put(tmp_path, lines([{"messages": TALK}]), "b.jsonl")
    put(tmp_path, lines(OWN), "c.jsonl")
    files = tmp_path / "*.jsonl"
    with pytest.raises(IlaError, match=r"c.jsonl .* fields are ask, say: .* as they are now"):
        list(read_pool(files))
    reading = Reading(files, ReadSettings(map="instruction=ask,response=say"))
    assert [one.response for one in reading] == ["Pear ☃", "3", "", "Hello", "Like 0.", "Like 1.",
                                                 "Like 2."]  # fmt: skip
    assert reading.tally.formats == {"alpaca": 3, "messages": 1, "mapped": 3}
    with pytest.raises(UsageError, match=r"'asks' not found in any of the files; fields are inst"):
        list(read_pool(files, ReadSettings(map="instruction=asks,response=say")))


def test_two_files_with_a_map_of_their_own_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path, lines(OWN), "a.jsonl")
    put(tmp_path, lines([{"q": "a", "w": "b"}]), "b.jsonl")
    with pytest.raises(IlaError) as told:
        list(read_pool(tmp_path / "*.jsonl", ReadSettings(map="instruction=ask,response=say")))
    assert "b.jsonl holds no usable record" in str(told.value)
    assert "its fields are q, w, and --map names none of them but ask, say" in str(told.value)
    assert re.search(r"ila add RUN \S*b.jsonl --map instruction=FIELD", str(told.value))


def test_a_file_whose_first_records_lack_a_mapped_field_may_have_it_later(tmp_path: Path) -> None:
    put(tmp_path, lines(OWN), "a.jsonl")
    put(tmp_path, lines([{"prompt": "p", "completion": "c"}] * SURVEYED + OWN), "b.jsonl")
    reading = Reading(tmp_path / "*.jsonl", ReadSettings(map="instruction=ask,response=say"))
    assert [one.response for one in reading][-4:] == ["c", "Like 0.", "Like 1.", "Like 2."]


def test_a_mapped_field_of_a_later_file_is_looked_for_before_it_is_missed(tmp_path: Path) -> None:
    put(tmp_path, lines(POOL * 400), "a.jsonl")
    put(tmp_path, lines(OWN), "b.jsonl")
    reading = Reading(tmp_path / "*.jsonl", ReadSettings(map="instruction=ask,response=say"))
    assert len(list(reading)) == reading.tally.kept == 1203
    missing = Reading(tmp_path / "*.jsonl", ReadSettings(map="instruction=asks"))
    with pytest.raises(UsageError, match="'asks' not found in any of the files"):
        list(missing)
    assert missing.tally.read == 1000


def test_conversations_are_offered_for_a_mapped_field_that_is_missing(tmp_path: Path) -> None:
    file = put(tmp_path, lines([{"id": 1, "talk": TALK}]))
    with pytest.raises(UsageError, match=r"instruction=FIELD, or the conv.* with messages=talk"):
        list(read_pool(file, ReadSettings(map="instruction=ask")))


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
