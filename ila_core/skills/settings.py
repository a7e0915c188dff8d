"""Which labels server is asked and how, and the key that it wants.

The key comes from the environment (``ILA_LABELS_API_KEY``, else ``OPENAI_API_KEY``) and goes into
the Authorization header only: never into settings, journal, report or error.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ila_core.errors import UsageError

KEY_VARIABLE = "ILA_LABELS_API_KEY"
KEY_VARIABLES = (KEY_VARIABLE, "OPENAI_API_KEY")


@dataclass(frozen=True)
class EndpointSettings:
    """Which server is asked and how; holds no key, so it may be written down.

    ``url`` is the server's address with or without ``/v1`` (or all of ``.../chat/completions``);
    one with a password or a query in it is refused, since both would end up in the manifest.
    ``timeout`` is in seconds per request, ``retries`` come on top of the first try, ``max_chars``
    is how much of a record is sent, ``max_tokens`` how long an answer may be, ``pause`` how long
    in seconds the first pause before a retry is; every further one is twice as long.

    >>> EndpointSettings("http://127.0.0.1:8000", "qwen").address
    'http://127.0.0.1:8000/v1/chat/completions'
    """

    url: str
    model: str
    concurrency: int = 8
    timeout: float = 60.0
    retries: int = 4
    max_labels: int = 8
    max_chars: int = 4000
    max_tokens: int = 512
    pause: float = 1.0

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not self.model.strip():
            raise UsageError("No model is named for the labels; give one with --labels-model ID.")
        for name, low in _LEAST.items():
            if not getattr(self, name) >= low:
                value = getattr(self, name)
                raise UsageError(f"{name} is {value} for the labels server; give at least {low}.")

    @property
    def address(self) -> str:
        """Where requests are posted."""
        base = self.url.rstrip("/")
        if base.endswith("/chat/completions"):
            return base
        versioned = re.search(r"/v\d\w*(/|$)", urlsplit(base).path)
        return f"{base}{'' if versioned else '/v1'}/chat/completions"


_LEAST = {
    "concurrency": 1,
    "timeout": 0.001,
    "retries": 0,
    "max_labels": 1,
    "max_chars": 1,
    "max_tokens": 1,
    "pause": 0,
}


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"{_without_secrets(url)!r} is no address of a labels server; "
            "give one like http://127.0.0.1:8000/v1."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"The labels address for {parts.hostname} carries a password or a query, which would "
            f"be written into the manifest; put the key into {KEY_VARIABLES[0]} instead."
        )


def _without_secrets(url: str) -> str:
    """The address up to its query, without what stands before an @."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url)[0])


def key_from_environment() -> str:
    """The server's key, "" where none is set; UsageError for one that no header can carry."""
    for name in KEY_VARIABLES:
        if key := os.environ.get(name, "").strip():
            if not re.fullmatch(r"[!-~]+", key):  # else httpx would quote it in its error
                raise UsageError(f"{name} holds characters that no key has; set it again.")
            return key
    return ""
