"""Texts of others: shown as they are written, and harmless in a table."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parts.texts import cell, csv_bytes, plain

TURNED = re.compile(
    r"https?://[-.\w]|\bwww\.[-.\w]|[\w.+-]@\w|:material/|:[\w+-]+:"
    r"|(?:^|\s)(?:<->|->|<-|--|>=|<=|~=)(?:\s|$)",
    re.IGNORECASE,
)
"""What Streamlit replaces in a run of letters once Markdown has been read."""


def runs(marked: str) -> list[str]:
    """The runs of letters that a reader of Markdown hands on: no mark, no directive is in them."""
    parts = re.split(r":color\[((?:\\.|[^\\\]])*)\]", marked)
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", part) for part in parts]


def shown(marked: str) -> str:
    return "".join(runs(marked))


@pytest.mark.parametrize(
    "text",
    [
        "see https://evil.example/x?a=b", "HTTP://EVIL.example", "www.evil.example", "me@evil.org",
        "x :material/home: y", ":material/delete:", "a :streamlit: b", ":smile: :+1:", "a -> b",
        "<- b", "a <-> b", "x -- y", "1 >= 2", "~=", "--", "---", "-- :smile:", "&lt;b&gt; &#58;",
        "$x^2$ $$y$$", "*a* _b_ `c` # d > e | f", "- item", "+ item", "1. item", "2) item",
        ":red[x] :small[y] :color[z]", "[link](https://x.org) ![i](y)", "<b>x</b>", "a:b:c",
        ":::note", "http://:material/x:@www.y.z", "\\", "\\*", "[^1]", "12:30:45",
    ],
)  # fmt: skip
def test_nothing_in_a_text_of_others_is_turned_into_something_else(text: str) -> None:
    marked = plain(text)
    assert shown(marked) == text
    assert not any(TURNED.search(run) for run in runs(marked))
    assert not re.match(r"[-+]|\d+[.)]", marked)


@given(st.text(alphabet="wh:/@.->=<~ tpsmaeril*_[]&;1\\", max_size=30))
def test_no_text_of_others_is_turned_into_something_else(text: str) -> None:
    marked = plain(text)
    assert shown(marked) == " ".join(text.split())
    assert not any(TURNED.search(run) for run in runs(marked))


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1",
                                  " =1", "＝1"])  # fmt: skip
def test_no_cell_is_a_formula(text: str) -> None:
    frame = pd.DataFrame({text: [text, "fine"], "n": [-1.5, 2.0]})
    names, first, second = csv.reader(io.StringIO(csv_bytes(frame).decode(), newline=""))
    assert names == [f"'{text}", "n"] and first == [f"'{text}", "-1.5"]
    assert second == ["fine", "2.0"]
    assert cell("a=b") == "a=b" and cell("") == ""


def test_no_cell_ends_its_line() -> None:
    [_, row] = csv.reader(
        io.StringIO(csv_bytes(pd.DataFrame({"a": ["x\r=1"]})).decode(), newline="")
    )
    assert row == ["x\r=1"]
