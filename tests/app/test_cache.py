"""What is kept between runs: by what it is keyed, and what is known of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from app_helpers import scored_pool

import cache
from ila_core.landscape.landscape import Landscape
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
