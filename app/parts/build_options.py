"""The options of a build as the Data screen offers them.

What an option may be, what it is called and which others it goes with is written where it is made,
in pipeline/settings.py; here stands only where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from ila_core.errors import IlaError
from ila_core.lm.settings import OnDevice
from ila_core.options import Option, options_of
from ila_core.pipeline.settings import (
    BuildSettings,
    DepthSettings,
    DomainSettings,
    EncodeSettings,
    LabelSettings,
    LossSettings,
    PlaceSettings,
    Seeded,
)
from ila_core.pool.reading import Preview
from ila_core.pool.settings import ReadSettings
from ila_core.skills.settings import KEY_VARIABLE
from jobs import servers
from parts.knob_of import Form
from parts.notices import trouble
from parts.texts import plain

OPTIONS = options_of(BuildSettings)
DEFAULTS = {name: option.default for name, option in OPTIONS.items()}

FORMS = {
    "column:NAME": "a field of your records that holds it already",
    "columns:X,Y": "two fields of your records that hold the place",
    "ID_OR_PATH": "an id or folder; an id is downloaded",
}
"""What the forms that an option may take beside its choices mean."""
SERVER = "labels_url"
LEFT = (EncodeSettings, PlaceSettings, LabelSettings, DomainSettings)
RIGHT = (LossSettings, DepthSettings)


def choose(preview: Preview, how: ReadSettings, *, bare: bool) -> BuildSettings | None:
    """Offer the stages' options; the defaults need no network. None while one is incomplete.

    `how` is how the pool is read; `bare` says that the pool has instructions only.
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
                return BuildSettings.of(**asdict(how), **form.values)
        except IlaError as error:
            trouble(error)
            return None
    st.info(f"Still needed: {', '.join(form.missing)}.", icon=":material/edit:")
    return None


def options_in(stages: Iterable[type], without: Iterable[type] = ()) -> list[Option]:
    """Return the options of some stages but for those of others, in order, none twice."""
    left_out = {name for stage in without for name in options_of(stage)}
    names = dict.fromkeys(name for stage in stages for name in options_of(stage))
    return [OPTIONS[name] for name in names if name not in left_out]


def draw(form: Form, options: Iterable[Option]) -> None:
    """Draw a widget for every option that does something as things stand."""
    for option in options:
        if option.instead or not option.has_company(DEFAULTS | form.values):
            continue
        if option.name == SERVER:
            form.values[SERVER] = servers.labels_server()  # the page's own: a visitor names none
        elif option.choices or option.patterns:
            choice(form, option)
        elif option.is_column:
            form.field(option)
        else:
            form.plain(option, needed=option.needed)


def choice(form: Form, option: Option) -> None:
    """Draw the choices of an option, each with a line under it on what it means and costs."""
    meanings = dict(option.choices)
    meanings |= {pattern: FORMS.get(pattern, pattern) for pattern in option.patterns}
    if option.name == "labels" and not servers.labels_server():
        del meanings["endpoint"]
    names, others = dict(option.names), {}
    for other in OPTIONS.values():
        if other.instead and other.instead[0] == option.name:
            others[other.name], meanings[other.name] = other, other.help
            names[other.name] = other.instead[1]
    if len(meanings) == 1:
        return
    word = form.choice(option, meanings, names)
    if word in others:
        form.plain(others[word], needed=True)
    elif word in option.patterns:
        form.pattern(option, word)
    elif word == "endpoint":
        st.caption(
            f"Asked is {plain(servers.labels_server())}, which this page was started with. A key "
            f"is read from {KEY_VARIABLE} there; it goes to this server alone and is written "
            "nowhere."
        )


def runs_a_model(values: Mapping[str, Any]) -> bool:
    """Whether anything of a build would run on a device of one's choice."""
    known = options_in((EncodeSettings, LossSettings))
    chosen = {one.name: values[one.name] for one in known if one.name in values}
    return BuildSettings(**chosen).runs_models
