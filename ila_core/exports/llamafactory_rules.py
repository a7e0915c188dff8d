"""What LLaMA-Factory makes of a record under an entry of its register: its converters' rules.

It skips, or stumbles over, what does not fit them; so each record is tried before an entry is
written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ila_core.pool.conversations import REASONING

TAGS = {
    "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
    "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip
"""The tags that it takes for granted where an entry gives none; an entry with some has those."""


def _held(record: Mapping[str, Any], columns: Mapping[str, str], column: str) -> Any:
    """What a record holds in a column; None where the entry has no such column."""
    return record.get(columns[column]) if column in columns else None


def unread(entry: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Why this record would not be read as it is meant; None where it would."""
    columns: Mapping[str, str] = entry["columns"]
    for column in ("system", "tools"):
        value = _held(record, columns, column)
        listed = column == "tools" and entry["formatting"] == "openai"
        if value is not None and not isinstance(value, str) and not listed:
            return f"{columns[column]} is not text"
    if entry["formatting"] == "alpaca":
        return _unread_pair(entry, columns, record)
    return _unread_talk(entry, columns, record)


def _unread_pair(
    entry: Mapping[str, Any], columns: Mapping[str, str], record: Mapping[str, Any]
) -> str | None:
    asked = ("prompt", "query")
    answers = ("chosen", "rejected") if entry.get("ranking") else ("response",)
    for column in (*asked, *answers):
        value = _held(record, columns, column)
        if column in columns and not isinstance(value, str | None):
            return f"{columns[column]} is not text"
    if not any(_held(record, columns, column) for column in asked):
        return "there is no instruction"
    if any(not record.get(columns[column]) for column in answers):
        return "there is no response"
    history = _held(record, columns, "history") or []
    if not isinstance(history, list) or any(
        not isinstance(pair, list) or len(pair) != 2 for pair in history
    ):
        return f"{columns['history']} is not a list of pairs"
    return _kto(columns, record)


def _kto(columns: Mapping[str, str], record: Mapping[str, Any]) -> str | None:
    label = columns.get("kto_tag")
    return f"{label} is neither true nor false" if label and not isinstance(
        record.get(label), bool
    ) else None  # fmt: skip


def _unread_talk(
    entry: Mapping[str, Any], columns: Mapping[str, str], record: Mapping[str, Any]
) -> str | None:
    tags = entry.get("tags") or TAGS
    messages = record.get(columns["messages"])
    if not isinstance(messages, list) or not messages:
        return f"{columns['messages']} is not a list of messages"
    sides = (
        (tags["user_tag"], tags.get("observation_tag")),
        (tags["assistant_tag"], tags.get("function_tag")),
    )
    if any(not isinstance(one, Mapping) or tags["role_tag"] not in one for one in messages):
        return f"a message has no {tags['role_tag']}"
    if messages[0][tags["role_tag"]] == tags.get("system_tag"):
        messages = messages[1:]
    if entry["formatting"] == "openai":
        messages = _joined_results(messages, tags)
    for turn, message in enumerate(messages):
        if message[tags["role_tag"]] not in sides[turn % 2]:
            return "the sides do not take turns"
        if thought := next((name for name in REASONING if message.get(name)), None):
            return f"{thought} of a message is a field that it does not read"
        content = message.get(tags["content_tag"])
        if not isinstance(content, str) and not message.get("tool_calls"):
            return f"{tags['content_tag']} of a message is not text"
    if len(messages) % 2 != bool(entry.get("ranking")):
        return "the last turn is not the assistant's"
    return _unread_sides(entry, columns, tags, record) or _kto(columns, record)


def _joined_results(
    messages: list[Mapping[str, Any]], tags: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    """Several results of tools, one after the other, are one turn."""
    observation = tags.get("observation_tag")
    joined: list[Mapping[str, Any]] = []
    for message in messages:
        is_result = message[tags["role_tag"]] == observation
        if is_result and joined and joined[-1][tags["role_tag"]] == observation:
            continue
        joined.append(message)
    return joined


def _unread_sides(
    entry: Mapping[str, Any],
    columns: Mapping[str, str],
    tags: Mapping[str, str],
    record: Mapping[str, Any],
) -> str | None:
    if not entry.get("ranking"):
        return None
    for column in ("chosen", "rejected"):
        side = record.get(columns[column])
        if not isinstance(side, Mapping) or side.get(tags["role_tag"]) != tags["assistant_tag"]:
            return f"{columns[column]} is not one message of the assistant's"
    return None
