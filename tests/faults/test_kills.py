"""Commands that are killed: the next one ends well, to the same bytes, and leaves no litter.

Each is killed before its changes, at a length of what it writes, and at moments; with
ILA_FAULTS=200 before every change, and so often that there are more than 300 kills in all.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import script
from conftest import small_pool, write_jsonl

import ila_core as ila
from faults.counts import FAULTS, FULL, count

KILLING = """
import runpy
runpy.run_module("faults.killing", run_name="__main__", alter_sys=True)
"""
EVERY = {"build": 13, "add": 67, "select --format jsonl": 7, "select --format axolotl": 9,
         "select --format parquet": 3, "report": 2, "study": 41, "tune": 13}  # fmt: skip
"""Before every so many of its changes each command is killed in the small size."""
ALL = (*EVERY, *(f"select --format {name}" for name in ("scored", "trl", "pool-parquet")),
       "tune --full")  # fmt: skip
NAMES = [(name,) for name in ALL] if FULL else [tuple(EVERY)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landscape of as many records as a study wants at least."""
    folder = tmp_path_factory.mktemp("large")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(600))
    ila.build(pool, out=folder / "run", projection="pca")
    return folder / "run"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(60))
    ila.build(pool, out=folder / "run", projection="pca")
    return folder / "run"


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0] if FULL else "")
def test_the_command_after_a_kill_ends_as_if_there_had_been_none(
    small: Path, large: Path, models: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    places = (small, large, models / "plain", tmp_path)
    found = {}
    more = FAULTS // 20
    hows = [f"{name}={1 if FULL else EVERY[name]},{more},{more}" for name in names]
    for line in script(KILLING, *places, *hows).splitlines():
        if line.startswith("["):
            name, kills = json.loads(line)
            found[name] = kills
    assert sorted(found) == sorted(names)
    for name, kills in found.items():
        assert kills.get("changes", 0) >= 1, (name, kills)
        for way, number in kills.items():
            count(f"kills, {way}", number)
            count(f"kills of {name.split()[0]}", number)
