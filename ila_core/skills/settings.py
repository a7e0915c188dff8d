"""Which labels server is asked and how, and the key that it wants.

A key comes from the environment, goes to the host that it was set for and to no other, and stands
in the Authorization header only: never in settings, journal, report or error.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ila_core.errors import UsageError

KEY_VARIABLE, URL_VARIABLE = "ILA_LABELS_API_KEY", "ILA_LABELS_URL"
OPENAI_KEY_VARIABLE = "OPENAI_API_KEY"
KEY_VARIABLES = (KEY_VARIABLE, OPENAI_KEY_VARIABLE)
OPENAI = ("https", "api.openai.com", 443)
_PORTS = {"http": 80, "https": 443}


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
        check_url(self.url)
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


def check_url(url: str) -> str:
    """Return a labels server's address; UsageError for one that is none, or that holds a secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        usable = usable and not re.search(r"[\s\\]", url)  # read otherwise by other programs
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
            f"be written into the manifest; put the key into {KEY_VARIABLE} instead."
        )
    return url


def _without_secrets(url: str) -> str:
    """The address up to its query, without what stands before an @."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url)[0])


def origin(url: str) -> tuple[str, str, int]:
    """Return whom an address reaches, whatever its path: scheme, host and port.

    >>> origin("https://API.openai.com/v1") == OPENAI
    True
    """
    parts = urlsplit(check_url(url))
    host = str(parts.hostname).rstrip(".")
    return parts.scheme, host, parts.port or _PORTS[parts.scheme]


@dataclass(frozen=True)
class Key:
    """The key that a server is sent, "" for none, and why one that is there is not sent."""

    secret: str = field(default="", repr=False)
    kept_back: str = ""


def key_for(url: str) -> Key:
    """Return what of the keys in the environment goes to a server that the user has named.

    ``ILA_LABELS_API_KEY`` goes to the host in ``ILA_LABELS_URL`` alone where that is set beside it,
    else to the server that is named; ``OPENAI_API_KEY`` goes to https://api.openai.com alone.
    UsageError for a key that no header can carry, and for an ``ILA_LABELS_URL`` that is no address.
    """
    home = os.environ.get(URL_VARIABLE, "").strip()
    ours = not home or origin(home) == origin(url)
    if ours and (key := _key_in(KEY_VARIABLE)):
        return Key(key)
    if origin(url) == OPENAI and (key := _key_in(OPENAI_KEY_VARIABLE)):
        return Key(key)
    if not ours and os.environ.get(KEY_VARIABLE):
        return Key(kept_back=f"the key in {KEY_VARIABLE} is for {home}, which {URL_VARIABLE} names")
    if os.environ.get(OPENAI_KEY_VARIABLE):
        return Key(kept_back=f"the key in {OPENAI_KEY_VARIABLE} goes to api.openai.com alone")
    return Key()


def _key_in(name: str) -> str:
    key = os.environ.get(name, "").strip()
    if key and not re.fullmatch(r"[!-~]+", key):  # else httpx would quote it in its error
        raise UsageError(f"{name} holds characters that no key has; set it again.")
    return key
