"""What the panel of facets reports, and the script that draws it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from facets.component import SCRIPTS, WORDS, Brush, brush_told, script


def test_a_brush_is_a_range_of_bins_or_names() -> None:
    assert brush_told({}) is None and brush_told({"brush": None}) is None
    assert brush_told({"brush": {"name": "loss", "bins": [7, 3]}}) == Brush("loss", (3, 7))
    assert brush_told({"brush": {"name": "loss", "bins": None}}) == Brush("loss")
    told = brush_told({"brush": {"name": "source", "values": ["a", ""]}})
    assert told == Brush("source", None, ("a", ""))
    assert brush_told({"brush": {"name": ""}}) == Brush("")


def test_the_script_is_one_module_that_asks_nobody() -> None:
    text = script()
    assert text.count("export default function") == 1
    assert "http:" not in text and "import " not in text and "fetch" not in text
    assert len(SCRIPTS) == len(set(SCRIPTS))


NODE = """
const text = require("fs").readFileSync(process.argv[1], "utf8");
const cut = text.replace("export default function", "const entry = function");
const asked = JSON.parse(process.argv[2]);
const inside = new Function(cut + "; return {short, percent, shownName, stretch, NumberFacet};")();
const facet = Object.assign(Object.create(inside.NumberFacet.prototype), {
  words: asked.words, facet: asked.facet,
});
console.log(JSON.stringify({
  short: asked.numbers.map(inside.short),
  spoken: asked.ranges.map(([low, high]) => facet.spoken(low, high)),
  names: asked.names.map((name) => inside.shownName({name: "language"}, name, asked.words)),
}));
"""


def by_node(tmp_path: Path, asked: dict[str, Any]) -> dict[str, Any]:
    if (node := shutil.which("node")) is None:
        pytest.skip("no node on the PATH: it runs parts of the script")
    file = tmp_path / "facets.mjs"
    file.write_text(script(), encoding="utf-8")
    subprocess.run([node, "--check", str(file)], check=True)
    line = [node, "-e", NODE, str(file), json.dumps(asked)]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def test_numbers_ranges_and_names_as_people_read_them(tmp_path: Path) -> None:
    found = by_node(
        tmp_path,
        {
            "words": WORDS,
            "facet": {"edges": [0, 1, 2, 10, 100], "whole": True, "pool": [1, 1, 1, 1]},
            "numbers": [0, 0.05, 12, 1234, 75_075, 2_500_000],
            "ranges": [[0, 1], [1, 1], [1, 2], [2, 3]],
            "names": ["en", "zh", "unknown", "", "not a code"],
        },
    )
    assert found["short"] == ["0", "0.05", "12", "1,234", "75.1k", "2.5M"]
    assert found["spoken"] == ["up to 1", "1", "1 to 9", "from 2"]
    assert found["names"] == ["English", "Chinese", "unknown", "none", "not a code"]
