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
from ila_core.pool.values import answers_in, content_text, is_texts, several, text_of

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
    system = _system_text(field_of(record, plan.system)) if plan.system else ""
    tools = _tools_text(field_of(record, plan.tools)) if plan.tools else ""
    whole = _with_one_system_turn(system, tools, turns)
    if not any(turn.role == "user" for turn in whole):
        raise NotARecord("no instruction")
    labels = _labels(field_of(record, plan.labels)) if plan.labels else None
    notes = _notes(record, heard) if len(turns) < len(heard) or "label" in record else _NO_NOTES
    source = as_source(field_of(record, plan.source)) if plan.source else None
    return Adapted(plan.format, tuple(whole), labels, source, notes, plan)


_NO_NOTES: frozenset[Note] = frozenset()


def _labels(value: Any) -> Labels:
    try:
        return labels_in(value)
    except NoLabels:  # a field of that name that means something else
        return None


def _notes(record: Mapping[str, Any], heard: Iterable[Heard]) -> frozenset[Note]:
    answered = any(isinstance(one, Turn) and one.scored and one.text.strip() for one in heard)
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
    response = _side(answer, "assistant", "response", whole=preferred)
    if plan.response and _opener(response) == "user":  # the chosen side holds the prompt too
        return _holds_all(plan, plan.response, plan.format), response
    if plan.response is None and plan.instruction:
        shape = shape_of(as_list(prompt))
        if shape is not None and shape.name != "texts":
            format = shape.name if plan.format != "mapped" else "mapped"
            return _holds_all(plan, plan.instruction, format), list(turns_of(as_list(prompt)))
    heard: list[Heard] = []
    history = as_list(field_of(record, plan.history)) if plan.history else None
    if history is not None:
        if shape_of(history) is None:
            raise NotARecord("history is no conversation")
        heard += turns_of(history)
    heard += _asked(record, plan, prompt)
    if plan.reasoning:
        thought = text_of(field_of(record, plan.reasoning), "reasoning")
        response = list(_with_reasoning(thought, response))
    return plan, heard + response


def _opener(heard: Iterable[Heard]) -> Role | None:
    """Who speaks first, but for a system prompt."""
    for one in heard:
        if isinstance(one, Turn) and one.role != "system":
            return one.role
    return None


def _asked(record: Mapping[str, Any], plan: Plan, prompt: Any) -> list[Heard]:
    """The user's side: a text and an input that joins it, or a conversation up to the question."""
    if isinstance(prompt, str) and plan.input is None:
        said = transcript(prompt, sure=True)
        # What was answered before the response is context; with the last word under a mark of the
        # assistant's, the marks are headings: "### Output: the sum" tells what is wanted.
        if said is not None and said[-1][0] != "assistant":
            return [Turn(role, text, False) for role, text in said]
    plural = plan.instruction is not None and canonical(plan.instruction) == "instructions"
    if plural and isinstance(prompt, list) and len(prompt) > 1:
        raise NotARecord("several instructions in one record")
    if isinstance(prompt, (list, dict)):
        return _side(prompt, "user", "instruction")
    texts = text_of(prompt, "instruction"), text_of(field_of(record, plan.input), "input")
    return [Turn("user", "\n\n".join([text for text in texts if text.strip()]), False)]


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


def _side(value: Any, role: Role, part: str, *, whole: bool = False) -> list[Heard]:
    """One side of a pair: a text or several, one message, or a conversation.

    `whole` says that a text may be a whole conversation, too.
    """
    if isinstance(value, str) and not whole:
        return [Turn(role, value, role == "assistant")]
    value = [value] if is_message(value) and "replies" not in value else value
    if role == "user" and is_texts(value):
        if len(value) > 1:
            return list(questions(value))
        return [Turn("user", text_of(value[0], part), False)]
    shape = shape_of(value) if isinstance(value, (list, dict)) or whole else None
    if shape is not None and shape.name != "texts":
        return list(shape.turns(value))
    if role == "assistant":
        answers = answers_in(value, part)
        return [*several(answers), Turn(role, answers[0] if answers else "", True)]
    return [Turn(role, text_of(value, part), False)]


def _system_text(value: Any) -> str:
    """The system prompt: a text, a message, or the parts of one."""
    parts = value.get("parts") or [value] if isinstance(value, dict) else value
    if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
        value = content_text(parts)[0] or value
    return without_label(text_of(value, "system prompt"))


def _tools_text(tools: Any) -> str:
    """The tools as text, none for an empty list, be it spelled out."""
    if isinstance(tools, str):
        return "" if tools.strip() in ("[]", "{}", "null") else tools
    return compact_json(tools) if tools else ""


def _with_one_system_turn(system: str, tools: str, turns: list[Turn]) -> list[Turn]:
    """Drop blank turns; one system turn in front, as most chat templates take no more."""
    turns = [turn for turn in turns if turn.text.strip()]
    if not (system or tools or (turns and turns[0].role == "system")):
        return turns
    leading = 0
    while leading < len(turns) and turns[leading].role == "system":
        leading += 1
    texts = [system, *(turn.text for turn in turns[:leading]), tools]
    texts = [text for text in texts if text.strip()]
    return [Turn("system", "\n\n".join(texts), False), *turns[leading:]] if texts else turns
