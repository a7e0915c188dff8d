"""`ila doctor`: what is installed, and what a build would take."""

from __future__ import annotations

import json
from pathlib import Path

from command import cli


def test_doctor_tells_what_is_there_and_what_a_build_takes(pool: Path) -> None:
    shown = cli("doctor", pool).stdout
    assert "60 records" in shown and "encoder" in shown
    found = json.loads(cli("doctor", "--json").stdout)
    assert found["estimate"] is None and "multilingual, 512 dimensions" in found["found"]["encoder"]


def test_doctor_takes_the_options_of_build(pool: Path) -> None:
    told = cli("doctor", pool, "--projection", "mds", code=2).stderr
    assert told == (
        "ila: Unknown projection 'mds'; choose auto, umap, landmarks, tsne, pca or columns:X,Y.\n"
    )
