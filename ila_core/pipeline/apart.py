"""Stages in processes of their own, beside those that keep another core busy: loss and domains.

A process tells its progress and failure as JSON lines. They go through a descriptor that nobody
else has: whatever a library prints, in Python or below it, lands on standard error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

import numpy as np

from ila_core.artifacts import VECTORS
from ila_core.distributed.fleet import Fleet
from ila_core.errors import IlaError, UsageError
from ila_core.files import writing_errors
from ila_core.pipeline.placing import Cluster, Project
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.scoring import Columns, Score, score
from ila_core.pipeline.settings import LossSettings
from ila_core.pipeline.step import Desk, Made, Stage, Step, carry_out
from ila_core.pool.records import Records
from ila_core.space.domains import LARGE, Domains
from ila_core.space.project import FITTED

T = TypeVar("T")

TOLD_EVERY = 0.3
"""Seconds between two lines of the process."""
LOOKED_EVERY = 0.3
"""Seconds between two looks whether the build still runs."""
WORK = {Score.name: "Scoring the responses", Cluster.name: "Dividing the pool into domains"}
"""What the process of a stage does, in the words of a failure."""
GIVES_WAY = 10
"""By how much the process is nicer: where all cores are asked for it has a tenth of one's time."""


@contextmanager
def scoring_beside(
    step: Step, settings: LossSettings, records: Made[Records]
) -> Iterator[Callable[[], Made[Columns]]]:
    """Yield a function that returns the losses, whose stage is begun meanwhile.

    What can be seen to be wrong with it is raised now: the stages beside it take long on a large
    pool. One that wants the whole machine is made when the function is called.
    """
    stage = score(settings, records)
    if step.folder(stage).finished:
        yield lambda: step(stage)
        return
    stage.check()
    if not stage.apart:
        yield lambda: step(stage)
    else:
        address = step.spread.address if isinstance(step.spread, Fleet) else None
        task = {"settings": asdict(settings), "ray": address}
        with _Process(step, stage, records, task) as process:
            yield process.result


@contextmanager
def dividing_beside(
    step: Step,
    stage: Stage[Domains] | Made[Domains],
    records: Made[Records],
    places: Stage[np.ndarray] | Made[np.ndarray],
) -> Iterator[Callable[[], Made[Domains]]]:
    """Yield a function that returns the domains, whose stage is begun meanwhile where that helps.

    It does where many vectors are clustered while a map of them is fitted. Where others place most
    of them, they divide them too, and are asked for one after the other.
    """
    if (
        not isinstance(stage, Cluster)
        or not isinstance(places, Project)
        or step.folder(stage).finished
        or step.folder(places).finished
        or (step.spread is not None and stage.total > FITTED.get(places.settings.method, 0))
        or stage.total <= LARGE
        or stage.vectors.folder is None
    ):
        yield lambda: step(stage)
        return
    vectors = {"key": stage.vectors.key, "file": str(stage.vectors.folder.path / VECTORS)}
    task = {"vectors": vectors, "seed": stage.seed, "ray": None}
    with _Process(step, stage, records, task) as process:
        yield process.result


class _Process(Generic[T]):
    """A process that makes a stage; its progress and failure are this process's."""

    def __init__(
        self, step: Step, stage: Stage[T], records: Made[Records], task: Mapping[str, Any]
    ) -> None:
        self.step, self.stage = step, stage
        self.failure: IlaError | None = None
        folder = step.folder(stage)
        task = {
            **task,
            "build": os.getpid(),
            "records": {"key": records.key, "file": str(records.value.path)},
            "folder": [folder.name, folder.key, str(folder.path)],
        }
        step.beforehand.append(self.check)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ila_core.pipeline.apart", json.dumps(task)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.thread.join()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        with self.step.monitor.stage(self.stage.name, self.stage.total) as progress:
            for line in self.process.stdout:
                notice = _notice(line)
                if notice is None:  # printed before the process had its descriptor to itself
                    print(line, end="", file=sys.stderr, flush=True)
                elif "error" in notice:
                    kind = UsageError if notice["usage"] else IlaError
                    self.failure = kind(notice["error"])
                else:
                    progress(notice["done"], notice["total"])

    def check(self) -> None:
        """Raise what the other process has found to be wrong: no long stage is begun then."""
        if self.failure is not None:
            raise self.failure

    def result(self) -> Made[T]:
        self.thread.join()
        code = self.process.wait()
        self.check()
        if code != 0:
            raise IlaError(
                f"{WORK[self.stage.name]} ended with exit code {code}"
                + (" (killed, perhaps for lack of memory)" if code < 0 else "")
                + "; what was finished is kept: run the same command again."
            )
        return self.step.made(self.stage)


def _notice(line: str) -> dict[str, Any] | None:
    """Return what a line of the process tells; None for one that is not of ours.

    >>> _notice('{"done": 3, "total": 9}'), _notice("Loading ..."), _notice("3")
    ({'done': 3, 'total': 9}, None, None)
    """
    try:
        notice = json.loads(line)
    except ValueError:
        return None
    ours = isinstance(notice, dict) and ({"done", "total"} <= notice.keys() or "error" in notice)
    return notice if ours else None


# -- in the other process -------------------------------------------------------------------------


def main(task: Mapping[str, Any]) -> int:
    """Make a stage in this process; tell progress and failure on what was its standard output."""
    _end_with(task["build"])
    _give_way()
    stream = _own_output()
    last = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last > TOLD_EVERY or done == total:
            last = time.monotonic()
            try:
                print(json.dumps({"done": done, "total": total}), file=stream, flush=True)
            except BrokenPipeError:  # killed just now
                os._exit(1)

    name, key, path = task["folder"]
    folder = StageFolder(name, key, Path(path))
    try:
        with writing_errors(path), ExitStack() as stack:
            records = Made(Records.open(Path(task["records"]["file"])), task["records"]["key"])
            fleet = stack.enter_context(Fleet(task["ray"])) if task["ray"] else None
            desk = Desk(folder, progress, spread=fleet)
            carry_out(_stage(name, task, records), desk)
    except IlaError as error:
        notice = {"error": str(error), "usage": isinstance(error, UsageError)}
        print(json.dumps(notice), file=stream, flush=True)
        return error.exit_code
    except KeyboardInterrupt:  # Ctrl-C reaches both processes; the build tells of it
        return 130
    return 0


def _end_with(build: int) -> None:
    """End this process as soon as the build is gone: nobody waits for it any more."""
    if os.name != "posix":  # elsewhere another process may stand between the two
        build = os.getppid()

    def watch() -> None:
        while os.getppid() == build:
            time.sleep(LOOKED_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _stage(name: str, task: Mapping[str, Any], records: Made[Records]) -> Stage[Any]:
    if name == Cluster.name:
        vectors = np.load(task["vectors"]["file"], mmap_mode="r")
        return Cluster(records, Made(vectors, task["vectors"]["key"]), task["seed"])
    return score(LossSettings(**task["settings"]), records)


def _give_way() -> None:
    """Leave the cores to the stages beside this one: they wait for one another, it for none."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(GIVES_WAY)


def _own_output() -> TextIO:
    """Return standard output for our lines alone; what else is printed goes to standard error."""
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    return open(ours, "w", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
