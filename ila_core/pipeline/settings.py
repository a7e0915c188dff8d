"""Every option of a build, written once: one dataclass a stage, all of them together flat.

The command line, the page's widgets, the checks, the estimate, the manifest and the line that makes
a landscape again are derived from these fields; so an option is added here, and read where its
stage is made. A stage holds the dataclass that it reads, or one of those that this is put together
from, and its key has every option of that but for those that say that they alter no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from ila_core import options
from ila_core.errors import UsageError
from ila_core.files import hash_file
from ila_core.lm.settings import LM, LmSettings, Models, OnDevice, model_state
from ila_core.options import MAX_SEED, columns_in, option, options_of
from ila_core.pool.settings import ReadSettings

if TYPE_CHECKING:
    from ila_core.skills.settings import EndpointSettings

P = TypeVar("P")
LEARNED_ENCODER = "lexical"
SHIPPED_ENCODERS = ("multilingual", "static", LEARNED_ENCODER)
SERVER = ("labels", ("endpoint",))
QUICK_ABOVE, LANDMARKS_ABOVE = 30_000, 2_000_000
"""Records above which a map is made by quick UMAP unless asked otherwise, for up to here UMAP takes
half a minute, and above which it is fitted on landmarks: a quick fit on all takes a quarter of an
hour below. Selections by a map of landmarks gain less, see the README."""


@dataclass(frozen=True)
class Seeded:
    seed: int = option(
        0, "seed of everything that chance enters", metavar="N", least=0, most=MAX_SEED
    )


def _encoder_state(encoder: str) -> object:
    from ila_core.space.encoders import load_encoder

    return load_encoder(encoder).identity


@dataclass(frozen=True)
class EncoderSettings(OnDevice):
    """Which encoder turns instructions into vectors."""

    encoder: str = option(
        "multilingual",
        "what turns instructions into vectors",
        metavar="NAME",
        wanted="a model for the encoder",
        choices={
            "multilingual": "shipped, by meaning in nearly any language, fast on any machine",
            "static": "shipped, English alone, faster still",
            "lexical": "by wording, learned from the pool: better where wording is the label, as "
            "in pools made from templates",
            "minilm": "all-MiniLM-L6-v2, finer and about 100 times slower; needs the extra package",
        },
        names={
            "multilingual": "shipped encoder for every language",
            "static": "shipped encoder for English",
            "lexical": "by wording",
            "minilm": "all-MiniLM-L6-v2",
            "ID_OR_PATH": "another model",
        },
        patterns=("ID_OR_PATH",), content=_encoder_state,
    )  # fmt: skip

    @property
    def shipped(self) -> bool:
        """Whether it comes with the program and needs neither a download nor a device."""
        return self.encoder in SHIPPED_ENCODERS

    @property
    def learns(self) -> bool:
        """Whether it is learned from the pool before it reads it."""
        return self.encoder == LEARNED_ENCODER


@dataclass(frozen=True)
class GivenVectors:
    """Vectors that an encoder need not make."""

    embeddings: str | None = option(
        None, "vectors that exist: a .npy of shape (records, d)",
        called="File of vectors", wanted="the file of vectors", metavar="FILE",
        company=("encoder", ("multilingual",)), instead=("encoder", "vectors in a file"),
        content=hash_file,
    )  # fmt: skip


@dataclass(frozen=True)
class EncodeSettings(GivenVectors, EncoderSettings, Seeded):
    """How instructions become vectors."""


@dataclass(frozen=True)
class PlaceSettings(Seeded):
    """How vectors become places on the map."""

    projection: str = option(
        "auto",
        "what puts the vectors on a map",
        metavar="HOW",
        choices={
            "auto": "by UMAP up to 30,000 records, quick UMAP up to 2 million, by landmarks above",
            "umap": "neighbourhoods kept; about a minute and a half for 75,000 records",
            "quick-umap": "neighbours found among 128 principal components, half as many passes: "
            "half of the time; the same map in whatever order the records stand",
            "landmarks": "UMAP of 20,000 distinct vectors, the others placed among those most like "
            "them; the same map in whatever order the records stand",
            "tsne": "slower than UMAP; needs the extra package",
            "pca": "seconds at any size; regions overlap",
        },
        names={
            "auto": "automatic",
            "umap": "UMAP",
            "quick-umap": "quick UMAP",
            "landmarks": "UMAP on landmarks",
            "tsne": "t-SNE",
            "pca": "PCA",
            "columns:X,Y": "two columns",
        },
        patterns=("columns:X,Y",),
    )

    def method(self, records: int) -> str:
        """Return what puts so many records on a map, where that is not two of their columns.

        >>> [PlaceSettings().method(n) for n in (30_000, 30_001, 3_000_000)]
        ['umap', 'quick-umap', 'landmarks']
        >>> PlaceSettings(projection="umap").method(10**6)
        'umap'
        """
        if self.projection != "auto":
            return self.projection
        if records > LANDMARKS_ABOVE:
            return "landmarks"
        return "quick-umap" if records > QUICK_ABOVE else "umap"

    @property
    def places(self) -> tuple[str, ...]:
        """The two columns that hold every record's place; none where it is computed."""
        names = columns_in(self.projection)
        if names and not (len(names) == 2 and all(names)):
            raise UsageError(
                f"--projection is {self.projection!r}; name two columns, as in columns:x,y."
            )
        return names


@dataclass(frozen=True)
class LossSource:
    loss: str = option(
        "ngram",
        "who supplies the loss",
        called="Depth: who supplies the loss",
        metavar="WHO",
        choices={
            "ngram": "an n-gram model of the pool itself; no download, no GPU, seconds",
            "lm": "a causal language model, best beside the same one fine-tuned on a part of the "
            "pool: its loss alone chose no better than chance where it was tried; minutes on a "
            "GPU, without one hours for a large model",
            "none": "no depth: the selection is by coverage alone",
        },
        names={"ngram": "n-gram model", "lm": "a language model"},
        patterns=("column:NAME",),
    )

    @property
    def column(self) -> str | None:
        """The field of the records that holds it; None where it is not given."""
        return next(iter(columns_in(self.loss)), None)

    @property
    def supplier(self) -> Literal["ngram", "lm", "none", "column"]:
        """Who supplies it: a word whatever the column is called."""
        return cast(Any, "column" if self.column else self.loss)


@dataclass(frozen=True)
class TokenCounter:
    tokenizer: str | None = option(
        None, "counts response tokens where no model does",
        metavar="ID_OR_PATH", company=("loss", ("none", "column:NAME")), content=model_state,
    )  # fmt: skip


@dataclass(frozen=True)
class Sampled:
    sample: int | None = option(
        None, "score so many records, drawn at random; the others have no depth",
        called="Records to score, all unless given", metavar="N",
        least=1, most=2**31 - 1, company=LM,
    )  # fmt: skip


@dataclass(frozen=True)
class LossSettings(LmSettings, Sampled, TokenCounter, Models, LossSource, OnDevice, Seeded):
    """Who supplies the loss of every response; the options as they are written, from the last."""

    @property
    def models(self) -> tuple[str, ...]:
        """The language models that score; none where another supplies the loss."""
        return super().models if self.supplier == "lm" else ()

    def scored(self, records: int) -> int:
        """Return how many of so many records a language model scores."""
        return min(records, self.sample or records)


@dataclass(frozen=True)
class LabelSource:
    labels: str = option(
        "auto",
        "who names the skills of a record",
        metavar="WHO",
        choices={
            "auto": "the pool's own labels field, where it has one",
            "endpoint": "an OpenAI-compatible server of yours: one request a record",
            "none": "every record counts one skill",
        },
        names={"auto": "as the pool has them", "endpoint": "a server of yours"},
        patterns=("column:NAME",),
        gone={
            "taxonomy": "three in four of its labels were wrong; leave --labels out, or name the "
            "pool's own field (column:NAME) or a server that labels (endpoint)",
        },
    )


@dataclass(frozen=True)
class LabelSettings(LabelSource):
    """Who supplies the skill labels of every record."""

    labels_url: str | None = option(
        None, "address of the labels server",
        called="Server", wanted="the server", metavar="URL", company=SERVER, needed=True,
    )  # fmt: skip
    labels_model: str | None = option(
        None, "the model that it is asked for",
        called="Model", wanted="its model", metavar="NAME", company=SERVER, needed=True,
    )  # fmt: skip

    @property
    def server(self) -> EndpointSettings | None:
        """The labels server that is asked, if one is; UsageError for one that cannot be."""
        from ila_core.skills.settings import EndpointSettings

        url, model = self.labels_url, self.labels_model
        if self.labels != "endpoint" or not url or not model:
            return None
        return EndpointSettings(url, model)


@dataclass(frozen=True)
class DomainSettings(Seeded):
    """Within what a record's depth is ranked."""

    domains: str = option(
        "auto",
        "within what depths are ranked",
        metavar="HOW",
        choices={
            "auto": "groups of alike instructions (k-means), named by their words",
            "labels": "by the first label",
        },
        names={"auto": "automatic", "labels": "by labels"},
        patterns=("column:NAME",),
    )


@dataclass(frozen=True)
class DepthSettings:
    """A depth that the pool comes with."""

    depth_column: str | None = option(
        None, "a field that holds a depth of your own, a kind beside those of the losses",
        called="Depth of your own", metavar="NAME", is_column=True,
    )  # fmt: skip


@dataclass(frozen=True)
class EngineSettings:
    """Where a build is computed; it alters no result."""

    engine: Literal["local", "ray"] = option(
        "local",
        "where it is computed",
        metavar="NAME",
        choices={
            "local": "on this machine",
            "ray": "on a Ray cluster, or a Ray of this machine; needs the extra package",
        },
        names={"local": "on this machine", "ray": "on Ray"},
        alters=False,
    )
    ray_address: str | None = option(
        None,
        "the Ray cluster, as HOST:PORT, or auto for the one that runs on this machine; unless "
        "given, one is started for the build",
        called="Address of the cluster", metavar="ADDRESS", company=("engine", ("ray",)),
        alters=False,
    )  # fmt: skip


@dataclass(frozen=True)
class BuildSettings(
    EngineSettings,
    DepthSettings,
    DomainSettings,
    LabelSettings,
    LossSettings,
    PlaceSettings,
    EncodeSettings,
    ReadSettings,
):
    """Every option of `ila build`, under the same name; the defaults need no network."""

    @classmethod
    def of(cls, **given: Any) -> BuildSettings:
        """Return checked settings; UsageError names an option or value that cannot be meant.

        >>> BuildSettings.of(projection="pca").projection
        'pca'
        >>> BuildSettings.of(projection="mds")
        Traceback (most recent call last):
        ila_core.errors.UsageError: Unknown projection 'mds'; choose auto, umap, quick-umap,
        landmarks, tsne, pca or columns:X,Y.
        """
        return options.make(cls, given)

    def __post_init__(self) -> None:
        _ = self.places, self.server

    def part(self, wanted: type[P]) -> P:
        """Return the settings of one stage.

        >>> BuildSettings.of(labels="none").part(LabelSettings)
        LabelSettings(labels='none', labels_url=None, labels_model=None)
        """
        return options.part(self, wanted)

    @property
    def columns(self) -> dict[str, str]:
        """The option that names each column of the pool, by the column's name."""
        known = options_of(type(self)).values()
        return {
            column: one.flag for one in known for column in one.columns(getattr(self, one.name))
        }

    @property
    def runs_models(self) -> bool:
        """Whether models of one's own choice run, on the device and for as long as they take."""
        return bool(self.models) or not self.shipped

    def without_models(self) -> BuildSettings:
        """Return the same without such models.

        >>> BuildSettings(loss="lm", max_length=64, seed=1).without_models().words("p", "r")
        ['build', 'p', '--out', 'r', '--seed', '1']
        """
        theirs = ("loss", "encoder")
        return replace(self, **{
            one.name: one.default for one in options_of(type(self)).values()
            if one.company == LM or one.name in theirs
        })  # fmt: skip

    def words(self, pool: Sequence[str | Path], out: str | Path) -> list[str]:
        """Return the words of the command that makes this landscape, without the program's name.

        >>> BuildSettings(projection="pca").words(["my pool.jsonl"], "run")
        ['build', 'my pool.jsonl', '--out', 'run', '--projection', 'pca']
        """
        return ["build", *map(str, pool), "--out", str(out), *options.words(self)]

    def command(self, pool: Sequence[str | Path], out: str | Path) -> str:
        """Return the command line that makes this landscape again.

        >>> BuildSettings(projection="pca").command(["my pool.jsonl"], "run")
        "ila build 'my pool.jsonl' --out run --projection pca"
        """
        return options.command(*self.words(pool, out))


@dataclass(frozen=True)
class AddSettings(OnDevice, ReadSettings):
    """Every option of `ila add`; how the new records are read is as the pool was unless given."""

    embeddings: str | None = option(
        None,
        "vectors of the new records, for a landscape of vectors that were given: a .npy of shape "
        "(new records, d)",
        called="File of vectors", metavar="FILE", content=hash_file,
    )  # fmt: skip
    loss: str = option(
        "landscape",
        "who supplies the loss of the new records",
        metavar="WHO",
        choices={
            "landscape": "who supplied that of the others",
            "none": "nobody: they have no depth",
        },
    )
    skip_known: bool = option(
        False, "leave out what says the same as a record that is there; it is told in rejects.jsonl"
    )

    @classmethod
    def of(cls, pool: ReadSettings, **given: Any) -> AddSettings:
        """Return checked settings for records to be added to a pool that was read in this way.

        >>> AddSettings.of(BuildSettings(encoding="cp1252"), skip_known=True).encoding
        'cp1252'
        """
        read = {name: getattr(pool, name) for name in options_of(ReadSettings)}
        return options.make(cls, read | given)

    def words(self, run: str | Path, new: Sequence[str | Path], pool: ReadSettings) -> list[str]:
        """Return the words of the command that adds these again, without the program's name.

        >>> pool = BuildSettings(encoding="cp1252")
        >>> AddSettings.of(pool, map="response=b").words("run", ["new.jsonl"], pool)
        ['add', 'run', 'new.jsonl', '--map', 'response=b']
        """
        read = options_of(ReadSettings)
        said = []
        for one in options_of(type(self)).values():
            unsaid = getattr(pool, one.name) if one.name in read else one.default
            if (value := getattr(self, one.name)) != unsaid:
                said += one.written(value)
        return ["add", str(run), *map(str, new), *said]
