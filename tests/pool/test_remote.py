"""Pools in a bucket, against a server that speaks S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pool_files import lines

from ila_core.errors import IlaError, UsageError
from ila_core.pool.ingest import ingest
from ila_core.pool.inputs import hashed

pytest_plugins = ["buckets"]

POOL = [{"prompt": f"Name bird {i}.", "completion": f"Bird {i}."} for i in range(20)]


def put(files: Any, name: str, records: list[dict[str, str]]) -> None:
    text = lines(records)
    with files.open_output_stream(f"pools/{name}") as stream:
        stream.write(text if isinstance(text, bytes) else text.encode())


def test_a_pool_is_read_from_a_bucket(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "a/one.jsonl", POOL[:12])
    put(bucket, "a/two.jsonl", POOL[12:])
    put(bucket, "a/deeper/three.jsonl", POOL)
    records = ingest("s3://pools/a/*.jsonl", out=tmp_path / "run")
    assert list(records.instructions()) == [record["prompt"] for record in POOL]
    assert [file["name"] for file in records.files] == [
        "s3://pools/a/one.jsonl", "s3://pools/a/two.jsonl",
    ]  # fmt: skip
    assert ingest("s3://pools/a/one.jsonl", out=tmp_path / "one").counts["kept"] == 12


def test_a_copy_is_fetched_once_and_anew_when_it_changes(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "b.jsonl", POOL[:3])
    [first] = hashed("s3://pools/b.jsonl")
    changed = first.path.stat().st_mtime_ns
    [again] = hashed("s3://pools/b.jsonl")
    assert again == first and again.path.stat().st_mtime_ns == changed
    put(bucket, "b.jsonl", POOL[:4])
    [other] = hashed("s3://pools/b.jsonl")
    assert other.sha256 != first.sha256 and other.path.name == "b.jsonl"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://pools/absent.jsonl", "s3://pools/absent.jsonl was not found"),
        ("s3://pools/absent*", "matches no file; check the pattern"),
        ("s3://pools/folder", r"is a folder of a bucket; name its files, as in pools/folder/\*"),
        ("s3://nowhere/pool.jsonl", "nowhere/pool.jsonl was not found"),
    ],
)
def test_what_is_not_there_is_told(address: str, message: str, bucket: Any) -> None:
    put(bucket, "folder/c.jsonl", POOL)
    with pytest.raises(IlaError, match=message):
        hashed(address)


def test_an_address_needs_a_bucket_and_a_name() -> None:
    with pytest.raises(UsageError, match="s3://BUCKET/FILE"):
        hashed("s3://pools")
