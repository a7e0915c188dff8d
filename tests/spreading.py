"""Ways to have blocks of work done that need no cluster."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ila_core.blocks import Spread


class Pickling:
    """A Spread whose worker sees nothing but pickles, as one in another process does.

    `made` are the blocks it was asked for.
    """

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __call__(
        self, prepare: Callable[[], Callable[[Any], Any]], blocks: Sequence[Any], **_: Any
    ) -> Iterator[Any]:
        work = pickle.loads(pickle.dumps(prepare))()
        for block in blocks:
            self.made.append(block)
            yield pickle.loads(pickle.dumps(work(pickle.loads(pickle.dumps(block)))))


def stopping_after(count: int, spread: Spread) -> Spread:
    """A Spread that gives so many results and then fails."""

    def stopping(prepare: Any, blocks: Sequence[Any], **options: Any) -> Iterator[Any]:
        for number, result in enumerate(spread(prepare, blocks, **options)):
            if number == count:
                raise KeyboardInterrupt
            yield result

    return stopping


def killing_a_worker(spread: Spread, mark: Path, *, times: int = 1) -> Spread:
    """A Spread whose worker is killed as by kill -9 at the second block, so many times.

    The file `mark` then holds as many lines.
    """

    def killing(prepare: Any, blocks: Sequence[Any], **options: Any) -> Iterator[Any]:
        fragile = _Fragile(prepare, pickle.dumps(blocks[1]), mark, times)
        return spread(fragile, blocks, **options)

    return killing


class _Fragile:
    def __init__(self, prepare: Any, fatal: bytes, mark: Path, times: int) -> None:
        self.prepare, self.fatal, self.mark, self.times = prepare, fatal, mark, times

    def __call__(self) -> Callable[[Any], Any]:
        work = self.prepare()

        def fragile(block: Any) -> Any:
            done = self.mark.read_text().count("\n") if self.mark.exists() else 0
            if pickle.dumps(block) == self.fatal and done < self.times:
                with self.mark.open("a") as stream:
                    stream.write("killed\n")
                os.kill(os.getpid(), signal.SIGKILL)
            return work(block)

        return fragile
