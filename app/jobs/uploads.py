"""Files that this page keeps for its visitors: what they upload, and large exports."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import BinaryIO

from ila_core.files import key_of, replacing

UPLOADS, EXPORTS = "uploads", "exports"


def store_upload(runs: Path, name: str, content: BinaryIO) -> Path:
    """Write an uploaded file under RUNS/uploads and return its path; whole or not at all.

    Its folder is named by its content: another visitor's file of the same name stays its own.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name).lstrip(".-") or "pool.jsonl"
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    path = runs / UPLOADS / digest[:16] / safe
    content.seek(0)
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        shutil.copyfileobj(content, stream, 1 << 20)
    return path


def export_folder(runs: Path, *made_of: object) -> Path:
    """Return the folder for a file that is made of this: another visitor's lies in another one."""
    return runs / EXPORTS / key_of(*made_of)
