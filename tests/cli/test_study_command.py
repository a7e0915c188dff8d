"""`ila study`: which settings it takes."""

from __future__ import annotations

from pathlib import Path

from command import cli


def test_study_takes_every_setting(run: Path, tmp_path: Path) -> None:
    """Each is read before the pool is found too small for a study."""
    options = ("--patches", "grid,even", "--depths", "loss", "--depth-targets", "0.5", "--seed", 1,
               "--batch-tokens", 99, "--max-length", 64, "--lr", 0.01, "--full")  # fmt: skip
    for length in (("--epochs", 2), ("--steps", 3)):
        told = cli("study", run, "--out", tmp_path / "study", "--student", "lm", "--lm", "no/where",
                   *options, *length, code=1).stderr  # fmt: skip
        assert "holds out 200 records and needs at least 600" in told
