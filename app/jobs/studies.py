"""Studies that are run beside the page, each in RUNS/studies/NAME, and those that lie elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ila_core import options
from ila_core.artifacts import FINDINGS, PLAN
from ila_core.errors import IlaError, UsageError
from ila_core.studies.journal import planned
from ila_core.studies.settings import StudySettings
from jobs import process, space
from jobs.builds import COMMAND, STUDIES
from jobs.process import Job


@dataclass(frozen=True)
class Entry:
    """A study's folder: what it is made of, how it stands, and whether it is ours to delete."""

    settings: StudySettings | None
    job: Job
    ours: bool
    same: bool
    """Whether it is of the landscape that is open."""

    @property
    def folder(self) -> Path:
        return self.job.folder


def home(runs: Path) -> Path:
    """Return the folder of the studies that are run here."""
    return runs / STUDIES


def start(runs: Path, name: str, run: Path, settings: StudySettings) -> None:
    """Start a study of a landscape in RUNS/studies/name."""
    if not (name and name == process.slug(name)):
        raise UsageError(f"{name!r} is no name for a study; use letters, digits, - and _.")
    if process.look(home(runs), name) is not None:
        raise IlaError(f"There is a study {name} already; give this one another name.")
    space.check()
    folder = (home(runs) / name).resolve()
    folder.mkdir(parents=True)  # a study that fails at once has a place to be told
    words = ["study", str(run.resolve()), "--out", str(folder), *options.words(settings)]
    process.launch(home(runs), name, [*COMMAND, *words])


def look(runs: Path, folder: Path, identity: str) -> Entry | None:
    """Return the study in a folder, finished or not; None where there is none."""
    job = process.look(folder.parent, folder.name)
    plan = planned(folder)
    if job is None or (plan is None and folder.parent != home(runs)):
        return None if not (folder / FINDINGS).is_file() else _bare(folder)
    same = plan is None or plan[0] == identity
    ours = folder.resolve().parent == home(runs).resolve()
    return Entry(None if plan is None else plan[1], job, ours, same)


def _bare(folder: Path) -> Entry:
    """Return a study of which nothing but its findings is left."""
    changed = (folder / FINDINGS).stat().st_mtime
    return Entry(None, Job(folder, "done", changed=changed), ours=False, same=True)


def of_landscape(runs: Path, identity: str, *others: Path) -> list[Entry]:
    """Return the studies of a landscape in the runs folder and in other folders, latest first.

    One that does not say yet what it is of is among them: it has just been started.
    """
    folders = [place / name for place in (home(runs), runs) for name in process.names(place)]
    entries = [
        entry
        for folder in dict.fromkeys([*folders, *others])
        if folder.parent == home(runs) or _is_study(folder)
        if (entry := look(runs, folder, identity)) is not None and entry.same
    ]
    return sorted(entries, key=lambda entry: -entry.job.changed)


def _is_study(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (PLAN, FINDINGS))


def names_of(settings: StudySettings) -> Sequence[str]:
    """Return in words what a study is made of."""
    return (
        settings.student if settings.student == "ngram" else settings.lm,
        *(
            f"{number} {noun}{'s' * (number != 1)}"
            for number, noun in (
                (len(settings.methods), "method"),
                (len(settings.budgets), "budget"),
                (settings.seeds, "seed"),
            )
        ),
    )
