"""What there is to score: a pool in windows of encoded records, a window in batches.

The windows and batches of a pool are the same whenever they are made, so that a run which was
killed finds its own again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ila_core.lm.batches import digest, token_batches, windows
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import Encoded, count_response_tokens, encode_records
from ila_core.loss.turns import Conversation

WINDOW = 4096
"""Records that are sorted by length together."""


class Window(NamedTuple):
    """A window of records, encoded.

    whole, bare: one sequence per record, None where there is none. tokens: (m,) full counts.
    reasons, notes: one per record or None. Row numbers count from `first`.
    """

    first: int
    key: str
    whole: Sequence[Encoded | None]
    bare: Sequence[Encoded | None]
    tokens: np.ndarray
    reasons: Sequence[str | None]
    notes: Sequence[str | None]


class Encoder:
    """Turns conversations into windows of sequences; `bare` ones too where these are wanted."""

    def __init__(self, template: ChatTemplate, max_length: int, *, bare: bool) -> None:
        self._template, self._max_length, self._bare = template, max_length, bare

    def windows(self, conversations: Iterable[Conversation]) -> Iterator[Window]:
        first = 0
        for turns in windows(conversations, WINDOW):
            yield self._window(first, turns)
            first += len(turns)

    def _window(self, first: int, records: list[Conversation]) -> Window:
        whole, reasons, notes = encode_records(records, self._template, self._max_length)
        bare: Sequence[Encoded | None] = [None] * len(records)
        if self._bare:
            bare, _, _ = encode_records(records, self._template, self._max_length, bare=True)
        unrendered = [i for i, sequence in enumerate(whole) if sequence is None]
        counts = count_response_tokens(
            [records[i] for i in unrendered], self._template.tokenizer, self._template.end_of_turn
        )
        tokens = np.array([s.tokens if s else 0 for s in whole], dtype=np.float32)
        tokens[unrendered] = counts
        return Window(first, digest(records), whole, bare, tokens, reasons, notes)


class Job(NamedTuple):
    """A batch: which results it fills, its sequences, and whether the tuned model reads it."""

    number: int
    kind: Literal["whole", "bare"]
    rows: np.ndarray
    batch: list[Encoded]
    models: int

    @property
    def tokens(self) -> int:
        return sum(len(sequence.ids) for sequence in self.batch)

    @property
    def padded(self) -> int:
        return max(len(sequence.ids) for sequence in self.batch) * len(self.batch)


def jobs_of(window: Window, batch_tokens: int, models: int) -> list[Job]:
    """The batches of a window, the same whenever they are asked for."""
    jobs: list[Job] = []
    for kind, sequences in (("whole", window.whole), ("bare", window.bare)):
        rows = np.array(
            [i for i, s in enumerate(sequences) if s is not None and len(s.targets)], dtype=np.int64
        )
        lengths = np.array([len(sequences[i].ids) for i in rows], dtype=np.int64)  # type: ignore[union-attr]
        for batch in token_batches(lengths, batch_tokens):
            chosen = rows[batch]
            ready = [s for i in chosen if (s := sequences[i]) is not None]
            # the tuned model has no use for a bare response
            count = 1 if kind == "bare" else models
            jobs.append(Job(len(jobs), kind, chosen, ready, count))  # type: ignore[arg-type]
    return jobs
