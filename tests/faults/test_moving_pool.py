"""Files that change while they are read: told, and nothing of them is kept."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faults.counts import count
from ila_core.errors import IlaError
from ila_core.pool.ingest import ingest
from ila_core.space.given import load_embeddings

RECORDS = [{"instruction": f"Ask {i:05}.", "output": f"{i:05} " * 8} for i in range(4000)]
OTHERS = [{**record, "output": record["output"].replace("0", "9")} for record in RECORDS]


def jsonl(path: Path, records: list[dict[str, str]]) -> None:
    from conftest import write_jsonl

    write_jsonl(path, records)  # type: ignore[arg-type]


def packed(path: Path, records: list[dict[str, str]]) -> None:
    jsonl(path, records)
    path.write_bytes(gzip.compress(path.read_bytes(), 1))


def table(path: Path, records: list[dict[str, str]]) -> None:
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=500)


def grow(path: Path, other: Path) -> None:
    with open(path, "ab") as stream:
        stream.write(b'{"instruction": "Late?", "output": "Yes."}\n')


def cut(path: Path, other: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


def replace(path: Path, other: Path) -> None:
    os.replace(other, path)


def remove(path: Path, other: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [grow, cut, overwrite, replace, remove])
@pytest.mark.parametrize(
    ("name", "write"), [("p.jsonl", jsonl), ("p.jsonl.gz", packed), ("p.parquet", table)]
)
def test_a_pool_that_changes_under_its_reader_is_not_taken(
    tmp_path: Path,
    name: str,
    write: Callable[[Path, list[dict[str, str]]], None],
    change: Callable[[Path, Path], None],
) -> None:
    path, other, out = tmp_path / name, tmp_path / f"other-{name}", tmp_path / "out"
    write(path, RECORDS)
    write(other, OTHERS)

    done: list[int] = []

    def changed(read: int, total: int | None) -> None:
        if not done:
            change(path, other)
        done.append(read)

    with pytest.raises(IlaError) as told:
        ingest(path, out=out, progress=changed)
    assert done[0] < len(RECORDS), "there was more to read"
    assert "\n" not in str(told.value) and str(path) in str(told.value)
    assert not list(out.glob("*")), "nothing of it is kept"
    write(path, RECORDS)
    assert len(ingest(path, out=out)) == len(RECORDS)
    count("pools and vectors that change under their reader")


def test_vectors_that_shrink_under_their_reader_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapped file that shrinks would end the process by a signal."""
    path = tmp_path / "v.npy"
    np.save(path, np.ones((40_000, 16), np.float32))
    plain = np.load

    def loaded(*words: object, **how: object) -> object:
        array = plain(*words, **how)  # type: ignore[arg-type]
        os.truncate(path, 4096)
        return array

    monkeypatch.setattr(np, "load", loaded)
    with pytest.raises(IlaError, match=r"v\.npy"):
        load_embeddings(path, 40_000, out=tmp_path / "out.npy")
    assert not (tmp_path / "out.npy").exists()
    count("pools and vectors that change under their reader")
