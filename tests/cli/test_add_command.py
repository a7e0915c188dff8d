"""`ila add`: what it tells, before and after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from command import cli
from conftest import small_pool, write_jsonl


def test_what_is_told_before_and_after_and_where_nothing_is_left(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    new = write_jsonl(tmp_path / "new.jsonl", small_pool(90)[50:])
    with new.open("a") as stream:
        stream.write("no json\n")
    before = cli("add", copy, new, "--dry-run").stderr
    assert "40 of 41 new records would come to the 60" in before and "nothing was added" in before
    assert "10 say the same as a record that is there" in before
    assert "rejected: invalid JSON (1)" in before
    assert json.loads(cli("info", copy, "--json").stdout)["counts"]["kept"] == 60
    told = cli("add", copy, new, "--loss", "none").stderr
    assert f"40 of 41 new records are rows 60 to 99 of {copy}, which has 100 now" in told
    assert "1 rejected, see rejects.jsonl" in told and "ranks among all records" in told
    again = cli("add", copy, new, "--loss", "none").stderr
    assert "up to date: these files are there already (rows 60 to 99, added 20" in again
    assert "up to date" in cli("add", copy, new, "--loss", "none", "--dry-run").stderr
    info = cli("info", copy).stdout
    assert "40 records from new.jsonl, rows 60 to 99" in info and "10 known already" in info
    assert f"&& ila add {copy} {new} --loss none" in info
    assert "were added to it (new.jsonl)" in cli("build", new, "--out", copy, code=1).stderr


def test_where_all_is_known_it_says_so(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    new = write_jsonl(tmp_path / "new.jsonl", small_pool(5))
    told = cli("add", copy, new, "--skip-known").stderr
    assert "up to date: none of the 5 records is new (5 known already)" in told


def test_a_folder_that_is_no_landscape_is_refused(tmp_path: Path) -> None:
    new = write_jsonl(tmp_path / "new.jsonl", small_pool(5))
    assert "does not exist" in cli("add", tmp_path / "absent", new, code=1).stderr
