"""Records: a pool on disk, in file order, read back a part at a time.

The position of a record, its row, is the key that joins every array of a landscape.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from ila_core.errors import RunError, UsageError, first_line
from ila_core.pool.fields import FIELD_NAMES, field_of, listed, record_fields
from ila_core.pool.json_text import loads
from ila_core.pool.labels import Labels
from ila_core.pool.record import Record, Turn
from ila_core.pool.table import METADATA, ROW_GROUP, VERSION, labels_of, records_of, turns_of
from ila_core.pool.understood import Understood

if TYPE_CHECKING:
    import pyarrow as pa

TAKE_WINDOW = 1 << 17
"""Rows that `take_originals` holds at once."""
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Records:
    """A pool as it lies in records.parquet: nothing is held in memory but its footer.

    Rows are positions in file order, counted from 0. Iterators read one batch after the other.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Records:
        """The records in a records.parquet or in the run folder that holds one.

        Raises RunError where there is none, or none that this version can read.
        """
        path = Path(path)
        records = cls(path / "records.parquet" if path.is_dir() else path)
        if not records.path.exists():
            raise RunError(f"{records.path} was not found; build the landscape first.")
        if (version := records._info.get("version", 0)) > VERSION:
            raise RunError(
                f"{records.path} has version {version}, this program reads {VERSION}; update it."
            )
        return records

    def __len__(self) -> int:
        return self._footer.num_rows

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the footer is read anew."""
        return (Records, (self.path.absolute(),))

    @cached_property
    def _footer(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.read_metadata(self.path)
        except (pa.ArrowException, OSError) as error:
            raise RunError(
                f"{self.path} is damaged, it is not whole Parquet; run ila build again on the same "
                "pool and folder."
            ) from error

    @cached_property
    def _info(self) -> dict[str, Any]:
        try:
            return orjson.loads(self._footer.metadata[METADATA])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path} was not written by ila; build it again.") from error

    @cached_property
    def _starts(self) -> np.ndarray:
        """(groups + 1,) int64, the first row of every row group and the end."""
        footer = self._footer
        sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the originals as JSON lines, in order."""
        return self._info["fingerprint"]

    @property
    def counts(self) -> dict[str, Any]:
        """{"read", "kept", "rejected", "reasons", "notes", "formats"}: how many of each."""
        return self._info["counts"]

    @property
    def files(self) -> list[dict[str, Any]]:
        """Of every input file: name, container, bytes, sha256, read, kept, formats."""
        return self._info["files"]

    @property
    def mapping(self) -> dict[str, str]:
        """Field by part, as detected on the first record or given."""
        return self._info["mapping"]

    @property
    def understood(self) -> Understood:
        """Which fields were read as what; of an older pool, those of the first record."""
        told = self._info.get("understood")
        if told is None:
            return Understood({part: {field: len(self)} for part, field in self.mapping.items()})
        return Understood(told["parts"], tuple(told["unused"]))

    @property
    def has_labels(self) -> bool:
        """Whether any record has a labels field that could be read."""
        return self._info["has_labels"]

    def batches(
        self, columns: Sequence[str], size: int = ROW_GROUP, first: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """Batches of at most `size` rows with the columns asked for, from row `first`, in order.

        What stands before its row group is not read.
        """
        group = int(np.searchsorted(self._starts, first, side="right")) - 1
        groups = list(range(group, len(self._starts) - 1))
        skipped = first - int(self._starts[group])
        with self._sound():
            for batch in self._parquet().iter_batches(
                batch_size=size, row_groups=groups, columns=list(columns)
            ):
                if skipped < len(batch):
                    yield batch.slice(skipped) if skipped else batch
                skipped = max(0, skipped - len(batch))

    def instructions(self, first: int = 0) -> Iterator[str]:
        """x_i, in file order from row `first`."""
        return self._values("instruction", first)

    def responses(self) -> Iterator[str]:
        """y_i, in file order; "" where there is none."""
        return self._values("response")

    def originals(self) -> Iterator[str]:
        """The records as they were loaded, in file order."""
        return self._values("record")

    def conversations(self, first: int = 0) -> Iterator[tuple[Turn, ...]]:
        """The turns of every record, in file order from row `first`."""
        for batch in self.batches(["turns"], first=first):
            yield from turns_of(batch.column(0))

    def labels(self) -> list[Labels]:
        """The labels of every record, None where it has none."""
        return [labels_of(labels) for labels in self._values("labels")]

    def take(self, rows: Iterable[int]) -> list[Record]:
        """The records of these rows, in the order asked. Raises IndexError for other rows."""
        return self._gather(rows, None, records_of)

    def take_instructions(self, rows: Iterable[int]) -> list[str]:
        """The instructions of these rows, in the order asked. Raises IndexError for other rows."""
        return self._gather(rows, ["instruction"], lambda table: table.column(0).to_pylist())

    def take_labels(self, rows: Iterable[int]) -> list[Labels]:
        """The labels of these rows, None where there are none, in the order asked."""
        return self._gather(
            rows, ["labels"], lambda table: [labels_of(one) for one in table.column(0).to_pylist()]
        )

    def spread(self, most: int) -> list[tuple[int, int]]:
        """The rows of at most so many row groups, evenly taken: the first, and the one behind."""
        starts = self._starts.tolist()
        return list(pairwise(starts))[:: max(1, -(-(len(starts) - 1) // most))]

    def group_of(self, row: int) -> tuple[int, int]:
        """The row group that a row lies in, and its place there."""
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        return group, row - int(self._starts[group])

    def beginnings(self, group: int, letters: int) -> pa.ChunkedArray:
        """The first letters of every instruction of a row group, as Arrow keeps them.

        As a list they would take longer to make than to read.
        """
        import pyarrow.compute as pc

        with self._sound():
            table = self._parquet().read_row_group(group, columns=["instruction"])
        return pc.utf8_slice_codeunits(table.column(0), 0, letters)

    def take_originals(self, rows: Iterable[int]) -> Iterator[str]:
        """The originals of these rows, in the order asked. Raises IndexError for other rows."""
        rows = _row_array(rows)
        for start in range(0, len(rows), TAKE_WINDOW):
            window = rows[start : start + TAKE_WINDOW]
            yield from self._gather(window, ["record"], lambda table: table.column(0).to_pylist())

    def take_turns(self, rows: Iterable[int]) -> Iterator[tuple[Turn, ...]]:
        """The turns of these rows, in the order asked. Raises IndexError for other rows."""
        rows = _row_array(rows)
        for start in range(0, len(rows), TAKE_WINDOW):
            window = rows[start : start + TAKE_WINDOW]
            yield from self._gather(window, ["turns"], lambda table: turns_of(table.column(0)))

    def fields(self) -> list[str]:
        """The names of the original records' fields, in order of first sight."""
        return list(self._info["fields"])

    def field(self, name: str) -> list[Any]:
        """A field of every original record, None where it is missing; dots go into objects.

        Raises UsageError, naming the fields there are, where no record has it.
        """
        values = [field_of(record_fields(loads(one)), name) for one in self.originals()]
        if name not in self.fields() and all(value is None for value in values):
            raise UsageError(
                f"Field {name!r} not found in the pool; fields are {listed(self.fields())}."
            )
        return values

    def require(self, name: str, option: str) -> None:
        """Raise UsageError, naming the fields there are, where no record can have this field."""
        fields = self.fields()
        if not {name, name.partition(".")[0]} & set(fields) and len(fields) < FIELD_NAMES:
            raise UsageError(
                f"Field {name!r} of {option} not found in the pool; fields are {listed(fields)}."
            )

    def numbers(self, name: str) -> tuple[np.ndarray, int]:
        """A field as (n,) float32, and how many are missing: NaN, not finite, or no number.

        Text that spells a number counts as one. Raises UsageError as `field` does.
        """
        values = np.fromiter(map(_finite, self.field(name)), dtype=np.float32, count=len(self))
        return values, int(np.isnan(values).sum())

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Tell of damage inside the file, which its footer does not show."""
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise RunError(
                f"{self.path} is damaged ({first_line(error)}); delete the folder it is in and "
                "build it again."
            ) from error

    def _parquet(self) -> Any:
        """A handle of its own for every reader: they may run in several threads."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.path, metadata=self._footer)
        except (pa.ArrowException, OSError) as error:
            raise RunError(f"{self.path} cannot be read ({error}); build it again.") from error

    def _values(self, column: str, first: int = 0) -> Iterator[Any]:
        for batch in self.batches([column], first=first):
            yield from batch.column(0).to_pylist()

    def _gather(self, rows: Iterable[int], columns: list[str] | None, convert: Any) -> list[Any]:
        """`convert` of the rows' table, in the order asked, one row group read at a time."""
        rows = _row_array(rows)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows go from 0 to {len(self) - 1}, got {rows.min()}, {rows.max()}")
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        file = self._parquet()
        gathered: list[Any] = [None] * len(rows)
        for group in np.unique(groups):
            places = np.flatnonzero(groups == group)
            with self._sound():
                table = file.read_row_group(int(group), columns=columns)
            values = convert(_rows_of(table, rows[places] - self._starts[group]))
            for place, value in zip(places.tolist(), values, strict=True):
                gathered[place] = value
        return gathered


def _row_array(rows: Iterable[int]) -> np.ndarray:
    return np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.int64)


def _rows_of(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """The rows of a table; a single one as a view of it, which `take` would copy the texts for."""
    return table.slice(int(rows[0]), 1) if len(rows) == 1 else table.take(_indices(rows))


def _indices(rows: np.ndarray) -> pa.Array:
    """Row numbers as Arrow takes them; `pa.array` would load pandas, half a second a start."""
    import pyarrow as pa

    rows = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])


def _finite(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if abs(number) <= _LARGEST else math.nan
