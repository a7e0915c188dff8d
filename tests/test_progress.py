"""What a running stage tells of its pace, also after a resumption."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ila_core import progress as monitor
from ila_core.progress import Monitor, StageStatus


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(monitor.time, "monotonic", lambda: self.now)

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_what_an_earlier_run_finished_does_not_speed_up_the_rate(clock: Clock) -> None:
    stage = StageStatus("loss", started=clock.now)
    clock.pass_(5)  # loading
    stage.advance(9_000, 10_000)
    for _ in range(10):
        clock.pass_(1)
        stage.advance(stage.done + 10, None)
    assert stage.rate == pytest.approx(10)
    assert stage.eta == pytest.approx(900 / 10)


def test_the_rate_is_that_of_the_last_minute(clock: Clock) -> None:
    stage = StageStatus("loss", total=100_000, started=clock.now)
    for rate in (100, 10):
        for _ in range(120):
            clock.pass_(1)
            stage.advance(stage.done + rate, None)
    assert stage.rate == pytest.approx(10, rel=0.1)
    stage.ended = clock.now
    assert stage.rate == pytest.approx(55)


def test_nothing_is_known_before_something_is_done(clock: Clock) -> None:
    stage = StageStatus("loss", total=10, started=clock.now)
    assert stage.rate is None and stage.eta is None
    clock.pass_(1)
    stage.advance(0, None)
    assert stage.rate is None and stage.eta is None


def test_a_stage_says_what_it_likes_beside_its_numbers(tmp_path: Path) -> None:
    told = Monitor(tmp_path)
    with told.watching(), told.stage("loss", 10) as progress:
        progress(5, None)
        told.say("8,100 tokens/s, 0.9% padding")
    written = json.loads((tmp_path / "progress.json").read_text())
    assert written["stages"][0]["words"] == "8,100 tokens/s, 0.9% padding"
    assert written["state"] == "done"
