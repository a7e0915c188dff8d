"""Run folders in a bucket, against a server that speaks S3."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import cli
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.landscape.buckets import fetched, folder_of, sent
from ila_core.pool.remote import Place

RUN = "s3://pools/maps/run"
pytest_plugins = ["buckets"]


@pytest.fixture
def place(bucket: Any) -> Place:
    """An empty folder of the bucket."""
    bucket.delete_dir_contents("pools", missing_dir_ok=True)
    return Place.of(RUN)


def names(place: Place) -> list[str]:
    from pyarrow.fs import FileSelector, FileType

    found = place.files.get_file_info(FileSelector(place.path, recursive=True))
    return sorted(Path(one.path).name for one in found if one.type == FileType.File)


def put(run: Path) -> Path:
    """Send a landscape that is finished; return its folder in the cache."""
    folder = folder_of(RUN)
    shutil.copytree(run, folder)
    sent(RUN)
    return folder


def made(pool: Path, **options: Any) -> ila.Landscape:
    return ila.build(pool, out=RUN, projection="pca", loss="none", **options)


def test_a_run_is_built_sent_and_fetched(place: Place, pool: Path) -> None:
    landscape = made(pool)
    assert names(place) == ["embeddings.npy", "landscape.parquet", "manifest.json",
                            "records.parquet", "rejects.jsonl"]  # fmt: skip
    assert landscape.manifest["command"].endswith(f"--out {RUN} --projection pca --loss none")
    shutil.rmtree(folder_of(RUN))
    again = ila.open(RUN)
    np.testing.assert_array_equal(again.xy, landscape.xy)
    assert list(again.records.instructions()) == list(landscape.records.instructions())


def test_commands_take_its_address(place: Place, run: Path) -> None:
    put(run)
    shutil.rmtree(folder_of(RUN))
    told = cli("select", RUN, "--budget", "5", "--json")
    assert json.loads(told.stdout)["rows"] == 5
    assert f"Fetching {RUN}" in told.stderr
    assert "Fetching" not in cli("verify", RUN).stderr


def test_what_has_changed_is_fetched_anew(place: Place, pool: Path, tmp_path: Path) -> None:
    made(pool)
    folder = fetched(RUN)
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    moved = made(pool, seed=3, domains="column:topic")
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    said: list[str] = []
    assert fetched(RUN, say=said.append) == folder
    assert len(said) == 1
    assert ila.open(RUN).domain_names == moved.domain_names
    assert len([name for name in names(place) if name == "landscape.parquet"]) == 1


def test_records_are_added_to_a_run_in_a_bucket(place: Place, run: Path, tmp_path: Path) -> None:
    put(run)
    shutil.rmtree(folder_of(RUN))
    new = write_jsonl(tmp_path / "new.jsonl", small_pool(64)[60:])
    ila.add(RUN, new)
    shutil.rmtree(folder_of(RUN))
    assert len(ila.open(RUN)) == 64


def test_a_run_that_is_half_there_is_not_seen(place: Place, run: Path) -> None:
    put(run)
    folder = folder_of(RUN)
    shutil.rmtree(folder)
    manifest = json.loads(place.read("manifest.json"))
    stage = manifest["artifacts"]["records.parquet"]["stage"]
    whole = place.read(f".stages/{stage}/records.parquet")
    cut = folder.parent / "cut"
    cut.write_bytes(whole[:-1])
    place.send(cut, f".stages/{stage}/records.parquet")
    with pytest.raises(RunError, match=r"changed meanwhile \(records.parquet is not what"):
        ila.open(RUN)
    assert not (folder / "manifest.json").exists()


def test_a_manifest_that_leads_out_of_the_folder_is_refused(place: Place, run: Path) -> None:
    put(run)
    manifest = json.loads(place.read("manifest.json"))
    manifest["artifacts"]["records.parquet"]["stage"] = ".."
    text = folder_of(RUN).parent / "text"
    text.write_text(json.dumps(manifest))
    place.send(text, "manifest.json")
    with pytest.raises(RunError, match=r"manifest\.json that is damaged"):
        fetched(RUN)


def test_another_pool_does_not_take_its_place(place: Place, run: Path, tmp_path: Path) -> None:
    put(run)
    shutil.rmtree(folder_of(RUN))
    with pytest.raises(RunError, match="holds the landscape of another pool"):
        made(write_jsonl(tmp_path / "other.jsonl", small_pool(30)))


def test_what_is_not_there_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=f"{RUN} is no landscape"):
        ila.open(RUN)
    with pytest.raises(UsageError, match="names no folder in a bucket; write s3://BUCKET/RUN"):
        ila.open("s3://pools")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(IlaError, match=f"{RUN} cannot be read"):
        ila.open(RUN)


def test_a_path_is_no_address(pool: Path) -> None:
    with pytest.raises(UsageError, match="an address in a bucket is a text"):
        ila.build(pool, out=Path(RUN))
