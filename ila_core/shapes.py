"""Whether a JSON value has the shape that is read: what a file says of itself is not to be trusted.

A shape is a kind of value, or several; a list of one shape, for lists of such; or a dictionary of
shapes by name, where "*" stands for all other names and a name with "?" may be missing.
"""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)


def misfit(value: Any, shape: Any, at: str = "") -> str | None:
    """Return the place of the first part that has another shape; None where all fits.

    >>> shape = {"files": [{"name": str, "bytes?": int}], "counts": {"*": int}}
    >>> misfit({"files": [{"name": "a"}], "counts": {"kept": 3}}, shape)
    >>> misfit({"files": [{"name": "a"}, {"name": None}], "counts": {}}, shape)
    'files[1].name'
    >>> misfit({"files": []}, shape)
    'counts'
    """
    if isinstance(shape, dict):
        return _misfit_in(value, shape, at) if isinstance(value, dict) else at
    if isinstance(shape, list):
        if not isinstance(value, list):
            return at
        found = (misfit(one, shape[0], f"{at}[{place}]") for place, one in enumerate(value))
        return next((place for place in found if place is not None), None)
    kinds = shape if isinstance(shape, tuple) else (shape,)
    fits = isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)
    return None if fits else at


def _misfit_in(value: dict[str, Any], shape: dict[str, Any], at: str) -> str | None:
    before = f"{at}." if at else ""
    for name, one in shape.items():
        bare = name.removesuffix("?")
        if name == "*" or (bare != name and bare not in value):
            continue
        if bare not in value:
            return before + bare
        if (place := misfit(value[bare], one, before + bare)) is not None:
            return place
    if "*" in shape:
        for name in value.keys() - {name.removesuffix("?") for name in shape}:
            if (place := misfit(value[name], shape["*"], before + name)) is not None:
                return place
    return None
