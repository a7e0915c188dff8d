"""Every option of a build, written once: one dataclass a stage, all of them together flat.

The command line, the page's widgets, the checks, the estimate, the manifest and the line that makes
a landscape again are derived from these fields; so an option is added here, and read where its
stage is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ila_core import options
from ila_core.errors import UsageError
from ila_core.lm.settings import DTYPES, MAX_TOKENS, DType
from ila_core.options import MAX_SEED, option

if TYPE_CHECKING:
    from ila_core.skills.settings import EndpointSettings

P = TypeVar("P")
SHIPPED_ENCODERS = ("multilingual", "static", "lexical")
"""They need neither a download nor a device."""
LM = ("loss", ("lm",))
SERVER = ("labels", ("endpoint",))


@dataclass(frozen=True)
class Seeded:
    seed: int = option(
        0, "seed of everything that chance enters", metavar="N", least=0, most=MAX_SEED
    )


@dataclass(frozen=True)
class OnDevice:
    device: str = option("auto", "auto, cpu, cuda, cuda:1 (several by commas) or mps",
                         metavar="NAME")  # fmt: skip


@dataclass(frozen=True)
class ReadSettings:
    """How the files of a pool are read."""

    map: str = option(
        "",
        "fields by role: instruction=FIELD,response=FIELD (also input, system, history, labels, "
        "source)",
        metavar="ROLES",
    )
    partial: bool = option(False, "take the records of a file that is cut off")


@dataclass(frozen=True)
class EncodeSettings(OnDevice, Seeded):
    """How instructions become vectors."""

    encoder: str = option(
        "static",
        "what turns instructions into vectors",
        metavar="NAME",
        choices={
            "multilingual": "shipped, by meaning in nearly any language, fast on any machine",
            "static": "shipped, English alone, faster still",
            "lexical": "by wording, learned from the pool: better where wording is the label, as "
            "in pools made from templates",
            "minilm": "all-MiniLM-L6-v2, finer and about 100 times slower; needs the extra package",
        },
        patterns=("ID_OR_PATH",),
    )
    embeddings: str | None = option(
        None,
        "vectors that exist: a .npy of shape (records, d)",
        metavar="FILE",
        company=("encoder", ("static",)),
    )

    @property
    def own_encoder(self) -> str | None:
        """The encoder of one's own that runs on a device; None where a shipped one encodes."""
        return None if self.encoder in SHIPPED_ENCODERS else self.encoder


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
        patterns=("columns:X,Y",),
    )

    @property
    def places(self) -> tuple[str, str] | None:
        """The two columns that hold every record's place; None where it is computed."""
        kind, _, names = self.projection.partition(":")
        if kind != "columns":
            return None
        given = [name.strip() for name in names.split(",")]
        if len(given) != 2 or not all(given):
            raise UsageError(
                f"--projection is {self.projection!r}; name two columns, as in columns:x,y."
            )
        return given[0], given[1]


@dataclass(frozen=True)
class LossSettings(OnDevice, Seeded):
    """Who supplies the loss of every response."""

    loss: str = option(
        "ngram",
        "who supplies the loss",
        metavar="WHO",
        choices={
            "ngram": "an n-gram model of the pool itself; no download, no GPU, seconds",
            "lm": "a causal language model, at best the one to be trained; minutes on a GPU, "
            "without one hours for a large model",
            "none": "no depth: the selection is by coverage alone",
        },
        patterns=("column:NAME",),
    )
    lm: str = option(
        "smollm2",
        "the language model of --loss lm: a hub id, a folder or a GGUF file; smollm2 unless given",
        metavar="ID_OR_PATH",
        company=LM,
    )
    tuned_lm: str | None = option(
        None, "the same model tuned on a part of the pool", metavar="ID_OR_PATH", company=LM
    )
    tokenizer: str | None = option(
        None,
        "counts response tokens where no model does",
        metavar="ID_OR_PATH",
        company=("loss", ("none", "column:NAME")),
    )
    sample: int | None = option(
        None,
        "score so many records, drawn at random; the others have no depth",
        metavar="N",
        least=1,
        most=2**31 - 1,
        company=LM,
    )
    max_length: int = option(
        4096,
        "tokens a model reads of one record",
        metavar="N",
        least=8,
        most=MAX_TOKENS,
        company=LM,
    )
    dtype: DType = option(
        "auto", "number format of a language model", metavar="NAME", choices=DTYPES, company=LM
    )
    unconditional: bool = option(False, "also the loss without the instruction", company=LM)

    @property
    def loss_column(self) -> str | None:
        """The column that holds the loss; None where it is computed."""
        return _column(self.loss)

    @property
    def model(self) -> str | None:
        """The language model that scores; None where none does."""
        return self.lm if self.loss == "lm" else None

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
            "taxonomy": "likeness to a shipped list of skills",
            "endpoint": "an OpenAI-compatible server of yours: one request a record",
            "none": "every record counts one skill",
        },
        patterns=("column:NAME",),
    )
    labels_url: str | None = option(
        None, "address of the labels server", metavar="URL", company=SERVER, needed=True
    )
    labels_model: str | None = option(
        None, "the model that it is asked for", metavar="NAME", company=SERVER, needed=True
    )

    @property
    def labels_column(self) -> str | None:
        """The column that holds the labels; None where they come from elsewhere."""
        return _column(self.labels)

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
        patterns=("column:NAME",),
    )

    @property
    def domain_column(self) -> str | None:
        """The column that names the domains; None where they come from elsewhere."""
        return _column(self.domains)


@dataclass(frozen=True)
class DepthSettings:
    """A depth that the pool comes with."""

    depth_column: str | None = option(
        None, "a field that holds a depth of your own, a kind beside those of the losses",
        metavar="NAME",
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
        _ = self.columns, self.server

    def part(self, wanted: type[P]) -> P:
        """Return the settings of one stage.

        >>> BuildSettings.of(labels="none").part(LabelSettings)
        LabelSettings(labels='none', labels_url=None, labels_model=None)
        """
        return options.part(self, wanted)

    @property
    def columns(self) -> dict[str, str]:
        """The option that names each column of the pool, by the column's name."""
        named = {
            "--loss": self.loss_column,
            "--depth-column": self.depth_column,
            "--labels": self.labels_column,
            "--domains": self.domain_column,
        }
        columns = {column: flag for flag, column in named.items() if column}
        return columns | dict.fromkeys(self.places or (), "--projection")

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


def _column(choice: str) -> str | None:
    kind, colon, name = choice.partition(":")
    return name.strip() if colon and kind == "column" else None
