"""The files of a grown landscape: the old rows, whose values are copied to the bit, and the new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.artifacts import LABELS, RECORDS, REJECTS, TABLE, TUNED, VECTORS
from ila_core.files import replacing
from ila_core.landscape.folder import rejects_of, write_table
from ila_core.pipeline.additions import numbers_in
from ila_core.pipeline.grown import Base
from ila_core.pipeline.labelling import Labelled
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.scoring import Columns
from ila_core.pipeline.settings import AddSettings
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.pool.records import Records

COPIED = 16_384
"""Rows that are copied at a time."""


@dataclass(frozen=True)
class JoinRecords(Stage["Records"]):
    """The records, and what was rejected."""

    name = "records"

    base: Base
    records: Made[Records]

    @property
    def total(self) -> int:
        return len(self.base) + len(self.records.value)

    @property
    def libraries(self) -> Sequence[str]:
        return ("pyarrow", "orjson")

    def make(self, desk: Desk) -> Facts:
        from ila_core.pool.joined import join_records

        base, new, out = self.base, self.records.value, desk.folder.path
        join_records(base.records, new, out / RECORDS)
        old = rejects_of(base.folder, base.manifest)
        with replacing(out / REJECTS) as temporary, open(temporary, "wb") as sink:
            for path in (old, new.path.with_name(REJECTS)):
                if path is not None:
                    with open(path, "rb") as stream:
                        shutil.copyfileobj(stream, sink)
        return {}

    def load(self, folder: StageFolder) -> Records:
        from ila_core.pool.records import Records

        return Records.open(folder.path / RECORDS)


@dataclass(frozen=True)
class JoinVectors(Stage[None]):
    """The vectors."""

    name = "embedding"

    base: Base
    vectors: Made[np.ndarray]

    def make(self, desk: Desk) -> Facts:
        old, new = self.base.landscape.vectors, self.vectors.value
        assert old is not None
        header = {
            "descr": "<f4",
            "fortran_order": False,
            "shape": (len(old) + len(new), old.shape[1]),
        }
        with replacing(desk.folder.path / VECTORS) as temporary, open(temporary, "wb") as sink:
            np.lib.format.write_array_header_1_0(sink, header)
            for part in (*_parts(old), *_parts(new)):
                sink.write(np.ascontiguousarray(part, "<f4").tobytes())
        return {}

    def load(self, folder: StageFolder) -> None:
        """They are opened with the landscape."""


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(array), COPIED):
        yield array[start : start + COPIED]


@dataclass(frozen=True)
class JoinLabels(Stage[None]):
    """The labels that a build gave, where it keeps them in a file."""

    name = "labels"

    base: Base
    labels: Made[Labelled]

    def make(self, desk: Desk) -> Facts:
        from ila_core.pipeline.labelling import labels_in, write_labels

        old = labels_in(self.base.landscape.files[LABELS])
        write_labels(desk.folder.path / LABELS, [*old, *(self.labels.value.labels or ())])
        return {}

    def load(self, folder: StageFolder) -> None:
        """They are opened with the landscape."""


@dataclass(frozen=True)
class JoinTable(Stage[None]):
    """The landscape: the old rows as they are, and one a new record."""

    name = "landscape"

    base: Base
    records: Made[Records]
    placed: Made[Any]
    """(m, 2), or what holds them."""
    loss: Made[Columns]
    labels: Made[Labelled]
    settings: AddSettings
    domains: Any = field(compare=False)
    """Of all records; they follow from what is held besides."""

    def make(self, desk: Desk) -> Facts:
        base, new = self.base, self.columns()
        m = len(self.records.value)
        lacking = np.full(m, np.nan, np.float32)
        columns = {
            name: np.concatenate([old, np.asarray(new.get(name, lacking), old.dtype)])
            for name, old in base.table.items()
        }
        path = desk.folder.path
        write_table(path / TABLE, columns, self.domains.domain, self.domains.names)
        if TUNED in base.landscape.files:
            with replacing(path / TUNED) as temporary:
                shutil.copyfile(base.landscape.files[TUNED], temporary)
        return {
            "missing": {
                name: int(np.isnan(column[len(base) :]).sum())
                for name, column in columns.items()
                if np.isnan(column[len(base) :]).any() and not np.isnan(column[: len(base)]).all()
            }
        }

    def load(self, folder: StageFolder) -> None:
        """The landscape is opened when it is published."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return what is known of the new records, (m,) each, by the names of the table."""
        records, settings = self.records.value, self.base.settings
        xy = getattr(self.placed.value, "xy", self.placed.value)
        columns = {
            **self.loss.value,
            "x": xy[:, 0],
            "y": xy[:, 1],
            "skills": self.labels.value.skills(len(records)),
        }
        if "tuned_loss" in columns:
            columns["loss_reduction"] = columns["loss"] - columns["tuned_loss"]
        if name := settings.depth_column:
            columns["given_depth"] = numbers_in(records, name)
        for name in set(self.base.table) - set(columns):  # scores of the pool's own
            columns[name] = numbers_in(records, name)
        return columns

    def notes(self, value: None, facts: Facts) -> Sequence[str]:
        m = len(self.records.value)
        told = {
            "given_depth": f"number in {self.base.settings.depth_column}, so that their depth is "
            "missing",
            "skills": "labels, so that their depth is missing",
        }
        return [
            f"{count:,} of {m:,} new records have no {told.get(name, f'number in {name}')}."
            for name, count in facts["missing"].items()
            if name not in ("loss", "loss_reduction", "tuned_loss", "unconditional_loss")
        ]
