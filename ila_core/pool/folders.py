"""A folder that is a data set: which of its files are the pool.

As `datasets` saves them (arrow shards and a state), as they lie on the Hub (Parquet shards named by
their split), or as people put them together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import Any

from ila_core.errors import IlaError
from ila_core.pool.columnar import arrow_count, parquet_count
from ila_core.pool.sniffing import SUFFIXES, suffix_of

TRAIN = "train"
SPLITS = {
    TRAIN: (TRAIN, "training"), "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}  # fmt: skip
"""The parts of a data set, and the words in names of files and folders that mean them."""
_STATE, _DICT = "state.json", "dataset_dict.json"
MARKS = (_STATE, _DICT)
"""Files that say what `datasets` has saved in a folder, and in which shards."""
_NO_POOL = frozenset(
    (_STATE, _DICT, "dataset_info.json", "dataset_infos.json", "package.json", "rejects.jsonl")
)
_DATA = frozenset(("data", "default"))
"""Folders whose name says nothing."""


def files_of(folder: Path, split: str = "") -> list[Path]:
    """The files of the pool in a folder, in order: those of `split`, or of its training part.

    Raises IlaError, naming what there is, for a folder without any, for one that holds several data
    sets or several kinds of files, and for a split that is not there or has to be chosen.
    """
    saved = _saved(folder, split)
    if saved is not None:
        return saved
    by_split = _by_split(folder, split)
    if list(by_split) == [""] and not split:
        chosen = by_split[""]
    else:
        chosen = by_split[_choice(folder, list(by_split), split)]
    _check_one_set(folder, chosen)
    return chosen


def splits_in(folder: Path) -> tuple[list[str], str]:
    """The names of a folder's splits, and the one that is read unless another is named.

    The latter is "" where one has to be named, or where there are none. Raises IlaError for a
    folder without a pool.
    """
    if (folder / _DICT).is_file():
        splits = _splits_saved(folder)
    elif (folder / _STATE).is_file():
        splits = []
    else:
        splits = list(_by_split(folder, ""))
    return [name for name in splits if name], _usual(splits) or ""


def unread_in(folder: Path, split: str = "") -> dict[str, int | None]:
    """The other splits of a folder, which `files_of` leaves, and how many records each holds.

    The number is None where the files do not tell it at once, as Parquet and Arrow files do.
    """
    if (folder / _DICT).is_file():
        names = _splits_saved(folder)
        chosen = _choice(folder, names, split)
        return {name: _records_saved(folder / name) for name in names if name != chosen}
    if (folder / _STATE).is_file():
        return {}
    by_split = _by_split(folder, split)
    if list(by_split) == [""]:
        return {}
    chosen = _choice(folder, list(by_split), split)
    return {
        name: _records_in(files) for name, files in by_split.items() if name not in ("", chosen)
    }


def _records_saved(folder: Path) -> int | None:
    try:
        return _records_in(_saved(folder, "") or [])
    except IlaError:  # a damaged split harms only those who read it
        return None


def _records_in(files: list[Path]) -> int | None:
    """How many records files hold by their footers or heads; None where they have no such.

    dataset_info.json is not asked: of a filtered data set it still has the numbers of before.
    """
    import pyarrow as pa

    count = {".parquet": parquet_count, ".arrow": arrow_count}
    try:
        return sum(count[path.suffix.lower()](path) for path in files) if files else None
    except (KeyError, pa.ArrowException, OSError):
        return None


def _saved(folder: Path, split: str) -> list[Path] | None:
    """The shards of what `datasets` has saved; None where it was not saved so."""
    if (folder / _DICT).is_file():
        return _saved(folder / _choice(folder, _splits_saved(folder), split), "")
    if not (folder / _STATE).is_file():
        return None
    shards = _listed(folder / _STATE, lambda state: [
        shard["filename"] for shard in state["_data_files"]
    ])  # fmt: skip
    if split and folder.name != split:
        raise IlaError(f"{folder} has no splits; name the folder without --split.")
    return [folder / shard for shard in shards]


def _splits_saved(folder: Path) -> list[str]:
    return _listed(folder / _DICT, lambda written: written["splits"])


def _listed(path: Path, names_in: Callable[[Any], Iterable[Any]]) -> list[str]:
    """The names that a file of `datasets` lists: of files and folders beside it, nowhere else."""
    try:
        names = [str(name) for name in names_in(json.loads(path.read_text(encoding="utf-8")))]
        if any(name != PurePath(name).name for name in names):
            raise ValueError("a name leads elsewhere")
        return names
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IlaError(
            f"{path} is not what datasets writes; name the files of the pool themselves."
        ) from error


def _is_pool(path: Path, folder: Path) -> bool:
    """Whether a file may belong to the pool: by its name, and by not being hidden."""
    inner = path.relative_to(folder).parts
    return (
        suffix_of(path) in SUFFIXES
        and path.name not in _NO_POOL
        and not path.name.endswith(".manifest.json")
        and not any(part.startswith((".", "_")) for part in inner)
        and path.is_file()
    )


def split_of(path: PurePath) -> str | None:
    """The split that a file's name means, or else that of a folder it is in.

    >>> split_of(PurePath("data/train-00000-of-00002.parquet")), split_of(PurePath("pool.jsonl"))
    ('train', None)
    """
    for part in reversed(path.parts):
        words = re.split(r"[^a-z]+", part.lower())
        for split, names in SPLITS.items():
            if any(name in words for name in names):
                return split
    return None


def _by_split(folder: Path, split: str) -> dict[str, list[Path]]:
    """The files of the pool by the split that they are of, "" where they do not tell.

    `split` is one that files may be named after though it is none of `SPLITS`.
    """
    found = [path for path in sorted(folder.rglob("*")) if _is_pool(path, folder)]
    if not found:
        raise IlaError(
            f"{folder} is a folder without a pool; name its files, for example {folder}/*.jsonl."
        )
    by_split: dict[str, list[Path]] = {}
    for path in found:
        inner = path.relative_to(folder)
        named = split_of(inner) or ""
        if split and split not in SPLITS and split in _words(inner.name):
            named = split
        by_split.setdefault(named, []).append(path)
    return by_split


def _words(name: str) -> list[str]:
    """What a file's name says: its words, and what stands before the number of the shard."""
    return [*re.split(r"[-_.]", name), re.split(r"[-.]", name)[0]]


def _usual(splits: list[str]) -> str | None:
    """The training split, else the only one; None where one has to be named."""
    if TRAIN in splits:
        return TRAIN
    return splits[0] if len(splits) == 1 else None


def _choice(folder: Path, splits: list[str], split: str) -> str:
    """The split asked for, else the training one, else the only one."""
    names = [name for name in splits if name]
    wanted = next((one for one, words in SPLITS.items() if split in words), split)
    for name in (split, wanted) if split else (_usual(splits),):
        if name in splits:
            return name
    raise IlaError(
        f"{folder} has {'no split ' + repr(split) if split else 'several splits'}; it has "
        f"{', '.join(names) or 'none'}: choose one with --split NAME, or name the files."
    )


def _check_one_set(folder: Path, files: Iterable[Path]) -> None:
    """Refuse a folder with several data sets, or with the same in several kinds of files."""
    files = list(files)
    sets = sorted({_set_of(path.relative_to(folder)) for path in files})
    if len(sets) > 1:
        names = ", ".join(name or "." for name in sets)
        raise IlaError(f"{folder} holds several data sets, {names}; name the folder of one.")
    suffixes = sorted({suffix_of(path) for path in files})
    if len({SUFFIXES[suffix] for suffix in suffixes}) > 1:
        raise IlaError(
            f"{folder} holds files of several kinds, {', '.join(suffixes)}; name those of one, for "
            f"example {folder}/**/*{suffixes[0]}."
        )


def _set_of(inner: Path) -> str:
    """The folders that a file is in, without those that only name a split or say nothing."""
    words = {word for names in SPLITS.values() for word in names}
    return "/".join(part for part in inner.parts[:-1] if part.lower() not in _DATA | words)
