"""Work that falls into blocks, for whoever does several of them at once.

A stage's function says what is made of a block, by a worker that is prepared once and used for
many; a `Spread` has it done, in other processes or on other machines. A block of rows is told in
two numbers, and a worker reads it from files that all can see; a piece of a pool's own files, which
lie where the build was asked for, is sent as it stands. Nothing of a block's result may depend on
the blocks beside it or on who made it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from ila_core.files import replacing

B = TypeVar("B")
R = TypeVar("R")
Arrays = Mapping[str, np.ndarray]
Rows = tuple[int, int]
"""The rows of a block: the first one, and the one behind its last."""


class Spread(Protocol):
    """Has blocks of work done."""

    def __call__(
        self,
        prepare: Callable[[], Callable[[B], R]],
        blocks: Iterable[B],
        *,
        device: bool = False,
    ) -> Iterator[R]:
        """Yield what `prepare()(block)` is of every block, in the order of the blocks.

        `prepare` is called once in every process that works, and is pickled to get there, as
        blocks and results are. Blocks are asked for as their turn comes: there may be no end of
        them yet. `device`: the work holds a model that runs on a GPU where there is one. What a
        worker raises is raised here; one that dies is replaced, and its block made anew.
        """


def here(
    prepare: Callable[[], Callable[[B], R]], blocks: Iterable[B], *, device: bool = False
) -> Iterator[R]:
    """Do the work in this process, one block after the other: what any Spread comes to.

    >>> list(here(lambda: abs, [-1, 2]))
    [1, 2]
    """
    work: Callable[[B], R] | None = None
    for block in blocks:
        work = work or prepare()
        yield work(block)


def row_blocks(n: int, size: int) -> list[Rows]:
    """Return the rows of `n` records in blocks of `size`, the last one shorter.

    >>> row_blocks(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + size, n)) for start in range(0, n, size)]


@dataclass(frozen=True, eq=False)
class MappedRows:
    """An array of which a worker reads rows: one that is mapped from a .npy file is opened there.

    Pickling a memory map itself would copy all that it maps.
    """

    array: np.ndarray
    path: Path | None = None

    @classmethod
    def of(cls, array: np.ndarray) -> MappedRows:
        """An array, and the file if it is one that `np.load` mapped whole."""
        if isinstance(array, np.memmap) and array.filename is not None:
            path = Path(array.filename)
            if path.suffix == ".npy" and np.load(path, mmap_mode="r").shape == array.shape:
                return cls(array, path.absolute())
        return cls(array)

    @classmethod
    def open(cls, path: Path) -> MappedRows:
        """The array of a .npy file."""
        return cls(np.load(path, mmap_mode="r"), path)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return (MappedRows.open, (self.path,))
        return (MappedRows, (self.array,))


def keeping(spread: Spread, folder: Path | None) -> Spread:
    """Return a Spread of blocks of rows, whose results, arrays by name, are kept in a folder.

    What is there already is not made again: a killed run goes on behind it. The folder must belong
    to this very work. Without a folder nothing is kept.
    """
    if folder is None:
        return spread
    held = folder

    def kept(prepare: Any, blocks: Iterable[Any], *, device: bool = False) -> Iterator[Any]:
        blocks = list(blocks)
        files = [held / f"rows-{first:09d}-{end:09d}.npz" for first, end in blocks]
        missing = [not _is_whole(file) for file in files]
        wanted = [block for block, gone in zip(blocks, missing, strict=True) if gone]
        fresh = spread(prepare, wanted, device=device)
        for file, gone in zip(files, missing, strict=True):
            yield once(file, lambda: next(fresh)) if gone else once(file, dict)

    return kept


def once(file: Path | None, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays, by name, that an earlier call put into a file; else make and put them.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "arrays.npz"
    >>> [once(file, lambda: {"a": np.arange(n)})["a"].tolist() for n in (2, 3)]
    [[0, 1], [0, 1]]
    """
    if file is None:
        return make()
    if not _is_whole(file):
        arrays = make()
        with replacing(file, lasting=False) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
    with np.load(file, allow_pickle=False) as saved:
        return {name: saved[name] for name in saved.files}


def _is_whole(file: Path) -> bool:
    """Whether a file of arrays is there, and no power cut has torn it."""
    return file.is_file() and zipfile.is_zipfile(file)
