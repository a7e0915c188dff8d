"""What a build would take on this machine: time, memory, disk, and requests for labels."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core.errors import IlaError
from ila_core.lm.settings import LmSettings
from ila_core.pipeline.placing import encoder_of
from ila_core.pipeline.settings import BuildSettings
from ila_core.progress import duration
from ila_core.skills.endpoint import Estimate as Cost
from ila_core.skills.settings import EndpointSettings

if TYPE_CHECKING:
    from ila_core.lm.score import Speed
    from ila_core.pool.record import Record
    from ila_core.space.encoders import Encoder

# Seconds on two cores with records of about 240 tokens, the n-gram loss and the domains made beside
# the map: a build is within a third of those of `assets/growth.json`. What principal components and
# placing among landmarks take is of 75,000 records. All are scaled by the probe below, so that a
# machine half as fast is told twice the time.
STARTING_SECONDS = 6.0
READING_SECONDS = 78 / 1e6
FITTING_SECONDS = 8.0
"""Of a projection that is fitted by UMAP, for however few records."""
PROJECTION_SECONDS = {"umap": 0.0006, "quick-umap": 0.00065, "landmarks": 0.0006,
                      "pca": 3 / 75_000, "columns": 0.0}  # fmt: skip
PLACING_SECONDS = 14 / 52_000
NGRAM_SECONDS_PER_BYTE = 33 / 75e6
PROBED = 2_000
PROBED_RATE = 4_400
"""Records a second that the static encoder reached on the machine of the figures above."""
PROBED_BY_OTHERS = 64
"""Records that any other encoder is tried on: it may be a hundred times slower."""
PROBED_BY_MODEL = 256
MODEL_SECONDS = 6.0
"""How long a language model is tried, its loading not counted."""


@dataclass(frozen=True)
class Estimate:
    """What a build would take; bytes and seconds, all approximate.

    seconds holds the loss's own where a language model scores (`speed` says how it was found, and
    `scored` how many records it reads), but neither the labels server's time nor that of a stage
    named in `uncounted`.
    """

    records: int
    seconds: float
    memory: int
    disk: int
    exact: bool
    speed: Speed | None = None
    scored: int = 0
    labels: Cost | None = None
    uncounted: tuple[str, ...] = ()
    understood: str = ""
    """Which fields were read as what."""
    unread: tuple[str, ...] = ()
    """What the folders named hold beside the split that is read, a sentence each."""

    def sentence(self) -> str:
        """Return the estimate as the app and the command line say it."""
        about = "" if self.exact else "about "
        beside = " beside the model's" if self.speed else ""
        return (
            f"{about}{self.records:,} records: roughly {duration(self.seconds)}, "
            f"{self.memory / 1e9:.1f} GB of memory{beside} and {self.disk / 1e6:,.0f} MB on disk"
        )

    def details(self) -> list[str]:
        """Return what else is to be known, a sentence each: other splits, pace, cost."""
        sentences = [*self.unread]
        if self.speed:
            scoring = duration(self.speed.seconds(self.scored))
            part = f" for a sample of {self.scored:,}" if self.scored < self.records else ""
            sentences.append(
                f"The model was tried on {', '.join(self.speed.devices)}: "
                f"{self.speed.tokens_per_second:,.0f} tokens a second, with "
                f"{self.speed.tokens_per_record:,.0f} tokens a record that makes {scoring}{part}."
            )
        if self.labels:
            about = "" if self.exact else "about "
            sentences.append(
                f"The labels take {about}{self.labels.requests:,} requests to the server, about "
                f"{self.labels.input_tokens:,} tokens in and {self.labels.output_tokens:,} out; "
                "how long it needs for them is not in the time."
            )
        if self.uncounted:
            sentences.append(f"Not in the time: {', '.join(self.uncounted)}.")
        return sentences


def estimate(
    paths: Sequence[str | Path],
    settings: BuildSettings | None = None,
    *,
    seconds: float = math.inf,
    **options: Any,
) -> Estimate:
    """Estimate a build of these files with these settings, or these options of `ila build`.

    The first 2,000 records are read and some of them encoded; a language model is loaded and
    scores a sample for about six seconds; the other stages are scaled from a machine whose figures
    are known. Nothing is sent to a labels server. About a second without a model; where the records
    take more than `seconds` to find, those found by then are enough. UsageError and IlaError as the
    build would raise them.
    """
    from ila_core.pool.inputs import unread
    from ila_core.pool.packing import Late
    from ila_core.pool.reading import Reading
    from ila_core.pool.record import Record

    settings = settings or BuildSettings.of(**options)
    reading = Reading(paths, settings, until=time.monotonic() + seconds)
    entries = iter(reading)
    first: list[Record] = []
    exact = False
    try:
        first.extend(entry for entry in islice(entries, PROBED) if isinstance(entry, Record))
        if not first:  # rejects alone say nothing: is there no record at all?
            first.extend(islice((entry for entry in entries if isinstance(entry, Record)), 1))
        share = reading.share  # while the file is open: afterwards it is not known
        exact = next(entries, None) is None
    except Late:
        share = reading.share
        if not first:
            raise IlaError(
                f"Within {seconds:g} seconds no record of {reading.paths[0]} was found."
            ) from None
    count = reading.tally.read if exact else round(reading.tally.read / max(share, 1e-9))
    if exact:
        reading.check(require_response=settings.supplier != "none")
    slower, static_rate, dim = _slowness(first)
    encoding = count * static_rate
    if settings.embeddings:
        encoding = 0.0
    elif settings.encoder != "static":
        encoding, dim = _encoding(first, count, settings)
    size = sum(len(record.original.encode("utf-8", "replace")) for record in first) / len(first)
    speed = _speed(first, settings) if settings.models else None
    memory, disk = _space(count, size, dim)
    return Estimate(
        records=count,
        seconds=_time(settings, count, size, encoding, slower, speed),
        memory=memory,
        disk=disk,
        exact=exact,
        speed=speed,
        scored=settings.scored(count) if speed else 0,
        labels=_labels(first, count, server) if (server := settings.server) else None,
        uncounted=("the projection by t-SNE",) if _projecting(settings, count) is None else (),
        understood=reading.understood.sentence(),
        unread=tuple(unread(paths, settings.split)),
    )


def _time(
    settings: BuildSettings,
    count: int,
    size: float,
    encoding: float,
    slower: float,
    speed: Speed | None = None,
) -> float:
    """Seconds of a build of `count` records of `size` bytes, whose encoding takes what is given."""
    begun = STARTING_SECONDS + count * READING_SECONDS * slower
    mapped = encoding + (_projecting(settings, count) or 0.0) * slower
    if speed:
        return begun + mapped + speed.seconds(settings.scored(count))
    scoring = NGRAM_SECONDS_PER_BYTE if settings.supplier == "ngram" else 0.0
    return begun + max(mapped, count * size * scoring * slower)


def _space(count: int, size: float, dim: int) -> tuple[int, int]:
    """Bytes of memory and on disk that a build of such records takes."""
    vectors = count * dim * 4
    return int(0.9e9 + 2 * vectors + 0.4 * count * size), int(2 * vectors + 2.5 * count * size)


def _projecting(settings: BuildSettings, count: int) -> float | None:
    """Seconds of the projection of `count` records; None where they are not known."""
    from ila_core.space.project import FITTED

    method = "columns" if settings.places else settings.method(count)
    if method not in PROJECTION_SECONDS:
        return None
    fitted = min(count, FITTED.get(method, count))
    started = FITTING_SECONDS if method in FITTED else 0.0
    return started + fitted * PROJECTION_SECONDS[method] + (count - fitted) * PLACING_SECONDS


def _slowness(first: Sequence[Record]) -> tuple[float, float, int]:
    """How many times slower this machine is, the static encoder's seconds a record, its width."""
    from ila_core.space.encoders import load_encoder

    encoder = load_encoder("static")
    encoder.encode([first[0].instruction])
    started = time.perf_counter()
    encoder.encode([record.instruction for record in first])
    per_record = (time.perf_counter() - started) / len(first)
    return max(per_record * PROBED_RATE, 0.2), per_record, encoder.dim


def _encoding(first: Sequence[Record], count: int, settings: BuildSettings) -> tuple[float, int]:
    """Seconds that another encoder takes for `count` records like these, and its width.

    It is tried on some of them. Loading is not counted, but what it learns from the pool first is.
    """
    from ila_core.space import lexical
    from ila_core.space.encoders import load_speller

    probed = first if settings.shipped else _evenly(first, PROBED_BY_OTHERS)
    texts = [record.instruction for record in probed]
    learning = 0.0
    if settings.learns:
        speller = load_speller()
        speller.spell(texts[:1])
        started = time.perf_counter()
        encoder: Encoder = lexical.learn(lambda: texts, len(texts), speller, seed=settings.seed)
        taught = min(count, lexical.LEARNED_FROM) / len(texts)
        learning = taught * (time.perf_counter() - started)
    else:
        encoder = encoder_of(settings)
    encoder.encode(texts[:1])
    started = time.perf_counter()
    encoder.encode(texts)
    return learning + count * (time.perf_counter() - started) / len(texts), encoder.dim


def _speed(first: Sequence[Record], settings: BuildSettings) -> Speed:
    """How fast the language model of the settings scores records like these, here."""
    from ila_core.lm.score import probe

    sample = [record.turns for record in _evenly(first, PROBED_BY_MODEL)]
    return probe(settings.part(LmSettings), sample, seconds=MODEL_SECONDS)


def _labels(first: Sequence[Record], count: int, server: EndpointSettings) -> Cost:
    """What a labels server would be asked for `count` records like these."""
    from ila_core.skills.endpoint import estimate as estimate_labels

    pairs = [(record.instruction, record.response) for record in first]
    cost = estimate_labels(lambda: pairs, server)
    scale = count / len(first)
    return Cost(*(round(scale * part) for part in astuple(cost)))


def _evenly(records: Sequence[Record], most: int) -> Sequence[Record]:
    """At most so many records, evenly far apart."""
    return records[:: -(-len(records) // most)]
