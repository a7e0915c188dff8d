"""What tells one state of a model from another."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ila_core import identity as module
from ila_core.identity import commit, identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder, as far as its identity goes."""
    model = tmp_path / "model"
    (model / "1_Pooling").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "1_Pooling" / "config.json").write_text('{"dim": 3}')
    return model


def test_a_copy_is_the_same_and_an_edit_is_not(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    assert identity(str(copy)) == identity(str(folder))
    for path, edit in (("model.safetensors", b"Weights"), ("1_Pooling/config.json", b"{}")):
        changed = tmp_path / path.replace("/", "-")
        shutil.copytree(folder, changed)
        (changed / path).write_bytes(edit)
        assert identity(str(changed)) != identity(str(folder))
    (copy / "config.json").rename(copy / "settings.json")
    assert identity(str(copy)) != identity(str(folder))


def test_notes_and_hidden_files_are_no_part_of_a_model(folder: Path) -> None:
    before = identity(str(folder))
    (folder / "README.md").write_text("a note")
    (folder / ".git").mkdir()
    (folder / ".git" / "index").write_text("of another clone")
    assert identity(str(folder)) == before


def test_of_a_large_file_every_whole_tensor_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("WHOLE", 64), ("STRIDE", 32), ("BLOCK", 8)):
        monkeypatch.setattr(module, name, size)
    weights = bytearray(range(200))
    (folder / "model.safetensors").write_bytes(weights)
    before = identity(str(folder))
    for start in (0, 1, 50, 100, 168):  # a tensor of 32 bytes, trained
        trained = weights[:start] + bytes(32) + weights[start + 32 :]
        (folder / "model.safetensors").write_bytes(trained)
        assert identity(str(folder)) != before
    (folder / "model.safetensors").write_bytes(weights[:-1])
    assert identity(str(folder)) != before


def test_an_adapter_is_told_by_its_base_too(folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    described = json.dumps({"base_model_name_or_path": str(folder)})
    (adapter / "adapter_config.json").write_text(described)
    before = identity(str(adapter))
    assert before["base"] == identity(str(folder))
    (folder / "model.safetensors").write_bytes(b"others")
    assert identity(str(adapter)) != before


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text("{}")
    two.write_text("{}")
    assert identity(str(one)) == identity(str(two))
    two.write_text("[]")
    assert identity(str(one)) != identity(str(two))


def test_a_hub_model_is_told_by_the_commit_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the hub's library lays them out: refs name a commit, snapshots hold its files."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    first, second = "a" * 40, "b" * 40
    cached = tmp_path / "models--somebody--model"
    for sha in (first, second):
        (cached / "snapshots" / sha).mkdir(parents=True)
        (cached / "snapshots" / sha / "config.json").write_text("{}")
        (cached / "refs").mkdir(exist_ok=True)
        (cached / "refs" / "main").write_text(sha)
        assert identity("somebody/model") == {"model": "somebody/model", "commit": sha}
    assert commit("somebody/other") is None
