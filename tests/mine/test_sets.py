"""Selections as sets, from names, files of rows, and exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ila_core as ila
from ila_core.errors import RunError, UsageError
from ila_core.mine.mine import Mine
from ila_core.mine.sets import BY_NAME, OPERATIONS, difference, intersection, rows_of, union
from ila_core.mine.shelf import Shelf

picks = st.lists(st.integers(0, 12), unique=True, max_size=9).map(
    lambda rows: np.array(rows, dtype=np.int64)
)


@given(first=picks, second=picks)
def test_they_are_the_sets_of_that_name_in_pick_order(first, second) -> None:
    one, other = first.tolist(), second.tolist()
    assert union(first, second).tolist() == one + [row for row in other if row not in one]
    assert intersection(first, second).tolist() == [row for row in one if row in other]
    assert difference(first, second).tolist() == [row for row in one if row not in other]
    for name in OPERATIONS:
        found = BY_NAME[name](first, second)
        assert found.dtype == np.int64 and len(set(found.tolist())) == len(found)


def test_a_name_stands_for_its_pins_and_a_text_for_its_rows(run: Path, tmp_path: Path) -> None:
    landscape, shelf = ila.open(run), Shelf.of(tmp_path)
    shelf.save(Mine("a").pin([5, 2]).exclude([1]).of(landscape))
    assert rows_of(landscape, "a", shelf).tolist() == [5, 2]
    (tmp_path / "rows.txt").write_text("7\n3\n7\n")
    assert rows_of(landscape, str(tmp_path / "rows.txt"), shelf).tolist() == [7, 3]
    with pytest.raises(UsageError, match="no selection named 'b'"):
        rows_of(landscape, "b", shelf)
    with pytest.raises(UsageError, match="is no name of a selection"):
        rows_of(landscape, str(tmp_path / "nothing.jsonl"), shelf)


@pytest.mark.parametrize("format", ["jsonl", "scored", "parquet"])
def test_an_export_stands_for_what_it_holds(run: Path, tmp_path: Path, format: str) -> None:
    landscape = ila.open(run)
    chosen = ila.select(landscape, budget=9, method="nested", pin=[11], exclude=[3],
                        quotas="tokens:5..=2..")  # fmt: skip
    path = tmp_path / f"s.{'parquet' if format == 'parquet' else 'jsonl'}"
    ila.export(chosen, path, format=format, mine="best")
    told = json.loads((tmp_path / f"{path.name}.manifest.json").read_text())
    assert told["mine"] == "best" and set(told["quotas_met"]) == {"tokens:5..=2.."}
    assert rows_of(landscape, str(path), Shelf.of(run)).tolist() == chosen.rows.tolist()


def test_an_export_that_is_another_now_is_refused(run: Path, tmp_path: Path) -> None:
    landscape, path = ila.open(run), tmp_path / "s.jsonl"
    ila.export(ila.select(landscape, budget=5), path)
    beside = tmp_path / "s.jsonl.manifest.json"
    told = json.loads(beside.read_text())
    beside.write_text(json.dumps({**told, "fingerprint": "another"}))
    with pytest.raises(RunError, match="selected from another landscape"):
        rows_of(landscape, str(path), Shelf.of(run))
    beside.write_text(json.dumps({**told, "budget": "lots"}))
    with pytest.raises(RunError, match="is damaged"):
        rows_of(landscape, str(path), Shelf.of(run))
    beside.write_text(json.dumps(told))
    with open(path, "ab") as stream:
        stream.write(b"{}\n")
    with pytest.raises(RunError, match="has changed since it was written"):
        rows_of(landscape, str(path), Shelf.of(run))


def test_one_part_of_a_split_stands_for_no_selection(run: Path, tmp_path: Path) -> None:
    landscape, path = ila.open(run), tmp_path / "s.jsonl"
    ila.export(ila.select(landscape, budget=10), path, validation="20%")
    for name in ("s.jsonl", "s.validation.jsonl"):
        with pytest.raises(UsageError, match="one part of a selection that was split"):
            rows_of(landscape, str(tmp_path / name), Shelf.of(run))
