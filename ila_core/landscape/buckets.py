"""Run folders in a bucket, s3:// or gs://: sent whole when they are finished, fetched whole.

In the bucket lie the manifest and, under the names that it has for them, the files of its build.
These are sent before it and fetched after it, so nobody meets half of a landscape; a landscape that
takes the place of another one is there from the moment when its manifest is. On this machine each
has one folder in the cache: a build works there, and what is in both places is not fetched again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ila_core.artifacts import ARTIFACTS, MANIFEST, STAGES
from ila_core.errors import RunError
from ila_core.files import key_of, write_text
from ila_core.landscape import folder
from ila_core.paths import cache_folder
from ila_core.pool.remote import Place, bucket_errors, is_remote
from ila_core.progress import Say, silent

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

_COPIES = "runs"


def open_run(run: str | Path) -> Landscape:
    """Open a finished run, by its folder or its address in a bucket, as a Landscape.

    RunError if it is half there, damaged, or from a newer version.
    """
    return folder.open_run(fetched(run))


def folder_of(run: str | Path) -> Path:
    """Return the folder of a run on this machine: for one in a bucket a folder of the cache.

    >>> folder_of("RUN").name
    'RUN'
    """
    if not is_remote(str(run)):
        return Path(run)
    place = Place.of(str(run))
    return cache_folder() / _COPIES / key_of(place.scheme, place.path) / Path(place.path).name


def fetched(run: str | Path, *, say: Say = silent) -> Path:
    """Return the folder of a finished run; one in a bucket is fetched, unless that was done before.

    RunError where there is none, or where it changes meanwhile; IlaError where the bucket cannot be
    read. Nothing is looked for where `run` is a folder.
    """
    copy = folder_of(run)
    if not is_remote(str(run)):
        return copy
    place = Place.of(str(run))
    text = _manifest(place)
    if text is None:
        raise RunError(f"{place.url} is no landscape (no {MANIFEST}); make one with ila build.")
    entries = _entries(place.url, text)
    if _read(copy) == text:  # whatever is wrong with them since is told by who reads them
        missing = {one: entry for one, entry in entries.items() if not (copy / one).is_file()}
    else:
        missing = {one: entry for one, entry in entries.items() if not entry.fits(copy / one)}
        say(
            f"Fetching {place.url} ({sum(one.bytes for one in missing.values()) / 1e6:,.1f} MB) "
            "into the cache folder."
        )
    for name, entry in missing.items():
        with bucket_errors(place.url, "read"):
            source = name if place.size(name) is not None else Path(name).name
            if place.size(source) != entry.bytes:
                raise RunError(
                    f"{place.url} is not whole, or has changed meanwhile ({Path(name).name} is not "
                    "what its manifest says); try again, or build it again."
                )
            place.fetch(source, copy / name)
    write_text(copy / MANIFEST, text.decode())
    return copy


def prepared(run: str | Path) -> Path:
    """Return the folder to build a run in; it then tells what its bucket holds already."""
    copy = folder_of(run)
    if is_remote(str(run)) and (text := _manifest(Place.of(str(run)))) is not None:
        (copy / STAGES).mkdir(parents=True, exist_ok=True)
        write_text(copy / MANIFEST, text.decode())
    return copy


def sent(run: str | Path) -> None:
    """Put a run that is finished on this machine into its bucket, the manifest last.

    What the bucket's own manifest tells to be there is not sent again; what the new one does not
    name goes. IlaError where the bucket cannot be written: the same build sends it again. Nothing
    is done where `run` is a folder.
    """
    if not is_remote(str(run)):
        return
    copy, place = folder_of(run), Place.of(str(run))
    entries = _entries(str(copy), (copy / MANIFEST).read_bytes())
    there = _there(place)
    with bucket_errors(place.url, "written; the same command sends what was built"):
        for name, entry in entries.items():
            if there.get(name) != entry:
                source = copy / name
                place.send(source if source.is_file() else copy / Path(name).name, name)
        place.send(copy / MANIFEST, MANIFEST)
        place.keep(STAGES, {name.removeprefix(f"{STAGES}/") for name in entries})


def _manifest(place: Place) -> bytes | None:
    """Return the manifest in a bucket; None where there is none."""
    with bucket_errors(place.url, "read"):
        return None if place.size(MANIFEST) is None else place.read(MANIFEST)


def _read(copy: Path) -> bytes | None:
    try:
        return (copy / MANIFEST).read_bytes()
    except OSError:
        return None


def _there(place: Place) -> dict[str, folder.Stamp]:
    """Return what the files of a bucket's run are like, those that are there."""
    try:
        entries = _entries(place.url, _manifest(place) or b"")
    except RunError:  # none, or whatever it is: it is written over
        return {}
    with bucket_errors(place.url, "read"):
        return {name: one for name, one in entries.items() if place.size(name) == one.bytes}


def _entries(where: str, text: bytes) -> dict[str, folder.Stamp]:
    """Return what the files of a manifest are like, by their names in a run folder, with slashes.

    RunError for a manifest that cannot be meant.
    """
    found = {}
    try:
        for name, entry in json.loads(text)["artifacts"].items():
            stage, stamp = entry["stage"], folder.Stamp(int(entry["bytes"]), str(entry["sha256"]))
            if name not in ARTIFACTS or Path(stage).name != stage or stage in ("", ".."):
                raise ValueError("a way out of the folder")
            found[f"{STAGES}/{stage}/{name}"] = stamp
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{where} has a {MANIFEST} that is damaged or of an early version; build it again."
        ) from error
    return found
