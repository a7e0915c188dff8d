"""The first stage: the files of a pool, as records; and what the records must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ila_core.artifacts import RECORDS
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import key_of
from ila_core.landscape.folder import additions_of, pool_of
from ila_core.options import counted, options_of
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import BuildSettings
from ila_core.pipeline.step import Desk, Facts, Made, Stage
from ila_core.pool.inputs import Input
from ila_core.pool.settings import FileSettings, ReadSettings

if TYPE_CHECKING:
    from ila_core.pool.records import Records

SCORES = ("quality", "complexity")
"""Columns of the pool that a method reads where they hold numbers."""


def check_pool(folder: Path, inputs: Sequence[Input]) -> None:
    """Refuse a run folder that holds the landscape of other files, or of more or fewer.

    Also one that records were added to: a build would lose them.
    """
    held = pool_of(folder)
    if added := additions_of(folder):
        count = sum(one["counts"]["kept"] for one in added)
        names = ", ".join(file["name"] for one in added for file in one["inputs"])
        raise RunError(
            f"{folder} holds {count:,} records that were added to it ({names}), which a build "
            "would lose; choose another folder with --out, or delete that one first."
        )
    if held is not None and [sha256 for sha256, _ in held] != [file.sha256 for file in inputs]:
        names = ", ".join(name for _, name in held)
        raise RunError(
            f"{folder} holds the landscape of another pool, or of an earlier state of this one "
            f"({names}); choose another folder with --out, or delete that one first."
        )


@dataclass(frozen=True)
class Read(Stage["Records"]):
    """The files of a pool, as records."""

    name = "records"
    version = 4

    inputs: Sequence[Input]
    settings: ReadSettings
    require_response: bool
    unread: tuple[str, ...] = field(default=(), compare=False)
    """What the folders named hold beside these files, a sentence each."""

    @property
    def libraries(self) -> Sequence[str]:
        return ("orjson", "pyarrow", "charset-normalizer", "python-calamine")

    def make(self, desk: Desk) -> Facts:
        from ila_core.pool.ingest import ingest

        ingest(
            self.inputs,
            out=desk.folder.path,
            settings=self.settings,
            require_response=self.require_response,
            work=desk.folder.work,
            spread=desk.spread,
            progress=desk.progress,
        )
        return {}

    def notes(self, value: Records, facts: Facts) -> Sequence[str]:
        return self.unread

    def load(self, folder: StageFolder) -> Records:
        from ila_core.pool.records import Records

        return Records.open(folder.path / RECORDS)

    def content_key(self, value: Records) -> str:
        """Return what texts depend on: the originals, and what is read of them as which part."""
        mapping, *others = counted(self.settings, without=options_of(FileSettings))
        return key_of(self.version, value.fingerprint, *cast(Any, mapping), *others)


def read(settings: BuildSettings, inputs: Sequence[Input], unread: Sequence[str] = ()) -> Read:
    """Return the stage that reads a pool; `unread` tells what its folders hold beside it."""
    how, scored = settings.part(ReadSettings), settings.supplier != "none"
    return Read(inputs, how, require_response=scored, unread=tuple(unread))


def check_fields(settings: BuildSettings, records: Records) -> None:
    """Raise UsageError where the settings name a field, or labels, that the records do not have."""
    for name, flag in settings.columns.items():
        records.require(name, flag)
    labels = settings.labels
    without = labels == "none" or (labels == "auto" and not records.has_labels)
    if settings.domains == "labels" and without:
        raise UsageError("--domains labels needs labels; name them with --labels.")


def numbers(settings: BuildSettings, records: Made[Records]) -> Made[Mapping[str, np.ndarray]]:
    """Return the columns of numbers that come with the pool, (n,) float32 each, by name.

    Those are the depth and the places that the settings name, and known scores; one of these that
    holds no number in any record, such as "good" and "bad", is no score. The records and its name
    tell what a column holds, so whoever takes one has its name in the key. Raises UsageError for a
    depth without a number and IlaError for places that are not complete.
    """
    pool, n = records.value, len(records.value)
    present = set(pool.fields())
    columns, notes = {}, []
    if name := settings.depth_column:
        columns[name], missing = pool.numbers(name)
        if missing == n:
            raise UsageError(
                f"Field {name!r} of --depth-column has no finite number in any of the {n:,} "
                "records; name another one."
            )
        if missing:
            notes.append(
                f"{missing:,} records have no finite number in {name}: that depth is missing."
            )
    if places := settings.places:
        missing = 0
        for name in places:
            columns[name], gaps = pool.numbers(name)
            missing = max(missing, gaps)
        if missing:
            raise IlaError(
                f"{missing:,} of {n:,} records have no finite number in "
                f"{' or '.join(places)}; every record needs its place on the map: "
                "complete the columns or use --projection umap."
            )
    for name in SCORES:
        if name in present and name not in columns:
            column, missing = pool.numbers(name)
            if missing < n:
                columns[name] = column
    return Made(columns, records.key, notes=tuple(notes))
