"""Folders that are data sets: saved by `datasets`, laid out as on the Hub, put together by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zstandard
from pool_files import arrow, lines, outcome, table

from ila_core.errors import IlaError
from ila_core.pool.inputs import expand, unread
from ila_core.pool.reading import Reading

SHARDS = [
    [{"prompt": "Name a gull.", "completion": "Kittiwake."}],
    [{"prompt": "Name a tern.", "completion": "Arctic tern."},
     {"prompt": "Name an auk.", "completion": "Puffin."}],
]  # fmt: skip
QUESTIONS = [record["prompt"] for shard in SHARDS for record in shard]


def write(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def saved(folder: Path) -> Path:
    """As Dataset.save_to_disk leaves it; the order of the shards is in the state alone."""
    names = [f"data-0000{i}-of-00002.arrow" for i in (1, 0)]
    for name, shard in zip(names, SHARDS, strict=True):
        write(folder / name, arrow(shard))
    write(folder / "dataset_info.json", '{"features": {}}')
    write(folder / "state.json", json.dumps({"_data_files": [{"filename": n} for n in names]}))
    return folder


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ["pool.arrow", "pool.bin"])
def test_arrow_files_and_streams(tmp_path: Path, stream: bool, name: str) -> None:
    file = write(tmp_path / name, arrow(SHARDS[1], stream=stream))
    assert outcome(file) == QUESTIONS[1:]
    cut = write(tmp_path / "cut.arrow", file.read_bytes()[:-200])
    with pytest.raises(IlaError, match="it is not whole Arrow data"):
        outcome(cut)
    with pytest.raises(IlaError, match="is not Arrow, whatever its name says"):
        outcome(write(tmp_path / "no.arrow", b"{}"))


def test_what_datasets_has_saved(tmp_path: Path) -> None:
    assert outcome(saved(tmp_path / "one")) == QUESTIONS
    write(tmp_path / "two" / "dataset_dict.json", '{"splits": ["test", "train"]}')
    saved(tmp_path / "two" / "train")
    write(tmp_path / "two" / "test" / "state.json", '{"_data_files": [{"filename": "a.arrow"}]}')
    write(tmp_path / "two" / "test" / "a.arrow", arrow(SHARDS[0]))
    assert outcome(tmp_path / "two") == QUESTIONS
    assert [path.name for path in expand(tmp_path / "two", "test")] == ["a.arrow"]
    with pytest.raises(IlaError, match=r"has no split 'dev'; it has test, train: .*--split"):
        expand(tmp_path / "two", "dev")
    write(tmp_path / "two" / "dataset_dict.json", "[]")
    with pytest.raises(IlaError, match="is not what datasets writes"):
        expand(tmp_path / "two")


def test_shards_as_on_the_hub(tmp_path: Path) -> None:
    for i, shard in enumerate(SHARDS):
        write(tmp_path / "data" / f"train-0000{i}-of-00002.parquet", table(shard))
    write(tmp_path / "data" / "test-00000-of-00001.parquet", table(SHARDS[0]))
    write(tmp_path / "README.md", "A data set.")
    write(tmp_path / ".cache" / "train.parquet", b"?")
    write(tmp_path / "dataset_infos.json", "{}")
    reading = Reading(tmp_path)
    assert len(list(reading)) == reading.tally.read == reading.tally.kept == 3
    assert [path.name[:4] for path in expand(tmp_path, "test")] == ["test"]


def test_folders_without_splits(tmp_path: Path) -> None:
    for i, shard in enumerate(SHARDS):
        write(tmp_path / f"part-{i}.jsonl", lines(shard))
    assert outcome(tmp_path) == QUESTIONS
    write(tmp_path / "part-2.JSONL.zstd", zstandard.compress(lines(SHARDS[0])))
    assert outcome(tmp_path) == [*QUESTIONS, QUESTIONS[0]]
    with pytest.raises(IlaError, match="has no split 'train'"):
        expand(tmp_path, "train")


def test_splits_of_other_names(tmp_path: Path) -> None:
    for name in ("train_sft", "train_gen", "test_sft"):
        write(tmp_path / "data" / f"{name}-00000-of-00001.parquet", table(SHARDS[0]))
    for split, names in (("gen", ["train_gen"]), ("train_sft", ["train_sft"])):
        chosen = [path.name.partition("-")[0] for path in expand(tmp_path, split)]
        assert chosen == names


def test_folders_that_need_a_word_more(tmp_path: Path) -> None:
    with pytest.raises(IlaError, match=r"without a pool; name its files, .*/\*.jsonl"):
        expand(tmp_path)
    write(tmp_path / "main" / "train.parquet", table(SHARDS[0]))
    write(tmp_path / "socratic" / "train.parquet", table(SHARDS[1]))
    with pytest.raises(IlaError, match="holds several data sets, main, socratic; name the folder"):
        expand(tmp_path)
    assert outcome(tmp_path / "main") == QUESTIONS[:1]
    write(tmp_path / "main" / "train.jsonl", lines(SHARDS[0]))
    with pytest.raises(IlaError, match=r"several kinds, .jsonl, .parquet; name those of one"):
        expand(tmp_path / "main")
    write(tmp_path / "half" / "dev.jsonl", lines(SHARDS[0]))
    write(tmp_path / "half" / "test.jsonl", lines(SHARDS[0]))
    with pytest.raises(IlaError, match="has several splits; it has validation, test: choose one"):
        expand(tmp_path / "half")
    assert [path.name for path in expand(tmp_path / "half", "dev")] == ["dev.jsonl"]


# -- splits that are not read ---------------------------------------------------------------------


def saved_in_splits(folder: Path) -> Path:
    """As DatasetDict.save_to_disk leaves it: 3 records to train, 3 to test, and what is no set."""
    write(folder / "dataset_dict.json", '{"splits": ["train", "test", "extra"]}')
    for split in ("train", "test"):
        saved(folder / split)
    return folder


def test_the_other_splits_of_a_saved_data_set_are_told_with_their_records(tmp_path: Path) -> None:
    folder = saved_in_splits(tmp_path / "set")
    told = f"Of {folder} one split was read; the others hold "
    end = ": choose another with --split NAME."
    assert unread(folder) == [f"{told}test (3 records), extra{end}"]
    assert unread([folder], "test") == [f"{told}train (3 records), extra{end}"]
    assert unread(folder / "train") == [] == unread([folder / "train" / "state.json"])


@pytest.mark.parametrize("stream", [True, False])
def test_arrow_batches_are_counted_in_either_form(tmp_path: Path, stream: bool) -> None:
    folder = saved_in_splits(tmp_path / "set")
    write(folder / "extra" / "state.json", '{"_data_files": [{"filename": "a.arrow"}]}')
    write(folder / "extra" / "a.arrow", arrow(SHARDS[1], stream=stream))
    assert "extra (2 records)" in unread(folder)[0]
    write(folder / "extra" / "a.arrow", b"cut")
    assert "test (3 records), extra:" in unread(folder)[0]


def test_the_other_splits_of_shards_are_told_with_their_records(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000-of-00001.parquet", table(SHARDS[1]))
    assert unread(tmp_path) == []
    write(tmp_path / "data" / "test-00000-of-00001.parquet", table(SHARDS[0]))
    for i, shard in enumerate(SHARDS):
        write(tmp_path / "data" / f"validation-0000{i}-of-00002.parquet", table(shard))
    assert "test (1 record), validation (3 records): choose" in unread(tmp_path)[0]
    assert "test (1 record), train (2 records): choose" in unread(tmp_path, "validation")[0]
    write(tmp_path / "data" / "test-00000-of-00001.parquet", b"PAR1")
    assert "hold test, validation (3 records)" in unread(tmp_path)[0]


def test_splits_without_a_footer_are_told_by_name(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path / f"{split}.jsonl", lines(SHARDS[0]))
    assert "the others hold test: choose" in unread(tmp_path)[0]
    write(tmp_path / "flat" / "part.jsonl", lines(SHARDS[0]))
    assert unread(tmp_path / "flat") == []
