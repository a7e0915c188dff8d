"""Sentences of the engine as this page says them: options by the name of their widget."""

from __future__ import annotations

import re

from ila_core.options import options_of
from ila_core.pipeline.settings import BuildSettings
from ila_core.pool.settings import ReadSettings
from ila_core.selection.spec import Spec
from ila_core.studies.settings import StudySettings

OWNERS = ("unpack_ratio", "rejects")
"""Options of the command line alone: what memory and disk allow is for whoever runs the machine."""
OPTIONS = {
    option.flag: option
    for settings in (StudySettings, Spec, BuildSettings, ReadSettings)
    for option in options_of(settings).values()
    if option.name not in OWNERS
}
"""Every option of the command line that this page has a widget for."""
_MAP = re.compile(r"--map ([\w.]+)=FIELD(?:,([\w.]+)=FIELD)?")
_FLAG = re.compile(r"(--[a-z][a-z-]*[a-z])(?: (FILE\S*|[A-Z_]{2,}(?![a-z])|[\w-]+))?")
_NEXT = re.compile(r"(”|” set to [\w-]+) “")


def on_page(text: str) -> str:
    """Return a sentence that names options of the command line with their widgets' names.

    >>> on_page("a guess that --encoding overrules"), on_page("name it with --map input=FIELD")
    ('a guess that “Encoding” overrules', 'name it with “Input” under Fields')
    >>> on_page("build it with --student lm --lm ID_OR_PATH")
    'build it with “Student” set to lm and “Model: id, folder or GGUF file”'
    >>> on_page("start the page with ila app --root FOLDER")
    'start the page with ila app --root FOLDER'
    """
    text = _MAP.sub(_fields, text).replace("use --loss none", "say that it has instructions only")
    return _NEXT.sub(r"\1 and “", _FLAG.sub(_widget, text))


def _fields(found: re.Match[str]) -> str:
    names = [f"“{name.capitalize()}”" for name in found.groups() if name]
    return f"{' and '.join(names)} under Fields"


def _widget(found: re.Match[str]) -> str:
    """Return the widget of a flag, and what it is set to; a word for any value falls away."""
    flag, word = found.groups()
    if flag not in OPTIONS:
        return found[0]
    option = OPTIONS[flag]
    if word in option.choices:
        return f"“{option.title}” set to {word}"
    return f"“{option.title}”" + (f" {word}" if word and not word.isupper() else "")
