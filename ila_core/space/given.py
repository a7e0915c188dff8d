"""Vectors that were made elsewhere: an .npy file with a row for every record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError

import numpy as np

from ila_core.errors import UsageError
from ila_core.files import writing_errors
from ila_core.space.encode import EmbedResult, unit, write_units


def load_embeddings(
    path: str | Path,
    n: int,
    *,
    out: str | Path | None = None,
    dim: int | None = None,
    mean: np.ndarray | None = None,
) -> EmbedResult:
    """Return the vectors of an .npy file of shape (n, d), one row a record, at length 1.

    float16, float32 and float64 are read. With `out` the unit vectors are written there and
    memory-mapped, without it they are held in memory. UsageError for another shape (or another d
    than `dim`, where that is settled) or type, and for values that are not finite; a zero row gets
    the mean direction, or the direction `mean` (d,) where that is given, and is counted.

    >>> path = Path(tempfile.mkdtemp()) / "vectors.npy"
    >>> np.save(path, np.array([[3.0, 4.0], [0.0, 2.0]]))
    >>> load_embeddings(path, 2).vectors.tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 1.0]]
    >>> load_embeddings(path, 3)
    Traceback (most recent call last):
    ila_core.errors.UsageError: ...vectors.npy has shape (2, 2); (3, d) is needed, one row for each
    of the pool's 3 records in file order.
    """
    path = Path(path)
    vectors = _open_npy(path)
    if vectors.ndim != 2 or len(vectors) != n or vectors.shape[1] == 0:
        raise UsageError(
            f"{path} has shape {vectors.shape}; ({n}, d) is needed, one row for each of the "
            f"pool's {n} records in file order."
        )
    if dim is not None and vectors.shape[1] != dim:
        raise UsageError(
            f"{path} has vectors of {vectors.shape[1]:,} dimensions; {dim:,} are needed, as those "
            "of the landscape have."
        )
    if vectors.dtype.kind != "f" or vectors.dtype.itemsize > 8:
        raise UsageError(f"{path} holds {vectors.dtype}; float16, float32 or float64 is needed.")
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            unknown = _normalise(vectors, path, Path(folder) / "vectors.npy", mean)
            return EmbedResult(np.load(Path(folder) / "vectors.npy"), unknown, str(path))
    out = Path(out)
    with writing_errors(out):
        unknown = _normalise(vectors, path, out, mean)
    return EmbedResult(np.load(out, mmap_mode="r"), unknown, str(path))


def _open_npy(path: Path) -> np.ndarray:
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there; name an .npy file with --embeddings.") from error
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, TokenError) as error:
        # numpy reads the head of it as Python, and what it says of it would mislead
        raise UsageError(
            f"{path} is no .npy array of numbers, or not a whole one; write one with numpy.save."
        ) from error
    if not isinstance(vectors, np.ndarray):
        vectors.close()
        raise UsageError(f"{path} holds several arrays; write one with numpy.save.")
    return vectors


def _parts(vectors: np.ndarray, path: Path, chunk: int) -> Iterator[tuple[int, np.ndarray]]:
    """The rows in chunks, each with its first; UsageError where the file has become shorter.

    They are read: of a mapped file that shrinks meanwhile the system would end the process.
    """
    n, dim = vectors.shape
    if not (isinstance(vectors, np.memmap) and vectors.flags.c_contiguous):
        vectors = np.load(path, allow_pickle=False)  # column by column: read as a whole
        yield from ((start, vectors[start : start + chunk]) for start in range(0, n, chunk))
        return
    with open(path, "rb") as stream:
        stream.seek(vectors.offset)
        for start in range(0, n, chunk):
            rows = min(chunk, n - start)
            part = np.fromfile(stream, vectors.dtype, rows * dim)
            if len(part) < rows * dim:
                raise UsageError(f"{path} became shorter while it was read; write it anew.")
            yield start, part.reshape(rows, dim)


def _normalise(
    vectors: np.ndarray, path: Path, out: Path, mean: np.ndarray | None, chunk: int = 65536
) -> int:
    """Write unit rows of checked vectors to `out`; return how many were zero."""
    n, dim = vectors.shape
    parts = out.with_name(f".{out.name}.raw")
    try:
        with open(parts, "wb") as stream:
            for start, part in _parts(vectors, path, chunk):
                if not (finite := np.isfinite(part).all(axis=1)).all():
                    row = start + int(np.flatnonzero(~finite)[0])
                    raise UsageError(
                        f"{path} has a value that is not finite in row {row}; give every record "
                        "a finite vector (all zeros for one that has none)."
                    )
                stream.write(unit(part).astype("<f4").tobytes())
        raw = np.memmap(parts, dtype="<f4", mode="r", shape=(n, dim)) if n else vectors
        return write_units(raw, np.arange(n), out, mean=mean)
    finally:
        parts.unlink(missing_ok=True)
