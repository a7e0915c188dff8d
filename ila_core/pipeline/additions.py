"""The stages of an addition: what a build makes of records, made of further ones by its means.

Their losses stand in scoring_more, the files of the grown landscape in new_rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.artifacts import VECTORS
from ila_core.errors import UsageError
from ila_core.files import key_of
from ila_core.options import columns_in
from ila_core.pipeline.grown import Base
from ila_core.pipeline.ingesting import Read
from ila_core.pipeline.labelling import Labelled, label
from ila_core.pipeline.placing import reading_notes
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import AddSettings, LabelSettings
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.space.domains import Domains
    from ila_core.space.encoders import Encoder
    from ila_core.space.landmarks import Placed


@dataclass(frozen=True)
class ReadMore(Read):
    """The files of the new records."""

    name = "new-records"

    base: Base | None = None
    """The landscape whose records are left out; None where they are taken again."""

    def make(self, desk: Desk) -> Facts:
        from ila_core.pool.ingest import ingest

        ingest(
            self.inputs,
            out=desk.folder.path,
            settings=self.settings,
            require_response=self.require_response,
            known=None if self.base is None else self.base.known,
            progress=desk.progress,
        )
        return {}


@dataclass(frozen=True)
class EncodeMore(Stage[np.ndarray]):
    """The instructions of the new records, as vectors of the landscape's own space."""

    name = "new-embedding"

    base: Base
    records: Made[Records]
    settings: AddSettings

    @property
    def total(self) -> int:
        return len(self.records.value)

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.encode import embed
        from ila_core.space.given import load_embeddings
        from ila_core.space.legible import legibility

        out, mean = desk.folder.path / VECTORS, self.base.mean
        texts = self.records.value.instructions
        encoder: Encoder | None = None
        if file := self.settings.embeddings:
            dim = self.base.vectors.shape[1]
            result = load_embeddings(file, self.total, out=out, dim=dim, mean=mean)
        else:
            encoder = self.base.encoder(self.settings.device.partition(",")[0])
            result = embed(
                texts, self.total, encoder,
                out=out, work=desk.folder.work, mean=mean, progress=desk.progress,
            )  # fmt: skip
        seen = asdict(legibility(texts, result.vectors, encoder))
        return {"unknown": result.unknown, "encoder": result.encoder, **seen}

    def load(self, folder: StageFolder) -> np.ndarray:
        return np.load(folder.path / VECTORS, mmap_mode="r")

    def notes(self, value: np.ndarray, facts: Facts) -> Sequence[str]:
        return reading_notes({**facts, "likeness": None})  # how alike they are is the files' own


@dataclass(frozen=True)
class PlaceMore(Stage["Placed"]):
    """The places of the new records on the map, and their nearest on it."""

    name = "new-places"

    base: Base
    vectors: Made[np.ndarray]

    @property
    def total(self) -> int:
        return len(self.vectors.value)

    @property
    def parts(self) -> list[object]:
        """All that it holds, and the rule of places."""
        from ila_core.space import landmarks

        return [*super().parts, landmarks.RULE]

    @property
    def libraries(self) -> Sequence[str]:
        return ("numba", "numpy", "pynndescent")

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.distinct import distinct_rows
        from ila_core.space.landmarks import place, usual_distance
        from ila_core.space.project import is_linear, principal_axes

        base, seed = self.base, self.base.settings.seed
        placed = place(base.vectors, base.xy, self.vectors.value, seed=seed, progress=desk.progress)
        xy, rows = placed.xy, distinct_rows(base.vectors)[0]
        method = base.settings.projection
        if not base.settings.places and is_linear(method, len(rows), base.vectors.shape[1]):
            axes = principal_axes(base.vectors, rows)
            xy = np.where(placed.same[:, None], xy, axes.places(self.vectors.value))
        desk.folder.save(xy=xy, nearest=placed.nearest, distance=placed.distance)
        usual = usual_distance(base.vectors, seed=seed)
        return {"usual_distance": usual, "far": int((placed.distance > usual).sum())}

    def load(self, folder: StageFolder) -> Placed:
        from ila_core.space.landmarks import Placed

        return Placed(**folder.load())

    def notes(self, value: Placed, facts: Facts) -> Sequence[str]:
        if not (far := facts["far"]):
            return ()
        return (
            f"{far:,} of {self.total:,} new records lie farther from every old one than 99 of 100 "
            "old ones do from their nearest (of records like the old ones 1 in 100 would); their "
            "places say little.",
        )


def numbers_in(records: Records, name: str) -> np.ndarray:
    """Return a field of the records as (m,) float32, NaN where one has no finite number in it."""
    if name not in records.fields() and name.partition(".")[0] not in records.fields():
        return np.full(len(records), np.nan, np.float32)
    try:
        return records.numbers(name)[0]
    except UsageError:  # a dotted name of which no record has the end
        return np.full(len(records), np.nan, np.float32)


def values_in(records: Records, name: str) -> list[Any]:
    """Return a field of the records, None where one does not have it."""
    try:
        return records.field(name)
    except UsageError:
        return [None] * len(records)


def label_more(base: Base, records: Made[Records]) -> Stage[Labelled] | Made[Labelled]:
    """Return the stage that labels the new records as the others are labelled.

    Where these have none of their own, neither have the new ones: one kind of record would count
    what the other cannot.
    """
    settings = base.settings.part(LabelSettings)
    if settings.labels == "auto" and not base.records.has_labels:
        return Made(Labelled(None), key_of("labels", records.key, False))
    for name in columns_in(settings.labels):
        if all(value is None for value in values_in(records.value, name)):
            return Made(Labelled([None] * len(records.value)), key_of("labels", records.key, name))
    return label(settings, records)


def divide_more(
    base: Base,
    records: Made[Records],
    labels: Made[Labelled],
    vectors: Made[np.ndarray],
    placed: Placed,
) -> Domains:
    """Return the domains of all records, those of the new ones found as the others' were.

    Of clusters a record gets the one whose middle is nearest, and the twin of an old record that
    one's, which the last step of k-means may have left elsewhere.
    """
    from ila_core.space.domains import Domains, domains_from_values, domains_joined, nearest_domains

    how, old = base.settings.domains, base.domains
    if how == "labels":
        entries = labels.value.labels or [None] * len(records.value)
        values: list[Any] = [entry[0] if entry else None for entry in entries]
        return domains_joined(old, domains_from_values(values))
    for name in columns_in(how):
        return domains_joined(old, domains_from_values(values_in(records.value, name)))
    own = old.domain[: base.first]
    found = nearest_domains(base.vectors, own, vectors.value)
    found = np.where(placed.same, own[placed.nearest], found)
    return Domains(np.concatenate([old.domain, found]).astype(np.int32), old.names)
