"""A build from pool to landscape: what is made, what is made again, what goes on after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.pipeline import apart, step
from ila_core.pipeline.build import build
from ila_core.pipeline.ingesting import Read
from ila_core.pipeline.scoring import ScoreByNgrams
from ila_core.progress import Monitor

ARTIFACTS = ("manifest.json", "records.parquet", "rejects.jsonl", "embeddings.npy",
             "landscape.parquet")  # fmt: skip


def states(run: Path) -> dict[str, str]:
    progress = json.loads((run / "progress.json").read_text())
    return {stage["stage"]: stage["state"] for stage in progress["stages"]}


def test_a_build_makes_every_artifact(run: Path) -> None:
    assert all((run / name).is_file() for name in ARTIFACTS)
    landscape = ila.open(run)
    assert len(landscape) == 60
    assert np.isfinite(landscape.loss).all() and (landscape.loss > 0).all()
    assert ((landscape.relative_depth > 0) & (landscape.relative_depth < 1)).all()
    assert landscape.records.take([7])[0].instruction == small_pool()[7]["instruction"]


def test_the_manifest_says_what_was_done(run: Path, pool: Path) -> None:
    manifest = ila.open(run).manifest
    assert manifest["counts"]["kept"] == manifest["counts"]["read"] == 60
    assert manifest["inputs"][0]["name"] == "pool.jsonl"
    assert manifest["settings"]["projection"] == "pca"
    assert "--projection pca" in manifest["command"] and str(pool) in manifest["command"]
    assert set(manifest["stages"]) >= {"records", "embedding", "projection", "loss", "domains"}


def test_the_same_input_gives_the_same_bytes(pool: Path, run: Path, tmp_path: Path) -> None:
    build(pool, out=tmp_path / "again", projection="pca")
    for name in ("records.parquet", "embeddings.npy", "landscape.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes(), name


def test_another_projection_embeds_and_scores_nothing_again(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = build(pool, out=out, projection="columns:score,score")
    assert "reused" not in states(out).values()
    second = build(pool, out=out, projection="pca")
    assert first.fingerprint != second.fingerprint, "what is cached of one map is not another's"
    again = states(out)
    assert {again[name] for name in ("records", "embedding", "loss", "domains")} == {"reused"}
    assert again["projection"] == "done"


def test_other_fields_of_the_same_pool_are_embedded_and_scored_anew(
    pool: Path, tmp_path: Path
) -> None:
    turned = {"projection": "pca", "map": "instruction=output,response=instruction"}
    build(pool, out=tmp_path / "run", projection="pca")
    again = build(pool, out=tmp_path / "run", **turned)
    fresh = build(pool, out=tmp_path / "fresh", **turned)
    assert np.array_equal(again.vectors, fresh.vectors)
    assert np.array_equal(again.loss, fresh.loss) and np.array_equal(again.tokens, fresh.tokens)


def test_a_quality_in_words_is_no_score(tmp_path: Path) -> None:
    records = [
        {**record, "quality": "good", "complexity": float(row)}
        for row, record in enumerate(small_pool(20))
    ]
    pool = write_jsonl(tmp_path / "p.jsonl", records)
    landscape = build(pool, out=tmp_path / "run", projection="pca")
    assert set(landscape.scores) == {"complexity"}
    by_depth = np.argsort(-landscape.depth, kind="stable")
    assert ila.select(landscape, budget=1, method="deita").rows.tolist() == [by_depth[0]]


def test_labels_of_a_named_column_are_those_that_count(pool: Path, tmp_path: Path) -> None:
    landscape = build(pool, out=tmp_path / "run", projection="pca", labels="column:topic")
    assert landscape.labels_of([7, 3]) == [(small_pool()[row]["topic"],) for row in (7, 3)]


def test_labels_no_longer_asked_for_are_not_left_behind(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    landscape = build(pool, out=out, projection="pca", labels="column:topic")
    assert (out / "labels.parquet").is_file()
    assert [len(found) for found in landscape.labels_of([7, 3])] == landscape.skills[
        [7, 3]
    ].tolist()
    assert all(landscape.labels_of(range(len(landscape))))
    landscape = build(pool, out=out, projection="pca", labels="none")
    assert not (out / "labels.parquet").exists()
    assert landscape.labels_of([7, 3]) == [(), ()]


def test_another_pool_is_refused_and_nothing_is_lost(run: Path, tmp_path: Path) -> None:
    other = write_jsonl(tmp_path / "other.jsonl", small_pool(20))
    kept = shutil.copytree(run, tmp_path / "run")  # its progress tells of the refusal afterwards
    with pytest.raises(RunError, match=r"another pool.*\(pool.jsonl\)"):
        build(other, out=kept, projection="pca")
    assert (kept / "manifest.json").read_bytes() == (run / "manifest.json").read_bytes()
    assert len(ila.open(kept)) == 60


def test_given_columns_become_loss_places_labels_and_domains(pool: Path, tmp_path: Path) -> None:
    landscape = build(
        pool,
        out=tmp_path / "run",
        projection="columns:score,score",
        loss="column:score",
        domains="column:topic",
        labels="column:topic",
    )
    assert landscape.loss.tolist() == [float(i) for i in range(60)]
    assert landscape.xy[5].tolist() == [5.0, 5.0]
    assert set(landscape.domain_names) == {"arithmetic", "poetry", "trivia", "translation"}
    assert (landscape.skills == 1).all()
    assert (landscape.tokens > 0).all()


def test_bare_instructions_are_selected_by_coverage_alone(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", [{"instruction": f"Task {i}"} for i in range(30)])
    with pytest.raises(IlaError, match="--loss none"):
        build(pool, out=tmp_path / "run", projection="pca")
    landscape = build(pool, out=tmp_path / "run", projection="pca", loss="none")
    assert np.isnan(landscape.depth).all()
    assert len(ila.select(landscape, budget=10).rows) == 10


def test_a_column_with_gaps_gives_missing_depths_and_says_so(tmp_path: Path) -> None:
    records = small_pool(40)
    for record in records[:3]:
        record["score"] = "n/a"
    landscape = build(
        write_jsonl(tmp_path / "p.jsonl", records),
        out=tmp_path / "run",
        projection="pca",
        loss="column:score",
    )
    assert np.isnan(landscape.depth[:3]).all() and landscape.missing == 3
    told = "No loss and no depth: 3 of 40 records (3 no finite number in score)."
    assert told in landscape.manifest["notes"]


def test_a_labels_server_that_cannot_be_is_told_before_anything_is_read(tmp_path: Path) -> None:
    server = {"labels": "endpoint", "labels_url": "ftp://x", "labels_model": "m"}
    with pytest.raises(UsageError, match="'ftp://x' is no address"):
        build(tmp_path / "absent.jsonl", out=tmp_path / "run", **server)


def test_a_pool_that_changes_while_it_is_read_is_not_taken(pool: Path, tmp_path: Path) -> None:
    growing = tmp_path / "pool.jsonl"
    growing.write_bytes(pool.read_bytes())

    def grow(monitor: Monitor) -> None:
        if [stage.name for stage in monitor.running] == ["records"]:
            with open(growing, "ab") as stream:
                stream.write(b'{"instruction": "Late?", "output": "Yes."}\n')

    with pytest.raises(IlaError, match="changed while it was read"):
        build(growing, out=tmp_path / "run", projection="pca", listener=grow)
    grown = len(growing.read_bytes().splitlines())
    assert len(build(growing, out=tmp_path / "run", projection="pca")) == grown > 60


def test_embeddings_of_the_wrong_shape_name_both_shapes(pool: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((7, 4), np.float32))
    with pytest.raises(UsageError, match=r"\(7, 4\).*60"):
        build(pool, out=tmp_path / "run", embeddings=str(tmp_path / "v.npy"), projection="pca")


def test_a_failed_option_keeps_the_landscape_that_was_there(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    build(pool, out=out, projection="pca")
    before = (out / "landscape.parquet").read_bytes()
    with pytest.raises(IlaError):
        build(pool, out=out, projection="pca", loss="column:absent")
    assert (out / "landscape.parquet").read_bytes() == before
    assert json.loads((out / "progress.json").read_text())["state"] == "failed"
    assert len(ila.open(out)) == 60


@pytest.mark.parametrize("after", [0.3, 1.0, 2.0])
def test_a_killed_build_goes_on_and_ends_the_same(
    pool: Path, run: Path, tmp_path: Path, after: float
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "ila_core.cli", "build", str(pool), "--out", str(out)]
    command += ["--projection", "pca"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    for name in ("records.parquet", "embeddings.npy", "landscape.parquet"):
        assert (out / name).read_bytes() == (run / name).read_bytes(), name


def test_a_stopped_build_says_so(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "ila_core.cli", "build", str(pool), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (out / "progress.json").is_file():
        time.sleep(0.05)
    process.terminate()
    _, told = process.communicate()
    # Python ends itself by SIGINT where it was stopped while a compiled module ran code of its own;
    # to a shell both are 130
    assert process.returncode in (130, -signal.SIGINT) and "Traceback" not in told
    assert "ila: stopped; what was finished is kept." in told
    state = json.loads((out / "progress.json").read_text())
    assert state["state"] == "stopped" and state["pid"] == process.pid
    with pytest.raises(RunError, match="half there"):
        ila.open(out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(pool: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(IlaError, match="cannot be written"):
        build(pool, out=tmp_path / "run")


# -- what is made anew ----------------------------------------------------------------------------


def test_an_upgrade_takes_up_no_stage_that_it_would_make_otherwise(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    build(pool, out=out, projection="pca")
    build(pool, out=out, projection="pca")
    assert set(states(out).values()) == {"reused", "done"} and states(out)["loss"] == "reused"
    monkeypatch.setattr(ScoreByNgrams, "version", ScoreByNgrams.version + 1)
    monkeypatch.setattr(step, "__version__", "99.0")
    again = build(pool, out=out, projection="pca").manifest
    made = states(out)
    assert made["loss"] == made["landscape"] == "done"
    assert made["embedding"] == made["projection"] == made["records"] == "reused"
    by = {name: stage["made_by"] for name, stage in again["stages"].items()}
    assert by["landscape"] == "99.0" and by["embedding"] == ila.__version__


def test_a_stage_of_which_all_others_are_made_is_made_anew_with_them(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(pool, out=tmp_path / "run", projection="pca")
    monkeypatch.setattr(Read, "version", Read.version + 1)
    build(pool, out=tmp_path / "run", projection="pca")
    assert "reused" not in states(tmp_path / "run").values()


def test_the_manifest_names_the_version_of_every_library(run: Path) -> None:
    versions = ila.open(run).manifest["versions"]
    assert {"numpy", "numba", "scikit-learn", "umap-learn", "pynndescent", "torch", "tokenizers",
            "transformers", "sentence-transformers", "model2vec"} <= versions.keys()  # fmt: skip


def test_a_pool_of_a_file_and_its_copy_is_another_pool_than_the_file(
    pool: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(pool.read_bytes())
    both = build([pool, copy], out=tmp_path / "run", projection="pca")
    assert len(both) == 120
    with pytest.raises(RunError, match=r"another pool.*\(pool.jsonl, copy.jsonl\)"):
        build([pool], out=tmp_path / "run", projection="pca")
    assert len(ila.open(tmp_path / "run")) == 120


# -- the process beside ---------------------------------------------------------------------------


@pytest.mark.parametrize("printed", ["Loading the model ...", '{"progress": 3}', "7"])
def test_what_a_library_prints_never_ends_the_process_beside(
    pool: Path, tmp_path: Path, printed: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"print({printed!r}, flush=True)\n")
    (tmp_path / "build.py").write_text(
        "import sys, ila_core as ila\n"
        "done = []\n"
        "def listen(monitor):\n"
        "    done.extend(s.done for s in monitor.stages if s.name == 'loss')\n"
        "ila.build(sys.argv[1], out=sys.argv[2], projection='pca', listener=listen)\n"
        "print('reached', max(done), flush=True)\n"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    }
    done = subprocess.run(
        [sys.executable, str(tmp_path / "build.py"), str(pool), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "reached 120" in done.stdout and printed in done.stderr
    assert np.isfinite(ila.open(tmp_path / "run").loss).all()


def test_domains_made_beside_the_map_are_those_made_behind_it(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(pool, out=tmp_path / "behind")
    monkeypatch.setattr(apart, "LARGE", 10)
    begun: list[str] = []
    start = apart._Process.__init__

    def note(process: Any, step: Any, stage: Any, *others: Any) -> None:
        begun.append(stage.name)
        start(process, step, stage, *others)

    monkeypatch.setattr(apart._Process, "__init__", note)
    build(pool, out=tmp_path / "beside")
    assert begun == ["loss", "domains"]
    assert states(tmp_path / "beside")["domains"] == "done"
    name = "landscape.parquet"
    assert (tmp_path / "beside" / name).read_bytes() == (tmp_path / "behind" / name).read_bytes()
    build(pool, out=tmp_path / "beside")
    assert begun == ["loss", "domains"] and states(tmp_path / "beside")["domains"] == "reused"


@pytest.mark.parametrize("after", [0.0, 1.5])
def test_a_process_beside_ends_with_a_build_that_is_killed(
    pool: Path, tmp_path: Path, after: float
) -> None:
    """At once, before it has imported anything, and while it works."""
    records = ila.build(pool, out=tmp_path / "run", projection="pca", loss="none").records
    task = {
        "records": {"key": "k", "file": str(records.path)},
        "folder": ["domains", "k", str(tmp_path / "domains")],
        "ray": None,
        "seed": 0,
        "vectors": {"key": "k", "file": str(tmp_path / "run" / "embeddings.npy")},
    }
    (tmp_path / "domains").mkdir()
    # The parent starts the process, whose stage lasts for a minute, and is killed.
    (tmp_path / "parent.py").write_text(
        "import json, os, subprocess, sys, time\n"
        "task = json.loads(sys.argv[1]) | {'build': os.getpid()}\n"
        "code = 'import json, sys, time\\n'\n"
        "code += 'from ila_core.pipeline import apart\\n'\n"
        "code += 'apart.carry_out = lambda *_: time.sleep(60)\\n'\n"
        "code += 'apart.main(json.loads(sys.argv[1]))'\n"
        "print(subprocess.Popen([sys.executable, '-c', code, json.dumps(task)]).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), json.dumps(task)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(after)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 20
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _runs(child)


def _runs(process: int) -> bool:
    """Tell whether a process is there and has not ended: nobody may have asked how."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("loss", "Scoring the responses ended with exit code 3; what was finished is kept"),
        ("domains", "Dividing the pool into domains ended with exit code 3; what was finished"),
    ],
)
def test_a_process_beside_that_ends_is_told(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, told: str
) -> None:
    start = subprocess.Popen

    def broken(command: list[str], **options: Any) -> Any:
        ended = [sys.executable, "-c", "raise SystemExit(3)"]
        mine = json.loads(command[-1])["folder"][0] == stage
        return start(ended if mine else command, **options)

    monkeypatch.setattr(apart, "LARGE", 10)
    monkeypatch.setattr(apart.subprocess, "Popen", broken)
    with pytest.raises(IlaError, match=told):
        build(pool, out=tmp_path / "run")


# -- told early -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "lm", "lm": "no/such-model"}, "no/such-model"),
        ({"loss": "column:topic"}, "no finite number"),
        ({"depth_column": "topic"}, "no finite number"),
        ({"projection": "columns:score,topic"}, "every record needs its place"),
        ({"tokenizer": "no/such-tokenizer", "loss": "none"}, "no/such-tokenizer"),
    ],
)
def test_what_cannot_be_made_is_told_before_the_long_stages(
    pool: Path, tmp_path: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(IlaError, match=message):
        build(pool, out=tmp_path / "run", **options)
    assert "projection" not in states(tmp_path / "run")
