"""Records added to a finished landscape: placed on the same map, which they do not move.

The old rows stay as they are, to the bit, so that pins, links and named selections still mean what
they did; the new ones come behind them. What is new in all of it are ranks: the relative depth of
a record is its rank in its domain among all records that are there now, old and new by one measure.

What is added is published as a build is, by one rename of the manifest: a kill leaves the landscape
that was there or the one with all of the new records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core._version import __version__
from ila_core.artifacts import LABELS
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import key_of
from ila_core.landscape.buckets import fetched, sent
from ila_core.landscape.folder import open_run, read_manifest
from ila_core.options import command as command_line
from ila_core.options import part
from ila_core.pipeline.additions import (
    EncodeMore,
    PlaceMore,
    ReadMore,
    divide_more,
    label_more,
    numbers_in,
)
from ila_core.pipeline.build import LIBRARIES
from ila_core.pipeline.grown import Base
from ila_core.pipeline.new_rows import JoinLabels, JoinRecords, JoinTable, JoinVectors
from ila_core.pipeline.ordering import leave_order
from ila_core.pipeline.publish import Run
from ila_core.pipeline.scoring_more import ScoreMore, score_more
from ila_core.pipeline.settings import AddSettings
from ila_core.pipeline.step import Made, Step, versions
from ila_core.pool.inputs import Input, hashed, unread
from ila_core.pool.joined import counts_of_both
from ila_core.pool.reading import Reading, names_a_field
from ila_core.pool.record import Record
from ila_core.pool.remote import is_remote
from ila_core.pool.settings import ReadSettings
from ila_core.progress import Listener, Monitor

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.records import Records


@dataclass(frozen=True, eq=False)
class Added:
    """A landscape with what was added to it."""

    landscape: Landscape
    told: Mapping[str, Any]
    """What is to be told of the addition, as the manifest has it; counts at least."""
    fresh: bool
    """Whether it was added now; False where that was done before, or nothing was left to add."""

    @property
    def rows(self) -> range:
        """The rows that were added."""
        return range(*self.told.get("rows", (len(self.landscape), len(self.landscape))))


@dataclass(frozen=True, eq=False)
class Outlook:
    """What adding some files would do."""

    counts: Mapping[str, Any]
    """Records read, kept and rejected, with reasons, as of a pool."""
    known: int
    """Of the kept, those that say the same as a record that is there."""
    understood: str
    """Which fields were read as what."""
    before: int
    """Records of the landscape as it is."""
    present: bool
    """Whether these very files were added before."""


def add(
    run: str | Path,
    new: str | Path | Sequence[str | Path],
    *,
    settings: AddSettings | None = None,
    listener: Listener | None = None,
    **options: Any,
) -> Added:
    """Add the records of files to the finished landscape in the folder `run`.

    They are read as its pool was, encoded by its encoder, placed among the records that it was
    built of, and scored as these were. `settings`, or `options`: those of `ila add` with
    underscores. The same files with the same options are added once. RunError for a folder that
    holds no landscape or cannot be added to, PoolError and UsageError as `build` has them.
    """
    paths = [new] if isinstance(new, (str, Path)) else list(new)
    folder = fetched(run)
    read_manifest(folder)  # there must be one: nothing is made in other folders
    target = Run.create(folder)
    with target.locked(), Monitor(target.folder, listener).watching() as monitor:
        base = Base.open(folder)
        settings = settings or asked(base, paths, **options)
        check(base, settings)
        with monitor.stage("checking input") as progress:
            inputs = hashed(paths, split=settings.split, progress=progress)
        if (told := present(base, inputs, settings)) is not None:
            target.settle(base.manifest)
            return Added(base.landscape, told, fresh=False)
        made = _Addition(base, settings, inputs, tuple(unread(paths, settings.split)))
        manifest, folders = made.carry_out(Step(target, monitor), paths)
        if manifest is None:
            target.settle(base.manifest)
            return Added(base.landscape, {"counts": made.counts}, fresh=False)
        target.publish(folders, manifest)
        landscape = open_run(folder)
        leave_order(landscape, monitor)
        if is_remote(str(run)):
            with monitor.stage(f"sending to {run}"):
                sent(run)
    return Added(landscape, manifest["additions"][-1], fresh=True)


def look(
    run: str | Path,
    new: str | Path | Sequence[str | Path],
    *,
    settings: AddSettings | None = None,
    **options: Any,
) -> Outlook:
    """Return what adding files to a landscape would do; nothing is written. Errors as `add`."""
    paths = [new] if isinstance(new, (str, Path)) else list(new)
    base = Base.open(fetched(run))
    settings = settings or asked(base, paths, **options)
    check(base, settings)
    before = present(base, hashed(paths, split=settings.split), settings)
    reading = Reading(paths, settings, base.known if settings.skip_known else None)
    known = 0
    for one in reading:
        if isinstance(one, Record) and not settings.skip_known:
            known += base.known.row(one.turns) >= 0
    reading.check(require_response=needs_responses(base, settings))
    told = reading.understood.sentence()
    return Outlook(reading.counts, known, told, len(base), before is not None)


def asked(base: Base, paths: Sequence[str | Path], **options: Any) -> AddSettings:
    """Return the settings for adding files to a landscape: how its pool was read, unless given.

    The pool's map is left out where the files have none of its fields: they are of another shape.
    """
    settings = AddSettings.of(base.settings, **options)
    if settings.map and "map" not in options and not names_a_field(paths, settings):
        return replace(settings, map="")
    return settings


def check(base: Base, settings: AddSettings) -> None:
    """Refuse options that do not go with the landscape."""
    given = base.settings.embeddings
    if given and not settings.embeddings:
        raise UsageError(
            f"{base.folder} was built of vectors that were given ({Path(given).name}); give those "
            "of the new records with --embeddings FILE.npy."
        )
    if settings.embeddings and not given:
        raise UsageError(
            f"{base.folder} has the vectors of the encoder {base.settings.encoder!r}, which reads "
            "the new records too; leave --embeddings out."
        )
    if settings.embeddings and not Path(settings.embeddings).is_file():
        raise UsageError(f"--embeddings names {settings.embeddings!r}, which is no file.")
    if settings.embeddings and settings.skip_known:
        raise UsageError(
            "--skip-known leaves out records for which --embeddings has a row; leave one of them "
            "out."
        )


def needs_responses(base: Base, settings: AddSettings) -> bool:
    """Tell whether at least one of the new records must have a response."""
    return base.settings.supplier != "none" and settings.loss != "none"


def present(base: Base, inputs: Sequence[Input], settings: AddSettings) -> Mapping[str, Any] | None:
    """Return what is told of these files if they were added before; RunError if otherwise so."""
    wanted = [file.sha256 for file in inputs]
    names = ", ".join(file.path.name for file in inputs)
    pool = base.manifest.get("base", base.manifest)["inputs"]
    if wanted == [file["sha256"] for file in pool]:
        raise RunError(f"{names} is the very pool that {base.folder} was built of; name new files.")
    for one in base.additions:
        if wanted == [file["sha256"] for file in one["inputs"]]:
            if _altering(AddSettings(**one["settings"])) == _altering(settings):
                return one
            raise RunError(
                f"{names} was added to {base.folder} before, with other options "
                f"({one['command']}); what is added is not taken away again: build anew in "
                "another folder."
            )
    return None


def _altering(settings: AddSettings) -> dict[str, Any]:
    return {**asdict(settings), "device": None}


class _Addition:
    """One addition on its way: the stages in their order, and the manifest that tells of it."""

    def __init__(
        self,
        base: Base,
        settings: AddSettings,
        inputs: Sequence[Input],
        unread: tuple[str, ...],
    ) -> None:
        self.base, self.settings, self.inputs, self.unread = base, settings, inputs, unread
        self.counts: Mapping[str, Any] = {}

    def carry_out(
        self, step: Step, paths: Sequence[str | Path]
    ) -> tuple[dict[str, Any] | None, list[Any]]:
        """Make what is new; return the manifest and the folders to publish, None for no record."""
        base, settings = self.base, self.settings
        how = part(settings, ReadSettings)
        skipped = base if settings.skip_known else None
        records = step(
            ReadMore(self.inputs, how, needs_responses(base, settings), self.unread, skipped)
        )
        self.counts = records.value.counts
        if not len(records.value):
            return None, []
        scoring = score_more(base, settings, records)
        scoring.check()
        given = places_of(base, records)
        vectors = step(EncodeMore(base, records, settings))
        placed = step(PlaceMore(base, vectors))
        loss = step(scoring)
        labels = step(label_more(base, records))
        domains = divide_more(base, records, labels, vectors, placed.value)
        table = step(
            JoinTable(base, records, given or placed, loss, labels, settings, domains=domains)
        )
        joined: list[Made[Any]] = [
            step(JoinRecords(base, records)),
            step(JoinVectors(base, vectors)),
            table,
        ]
        if LABELS in base.landscape.files:
            joined.append(step(JoinLabels(base, labels)))
        stages = [records, vectors, placed, loss, labels]
        told = self.told(paths, records, stages, table.notes)
        return self.manifest(told, joined), [one.folder for one in joined]

    def told(
        self,
        paths: Sequence[str | Path],
        records: Made[Records],
        stages: Sequence[Made[Any]],
        more: Sequence[str],
    ) -> dict[str, Any]:
        """Return what the manifest says of this addition."""
        base, settings, pool = self.base, self.settings, records.value
        twins = base.known.rows_of(pool.conversations())
        known = int(np.count_nonzero(twins >= 0))
        notes = [note for one in stages for note in one.notes] + list(more)
        if known:
            notes.insert(
                0,
                f"{known:,} of {len(pool):,} new records say the same as one that was there; they "
                "were taken all the same (--skip-known leaves such out).",
            )
        facts = {one.folder.name: one.facts for one in stages if one.folder}
        placing = facts.get(PlaceMore.name, {})
        return {
            "command": command_line(*settings.words(base.folder, paths, base.settings)),
            "added": datetime.now(UTC).isoformat(timespec="seconds"),
            "ila": __version__,
            "settings": asdict(settings),
            "inputs": [
                {"name": file.path.name, "sha256": file.sha256, "bytes": file.bytes}
                for file in self.inputs
            ],
            "understood": pool.understood.sentence(),
            "counts": pool.counts,
            "rows": [len(base), len(base) + len(pool)],
            "known": known,
            "far": placing.get("far", 0),
            "usual_distance": placing.get("usual_distance"),
            "notes": notes,
            "stages": facts,
            "versions": versions(LIBRARIES),
        }

    def manifest(self, told: Mapping[str, Any], joined: Sequence[Made[Any]]) -> dict[str, Any]:
        """Return the landscape's manifest with this addition in it, but for its artifacts."""
        old = self.base.manifest
        first = old.get("base") or {
            name: old[name] for name in ("command", "built", "inputs", "counts", "fingerprint")
        }
        additions = [*self.base.additions, told]
        stages = dict(old["stages"])
        for one in joined:
            assert one.folder is not None
            facts = {**stages.get(one.folder.name, {}), **one.facts}
            stages[one.folder.name] = {**facts, "key": one.folder.key}
        names = ", ".join(file["name"] for file in told["inputs"])
        pool = joined[0].value
        loss = dict(old.get("loss") or {})
        missing = told["stages"].get(ScoreMore.name, {}).get("missing", {})
        if missing:
            loss["missing"] = counts_of_both({"": loss.get("missing", {})}, {"": missing})[""]
        return {
            **{name: value for name, value in old.items() if name != "artifacts"},
            "command": " && ".join([first["command"], *(one["command"] for one in additions)]),
            "counts": counts_of_both(old["counts"], told["counts"]),
            "fingerprint": pool.fingerprint,
            "notes": [*old["notes"], *(f"Added from {names}: {note}" for note in told["notes"])],
            "loss": loss,
            "stages": stages,
            "base": first,
            "additions": additions,
        }


def places_of(base: Base, records: Made[Records]) -> Made[np.ndarray] | None:
    """Return the places that the new records come with, where the others came with theirs.

    IlaError where one has none.
    """
    names = base.settings.places
    if not names:
        return None
    xy = np.column_stack([numbers_in(records.value, name) for name in names])
    if missing := int(np.isnan(xy).any(axis=1).sum()):
        raise IlaError(
            f"{missing:,} of {len(xy):,} new records have no finite number in "
            f"{' or '.join(names)}, from which {base.folder} has its places; complete the columns."
        )
    return Made(xy, key_of("places", records.key, names))
