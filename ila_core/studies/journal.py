"""What a study has finished, so that one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError, RunError
from ila_core.files import told, write_text
from ila_core.studies.plan import Job
from ila_core.studies.settings import StudySettings

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


PLAN = "plan.json"
"""What a study's folder says of itself: the landscape's identity, and the settings."""


class Journal:
    """Finished students, one JSON line each in runs.jsonl; a torn line is trained again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = dict(self._read())

    @classmethod
    def open(cls, folder: Path, landscape: Landscape, settings: StudySettings) -> Journal:
        """Return the journal of a folder, made if need be.

        RunError for a folder that holds the study of another landscape or of other settings.
        """
        about = {"landscape": identity(landscape), "settings": asdict(settings)}
        plan_file = folder / PLAN
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not plan_file.is_file():
            write_text(plan_file, json.dumps(about, indent=1) + "\n")
        elif _held(plan_file) != json.loads(json.dumps(about)):
            raise RunError(
                f"{folder} holds a study of another landscape or with other settings; choose "
                "another folder with --out, or delete that one first."
            )
        return cls(folder / "runs.jsonl")

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self.path.is_file():
            return
        text = self.path.read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                yield entry.pop("key"), entry
            except (ValueError, KeyError, AttributeError, TypeError):
                continue  # torn by a kill in the midst of writing
        if text and not text.endswith("\n"):
            with told(self.path), self.path.open("a", encoding="utf-8") as stream:
                stream.write("\n")

    def add(self, job: Job, found: dict[str, Any]) -> None:
        """Note what was found of one student: its records and tokens, its losses."""
        self.done[job.key] = found
        line = json.dumps({"key": job.key, **job.about, **found})
        with told(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def _held(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def planned(folder: str | Path) -> tuple[str, StudySettings] | None:
    """Return the identity of the landscape that a folder's study is of, and its settings.

    None where there is no study, or not one that can be read.
    """
    found = _held(Path(folder) / PLAN)
    try:
        return str(found["landscape"]), StudySettings.of(**found["settings"])  # type: ignore[index]
    except (TypeError, KeyError, IlaError):
        return None


def identity(landscape: Landscape) -> str:
    """Return what tells this landscape from another one of the same pool."""
    digest = hashlib.sha256(landscape.fingerprint.encode())
    for array in (landscape.xy, landscape.depth, landscape.tokens, landscape.domain):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
