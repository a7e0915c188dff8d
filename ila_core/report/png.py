"""Pictures of 256 colours as PNG, without any library of pictures."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3
"""The kind of PNG whose pixels are numbers of colours."""


def png(pixels: np.ndarray, colours: np.ndarray) -> bytes:
    """Return a picture as a PNG file; pixels of value 0 are transparent.

    `pixels` is (height, width) uint8, the top row first, and `colours` (256, 3) uint8.

    >>> png(np.zeros((2, 3), np.uint8), np.zeros((256, 3), np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width = pixels.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter, 0 for none
    lines[:, 1:] = pixels
    head = struct.pack(">IIBBBBB", width, height, 8, PALETTE, 0, 0, 0)
    parts = {
        b"IHDR": head,
        b"PLTE": colours.astype(np.uint8).tobytes(),
        b"tRNS": b"\0",
        b"IDAT": zlib.compress(lines.tobytes(), 9),
        b"IEND": b"",
    }
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in parts.items())


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
