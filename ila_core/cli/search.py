"""`ila search`: the records that hold words, that mean alike, or that are like another."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.cli.arguments import add_command, whole
from ila_core.cli.terminal import Line, say
from ila_core.errors import UsageError

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.search.find import Hits

LISTED = 20
_WIDTH = 100


def add(commands: Any) -> None:
    command = add_command(
        commands, "search", run, "find records by words, by meaning, or like another"
    )
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument(
        "words", metavar="WORDS", nargs="*",
        help="words that must all occur; as one text in quotation marks also 'tax \"capital "
        "gains\" invest* -crypto': words in this order, beginnings, what must not occur",
    )  # fmt: skip
    command.add_argument("--meaning", action="store_true",
                         help="the records nearest to what the words mean")  # fmt: skip
    command.add_argument("--like", metavar="ROW", type=whole(0, 2**63 - 1, "--like"),
                         help="the records nearest to this one")  # fmt: skip
    command.add_argument("--only", action="append", default=[], metavar="RULE",
                         help="among these alone, such as language=zh or tokens=10..500 "
                         "(repeatable)")  # fmt: skip
    command.add_argument("--limit", metavar="N", type=whole(1, 10**9, "--limit"), default=LISTED,
                         help=f"the first of them (default {LISTED})")  # fmt: skip
    command.add_argument("--json", action="store_true",
                         help="print one JSON object, with the whole records")  # fmt: skip


def run(options: argparse.Namespace) -> None:
    if bool(options.words) == (options.like is not None):
        raise UsageError("Give words to search for, or --like ROW, one of the two.")
    if options.like is not None and options.meaning:
        raise UsageError("--like searches by meaning already; leave --meaning out.")
    landscape = ila.open(options.run_folder)
    found = _found(landscape, options)
    rows = found.rows[: options.limit].tolist()
    score = None if found.score is None else found.score[: options.limit].tolist()
    total = None if options.meaning or options.like is not None else len(found)
    if options.json:
        print(json.dumps(_as_dict(landscape, rows, score, total), ensure_ascii=False))
        return
    for place, row in enumerate(rows):
        beside = f"{row:>9}" if score is None else f"{row:>9}  {score[place]:.3f}"
        print(f"{beside}  {_line(landscape, row)}")
    if total is not None:
        say(f"{total:,} record{'s' * (total != 1)} found"
            + (f", the first {len(rows):,} shown" if total > len(rows) else ""))  # fmt: skip


def _found(landscape: Landscape, options: argparse.Namespace) -> Hits:
    """Return what was asked for, that of the rules alone."""
    from ila_core.search.find import Hits, by_meaning, by_words, similar
    from ila_core.search.index import is_made
    from ila_core.selection.rules import matching

    text = " ".join(options.words)
    among = matching(landscape, options.only) if options.only else None
    most = options.limit if among is None else len(landscape)
    if options.like is not None:
        found = similar(landscape, options.like, most)
    elif options.meaning:
        found = by_meaning(landscape, text, most)
    elif landscape.records is None or is_made(landscape):
        found = by_words(landscape, text)
    else:
        found = by_words(landscape, text, Line("making the index, once"))
    if among is None:
        return found
    inside = among[found.rows]
    return Hits(found.rows[inside], None if found.score is None else found.score[inside])


def _line(landscape: Landscape, row: int) -> str:
    """Return the beginning of a record's instruction in a line."""
    if landscape.records is None:
        return ""
    text = " ".join(landscape.records.take([row])[0].instruction[: 4 * _WIDTH].split())
    return text if len(text) <= _WIDTH else text[: _WIDTH - 2] + " …"


def _as_dict(
    landscape: Landscape, rows: list[int], score: list[float] | None, total: int | None
) -> dict[str, Any]:
    records = landscape.records.take(rows) if landscape.records is not None else [None] * len(rows)
    hits: list[dict[str, Any]] = []
    for place, (row, record) in enumerate(zip(rows, records, strict=True)):
        hit: dict[str, Any] = {"row": row}
        if score is not None:
            hit["cosine"] = round(score[place], 6)
        if record is not None:
            hit |= {"instruction": record.instruction, "response": record.response}
        hits.append(hit)
    return {"found": total, "hits": hits}
