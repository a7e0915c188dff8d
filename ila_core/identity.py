"""What tells one state of a model from another: the bytes of its files, or a hub model's commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

WHOLE = 1 << 28
"""Bytes up to which a file is read whole."""
STRIDE, BLOCK = 1 << 20, 1 << 14
"""Of a larger file the first 16 KiB of every MiB are read: training changes whole tensors, and one
of a MiB or more cannot lie between."""

_NAMED_BY = ("config.json", "tokenizer.json", "tokenizer_config.json", "modules.json")


def identity(name: str) -> dict[str, object]:
    """Return what a model, tokenizer or encoder is, by its folder, its file, or its hub id.

    A folder and a file are their content, so that copies are the same and an edit is not; to an
    adapter's folder belongs its base model too. A hub id is the commit that it stands for, None
    where neither the cache nor the hub knows one.

    >>> identity("nobody/nothing")
    {'model': 'nobody/nothing', 'commit': None}
    """
    path = Path(name).expanduser()
    if path.is_dir():
        base = base_model(path)
        return {"content": content(path), **({"base": identity(base)} if base else {})}
    if path.is_file():
        return {"content": content(path)}
    return {"model": name, "commit": commit(name)}


def content(path: Path) -> str:
    """Return a hash of a file, or of a folder's files by relative name and bytes.

    Notes, licences and hidden files are no part of a model.
    """
    total = hashlib.sha256()
    for file in _files(path):
        name = file.relative_to(path).as_posix() if path.is_dir() else ""
        total.update(f"{name}\0{_digest(file)}\n".encode())
    return total.hexdigest()[:16]


def commit(model: str) -> str | None:
    """Return the commit of a hub model: of the cached state, else of the hub's latest.

    A model that is loaded with this as its revision is loaded from the cache if it is there, and
    no request is made.
    """
    from huggingface_hub import model_info, try_to_load_from_cache

    try:
        for file in _NAMED_BY:
            if isinstance(cached := try_to_load_from_cache(model, file), str):
                return Path(cached).parent.name
        return model_info(model, timeout=10).sha
    except Exception:  # no hub id at all, or no network: loading it says so in a sentence
        return None


def base_model(folder: Path) -> str | None:
    """Return what an adapter's folder names as its base model; None for any other folder."""
    import json

    try:
        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        return str(config["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_file() and not hidden and file.suffix != ".md" and file.name != "LICENSE":
            yield file


def _digest(file: Path) -> str:
    size = file.stat().st_size
    with open(file, "rb") as stream:
        if size <= WHOLE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        sampled = hashlib.sha256(size.to_bytes(8, "little"))
        for start in (*range(0, size - BLOCK, STRIDE), size - BLOCK):
            stream.seek(start)
            sampled.update(stream.read(BLOCK))
        return sampled.hexdigest()
