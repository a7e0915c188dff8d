"""Named selections on disk: whole, checked, and under safe names only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila_core.errors import DamagedError, IlaError, RunError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine
from ila_core.mine.shelf import Shelf, as_dict, checked, from_dict, is_name

POOL = Landscape.from_arrays([[0, 0], [1, 1], [2, 2]], fingerprint="here", tokens=[1, 2, 3])
MINE = Mine("best").pin([2]).exclude([0]).choose_only("tokens=1..").ask("tokens:2..=..1").of(POOL)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf.of(tmp_path)


def test_what_is_saved_is_read_back(shelf: Shelf) -> None:
    assert shelf.names() == []
    saved = shelf.save(MINE)
    assert saved.made and shelf.read("best", POOL) == saved
    assert saved.content == MINE.content and shelf.names() == ["best"]


rows = st.lists(st.integers(0, 2), unique=True, max_size=3)


@given(pinned=rows, excluded=rows, name=st.sampled_from(["a", "名前", "my best 2", "it's (v2)"]))
def test_a_file_holds_all_of_it(pinned: list[int], excluded: list[int], name: str) -> None:
    mine = Mine(name).pin(pinned).exclude(excluded).of(POOL)
    text = json.loads(json.dumps(as_dict(mine)))
    assert from_dict(text, POOL, Path("x.json")) == mine


def test_a_name_that_is_taken_is_kept_or_replaced_as_asked(shelf: Shelf) -> None:
    shelf.save(MINE, new=True)
    with pytest.raises(UsageError, match="There is a selection named 'best' already"):
        shelf.save(MINE.pin([1]), new=True)
    assert shelf.read("best", POOL).pinned == (2,)
    shelf.save(MINE.pin([1]))
    assert shelf.read("best", POOL).pinned == (2, 1)


def test_it_is_renamed_and_deleted(shelf: Shelf) -> None:
    shelf.save(MINE)
    shelf.save(replace(MINE, name="other"))
    with pytest.raises(UsageError, match="already"):
        shelf.rename("best", "other", POOL)
    assert shelf.rename("best", "better", POOL).content == MINE.content
    assert shelf.names() == ["better", "other"]
    shelf.delete("better")
    assert shelf.names() == ["other"]
    with pytest.raises(UsageError, match="no selection named 'better' to delete"):
        shelf.delete("better")
    with pytest.raises(UsageError, match=r"no selection named 'better'.*there are other"):
        shelf.read("better", POOL)


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a.", "~token", "a\nb", "a\0b", "con:",
     "x" * 121, "é" * 61, "-x", "a*"],
)  # fmt: skip
def test_a_name_can_lead_nowhere_else(shelf: Shelf, name: str) -> None:
    for door in (shelf.path, lambda name: shelf.read(name, POOL), shelf.delete):
        with pytest.raises(UsageError, match="A selection cannot be named"):
            door(name)
    with pytest.raises(UsageError):
        shelf.save(replace(MINE, name=name))


@given(text=st.text(max_size=20))
def test_every_name_that_is_taken_is_one_file_of_the_folder(text: str) -> None:
    try:
        name = checked(text)
    except UsageError:
        return
    path = Shelf(Path("/somewhere")).path(name)
    assert path.parent == Path("/somewhere") and path.stem == name and is_name(name)


def test_another_pools_selection_is_refused(shelf: Shelf) -> None:
    shelf.save(MINE)
    other = Landscape.from_arrays([[0, 0]], fingerprint="there")
    with pytest.raises(RunError, match=r"selection of another pool, of 3 records; this one has 1"):
        shelf.read("best", other)


def test_one_of_a_newer_program_is_refused(shelf: Shelf) -> None:
    path = shelf.path("best")
    path.parent.mkdir()
    path.write_text(json.dumps({**as_dict(MINE), "format": 2, "ila": "9.9"}))
    with pytest.raises(RunError, match=r"newer program \(ila 9.9\); update ila"):
        shelf.read("best", POOL)


DAMAGES: list[tuple[str, object]] = [
    ("pinned", [7]), ("pinned", [-1]), ("pinned", [True]), ("pinned", ["2"]), ("pinned", 2),
    ("pinned", [0]), ("excluded", None), ("only", ["nonsense"]), ("quotas", ["nonsense"]),
    ("only", [3]), ("name", 3), ("records", "many"), ("format", None), ("format", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), DAMAGES)
def test_a_damaged_file_is_told_in_a_sentence(shelf: Shelf, field: str, value: object) -> None:
    shelf.save(MINE)
    path = shelf.path("best")
    path.write_text(json.dumps({**as_dict(MINE), field: value}))
    with pytest.raises(DamagedError, match="is damaged") as told:
        shelf.read("best", POOL)
    assert str(path) in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 10_000])
def test_a_file_that_is_no_json_is_told_in_a_sentence(shelf: Shelf, content: bytes) -> None:
    shelf.folder.mkdir()
    shelf.path("best").write_bytes(content)
    with pytest.raises(DamagedError, match="is no JSON object"):
        shelf.read("best", POOL)
    assert shelf.names() == ["best"]


@given(part=st.floats(0, 1, exclude_max=True))
def test_half_a_file_is_never_taken_for_a_whole_one(part: float) -> None:
    text = json.dumps(as_dict(MINE))
    try:
        values = json.loads(text[: int(part * len(text))])
    except ValueError:
        return
    with pytest.raises(IlaError):
        from_dict(values, POOL, Path("x.json"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IlaError, match="cannot be written"):
        Shelf(tmp_path / "file").save(MINE)


def test_strangers_in_the_folder_are_no_selections(shelf: Shelf) -> None:
    shelf.save(MINE)
    for name in ("~AAAAAAAAAAAAAAAAAAAAAA.json", ".best.json.part", "notes.txt"):
        (shelf.folder / name).write_text("{}")
    assert shelf.names() == ["best"]
