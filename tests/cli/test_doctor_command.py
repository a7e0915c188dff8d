"""`ila doctor`: what is installed, and what a build would take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import cli
from conftest import write_jsonl

from ila_core.cli import main
from ila_core.paths import ASSETS
from ila_core.space import encoders, shipped


def test_doctor_tells_what_is_there_and_what_a_build_takes(pool: Path) -> None:
    shown = cli("doctor", pool).stdout
    assert "60 records" in shown and "encoder" in shown
    found = json.loads(cli("doctor", "--json").stdout)
    assert found["estimate"] is None and "multilingual, 512 dimensions" in found["found"]["encoder"]


@pytest.mark.parametrize("name", ["static", "multilingual"])
def test_doctor_finds_a_shipped_encoder_that_is_damaged(
    pool: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    broken = {"static": "encoder"}.get(name, name)
    if name == "static":  # another file in its place; of the other one there is none
        (tmp_path / broken).mkdir()
        for file in shipped.SHA256[broken]:
            (tmp_path / broken / file).write_text("another")

    def found(folder: str) -> Path:
        return shipped.shipped(folder, tmp_path if folder == broken else ASSETS)

    monkeypatch.setattr(encoders, "shipped", found)
    assert main(["doctor", str(pool), "--encoder", "static"]) == (1 if name == "static" else 0)
    shown = capsys.readouterr()
    assert f"{name} is missing or damaged: install the program again" in shown.out
    assert ("is not the file that came" in shown.err) == (name == "static")


def test_doctor_takes_the_options_of_build(pool: Path) -> None:
    told = cli("doctor", pool, "--projection", "mds", code=2).stderr
    assert told == (
        "ila: Unknown projection 'mds'; choose auto, umap, quick-umap, landmarks, tsne, pca or "
        "columns:X,Y.\n"
    )


def test_a_report_has_versions_settings_and_the_error_and_nothing_of_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_LABELS_API_KEY", "sk-secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    pool = write_jsonl(tmp_path / "private.jsonl", [{"ask": "My diary (of 1999)", "x": "'s mine"}])
    cli("build", pool, "--out", tmp_path / "run", code=1)
    told = cli("doctor", "--report", tmp_path / "run").stdout
    assert "holds no usable record: the first, in line 1, is a reject, unknown format …" in told
    assert "no finished build" in told and "scikit-learn" in told and "failed" in told
    for private in ("diary", "1999", "mine", "secret", str(tmp_path)):
        assert private not in told
    found = json.loads(cli("doctor", "--report", "--json").stdout)
    assert (found["ILA_LABELS_API_KEY"], found["OMP_NUM_THREADS"]) == ("(set)", "2")
    assert "is no folder" in cli("doctor", "--report", tmp_path / "gone", code=1).stderr


def test_a_report_tells_the_settings_that_were_turned(run: Path) -> None:
    told = json.loads(cli("doctor", "--report", run, "--json").stdout)
    assert told["--projection"] == "pca" and told["records kept"] == "60"
    assert told["state"] == "done" and not told["last error"]
