"""A landscape on disk, and how it is read.

    RUN/manifest.json       written last, by one rename: with it a build takes the place of another
    RUN/records.parquet, rejects.jsonl, embeddings.npy, landscape.parquet, labels.parquet, ...
    RUN/.stages/NAME-KEY/   one folder a stage; done.json says that it is finished

The manifest names every artifact of its build with the folder of the stage that made it, its size
and its sha256, and from there it is read: a build that is killed while it publishes leaves the
landscape that was there or the new one, whole. The files beside the manifest are for people, and
for a folder that was copied without its stages; they are renewed after the manifest is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ila_core.artifacts import (
    ARTIFACTS,
    MANIFEST,
    RECORDS,
    REJECTS,
    STAGES,
    TABLE,
    VECTORS,
)
from ila_core.errors import DamagedError, RunError, first_line
from ila_core.files import hash_file, replacing
from ila_core.hashes import hash_once
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.run_files import identity_of
from ila_core.shapes import misfit

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 2
"""Version of the folder's layout; a folder with a higher one is from a newer program. Folders of
version 1, whose manifests name no artifacts, are read by the files beside the manifest."""

COLUMNS = ("x", "y", "loss", "tokens", "skills")
"""What every table of a landscape has beside the row and the domain."""

_COUNTED = {"*": int}
_MANIFEST: dict[str, Any] = {
    "command": str, "built": str, "settings": dict, "fingerprint": str, "notes": [str],
    "inputs": [{"name": str, "sha256": str, "bytes?": int}],
    "counts": {"kept": int, "read?": int, "rejected?": int, "reasons?": _COUNTED,
               "notes?": _COUNTED, "formats?": _COUNTED},
    "stages": {"*": dict}, "loss?": (dict, type(None)), "understood?": str,
}  # fmt: skip
"""What every manifest has, and of which shape."""
_ARTIFACTS = {"artifacts": {"*": {"stage": str, "bytes": int, "sha256": str}}}
"""What one of layout 2 has beside it."""


def projection_of(manifest: Mapping[str, Any]) -> str:
    """Return what put a run's records on the map: a method, or the two columns.

    >>> projection_of({"settings": {"projection": "auto"},
    ...                "stages": {"projection": {"method": "landmarks"}}})
    'landmarks'
    """
    made = manifest.get("stages", {}).get("projection", {})
    asked = manifest.get("settings", {}).get("projection", "umap")
    # A map that was made before there was a choice tells no method: it was the default's.
    return str(made.get("method", "umap" if asked == "auto" else asked))


@dataclass(frozen=True)
class Stamp:
    """What a finished file was like."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Return the stamp of a file as it is now."""
        return cls(path.stat().st_size, hash_file(path))

    def fits(self, path: Path, *, anew: bool = False) -> bool:
        """Tell whether a file is still as it was, byte for byte.

        A large one is read once for each state of it, see `hash_once`, unless `anew`.
        """
        try:
            if path.stat().st_size != self.bytes:
                return False
        except OSError:
            return False
        return (hash_file if anew else hash_once)(path) == self.sha256


# -- the manifest ---------------------------------------------------------------------------------


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return a finished run's manifest.

    RunError if there is none, if it is damaged, or if it was written by a newer version.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise RunError(f"{folder} {what}; name the folder that ila build --out made.")
    if not path.is_file():
        if (folder / STAGES).is_dir():
            raise RunError(
                f"{folder} is half there: its build has not finished. Run the same ila build "
                "command again; it goes on where it stopped."
            )
        raise RunError(f"{folder} is no landscape (no {MANIFEST}); make one with ila build.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format"])
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _damaged(path, "it is not what a build writes") from error
    if version > FORMAT:
        raise RunError(
            f"{folder} was written by a newer version of ILA (layout {version}, this program "
            f"reads up to {FORMAT}); update with pip install -U ila-landscape."
        )
    broken = misfit(manifest, _MANIFEST | (_ARTIFACTS if version > 1 else {}))
    if broken is not None:
        raise _damaged(path, f"its entry {broken!r} is missing or broken")
    return manifest


def pool_of(folder: str | Path) -> list[tuple[str, str]] | None:
    """Return sha256 and name of the files that a folder's landscape is of, in order.

    None without a landscape. Where the manifest is damaged, records.parquet tells. RunError if
    neither can.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        return None
    try:
        files = read_manifest(folder)["inputs"]
    except DamagedError:
        from ila_core.pool.records import Records

        try:
            files = Records.open(folder).files
        except RunError as error:
            raise RunError(
                f"{folder} is damaged: neither {MANIFEST} nor {RECORDS} tells of which "
                "pool it is; choose another folder with --out, or delete that one first."
            ) from error
    return [(str(file["sha256"]), Path(file["name"]).name) for file in files]


def additions_of(folder: str | Path) -> list[dict[str, Any]]:
    """Return what the manifest tells of the records that were added to a folder's landscape.

    None of them without a landscape, and where the manifest is damaged.
    """
    try:
        return list(read_manifest(folder).get("additions", []))
    except RunError:
        return []


def artifacts(folder: str | Path, manifest: Mapping[str, Any]) -> dict[str, Path]:
    """Return where the files of a landscape lie, by name, but for the rejects.

    Each is the one that the manifest was written for. RunError for one that is damaged or missing.
    """
    folder = Path(folder)
    entries = manifest.get("artifacts")
    if entries is None:  # of layout 1, which names none
        return {name: folder / name for name in ARTIFACTS if (folder / name).is_file()}
    return {name: _place(folder, name, entry) for name, entry in entries.items() if name != REJECTS}


def rejects_of(folder: str | Path, manifest: Mapping[str, Any]) -> Path | None:
    """Return the file of what was rejected, as the manifest tells it; None where it is gone."""
    folder = Path(folder)
    entry = (manifest.get("artifacts") or {}).get(REJECTS)
    try:
        return _place(folder, REJECTS, entry) if entry else None
    except DamagedError:
        return None


def _place(folder: Path, name: str, entry: Mapping[str, Any]) -> Path:
    stamp, places = _written(folder, name, entry)
    for place in places:
        if stamp.fits(place):
            return place
    there = any(place.is_file() for place in places)
    raise _damaged(folder, f"{name} is not what it was" if there else f"{name} is not there")


def _is_name(text: str) -> bool:
    """Whether a file can be called so; half a character (ValueError) is in no name of ours."""
    return Path(text).name == text and "\0" not in text and len(text.encode()) <= 255


def _written(folder: Path, name: str, entry: Mapping[str, Any]) -> tuple[Stamp, list[Path]]:
    """Return what an artifact was like when it was written, and where it may lie."""
    try:
        stamp, stage = Stamp(int(entry["bytes"]), str(entry["sha256"])), str(entry["stage"])
        if not all(map(_is_name, (name, stage))):
            raise ValueError("a way out of the folder")
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder / MANIFEST, f"its entry on {name} is broken") from error
    return stamp, [folder / STAGES / stage / name, folder / name]


@dataclass(frozen=True)
class Checked:
    """A file of a landscape, read from its first byte to its last."""

    name: str
    bytes: int
    state: Literal["whole", "damaged", "missing"]


def verify(folder: str | Path) -> list[Checked]:
    """Read all files of a landscape and return how each is; RunError where there is no landscape.

    Every artifact lies in two places, in the stage that made it and beside the manifest; one whole
    copy is enough to open the landscape by, and either may be missing: a folder may be copied
    without its stages. Where both are, both are told of.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest.get("artifacts") is None:
        raise RunError(
            f"{folder} was built before checksums were kept, so nothing tells whether its files "
            "are whole; build it again."
        )
    found = []
    for name, entry in manifest["artifacts"].items():
        stamp, places = _written(folder, name, entry)
        there = [place for place in places if place.is_file()]
        if not there:
            found.append(Checked(name, stamp.bytes, "missing"))
        for place in there:
            state: Literal["whole", "damaged"] = (
                "whole" if stamp.fits(place, anew=True) else "damaged"
            )
            found.append(Checked(str(place.relative_to(folder)), place.stat().st_size, state))
    return found


def _damaged(path: Path, what: str) -> DamagedError:
    return DamagedError(
        f"{path} is damaged ({what}); run ila build again on the same pool and folder to make it "
        "anew."
    )


def _unreadable(path: Path, error: OSError) -> RunError:
    return RunError(f"{path} cannot be read ({error.strerror or error}); it may still be whole.")


# -- the landscape --------------------------------------------------------------------------------


def open_run(run: str | Path) -> Landscape:
    """Open a finished run folder as a Landscape; its vectors stay on disk, memory-mapped.

    RunError if the folder is half there, damaged, or from a newer version.
    """
    folder = Path(run)
    manifest = read_manifest(folder)
    files = artifacts(folder, manifest)
    try:
        columns, domain, names = read_table(files.get(TABLE, folder / TABLE))
        vectors = _read_vectors(files.get(VECTORS, folder / VECTORS))
        n = int(manifest["counts"]["kept"])
    except OSError as error:
        raise _unreadable(Path(error.filename or folder), error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, first_line(error)) from error
    if not len(domain) == len(vectors) == n:
        raise RunError(
            f"{folder} is damaged: its manifest counts {n} records, landscape.parquet holds "
            f"{len(domain)} and embeddings.npy {len(vectors)}; run ila build again on the same "
            "pool and folder."
        )
    known: dict[str, Any] = {name: columns.pop(name) for name in COLUMNS}
    known |= _depths(columns, known["loss"], manifest["settings"])
    xy = np.column_stack([known.pop("x"), known.pop("y")])
    return Landscape.from_arrays(
        xy,
        **known,
        domain=domain,
        domain_names=names,
        vectors=vectors,
        run=folder,
        files=files,
        fingerprint=identity_of(manifest),
        scores=columns,
        manifest=manifest,
    )


def _depths(
    columns: dict[str, np.ndarray], loss: np.ndarray, settings: Mapping[str, Any]
) -> dict[str, np.ndarray | None]:
    """Take what kinds of depth there are beside the loss out of a table's columns.

    Tables from before the loss reduction was kept hold one depth and its ranks; its kind stands
    in the settings of the build.
    """
    reduction, given = columns.pop("loss_reduction", None), columns.pop("given_depth", None)
    one, kind = columns.pop("depth", None), str(settings.get("depth", ""))
    columns.pop("relative_depth", None)
    if one is not None and kind.startswith("column:"):
        given = one
    if kind == "loss-reduction" and "tuned_loss" in columns:
        reduction = loss - columns["tuned_loss"]
    return {"loss_reduction": reduction, "depth": given}


def _read_vectors(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is not there") from error
    except (ValueError, EOFError) as error:  # what numpy says of it would mislead
        raise ValueError(f"{path.name} is no array, or not a whole one") from error


def write_table(
    path: Path, columns: Mapping[str, np.ndarray], domain: np.ndarray, names: Iterable[str]
) -> None:
    """Write the columns (each of shape (n,)) and the named domains as landscape.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = len(domain)
    arrays = {"row": pa.array(np.arange(n, dtype=np.int64))}
    arrays |= {name: pa.array(np.ascontiguousarray(column)) for name, column in columns.items()}
    arrays["domain"] = pa.DictionaryArray.from_arrays(
        pa.array(domain.astype(np.int32)), pa.array(list(names), type=pa.string())
    )
    with replacing(path) as temporary:
        pq.write_table(pa.table(arrays), temporary, compression="zstd")


def read_table(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...]]:
    """Return the columns of landscape.parquet by name, the domains (n,) int32, and their names.

    ValueError where it is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        wanted = [name for name in file.schema_arrow.names if name != "row"]
        table = file.read(columns=wanted)
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is not there") from error
    except PermissionError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path.name} is not whole Parquet") from error
    if missing := [name for name in (*COLUMNS, "domain") if name not in wanted]:
        raise ValueError(f"{path.name} has no column {missing[0]!r}")
    domain = table.column("domain").combine_chunks()
    if isinstance(domain, pa.ChunkedArray):
        domain = domain.chunk(0) if domain.num_chunks else pa.array([], domain.type)
    names = tuple(domain.dictionary.to_pylist())
    columns = {name: _array(table.column(name)) for name in wanted if name != "domain"}
    return columns, np.array(np.from_dlpack(domain.indices), np.int32), names


def _array(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column without nulls; `to_numpy` would import pandas, which takes half a second."""
    import pyarrow as pa

    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    return np.from_dlpack(whole)


def size_of(folder: str | Path) -> int:
    """Return the bytes that a folder takes, hard-linked files counted once."""
    seen: dict[tuple[int, int], int] = {}
    for path in Path(folder).rglob("*"):
        with suppress(OSError):
            status = path.stat()
            if path.is_file():
                seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())
