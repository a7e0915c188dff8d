"""Models of sentence-transformers, from a folder, a package or the hub."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.identity import commit, content
from ila_core.space.loading import loading
from ila_core.space.texts import without_surrogates

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class TransformerEncoder:
    """A sentence-transformers model, in float32; it reads as much of a text as the model does."""

    def __init__(self, source: str, name: str, device: str = "auto") -> None:
        self.name = name
        self._source = source
        self._device = device

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the model is loaded anew."""
        return (TransformerEncoder, (self._source, self.name, self._device))

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
        clean = [without_surrogates(text) for text in texts]
        vectors = self._model.encode(clean, show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(vectors, dtype=np.float32)

    characters: int | None = None
    """It cuts texts itself, by tokens."""

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        """Return the share of each text's tokens that the model has none for, (n,) float64."""
        tokenizer = self._model.tokenizer
        unknown = getattr(tokenizer, "unk_token_id", None)
        if unknown is None or not len(texts):
            return np.zeros(len(texts))
        clean = [without_surrogates(text) for text in texts]
        ids = tokenizer(clean, add_special_tokens=False, truncation=True)["input_ids"]
        return np.array([tokens.count(unknown) / max(len(tokens), 1) for tokens in ids])

    @cached_property
    def _model(self) -> SentenceTransformer:
        with loading(self.name):
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
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},  # the other format of weights is a program
        )
        return model.float()  # some processors have no half precision
