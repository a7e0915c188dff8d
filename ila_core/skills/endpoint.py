"""Labels by asking: an OpenAI-compatible server names the skills that a record needs.

Nothing is sent anywhere unless the user gives the address. Answers are journalled as they come. A
record that gets no usable answer keeps None: its S, and with it its depth, is missing and counted.
Nothing is invented in its place.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ila_core.errors import IlaError
from ila_core.pool.labels import Labels
from ila_core.progress import Progress, no_progress
from ila_core.skills.asking import Asker
from ila_core.skills.journal import Journal, read_journal
from ila_core.skills.questions import MODES, key_of_question, messages_for
from ila_core.skills.settings import EndpointSettings

_OUTPUT_TOKENS = 30  # a list of up to eight short names, for the estimate


@dataclass(frozen=True)
class Estimate:
    """What labelling would cost, before the first request.

    Tokens are guessed at four UTF-8 bytes each; the report holds what the server counted.
    """

    requests: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class EndpointReport:
    """What labelling did cost, and what it left open.

    ``requests`` counts everything sent, ``retries`` those sent again, ``reused`` the records
    whose answer was in the journal or came with an equal record. ``tokens_in`` and ``tokens_out``
    are what the server's usage says. ``failures`` counts records without labels by reason;
    ``mode`` is the way of constraining the output that the server accepted.
    """

    requests: int
    retries: int
    reused: int
    tokens_in: int
    tokens_out: int
    failures: Mapping[str, int]
    mode: str


@dataclass(frozen=True)
class EndpointResult:
    """Labels in row order, None where the server gave no usable answer, and the report."""

    labels: list[Labels]
    report: EndpointReport


def estimate(
    pairs: Callable[[], Iterable[tuple[str, str]]],
    settings: EndpointSettings,
    *,
    work: Path | None = None,
) -> Estimate:
    """What ``endpoint`` would ask with the same arguments; sends nothing.

    >>> settings = EndpointSettings("http://127.0.0.1:8000", "qwen")
    >>> estimate(lambda: [("Add 2 and 2.", "4"), ("Add 2 and 2.", "4")], settings).requests
    1
    """
    seen = set(read_journal(work))
    requests = size = 0
    for pair in pairs():
        messages = messages_for(pair, settings)
        key = key_of_question(messages, settings)
        if key not in seen:
            seen.add(key)
            requests += 1
            size += sum(len(message["content"].encode()) for message in messages)
    return Estimate(requests, size // 4, requests * _OUTPUT_TOKENS)


def endpoint(
    pairs: Callable[[], Iterable[tuple[str, str]]],
    n: int,
    settings: EndpointSettings,
    *,
    work: Path | None = None,
    progress: Progress = no_progress,
) -> EndpointResult:
    """Ask the server for the skills of ``n`` records, ``settings.concurrency`` at a time.

    Equal records are asked once. 429 (its Retry-After is honoured), 5xx, time-outs, broken
    connections and unusable answers are tried again with growing pauses; what still fails is
    counted by reason. An IlaError ends the run where going on is pointless: a key that is refused
    (401, 403), an address or model that does not exist (404), no more credit, a server that fails
    record after record, or not one answer at all. With ``work``, finished answers are kept in a
    journal there and the same call goes on from it. ``pairs`` gives instruction and response of
    every record and is called once.
    """
    answers = read_journal(work)
    with Journal(work) as journal:
        asker = Asker(settings, answers, journal, n, progress)
        _run(asker.ask_all(pairs()))
    if asker.failed and not any(key in answers for key in asker.keys):
        raise IlaError(f"Not one record got labels from {asker.where}: {asker.last_failure}.")
    labels = [answers.get(key) for key in asker.keys]
    failures = Counter(asker.failed[key] for key in asker.keys if key in asker.failed)
    report = EndpointReport(
        requests=asker.requests,
        retries=asker.requests - asker.asked - asker.stepped_down,
        reused=len(asker.keys) - asker.asked,
        tokens_in=asker.tokens_in,
        tokens_out=asker.tokens_out,
        failures=dict(failures.most_common()),
        mode=MODES[asker.mode][0],
    )
    return EndpointResult(labels, report)


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end, also where an event loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, coroutine).result()
