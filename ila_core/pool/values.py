"""What one value of a field says as text: an instruction, an answer, a part of a message."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ila_core.pool.json_text import compact_json
from ila_core.pool.record import NotARecord, Note

CONTENT = ("content", "value", "text", "message", "utterance", "parts")
"""Where a message keeps its text."""
SEVERAL = Note("several answers, the first is read")
NO_TEXT = Note("image or other part without text")

_ANSWERS = ("text", "answer", "output", "content", "value", "input_text")
"""Where an answer that is an object keeps its text."""
_TEXT_PARTS = frozenset(("text", "input_text", "output_text", "reasoning", "thinking", "think"))
_CALL_PARTS = ("tool_call", "tool_use", "function_call")
_CALLS = (*_CALL_PARTS, "functionCall", "toolUse")
"""Where a part keeps a call, with a type of its own or without one."""
_RESULTS = ("functionResponse", "function_response", "toolResult")
"""Where a part without a type keeps what a tool returned."""


def is_missing(value: Any) -> bool:
    """Whether there is nothing: a table reader makes NaN of an empty cell.

    >>> [is_missing(value) for value in (None, float("nan"), "", 0)]
    [True, True, False, False]
    """
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_nothing(value: Any) -> bool:
    """Whether a field is there, but holds nothing: missing, or without length."""
    return is_missing(value) or (isinstance(value, str | list | dict) and not value)


def text_of(value: Any, part: str) -> str:
    """A text as it is, a number or a truth value as JSON spells it, "" where it is missing.

    Raises NotARecord, naming the part of the record, for lists and objects.

    >>> text_of("Hi", "input"), text_of(42, "input"), text_of(True, "input"), text_of(None, "input")
    ('Hi', '42', 'true', '')
    """
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise NotARecord(f"{part} is not text")


def is_texts(value: Any) -> bool:
    """Whether a value is a filled list of texts, numbers and missing ones among them."""
    return (
        isinstance(value, list)
        and any(isinstance(item, str) for item in value)
        and all(isinstance(item, str | int | float) or item is None for item in value)
    )


def answers_in(value: Any, part: str) -> list[str]:
    """The answers that a value holds, the first one first; blank ones are left out.

    A text is one answer; so is an object that keeps its text under a usual name. A list of them
    is several, and a list of tool calls one, spelled as JSON. Raises NotARecord for all else.

    >>> answers_in(["Red.", "It is red."], "response"), answers_in({"text": ["Red."]}, "response")
    (['Red.', 'It is red.'], ['Red.'])
    """
    if isinstance(value, dict):
        name = next((name for name in _ANSWERS if name in value), None)
        if name is None:
            raise NotARecord(f"{part} is not text")
        return answers_in(value[name], part)
    if isinstance(value, list):
        if value and all(isinstance(item, dict) and is_call(item) for item in value):
            return [calls_text(value)]
        return [answer for item in value for answer in answers_in(item, part)]
    text = text_of(value, part)
    return [text] if text.strip() else []


def is_call(value: Mapping[str, Any]) -> bool:
    """Whether an object is a tool call: a function's name and its arguments."""
    function = value.get("function")
    inner = function if isinstance(function, dict) else value
    return "name" in inner and bool(inner.keys() & {"arguments", "parameters", "input"})


def calls_text(calls: Any) -> str:
    """Tool calls as the text that the model has to write; "" where there are none."""
    if isinstance(calls, dict) and all(is_nothing(part) for part in calls.values()):
        return ""  # a table gives every message all fields
    if is_nothing(calls):
        return ""
    calls = calls if isinstance(calls, list) else [calls]
    inner = [call.get("function") or call if isinstance(call, dict) else call for call in calls]
    return compact_json(inner)


def content_text(content: Any, *, as_json: bool = False) -> tuple[str, list[Note]]:
    """The text of a message's content, which may come in typed parts, and what is to be noted.

    `as_json` takes objects as the text that JSON spells them with: what tools return. Raises
    NotARecord for what is neither text nor parts.

    >>> content_text([{"type": "image", "url": "a.png"}, {"type": "text", "text": "What is it?"}])
    ('What is it?', ['image or other part without text'])
    """
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        content = content["parts"]
    parts = content if isinstance(content, list) else [content]
    if as_json and any(isinstance(part, dict) and "type" not in part for part in parts):
        return compact_json(content), []
    texts = [_part_text(part) for part in parts]
    if isinstance(content, dict) and "type" not in content and None in texts:
        raise NotARecord("message is not text")
    notes = [NO_TEXT] if None in texts else []
    return "\n".join([text for text in texts if text]), notes


def _part_text(part: Any) -> str | None:
    """The text of one part; None for a part of another kind, such as an image."""
    if not isinstance(part, dict):
        return text_of(part, "message")
    kind = part.get("type")
    if isinstance(kind, str):
        kind = kind.lower()
        if kind in _CALL_PARTS:
            return _call_part(part)
        if kind in ("tool_result", "tool_response"):
            return content_text(part.get("content"), as_json=True)[0]
        if kind not in _TEXT_PARTS:
            return None
    elif any(isinstance(part.get(name), dict) for name in _CALLS):
        return _call_part(part)
    value = next((part[key] for key in (*CONTENT, "thinking", "reasoning") if key in part
                  and not is_missing(part[key])), None)  # fmt: skip
    return None if value is None else text_of(value, "message")


def _call_part(part: Mapping[str, Any]) -> str:
    written = part.get("text") or part.get("value")
    if isinstance(written, str):
        return written
    inner = next((part[key] for key in _CALLS if isinstance(part.get(key), dict)), part)
    kept = {key: inner[key] for key in ("name", "arguments", "args", "input") if key in inner}
    return calls_text(kept)


def is_result(part: Any) -> bool:
    """Whether a part of a message is what a tool returned."""
    return isinstance(part, dict) and (
        part.get("type") == "tool_result"
        or any(isinstance(part.get(name), dict) for name in _RESULTS)
    )


def several(answers: Sequence[str]) -> list[Note]:
    """The note that more than one answer deserves."""
    return [SEVERAL] if len(answers) > 1 else []
