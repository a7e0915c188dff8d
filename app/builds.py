"""Builds that outlive the tab: started as a process of their own, followed by their files.

A landscape NAME lies in RUNS/NAME. What started it is kept in RUNS/.jobs/NAME.json and what it
printed in RUNS/.jobs/NAME.log, so that another tab, or a page started tomorrow, can follow, stop
and resume it. The run itself tells its progress in RUNS/NAME/progress.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ila_core.errors import IlaError, UsageError
from ila_core.files import key_of, replacing
from ila_core.landscape.folder import size_of

State = Literal["running", "done", "failed", "stopped"]
TAKEN = frozenset({"uploads", "exports", "studies"})
"""Folders beside the landscapes that hold something else."""
STARTING_SECONDS = 60
"""How long a build may take before it writes its first progress."""


@dataclass(frozen=True)
class Build:
    """A landscape folder of ours, finished or not."""

    name: str
    folder: Path
    state: State
    progress: Mapping[str, Any]
    message: str
    changed: float

    @property
    def finished(self) -> bool:
        """Whether there is a landscape to open, be it while a newer one is being built."""
        return (self.folder / "manifest.json").is_file()


def start(runs: Path, name: str, pool: Sequence[str], options: Mapping[str, str]) -> None:
    """Start building a pool into RUNS/name, or go on where an earlier build of it stopped."""
    if not (name and name == slug(name)):
        raise UsageError(f"{name!r} is no name for a landscape; use letters, digits, - and _.")
    if name in TAKEN:
        raise UsageError(f"{name} is a folder of this page's own; give the landscape another name.")
    found = look(runs, name)
    if found is not None and found.state == "running":
        raise IlaError(f"{name} is being built already; wait for it or stop it first.")
    words = [sys.executable, "-m", "ila_core.cli", "build", *pool, "--out", str(runs / name)]
    launch(runs, name, [*words, *_flags(options)])


def try_out(pool: str, options: Mapping[str, str], *, timeout: float = 1800) -> dict[str, Any]:
    """Return what `ila doctor` estimates for a build, models of one's own tried for some seconds.

    IlaError in the command's own sentence, or where it takes longer than `timeout` seconds.
    """
    words = [sys.executable, "-m", "ila_core.cli", "doctor", pool, "--json", *_flags(options)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise IlaError(
            f"The model was not ready within {timeout / 60:.0f} minutes; try it with ila doctor on "
            "the command line."
        ) from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        told = next((line for line in reversed(lines) if line.startswith("ila: ")), "")
        raise IlaError(told.removeprefix("ila: ") or (lines[-1] if lines else "It ended early."))
    return json.loads(done.stdout)["estimate"]  # type: ignore[no-any-return]


def _flags(options: Mapping[str, str]) -> list[str]:
    """Return options as words of a command line; an empty value is a flag alone."""
    return [
        word
        for option, value in options.items()
        for word in ([f"--{option}"] if value == "" else [f"--{option}", value])
    ]


def resume(runs: Path, name: str) -> None:
    """Run the same command again: what was finished is not done twice."""
    found = look(runs, name)
    if found is not None and found.state == "running":
        return  # another visitor was sooner
    launch(runs, name, _job(runs, name)["command"])


def launch(runs: Path, name: str, command: Sequence[str]) -> None:
    """Run a command of ours that fills RUNS/name, in a process of its own."""
    jobs = runs / ".jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    (runs / name / "progress.json").unlink(missing_ok=True)
    with open(jobs / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=runs,
            start_new_session=True,  # a closed tab or a stopped page leaves it running
        )
    job = {"command": list(command), "pid": process.pid, "started": time.time()}
    (jobs / f"{name}.json").write_text(json.dumps(job), encoding="utf-8")


def stop(runs: Path, name: str) -> None:
    """Ask a running build to stop; its finished batches stay."""
    found = look(runs, name)
    if found is None or found.state != "running":
        return
    pid = int(found.progress.get("pid") or _job(runs, name)["pid"])
    if _alive(pid):
        os.kill(pid, signal.SIGTERM)


def look(runs: Path, name: str) -> Build | None:
    """Return how a landscape of ours stands; None where there is none of this name."""
    folder = runs / name
    progress = _read(folder / "progress.json")
    job = _read(runs / ".jobs" / f"{name}.json")
    if not folder.is_dir() and not job:
        return None
    state: State = progress.get("state") or ("done" if _finished(folder) else "stopped")
    message = str(progress.get("message") or "")
    pid = int(progress.get("pid") or job.get("pid") or 0)
    if not progress and job and _alive(int(job["pid"])):
        state = "running"
    elif state == "running" and not _alive(pid):
        state, message = "stopped", "The process is gone. What it had finished is kept."
    if state in ("stopped", "failed") and not message and job:
        state, message = _last_words(runs, name, state)
    changed = float(progress.get("updated") or job.get("started") or _changed(folder))
    return Build(name, folder, state, progress, message, changed)


def every(runs: Path) -> list[Build]:
    """Return the landscapes of ours, the latest first."""
    if not runs.is_dir():
        return []
    names = {path.name for path in runs.iterdir() if path.is_dir() and path.name[0] != "."}
    names |= {path.stem for path in (runs / ".jobs").glob("*.json")}
    found = [build for name in names - TAKEN if (build := look(runs, name)) is not None]
    return sorted(found, key=lambda build: -build.changed)


def delete(runs: Path, name: str) -> None:
    """Delete a landscape of ours, what started it and what it printed. Uploads stay."""
    if name != slug(name):
        raise UsageError(f"{name!r} is no landscape of this page.")
    found = look(runs, name)
    if found is not None and found.state == "running":
        raise IlaError(f"{name} is being built; stop it before deleting it.")
    shutil.rmtree(runs / name, ignore_errors=True)
    for ending in ("json", "log"):
        (runs / ".jobs" / f"{name}.{ending}").unlink(missing_ok=True)


def free_name(runs: Path, wished: str) -> str:
    """Return a name that no landscape has yet: the wished one, or with a number behind it."""
    base = slug(Path(wished).name.split(".")[0]) or "landscape"
    name, number = base, 2
    while look(runs, name) is not None or name in TAKEN:
        name, number = f"{base}-{number}", number + 1
    return name


def slug(text: str) -> str:
    """Return text as a folder's name.

    >>> slug("My pool (v2)")
    'My-pool-v2'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:64]


def store_upload(runs: Path, name: str, content: BinaryIO) -> Path:
    """Write an uploaded file under RUNS/uploads and return its path; whole or not at all.

    Its folder is named by its content: another visitor's file of the same name stays its own.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name).lstrip(".-") or "pool.jsonl"
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    path = runs / "uploads" / digest[:16] / safe
    content.seek(0)
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        shutil.copyfileobj(content, stream, 1 << 20)
    return path


def export_folder(runs: Path, *made_of: object) -> Path:
    """Return the folder for a file that is made of this: another visitor's lies in another one."""
    return runs / "exports" / key_of(*made_of)


def bytes_of(folder: Path) -> int:
    """Return the disk that a folder takes; 0 where there is none."""
    return size_of(folder) if folder.is_dir() else 0


# -- reading what a build left ---------------------------------------------------------------------


def _job(runs: Path, name: str) -> dict[str, Any]:
    job = _read(runs / ".jobs" / f"{name}.json")
    if not job:
        raise IlaError(f"Nothing is known of how {name} was started; build it from its pool again.")
    return job


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty where the file is missing or being replaced."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _last_words(runs: Path, name: str, state: State) -> tuple[State, str]:
    """Return how a build ended that told nothing itself: the last line that it printed."""
    try:
        text = (runs / ".jobs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return state, ""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    told = next((line for line in reversed(lines) if line.startswith("ila: ")), "")
    if told:
        return "failed", told.removeprefix("ila: ")
    return state, lines[-1] if lines else ""


def _finished(folder: Path) -> bool:
    return any((folder / result).is_file() for result in ("manifest.json", "study.json"))


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _alive(pid: int) -> bool:
    """Whether a process is a build that still runs. A finished child of ours is buried first."""
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


def _command_line(pid: int) -> bytes:
    """Return a process's command line: a number may have passed to a stranger since."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True)
        return listed.stdout
