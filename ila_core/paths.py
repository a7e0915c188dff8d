"""Where the files that ship with the package lie: in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLE = _PACKAGE / "_bundle"

ROOT = _BUNDLE if _BUNDLE.is_dir() else _PACKAGE.parent
"""The folder that holds app, assets and sample_data."""

APP = ROOT / "app"
ASSETS = ROOT / "assets"
SAMPLE = ROOT / "sample_data"
