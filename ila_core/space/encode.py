"""A pool's texts to unit vectors, by any encoder, in constant memory.

Equal texts are encoded once, finished batches survive a kill, and a text of which the encoder
knows nothing gets the pool's mean direction.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ila_core.blocks import Spread
from ila_core.errors import IlaError
from ila_core.files import replacing, write_text, writing_errors
from ila_core.progress import Progress, no_progress
from ila_core.space.encoders import Encoder

BATCHES = 4
"""Batches that are encoded as one block where others do it: of so many that a slow encoder is not
long without something that is kept, and that handing it over costs a quick one little."""


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """The vectors of a pool: float32 unit rows of shape (n, d), memory-mapped where on disk."""

    vectors: np.ndarray
    unknown: int
    """Rows of which the encoder knew nothing: they point in the pool's mean direction."""
    encoder: str


def embed(
    texts: Callable[..., Iterable[str]],
    n: int,
    encoder: Encoder,
    *,
    out: str | Path,
    work: str | Path | None = None,
    mean: np.ndarray | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
    batch: int = 1024,
) -> EmbedResult:
    """Write the unit vectors of `n` texts to the file `out` (.npy) and return it memory-mapped.

    `texts` is called twice, and each call gives the texts anew, in order. Equal texts are encoded
    once, so that they have equal vectors from any encoder. Finished batches are kept in the folder
    `work`: a killed run that is started again goes on behind them and gives the same bytes.
    `progress` counts texts. A zero vector becomes the mean direction of the others (the first axis
    if there are none), or the direction `mean` (d,) where that is given, and is counted.

    With a `spread` the texts are encoded in other processes, in the same batches, so that the bytes
    are the same: `texts` is then called with the row to begin at too, and both it and the encoder
    can be pickled.

    >>> from ila_core.space.encoders import load_encoder
    >>> folder = Path(tempfile.mkdtemp())
    >>> result = embed(lambda: ["a red apple", "a fast car", "a red apple"], 3, load_encoder(),
    ...                out=folder / "embeddings.npy")
    >>> result.vectors.shape, bool((result.vectors[0] == result.vectors[2]).all())
    ((3, 512), True)
    """
    out = Path(out)
    with writing_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if work is None:
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=".embed-") as folder:
                return _embed(texts, n, encoder, out, Path(folder), mean, spread, progress, batch)
        return _embed(texts, n, encoder, out, Path(work), mean, spread, progress, batch)


def _embed(
    texts: Callable[..., Iterable[str]],
    n: int,
    encoder: Encoder,
    out: Path,
    work: Path,
    mean: np.ndarray | None,
    spread: Spread | None,
    progress: Progress,
    batch: int,
) -> EmbedResult:
    first = first_occurrences(texts(), n)
    firsts = np.flatnonzero(first == np.arange(n))
    kept = _Batches(work, (encoder.identity, n, encoder.dim, batch), encoder.dim, batch)
    pending = firsts[kept.rows :]
    if spread is None:
        for rows, strings in _batches_at(texts(), pending, batch):
            kept.append(_checked(encoder, strings, rows))
            progress(int(rows[-1]) + 1, n)
    else:
        size = batch * BATCHES
        blocks = [pending[start : start + size] for start in range(0, len(pending), size)]
        made = spread(_Encoding(texts, encoder, batch), blocks)
        for rows, vectors in zip(blocks, made, strict=True):
            kept.append(vectors)
            progress(int(rows[-1]) + 1, n)
    place = np.searchsorted(firsts, first)
    unknown = write_units(kept.open(len(firsts)), place, out, mean=mean)
    progress(n, n)
    return EmbedResult(np.load(out, mmap_mode="r"), unknown, encoder.name)


@dataclass(frozen=True)
class _Encoding:
    """Encodes the texts at ascending rows, batch by batch."""

    texts: Callable[..., Iterable[str]]
    encoder: Encoder
    batch: int

    def __call__(self) -> Callable[[np.ndarray], np.ndarray]:
        return self._encode

    def _encode(self, rows: np.ndarray) -> np.ndarray:
        first = int(rows[0])
        found = _batches_at(self.texts(first), rows - first, self.batch)
        return np.concatenate(
            [_checked(self.encoder, strings, first + places) for places, strings in found]
        )


def first_occurrences(texts: Iterable[str], n: int) -> np.ndarray:
    """Return for each of the n texts the row of the first one equal to it, of shape (n,) int64.

    Texts are distinguished by 64 bits of their hash, so that memory stays at 8 bytes a text.

    >>> first_occurrences(["a", "b", "a"], 3).tolist()
    [0, 1, 0]
    """
    hashes = np.zeros(n, np.uint64)
    count = 0
    for text in texts:
        if count < n:
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            hashes[count] = int.from_bytes(digest, "little")
        count += 1
    if count != n:
        raise IlaError(f"The pool gave {count} texts where {n} were expected.")
    _, rows, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    return rows[inverse].astype(np.int64)


def _batches_at(
    texts: Iterable[str], rows: np.ndarray, batch: int
) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Yield the texts at ascending rows, `batch` at a time, with their rows."""
    stream = iter(enumerate(texts))
    for start in range(0, len(rows), batch):
        chosen = rows[start : start + batch]
        strings = []
        for wanted in chosen.tolist():
            strings.append(next(text for row, text in stream if row == wanted))
        yield chosen, strings


def _checked(encoder: Encoder, texts: list[str], rows: np.ndarray) -> np.ndarray:
    """Return unit (or zero) float32 vectors; IlaError if the encoder gave anything else."""
    vectors = np.asarray(encoder.encode(texts), dtype=np.float32)
    if vectors.shape != (len(texts), encoder.dim):
        raise IlaError(
            f"The encoder {encoder.name!r} gave an array of shape {vectors.shape} for "
            f"{len(texts)} texts; {(len(texts), encoder.dim)} was expected."
        )
    if not np.isfinite(vectors).all():
        row = rows[np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0]]
        raise IlaError(
            f"The encoder {encoder.name!r} gave a vector that is not finite for record {row}; "
            "use another encoder, or --device cpu."
        )
    return unit(vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the rows at length 1, zero rows as they are. Lengths are taken in float64."""
    wide = vectors.astype(np.float64)
    largest = np.abs(wide).max(axis=1, initial=0.0, keepdims=True)
    wide /= np.where(largest > 0, largest, 1.0)  # or the squares of huge values overflow
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(length > 0, length, 1.0)).astype(np.float32)


class _Batches:
    """The vectors finished so far: a file that only grows, by whole batches.

    A kill in the middle of a write leaves a tail that is cut off on the next start.
    """

    def __init__(self, folder: Path, key: tuple[object, ...], dim: int, batch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "vectors.f32"
        self._dim = dim
        note = folder / "vectors.json"
        text = json.dumps(key)
        if not (note.is_file() and note.read_text(encoding="utf-8") == text):
            self._path.unlink(missing_ok=True)
            write_text(note, text)
        self._path.touch()
        size = 4 * dim
        # A short batch is a whole one only at the very end, where redoing it costs nothing.
        self.rows = self._path.stat().st_size // (size * batch) * batch
        with open(self._path, "r+b") as stream:
            stream.truncate(self.rows * size)

    def append(self, vectors: np.ndarray) -> None:
        with open(self._path, "ab") as stream:
            stream.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())

    def open(self, rows: int) -> np.ndarray:
        """Return all vectors, of shape (rows, dim), memory-mapped."""
        if rows == 0:
            return np.zeros((0, self._dim), np.float32)
        return np.memmap(self._path, dtype="<f4", mode="r", shape=(rows, self._dim))


def write_units(
    vectors: np.ndarray,
    place: np.ndarray,
    out: Path,
    *,
    mean: np.ndarray | None = None,
    chunk: int = 65536,
) -> int:
    """Write vectors[place] to `out`, zero rows as the mean direction; return how many these are.

    `mean` (d,) is that direction where it is not their own.
    """
    n, dim = len(place), vectors.shape[1]
    starts = range(0, n, chunk)
    if mean is None:
        mean = mean_direction(vectors[place[start : start + chunk]] for start in starts)
    if mean is None:
        mean = np.eye(1, dim, dtype=np.float32)[0]
    unknown = 0
    with replacing(out) as temporary, open(temporary, "wb") as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, dim)}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in starts:
            part = np.array(vectors[place[start : start + chunk]], dtype="<f4")
            zero = ~part.any(axis=1)
            part[zero] = mean
            unknown += int(zero.sum())
            stream.write(part.tobytes())
    return unknown


def mean_direction(parts: Iterable[np.ndarray]) -> np.ndarray | None:
    """Return the direction of the sum of all rows, (d,) float32 of length 1; None where it is 0.

    A row in this direction turns it nowhere: so the vectors that `write_units` wrote have the
    direction that it gave to what was unknown.

    >>> mean_direction([np.array([[3.0, 0.0], [0.0, 4.0]])]).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    total = sum(part.sum(axis=0, dtype=np.float64) for part in parts)
    if not np.any(total):
        return None
    return unit(np.asarray(total)[None, :])[0]
