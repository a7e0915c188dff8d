"""Write a selection for a trainer, for a notebook, or for an explorer.

The records are written in pick order, so the first lines of a nested selection are the smaller
selection. JSONL lines are the input's own lines, byte for byte.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ila_core._version import __version__
from ila_core.artifacts import ARTIFACTS, MANIFEST
from ila_core.errors import IlaError, UsageError
from ila_core.exports.commands import PARQUET, select_command, validation_name
from ila_core.exports.llamafactory import (
    MESSAGES,
    REGISTER,
    dataset_entry,
    read_register,
    register,
)
from ila_core.exports.messages import as_messages, axolotl_snippet
from ila_core.files import hash_file, in_turn, replacing, write_text, writing_errors
from ila_core.pool.json_text import as_utf8, compact_json, squeeze, without_field

if TYPE_CHECKING:
    import pyarrow as pa

    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.records import Records
    from ila_core.selection.selection import Selection

Format = Literal["jsonl", "scored", "parquet", "trl", "axolotl", "pool-parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
SNIPPET = ".axolotl.yaml"
"""What takes the place of the suffix in the name of Axolotl's snippet."""
PARTS_OF_A_RUN = frozenset((MANIFEST, "progress.json", *ARTIFACTS))


def export(
    selection: Selection,
    path: str | Path,
    format: Format = "jsonl",
    *,
    dataset_info: bool = False,
    validation: str = "",
    mine: str = "",
) -> Path:
    """Write the selected records to `path` and what made them to `path`.manifest.json.

    `format` is "jsonl" (the original records), "scored" (each with an object `_ila`), "parquet"
    (one row a record with x, y and text, as Embedding Atlas reads it), "trl" (each as a list of
    messages, whatever the pool was), "axolotl" (the same, and beside it the YAML that reads it) or
    "pool-parquet" (every record of the pool, with what became of it, and its neighbours).
    `validation` is a share (5%) or a count of the records, which go to a second file with
    .validation before the suffix instead; see `exports.split`. `dataset_info` also adds the file
    to the dataset_info.json beside it, LLaMA-Factory's register of data sets.
    `mine` is the name of the saved selection that pins, exclusions, rules and quotas come from,
    for the manifest.
    Files are complete or not there at all. UsageError for a name that says another format, and
    for the place of the pool's own file or of one that the landscape is made of. Who else writes
    to the same folder meanwhile waits: a file and its manifest are of one export.
    """
    export_parts(
        selection, path, format, dataset_info=dataset_info, validation=validation, mine=mine
    )
    return Path(path)


def export_parts(
    selection: Selection,
    path: str | Path,
    format: Format = "jsonl",
    *,
    dataset_info: bool = False,
    validation: str = "",
    mine: str = "",
) -> list[tuple[Path, Selection]]:
    """Write what `export` does; return the files of records, each with what it holds."""
    if format not in FORMATS:
        raise UsageError(f"Unknown format {format!r}; choose {', '.join(FORMATS)}.")
    parts = parts_of(selection, Path(path), format, validation)
    for place, _ in parts:
        _check_name(place, format)
        _check_place(place, selection.landscape)
    known = [dataset_entry(part, place.name, format) for place, part in parts if dataset_info]
    with writing_errors(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with in_turn(Path(path).parent):
        entries = read_register(Path(path).with_name(REGISTER)) if dataset_info else {}
        for place, part in parts:
            _write(part, place, format, validation=validation, mine=mine)
        if format == "axolotl":
            names = [place.name for place, _ in parts]
            write_text(Path(path).with_suffix(SNIPPET), axolotl_snippet(*names))
        for (place, _), entry in zip(parts, known, strict=False):
            entries = register(place, entries, entry)
    return parts


def parts_of(
    selection: Selection, path: Path, format: Format, validation: str = ""
) -> list[tuple[Path, Selection]]:
    """Return the files that an export writes, each with its records: one, or two with a split."""
    if not validation:
        return [(path, selection)]
    if format == "pool-parquet":
        raise UsageError(
            "--validation goes with files to train on; --format pool-parquet holds the whole pool."
        )
    from ila_core.exports.split import near_groups, split

    both = split(selection, validation, group=near_groups(selection))
    return [(path, both.train), (path.with_name(validation_name(path.name)), both.validation)]


def _write(selection: Selection, path: Path, format: Format, **how: str) -> None:
    """Write one file and its manifest.

    An older manifest goes first: whenever this is cut short, none stands beside other records.
    """
    about = path.with_name(f"{path.name}.{MANIFEST}")
    with replacing(path) as temporary:
        write_records(selection, temporary, format)
        digest = hash_file(temporary)
        with writing_errors(about):
            about.unlink(missing_ok=True)
    text = json.dumps(
        manifest(selection, format, sha256=digest, **how), indent=1, ensure_ascii=False
    )
    write_text(about, text + "\n")


def content(selection: Selection, format: Format = "jsonl") -> bytes:
    """Return the bytes of the file that an export of the selection writes."""
    if format not in PARQUET:
        return b"".join(lines(selection, format))
    with tempfile.TemporaryDirectory() as folder:
        write_records(selection, Path(folder) / "content", format)
        return (Path(folder) / "content").read_bytes()


def write_records(selection: Selection, path: Path, format: Format) -> None:
    """Write the records of a selection to a file, and nothing beside it."""
    if format == "pool-parquet":
        from ila_core.exports.whole import write_whole

        write_whole(selection, records_of(selection.landscape), path)
    elif format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table(selection), path, compression="zstd")
    else:
        with open(path, "wb") as stream:
            for line in lines(selection, format):
                stream.write(line)


def _check_name(path: Path, format: Format) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it.")
    suffix = path.suffix.lower()
    if format in PARQUET and suffix in (".jsonl", ".ndjson", ".json", ".csv"):
        raise UsageError(f"{path} is not named as Parquet; name it {path.with_suffix('.parquet')}.")
    if format not in PARQUET and suffix in (".parquet", ".csv", ".gz", ".zst"):
        raise UsageError(
            f"{path} would hold JSON lines, not what {suffix} says; name it "
            f"{path.with_suffix('.jsonl')}"
            + (", or add --format parquet." if suffix == ".parquet" else ".")
        )


def _check_place(path: Path, landscape: Landscape) -> None:
    """Refuse to overwrite what the selection is made from: it may be the only copy."""
    run = landscape.run
    inside = run is not None and path.resolve().parent == run.resolve()
    if inside and path.name in PARTS_OF_A_RUN:
        raise UsageError(f"{path} is a part of the landscape; choose another name.")
    if not path.is_file():
        return
    size = path.stat().st_size
    same_size = [file for file in landscape.manifest.get("inputs", []) if file["bytes"] == size]
    if path.with_name(f"{path.name}.{MANIFEST}").is_file():  # an export of the whole pool is
        same_size = [file for file in same_size if file["name"] == path.name]  # its equal
    if same_size and hash_file(path) in [file["sha256"] for file in same_size]:
        raise UsageError(f"{path} is the pool itself; choose another name for the selection.")


def lines(selection: Selection, format: Format = "jsonl") -> Iterator[bytes]:
    """Yield the lines of the exported JSONL, newline included, in pick order."""
    records = records_of(selection.landscape)
    if format in MESSAGES:
        for turns in records.take_turns(selection.rows):
            yield as_utf8(compact_json(as_messages(turns))) + b"\n"
        return
    originals = records.take_originals(selection.rows)
    if format == "jsonl":
        for original in originals:
            yield original.encode("utf-8") + b"\n"
        return
    for original, score in zip(originals, scores(selection), strict=True):
        yield as_utf8(with_scores(original, score)) + b"\n"


def scores(selection: Selection) -> Iterator[dict[str, Any]]:
    """Yield what is known of each selected record, in pick order; missing numbers are None."""
    landscape = selection.landscape
    for order, row in enumerate(selection.rows.tolist()):
        yield {
            "row": row,
            "loss": _shortest(landscape.loss[row]),
            "loss_reduction": _shortest(landscape.loss_reduction[row]),
            "tokens": int(_shortest(landscape.tokens[row]) or 0),
            "skills": _whole(landscape.skills[row]),
            "depth": _shortest(landscape.depth[row]),
            "relative_depth": _shortest(landscape.relative_depth[row]),
            "domain": landscape.domain_names[landscape.domain[row]],
            "round": int(selection.round[order]),
            "order": order,
        }


def with_scores(original: str, score: dict[str, Any]) -> str:
    """Return a record's JSON text with the object `_ila` added as its last field.

    Everything before it stays as it was written; an `_ila` of an earlier export is replaced. A
    record that is a list of messages becomes an object that holds it, and a text of JSON the object
    that it spells.

    >>> with_scores('{"a": 1.50}', {"row": 0})
    '{"a": 1.50, "_ila": {"row": 0}}'
    """
    while original.lstrip().startswith('"'):
        original = squeeze(json.loads(original))  # it may go over several lines
    if original.lstrip().startswith("["):
        original = f'{{"messages": {original.strip()}}}'
    if '"_ila"' in original:
        original = without_field(original, "_ila")
    head = original.rstrip()[:-1].rstrip()
    comma = "" if head.endswith("{") else ", "
    return f'{head}{comma}"_ila": {json.dumps(score, ensure_ascii=False)}}}'


def table(selection: Selection) -> pa.Table:
    """Return the selected records with their place and scores, one row each, in pick order."""
    import pyarrow as pa

    landscape, rows = selection.landscape, selection.rows
    taken = records_of(landscape).take(rows)
    columns: dict[str, Any] = {
        "row": rows,
        "order": range(len(rows)),
        "round": selection.round,
        "x": landscape.xy[rows, 0],
        "y": landscape.xy[rows, 1],
        "text": [record.instruction for record in taken],
        "response": [record.response for record in taken],
        "domain": [landscape.domain_names[d] for d in landscape.domain[rows]],
        "source": [record.source for record in taken],
        "loss": landscape.loss[rows],
        "loss_reduction": landscape.loss_reduction[rows],
        "tokens": landscape.tokens[rows],
        "skills": landscape.skills[rows],
        "depth": landscape.depth[rows],
        "relative_depth": landscape.relative_depth[rows],
        "record": [record.original for record in taken],
    }
    columns |= {name: column[rows] for name, column in landscape.scores.items()}
    return pa.table({name: pa.array(column) for name, column in columns.items()})


def manifest(
    selection: Selection, format: Format, *, sha256: str, validation: str = "", mine: str = ""
) -> dict[str, Any]:
    """Return how the file was made: rule, locks, landscape, and the command that repeats it.

    `validation` is the share that was split off; the file of either part says it.
    """
    landscape, spec = selection.landscape, selection.spec
    built = landscape.manifest
    return {
        "ila": __version__,
        "records": len(selection.rows),
        "sha256": sha256,
        "format": format,
        "validation": validation,
        **spec.as_dict(),
        "mine": mine,
        "quotas_met": {tally.quota: tally.picks for tally in selection.tallies},
        "resolution_used": selection.resolution,
        "filled_up": selection.filled,
        "tuned_on": len(set(selection.rows.tolist()) & set(landscape.tuned_rows.tolist())),
        "fingerprint": landscape.fingerprint,
        "inputs": built.get("inputs", []),
        "build": built.get("command", ""),
        "command": select_command(selection, format, validation=validation),
    }


def records_of(landscape: Landscape) -> Records:
    """Return the records of a landscape; IlaError where it has none to write."""
    if landscape.records is None:
        raise IlaError(
            "This landscape has no records (it was made from arrays); only rows can be selected "
            "from it, not exported."
        )
    return landscape.records


def _shortest(value: Any) -> float | None:
    """Return a float32 as the shortest decimal that reads back as it; None where it is missing."""
    return None if math.isnan(value) else float(str(value))


def _whole(value: Any) -> int | None:
    return None if math.isnan(value) else int(value)
