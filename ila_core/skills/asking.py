"""Asking a labels server, many records at a time, until each is answered or given up."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ila_core.errors import IlaError
from ila_core.pool.labels import Labels
from ila_core.progress import Progress
from ila_core.skills.answers import parse_answer
from ila_core.skills.journal import Journal
from ila_core.skills.questions import MODES, Messages, body_for, key_of_question, messages_for
from ila_core.skills.settings import KEY_VARIABLE, EndpointSettings, key_for

if TYPE_CHECKING:
    import httpx

_LONGEST_WAIT = 600.0  # a server that wants a longer pause gets one by hand
_MOST_WAITS = 30  # how often one record may be sent away with a Retry-After


class _Again(Exception):
    """This request failed and is worth another try, after ``wait`` seconds if the server said."""

    def __init__(self, reason: str, detail: str = "", wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.wait = reason, detail, wait


class _Refused(Exception):
    """The server refuses this request, and would refuse it again."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass
class Asker:
    """One labelling run: what is open, what came back, and what the server turned out to like."""

    settings: EndpointSettings
    answers: dict[str, Labels]
    journal: Journal
    n: int
    progress: Progress
    keys: list[str] = field(default_factory=list)  # by row
    failed: dict[str, str] = field(default_factory=dict)  # key -> reason
    asked: int = 0  # distinct records that were sent
    requests: int = 0
    stepped_down: int = 0  # requests spent on finding a mode that the server accepts
    tokens_in: int = 0
    tokens_out: int = 0
    mode: int = 0
    silent_until: float = 0.0  # the server asked for a pause: nobody sends before this moment
    failures_in_a_row: int = 0
    last_failure: str = ""

    def __post_init__(self) -> None:
        self.where = urlsplit(self.settings.url).netloc
        self.key = key_for(self.settings.url)
        self.secret = self.key.secret

    async def ask_all(self, pairs: Iterable[tuple[str, str]]) -> None:
        import httpx

        limits = httpx.Limits(max_connections=self.settings.concurrency)
        async with httpx.AsyncClient(
            headers=self._headers(), limits=limits, timeout=None, follow_redirects=False
        ) as client:  # a redirection would take records and key to a host that nobody named
            questions = self._open(pairs)
            await asyncio.gather(
                *(self._work(client, questions) for _ in range(self.settings.concurrency))
            )
        self._tell()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}

    def _open(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[int, str, Messages]]:
        """Row, key and messages of every distinct record that has no answer yet."""
        seen = set(self.answers)
        for row, pair in enumerate(pairs):
            messages = messages_for(pair, self.settings)
            key = key_of_question(messages, self.settings)
            self.keys.append(key)
            if key not in seen:
                seen.add(key)
                self.asked += 1
                yield row, key, messages

    async def _work(
        self, client: httpx.AsyncClient, questions: Iterator[tuple[int, str, Messages]]
    ) -> None:
        for row, key, messages in questions:  # one iterator shared by all workers
            try:
                labels = await self._ask(client, messages)
            except (_Again, _Refused) as failure:
                self._fail(key, failure)
            else:
                self.failures_in_a_row = 0
                self.answers[key] = labels
                self.journal.keep(row, key, labels)
            self._tell()

    def _tell(self) -> None:
        # Rows read so far less the few in flight: exact at the end, near enough before it.
        self.progress(len(self.keys), self.n)

    def _fail(self, key: str, failure: _Again | _Refused) -> None:
        self.failed[key] = failure.reason
        self.last_failure = failure.reason + (f" ({failure.detail})" if failure.detail else "")
        self.failures_in_a_row += 1
        if self.failures_in_a_row >= max(16, 2 * self.settings.concurrency):
            raise IlaError(
                f"{self.failures_in_a_row} records in a row got no labels from {self.where}, the "
                f"last for this reason: {self.last_failure}; what was answered is kept, and the "
                "same command goes on from there."
            )

    async def _ask(self, client: httpx.AsyncClient, messages: Messages) -> tuple[str, ...]:
        """The labels of one record, with retries; _Again when they are used up.

        Being sent away with a Retry-After is no fault of the record and costs it no retry.
        """
        tries = waits = 0
        while True:
            try:
                return await self._ask_in_some_mode(client, messages, tries)
            except _Again as failure:
                if failure.wait is None:
                    tries += 1
                else:
                    waits += 1
                    self._be_silent(failure.wait)
                if tries > self.settings.retries or waits > _MOST_WAITS:
                    raise
            # Jitter, so that requests that failed together do not come back together.
            pause = min(30.0, self.settings.pause * 2 ** max(0, tries - 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    def _be_silent(self, seconds: float) -> None:
        if seconds > _LONGEST_WAIT:
            raise IlaError(
                f"The labels server {self.where} asks for a pause of {seconds:.0f} seconds; "
                "run the same command again after it, finished answers are kept."
            )
        self.silent_until = max(self.silent_until, time.monotonic() + seconds)

    async def _ask_in_some_mode(
        self, client: httpx.AsyncClient, messages: Messages, tries: int
    ) -> tuple[str, ...]:
        """Ask in the mode that works; where the server refuses, try the modes that ask for less.

        A lesser mode is remembered only once it was answered: a record that is refused in every
        mode (too long, say) says nothing about the others.
        """
        first = self.mode
        for mode in range(first, len(MODES)):
            try:
                labels = await self._post(client, body_for(messages, self.settings, mode, tries))
            except _Refused:
                if mode == len(MODES) - 1:
                    raise
                self.stepped_down += 1
            else:
                self.mode = max(self.mode, mode)
                return labels
        raise AssertionError("the last mode returns or raises")

    async def _post(self, client: httpx.AsyncClient, body: dict[str, Any]) -> tuple[str, ...]:
        """One request: its labels, or the exception that says what to do next."""
        import httpx

        while (pause := self.silent_until - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        self.requests += 1
        try:
            async with asyncio.timeout(self.settings.timeout):
                response = await client.post(self.settings.address, json=body)
        except TimeoutError:
            raise _Again(f"no answer within {self.settings.timeout:g} s") from None
        except httpx.RequestError as error:
            raise _Again("no connection", self._said(str(error))) from None
        if response.status_code != 200:
            raise self._refusal(response)
        return self._labels_in(response)

    def _labels_in(self, response: httpx.Response) -> tuple[str, ...]:
        try:
            reply = response.json()
            content = reply["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise _Again("answer is no chat completion", self._said(response.text)) from None
        self._count_tokens(reply.get("usage"))
        labels = parse_answer(str(content or ""), max_labels=self.settings.max_labels)
        if labels is None:
            raise _Again("answer holds no list of skills", self._said(str(content)))
        return labels

    def _count_tokens(self, usage: object) -> None:
        if isinstance(usage, dict):
            read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
            self.tokens_in += read if isinstance(read, int) else 0
            self.tokens_out += written if isinstance(written, int) else 0

    def _refusal(self, response: httpx.Response) -> Exception:
        """What a status other than 200 means: stop, try again, or do without."""
        status, said = response.status_code, self._said(response.text)
        if status in (401, 403):
            # The body is not quoted: some servers repeat the key in it.
            given = "the key in the environment" if self.secret else "a request without a key"
            why = f" ({self.key.kept_back})" if self.key.kept_back else ""
            return IlaError(
                f"The labels server {self.where} refuses {given} ({status}){why}; "
                f"set {KEY_VARIABLE} to a key that it accepts."
            )
        if status == 404:
            return IlaError(
                f"The labels server has nothing at {self.settings.address} for model "
                f"{self.settings.model!r} (404{': ' + said if said else ''}); "
                "check --labels-url and --labels-model."
            )
        if status == 429 and "insufficient_quota" in response.text:
            return IlaError(f"The account at {self.where} has no credit left ({said}).")
        if status in (408, 429) or (status >= 500 and status != 501):
            wait = _retry_after(response.headers.get("retry-after"))
            return _Again(f"HTTP {status}", said, wait)
        if status < 400:
            return IlaError(
                f"The labels server answers {self.settings.address} with a redirection "
                f"({status}); give the address that it leads to."
            )
        return _Refused(f"HTTP {status}", said)

    def _said(self, text: str) -> str:
        """The start of what the server said, on one line and without the key."""
        text = text.replace(self.secret, "***") if self.secret else text
        return " ".join(text.split())[:200]


def _retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds == seconds else None
