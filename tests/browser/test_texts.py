"""Texts of others in a real browser: what is read there is what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import serving

from ila_core.paths import APP

TEXTS = [
    "see https://evil.example/x now", "www.evil.example", "me@evil.org", "x :material/home: y",
    "a :streamlit: b", ":smile: :+1:", "a -> b", "<- b", "a <-> b", "x -- y", "1 >= 2", "~=",
    "&lt;b&gt; &amp; &#58;", "$x^2$ and $y$", "*a* _b_ `c`", "# head", "- item", "1. item",
    ":red[x] :small[y]", "[link](https://x.org)", "![image](https://x.org/y.png)", "<b>x</b>",
    "[^1]", "> quote", "| a | b |",
]  # fmt: skip
SCRIPT = f"""
import sys
sys.path.insert(0, {str(APP)!r})
import streamlit as st
from parts.texts import plain
for number, text in enumerate({TEXTS!r}):
    with st.container(key=f"text{{number}}"):
        st.markdown(plain(text))
        st.caption(plain(text))
        st.button(plain(text), key=f"button{{number}}")
        st.error(plain(text))
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a page that shows every text as the app shows texts of others."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with serving(tmp_path, script) as page:
        yield page.address


def test_texts_of_others_are_read_as_they_are_written(chromium: Any, address: str) -> None:
    page = chromium.new_context().new_page()
    page.set_default_timeout(120_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.locator(f".st-key-text{len(TEXTS) - 1} [data-testid=stAlert]").wait_for()
    for number, text in enumerate(TEXTS):
        box = page.locator(f".st-key-text{number}")
        read = [one.inner_text() for one in box.locator("[data-testid=stMarkdownContainer]").all()]
        read += [one.inner_text() for one in box.locator("[data-testid=stCaptionContainer]").all()]
        assert {one.strip() for one in read} == {text}, json.dumps([text, read])
        assert box.locator("a, img, code, em, strong, li, h1, .katex").count() == 0, text
    assert not any("evil" in url or "x.org" in url for url in asked)
