"""The report of a selection: true numbers, foreign text as text, no network, any pool."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import write_jsonl
from PIL import Image

import ila_core as ila
from ila_core.errors import UsageError
from ila_core.measure.describe import describe
from ila_core.methods.select import select_by
from ila_core.pipeline.build import build
from ila_core.report.contents import LETTERS, PAIRS, contents
from ila_core.report.picture import colours, density_picture, names, representation_picture
from ila_core.report.png import png
from ila_core.report.write import report, write_report
from ila_core.selection.spec import Spec


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>{{ 7*7 }}&amp; \'"'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ila.Landscape:
    """A pool of which every text tries to be a page."""
    folder = tmp_path_factory.mktemp("hostile")
    records = [
        {"instruction": f"{HOSTILE} ask {i}", "output": f"{HOSTILE} say {i}",
         "topic": f"{HOSTILE}{i % 2}", "source": HOSTILE}
        for i in range(40)
    ]  # fmt: skip
    pool = write_jsonl(folder / "<b>pool.jsonl", records)
    return build(pool, out=folder / "run", projection="pca", domains="column:topic")


def test_foreign_text_stays_text(hostile: ila.Landscape) -> None:
    page = Page(report(ila.select(hostile, budget=12)))
    allowed = {"html", "head", "meta", "title", "style", "body", "svg", "defs", "path", "main",
               "header", "section", "figure", "picture", "source", "img", "use", "text", "div",
               "span", "figcaption", "table", "thead", "tbody", "tr", "th", "td", "h1", "h2", "h3",
               "p", "article", "pre", "dl", "dt", "dd", "ul", "li"}  # fmt: skip
    assert {tag for tag, _ in page.tags} <= allowed
    assert not any(name.startswith("on") for _, known in page.tags for name in known)
    assert page.text.count(HOSTILE) >= 2 * 2 * PAIRS
    assert "<b>pool.jsonl" in page.text


def test_nothing_is_asked_of_the_network(hostile: ila.Landscape) -> None:
    text = report(ila.select(hostile, budget=12))
    page = Page(text)
    links = [known[name] for _, known in page.tags for name in ("src", "href", "srcset")
             if name in known]  # fmt: skip
    assert links and all(link.startswith(("data:image/png", "#")) for link in links)
    assert "url(" not in text and "@import" not in text and "default-src 'none'" in text


def test_its_numbers_are_those_of_the_selection(run: Path) -> None:
    selection = ila.select(ila.open(run), budget=12)
    said, numbers = contents(selection), describe(selection, distances=False)
    own = {line.name: line.own for line in said.lines}
    assert own["Records"] == "12" and own["Coverage"] == f"{numbers.coverage:.1%}"
    assert own["Fidelity"] == f"{numbers.fidelity:.1%}"
    text = report(selection)
    for line in said.lines:
        assert line.own in text and line.difference in text.replace("&#43;", "+")
    assert said.seeds == 5 and said.commands[-1].startswith("ila select")


def test_kept_and_left_records_stand_side_by_side(run: Path) -> None:
    selection = ila.select(ila.open(run), budget=12)
    pairs = contents(selection).pairs
    assert len(pairs) == PAIRS
    for kept, left in pairs:
        assert selection.mask[kept.row] and not selection.mask[left.row]
        assert kept.why.startswith("Kept") and left.why.startswith("Left")
    assert kept.instruction in Page(report(selection)).text


def test_long_texts_are_cut_and_that_is_told(tmp_path: Path) -> None:
    records = [{"instruction": f"{i} " + "word " * 2000, "output": "yes"} for i in range(4)]
    pool = write_jsonl(tmp_path / "pool.jsonl", records)
    selection = ila.select(build(pool, out=tmp_path / "run", projection="pca"), budget=2)
    [(kept, _), _] = contents(selection).pairs
    assert (
        len(kept.instruction) == LETTERS and kept.more == len(records[0]["instruction"]) - LETTERS
    )
    assert "and 8,802 more characters" in Page(report(selection)).text


@pytest.mark.parametrize("records", [1, 2, 14])
def test_small_pools(tmp_path: Path, records: int) -> None:
    lines = [{"instruction": f"写一首诗 {i}", "output": "اكتب قصيدة"} for i in range(records)]
    pool = write_jsonl(tmp_path / "pool.jsonl", lines)
    landscape = build(pool, out=tmp_path / "run", projection="pca", loss="none")
    text = report(ila.select(landscape, budget=1))
    assert "1 of" in text and "not known" in text and len(text) < 2_000_000
    if records > 1:
        assert "写一首诗" in text and "اكتب قصيدة" in text


def test_a_landscape_of_arrays_and_one_place(tmp_path: Path) -> None:
    flat = ila.Landscape.from_arrays([[3.0, 3.0]] * 50, depth=np.arange(50))
    text = report(ila.select(flat, budget=10))
    assert "10 of 50 records" in text and "Records to judge by" not in text


def test_locks_are_told(run: Path) -> None:
    spec = Spec(budget="12", pinned=(3,), excluded=(5, 6))
    selection = select_by(ila.open(run), spec)
    text = Page(report(selection)).text
    assert "by loss reduction; by hand 1 pinned, 2 excluded." in text
    assert "1 record was pinned by hand" in text
    assert "2 records were excluded" in text


def test_it_says_what_the_names_are(run: Path) -> None:
    landscape = ila.open(run)
    assert "words that tell a region" in report(ila.select(landscape, budget=5))
    manifest = {**landscape.manifest, "settings": {"domains": "column:topic"}}
    given = replace(landscape, manifest=manifest)
    assert "as the field topic tells them" in report(ila.select(given, budget=5))


def test_pictures_are_the_map(run: Path) -> None:
    landscape = ila.open(run)
    selection = ila.select(landscape, budget=12)
    for picture in (density_picture(landscape), representation_picture(selection)):
        shades = {}
        for theme, uri in picture.files.items():
            file = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
            shades[theme] = np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"))
        light, dark = shades["light"], shades["dark"]
        assert light.shape == dark.shape and (light != dark).any()
        shown = light[..., 3] > 0
        assert 0 < shown.mean() < 1 and (shown == (dark[..., 3] > 0)).all()
    placed = names(landscape)
    assert placed and all(name.text for name in placed)


def test_a_png_is_what_was_drawn() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 7), dtype=np.uint8)
    table = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    seen = np.asarray(Image.open(io.BytesIO(png(pixels, table))).convert("RGBA"))
    assert (seen[..., :3] == table[pixels]).all()
    assert ((seen[..., 3] == 0) == (pixels == 0)).all()
    ramp = colours(("#102030", "#506070", "#ffffff"))
    assert ramp[128].tolist() == [0x50, 0x60, 0x70]


def test_it_is_written_as_html_alone(run: Path, tmp_path: Path) -> None:
    selection = ila.select(ila.open(run), budget=12)
    path = write_report(selection, tmp_path / "report.html")
    assert re.match(r"<!doctype html>", path.read_text(encoding="utf-8"))
    with pytest.raises(UsageError, match=r"name it .*report\.html"):
        write_report(selection, tmp_path / "report.pdf")


def test_the_command_writes_it(run: Path, tmp_path: Path) -> None:
    from command import cli

    out = tmp_path / "report.html"
    done = cli("report", run, "--budget", 12, "--out", out)
    assert "needs no network" in done.stderr and "12 of 60 records" in out.read_text()
    assert "--out" in cli("report", run, "--budget", 12, code=2).stderr
