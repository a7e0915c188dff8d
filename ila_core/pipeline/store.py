"""A landscape on disk: stages that are finished once, and the files that people read.

    RUN/manifest.json       written last: a folder without it is not (yet) a landscape
    RUN/records.parquet, rejects.jsonl, embeddings.npy, landscape.parquet, labels.parquet
    RUN/.stages/NAME-KEY/   one folder a stage; done.json says that it is finished

A stage's key is the hash of its settings and of the keys of what it read, so nothing is computed
twice and nothing stale is ever read. The public files are hard links into the stages.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from ila_core.errors import DamagedError, IlaError, RunError
from ila_core.files import hash_file as hash_file
from ila_core.files import key_of as key_of
from ila_core.files import replacing, told, write_text

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

FORMAT = 1
"""Version of the folder's layout; a folder with a higher one is from a newer program."""

_MANIFEST: dict[str, type] = {
    "command": str, "built": str, "settings": dict, "inputs": list, "counts": dict,
    "fingerprint": str, "notes": list, "stages": dict,
}  # fmt: skip
"""What every manifest has, and of which kind."""

COLUMNS = ("x", "y", "loss", "tokens", "skills", "depth", "relative_depth")


@dataclass(frozen=True)
class Stage:
    """One stage's folder. Half-done work lies in `work`; `finish` marks the whole as done."""

    name: str
    key: str
    folder: Path

    @property
    def work(self) -> Path:
        """Folder for finished batches of an unfinished stage."""
        return self.folder / "work"

    @property
    def finished(self) -> bool:
        """Whether the stage is done and its files are as long as they were then.

        The public files are hard links to a stage's, so what cuts one cuts the other.
        """
        files = self._mark.get("files")
        if not isinstance(files, dict):
            return False
        paths = {self.folder / name: size for name, size in files.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    @property
    def result(self) -> dict[str, Any]:
        """What the stage told of itself when it finished: its seconds and counts."""
        return {name: value for name, value in self._mark.items() if name != "files"}

    @property
    def _mark(self) -> dict[str, Any]:
        try:
            mark = json.loads((self.folder / "done.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def path(self, name: str) -> Path:
        return self.folder / name

    def save(self, **arrays: np.ndarray) -> None:
        """Write arrays to arrays.npz, all or nothing."""
        with replacing(self.path("arrays.npz")) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]

    def load(self) -> dict[str, np.ndarray]:
        """Return the arrays that `save` wrote, by name; RunError if they are damaged."""
        try:
            with np.load(self.path("arrays.npz"), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise RunError(
                f"{self.path('arrays.npz')} is damaged; delete the folder {self.folder} and run "
                "the same ila build command again."
            ) from error

    def finish(self, **result: Any) -> None:
        """Mark the stage as done and drop its half-done work."""
        files = {path.name: path.stat().st_size for path in self.folder.iterdir()
                 if path.is_file() and path.name != "done.json"}  # fmt: skip
        mark = {"files": files, **result}
        write_text(self.path("done.json"), json.dumps(mark, indent=1, default=_plain))
        shutil.rmtree(self.work, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A run folder that is being built."""

    folder: Path

    @classmethod
    def create(cls, folder: str | Path) -> Run:
        """Make the folder if need be. A folder full of other things is refused."""
        folder = Path(folder)
        with told(folder):
            if folder.is_dir() and any(folder.iterdir()) and not _ours(folder):
                raise RunError(
                    f"{folder} holds files that are no landscape; choose an empty or new folder "
                    "with --out."
                )
            if folder.exists() and not folder.is_dir():
                raise RunError(
                    f"{folder} is a file; a landscape needs a folder: name one with --out."
                )
            (folder / ".stages").mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def stage(self, name: str, key: str) -> Stage:
        stage = Stage(name, key, self.folder / ".stages" / f"{name}-{key}")
        with told(stage.folder):
            stage.folder.mkdir(parents=True, exist_ok=True)
        return stage

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one build; a second one at the same time is refused."""
        with told(self.folder):
            stream = open(self.folder / ".lock", "w")  # noqa: SIM115, held while the build runs
        with stream:
            if not _try_lock(stream.fileno()):
                raise RunError(
                    f"{self.folder} is being built by another process; wait for it, or stop it."
                )
            yield

    def publish(self, files: Mapping[str, Path], manifest: Mapping[str, Any]) -> None:
        """Put finished files in their public places, the manifest last."""
        for name, source in files.items():
            with replacing(self.folder / name) as temporary:
                _link(source, temporary)
        text = json.dumps(manifest, indent=1, ensure_ascii=False, default=_plain)
        write_text(self.folder / "manifest.json", text + "\n")

    def prune(self, stages: Iterable[Stage]) -> None:
        """Drop the folders of stages that the present landscape was not made from."""
        used = {stage.folder.name for stage in stages}
        for folder in (self.folder / ".stages").iterdir():
            if folder.name not in used:
                shutil.rmtree(folder, ignore_errors=True)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return a finished run's manifest.

    RunError if there is none, if it is damaged, or if it was written by a newer version.
    """
    folder = Path(folder)
    path = folder / "manifest.json"
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise RunError(f"{folder} {what}; name the folder that ila build --out made.")
    if not path.is_file():
        if (folder / ".stages").is_dir():
            raise RunError(
                f"{folder} is half there: its build has not finished. Run the same ila build "
                "command again; it goes on where it stopped."
            )
        raise RunError(f"{folder} is no landscape (no manifest.json); make one with ila build.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _damaged(path, "it is not what a build writes") from error
    if version > FORMAT:
        raise RunError(
            f"{folder} was written by a newer version of ILA (layout {version}, this program "
            f"reads up to {FORMAT}); update with pip install -U ila-landscape."
        )
    for name, kind in _MANIFEST.items():
        if not isinstance(manifest.get(name), kind):
            raise _damaged(path, f"its entry {name!r} is missing or broken")
    return manifest


def _damaged(path: Path, what: str) -> DamagedError:
    return DamagedError(
        f"{path} is damaged ({what}); run ila build again on the same pool and folder to make it "
        "anew."
    )


def pool_of(folder: str | Path) -> dict[str, str] | None:
    """Return the names, by sha256, of the files that a folder's landscape is of, None without one.

    Where the manifest is damaged, records.parquet tells. RunError if neither can.
    """
    folder = Path(folder)
    if not (folder / "manifest.json").is_file():
        return None
    try:
        return _names(read_manifest(folder)["inputs"])
    except DamagedError:
        from ila_core.pool.records import Records

        try:
            return _names(Records.open(folder).files)
        except RunError as error:
            raise RunError(
                f"{folder} is damaged: neither manifest.json nor records.parquet tells of which "
                "pool it is; choose another folder with --out, or delete that one first."
            ) from error


def _names(files: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(file["sha256"]): Path(file["name"]).name for file in files}


def write_landscape(
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


def read_landscape(folder: str | Path) -> Landscape:
    """Open a finished run folder as a Landscape; its vectors stay on disk, memory-mapped.

    RunError if the folder is half there, damaged, or from a newer version.
    """
    from ila_core.landscape.landscape import Landscape

    folder = Path(folder)
    manifest = read_manifest(folder)
    try:
        columns, domain, names = _read_columns(folder / "landscape.parquet")
        vectors = _read_vectors(folder / "embeddings.npy")
        n = int(manifest["counts"]["kept"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, _first_line(error)) from error
    if not len(domain) == len(vectors) == n:
        raise RunError(
            f"{folder} is damaged: its manifest counts {n} records, landscape.parquet holds "
            f"{len(domain)} and embeddings.npy {len(vectors)}; run ila build again on the same "
            "pool and folder."
        )
    known: dict[str, Any] = {name: columns.pop(name) for name in COLUMNS}
    xy = np.column_stack([known.pop("x"), known.pop("y")])
    return Landscape.from_arrays(
        xy,
        **known,
        domain=domain,
        domain_names=names,
        vectors=vectors,
        run=folder,
        fingerprint=_identity(manifest),
        scores=columns,
        manifest=manifest,
    )


def _identity(manifest: Mapping[str, Any]) -> str:
    """Return what tells this landscape from another one of the same records: its stage's key."""
    return str(manifest["stages"].get("landscape", {}).get("key") or manifest["fingerprint"])


def _read_vectors(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is not there") from error
    except (OSError, ValueError, EOFError) as error:  # what numpy says of it would mislead
        raise ValueError(f"{path.name} is no array, or not a whole one") from error


def _read_columns(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is not there") from error
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path.name} is not whole Parquet") from error
    if missing := [name for name in (*COLUMNS, "domain") if name not in table.column_names]:
        raise ValueError(f"{path.name} has no column {missing[0]!r}")
    domain = table.column("domain").combine_chunks()
    if isinstance(domain, pa.ChunkedArray):
        domain = domain.chunk(0) if domain.num_chunks else pa.array([], domain.type)
    names = tuple(domain.dictionary.to_pylist())
    columns = {
        name: _array(table.column(name))
        for name in table.column_names
        if name not in ("row", "domain")
    }
    return columns, np.array(np.from_dlpack(domain.indices), np.int32), names


def _array(column: Any) -> np.ndarray:
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


def _ours(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() or (folder / ".stages").is_dir()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; two builds at once are the user's care there
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _plain(value: object) -> object:
    """Turn numpy scalars and paths into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (Path, tuple, set, frozenset)):
        return str(value) if isinstance(value, Path) else list(value)
    raise IlaError(f"A value of type {type(value).__name__} cannot be written to the manifest.")
