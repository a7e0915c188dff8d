"""Records of a pool that an evaluation set holds too: training on them would spoil what it says.

Three ways to overlap: a long passage in the same words, a short question word for word, and an
instruction that means the same to the encoder of the landscape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ila_core.errors import IlaError
from ila_core.options import check, option
from ila_core.overlap.duplicates import records_of
from ila_core.overlap.encoder import encoder_of
from ila_core.overlap.evaluation import Evaluation, Passages, owners
from ila_core.overlap.wording import Wording, spoken
from ila_core.pool.inputs import Paths
from ila_core.pool.settings import ReadSettings
from ila_core.progress import Progress, no_progress
from ila_core.space.encode import unit
from ila_core.space.neighbours import nearest
from ila_core.space.words import folded, sequence

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.pool.records import Records

Way = Literal["passage", "whole", "meaning"]
WAYS: tuple[Way, ...] = get_args(Way)
ENCODED = 1024
"""Evaluation records that are encoded at once."""


@dataclass(frozen=True)
class DecontaminationSettings(ReadSettings):
    """What counts as an overlap with an evaluation set, and how its files are read."""

    by: Literal["both", "words", "meaning"] = option(
        "both", "how records are compared with the evaluation set", metavar="HOW", choices={
            "both": "by words, and by meaning where the landscape has an encoder",
            "words": "the same words in the same order",
            "meaning": "the encoder of the landscape finds them alike",
        },
    )  # fmt: skip
    words: int = option(
        13, "words in the same order that are an overlap; a shorter instruction has to be the same "
        "as a whole", least=3, most=1000,
    )  # fmt: skip
    cosine: float = option(
        0.95, "cosine of two instructions from which they mean the same", above=0, most=1
    )


@dataclass(frozen=True)
class Match:
    """A record of the pool, and the evaluation record that it overlaps with."""

    row: int
    way: Way
    file: str
    number: int
    """Which record of that file, from 1."""
    evaluation: str
    """The instruction of that record."""
    passage: str = ""
    """The longest stretch of words that both have; empty for one that is alike in meaning alone."""
    cosine: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class Contamination:
    """What of a pool overlaps with an evaluation set."""

    settings: DecontaminationSettings
    records: int
    evaluated: int
    """Evaluation records that were read."""
    matches: Sequence[Match]
    """One a row, in file order."""
    templates: int = 0
    """Passages that were passed over because too many evaluation records hold them."""
    notes: Sequence[str] = ()

    @cached_property
    def rows(self) -> np.ndarray:
        """(m,) int64, ascending."""
        return np.array([match.row for match in self.matches], dtype=np.int64)

    @cached_property
    def ways(self) -> Counter[Way]:
        """How many rows there are of each way."""
        return Counter(match.way for match in self.matches)

    @property
    def touched(self) -> int:
        """Evaluation records that a row was matched with."""
        return len({(match.file, match.number) for match in self.matches})

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        if not self.matches:
            return (
                f"None of the {self.records:,} records overlaps with the {self.evaluated:,} "
                "evaluation records."
            )
        told: dict[Way, str] = {
            "passage": f"share {self.settings.words} words or more in a row",
            "whole": "ask a short question word for word",
            "meaning": f"mean the same (cosine {self.settings.cosine:g} or more)",
        }
        found = [f"{self.ways[way]:,} {words}" for way, words in told.items() if self.ways[way]]
        return (
            f"{len(self.matches):,} of {self.records:,} records overlap with {self.touched:,} of "
            f"the {self.evaluated:,} evaluation records: {', '.join(found)}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `ila decontaminate --json` prints."""
        return {
            "records": self.records,
            "evaluation_records": self.evaluated,
            "touched": self.touched,
            "left": len(self.matches),
            "by": {way: self.ways[way] for way in WAYS},
            "words": self.settings.words,
            "cosine": self.settings.cosine,
            "templates": self.templates,
            "notes": list(self.notes),
            "matches": [match.as_dict() for match in self.matches],
        }


def decontaminate(
    landscape: Landscape,
    evaluation: Paths,
    settings: DecontaminationSettings | None = None,
    *,
    progress: Progress = no_progress,
) -> Contamination:
    """Return which records of a landscape overlap with the records of evaluation files.

    A passage may be in an instruction or a response of either. One that many evaluation records
    hold is their template, and counts for nothing. `progress` counts records. IlaError for a
    landscape without records, and by meaning alone, for one without an encoder; what
    :class:`~ila_core.pool.reading.Reading` raises for the files.
    """
    settings = settings or DecontaminationSettings()
    check(settings)
    records = records_of(landscape)
    asked = Evaluation.read(evaluation, settings)
    matches: dict[int, Match] = {}
    templates, notes = 0, []
    if settings.by != "words":
        try:
            matches |= _by_meaning(landscape, asked, settings.cosine)
        except IlaError as error:
            if settings.by == "meaning":
                raise
            notes.append(f"Meaning was not compared: {error}")
    if settings.by != "meaning":
        passages = Passages.of(asked, settings.words)
        templates = passages.templates
        matches |= _by_words(records, asked, passages, progress)
    found = [matches[row] for row in sorted(matches)]
    return Contamination(settings, len(records), len(asked), found, templates, notes)


# -- by words -------------------------------------------------------------------------------------


def _by_words(
    records: Records, asked: Evaluation, passages: Passages, progress: Progress
) -> dict[int, Match]:
    found: dict[int, Match] = {}
    before = 0
    for batch in records.batches(["instruction", "response"]):
        pairs = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        texts = [text for pair in pairs for text in pair]
        for row, match in _in_batch(texts, before, asked, passages):
            found.setdefault(row, match)
        before += batch.num_rows
        progress(before, len(records))
    return found


def _in_batch(
    texts: Sequence[str], before: int, asked: Evaluation, passages: Passages
) -> Iterator[tuple[int, Match]]:
    """Yield the matches of texts, instruction and response in turns, of rows from `before` on."""
    wording = Wording.of(texts)
    grams = wording.grams(passages.words)
    owner = owners(grams.hash, passages.hash, passages.owner)
    hits = np.flatnonzero(owner >= 0)
    for text in np.unique(grams.text[hits]).tolist():
        own = hits[grams.text[hits] == text]
        first, count = longest_stretch(grams.place[own])
        start = int(grams.place[own[first]])
        words = sequence(folded(texts[text]))[start : start + count + passages.words - 1]
        row = before + text // 2
        yield row, _match(row, "passage", asked, int(owner[own[first]]), spoken(words))
    brief = np.flatnonzero((wording.length < passages.words) & (wording.length > 0))
    brief = brief[brief % 2 == 0]
    same = owners(wording.wholes()[brief], passages.short, passages.short_owner)
    for text, one in zip(brief[same >= 0].tolist(), same[same >= 0].tolist(), strict=True):
        row = before + text // 2
        yield row, _match(row, "whole", asked, one, " ".join(texts[text].split()))


def longest_stretch(places: np.ndarray) -> tuple[int, int]:
    """Return where the longest stretch of consecutive numbers begins, and how many it has.

    >>> longest_stretch(np.array([2, 5, 6, 7, 9]))
    (1, 3)
    """
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 2) != 1)
    lengths = np.diff(starts, append=len(places))
    longest = int(lengths.argmax())
    return int(starts[longest]), int(lengths[longest])


def _match(
    row: int, way: Way, asked: Evaluation, one: int, passage: str = "", cosine: float | None = None
) -> Match:
    return Match(
        row, way, asked.files[one], asked.numbers[one], asked.instructions[one], passage, cosine
    )


# -- by meaning -----------------------------------------------------------------------------------


def _by_meaning(landscape: Landscape, asked: Evaluation, least: float) -> dict[int, Match]:
    encoder = encoder_of(landscape)
    assert landscape.vectors is not None
    parts = [
        unit(np.asarray(encoder.encode(asked.instructions[start : start + ENCODED])))
        for start in range(0, len(asked), ENCODED)
    ]
    one, cosine = nearest(landscape.vectors, np.concatenate(parts), 1)
    rows = np.flatnonzero(cosine[:, 0] >= least)
    return {
        row: _match(row, "meaning", asked, int(one[row, 0]), cosine=round(float(cosine[row, 0]), 4))
        for row in rows.tolist()
    }
