"""Every command that writes, put to every fault of `killing.py` through the command line.

Killed before a change, at a byte of what it writes, and at a moment: the next one ends well, to
the same bytes, and leaves no litter. On a disk that is full, or cannot be written to: it says so
and loses nothing. Twice at once in one folder: both end well, or one is refused.

The small size takes some commands and a few faults; ILA_FAULTS=200 all commands, killed before
every change (of the two that make hundreds, slowly, before every third), and more of all else.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import script

from faults.counts import FAULTS, FULL, count
from faults.killing import disk

KILLING = """
import runpy
runpy.run_module("faults.killing", run_name="__main__", alter_sys=True)
"""
EVERY = {"build": 17, "add": 97, "select --format jsonl": 9, "select --format axolotl": 13,
         "report": 3, "study": 41, "tune": 17}  # fmt: skip
"""Before every so many of its changes each command of the small size is killed."""
EVERY_OF_ALL = {
    "build": 1, "build anew": 3, "add": 3, "report": 1, "study": 1, "tune": 1, "tune --full": 1,
    **{f"select --format {name}": 1
       for name in ("jsonl", "scored", "parquet", "trl", "axolotl", "pool-parquet")},
}  # fmt: skip
HOLD = ("build", "build anew", "add", "study", "tune", "tune --full")
"""Commands that hold their folder: of two at once one is refused."""
COMMANDS = [(name,) for name in EVERY_OF_ALL] if FULL else [tuple(EVERY)]
WAYS = {
    "changes": "kills before a rename, removal, new folder or file opened to be written",
    "lengths": "kills at a byte that is written",
    "moments": "kills at a moment drawn by chance",
    "length": "commands where files may have no more than some length",
    "full": "commands on a full disk",
    "read-only": "commands on a disk that cannot be written to",
    "at once": "pairs of commands at once in one folder",
}


@pytest.mark.parametrize("names", COMMANDS, ids=lambda names: names[0] if FULL else "some")
def test_no_fault_lets_anything_through(
    landscapes: tuple[Path, Path], models: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    some = max(1, FAULTS // 20)
    every = EVERY_OF_ALL if FULL else EVERY
    more = f"narrowed,{some}|at_once,{some}"
    if mounts := can_mount(tmp_path):
        more += f"|crowded,{some}|barred"
    place = tmp_path / "place"
    place.mkdir()
    hows = [f"{name}=killed,{every[name]},{some},{some}|{more}" for name in names]
    told = script(KILLING, *landscapes, models / "plain", place, *hows)
    found = dict(json.loads(line) for line in told.splitlines() if line.startswith("["))
    assert sorted(found) == sorted(names)
    for name, faults in found.items():
        assert faults["changes"] >= 1 and faults["length"] >= 1, (name, faults)
        assert faults["at once"] == some and ("refused" in faults) is (name in HOLD), (name, faults)
        assert faults.get("read-only", 0) == mounts, (name, faults)
        for way, number in faults.items():
            if way in WAYS:
                count(WAYS[way], number)


def can_mount(place: Path) -> bool:
    """Whether this process may mount a disk in memory; where not, lengths stand for a full one."""
    try:
        with disk(place, 1 << 20):
            return True
    except PermissionError:
        return False
