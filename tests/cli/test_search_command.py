"""`ila search`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ila_core.cli import main


def test_words(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", str(run), "spiders -2", "--limit", "3"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len(lines) == 3 and all("spiders" in line for line in lines)
    assert "12 records found, the first 3 shown" in told.err


def test_options_may_stand_before_and_between_words(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for line in (["a", "short", "poem", "--meaning"], ["--meaning", "a", "short", "poem"],
                 ["a", "--limit", "20", "short", "--meaning", "poem"]):  # fmt: skip
        assert main(["search", str(run), *line]) == 0
        told.append(capsys.readouterr().out)
    assert "haiku" in told[0] and told[0] == told[1] == told[2]


def test_json_by_meaning(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", str(run), "a short poem", "--meaning", "--json", "--limit", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["found"] is None
    assert ["haiku" in hit["instruction"] for hit in found["hits"]] == [True, True]
    assert found["hits"][0]["cosine"] >= found["hits"][1]["cosine"]


def test_like_a_record_among_some(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["search", str(run), "--like", "1", "--only", "tokens=1..", "--json", "--limit", "5"]
    assert main(line) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert len(hits) == 5 and all("spiders" in hit["instruction"] for hit in hits)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Give words to search for, or --like ROW, one of the two."),
        (["a", "--like", "1"], "one of the two"),
        (["--like", "1", "--meaning"], "leave --meaning out"),
        (['"open'], "a quotation mark that is not closed"),
        (["a", "--only", "colour=red"], "sorts by 'colour'"),
        (["--like", "999"], "Row 999 does not exist"),
    ],
)
def test_wrong_usage(
    run: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", str(run), *words]) == 2
    assert says in capsys.readouterr().err
