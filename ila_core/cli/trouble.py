"""What to send along when something went wrong: versions, settings, the last error; no texts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ila_core.artifacts import MANIFEST
from ila_core.errors import RunError
from ila_core.options import options_of
from ila_core.pipeline.build import LIBRARIES
from ila_core.pipeline.settings import BuildSettings
from ila_core.pipeline.step import versions

OURS = ("ILA_", "HF_", "OMP_", "NUMBA_", "CUDA_", "STREAMLIT_")
"""How the names of variables begin that change what we do."""
_PLAIN = re.compile(r"[\d.,:-]{1,40}|true|false|yes|no|on|off", re.ASCII | re.IGNORECASE)
_PATH = re.compile(r"\S*[/\\]\S*")
_QUOTED = re.compile(r"['\"(].*['\")]", re.DOTALL)


def report(run: str | None) -> Iterator[tuple[str, str]]:
    """Yield what tells of a fault beside the machine itself; of a run folder where one is named.

    Nothing of a pool is in it: of settings and variables only what can be no text, path or key,
    and an error without all that it quotes. RunError for a folder that is not there.
    """
    yield from versions(LIBRARIES).items()
    for name in sorted(os.environ):
        if name.startswith(OURS):
            yield name, plainly(os.environ[name])
    if run is None:
        return
    folder = Path(run)
    if not folder.is_dir():
        raise RunError(f"{run} is no folder; name the one of the build that went wrong.")
    manifest, progress = (_read(folder / name) for name in (MANIFEST, "progress.json"))
    yield "built by", f"ila {manifest['ila']}" if "ila" in manifest else "no finished build"
    yield from settings(manifest.get("settings", {}))
    for name in ("read", "kept", "rejected"):
        yield f"records {name}", f"{manifest.get('counts', {}).get(name, '')}"
    yield "state", str(progress.get("state", ""))
    yield "in the stage", str(progress.get("stage", ""))
    yield "last error", unquoted(str(progress.get("message", "")))


def settings(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the settings of a build that are not at their default, by their flags."""
    for option in options_of(BuildSettings).values():
        value = values.get(option.name, option.default)
        if value != option.default:
            yield option.flag, str(value) if value in option.choices else plainly(str(value))


def plainly(value: str) -> str:
    """Return a value that is a number or a switch; of any other no more than that it is set.

    >>> plainly("0.75"), plainly("True"), plainly("/home/me/pool.jsonl")
    ('0.75', 'True', '(set)')
    """
    return value if _PLAIN.fullmatch(value) else "(set)"


def unquoted(sentence: str) -> str:
    """Return an error without paths, and what stands in quotation marks or brackets.

    That may be a record's. All between the first and the last of them goes: it may hold some, too.

    >>> unquoted('/me/a.jsonl: the first is a reject ({"say": "(a)"}); name it with --map.')
    '(path) the first is a reject …; name it with --map.'
    """
    return _PATH.sub("(path)", _QUOTED.sub("…", sentence))


def _read(path: Path) -> dict[str, Any]:
    """Return the object of a file; {} where there is none that can be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
