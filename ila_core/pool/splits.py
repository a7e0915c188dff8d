"""What a pool is one of several of: the splits of a folder, the lists of a file, its sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ila_core.pool.containers import PoolFile
from ila_core.pool.folders import splits_in
from ila_core.pool.packing import Damaged

LOOKED_THROUGH = 1 << 24
"""Bytes of the largest JSON file whose lists are looked for: some two seconds."""


@dataclass(frozen=True)
class Splits:
    """What there is to choose from.

    what: "split" of a folder, "list" of a JSON file, "sheet" of a workbook.
    names: those that can be read, in their order.
    start: the one that is read unless another is named; "" where one has to be.
    """

    what: str = "split"
    names: tuple[str, ...] = ()
    start: str = ""

    @property
    def several(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.names) > 1 or bool(self.names and not self.start)

    @classmethod
    def of_folder(cls, folder: Path) -> Splits:
        """Those of a folder; none of its files is opened but what `datasets` notes beside them.

        Raises IlaError for a folder without a pool.
        """
        names, start = splits_in(folder)
        return cls("split", tuple(names), start)

    @classmethod
    def of_file(cls, path: Path) -> Splits:
        """Those of a file; a JSON file beyond 16 MB is not looked through.

        Raises IlaError for what is no pool.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "pool.json")
        ...     _ = file.write_text('{"train": [{"prompt": "Hi"}], "test": [{"prompt": "Yo"}]}')
        ...     Splits.of_file(file)
        Splits(what='list', names=('train', 'test'), start='train')
        """
        file = PoolFile(path)
        if file.kind == "json" and file.size > LOOKED_THROUGH:
            return cls()
        try:
            names, start = file.splits()
        except Damaged:  # told where its records are read
            return cls()
        return cls("sheet" if file.kind == "sheet" else "list", tuple(names), start)
