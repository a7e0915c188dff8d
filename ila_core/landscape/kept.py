"""Arrays that follow from a large landscape and take seconds to work out, kept beside it.

One archive of numpy arrays each, whose checksums are held against the bytes whenever it is read;
one that is damaged, or not what it should be, is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from ila_core.artifacts import TABLE
from ila_core.errors import IlaError
from ila_core.files import key_of

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

LARGE = 1_000_000
"""Records from which arrays are kept: those of fewer are made in about a second."""
ROWS = np.dtype(np.int32)
"""The type of arrays that hold rows, each of them one of the landscape's."""
NUMBERS = np.dtype(np.float32)

Arrays = Mapping[str, np.ndarray]


def kept_arrays(
    landscape: Landscape,
    what: str,
    version: int,
    types: Mapping[str, np.dtype[Any]],
    make: Callable[[], Arrays],
) -> Arrays:
    """Return the arrays that `make` makes, (n,) each, by name and of these types: rows or numbers.

    Those of a large landscape that lies in a folder are kept there for the next program that opens
    it. `version` is that of the rule; `what` is a name without a hyphen.
    """
    from ila_core.landscape import beside

    table = landscape.manifest.get("artifacts", {}).get(TABLE)
    if len(landscape) < LARGE or table is None or not landscape.as_read:
        return make()
    key = key_of(what, version, landscape.fingerprint, table["sha256"])
    name = f"{what}-{key}"
    kept = _read(beside.found(landscape, name), key, len(landscape), types)
    if kept is not None:
        return kept
    made = make()
    with suppress(IlaError):  # nothing can be written: they are made again the next time
        beside.keep(landscape, name, lambda path: _write(path, made, key))
    return made


def _write(path: Path, arrays: Arrays, key: str) -> None:
    with path.open("wb") as stream:
        np.savez(stream, key=np.array(key), **arrays)  # type: ignore[arg-type]


def _read(path: Path | None, key: str, n: int, types: Mapping[str, np.dtype[Any]]) -> Arrays | None:
    """Return what an archive holds; None where it is not whole, or not what is looked for."""
    if path is None:
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            if archive["key"].shape or str(archive["key"]) != key:
                return None
            arrays = {name: archive[name] for name in types}
    except (OSError, ValueError, KeyError, EOFError, MemoryError, BadZipFile, NotImplementedError):
        return None
    return arrays if all(_fits(arrays[name], types[name], n) for name in types) else None


def _fits(array: np.ndarray, dtype: np.dtype[Any], n: int) -> bool:
    """Tell whether an array is what a kernel may read: n numbers, or n rows of n."""
    if array.shape != (n,) or array.dtype != dtype:
        return False
    return dtype != ROWS or bool(array.min() >= -1 and array.max() < n)
