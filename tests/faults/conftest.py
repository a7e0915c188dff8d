"""What the tests of faults have tried is told at the end, for the table in the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from faults.counts import TRIED

TOLD = "faults tried"
_of_workers: list[dict[str, int]] = []


@pytest.fixture(scope="session")
def landscapes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small landscape beside its pool.jsonl, and one of as many records as a study wants."""
    made = []
    for records in (60, 600):
        folder = tmp_path_factory.mktemp("landscape")
        pool = write_jsonl(folder / "pool.jsonl", small_pool(records))
        ila.build(pool, out=folder / "run", projection="pca")
        made.append(folder / "run")
    return made[0], made[1]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any) -> None:
    """Hand what a worker of pytest-xdist has tried to whom it works for."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[TOLD] = dict(TRIED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _of_workers.append(getattr(node, "workeroutput", {}).get(TOLD, {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for tried in _of_workers:
        TRIED.update(tried)
    if TRIED:
        terminalreporter.section(TOLD)
        for what, number in sorted(TRIED.items()):
            terminalreporter.write_line(f"{number:7,}  {what}")
