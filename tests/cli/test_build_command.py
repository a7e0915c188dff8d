"""`ila build`: what it tells, and what it never overwrites."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import cli
from conftest import small_pool, write_jsonl
from pool_files import table

MADE = ("records.parquet", "rejects.jsonl", "embeddings.npy", "landscape.parquet")


def test_build_tells_what_was_rejected(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(40))
    with pool.open("a") as stream:
        stream.write('{"instruction": {"n": 5}}\nnot json\n')
    told = cli("build", pool, "--out", tmp_path / "run", "--projection", "pca").stderr
    assert "40 of 42 records" in told and "2 rejected" in told
    assert len((tmp_path / "run" / "rejects.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("image.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        ("page.html", b"<!doctype html><html><body>hi</body></html>"),
        ("deep.json", b"[" * 100_000),
    ],
)
def test_a_file_without_a_record_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = cli("build", tmp_path / name, "--out", tmp_path / "run", code=1)
    assert name in done.stderr


@pytest.mark.parametrize(
    "file",
    ["manifest.json", "records.parquet", "embeddings.npy", "landscape.parquet", "rejects.jsonl"],
)
@pytest.mark.parametrize("harm", ["cut", "garbage", "remove"])
def test_a_damaged_landscape_is_told_and_the_same_build_mends_it(
    pool: Path, run: Path, tmp_path: Path, file: str, harm: str
) -> None:
    broken = tmp_path / "run"
    build = ("build", pool, "--out", broken, "--projection", "pca")
    shutil.copytree(run, broken)
    whole = {name: (run / name).read_bytes() for name in MADE}
    part = broken / file
    for stage in broken.glob(f".stages/*/{file}"):  # linked, as the build leaves them
        part.unlink()
        part.hardlink_to(stage)
    if harm == "remove":
        part.unlink()
    else:  # in place, so that the stage's file is damaged with the public one
        part.write_bytes(part.read_bytes()[:-9] if harm == "cut" else b"\xff\0" * 50)
    commands = [("info", broken), ("select", broken, "--budget", 5, "--out", tmp_path / "s.jsonl")]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "ila_core.cli", *map(str, command)],
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr and done.returncode in (0, 1)
    cli(*build)
    assert {name: (broken / name).read_bytes() for name in MADE} == whole
    cli("select", broken, "--budget", 5)


def test_a_damaged_manifest_still_guards_its_pool(pool: Path, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    (broken / "manifest.json").write_text("{")
    other = write_jsonl(tmp_path / "other.jsonl", small_pool(20))
    told = cli("build", other, "--out", broken, "--projection", "pca", code=1).stderr
    assert "another pool" in told and (broken / "manifest.json").read_text() == "{"


def test_a_pool_that_grew_is_another_pool(pool: Path, run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    grown = tmp_path / "pool.jsonl"
    grown.write_bytes(pool.read_bytes() + b'{"instruction": "One more?", "output": "Yes."}\n')
    told = cli("build", grown, "--out", copy, "--projection", "pca", code=1).stderr
    assert "another pool, or of an earlier state of this one (pool.jsonl)" in told
    cli("select", copy, "--budget", 5)


def test_splits_that_are_not_read_are_told_before_and_after(tmp_path: Path) -> None:
    for split, records in (("train", small_pool(40)), ("test", small_pool(9))):
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / f"{split}-00000-of-00001.parquet").write_bytes(table(records))
    told = "the others hold test (9 records): choose another with --split NAME."
    assert told in cli("doctor", tmp_path / "set").stdout
    run = tmp_path / "run"
    made = cli("build", tmp_path / "set", "--out", run, "--projection", "pca").stderr
    assert f"note: Of {tmp_path / 'set'} one split was read; {told}" in made
    assert told in " ".join(cli("info", run).stdout.split())
