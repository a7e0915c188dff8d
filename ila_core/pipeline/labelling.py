"""The stage that gives every record its skill labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ila_core.artifacts import LABELS
from ila_core.files import key_of, replacing
from ila_core.landscape.depth import count_skills
from ila_core.options import columns_in, part
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import LabelSettings, LabelSource
from ila_core.pipeline.step import Desk, Facts, Made, Stage
from ila_core.pool.labels import Labels, from_column

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.skills.settings import EndpointSettings


@dataclass(frozen=True)
class Labelled:
    """Every record's labels; None where depth counts no skills."""

    labels: Sequence[Labels] | None
    unlabelled: float = 1.0
    """The skills of a record that has none: NaN where a labeller was asked and gave none."""

    def skills(self, n: int) -> np.ndarray:
        """Return the number of skills of the n records, (n,) float32."""
        if self.labels is None:
            return np.ones(n, np.float32)
        return count_skills(self.labels, unlabelled=self.unlabelled)


@dataclass(frozen=True)
class _Labelling(Stage[Labelled]):
    """Labels that are found or looked up, and kept in a file."""

    name = "labels"
    unlabelled = np.nan

    records: Made[Records]
    source: LabelSource

    @property
    def total(self) -> int:
        return len(self.records.value)

    def load(self, folder: StageFolder) -> Labelled:
        return Labelled(labels_in(folder.path / LABELS), self.unlabelled)

    def write(self, folder: StageFolder, labels: Sequence[Labels]) -> None:
        write_labels(folder.path / LABELS, labels)

    @property
    def texts(self) -> Callable[[], Iterator[tuple[str, str]]]:
        """A function that gives instruction and response of every record."""
        pool = self.records.value
        return lambda: zip(pool.instructions(), pool.responses(), strict=True)


def write_labels(path: Path, labels: Sequence[Labels]) -> None:
    """Write every record's labels, None where it has none, as labels.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = pa.array(
        [None if entry is None else list(entry) for entry in labels],
        type=pa.list_(pa.string()),
    )
    table = pa.table({"row": pa.array(range(len(labels)), pa.int64()), "labels": column})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def labels_in(path: Path) -> list[Labels]:
    """Return what `write_labels` wrote."""
    import pyarrow.parquet as pq

    entries = pq.read_table(path).column("labels").to_pylist()
    return [None if entry is None else tuple(entry) for entry in entries]


@dataclass(frozen=True)
class LabelsFromColumn(_Labelling):
    unlabelled = 1.0

    def make(self, desk: Desk) -> Facts:
        [column] = columns_in(self.source.labels)
        self.write(desk.folder, from_column(self.records.value.field(column)))
        return {}


@dataclass(frozen=True)
class LabelsFromServer(_Labelling):
    server: EndpointSettings

    def make(self, desk: Desk) -> Facts:
        from ila_core.skills.endpoint import endpoint, estimate

        cost = estimate(self.texts, self.server, work=desk.folder.work)
        desk.notice(
            f"labels: {cost.requests:,} requests to {self.server.address}, about "
            f"{cost.input_tokens:,} tokens in and {cost.output_tokens:,} out"
        )
        answer = endpoint(
            self.texts, self.total, self.server, work=desk.folder.work, progress=desk.progress
        )
        self.write(desk.folder, answer.labels)
        return asdict(answer.report)

    def notes(self, value: Labelled, facts: Facts) -> Sequence[str]:
        """Return what asking for labels did cost and leave open."""
        failed = facts.get("failures") or {}
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in failed.items())
        return (
            f"Labels: {facts.get('requests', 0):,} requests to the server, "
            f"{facts.get('retries', 0):,} of them tried again, {facts.get('tokens_in', 0):,} "
            f"tokens in and {facts.get('tokens_out', 0):,} out"
            + (f"; none for {sum(failed.values()):,} records ({reasons})." if failed else "."),
        )


def label(settings: LabelSettings, records: Made[Records]) -> Stage[Labelled] | Made[Labelled]:
    """Return the stage that labels records, or the labels that they came with."""
    source = part(settings, LabelSource)
    if columns_in(source.labels):
        return LabelsFromColumn(records, source)
    if server := settings.server:
        return LabelsFromServer(records, source, server)
    wanted = source.labels == "auto" and records.value.has_labels
    labels = records.value.labels() if wanted else None
    return Made(Labelled(labels), key_of("labels", records.key, wanted))
