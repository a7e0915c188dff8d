"""The command line, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def cli(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `ila` with these words; it must end with this exit code, and without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "ila_core.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def script(text: str, *arguments: object) -> str:
    """Run Python of the tests in a process of its own, to its good end; return what it prints."""
    places = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
