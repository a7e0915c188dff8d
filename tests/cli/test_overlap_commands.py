"""`ila duplicates`, `ila decontaminate` and `--trained`: what they print, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import cli
from conftest import small_pool, write_jsonl

import ila_core as ila


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The landscape of 60 records, of which the first ten stand in the pool twice."""
    folder = tmp_path_factory.mktemp("twice")
    pool = write_jsonl(folder / "pool.jsonl", [*small_pool(), *small_pool()[:10]])
    cli("build", pool, "--out", folder / "run", "--projection", "pca")
    return folder / "run"


def test_duplicates_are_shown_counted_and_written(twice: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    done = cli("duplicates", twice, "--keep", "first", "--out", rows)
    assert "10 of 70 records say what another one says: 10 exactly" in done.stdout
    assert done.stdout.count("alike\n") == 10 and "kept         0" in done.stdout
    assert rows.read_text().split() == [str(row) for row in range(60, 70)]
    assert f"--exclude {rows}" in done.stderr
    told = json.loads(cli("duplicates", twice, "--json").stdout)
    assert (told["left"], told["exact"], len(told["groups"])) == (10, 10, 10)
    kept = json.loads(cli("select", twice, "--budget", "100%", "--exclude", rows, "--json").stdout)
    assert kept["rows"] == 60


def test_fewer_groups_are_shown_on_request(twice: Path) -> None:
    shown = cli("duplicates", twice, "--show", 2).stdout
    assert shown.count("alike\n") == 2 and "and 8 more groups" in shown


def test_overlaps_are_shown_reported_and_written(run: Path, tmp_path: Path) -> None:
    evaluation = write_jsonl(tmp_path / "test.jsonl", [{"prompt": "add 0 and 1"}])
    rows, report = tmp_path / "rows.txt", tmp_path / "report.jsonl"
    done = cli("decontaminate", run, evaluation, "--by", "words", "--out", rows,
               "--report", report)  # fmt: skip
    assert "1 of 60 records overlap with 1 of the 1 evaluation records" in done.stdout
    assert "both: Add 0 and 1." in done.stdout
    assert rows.read_text() == "0\n"
    [match] = [json.loads(line) for line in report.read_text().splitlines()]
    assert (match["row"], match["way"], match["number"]) == (0, "whole", 1)
    told = json.loads(cli("decontaminate", run, evaluation, "--json").stdout)
    assert told["by"]["whole"] == 1 and told["left"] == len(told["matches"])


def test_no_overlap_is_said_and_leaves_an_empty_list(run: Path, tmp_path: Path) -> None:
    evaluation = write_jsonl(tmp_path / "test.jsonl", [{"prompt": "Wer hat an der Uhr gedreht?"}])
    rows = tmp_path / "rows.txt"
    done = cli("decontaminate", run, evaluation, "--out", rows)
    assert "None of the 60 records overlaps" in done.stdout and rows.read_text() == ""
    assert json.loads(cli("select", run, "--budget", 9, "--exclude", rows, "--json").stdout)


def test_what_was_trained_on_is_not_chosen_again(run: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.jsonl"
    cli("select", run, "--budget", 20, "--out", first, "--format", "trl")
    rows = tmp_path / "rows.txt"
    rows.write_text("3\n")
    asked = ("--budget", "100%", "--trained", first, "--exclude", rows)
    second = tmp_path / "second.jsonl"
    done = cli("select", run, *asked, "--out", second, "--format", "scored")
    assert "note: 20 of the 20 records trained on are 20 records of this pool." in done.stderr
    chosen = {json.loads(line)["_ila"]["row"] for line in second.read_text().splitlines()}
    before = set(ila.select(ila.open(run), budget=20).rows.tolist())
    assert chosen == set(range(60)) - before - {3}


def test_files_with_fields_of_their_own_are_sent_to_the_command_that_takes_a_map(
    run: Path, tmp_path: Path
) -> None:
    own = write_jsonl(
        tmp_path / "own.jsonl",
        [{"ask": one["instruction"], "say": one["output"]} for one in small_pool()[:5]],
    )
    told = cli("select", run, "--budget", 9, "--trained", own, code=1).stderr
    assert "fields are ask, say" in told and told.count("\n") == 1
    assert f"ila trained {run} {own} --map instruction=FIELD,response=FIELD --out rows.txt" in told
    rows = tmp_path / "rows.txt"
    cli("trained", run, own, "--map", "instruction=ask,response=say", "--out", rows)
    assert rows.read_text().split() == list("01234")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("duplicates", "RUN", "--threshold", "0"), 2, "--threshold is 0"),
        (("duplicates", "RUN", "--threshold", "1.5"), 2, "--threshold is 1.5"),
        (("duplicates", "RUN", "--keep", "last"), 2, "deepest"),
        (("duplicates", "nowhere"), 1, "nowhere"),
        (("decontaminate", "RUN", "gone.jsonl"), 1, "gone.jsonl"),
        (("decontaminate", "RUN", "gone.jsonl", "--words", "1"), 2, "--words is 1"),
        (("decontaminate", "RUN", "gone.jsonl", "--by", "luck"), 2, "both, words"),
        (("select", "RUN", "--budget", "9", "--trained", "gone.jsonl"), 1, "gone.jsonl"),
    ],
)
def test_wrong_words_are_told_in_one_sentence(run: Path, arguments, code, message) -> None:
    words = [run if word == "RUN" else word for word in arguments]
    told = cli(*words, code=code).stderr.strip()
    assert message in told and len(told.splitlines()) == 1
