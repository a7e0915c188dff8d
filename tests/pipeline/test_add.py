"""Records added to a landscape: what stays, what is new, what is refused, what a kill leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import script
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.errors import IlaError, RunError, UsageError
from ila_core.landscape.depth import relative_depth
from ila_core.landscape.landscape import Landscape
from ila_core.paths import SAMPLE
from ila_core.pipeline import grown as grown_module
from ila_core.pipeline.adding import Added, look
from ila_core.pipeline.build import build
from ila_core.space.project import principal_axes

NEW = small_pool(90)[50:]
"""Forty records, ten of which the pool has."""
COLUMNS = ("xy", "loss", "loss_reduction", "tokens", "skills", "domain")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("new") / "new.jsonl", NEW)


@pytest.fixture(scope="module")
def added(run: Path, new: Path, tmp_path_factory: pytest.TempPathFactory) -> Added:
    """The pool's landscape with the new records; not to be changed."""
    folder = tmp_path_factory.mktemp("added") / "run"
    shutil.copytree(run, folder)
    return ila.add(folder, new)


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "run"))


def files(folder: Path) -> dict[str, bytes]:
    """Everything that a landscape is, but for how its builds fared."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("progress.json", ".lock")
    }


def by_record(landscape: Landscape, rows: range) -> dict[str, list[Any]]:
    """Of each record of some rows, by its text: where it lies and what it has."""
    originals = [record.original for record in landscape.records.take(rows)]
    values = [np.asarray(getattr(landscape, name))[rows.start : rows.stop] for name in COLUMNS]
    values.append(np.asarray(landscape.vectors[rows.start : rows.stop]))
    return {text: [one[i].tolist() for one in values] for i, text in enumerate(originals)}


# -- what stays -----------------------------------------------------------------------------------


def test_the_old_rows_stay_to_the_bit(run: Path, added: Added) -> None:
    old, now = ila.open(run), added.landscape
    assert (len(old), len(now), added.rows) == (60, 100, range(60, 100))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(now, name)[:60], getattr(old, name), err_msg=name)
    np.testing.assert_array_equal(now.vectors[:60], old.vectors)
    assert now.domain_names == old.domain_names
    assert now.records.take(range(60)) == old.records.take(range(60))


def test_the_new_ones_come_behind_them_in_the_order_of_their_files(added: Added) -> None:
    records = added.landscape.records.take(range(60, 100))
    assert [json.loads(record.original) for record in records] == NEW
    assert [record.instruction for record in records] == [one["instruction"] for one in NEW]
    assert np.isfinite(added.landscape.loss).all() and added.landscape.missing == 0


def test_pins_and_selections_of_the_old_rows_are_valid(added: Added) -> None:
    chosen = ila.select(added.landscape, budget=20, pin=[3, 59]).rows
    assert {3, 59} <= set(chosen.tolist())


def test_ranks_are_those_of_all_records_that_are_there(run: Path, added: Added) -> None:
    now = added.landscape
    np.testing.assert_array_equal(now.relative_depth, relative_depth(now.depth, now.domain))
    np.testing.assert_array_equal(now.depth[:60], ila.open(run).depth)
    assert not np.array_equal(now.relative_depth[:60], ila.open(run).relative_depth)


def test_files_of_another_shape_are_not_read_by_the_map_of_the_pool(tmp_path: Path) -> None:
    own = [{"ask": one["instruction"], "say": one["output"]} for one in small_pool(12)]
    pool = write_jsonl(tmp_path / "pool.jsonl", own)
    build(pool, out=tmp_path / "run", map="instruction=ask,response=say", loss="none",
          projection="pca")  # fmt: skip
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    shapes = {"talks": [{"messages": talk}], "alpaca": small_pool(20)[12:],
              "own": [*own[:2], {"ask": "Why?", "say": "So."}]}  # fmt: skip
    told = [write_jsonl(tmp_path / f"{name}.jsonl", shape) for name, shape in shapes.items()]
    read = [look(tmp_path / "run", file).understood for file in told]
    assert read[0] == "turns from messages"
    assert read[1].startswith("instruction from instruction, response from output")
    assert read[2] == "instruction from ask, response from say"
    with pytest.raises(UsageError, match=r"'question' not found in .*talks.jsonl"):
        look(tmp_path / "run", told[0], map="instruction=question")


# -- what is new ----------------------------------------------------------------------------------


def test_what_says_the_same_as_an_old_record_has_all_that_it_has(added: Added) -> None:
    now = added.landscape
    assert added.told["known"] == 10
    for name in COLUMNS:
        np.testing.assert_array_equal(
            getattr(now, name)[60:70], getattr(now, name)[50:60], err_msg=name
        )
    assert any("10 of 40 new records say the same" in note for note in now.manifest["notes"])


def test_on_a_map_of_principal_components_the_new_ones_have_theirs(run: Path, added: Added) -> None:
    axes = principal_axes(np.asarray(ila.open(run).vectors))
    now = added.landscape
    np.testing.assert_allclose(axes.places(now.vectors[60:]), now.xy[60:], atol=1e-5)


def test_nothing_depends_on_the_order_of_the_new_ones(
    copy: Path, added: Added, tmp_path: Path
) -> None:
    shuffled = random.Random(1).sample(NEW, len(NEW))
    again = ila.add(copy, write_jsonl(tmp_path / "shuffled.jsonl", shuffled))
    assert by_record(again.landscape, again.rows) == by_record(added.landscape, added.rows)


def test_two_additions_in_either_order_are_as_one(copy: Path, added: Added, tmp_path: Path) -> None:
    parts = [write_jsonl(tmp_path / f"{name}.jsonl", part)
             for name, part in (("b", NEW[25:]), ("a", NEW[:25]))]  # fmt: skip
    for part in parts:
        last = ila.add(copy, part)
    whole = by_record(last.landscape, range(60, 100))
    assert whole == by_record(added.landscape, added.rows)
    additions = last.landscape.manifest["additions"]
    assert [one["rows"] for one in additions] == [[60, 75], [75, 100]]
    assert [one["inputs"][0]["name"] for one in additions] == ["b.jsonl", "a.jsonl"]
    assert ila.add(copy, parts[0]).rows == range(60, 75)


def test_on_a_map_of_neighbourhoods_the_new_ones_lie_among_theirs(tmp_path: Path) -> None:
    """The sample comes without its stages, as any copied folder may."""
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE / "landscape", folder, ignore=shutil.ignore_patterns(".stages"))
    old = ila.open(folder)
    twin = old.records.take([7])[0]
    records = [json.loads(twin.original), {"instruction": "Zqx vrr?", "output": "Blorf."}]
    now = ila.add(folder, write_jsonl(tmp_path / "n.jsonl", records), loss="none").landscape
    assert now.xy[len(old)].tolist() == old.xy[7].tolist()
    assert now.domain[len(old)] == old.domain[7]
    assert now.bounds == old.bounds
    np.testing.assert_array_equal(now.xy[: len(old)], old.xy)
    assert np.isnan(now.loss[len(old) :]).all() and now.missing == old.missing + 2


def test_a_record_unlike_all_others_is_counted_as_far(copy: Path, tmp_path: Path) -> None:
    strange = {"instruction": "Разбери мотор старого трактора на части.", "output": "Нет."}
    told = ila.add(copy, write_jsonl(tmp_path / "n.jsonl", [strange, NEW[0]])).told
    assert told["far"] == 1
    assert any("1 of 2 new records lie farther" in note for note in told["notes"])


# -- what is told ---------------------------------------------------------------------------------


def test_the_manifest_tells_the_base_and_what_was_added(run: Path, new: Path, added: Added) -> None:
    manifest, first = added.landscape.manifest, ila.open(run).manifest
    assert manifest["base"] == {
        name: first[name] for name in ("command", "built", "inputs", "counts", "fingerprint")
    }
    assert manifest["inputs"] == first["inputs"]
    assert manifest["counts"]["kept"] == manifest["counts"]["read"] == 100
    [one] = manifest["additions"]
    assert one["counts"]["kept"] == 40 and one["rows"] == [60, 100]
    assert one["inputs"][0]["name"] == "new.jsonl" and len(one["inputs"][0]["sha256"]) == 64
    assert one["command"] == f"ila add {added.landscape.run} {new}"
    assert manifest["command"] == f"{first['command']} && {one['command']}"
    assert added.landscape.fingerprint != ila.open(run).fingerprint
    assert added.landscape.records.fingerprint == manifest["fingerprint"]


def test_the_same_command_again_changes_nothing(copy: Path, new: Path) -> None:
    ila.add(copy, new)
    before = files(copy)
    again = ila.add(copy, new)
    assert not again.fresh and again.rows == range(60, 100) and files(copy) == before
    with pytest.raises(RunError, match=r"new.jsonl was added .* before, with other options"):
        ila.add(copy, new, skip_known=True)
    assert files(copy) == before


def test_a_build_that_would_lose_them_is_refused_by_name(copy: Path, new: Path, pool: Path) -> None:
    ila.add(copy, new)
    before = files(copy)
    with pytest.raises(RunError, match=r"holds 40 records that were added to it \(new.jsonl\)"):
        build(pool, out=copy, projection="pca")
    assert files(copy) == before


def test_rejects_of_both_are_kept(copy: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "new.jsonl", NEW[10:])
    file.write_text(file.read_text() + "no json\n")
    counts = ila.add(copy, file).landscape.manifest["counts"]
    assert (counts["read"], counts["kept"], counts["rejected"]) == (91, 90, 1)
    [reject] = map(json.loads, (copy / "rejects.jsonl").read_text().splitlines())
    assert Path(reject["file"]) == file and reject["line"] == 31
    write_jsonl(tmp_path / "more.jsonl", [{"instruction": "One more?", "output": "Yes."}])
    ila.add(copy, tmp_path / "more.jsonl")
    assert len((copy / "rejects.jsonl").read_text().splitlines()) == 1


def test_known_records_can_be_left_out_with_their_reason(copy: Path, new: Path) -> None:
    told = ila.add(copy, new, skip_known=True)
    assert told.told["counts"]["reasons"] == {"known already": 10} and told.told["known"] == 0
    assert told.rows == range(60, 90)
    rejects = [json.loads(line) for line in (copy / "rejects.jsonl").read_text().splitlines()]
    assert [one["line"] for one in rejects] == list(range(1, 11))
    assert {one["reason"] for one in rejects} == {"known already"}


def test_where_all_is_known_nothing_is_added(copy: Path, tmp_path: Path) -> None:
    before = files(copy)
    other = [{"id": i, **record} for i, record in enumerate(NEW[:10])]  # the same under new names
    told = ila.add(copy, write_jsonl(tmp_path / "known.jsonl", other), skip_known=True)
    assert not told.fresh and len(told.landscape) == 60 and not told.rows
    assert told.told["counts"]["reasons"] == {"known already": 10}
    assert files(copy) == before


def test_an_outlook_counts_and_writes_nothing(copy: Path, new: Path) -> None:
    before = files(copy)
    seen = look(copy, new)
    assert (seen.counts["kept"], seen.known, seen.before, seen.present) == (40, 10, 60, False)
    assert look(copy, new, skip_known=True).counts["kept"] == 30
    assert files(copy) == before and not (copy / ".stages" / "new-records").exists()


# -- landscapes of other kinds --------------------------------------------------------------------


def test_given_columns_are_taken_from_the_new_files(tmp_path: Path) -> None:
    options = {"projection": "columns:score,score", "loss": "column:score",
               "domains": "column:topic", "labels": "column:topic",
               "depth_column": "score"}  # fmt: skip
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(40))
    old = build(pool, out=tmp_path / "run", **options)
    third = old.labels_of([3])[0]
    one = {"instruction": "Sing.", "output": "La la.", "topic": "music, noise", "score": 99}
    bare = {**one, "instruction": "Hum.", "topic": None, "score": "7.5"}
    added = ila.add(tmp_path / "run", write_jsonl(tmp_path / "n.jsonl", [one, bare]))
    now = added.landscape
    assert now.xy[40:].tolist() == [[99, 99], [7.5, 7.5]]
    assert now.loss[40:].tolist() == now.given_depth[40:].tolist() == [99, 7.5]
    assert now.skills[40:].tolist() == [2, 1]
    assert now.labels_of([40, 41, 3]) == [("music", "noise"), (), third]
    assert now.domain_names == (*old.domain_names, "music, noise", "(none)")
    assert now.domain[40:].tolist() == [4, 5]
    np.testing.assert_array_equal(now.domain[:40], old.domain)
    without = write_jsonl(tmp_path / "w.jsonl", [{"instruction": "Go.", "output": "No."}])
    with pytest.raises(IlaError, match="1 of 1 new records have no finite number in score or sc"):
        ila.add(tmp_path / "run", without)


def test_a_column_that_the_new_files_lack_is_missing_and_told(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(40))
    build(pool, out=tmp_path / "run", projection="pca", loss="column:score",
          depth_column="score", labels="none")  # fmt: skip
    bare = [{"instruction": f"Go {i}.", "output": "No."} for i in range(3)]
    added = ila.add(tmp_path / "run", write_jsonl(tmp_path / "n.jsonl", bare))
    now = added.landscape
    assert np.isnan(now.loss[40:]).all() and np.isnan(now.given_depth[40:]).all()
    assert now.missing == 3 and (now.tokens[40:] > 0).all()
    notes = " ".join(added.told["notes"])
    assert "3 of 3 records (3 no finite number in score)" in notes
    assert "3 of 3 new records have no number in score, so that their depth is missing" in notes


def test_labels_that_the_others_could_not_have_are_not_counted(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(30))
    build(pool, out=tmp_path / "run", projection="pca", loss="none")
    one = {"instruction": "Sing.", "output": "La la.", "labels": ["music", "noise"]}
    now = ila.add(tmp_path / "run", write_jsonl(tmp_path / "n.jsonl", [one])).landscape
    assert now.skills[30:].tolist() == [1] and now.labels_of([30]) == [()]
    assert json.loads(now.records.take([30])[0].original)["labels"] == ["music", "noise"]


@pytest.fixture
def given_vectors(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A landscape of vectors that were given, and these."""
    vectors = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(30))
    build(pool, out=tmp_path / "run", embeddings=str(tmp_path / "v.npy"), loss="none",
          projection="pca")  # fmt: skip
    (tmp_path / "v.npy").unlink()  # those of the pool are in the landscape
    return tmp_path / "run", vectors


def test_given_vectors_need_those_of_the_new_records(
    given_vectors: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, vectors = given_vectors
    two = write_jsonl(tmp_path / "n.jsonl", small_pool(32)[30:])
    with pytest.raises(UsageError, match=r"given \(v.npy\); give those of the new .*--embeddings"):
        ila.add(folder, two)
    for name, array in (("wide", np.ones((2, 6))), ("long", np.ones((3, 5)))):
        np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(UsageError, match=r"wide.npy has vectors of 6 dimensions; 5 are needed"):
        ila.add(folder, two, embeddings=str(tmp_path / "wide.npy"))
    with pytest.raises(UsageError, match=r"shape \(3, 5\); \(2, d\) is needed"):
        ila.add(folder, two, embeddings=str(tmp_path / "long.npy"))
    with pytest.raises(UsageError, match="--skip-known leaves out records for which --embeddings"):
        ila.add(folder, two, embeddings=str(tmp_path / "wide.npy"), skip_known=True)
    assert len(ila.open(folder)) == 30
    np.save(tmp_path / "two.npy", np.stack([vectors[4] * 3, np.zeros(5)]))
    now = ila.add(folder, two, embeddings=str(tmp_path / "two.npy")).landscape
    assert now.xy[30].tolist() == now.xy[4].tolist()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = unit.sum(axis=0) / np.linalg.norm(unit.sum(axis=0))
    np.testing.assert_allclose(now.vectors[31], mean, atol=1e-6)


def test_the_wording_is_learned_from_the_pool_again(tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(40))
    build(pool, out=tmp_path / "run", encoder="lexical", loss="none", projection="pca")
    again = [{**small_pool(9)[8], "output": "Else."}]
    now = ila.add(tmp_path / "run", write_jsonl(tmp_path / "n.jsonl", again)).landscape
    np.testing.assert_allclose(now.vectors[40], now.vectors[8], atol=1e-6)
    assert now.xy[40].tolist() == now.xy[8].tolist()


def test_a_language_model_scores_what_it_would_in_a_build(models: Path, tmp_path: Path) -> None:
    options = {"loss": "lm", "device": "cpu", "projection": "pca"}
    model = Path(shutil.copytree(models / "chat", tmp_path / "model"))
    pool = write_jsonl(tmp_path / "p.jsonl", small_pool(20))
    build(pool, out=tmp_path / "run", lm=str(model), **options)
    whole = write_jsonl(tmp_path / "w.jsonl", small_pool(25))
    both = build(whole, out=tmp_path / "both", lm=str(model), **options)
    new = write_jsonl(tmp_path / "n.jsonl", small_pool(25)[20:])
    now = ila.add(tmp_path / "run", new, device="cpu").landscape
    np.testing.assert_allclose(now.loss, both.loss, atol=1e-4)
    np.testing.assert_array_equal(now.tokens, both.tokens)
    more = write_jsonl(tmp_path / "m.jsonl", small_pool(27)[25:])
    shutil.rmtree(model)
    shutil.copytree(models / "plain", model)
    with pytest.raises(RunError, match=r"losses that are .* nats a token away .* another model"):
        ila.add(tmp_path / "run", more, device="cpu")
    shutil.rmtree(model)
    with pytest.raises(RunError, match=r"cannot be had here .*--loss none"):
        ila.add(tmp_path / "run", more)
    assert len(ila.open(tmp_path / "run")) == 25
    assert np.isnan(ila.add(tmp_path / "run", more, loss="none").landscape.loss[25:]).all()


# -- what cannot be -------------------------------------------------------------------------------


class Other:
    """An encoder that reads what the landscape's own does, and otherwise."""

    name = "multilingual"
    identity = "other"

    def __init__(self, dim: int, fails: bool = False) -> None:
        self.dim, self.fails = dim, fails

    def encode(self, texts: list[str]) -> np.ndarray:
        if self.fails:
            raise IlaError("The encoder 'multilingual' could not be loaded (no such folder).")
        return np.tile(np.eye(1, self.dim, dtype=np.float32), (len(texts), 1))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Other(512), r"reads 16 of 16 of the landscape's own records otherwise now.*version"),
        (Other(99), r"vectors of 99 dimensions, and those of the landscape have 512"),
        (Other(512, fails=True), r"'multilingual', which cannot be had here .*no such folder"),
    ],
)
def test_another_encoder_is_told(
    copy: Path, new: Path, monkeypatch: pytest.MonkeyPatch, other: Other, told: str
) -> None:
    before = (copy / "manifest.json").read_bytes()
    monkeypatch.setattr(grown_module, "encoder_of", lambda settings: other)
    with pytest.raises(RunError, match=told):
        ila.add(copy, new)
    assert (copy / "manifest.json").read_bytes() == before and len(ila.open(copy)) == 60


def test_other_ngram_models_are_told(copy: Path, new: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["settings"]["seed"] = 5  # as if halves had been drawn otherwise
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match=r"fitted anew, give \d+ of 60 .* another loss"):
        ila.add(copy, new)
    assert np.isnan(ila.add(copy, new, loss="none").landscape.loss[60:]).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "holds no record: it is empty"), ("no json\n", "holds no usable record")],
)
def test_a_file_with_nothing_to_read_is_refused(
    copy: Path, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "n.jsonl").write_text(text)
    with pytest.raises(IlaError, match=told):
        ila.add(copy, tmp_path / "n.jsonl")
    assert len(ila.open(copy)) == 60


def test_what_cannot_be_meant_is_refused(copy: Path, pool: Path, new: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"pool.jsonl is the very pool that .* was built of"):
        ila.add(copy, pool)
    with pytest.raises(UsageError, match=r"encoder 'multilingual', which reads .* --embeddings"):
        ila.add(copy, new, embeddings=str(new))
    with pytest.raises(UsageError, match="Unknown option 'projection'"):
        ila.add(copy, new, projection="pca")
    with pytest.raises(RunError, match="does not exist"):
        ila.add(tmp_path / "absent", new)
    assert not (tmp_path / "absent").exists()


def test_a_landscape_of_an_earlier_version_is_told(copy: Path, new: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["settings"]["labels"] = "taxonomy"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match=r"earlier version.*taxonomy is no more"):
        ila.add(copy, new)


# -- what a failure and a kill leave --------------------------------------------------------------


def state(folder: Path) -> tuple[list[float], int]:
    found = ila.open(folder)
    assert len(found.records) == len(found.vectors) == len(found)
    return found.tokens.tolist(), len(found.manifest.get("additions", []))


def test_a_write_that_fails_anywhere_leaves_the_old_landscape_or_the_new_one(
    run: Path, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(run, whole)
    old = state(whole)
    ila.add(whole, new, loss="none")
    grown, stages, count, seen = state(whole), sorted(os.listdir(whole / ".stages")), 0, []
    replace: Callable[..., None] = os.replace

    def failing(source: Any, target: Any) -> None:
        nonlocal count
        if str(tmp_path) in str(target) and not str(target).endswith("progress.json"):
            count -= 1
            if count == 0:
                raise OSError(28, "No space left on device")
        replace(source, target)

    for step in range(1, 100):
        folder = tmp_path / str(step)
        shutil.copytree(run, folder)
        count = step
        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", failing)
            try:
                ila.add(folder, new, loss="none")
                ended = True
            except IlaError as error:
                assert "disk is full" in str(error)
                ended = False
        assert state(folder) in (old, grown), f"a mixture after {step} steps"
        seen.append(state(folder) == grown)
        if ended or step % 6 == 1:  # the next one goes on, or is up to date and cleans up
            again = ila.add(folder, new, loss="none")
            assert again.fresh == (not seen[-1])
            assert state(folder) == grown
            assert sorted(os.listdir(folder / ".stages")) == stages
            for name in ("records.parquet", "embeddings.npy", "landscape.parquet"):
                assert (folder / name).read_bytes() == (whole / name).read_bytes()
        if ended:
            break
    assert seen == sorted(seen) and seen.count(False) > 10 and seen.count(True) > 2


KILLED = """
import os, shutil, sys
from pathlib import Path
import ila_core as ila
from killed import killed_before

ready, new, place = map(Path, sys.argv[1:4])
def added(step, out):
    act = lambda: ila.add(out, new, loss="none")
    return killed_before(step, out, act, after="manifest.json", writes=False)

def state(out):
    found = ila.open(out)
    return found.tokens.tolist(), found.labels_of(range(len(found)))

def public(out):
    return {p.name: p.read_bytes() for p in out.iterdir() if p.suffix in (".parquet", ".npy")}

old = state(ready)
assert added(1, ready) and state(ready) == old  # all is made, nothing published
shutil.copytree(ready, place / "new")
ila.add(place / "new", new, loss="none")
whole, files = state(place / "new"), public(place / "new")
stages = os.listdir(place / "new/.stages")
found, step = [], 1
while True:
    out = place / str(step)
    shutil.copytree(ready, out)
    killed = added(step, out)
    now = state(out)
    assert now in (old, whole), f"a mixture after {step} steps"
    found.append(now == whole)
    if not killed:
        break
    if step % 4 == 1:  # the same command mends what was left
        ila.add(out, new, loss="none")
        assert state(out) == whole and public(out) == files, step
        left = [path.name for path in out.rglob("*.part")]
        assert sorted([*left, *os.listdir(out / ".stages")]) == sorted(stages), step
    shutil.rmtree(out)
    step += 1
assert found == sorted(found) and not found[0] and found[-1]
print(len(found), found.count(True))
"""


def test_an_addition_that_is_killed_while_it_publishes_leaves_the_old_landscape_or_the_new_one(
    run: Path, new: Path, tmp_path: Path
) -> None:
    ready = shutil.copytree(run, tmp_path / "ready")
    steps, after_the_switch = map(int, script(KILLED, ready, new, tmp_path).split())
    assert steps > 10 and after_the_switch > 5
