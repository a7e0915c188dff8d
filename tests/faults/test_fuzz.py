"""What comes from elsewhere, broken by chance: read, or refused in one sentence.

ILA_FUZZ_EXAMPLES=5000 breaks so many of each kind (60 unless given). A search that is guided by
coverage goes further: see fuzz.py. What it found stands here, each input with what it did.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_files import arrow

import ila_core as ila
from faults.counts import EXAMPLES, count
from faults.fuzz import changed
from faults.targets import FLAT, RECORDS, TARGETS, harmless, parquet
from ila_core.landscape.landscape import Landscape


@pytest.fixture(scope="module")
def landscape(run: Path) -> Landscape:
    return ila.open(run)


@pytest.mark.parametrize("name", TARGETS)
def test_a_whole_example_is_read(landscape: Landscape, tmp_path: Path, name: str) -> None:
    target = TARGETS[name]
    read = target.make(tmp_path, landscape)
    for seed in target.seeds(landscape):
        assert harmless(read, seed), seed[:80]


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_broken_is_told_in_one_sentence(
    landscape: Landscape, tmp_path: Path, name: str
) -> None:
    target = TARGETS[name]
    read, seeds = target.make(tmp_path, landscape), list(target.seeds(landscape))

    @settings(max_examples=EXAMPLES, deadline=10_000, database=None)
    @given(st.sampled_from(seeds), st.integers(0, 2**32), st.integers(1, 6))
    def each(data: bytes, seed: int, times: int) -> None:
        chance = random.Random(seed)
        for _ in range(times):
            data = changed(data, chance, is_json=target.is_json)
        harmless(read, data)
        count(f"broken inputs of {kind(name)}")

    each()


def kind(name: str) -> str:
    return "pool files" if name.startswith("p.") or name == "mapped" else (
        "our own JSON" if TARGETS[name].is_json else "links, words and other files"
    )  # fmt: skip


def far_away() -> bytes:
    """An Arrow file of three texts, of which the second says that it ends before it begins."""
    whole = arrow([{"instruction": text} for text in ("aaaa", "bbbb", "cccc")], chunk=3)
    offsets = struct.pack("<4i", 0, 4, 8, 12)
    assert whole.count(offsets) == 1
    return whole.replace(offsets, struct.pack("<4i", 0, 4, -(1 << 30), 12))


def without_a_size() -> bytes:
    """A Parquet file whose first page says that it unpacks to "true"."""
    whole = parquet(RECORDS[:2], compression="zstd")
    assert whole[4:7] == b"\x15\x04\x15" and whole[8] == 0x15 and max(whole[7], whole[9]) < 128
    return whole[:6] + bytes([0x11, 0x15, whole[9], 0x11]) + whole[10:]


def of_no_repetition() -> bytes:
    """A Parquet file with a column that may neither be missing nor not: pyarrow ended the process.

    It was asked where the column lies, and its statistics did not fit the column any more.
    """
    whole = parquet(FLAT)
    length = int.from_bytes(whole[-8:-4], "little")
    body, foot, end = whole[: -8 - length], whole[-8 - length : -8], whole[-8:]
    optional = b"\x25\x02\x18"
    assert optional in foot
    return body + foot.replace(optional, b"\x25\x03\x18", 1) + end


def of_no_name() -> bytes:
    """A Parquet file with a column whose name is no UTF-8."""
    whole = parquet(FLAT)
    length = int.from_bytes(whole[-8:-4], "little")
    foot = whole[-8 - length : -8].replace(b"instruction", b"ins\xf3ruction")
    return whole[: -8 - length] + foot + whole[-8:]


FOUND: dict[str, list[bytes]] = {
    # names of columns with a line's end, which the sentence that quotes them had too
    "p.csv": [b"\xb4\n\x8e,\xbb\t\xa9\r\n1,2\r\n"],
    # an Arrow file whose texts lie outside of it
    "p.arrow": [far_away()],
    # a size of a page that is no number; a column of no kind
    "p.parquet": [without_a_size(), of_no_repetition(), of_no_name()],
    # a head that numpy cannot read as the Python that it should be
    "vectors": [
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
        for head in (b"{'descr': '<f4', 'shape': (3, 3), ", b"{'descr': '<f4', {}: (3, 3)}\n")
    ],
    # so many brackets that Python's own reader gives up
    "answers": [b"[" * 100_000 + b"\n"],
}
"""Inputs that once ended in a traceback, or in more than one line."""


@pytest.mark.parametrize("stage", ["\\ud800", "\\u0000", "a" * 300])
def test_a_manifest_that_names_what_no_file_can_be_called(
    landscape: Landscape, tmp_path: Path, stage: str
) -> None:
    whole = (Path(str(landscape.run)) / "manifest.json").read_text("utf-8")
    name = str(landscape.manifest["artifacts"]["records.parquet"]["stage"])
    read = TARGETS["manifest"].make(tmp_path, landscape)
    assert harmless(read, whole.encode())
    assert not harmless(read, whole.replace(name, stage).encode())


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, found in FOUND.items() for data in found]
)
def test_what_was_found_once(landscape: Landscape, tmp_path: Path, name: str, data: bytes) -> None:
    harmless(TARGETS[name].make(tmp_path, landscape), data)
