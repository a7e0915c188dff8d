"""What is worked out of a landscape's records once and kept: beside it, or in the cache.

No part of a build: made when it is first asked for, so that folders of any age have it, and named
by what it was made from, so that other records never meet it. A folder that cannot be written, such
as a colleague's, has its own in the cache folder of whoever looks at it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ila_core.artifacts import BESIDE
from ila_core.errors import IlaError
from ila_core.files import key_of, replacing, sweep
from ila_core.paths import cache_folder

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def name_of(landscape: Landscape, what: str, version: int, *more: str) -> str:
    """Return the name of a file that is worked out of the records as they were read.

    The same originals may be read by other fields, so the key of their reading counts beside them,
    and so do the version of the rule and whatever `more` it goes by. IlaError for a landscape
    without texts.
    """
    if landscape.records is None:
        raise IlaError(
            "This landscape was made from arrays and holds no texts; open one that ila build made."
        )
    stage = landscape.manifest.get("stages", {}).get("records") or {}
    key = key_of(version, landscape.records.fingerprint, stage.get("key"), *more)
    return f"{what}-{key}"


def found(landscape: Landscape, name: str, *, cached: bool = True) -> Path | None:
    """Return the file of this name, None where it has not been made."""
    places = (folder / name for folder in _folders(landscape, cached))
    return next((place for place in places if place.is_file() and not place.is_symlink()), None)


def keep(
    landscape: Landscape, name: str, write: Callable[[Path], None], *, cached: bool = True
) -> Path:
    """Return the file of this name as `write` makes it, given a path to write to.

    Whoever reads never meets half of one, and of two that make the same the later stays. Those of
    other records that lie beside the landscape are dropped. IlaError for a full disk, and where
    nothing can be written; what is not to be `cached` can be written beside the landscape alone.
    """
    folders = _folders(landscape, cached)
    folder = next((folder for folder in folders if _can_be_written(folder)), None)
    if folder is None:
        raise IlaError(
            f"Nothing can be written to {' or '.join(map(str, folders))}; name a folder that can "
            "be written with ILA_CACHE_DIR."
        )
    sweep(folder)
    if (folder / name).is_symlink():  # none of ours: what it leads to is somebody else's
        (folder / name).unlink(missing_ok=True)
    with replacing(folder / name, lasting=False) as temporary:
        write(temporary)
    if folder.name == BESIDE:
        for other in folder.glob(f"{name.partition('-')[0]}-*"):
            if other.name != name:
                with suppress(OSError):  # open elsewhere, on Windows
                    other.unlink()
    return folder / name


def _folders(landscape: Landscape, cached: bool) -> list[Path]:
    """Beside the landscape, and in the cache, in the order in which they are tried.

    A link in the place of the folder beside it is passed over: it may lead anywhere.
    """
    folders = []
    if landscape.run is not None and not (landscape.run / BESIDE).is_symlink():
        folders.append(landscape.run / BESIDE)
    if cached:
        folders.append(cache_folder() / "beside")
    return folders


def _can_be_written(folder: Path) -> bool:
    probe = folder / f".{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
