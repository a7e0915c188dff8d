"""The stages of an addition: what a build makes of records, made of further ones by its means.

Then the joins: the files of the landscape with the new rows behind the old ones, whose values are
copied to the bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.artifacts import LABELS, RECORDS, REJECTS, TABLE, TUNED, VECTORS
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import key_of, replacing
from ila_core.landscape.folder import rejects_of, write_table
from ila_core.lm.settings import LmSettings
from ila_core.loss.result import LossResult
from ila_core.options import columns_in
from ila_core.pipeline.grown import Base
from ila_core.pipeline.ingesting import Read
from ila_core.pipeline.labelling import Labelled, label
from ila_core.pipeline.placing import reading_notes
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.scoring import ScoreByModel
from ila_core.pipeline.settings import AddSettings, LabelSettings, LossSource, TokenCounter
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.space.domains import Domains
    from ila_core.space.encoders import Encoder
    from ila_core.space.landmarks import Placed

Columns = Mapping[str, np.ndarray]
COPIED = 16_384
"""Rows that are copied at a time."""
NGRAM_PROBED = 64
"""Records of the pool that the n-gram models score again, to see whether they are the same."""
ROUNDING = 1e-3
"""Nats per token by which two fits of the same n-gram models may differ."""
OTHER_MODEL = 0.1
"""Nats per token from which a language model is another one: half precision moves the loss of a
record by some hundredths."""


# -- the new records ------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadMore(Read):
    """The files of the new records."""

    name = "new-records"

    base: Base | None = None
    """The landscape whose records are left out; None where they are taken again."""

    def make(self, desk: Desk) -> Facts:
        from ila_core.pool.ingest import ingest

        ingest(
            self.inputs,
            out=desk.folder.path,
            settings=self.settings,
            require_response=self.require_response,
            known=None if self.base is None else self.base.known,
            progress=desk.progress,
        )
        return {}


@dataclass(frozen=True)
class EncodeMore(Stage[np.ndarray]):
    """The instructions of the new records, as vectors of the landscape's own space."""

    name = "new-embedding"

    base: Base
    records: Made[Records]
    settings: AddSettings

    @property
    def total(self) -> int:
        return len(self.records.value)

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.encode import embed
        from ila_core.space.given import load_embeddings
        from ila_core.space.legible import legibility

        out, mean = desk.folder.path / VECTORS, self.base.mean
        texts = self.records.value.instructions
        encoder: Encoder | None = None
        if file := self.settings.embeddings:
            dim = self.base.vectors.shape[1]
            result = load_embeddings(file, self.total, out=out, dim=dim, mean=mean)
        else:
            encoder = self.base.encoder(self.settings.device.partition(",")[0])
            result = embed(
                texts, self.total, encoder,
                out=out, work=desk.folder.work, mean=mean, progress=desk.progress,
            )  # fmt: skip
        seen = asdict(legibility(texts, result.vectors, encoder))
        return {"unknown": result.unknown, "encoder": result.encoder, **seen}

    def load(self, folder: StageFolder) -> np.ndarray:
        return np.load(folder.path / VECTORS, mmap_mode="r")

    def notes(self, value: np.ndarray, facts: Facts) -> Sequence[str]:
        return reading_notes({**facts, "likeness": None})  # how alike they are is the files' own


@dataclass(frozen=True)
class PlaceMore(Stage["Placed"]):
    """The places of the new records on the map, and their nearest on it."""

    name = "new-places"

    base: Base
    vectors: Made[np.ndarray]

    @property
    def total(self) -> int:
        return len(self.vectors.value)

    @property
    def libraries(self) -> Sequence[str]:
        return ("numba", "numpy", "pynndescent")

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.distinct import distinct_rows
        from ila_core.space.landmarks import place, usual_distance
        from ila_core.space.project import is_linear, principal_axes

        base, seed = self.base, self.base.settings.seed
        placed = place(base.vectors, base.xy, self.vectors.value, seed=seed, progress=desk.progress)
        xy, rows = placed.xy, distinct_rows(base.vectors)[0]
        method = base.settings.projection
        if not base.settings.places and is_linear(method, len(rows), base.vectors.shape[1]):
            axes = principal_axes(base.vectors, rows)
            xy = np.where(placed.same[:, None], xy, axes.places(self.vectors.value))
        desk.folder.save(xy=xy, nearest=placed.nearest, distance=placed.distance)
        usual = usual_distance(base.vectors, seed=seed)
        return {"usual_distance": usual, "far": int((placed.distance > usual).sum())}

    def load(self, folder: StageFolder) -> Placed:
        from ila_core.space.landmarks import Placed

        return Placed(**folder.load())

    def notes(self, value: Placed, facts: Facts) -> Sequence[str]:
        if not (far := facts["far"]):
            return ()
        return (
            f"{far:,} of {self.total:,} new records lie farther from every old one than 99 of 100 "
            "old ones do from their nearest (of records like the old ones 1 in 100 would); their "
            "places say little.",
        )


# -- what else a record has -----------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreMore(Stage[Columns]):
    """Losses and tokens of the new records, by who supplied those of the others."""

    name = "new-loss"

    base: Base
    records: Made[Records]
    source: LossSource

    @property
    def total(self) -> int:
        return len(self.records.value)

    def result(self, desk: Desk) -> LossResult:
        """Return the losses."""
        raise NotImplementedError

    def make(self, desk: Desk) -> Facts:
        scored = self.result(desk)
        desk.folder.save(loss=scored.loss, tokens=scored.tokens, **scored.extra)
        return {"missing": dict(scored.missing)}

    def load(self, folder: StageFolder) -> Columns:
        return folder.load()

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        reasons = [f"{count:,} {reason}" for reason, count in facts["missing"].items()]
        missing = sum(facts["missing"].values())
        told = (
            f"No loss and no depth: {missing:,} of {self.total:,} records ({'; '.join(reasons)})."
        )
        return (told,) if reasons else ()


@dataclass(frozen=True)
class ScoreMoreByNgrams(ScoreMore):
    """The loss by the n-gram models of the pool, which are fitted anew."""

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "numba", "numpy")

    def result(self, desk: Desk) -> LossResult:
        from ila_core.loss.ngram.model import NgramSettings
        from ila_core.loss.ngram.score import score_more

        base, conversations = self.base, self.records.value.conversations
        held = base.table["loss"]
        rows = base.probed(np.isfinite(held), NGRAM_PROBED)
        result, again = score_more(
            base.conversations, base.first, conversations, self.total,
            NgramSettings(seed=base.settings.seed),
            probe=rows, work=desk.folder.work, progress=desk.progress,
        )  # fmt: skip
        if (changed := ~(np.abs(again - held[rows]) <= ROUNDING)).any():
            raise RunError(
                f"The n-gram models of {base.folder}, fitted anew, give {changed.sum()} of "
                f"{len(rows)} of its own records another loss than it holds: they are of another "
                "version. Build all of it again, or add without a loss (--loss none)."
            )
        self.copy(base.known.rows_of(conversations()), result)
        return result

    def copy(self, twins: np.ndarray, result: LossResult) -> None:
        """Give what says the same as a record of the pool that record's losses.

        One half's models have learned from it and would find it cheap.
        """
        copies = np.flatnonzero((twins >= 0) & (twins < self.base.first))
        for name, values in {"loss": result.loss, **result.extra}.items():
            if name in self.base.table:
                values[copies] = self.base.table[name][twins[copies]]


@dataclass(frozen=True)
class CountMore(ScoreMore):
    """The loss that the new records come with in a column, or none; their tokens are counted."""

    counter: TokenCounter

    @property
    def libraries(self) -> Sequence[str]:
        return ("tokenizers", "transformers") if self.counter.tokenizer else ("tokenizers",)

    def result(self, desk: Desk) -> LossResult:
        from ila_core.lm.packaged import resolve
        from ila_core.loss.column import taken
        from ila_core.loss.ngram.score import count_tokens

        name = self.counter.tokenizer
        tokens = count_tokens(
            self.records.value.conversations, self.total,
            tokenizer=resolve(name) if name else None,
            taught=(self.base.conversations, self.base.first), seed=self.base.settings.seed,
            work=desk.folder.work, progress=desk.progress,
        )  # fmt: skip
        if column := self.source.column:
            return taken(numbers_in(self.records.value, column), column, tokens)
        missing = {"no loss asked for": self.total}
        return LossResult(np.full(self.total, np.nan, np.float32), tokens, missing=missing)

    def notes(self, value: Columns, facts: Facts) -> Sequence[str]:
        told = self.source.column or self.base.settings.supplier != "none"
        return super().notes(value, facts) if told else ()


@dataclass(frozen=True)
class ScoreMoreByModel(ScoreByModel):
    """The loss by the language model of the landscape."""

    base: Base

    def check(self) -> None:
        """Raise RunError for a model that is not there, or another one than it was.

        That is seen from what some of the landscape's own records cost it.
        """
        from ila_core.lm.score import score

        base = self.base
        try:
            super().check()
        except IlaError as error:
            raise RunError(
                f"{base.folder} has the loss of a language model that cannot be had here "
                f"({str(error).rstrip('.')}); put it back, or add without a loss (--loss none)."
            ) from error
        held, tokens = base.table["loss"], base.table["tokens"]
        rows = base.probed(np.isfinite(held) & (tokens <= np.nanmedian(tokens)))
        if not len(rows):
            return
        turns = list(base.records.take_turns(rows))
        again = score(lambda: turns, len(turns), self.settings).loss
        apart = float(np.abs(again - held[rows]).mean())
        if not apart <= OTHER_MODEL:
            raise RunError(
                f"{self.settings.lm} gives {len(rows)} of the records of {base.folder} losses that "
                f"are {apart:.2f} nats a token away from what it holds: it is another model. Put "
                "that one back, or add without a loss (--loss none)."
            )


def score_more(base: Base, settings: AddSettings, records: Made[Records]) -> Stage[Columns]:
    """Return the stage that gives the new responses their losses."""
    source = LossSource(loss="none") if settings.loss == "none" else base.settings.part(LossSource)
    if source.supplier == "lm":
        how = base.settings.part(LmSettings)
        stage = ScoreMoreByModel(records, source, _on(how, settings.device), base)
        return stage
    if source.supplier == "ngram":
        return ScoreMoreByNgrams(base, records, source)
    return CountMore(base, records, source, base.settings.part(TokenCounter))


def _on(how: LmSettings, device: str) -> LmSettings:
    from dataclasses import replace

    return replace(how, device=device)


def numbers_in(records: Records, name: str) -> np.ndarray:
    """Return a field of the records as (m,) float32, NaN where one has no finite number in it."""
    if name not in records.fields() and name.partition(".")[0] not in records.fields():
        return np.full(len(records), np.nan, np.float32)
    try:
        return records.numbers(name)[0]
    except UsageError:  # a dotted name of which no record has the end
        return np.full(len(records), np.nan, np.float32)


def values_in(records: Records, name: str) -> list[Any]:
    """Return a field of the records, None where one does not have it."""
    try:
        return records.field(name)
    except UsageError:
        return [None] * len(records)


def label_more(base: Base, records: Made[Records]) -> Stage[Labelled] | Made[Labelled]:
    """Return the stage that labels the new records as the others are labelled.

    Where these have none of their own, neither have the new ones: one kind of record would count
    what the other cannot.
    """
    settings = base.settings.part(LabelSettings)
    if settings.labels == "auto" and not base.records.has_labels:
        return Made(Labelled(None), key_of("labels", records.key, False))
    for name in columns_in(settings.labels):
        if all(value is None for value in values_in(records.value, name)):
            return Made(Labelled([None] * len(records.value)), key_of("labels", records.key, name))
    return label(settings, records)


def divide_more(
    base: Base,
    records: Made[Records],
    labels: Made[Labelled],
    vectors: Made[np.ndarray],
    placed: Placed,
) -> Domains:
    """Return the domains of all records, those of the new ones found as the others' were.

    Of clusters a record gets the one whose middle is nearest, and the twin of an old record that
    one's, which the last step of k-means may have left elsewhere.
    """
    from ila_core.space.domains import Domains, domains_from_values, domains_joined, nearest_domains

    how, old = base.settings.domains, base.domains
    if how == "labels":
        entries = labels.value.labels or [None] * len(records.value)
        values: list[Any] = [entry[0] if entry else None for entry in entries]
        return domains_joined(old, domains_from_values(values))
    for name in columns_in(how):
        return domains_joined(old, domains_from_values(values_in(records.value, name)))
    own = old.domain[: base.first]
    found = nearest_domains(base.vectors, own, vectors.value)
    found = np.where(placed.same, own[placed.nearest], found)
    return Domains(np.concatenate([old.domain, found]).astype(np.int32), old.names)


# -- the joins ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JoinRecords(Stage["Records"]):
    """The records, and what was rejected."""

    name = "records"

    base: Base
    records: Made[Records]

    @property
    def total(self) -> int:
        return len(self.base) + len(self.records.value)

    @property
    def libraries(self) -> Sequence[str]:
        return ("pyarrow", "orjson")

    def make(self, desk: Desk) -> Facts:
        from ila_core.pool.joined import join_records

        base, new, out = self.base, self.records.value, desk.folder.path
        join_records(base.records, new, out / RECORDS)
        old = rejects_of(base.folder, base.manifest)
        with replacing(out / REJECTS) as temporary, open(temporary, "wb") as sink:
            for path in (old, new.path.with_name(REJECTS)):
                if path is not None:
                    with open(path, "rb") as stream:
                        shutil.copyfileobj(stream, sink)
        return {}

    def load(self, folder: StageFolder) -> Records:
        from ila_core.pool.records import Records

        return Records.open(folder.path / RECORDS)


@dataclass(frozen=True)
class JoinVectors(Stage[None]):
    """The vectors."""

    name = "embedding"

    base: Base
    vectors: Made[np.ndarray]

    def make(self, desk: Desk) -> Facts:
        old, new = self.base.landscape.vectors, self.vectors.value
        assert old is not None
        header = {
            "descr": "<f4",
            "fortran_order": False,
            "shape": (len(old) + len(new), old.shape[1]),
        }
        with replacing(desk.folder.path / VECTORS) as temporary, open(temporary, "wb") as sink:
            np.lib.format.write_array_header_1_0(sink, header)
            for part in (*_parts(old), *_parts(new)):
                sink.write(np.ascontiguousarray(part, "<f4").tobytes())
        return {}

    def load(self, folder: StageFolder) -> None:
        """They are opened with the landscape."""


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(array), COPIED):
        yield array[start : start + COPIED]


@dataclass(frozen=True)
class JoinLabels(Stage[None]):
    """The labels that a build gave, where it keeps them in a file."""

    name = "labels"

    base: Base
    labels: Made[Labelled]

    def make(self, desk: Desk) -> Facts:
        from ila_core.pipeline.labelling import labels_in, write_labels

        old = labels_in(self.base.landscape.files[LABELS])
        write_labels(desk.folder.path / LABELS, [*old, *(self.labels.value.labels or ())])
        return {}

    def load(self, folder: StageFolder) -> None:
        """They are opened with the landscape."""


@dataclass(frozen=True)
class JoinTable(Stage[None]):
    """The landscape: the old rows as they are, and one a new record."""

    name = "landscape"
    version = 1

    base: Base
    records: Made[Records]
    placed: Made[Any]
    """(m, 2), or what holds them."""
    loss: Made[Columns]
    labels: Made[Labelled]
    settings: AddSettings
    domains: Any = field(compare=False)
    """Of all records; they follow from what is held besides."""

    def make(self, desk: Desk) -> Facts:
        base, new = self.base, self.columns()
        m = len(self.records.value)
        lacking = np.full(m, np.nan, np.float32)
        columns = {
            name: np.concatenate([old, np.asarray(new.get(name, lacking), old.dtype)])
            for name, old in base.table.items()
        }
        path = desk.folder.path
        write_table(path / TABLE, columns, self.domains.domain, self.domains.names)
        if TUNED in base.landscape.files:
            with replacing(path / TUNED) as temporary:
                shutil.copyfile(base.landscape.files[TUNED], temporary)
        return {
            "missing": {
                name: int(np.isnan(column[len(base) :]).sum())
                for name, column in columns.items()
                if np.isnan(column[len(base) :]).any() and not np.isnan(column[: len(base)]).all()
            }
        }

    def load(self, folder: StageFolder) -> None:
        """The landscape is opened when it is published."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return what is known of the new records, (m,) each, by the names of the table."""
        records, settings = self.records.value, self.base.settings
        xy = getattr(self.placed.value, "xy", self.placed.value)
        columns = {
            **self.loss.value,
            "x": xy[:, 0],
            "y": xy[:, 1],
            "skills": self.labels.value.skills(len(records)),
        }
        if "tuned_loss" in columns:
            columns["loss_reduction"] = columns["loss"] - columns["tuned_loss"]
        if name := settings.depth_column:
            columns["given_depth"] = numbers_in(records, name)
        for name in set(self.base.table) - set(columns):  # scores of the pool's own
            columns[name] = numbers_in(records, name)
        return columns

    def notes(self, value: None, facts: Facts) -> Sequence[str]:
        m = len(self.records.value)
        told = {
            "given_depth": f"number in {self.base.settings.depth_column}, so that their depth is "
            "missing",
            "skills": "labels, so that their depth is missing",
        }
        return [
            f"{count:,} of {m:,} new records have no {told.get(name, f'number in {name}')}."
            for name, count in facts["missing"].items()
            if name not in ("loss", "loss_reduction", "tuned_loss", "unconditional_loss")
        ]
