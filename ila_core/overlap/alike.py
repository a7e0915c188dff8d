"""Records that share most of their runs of words with another one: MinHash, and a search by it.

An instruction and a response count apart: the sketch of a record holds the smallest hashes of
both, in turns, so that two sketches fall together where both are alike. A document with another
question to it and another answer is no near duplicate.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ila_core.overlap.wording import Wording, texts_of
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    from datasketch import MinHash

    from ila_core.pool.records import Records

RUN = 3
"""Words of a run: two come together by chance, and of more, one edit changes too many."""
HASHES = 64
"""Smallest hashes that are kept of an instruction, and as many of a response."""
WEIGHTS = (0.05, 0.95)
"""What a pair that is looked at in vain and one that is missed cost, for the choice of bands: the
first is thrown out by its exact likeness. At a threshold of 0.8, 95 of 100 pairs are found that
are just as alike, and 99 of 100 from 0.85 on."""
DEVIATIONS = 3
"""Standard deviations by which an estimate may be too low for a pair to be looked at still."""


@dataclass(frozen=True, eq=False)
class Sketches:
    """The runs of words of n records, and the smallest hashes of them."""

    smallest: np.ndarray
    """(n, 2 * HASHES) uint32: of the instruction at even places, of the response at odd ones."""
    runs: np.ndarray
    """uint32, the distinct runs of every instruction and response, ascending, one after another."""
    start: np.ndarray
    """(2n + 1,) int64, where those of each text begin: instruction and response in turns."""

    def likeness(self, one: int, other: int) -> float:
        """Return the lesser of two shares: of runs that the instructions share, and the responses.

        Each is the Jaccard index of the two sets; two empty texts are alike.
        """
        return min(
            _jaccard(self._runs_of(2 * one + part), self._runs_of(2 * other + part))
            for part in (0, 1)
        )

    def estimates(self, one: int, others: np.ndarray) -> np.ndarray:
        """Return the same for several others by their smallest hashes, (k,) float64."""
        same = self.smallest[others] == self.smallest[one]
        return np.minimum(same[:, 0::2].mean(axis=1), same[:, 1::2].mean(axis=1))

    def _runs_of(self, text: int) -> np.ndarray:
        return self.runs[self.start[text] : self.start[text + 1]]


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    if not len(one) and not len(other):
        return 1.0
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)


def sketch(
    records: Records,
    spool: BinaryIO,
    rows: np.ndarray | None = None,
    *,
    progress: Progress = no_progress,
) -> Sketches:
    """Return the sketches of all records, or of those at ascending rows.

    Their runs are written to the empty file `spool`, and read from it. `progress` counts records.
    """
    minhash = _minhash(HASHES)
    total = len(records) if rows is None else len(rows)
    smallest = np.empty((total, 2, HASHES), np.uint32)
    sizes = [0]
    row = 0
    for texts in texts_of(records, rows):
        for pair in zip(*map(_runs, texts), strict=True):
            for part, runs in enumerate(pair):
                minhash.clear()
                minhash.update_batch(runs.tolist())
                smallest[row, part] = minhash.hashvalues
                spool.write(runs.tobytes())
                sizes.append(len(runs))
            row += 1
        progress(row, total)
    spool.flush()
    start = np.cumsum(sizes, dtype=np.int64)
    runs = np.memmap(spool, np.uint32, "r") if start[-1] else np.zeros(0, np.uint32)
    return Sketches(np.ascontiguousarray(smallest.swapaxes(1, 2)).reshape(row, -1), runs, start)


def _runs(texts: list[str]) -> Iterator[np.ndarray]:
    """Yield the distinct runs of words of each text; a short text is a run by itself."""
    wording = Wording.of(texts)
    grams, wholes = wording.grams(RUN), wording.wholes()
    bounds = np.searchsorted(grams.text, np.arange(len(texts) + 1))
    for number, length in enumerate(wording.length.tolist()):
        if length >= RUN:
            hashes = grams.hash[bounds[number] : bounds[number + 1]]
        else:
            hashes = wholes[number : number + 1] if length else wholes[:0]
        yield np.unique((hashes >> np.uint64(32)).astype(np.uint32))


def _minhash(size: int) -> MinHash:
    from datasketch import MinHash

    return MinHash(size, hashfunc=operator.index)  # runs are hashed already


# -- the search -----------------------------------------------------------------------------------


def stand_ins(
    sketches: Sketches, order: np.ndarray, threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield rows that an earlier one of `order` can stand for: row, that one, their likeness.

    It is one that stands for itself, the most alike of those, at least as alike as the threshold.
    """
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=2 * HASHES, weights=WEIGHTS)
    about = _minhash(2 * HASHES)
    least = threshold - DEVIATIONS * np.sqrt(threshold * (1 - threshold) / HASHES)
    for row in order[_meets(sketches, index.hashranges)[order]].tolist():
        own = MinHash(
            hashvalues=sketches.smallest[row], permutations=about.permutations, scheme=about.scheme
        )
        found = np.array(sorted(index.query(own)), np.int64)
        found = found[sketches.estimates(row, found) >= least]
        alike = [(sketches.likeness(row, other), -other) for other in found.tolist()]
        likeness, other = max(alike, default=(0.0, 0))
        if likeness >= threshold:
            yield row, -other, likeness
        else:
            index.insert(row, own, check_duplication=False)


def _meets(sketches: Sketches, bands: list[tuple[int, int]]) -> np.ndarray:
    """Return whether a record shares a band with any other, (n,) bool.

    Most records of most pools do not, and need not be in the index, which takes kilobytes for each.
    """
    meets = np.zeros(len(sketches.smallest), bool)
    for start, end in bands:
        band = np.ascontiguousarray(sketches.smallest[:, start:end])
        as_one = band.view(np.dtype((np.void, band.itemsize * (end - start)))).ravel()
        _, number, count = np.unique(as_one, return_inverse=True, return_counts=True)
        meets |= count[number] > 1
    return meets
