"""Models and checkpoints on disk: saved whole or told in a sentence, loaded as numbers alone."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from ila_core.errors import IlaError, first_line
from ila_core.files import writing_errors

NO_CODE: Mapping[str, bool] = MappingProxyType({"trust_remote_code": False})
"""Said wherever something is loaded: a model or a tokenizer brings no program of its own."""
NUMBERS: Mapping[str, bool] = MappingProxyType({**NO_CODE, "use_safetensors": True})
"""Said of weights: a file of weights in pickle's format is a program, too."""
_FULL = re.compile(
    rf"No space left|os error {errno.ENOSPC}\b|os error {errno.EDQUOT}\b|os error {errno.EFBIG}\b"
    r"|PytorchStreamWriter failed|unexpected pos \d+ vs \d+"
)
"""What the libraries say where no more fits, none of them with an error of the system's."""


@contextmanager
def saving(place: str | Path) -> Iterator[None]:
    """Tell in one sentence why a model or a checkpoint cannot be saved, whatever was raised."""
    with writing_errors(place):
        try:
            yield
        except (IlaError, OSError, MemoryError):
            raise
        except Exception as error:
            if _FULL.search(str(error)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place)) from error
            raise IlaError(f"{place} could not be saved ({first_line(error)}).") from error
