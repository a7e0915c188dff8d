"""What lies beside a landscape in its run folder, read when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.artifacts import LABELS, RECORDS, TUNED
from ila_core.errors import IlaError
from ila_core.landscape.grid import frozen

if TYPE_CHECKING:
    from ila_core.pool.records import Records


_COLUMN_ROWS = 1 << 17
"""Rows of a column that are read at a time."""


def identity_of(manifest: Mapping[str, Any]) -> str:
    """Return what tells this landscape from another one of the same records: its stage's key."""
    return str(manifest["stages"].get("landscape", {}).get("key") or manifest["fingerprint"])


class RunFiles:
    """The texts, labels and tuned rows of a landscape."""

    run: Path | None
    files: Mapping[str, Path]
    manifest: Mapping[str, Any]
    fingerprint: str
    given_ranks: Mapping[str, np.ndarray]
    given_records: Records | None

    @property
    def as_read(self) -> bool:
        """Whether it is what its folder holds: no record moved or left out, none ranked anew."""
        if self.run is None or self.given_ranks:
            return False
        return self.fingerprint == identity_of(self.manifest)

    @cached_property
    def records(self) -> Records | None:
        """The texts, read from the run folder when they are asked for; None without one."""
        if self.given_records is not None or self.run is None:
            return self.given_records
        from ila_core.pool.records import Records

        return Records.open(self.files.get(RECORDS, self.run / RECORDS))

    def labels_of(self, rows: Any) -> list[tuple[str, ...]]:
        """Return the labels that counted for these rows: none where the build counted none.

        They are the pool's own, a column's, a server's or a list's, as the build was asked.
        IlaError for a damaged file.
        """
        if self._labels is not None:
            return [tuple(self._labels[int(row)].as_py() or ()) for row in rows]
        if self.records is not None and self.manifest.get("settings", {}).get("labels") == "auto":
            return [labels or () for labels in self.records.take_labels(rows)]
        return [()] * len(rows)

    def column(self, name: Literal["source", "label"]) -> Any:
        """Return a column of all records as Arrow holds it: texts, or lists of texts.

        None where there is none. IlaError for a damaged file.
        """
        if name == "label" and self._labels is not None:
            return self._labels
        if self.records is None:
            return None
        if name == "label" and self.manifest.get("settings", {}).get("labels") != "auto":
            return None
        import pyarrow as pa

        inside = "labels" if name == "label" else name
        parts = [batch.column(0) for batch in self.records.batches([inside], _COLUMN_ROWS)]
        return pa.chunked_array(parts) if parts else None

    @cached_property
    def _labels(self) -> Any:
        """The column of a run's labels file, as Arrow holds it."""
        if self.run is None or "labels" not in self.manifest.get("stages", {}):
            return None
        import pyarrow.parquet as pq

        path = self.files.get(LABELS, self.run / LABELS)
        try:
            return pq.read_table(path, columns=["labels"]).column("labels")
        except (OSError, ValueError) as error:
            raise IlaError(
                f"{path} cannot be read ({error}); build the landscape again."
            ) from error

    @cached_property
    def tuned_rows(self) -> np.ndarray:
        """The rows that the tuned model of `loss-reduction` has learned from, (k,) int64.

        They look deeper for it. Empty without such a model, or where they are not known.
        """
        if self.run is None or not (self.manifest.get("loss") or {}).get("tuned_rows"):
            return frozen(np.zeros(0, dtype=np.int64))
        path = self.files.get(TUNED, self.run / TUNED)
        try:
            return frozen(np.array(path.read_text("utf-8").split(), dtype=np.int64))
        except (OSError, ValueError) as error:
            raise IlaError(
                f"{path} cannot be read ({error}); build the landscape again."
            ) from error
