"""Sizes told before a file is written, and names that no two formats share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.exports.commands import file_name
from ila_core.exports.sizes import SAMPLED, estimated_bytes
from ila_core.exports.write import FORMATS, Format, write_records
from ila_core.pool.ingest import ingest

WORDS = ["river", "stone", "bridge", "meadow", "autumn", "wheat", "barley", "mill", "water", "town"]


@pytest.fixture(scope="module")
def long_tailed(tmp_path_factory: pytest.TempPathFactory) -> ila.Landscape:
    """6,000 records, of which a few are a hundred times as long as most."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("sizes")
    lengths = np.minimum(10 * (1 + rng.pareto(1.5, size=(6000, 2))), 2000).astype(int)
    records = [
        {"instruction": f"{i} " + " ".join(rng.choice(WORDS, ask)),
         "output": '"quoted"\n' * (i % 3) + "水 " * (i % 5) + " ".join(rng.choice(WORDS, say))}
        for i, (ask, say) in enumerate(lengths.tolist())
    ]  # fmt: skip
    records = ingest(write_jsonl(folder / "pool.jsonl", records), out=folder / "run")
    vectors = rng.normal(size=(6000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return ila.Landscape.from_arrays(
        rng.normal(size=(6000, 2)), depth=rng.random(6000), tokens=lengths[:, 1],
        vectors=vectors, records=records,
    )  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("budget", [50, 4500])
def test_sizes_are_right_within_five_per_cent(
    long_tailed: ila.Landscape, tmp_path: Path, budget: int, format: Format
) -> None:
    selection = ila.select(long_tailed, budget=budget)
    write_records(selection, tmp_path / "file", format)
    size = (tmp_path / "file").stat().st_size
    told = estimated_bytes(selection, format)
    assert told == pytest.approx(size, rel=0.05)
    if format == "jsonl" or (budget <= SAMPLED and format != "pool-parquet"):
        assert told == size


def test_no_two_formats_share_a_name(long_tailed: ila.Landscape) -> None:
    selection = ila.select(long_tailed, budget=50)
    names = [file_name(selection, format) for format in FORMATS]
    assert len(set(names)) == len(FORMATS)
