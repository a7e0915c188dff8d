"""The fields of a record: which of them plays which part.

A record's format is read off the names of its filled fields, so that one file may mix formats;
what `--map` says has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import orjson

from ila_core.errors import UsageError

MESSAGES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
INSTRUCTIONS = (
    "instruction", "prompt", "question", "query", "problem", "input", "inputs", "user", "human",
    "instructions", "input_text", "text",
)  # fmt: skip
RESPONSES = (
    "output", "response", "completion", "solution", "answer", "target", "targets", "outputs",
    "assistant", "gpt", "generated_solution", "generation", "output_text", "target_text",
)  # fmt: skip
NEEDS = ("input", "context")
SYSTEMS = ("system", "system_prompt", "system_message")
TOOLS = ("tools", "functions")
HISTORY = "history"
CHOSEN, REJECTED = "chosen", "rejected"
LABELS = ("labels", "skills", "tags", "knowledge")
SOURCES = ("source", "dataset", "data_source", "origin", "task", "task_name", "category", "subset")

KNOWN_FIELDS = frozenset(
    (*MESSAGES, *INSTRUCTIONS, *RESPONSES, *NEEDS, *SYSTEMS, *TOOLS, *LABELS, *SOURCES,
     HISTORY, CHOSEN, REJECTED)
)  # fmt: skip
"""Every field name that some format knows: a list under another name may hold records."""

FIELD_NAMES = 1000
"""Distinct field names of a pool that are remembered."""
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
    inputs = () if mapped_pair and "instruction" in given else NEEDS
    return Plan(
        format=_format_name(given, messages, instruction, response),
        instruction=instruction,
        response=response,
        input=first("input", [name for name in inputs if name not in (instruction, response)]),
        system=first("system", SYSTEMS),
        history=first("history", (HISTORY,)),
        messages=messages,
        tools=first("tools", TOOLS),
        labels=first("labels", LABELS) or first("labels", LABELS, blank),  # [] says: no skill
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


def listed(names: Iterable[str]) -> str:
    """The first twenty names, and how many more there are, for a message."""
    names = list(names)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
