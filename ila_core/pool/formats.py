"""The formats of a record: how its fields become turns.

Alpaca and its kin, prompt and completion, preference pairs, ShareGPT, messages with roles, tool
calls and typed parts: :func:`adapt` makes turns of them all, or says why it cannot. Nothing here
reads files or remembers records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ila_core.pool.fields import CHOSEN, KNOWN_FIELDS, Plan, as_list, field_of, plan_of
from ila_core.pool.json_text import compact_json
from ila_core.pool.labels import Labels, NoLabels, labels_in
from ila_core.pool.record import Role, Turn


class Adapted(NamedTuple):
    """What an adapter makes of a record's fields."""

    format: str
    turns: tuple[Turn, ...]
    labels: Labels
    source: str | None


class NotARecord(ValueError):
    """The fields do not make a record; the message is a short reason from a fixed vocabulary."""


_USER: Role = "user"
_ASSISTANT: Role = "assistant"
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human", "prompter", "instruction", "question"), _USER),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "bard", "bing", "claude", "model", "bot", "ai", "answer",
         "function_call", "function-call", "tool_call", "tool_calls"),
        _ASSISTANT,
    ),
    **dict.fromkeys(("system", "developer", "context"), "system"),
    **dict.fromkeys(
        ("tool", "function", "observation", "function_response", "function-response",
         "tool_response", "tool_result", "ipython", "environment"),
        "tool",
    ),
}  # fmt: skip
_WEIGHTS = ("loss_weight", "weight", "train", "loss")


def adapt(record: Mapping[str, Any], mapping: tuple[tuple[str, str], ...] = ()) -> Adapted:
    """The turns, labels and source of a record given as its parsed fields.

    Blank turns are left out; a system prompt and the tools become one system turn in front.
    Raises NotARecord, with the reason, where the fields do not make a record.

    >>> adapt({"question": "Why?", "answer": "Because.", "task": "talk"})
    Adapted(format='question/answer', turns=(Turn(role='user', text='Why?', scored=False),
    Turn(role='assistant', text='Because.', scored=True)), labels=None, source='talk')
    """
    plan = plan_of(record, mapping)
    format = plan.format
    messages = as_list(field_of(record, plan.messages))
    if isinstance(messages, list):
        turns = list(_message_turns(messages))
        if format == "messages" and isinstance(messages[0], Mapping) and "from" in messages[0]:
            format = "sharegpt"
        if plan.response == CHOSEN and turns and turns[-1].role in ("user", "tool"):
            turns += _side(record[CHOSEN], _ASSISTANT, "response")
    elif plan.instruction or plan.response == CHOSEN:
        turns = _pair_turns(record, plan)
    elif messages is not None:
        raise NotARecord("messages are not a list")
    elif plan.response or KNOWN_FIELDS.intersection(record):
        raise NotARecord("no instruction")
    else:
        raise NotARecord("unknown format")

    system = _text(field_of(record, plan.system), "system prompt")
    turns = _with_one_system_turn(system, _tools_text(field_of(record, plan.tools)), turns)
    if not any(turn.role == "user" for turn in turns):
        raise NotARecord("no instruction")
    try:
        labels = labels_in(field_of(record, plan.labels))
    except NoLabels:  # a field of that name that means something else
        labels = None
    return Adapted(format, tuple(turns), labels, as_source(field_of(record, plan.source)))


def as_source(value: Any) -> str | None:
    """The source as text; None where it is neither text nor a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _text(value: Any, part: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NotARecord(f"{part} is not text")
    return value


def _pair_turns(record: Mapping[str, Any], plan: Plan) -> list[Turn]:
    """Alpaca, prompt and completion, question and answer, preference pairs: two sides."""
    prompt = field_of(record, plan.instruction)
    answer = field_of(record, plan.response)
    response = list(_side(answer, _ASSISTANT, "response"))
    if next((turn.role for turn in response if turn.role != "system"), None) == "user":
        return response  # a preference pair whose chosen side is the whole conversation
    if isinstance(prompt, list):
        question = list(_side(prompt, _USER, "instruction"))
    else:
        texts = _text(prompt, "instruction"), _text(field_of(record, plan.input), "input")
        question = [Turn("user", "\n\n".join([text for text in texts if text.strip()]), False)]
    return [*_history_turns(field_of(record, plan.history)), *question, *response]


def _side(value: Any, role: Role, part: str) -> Iterator[Turn]:
    """One side of a pair: a text, one message, or a list of messages."""
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        yield from _message_turns(value)
    else:
        yield Turn(role, _text(value, part), role == _ASSISTANT)


def _history_turns(history: Any) -> Iterator[Turn]:
    """Alpaca's history: earlier rounds as [question, answer]."""
    history = as_list(history)
    if history is None:
        return
    if not isinstance(history, list):
        raise NotARecord("history is not a list of pairs")
    for pair in history:
        if not isinstance(pair, list) or len(pair) != 2:
            raise NotARecord("history is not a list of pairs")
        yield Turn("user", _text(pair[0], "history"), False)
        yield Turn("assistant", _text(pair[1], "history"), True)


def _message_turns(messages: list[Any]) -> Iterator[Turn]:
    """ShareGPT's from and value, role and content, or bare texts that take turns."""
    if all(isinstance(message, str) for message in messages):
        for position, text in enumerate(messages):
            yield Turn("assistant", text, True) if position % 2 else Turn("user", text, False)
        return
    for message in messages:
        if not isinstance(message, Mapping):
            raise NotARecord("message is not an object")
        name = message.get("role")
        if name is None:
            name = message.get("from")
        if not isinstance(name, str):
            raise NotARecord("message without role")
        role = _ROLES.get(name) or _ROLES.get(name.strip().lower())
        if role is None:
            raise NotARecord("unknown role")
        yield Turn(role, _message_text(message), role == _ASSISTANT and _counts(message))


def _message_text(message: Mapping[str, Any]) -> str:
    content = next((value for key in ("content", "value", "text")
                    if (value := message.get(key)) is not None), None)  # fmt: skip
    if isinstance(content, list):
        content = "\n".join([text for part in content if (text := _part_text(part))])
    text = _text(content, "message")
    calls = _calls_text(message)
    return "\n".join(piece for piece in (text, calls) if piece) if calls else text


def _part_text(part: Any) -> str:
    """The text of one typed part; images and other parts without text have none."""
    if isinstance(part, Mapping):
        part = part["text"] if part.get("text") is not None else part.get("value")
    return _text(part, "message")


def _calls_text(message: Mapping[str, Any]) -> str:
    """OpenAI's tool calls as the text that the model has to write."""
    calls = message.get("tool_calls") or message.get("function_call")
    if not calls:
        return ""
    calls = calls if isinstance(calls, list) else [calls]
    inner = [call.get("function") or call if isinstance(call, Mapping) else call for call in calls]
    return compact_json(inner)


def _counts(message: Mapping[str, Any]) -> bool:
    """False where the data marks the turn with weight 0."""
    return not any(
        isinstance(weight := message.get(key), int | float) and weight == 0 for key in _WEIGHTS
    )


def _tools_text(tools: Any) -> str:
    """The tools as text, none for an empty list, be it spelled out."""
    if isinstance(tools, str):
        return "" if tools.strip() in ("[]", "{}", "null") else tools
    return compact_json(tools) if tools else ""


def _with_one_system_turn(system: str, tools: str, turns: list[Turn]) -> list[Turn]:
    """Drop blank turns; one system turn in front, as most chat templates take no more."""
    turns = [turn for turn in turns if turn.text.strip()]
    leading = 0
    while leading < len(turns) and turns[leading].role == "system":
        leading += 1
    texts = [system, *(turn.text for turn in turns[:leading]), tools]
    texts = [text for text in texts if text.strip()]
    return [Turn("system", "\n\n".join(texts), False), *turns[leading:]] if texts else turns
