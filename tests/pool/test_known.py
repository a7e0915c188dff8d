"""What says the same as a record that is there: told by its turns, and left out where asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pool_files import POOL, lines, outcome, put

from ila_core.errors import IlaError
from ila_core.pool.ingest import ingest
from ila_core.pool.known import KNOWN, Known, content_of
from ila_core.pool.reading import Reading
from ila_core.pool.record import Record, Turn

HI, BYE = (Turn("user", "Hi", False),), (Turn("user", "Bye", False),)


@pytest.mark.parametrize(
    "other",
    [
        (Turn("user", "Hi ", False),),
        (Turn("system", "Hi", False),),
        (Turn("user", "Hi", True),),
        (Turn("user", "H", False), Turn("user", "i", False)),
        (*HI, Turn("assistant", "", True)),
        (),
    ],
)
def test_other_turns_are_another_record(other: tuple[Turn, ...]) -> None:
    assert content_of(other) != content_of(HI)
    assert Known.of([other]).row(HI) == -1


def test_the_first_of_those_that_say_it_is_told() -> None:
    known = Known.of([BYE, HI, BYE, HI])
    assert known.rows_of([HI, BYE, (Turn("user", "\ud800", False),)]).tolist() == [1, 0, -1]
    assert Known.of([]).rows_of([HI]).tolist() == [-1]


def test_a_record_is_known_whatever_its_fields_are_called(tmp_path: Path) -> None:
    renamed = [
        {"id": 9, "prompt": one["instruction"] + ("\n\n" + one["input"] if one["input"] else ""),
         "completion": one["output"]}
        for one in POOL
    ]  # fmt: skip
    old = [one for one in Reading(put(tmp_path, lines(POOL))) if isinstance(one, Record)]
    known = Known.of([one.turns for one in old])
    file = put(tmp_path, lines([*renamed, {"prompt": "New?", "completion": "Yes."}]), "n.jsonl")
    reading = Reading(file, known=known)
    found = list(reading)
    kept = [one for one in found if isinstance(one, Record)]
    assert [one.instruction for one in kept] == ["New?"]
    assert reading.counts["reasons"] == {KNOWN: 3}
    assert (reading.tally.read, reading.tally.kept, reading.rejected) == (4, 1, 3)
    assert len(outcome(file)) == 4


def test_a_file_of_known_records_alone_is_read_and_one_of_none_is_refused(tmp_path: Path) -> None:
    file = put(tmp_path, lines(POOL))
    known = Known.of([one.turns for one in Reading(file) if isinstance(one, Record)])
    records = ingest(file, out=tmp_path / "out", known=known)
    assert len(records) == 0 and records.counts["reasons"] == {KNOWN: 3}
    with pytest.raises(IlaError, match="holds no usable record"):
        ingest(put(tmp_path, b"[1]\n", "bad.jsonl"), out=tmp_path / "bad", known=known)
