"""Loading of models, told in one sentence where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ila_core.errors import IlaError


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Tell in one sentence why an encoder cannot be loaded, whatever its library raised."""
    try:
        yield
    except IlaError:
        raise
    except Exception as error:  # the libraries raise whatever the hub, the disk or torch raised
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise IlaError(
            f"The encoder {name!r} could not be loaded ({lines[0].rstrip('.')}); check its name "
            "and, for a model of the hub, the network, or use --encoder multilingual, which needs "
            "none."
        ) from error
