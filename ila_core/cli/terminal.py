"""What a command says: lines on standard error, and one live line where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from ila_core.progress import Monitor, StageStatus, duration

QUIET = 60.0
"""Seconds after which a build that nobody watches says again how far it is."""
OFTEN = 5.0
"""Seconds between two lines on a single stage."""


def say(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_pairs(pairs: Iterable[tuple[str, str]], width: int = 22) -> None:
    """Print names and values, those without a value left out."""
    for name, value in pairs:
        if value:
            print(f"{name:>{width}}  {value}")


class Ticker:
    """Prints a build's progress to standard error.

    One live line on a terminal; else a line a stage, and one a minute of what takes longer.
    """

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()
        self.seen: set[int] = set()
        self.noticed = 0

    def __call__(self, monitor: Monitor) -> None:
        for notice in monitor.notices[self.noticed :]:
            self._line(notice, end="\n")
        self.noticed = len(monitor.notices)
        for number, stage in enumerate(monitor.stages):
            if stage.ended is not None and number not in self.seen:
                self.seen.add(number)
                how = "used again" if stage.reused else f"{stage.seconds:.1f} s"
                how += f", {stage.words}" if stage.words else ""
                self._line(f"{stage.name}: {how}", end="\n")
        if monitor.running and (self.live or time.monotonic() - self.last > QUIET):
            self.last = time.monotonic()
            line = "   ".join(_status(stage) for stage in monitor.running)
            self._line(line, end="" if self.live else "\n")

    def _line(self, text: str, end: str) -> None:
        start = "\r\x1b[2K" if self.live else ""
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)


def _status(stage: StageStatus) -> str:
    parts = [stage.name]
    if stage.total:
        parts.append(f"{min(stage.done / stage.total, 1):.0%}")
    elif stage.done:
        parts.append(f"{stage.done:,}")
    if stage.rate:
        parts.append(f"{stage.rate:,.0f}/s")
    if stage.words:
        parts.append(stage.words)
    if stage.eta is not None and stage.seconds > 2:
        parts.append(f"{duration(stage.eta)} left")
    return " ".join(parts)


class Line:
    """A progress callback that prints a line to standard error every few seconds."""

    def __init__(self, name: str) -> None:
        self.stage, self.last = StageStatus(name), 0.0

    def __call__(self, done: int, total: int | None) -> None:
        self.stage.advance(done, total)
        if time.monotonic() - self.last > OFTEN or done == total:
            self.last = time.monotonic()
            line = f"{self.stage.name}: {done:,}" + (f" of {total:,}" if total else "")
            left = self.stage.eta if done != total else None
            say(line if left is None else f"{line}, {duration(left)} left")


class Live:
    """Tells what is going on, on standard error: one line written over on a terminal, else lines.

    The one line is gone in the end.
    """

    def __init__(self, name: str) -> None:
        self.name, self.live = name, sys.stderr.isatty()

    def __enter__(self) -> Live:
        return self

    def __call__(self, text: str) -> None:
        if self.live:
            print(f"\r\x1b[2K{self.name}: {text}", end="", file=sys.stderr, flush=True)
        else:
            say(f"{self.name}: {text}")

    def __exit__(self, *_: object) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
