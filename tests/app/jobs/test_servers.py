"""Which labels server a page asks, and where its keys go."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from ila_core.errors import UsageError
from ila_core.pipeline.settings import BuildSettings
from jobs import builds, process, servers

OURS = "https://labels.example:8443/v1"
ASKS = ["ila", "build", "pool", "--labels-url", OURS]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILA_LABELS_API_KEY", "sk-ours")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    for name in ("ILA_LABELS_URL", "ILA_APP_LABELS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_a_page_started_without_a_server_asks_none(tmp_path: Path) -> None:
    assert servers.labels_server() == ""
    named = BuildSettings.of(labels="endpoint", labels_url=OURS, labels_model="m")
    with pytest.raises(UsageError, match="the one that it was started with"):
        builds.start(tmp_path, "run", ["pool.jsonl"], named)
    with pytest.raises(UsageError, match="the one that it was started with"):
        builds.try_out(["pool.jsonl"], named)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("variable", ["ILA_LABELS_URL", "ILA_APP_LABELS_URL"])
@pytest.mark.parametrize(
    "other",
    [
        "https://labels.example/v1", "http://labels.example:8443", "http://127.0.0.1:8443",
        "http://169.254.169.254/latest", "https://api.openai.com", "https://x.labels.example:8443",
    ],
)  # fmt: skip
def test_a_page_asks_its_own_server_alone(
    variable: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, OURS)
    servers.check(ASKS)
    for words in (["--labels-url", other], [f"--labels-url={other}"], [*ASKS, *ASKS[-2:-1], other]):
        with pytest.raises(UsageError, match="no labels server but the one"):
            servers.check(words)


def test_keys_go_into_a_build_that_asks_and_into_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILA_APP_LABELS_URL", OURS)
    without = servers.environment(["ila", "build", "pool"])
    assert not {"ILA_LABELS_API_KEY", "OPENAI_API_KEY"} & without.keys()
    assert without["PATH"] == os.environ["PATH"]
    asking = servers.environment(ASKS)
    assert asking["ILA_LABELS_API_KEY"] == "sk-ours" and asking["ILA_LABELS_URL"] == OURS
    monkeypatch.setenv("ILA_LABELS_URL", "https://other.example")
    assert servers.environment(ASKS)["ILA_LABELS_URL"] == "https://other.example"


def test_a_job_is_started_without_the_keys(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    told = "import os; print(sorted(n for n in os.environ if n.endswith('_API_KEY')))"
    process.launch(tmp_path, "job", [sys.executable, "-c", told])
    log, until = tmp_path / ".jobs" / "job.log", time.monotonic() + 30
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    told = log.read_text()
    assert "ILA_LABELS" not in told and "OPENAI" not in told and told.startswith("[")


def test_a_server_in_the_environment_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILA_LABELS_URL", "ftp://somewhere")
    with pytest.raises(UsageError, match="no address of a labels server"):
        servers.labels_server()
