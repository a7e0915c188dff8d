"""A finished landscape that records are to be added to: what it holds, and what made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.artifacts import TABLE
from ila_core.errors import IlaError, RunError
from ila_core.landscape.folder import open_run, read_table
from ila_core.options import make, options_of
from ila_core.pipeline.placing import encoder_of
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool.known import Known

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.record import Turn
    from ila_core.pool.records import Records
    from ila_core.space.domains import Domains
    from ila_core.space.encoders import Encoder

PROBED = 16
"""Records of the landscape that a model reads again, to see whether it is still the one."""
READ_APART = 1e-3
"""Cosine distance between two readings of one text from which they are two encoders': half
precision stays a hundred times below it."""


@dataclass(frozen=True, eq=False)
class Base:
    """A landscape as it is before records are added: its pool's, and those added before.

    Whatever gives further records their places, domains and losses knows the pool alone that the
    landscape was built of: what is added neither moves nor teaches anything, so that two additions
    come to the same in either order, or as one.
    """

    folder: Path
    manifest: Mapping[str, Any]
    landscape: Landscape
    settings: BuildSettings
    """Of the build."""
    table: Mapping[str, np.ndarray]
    """The columns of landscape.parquet, (n,) each, but for the domain."""

    @classmethod
    def open(cls, folder: str | Path) -> Base:
        """Return the landscape of a folder; RunError for one that cannot be added to."""
        landscape = open_run(folder)
        manifest = landscape.manifest
        columns = read_table(landscape.files.get(TABLE, Path(folder) / TABLE))[0]
        if "artifacts" not in manifest or "depth" in columns:
            raise _too_old(folder, "its files are laid out otherwise")
        known = options_of(BuildSettings)
        given = {name: value for name, value in manifest["settings"].items() if name in known}
        try:
            settings = make(BuildSettings, given)
        except IlaError as error:
            raise _too_old(folder, str(error).rstrip(".")) from error
        return cls(Path(folder), manifest, landscape, settings, columns)

    @property
    def key(self) -> str:
        """What tells it from every other landscape."""
        return self.landscape.fingerprint

    def __len__(self) -> int:
        return len(self.landscape)

    @property
    def additions(self) -> Sequence[Mapping[str, Any]]:
        """What was added before, as the manifest tells it."""
        return self.manifest.get("additions", [])

    @cached_property
    def first(self) -> int:
        """Number of records that the landscape was built of; they come before all others."""
        return int(self.manifest.get("base", self.manifest)["counts"]["kept"])

    @property
    def records(self) -> Records:
        """All records, those added before among them."""
        records = self.landscape.records
        assert records is not None  # of a folder there are
        return records

    def conversations(self) -> Iterator[tuple[Turn, ...]]:
        """The turns of the records that it was built of."""
        return islice(self.records.conversations(), self.first)

    def instructions(self) -> Iterator[str]:
        """The instructions of the records that it was built of."""
        return islice(self.records.instructions(), self.first)

    @property
    def vectors(self) -> np.ndarray:
        """(first, d), of the records that it was built of; memory-mapped."""
        assert self.landscape.vectors is not None
        return self.landscape.vectors[: self.first]

    @property
    def xy(self) -> np.ndarray:
        """(first, 2), places of the records that it was built of."""
        return self.landscape.xy[: self.first]

    @property
    def domains(self) -> Domains:
        """The domains of all records."""
        from ila_core.space.domains import Domains

        return Domains(self.landscape.domain, self.landscape.domain_names)

    @cached_property
    def known(self) -> Known:
        """What all records say."""
        return Known.of(self.records.conversations())

    @cached_property
    def mean(self) -> np.ndarray | None:
        """(d,), the direction of a vector without one; None where no record has any."""
        from ila_core.space.encode import mean_direction

        starts = range(0, self.first, 65_536)
        return mean_direction(self.vectors[start : start + 65_536] for start in starts)

    def probed(self, usable: np.ndarray, count: int = PROBED) -> np.ndarray:
        """Return `count` rows of those it was built of, evenly far apart among the usable ones."""
        rows = np.flatnonzero(usable[: self.first])
        spread = np.linspace(0, len(rows) - 1, min(count, len(rows)))
        return rows[np.unique(spread.round().astype(np.int64))]

    def encoder(self, device: str = "auto") -> Encoder:
        """Return the encoder that made the vectors; RunError where it is not there any more.

        Whether it is the same is seen from what it makes of some of the landscape's own texts:
        neither a name nor a version tells.
        """
        from ila_core.space.encode import unit

        name = self.settings.encoder
        rows = self.probed(np.ones(len(self), bool))
        texts = [record.instruction for record in self.records.take(rows)]
        try:
            encoder = self._load_encoder(device)
            seen = unit(np.asarray(encoder.encode(texts), np.float32))
        except IlaError as error:
            raise RunError(
                f"{self.folder} was made with the encoder {name!r}, which cannot be had here "
                f"({str(error).rstrip('.')}); install it, or build again with another one."
            ) from error
        vectors = np.asarray(self.vectors[rows], np.float32)
        if seen.shape[1] != vectors.shape[1]:
            raise self._other_encoder(
                f"makes vectors of {seen.shape[1]:,} dimensions, and those of the landscape have "
                f"{vectors.shape[1]:,}"
            )
        says = seen.any(axis=1)
        apart = 1 - (seen[says] * vectors[says]).sum(axis=1, dtype=np.float64)
        if says.any() and apart.max() > READ_APART:
            raise self._other_encoder(
                f"reads {(apart > READ_APART).sum()} of {len(apart)} of the landscape's own "
                f"records otherwise now, with a cosine of {1 - apart.max():.2f} to what it made of "
                "them"
            )
        return encoder

    def _load_encoder(self, device: str) -> Encoder:
        from dataclasses import replace

        from ila_core.space.encoders import load_speller
        from ila_core.space.lexical import learn

        if self.settings.learns:
            seed = self.settings.seed
            return learn(self.instructions, self.first, load_speller(), seed=seed)
        return encoder_of(replace(self.settings, device=device))

    def _other_encoder(self, what: str) -> RunError:
        return RunError(
            f"The encoder {self.settings.encoder!r} {what}: it is another version than the one "
            f"that {self.folder} was made with. Install that one, or build all of it again."
        )


def _too_old(folder: str | Path, why: str) -> RunError:
    return RunError(
        f"{folder} was made by an earlier version of ILA, and records cannot be added to it "
        f"({why}); build it again in another folder, and add to that."
    )
