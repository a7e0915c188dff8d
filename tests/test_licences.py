"""The licences of everything that an installation brings, and that none asks more than ours gives.

`python tests/test_licences.py` prints the table.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ila_core.paths import ROOT

SHIPPED = ("minilm", "smollm", "tsne", "tune")
"""The extras whose packages users install, beside what everybody does."""
FREE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|Zlib|HPND|CC0|0BSD"
    r"|BSL-1\.0|CMU|MulanPSL|Historical Permission|CNRI)",
    re.IGNORECASE,
)
"""Licences that let a work be used, changed and passed on, MPL's file by file."""


def licence_of(package: Distribution) -> str:
    """Return a package's licence as its metadata has it, in a line; "" where it tells none."""
    about = package.metadata
    if said := about.get("License-Expression"):
        return said
    classified = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or ()
                  if one.startswith("License ::") and not one.endswith("OSI Approved")]  # fmt: skip
    whole = about.get("License") or ""
    return ", ".join(classified) or whole.strip().split("\n")[0][:60]


def needed(requirements: Iterable[str], extras: Iterable[str] = ("",)) -> Iterator[Requirement]:
    """Yield what is needed on this machine, with some extras."""
    for text in requirements:
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": name}) for name in extras):
            yield one


def installed() -> dict[str, Distribution]:
    """Return everything that an installation brings, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (project["optional-dependencies"][extra] for extra in SHIPPED)
    own = chain(project["dependencies"], *extras)
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = list(needed(own))
    while todo:
        one = todo.pop()
        name, extras = canonicalize_name(one.name), frozenset({"", *one.extras})
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        todo += needed(found[name].requires or (), extras)
    return dict(sorted(found.items()))


def test_each_package_may_be_passed_on() -> None:
    told = {name: licence_of(package) for name, package in installed().items()}
    assert {"streamlit", "torch", "umap-learn", "starlette"} <= told.keys()
    assert {name: licence for name, licence in told.items() if not FREE.search(licence)} == {}


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "LGPLv3", "AGPL", "CC-BY-NC-4.0", "", "Other"])
def test_what_asks_more_is_none_of_them(licence: str) -> None:
    assert not FREE.search(licence)


if __name__ == "__main__":
    for name, package in installed().items():
        print(f"{name:<28} {package.version:<14} {licence_of(package)}")
