"""Studies that outlive the tab: kept in RUNS/studies, started and followed as builds are."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import builds
from builds import Build
from ila_core.errors import IlaError, UsageError
from ila_core.studies import StudySettings, planned


@dataclass(frozen=True)
class Entry:
    """A study's folder: what it is made of, how it stands, and whether it is ours to delete."""

    folder: Path
    settings: StudySettings | None
    build: Build
    ours: bool
    same: bool
    """Whether it is of the landscape that is open."""

    @property
    def finished(self) -> bool:
        """Whether there are findings to show."""
        return (self.folder / "study.json").is_file()


def home(runs: Path) -> Path:
    """Return the folder of the studies that are run here."""
    return runs / "studies"


def start(runs: Path, name: str, run: Path, settings: StudySettings) -> None:
    """Start a study of a landscape in RUNS/studies/name."""
    if not (name and name == builds.slug(name)):
        raise UsageError(f"{name!r} is no name for a study; use letters, digits, - and _.")
    if builds.look(home(runs), name) is not None:
        raise IlaError(f"There is a study {name} already; give this one another name.")
    written = settings.command(run.resolve(), (home(runs) / name).resolve())
    command = [sys.executable, "-m", "ila_core.cli", *shlex.split(written)[1:]]
    (home(runs) / name).mkdir(parents=True)  # a study that fails at once has a place to be told
    builds.launch(home(runs), name, command)


def look(runs: Path, folder: Path, identity: str) -> Entry | None:
    """Return the study in a folder, finished or not; None where there is none."""
    build = builds.look(folder.parent, folder.name)
    told = planned(folder)
    if build is None or (told is None and folder.parent != home(runs)):
        return None if not (folder / "study.json").is_file() else _bare(folder)
    same = told is None or told[0] == identity
    ours = folder.resolve().parent == home(runs).resolve()
    return Entry(folder, None if told is None else told[1], build, ours, same)


def _bare(folder: Path) -> Entry:
    """Return a study of which nothing but its findings is left."""
    changed = (folder / "study.json").stat().st_mtime
    return Entry(folder, None, Build(folder.name, folder, "done", {}, "", changed), False, True)


def of_landscape(runs: Path, identity: str, *others: Path) -> list[Entry]:
    """Return the studies of a landscape in the runs folder and in other folders, latest first.

    One that has not told yet what it is of is among them: it has just been started.
    """
    kept = home(runs)
    folders = [path for place in (kept, runs) if place.is_dir() for path in place.iterdir()]
    folders += [kept / path.stem for path in (kept / ".jobs").glob("*.json")]
    found = [
        entry
        for folder in dict.fromkeys([*folders, *others])
        if not folder.name.startswith(".") and _may_be(folder, kept)
        and (entry := look(runs, folder, identity)) is not None
        and entry.same
    ]  # fmt: skip
    return sorted(found, key=lambda entry: -entry.build.changed)


def _may_be(folder: Path, kept: Path) -> bool:
    return folder.parent == kept or any(
        (folder / name).is_file() for name in ("plan.json", "study.json")
    )


def names_of(settings: StudySettings) -> Sequence[str]:
    """Return in words what a study is made of."""
    return (
        settings.student if settings.student == "ngram" else str(settings.lm),
        f"{len(settings.methods)} methods",
        f"{len(settings.budgets)} budgets",
        f"{settings.seeds} seed{'s' * (settings.seeds != 1)}",
    )
