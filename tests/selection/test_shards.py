"""A selection on shards chooses what one from the whole landscape does, wherever these are cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spreading import Pickling

from ila_core.errors import UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.select import select_by
from ila_core.selection import shards as on_shards
from ila_core.selection.shards import Picks, select_on_shards
from ila_core.selection.spec import Spec


def pool_of(n: int, seed: int, *, places: int, depths: int, missing: float) -> Landscape:
    """Return n records on a few places and with a few depths, so that there are ties of both."""
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, places, (n, 2)).astype(np.float32) / 7
    depth = rng.integers(0, depths, n).astype(np.float32)
    depth[rng.random(n) < missing] = np.nan
    return Landscape.from_arrays(xy, depth=depth, domain=rng.integers(0, 2, n),
                                 domain_names=["a", "b"])  # fmt: skip


def check(pool: Landscape, cuts: list[int], spec: Spec) -> Picks:
    whole = select_by(pool, spec)
    ends = [0, *sorted(cuts), len(pool)]
    parts = select_on_shards(
        pool.xy, pool.relative_depth, list(pairwise(ends)), spec,
        spread=Pickling(),
    )  # fmt: skip
    np.testing.assert_array_equal(parts.rows, whole.rows)
    np.testing.assert_array_equal(parts.round, whole.round)
    np.testing.assert_array_equal(parts.patch, whole.patch)
    return parts


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_picks_are_those_of_the_whole(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 300), "n")
    pool = pool_of(
        n,
        data.draw(st.integers(0, 999), "seed"),
        places=data.draw(st.sampled_from([1, 3, 40, 5000]), "places"),
        depths=data.draw(st.sampled_from([1, 4, 1000]), "depths"),
        missing=data.draw(st.sampled_from([0, 0.3, 1]), "missing"),
    )
    cuts = data.draw(st.lists(st.integers(0, n), max_size=6), "cuts")
    patches: Any = data.draw(st.sampled_from(["even", "grid"]), "patches")
    most = min(n, 60) if patches == "even" else 60
    spec = Spec(
        budget=data.draw(st.one_of(st.integers(1, n).map(str), st.sampled_from(["7%", "60%"]))),
        patches=patches,
        resolution=data.draw(st.one_of(st.just("auto"), st.integers(1, most)), "resolution"),
        depth_target=data.draw(st.sampled_from([0, 0.5, 0.75, 1]), "target"),
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(on_shards, "FEWEST_SPARED", data.draw(st.sampled_from([2, 1000])))
        check(pool, cuts, spec)


@pytest.mark.parametrize(
    ("patches", "resolution", "share"), [("even", 4, 0.15), ("grid", 2, 0.15), ("even", 100, 0.8)]
)
def test_less_travels_than_the_columns_themselves(
    patches: Any, resolution: int, share: float
) -> None:
    n = 40_000
    pool = pool_of(n, 1, places=5000, depths=100_000, missing=0.01)
    spec = Spec(budget="200", patches=patches, resolution=resolution)
    picks = check(pool, [9000, 17_000, 31_000], spec)
    columns = pool.xy.nbytes + pool.relative_depth.nbytes
    assert picks.travelled < share * columns


def test_workers_open_the_files_themselves(tmp_path: Path) -> None:
    pool = pool_of(200, 2, places=50, depths=20, missing=0.1)
    np.save(tmp_path / "xy.npy", pool.xy)
    np.save(tmp_path / "depth.npy", pool.relative_depth)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("xy", "depth")]
    spec = Spec(budget="30")
    parts = select_on_shards(*mapped, [(0, 120), (120, 200)], spec, spread=Pickling())
    np.testing.assert_array_equal(parts.rows, select_by(pool, spec).rows)


@pytest.mark.parametrize(
    ("asked", "what"),
    [({"method": "nested"}, "the method nested"), ({"budget": "2k-tokens"}, "a budget of tokens"),
     ({"pinned": (1,)}, "pinned or excluded rows"), ({"excluded": (1,)}, "pinned or excluded rows"),
     ({"only": ("domain=a",)}, "rules")],
)  # fmt: skip
def test_what_it_does_not_do_is_refused(asked: dict[str, Any], what: str) -> None:
    pool = pool_of(20, 0, places=9, depths=9, missing=0)
    with pytest.raises(UsageError, match=f"and not {what}; select from the whole landscape"):
        select_on_shards(pool.xy, pool.relative_depth, [(0, 20)], Spec(**asked))


def test_more_even_patches_than_records_are_refused() -> None:
    pool = pool_of(20, 0, places=9, depths=9, missing=0)
    with pytest.raises(UsageError, match="21 even patches were asked for"):
        select_on_shards(pool.xy, pool.relative_depth, [(0, 20)], Spec(budget="3", resolution=21))
