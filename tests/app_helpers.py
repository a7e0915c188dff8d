"""The page without a browser: opened by a link, read as a visitor reads it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.io.formats.style import Styler
from streamlit.testing.v1 import AppTest

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.measure.compare import Comparison
from ila_core.paths import APP

SECONDS = 60


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page started on the small landscape, with empty folders of its own."""
    monkeypatch.setenv("ILA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("ILA_APP_ROOTS", str(run.parent.parent))
    monkeypatch.setenv("ILA_APP_OPEN", str(run))


@cache
def scored_pool() -> Landscape:
    """Records of chance with everything that can be compared."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(900, 8))
    return Landscape.from_arrays(
        rng.normal(size=(900, 2)), relative_depth=rng.random(900), depth=rng.random(900),
        loss=rng.random(900), tokens=rng.integers(1, 90, 900), domain=rng.integers(0, 4, 900),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )  # fmt: skip


@cache
def compared_pool() -> Comparison:
    """The fast methods on it."""
    return ila.compare(scored_pool(), budget=90)


def opened(**query: str) -> AppTest:
    """Open the page by a link."""
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=SECONDS)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def texts(page: AppTest) -> str:
    """Everything a visitor reads, joined."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info")
    words = [str(part.value) for kind in kinds for part in page.get(kind)]
    words += [f"{part.label} {part.value}" for part in page.metric]
    return "\n".join([*words, *(str(part.value) for part in page.code)])


def button(page: AppTest, label: str) -> Any:
    return next(part for part in page.button if part.label == label)


def fine(page: AppTest) -> AppTest:
    assert not page.exception, page.exception[0].message
    return page


EVERYWHERE = "-999,-999,999,999"
"""A region that holds the whole map, as a link has it."""


def map_of(page: AppTest) -> dict[str, Any]:
    """What the map was given to draw."""
    (drawn,) = (told for told in components(page) if "lines" not in told)
    return drawn


def list_of(page: AppTest) -> dict[str, Any]:
    """What the list of records was given to draw."""
    (drawn,) = (told for told in components(page) if "lines" in told)
    return drawn


def components(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(part.proto.json) for part in page.get("bidi_component")]


def data_screen(pool: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("ILA_APP_OPEN", str(pool))
    monkeypatch.setenv("ILA_APP_ROOTS", str(pool.parent))
    return opened()


def read_table(styled: Styler) -> pd.DataFrame:
    """The texts of a table as they are shown, by method."""
    lines = styled.hide(axis="index").to_string(delimiter="|").strip().splitlines()
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return pd.DataFrame(rows, columns=head).set_index("Method")
