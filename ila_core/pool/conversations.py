"""The shapes of a conversation: what a field that holds one looks like, and its turns.

One line of `SHAPES` and one function a shape; a new shape is added there. Wherever a conversation
can stand (messages, a history, a prompt, a chosen side, a record that is a list) all are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ila_core.pool.record import NotARecord, Note, Role, Turn
from ila_core.pool.roles import role_of
from ila_core.pool.transcripts import transcript
from ila_core.pool.values import (
    CONTENT,
    answers_in,
    calls_text,
    content_text,
    is_missing,
    is_result,
    is_texts,
    several,
    text_of,
)

Heard = Turn | Note
"""What is heard of a conversation: its turns in order, notes among them."""

SPEAKER = ("role", "from", "speaker", "author", "sender")
"""Where a message tells who speaks."""
REASONING = ("reasoning_content", "reasoning", "thinking", "thought", "think")
"""Where a message keeps what was thought before its content."""
WITH_REASONING = Note("reasoning beside the answer, scored in front of it")
TREE = Note("message tree, its best-ranked path is read")

_ROUND: dict[str, Role] = {
    **dict.fromkeys(("system", "system_prompt"), "system"),
    **dict.fromkeys(("human", "user", "instruction", "question", "query", "prompt", "input", "q",
                     "problem"), "user"),
    **dict.fromkeys(("tool_responses", "tool", "observation"), "tool"),
    **dict.fromkeys(("assistant", "gpt", "bot", "answer", "output", "response", "a", "moss",
                     "model", "completion", "target", "chatgpt"), "assistant"),
}  # fmt: skip
"""The parts of a round, an object that holds a question and its answer, in order of speech."""
_CALL = "commands"
_THOUGHTS = ("inner_thoughts", *REASONING)
_WEIGHTS = frozenset(("loss_weight", "weight", "train", "loss"))
_THOUGHT = frozenset(REASONING)
_MARK = re.compile(r"\s*<\|[\w ]+\|>:?\s?|<eo[a-z]>\s*$")  # MOSS writes <|Human|>: ...<eoh>


class Shape(NamedTuple):
    """A shape of a conversation: its name, how it is known, and how its turns are read."""

    name: str
    fits: Callable[[Any], bool]
    turns: Callable[[Any], Iterator[Heard]]


def shape_of(value: Any) -> Shape | None:
    """The shape of a conversation; None where the value holds none.

    >>> shape_of([{"human": "Why?", "assistant": "So."}]).name
    'rounds'
    """
    return next((shape for shape in SHAPES if shape.fits(value)), None)


def is_message(value: Any) -> bool:
    """Whether an object is one message: a known role speaks, and it holds what is said."""
    return (
        isinstance(value, dict)
        and any(isinstance(who := value.get(name), str) and role_of(who) for name in SPEAKER)
        and any(name in value for name in (*CONTENT, "tool_calls", "function_call"))
    )


# Messages


def _is_messages(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, dict) and any(not is_missing(item.get(name)) for name in SPEAKER)
        for item in value[:2]
    )


def _messages(messages: list[Any]) -> Iterator[Heard]:
    """OpenAI's role and content, ShareGPT's from and value, and their kin."""
    for message in messages:
        if not isinstance(message, dict):
            raise NotARecord("message is not an object")
        name = _first(message, SPEAKER)
        if not isinstance(name, str):
            raise NotARecord("message without role")
        role = role_of(name)
        if role is None:
            raise NotARecord("unknown role")
        yield from _message(message, role)


def _first(message: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields that holds something."""
    for name in names:
        value = message.get(name)
        if value is not None and not is_missing(value):
            return value
    return None


def _message(message: Mapping[str, Any], role: Role) -> Iterator[Heard]:
    text = _first(message, CONTENT)
    if not isinstance(text, str):
        if role == "user" and _only_results(text):
            role = "tool"
        text, notes = content_text(text, as_json=role == "tool")
        yield from notes
    if role != "assistant":
        yield Turn(role, text, False)
        return
    if not _THOUGHT.isdisjoint(message) and (thought := _reasoning(message)):
        yield WITH_REASONING
        text = "\n\n".join(piece for piece in (thought, text) if piece.strip())
    if "tool_calls" in message or "function_call" in message:
        calls = calls_text(message.get("tool_calls")) or calls_text(message.get("function_call"))
        text = "\n".join(piece for piece in (text, calls) if piece)
    yield Turn(role, text, _WEIGHTS.isdisjoint(message) or _counts(message))


def _only_results(content: Any) -> bool:
    """Whether a message of the user hands over what tools returned, and nothing else."""
    return isinstance(content, list) and bool(content) and all(map(is_result, content))


def _reasoning(message: Mapping[str, Any]) -> str:
    found = next((message[name] for name in REASONING if isinstance(message.get(name), str)), "")
    return found if found.strip() else ""


def _counts(message: Mapping[str, Any]) -> bool:
    """False where the data marks the turn with weight 0."""
    return not any(
        isinstance(weight := message.get(key), int | float) and weight == 0 for key in _WEIGHTS
    )


# A table's way to keep messages: an object of columns


def _is_columns(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and any(name in value for name in SPEAKER)
        and all(isinstance(column, list) for column in value.values())
        and len(set(map(len, value.values()))) == 1
    )


def _columns(value: Mapping[str, list[Any]]) -> Iterator[Heard]:
    yield from _messages([
        dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True)
    ])  # fmt: skip


# Bare texts that take turns, and pairs of them


def _texts(texts: list[Any]) -> Iterator[Heard]:
    for position, text in enumerate(texts):
        role: Role = "assistant" if position % 2 else "user"
        yield Turn(role, text_of(text, "message"), role == "assistant")


def questions(texts: list[Any]) -> Iterator[Heard]:
    """Bare texts that all are the user's: questions that build on each other."""
    yield Note("list of questions, all of them the user's")
    for text in texts:
        yield Turn("user", text_of(text, "message"), False)


def _is_pairs(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(pair, list) and len(pair) == 2 for pair in value)
    )


def _pairs(pairs: list[list[Any]]) -> Iterator[Heard]:
    yield from _texts([text for pair in pairs for text in pair])


# Rounds: objects that hold a question and its answer


def is_round(value: Any) -> bool:
    """Whether an object is a round: a text of the user's and one of the assistant's, by name."""
    if not isinstance(value, dict):
        return False
    roles = {_ROUND.get(str(name).lower()) for name in value}
    return {"user", "assistant"} <= roles


def _is_rounds(value: Any) -> bool:
    if isinstance(value, dict) and value:
        return all(
            isinstance(turn, dict) and re.fullmatch(r"(?:turn|round)?[ _-]?\d+", str(name))
            for name, turn in value.items()
        ) and _is_rounds(list(value.values()))
    return isinstance(value, list) and bool(value) and is_round(value[0])


def _rounds(rounds: Any) -> Iterator[Heard]:
    for one in rounds.values() if isinstance(rounds, dict) else rounds:
        if not isinstance(one, dict):
            raise NotARecord("message is not an object")
        parts = {str(name).lower().replace(" ", "_"): value for name, value in one.items()}
        yield from _round(parts)


def _round(parts: Mapping[str, Any]) -> Iterator[Heard]:
    thoughts = [text for name in _THOUGHTS if (text := _spoken(parts.get(name)))]
    for role in ("system", "user", "tool", "assistant"):
        said: list[str] = []
        for name, speaker in _ROUND.items():
            if speaker == role and name in parts:
                answers = answers_in(parts[name], "message")
                yield from several(answers)
                said += [_MARK.sub("", answer).strip("\n") for answer in answers[:1]]
        if role == "tool" and (call := _spoken(parts.get(_CALL))):
            yield Turn("assistant", call, True)
        if role == "assistant" and thoughts:
            yield WITH_REASONING
            said = [*thoughts, *said]
        if said:
            yield Turn(role, "\n\n".join(said), role == "assistant")


def _spoken(value: Any) -> str:
    """A part of a round without its marks; "" where it is missing or says None."""
    text = _MARK.sub("", value).strip() if isinstance(value, str) else ""
    return "" if text == "None" else text


# Segments: texts with a mark on those to be learned


def _is_segments(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, dict)
            and isinstance(one.get("text"), str)
            and isinstance(one.get("label"), bool)
            for one in value
        )
    )


def _segments(segments: list[Mapping[str, Any]]) -> Iterator[Heard]:
    for one in segments:
        yield Turn("assistant" if one["label"] else "user", one["text"], one["label"])


# A tree of messages, each with its replies


def _is_tree(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("replies"), list)


def _tree(node: Mapping[str, Any]) -> Iterator[Heard]:
    """The path of the best replies, down to the last answer."""
    path = [node]
    while replies := [one for one in path[-1].get("replies") or () if _is_reply(one)]:
        path.append(min(replies, key=_rank))
    last = max((i for i, one in enumerate(path) if _is_answer(one)), default=len(path) - 1)
    yield TREE
    yield from _messages([_without_replies(one) for one in path[: last + 1]])


def _is_reply(value: Any) -> bool:
    return isinstance(value, dict) and not value.get("deleted")


def _is_answer(node: Mapping[str, Any]) -> bool:
    return role_of(str(node.get("role"))) == "assistant"


def _rank(node: Mapping[str, Any]) -> float:
    rank = node.get("rank")
    return float(rank) if isinstance(rank, int | float) and rank == rank else float("inf")


def _without_replies(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "replies"}


# One text that spells it all out


def _is_transcript(value: Any) -> bool:
    return isinstance(value, str) and transcript(value) is not None


def _transcript(text: str) -> Iterator[Heard]:
    for role, said in transcript(text) or ():
        yield Turn(role, said, role == "assistant")


SHAPES = (
    Shape("messages", _is_messages, _messages),
    Shape("texts", is_texts, _texts),
    Shape("pairs", _is_pairs, _pairs),
    Shape("segments", _is_segments, _segments),
    Shape("rounds", _is_rounds, _rounds),
    Shape("columns", _is_columns, _columns),
    Shape("tree", _is_tree, _tree),
    Shape("transcript", _is_transcript, _transcript),
)
"""Every shape of a conversation, the usual ones first."""


def turns_of(value: Any) -> Iterator[Heard]:
    """The turns of a conversation in any shape; NotARecord tells what is wrong with one."""
    shape = shape_of(value)
    if shape is not None:
        yield from shape.turns(value)
    elif isinstance(value, list):
        yield from _messages(value)
    else:
        raise NotARecord("messages are not a list")
