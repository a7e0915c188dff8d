"""Which field of a record plays which part: told by names, then by what the fields hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ila_core.pool.conversations import is_message, shape_of
from ila_core.pool.fields import (
    BETTER,
    CHOSEN_NAMES,
    HISTORY,
    INSTRUCTIONS,
    LABELS,
    MESSAGES,
    NEEDS,
    PROSE_ONLY,
    REASONINGS,
    REJECTED_NAMES,
    RESPONSES,
    SOURCES,
    STRONG,
    SYSTEMS,
    TOOLS,
    Plan,
    as_list,
    canonical,
    field_of,
)
from ila_core.pool.values import is_nothing

_DOTTED = tuple(name for name in (*INSTRUCTIONS, *RESPONSES, *NEEDS) if "." in name)
_HEADS = frozenset(name.partition(".")[0] for name in _DOTTED)


@dataclass(frozen=True)
class Habits:
    """What the records of a file have in common, which none of them tells by itself.

    prose: fields of texts too long to be names of labels or sources.
    lists: those of them that hold lists, and so are no texts either.
    constant: fields that say the same in every record, and so are no answers.
    """

    prose: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    constant: frozenset[str] = frozenset()


NO_HABITS = Habits()


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
    nested = False
    for name, value in record.items():
        if type(value) is str:
            (filled if value else blank).append(name)
        else:
            (blank if is_nothing(value) else filled).append(name)
            nested = nested or name in _HEADS
    if nested:
        filled += [path for path in _DOTTED if path not in record
                   and not is_nothing(field_of(record, path))]  # fmt: skip
    plan = _plan(tuple(filled), tuple(blank), mapping, habits)
    while (stray := _stray(record, plan, mapping)) is not None:
        filled.remove(stray)
        plan = _plan(tuple(filled), tuple(blank), mapping, habits)
    better = _better(record)
    if better and "response" not in dict(mapping) and not plan.messages:
        return replace(plan, response=better, format="preference")
    if plan.messages:
        return _settled(plan)
    talk = talk_in(record, filled) if plan.format == "unknown" else None
    return plan if talk is None else replace(plan, messages=talk, format="messages")


@lru_cache(maxsize=4096)
def _settled(plan: Plan) -> Plan:
    """The plan of messages, which hold the instruction too."""
    return replace(plan, instruction=None)


def talk_in(record: Mapping[str, Any], names: Iterable[str] | None = None) -> str | None:
    """The only field of a record, or of some of its names, that holds messages."""
    names = record if names is None else names
    found = [name for name in names if isinstance(value := as_list(record.get(name)), list)
             and is_message(value[0])]  # fmt: skip
    return found[0] if len(found) == 1 else None


def _stray(
    record: Mapping[str, Any], plan: Plan, mapping: tuple[tuple[str, str], ...]
) -> str | None:
    """A field whose value does not fit the part that its name has; None where all do."""
    if not plan.messages and not plan.input:
        return None
    given = dict(mapping)
    name = plan.messages
    if name and "messages" not in given:
        value, weak = as_list(record[name]), canonical(name) not in STRONG
        other = weak or (plan.instruction and not isinstance(value, list))
        if other and shape_of(value) is None:
            return name
    context = plan.input
    no_text = isinstance(field_of(record, context), list | dict)  # such as a list of passages
    if context and no_text and "input" not in given and canonical(context) != "input":
        return context
    text = plan.instruction
    if text and canonical(text) == "text" and "instruction" not in given and plan.input:
        parts = [field_of(record, plan.input), field_of(record, plan.response)]
        whole = record.get(text)
        if isinstance(whole, str) and all(isinstance(p, str) and p in whole for p in parts):
            return text  # the whole example once more, as a template writes it
    return None


def _better(record: Mapping[str, Any]) -> str | None:
    for name, pattern in BETTER.items():
        if name in record and (field := pattern.format(record[name])) in record:
            return field
    return None


def plan_for(fields: Iterable[str], mapping: tuple[tuple[str, str], ...] = ()) -> Plan:
    """Which field plays which part in a record that fills all of these.

    >>> plan_for(["question", "context", "answer"]).mapping
    {'instruction': 'question', 'response': 'answer', 'input': 'context'}
    """
    return _plan(tuple(fields), (), mapping, NO_HABITS)


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
    response = given.get("response") or _response(names, blanks, habits)
    chosen = response is not None and canonical(response) in CHOSEN_NAMES
    rest = _beside(given, names, blanks, habits)
    instruction = given.get("instruction") or _instruction(names, blanks, habits)
    if instruction is None and "response" in given:
        instruction = names.first(MESSAGES)  # a conversation that the response is to answer
    is_pair = instruction in filled and response in filled and not chosen
    may_hold = STRONG if is_pair else MESSAGES  # a pair is not put aside for a weak name
    messages = given.get("messages") or (None if mapped_pair else names.first(may_hold))
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
    names_only = [name for name in filled if name not in habits.prose or name in habits.lists]
    whole = instruction.partition(".")[0] if instruction else None
    no_input = (whole, instruction, response, *(n for n in names_only if canonical(n) in LABELS))
    return Plan(
        _format_name(given, None, instruction, response),
        instruction=instruction,
        response=response,
        input=given.get("input") or (None if asked else names.first(NEEDS, but=no_input)),
        history=given.get("history") or names.first((HISTORY,)),
        reasoning=given.get("reasoning")
        or (names.first(REASONINGS, but=(instruction, response)) if response else None),
        **rest,
    )


def _beside(
    given: Mapping[str, str], names: _Names, blanks: _Names, habits: Habits
) -> dict[str, str | None]:
    """The fields of what stands beside a conversation, by part."""
    return {
        "system": given.get("system") or names.first(SYSTEMS),
        "tools": given.get("tools") or names.first(TOOLS),
        "labels": given.get("labels")
        or names.first(LABELS, but=habits.prose)
        or blanks.first(LABELS),  # [] says: no skill
        "source": given.get("source") or names.first(SOURCES, but=habits.prose),
    }


def _instruction(names: _Names, blanks: _Names, habits: Habits) -> str | None:
    short = [name for one in PROSE_ONLY if (name := names.first([one])) not in habits.prose]
    return names.first(INSTRUCTIONS, but=short) or blanks.first(
        name for name in INSTRUCTIONS if name not in PROSE_ONLY
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
