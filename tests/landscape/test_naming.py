"""Regions are named by their texts, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.landscape.naming import named_regions

KINDS = ("knit a scarf of {0} wool", "solve the equation x + {0} = 3")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landscape of two kinds far apart, cut into domains that say nothing of them."""
    folder = tmp_path_factory.mktemp("named")
    records = [
        {"instruction": KINDS[k % 2].format(k), "output": "Done.", "x": 9.0 * (k % 2) + k / 100,
         "y": 0.0, "domain": f"d{k % 2}"}
        for k in range(60)
    ]  # fmt: skip
    ila.build(
        write_jsonl(folder / "pool.jsonl", records), out=folder / "run",
        projection="columns:x,y", domains="column:domain", loss="none",
    )  # fmt: skip
    return folder / "run"


def test_a_region_has_the_words_that_tell_it_from_the_others(built: Path) -> None:
    found = named_regions(ila.open(built))
    words = [set(region.words) for region in found.at(0)]
    assert len(words) == 2
    assert any("knit" in one and "scarf" in one for one in words)
    assert any("solve" in one and "equation" in one for one in words)


def test_names_are_kept_beside_the_landscape_and_damaged_ones_made_anew(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(built, run)
    first = named_regions(ila.open(run)).regions
    (file,) = (run / BESIDE).glob("regions-*")
    written = file.read_text()
    file.write_text(written.replace("knit", "weave"))
    assert any("weave" in region.words for region in named_regions(ila.open(run)).regions)
    for damage in ("[[1]]", "[[", written[: len(written) // 2], "[]"):
        file.write_text(damage)
        assert named_regions(ila.open(run)).regions == first
        assert file.read_text() == written


def test_without_texts_a_region_is_called_as_its_largest_domain() -> None:
    pool = ila.Landscape.from_arrays(
        [[0, 0]] * 30, domain=[0] * 10 + [1] * 20, domain_names=["few", "many · more"]
    )
    assert named_regions(pool).at(0)[0].words == ("many", "more")
