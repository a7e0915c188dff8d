"""`ila mine`, and `ila select --mine`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import cli

import ila_core as ila


@pytest.fixture
def own(run: Path, tmp_path: Path) -> Path:
    """A landscape of the test's own."""
    return Path(shutil.copytree(run, tmp_path / "own"))


def test_what_is_saved_is_listed_used_renamed_and_deleted(own: Path, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("59\n3\n")
    (tmp_path / "no").write_text("0\n")
    assert "No selection is saved" in cli("mine", own).stderr
    cli("mine", own, "--save", "best", "--pin", tmp_path / "pin", "--exclude", tmp_path / "no",
        "--only", "tokens=3..", "--quota", "tokens:6..=2..")  # fmt: skip
    listed = cli("mine", own).stdout
    assert "best  2 pinned, 1 excluded, 1 rule, 1 quota, saved " in listed
    assert "--only tokens=3.." in listed and "--quota tokens:6..=2.." in listed
    out = tmp_path / "s.jsonl"
    shown = cli("select", own, "--budget", 12, "--mine", "best", "--out", out, "--format", "scored")
    assert "tokens:6..=2.." in shown.stdout
    rows = [json.loads(line)["_ila"]["row"] for line in out.read_text().splitlines()]
    assert rows[:2] == [59, 3] and 0 not in rows
    told = json.loads((tmp_path / "s.jsonl.manifest.json").read_text())
    assert told["mine"] == "best" and told["only"] == ["tokens=3.."] and told["excluded"] == [0]
    tokens = ila.open(own).tokens[rows[2:]]
    assert (tokens >= 3).all() and (tokens >= 6).sum() >= 2
    cli("mine", own, "--rename", "best", "better")
    assert list(json.loads(cli("mine", own, "--json").stdout)) == ["better"]
    cli("mine", own, "--delete", "better")
    assert json.loads(cli("mine", own, "--json").stdout) == {}


def test_two_selections_as_a_set_are_saved_and_written(own: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    cli("select", own, "--budget", 10, "--out", first)
    cli("select", own, "--budget", 10, "--method", "longest", "--out", second)
    landscape = ila.open(own)
    one = ila.select(landscape, budget=10).rows.tolist()
    other = ila.select(landscape, budget=10, method="longest").rows.tolist()
    wanted = one + [row for row in other if row not in one]
    told = json.loads(cli("mine", own, "--union", first, second, "--save", "both", "--json").stdout)
    assert told["pinned"] == len(wanted)
    out = tmp_path / "both.jsonl"
    cli("select", own, "--budget", len(wanted), "--mine", "both", "--out", out, "--format",
        "scored")  # fmt: skip
    rows = [json.loads(line)["_ila"]["row"] for line in out.read_text().splitlines()]
    assert rows == wanted
    cli("mine", own, "--difference", "both", second, "--save", "rest")
    left = json.loads(cli("mine", own, "--json").stdout)["rest"]["pinned"]
    assert left == len([row for row in wanted if row not in other])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--save", "x"), 2, "needs something to keep"),
        (("--only", "tokens=1.."), 2, "--only needs --save NAME"),
        (("--union", "a", "b"), 2, "--union needs --save NAME"),
        (("--union", "a", "b", "--save", "c"), 2, "no selection named 'a'"),
        (("--delete", "a", "--rename", "b", "c"), 2, "two commands"),
        (("--delete", "../manifest"), 2, "cannot be named"),
        (("--delete", "a"), 2, "no selection named 'a' to delete"),
        (("--save", "x", "--only", "taste=1"), 2, "taste"),
    ],
)
def test_wrong_usage_is_told_in_one_sentence(run: Path, arguments, code, message) -> None:
    told = cli("mine", run, *arguments, code=code).stderr.strip()
    assert message in told and len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mine", "absent"), "no selection named 'absent'"),
        (("--only", "taste=good"), "taste"),
        (("--quota", "tokens:1..=100.."), "only 60 such may be chosen"),
        (("--quota", "tokens"), "give FACET:VALUE=LEAST..MOST"),
    ],
)
def test_rules_that_cannot_be_meant_are_told_by_select(run: Path, arguments, message) -> None:
    told = cli("select", run, "--budget", 6, *arguments, code=2).stderr.strip()
    assert message in told and len(told.splitlines()) == 1


def test_one_that_cannot_be_read_is_listed_with_the_reason(own: Path) -> None:
    (own / "selections").mkdir(exist_ok=True)  # a copy of a run that others saved some in
    (own / "selections" / "half.json").write_text('{"format": 1')
    assert "half" in (told := cli("mine", own).stdout) and "is damaged" in told
