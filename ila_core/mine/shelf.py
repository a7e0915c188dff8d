"""Selections of a landscape under their names: RUN/selections/NAME.json.

Each is written as a whole or not at all, and checked when it is read: a file may be damaged, from a
newer program, of another pool, or written by a hand.
"""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ila_core._version import __version__
from ila_core.errors import DamagedError, IlaError, RunError, UsageError
from ila_core.files import reading_errors, write_text, writing_errors
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine, pool_of
from ila_core.selection.locks import Locks
from ila_core.selection.quota import Quota
from ila_core.selection.rules import Rule

FOLDER = "selections"
"""Of a run folder: where its selections lie."""
FORMAT = 1
"""Version of the files; one with a higher is from a newer program."""
MOST_BYTES = 120
"""Of a name: with the ending, and the mark of a file that is being written, no file system that
people use refuses it."""
_NAME = re.compile(r"\w(?:[\w .,()+'-]*[\w)+'-])?")
_TEXTS = ("name", "pool", "made")
_ROWS = ("pinned", "excluded")
_LISTS = (*_ROWS, "only", "quotas")


@dataclass(frozen=True)
class Shelf:
    """The folder of one landscape's named selections."""

    folder: Path

    @classmethod
    def of(cls, run: str | Path) -> Shelf:
        """Return the shelf of a run folder."""
        return cls(Path(run) / FOLDER)

    def names(self) -> list[str]:
        """Return the names that are there, whether or not their files can be read."""
        if not self.folder.is_dir():
            return []
        with reading_errors(self.folder):
            found = [path.stem for path in self.folder.iterdir() if path.suffix == ".json"]
        return sorted(name for name in found if is_name(name))

    def save(self, mine: Mine, *, new: bool = False) -> Mine:
        """Write a selection of a pool (`Mine.of`) under its name; return it as it was written.

        `new` refuses a name that is there already. UsageError also for a name that is none, and
        for rows that its pool has not.
        """
        path = self.path(mine.name)
        if new and path.exists():
            raise UsageError(
                f"There is a selection named {mine.name!r} already; choose another name, or delete "
                "that one."
            )
        saved = replace(mine.checked(), made=time.strftime("%Y-%m-%d %H:%M:%S"))
        write_text(path, json.dumps(as_dict(saved), ensure_ascii=False, indent=1) + "\n")
        return saved

    def read(self, name: str, landscape: Landscape) -> Mine:
        """Return the selection of a name, checked against its landscape.

        UsageError where there is none of that name; RunError for one of another pool or from a
        newer program, DamagedError for a file that is not what `save` writes.
        """
        path = self.path(name)
        if not path.is_file():
            known = self.names()
            raise UsageError(
                f"There is no selection named {name!r} in {self.folder}; "
                + (f"there are {', '.join(known)}." if known else "none is saved there.")
            )
        return read_file(path, landscape)

    def delete(self, name: str) -> None:
        """Delete a selection for good; UsageError where there is none of that name."""
        path = self.path(name)
        with writing_errors(path):
            try:
                path.unlink()
            except FileNotFoundError:
                raise UsageError(f"There is no selection named {name!r} to delete.") from None

    def rename(self, old: str, new: str, landscape: Landscape) -> Mine:
        """Give a selection another name and return it; UsageError where that is taken."""
        saved = self.save(replace(self.read(old, landscape), name=checked(new)), new=True)
        self.delete(old)
        return saved

    def path(self, name: str) -> Path:
        """Return where the selection of a name lies; UsageError for what is no name."""
        return self.folder / f"{checked(name)}.json"


def checked(name: str) -> str:
    """Return a name that is fit to name a file everywhere; UsageError says what one may be.

    >>> checked(" my best 2 ")
    'my best 2'
    >>> checked("../evil")
    Traceback (most recent call last):
    ila_core.errors.UsageError: A selection cannot be named '../evil'; take letters, digits, spaces
    and any of . , ( ) + ' - between them, at most 120 bytes.
    """
    plain = unicodedata.normalize("NFC", name.strip())
    if not is_name(plain):
        raise UsageError(
            f"A selection cannot be named {name[:60]!r}; take letters, digits, spaces and any of "
            f". , ( ) + ' - between them, at most {MOST_BYTES} bytes."
        )
    return plain


def is_name(text: str) -> bool:
    """Whether a text is fit to name a selection."""
    return bool(_NAME.fullmatch(text)) and len(text.encode("utf-8", "replace")) <= MOST_BYTES


def as_dict(mine: Mine) -> dict[str, Any]:
    """Return a selection as its file has it."""
    values = {field.name: getattr(mine, field.name) for field in fields(Mine)}
    lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return {"format": FORMAT, "ila": __version__, **values, **lists}


def read_file(path: Path, landscape: Landscape) -> Mine:
    """Return the selection of a file, checked against its landscape; errors as of `Shelf.read`."""
    return from_dict(read_json(path), landscape, path)


def read_json(path: Path) -> Mapping[str, Any]:
    """Return what a file of ours holds; DamagedError where that is no object."""
    with reading_errors(path):
        text = path.read_bytes()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise DamagedError(f"{path} is damaged: it is no JSON object; delete it.")
    return values


def from_dict(values: Mapping[str, Any], landscape: Landscape, path: Path) -> Mine:
    """Return a selection that `as_dict` wrote, checked; `path` is where it stood, for errors."""
    version = values.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise RunError(
            f"{path} was written by a newer program (ila {values.get('ila', '?')}); update ila to "
            "read it."
        )
    if version != FORMAT or not _is_whole(values):
        raise DamagedError(f"{path} is damaged: parts of it are missing or wrong; delete it.")
    if values["pool"] != pool_of(landscape):
        raise RunError(
            f"{path} is a selection of another pool, of {values['records']:,} records; this one "
            f"has {len(landscape):,}. Its rows would be other records here."
        )
    pinned, excluded, only, quotas = (tuple(values[name]) for name in _LISTS)
    name, pool, made = (values[name] for name in _TEXTS)
    mine = Mine(name, pinned, excluded, only, quotas, pool, values["records"], made)
    try:
        Locks.of(mine.pinned, mine.excluded, len(landscape))
        for rule in mine.only:
            Rule.parse(rule)
        for quota in mine.quotas:
            Quota.parse(quota)
    except IlaError as error:
        raise DamagedError(f"{path} is damaged: {error}") from error
    return mine


def _is_whole(values: Mapping[str, Any]) -> bool:
    """Whether every field of a selection is there and of its kind."""
    with suppress(KeyError, TypeError):
        texts = [*(values[name] for name in _TEXTS), *values["only"], *values["quotas"]]
        rows = [row for name in _ROWS for row in values[name]]
        lists = all(isinstance(values[name], list) for name in _LISTS)
        numbers = all(type(number) is int for number in (*rows, values["records"]))
        return lists and numbers and all(isinstance(text, str) for text in texts)
    return False
