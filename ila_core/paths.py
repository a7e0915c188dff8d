"""Where files lie: those that ship with the package, in a checkout and in an installed wheel, and
those that are kept for another time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLE = _PACKAGE / "_bundle"

ROOT = _BUNDLE if _BUNDLE.is_dir() else _PACKAGE.parent
"""The folder that holds app, assets and sample_data."""

APP = ROOT / "app"
ASSETS = ROOT / "assets"
SAMPLE = ROOT / "sample_data"


def cache_folder() -> Path:
    """Return where models are kept that can be fetched or made again.

    ILA_CACHE_DIR if that is set, else a folder of ours where this system keeps caches.
    """
    if text := os.environ.get("ILA_CACHE_DIR"):
        return Path(text).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
        return base / "ila" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ila"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ila"
