"""The fields of a record: which of them plays which part.

A record's format is read off the names of its filled fields, so that one file may mix formats;
what `--map` says has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from ila_core.errors import UsageError
from ila_core.pool.conversations import shape_of
from ila_core.pool.json_text import loads, python_value
from ila_core.pool.record import NotARecord

MESSAGES = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat", "thread",
    "segments", "data",
)  # fmt: skip
STRONG = MESSAGES[:5]
"""These hold a conversation, or are wrong; the others may mean something else."""
QUESTIONS_ONLY = "turns"
"""A list of bare texts under this name is the user's questions, not a talk of two."""
INSTRUCTIONS = (
    "instruction", "prompt", "question", "query", "problem", "user", "human", "instructions",
    "text", "input_text", "definition", "task", "input.messages", "input", "inputs_pretokenized",
    "inputs", "问题", "提问", "指令", "输入", "source",
)  # fmt: skip
"""Names of instructions; what stands last is one only where nothing before it is there."""
PROSE_ONLY = ("task", "source")
"""Instructions only where they are prose; a short name tells where the record comes from."""
RESPONSES = (
    "output", "response", "completion", "solution", "answer", "target", "targets_pretokenized",
    "targets", "outputs",
    "assistant", "gpt", "generated_solution", "generation", "output_text", "target_text",
    "answers", "ground_truth", "答案", "回答", "输出", "instances.0.output",
    "reward_model.ground_truth",
)  # fmt: skip
NEEDS = (
    "input", "inputs", "context", "passage", "paragraph", "document", "article", "输入",
    "knowledge", "instances.0.input",
)  # fmt: skip
REASONINGS = (
    "reasoning", "reasoning_content", "thinking", "thought", "chain_of_thought", "cot",
    "complex_cot", "rationale",
)  # fmt: skip
SYSTEMS = (
    "system", "system_prompt", "system_message", "meta_instruction", "system_instruction",
    "systeminstruction",
)  # fmt: skip
TOOLS = ("tools", "functions")
HISTORY = "history"
CHOSEN, REJECTED = "chosen", "rejected"
CHOSEN_NAMES = (CHOSEN, "chosen_messages", "chosen_response", "preferred_output")
REJECTED_NAMES = (REJECTED, "rejected_messages", "rejected_response", "non_preferred_output")
BETTER = {"better_response_id": "response_{}"}
"""Fields that tell which of several answers is the better one, and how those are named."""
LABELS = ("labels", "skills", "tags", "knowledge")
SOURCES = ("source", "dataset", "data_source", "origin", "task", "task_name", "category", "subset")

KNOWN_FIELDS = frozenset(
    (*STRONG, QUESTIONS_ONLY, *INSTRUCTIONS, *RESPONSES, *NEEDS, *SYSTEMS, *TOOLS, *LABELS,
     *SOURCES, *CHOSEN_NAMES, *REJECTED_NAMES, HISTORY)
)  # fmt: skip
"""Every field name that some format knows: a list under another name may hold records."""

RECORD_FIELDS = frozenset((*INSTRUCTIONS, *RESPONSES, *MESSAGES)).difference(PROSE_ONLY)
"""Fields that only a record has: an object with one of them is one."""

FIELD_NAMES = 1000
"""Distinct field names of a pool that are remembered."""


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

        >>> Plan("question/answer", instruction="question", response="answer").mapping
        {'instruction': 'question', 'response': 'answer'}
        """
        return {part: field for part in PARTS if (field := getattr(self, part)) is not None}


PARTS = tuple(field.name for field in fields(Plan))[1:]
"""The parts a field can play, and the names that `--map` takes."""
BESIDE = ("system", "tools", "labels", "source")
"""Those of them that stand beside a conversation, which is one without them."""


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


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """A field's name as the tables above spell names.

    >>> canonical("System Prompt")
    'system_prompt'
    """
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


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
    if "." not in path:
        return None
    value: Any = record
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
            value = loads(value)
        except (ValueError, RecursionError):
            try:
                value = python_value(value)
            except ValueError:
                return value
    return None if value in ([], "") else value


def listed(names: Iterable[str]) -> str:
    """The first twenty names, and how many more there are, for a message.

    Of a name as long as a text, which it then is, the beginning.

    >>> listed(["question", "Which river is the longest? " * 9])
    'question, Which river is the longest? Which river is the longest? Whi…'
    """
    names = [name if len(name) <= 60 else f"{name[:59]}…" for name in names]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
