"""The command line, run as its users run it."""

from __future__ import annotations

import subprocess
import sys


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
