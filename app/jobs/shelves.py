"""Where a landscape's own selections are kept: the named ones, and the drafts of visitors.

A draft is named by a token that nobody can guess, and only the session that made it writes it: who
follows a link to a draft goes on in a copy. So a reload finds what was settled, and no visitor
meets another's.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ila_core import paths
from ila_core.errors import DamagedError, UsageError
from ila_core.files import write_text
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine, pool_of
from ila_core.mine.shelf import Shelf, as_dict, from_dict, read_json
from jobs import folders

SELECTIONS = "selections"
_TOKEN = re.compile(r"~[\w-]{22}", re.ASCII)
KEPT_SECONDS = 90 * 86_400
"""How long a draft that nobody has touched is kept: as long as an old link may be followed."""


@dataclass(frozen=True)
class Step:
    """What was done last, and what stood before it."""

    did: str
    """In words, such as "pinned 3 records"."""
    before: Mine


@dataclass(frozen=True)
class Draft:
    """A visitor's own selection as it stands."""

    mine: Mine
    step: Step | None = None


def shelf_of(landscape: Landscape) -> Shelf:
    """Return where a landscape's selections are kept: in its folder, if that may be written.

    Else, and for the sample that ships with the program, in this page's own folder.
    """
    run = landscape.run
    if run is not None and run != paths.SAMPLE / "landscape" and os.access(run, os.W_OK):
        return Shelf.of(run)
    return Shelf(folders.runs_folder() / SELECTIONS / pool_of(landscape))


def new_token() -> str:
    """Return the name of a draft that is about to be."""
    return f"~{secrets.token_urlsafe(16)}"


def is_token(text: str) -> bool:
    """Whether a text names a draft; a name of a selection never does."""
    return bool(_TOKEN.fullmatch(text))


def write_draft(shelf: Shelf, token: str, draft: Draft) -> None:
    """Write a draft, all of it or nothing; IlaError where it cannot be."""
    values = as_dict(draft.mine)
    if draft.step is not None:
        values |= {"did": draft.step.did, "before": as_dict(draft.step.before)}
    write_text(_path(shelf, token), json.dumps(values, ensure_ascii=False), lasting=False)


def read_draft(shelf: Shelf, token: str, landscape: Landscape) -> Draft:
    """Return the draft of a token; IlaError says why there is none to be had."""
    path = _path(shelf, token)
    if not path.is_file():
        raise UsageError("The draft of this link is no longer there; pins and rules start anew.")
    values = read_json(path)
    mine = from_dict(values, landscape, path)
    if "before" not in values:
        return Draft(mine)
    if not isinstance(values["before"], dict):
        raise DamagedError(f"{path} is damaged: what stood before is missing; delete it.")
    before = from_dict(values["before"], landscape, path)
    return Draft(mine, Step(str(values.get("did", "")), before))


def sweep(shelf: Shelf, *, now: float | None = None) -> None:
    """Delete the drafts that nobody has touched for long."""
    oldest = (time.time() if now is None else now) - KEPT_SECONDS
    with suppress(OSError):
        for path in shelf.folder.glob("~*.json"):
            if is_token(path.stem) and path.stat().st_mtime < oldest:
                path.unlink()


def _path(shelf: Shelf, token: str) -> Path:
    if not is_token(token):
        raise UsageError(f"{token[:60]!r} is no draft of this page.")
    return shelf.folder / f"{token}.json"
