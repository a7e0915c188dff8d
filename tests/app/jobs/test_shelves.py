"""Where drafts lie, and what becomes of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

import ila_core as ila
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.mine.mine import Mine, pool_of
from ila_core.mine.shelf import Shelf
from ila_core.paths import SAMPLE
from jobs.shelves import (
    KEPT_SECONDS,
    Draft,
    Step,
    is_token,
    new_token,
    read_draft,
    shelf_of,
    sweep,
    write_draft,
)

POOL = Landscape.from_arrays(np.zeros((5, 2)), fingerprint="pool")


def test_a_draft_is_read_back_with_what_stood_before(tmp_path: Path) -> None:
    shelf, token = Shelf(tmp_path), new_token()
    before = Mine().of(POOL)
    draft = Draft(before.pin([3, 1]), Step("pinned 2 records", before))
    write_draft(shelf, token, draft)
    assert read_draft(shelf, token, POOL) == draft
    write_draft(shelf, token, Draft(before))
    assert read_draft(shelf, token, POOL) == Draft(before)
    assert shelf.names() == []


def test_no_two_drafts_have_a_name_in_common_and_no_selection_has_a_drafts() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100 and all(map(is_token, tokens))
    assert not is_token("my best") and not is_token("~short")
    with pytest.raises(UsageError):
        Shelf(Path("x")).path(new_token())


@pytest.mark.parametrize("token", ["~../../../manifest-x", "best", "~" + "A" * 23, ""])
def test_a_token_can_lead_nowhere_else(tmp_path: Path, token: str) -> None:
    with pytest.raises(UsageError, match="is no draft"):
        read_draft(Shelf(tmp_path), token, POOL)


def test_one_that_is_gone_or_damaged_is_told(tmp_path: Path) -> None:
    shelf, token = Shelf(tmp_path), new_token()
    with pytest.raises(UsageError, match="no longer there"):
        read_draft(shelf, token, POOL)
    (tmp_path / f"{token}.json").write_text("{")
    with pytest.raises(IlaError, match="damaged"):
        read_draft(shelf, token, POOL)
    write_draft(shelf, token, Draft(Mine().of(POOL)))
    path = tmp_path / f"{token}.json"
    path.write_text(path.read_text()[:-1] + ', "before": 3}')
    with pytest.raises(IlaError, match="damaged"):
        read_draft(shelf, token, POOL)


def test_drafts_that_nobody_has_touched_for_long_go(tmp_path: Path) -> None:
    shelf, old, young = Shelf(tmp_path), new_token(), new_token()
    for token in (old, young):
        write_draft(shelf, token, Draft(Mine().of(POOL)))
    shelf.save(Mine("best").of(POOL))
    long_ago = time.time() - KEPT_SECONDS - 1
    for name in (old, "best"):
        os.utime(tmp_path / f"{name}.json", (long_ago, long_ago))
    sweep(shelf)
    assert {path.stem for path in tmp_path.iterdir()} == {young, "best"}


def test_they_lie_with_the_landscape_unless_it_is_the_programs_own_or_not_to_be_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILA_RUNS_DIR", str(tmp_path / "runs"))
    landscape = ila.open(run)
    assert shelf_of(landscape) == Shelf.of(run)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    elsewhere = tmp_path / "runs" / "selections" / pool_of(landscape)
    assert shelf_of(landscape) == Shelf(elsewhere)
    monkeypatch.undo()
    monkeypatch.setenv("ILA_RUNS_DIR", str(tmp_path / "runs"))
    sample = ila.open(SAMPLE / "landscape")
    assert shelf_of(sample).folder.is_relative_to(tmp_path / "runs")
