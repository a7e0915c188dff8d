"""What comes from elsewhere and is read: each reader with a few whole examples of its bytes.

Both the tests and the fuzzer of a search guided by coverage (`fuzz.py`) feed these readers.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from pool_files import arrow, workbook

import ila_core as ila
from ila_core.cli import main
from ila_core.errors import IlaError
from ila_core.landscape import region
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine, pool_of
from ila_core.mine.sets import rows_of
from ila_core.mine.shelf import Shelf, as_dict, read_file
from ila_core.paths import SAMPLE
from ila_core.pool.fields import parse_map
from ila_core.pool.labels import NoLabels, labels_in
from ila_core.pool.reading import Reading, preview
from ila_core.pool.settings import ReadSettings
from ila_core.search.query import Query
from ila_core.selection import rules
from ila_core.selection.budget import Budget
from ila_core.selection.locks import read_locks
from ila_core.selection.quota import Quota
from ila_core.selection.spec import Spec, parameter
from ila_core.skills.answers import parse_answer
from ila_core.skills.journal import read_journal
from ila_core.skills.settings import check_url
from ila_core.space.given import load_embeddings
from ila_core.studies.findings import Study
from ila_core.studies.journal import planned
from view import from_query, to_query

RECORDS: list[dict[str, Any]] = [
    {"instruction": "Name a fruit.", "input": "", "output": "Pear ☃", "labels": ["a", "b"]},
    {"messages": [{"role": "user", "content": "Add 1."}, {"role": "assistant", "content": "2"}]},
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
     "system": "Be kind.", "tools": "[]"},
    {"prompt": "Which?", "chosen": "This.", "rejected": "That.", "score": 1.5},
    {"text": "### Instruction:\nSay it.\n\n### Response:\nIt."},
    {"question": "2+2?", "choices": ["3", "4"], "answer": "B", "meta": {"source": "x", "n": [1]}},
]  # fmt: skip
FLAT = [{"instruction": f"Ask {i}, then.", "output": f'Tell "{i}".', "n": i} for i in range(6)]

Read = Callable[[bytes], object]


class Target(NamedTuple):
    """A reader of bytes that anybody may have made, and examples of whole ones.

    make: given a folder of its own, returns the reader, which raises IlaError and nothing else.
    """

    seeds: Callable[[Landscape], Iterable[bytes]]
    make: Callable[[Path, Landscape], Read]
    is_json: bool = False


def text_of(data: bytes) -> str:
    """Any bytes as a text, half characters too."""
    return data.decode("utf-8", "surrogateescape")


def reads_text(read: Callable[[str], object]) -> Callable[[Path, Landscape], Read]:
    return lambda folder, landscape: lambda data: read(text_of(data))


def texts(*whole: str) -> Callable[[Landscape], list[bytes]]:
    return lambda landscape: [text.encode() for text in whole]


# -- pools ----------------------------------------------------------------------------------------


def pool(name: str) -> Callable[[Path, Landscape], Read]:
    """The reader of a pool's file: as a build reads it, then as the page looks into it."""

    def make(folder: Path, landscape: Landscape) -> Read:
        file = folder / name

        def read(data: bytes) -> None:
            file.write_bytes(data)
            reading = Reading(file, ReadSettings(partial=True))
            try:
                found = sum(1 for _ in reading)
            finally:
                assert reading.tally.kept + reading.rejected == reading.tally.read
            assert found == reading.tally.read
            preview(file)

        return read

    return make


def mapped(folder: Path, landscape: Landscape) -> Read:
    """The reader of a record under a mapping: the mapping's line, then the record's."""
    file = folder / "p.jsonl"

    def read(data: bytes) -> None:
        mapping, _, record = data.partition(b"\n")
        settings = ReadSettings(map=text_of(mapping), partial=True)
        file.write_bytes(record)
        preview(file, settings)

    return read


def jsonl(records: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def separated(sign: str) -> bytes:
    rows = [list(FLAT[0]), *(list(map(str, record.values())) for record in FLAT)]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    return "\r\n".join(sign.join(row) for row in quoted).encode()


def parquet(records: list[dict[str, Any]], **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink, row_group_size=2, **how)
    return sink.getvalue()


POOLS: dict[str, list[bytes]] = {
    "p.jsonl": [jsonl(RECORDS), jsonl(FLAT), *(jsonl([record]) for record in RECORDS)],
    "p.json": [json.dumps(RECORDS).encode(), json.dumps({"data": FLAT}, indent=1).encode()],
    "p.csv": [separated(","), "instruction;output\nä;ö\n".encode()],
    "p.tsv": [separated("\t")],
    "p.parquet": [parquet(FLAT), parquet(RECORDS[:2], compression="zstd"), parquet(RECORDS[1:3])],
    "p.arrow": [arrow(FLAT, stream=True), arrow(RECORDS[:2], stream=False)],
    "p.xlsx": [workbook(s=[["instruction", "output"], ["Ask.", "Tell."], ["Ask 1.", "Tell 1."]])],
    "p.jsonl.gz": [gzip.compress(jsonl(FLAT), mtime=0)],
    "p.jsonl.zst": [zstandard.ZstdCompressor().compress(jsonl(FLAT))],
}

# -- files of ours that anybody may have written --------------------------------------------------


def manifest(folder: Path, landscape: Landscape) -> Read:
    run = Path(shutil.copytree(str(landscape.run), folder / "run"))

    def read(data: bytes) -> None:
        (run / "manifest.json").write_bytes(data)
        ila.open(run)

    return read


def study(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "study.json").write_bytes(data)
        found = Study.open(folder)
        for loss in ("micro", "macro"):
            found.verdicts(loss)
            found.headline(loss)
        assert found.losses is not None and str(found.advised)

    return read


def plan(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "plan.json").write_bytes(data)
        planned(folder)

    return read


def mine(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "mine.json").write_bytes(data)
        read_file(folder / "mine.json", landscape)

    return read


def small_study(landscape: Landscape) -> list[bytes]:
    whole = json.loads((SAMPLE / "study" / "study.json").read_text("utf-8"))
    whole["curves"] = [row for row in whole["curves"] if row["seed"] == 0][:12]
    return [json.dumps(whole).encode()]


def a_mine(landscape: Landscape) -> list[bytes]:
    one = Mine("my best", (1, 2), (3,), ("tokens=2..",), (), pool_of(landscape), len(landscape))
    return [json.dumps(as_dict(one)).encode()]


# -- words ----------------------------------------------------------------------------------------


def budget(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        Budget.parse(text_of(data)).records(landscape)

    return read


def rule(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        text = text_of(data)
        for one in rules.split(text):
            assert rules.split(str(one)) == (one,)
            one.rows(landscape)

    return read


def quota(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        one = Quota.parse(text_of(data))
        assert Quota.parse(str(one)) == one

    return read


def exported(folder: Path, landscape: Landscape) -> Read:
    """The reader of what stands beside an export: its selection is made again."""
    (folder / "chosen.jsonl").write_bytes(b"{}\n")

    def read(data: bytes) -> None:
        (folder / "chosen.jsonl.manifest.json").write_bytes(data)
        rows_of(landscape, str(folder / "chosen.jsonl"), Shelf(folder))

    return read


def manifests(landscape: Landscape) -> list[bytes]:
    about = {"fingerprint": landscape.fingerprint, "sha256": hashlib.sha256(b"{}\n").hexdigest()}
    specs = [Spec(), Spec(method="nested", budget="5", seed=3), Spec(budget="90-tokens"),
             Spec(only=("tokens=2..",), pinned=(1,), excluded=(2,),
                  quotas=("tokens:..5=..50%",))]  # fmt: skip
    return [json.dumps({**about, **spec.as_dict()}).encode() for spec in specs]


def words(folder: Path, landscape: Landscape) -> Read:
    """The words of `ila select`, parted by newlines."""

    def read(data: bytes) -> None:
        line = [text for text in text_of(data).split("\n") if "\0" not in text]
        if any("/" in text or "--out".startswith(text.partition("=")[0] or "-") for text in line):
            return  # it would write, or read, wherever it is told to
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as told:
            try:
                code: object = main(["select", str(landscape.run), *line])
            except SystemExit as left:
                code = left.code
        assert code in (0, 1, 2) and "Traceback" not in told.getvalue()
        assert code or out.getvalue()

    return read


def link(text: str) -> None:
    view, told = from_query(dict(parse_qsl(text, keep_blank_values=True)))
    assert from_query(to_query(view)) == (view, ())
    assert all(isinstance(sentence, str) for sentence in told)


def label(text: str) -> None:
    with suppress(NoLabels):
        labels_in(text)


def rows(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "rows.txt").write_bytes(data)
        read_locks(folder / "rows.txt", len(landscape))

    return read


def answers(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "labels.jsonl").write_bytes(data)
        read_journal(folder)

    return read


def vectors(folder: Path, landscape: Landscape) -> Read:
    def read(data: bytes) -> None:
        (folder / "v.npy").write_bytes(data)
        load_embeddings(folder / "v.npy", 3)

    return read


def npy(landscape: Landscape) -> list[bytes]:
    made = []
    for array in (np.eye(3, dtype=np.float32), np.eye(3)[::-1].T):
        sink = io.BytesIO()
        np.save(sink, array)
        made.append(sink.getvalue())
    return made


TARGETS: dict[str, Target] = {
    **{name: Target(lambda _, name=name: POOLS[name], pool(name)) for name in POOLS},  # type: ignore[misc]
    "mapped": Target(
        lambda _: [
            b"instruction=messages.0.content,response=messages.1.content\n" + jsonl(RECORDS[1:2]),
            b"instruction=question,response=answer,labels=meta.source\n" + jsonl(RECORDS[5:]),
        ],
        mapped,
    ),
    "map": Target(texts("instruction=a.b.0,response=c", "turns=x"), reads_text(parse_map)),
    "manifest": Target(
        lambda landscape: [(Path(str(landscape.run)) / "manifest.json").read_bytes()],
        manifest, is_json=True,
    ),
    "study": Target(small_study, study, is_json=True),
    "plan": Target(
        lambda _: [(SAMPLE / "study" / "plan.json").read_bytes()], plan, is_json=True
    ),
    "mine": Target(a_mine, mine, is_json=True),
    "exported": Target(manifests, exported, is_json=True),
    "budget": Target(texts("10%", "2M-tokens", "1_000", "12.5k", "0.1 %"), budget),
    "rule": Target(texts("tokens=10..500,depth=..0.5", "depth=0.25.."), rule),
    "quota": Target(texts("language:zh=10%..30%", "label:code=..5%", "source:a=100.."), quota),
    "parameter": Target(texts("eps=0.1", "start=random", "a=[1]"), reads_text(parameter)),
    "words": Target(
        texts("--budget\n10%\n--method\nnested\n--seed\n3\n--json",
              "--budget\n5\n--only\ntokens=2..\n--depth-target\n0.5\n--set\na=1",
              "--budget\n2k-tokens\n--patches\ngrid\n--resolution\n8"),
        words,
    ),
    "link": Target(
        texts("method=ila&budget=10%25&resolution=8&patches=grid&layer=depth&cells=32&seed=3",
              "region=0,0;1,0;1,1&box=0,0,1,1&filter=tokens=10..&fields=field.a&q=tax&by=words",
              "methods=a,b&pair=ila,random&study=/x&mine=~A&only=label=a&quotas=label:a=1..&like=2"),
        reads_text(link),
    ),
    "region": Target(texts("0,0,1,1", "0,0;1,0;1,1"), reads_text(region.parse)),
    "search": Target(texts('tax "capital gains" -crypto', "中国 naïve"), reads_text(Query.parse)),
    "label": Target(texts('["a", "b"]', "a; b", '{"tag": "x"}'), reads_text(label)),
    "answer": Target(
        texts('["a", "b"]', '```json\n{"labels": ["x"]}\n```', "- a\n- b"), reads_text(parse_answer)
    ),
    "url": Target(texts("http://localhost:80/v1", "https://[::1]:9/a"), reads_text(check_url)),
    "rows": Target(texts("0\n5\n\n7\n", "\ufeff3\r\n"), rows),
    "answers": Target(texts('{"row": 0, "key": "k", "labels": ["a"]}\n'), answers),
    "vectors": Target(npy, vectors),
}  # fmt: skip
"""Every reader, by the name that the fuzzer knows it by."""


def harmless(read: Read, data: bytes) -> bool:
    """Feed a reader: True where it took the bytes, False where it refused them in one sentence."""
    try:
        read(data)
    except IlaError as error:
        assert str(error).strip() and "\n" not in str(error).rstrip("\n"), repr(str(error))
        return False
    return True
