"""How a long piece of work tells how far it is: to a callback, a listener, and progress.json."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from ila_core.errors import IlaError
from ila_core.files import write_text

Progress = Callable[[int, int | None], None]
"""Called as ``progress(done, total)``; total is None while it is not known."""


def no_progress(done: int, total: int | None) -> None:
    """Stay silent: the default wherever a progress callback is taken."""


_LISTENER: ContextVar[Progress] = ContextVar("listener", default=no_progress)


@contextmanager
def listening(progress: Progress) -> Iterator[None]:
    """Hear what `tell` says inside the block: of work that is called through others.

    >>> heard = []
    >>> with listening(lambda done, total: heard.append((done, total))):
    ...     tell(1, 2)
    >>> tell(2, 2)
    >>> heard
    [(1, 2)]
    """
    token = _LISTENER.set(progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(done: int, total: int | None) -> None:
    """Tell whoever listens how far the work is; nobody where nobody does."""
    _LISTENER.get()(done, total)


Say = Callable[[str], None]
"""Called with a few words on how a stage fares, such as ``say("8,100 tokens a second")``."""


def silent(words: str) -> None:
    """Say nothing: the default."""


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(42), duration(150), duration(9000)
    ('42 s', '2.5 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.3g} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"


EVERY = 0.5
"""Seconds between two notices of the same build."""
RECENT = 60.0
"""Seconds that a rate looks back: what a resumed stage had finished before says nothing of now."""


@dataclass
class StageStatus:
    """How far one stage is; `done` and `total` count records unless the stage says otherwise."""

    name: str
    done: int = 0
    total: int | None = None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    reused: bool = False
    left: float | None = None
    """Seconds that are left, of a stage that knows better than its rate tells."""
    words: str = ""
    """What the stage says of itself, such as its tokens per second."""
    marks: deque[tuple[float, int]] = field(default_factory=deque)
    """When it was how far, within the last minute."""

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.started

    def advance(self, done: int, total: int | None) -> None:
        """Take note of how far it is."""
        now = time.monotonic()
        self.done, self.total = done, self.total if total is None else total
        if not self.marks or now - self.marks[-1][0] >= EVERY:
            self.marks.append((now, done))
        while len(self.marks) > 2 and now - self.marks[1][0] > RECENT:
            self.marks.popleft()

    @property
    def rate(self) -> float | None:
        """Units per second of late, or on the whole once it ended; None where nothing is known."""
        since, before = self.started, 0
        if self.ended is None and len(self.marks) > 1:
            since, before = self.marks[0]
        seconds = (self.ended or time.monotonic()) - since
        return (self.done - before) / seconds if self.done > before and seconds > 0 else None

    @property
    def eta(self) -> float | None:
        """Seconds that are left, at the rate so far unless it is told; None where not known."""
        if self.left is not None:
            return self.left
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate

    def as_dict(self) -> dict[str, object]:
        return {
            "stage": self.name,
            "state": "reused" if self.reused else "running" if self.ended is None else "done",
            "done": self.done,
            "total": self.total,
            "seconds": round(self.seconds, 2),
            "rate": self.rate and round(self.rate, 1),
            "eta_s": None if self.eta is None else round(self.eta, 1),
            "words": self.words,
        }


Listener = Callable[["Monitor"], None]


class Monitor:
    """Collects the progress of a build's stages, some of which may run side by side."""

    def __init__(self, folder: Path, listener: Listener | None = None) -> None:
        self.stages: list[StageStatus] = []
        self.state = "running"
        self.message = ""
        self.notices: list[str] = []
        self._file = folder / "progress.json"
        self._listener = listener
        self._started = time.time()
        self._told = 0.0
        self._lock = threading.RLock()

    @property
    def running(self) -> list[StageStatus]:
        """The stages under way, the longest-running first."""
        return [stage for stage in self.stages if stage.ended is None]

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Progress]:
        """Open a stage and yield its progress callback; the stage ends with the block."""
        status = StageStatus(name, total=total)
        with self._lock:
            self.stages.append(status)
        self._tell(now=True)

        def progress(done: int, total: int | None) -> None:
            status.advance(done, total)
            self._tell()

        try:
            yield progress
        finally:
            status.ended = time.monotonic()
            self._tell()

    def say(self, words: str) -> None:
        """Put words beside the stage that was opened last."""
        self.stages[-1].words = words

    def reuse(self, name: str) -> None:
        """Note a stage whose result was there already."""
        with self._lock:
            status = StageStatus(name, reused=True)
            status.ended = status.started
            self.stages.append(status)
        self._tell(now=True)

    def notice(self, sentence: str) -> None:
        """Tell something that is worth a line of its own, such as what a stage will cost."""
        self.notices.append(sentence)
        self._tell(now=True)

    @contextmanager
    def watching(self) -> Iterator[Monitor]:
        """Tell how the build ended, whichever way it does."""
        try:
            yield self
        except KeyboardInterrupt:
            self._end("stopped", "Stopped; what is finished is kept. Run it again to go on.")
            raise
        except IlaError as error:
            self._end("failed", str(error))
            raise
        except BaseException as error:
            self._end("failed", f"{type(error).__name__}: {error}")
            raise
        else:
            self._end("done", "")

    def _end(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        with suppress(IlaError, OSError):  # a full disk is already being told
            self._tell(now=True)

    def _tell(self, *, now: bool = False) -> None:
        with self._lock:
            if not now and time.monotonic() - self._told < EVERY:
                return
            self._told = time.monotonic()
            with suppress(IlaError, OSError):  # progress is a courtesy: it never ends a build
                write_text(self._file, json.dumps(self.as_dict()), lasting=False)
            if self._listener is not None:
                self._listener(self)

    def as_dict(self) -> dict[str, object]:
        """Return what progress.json holds: the foremost stage, and all of them."""
        running = sorted(self.running, key=lambda stage: not stage.done)  # what tells its progress
        front = (running or self.stages or [StageStatus("starting")])[0]
        return {
            "pid": os.getpid(),
            "state": self.state,
            **{k: v for k, v in front.as_dict().items() if k not in ("state", "seconds")},
            "message": self.message,
            "notices": self.notices,
            "started": self._started,
            "updated": time.time(),
            "stages": [stage.as_dict() for stage in self.stages],
        }
