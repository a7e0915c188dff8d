"""Every pool as messages, and what is written is read as the same turns."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ila_core as ila
from ila_core.exports.commands import PARQUET
from ila_core.exports.messages import trl_snippet, with_context
from ila_core.exports.write import FORMATS, SNIPPET, export
from ila_core.pool.ingest import ingest
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record, Turn
from ila_core.selection.selection import Selection

TALK = [{"role": "user", "content": "Name a sedge."}, {"role": "assistant", "content": "Cotton."}]
CALLS = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
LINES: dict[str, list[Any]] = {
    "alpaca": [{"instruction": "Add.", "input": "1 2", "output": 3, "system": "Be brief."}],
    "NaN and numbers": [{"question": "Name one.", "context": float("nan"), "answer": True}],
    "messages": [{"messages": TALK, "tools": [{"name": "f"}]}],
    "weights": [{"messages": [*TALK, TALK[0], {**TALK[1], "weight": 0}, TALK[0], TALK[1]]}],
    "calls": [{"messages": [TALK[0], {"role": "assistant", "content": None, "tool_calls": CALLS},
                            {"role": "tool", "content": {"n": 7}}, TALK[1]]}],
    "reasoning": [{"messages": [TALK[0], {**TALK[1], "thinking": "A plant."}]}],
    "parts": [{"messages": [{"role": "user", "content": [{"type": "image", "url": "a.png"},
                                                         {"type": "text", "text": "What?"}]},
                            TALK[1]]}],
    "lists": [TALK, TALK],
    "rounds": [{"conversation": [{"human": "a", "assistant": "b"}] * 2}],
    "texts": [{"data": ["a", "b", "c", "d"]}],
    "segments": [{"segments": [{"label": False, "text": "a"}, {"label": True, "text": "b"}]}],
    "transcripts": [{"text": "### Human: a### Assistant: b"}],
    "chosen sides": [{"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "x"}],
    "texts of JSON": [json.dumps({"prompt": "a", "completion": "b"})],
    "histories": [{"instruction": "c", "output": "d", "history": "User: a\nBot: b"}],
    "trees": [{"prompt": {"role": "prompter", "text": "a", "replies": [
        {"role": "assistant", "text": "b", "replies": []}]}}],
    "prose beside it": [{"knowledge": "It is so, they say, and so it is.", "question": "Is it?",
                         "answer": "Yes."}],
}  # fmt: skip


def selected(tmp_path: Path, pool: Path) -> tuple[Selection, list[tuple[Turn, ...]]]:
    records = ingest(pool, out=tmp_path / "run")
    places = np.arange(2 * len(records)).reshape(-1, 2)
    landscape = ila.Landscape.from_arrays(places, depth=np.arange(len(records)), records=records)
    selection = ila.select(landscape, budget=len(records))
    return selection, list(records.take_turns(selection.rows))


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("format", [one for one in FORMATS if one not in PARQUET])
def test_an_export_is_read_as_the_same_turns(tmp_path: Path, name: str, format: Any) -> None:
    pool = tmp_path / "pool.jsonl"
    written = [json.dumps(one) for one in LINES[name] * 3]
    pool.write_text("".join(line + "\n" for line in written), encoding="utf-8")
    selection, turns = selected(tmp_path, pool)
    path = export(selection, tmp_path / "best.jsonl", format)
    again = [one for one in read_pool(path) if isinstance(one, Record)]
    assert [one.turns for one in again] == turns
    if format == "jsonl":
        assert path.read_text(encoding="utf-8").splitlines() == [
            written[row] for row in selection.rows
        ]


def test_axolotl_gets_its_snippet(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"prompt": "a", "completion": "b"}\n' * 2)
    selection, _ = selected(tmp_path, pool)
    path = export(selection, tmp_path / "best.jsonl", "axolotl")
    yaml = pytest.importorskip("yaml")
    [told] = yaml.safe_load(path.with_suffix(SNIPPET).read_text())["datasets"]
    assert (told["path"], told["ds_type"], told["type"]) == ("best.jsonl", "json", "chat_template")
    first = json.loads(path.read_text().splitlines()[0])
    keys = told["message_property_mappings"]
    assert list(first) == [told["field_messages"]]
    assert [message[keys["content"]] for message in first["messages"]] == ["a", "b"]
    assert first["messages"][1][keys["role"]] in told["roles_to_train"]


def test_context_is_marked_for_those_who_heed_it(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text(json.dumps(LINES["weights"][0]) + "\n")
    selection, _ = selected(tmp_path, pool)
    text = export(selection, tmp_path / "best.jsonl", "trl").read_text()
    marks = [message.get("train") for message in json.loads(text)["messages"]]
    assert marks == [None, None, None, False, None, None]
    assert with_context(selection) == 1


def test_trl_gets_lines_that_its_trainer_reads() -> None:
    name = 'a "best".jsonl'
    reads, trains = ast.parse(trl_snippet(name)).body
    assert f"data_files={name!r}" in ast.unparse(reads)
    assert "assistant_only_loss=True" in ast.unparse(trains)
