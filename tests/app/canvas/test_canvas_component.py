"""What the map reports, and the script that draws it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from canvas.component import SCRIPTS, pick_told, script, window_told
from ila_core.landscape.region import MOST_CORNERS, Box, Lasso


def test_a_window_is_a_box_and_the_whole_map_is_none() -> None:
    assert window_told({"window": {"box": [-1, 0, 2.5, 3]}}) == Box(-1, 0, 2.5, 3)
    assert window_told({"window": {"box": None}}) is None
    assert window_told({}) is None


def test_a_pick_is_a_place_and_perhaps_a_record() -> None:
    box = {"region": {"box": [0, 0, 1, 1]}, "record": None}
    assert pick_told({"pick": box}) == (Box(0, 0, 1, 1), None)
    lasso = {"region": {"points": [[0, 0], [1, 0], [0, 1]]}, "record": 0}
    assert pick_told({"pick": lasso}) == (Lasso(((0, 0), (1, 0), (0, 1))), 0)
    assert pick_told({"pick": {"region": None, "record": None}}) == (None, None)
    assert pick_told({"pick": {"region": {"points": [[0, 0], [1, 0]]}}}) == (None, None)


def test_a_long_lasso_is_simplified_as_soon_as_it_is_told() -> None:
    turn = [[k % 50, k // 50 + 0.01 * k] for k in range(400)]
    region, _ = pick_told({"pick": {"region": {"points": turn}}})
    assert isinstance(region, Lasso) and len(region.points) == MOST_CORNERS


def test_the_script_is_one_module_that_a_browser_can_read(tmp_path: Path) -> None:
    text = script()
    assert text.count("export default function") == 1
    assert "http" not in text and "import " not in text
    assert len(SCRIPTS) == len(set(SCRIPTS))
    if (node := shutil.which("node")) is None:
        pytest.skip("no node on the PATH: the syntax of the script is read by it")
    file = tmp_path / "map.mjs"
    file.write_text(text, encoding="utf-8")
    subprocess.run([node, "--check", str(file)], check=True)
