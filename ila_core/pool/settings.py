"""How a pool is read: the options of it, for the build, its estimate and the preview alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from ila_core.options import option
from ila_core.pool.fields import check_mapping, parse_map

S = TypeVar("S", bound="ReadSettings")


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

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """The (part, field) pairs of the map; UsageError for one that cannot be meant.

        >>> ReadSettings("instruction=prompt").mapping
        (('instruction', 'prompt'),)
        """
        return check_mapping(parse_map(self.map))

    def with_field(self: S, part: str, field: str | None) -> S:
        """Return the same with a field for a part; None leaves the part to what is detected.

        >>> ReadSettings("response=answer").with_field("instruction", "prompt").map
        'instruction=prompt,response=answer'
        """
        fields = {**dict(self.mapping), part: field}
        pairs = [f"{part}={field}" for part, field in sorted(fields.items()) if field]
        return replace(self, map=",".join(pairs))
