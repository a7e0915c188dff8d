"""The formats of a record: which field plays which part, and how the fields become turns.

A record's format is read off the names of its filled fields, so that one file may mix formats:
:func:`plan_of` decides which field plays which part, :func:`adapt` carries the plan out.
Nothing here reads files or remembers records.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import orjson

from ila_core.errors import UsageError

Role = Literal["system", "user", "assistant", "tool"]


class Turn(NamedTuple):
    """One turn of a conversation; `scored` says whether its tokens count as response."""

    role: Role
    text: str
    scored: bool


class Adapted(NamedTuple):
    """What an adapter makes of a record's fields."""

    format: str
    turns: tuple[Turn, ...]
    labels: tuple[str, ...] | None
    source: str | None


class NotARecord(ValueError):
    """The fields do not make a record; the message is a short reason from a fixed vocabulary."""


MESSAGES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
INSTRUCTIONS = (
    "instruction", "prompt", "question", "query", "problem", "input", "inputs", "user", "human",
    "instructions", "input_text", "text",
)  # fmt: skip
RESPONSES = (
    "output", "response", "completion", "solution", "answer", "target", "targets", "outputs",
    "assistant", "gpt", "generated_solution", "generation", "output_text", "target_text",
)  # fmt: skip
INPUTS = ("input", "context")
SYSTEMS = ("system", "system_prompt", "system_message")
TOOLS = ("tools", "functions")
HISTORY = "history"
CHOSEN, REJECTED = "chosen", "rejected"
LABELS = ("labels", "skills", "tags", "knowledge")
SOURCES = ("source", "dataset", "data_source", "origin", "task", "task_name", "category", "subset")

KNOWN_FIELDS = frozenset(
    (*MESSAGES, *INSTRUCTIONS, *RESPONSES, *INPUTS, *SYSTEMS, *TOOLS, *LABELS, *SOURCES,
     HISTORY, CHOSEN, REJECTED)
)  # fmt: skip
"""Every field name that some format knows: a list under another name may hold records."""

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
_NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Plan:
    """Which field plays which part in a record; None where no field does."""

    format: str
    instruction: str | None = None
    response: str | None = None
    input: str | None = None
    system: str | None = None
    history: str | None = None
    messages: str | None = None
    tools: str | None = None
    labels: str | None = None
    source: str | None = None

    @property
    def mapping(self) -> dict[str, str]:
        """The parts that a field plays, by part: what `--map` would have to say.

        >>> plan_of({"question": "Why?", "answer": "So.", "task": "talk"}).mapping
        {'instruction': 'question', 'response': 'answer', 'source': 'task'}
        """
        return {part: field for part in PARTS if (field := getattr(self, part)) is not None}


PARTS = tuple(field.name for field in fields(Plan))[1:]
"""The parts a field can play, and the names that `--map` takes."""


def parse_map(text: str) -> tuple[tuple[str, str], ...]:
    """The (part, field) pairs of a mapping such as ``instruction=prompt,response=answer``.

    >>> parse_map("instruction=prompt,response=answer")
    (('instruction', 'prompt'), ('response', 'answer'))
    """
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, field = part.partition("=")
        if not (equals and name.strip() and field.strip()):
            raise UsageError(
                f"--map has {part!r}; write ROLE=FIELD, as in instruction=prompt,response=answer."
            )
        pairs.append((name.strip(), field.strip()))
    return tuple(pairs)


def check_mapping(mapping: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The mapping as a tuple of (part, field) pairs, each part named once.

    Raises UsageError for a part that does not exist, is named twice or has no field.

    >>> check_mapping([("instruction", "ask")])
    (('instruction', 'ask'),)
    """
    pairs = tuple((part, field) for part, field in mapping)
    for part, field in pairs:
        if part not in PARTS:
            raise UsageError(f"--map has no part {part!r}; its parts are {', '.join(PARTS)}.")
        if not field:
            raise UsageError(f"--map {part}= names no field; write {part}=FIELD.")
        if sum(part == other for other, _ in pairs) > 1:
            raise UsageError(f"--map names {part!r} more than once; name one field for it.")
    return pairs


def plan_of(record: Mapping[str, Any], mapping: tuple[tuple[str, str], ...] = ()) -> Plan:
    """Which field of a record plays which part; the mapping has the last word.

    >>> plan_of({"instruction": "Add.", "input": "1 1", "output": "2"}).format
    'alpaca'
    >>> plan_of({"ask": "Why?", "output": "So."}, (("instruction", "ask"),)).mapping
    {'instruction': 'ask', 'response': 'output'}
    """
    filled: list[str] = []
    blank: list[str] = []
    for name, value in record.items():
        (blank if value in _NOTHING else filled).append(name)
    plan = _plan(tuple(filled), tuple(blank), mapping)
    if plan.messages in filled and plan.instruction and not _is_list(record[plan.messages]):
        filled.remove(plan.messages)  # a field of that name, but of another meaning
        plan = _plan(tuple(filled), tuple(blank), mapping)
    return plan


def _is_list(value: Any) -> bool:
    return isinstance(as_list(value), list)


def plan_for(fields: Iterable[str], mapping: tuple[tuple[str, str], ...] = ()) -> Plan:
    """Which field plays which part in a record that fills all of these.

    >>> plan_for(["question", "context", "answer"]).mapping
    {'instruction': 'question', 'response': 'answer', 'input': 'context'}
    """
    return _plan(tuple(fields), (), mapping)


@lru_cache(maxsize=4096)
def _plan(
    filled: tuple[str, ...], blank: tuple[str, ...], mapping: tuple[tuple[str, str], ...]
) -> Plan:
    """The plan for filled and blank fields: a blank one plays a part only if no other can."""
    given = dict(mapping)

    def first(part: str, candidates: Sequence[str], names: Sequence[str] = filled) -> str | None:
        return given.get(part) or next((name for name in candidates if name in names), None)

    mapped_pair = "messages" not in given and ("instruction" in given or "response" in given)
    messages = None if mapped_pair else first("messages", MESSAGES)
    answers = (CHOSEN, *RESPONSES) if REJECTED in filled else (*RESPONSES, CHOSEN)
    instruction = first("instruction", INSTRUCTIONS) or first("instruction", INSTRUCTIONS, blank)
    instruction = None if "messages" in given else instruction
    response = first("response", answers) or first("response", answers, blank)
    # Who names the instruction field has said what the instruction is: no input joins it unasked.
    inputs = () if mapped_pair and "instruction" in given else INPUTS
    return Plan(
        format=_format_name(given, messages, instruction, response),
        instruction=instruction,
        response=response,
        input=first("input", [name for name in inputs if name not in (instruction, response)]),
        system=first("system", SYSTEMS),
        history=first("history", (HISTORY,)),
        messages=messages,
        tools=first("tools", TOOLS),
        labels=first("labels", LABELS),
        source=first("source", SOURCES),
    )


def _format_name(
    given: Mapping[str, str], messages: str | None, instruction: str | None, response: str | None
) -> str:
    if given.keys() & {"instruction", "response", "messages"}:
        return "mapped"
    if response == CHOSEN:
        return "preference"
    if messages:
        return "messages"
    if (instruction, response) == ("instruction", "output"):
        return "alpaca"
    return "/".join(name for name in (instruction, response) if name) or "unknown"


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
    labels = as_labels(field_of(record, plan.labels))
    return Adapted(format, tuple(turns), labels, as_source(field_of(record, plan.source)))


def instruction_of(turns: Iterable[Turn]) -> str:
    """x_i of METHOD 1: all user turns, joined by a blank line."""
    return "\n\n".join([turn.text for turn in turns if turn.role == "user"])


def response_of(turns: Iterable[Turn]) -> str:
    """y_i of METHOD 1: all scored turns, joined by a blank line."""
    return "\n\n".join([turn.text for turn in turns if turn.scored])


def field_of(record: Mapping[str, Any], path: str | None) -> Any:
    """The value of a field, None where it is missing; a dotted path goes into objects and lists.

    A field whose own name has dots is found first.

    >>> field_of({"meta": {"tags": ["a", "b"]}, "meta.tags": 3}, "meta.tags")
    3
    >>> field_of({"meta": {"tags": ["a", "b"]}}, "meta.tags.1")
    'b'
    """
    if path is None:
        return None
    if path in record:
        return record[path]
    value: Any = record if "." in path else None
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def compact_json(value: Any) -> str:
    """The value as one line of JSON without spaces, every character as itself.

    Bytes are written in base64, dates in ISO form, NaN as null.

    >>> compact_json({"a": [1, "é"]})
    '{"a":[1,"é"]}'
    """
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:  # integers above 64 bits, unpaired surrogates, more than 254 levels
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode()
    return str(value)


def as_list(value: Any) -> Any:
    """A filled list as it is, also out of a table cell that holds one as JSON; else the value.

    >>> as_list('["a"]'), as_list("[sic]"), as_list([])
    (['a'], '[sic]', None)
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except ValueError:
            return value
    return None if value in ([], "") else value


def as_labels(value: Any) -> tuple[str, ...] | None:
    """Distinct labels in the order given, from a list or a comma-separated string.

    None where there is nothing that can be read as labels; an empty list is no label at all.

    >>> as_labels("algebra, proof,algebra"), as_labels([{"tag": "sql"}]), as_labels([])
    (('algebra', 'proof'), ('sql',), ())
    """
    if isinstance(value, list) and not value:
        return ()
    value = as_list(value)
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return None
    texts = [_label_text(label) for label in value]
    if any(text is None for text in texts):
        return None
    return tuple(dict.fromkeys(text.strip() for text in texts if text and text.strip()))


def _label_text(label: Any) -> str | None:
    """A label's name, also out of an object such as {"tag": ..., "explanation": ...}."""
    if isinstance(label, Mapping):
        label = next((label[key] for key in ("tag", "label", "name") if key in label), None)
    return label if isinstance(label, str) else None


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
