"""A pool and links that were made to harm whoever looks at them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from conftest import write_jsonl
from served import opened_on, serving

import ila_core as ila

TRICKS = [
    "<script>window.hit = 1</script>", "<img src=x onerror='window.hit = 1'>",
    "<img src='https://evil.example/pixel.png'>", "![seen](https://evil.example/seen.png)",
    "[click](https://evil.example)", "https://evil.example/x", "javascript:window.hit=1",
    "<a href='https://evil.example'>here</a>", "<iframe src='https://evil.example'></iframe>",
    "<svg onload='window.hit=1'><use href='https://evil.example/#x'/></svg>", ":material/home:",
    "<style>@import 'https://evil.example/x.css';</style>", "\u202etxt.exe", "$\\href{a}{b}$",
    "'\"><b onmouseover=window.hit=1>bold</b>", "</textarea><script>window.hit=1</script>",
]  # fmt: skip
FIELD = "<img src=x onerror=window.hit=1> https://evil.example/field"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page on a pool all of whose texts, labels, fields and names are tricks."""
    folder = tmp_path_factory.mktemp("hostile")
    records: list[dict[str, object]] = [
        {
            "instruction": f"{TRICKS[i % len(TRICKS)]} {i}",
            "output": f"{TRICKS[-1 - i % len(TRICKS)]} {i}",
            "labels": [TRICKS[i % 3], TRICKS[i % 5]],
            "source": TRICKS[i % 4],
            FIELD: TRICKS[i % 2],
        }
        for i in range(60)
    ]
    pool = write_jsonl(folder / "<img src=x onerror=window.hit=1>.jsonl", records)
    ila.build(pool, out=folder / "run", projection="pca", domains="column:source")
    with serving(folder, **opened_on(folder / "run", folder)) as page:
        yield page.address


def looked_at(chromium: Any, address: str, wanted: str, waits_for: str) -> str:
    """Open a page and return its text: nothing ran on it, and it asked nobody else for anything."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/{wanted}")
    page.get_by_text(waits_for, exact=False).first.wait_for()
    page.wait_for_timeout(1_000)
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert page.evaluate("window.hit") is None
    foreign = "a[href*=evil], img[src*=evil], img[src='x'], iframe[src*=evil], [onerror], [onload]"
    assert page.locator(foreign).count() == 0
    text = str(page.locator("body").inner_text())
    page.context.close()
    return text


def test_a_record_its_labels_and_its_fields_are_texts(chromium: Any, address: str) -> None:
    query = {"record": 1, "layer": "domain", "fields": f"field.{FIELD}".replace(",", "%2C")}
    looked_at(chromium, address, f"?{urlencode(query)}", f"{TRICKS[1]} 1")
    query = {"record": 4, "q": "evil"}
    looked_at(chromium, address, f"?{urlencode(query)}", f"{TRICKS[4]} 4")


def test_the_pools_own_name_and_the_other_screens(chromium: Any, address: str) -> None:
    for screen, waits_for in (("data_view", "Data"), ("export_view", "report"),
                              ("compare_view", "Compare")):  # fmt: skip
        looked_at(chromium, address, screen, waits_for)


@pytest.mark.parametrize("trick", [TRICKS[1], TRICKS[3], "javascript:window.hit=1", FIELD])
def test_a_link_that_was_made_to_harm(chromium: Any, address: str, trick: str) -> None:
    names = ("method", "layer", "q", "fields", "mine", "study", "build", "landscape", trick)
    query = urlencode({name: trick for name in names if name != "landscape"})
    assert "makes no sense" in looked_at(chromium, address, f"?{query}", "makes no sense")
    query = urlencode({"landscape": trick, "study": trick})
    looked_at(chromium, address, f"?{query}", "cannot be opened")
