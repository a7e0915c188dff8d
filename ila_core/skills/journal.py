"""Answers kept as they come, so that a run that was stopped asks only what is still open."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ila_core.files import writing_errors
from ila_core.pool.json_text import as_utf8
from ila_core.pool.labels import Labels

JOURNAL = "labels.jsonl"
_SYNC_EVERY = 64  # answers between two fsyncs: what a power cut can cost


def read_journal(work: Path | None) -> dict[str, Labels]:
    """Answers by key; a line that a crash tore, or anything else unreadable, is asked again."""
    path = work / JOURNAL if work else None
    answers: dict[str, Labels] = {}
    if path is None or not path.exists():
        return answers
    with path.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                key, names = entry["key"], entry["labels"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if isinstance(names, list):
                answers[str(key)] = tuple(str(name) for name in names)
    return answers


class Journal:
    """Appends finished answers to work/labels.jsonl; without a folder it keeps nothing."""

    def __init__(self, work: Path | None) -> None:
        self._path = work / JOURNAL if work else None
        self._unsynced = 0

    def __enter__(self) -> Journal:
        if self._path:
            with writing_errors(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab", buffering=0)  # a killed run loses nothing
                if self._file.tell() and not self._ends_with_newline():
                    self._file.write(b"\n")  # so that a torn line does not swallow the next one
        return self

    def _ends_with_newline(self) -> bool:
        assert self._path
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def keep(self, row: int, key: str, labels: tuple[str, ...]) -> None:
        if self._path:
            entry = {"row": row, "key": key, "labels": labels}
            with writing_errors(self._path):
                self._file.write(as_utf8(json.dumps(entry, ensure_ascii=False)) + b"\n")
                self._unsynced += 1
                if self._unsynced >= _SYNC_EVERY:
                    self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def __exit__(self, *_: object) -> None:
        if self._path:
            self._sync()
            self._file.close()
