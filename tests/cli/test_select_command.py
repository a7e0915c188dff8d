"""`ila select`: what it writes, what it prints, where, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import cli
from conftest import small_pool, write_jsonl
from studies_made import advising

import ila_core as ila
from ila_core.selection.spec import Spec
from ila_core.studies.advice import Advice

SELECT_KEYS = [
    "method", "budget", "patches", "depth", "depth_target", "rows", "resolution", "occupied",
    "rounds", "tokens", "coverage", "reach", "fidelity", "mean_relative_depth",
    "domain_share", "domain_divergence", "embedding_distance_mean", "embedding_distance_p95",
    "reference_grid",
]  # fmt: skip


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
    assert set(records[0]["_ila"]) == {"row", "loss", "loss_reduction", "tokens", "skills",
                                       "depth", "relative_depth", "domain",
                                       "round", "order"}  # fmt: skip
    cli("select", run, "--budget", 5, "--out", tmp_path / "s.parquet", "--format", "parquet")
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.num_rows == 5 and {"x", "y", "text"} <= set(table.column_names)
    assert table.column("row").to_pylist() == [record["_ila"]["row"] for record in records]


def test_a_part_to_validate_with_and_the_whole_pool(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    out = tmp_path / "best.jsonl"
    told = cli("select", run, "--budget", 20, "--out", out, "--validation", "20%").stderr
    held = tmp_path / "best.validation.jsonl"
    assert f"16 records written to {out}" in told and f"4 records written to {held}" in told
    lines = [file.read_text().splitlines() for file in (out, held)]
    assert [len(part) for part in lines] == [16, 4] and not set(lines[0]) & set(lines[1])
    out = tmp_path / "pool.parquet"
    told = cli("select", run, "--budget", 20, "--out", out, "--format", "pool-parquet").stderr
    assert f"60 records written to {out}, 20 of them kept" in told
    assert sum(pq.read_table(out).column("kept").to_pylist()) == 20


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
        (("--budget", "5", "--patches", "grid", "--resolution", "8193"), 2, "8192"),
        (("--budget", "5", "--resolution", "61"), 2, "only 60 records"),
        (("--budget", "5", "--resolution", "fine"), 2, "fine"),
        (("--budget", "5", "--method", "best"), 2, "ila, nested"),
        (("--budget", "5", "--depth-target", "2"), 2, "2"),
        (("--budget", "5", "--pin", "absent.txt"), 2, "absent.txt"),
        (("--budget", "5", "--method", "ifd"), 1, "--unconditional"),
        (("--budget", "5", "--dataset-info"), 2, "--out"),
        (("--budget", "5", "--validation", "5%"), 2, "--out"),
        (("--budget", "5", "--validation", "most", "--out", "s.jsonl"), 2, "most"),
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
    places = {tmp_path / "file" / "s.jsonl": 1, tmp_path: 2, "/proc/s.jsonl": 1, "/dev/stdout": 1}
    for place, code in places.items():
        told = cli("select", run, "--budget", 5, "--out", place, code=code).stderr
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


def test_a_budget_over_the_pool_chooses_all(run: Path) -> None:
    assert json.loads(cli("select", run, "--budget", "1000", "--json").stdout)["rows"] == 60


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


def test_a_knob_that_the_method_does_not_read_is_told(run: Path) -> None:
    knobs = ("--budget", 5, "--resolution", 4, "--depth-target", 0.5)
    assert cli("select", run, *knobs).stderr == ""
    told = cli("select", run, *knobs, "--method", "nested").stderr
    assert told == "note: --resolution is not read by nested.\n"
    assert len(cli("select", run, *knobs, "--method", "random").stderr.splitlines()) == 2


# -- the advice of a study ------------------------------------------------------------------------

ADVICE = Advice(Spec(patches="grid", depth="loss", depth_target=0.5), False, -0.125, 0.25)


@pytest.fixture
def study(run: Path, tmp_path: Path) -> Path:
    return advising(ila.open(run), tmp_path / "study", ADVICE)


def test_the_advice_of_a_study_is_taken_over_and_told(run: Path, study: Path) -> None:
    done = cli("select", run, "--budget", 12, "--advice", study, "--json")
    by_hand = cli("select", run, "--budget", 12, *str(ADVICE).split(), "--json")
    assert done.stdout == by_hand.stdout
    numbers = json.loads(done.stdout)
    knobs = {name: numbers[name] for name in ("patches", "depth", "depth_target")}
    assert knobs == {"patches": "grid", "depth": "loss", "depth_target": 0.5}
    assert "note: Nothing beats random on this pool with this student" in done.stderr


def test_what_is_given_beside_the_advice_wins(run: Path, study: Path) -> None:
    asked = ("--budget", 12, "--advice", study, "--patches", "even", "--depth-target", "0.75")
    numbers = json.loads(cli("select", run, *asked, "--json").stdout)
    assert (numbers["patches"], numbers["depth"], numbers["depth_target"]) == ("even", "loss", 0.75)


def test_the_advice_for_another_landscape_is_refused(run: Path, tmp_path: Path) -> None:
    other = advising(ila.Landscape.from_arrays([[0, 0]] * 2), tmp_path / "other", ADVICE)
    told = cli("select", run, "--budget", 12, "--advice", other, code=1).stderr
    assert "holds the study of another landscape than" in told
    told = cli("select", run, "--budget", 12, "--advice", tmp_path, code=1).stderr
    assert "holds no finished study" in told
