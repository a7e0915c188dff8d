"""The stages of the map: instructions to vectors, vectors to places, and the domains.

Whoever changes what a rule gives raises the `version` of its stage here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from ila_core.artifacts import VECTORS
from ila_core.errors import UsageError
from ila_core.files import key_of
from ila_core.options import columns_in, part
from ila_core.pipeline.labelling import Labelled
from ila_core.pipeline.publish import StageFolder
from ila_core.pipeline.settings import (
    LEARNED_ENCODER,
    DomainSettings,
    EncoderSettings,
    EncodeSettings,
    GivenVectors,
    PlaceSettings,
)
from ila_core.pipeline.step import Desk, Facts, Made, Stage

if TYPE_CHECKING:
    from ila_core.pool.records import Records
    from ila_core.space.domains import Domains
    from ila_core.space.encode import EmbedResult
    from ila_core.space.encoders import Encoder
    from ila_core.space.project import ProjectionSettings

# -- vectors --------------------------------------------------------------------------------------

ENCODER_LIBRARIES = {
    "pieces": ("tokenizers", "numba", "numpy"),
    "model2vec": ("model2vec", "tokenizers", "numpy", "scipy"),
    "sentence-transformers": ("sentence-transformers", "transformers", "torch", "tokenizers"),
}
"""What vectors depend on besides the model, by the library that its identity begins with."""


@dataclass(frozen=True)
class _Vectors(Stage[np.ndarray]):
    name = "embedding"
    on_device: ClassVar[bool] = False
    """Whether the encoder runs on a GPU where there is one."""

    records: Made[Records]

    @property
    def total(self) -> int:
        return len(self.records.value)

    def load(self, folder: StageFolder) -> np.ndarray:
        return np.load(folder.path / VECTORS, mmap_mode="r")

    def notes(self, value: np.ndarray, facts: Facts) -> Sequence[str]:
        return reading_notes(facts)

    def told(self, result: EmbedResult, encoder: Encoder | None = None) -> Facts:
        """Return what is to be told of the vectors, and of what their encoder made of the pool."""
        from ila_core.space.legible import legibility

        seen = legibility(self.records.value.instructions, result.vectors, encoder)
        dimensions = result.vectors.shape[1]
        facts = {"unknown": result.unknown, "encoder": result.encoder, "dimensions": dimensions}
        return facts | asdict(seen)

    def embedded(self, desk: Desk, encoder: Encoder) -> Facts:
        """Write the vectors that an encoder gives the instructions."""
        from ila_core.space.encode import embed

        result = embed(
            self.records.value.instructions,
            self.total,
            encoder,
            out=desk.folder.path / VECTORS,
            work=desk.folder.work,
            spread=desk.spread and partial(desk.spread, device=self.on_device),
            progress=desk.progress,
        )
        return self.told(result, encoder)


@dataclass(frozen=True)
class Encode(_Vectors):
    """Instructions, as vectors."""

    version = 2  # of long instructions the tail is read too

    settings: EncoderSettings

    @cached_property
    def encoder(self) -> Encoder:
        return encoder_of(self.settings)

    @property
    def on_device(self) -> bool:  # type: ignore[override]
        return not self.settings.shipped

    @property
    def libraries(self) -> Sequence[str]:
        return ENCODER_LIBRARIES.get(self.encoder.identity.partition(":")[0], ())

    def make(self, desk: Desk) -> Facts:
        return self.embedded(desk, self.encoder)


@dataclass(frozen=True)
class LearnWording(_Vectors):
    """Instructions, as vectors that tell their wording."""

    encoder: str
    speller: str
    """What tells the shipped cutter of texts from another."""
    seed: int

    @property
    def libraries(self) -> Sequence[str]:
        return ("scikit-learn", "scipy", "tokenizers", "numpy")

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.encoders import load_speller
        from ila_core.space.lexical import learn

        texts = self.records.value.instructions
        return self.embedded(desk, learn(texts, self.total, load_speller(), seed=self.seed))


@dataclass(frozen=True)
class TakeVectors(_Vectors):
    """Vectors that exist."""

    settings: GivenVectors

    @property
    def libraries(self) -> Sequence[str]:
        return ("numpy",)

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.given import load_embeddings

        file, out = Path(str(self.settings.embeddings)), desk.folder.path / VECTORS
        return self.told(load_embeddings(file, self.total, out=out))


UNREAD_NOTED = 0.1
"""Share of instructions that an encoder could not read from which it is told."""
ALIKE_NOTED = 0.8
"""Mean cosine from which it is told that vectors hardly differ: good ones stay below 0.6."""


def reading_notes(facts: Facts) -> list[str]:
    """Return what a user should know of the vectors, a sentence each.

    >>> reading_notes({"unknown": 0, "encoder": "static", "likeness": 0.97})
    ["Two instructions have a mean cosine of 0.97 to the encoder 'static', which hardly tells them
    apart, and neither does the map: try --encoder multilingual, or vectors of another model by
    --embeddings."]
    """
    name = facts["encoder"]
    other = "lexical" if name == "multilingual" else "multilingual"
    way_out = f"try --encoder {other}, or vectors of another model by --embeddings."
    notes = []
    if unknown := facts["unknown"]:
        notes.append(
            f"{unknown:,} instructions hold nothing the encoder knows; they lie in the pool's mean "
            "direction."
        )
    if long := facts.get("long"):
        most = facts["characters"]
        notes.append(
            f"{long:,} instructions are longer than {most:,} characters; the encoder reads the "
            f"first and last {most // 2:,} of them."
        )
    if (unread := facts.get("unread") or 0) > UNREAD_NOTED:
        notes.append(
            f"In about {unread:.0%} of the instructions more than 30 % of the pieces are unknown "
            f"to the encoder {name!r}, so that their places mean little: {way_out}"
        )
    if (likeness := facts.get("likeness") or 0) > ALIKE_NOTED:
        notes.append(
            f"Two instructions have a mean cosine of {likeness:.2f} to the encoder {name!r}, which "
            f"hardly tells them apart, and neither does the map: {way_out}"
        )
    return notes


def encode(settings: EncodeSettings, records: Made[Records]) -> Stage[np.ndarray]:
    """Return the stage that gives every record its vector."""
    from ila_core.space.encoders import load_speller

    if given := settings.embeddings:
        if not Path(given).is_file():
            raise UsageError(f"--embeddings names {given!r}, which is no file.")
        return TakeVectors(records, part(settings, GivenVectors))
    if settings.learns:
        return LearnWording(records, LEARNED_ENCODER, load_speller().identity, settings.seed)
    return Encode(records, part(settings, EncoderSettings))


def encoder_of(settings: EncoderSettings) -> Encoder:
    """Return the encoder of the settings, of those that need not learn from the pool first."""
    from ila_core.space.encoders import load_encoder

    device = settings.device.partition(",")[0]  # an encoder runs on one of several
    return load_encoder(settings.encoder, device=device)


# -- places ---------------------------------------------------------------------------------------

PROJECTION_LIBRARIES = {
    "umap": ("umap-learn", "pynndescent", "numba", "scikit-learn", "scipy", "numpy"),
    "quick-umap": ("umap-learn", "pynndescent", "numba", "scikit-learn", "scipy", "numpy"),
    "landmarks": ("umap-learn", "pynndescent", "numba", "scikit-learn", "scipy", "numpy"),
    "tsne": ("openTSNE", "pynndescent", "numba", "scikit-learn", "scipy", "numpy"),
    "pca": ("scipy", "numpy"),
}


@dataclass(frozen=True)
class Project(Stage[np.ndarray]):
    """Vectors, as places on a map."""

    name = "projection"
    version = 2  # pairs are multiplied in other blocks, which rounds otherwise

    vectors: Made[np.ndarray]
    settings: ProjectionSettings

    @property
    def total(self) -> int:
        return len(self.vectors.value)

    @property
    def libraries(self) -> Sequence[str]:
        return PROJECTION_LIBRARIES[self.settings.method]

    @property
    def parts(self) -> list[object]:
        """All that it holds, and how landmarks are chosen and used where there may be some."""
        from ila_core.space import landmarks
        from ila_core.space.project import FITTED, QUICK

        fitted = FITTED.get(self.settings.method, self.total)
        quick, among = self.settings.method == "quick-umap", self.total > fitted
        rules: list[object] = [QUICK] if quick else []
        if quick or among:
            rules.append(landmarks.CHOICE)
        if among:
            rules += [landmarks.RULE, fitted]
        return [*super().parts, *rules]

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.project import projected

        made = projected(
            self.vectors.value, self.settings,
            work=desk.folder.work, spread=desk.spread, progress=desk.progress,
        )  # fmt: skip
        desk.folder.save(xy=made.xy)
        facts = {"method": self.settings.method, "distinct": made.distinct}
        return facts | ({"landmarks": made.fitted} if made.fitted < made.distinct else {})

    def load(self, folder: StageFolder) -> np.ndarray:
        return folder.load()["xy"]

    def notes(self, value: np.ndarray, facts: Facts) -> Sequence[str]:
        from ila_core.space.project import FITTED

        if not (landmarks := facts.get("landmarks")):
            return ()
        told = (
            f"The map is fitted on {landmarks:,} landmarks of {facts['distinct']:,} distinct "
            "instructions; the others lie among those most like them."
        )
        if facts["method"] == "landmarks":
            most = FITTED["umap"]
            other = "all" if facts["distinct"] <= most else f"{most:,}"
            told += f" --projection umap fits it on {other}."
        return (told,)


def project(
    settings: PlaceSettings,
    columns: Made[Mapping[str, np.ndarray]],
    vectors: Made[np.ndarray],
) -> Stage[np.ndarray] | Made[np.ndarray]:
    """Return the stage that gives every record its place, or the places that records came with."""
    from ila_core.space.project import ProjectionSettings

    if places := settings.places:
        xy = np.column_stack([columns.value[name] for name in places]).astype(np.float32)
        return Made(xy, key_of("places", columns.key, places))
    method = cast(Any, settings.method(len(vectors.value)))
    return Project(vectors, ProjectionSettings(method=method, seed=settings.seed))


# -- domains --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster(Stage["Domains"]):
    """Alike instructions, as domains."""

    name = "domains"
    version = 3  # names are words of any language

    records: Made[Records]
    vectors: Made[np.ndarray]
    seed: int

    @property
    def total(self) -> int:
        return len(self.records.value)

    @property
    def libraries(self) -> Sequence[str]:
        return ("scikit-learn", "scipy", "numpy", "icu4py", "stopwordsiso")

    def make(self, desk: Desk) -> Facts:
        from ila_core.space.domains import domains_by_kmeans

        domains = domains_by_kmeans(
            self.vectors.value, self.records.value.instructions, seed=self.seed, spread=desk.spread
        )
        desk.folder.save(domain=domains.domain)
        return {"names": list(domains.names)}

    def load(self, folder: StageFolder) -> Domains:
        from ila_core.space.domains import Domains

        return Domains(folder.load()["domain"], tuple(folder.facts["names"]))


def divide(
    settings: DomainSettings,
    records: Made[Records],
    labels: Made[Labelled],
    vectors: Made[np.ndarray],
) -> Stage[Domains] | Made[Domains]:
    """Return the stage that gives every record its domain, or the domains by a column."""
    from ila_core.space.domains import domains_from_values

    if settings.domains == "labels":
        entries = labels.value.labels or ()
        domains = domains_from_values([entry[0] if entry else None for entry in entries])
        return Made(domains, key_of("domains", labels.key))
    for name in columns_in(settings.domains):
        domains = domains_from_values(records.value.field(name))
        return Made(domains, key_of("domains", records.key, name))
    return Cluster(records, vectors, settings.seed)
