"""The door that every request to the page passes: for which host it is, and whether it has the key.

It stands before Streamlit's own server, so that nothing behind it, neither the page and its
websocket nor uploads, downloads and pictures, answers a stranger. Who comes in gets two cookies:
that the key was known, and a token by which visitors are told apart.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

VISITOR = "ila_visitor"
"""The cookie that tells a visitor; its value is known to that visitor alone."""
_TOKEN = re.compile(r"[\w-]{22}", re.ASCII)
KEY = "key"
"""What the key is called in a link and in the form."""
EVERYWHERE = ("0.0.0.0", "::")
LASTS = 90 * 86_400
"""Seconds that a browser is let in again: as long as drafts of it are kept."""
WRONG_SECONDS = 1.0
"""How long the answer to a wrong key takes, so that guessing is slow."""
LONGEST_FORM = 4096
HEALTH = "/_stcore/health"
"""Says that the server is up, and no more: for whoever watches over it."""


@dataclass(frozen=True)
class Hosts:
    """The names by which the page may be asked for.

    A page of another name that leads to this machine is a stranger's, whose scripts would read
    ours (DNS rebinding). An address in digits leads to itself and cannot be such a name.

    >>> hosts = Hosts("10.0.0.7", frozenset({"ila.example"}))
    >>> [hosts.know(one) for one in ("localhost:8501", "[::1]:8501", "ILA.example", "evil.example")]
    [True, True, True, False]
    >>> [hosts.know(one) for one in ("10.0.0.7:80", "10.0.0.8")], Hosts("0.0.0.0").know("10.0.0.8")
    ([True, False], True)
    """

    address: str
    """Where the page listens; 0.0.0.0 or :: are all addresses of the machine."""
    names: frozenset[str] = frozenset()

    def know(self, host: str) -> bool:
        """Whether a Host header, with or without a port, is one of ours."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
        except ValueError:
            return False
        if name in ("localhost", self.address, *self.names):
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self.address in EVERYWHERE


class Door:
    """An ASGI middleware that lets in whom it should."""

    def __init__(
        self, app: Any, *, hosts: Hosts, key: str = "", tells_visitors: bool = False
    ) -> None:
        """With an empty `key` everybody comes in who names the right host."""
        self.app, self.hosts, self.key = app, hosts, key
        self.tells_visitors = tells_visitors
        self._pass = _signed(key, "pass")
        self._cookie = (
            f"ila_{_signed(key, 'name')[:8]}"  # another page's at another port is its own
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        if answer is None:
            await self.app(scope, receive, self._welcoming(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, send)

    async def _answer(self, scope: Any, receive: Any) -> Response | None:
        """Return what a request is told that does not come in; None for one that does."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.hosts.know(host):
            name = host[:60] or "no host"
            return PlainTextResponse(
                f"This page is not served as {name}; whoever started it adds the name with "
                "ila app --host NAME.\n", 403,
            )  # fmt: skip
        if not self._is_own_page(scope, headers, host):
            return PlainTextResponse("This was asked for by a page of another site.\n", 403)
        if not self.key or (scope["type"] == "http" and scope["path"] == HEALTH):
            return None
        return await self._ask(scope, receive, headers)

    def _is_own_page(self, scope: Any, headers: Headers, host: str) -> bool:
        """Whether what can change something is asked for by a page of ours, if by any."""
        origin = headers.get("origin")
        if origin is None or (scope["type"] == "http" and scope["method"] in ("GET", "HEAD")):
            return True
        try:
            page = urlsplit(origin)
            return page.netloc == host or page.hostname in self.hosts.names
        except ValueError:
            return False

    async def _ask(self, scope: Any, receive: Any, headers: Headers) -> Response | None:
        """Let in who has the key, by cookie, by link or by form."""
        known = hmac.compare_digest(
            _cookies(headers).get(self._cookie, "").encode(), self._pass.encode()
        )
        if scope["type"] == "websocket":
            return None if known else PlainTextResponse("", 401)
        query = QueryParams(scope["query_string"])
        if KEY in query:
            given = query[KEY]
        elif known:
            return None
        elif scope["method"] == "POST":
            given = await _form(receive)
        else:
            return _login("")
        if hmac.compare_digest(given.encode(), self.key.encode()):
            return self._let_in(scope)
        await asyncio.sleep(WRONG_SECONDS)
        return _login("That is not the key; look for it in the link that you were sent.")

    def _let_in(self, scope: Any) -> Response:
        """Return the way to the same place without the key, which must not stay in a link."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([pair for pair in query if pair[0] != KEY])
        place = "/" + quote(scope["path"].lstrip("/"))  # never the beginning of another host
        answer = RedirectResponse(place + (f"?{rest}" if rest else ""), 303)
        _set(answer, self._cookie, self._pass, scope)
        return answer

    def _welcoming(self, scope: Any, send: Any) -> Any:
        """Return `send`, which gives a token to a browser that opens the page without one."""
        headers = Headers(scope=scope)
        asks = scope["type"] == "http" and "text/html" in headers.get("accept", "")
        if not (self.tells_visitors and asks) or is_token(_cookies(headers).get(VISITOR, "")):
            return send
        token = Response()
        _set(token, VISITOR, secrets.token_urlsafe(16), scope)
        (cookie,) = (pair for pair in token.raw_headers if pair[0] == b"set-cookie")

        async def welcoming(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), cookie]}
            await send(message)

        return welcoming


def hosts_of(address: str, names: Iterable[str]) -> Hosts:
    """Return the hosts of a page that listens at an address and has names of its own.

    >>> sorted(hosts_of("0.0.0.0", ["ILA.example", ""]).names)
    ['ila.example']
    """
    known = (name.strip().lower().removesuffix(".") for name in names)
    return Hosts(address, frozenset(filter(None, known)))


def is_token(text: str) -> bool:
    """Whether a text is the token of a visitor, as the door gives them."""
    return bool(_TOKEN.fullmatch(text))


def _signed(key: str, what: str) -> str:
    return hmac.new(key.encode(), what.encode(), hashlib.sha256).hexdigest()


def _cookies(headers: Headers) -> dict[str, str]:
    return cookie_parser(headers.get("cookie", ""))


def _set(answer: Response, name: str, value: str, scope: Any) -> None:
    """Set a cookie that no script reads and no other site's page sends along."""
    answer.set_cookie(
        name, value, max_age=LASTS, httponly=True, samesite="lax", secure=scope["scheme"] == "https"
    )


async def _form(receive: Any) -> str:
    """Return the key of a form, "" where it has none; no more is read than a form has."""
    body, more = b"", True
    while more and len(body) <= LONGEST_FORM:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    fields = parse_qs(body[:LONGEST_FORM].decode("utf-8", "replace"))
    return fields.get(KEY, [""])[0].strip()


def _login(trouble: str) -> Response:
    page = _PAGE.replace("TROUBLE", escape(trouble))
    return HTMLResponse(page, 401, headers={
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'self'; frame-ancestors 'none'",
        "Referrer-Policy": "same-origin",  # with none, a browser sends the form as from nowhere
    })  # fmt: skip


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ILA · key</title>
<style>
  :root { color-scheme: light dark; --paper: #fcfbf8; --ink: #1f2a30; --line: #dedad0;
          --accent: #0b7285; --on: #fff; --bad: #b3433a; }
  @media (prefers-color-scheme: dark) { :root { --paper: #12181c; --ink: #e4e8e8;
          --line: #2f3a40; --accent: #3fb8c9; --on: #12181c; --bad: #e58a80; } }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper);
         color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
  form { width: min(24rem, 88vw); display: grid; gap: .75rem; margin-bottom: 12vh; }
  label { font-size: 1.05rem; }
  div { display: flex; gap: .5rem; }
  input, button { font: inherit; padding: .5rem .7rem; border-radius: 6px;
                  border: 1px solid var(--line); }
  input { flex: 1; min-width: 0; background: transparent; color: inherit; }
  button { background: var(--accent); border-color: var(--accent); color: var(--on); }
  p { margin: 0; min-height: 1.5em; color: var(--bad); }
</style>
<form method="post">
  <label for="key">This page opens with the key of the link that its owner has.</label>
  <div><input id="key" name="key" type="password" autocomplete="current-password" required
              autofocus><button>Open</button></div>
  <p role="status">TROUBLE</p>
</form>
</html>
"""
