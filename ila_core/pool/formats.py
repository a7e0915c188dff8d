"""The formats of a record: how its fields become turns.

:func:`adapt` makes turns of a record's fields, or says why it cannot. Which field plays which part
is told by :mod:`fields`; what a conversation looks like, wherever one stands, by
:mod:`conversations`. Nothing here reads files or remembers records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from ila_core.pool.conversations import (
    WITH_REASONING,
    Heard,
    is_message,
    questions,
    shape_of,
    turns_of,
)
from ila_core.pool.fields import (
    CHOSEN_NAMES,
    KNOWN_FIELDS,
    QUESTIONS_ONLY,
    Plan,
    as_list,
    canonical,
    field_of,
    record_fields,
)
from ila_core.pool.json_text import compact_json
from ila_core.pool.labels import Labels, NoLabels, labels_in
from ila_core.pool.plans import NO_HABITS, Habits, plan_of
from ila_core.pool.record import NotARecord, Note, Role, Turn
from ila_core.pool.transcripts import transcript, without_label
from ila_core.pool.values import answers_in, is_texts, several, text_of

BAD_ANSWER = Note("answer marked as bad (label is false)")


class Adapted(NamedTuple):
    """What an adapter makes of a record's fields."""

    format: str
    turns: tuple[Turn, ...]
    labels: Labels
    source: str | None
    notes: frozenset[Note] = frozenset()
    plan: Plan = Plan("unknown")


def adapt(
    value: Any, mapping: tuple[tuple[str, str], ...] = (), habits: Habits = NO_HABITS
) -> Adapted:
    """The turns, labels and source of a record given as its parsed fields.

    Blank turns are left out; a system prompt and the tools become one system turn in front. The
    record may also be the list of its messages. Raises NotARecord, with the reason, where the
    fields do not make a record.

    >>> adapt({"question": "Why?", "answer": "Because.", "task": "talk"})[:4]
    ('question/answer', (Turn(role='user', text='Why?', scored=False),
    Turn(role='assistant', text='Because.', scored=True)), None, 'talk')
    """
    record = record_fields(value)
    plan = plan_of(record, mapping, habits)
    plan, heard = _conversation(record, plan, mapping)
    turns = [one for one in heard if type(one) is Turn]
    system = without_label(text_of(field_of(record, plan.system), "system prompt"))
    whole = _with_one_system_turn(system, _tools_text(field_of(record, plan.tools)), turns)
    if not any(turn.role == "user" for turn in whole):
        raise NotARecord("no instruction")
    try:
        labels = labels_in(field_of(record, plan.labels))
    except NoLabels:  # a field of that name that means something else
        labels = None
    notes = _notes(record, heard) if len(turns) < len(heard) or "label" in record else _NO_NOTES
    source = as_source(field_of(record, plan.source))
    return Adapted(plan.format, tuple(whole), labels, source, notes, plan)


_NO_NOTES: frozenset[Note] = frozenset()


def _notes(record: Mapping[str, Any], heard: Iterable[Heard]) -> frozenset[Note]:
    answered = any(isinstance(one, Turn) and one.scored and one.text for one in heard)
    bad = [BAD_ANSWER] if answered and record.get("label") is False else []
    return frozenset((*(one for one in heard if isinstance(one, Note)), *bad))


def as_source(value: Any) -> str | None:
    """The source as text; None where it is neither text nor a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _conversation(
    record: Mapping[str, Any], plan: Plan, mapping: tuple[tuple[str, str], ...]
) -> tuple[Plan, list[Heard]]:
    """The record's turns with what is to be noted of them, and the plan as it turned out."""
    if plan.messages:
        return _spoken(record, plan, mapping)
    if plan.instruction or (plan.response and canonical(plan.response) in CHOSEN_NAMES):
        return _pair(record, plan)
    if plan.response or any(canonical(name) in KNOWN_FIELDS for name in record):
        raise NotARecord("no instruction")
    raise NotARecord("unknown format")


@lru_cache(maxsize=4096)
def _holds_all(plan: Plan, field: str, format: str) -> Plan:
    """The plan where one field turned out to hold the whole conversation."""
    return replace(plan, format=format, messages=field, instruction=None, input=None, history=None,
                   reasoning=None, response=None)  # fmt: skip


@lru_cache(maxsize=4096)
def _named(plan: Plan, format: str) -> Plan:
    return replace(plan, format=format)


def _spoken(
    record: Mapping[str, Any], plan: Plan, mapping: tuple[tuple[str, str], ...]
) -> tuple[Plan, list[Heard]]:
    """A conversation in a field of its own, and the chosen answer that may follow it."""
    messages = as_list(field_of(record, plan.messages))
    if messages is None or plan.messages is None:
        raise NotARecord("no instruction")
    shape = shape_of(messages)
    if shape is not None and shape.name == "texts" and not mapping:
        asked_only = canonical(plan.messages) == QUESTIONS_ONLY
        heard = list(questions(messages) if asked_only else turns_of(messages))
    else:
        heard = list(turns_of(messages))
    last = next((one.role for one in reversed(heard) if isinstance(one, Turn)), None)
    if plan.response and last in ("user", "tool"):
        heard += _side(record[plan.response], "assistant", "response")
    if plan.format == "messages" and shape is not None:
        sharegpt = shape.name == "messages" and "from" in messages[0]
        plan = _named(plan, "sharegpt" if sharegpt else shape.name)
    return plan, heard


def _pair(record: Mapping[str, Any], plan: Plan) -> tuple[Plan, list[Heard]]:
    """Alpaca, prompt and completion, question and answer, preference pairs: two sides."""
    prompt, answer = field_of(record, plan.instruction), field_of(record, plan.response)
    preferred = plan.format == "preference"
    response = list(_side(answer, "assistant", "response", whole=preferred))
    spoken = (one.role for one in response if isinstance(one, Turn) and one.role != "system")
    if plan.response and next(spoken, None) == "user":  # the chosen side holds the prompt too
        return _holds_all(plan, plan.response, plan.format), response
    if plan.response is None and plan.instruction:
        shape = shape_of(as_list(prompt))
        if shape is not None and shape.name != "texts":
            format = shape.name if plan.format != "mapped" else "mapped"
            return _holds_all(plan, plan.instruction, format), list(turns_of(as_list(prompt)))
    heard: list[Heard] = []
    history = as_list(field_of(record, plan.history))
    if history is not None:
        if shape_of(history) is None:
            raise NotARecord("history is no conversation")
        heard += turns_of(history)
    heard += _asked(record, plan, prompt)
    thought = text_of(field_of(record, plan.reasoning), "reasoning") if plan.reasoning else ""
    return plan, [*heard, *_with_reasoning(thought, response)]


def _asked(record: Mapping[str, Any], plan: Plan, prompt: Any) -> Iterator[Heard]:
    """The user's side: a text and an input that joins it, or a conversation up to the question."""
    if isinstance(prompt, str) and plan.input is None:
        said = transcript(prompt, sure=True)
        if said is not None:  # what was answered before the response is context
            yield from (Turn(role, text, False) for role, text in said)
            return
    plural = plan.instruction is not None and canonical(plan.instruction) == "instructions"
    if plural and isinstance(prompt, list) and len(prompt) > 1:
        raise NotARecord("several instructions in one record")
    if isinstance(prompt, list | dict):
        yield from _side(prompt, "user", "instruction")
        return
    texts = text_of(prompt, "instruction"), text_of(field_of(record, plan.input), "input")
    yield Turn("user", "\n\n".join([text for text in texts if text.strip()]), False)


def _with_reasoning(thought: str, response: Iterable[Heard]) -> Iterator[Heard]:
    """The response with what was thought before it in front."""
    for one in response:
        if thought.strip() and isinstance(one, Turn) and one.role == "assistant":
            yield WITH_REASONING
            if one.text.strip() not in thought:
                thought = "\n\n".join(text for text in (thought, one.text) if text.strip())
            yield Turn("assistant", thought, one.scored)
            thought = ""
        else:
            yield one


def _side(value: Any, role: Role, part: str, *, whole: bool = False) -> Iterator[Heard]:
    """One side of a pair: a text or several, one message, or a conversation.

    `whole` says that a text may be a whole conversation, too.
    """
    value = [value] if is_message(value) and "replies" not in value else value
    if role == "user" and is_texts(value):
        if part == "instruction" and len(value) > 1:
            yield from questions(value)
        else:
            yield Turn("user", text_of(value[0], part), False)
        return
    shape = shape_of(value) if isinstance(value, list | dict) or whole else None
    if shape is not None and shape.name != "texts":
        yield from shape.turns(value)
    elif role == "assistant":
        answers = answers_in(value, part)
        yield from several(answers)
        yield Turn(role, answers[0] if answers else "", True)
    else:
        yield Turn(role, text_of(value, part), False)


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
