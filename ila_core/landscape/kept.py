"""Arrays that follow from a large landscape and take seconds to work out, kept beside it.

A file holds their bytes one after the other, and the sha256 of all: nothing in it is interpreted
before it is known to be whole. What is not is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.artifacts import TABLE
from ila_core.errors import IlaError
from ila_core.files import key_of

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

LARGE = 1_000_000
"""Records from which arrays are kept: those of fewer are made in about a second."""
NUMBERS = np.dtype("<f4")
ROWS = np.dtype("<i4")
"""The type of an array of all rows, each of them once, in some order."""

Types = Mapping[str, np.dtype[Any]]
Arrays = Mapping[str, np.ndarray]


def kept_arrays(
    landscape: Landscape, what: str, version: int, types: Types, make: Callable[[], Arrays]
) -> Arrays:
    """Return the arrays that `make` makes, (n,) each, by name and of these types: rows or numbers.

    Those of a large landscape that lies in a folder are kept there for the next program that opens
    it. `version` is that of the rule by which they are made.
    """
    from ila_core.landscape import beside

    table = landscape.manifest.get("artifacts", {}).get(TABLE)
    if len(landscape) < LARGE or table is None or not landscape.as_read:
        return make()
    key = key_of(what, version, landscape.fingerprint, table["sha256"])
    name = f"{what.replace('-', '_')}-{key}"
    kept = _read(beside.found(landscape, name, cached=False), key, types, len(landscape))
    if kept is not None:
        return kept
    made = make()
    with suppress(IlaError, OSError):  # nothing can be written: they are made again the next time
        beside.keep(landscape, name, lambda path: _write(path, key, types, made), cached=False)
    return made


def _write(path: Path, key: str, types: Types, arrays: Arrays) -> None:
    digest = hashlib.sha256(key.encode())
    with path.open("wb") as file:
        for name, dtype in types.items():
            column = np.ascontiguousarray(arrays[name], dtype).data
            digest.update(column)
            file.write(column)
        file.write(digest.digest())


def _read(path: Path | None, key: str, types: Types, n: int) -> Arrays | None:
    """Return what a file holds; None where it is not what was written under this key."""
    digest = hashlib.sha256(key.encode())
    arrays: dict[str, np.ndarray] = {}
    whole = n * sum(dtype.itemsize for dtype in types.values()) + digest.digest_size
    try:
        if path is None or path.stat().st_size != whole:
            return None
        with path.open("rb") as file:
            for name, dtype in types.items():
                arrays[name] = np.fromfile(file, dtype, n)
                digest.update(arrays[name].data)
            same = file.read() == digest.digest()
    except (OSError, ValueError):  # it cannot be read, or became shorter meanwhile
        return None
    ordered = same and all(_is_order(arrays[name]) for name in types if types[name] == ROWS)
    return arrays if ordered else None


def _is_order(rows: np.ndarray) -> bool:
    """Tell whether rows are those from 0 to n - 1, each once: a kernel trusts them."""
    from ila_core.landscape.points_compiled import first_wrong

    return bool(first_wrong(rows, len(rows)) == len(rows))
