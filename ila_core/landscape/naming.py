"""The named regions of a landscape."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import IlaError
from ila_core.landscape import beside
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.memory import remembered
from ila_core.shapes import misfit

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.space.regions import Parts, Regions

Names = list[list[str]]
"""Of the regions of a level: the words of each, none where its texts give none."""

VERSION = 1
"""Of the rule: whatever names regions otherwise than before raises it."""
GROUPS = 64
"""Parts of the records' file that are read for names, evenly taken: in a second, of any pool."""


TEXTS = 6_000
"""Read of a level: the broader its regions, the more of each it takes to tell what they are of."""


@remembered(most=1, of_map=True)
def named_regions(landscape: Landscape) -> Regions:
    """Return the regions of a landscape's map in three levels, with their names.

    A region is named by the words that tell its texts from those of the others of its level. The
    names are made the first time and kept beside the landscape. A region without texts is called
    as its largest domain.
    """
    from ila_core.space.regions import find_regions

    records = landscape.records
    if records is None:
        return find_regions(landscape.xy, landscape.domain, landscape.domain_names)
    stages = landscape.manifest.get("stages", {})
    keys = sorted((name, str(told.get("key"))) for name, told in stages.items())
    file = beside.name_of(landscape, "regions", VERSION, json.dumps(keys))
    kept = _read(beside.found(landscape, file))
    made: list[Names] = []

    def name(parts: Parts) -> Names:
        level = len(made)
        known = level < len(kept) and len(kept[level]) == len(parts)
        made.append(kept[level] if known else _named(parts, records))
        return made[-1]

    found = find_regions(landscape.xy, landscape.domain, landscape.domain_names, name)
    if made != kept:
        with suppress(IlaError):  # nothing can be written: they are made again the next time
            beside.keep(landscape, file, lambda path: _write(path, made))
    return found


def _named(parts: Parts, records: Records) -> Names:
    """Return the words that tell each part's instructions from the others'; [] where none do."""
    from ila_core.space.names import name_domains
    from ila_core.space.regions import Parts

    near = np.concatenate([np.arange(*rows) for rows in records.spread(GROUPS)])
    domain = parts.domain[near]
    counts = np.bincount(parts.part[domain], minlength=len(parts))
    most = -(-TEXTS // len(parts))
    read = [near[rows] for rows in Parts(domain, parts.part, counts).some_rows(most)]
    of = np.repeat(np.arange(len(parts)), [len(rows) for rows in read])
    texts = records.take_instructions(np.concatenate(read))
    names = name_domains(of, len(parts), texts, most)
    bare = [name.removesuffix(f"({k})").strip() for k, name in enumerate(names)]
    return [name.split(" · ") if name else [] for name in bare]


def _read(path: Path | None) -> list[Names]:
    """Return the names that are kept; [] where there are none that can be read."""
    try:
        kept = json.loads(path.read_text("utf-8")) if path is not None else []
    except (OSError, ValueError, RecursionError):
        return []
    return kept if misfit(kept, [[[str]]]) is None else []


def _write(path: Path, names: list[Names]) -> None:
    path.write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
