"""What is kept between runs: by what it is keyed, and what is known of it."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from app_helpers import scored_pool

import cache
import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.paths import APP
from ila_core.selection.spec import Spec


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return scored_pool()


def test_the_same_request_is_answered_once(landscape: Landscape) -> None:
    one = cache.selection(landscape, Spec(budget="7"))
    assert cache.selection(landscape, Spec(budget="7")) is one
    assert cache.selection(landscape, Spec(budget="8")) is not one
    assert cache.numbers(one) is cache.numbers(one)
    excluded = cache.selection(landscape, Spec(budget="7", excluded=(int(one.rows[0]),)))
    assert cache.numbers(excluded) is not cache.numbers(one)


def test_landscapes_are_told_apart_by_what_they_hold(landscape: Landscape) -> None:
    other = landscape.moved(landscape.xy[:, ::-1])
    first, second = (cache.selection(one, Spec(budget="7")) for one in (landscape, other))
    assert first.landscape is landscape and second.landscape is other


def test_a_method_is_known_when_it_has_been_measured_and_forgotten_when_it_is_thrown_out(
    landscape: Landscape,
) -> None:
    asked = [Spec("longest", budget="5", seed=seed) for seed in range(130)]
    assert cache.known(cache.measured, landscape, asked[0]) is None
    row = cache.measured(landscape, asked[0])
    assert cache.known(cache.measured, landscape, asked[0]) is row
    for one in asked[1:]:  # more than it keeps
        cache.measured(landscape, one)
    assert cache.known(cache.measured, landscape, asked[0]) is None
    assert cache.known(cache.measured, landscape, asked[-1]) is not None


def test_what_costs_more_is_known_on_its_own(landscape: Landscape) -> None:
    asked = Spec("longest", budget="6")
    cache.measured(landscape, asked)
    assert cache.known(cache.novelty, landscape, asked) is None
    assert "novelsum" in cache.novelty(landscape, asked)
    assert cache.known(cache.novelty, landscape, asked) is not None


def test_a_file_that_has_changed_is_read_anew(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for part in run.iterdir():
        if part.is_file():
            (folder / part.name).write_bytes(part.read_bytes())
    one = cache.landscape(folder)
    assert cache.landscape(folder) is one
    manifest = folder / "manifest.json"
    later = manifest.stat().st_mtime_ns + 1_000_000_000
    os.utime(manifest, ns=(later, later))
    assert cache.landscape(folder) is not one


def test_beginnings_are_those_of_the_records_and_what_lies_together_is_read_once(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landscape = ila.open(run)
    landscape = replace(landscape, run=None, given_records=landscape.records, fingerprint="blocks")
    texts = [text[: cache.BEGINNING] for text in landscape.records.instructions()]
    asked: list[int] = []
    read = type(landscape.records).beginnings
    monkeypatch.setattr(type(landscape.records), "beginnings",
                        lambda *given: asked.append(given[1]) or read(*given))  # fmt: skip
    for rows in ([59, 3, 15, 16, 58], [4, 57], [17]):
        assert cache.beginnings(landscape, np.array(rows)) == [texts[row] for row in rows]
    assert asked == [0]
    assert cache.beginnings(scored_pool(), np.array([0, 7])) == ["", ""]


def test_no_run_of_the_page_waits_for_the_garbage_of_the_last() -> None:
    """Streamlit would walk every object of the process after each run: 0.1 s and more."""
    told = tomllib.loads((APP / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert told["runner"]["postScriptGC"] is False
