"""The options of a build as the Data screen offers them.

What an option may be, what its choices mean and which others it goes with is written where it is
made, in pipeline/settings.py; here stands only what people call it, and beside what it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from ila_core.errors import IlaError
from ila_core.options import Option, options_of
from ila_core.pipeline.settings import (
    SHIPPED_ENCODERS,
    BuildSettings,
    DepthSettings,
    DomainSettings,
    EncodeSettings,
    LabelSettings,
    LossSettings,
    OnDevice,
    ProjectionSettings,
    Seeded,
)
from ila_core.pool.reading import Preview
from ila_core.skills.settings import KEY_VARIABLE
from ila_core.skills.taxonomy import shipped_calibration
from parts.knob_of import Form
from parts.notices import trouble

OPTIONS = options_of(BuildSettings)

TITLES = {
    "loss": "Depth: who supplies the loss",
    "depth_column": "Depth of your own",
    "lm": "Model: id, folder or GGUF file",
    "tuned_lm": "Tuned model: id or folder",
    "sample": "Records to score, all unless given",
    "max_length": "Tokens of a record",
    "dtype": "Number format",
    "unconditional": "Also the loss without the instruction",
    "labels_url": "Server",
    "labels_model": "Model",
    "embeddings": "File of vectors",
}
"""What the page calls an option, where its name alone would not do."""
NEEDED = {
    "labels_url": "the server",
    "labels_model": "its model",
    "encoder": "a model for the encoder",
    "embeddings": "the file of vectors",
}
"""What is said to be still needed."""
CHOICES = {
    "encoder": {"multilingual": "shipped encoder for every language",
                "static": "shipped encoder for English", "lexical": "by wording",
                "minilm": "all-MiniLM-L6-v2", "ID_OR_PATH": "another model",
                "embeddings": "vectors in a file"},
    "projection": {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA", "columns:X,Y": "two columns"},
    "loss": {"ngram": "n-gram model", "lm": "a language model"},
    "labels": {"auto": "as the pool has them", "taxonomy": "named skills",
               "endpoint": "a server of yours"},
    "domains": {"auto": "automatic", "labels": "by labels"},
}  # fmt: skip
"""What the page calls a choice, where its word alone would not do."""
FORMS = {
    "column:NAME": "a field of your records that holds it already",
    "columns:X,Y": "two fields of your records that hold the place",
    "ID_OR_PATH": "an id or folder; an id is downloaded",
}
"""What the forms that an option may take beside its choices mean."""
INSTEAD = {"encoder": "embeddings"}
"""An option that is offered as one more choice of another."""
FIELDS = ("depth_column",)
"""Options that name a field of the records, or none."""
LEFT = (EncodeSettings, ProjectionSettings, LabelSettings, DomainSettings)
RIGHT = (LossSettings, DepthSettings)
FIRST = ("loss", "lm", "tuned_lm", "sample")
"""What stands above the other options of its column."""
OF_MODELS = {option.name for option in OPTIONS.values() if option.company == ("loss", ("lm",))}
OF_MODELS |= {"loss", "encoder"}
"""Options that decide how long models of one's own take."""


def choose(preview: Preview, read: Mapping[str, Any], *, bare: bool) -> BuildSettings | None:
    """Offer the stages' options; the defaults need no network. None while one is incomplete.

    `read` is how the pool is read; `bare` says that the pool has instructions only.
    """
    form = Form(preview.fields, {"loss": "none"} if bare else {})
    with st.expander("Options: the defaults need no network", icon=":material/tune:"):
        left, right = st.columns(2, gap="large")
        try:
            with left:
                draw(form, options_in(LEFT, without=(OnDevice, Seeded)))
                draw(form, options_in((Seeded,)))
            with right:
                draw(form, options_in(RIGHT, without=(OnDevice, Seeded)))
                if runs_a_model(form.values):
                    draw(form, options_in((OnDevice,)))
            if not form.missing:
                return BuildSettings.of(**read, **form.values)
        except IlaError as error:
            trouble(error)
            return None
    st.info(f"Still needed: {', '.join(form.missing)}.", icon=":material/edit:")
    return None


def options_in(stages: Iterable[type], without: Iterable[type] = ()) -> list[Option]:
    """Return the options of some stages but for those of others, in order, none twice."""
    left_out = {name for stage in without for name in options_of(stage)}
    names = dict.fromkeys(name for stage in stages for name in options_of(stage))
    return [OPTIONS[name] for name in sorted(names, key=place) if name not in left_out]


def place(name: str) -> int:
    """Return where an option stands in its column."""
    return FIRST.index(name) if name in FIRST else len(FIRST)


def draw(form: Form, options: Iterable[Option]) -> None:
    """Draw a widget for every option that does something as things stand."""
    for option in options:
        if option.name in INSTEAD.values() or not is_used(option, form.values):
            continue
        title = TITLES.get(option.name, option.name.replace("_", " ").capitalize())
        if option.choices or option.patterns:
            choice(form, option, title)
        elif option.name in FIELDS:
            form.field(option, title)
        else:
            needed = NEEDED.get(option.name, title.lower()) if option.needed else ""
            form.plain(option, title, needed)


def is_used(option: Option, values: Mapping[str, Any]) -> bool:
    """Whether an option does anything beside the values chosen so far."""
    if option.company is None:
        return True
    other, wanted = option.company
    now = str(values.get(other, OPTIONS[other].default)).partition(":")[0]
    return now in {value.partition(":")[0] for value in wanted}


def choice(form: Form, option: Option, title: str) -> None:
    """Draw the choices of an option, each with a line under it on what it means and costs."""
    meanings = dict(option.choices)
    if option.name == "labels":
        meanings["taxonomy"] += f". {taxonomy_words()}"
    meanings |= {pattern: FORMS.get(pattern, pattern) for pattern in option.patterns}
    instead = INSTEAD.get(option.name)
    if instead:
        meanings[instead] = OPTIONS[instead].help
    if len(meanings) == 1:
        return
    word = form.choice(option, title, meanings, CHOICES.get(option.name, {}))
    if word == instead:
        form.plain(OPTIONS[instead], TITLES[instead], NEEDED[instead])
    elif word in option.patterns:
        form.pattern(option, word, NEEDED.get(option.name, title.lower()))
    elif word == "endpoint":
        st.caption(
            f"A key is read from {KEY_VARIABLE} where this page was started; it is written nowhere."
        )


def taxonomy_words() -> str:
    calibration = shipped_calibration()
    return (
        f"On labelled records {calibration['precision']:.0%} of them were right and "
        f"{calibration['recall']:.0%} were found: good for naming places, not for weighing depth"
    )


def runs_a_model(values: Mapping[str, Any]) -> bool:
    """Whether anything of a build would run on a device of one's choice."""
    encoder = values.get("encoder", OPTIONS["encoder"].default)
    return values.get("loss") == "lm" or encoder not in SHIPPED_ENCODERS


def without_models(settings: BuildSettings) -> BuildSettings | None:
    """Return the settings without models of one's own; None where there are none in them."""
    if not (settings.model or settings.own_encoder):
        return None
    kept = {name: getattr(settings, name) for name in OPTIONS if name not in OF_MODELS}
    return BuildSettings.of(**kept)
