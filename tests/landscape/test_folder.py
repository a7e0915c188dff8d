"""A landscape on disk: read back, and every way in which it can be broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ila_core.errors import RunError
from ila_core.files import write_text
from ila_core.landscape.folder import (
    COLUMNS,
    FORMAT,
    Stamp,
    artifacts,
    open_run,
    pool_of,
    read_manifest,
    size_of,
    write_table,
)
from ila_core.paths import SAMPLE


def published(folder: Path, n: int = 3) -> Path:
    """Make a whole, if small, run folder by hand."""
    stage = folder / ".stages" / "landscape-k"
    stage.mkdir(parents=True)
    columns = {name: np.linspace(0, 1, n, dtype=np.float32) for name in COLUMNS}
    extra = {"tuned_loss": np.full(n, 2, np.float32)}
    domain = np.array([0, 1, 0], np.int32)[:n]
    write_table(stage / "landscape.parquet", columns | extra, domain, ["maths", "code"])
    np.save(stage / "embeddings.npy", np.eye(n, 4, dtype=np.float32))
    entries = {}
    for path in list(stage.iterdir()):
        (folder / path.name).hardlink_to(path)
        stamp = Stamp.of(path)
        entries[path.name] = {
            "stage": stage.name, "bytes": stamp.bytes, "sha256": stamp.sha256
        }  # fmt: skip
    manifest = {
        "format": FORMAT, "counts": {"kept": n}, "fingerprint": "f", "command": "ila build",
        "built": "today", "settings": {}, "inputs": [{"name": "p.jsonl", "sha256": "0"}],
        "notes": [], "stages": {}, "artifacts": entries,
    }  # fmt: skip
    write_text(folder / "manifest.json", json.dumps(manifest))
    return folder


def as_first_layout(run: Path) -> Path:
    """Make of a run folder what the program wrote before manifests named artifacts."""
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["artifacts"]
    write_text(run / "manifest.json", json.dumps(manifest | {"format": 1}))
    shutil.rmtree(run / ".stages")
    return run


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    landscape = open_run(published(tmp_path / "run"))
    assert len(landscape) == 3
    assert landscape.domain_names == ("maths", "code")
    assert landscape.domain.tolist() == [0, 1, 0]
    assert landscape.scores["tuned_loss"].tolist() == [2, 2, 2]
    assert landscape.vectors.shape == (3, 4)
    assert landscape.fingerprint == "f"


def _remove(name: str):
    """Remove a file and its stage's."""

    def harm(run: Path) -> None:
        for path in [run / name, *run.glob(f".stages/*/{name}")]:
            path.unlink()

    return harm


def _cut(name: str):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:40])


def _empty(name: str):
    return lambda run: (run / name).write_bytes(b"")


def _other_bytes(name: str):
    def harm(run: Path) -> None:
        data = bytearray((run / name).read_bytes())
        data[-1] ^= 1
        (run / name).write_bytes(bytes(data))

    return harm


def _without(entry: str):
    def harm(run: Path) -> None:
        manifest = json.loads((run / "manifest.json").read_text())
        write_text(run / "manifest.json", json.dumps(manifest | {entry: None}))

    return harm


def _newer(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    write_text(run / "manifest.json", json.dumps(manifest | {"format": 99}))


def _elsewhere(entry: str, name: str = "landscape.parquet"):
    """Let a manifest name a file outside its folder, whole as it is."""

    def harm(run: Path) -> None:
        shutil.copy(run / "landscape.parquet", run.parent / "landscape.parquet")
        manifest = json.loads((run / "manifest.json").read_text())
        files = manifest["artifacts"]
        files[name] = files.pop("landscape.parquet") | {"stage": entry}
        shutil.rmtree(run / ".stages")
        (run / "landscape.parquet").unlink()
        write_text(run / "manifest.json", json.dumps(manifest))

    return harm


def _other_count(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    write_text(run / "manifest.json", json.dumps(manifest | {"counts": {"kept": 4}}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_remove("manifest.json"), "half there"),
        (_remove("landscape.parquet"), "damaged"),
        (_remove("embeddings.npy"), "damaged"),
        (_cut("manifest.json"), "damaged"),
        (_cut("landscape.parquet"), "damaged"),
        (_cut("embeddings.npy"), "damaged"),
        (_empty("manifest.json"), "damaged"),
        (_empty("landscape.parquet"), "landscape.parquet is not what it was"),
        (_empty("embeddings.npy"), "embeddings.npy is not what it was"),
        (_other_bytes("landscape.parquet"), "landscape.parquet is not what it was"),
        (_other_bytes("embeddings.npy"), "embeddings.npy is not what it was"),
        (_without("settings"), "'settings'"),
        (_without("artifacts"), "'artifacts'"),
        (_without("inputs"), "'inputs'"),
        (_without("counts"), "'counts'"),
        (_elsewhere("../.."), "its entry on landscape.parquet is broken"),
        (_elsewhere("x", "../landscape.parquet"), "its entry on ../landscape.parquet is broken"),
        (_newer, "newer version"),
        (_other_count, "counts 4 records"),
    ],
)
def test_a_broken_run_folder_is_told_in_one_sentence(tmp_path: Path, harm, message: str) -> None:
    run = published(tmp_path / "run")
    harm(run)
    with pytest.raises(RunError, match=message) as caught:
        open_run(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("landscape.parquet", "landscape.parquet is not whole Parquet"),
        ("embeddings.npy", "embeddings.npy is no array"),
    ],
)
def test_a_file_of_the_first_layout_that_is_no_such_file(
    tmp_path: Path, name: str, message: str
) -> None:
    run = as_first_layout(published(tmp_path / "run"))
    (run / name).write_bytes(b"")
    with pytest.raises(RunError, match=message):
        open_run(run)


def test_a_folder_that_is_not_there_or_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="no landscape"):
        open_run(tmp_path)


def test_hard_links_are_counted_once(tmp_path: Path) -> None:
    first = tmp_path / "a"
    first.write_bytes(b"x" * 100)
    (tmp_path / "b").hardlink_to(first)
    assert size_of(tmp_path) == 100


def test_a_folder_that_was_copied_without_its_stages_is_read_by_its_public_files(
    tmp_path: Path,
) -> None:
    run = published(tmp_path / "run")
    before = open_run(run)
    shutil.rmtree(run / ".stages")
    again = open_run(run)
    assert np.array_equal(again.depth, before.depth) and len(again) == 3
    assert set(artifacts(run, read_manifest(run)).values()) == {
        run / "landscape.parquet",
        run / "embeddings.npy",
    }


def test_public_files_of_another_build_are_not_taken_for_those_of_the_manifest(
    tmp_path: Path,
) -> None:
    run, other = published(tmp_path / "run"), published(tmp_path / "other")
    columns = {name: np.linspace(1, 2, 3, dtype=np.float32) for name in COLUMNS}
    write_table(other / "new", columns, np.zeros(3, np.int32), ["all"])
    (other / "new").replace(run / "landscape.parquet")
    assert open_run(run).depth.tolist() == [0, 0.5, 1]
    shutil.rmtree(run / ".stages")
    with pytest.raises(RunError, match=r"landscape\.parquet is not what it was"):
        open_run(run)


def test_a_folder_of_the_first_layout_still_opens(tmp_path: Path) -> None:
    assert len(open_run(as_first_layout(published(tmp_path / "run")))) == 3
    assert (
        len(open_run(SAMPLE / "landscape")) == read_manifest(SAMPLE / "landscape")["counts"]["kept"]
    )


def test_the_pool_of_a_folder_is_told_with_repetitions_and_in_order(tmp_path: Path) -> None:
    assert pool_of(tmp_path) is None
    run = published(tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text())
    files = [{"name": name, "sha256": name[0] * 3} for name in ("b.jsonl", "a.jsonl", "b.jsonl")]
    write_text(run / "manifest.json", json.dumps(manifest | {"inputs": files}))
    assert pool_of(run) == [("bbb", "b.jsonl"), ("aaa", "a.jsonl"), ("bbb", "b.jsonl")]
