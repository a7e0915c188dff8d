"""A record as every later stage reads it, and what is told of something that is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ila_core.pool.labels import Labels

Role = Literal["system", "user", "assistant", "tool"]


class NotARecord(ValueError):
    """The fields do not make a record; the message is a short reason from a fixed vocabulary."""


class Note(str):
    """Something unusual that was read all the same: short, from a fixed vocabulary, to be counted.

    It stands among the turns that it is about.
    """


class Turn(NamedTuple):
    """One turn of a conversation; `scored` says whether its tokens count as response."""

    role: Role
    text: str
    scored: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One normalised record and the original it came from.

    original: the JSON text as it stood: a JSONL line byte for byte, without its newline; array
        elements, CSV and Parquet rows as compact JSON of all their fields.
    instruction, response: x_i and y_i of METHOD 1: all user turns, all scored turns, joined by a
        blank line.
    turns: in order, blank ones left out, a system prompt and tools as one system turn in front.
    labels: distinct skill labels in the order given, None where the record has none to read.
    """

    original: str
    instruction: str
    response: str
    turns: tuple[Turn, ...]
    labels: Labels = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that is not a record: where it stood, why not, and its text (clipped).

    line: counted from 1; the line of a JSONL file, the number of the element or row elsewhere.
    reason: short, from a fixed vocabulary, so that reasons can be counted.
    """

    file: str
    line: int
    reason: str
    text: str


def instruction_of(turns: Iterable[Turn]) -> str:
    """x_i of METHOD 1: all user turns, joined by a blank line."""
    return "\n\n".join([turn.text for turn in turns if turn.role == "user"])


def response_of(turns: Iterable[Turn]) -> str:
    """y_i of METHOD 1: all scored turns, joined by a blank line."""
    return "\n\n".join([turn.text for turn in turns if turn.scored])
