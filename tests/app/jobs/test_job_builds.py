"""Builds beside the page: real processes, and what their names may be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.errors import UsageError
from ila_core.pipeline.settings import BuildSettings
from jobs import builds, process
from jobs.process import Job


def wait(runs: Path, name: str, *states: str) -> Job:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = process.look(runs, name)
        if found is not None and found.state in states:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{name} is {process.look(runs, name)}")


def test_a_failure_is_told_in_its_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("nothing here\n", encoding="utf-8")
    runs = tmp_path / "runs"
    builds.start(runs, "bad", [str(bad)], BuildSettings())
    found = wait(runs, "bad", "failed", "done")
    assert found.state == "failed"
    assert "bad.jsonl" in found.message


def test_a_build_can_be_stopped_and_goes_on(pool: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    builds.start(runs, "pool", [str(pool)], BuildSettings(projection="pca"))
    wait(runs, "pool", "running", "done")
    process.stop(runs, "pool")
    wait(runs, "pool", "stopped", "failed", "done")
    process.resume(runs, "pool")
    assert wait(runs, "pool", "done", "failed").has_landscape
    assert [build.name for build in builds.every(runs)] == ["pool"]
    process.delete(runs, "pool")
    assert builds.every(runs) == []


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "a/b"])
def test_a_name_that_is_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        builds.start(tmp_path, name, ["pool.jsonl"], BuildSettings())
    if name:
        with pytest.raises(UsageError):
            process.delete(tmp_path, name)


def test_names_are_free(tmp_path: Path) -> None:
    assert builds.free_name(tmp_path, "my pool.v2.jsonl.gz") == "my-pool"
    (tmp_path / "my-pool").mkdir()
    assert builds.free_name(tmp_path, "my pool.jsonl") == "my-pool-2"
    assert builds.free_name(tmp_path, "uploads.jsonl") == "uploads-2"


@pytest.mark.parametrize("name", sorted(builds.TAKEN))
def test_no_landscape_is_built_where_something_else_is_kept(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another name"):
        builds.start(tmp_path, name, ["pool.jsonl"], BuildSettings())


def test_the_name_of_another_pools_landscape_is_taken(pool: Path, tmp_path: Path) -> None:
    ila.build(pool, out=tmp_path / "helpdesk", loss="none", projection="pca")
    other = write_jsonl(tmp_path / "other.jsonl", small_pool(5))
    with pytest.raises(UsageError, match=r"helpdesk is the name of a landscape of pool\.jsonl"):
        builds.start(tmp_path, "helpdesk", [str(other)], BuildSettings())
    assert process.look(tmp_path, "helpdesk").state == "done"
