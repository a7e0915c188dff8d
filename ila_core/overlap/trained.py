"""Records that were trained on already: those of files, found in the pool by their content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import PoolError
from ila_core.overlap.duplicates import records_of
from ila_core.overlap.wording import fingerprint, fingerprints
from ila_core.pool.inputs import Paths
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


@dataclass(frozen=True, eq=False)
class Trained:
    """Which records of a pool stand in files."""

    rows: np.ndarray
    """(k,) int64, ascending; of equal records all."""
    matched: int
    """Records of the files that the pool holds."""
    unmatched: int
    """Records of the files that the pool does not hold."""

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        read = self.matched + self.unmatched
        rest = f"; the pool does not hold the other {self.unmatched:,}" if self.unmatched else ""
        return (
            f"{self.matched:,} of the {read:,} records trained on are {len(self.rows):,} records "
            f"of this pool{rest}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila trained --json` prints."""
        return {
            "sentence": self.sentence,
            "matched": self.matched,
            "unmatched": self.unmatched,
            "left": len(self.rows),
        }


def trained(landscape: Landscape, paths: Paths, settings: ReadSettings | None = None) -> Trained:
    """Return which records of a landscape stand in files of any form that a pool may have.

    They are told by instruction and response: exports of ours, with scores or as messages, match
    as the original lines do. Files that are not understood by themselves, and for which no map is
    given, are read by that of the pool: its own records have its own fields. IlaError for a
    landscape without records, and what :class:`~ila_core.pool.reading.Reading` raises for the
    files.
    """
    own = fingerprints(records_of(landscape))
    settings = settings or ReadSettings()
    try:
        given = _of_files(paths, settings)
    except PoolError:
        of_the_pool = str(landscape.manifest.get("settings", {}).get("map", ""))
        if settings.map or not of_the_pool:
            raise
        given = _of_files(paths, replace(settings, map=of_the_pool))
    matched = int(np.isin(given, own).sum())
    return Trained(np.flatnonzero(np.isin(own, given)), matched, len(given) - matched)


def _of_files(paths: Paths, settings: ReadSettings) -> np.ndarray:
    """Return the fingerprints of the records of files, (m,) uint64."""
    seen = [
        fingerprint(one.instruction, one.response)
        for one in read_pool(paths, settings)
        if isinstance(one, Record)
    ]
    return np.array(seen, np.uint64)
