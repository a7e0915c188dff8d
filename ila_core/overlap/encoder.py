"""The encoder that a landscape's vectors came from, to put other texts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ila_core.errors import IlaError
from ila_core.overlap.duplicates import records_of
from ila_core.space.encode import unit
from ila_core.space.encoders import Encoder, load_encoder, load_speller
from ila_core.space.lexical import learn

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

PROBED = 32
"""Records whose vectors must come out again."""
SAME = 0.99
"""Cosine from which a vector is the same: a device or another batch moves it by less than 0.001."""


def encoder_of(landscape: Landscape) -> Encoder:
    """Return the encoder of a landscape's build; one that learns from the pool learns again.

    IlaError where its vectors were made elsewhere, and where the encoder gives others today.
    """
    settings = landscape.manifest.get("settings") or {}
    name = str(settings.get("encoder") or "")
    if landscape.vectors is None or not name:
        raise IlaError("This landscape has no vectors of an encoder; compare by words.")
    if settings.get("embeddings"):
        raise IlaError(
            "The vectors of this landscape were made elsewhere (--embeddings), so nothing else can "
            "be put beside them; compare by words."
        )
    records = records_of(landscape)
    if name == "lexical":
        seed = int(settings.get("seed") or 0)
        encoder: Encoder = learn(records.instructions, len(records), load_speller(), seed=seed)
    else:
        encoder = load_encoder(name, device=str(settings.get("device") or "auto").split(",")[0])
    rows = range(min(PROBED, len(records)))
    again = unit(np.asarray(encoder.encode([one.instruction for one in records.take(rows)])))
    then = np.asarray(landscape.vectors[: len(rows)])
    if again.shape != then.shape or np.einsum("ij,ij->i", again, then).max() < SAME:
        raise IlaError(
            f"The encoder {name!r} gives other vectors today than those of {landscape.run}; build "
            "the landscape again, or compare by words."
        )
    return encoder
