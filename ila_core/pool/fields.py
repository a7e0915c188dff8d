"""The fields of a record: which of them plays which part.

A record's format is read off the names of its filled fields, so that one file may mix formats;
what `--map` says has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import orjson

from ila_core.errors import UsageError
from ila_core.pool.conversations import shape_of
from ila_core.pool.json_text import loads, python_value
from ila_core.pool.record import NotARecord
from ila_core.pool.values import is_nothing

MESSAGES = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat", "thread",
    "segments", "data",
)  # fmt: skip
_STRONG = MESSAGES[:5]
"""These hold a conversation, or are wrong; the others may mean something else."""
QUESTIONS_ONLY = "turns"
"""A list of bare texts under this name is the user's questions, not a talk of two."""
INSTRUCTIONS = (
    "instruction", "prompt", "question", "query", "problem", "user", "human", "instructions",
    "text", "input_text", "task", "input", "inputs", "问题", "提问", "指令", "输入",
)  # fmt: skip
"""Names of instructions; what stands last is one only where nothing before it is there."""
PROSE_ONLY = "task"
"""An instruction only where it is prose; a short name tells where the record comes from."""
RESPONSES = (
    "output", "response", "completion", "solution", "answer", "target", "targets", "outputs",
    "assistant", "gpt", "generated_solution", "generation", "output_text", "target_text",
    "answers", "ground_truth", "答案", "回答", "输出", "instances.0.output",
    "reward_model.ground_truth",
)  # fmt: skip
INPUTS = (
    "input", "context", "passage", "paragraph", "document", "article", "输入", "knowledge",
    "instances.0.input",
)  # fmt: skip
REASONINGS = (
    "reasoning", "reasoning_content", "thinking", "thought", "chain_of_thought", "cot",
    "complex_cot", "rationale",
)  # fmt: skip
SYSTEMS = ("system", "system_prompt", "system_message", "meta_instruction")
TOOLS = ("tools", "functions")
HISTORY = "history"
CHOSEN, REJECTED = "chosen", "rejected"
CHOSEN_NAMES = (CHOSEN, "chosen_messages", "chosen_response")
REJECTED_NAMES = (REJECTED, "rejected_messages", "rejected_response")
BETTER = {"better_response_id": "response_{}"}
"""Fields that tell which of several answers is the better one, and how those are named."""
LABELS = ("labels", "skills", "tags", "knowledge")
SOURCES = ("source", "dataset", "data_source", "origin", "task", "task_name", "category", "subset")

KNOWN_FIELDS = frozenset(
    (*_STRONG, QUESTIONS_ONLY, *INSTRUCTIONS, *RESPONSES, *INPUTS, *SYSTEMS, *TOOLS, *LABELS,
     *SOURCES, *CHOSEN_NAMES, *REJECTED_NAMES, HISTORY)
)  # fmt: skip
"""Every field name that some format knows: a list under another name may hold records."""

FIELD_NAMES = 1000
"""Distinct field names of a pool that are remembered."""
_DOTTED = tuple(name for name in (*RESPONSES, *INPUTS) if "." in name)


@dataclass(frozen=True)
class Habits:
    """What the records of a file have in common, which none of them tells by itself.

    prose: fields of texts too long to be names of labels or sources.
    constant: fields that say the same in every record, and so are no answers.
    """

    prose: frozenset[str] = frozenset()
    constant: frozenset[str] = frozenset()


NO_HABITS = Habits()


@dataclass(frozen=True)
class Plan:
    """Which field plays which part in a record; None where no field does."""

    format: str
    instruction: str | None = None
    response: str | None = None
    input: str | None = None
    system: str | None = None
    history: str | None = None
    reasoning: str | None = None
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


def plan_of(
    record: Mapping[str, Any],
    mapping: tuple[tuple[str, str], ...] = (),
    habits: Habits = NO_HABITS,
) -> Plan:
    """Which field of a record plays which part; the mapping has the last word.

    Names count in any case, spaces and dashes in them as underscores.

    >>> plan_of({"Instruction": "Add.", "input": "1 1", "output": "2"}).mapping
    {'instruction': 'Instruction', 'response': 'output', 'input': 'input'}
    >>> plan_of({"ask": "Why?", "output": "So."}, (("instruction", "ask"),)).mapping
    {'instruction': 'ask', 'response': 'output'}
    """
    filled: list[str] = []
    blank: list[str] = []
    for name, value in record.items():
        (blank if is_nothing(value) else filled).append(name)
    filled += [path for path in _DOTTED if path not in record
               and not is_nothing(field_of(record, path))]  # fmt: skip
    plan = _plan(tuple(filled), tuple(blank), mapping, habits)
    while (stray := _stray(record, plan, mapping)) is not None:
        filled.remove(stray)
        plan = _plan(tuple(filled), tuple(blank), mapping, habits)
    better = _better(record)
    if better and "response" not in dict(mapping) and not plan.messages:
        return replace(plan, response=better, format="preference")
    return _settled(plan)


@lru_cache(maxsize=4096)
def _settled(plan: Plan) -> Plan:
    """The plan without an instruction where messages hold it all."""
    return replace(plan, instruction=None) if plan.messages else plan


def _stray(
    record: Mapping[str, Any], plan: Plan, mapping: tuple[tuple[str, str], ...]
) -> str | None:
    """A field whose value does not fit the part that its name has; None where all do."""
    given = dict(mapping)
    name = plan.messages
    if name and "messages" not in given:
        value, weak = as_list(record[name]), canonical(name) not in _STRONG
        other = weak or (plan.instruction and not isinstance(value, list))
        if other and shape_of(value) is None:
            return name
    text = plan.instruction
    if text and canonical(text) == "text" and "instruction" not in given and plan.input:
        parts = [field_of(record, plan.input), field_of(record, plan.response)]
        whole = record.get(text)
        if isinstance(whole, str) and all(isinstance(p, str) and p in whole for p in parts):
            return text  # the whole example once more, as a template writes it
    return None


def _better(record: Mapping[str, Any]) -> str | None:
    for name, pattern in BETTER.items():
        field = pattern.format(record.get(name))
        if field in record:
            return field
    return None


def plan_for(fields: Iterable[str], mapping: tuple[tuple[str, str], ...] = ()) -> Plan:
    """Which field plays which part in a record that fills all of these.

    >>> plan_for(["question", "context", "answer"]).mapping
    {'instruction': 'question', 'response': 'answer', 'input': 'context'}
    """
    return _plan(tuple(fields), (), mapping, NO_HABITS)


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """A field's name as the tables above spell names.

    >>> canonical("System Prompt")
    'system_prompt'
    """
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


class _Names:
    """The field names of a record, found by the names that the tables above have for a part."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: dict[str, str] = {}
        for name in names:
            if name == canonical(name):
                self._by_name[name] = name
            else:
                self._by_name.setdefault(canonical(name), name)

    def first(self, candidates: Iterable[str], *, but: Iterable[str | None] = ()) -> str | None:
        found = (self._by_name[name] for name in candidates if name in self._by_name)
        return next((name for name in found if name not in but), None)


@lru_cache(maxsize=4096)
def _plan(
    filled: tuple[str, ...],
    blank: tuple[str, ...],
    mapping: tuple[tuple[str, str], ...],
    habits: Habits,
) -> Plan:
    """The plan for filled and blank fields: a blank one plays a part only if no other can."""
    given = dict(mapping)
    names, blanks = _Names(filled), _Names(blank)
    mapped_pair = "messages" not in given and ("instruction" in given or "response" in given)
    messages = given.get("messages") or (None if mapped_pair else names.first(MESSAGES))
    response = given.get("response") or _response(names, blanks, habits)
    chosen = response is not None and canonical(response) in CHOSEN_NAMES
    rest = {
        "system": given.get("system") or names.first(SYSTEMS),
        "tools": given.get("tools") or names.first(TOOLS),
        "labels": given.get("labels")
        or names.first(LABELS, but=habits.prose)
        or blanks.first(LABELS),  # [] says: no skill
        "source": given.get("source") or names.first(SOURCES, but=habits.prose),
    }
    instruction = given.get("instruction") or _instruction(names, blanks, habits)
    if messages:
        return Plan(
            _format_name(given, messages, None, response if chosen else None),
            instruction=None if "messages" in given else instruction,
            response=response if chosen else None,
            messages=messages,
            **rest,
        )
    # Who names the instruction field has said what the instruction is: no input joins it unasked.
    asked = mapped_pair and "instruction" in given
    labels = rest["labels"] if rest["labels"] in filled else None
    return Plan(
        _format_name(given, None, instruction, response),
        instruction=instruction,
        response=response,
        input=given.get("input")
        or (None if asked else names.first(INPUTS, but=(instruction, response, labels))),
        history=given.get("history") or names.first((HISTORY,)),
        reasoning=given.get("reasoning")
        or (names.first(REASONINGS, but=(instruction, response)) if response else None),
        **rest,
    )


def _instruction(names: _Names, blanks: _Names, habits: Habits) -> str | None:
    task = names.first((PROSE_ONLY,))
    but = () if task in habits.prose else (task,)
    return names.first(INSTRUCTIONS, but=but) or blanks.first(
        name for name in INSTRUCTIONS if name != PROSE_ONLY
    )


def _response(names: _Names, blanks: _Names, habits: Habits) -> str | None:
    if names.first(REJECTED_NAMES):
        order = (*CHOSEN_NAMES, *RESPONSES)
    else:
        order = (*RESPONSES, *CHOSEN_NAMES)
    return names.first(order, but=habits.constant) or names.first(order) or blanks.first(order)


def _format_name(
    given: Mapping[str, str], messages: str | None, instruction: str | None, response: str | None
) -> str:
    if given.keys() & {"instruction", "response", "messages"}:
        return "mapped"
    if response is not None and canonical(response) in CHOSEN_NAMES:
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


def record_fields(value: Any) -> Mapping[str, Any]:
    """The fields of a record: an object's own; a list of messages is the field `messages`.

    A text that holds the JSON of an object is that object. Raises NotARecord for all else.

    >>> record_fields([{"role": "user", "content": "Hi"}])
    {'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = loads(value)
        except ValueError:
            raise NotARecord("not an object") from None
        return record_fields(value)
    if isinstance(value, list) and shape_of(value) is not None:
        return {"messages": value}
    raise NotARecord("not an object")


def as_list(value: Any) -> Any:
    """A filled list as it is, also out of a table cell that spells one; else the value.

    A cell spells it as JSON, or as Python prints it.

    >>> as_list('["a"]'), as_list("[sic]"), as_list([])
    (['a'], '[sic]', None)
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except ValueError:
            try:
                value = python_value(value)
            except ValueError:
                return value
    return None if value in ([], "") else value


def listed(names: Iterable[str]) -> str:
    """The first twenty names, and how many more there are, for a message."""
    names = list(names)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
