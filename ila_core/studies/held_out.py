"""What each held-out record costs a student: two students are compared record by record."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ila_core.files import replacing

FOLDER = "held_out"
"""Where a study keeps them, a file a student."""


class HeldOut(NamedTuple):
    """Nats (NaN where a record cannot be scored) and response tokens of the records, (m,) each."""

    nats: np.ndarray
    tokens: np.ndarray

    def error_beside(self, other: HeldOut) -> float | None:
        """Return the standard error, in nats per token, of this loss less the other's.

        Both are of the same records, so that what is hard for either cancels; it says how far the
        difference would move with other held-out records, the students being what they are. The
        loss is a ratio of sums, and its error that of the ratio (the usual linearisation). None for
        fewer than two records that both can score.

        >>> ours = HeldOut(np.array([2.0, 2.0, 6.0]), np.array([1, 1, 2]))
        >>> theirs = HeldOut(np.array([1.0, 3.0, 6.0]), np.array([1, 1, 2]))
        >>> round(ours.error_beside(theirs), 3)
        0.433
        """
        both = np.isfinite(self.nats) & np.isfinite(other.nats) & (self.tokens > 0)
        if (m := int(both.sum())) < 2:
            return None
        less, tokens = (self.nats - other.nats)[both], self.tokens[both]
        rest = less - less.sum() / tokens.sum() * tokens
        return float(np.sqrt(m / (m - 1) * (rest**2).sum()) / tokens.sum())

    def save(self, folder: Path, key: str) -> None:
        """Keep it in a study's folder under a student's key."""
        place = folder / FOLDER
        place.mkdir(exist_ok=True)
        with replacing(place / f"{key}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.vstack([self.nats, self.tokens]).astype(np.float32))

    @classmethod
    def read(cls, folder: Path, key: str) -> HeldOut | None:
        """Return what was kept under a key; None where there is nothing that can be read."""
        try:
            nats, tokens = np.load(folder / FOLDER / f"{key}.npy").astype(np.float64)
        except (OSError, ValueError):
            return None
        return cls(nats, tokens)
