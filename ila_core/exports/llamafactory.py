"""LLaMA-Factory's register of data sets, dataset_info.json: the entry that an export needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError, UsageError
from ila_core.files import reading_errors, write_text
from ila_core.pool.fields import as_list, field_of, parse_map
from ila_core.pool.json_text import loads
from ila_core.pool.plans import plan_for

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.selection.selection import Selection

REGISTER = "dataset_info.json"


def dataset_entry(selection: Selection, file_name: str, format: str) -> dict[str, Any]:
    """Return the entry that LLaMA-Factory's dataset_info.json needs for the exported file.

    It names the fields that the pool's records were read from. IlaError where the pool mixes
    formats, or has one that LLaMA-Factory does not read.
    """
    if format == "parquet":
        raise UsageError("--dataset-info goes with JSONL; choose --format jsonl or scored.")
    records = selection.landscape.records
    if records is None:
        raise IlaError("A landscape that was made from arrays has no fields to name.")
    formats = list(records.counts.get("formats", {}))
    if len(formats) != 1:
        raise IlaError(
            f"The pool mixes the formats {', '.join(formats)}; LLaMA-Factory's dataset_info.json "
            "describes files of one format only: export without --dataset-info."
        )
    given = parse_map(selection.landscape.manifest.get("settings", {}).get("map", ""))
    # The first record tells which fields were read; what it leaves blank others may fill.
    parts = plan_for(records.fields(), given).mapping | records.mapping
    chat = "messages" in records.mapping
    columns = {
        column: parts[part]
        for column, part in (_CHAT_COLUMNS if chat else _PAIR_COLUMNS).items()
        if part in parts
    }
    if columns.get("query") in (columns.get("prompt"), columns.get("response")):
        columns.pop("query", None)
    needed = {"messages"} if chat else {"prompt", "response"}
    known = needed <= columns.keys() and set(columns.values()) <= set(records.fields())
    if not known or formats == ["preference"]:
        raise IlaError(
            f"LLaMA-Factory has no format for fields {', '.join(sorted(records.fields()))}; export "
            "without --dataset-info."
        )
    if chat:
        return _conversation_entry(file_name, columns, records)
    return {"file_name": file_name, "formatting": "alpaca", "columns": columns}


_CHAT_COLUMNS = {"messages": "messages", "system": "system", "tools": "tools"}
_PAIR_COLUMNS = {
    "prompt": "instruction", "query": "input", "response": "response", "system": "system",
    "history": "history",
}  # fmt: skip
"""LLaMA-Factory's names of columns, and the parts of a record that they hold."""


def _conversation_entry(
    file_name: str, columns: dict[str, str], records: Records
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file_name": file_name,
        "formatting": "sharegpt",
        "columns": columns,
    }
    first = loads(next(records.take_originals([0])))
    messages = as_list(field_of(first, columns["messages"]))
    # Messages without a role have from and value, which LLaMA-Factory takes for granted.
    if any(isinstance(message, dict) and "role" in message for message in messages):
        entry["tags"] = {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        }
    return entry


def read_register(path: Path) -> dict[str, Any]:
    """Return the entries that are in a dataset_info.json already."""
    if not path.exists():
        return {}
    try:
        with reading_errors(path):
            register = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise IlaError(
            f"{path} is not JSON ({error}); mend or move it, then export again."
        ) from error
    if not isinstance(register, dict):
        raise IlaError(f"{path} holds no JSON object; mend or move it, then export again.")
    return register


def register(path: Path, entries: dict[str, Any], entry: dict[str, Any]) -> None:
    """Write the dataset_info.json beside an exported file: what was in it, and the new entry."""
    text = json.dumps({**entries, path.stem: entry}, indent=2, ensure_ascii=False)
    write_text(path.with_name(REGISTER), text + "\n")
