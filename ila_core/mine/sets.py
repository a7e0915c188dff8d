"""Selections as sets: what is in both, in either, in one alone, in the order of the picks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ila_core.artifacts import MANIFEST
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import hash_file, reading_errors
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select_by
from ila_core.mine.shelf import Shelf, is_name
from ila_core.selection.locks import read_locks
from ila_core.selection.spec import Spec

Operation = Literal["union", "intersection", "difference"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


def union(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of both, (k,) int64: those of the first, then what the second adds.

    Each of the two is rows in pick order, none twice.

    >>> union(np.array([4, 1]), np.array([1, 3])).tolist()
    [4, 1, 3]
    """
    return np.concatenate([first, difference(second, first)]).astype(np.int64)


def intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows that both have, in the order of the first.

    >>> intersection(np.array([4, 1]), np.array([1, 3])).tolist()
    [1]
    """
    return first[np.isin(first, second)].astype(np.int64)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of the first that the second has not, in the order of the first.

    >>> difference(np.array([4, 1]), np.array([1, 3])).tolist()
    [4]
    """
    return first[~np.isin(first, second)].astype(np.int64)


BY_NAME: Mapping[Operation, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "union": union, "intersection": intersection, "difference": difference,
}  # fmt: skip


def rows_of(landscape: Landscape, given: str, shelf: Shelf) -> np.ndarray:
    """Return the rows that a word stands for, in pick order, (k,) int64.

    A name of the shelf stands for the records that are pinned in it; a file that `ila select` has
    written for what it holds, of which the manifest beside it tells; a file of row numbers, named
    *.txt, for these. UsageError where it is none of them, RunError for a file of another landscape
    and for one that is not as it was written.
    """
    path = Path(given)
    if is_name(given) and not path.is_file():
        return np.array(shelf.read(given, landscape).pinned, dtype=np.int64)
    if path.suffix == ".txt":
        rows = read_locks(path, len(landscape))
        _, place = np.unique(rows, return_index=True)
        return rows[np.sort(place)]
    return _exported(landscape, path)


def _exported(landscape: Landscape, path: Path) -> np.ndarray:
    """Return the rows that an export holds, by making its selection again."""
    beside = path.with_name(f"{path.name}.{MANIFEST}")
    if not (path.is_file() and beside.is_file()):
        raise UsageError(
            f"{path} is no name of a selection, no file of rows (.txt), and no file of ila select "
            f"with its {MANIFEST} beside it."
        )
    with reading_errors(beside):
        text = beside.read_bytes()
    try:
        told = json.loads(text)
        known, digest, spec = told["fingerprint"], told["sha256"], Spec.from_dict(told)
    except (ValueError, KeyError, TypeError, IlaError) as error:
        raise RunError(f"{beside} is damaged ({error}); export the selection again.") from error
    if known != landscape.fingerprint:
        raise RunError(f"{path} was selected from another landscape; its rows are others there.")
    if told.get("validation"):
        raise UsageError(
            f"{path} is one part of a selection that was split (--validation); export it whole."
        )
    if digest and hash_file(path) != digest:
        raise RunError(f"{path} has changed since it was written; export the selection again.")
    return select_by(landscape, spec).rows
