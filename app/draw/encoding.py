"""Arrays as text that travels to the browser: base64, so that bytes stay bytes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np


def encoded(values: Any, dtype: str) -> str:
    """Return numbers as base64 of a little-endian dtype such as "u2".

    >>> encoded([1, 513], "u2")
    'AQABAg=='
    """
    return b64encode(np.ascontiguousarray(values, dtype=f"<{dtype}").tobytes()).decode("ascii")


def decoded(text: str, dtype: str) -> np.ndarray:
    """Return the numbers of a text.

    >>> decoded("AQABAg==", "u2").tolist()
    [1, 513]
    """
    return np.frombuffer(b64decode(text), dtype=f"<{dtype}")
