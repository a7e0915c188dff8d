"""Jobs that outlive the tab: started as a process of their own, followed by their files.

A job NAME fills PLACE/NAME. What started it is kept in PLACE/.jobs/NAME.json and what it printed
in PLACE/.jobs/NAME.log, so that another tab, or a page started tomorrow, can follow, stop and
resume it. The process itself tells its progress in PLACE/NAME/progress.json.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ila_core.artifacts import FINDINGS, MANIFEST
from ila_core.errors import IlaError, UsageError
from jobs import servers, space

PROGRESS = "progress.json"
"""In which a process tells how far it is."""
State = Literal["running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class Job:
    """How a folder stands that a process of ours fills or has filled."""

    folder: Path
    state: State
    progress: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    changed: float = 0.0

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def place(self) -> Path:
        return self.folder.parent

    @property
    def has_landscape(self) -> bool:
        """Whether there is a landscape to open, be it while a newer one is being built."""
        return (self.folder / MANIFEST).is_file()

    @property
    def has_study(self) -> bool:
        """Whether there are a study's findings to show."""
        return (self.folder / FINDINGS).is_file()


def launch(place: Path, name: str, command: Sequence[str]) -> None:
    """Run a command of ours that fills PLACE/name, in a process of its own.

    UsageError for one that would ask another labels server than the page's, and where the visitor
    keeps as much here as they may.
    """
    servers.check(command)
    space.check()
    jobs = place / ".jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    (place / name / PROGRESS).unlink(missing_ok=True)
    with open(jobs / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=jobs,  # where no model's id is the name of a folder
            env=servers.environment(command),
            start_new_session=True,  # a closed tab or a stopped page leaves it running
        )
    started = {"command": list(command), "pid": process.pid, "started": time.time()}
    (jobs / f"{name}.json").write_text(json.dumps(started), encoding="utf-8")


def look(place: Path, name: str) -> Job | None:
    """Return how a job of ours stands; None where there is none of this name."""
    folder = place / name
    progress = _read(folder / PROGRESS)
    started = _read(place / ".jobs" / f"{name}.json")
    if not folder.is_dir() and not started:
        return None
    state: State = progress.get("state") or ("done" if _finished(folder) else "stopped")
    message = str(progress.get("message") or "")
    pid = int(progress.get("pid") or started.get("pid") or 0)
    if not progress and started and alive(int(started["pid"])):
        state = "running"
    elif state == "running" and not alive(pid):
        state, message = "stopped", "The process is gone. What it had finished is kept."
    if state in ("stopped", "failed") and not message and started:
        state, message = _last_words(place, name, state)
    changed = float(progress.get("updated") or started.get("started") or _changed(folder))
    return Job(folder, state, progress, message, changed)


def resume(place: Path, name: str) -> None:
    """Run the same command again: what was finished is not done twice."""
    job = look(place, name)
    if job is not None and job.state == "running":
        return  # another visitor was sooner
    launch(place, name, _started(place, name)["command"])


def stop(place: Path, name: str) -> None:
    """Ask a running job to stop; its finished batches stay."""
    job = look(place, name)
    if job is None or job.state != "running":
        return
    pid = int(job.progress.get("pid") or _started(place, name)["pid"])
    if alive(pid):
        os.kill(pid, signal.SIGTERM)


def delete(place: Path, name: str) -> None:
    """Delete what a job made, what started it and what it printed."""
    if name != slug(name):
        raise UsageError(f"{name!r} is nothing that this page has made.")
    job = look(place, name)
    if job is not None and job.state == "running":
        raise IlaError(f"{name} is being built; stop it before deleting it.")
    shutil.rmtree(place / name, ignore_errors=True)
    for ending in ("json", "log"):
        (place / ".jobs" / f"{name}.{ending}").unlink(missing_ok=True)


def names(place: Path) -> set[str]:
    """Return the names of all folders in a place, and of all jobs that were started there."""
    if not place.is_dir():
        return set()
    folders = {path.name for path in place.iterdir() if path.is_dir() and path.name[0] != "."}
    return folders | {path.stem for path in (place / ".jobs").glob("*.json")}


def slug(text: str) -> str:
    """Return text as a folder's name, in any script.

    >>> slug("My pool (v2)"), slug("医疗 问答")
    ('My-pool-v2', '医疗-问答')
    """
    return re.sub(r"[^\w]+", "-", text).strip("-")[:60]  # in any script at most 240 bytes


def free_name(place: Path, wished: str, *, taken: frozenset[str] = frozenset()) -> str:
    """Return a name that no job of a place has yet: the wished one, or with a number behind it."""
    base = slug(Path(wished).name.split(".")[0]) or "landscape"
    name, number = base, 2
    while look(place, name) is not None or name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def alive(pid: int) -> bool:
    """Whether a process is a job that still runs. A finished child of ours is buried first."""
    if pid <= 0:
        return False
    if os.name == "nt":
        listed = subprocess.run(["tasklist", "/FI", f"PID eq {pid}", "/NH"], capture_output=True)
        return str(pid).encode() in listed.stdout
    with suppress(OSError):  # started by another page: not our child
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False  # gone, or the number belongs to somebody else's process now
    return b"ila_core" in _command_line(pid)


# -- reading what a job left ----------------------------------------------------------------------


def _started(place: Path, name: str) -> dict[str, Any]:
    started = _read(place / ".jobs" / f"{name}.json")
    if not started:
        raise IlaError(f"Nothing is known of how {name} was started; build it from its pool again.")
    return started


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty where the file is missing or being replaced."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def last_line(text: str) -> tuple[str, bool]:
    """Return the last line that a command of ours printed, and whether it tells a failure.

    >>> last_line("3 of 9\\rila: There is no pool.jsonl.\\n")
    ('There is no pool.jsonl.', True)
    """
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    failure = next((line for line in reversed(lines) if line.startswith("ila: ")), "")
    if failure:
        return failure.removeprefix("ila: "), True
    return (lines[-1] if lines else ""), False


def _last_words(place: Path, name: str, state: State) -> tuple[State, str]:
    """Return how a job ended that said nothing itself: by the last line that it printed."""
    try:
        log = (place / ".jobs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return state, ""
    line, failed = last_line(log)
    return ("failed" if failed else state), line


def _finished(folder: Path) -> bool:
    return any((folder / result).is_file() for result in (MANIFEST, FINDINGS))


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _command_line(pid: int) -> bytes:
    """Return a process's command line: a number may have passed to a stranger since."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True)
        return listed.stdout
