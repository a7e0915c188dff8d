"""Models in GGUF files: converted once into a folder that transformers loads in seconds.

The folders lie in the user's cache, each named by what its file holds: a copy of a file under
another name is not converted again, and an edited file is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ila_core.errors import IlaError, first_line
from ila_core.files import (
    hash_file,
    locked,
    reading_errors,
    replacing_folder,
    sweep,
    write_text,
    writing_errors,
)
from ila_core.identity import content
from ila_core.lm.quiet import quietly
from ila_core.lm.saving import NO_CODE
from ila_core.paths import cache_folder

CHECKSUMS = "checksums.json"
ELSEWHERE = "set ILA_CACHE_DIR to a folder that can be"
_CONVERSION = 1
"""Raised whenever the same file would be converted otherwise."""


def is_gguf(name: str | Path) -> bool:
    """Tell whether a name is that of a GGUF file.

    >>> is_gguf("SmolLM2.Q4_1.gguf"), is_gguf("HuggingFaceTB/SmolLM2-135M")
    (True, False)
    """
    return Path(name).suffix.lower() == ".gguf"


def need_gguf() -> None:
    """Raise one sentence that says how to get the package gguf where it is absent."""
    if find_spec("gguf") is None:
        raise IlaError('GGUF files need the gguf package: pip install "ila-landscape[smollm]".')


def is_converted(file: Path) -> bool:
    """Tell whether a GGUF file has been converted and the result is as it was then."""
    return _is_whole(_folder(file))


def converted(file: Path) -> Path:
    """Return the folder that a GGUF file was converted into; done now unless it was before.

    It holds the weights in float32, the tokenizer and its chat template, as save_pretrained leaves
    them, and checksums: a damaged folder is made anew. Two processes that want the same do it once.
    IlaError where the package gguf is absent, or transformers cannot read the file.
    """
    folder = _folder(file)
    if _is_whole(folder):
        return folder
    need_gguf()
    with writing_errors(folder, ELSEWHERE):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent, "", wait=True):
        if not _is_whole(folder):
            sweep(folder.parent)
            with writing_errors(folder, ELSEWHERE), replacing_folder(folder) as temporary:
                _convert(file, temporary)
                _write_checksums(temporary)
    return folder


def _folder(file: Path) -> Path:
    with reading_errors(file):
        stat = file.stat()
        key = _content(str(file.absolute()), stat.st_size, stat.st_mtime_ns)
    return cache_folder() / "gguf" / f"{key}-{_CONVERSION}"


@lru_cache
def _content(file: str, size: int, modified: int) -> str:
    """Return the content of a file in this state: a model is asked for several times a run."""
    return content(Path(file))


def _convert(file: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a GGUF file into a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quietly(), _without_bar(), _alone(file) as (place, name), _gguf_errors(file):
        model: Any = AutoModelForCausalLM.from_pretrained(
            place, gguf_file=name, dtype=torch.float32, **NO_CODE
        )
        tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name, **NO_CODE)
    _check_room(model, folder)
    # the weights are plain numbers now; with these marks they would not be saved
    vars(model).pop("hf_quantizer", None)
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with quietly():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


@contextmanager
def _alone(file: Path) -> Iterator[tuple[str, str]]:
    """Yield a folder that holds nothing else, and the file's name there.

    transformers would take a tokenizer or template that lies beside the file for the file's own.
    """
    with tempfile.TemporaryDirectory() as place:
        try:
            os.symlink(file.absolute(), Path(place) / "model.gguf")
        except OSError:  # not everybody may on Windows
            shutil.copyfile(file, Path(place) / "model.gguf")
        yield place, "model.gguf"


@contextmanager
def _without_bar() -> Iterator[None]:
    """Keep the reader of GGUF files from drawing a bar, which heeds no setting."""
    from transformers import modeling_gguf_pytorch_utils as reader

    bar = vars(reader).get("tqdm")
    vars(reader)["tqdm"] = lambda tensors, **_: tensors
    try:
        yield
    finally:
        vars(reader)["tqdm"] = bar


@contextmanager
def _gguf_errors(file: Path) -> Iterator[None]:
    """Turn what a reader of GGUF files raises into one sentence."""
    try:
        yield
    except (IlaError, MemoryError):
        raise
    except Exception as error:  # a kind of its own for every way in which a file can be wrong
        raise IlaError(
            f"{file} could not be read as a language model by transformers "
            f"({first_line(error)}); give the same model as a folder saved by "
            "save_pretrained, or by its hub id."
        ) from error


def _check_room(model: Any, folder: Path) -> None:
    needed = sum(parameter.numel() * 4 for parameter in model.parameters())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise IlaError(
            f"The model takes {needed / 1e9:.1f} GB unpacked, and {folder.parent} has "
            f"{free / 1e9:.1f} GB free; free some space, or set ILA_CACHE_DIR to another folder."
        )


def _write_checksums(folder: Path) -> None:
    marks = {
        file.name: {**_state(file), "sha256": hash_file(file)} for file in sorted(folder.iterdir())
    }
    write_text(folder / CHECKSUMS, json.dumps(marks, indent=1) + "\n")


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder's files are as they were written.

    Files that look untouched are not read again: half a gigabyte takes seconds.
    """
    try:
        marks = json.loads((folder / CHECKSUMS).read_text("utf-8"))
        return bool(marks) and all(
            _state(folder / name) == {key: mark[key] for key in ("bytes", "modified")}
            or hash_file(folder / name) == mark["sha256"]
            for name, mark in marks.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IlaError):
        return False


def _state(file: Path) -> dict[str, int]:
    stat = file.stat()
    return {"bytes": stat.st_size, "modified": stat.st_mtime_ns}
