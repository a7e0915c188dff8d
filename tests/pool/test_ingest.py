"""A pool put on disk: both files or none, hashed once, the same bytes each time."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pool_files import (
    MANY,
    POOL,
    lines,
    outcome,
    put,
    sheet,
)

from ila_core.errors import IlaError
from ila_core.pool import table as arrow
from ila_core.pool.ingest import ingest
from ila_core.pool.inputs import hashed
from ila_core.pool.records import Records


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


def test_unpaired_surrogates_are_taken_with_their_escape_in_the_original(tmp_path: Path) -> None:
    text = '{"prompt":"a\\ud800b","completion":["x"]}'.replace('["x"]', '"\\udc00"')
    file = put(tmp_path, text.encode())
    found = ingest(file, out=tmp_path / "run")
    assert list(found.originals()) == [text]
    assert list(found.instructions()) == ["a\ufffdb"]
    assert found.counts["notes"] == {"unpaired surrogate": 1}


def test_a_row_group_ends_early_when_records_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow, "GROUP_CHARACTERS", 300)
    pool = [{"prompt": f"{i} " + "x" * (37 * i % 200), "completion": "b"} for i in range(50)]
    found = ingest(put(tmp_path, lines(pool)), out=tmp_path / "run")
    assert pq.read_metadata(found.path).num_row_groups > 5
    asked = [49, 0, 7, 7, 30]
    assert [one.instruction for one in found.take(asked)] == [pool[i]["prompt"] for i in asked]


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
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, r"cannot be written \(Permission denied")],
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
    with pytest.raises(IlaError, match=r"cannot be written \(File exists"):
        ingest(file, out=file)
    with pytest.raises(IlaError, match=r"cannot be written \(Not a directory"):
        ingest(file, out=file / "run")


def test_stopping_midway_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(put(tmp_path, lines(POOL * 1000)), out=tmp_path / "run", progress=stop)
    assert not (tmp_path / "run").exists()


def test_a_pool_that_was_hashed_is_not_hashed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = hashed(put(tmp_path, lines()))
    monkeypatch.setattr("ila_core.pool.inputs.hash_file", None)
    found = ingest(files, out=tmp_path / "run")
    assert found.files[0]["sha256"] == hashlib.sha256(lines()).hexdigest() == files[0].sha256


@pytest.mark.parametrize("when", ["hashed", "read"])
def test_a_pool_that_changes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    file = put(tmp_path, lines())

    def grow(path: Path) -> str:
        with path.open("ab") as stream:
            stream.write(lines(POOL[:1]))
        return "0"

    with pytest.raises(IlaError, match="changed while it was read; run the same command again"):
        if when == "hashed":
            monkeypatch.setattr("ila_core.pool.inputs.hash_file", grow)
            hashed(file)
        else:
            files = hashed(file)
            grow(file)
            ingest(files, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_pool_of_the_same_length_that_was_written_anew_is_refused(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    files = hashed(file)
    os.utime(file, ns=(0, 0))
    with pytest.raises(IlaError, match="changed while it was read"):
        ingest(files, out=tmp_path / "run")


def test_a_file_whose_name_is_not_utf8_is_a_pool(tmp_path: Path) -> None:
    file = put(tmp_path, b"{bad\n" + lines(), os.fsdecode(b"p\xff.jsonl"))
    found = ingest(file, out=tmp_path / "run")
    assert found.files[0]["name"].endswith(r"/p\xff.jsonl") and len(found) == 3
    [reject] = [json.loads(line) for line in (tmp_path / "run" / "rejects.jsonl").open()]
    assert reject["file"] == found.files[0]["name"]


def test_what_a_killed_build_left_is_swept(tmp_path: Path) -> None:
    file = put(tmp_path, lines())
    code = (
        "import os, sys; from ila_core.files import replacing\n"
        "with replacing(sys.argv[1]) as part:\n"
        "    part.write_text('half')\n"
        "    os._exit(1)\n"
    )
    target = tmp_path / "run" / "records.parquet"
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert len(os.listdir(tmp_path / "run")) == 1
    ingest(file, out=tmp_path / "run")
    assert sorted(os.listdir(tmp_path / "run")) == ["records.parquet", "rejects.jsonl"]


def test_half_a_character_inside_a_text_of_json_or_of_python(tmp_path: Path) -> None:
    cell = json.dumps([{"role": "user", "content": "a\ud800"},
                       {"role": "assistant", "content": "b", "n": float("nan")}])  # fmt: skip
    data = json.dumps({"messages": cell}) + "\n{'prompt': 'a\\ud800', 'completion': ('b',)}\n"
    found = ingest(put(tmp_path, data.encode()), out=tmp_path / "run")
    assert list(found.instructions()) == ["a\ufffd", "a\ufffd"]
    assert list(found.responses()) == ["b", "b"]
