"""Pools in a bucket, against a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pool_files import lines

from ila_core.errors import IlaError, UsageError
from ila_core.pipeline.build import build
from ila_core.pool.ingest import ingest
from ila_core.pool.inputs import hashed

POOL = [{"prompt": f"Name bird {i}.", "completion": f"Bird {i}."} for i in range(20)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = pytest.importorskip("moto.server", reason="moto, an S3 server for tests, is not there")
    served = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bucket `pools`, as pyarrow's file system; copies are kept in a cache of the test's."""
    from pyarrow.fs import S3FileSystem

    for name, value in {
        "AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "ILA_CACHE_DIR": str(tmp_path / "cache"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    host = server.removeprefix("http://")
    files = S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True)
    files.create_dir("pools")
    return files


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


def test_a_landscape_is_built_in_a_folder(pool: Path) -> None:
    with pytest.raises(UsageError, match="'s3://pools/run'; a landscape is built in a folder"):
        build(pool, out="s3://pools/run")
