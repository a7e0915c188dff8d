"""Work on the side: begun once, told how far it is, and what went wrong."""

from __future__ import annotations

import threading
import time

from ila_core.errors import IlaError
from ila_core.progress import Progress
from jobs import asides


def until_over(key: str, work: asides.Work) -> asides.Aside:
    aside = asides.begun(key, work)
    until = time.monotonic() + 20
    while not aside.over and time.monotonic() < until:
        time.sleep(0.01)
    assert aside.over
    return aside


def test_two_visitors_wait_for_one_piece_of_work() -> None:
    go, calls = threading.Event(), []

    def work(progress: Progress) -> None:
        calls.append(1)
        progress(1, 4)
        go.wait(20)
        progress(4, 4)

    first = asides.begun("both", work)
    assert asides.begun("both", work) is first
    while first.total is None:
        time.sleep(0.01)
    assert first.share == 0.25 and not first.over
    go.set()
    assert until_over("both", work).share == 1.0
    assert len(calls) == 1 and not first.error


def test_what_failed_is_told_until_it_is_to_begin_anew() -> None:
    calls = []

    def fails(progress: Progress) -> None:
        calls.append(1)
        raise IlaError("The disk is full.")

    assert until_over("fails", fails).error == "The disk is full."
    assert asides.begun("fails", fails).error == "The disk is full."
    assert len(calls) == 1
    asides.forget("fails")
    assert until_over("fails", lambda progress: None).error == ""


def test_a_fault_of_ours_is_told_too() -> None:
    assert until_over("fault", lambda progress: 1 / 0).error.startswith("ZeroDivisionError")
