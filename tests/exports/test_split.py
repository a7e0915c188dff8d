"""A selection in two: every record on one side, in proportion, and nothing alike on both."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import small_pool, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

import ila_core as ila
from ila_core.errors import UsageError
from ila_core.exports.split import near_groups, split
from ila_core.exports.write import export
from ila_core.pipeline.build import build

SQUARE = [[x, y] for x in range(20) for y in range(20)]


def square(budget: int = 400) -> ila.Selection:
    """Records on a square of 20 by 20, of four domains: one in ten is of the last."""
    domain = [3 if row % 10 == 0 else row % 3 for row in range(400)]
    pool = ila.Landscape.from_arrays(SQUARE, depth=np.arange(400) % 7, domain=domain)
    return ila.select(pool, budget=budget)


def test_every_domain_and_every_region_has_its_share() -> None:
    selection = square()
    parts = split(selection, "10%")
    landscape, held = selection.landscape, parts.validation.rows
    assert len(held) == 40 and len(parts.train) == 360
    for domain, count in Counter(landscape.domain.tolist()).items():
        assert abs((landscape.domain[held] == domain).sum() - count / 10) <= 1
    quarters = Counter((int(x >= 10), int(y >= 10)) for x, y in landscape.xy[held].tolist())
    assert len(quarters) == 4 and all(7 <= count <= 13 for count in quarters.values())


@settings(max_examples=50)
@given(st.integers(2, 400), st.integers(1, 99))
def test_the_parts_are_the_selection_in_its_order(budget: int, percent: int) -> None:
    selection = square(budget)
    size = round(percent * budget / 100)
    if not 0 < size < budget:
        with pytest.raises(UsageError, match="leaves one part empty"):
            split(selection, f"{percent}%")
        return
    parts = split(selection, f"{percent}%")
    one, two = parts.train.rows.tolist(), parts.validation.rows.tolist()
    assert len(two) == size and not set(one) & set(two)
    order = selection.rows.tolist()
    assert sorted(one + two, key=order.index) == order
    assert one == sorted(one, key=order.index) and two == sorted(two, key=order.index)
    again = split(selection, f"{percent}%").validation
    assert again.rows.tolist() == two
    assert (again.round == selection.round[np.isin(selection.rows, two)]).all()


@settings(max_examples=50)
@given(st.lists(st.integers(0, 12), min_size=20, max_size=60), st.integers(1, 10))
def test_groups_stay_together(numbers: list[int], size: int) -> None:
    selection = square(len(numbers))
    group = np.array(numbers)
    try:
        parts = split(selection, str(size), group=group)
    except UsageError as error:
        assert "stay together" in str(error)
        return
    held = np.isin(selection.rows, parts.validation.rows)
    assert not set(group[held].tolist()) & set(group[~held].tolist())


@pytest.mark.parametrize("share", ["0%", "100%", "400", "500", "10k-tokens", "much", "0.1%"])
def test_shares_that_cannot_be_meant(share: str) -> None:
    with pytest.raises(UsageError):
        split(square(), share)


def test_one_record_cannot_be_split() -> None:
    with pytest.raises(UsageError, match="of 1 records that is 1"):
        split(square(1), "1")


# -- as files -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> ila.Landscape:
    """A pool in which every record stands three times."""
    folder = tmp_path_factory.mktemp("repeated")
    pool = write_jsonl(folder / "pool.jsonl", small_pool(40) * 3)
    return build(pool, out=folder / "run", projection="pca")


def test_what_is_equal_stands_in_one_file(repeated: ila.Landscape, tmp_path: Path) -> None:
    selection = ila.select(repeated, budget="100%")
    path = export(selection, tmp_path / "best.jsonl", validation="10%")
    train, held = (
        set(place.read_text().splitlines()) for place in (path, tmp_path / "best.validation.jsonl")
    )
    assert len(train) + len(held) == 40 and not train & held
    assert len(set(near_groups(selection).tolist())) == 40
    for name, part in (("best.jsonl", train), ("best.validation.jsonl", held)):
        about = json.loads((tmp_path / f"{name}.manifest.json").read_text())
        assert about["validation"] == "10%" and about["records"] == 3 * len(part)
        assert "--validation 10%" in about["command"]


def test_both_files_are_told_to_the_trainers(repeated: ila.Landscape, tmp_path: Path) -> None:
    selection = ila.select(repeated, budget=60)
    export(selection, tmp_path / "a.jsonl", "axolotl", validation="20%", dataset_info=True)
    snippet = (tmp_path / "a.axolotl.yaml").read_text()
    assert 'test_datasets:\n  - path: "a.validation.jsonl"' in snippet
    register = json.loads((tmp_path / "dataset_info.json").read_text())
    assert {name: entry["file_name"] for name, entry in register.items()} == {
        "a": "a.jsonl", "a.validation": "a.validation.jsonl",
    }  # fmt: skip


def test_a_split_of_the_whole_pools_file_is_refused(repeated: ila.Landscape, tmp_path: Path):
    selection = ila.select(repeated, budget=60)
    with pytest.raises(UsageError, match="holds the whole pool"):
        export(selection, tmp_path / "p.parquet", "pool-parquet", validation="5%")
    assert not list(tmp_path.iterdir())
