"""What a study has finished, so that one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.artifacts import FINDINGS, PLAN, STUDENTS
from ila_core.errors import IlaError, RunError
from ila_core.files import locked, reading_errors, write_text, writing_errors
from ila_core.options import options_of
from ila_core.studies.plan import Job
from ila_core.studies.settings import StudySettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


WORK = "work"
"""What the students share while the study runs."""
_NOTED = frozenset({"records", "tokens", "micro", "macro"})


class Journal:
    """Finished students, one JSON line each in runs.jsonl; a torn line is trained again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / STUDENTS
        self.done = dict(self._read())

    @classmethod
    @contextmanager
    def of(cls, folder: Path, landscape: Landscape, settings: StudySettings) -> Iterator[Journal]:
        """Yield the journal of a folder, made if need be, and hold the folder meanwhile.

        RunError for a folder in which another study runs, or that holds the study of another
        landscape or of other settings. One that was only planned is taken over.
        """
        with writing_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder, f"A study runs in {folder} already; wait for it, or stop it."):
            journal = cls(folder)
            journal._claim(folder, identity(landscape), settings)
            yield journal

    def _claim(self, folder: Path, landscape: str, settings: StudySettings) -> None:
        """Note that the folder's study is of a landscape and of settings."""
        if planned(folder) == (landscape, settings):
            return
        if self.done or (folder / FINDINGS).is_file():
            raise RunError(
                f"{folder} holds a study of another landscape or with other settings; choose "
                "another folder with --out, or delete that one first."
            )
        shutil.rmtree(folder / WORK, ignore_errors=True)  # of another pool, perhaps
        about = {"landscape": landscape, "settings": _read_by(settings.student, asdict(settings))}
        write_text(folder / PLAN, json.dumps(about, indent=1) + "\n")

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self.path.is_file():
            return
        with reading_errors(self.path):
            text = self.path.read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                key = entry.pop("key")
            except (ValueError, KeyError, AttributeError, TypeError):
                continue  # torn by a kill in the midst of writing
            if entry.keys() >= _NOTED:
                yield key, entry
        if text and not text.endswith("\n"):
            self._append("\n")

    def add(self, job: Job, result: dict[str, Any]) -> None:
        """Note what came of one student: its records and tokens, its losses."""
        self.done[job.key] = result
        self._append(json.dumps({"key": job.key, **job.about, **result}, allow_nan=False) + "\n")

    def _append(self, text: str) -> None:
        with writing_errors(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(text)


def planned(folder: str | Path) -> tuple[str, StudySettings] | None:
    """Return the identity of the landscape that a folder's study is of, and its settings.

    None where there is no study, or not one that can be read.
    """
    try:
        plan = json.loads((Path(folder) / PLAN).read_text(encoding="utf-8"))
        settings = plan["settings"]
        read = _read_by(settings["student"], settings)
        return str(plan["landscape"]), StudySettings.of(**read)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, IlaError):
        return None


def _read_by(student: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a student reads: the others say nothing of what it comes to."""
    options = options_of(StudySettings)
    companies = {name: one.company for name, one in options.items() if one.company}
    return {
        name: value
        for name, value in settings.items()
        if name not in companies or student in companies[name][1]
    }


def identity(landscape: Landscape) -> str:
    """Return what tells this landscape from another one of the same pool."""
    digest = hashlib.sha256(landscape.fingerprint.encode())
    depths = [landscape.by(kind).depth for kind in landscape.kinds or (landscape.kind,)]
    for array in (landscape.xy, *depths, landscape.tokens, landscape.domain):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
