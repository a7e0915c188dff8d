"""Bits that flip, files that are cut or another landscape's: told or mended, never read.

ILA_FAULTS=200 tries as many flipped bits, and a tenth as many files cut and swapped.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import cli
from conftest import small_pool, write_jsonl

import ila_core as ila
from faults.counts import FAULTS, count
from ila_core import hashes
from ila_core.errors import RunError
from ila_core.landscape.folder import verify

SOME = max(6, FAULTS // 10)
"""How many files are cut, and how many swapped."""
NAMES = ("records.parquet", "embeddings.npy", "landscape.parquet")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two landscapes of two pools whose files are as long, or nearly."""
    folder = tmp_path_factory.mktemp("two")
    for name, records in (("one", small_pool(60)), ("other", small_pool(60)[::-1])):
        pool = write_jsonl(folder / f"{name}.jsonl", records)
        ila.build(pool, out=folder / name, projection="pca")
    return folder / "one", folder / "other"


@pytest.fixture
def run(two: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(two[0], tmp_path / "run"))


def places(run: Path) -> list[Path]:
    """Every file of a landscape that is in a manifest, both copies of it."""
    return [run / name for name in NAMES] + [
        place for name in NAMES for place in run.glob(f".stages/*/{name}")
    ]


def same(one: ila.Landscape, other: ila.Landscape) -> bool:
    return (
        one.xy.tobytes() == other.xy.tobytes()
        and one.depth.tobytes() == other.depth.tobytes()
        and np.asarray(one.vectors).tobytes() == np.asarray(other.vectors).tobytes()
        and list(one.records.originals()) == list(other.records.originals())
    )


def harmed_in(run: Path) -> set[Path]:
    """The files that are not as their manifest says."""
    return {run / file.name for file in verify(run) if file.state != "whole"}


def opened(run: Path) -> ila.Landscape | None:
    try:
        return ila.open(run)
    except RunError:
        return None


def test_both_copies_have_bytes_of_their_own(run: Path) -> None:
    copies = places(run)
    assert len(copies) == 6 and len({path.stat().st_ino for path in copies}) == 6
    assert [file.state for file in verify(run)].count("whole") >= 6


def test_a_flipped_bit_is_told_or_goes_unread_and_building_again_mends_it(
    two: tuple[Path, Path], run: Path
) -> None:
    whole, chance = ila.open(two[0]), np.random.default_rng(0)
    files = places(run)
    for number in range(FAULTS):
        file = files[number % len(files)]
        before = file.read_bytes()
        both = [file]
        if number % 2:  # the other copy too
            both = [path for path in files if path.name == file.name]
        bit = int(chance.integers(8 * len(before)))
        harmed = bytearray(before)
        harmed[bit // 8] ^= 1 << bit % 8
        for path in both:
            path.write_bytes(harmed)
        found = opened(run)
        assert (found is None) if len(both) > 1 else same(found, whole)
        assert harmed_in(run) == set(both)
        count("flipped bits")
        for path in both:
            path.write_bytes(before)
    assert "is whole" in cli("verify", run).stderr


def test_building_again_mends_what_is_damaged(two: tuple[Path, Path], run: Path) -> None:
    whole = ila.open(two[0])
    for file in places(run):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 8
        file.write_bytes(data)
    assert opened(run) is None
    ila.build(two[0].parent / "one.jsonl", out=run, projection="pca")
    assert same(ila.open(run), whole)
    assert all(file.state == "whole" for file in verify(run))


def test_another_landscapes_file_is_not_taken_for_its_own(
    two: tuple[Path, Path], run: Path
) -> None:
    """Either copy of it, or both, which by the length alone could be its own."""
    whole = ila.open(two[0])
    for number in range(SOME):
        name = NAMES[number % len(NAMES)]
        copies = [path for path in places(run) if path.name == name]
        before = copies[0].read_bytes()
        swapped = [copies[:1], copies[1:], copies][number // len(NAMES) % 3]
        for place in swapped:
            shutil.copy(two[1] / name, place)
        found = opened(run)
        assert found is None if swapped == copies else same(found, whole)
        assert harmed_in(run) == set(swapped)
        for place in copies:
            place.write_bytes(before)
        count("files swapped with another landscape's")
    assert same(ila.open(run), whole)


def test_a_file_that_is_cut_is_told_or_goes_unread(two: tuple[Path, Path], run: Path) -> None:
    whole, chance = ila.open(two[0]), np.random.default_rng(1)
    for number in range(SOME):
        name = NAMES[number % len(NAMES)]
        copies = [path for path in places(run) if path.name == name]
        before = copies[0].read_bytes()
        cut = copies[: 1 + number // len(NAMES) % 2]
        for place in cut:
            place.write_bytes(before[: int(chance.integers(len(before)))])
        found = opened(run)
        assert found is None if cut == copies else same(found, whole)
        assert harmed_in(run) == set(cut)
        for place in copies:
            place.write_bytes(before)
        count("files cut")


def test_what_a_newer_program_wrote_is_told_as_that(run: Path) -> None:
    """Not taken at its word, not called damaged, and no build makes it anew without being asked."""
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    (run / "manifest.json").write_text(json.dumps(manifest | {"format": 99}), encoding="utf-8")
    newer = (run / "manifest.json").read_bytes()
    pool = run.parent / "pool.jsonl"
    write_jsonl(pool, small_pool(60))
    out = run.parent / "chosen.jsonl"
    for words in (
        ["select", run, "--budget", 9, "--out", out], ["verify", run], ["add", run, pool],
        ["build", pool, "--out", run],
    ):  # fmt: skip
        told = cli(*words, code=1).stderr
        assert "was written by a newer version of ILA (layout 99" in told, words[0]
        count("commands on a newer landscape")
    assert not out.exists() and (run / "manifest.json").read_bytes() == newer
    assert all(path.read_bytes() == told for path, told in before.items()
               if path.name not in ("manifest.json", "progress.json"))  # fmt: skip


def test_a_large_file_is_read_once_and_again_when_it_changed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "READ_AGAIN", 0)
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    files = places(run)
    for file in files:
        os.utime(file, (1, 1))  # its change time is now, and not yet trusted
    assert opened(run) is not None
    monkeypatch.setattr(hashes, "_SETTLED", -1.0)
    assert opened(run) is not None
    read: list[str] = []
    plain = hashes.hash_file

    def noted(path: str | Path) -> str:
        read.append(Path(path).name)
        return plain(path)

    monkeypatch.setattr(hashes, "hash_file", noted)
    assert opened(run) is not None and read == []
    monkeypatch.setattr(hashes, "_known", {})  # as another process has it
    assert opened(run) is not None and read == []
    for file in (path for path in files if path.name == "embeddings.npy"):
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
    assert opened(run) is None and set(read) == {"embeddings.npy"}
