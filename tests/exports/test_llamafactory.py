"""The entry that LLaMA-Factory needs to read an exported file."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.errors import IlaError
from ila_core.exports.llamafactory import dataset_entry, read_register, register

TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user",
        "assistant_tag": "assistant", "system_tag": "system"}  # fmt: skip
SPOKEN = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
TOLD = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]


@pytest.mark.parametrize(
    ("record", "mapping", "columns", "tags"),
    [
        ({"instruction": "a", "output": "b", "ask": "c", "reply": "d"},
         "instruction=ask,response=reply", {"prompt": "ask", "response": "reply"}, None),
        ({"instruction": "a", "context": "b", "response": "c"}, "",
         {"prompt": "instruction", "query": "context", "response": "response"}, None),
        ({"question": "a", "solution": "b", "answer": "c"}, "",
         {"prompt": "question", "response": "solution"}, None),
        ({"input": "a", "output": "b"}, "", {"prompt": "input", "response": "output"}, None),
        ({"messages": SPOKEN, "tools": "[x]"}, "", {"messages": "messages", "tools": "tools"},
         TAGS),
        ({"messages": TOLD}, "", {"messages": "messages"}, None),
        ({"conversations": SPOKEN}, "", {"messages": "conversations"}, TAGS),
        ({"chat": SPOKEN}, "messages=chat", {"messages": "chat"}, TAGS),
    ],
)  # fmt: skip
def test_dataset_info_names_the_fields_that_were_read(
    tmp_path: Path, record: dict[str, object], mapping: str, columns: object, tags: object
) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", [record] * 4)
    landscape = ila.build(pool, out=tmp_path / "run", projection="pca", loss="none", map=mapping)
    entry = dataset_entry(ila.select(landscape, budget=2), "best.jsonl", "jsonl")
    assert entry["columns"] == columns and entry.get("tags") == tags


def test_preference_pairs_are_no_data_set_for_supervised_tuning(tmp_path: Path) -> None:
    record = {"prompt": "a", "chosen": "b", "rejected": "c"}
    pool = write_jsonl(tmp_path / "pool.jsonl", [record] * 4)
    landscape = ila.build(pool, out=tmp_path / "run", projection="pca", loss="none")
    with pytest.raises(IlaError, match="no format for fields chosen, prompt, rejected"):
        dataset_entry(ila.select(landscape, budget=2), "best.jsonl", "jsonl")


def test_a_register_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "dataset_info.json"
    assert read_register(path) == {}
    register(tmp_path / "one.jsonl", {}, {"file_name": "one.jsonl"})
    register(tmp_path / "two.jsonl", read_register(path), {"file_name": "two.jsonl"})
    assert list(read_register(path)) == ["one", "two"]
    path.write_text("[]")
    with pytest.raises(IlaError, match="holds no JSON object"):
        read_register(path)
