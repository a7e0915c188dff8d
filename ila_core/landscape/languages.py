"""The language of every record: worked out when it is first asked for, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ila_core.landscape import beside
from ila_core.landscape.grid import frozen
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.pool.languages import HEAD, UNKNOWN, Teller
from ila_core.progress import Progress, no_progress

VERSION = 1
"""Of the rule: whatever tells another language than before raises it."""
BATCH = 8192


@dataclass(frozen=True, eq=False)
class Languages:
    """What language each of n records is in."""

    code: np.ndarray
    """(n,) int32, position in names."""
    names: tuple[str, ...]
    """Codes such as "en", the most frequent first, "unknown" last where there is one."""


def known(landscape: Landscape) -> bool:
    """Tell whether the languages have been worked out, so that asking for them is instant."""
    name = beside.name_of(landscape, "languages", VERSION)
    return beside.found(landscape, name) is not None


def languages(landscape: Landscape, progress: Progress = no_progress) -> Languages:
    """Return the language of every record; the first time some 0.2 ms a record.

    That of the instruction; where it cannot be told, as of "x = 3", that of the response; where
    that cannot be told either, "unknown". IlaError for a landscape without texts.
    """
    name = beside.name_of(landscape, "languages", VERSION)
    if beside.found(landscape, name) is None:
        found = _told(landscape, progress)
        beside.keep(landscape, name, lambda path: _write(path, found))
    return _kept(landscape, name)


@remembered(most=1, of_map=True)
def _kept(landscape: Landscape, name: str) -> Languages:
    path = beside.found(landscape, name)
    assert path is not None
    with np.load(path, allow_pickle=False) as stored:
        return Languages(frozen(stored["code"], np.int32), tuple(stored["names"].tolist()))


def _write(path: Path, found: Languages) -> None:
    with open(path, "wb") as stream:
        np.savez_compressed(stream, code=found.code, names=np.array(found.names))


def _told(landscape: Landscape, progress: Progress) -> Languages:
    tell, n = Teller(), len(landscape)
    number: dict[str, int] = {}
    code = np.empty(n, np.int16)  # the model knows 176
    for row, (instruction, response) in enumerate(_heads(landscape)):
        language = tell(instruction)
        if language == UNKNOWN:
            language = tell(response)
        code[row] = number.setdefault(language, len(number))
        if row % BATCH == 0:
            progress(row, n)
    progress(n, n)
    count = np.bincount(code, minlength=len(number))
    names = sorted(number, key=lambda name: (name == UNKNOWN, -count[number[name]], name))
    place = np.empty(len(names), np.int16)
    place[[number[name] for name in names]] = np.arange(len(names))
    return Languages(place[code], tuple(names))


def _heads(landscape: Landscape) -> Iterator[tuple[str, str]]:
    """Yield the beginnings of every instruction and response, cut while Arrow holds them."""
    import pyarrow.compute as pc

    assert landscape.records is not None
    for batch in landscape.records.batches(["instruction", "response"], BATCH):
        heads = [pc.utf8_slice_codeunits(batch.column(i), 0, HEAD).to_pylist() for i in (0, 1)]
        yield from zip(*heads, strict=True)
