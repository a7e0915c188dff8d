"""What a pool is one of several of, and which of them is read unless another is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pool_files import lines, outcome, put, sheet, workbook

from ila_core.errors import IlaError
from ila_core.pool.inputs import expand
from ila_core.pool.settings import ReadSettings
from ila_core.pool.splits import Splits

ROWS = [["question", "answer"], ["Why?", "So."]]
PAIR = {"prompt": "Name a gull.", "completion": "Kittiwake."}


def saved(folder: Path, splits: list[str]) -> Path:
    """As DatasetDict.save_to_disk leaves it, the shards aside."""
    for split in splits:
        (folder / split).mkdir(parents=True)
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
        (folder / split / "state.json").write_text(json.dumps(state))
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": splits}))
    return folder


@pytest.mark.parametrize(
    ("splits", "start"),
    [(["test", "train"], "train"), (["dev", "test"], ""), (["test"], "test"), (["my"], "my")],
)
def test_the_splits_that_datasets_has_saved(tmp_path: Path, splits: list[str], start: str) -> None:
    folder = saved(tmp_path / "set", splits)
    assert Splits.of_folder(folder) == Splits("split", tuple(splits), start)
    for name in splits:
        assert [path.parent.name for path in expand(folder, name)] == [name]
    one = Splits.of_folder(folder / splits[0])
    assert one == Splits("split", (), "") and not one.several


def test_the_splits_of_a_folder_by_the_names_of_its_files(tmp_path: Path) -> None:
    put(tmp_path, lines(), "eval.jsonl")
    assert not Splits.of_folder(tmp_path).several
    put(tmp_path, lines(), "more.jsonl")
    assert Splits.of_folder(tmp_path).several and Splits.of_folder(tmp_path).start == ""
    put(tmp_path, lines(), "train-1.jsonl")
    assert Splits.of_folder(tmp_path) == Splits("split", ("test", "train"), "train")
    with pytest.raises(IlaError, match="without a pool"):
        Splits.of_folder(tmp_path.parent / "none")


@pytest.mark.parametrize("name", ["../other", "a/b", "/etc"])
def test_a_note_of_datasets_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    """It could name files anywhere, which a page then would have opened."""
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": [name]}))
    for look in (Splits.of_folder, expand):
        with pytest.raises(IlaError, match="is not what datasets writes"):
            look(tmp_path)
    (tmp_path / "dataset_dict.json").unlink()
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(IlaError, match="is not what datasets writes"):
        expand(tmp_path)


@pytest.mark.parametrize(
    ("text", "names", "start"),
    [
        ({"train": [PAIR], "test": [PAIR]}, ("train", "test"), "train"),
        ({"test": [PAIR], "train": [PAIR]}, ("test", "train"), ""),
        ({"train": [PAIR], "notes": [PAIR]}, ("train", "notes"), ""),
        ({"version": 1, "data": [PAIR]}, ("data",), "data"),
        ({"data": [PAIR, PAIR], "tags": ["a"]}, ("data",), "data"),
        ([PAIR], (), ""),
        ({**PAIR, "n": 1}, (), ""),
    ],
)
def test_the_lists_of_a_file(
    tmp_path: Path, text: object, names: tuple[str, ...], start: str
) -> None:
    file = put(tmp_path, json.dumps(text, indent=1).encode(), "pool.json")
    assert Splits.of_file(file) == Splits("list", names, start)
    if start:
        assert outcome(file) == outcome(file, ReadSettings(split=start))
    elif names:
        with pytest.raises(IlaError, match="which one is the pool is not clear"):
            outcome(file)


def test_of_a_text_that_breaks_off_the_lists_up_to_there(tmp_path: Path) -> None:
    whole = json.dumps({"train": [PAIR], "test": [PAIR, PAIR]}, indent=1).encode()
    file = put(tmp_path, whole[:-30], "pool.json")
    assert Splits.of_file(file).names == ("train", "test")


def test_the_sheets_of_a_workbook(tmp_path: Path) -> None:
    book = workbook(empty=[], pool=ROWS, rest=[["question", "answer"], ["Who?", "I."]])
    file = put(tmp_path, book, "pool.xlsx")
    assert Splits.of_file(file) == Splits("sheet", ("pool", "rest"), "pool")
    assert outcome(file) == ["Why?"] and outcome(file, ReadSettings(split="rest")) == ["Who?"]
    file = put(tmp_path, sheet([{"question": "Why?", "answer": "So."}]), "pool.csv")
    assert not Splits.of_file(file).several
