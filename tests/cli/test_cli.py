"""The command line, run as its users run it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila

MADE = ("records.parquet", "rejects.jsonl", "embeddings.npy", "landscape.parquet")
SELECT_KEYS = [
    "method", "budget", "rows", "resolution", "occupied", "rounds", "tokens", "coverage",
    "fidelity", "mean_relative_depth", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
]  # fmt: skip


def cli(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ila_core.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_version_and_help() -> None:
    assert cli("--version").stdout.strip() == f"ila {ila.__version__}"
    assert "build" in cli("--help").stdout


def test_select_writes_input_lines_byte_for_byte(run: Path, pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "sel.jsonl"
    cli("select", run, "--budget", 20, "--out", out)
    lines = out.read_bytes().splitlines(keepends=True)
    assert len(lines) == 20 == len(set(lines))
    assert set(lines) <= set(pool.read_bytes().splitlines(keepends=True))
    again = tmp_path / "again.jsonl"
    cli("select", run, "--budget", 20, "--out", again)
    assert again.read_bytes() == out.read_bytes()
    rows = ila.select(ila.open(run), budget=20).rows
    records = [json.dumps(record).encode() + b"\n" for record in small_pool()]
    assert lines == [records[row] for row in rows]


def test_the_manifest_beside_an_export_repeats_it(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "sel.jsonl"
    cli("select", run, "--budget", "10%", "--method", "nested", "--out", out)
    told = json.loads((tmp_path / "sel.jsonl.manifest.json").read_text())
    assert told["method"] == "nested" and told["records"] == 6
    assert told["command"].startswith("ila select") and "--budget 10%" in told["command"]


@pytest.mark.parametrize("budget", ["12", "20%", "150-tokens"])
def test_json_is_all_there_is_on_standard_output(run: Path, budget: str) -> None:
    numbers = json.loads(cli("select", run, "--budget", budget, "--json").stdout)
    assert list(numbers)[: len(SELECT_KEYS)] == SELECT_KEYS
    assert numbers["budget"] == budget
    if budget.endswith("tokens"):
        assert numbers["tokens"] <= 150


def test_numbers_are_shown_without_json(run: Path) -> None:
    shown = cli("select", run, "--budget", 10).stdout
    assert "coverage at 256" in shown and "mean relative depth" in shown


def test_scored_and_parquet_exports(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    cli("select", run, "--budget", 5, "--out", tmp_path / "s.jsonl", "--format", "scored")
    records = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [record["_ila"]["order"] for record in records] == [0, 1, 2, 3, 4]
    assert set(records[0]["_ila"]) == {"row", "loss", "tokens", "skills", "depth",
                                       "relative_depth", "domain", "round", "order"}  # fmt: skip
    cli("select", run, "--budget", 5, "--out", tmp_path / "s.parquet", "--format", "parquet")
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.num_rows == 5 and {"x", "y", "text"} <= set(table.column_names)
    assert table.column("row").to_pylist() == [record["_ila"]["row"] for record in records]


def test_pins_and_exclusions(run: Path, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("59\n3\n")
    (tmp_path / "no").write_text("0\n1\n")
    out = tmp_path / "sel.jsonl"
    cli("select", run, "--budget", 58, "--pin", tmp_path / "pin", "--exclude", tmp_path / "no",
        "--out", out, "--format", "scored")  # fmt: skip
    rows = [json.loads(line)["_ila"]["row"] for line in out.read_text().splitlines()]
    assert rows[:2] == [59, 3] and not {0, 1} & set(rows) and len(rows) == 58


def test_dataset_info_is_registered_and_kept(run: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text('{"older": {"file_name": "x.json"}}')
    cli("select", run, "--budget", 5, "--out", tmp_path / "best.jsonl", "--dataset-info")
    register = json.loads((tmp_path / "dataset_info.json").read_text())
    assert set(register) == {"older", "best"}
    assert register["best"]["columns"] == {"prompt": "instruction", "response": "output"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--budget", "0"), 2, "0"),
        (("--budget", "-5"), 2, "-5"),
        (("--budget", "abc"), 2, "abc"),
        (("--budget", "101%"), 2, "101%"),
        (("--budget", "5", "--resolution", "0"), 2, "0"),
        (("--budget", "5", "--resolution", "8193"), 2, "8192"),
        (("--budget", "5", "--resolution", "fine"), 2, "fine"),
        (("--budget", "5", "--method", "best"), 2, "ila, nested"),
        (("--budget", "5", "--depth-target", "2"), 2, "2"),
        (("--budget", "5", "--pin", "absent.txt"), 2, "absent.txt"),
        (("--budget", "5", "--method", "ifd"), 1, "--unconditional"),
        (("--budget", "5", "--dataset-info"), 2, "--out"),
        (("--budget", "1-tokens"), 2, "less than the first record takes"),
        (("--budget", "5", "--out", "s.parquet"), 2, "add --format parquet"),
        (("--budget", "5", "--out", "s.jsonl.gz"), 2, "JSON lines"),
        (("--budget", "5", "--out", "s.jsonl", "--format", "parquet"), 2, "name it s.parquet"),
    ],
)
def test_wrong_values_are_told_in_one_sentence(run: Path, arguments, code, message) -> None:
    told = cli("select", run, *arguments, code=code).stderr.strip()
    assert message in told and len(told.splitlines()) == 1


@pytest.mark.parametrize("seed", ["-1", "4294967296", "1.5", "x"])
def test_a_seed_that_no_library_takes(run: Path, seed: str) -> None:
    assert "4294967295" in cli("select", run, "--budget", 5, f"--seed={seed}", code=2).stderr


@pytest.mark.parametrize("text", ["-1", "abc", "60", "9" * 6000, "1.0", "# 3", "1,2", "\u0663"])
def test_a_lock_that_is_no_row_names_its_line(run: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "rows.txt"
    file.write_text(f"\ufeff3\r\n\n 04 \n{text}\n", encoding="utf-8")
    told = cli("select", run, "--budget", 5, "--pin", file, code=2).stderr
    assert f"{file}, line 4" in told and "0 to 59" in told


def test_locks_that_are_not_text_and_locks_of_all(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.txt"
    file.write_bytes(b"\xff\xfe3\x00")
    assert "not UTF-8" in cli("select", run, "--budget", 5, "--exclude", file, code=2).stderr
    file.write_text("".join(f"{row}\n" for row in range(60)))
    out = tmp_path / "sel.jsonl"
    told = cli("select", run, "--budget", 5, "--exclude", file, "--out", out, code=2).stderr
    assert "All 60 records are excluded" in told and not out.exists()


def test_the_pool_and_the_landscape_are_not_overwritten(
    run: Path, pool: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.jsonl"
    own.write_bytes(pool.read_bytes())
    link = tmp_path / "link.jsonl"
    link.symlink_to(own)
    for place in (own, link):
        told = cli("select", run, "--budget", 5, "--out", place, code=2).stderr
        assert "is the pool itself" in told
    assert own.read_bytes() == pool.read_bytes()
    before = (run / "landscape.parquet").read_bytes()
    out = run / "landscape.parquet"
    told = cli("select", run, "--budget", 5, "--out", out, "--format", "parquet", code=2).stderr
    assert "part of the landscape" in told and out.read_bytes() == before


def test_an_export_of_the_whole_pool_may_be_repeated(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "one.jsonl", small_pool(1))
    cli("build", pool, "--out", tmp_path / "run", "--loss", "none")
    out = tmp_path / "all.jsonl"
    for _ in range(2):
        cli("select", tmp_path / "run", "--budget", "100%", "--out", out)
    assert out.read_bytes() == pool.read_bytes()


def test_places_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "s.jsonl", tmp_path, "/proc/s.jsonl", "/dev/stdout"):
        told = cli("select", run, "--budget", 5, "--out", place, code=1).stderr
        assert len(told.splitlines()) == 1 and str(place) in told
    deep = tmp_path / "a" / "b" / "s.jsonl"
    cli("select", run, "--budget", 5, "--out", deep)
    assert len(deep.read_bytes().splitlines()) == 5


@pytest.mark.parametrize("register", ["not JSON", "[]"])
def test_a_broken_register_is_told_before_anything_is_written(
    run: Path, tmp_path: Path, register: str
) -> None:
    (tmp_path / "dataset_info.json").write_text(register)
    out = tmp_path / "s.jsonl"
    told = cli("select", run, "--budget", 5, "--out", out, "--dataset-info", code=1).stderr
    assert "dataset_info.json" in told and not out.exists()


@pytest.mark.parametrize(
    "file",
    ["manifest.json", "records.parquet", "embeddings.npy", "landscape.parquet", "rejects.jsonl"],
)
@pytest.mark.parametrize("harm", ["cut", "garbage", "remove"])
def test_a_damaged_landscape_is_told_and_the_same_build_mends_it(
    pool: Path, run: Path, tmp_path: Path, file: str, harm: str
) -> None:
    broken = tmp_path / "run"
    build = ("build", pool, "--out", broken, "--projection", "pca")
    shutil.copytree(run, broken)
    whole = {name: (run / name).read_bytes() for name in MADE}
    part = broken / file
    for stage in broken.glob(f".stages/*/{file}"):  # linked, as the build leaves them
        part.unlink()
        part.hardlink_to(stage)
    if harm == "remove":
        part.unlink()
    else:  # in place, so that the stage's file is damaged with the public one
        part.write_bytes(part.read_bytes()[:-9] if harm == "cut" else b"\xff\0" * 50)
    commands = [("info", broken), ("select", broken, "--budget", 5, "--out", tmp_path / "s.jsonl")]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "ila_core.cli", *map(str, command)],
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr and done.returncode in (0, 1)
    cli(*build)
    assert {name: (broken / name).read_bytes() for name in MADE} == whole
    cli("select", broken, "--budget", 5)


def test_a_damaged_manifest_still_guards_its_pool(pool: Path, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    (broken / "manifest.json").write_text("{")
    other = write_jsonl(tmp_path / "other.jsonl", small_pool(20))
    told = cli("build", other, "--out", broken, "--projection", "pca", code=1).stderr
    assert "another pool" in told and (broken / "manifest.json").read_text() == "{"


def test_a_pool_that_grew_is_another_pool(pool: Path, run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    grown = tmp_path / "pool.jsonl"
    grown.write_bytes(pool.read_bytes() + b'{"instruction": "One more?", "output": "Yes."}\n')
    told = cli("build", grown, "--out", copy, "--projection", "pca", code=1).stderr
    assert "another pool, or of an earlier state of this one (pool.jsonl)" in told
    cli("select", copy, "--budget", 5)


def test_a_budget_over_the_pool_chooses_all(run: Path) -> None:
    assert json.loads(cli("select", run, "--budget", "1000", "--json").stdout)["rows"] == 60


def test_a_missing_run_is_told(tmp_path: Path) -> None:
    assert "does not exist" in cli("select", tmp_path / "no", "--budget", 5, code=1).stderr


def test_build_tells_what_was_rejected(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(40))
    with pool.open("a") as stream:
        stream.write('{"instruction": 5}\nnot json\n')
    told = cli("build", pool, "--out", tmp_path / "run", "--projection", "pca").stderr
    assert "40 of 42 records" in told and "2 rejected" in told
    assert len((tmp_path / "run" / "rejects.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("image.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        ("page.html", b"<!doctype html><html><body>hi</body></html>"),
        ("deep.json", b"[" * 100_000),
    ],
)
def test_a_file_without_a_record_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = cli("build", tmp_path / name, "--out", tmp_path / "run", code=1)
    assert name in done.stderr


def test_info_and_doctor(run: Path, pool: Path) -> None:
    assert "60 kept" in cli("info", run).stdout
    assert json.loads(cli("info", run, "--json").stdout)["counts"]["kept"] == 60
    told = cli("doctor", pool).stdout
    assert "60 records" in told and "encoder" in told


def test_compare_prints_one_row_a_method(run: Path) -> None:
    found = json.loads(cli("compare", run, "--budget", 12, "--json").stdout)
    names = [method["name"] for method in found["methods"]]
    assert len(names) == 9 and names[0] == "random"
    assert all(method["rows"] == 12 for method in found["methods"])
    assert found["methods"][0]["coverage_std"] >= 0
    assert found["overlap"]["ila"]["ila"] == 1
    assert "nested" in cli("compare", run, "--budget", 12, "--methods", "nested").stdout


def test_compare_tells_how_far_it_is_beside_its_one_object(run: Path) -> None:
    done = cli("compare", run, "--budget", 12, "--methods", "ila", "--novelty", "--json")
    assert "compare: ila, 2 of 2 methods" in done.stderr
    found = json.loads(done.stdout)
    assert [method["novelsum"] > 0 for method in found["methods"]] == [True, True]


def test_select_measures_novelty_on_request(run: Path) -> None:
    assert "NovelSum" in cli("select", run, "--budget", 12, "--novelty").stdout
    assert "novelsum" not in json.loads(cli("select", run, "--budget", 12, "--json").stdout)


def test_numbers_that_do_not_exist_are_not_shown(pool: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    cli("build", pool, "--out", bare, "--projection", "pca", "--loss", "none")
    for command in ("select", "compare"):
        shown = cli(command, bare, "--budget", 12)
        assert "nan" not in shown.stdout and "coverage" in shown.stdout
        text = cli(command, bare, "--budget", 12, "--json").stdout
        assert "NaN" not in text and json.loads(text)


def test_study_takes_every_setting(run: Path, tmp_path: Path) -> None:
    """Each is read before the pool is found too small for a study."""
    options = ("--depth-targets", "0.5", "--seed", 1, "--batch-tokens", 99, "--max-length", 64,
               "--lr", 0.01, "--full")  # fmt: skip
    for length in (("--epochs", 2), ("--steps", 3)):
        told = cli("study", run, "--out", tmp_path / "study", "--student", "lm", "--lm", "no/where",
                   *options, *length, code=1).stderr  # fmt: skip
        assert "holds out 200 records and needs at least 600" in told


def test_a_knob_that_the_method_does_not_read_is_told(run: Path) -> None:
    knobs = ("--budget", 5, "--resolution", 4, "--depth-target", 0.5)
    assert cli("select", run, *knobs).stderr == ""
    told = cli("select", run, *knobs, "--method", "nested").stderr
    assert told == "note: --resolution is read by ila alone, not by nested.\n"
    assert len(cli("select", run, *knobs, "--method", "random").stderr.splitlines()) == 2
