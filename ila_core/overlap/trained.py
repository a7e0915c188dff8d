"""Records that were trained on already: those of files, found in the pool by their content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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


def trained(landscape: Landscape, paths: Paths, settings: ReadSettings | None = None) -> Trained:
    """Return which records of a landscape stand in files of any form that a pool may have.

    They are told by instruction and response: exports of ours, with scores or as messages, match
    as the original lines do. IlaError for a landscape without records, and what
    :class:`~ila_core.pool.reading.Reading` raises for the files.
    """
    own = fingerprints(records_of(landscape))
    seen = [
        fingerprint(one.instruction, one.response)
        for one in read_pool(paths, settings)
        if isinstance(one, Record)
    ]
    given = np.array(seen, np.uint64)
    matched = int(np.isin(given, own).sum())
    return Trained(np.flatnonzero(np.isin(own, given)), matched, len(given) - matched)
