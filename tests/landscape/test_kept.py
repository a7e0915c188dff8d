"""What takes seconds on a large landscape is made once, and trusted only where it is whole."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.landscape import beside, depth, kept, sorting
from ila_core.landscape.even import curve_order
from ila_core.landscape.landscape import Landscape

RECORDS = 90


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    chance = np.random.default_rng(0)
    records = [
        {"instruction": f"Say {k}.", "output": "Word " * (1 + k % 7), "domain": f"d{k % 3}",
         "deep": round(float(chance.random()), 2), "x": float(chance.random()),
         "y": float(chance.random())}
        for k in range(RECORDS)
    ]  # fmt: skip
    ila.build(
        write_jsonl(folder / "pool.jsonl", records), out=folder / "run", loss="none",
        projection="columns:x,y", domains="column:domain", depth_column="deep",
    )  # fmt: skip
    return folder / "run"


@pytest.fixture
def run(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the landscape, which is large enough for its arrays to be kept."""
    monkeypatch.setattr(kept, "LARGE", RECORDS)
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(built, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is worked out, in order."""
    found: list[str] = []

    def told(name: str, function):  # type: ignore[no-untyped-def]
        def call(*arguments, **named):  # type: ignore[no-untyped-def]
            found.append(name)
            return function(*arguments, **named)

        return call

    from ila_core.landscape import even, kinds

    monkeypatch.setattr(kinds, "ranks_of", told("ranks", depth.relative_depth))
    monkeypatch.setattr(even, "by_key", told("curve", sorting.by_key))
    yield found


@contextmanager
def nothing_kept() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "LARGE", RECORDS + 1)
        yield


def files(run: Path) -> dict[str, Path]:
    return {path.name.partition("-")[0]: path for path in (run / BESIDE).iterdir()}


def looked(run: Path) -> list[list[float]]:
    """What a program sees that opens the landscape."""
    landscape = ila.open(run)
    return [
        ila.select(landscape, budget=20).rows.tolist(),
        landscape.order.tolist(),
        curve_order(landscape).tolist(),
        landscape.relative_depth.tolist(),
    ]


def test_the_next_to_open_it_reads_what_the_first_worked_out(run: Path, made: list[str]) -> None:
    first = looked(run)
    assert made == ["ranks", "curve"]
    assert set(files(run)) == {"depth_column", "curve"}
    assert looked(run) == first
    assert made == ["ranks", "curve"]


def test_a_landscape_that_is_not_large_keeps_nothing(built: Path, made: list[str]) -> None:
    looked(built)
    assert made == ["ranks", "curve"]
    assert not (built / BESIDE).exists()


def test_builds_and_additions_leave_them_for_whoever_opens_it_first(
    made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ila_core.pipeline import ordering

    monkeypatch.setattr(ordering, "LARGE", 3)
    monkeypatch.setattr(kept, "LARGE", 3)
    asked = [{"instruction": f"Say {k}.", "output": "Yes.", "deep": k} for k in range(9)]
    pool, more = (
        write_jsonl(tmp_path / f"{name}.jsonl", part)
        for name, part in (("pool", asked[:6]), ("more", asked[6:]))
    )
    run = tmp_path / "new"
    ila.build(pool, out=run, loss="none", projection="pca", depth_column="deep")
    del made[:]
    looked(run)
    assert made == []
    before = set(files(run).values())
    ila.add(run, more)
    del made[:]
    assert len(looked(run)[1]) == 9
    assert made == []
    assert not before & set(files(run).values()), "those of other records are dropped"


@pytest.mark.parametrize("part", ["depth_column", "curve"])
def test_damage_is_seen_and_made_good(run: Path, part: str) -> None:
    """Bits flipped in turn, the file cut, lengthened, emptied, and swapped with the other."""
    expected = looked(run)
    file = files(run)[part]
    whole = file.read_bytes()
    other = next(path for name, path in files(run).items() if name != part).read_bytes()
    places = [(k, 1 << (k % 8)) for k in range(0, len(whole), 7)]
    flipped = [whole[:k] + bytes([whole[k] ^ bit]) + whole[k + 1 :] for k, bit in places]
    for damaged in (*flipped, whole[:-1], whole + b"x", b"", other):
        file.write_bytes(damaged)
        assert looked(run) == expected
        assert file.read_bytes() == whole


@pytest.mark.parametrize("wrong", [1, -1, 0])
def test_rows_that_are_no_order_are_not_read(run: Path, wrong: int) -> None:
    """A crafted file, with a hash that is right: a kernel would read beyond its arrays."""
    expected = curve_order(ila.open(run))
    file = files(run)["curve"]
    rows = (np.arange(RECORDS) + wrong if wrong else np.zeros(RECORDS)).astype("<i4").tobytes()
    key = file.name.partition("-")[2]
    file.write_bytes(rows + hashlib.sha256(key.encode() + rows).digest())
    np.testing.assert_array_equal(curve_order(ila.open(run)), expected)


@pytest.mark.parametrize("order", [("even-random", "coverage-only", "ila"), ("ila", "even-random")])
def test_a_method_with_depths_by_chance_leaves_no_trace(
    run: Path, built: Path, order: tuple[str, ...]
) -> None:
    for method in order:
        with nothing_kept():
            picked = ila.select(ila.open(built), budget=20, method=method)
        found = ila.select(ila.open(run), budget=20, method=method)
        np.testing.assert_array_equal(found.rows, picked.rows)
    with nothing_kept():
        expected = looked(built)
    assert looked(run) == expected


def test_other_places_and_fewer_records_have_orders_of_their_own(run: Path, built: Path) -> None:
    looked(run)
    before = {path: path.read_bytes() for path in files(run).values()}

    def changed(landscape: Landscape) -> list[np.ndarray]:
        others = landscape.moved(landscape.xy[::-1]), landscape.subset(np.arange(50))
        return [array for one in others for array in (curve_order(one), one.order)]

    with nothing_kept():
        expected = changed(ila.open(built))
    for array, other in zip(changed(ila.open(run)), expected, strict=True):
        np.testing.assert_array_equal(array, other)
    assert {path: path.read_bytes() for path in files(run).values()} == before


def test_where_nothing_can_be_written_they_are_made_again(
    run: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_can_be_written", lambda folder: False)
    assert looked(run) == looked(run)
    assert made == ["ranks", "curve"] * 2
    assert not (run.parent / "cache" / "beside").exists(), "too large for everybody's cache"


def test_a_link_in_their_place_is_not_followed(run: Path, tmp_path: Path) -> None:
    expected = curve_order(ila.open(run))
    file = files(run)["curve"]
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"somebody's own")
    file.unlink()
    file.symlink_to(theirs)
    np.testing.assert_array_equal(curve_order(ila.open(run)), expected)
    assert theirs.read_bytes() == b"somebody's own"
    assert not file.is_symlink()
    shutil.rmtree(run / BESIDE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (run / BESIDE).symlink_to(elsewhere)
    np.testing.assert_array_equal(curve_order(ila.open(run)), expected)
    assert not list(elsewhere.iterdir())
