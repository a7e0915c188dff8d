"""Stages on Ray: the local engine's bytes, also where a worker or the build itself is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import killable
import numpy as np
import pytest
from command import cli
from conftest import small_pool, write_jsonl
from spreading import Pickling, killing_a_worker

from ila_core.blocks import row_blocks
from ila_core.distributed import fleet as fleets
from ila_core.distributed.fleet import Fleet
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.loss.ngram import score as scoring
from ila_core.loss.ngram.score import score
from ila_core.methods.select import select_by
from ila_core.pipeline.build import build
from ila_core.pool import containers
from ila_core.pool.ingest import ingest
from ila_core.pool.records import Records
from ila_core.selection.shards import select_on_shards
from ila_core.selection.spec import Spec
from ila_core.space.encode import embed
from ila_core.space.encoders import load_encoder

needs_ray = pytest.mark.usefixtures("fleet")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A Ray that is started once, for all tests of this file; its workers know the helpers too."""
    pytest.importorskip("ray", reason="the library ray is not installed: it is the extra [ray]")
    helpers = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join(helpers))
        with Fleet() as started:
            yield started


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder = tmp_path_factory.mktemp("records")
    return ingest(write_jsonl(folder / "pool.jsonl", small_pool(100)), out=folder)


def facts(run: Path) -> dict[str, Any]:
    """What a manifest says, without the engine, the clock, and what repeats them."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name in ("engine", "ray_address"):
        manifest["settings"].pop(name)
    assert ("--engine ray" in manifest.pop("command")) == (run.name == "ray")
    manifest.pop("built")
    for stage in manifest["stages"].values():
        stage.pop("seconds")
    return manifest


@needs_ray
def test_a_build_on_ray_is_the_local_one(run: Path, pool: Path, tmp_path: Path) -> None:
    build(pool, out=tmp_path / "ray", projection="pca", engine="ray")
    for name in ("records.parquet", "rejects.jsonl", "embeddings.npy", "landscape.parquet"):
        assert (tmp_path / "ray" / name).read_bytes() == (run / name).read_bytes(), name
    assert facts(tmp_path / "ray") == facts(run)


def test_results_come_in_order_and_a_failure_is_told(fleet: Fleet) -> None:
    def prepare() -> Callable[[int], int]:
        def halve(number: int) -> int:
            if number % 2:
                raise IlaError(f"{number} is odd; give even numbers.")
            return number // 2

        return halve

    assert list(fleet(prepare, range(0, 20, 2))) == list(range(10))
    with pytest.raises(IlaError, match="5 is odd; give even numbers"):
        list(fleet(prepare, [2, 5, 8]))


def test_a_worker_killed_while_it_reads(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "PIECE", 8192)
    pool = write_jsonl(tmp_path / "pool.jsonl", small_pool(1700))

    def spread(prepare: Any, pieces: Iterator[Any], **options: Any) -> Iterator[Any]:
        return killing_a_worker(fleet, tmp_path / "mark")(prepare, list(pieces), **options)

    for name, how in (("whole", None), ("fleet", fleet), ("killed", spread)):
        ingest(pool, out=tmp_path / name, spread=how)
    for name in ("fleet", "killed"):
        for file in ("records.parquet", "rejects.jsonl"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert (tmp_path / "mark").read_text() == "killed\n"


def test_a_worker_killed_while_it_encodes(fleet: Fleet, records: Records, tmp_path: Path) -> None:
    n, mark = len(records), tmp_path / "mark"
    whole, parts = tmp_path / "whole.npy", tmp_path / "parts.npy"
    embed(records.instructions, n, load_encoder(), out=whole)
    spread = killing_a_worker(fleet, mark)
    embed(records.instructions, n, load_encoder(), out=parts, spread=spread, batch=8)
    assert mark.read_text() == "killed\n"
    assert whole.read_bytes() == parts.read_bytes()


def test_a_worker_killed_while_it_scores(
    fleet: Fleet, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "BATCH_RECORDS", 32)
    n, mark = len(records), tmp_path / "mark"
    whole = score(records.conversations, n)

    def spread(prepare: Any, blocks: Any, **options: Any) -> Iterator[Any]:
        wanted = killing_a_worker(fleet, mark) if len(blocks) > 1 else Pickling()
        return wanted(prepare, blocks, **options)

    parts = score(records.conversations, n, work=tmp_path / "work", spread=spread)
    assert mark.read_text() == "killed\n"
    np.testing.assert_array_equal(whole.loss, parts.loss)
    np.testing.assert_array_equal(whole.extra["loss_reduction"], parts.extra["loss_reduction"])


def test_a_selection_on_shards_is_that_of_the_whole(
    fleet: Fleet, rng: np.random.Generator, tmp_path: Path
) -> None:
    pool = Landscape.from_arrays(rng.normal(size=(3000, 2)), depth=rng.normal(size=3000))
    for name, column in (("xy", pool.xy), ("depth", pool.relative_depth)):
        np.save(tmp_path / f"{name}.npy", column)
    xy, depth = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("xy", "depth"))
    spread = killing_a_worker(fleet, tmp_path / "mark")
    for spec in (Spec(budget="10%"), Spec(budget="500", patches="grid")):
        parts = select_on_shards(xy, depth, row_blocks(3000, 1100), spec, spread=spread)
        np.testing.assert_array_equal(parts.rows, select_by(pool, spec).rows)
    assert (tmp_path / "mark").read_text() == "killed\n"


@needs_ray
def test_a_block_that_kills_every_worker_comes_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "RETRIES", 1)
    wanted = r"gave a block of work up after 2 tries.*lack of memory"
    with Fleet() as frail, pytest.raises(IlaError, match=wanted):
        list(killing_a_worker(frail, tmp_path / "mark", times=9)(lambda: abs, [1, 2]))
    assert (tmp_path / "mark").read_text() == "killed\n" * 2


@pytest.mark.parametrize(
    ("stage", "after", "left"), [("encode", 60, 2), ("read", 1900, 3), ("map", 5000, 2)]
)
def test_a_killed_build_goes_on_where_it_was(
    stage: str, after: int, left: int, fleet: Fleet, tmp_path: Path
) -> None:
    killable.prepare(tmp_path)
    words = [stage, str(tmp_path), fleet.address, str(after)]
    done = subprocess.run([sys.executable, "-m", "killable", *words], env=os.environ, timeout=120)
    assert done.returncode == -signal.SIGKILL
    rest = Pickling()
    parts = killable.STAGES[stage](tmp_path, rest)
    assert len(rest.made) == left
    shutil.rmtree(tmp_path / "work")
    assert parts == killable.STAGES[stage](tmp_path, None)


def test_without_the_library_it_says_how_to_get_it(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r'pip install "ila-landscape\[ray\]", or leave --engine'):
        build(pool, out=tmp_path / "run", engine="ray")


@needs_ray
def test_a_gpu_by_its_number_is_refused(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--device is 'cuda:1'; on Ray"):
        build(pool, out=tmp_path / "run", engine="ray", device="cuda:1")


def test_an_address_goes_with_ray_alone(pool: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path / "run", "--ray-address", "there:6379")
    done = cli("build", pool, *words, code=2)
    assert "--ray-address goes with --engine ray only" in done.stderr
