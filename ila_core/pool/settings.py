"""How a pool is read: the options of it, for the build, its estimate and the preview alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from ila_core.options import option
from ila_core.pool.fields import PARTS, check_mapping, parse_map

S = TypeVar("S", bound="ReadSettings")


def _mapping(text: str) -> tuple[tuple[str, str], ...]:
    return check_mapping(parse_map(text))


@dataclass(frozen=True)
class _Roles:
    map: str = option(
        "",
        f"fields by role: {PARTS[0]}=FIELD,{PARTS[1]}=FIELD, also {', '.join(PARTS[2:])}; of "
        "several files in those that have them",
        metavar="ROLES", content=_mapping,
    )  # fmt: skip


@dataclass(frozen=True)
class FileSettings:
    """How files become the original records, whose fingerprint tells all that these options do."""

    partial: bool = option(
        False,
        "take the records of a file that is cut off, and leave out files without any",
        called="Take what can be read",
    )
    encoding: str = option(
        "",
        "how the text is encoded, found out unless it is given: gb18030, shift_jis, cp1252 and "
        "all that Python knows",
        metavar="NAME",
    )
    split: str = option(
        "",
        "which part of a folder, a JSON file or a workbook with several; the training part or the "
        "first sheet unless given",
        metavar="NAME",
    )
    unpack_ratio: int = option(
        200,
        "times its size that a packed file may unpack to, beyond 16 MB",
        metavar="N", least=1, most=10**9, alters=False,
    )  # fmt: skip
    rejects: int = option(
        10_000, "rejects of each reason that are kept; all are counted",
        metavar="N", least=0, most=10**9,
    )  # fmt: skip
    header: str = option(
        "",
        "names for the columns of tables whose first line is a record: instruction,response",
        called="Names of the columns",
        metavar="NAMES",
    )


@dataclass(frozen=True)
class ReadSettings(FileSettings, _Roles):
    """How the files of a pool are read; an option of how records become texts belongs here."""

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """The (part, field) pairs of the map; UsageError for one that cannot be meant.

        >>> ReadSettings("instruction=prompt").mapping
        (('instruction', 'prompt'),)
        """
        return _mapping(self.map)

    @property
    def header_names(self) -> tuple[str, ...]:
        """The names of the columns; none where the tables tell them.

        >>> ReadSettings(header="question, answer").header_names
        ('question', 'answer')
        """
        names = self.header.split(",")
        return tuple(name.strip() for name in names) if names != [""] else ()

    def with_field(self: S, part: str, field: str | None) -> S:
        """Return the same with a field for a part; None leaves the part to what is detected.

        >>> ReadSettings("response=answer").with_field("instruction", "prompt").map
        'instruction=prompt,response=answer'
        """
        fields = {**dict(self.mapping), part: field}
        pairs = [f"{part}={field}" for part, field in sorted(fields.items()) if field]
        return replace(self, map=",".join(pairs))
