"""What the map reports, and the script that draws it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from canvas.component import SCRIPTS, Pick, news, script
from ila_core.landscape.region import MOST_CORNERS, Box, Lasso


def told(**parts: object) -> dict[str, object]:
    return {"told": parts}


def test_a_window_is_a_box_and_the_whole_map_is_none() -> None:
    near = {"box": [-1, 0, 2.5, 3], "at": 3}
    assert news(told(window=near), {}) == {"window": (3, Box(-1, 0, 2.5, 3))}
    assert news(told(window={"box": None, "at": 4}), {"window": 3}) == {"window": (4, None)}
    assert news({}, {}) == {}


def picked(region: object, record: int | None = None) -> Pick:
    return news(told(pick={"region": region, "record": record, "at": 1}), {})["pick"][1]


def test_a_pick_is_a_place_and_perhaps_a_record() -> None:
    assert picked({"box": [0, 0, 1, 1]}) == Pick(Box(0, 0, 1, 1), None)
    lasso = {"points": [[0, 0], [1, 0], [0, 1]]}
    assert picked(lasso, 0) == Pick(Lasso(((0, 0), (1, 0), (0, 1))), 0)
    assert picked(None) == Pick(None, None)
    assert picked({"points": [[0, 0], [1, 0]]}) == Pick(None, None)


def test_what_was_seen_is_no_news_and_nothing_is_lost_where_two_come_at_once() -> None:
    both = told(window={"box": None, "at": 9}, pick={"region": {"box": [0, 0, 1, 1]}, "at": 8})
    assert set(news(both, {"window": 2, "pick": 3})) == {"window", "pick"}
    assert set(news(both, {"window": 9, "pick": 3})) == {"pick"}
    assert news(both, {"window": 9, "pick": 8}) == {}
    assert set(news(both, {"window": 40, "pick": 8})) == {"window"}  # of a map opened anew


def test_a_long_lasso_is_simplified_as_soon_as_it_is_told() -> None:
    turn = [[k % 50, k // 50 + 0.01 * k] for k in range(400)]
    region = picked({"points": turn}).region
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
