"""LLaMA-Factory's register of data sets, dataset_info.json: the entry that an export needs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError, UsageError
from ila_core.exports.commands import PARQUET
from ila_core.exports.llamafactory_rules import TAGS, unread
from ila_core.exports.messages import as_messages, with_context
from ila_core.files import reading_errors, write_text
from ila_core.pool.conversations import SPEAKER
from ila_core.pool.fields import REJECTED_NAMES, canonical
from ila_core.pool.json_text import loads
from ila_core.pool.roles import role_of
from ila_core.pool.values import CONTENT

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.selection.selection import Selection

REGISTER = "dataset_info.json"
MESSAGES = ("trl", "axolotl")
"""Formats of an export that are records of messages, whatever the pool was."""
SAMPLED = 2000
"""Records whose spelling of roles is looked at."""
MEDIA = ("images", "videos", "audios")

_ROLE_TAGS = {"user": "user_tag", "assistant": "assistant_tag", "system": "system_tag",
              "tool": "observation_tag"}  # fmt: skip
_CALLS = frozenset(("function_call", "function-call", "tool_call", "tool_calls"))
_PAIR_COLUMNS = {
    "instruction": "prompt", "input": "query", "response": "response", "system": "system",
    "tools": "tools", "history": "history",
}  # fmt: skip
"""The parts of a record, and LLaMA-Factory's names of the columns that hold them."""


def dataset_entry(selection: Selection, file_name: str, format: str) -> dict[str, Any]:
    """Return the entry that LLaMA-Factory's dataset_info.json needs for the exported file.

    It names the fields that the pool's records were read from. IlaError says why there is none
    where LLaMA-Factory would read none of the selected records as they are meant.
    """
    if format in PARQUET:
        raise UsageError("--dataset-info goes with JSONL; choose --format jsonl, scored or trl.")
    if format in MESSAGES:
        return _of_messages(file_name)
    records = selection.landscape.records
    if records is None:
        raise IlaError("A landscape that was made from arrays has no fields to name.")
    formats = list(records.counts.get("formats", {}))
    if len(formats) != 1:
        raise _none(f"the pool mixes the formats {', '.join(formats)}")
    parts = _single_fields(records)
    sample = [loads(text) for text in records.take_originals(selection.rows[:SAMPLED])]
    if not all(isinstance(record, dict) for record in sample):
        raise _none("its records are no objects")
    entry: dict[str, Any] = {"file_name": file_name}
    if "messages" in parts:
        entry |= _talk(parts, sample)
    else:
        entry |= _pair(parts, sample, formats[0] == "preference")
    lost = _unread(entry, selection)
    if lost.total() == len(selection.rows):
        raise _none(f"in its records {lost.most_common(1)[0][0]}")
    return entry


def remarks(entry: Mapping[str, Any], selection: Selection, format: str) -> list[str]:
    """Return what LLaMA-Factory makes of the records otherwise than they are meant, in sentences.

    How many it skips under this entry, and why; and how many have an answer that the pool keeps
    out of the loss, for which it knows no mark.
    """
    sentences = [
        f"LLaMA-Factory skips {count:,} of these records: {why}."
        for why, count in _unread(entry, selection, format).items()
    ]
    talks = entry["formatting"] != "alpaca" and not entry.get("ranking")
    if talks and (count := with_context(selection)):
        sentences.append(
            "LLaMA-Factory trains on every answer, also on those that are kept out of the loss in "
            f"{count:,} of these records; with mask_history it trains on the last one alone."
        )
    return sentences


def _of_messages(file_name: str) -> dict[str, Any]:
    """The entry for records of messages as this program writes them."""
    tags = {**TAGS, "role_tag": "role", "content_tag": "content", "user_tag": "user",
            "assistant_tag": "assistant", "observation_tag": "tool"}  # fmt: skip
    return {"file_name": file_name, "formatting": "sharegpt", "columns": {"messages": "messages"},
            "tags": tags}  # fmt: skip


def _none(why: str) -> IlaError:
    return IlaError(
        f"LLaMA-Factory's dataset_info.json has no entry for this pool, because {why}; write the "
        "records as messages, with --format trl, or export without --dataset-info."
    )


def _single_fields(records: Records) -> dict[str, str]:
    """The field of every part; there is no entry where several play one, or one inside another."""
    parts = {part: list(fields) for part, fields in records.understood.parts.items()}
    parts = {part: fields for part, fields in parts.items() if part not in ("labels", "source")}
    for part, fields in parts.items():
        if len(fields) > 1:
            raise _none(f"several fields hold its {part}, {' and '.join(fields)}")
        if fields[0] not in records.fields():
            raise _none(f"its {part} is inside another field, {fields[0]}")
    if "reasoning" in parts:
        raise _none(f"{parts['reasoning'][0]} beside the response is a field that it cannot name")
    return {part: fields[0] for part, fields in parts.items()}


def _unread(entry: Mapping[str, Any], selection: Selection, format: str = "jsonl") -> Counter[str]:
    """Why records of the selection do not fit the entry, each time with their number."""
    records = selection.landscape.records
    found: Counter[str] = Counter()
    if records is None:
        return found
    if format in MESSAGES:
        objects: Iterable[Any] = map(as_messages, records.take_turns(selection.rows))
    else:
        objects = map(loads, records.take_originals(selection.rows))
    for one in objects:
        why = unread(entry, one) if isinstance(one, dict) else "a record is no object"
        if why is not None:
            found[why] += 1
    return found


# Pairs: its "alpaca"


def _pair(
    parts: Mapping[str, str], sample: list[dict[str, Any]], preference: bool
) -> dict[str, Any]:
    columns = {column: parts[part] for part, column in _PAIR_COLUMNS.items() if part in parts}
    if "prompt" not in columns or "response" not in columns:
        raise _none("its records are not an instruction and a response")
    more = _more_columns(sample)
    if not preference:
        return {"formatting": "alpaca", "columns": columns | more}
    columns |= {"chosen": columns.pop("response"), "rejected": _rejected(sample)}
    return {"formatting": "alpaca", "ranking": True, "columns": columns | more}


def _rejected(sample: list[dict[str, Any]]) -> str:
    names = (name for record in sample for name in record if canonical(name) in REJECTED_NAMES)
    name = next(names, None)
    if name is None:
        raise _none("no field holds the rejected answers")
    return name


def _more_columns(sample: list[dict[str, Any]]) -> dict[str, str]:
    """Columns of images and the like, and the one that tells good answers from bad."""
    columns = {name: name for name in MEDIA if any(record.get(name) for record in sample)}
    if sample and all(isinstance(record.get("label"), bool) for record in sample):
        columns["kto_tag"] = "label"
    return columns


# Conversations: its "sharegpt" and "openai"


def _talk(parts: Mapping[str, str], sample: list[dict[str, Any]]) -> dict[str, Any]:
    columns = {name: parts[name] for name in ("messages", "system", "tools") if name in parts}
    messages = [
        message
        for record in sample
        if isinstance(record.get(columns["messages"]), list)
        for message in record[columns["messages"]]
    ]
    if not messages or not all(isinstance(message, dict) for message in messages):
        raise _none(f"{columns['messages']} does not hold messages with a role each")
    calls = any(message.get("tool_calls") for message in messages)
    tools = any(isinstance(record.get(columns.get("tools", "")), list | dict) for record in sample)
    entry: dict[str, Any] = {
        "formatting": "openai" if calls or tools else "sharegpt",
        "columns": columns | _more_columns(sample),
    }
    if "response" in parts:
        columns = entry["columns"] | {"chosen": parts["response"], "rejected": _rejected(sample)}
        entry |= {"ranking": True, "columns": columns}
    tags = _tags(messages)
    if entry["formatting"] == "openai":
        tags = {"function_tag": TAGS["function_tag"], **tags}  # what it makes of tool_calls
    if any(TAGS[tag] != name for tag, name in tags.items()):
        entry["tags"] = tags
    return entry


def _tags(messages: list[dict[str, Any]]) -> dict[str, str]:
    """How the messages spell role, content and the roles' names; each has to have one spelling."""
    tags = {
        "role_tag": _spelling("the speaker", messages, SPEAKER),
        "content_tag": _spelling("what is said", messages, CONTENT),
    }
    spelled: dict[str, set[str]] = {}
    for message in messages:
        name = str(message.get(tags["role_tag"]))
        role = role_of(name)
        if role is None:
            raise _none(f"a message is of {name!r}")
        tag = "function_tag" if name.strip().lower() in _CALLS else _ROLE_TAGS[role]
        spelled.setdefault(tag, set()).add(name)
    for names in spelled.values():
        if len(names) > 1:
            raise _none(f"its messages spell one role in several ways, {', '.join(sorted(names))}")
    taken = {tag: TAGS[tag] for tag in ("user_tag", "assistant_tag", "system_tag")}
    if tags["role_tag"] == "role":
        taken |= {"user_tag": "user", "assistant_tag": "assistant"}
    return tags | taken | {tag: next(iter(names)) for tag, names in spelled.items()}


def _spelling(what: str, messages: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    found = [name for name in names if any(message.get(name) is not None for message in messages)]
    if len(found) != 1:
        ways = (
            f"tell {what} in several ways, {', '.join(found)}" if found else f"do not tell {what}"
        )
        raise _none(f"its messages {ways}")
    return found[0]


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


def register(path: Path, entries: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Write the dataset_info.json beside an exported file: what was in it, and the new entry.

    Returns all that it holds then.
    """
    entries = {**entries, path.stem: entry}
    text = json.dumps(entries, indent=2, ensure_ascii=False)
    write_text(path.with_name(REGISTER), text + "\n")
    return entries
