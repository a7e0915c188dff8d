"""What takes seconds on a large landscape is made once, and trusted only where it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import write_jsonl

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.landscape import depth, kept, sorting
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


def files(run: Path) -> dict[str, Path]:
    return {path.name.partition("-")[0]: path for path in (run / BESIDE).iterdir()}


def test_the_next_to_open_it_reads_what_the_first_worked_out(run: Path, made: list[str]) -> None:
    first = ila.select(ila.open(run), budget=20)
    assert made == ["ranks", "curve"]
    assert set(files(run)) == {"depth_column", "curve", "queue_column"}
    second = ila.select(ila.open(run), budget=20)
    assert made == ["ranks", "curve"]
    np.testing.assert_array_equal(first.rows, second.rows)
    one, other = first.landscape, ila.open(run)
    np.testing.assert_array_equal(one.relative_depth, other.relative_depth)
    np.testing.assert_array_equal(one.order, other.order)
    np.testing.assert_array_equal(curve_order(one), curve_order(other))
    assert one.order.dtype == other.order.dtype == np.int64


def test_a_landscape_that_is_not_large_keeps_nothing(built: Path, made: list[str]) -> None:
    ila.select(ila.open(built), budget=20)
    assert made == ["ranks", "curve"]
    assert not (built / BESIDE).exists()


def test_a_build_leaves_them_for_whoever_opens_it_first(
    run: Path, made: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ila_core.pipeline import build

    monkeypatch.setattr(build, "LARGE", 3)
    monkeypatch.setattr(kept, "LARGE", 3)
    pool = write_jsonl(
        tmp_path / "pool.jsonl",
        [{"instruction": f"Say {k}.", "output": "Yes.", "deep": k} for k in range(4)],
    )
    ila.build(pool, out=tmp_path / "new", loss="none", projection="pca", depth_column="deep")
    del made[:]
    ila.select(ila.open(tmp_path / "new"), budget=2)
    assert made == []


@pytest.mark.parametrize("part", ["depth_column", "curve", "queue_column"])
def test_damage_is_seen_and_made_good(run: Path, part: str) -> None:
    """Bytes of some places flipped in turn, the file cut, swapped and emptied."""

    def looked() -> list[int]:
        landscape = ila.open(run)
        return [*ila.select(landscape, budget=20).rows, *curve_order(landscape)]

    expected = looked()
    file = files(run)[part]
    whole = file.read_bytes()
    other = next(path for name, path in files(run).items() if name != part).read_bytes()
    places = [*range(0, len(whole), max(1, len(whole) // 40)), len(whole) - 1]
    flipped = [whole[:k] + bytes([whole[k] ^ 0x10]) + whole[k + 1 :] for k in places]
    for damaged in (*flipped, whole[: len(whole) // 2], b"", b"PK\x03\x04", other):
        file.write_bytes(damaged)
        assert looked() == expected
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": np.arange(RECORDS, dtype=np.int32) + 1},  # one row too far
        {"rows": np.arange(RECORDS, dtype=np.int64)},
        {"rows": np.arange(RECORDS - 1, dtype=np.int32)},
        {"rows": np.full(RECORDS, -2, np.int32)},
        {"rows": np.array([{}] * RECORDS)},
        {},
    ],
)
def test_what_is_no_array_of_rows_is_not_read(run: Path, wrong: dict[str, np.ndarray]) -> None:
    """A crafted file, with checksums that are right: a kernel would read beyond its arrays."""
    expected = curve_order(ila.open(run))
    file = files(run)["curve"]
    with np.load(file) as archive:
        key = archive["key"]
    with file.open("wb") as stream:
        np.savez(stream, key=key, **wrong)
    np.testing.assert_array_equal(curve_order(ila.open(run)), expected)


def test_other_places_have_arrays_of_their_own(run: Path, made: list[str]) -> None:
    landscape = ila.open(run)
    first = curve_order(landscape)
    file = files(run)["curve"].read_bytes()
    moved = landscape.moved(landscape.xy[::-1])
    assert curve_order(moved).tolist() != first.tolist()
    assert files(run)["curve"].read_bytes() == file
    assert Landscape.from_arrays(landscape.xy).order is not None


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
