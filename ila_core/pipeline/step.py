"""What a stage is, and the one step that makes it or takes what an earlier build has made.

A stage says what its result depends on, how it is made in a folder, and how it is read back; it
knows nothing of what is done already, of progress bars or of marks on the disk. `Step` knows
nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Generic, TypeVar

from ila_core._version import __version__
from ila_core.blocks import Spread
from ila_core.files import key_of
from ila_core.options import counted, options_of
from ila_core.pipeline.publish import Run, StageFolder
from ila_core.progress import Monitor, Progress, Say, no_progress, silent

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Made(Generic[T_co]):
    """What a stage has made: the value, and what is to be told of it."""

    value: T_co
    key: str
    """Changes whenever the value may; what is made of the value has it in its own key."""
    facts: Facts = field(default_factory=dict)
    """What the manifest says: seconds, counts, the version of the program that made it."""
    notes: tuple[str, ...] = ()
    """What a user should know, a sentence each."""
    folder: StageFolder | None = None
    """Where it lies; None for what is not worth keeping."""


@dataclass(frozen=True)
class Desk:
    """Where a stage works, and whom it tells how it fares."""

    folder: StageFolder
    progress: Progress = no_progress
    say: Say = silent
    notice: Say = silent
    spread: Spread | None = None
    """Who does blocks of work; None where this process does all of it."""


class Stage(Generic[T]):
    """One arrow from the pool to the landscape: a small dataclass that holds what it reads.

    It reads nothing else, and its key is made of all that it holds: so no setting of it can be
    forgotten. A field that only words are made of is declared with `field(compare=False)`.
    """

    name: ClassVar[str]
    """Of its folder, and of its entry in the manifest."""
    version: ClassVar[int] = 1
    """Raised whenever the same input would give another result: what an older program made is
    then made anew."""

    @property
    def total(self) -> int | None:
        """Records to work on, where that is known."""
        return None

    @property
    def libraries(self) -> Sequence[str]:
        """The installed packages that the result depends on."""
        return ()

    @property
    def parts(self) -> list[object]:
        """What the result depends on: all that the stage holds."""
        held = [getattr(self, one.name) for one in fields(self) if one.compare]  # type: ignore[arg-type]
        return [part for value in held for part in parts_of(value)]

    def check(self) -> None:
        """Raise what can be seen to be wrong without doing the work; cheap."""

    def make(self, desk: Desk) -> Facts:
        """Write the result into the desk's folder, and return what is to be told of it."""
        raise NotImplementedError

    def load(self, folder: StageFolder) -> T:
        """Return the result that `make` wrote."""
        raise NotImplementedError

    def notes(self, value: T, facts: Facts) -> Sequence[str]:
        """Return what a user should know of the result, a sentence each."""
        return ()

    @cached_property
    def key(self) -> str:
        """What its folder is named by: another one wherever the result may differ."""
        return key_of(self.name, self.version, versions(self.libraries), self.parts)

    def content_key(self, value: T) -> str:
        """Return what tells the result from another, where that is less than how it was made."""
        return self.key


def parts_of(value: Any) -> list[object]:
    """Return what a value that a stage holds has in the key, as what JSON knows.

    The key of what another stage made and of a file that was hashed; every counted option of
    settings; the fields of another dataclass; else the value. Raises TypeError for what has no
    content to tell it from another by.

    >>> parts_of(Made(3, "key of three")), parts_of([3, None])
    (['key of three'], [[3, None]])
    """
    if isinstance(key := getattr(value, "key", None), str):
        return [key]
    if isinstance(value, (list, tuple)):
        return [[part for one in value for part in parts_of(one)]]
    if is_dataclass(value) and not isinstance(value, type):
        return counted(value) if options_of(type(value)) else [asdict(value)]
    if value is None or isinstance(value, (str, int, float)):
        return [value]
    raise TypeError(f"A stage holds a {type(value).__name__}, which tells no key of its own.")


def versions(libraries: Sequence[str]) -> dict[str, str]:
    """Return the installed versions of packages by name, without those that are absent.

    >>> versions(["numpy", "no-such-package"]).keys()
    dict_keys(['numpy'])
    """
    installed = {}
    for name in libraries:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def carry_out(stage: Stage[Any], desk: Desk) -> None:
    """Make a stage in its folder and mark it as done, with its time and this program's version."""
    started = time.monotonic()
    facts = stage.make(desk)
    seconds = round(time.monotonic() - started, 3)
    desk.folder.finish(seconds=seconds, made_by=__version__, **facts)


class Step:
    """Makes stages in a run folder, each of them once."""

    def __init__(self, run: Run, monitor: Monitor, spread: Spread | None = None) -> None:
        self.run = run
        self.monitor = monitor
        self.spread = spread
        self.beforehand: list[Callable[[], None]] = []
        """Called before a stage is begun: they raise where the build cannot end well any more."""

    def __call__(self, stage: Stage[T] | Made[T]) -> Made[T]:
        """Return what a stage makes, or has made before; what is made already as it is."""
        if isinstance(stage, Made):
            return stage
        for check in self.beforehand:
            check()
        folder = self.folder(stage)
        if folder.finished:
            self.monitor.reuse(stage.name)
        else:
            with self.monitor.stage(stage.name, stage.total) as progress:
                told = self.monitor.say, self.monitor.notice
                carry_out(stage, Desk(folder, progress, *told, self.spread))
        return self.made(stage)

    def folder(self, stage: Stage[Any]) -> StageFolder:
        """Return where a stage lies."""
        return self.run.stage(stage.name, stage.key)

    def made(self, stage: Stage[T]) -> Made[T]:
        """Return what lies in the folder of a finished stage."""
        folder = self.folder(stage)
        facts = folder.facts
        value = stage.load(folder)
        notes = tuple(stage.notes(value, facts))
        return Made(value, stage.content_key(value), facts, notes, folder)
