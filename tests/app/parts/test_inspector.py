"""Which records the inspector lists, in which order, and what it hands over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ila_core as ila
import session
from ila_core.landscape.facets import facet
from ila_core.landscape.landscape import Landscape
from ila_core.landscape.region import Box
from ila_core.paths import ROOT
from parts import record_list as lists
from parts.inspector import originals
from parts.listing import Listing, in_order, listing
from parts.record_list import HERE, Line
from parts.scope import scope
from view import View

NAN = float("nan")


@given(
    depth=st.lists(st.sampled_from([0.1, 0.5, 0.9, NAN]), min_size=1, max_size=20),
    data=st.data(),
)
def test_chosen_ones_come_first_in_pick_order_then_the_deepest(depth, data) -> None:
    n = len(depth)
    pool = Landscape.from_arrays(np.zeros((n, 2)), depth=depth, relative_depth=depth)
    chosen = ila.select(pool, budget=data.draw(st.integers(1, n)), method="random")
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), unique=True)), dtype=np.int64)
    picks = [row for row in chosen.rows.tolist() if row in rows]
    rest = sorted(set(rows.tolist()) - set(picks), key=lambda r: (-np.nan_to_num(depth[r], nan=-1),
                                                                  r))  # fmt: skip
    assert in_order(chosen, rows).tolist() == picks + rest


def test_a_list_of_all_is_put_in_order_when_somebody_goes_behind_the_chosen_ones() -> None:
    pool = Landscape.from_arrays(np.zeros((9, 2)), depth=np.arange(9.0))
    chosen = ila.select(pool, budget=3, method="random")
    listed = listing(chosen, scope(View(), chosen))
    rows = [listed.row(at) for at in range(3)]
    assert rows == chosen.rows.tolist() and "rows" not in vars(listed)
    rest = [row for row in range(8, -1, -1) if row not in rows]
    assert listed.part(2, 4).tolist() == [rows[2], *rest[:3]]
    assert listed.rows.tolist() == rows + rest and len(listed) == 9


def test_a_list_by_a_number_holds_what_is_looked_at_in_its_order() -> None:
    pool = Landscape.from_arrays(np.arange(10.0).reshape(5, 2), loss=[2.0, NAN, 3.0, 2.0, 1.0])
    chosen = ila.select(pool, budget=2, method="random")
    loss = facet(pool, "loss")
    assert loss.falling.tolist() == [2, 0, 3, 4, 1] and loss.rising.tolist() == [4, 0, 3, 2, 1]
    whole = listing(chosen, scope(View(), chosen), loss.falling)
    assert whole.rows.tolist() == [2, 0, 3, 4, 1]
    part = listing(chosen, scope(View(region=Box(0, 0, 6.5, 9)), chosen), loss.rising)
    assert part.rows.tolist() == [0, 3, 2, 1]


def test_a_record_is_found_where_it_stands() -> None:
    listed = Listing(np.array([4, 2]), 3, lambda: np.array([4, 2, 9]))
    assert [listed.place_of(row) for row in (2, 9, 5, None)] == [1, 2, 0, 0]


def test_what_is_downloaded_is_the_original_line_byte_for_byte(run: Path, pool: Path) -> None:
    lines = pool.read_bytes().splitlines(keepends=True)
    rows = np.array([17, 3, 59])
    assert originals(ila.open(run), rows) == b"".join(lines[row] for row in rows)


def test_a_list_is_sent_something_new_for_every_line_that_was_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, Any]] = []
    opened: list[int] = []
    clicked: dict[str, int] = {}
    noted: dict[str, int] = {}
    monkeypatch.setattr(lists, "_component", lambda **given: sent.append(given))
    monkeypatch.setattr(session, "event_of", lambda key: clicked)
    monkeypatch.setattr(session, "recall", noted.get)
    monkeypatch.setattr(session, "remember", noted.__setitem__)
    lines = [Line(row, "", True, None, "") for row in (4, 7)]
    for row in (7, 9):  # the other one is no line of this list
        clicked["open"] = row
        lists.record_list(lines, 4, label="", key="list", look_at=opened.append)
        sent[-1]["on_open_change"]()
    lists.record_list(lines, 4, label="", key="list", look_at=opened.append)
    assert opened == [7]
    data = [json.dumps(given["data"]) for given in sent]
    assert len(set(data)) == 3 and all('"open": 4' in one for one in data)


def test_the_list_sets_text_as_text() -> None:
    source = (HERE / "record_list.js").read_text("utf-8")
    assert "textContent" in source
    assert not any(door in source for door in ("innerHTML", "insertAdjacentHTML", "outerHTML"))
    assert HERE.is_relative_to(ROOT)
