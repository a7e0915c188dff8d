"""The full-text index of a landscape's records: made on the first search, kept beside it.

SQLite's FTS5, which comes with Python: one file whose row ids are the rows of the landscape. On
75,075 records (70 MB of text) it takes 7 s of one core and 36 MB, and answers in milliseconds;
reading the texts for every question takes 0.3 s of both cores there, and in a pool of a million 4.
Tantivy ranks faster, but brings a folder of files, row numbers of its own, and 17 MB to install.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from ila_core.errors import IlaError, first_line
from ila_core.landscape import beside
from ila_core.landscape.landscape import Landscape
from ila_core.progress import Progress, no_progress
from ila_core.search.query import Query, spaced

VERSION = 1
"""Of what is indexed and how; whatever lets other records be found raises it."""
BATCH = 2048
MOST_RANKED = 20_000
"""Hits up to which the best come first, at some 3 microseconds a hit. A word that more records than
these have tells little of any of them: such hits come in the pool's order."""

_TABLE = """
create virtual table texts using fts5(
    body, content='', tokenize="unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
)
"""
"""Letters with their marks, and digits, make words; accents and letter case make no difference."""


def is_made(landscape: Landscape) -> bool:
    """Tell whether the index is there, so that a search is instant."""
    name = beside.name_of(landscape, "words", VERSION)
    return beside.found(landscape, name) is not None


def made(landscape: Landscape, progress: Progress = no_progress) -> Path:
    """Return the file of the index, made now where it is not there: about 0.1 ms a record.

    `progress` counts records. IlaError for a landscape without texts, and where it cannot be kept.
    """
    name = beside.name_of(landscape, "words", VERSION)
    path = beside.found(landscape, name)
    if path is None:
        path = beside.keep(landscape, name, lambda file: _write(file, landscape, progress))
    return path


def matches(path: Path, query: Query) -> np.ndarray:
    """Return the rows that match, (k,) int64: the best first, or ascending where there are many.

    The order among hits is that of BM25, ties by row.
    """
    try:
        with closing(_opened(path)) as index:
            found = index.execute("select rowid from texts where texts match ?", (query.match,))
            rows = np.fromiter((row for (row,) in found), np.int64)
            if not 1 < len(rows) <= MOST_RANKED:
                return np.sort(rows)
            ranked = index.execute(
                "select rowid from texts where texts match ? order by rank, rowid", (query.match,)
            )
            return np.fromiter((row for (row,) in ranked), np.int64, count=len(rows))
    except sqlite3.Error as error:
        raise IlaError(
            f"The index {path} cannot be read ({first_line(error)}); delete it and search again."
        ) from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open an index that nobody changes: no lock is taken, so that it may lie anywhere."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _write(file: Path, landscape: Landscape, progress: Progress) -> None:
    n = len(landscape)
    with closing(sqlite3.connect(file, isolation_level=None)) as index:
        index.execute("pragma journal_mode = off")  # half a file is thrown away as a whole
        index.execute("pragma synchronous = off")
        try:
            index.execute(_TABLE)
        except sqlite3.OperationalError as error:
            raise IlaError(
                f"This Python's SQLite has no full-text search ({first_line(error)}); use a Python "
                "that has FTS5, or search by meaning."
            ) from error
        try:
            index.execute("begin")
            for start, bodies in _bodies(landscape):
                index.executemany("insert into texts (rowid, body) values (?, ?)",
                                  enumerate(bodies, start))  # fmt: skip
                progress(min(start + len(bodies), n - 1), n)
            index.execute("insert into texts (texts) values ('optimize')")
            index.execute("commit")
        except sqlite3.OperationalError as error:  # how SQLite says that the disk is full
            raise IlaError(
                f"The index could not be written to {file.parent} ({first_line(error)}); free some "
                "space and search again."
            ) from error
    progress(n, n)


def _bodies(landscape: Landscape) -> Iterator[tuple[int, list[str]]]:
    """Yield all turns of every record as one text, some thousand records at a time."""
    assert landscape.records is not None
    start, bodies = 0, []
    for turns in landscape.records.conversations():
        bodies.append(spaced("\n".join(turn.text for turn in turns)))
        if len(bodies) == BATCH:
            yield start, bodies
            start, bodies = start + BATCH, []
    if bodies:
        yield start, bodies
