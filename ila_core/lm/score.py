"""The loss of every response under a causal language model of the transformers library.

Records are read in windows, tokenised together, sorted by length and scored in batches of equal
token counts; each window's finished part is kept on disk. One process serves each device.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ila_core.blocks import Rows, Spread, row_blocks
from ila_core.chance import stream
from ila_core.errors import IlaError, UsageError
from ila_core.lm.batches import Kept, ahead
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.jobs import WINDOW, Encoder, Job, Window, jobs_of
from ila_core.lm.model import devices, load_tokenizer
from ila_core.lm.packaged import identity_of
from ila_core.lm.settings import LmSettings
from ila_core.lm.workers import Lane, Work, open_lane
from ila_core.loss.result import LossResult
from ila_core.loss.turns import Conversation
from ila_core.progress import Progress, Say, no_progress, silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAVE_SECONDS = 10.0
_NOT_FINITE = "loss not finite or out of memory"
_KEPT_VERSION = 1


class Speed(NamedTuple):
    """How fast a model scores here: unpadded tokens per second, and tokens of a mean record.

    Tokens are those that the base model reads, the bare responses included; the time of a tuned
    model is in the rate.
    """

    tokens_per_second: float
    tokens_per_record: float
    devices: tuple[str, ...]

    def seconds(self, n: int) -> float:
        """About how long `n` records like the sample take.

        >>> Speed(1000.0, 250.0, ("cpu",)).seconds(8)
        2.0
        """
        return n * self.tokens_per_record / self.tokens_per_second


def score(
    conversations: Callable[..., Iterable[Conversation]],
    n: int,
    settings: LmSettings,
    *,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
    say: Say = silent,
) -> LossResult:
    """Score the responses of `n` conversations, teacher-forced, in row order.

    Loss counts at response tokens only: every scored turn's text, unstripped, and its end-of-turn
    token. `extra` holds "tuned_loss" where a tuned model is named, and "unconditional_loss" where
    asked: the scored turns alone, each behind the assistant's header (and the beginning-of-sequence
    token where texts have one), in nats per token. A loss depends on the record and the model only,
    not on batches, order or where a run was resumed (1e-5 in float32). With `work`, finished
    batches are kept there and a killed run goes on behind them.

    With a `spread` every window is scored by one of its workers, on a device of its own and in the
    same batches: `conversations` is then called with the row to begin at too, and can be pickled;
    `work` is a folder that all of them see.

    Raises UsageError for settings that cannot be meant, IlaError where a model cannot be loaded
    or the tuned one has another tokenizer.
    """
    started = time.perf_counter()
    tokenizer = load_tokenizer(settings.lm)
    if settings.tuned_lm:
        _check_same_tokenizer(tokenizer, settings)
    template = ChatTemplate.of(tokenizer)
    columns = _Columns.empty(n, settings)
    if spread is not None:
        told = _scored_beside(columns, conversations, n, settings, work, spread, progress, say)
        return columns.result(template, told, settings, time.perf_counter() - started)
    with closing(open_lane(_work(settings, n), devices(settings.device))) as lane:
        kept = Kept(work, _signature(settings, lane, n))
        encoder = Encoder(template, lane.max_length, bare=settings.unconditional)
        seen = 0
        made = encoder.windows(conversations())
        for window in ahead(made) if lane.elsewhere else made:
            seen += len(window.whole)
            if seen > n:
                break
            columns.take(window, _score_window(window, lane, kept, progress, say, columns))
        if seen != n:
            raise _changed(n, seen)
        told = _Told.of(lane)
        return columns.result(template, told, settings, time.perf_counter() - started)


def _changed(announced: int, came: int) -> IlaError:
    return IlaError(
        f"{announced} conversations were announced and {came} came; the pool changed while it was "
        "read, build the landscape again."
    )


def _scored_beside(
    columns: _Columns,
    conversations: Callable[..., Iterable[Conversation]],
    n: int,
    settings: LmSettings,
    work: Path | None,
    spread: Spread,
    progress: Progress,
    say: Say,
) -> _Told:
    """Fill the columns by windows that others score; return what is told of who did."""
    begun = time.perf_counter()
    blocks = row_blocks(n, WINDOW) or [(0, 0)]
    told: list[_Told] = []
    scoring = _Scoring(conversations, n, settings, work)
    made = spread(scoring, blocks, device=True)
    for (first, end), (part, of_worker) in zip(blocks, made, strict=True):
        columns.join(first, part)
        columns.seconds = time.perf_counter() - begun
        told.append(of_worker)
        say(columns.pace)
        progress(end, n)
    return _Told.joined(told)


@dataclass(frozen=True)
class _Scoring:
    """Scores windows of a pool's records; what is finished of one is kept in the folder `work`."""

    conversations: Callable[..., Iterable[Conversation]]
    n: int
    settings: LmSettings
    work: Path | None

    def __call__(self) -> Callable[[Rows], tuple[_Columns, _Told]]:
        names = devices(self.settings.device)[:1]
        lane = open_lane(_work(self.settings, self.n), names)
        template = ChatTemplate.of(load_tokenizer(self.settings.lm))
        encoder = Encoder(template, lane.max_length, bare=self.settings.unconditional)
        kept = Kept(self.work, _signature(self.settings, lane, self.n))
        return partial(self._score, lane, encoder, kept)

    def _score(
        self, lane: Lane, encoder: Encoder, kept: Kept, rows: Rows
    ) -> tuple[_Columns, _Told]:
        first, end = rows
        columns = _Columns.empty(end - first, self.settings)
        records = islice(self.conversations(first), end - first)
        window = next(encoder.windows(records), None)
        came = 0 if window is None else len(window.whole)
        if came != end - first:
            raise _changed(self.n, first + came)
        if window is not None:
            sums = _score_window(window, lane, kept, no_progress, silent, columns, number=first)
            columns.take(window, sums)
        return columns, _Told.of(lane)


class _Told(NamedTuple):
    """What is told of who scored: `Lane` has the words."""

    max_length: int
    devices: list[str]
    dtype: str
    way: str
    batch_tokens: int
    remarks: list[str]

    @classmethod
    def of(cls, lane: Lane) -> _Told:
        remarks = [lane.remark] if lane.remark else []
        return cls(lane.max_length, lane.devices, lane.dtype, lane.way, lane.batch_tokens, remarks)

    @classmethod
    def joined(cls, told: Sequence[_Told]) -> _Told:
        """What several told, of whom each has loaded the same models."""
        devices = dict.fromkeys(name for one in told for name in one.devices)
        remarks = dict.fromkeys(remark for one in told for remark in one.remarks)
        return told[0]._replace(devices=list(devices), remarks=list(remarks))


def _signature(settings: LmSettings, lane: Lane, n: int) -> dict[str, object]:
    """What kept batches must have been made under: "auto" as it was settled on this machine."""
    return {
        "version": _KEPT_VERSION,
        **asdict(settings),
        "lm": identity_of(settings.lm),
        "tuned_lm": settings.tuned_lm and identity_of(settings.tuned_lm),
        "n": n,
        "device": None,  # where a batch is scored does not change what is in it
        "dtype": lane.dtype,
        "batch_tokens": lane.batch_tokens,
        **({"way": lane.way} if "compiled" in lane.way else {}),  # which rounds otherwise
    }


def probe(settings: LmSettings, sample: Sequence[Conversation], *, seconds: float = 5.0) -> Speed:
    """Score a sample for about `seconds` and say how fast that went; loading is not counted.

    IlaError if none of the sample can be scored.
    """
    tokenizer = load_tokenizer(settings.lm)
    names = devices(settings.device)
    with closing(open_lane(_work(settings), names)) as lane:
        encoder = Encoder(ChatTemplate.of(tokenizer), lane.max_length, bare=settings.unconditional)
        window = next(encoder.windows(sample), None)
        jobs = jobs_of(window, lane.batch_tokens, lane.models) if window else []
        if not window or not jobs:
            raise IlaError("Not one record of the sample has a response that can be scored.")
        mean = sum(job.tokens for job in jobs) / len(window.whole)
        shuffled = [jobs[i] for i in stream(0, "lm probe").permutation(len(jobs))]
        for _ in lane.run(shuffled[:1]):
            pass  # the first batch pays for what is set up once
        done, begun = 0, time.perf_counter()
        for job in shuffled:
            for _ in lane.run([job]):
                done += job.tokens
            if time.perf_counter() - begun > seconds:
                break
        rate = done / max(time.perf_counter() - begun, 1e-9) * len(names)
    return Speed(rate, mean, tuple(names))


def _work(settings: LmSettings, records: int = 0) -> Work:
    return Work(settings.models, settings.dtype, settings.max_length, records)


def _score_window(
    window: Window,
    lane: Lane,
    kept: Kept,
    progress: Progress,
    say: Say,
    columns: _Columns,
    *,
    number: int | None = None,
) -> dict[str, np.ndarray]:
    """(m,) float64 sums in nats: "loss", "tuned_loss", "unconditional_loss"; and "done".

    `number` names what is kept of it, its first row unless given.
    """
    n, m = len(columns.tokens), len(window.whole)
    jobs = jobs_of(window, lane.batch_tokens, lane.models)
    number = window.first if number is None else number
    sums = kept.load(number, window.key)
    if sums is None or len(sums["done"]) != len(jobs):
        sums = {name: np.full(m, np.nan) for name in columns.names}
        sums["done"] = np.zeros(len(jobs), dtype=bool)
    left = [job for job in jobs if not sums["done"][job.number]]
    todo = sum(job.tokens for job in jobs) or 1
    finished = todo - sum(job.tokens for job in left)
    saved = time.monotonic()
    before, begun = columns.seconds, time.perf_counter()
    progress(window.first + m * finished // todo, n)
    for number_of_job, results in lane.run(left):
        job = jobs[number_of_job]
        names = ["unconditional_loss"] if job.kind == "bare" else ["loss", "tuned_loss"]
        for name, result in zip(names, results, strict=False):
            sums[name][job.rows] = result
        sums["done"][number_of_job] = True
        finished += job.tokens
        columns.scored(job)
        columns.seconds = before + time.perf_counter() - begun
        say(columns.pace)
        if time.monotonic() - saved > SAVE_SECONDS:
            kept.save(number, window.key, sums)
            saved = time.monotonic()
        progress(window.first + m * finished // todo, n)
    if left or not jobs:
        kept.save(number, window.key, sums)
    progress(window.first + m, n)
    return sums


class _Columns:
    """The result as it fills: arrays by row, counts of what was noticed."""

    def __init__(self, n: int, names: list[str]) -> None:
        self.names = names
        self.arrays = {name: np.full(n, np.nan, dtype=np.float32) for name in names}
        self.tokens = np.zeros(n, dtype=np.float32)
        self.missing: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.truncated = self.responses_cut = 0
        self.real = self.padded = 0
        self.seconds = 0.0

    @classmethod
    def empty(cls, n: int, settings: LmSettings) -> _Columns:
        names = ["loss"]
        names += ["tuned_loss"] if settings.tuned_lm else []
        names += ["unconditional_loss"] if settings.unconditional else []
        return cls(n, names)

    def join(self, first: int, part: _Columns) -> None:
        """Take what is known of the rows from `first` on."""
        rows = slice(first, first + len(part.tokens))
        self.tokens[rows] = part.tokens
        for name in self.names:
            self.arrays[name][rows] = part.arrays[name]
        self.missing.update(part.missing)
        self.notes.update(part.notes)
        self.truncated += part.truncated
        self.responses_cut += part.responses_cut
        self.real += part.real
        self.padded += part.padded

    def scored(self, job: Job) -> None:
        self.real += job.tokens
        self.padded += job.padded

    @property
    def padding(self) -> float:
        """Share of the tokens read so far that were padding."""
        return 1 - self.real / self.padded if self.padded else 0.0

    @property
    def pace(self) -> str:
        """Tokens per second and padding, in words."""
        rate = self.real / max(self.seconds, 1e-9)
        return f"{rate:,.0f} tokens/s, {self.padding:.1%} padding"

    def take(self, window: Window, sums: dict[str, np.ndarray]) -> None:
        rows = slice(window.first, window.first + len(window.whole))
        self.tokens[rows] = window.tokens
        for name in self.names:
            sequences = window.bare if name == "unconditional_loss" else window.whole
            counts = np.array([len(s.targets) if s else 0 for s in sequences], dtype=np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                per_token = sums[name] / counts
            per_token[~np.isfinite(per_token)] = np.nan
            self.arrays[name][rows] = per_token
        whole = [sequence for sequence in window.whole if sequence is not None]
        self.truncated += sum(sequence.cut for sequence in whole)
        self.responses_cut += sum(sequence.response_cut for sequence in whole)
        self.notes.update(note for note in window.notes if note)
        failed = np.isnan(self.arrays["loss"][rows])
        self.missing.update(
            reason or _NOT_FINITE
            for reason, missing in zip(window.reasons, failed, strict=True)
            if missing
        )

    def result(
        self, template: ChatTemplate, told: _Told, settings: LmSettings, seconds: float
    ) -> LossResult:
        extra = {name: array for name, array in self.arrays.items() if name != "loss"}
        meta: dict[str, object] = {
            "scorer": "lm",
            "lm": settings.lm,
            "tuned_lm": settings.tuned_lm,
            "tokenizer": type(template.tokenizer).__name__,
            "vocabulary": len(template.tokenizer),
            "template": template.name,
            "end_of_turn": template.end_of_turn,
            "max_length": told.max_length,
            "responses_cut": self.responses_cut,
            "notes": dict(self.notes),
            "remarks": told.remarks,
            "devices": told.devices,
            "dtype": told.dtype,
            "way": told.way,
            "batch_tokens": told.batch_tokens,
            "tokens_scored": self.real,
            "tokens_per_second": self.real / self.seconds if self.seconds else None,
            "padding_share": self.padding,
            "seconds": seconds,
        }
        return LossResult(
            loss=self.arrays["loss"],
            tokens=self.tokens,
            truncated=self.truncated,
            missing=dict(self.missing),
            meta=meta,
            extra=extra,
        )


def _check_same_tokenizer(tokenizer: PreTrainedTokenizerBase, settings: LmSettings) -> None:
    """Both models must read the same ids; a folder without a tokenizer is taken at its word."""
    assert settings.tuned_lm is not None
    folder = Path(settings.tuned_lm)
    if folder.is_dir() and not any(folder.glob("tokenizer*")) and not any(folder.glob("vocab*")):
        return
    if load_tokenizer(settings.tuned_lm).get_vocab() != tokenizer.get_vocab():
        raise UsageError(
            f"{settings.tuned_lm!r} and {settings.lm!r} have different tokenizers; the tuned model "
            "must be the base model fine-tuned, see ila tune."
        )
