"""Every option of a build, written once: one dataclass a stage, all of them together flat.

The command line, the page's widgets, the checks, the estimate, the manifest and the line that makes
a landscape again are derived from these fields; so an option is added here, and read where its
stage is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ila_core import options
from ila_core.errors import UsageError
from ila_core.lm.settings import LM, LmSettings, Models, OnDevice
from ila_core.options import MAX_SEED, columns_in, option, options_of
from ila_core.pool.settings import ReadSettings

if TYPE_CHECKING:
    from ila_core.skills.settings import EndpointSettings

P = TypeVar("P")
SHIPPED_ENCODERS = ("multilingual", "static", "lexical")
"""They need neither a download nor a device."""
SERVER = ("labels", ("endpoint",))


@dataclass(frozen=True)
class Seeded:
    seed: int = option(
        0, "seed of everything that chance enters", metavar="N", least=0, most=MAX_SEED
    )


@dataclass(frozen=True)
class EncodeSettings(OnDevice, Seeded):
    """How instructions become vectors."""

    encoder: str = option(
        "static",
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
        patterns=("ID_OR_PATH",),
    )
    embeddings: str | None = option(
        None, "vectors that exist: a .npy of shape (records, d)",
        called="File of vectors", wanted="the file of vectors", metavar="FILE",
        company=("encoder", ("static",)), instead=("encoder", "vectors in a file"),
    )  # fmt: skip


@dataclass(frozen=True)
class ProjectionSettings(Seeded):
    """How vectors become places on the map."""

    projection: str = option(
        "umap",
        "what puts the vectors on a map",
        metavar="HOW",
        choices={
            "umap": "neighbourhoods kept; about a minute for 75,000 records",
            "tsne": "slower than UMAP; needs the extra package",
            "pca": "seconds at any size; regions overlap",
        },
        names={"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA", "columns:X,Y": "two columns"},
        patterns=("columns:X,Y",),
    )

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
class Scorer:
    loss: str = option(
        "ngram",
        "who supplies the loss",
        called="Depth: who supplies the loss",
        metavar="WHO",
        choices={
            "ngram": "an n-gram model of the pool itself; no download, no GPU, seconds",
            "lm": "a causal language model, at best the one to be trained; minutes on a GPU, "
            "without one hours for a large model",
            "none": "no depth: the selection is by coverage alone",
        },
        names={"ngram": "n-gram model", "lm": "a language model"},
        patterns=("column:NAME",),
    )


@dataclass(frozen=True)
class Extent:
    """What is counted where no model reads the responses, and how many of them one reads."""

    tokenizer: str | None = option(
        None, "counts response tokens where no model does",
        metavar="ID_OR_PATH", company=("loss", ("none", "column:NAME")),
    )  # fmt: skip
    sample: int | None = option(
        None, "score so many records, drawn at random; the others have no depth",
        called="Records to score, all unless given", metavar="N",
        least=1, most=2**31 - 1, company=LM,
    )  # fmt: skip


@dataclass(frozen=True)
class LossSettings(LmSettings, Extent, Models, Scorer, OnDevice, Seeded):
    """Who supplies the loss of every response; the options as they are written, from the last."""

    @property
    def models(self) -> tuple[str, ...]:
        """The language models that score; none where another supplies the loss."""
        return super().models if self.loss == "lm" else ()

    def scored(self, records: int) -> int:
        """Return how many of so many records a language model scores."""
        return min(records, self.sample or records)


@dataclass(frozen=True)
class LabelSettings:
    """Who supplies the skill labels of every record."""

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

        if self.labels != "endpoint" or not (self.labels_url and self.labels_model):
            return None
        return EndpointSettings(url=self.labels_url, model=self.labels_model)


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
class BuildSettings(
    DepthSettings,
    DomainSettings,
    LabelSettings,
    LossSettings,
    ProjectionSettings,
    EncodeSettings,
    ReadSettings,
):
    """Every option of `ila build`, under the same name; the defaults need no network."""

    engine: Literal["local"] = option(
        "local", "where it is computed", metavar="NAME", choices={"local": "on this machine"}
    )

    @classmethod
    def of(cls, **given: Any) -> BuildSettings:
        """Return checked settings; UsageError names an option or value that cannot be meant.

        >>> BuildSettings.of(projection="pca").projection
        'pca'
        >>> BuildSettings.of(projection="mds")
        Traceback (most recent call last):
        ila_core.errors.UsageError: Unknown projection 'mds'; choose umap, tsne, pca or columns:X,Y.
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
        return bool(self.models) or self.encoder not in SHIPPED_ENCODERS

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
