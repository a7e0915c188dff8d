"""The entry that LLaMA-Factory needs to read an exported file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.errors import IlaError
from ila_core.exports.llamafactory import dataset_entry, read_register, register, remarks
from ila_core.pool.ingest import ingest
from ila_core.pool.settings import ReadSettings
from ila_core.selection.selection import Selection

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
    entry = entry_for(tmp_path, [record], map=mapping)
    assert entry["columns"] == columns and entry.get("tags") == tags


def chosen_from(tmp_path: Path, records: list[dict[str, Any]], map: str = "") -> Selection:
    """All records of a pool, selected."""
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    read = ingest(pool, out=tmp_path / "run", settings=ReadSettings(map), require_response=False)
    places = np.arange(2 * len(read)).reshape(-1, 2)
    landscape = ila.Landscape.from_arrays(places, depth=np.arange(len(read)), records=read)
    return ila.select(landscape, budget=len(read))


def entry_for(
    tmp_path: Path, records: list[dict[str, Any]], format: str = "jsonl", map: str = ""
) -> dict[str, Any]:
    return dataset_entry(chosen_from(tmp_path, records * 4, map), "best.jsonl", format)


CALL = [{"function": {"name": "f", "arguments": "{}"}}]
CALLED = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": None, "tool_calls": CALL},
    {"role": "tool", "content": "7"},
    {"role": "tool", "content": "8"},
    {"role": "assistant", "content": "Hello"},
]
OBSERVED = [
    {"from": "human", "value": "Hi"}, {"from": "function_call", "value": "f()"},
    {"from": "observation", "value": "7"}, {"from": "gpt", "value": "Hello"},
]  # fmt: skip
NAMED = [{"from": "user", "value": "Hi"}, {"from": "assistant", "value": "Hello"}]
GOOD, BAD = ({"from": "gpt", "value": value} for value in ("Hello", "No"))

ENTRIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "from and value with the names of roles": (
        {"conversations": NAMED},
        {"formatting": "sharegpt", "columns": {"messages": "conversations"}, "tags": {
            "role_tag": "from", "content_tag": "value", "user_tag": "user",
            "assistant_tag": "assistant", "system_tag": "system"}},
    ),
    "ShareGPT as it is taken for granted": (
        {"conversations": OBSERVED},
        {"formatting": "sharegpt", "columns": {"messages": "conversations"}},
    ),
    "tool calls": (
        {"messages": CALLED, "tools": [{"name": "f"}]},
        {"formatting": "openai", "columns": {"messages": "messages", "tools": "tools"},
         "tags": {**TAGS, "observation_tag": "tool", "function_tag": "function_call"}},
    ),
    "results of tools without calls": (
        {"messages": [*SPOKEN[:1], {"role": "assistant", "content": "f()"},
                      {"role": "tool", "content": "7"}, SPOKEN[1]]},
        {"formatting": "sharegpt", "columns": {"messages": "messages"},
         "tags": {**TAGS, "observation_tag": "tool"}},
    ),
    "images": (
        {"messages": SPOKEN, "images": ["a.png"]},
        {"formatting": "sharegpt", "tags": TAGS,
         "columns": {"messages": "messages", "images": "images"}},
    ),
    "pairs after a conversation": (
        {"conversations": TOLD[:1], "chosen": GOOD, "rejected": BAD},
        {"formatting": "sharegpt", "ranking": True,
         "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}},
    ),
    "pairs of texts": (
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        {"formatting": "alpaca", "ranking": True,
         "columns": {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}},
    ),
    "answers that are good or bad": (
        {"prompt": "a", "completion": "b", "label": False},
        {"formatting": "alpaca",
         "columns": {"prompt": "prompt", "response": "completion", "kto_tag": "label"}},
    ),
    "conversations that are good or bad": (
        {"messages": SPOKEN, "label": True},
        {"formatting": "sharegpt", "tags": TAGS,
         "columns": {"messages": "messages", "kto_tag": "label"}},
    ),
    "whole conversations as chosen": (
        {"chosen": SPOKEN, "rejected": SPOKEN},
        {"formatting": "sharegpt", "columns": {"messages": "chosen"}, "tags": TAGS},
    ),
    "a column without a name": (
        {"": 7, "question": "a", "answer": "b"},
        {"formatting": "alpaca", "columns": {"prompt": "question", "response": "answer"}},
    ),
    "names in capitals, and a history": (
        {"Query": "a", "Answer": "b", "History": [["c", "d"]]},
        {"formatting": "alpaca",
         "columns": {"prompt": "Query", "response": "Answer", "history": "History"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_says_what_its_converters_need(tmp_path: Path, name: str) -> None:
    record, entry = ENTRIES[name]
    assert entry_for(tmp_path, [record]) == {"file_name": "best.jsonl", **entry}


NO_ENTRY: dict[str, tuple[list[dict[str, Any]], str]] = {
    "texts that take turns": ([{"conversations": ["a", "b"]}], "does not hold messages"),
    "rounds": ([{"conversations": [{"human": "a", "assistant": "b"}]}], "do not tell the speaker"),
    "a transcript": ([{"text": "Human: a\n\nAssistant: b"}], "text does not hold messages"),
    "parts": (
        [{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, SPOKEN[1]]}],
        "content of a message is not text",
    ),
    "reasoning beside the content": (
        [{"messages": [SPOKEN[0], {**SPOKEN[1], "thinking": "A greeting."}]}],
        "thinking of a message is a field that it does not read",
    ),
    "numbers": ([{"question": "a", "answer": 7}], "answer is not text"),
    "roles spelled twice": (
        [{"messages": [*SPOKEN, {"role": "human", "content": "c"}, SPOKEN[1]]}],
        "spell one role in several ways, human, user",
    ),
    "reasoning": (
        [{"prompt": "a", "reasoning": "because", "response": "b"}],
        "reasoning beside the response is a field that it cannot name",
    ),
    "a field inside another": (
        [{"instruction": "a", "instances": [{"input": "", "output": "b"}]}],
        "its response is inside another field, instances.0.output",
    ),
    "several formats": (
        [{"prompt": "a", "completion": "b"}, {"question": "a", "answer": "b"}],
        "mixes the formats",
    ),
    "sides that do not take turns": (
        [{"messages": [*SPOKEN, SPOKEN[1]]}],
        "in its records the sides do not take turns",
    ),
}


@pytest.mark.parametrize("name", NO_ENTRY)
def test_without_an_entry_there_is_a_reason_and_a_way_out(tmp_path: Path, name: str) -> None:
    records, reason = NO_ENTRY[name]
    with pytest.raises(IlaError, match=rf"because .*({reason}).*--format trl"):
        entry_for(tmp_path, records)
    entry = entry_for(tmp_path, records, format="trl")
    assert entry["columns"] == {"messages": "messages"} and entry["formatting"] == "sharegpt"
    assert entry["tags"]["user_tag"] == "user" and entry["tags"]["observation_tag"] == "tool"


def test_records_that_would_be_skipped_are_counted(tmp_path: Path) -> None:
    records = [{"messages": SPOKEN}, {"messages": SPOKEN}, {"messages": [*SPOKEN, SPOKEN[0]]}]
    selection = chosen_from(tmp_path, records)
    entry = dataset_entry(selection, "best.jsonl", "jsonl")
    assert entry["formatting"] == "sharegpt"
    assert remarks(entry, selection, "jsonl") == [
        "LLaMA-Factory skips 1 of these records: the last turn is not the assistant's."
    ]


TWICE = [*SPOKEN, SPOKEN[0], SPOKEN[1]]
SILENCED = [SPOKEN[0], {**SPOKEN[1], "weight": 0}, *SPOKEN]


@pytest.mark.parametrize(
    ("record", "format", "trained"),
    [
        ({"messages": SILENCED}, "jsonl", True),
        ({"messages": SILENCED}, "trl", True),
        ({"messages": TWICE}, "jsonl", False),
        ({"prompt": "User: Hi\nBot: Yo\nUser: a", "completion": "b"}, "jsonl", False),
        ({"conversations": [*TOLD, TOLD[0]], "chosen": GOOD, "rejected": BAD}, "jsonl", False),
    ],
)
def test_answers_out_of_the_loss_that_are_trained_on_are_told(
    tmp_path: Path, record: dict[str, Any], format: str, trained: bool
) -> None:
    """A text that is a prompt as it stands, and what stands before a pair, it does not train on."""
    selection = chosen_from(tmp_path, [record, record, {**record, "id": 3}])
    told = remarks(dataset_entry(selection, "best.jsonl", format), selection, format)
    assert told == trained * [
        "LLaMA-Factory trains on every answer, also on those that are kept out of the loss in 3 "
        "of these records; with mask_history it trains on the last one alone."
    ]


def test_a_register_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "dataset_info.json"
    assert read_register(path) == {}
    register(tmp_path / "one.jsonl", {}, {"file_name": "one.jsonl"})
    register(tmp_path / "two.jsonl", read_register(path), {"file_name": "two.jsonl"})
    assert list(read_register(path)) == ["one", "two"]
    path.write_text("[]")
    with pytest.raises(IlaError, match="holds no JSON object"):
        read_register(path)


def test_a_system_prompt_in_parts_has_no_entry(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Be brief."}]
    for messages in (SPOKEN, CALLED):
        with pytest.raises(IlaError, match="in its records system is not text"):
            entry_for(tmp_path, [{"messages": messages, "system": parts}])


def test_sources_under_several_names_matter_to_no_entry(tmp_path: Path) -> None:
    pair = {"instruction": "a", "output": "b"}
    entry = entry_for(tmp_path, [{**pair, "source": "x"}, {**pair, "dataset": "y"}])
    assert entry["columns"] == {"prompt": "instruction", "response": "output"}
