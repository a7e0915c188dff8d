"""From a pool to a landscape: the only module that knows the order of the stages.

    records -> embedding -> projection --------------\\
       \\--> labels -> domains ------------------------ landscape
        \\--> loss (beside the others, when it is the n-gram model) --/

Every stage has a key made of its settings and of what it read, so a stage that is finished is
never run again and a killed build goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ila_core._version import __version__
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.files import told, write_text
from ila_core.landscape.landscape import LABELS, TUNED
from ila_core.loss.result import LossResult
from ila_core.pipeline import store
from ila_core.pool.fields import parse_map
from ila_core.progress import Listener, Monitor, Progress, Say, no_progress, silent

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.lm.score import LmSettings
    from ila_core.pool.inputs import Input
    from ila_core.pool.reading import RecordsSettings
    from ila_core.pool.records import Records
    from ila_core.skills import EndpointSettings


MAX_SEED = 2**32 - 1
"""What scikit-learn and UMAP take."""


@dataclass(frozen=True)
class BuildSettings:
    """Every option of `ila build`, under the same name; the defaults need no network."""

    map: str = ""
    partial: bool = False
    seed: int = 0
    engine: str = "local"
    encoder: str = "static"
    embeddings: str | None = None
    projection: str = "umap"
    loss: str = "ngram"
    depth: str = "loss"
    lm: str | None = None
    tuned_lm: str | None = None
    tokenizer: str | None = None
    max_length: int = 4096
    device: str = "auto"
    dtype: str = "auto"
    unconditional: bool = False
    labels: str = "auto"
    labels_url: str | None = None
    labels_model: str | None = None
    domains: str = "auto"

    @classmethod
    def of(cls, **options: Any) -> BuildSettings:
        """Return checked settings; UsageError names an option or value that cannot be meant.

        >>> BuildSettings.of(projection="pca").projection
        'pca'
        >>> BuildSettings.of(projection="mds")
        Traceback (most recent call last):
        ila_core.errors.UsageError: Unknown projection 'mds'; choose umap, tsne, pca or columns:X,Y.
        """
        known = [option.name for option in fields(cls)]
        for name in options:
            if name not in known:
                raise UsageError(f"Unknown option {name!r}; options are {', '.join(known)}.")
        settings = cls(**options)
        settings._check()
        return settings

    def _check(self) -> None:
        _one_of("projection", self.projection, ("umap", "tsne", "pca"), ("columns:X,Y",))
        _one_of("loss", self.loss, ("ngram", "lm", "none"), ("column:NAME",))
        _one_of("depth", self.depth, ("loss", "loss-reduction"), ("column:NAME",))
        _one_of("labels", self.labels, ("auto", "taxonomy", "endpoint", "none"), ("column:NAME",))
        _one_of("domains", self.domains, ("auto", "labels"), ("column:NAME",))
        _one_of("engine", self.engine, ("local",), ())
        _one_of("dtype", self.dtype, ("auto", "float32", "bfloat16", "float16"), ())
        if not isinstance(self.seed, int) or not 0 <= self.seed <= MAX_SEED:
            raise UsageError(
                f"The seed is {self.seed!r}; it must be a whole number from 0 to {MAX_SEED}."
            )
        self._check_company()
        if self.max_length < 8:
            raise UsageError(f"--max-length is {self.max_length}; give at least 8 tokens.")
        if self.loss == "lm" and not self.lm:
            raise UsageError("--loss lm needs a model: add --lm ID_OR_PATH.")
        if self.depth == "loss-reduction" and not (self.loss == "lm" and self.tuned_lm):
            raise UsageError(
                "--depth loss-reduction needs --loss lm with --lm BASE and --tuned-lm TUNED; "
                "ila tune makes the tuned model."
            )
        _ = self.columns
        if self.labels == "endpoint":
            _ = self.server

    def _check_company(self) -> None:
        """Refuse an option that would do nothing for want of another: it was meant otherwise."""
        model, server = self.loss == "lm", self.labels == "endpoint"
        for given, option, used, company in (
            (self.lm, "--lm", model, "--loss lm"),
            (self.tuned_lm, "--tuned-lm", model, "--loss lm"),
            (self.unconditional, "--unconditional", model, "--loss lm"),
            (self.tokenizer, "--tokenizer", self.loss not in ("lm", "ngram"),
             "--loss none or --loss column:NAME"),
            (self.labels_url, "--labels-url", server, "--labels endpoint"),
            (self.labels_model, "--labels-model", server, "--labels endpoint"),
            (self.embeddings, "--embeddings", self.encoder == "static", "the default --encoder"),
        ):  # fmt: skip
            if given and not used:
                raise UsageError(
                    f"{option} goes with {company} only; add that, or leave {option} out."
                )

    @property
    def columns(self) -> dict[str, str]:
        """The option that names each column of the pool, by the column's name."""
        found: dict[str, str] = {}
        for option in ("loss", "depth", "labels", "domains", "projection"):
            kind, _, names = getattr(self, option).partition(":")
            if kind == "columns" and (names.count(",") != 1 or not all(names.split(","))):
                raise UsageError(
                    f"--projection is {self.projection!r}; name two columns, as in columns:x,y."
                )
            given = {"column": [names], "columns": names.split(",")}.get(kind, [])
            found |= {name.strip(): f"--{option}" for name in given}
        return found

    @property
    def server(self) -> EndpointSettings:
        """The labels server that is asked; UsageError for one that cannot be."""
        from ila_core.skills import EndpointSettings

        if not (self.labels_url and self.labels_model):
            raise UsageError("--labels endpoint needs --labels-url URL and --labels-model NAME.")
        return EndpointSettings(url=self.labels_url, model=self.labels_model)

    @property
    def records(self) -> RecordsSettings:
        from ila_core.pool.reading import RecordsSettings

        return RecordsSettings(
            map=parse_map(self.map),
            partial=self.partial,
            require_response=self.loss != "none",
        )


def build(
    pool: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    listener: Listener | None = None,
    **options: Any,
) -> Landscape:
    """Read a pool, compute its landscape into the folder `out`, and return it opened.

    `options` are those of `ila build` with underscores (`encoder="minilm"`, `loss="none"`, see
    BuildSettings). Finished stages of an earlier build of the same pool are used again; a folder
    that holds another pool is refused (RunError). `listener` is called about twice a second with
    the Monitor of the build.
    """
    settings = BuildSettings.of(**options)
    paths = [pool] if isinstance(pool, (str, Path)) else list(pool)
    run = store.Run.create(out)
    with run.locked(), Monitor(run.folder, listener).watching() as monitor:
        _Build(run, settings, monitor, paths).all()
    return open(out)


def open(run: str | Path) -> Landscape:
    """Open a finished run folder as a Landscape."""
    return store.read_landscape(run)


class _Build:
    """One build under way: its folder, its settings, and the stages it has used."""

    def __init__(
        self, run: store.Run, settings: BuildSettings, monitor: Monitor, paths: Sequence[str | Path]
    ) -> None:
        self.run = run
        self.settings = settings
        self.monitor = monitor
        self.paths = paths
        self.files: list[Input] = []
        self.used: list[store.Stage] = []
        self.notes: list[str] = []
        self.result: Mapping[str, object] = {}
        self.beside: _Beside | None = None

    def all(self) -> None:
        self.check_device()
        inputs = self.inputs()
        records = self.records(inputs)
        with self.loss_beside(records) as loss:
            vectors = self.embedding(records)
            xy = self.projection(records, vectors)
            labels = self.labels(records)
            domain, names = self.domains(records, vectors, labels)
            scored, scored_meta = loss()
        self.notes += loss_notes(self.settings, scored_meta, len(records))
        tuned = self.tuned_rows(records)
        columns = self.columns(records, labels, domain, scored)
        self.publish(records, inputs, xy, columns, domain, names, scored_meta, tuned)

    def check_device(self) -> None:
        """Refuse a device that is not there before anything is read."""
        settings = self.settings
        if settings.device != "auto" and (settings.loss == "lm" or settings.encoder != "static"):
            from ila_core.lm.model import devices

            devices(settings.device)

    # -- stages --------------------------------------------------------------------------------

    def inputs(self) -> list[dict[str, object]]:
        """Return name, sha256 and size of every input file; refuse a folder of another pool."""
        from ila_core.pool.inputs import hashed

        with self.monitor.stage("checking input") as progress:
            self.files = hashed(self.paths, progress=progress)
        inputs: list[dict[str, object]] = [
            {"name": file.path.name, "sha256": file.sha256, "bytes": file.bytes}
            for file in self.files
        ]
        held = store.pool_of(self.run.folder)
        if held is not None and list(held) != list(dict.fromkeys(f["sha256"] for f in inputs)):
            raise RunError(
                f"{self.run.folder} holds the landscape of another pool, or of an earlier state of "
                f"this one ({', '.join(held.values())}); choose another folder with --out, or "
                "delete that one first."
            )
        return inputs

    def records(self, inputs: Sequence[Mapping[str, object]]) -> Records:
        from ila_core.pool.ingest import ingest
        from ila_core.pool.records import Records

        settings = self.settings.records
        stage = self.stage("records", [f["sha256"] for f in inputs], asdict(settings))
        with self.once("reading", stage) as progress:
            if progress is not None:
                ingest(self.files, out=stage.folder, settings=settings, progress=progress)
        records = Records.open(stage.path("records.parquet"))
        for name, option in self.settings.columns.items():
            records.require(name, option)
        labels = self.settings.labels
        if self.settings.domains == "labels" and (
            labels == "none" or (labels == "auto" and not records.has_labels)
        ):
            raise UsageError("--domains labels needs labels; name them with --labels.")
        return records

    def embedding(self, records: Records) -> np.ndarray:
        from ila_core.space.encode import embed, load_embeddings, load_encoder

        settings = self.settings
        if settings.embeddings:
            identity = store.hash_file(_existing(settings.embeddings, "--embeddings"))
        else:
            device = settings.device.partition(",")[0]  # an encoder runs on one of them
            encoder = load_encoder(settings.encoder, device=device)
            identity = encoder.identity
        stage = self.stage("embedding", *self.texts(records), identity)
        out = stage.path("embeddings.npy")
        with self.once("embedding", stage, len(records)) as progress:
            if progress is not None and settings.embeddings:
                result = load_embeddings(settings.embeddings, len(records), out=out)
                self.result = {"unknown": result.unknown, "encoder": result.encoder}
            elif progress is not None:
                result = embed(
                    records.instructions,
                    len(records),
                    encoder,
                    out=out,
                    work=stage.work,
                    progress=progress,
                )
                self.result = {"unknown": result.unknown, "encoder": result.encoder}
        if unknown := stage.result["unknown"]:
            self.note(
                f"{unknown:,} instructions hold nothing the encoder knows; they lie in the "
                "pool's mean direction."
            )
        return np.load(out, mmap_mode="r")

    def projection(self, records: Records, vectors: np.ndarray) -> np.ndarray:
        settings = self.settings
        if settings.projection.startswith("columns:"):
            return self.given_columns(records)
        from ila_core.space.project import ProjectSettings, project

        how = ProjectSettings(method=cast(Any, settings.projection), seed=settings.seed)
        stage = self.stage("projection", self.used[-1].key, asdict(how))
        with self.once("projection", stage, len(records)) as progress:
            if progress is not None:
                stage.save(xy=project(vectors, how, progress=progress))
        return stage.load()["xy"]

    def given_columns(self, records: Records) -> np.ndarray:
        names = [name.strip() for name in self.settings.projection[len("columns:") :].split(",")]
        values, missing = zip(*(records.numbers(name) for name in names), strict=True)
        if sum(missing):
            raise IlaError(
                f"{max(missing):,} of {len(records):,} records have no finite number in "
                f"{' or '.join(names)}; every record needs its place on the map: complete the "
                "columns or use --projection umap."
            )
        return np.column_stack(values).astype(np.float32)

    def labels(self, records: Records) -> Sequence[tuple[str, ...] | None] | None:
        """Return every record's labels, or None where depth counts no skills."""
        from ila_core import skills

        source = self.settings.labels
        if source == "none" or (source == "auto" and not records.has_labels):
            return None
        if source == "auto":
            return records.labels()
        parts: object = None
        if source == "endpoint":
            parts = asdict(self.settings.server)
        elif source == "taxonomy":
            parts = skills.taxonomy_identity()
        stage = self.stage("labels", *self.texts(records), source, parts)
        with self.once("labels", stage, len(records)) as progress:
            if progress is not None:
                found = self.find_labels(records, stage, progress)
                _write_labels(stage.path(LABELS), found)
        if source == "endpoint":
            self.note(_labels_told(stage.result))
        if source == "taxonomy":
            trust = skills.shipped_calibration()
            self.note(
                "The labels are likenesses to a list of skills: on labelled records "
                f"{trust['precision']:.0%} of those given were right, {trust['recall']:.0%} of the "
                "true ones were found, and their number did not follow the true one (rank "
                f"correlation {trust['count_correlation']:.2f}). Depth multiplies by it all the "
                "same; --labels none leaves it out."
            )
        return _read_labels(stage.path(LABELS))

    def find_labels(
        self, records: Records, stage: store.Stage, progress: Progress
    ) -> Sequence[tuple[str, ...] | None]:
        from ila_core import skills

        source = self.settings.labels
        if source.startswith("column:"):
            return skills.from_column(records.field(source[len("column:") :]))

        def texts() -> Iterator[tuple[str, str]]:
            return zip(records.instructions(), records.responses(), strict=True)

        if source == "taxonomy":
            from ila_core.skills.taxonomy import taxonomy
            from ila_core.space.encode import load_encoder

            return taxonomy(texts, len(records), load_encoder("static"), progress=progress)
        from ila_core.skills.endpoint import endpoint, estimate

        server = self.settings.server
        cost = estimate(texts, server, work=stage.work)
        self.monitor.notice(
            f"labels: {cost.requests:,} requests to {server.address}, about "
            f"{cost.input_tokens:,} tokens in and {cost.output_tokens:,} out"
        )
        answer = endpoint(texts, len(records), server, work=stage.work, progress=progress)
        self.result = asdict(answer.report)
        return answer.labels

    def domains(
        self,
        records: Records,
        vectors: np.ndarray,
        labels: Sequence[tuple[str, ...] | None] | None,
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return every record's domain number and the domains' names."""
        from ila_core.landscape.depth import domains_by_kmeans, domains_from_values

        source = self.settings.domains
        if source == "labels":
            assert labels is not None  # seen to when the records were read
            found = domains_from_values([entry[0] if entry else None for entry in labels])
            return found.domain, found.names
        if source.startswith("column:"):
            found = domains_from_values(records.field(source[len("column:") :]))
            return found.domain, found.names
        embedding = next(stage for stage in self.used if stage.name == "embedding")
        stage = self.stage("domains", embedding.key, self.settings.seed)
        with self.once("domains", stage, len(records)) as progress:
            if progress is not None:
                found = domains_by_kmeans(vectors, records.instructions, seed=self.settings.seed)
                stage.save(domain=found.domain)
                self.result = {"names": list(found.names)}
        return stage.load()["domain"], tuple(stage.result["names"])

    @contextmanager
    def loss_beside(
        self, records: Records
    ) -> Iterator[Callable[[], tuple[dict[str, np.ndarray], dict[str, Any]]]]:
        """Yield a function that returns the loss columns and what to tell of the scorer.

        The n-gram model is scored in a process of its own, beside the embedding and the
        projection, each of which keeps one core busy; a language model takes the whole machine
        and is run when the function is called.
        """
        stage = self.stage("loss", *self.texts(records), *loss_key(self.settings))
        if stage.finished:
            self.monitor.reuse("loss")
            yield lambda: (stage.load(), stage.result)
        elif self.settings.loss == "lm":

            def here() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
                with self.monitor.stage("loss", len(records)) as progress:
                    score_stage(records, self.settings, stage, progress, self.monitor.say)
                return stage.load(), stage.result

            yield here
        else:
            with _Beside(records, self.settings, stage, self.monitor) as beside:
                self.beside = beside
                yield beside.result

    # -- the result ----------------------------------------------------------------------------

    def columns(
        self,
        records: Records,
        labels: Sequence[tuple[str, ...] | None] | None,
        domain: np.ndarray,
        scored: Mapping[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Return the landscape's columns: loss, tokens, skills, depth, relative depth, scores."""
        from ila_core.landscape import depth as formulas
        from ila_core.skills import count_skills

        n = len(records)
        asked = self.settings.labels in ("endpoint", "taxonomy")
        skills = (
            np.ones(n, np.float32)
            if labels is None
            else count_skills(labels, unlabelled=np.nan if asked else 1.0)
        )
        if unlabelled := int(np.isnan(skills).sum()):
            self.note(f"{unlabelled:,} records got no labels; their depth is missing.")
        source = self.settings.depth
        if source == "loss":
            depth = formulas.depth(scored["loss"], skills)
        elif source == "loss-reduction":
            depth = formulas.loss_reduction(scored["loss"], scored["tuned_loss"], skills)
        else:
            depth, missing = records.numbers(source[len("column:") :])
            if missing == n:
                raise UsageError(
                    f"Field {source[len('column:') :]!r} of --depth has no finite number in any of "
                    f"the {n:,} records; name another one."
                )
            if missing:
                self.note(f"{missing:,} records have no finite number in {source}: depth missing.")
        relative = formulas.relative_depth(depth, domain)
        missing = int(np.isnan(depth).sum())
        if missing and missing != int(np.isnan(scored["loss"]).sum()):
            self.note(f"{missing:,} of {n:,} records have no depth.")
        return {
            **scored,
            "skills": skills,
            "depth": depth,
            "relative_depth": relative,
            **self.given_scores(records),
        }

    def tuned_rows(self, records: Records) -> np.ndarray | None:
        """Return the rows that the tuned model has learned from, and say what that means.

        None where no tuned model is named or nothing is known of its making.
        """
        model = self.settings.tuned_lm
        if self.settings.loss != "lm" or model is None:
            return None
        from ila_core.lm.tune import tuned_rows

        rows = tuned_rows(model, records.conversations, len(records))
        if rows is None:
            self.note(
                f"Which records {model} was tuned on is not known; any of this pool among them "
                "look deeper than they are."
            )
        else:
            self.note(
                f"{model} was tuned on {len(rows):,} of these records, which look deeper for it. "
                f"They stay selectable; leave them out with --exclude {self.run.folder / TUNED}."
            )
        return rows

    def given_scores(self, records: Records) -> dict[str, np.ndarray]:
        """Return the pool's own quality and complexity columns, which Deita's method reads.

        One that holds no number in any record, such as "good" and "bad", is no score.
        """
        present = set(records.fields())
        found = {
            name: records.numbers(name)[0] for name in ("quality", "complexity") if name in present
        }
        return {name: column for name, column in found.items() if not np.isnan(column).all()}

    def publish(
        self,
        records: Records,
        inputs: Sequence[Mapping[str, object]],
        xy: np.ndarray,
        columns: Mapping[str, np.ndarray],
        domain: np.ndarray,
        names: Sequence[str],
        scored: Mapping[str, Any],
        tuned: np.ndarray | None,
    ) -> None:
        stage = self.stage("landscape", [s.key for s in self.used], asdict(self.settings))
        store.write_landscape(
            stage.path("landscape.parquet"),
            {"x": xy[:, 0], "y": xy[:, 1], **columns},
            domain,
            names,
        )
        stage.finish(seconds=0.0)
        folders = {stage.name: stage for stage in self.used}
        files = {
            "records.parquet": folders["records"].path("records.parquet"),
            "rejects.jsonl": folders["records"].path("rejects.jsonl"),
            "embeddings.npy": folders["embedding"].path("embeddings.npy"),
            "landscape.parquet": stage.path("landscape.parquet"),
        }
        if tuned is not None:
            files[TUNED] = stage.path(TUNED)
            write_text(files[TUNED], "".join(f"{row}\n" for row in tuned.tolist()))
        if "labels" in folders:
            files[LABELS] = folders["labels"].path(LABELS)
        for name in {TUNED, LABELS} - files.keys():  # an earlier build's, no longer asked for
            (self.run.folder / name).unlink(missing_ok=True)
        manifest = {
            "format": store.FORMAT,
            "ila": __version__,
            "command": replay_command(self.paths, self.settings, self.run.folder),
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "settings": asdict(self.settings),
            "inputs": list(inputs),
            "counts": records.counts,
            "fingerprint": records.fingerprint,
            "notes": self.notes,
            "loss": {
                **scored.get("meta", {}),
                "truncated": scored.get("truncated", 0),
                "missing": scored.get("missing", {}),
                "tuned_rows": None if tuned is None else len(tuned),
            },
            "stages": {s.name: {"key": s.key, **s.result} for s in self.used if s.finished},
            "versions": _versions(),
        }
        self.run.publish(files, manifest)
        self.run.prune(self.used)

    # -- how a stage is run --------------------------------------------------------------------

    def texts(self, records: Records) -> tuple[object, ...]:
        """Return what the records' texts depend on: the originals, and which field plays what."""
        return records.fingerprint, *self.settings.records.map

    def stage(self, name: str, *parts: object) -> store.Stage:
        stage = self.run.stage(name, store.key_of(name, *parts))
        self.used.append(stage)
        return stage

    @contextmanager
    def once(
        self, name: str, stage: store.Stage, total: int | None = None
    ) -> Iterator[Progress | None]:
        """Yield a progress callback to work with, or None where the stage is finished already.

        What the block leaves in `self.result` is kept with the seconds it took.
        """
        if self.beside is not None:
            self.beside.check()  # no long stage is begun for a build that cannot end well
        if stage.finished:
            self.monitor.reuse(name)
            yield None
            return
        self.result = {}
        started = time.monotonic()
        with self.monitor.stage(name, total) as progress:
            yield progress
        stage.finish(seconds=round(time.monotonic() - started, 3), **self.result)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


# -- loss -----------------------------------------------------------------------------------------


def loss_notes(settings: BuildSettings, scored: Mapping[str, Any], n: int) -> list[str]:
    """Return what a user should know of the scoring of `n` records, a sentence each."""
    meta, missing = scored.get("meta", {}), scored.get("missing", {})
    notes = []
    if missing and settings.loss != "none":
        total = sum(missing.values())
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in missing.items())
        notes.append(f"No loss and no depth: {total:,} of {n:,} records ({reasons}).")
    if cut := scored.get("truncated", 0):
        notes.append(
            f"Longer than the {meta.get('max_length', 0):,} tokens that the model reads: "
            f"{cut:,} of {n:,} records. Their responses and the nearest context were scored; "
            f"{meta.get('responses_cut', 0):,} of the responses in part."
        )
    for what, count in meta.get("notes", {}).items():
        notes.append(f"Rewritten for the chat template: {count:,} of {n:,} records ({what}).")
    if meta.get("template") == "plain":
        notes.append(
            f"{meta.get('lm')} has no chat template; instructions and responses were put under "
            "plain headings."
        )
    return notes


def loss_key(settings: BuildSettings) -> tuple[object, ...]:
    """Return what a loss depends on besides the records."""
    if settings.loss == "lm":
        return (
            "lm",
            _model_identity(settings.lm),
            _model_identity(settings.tuned_lm),
            settings.max_length,
            settings.dtype,
            settings.unconditional,
        )
    if settings.loss == "ngram":
        return ("ngram", settings.seed)
    return (settings.loss, settings.seed, _model_identity(settings.tokenizer))


def lm_settings(settings: BuildSettings) -> LmSettings:
    """Return what a build's settings say of its language model."""
    from ila_core.lm.score import LmSettings

    return LmSettings(
        lm=str(settings.lm),
        tuned_lm=settings.tuned_lm,
        max_length=settings.max_length,
        device=settings.device,
        dtype=cast(Any, settings.dtype),
        unconditional=settings.unconditional,
    )


def score_stage(
    records: Records,
    settings: BuildSettings,
    stage: store.Stage,
    progress: Progress,
    say: Say = silent,
) -> None:
    """Score the responses as the settings say and finish the loss stage."""
    started = time.monotonic()
    scored = score(records, settings, work=stage.work, progress=progress, say=say)
    stage.save(loss=scored.loss, tokens=scored.tokens, **scored.extra)
    stage.finish(
        seconds=round(time.monotonic() - started, 3),
        meta=dict(scored.meta),
        truncated=scored.truncated,
        missing=dict(scored.missing),
    )


def score(
    records: Records,
    settings: BuildSettings,
    *,
    work: Path | None = None,
    progress: Progress = no_progress,
    say: Say = silent,
) -> LossResult:
    """Return the loss of every record's response, by the scorer that the settings name."""
    n = len(records)
    if settings.loss == "lm":
        from ila_core.lm import score as causal_lm

        return causal_lm.score(
            records.conversations,
            n,
            lm_settings(settings),
            work=work,
            progress=progress,
            say=say,
        )
    from ila_core.loss.ngram import model as ngram

    model = ngram.NgramSettings(seed=settings.seed)
    if settings.loss == "ngram":
        return ngram.score(records.conversations, n, model, work=work, progress=progress)
    tokens = ngram.count_tokens(
        records.conversations, n, model, settings.tokenizer, work=work, progress=progress
    )
    if settings.loss == "none":
        return LossResult(
            loss=np.full(n, np.nan, np.float32), tokens=tokens, missing={"no loss asked for": n}
        )
    name = settings.loss[len("column:") :]
    values, missing = records.numbers(name)
    if missing == n:
        raise UsageError(
            f"Field {name!r} of --loss has no finite number in any of the {n:,} records; name "
            "another one, or use --loss none."
        )
    reasons = {f"no finite number in {name}": missing} if missing else {}
    return LossResult(loss=values, tokens=tokens, missing=reasons, meta={"column": name})


class _Beside:
    """The loss stage in a process of its own; its progress and failure are this process's."""

    def __init__(
        self, records: Records, settings: BuildSettings, stage: store.Stage, monitor: Monitor
    ) -> None:
        self.stage = stage
        self.monitor = monitor
        self.total = len(records)
        self.failure: IlaError | None = None
        task = {
            "records": str(records.path),
            "settings": asdict(settings),
            "stage": [stage.name, stage.key, str(stage.folder)],
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ila_core.pipeline.run", json.dumps(task)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def __enter__(self) -> _Beside:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.thread.join()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        with self.monitor.stage("loss", self.total) as progress:
            for line in self.process.stdout:
                notice = json.loads(line)
                if "error" in notice:
                    kind = UsageError if notice["usage"] else IlaError
                    self.failure = kind(notice["error"])
                else:
                    progress(notice["done"], notice["total"])

    def check(self) -> None:
        """Raise what the other process has told to be wrong."""
        if self.failure is not None:
            raise self.failure

    def result(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        self.thread.join()
        code = self.process.wait()
        self.check()
        if code != 0:
            raise IlaError(
                f"Scoring the responses ended with exit code {code}"
                + (" (killed, perhaps for lack of memory)" if code < 0 else "")
                + "; what was finished is kept: run the same command again."
            )
        return self.stage.load(), self.stage.result


def _score_beside(task: Mapping[str, Any]) -> int:
    """Score in this process, telling progress and failure as JSON lines on standard output."""
    from ila_core.pool.records import Records

    parent = os.getppid()
    last = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal last
        if os.getppid() != parent:  # the build was killed: nobody waits for this any more
            os._exit(1)
        if time.monotonic() - last > 0.3 or done == total:
            last = time.monotonic()
            try:
                print(json.dumps({"done": done, "total": total}), flush=True)
            except BrokenPipeError:  # killed just now
                os._exit(1)

    name, key, folder = task["stage"]
    try:
        with told(folder):
            score_stage(
                Records.open(Path(task["records"])),
                BuildSettings(**task["settings"]),
                store.Stage(name, key, Path(folder)),
                progress,
            )
    except IlaError as error:
        notice = {"error": str(error), "usage": isinstance(error, UsageError)}
        print(json.dumps(notice), flush=True)
        return error.exit_code
    except KeyboardInterrupt:  # Ctrl-C reaches both processes; the build tells of it
        return 130
    return 0


# -- small parts ----------------------------------------------------------------------------------


def replay_command(paths: Sequence[str | Path], settings: BuildSettings, out: str | Path) -> str:
    """Return the command line that makes this landscape again.

    >>> replay_command(["pool.jsonl"], BuildSettings(projection="pca"), "run")
    'ila build pool.jsonl --out run --projection pca'
    """
    import shlex

    words = ["ila", "build", *map(str, paths), "--out", str(out)]
    for option in fields(settings):
        value = getattr(settings, option.name)
        if value == option.default:
            continue
        words.append("--" + option.name.replace("_", "-"))
        if value is not True:
            words.append(str(value))
    return shlex.join(words)


def _one_of(option: str, value: str, names: tuple[str, ...], patterns: tuple[str, ...]) -> None:
    given = str(value)
    prefixes = tuple(pattern.partition(":")[0] + ":" for pattern in patterns)
    if given in names or any(given.startswith(p) and given != p for p in prefixes):
        return
    *head, last = [*names, *patterns]
    choices = f"{', '.join(head)} or {last}" if head else last
    raise UsageError(f"Unknown {option} {given!r}; choose {choices}.")


def _existing(path: str, option: str) -> Path:
    found = Path(path)
    if not found.is_file():
        raise UsageError(f"{option} names {path!r}, which is no file.")
    return found


def _model_identity(model: str | None) -> object:
    """Return a model's id, or what tells one local folder's contents from another's."""
    if model is None or not Path(model).is_dir():
        return model
    return sorted(
        [path.name, path.stat().st_size, path.stat().st_mtime_ns]
        for path in Path(model).iterdir()
        if path.is_file()
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in ("numpy", "numba", "scikit-learn", "umap-learn", "torch", "tokenizers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _labels_told(report: Mapping[str, Any]) -> str:
    """Return what asking for labels did cost and leave open, in a sentence."""
    failed = report.get("failures") or {}
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in failed.items())
    return (
        f"Labels: {report.get('requests', 0):,} requests to the server, "
        f"{report.get('retries', 0):,} of them tried again, {report.get('tokens_in', 0):,} tokens "
        f"in and {report.get('tokens_out', 0):,} out"
        + (f"; none for {sum(failed.values()):,} records ({reasons})." if failed else ".")
    )


def _write_labels(path: Path, labels: Sequence[tuple[str, ...] | None]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ila_core.files import replacing

    column = pa.array(
        [None if entry is None else list(entry) for entry in labels], type=pa.list_(pa.string())
    )
    table = pa.table({"row": pa.array(range(len(labels)), pa.int64()), "labels": column})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _read_labels(path: Path) -> list[tuple[str, ...] | None]:
    import pyarrow.parquet as pq

    return [
        None if entry is None else tuple(entry)
        for entry in pq.read_table(path).column("labels").to_pylist()
    ]


if __name__ == "__main__":
    sys.exit(_score_beside(json.loads(sys.argv[1])))
