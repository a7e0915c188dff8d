"""A pool read from its files and put on disk: records.parquet and rejects.jsonl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from ila_core.blocks import Spread
from ila_core.files import replacing, sweep, writing_errors
from ila_core.pool.inputs import Input, Paths, hashed, shown
from ila_core.pool.json_text import as_utf8, compact_json
from ila_core.pool.known import Known
from ila_core.pool.reading import Reading
from ila_core.pool.record import Record, Reject
from ila_core.pool.records import Records
from ila_core.pool.settings import ReadSettings
from ila_core.pool.table import VERSION, Writer
from ila_core.progress import Progress, no_progress


def ingest(
    pool: Paths | Sequence[Input],
    *,
    out: str | Path,
    settings: ReadSettings | None = None,
    require_response: bool = True,
    known: Known | None = None,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Records:
    """Read a pool into the folder `out`: records.parquet and rejects.jsonl, both or none.

    `pool` is paths and globs, or its files as `inputs.hashed` has returned them, which are then
    not hashed again. A pool without any response is refused unless `require_response` is False.
    All rejects are counted, and of each reason the first `settings.rejects` are kept.
    What is `known` already is rejected. A `spread` has pieces of the files judged elsewhere, and
    those that are done are kept in the folder `work`; the files written are the same to the byte.
    `progress` gets records read and an estimate of their
    number. Raises IlaError for a pool that cannot be used or that changes meanwhile, a folder that
    cannot be written to, a full disk; nothing half-written stays.
    """
    inputs = _inputs(pool)
    reading = Reading([file.path for file in inputs], settings, known)
    out = Path(out)
    with (
        _folder(out),
        replacing(out / "records.parquet") as records_part,
        replacing(out / "rejects.jsonl") as rejects_part,
        writing_errors(out),
        open(rejects_part, "wb") as rejects,
        open(records_part, "wb") as sink,  # our own handle, so that a full disk is an OSError
        Writer(sink) as writer,
    ):
        kept: Counter[str] = Counter()
        for one in reading.parts(spread, work):
            if isinstance(one, Record):
                if not writer.add(one):
                    continue
            else:
                for reject in [one] if isinstance(one, Reject) else one.rejects:
                    kept[reject.reason] += 1
                    if kept[reject.reason] <= reading.settings.rejects:
                        rejects.write(_reject_line(reject))
                if isinstance(one, Reject):
                    continue
                writer.extend(one.batch)
            read = reading.tally.read
            progress(read, max(read, int(read / max(reading.share, 1e-9))))
        more = sum(max(0, n - reading.settings.rejects) for n in reading.tally.reasons.values())
        if more:
            reading.tally.notes[_left_out(reading.settings.rejects)] += more
        for file in inputs:
            file.check()
        reading.check(require_response=require_response)
        writer.flush()
        writer.close(_metadata(reading, writer, inputs))
    progress(reading.tally.read, reading.tally.read)
    return Records.open(out / "records.parquet")


def _inputs(pool: Paths | Sequence[Input]) -> Sequence[Input]:
    if not isinstance(pool, str | Path) and pool and all(isinstance(f, Input) for f in pool):
        return cast("Sequence[Input]", pool)
    return hashed(cast(Paths, pool))


def _metadata(reading: Reading, writer: Writer, inputs: Sequence[Input]) -> dict[str, Any]:
    hashes = {shown(file.path): file.sha256 for file in inputs}
    return {
        "version": VERSION,
        "fingerprint": writer.fingerprint,
        "counts": reading.counts,
        "fields": list(reading.tally.fields),
        "files": [{**file, "sha256": hashes[file["name"]]} for file in reading.files],
        "mapping": reading.tally.mapping,
        "has_labels": writer.has_labels,
        "understood": asdict(reading.understood),
    }


def _reject_line(reject: Reject) -> bytes:
    fields = {"file": reject.file, "line": reject.line, "reason": reject.reason}
    return as_utf8(compact_json({**fields, "text": reject.text})) + b"\n"


def _left_out(kept: int) -> str:
    """The note on rejects of which there are many alike."""
    return f"reject beyond the first {kept:,} of its reason, not kept; --rejects keeps more"


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """A folder to write into, rid of what a killed build left; one made in vain goes again."""
    existed = out.exists()
    try:
        with writing_errors(out):
            out.mkdir(parents=True, exist_ok=True)
        sweep(out)
        yield
    finally:
        if not existed and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
