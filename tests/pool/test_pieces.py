"""A pool read in pieces: the bytes, the counts and the errors of one that is read in one go."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pool_files import lines
from spreading import Pickling, stopping_after

from ila_core.errors import IlaError
from ila_core.pool import json_lines, pieces, table
from ila_core.pool.ingest import ingest
from ila_core.pool.settings import ReadSettings

HEAD = 1000
"""Records of a pool that are always read one by one."""


def record(i: int) -> dict[str, Any]:
    return {"prompt": f"Name bird {i}.", "completion": f"Bird {i}.", "id": i % 1700}


POOL = [record(i) for i in range(1800)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ila_core.pool.containers", "ila_core.pool.pieces"):
        monkeypatch.setattr(f"{module}.PIECE", 4096)


def both(pool: Path | list[Path], folder: Path, **how: Any) -> list[list[tuple[int, int]]]:
    """Read a pool both ways; return what pieces it fell into, none where both refuse it alike."""
    spread = Pickling()
    options = ReadSettings(**how)
    told = []
    for name, one in (("whole", None), ("parts", spread)):
        try:
            ingest(pool, out=folder / name, settings=options, spread=one)
            told.append("")
        except IlaError as error:
            told.append(f"{type(error).__name__}: {error}")
    assert told[0] == told[1]
    if not told[0]:
        for file in ("records.parquet", "rejects.jsonl"):
            assert (folder / "whole" / file).read_bytes() == (folder / "parts" / file).read_bytes()
    return spread.made


def as_json(path: Path) -> Path:
    path.write_text(json.dumps(POOL))
    return path


def as_parquet(path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(POOL), path, row_group_size=500)
    return path


def as_csv(path: Path) -> Path:
    rows = [f'{one["id"]},"{one["prompt"]}","{one["completion"]}"' for one in POOL]
    path.write_text("\n".join(["id,prompt,completion", *rows]))
    return path


def as_lines(path: Path) -> Path:
    path.write_bytes(lines(POOL))
    return path


def packed(path: Path) -> Path:
    path.write_bytes(gzip.compress(lines(POOL).decode().encode("utf-16"), mtime=0))
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [("p.jsonl", as_lines), ("p.jsonl.gz", packed), ("p.json", as_json), ("p.csv", as_csv),
     ("p.parquet", as_parquet)],
)  # fmt: skip
def test_every_container(name: str, write: Callable[[Path], Path], tmp_path: Path) -> None:
    made = both(write(tmp_path / name), tmp_path)
    assert len(made) > 10


def test_several_files_and_a_mapping(tmp_path: Path) -> None:
    other = [{"ask": f"Why {i}?", "output": "So."} for i in range(1500)]
    pool = [as_lines(tmp_path / "a.jsonl"), tmp_path / "b.jsonl"]
    pool[1].write_bytes(lines(other))
    for mapping in ("", "instruction=ask,response=output", "instruction=absent"):
        both(pool, tmp_path / (mapping or "none"), map=mapping)


ODD = {
    "blank": b"", "spaces": b"  ", "no JSON": b"{no", "not UTF-8": b'{"prompt": "\xff"}',
    "no record": b'{"prompt": ""}', "padded": b'\0{"prompt": "a", "completion": ""}\0',
    "Python": b"{'prompt': 'a', 'completion': 'b'}", "comma": b'{"prompt": "a"},',
    "long": b'{"prompt": "' + b"x" * 9000 + b'"}', "too long": b"[" + b"1," * 10_000 + b"1]",
    "labels": b'{"prompt": "a", "completion": "b", "tags": ["c"]}',
    "surrogate": b'{"prompt": "\\ud800"}',
    "another field": b'{"prompt": "a", "completion": "b", "more": 1, "label": false}',
}  # fmt: skip


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    odd=st.lists(st.tuples(st.integers(0, 1799), st.sampled_from(sorted(ODD))), max_size=60),
    end=st.sampled_from([b"\n", b"\r\n"]),
    cut=st.one_of(st.none(), st.integers(1, 24_000)),
    group=st.sampled_from([7, 300, 2048]),
    rejects=st.integers(0, 3),
)
def test_lines_of_any_kind(
    odd: list[tuple[int, str]], end: bytes, cut: int | None, group: int, rejects: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("lines")
    written = [json.dumps(one).encode() for one in POOL]
    for place, kind in odd:
        written[place] = ODD[kind]
    data = end.join(written) + end * (len(odd) % 2)
    name = "pool.jsonl"
    if cut is not None:
        data, name = gzip.compress(data, mtime=0)[:cut], "pool.jsonl.gz"
    (folder / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_lines, "RECORD_LIMIT", 12_000)
        patched.setattr(table, "ROW_GROUP", group)
        patched.setattr(table, "GROUP_CHARACTERS", 9000)
        both(folder / name, folder, partial=cut is not None, rejects=rejects)


def test_lines_of_every_kind_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "RECORD_LIMIT", 12_000)
    kinds = list(ODD.values())
    written = [kinds[i % len(kinds)] if i % 5 == 0 else json.dumps(one).encode()
               for i, one in enumerate(POOL)]  # fmt: skip
    (tmp_path / "pool.jsonl").write_bytes(b"\n".join(written))
    assert len(both(tmp_path / "pool.jsonl", tmp_path, rejects=40)) > 10
    rejects = (tmp_path / "parts" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(rejects[-1])["line"] > 1700


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    other = [{"question": f"Why {i}?", "answer": "So.", "id": i} for i in range(900)]
    pool = [as_lines(tmp_path / "a.jsonl"), tmp_path / "b.jsonl"]
    pool[1].write_bytes(lines(other[:500]) + b"{no\n\n" + lines(other[500:]))
    ingest(pool, out=tmp_path / "whole")
    out, work = tmp_path / "parts", tmp_path / "work"
    made, stopped = [], 0
    for stop in (5, 4, 99):
        rest = Pickling()
        spread = stopping_after(stop, rest)
        try:
            ingest(pool, out=out, work=work, spread=spread)
        except KeyboardInterrupt:
            stopped += 1
            torn = max(work.iterdir())
            torn.write_bytes(torn.read_bytes()[:-100])
        made.append(len(rest.made))
    for file in ("records.parquet", "rejects.jsonl"):
        assert (out / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    pieces = len(list(work.iterdir()))
    assert stopped == 2 and made[2] < pieces
    assert sum(made) == pieces + 2 * stopped  # each time one was torn and one not kept


def test_pieces_end_with_their_lines(tmp_path: Path) -> None:
    made = both(as_lines(tmp_path / "pool.jsonl"), tmp_path)
    assert all(isinstance(one, pieces.Lines) and one.text.endswith(b"\n") for one in made)
    assert made[0].before == HEAD
    assert b"".join(one.text for one in made) == lines(POOL[HEAD:])
    assert len(made) > 10
