"""A run folder while it is built: the stages' folders, the lock, and publishing as one set.

A stage's key is the hash of its settings, of the keys of what it read, and of the versions of its
rule and its libraries, so nothing is computed twice and nothing stale is ever read.

Publishing has one moment: the rename that puts the new manifest in place. Before it nothing that
the old one names is touched; after it the files beside the manifest, copies for people, are renewed
and the stages that nobody reads any more are dropped. What a kill leaves undone of the latter, the
next build does.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ila_core.artifacts import ARTIFACTS, MANIFEST, STAGES
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import locked, replacing, sweep, write_text, writing_errors
from ila_core.landscape.folder import Stamp

MARK, WORK = "done.json", "work"
_FICLONE = 0x40049409
"""Linux's ioctl that lets one file share the blocks of another."""


@dataclass(frozen=True)
class StageFolder:
    """Where one stage lies. Half-done work is in `work`; `finish` marks the whole as done."""

    name: str
    key: str
    path: Path

    @property
    def work(self) -> Path:
        """Folder for finished batches of an unfinished stage."""
        return self.path / WORK

    @property
    def files(self) -> dict[str, Stamp]:
        """The files of a finished stage, as they were then; none of an unfinished one."""
        entries = self._mark.get("files")
        try:
            return {str(name): Stamp(**entry) for name, entry in (entries or {}).items()}
        except (TypeError, AttributeError):
            return {}

    @property
    def finished(self) -> bool:
        """Whether the stage is done and its files are as they were then."""
        files = self.files
        return bool(files) and all(stamp.fits(self.path / name) for name, stamp in files.items())

    @property
    def facts(self) -> dict[str, Any]:
        """What the stage told of itself when it finished: its seconds, counts, who made it."""
        return {name: value for name, value in self._mark.items() if name != "files"}

    @property
    def _mark(self) -> dict[str, Any]:
        try:
            mark = json.loads((self.path / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def save(self, **arrays: np.ndarray) -> None:
        """Write arrays to arrays.npz, all or nothing."""
        with replacing(self.path / "arrays.npz") as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]

    def load(self) -> dict[str, np.ndarray]:
        """Return the arrays that `save` wrote, by name; RunError if they are damaged."""
        try:
            with np.load(self.path / "arrays.npz", allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise RunError(
                f"{self.path / 'arrays.npz'} is damaged; delete the folder {self.path} and run "
                "the same ila build command again."
            ) from error

    def finish(self, **facts: Any) -> None:
        """Mark the stage as done and drop its half-done work."""
        files = {
            path.name: asdict(Stamp.of(path))
            for path in sorted(self.path.iterdir())
            if path.is_file() and path.name != MARK and path.suffix != ".part"
        }
        text = json.dumps({"files": files, **facts}, indent=1, default=_plain)
        write_text(self.path / MARK, text)
        shutil.rmtree(self.work, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A run folder that is being built."""

    folder: Path

    @classmethod
    def create(cls, folder: str | Path) -> Run:
        """Make the folder if need be. A folder full of other things is refused."""
        if str(folder).startswith(("s3:/", "gs:/")):
            raise UsageError(
                f"--out is {str(folder)!r}; an address in a bucket is a text, s3://BUCKET/RUN, and "
                "no path."
            )
        folder = Path(folder)
        with writing_errors(folder):
            if folder.is_dir() and any(folder.iterdir()) and not _ours(folder):
                raise RunError(
                    f"{folder} holds files that are no landscape; choose an empty or new folder "
                    "with --out."
                )
            if folder.exists() and not folder.is_dir():
                raise RunError(
                    f"{folder} is a file; a landscape needs a folder: name one with --out."
                )
            (folder / STAGES).mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def stage(self, name: str, key: str) -> StageFolder:
        """Return the folder of a stage, made if need be."""
        stage = StageFolder(name, key, self.folder / STAGES / f"{name}-{key}")
        with writing_errors(stage.path):
            stage.path.mkdir(parents=True, exist_ok=True)
        return stage

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one build; a second one at the same time is refused."""
        refusal = f"{self.folder} is being built by another process; wait for it, or stop it."
        with locked(self.folder, refusal):
            yield

    def publish(self, stages: Sequence[StageFolder], manifest: Mapping[str, Any]) -> None:
        """Make what the stages hold the landscape of this folder."""
        places = {
            name: (stage, stamp)
            for stage in stages
            for name, stamp in stage.files.items()
            if name in ARTIFACTS
        }
        entries = {
            name: {"stage": stage.path.name, **asdict(stamp)}
            for name, (stage, stamp) in sorted(places.items())
        }
        whole = {**manifest, "artifacts": entries}
        text = json.dumps(whole, indent=1, ensure_ascii=False, default=_plain)
        write_text(self.folder / MANIFEST, text + "\n")
        self._settle(entries, {stage.path.name for stage in stages})

    def settle(self, manifest: Mapping[str, Any]) -> None:
        """Do what is left of publishing this manifest, which is in its place already."""
        entries = manifest["artifacts"]
        used = {str(entry["stage"]) for entry in entries.values()}
        if not manifest.get("additions"):  # no build goes on from the stages of a grown landscape
            used |= {f"{name}-{facts['key']}" for name, facts in manifest["stages"].items()}
        self._settle(entries, used)

    def _settle(self, entries: Mapping[str, Mapping[str, Any]], used: set[str]) -> None:
        """Let the public names stand for what the manifest names, and drop what nobody reads."""
        for name in ARTIFACTS:
            if name in entries:
                entry = entries[name]
                source = self.folder / STAGES / str(entry["stage"]) / name
                if source.is_file():  # else the public file is all there is: a copied folder
                    stamp = Stamp(int(entry["bytes"]), str(entry["sha256"]))
                    _renew(source, self.folder / name, stamp)
            else:  # an earlier build's, no longer asked for
                (self.folder / name).unlink(missing_ok=True)
        self._prune(used)

    def _prune(self, used: set[str]) -> None:
        """Drop the stages that the landscape was not made from, and what was left by a kill."""
        for folder in (self.folder / STAGES).iterdir():
            gone = folder / WORK if folder.name in used else folder  # a kill came after the mark
            shutil.rmtree(gone, ignore_errors=True)
        sweep(self.folder)


def _ours(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or (folder / STAGES).is_dir()


def _renew(source: Path, target: Path, stamp: Stamp) -> None:
    """Let a public name stand for a stage's file: by bytes of its own, so that neither harms both.

    Where the file system can, the two share their blocks until one of them is written to.
    """
    if target.is_file() and not target.samefile(source) and stamp.fits(target):
        return
    with replacing(target) as temporary:
        if not _cloned(source, temporary):
            shutil.copyfile(source, temporary)


def _cloned(source: Path, target: Path) -> bool:
    """Make a file that shares another's blocks, as Btrfs and XFS do; False where that cannot be."""
    try:
        import fcntl

        with open(source, "rb") as old, open(target, "wb") as new:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
    except (ImportError, OSError):
        return False
    return True


def _plain(value: object) -> object:
    """Turn numpy scalars and paths into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (Path, tuple, set, frozenset)):
        return str(value) if isinstance(value, Path) else list(value)
    raise IlaError(f"A value of type {type(value).__name__} cannot be written to the manifest.")
