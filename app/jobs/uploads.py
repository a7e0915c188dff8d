"""Files that this page keeps for its visitors: what they upload, and large exports."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import BinaryIO

from ila_core.files import key_of, replacing

UPLOADS, EXPORTS = "uploads", "exports"
_LONGEST = 60
"""Characters of either part of a name: any file system takes as many, in any script."""


def store_upload(runs: Path, name: str, content: BinaryIO) -> Path:
    """Write an uploaded file under RUNS/uploads and return its path; whole or not at all.

    Its folder is named by its content: another visitor's file of the same name stays its own.
    """
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    path = runs / UPLOADS / digest[:16] / safe_name(name)
    content.seek(0)
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        shutil.copyfileobj(content, stream, 1 << 20)
    return path


def safe_name(name: str) -> str:
    """Return a file's name as it can be kept anywhere, in any script; what it is called stays last.

    >>> safe_name("医疗问答.csv"), safe_name("../my pool (2).jsonl.gz"), safe_name("???.parquet")
    ('医疗问答.csv', 'my-pool-2.jsonl.gz', 'pool.parquet')
    """
    stem, dot, ending = Path(name).name.lstrip(".").partition(".")
    safe = re.sub(r"[^\w-]+", "-", stem).strip("-")[:_LONGEST] or "pool"
    return safe + dot + re.sub(r"[^\w.-]+", "-", ending)[-_LONGEST:]


def export_folder(runs: Path, *made_of: object) -> Path:
    """Return the folder for a file that is made of this: another visitor's lies in another one."""
    return runs / EXPORTS / key_of(*made_of)
