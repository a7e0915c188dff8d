"""Every stage over blocks of rows: the bytes that it gives all at once, however large the blocks.

The blocks are done by workers that see pickles alone; Ray itself is met in test_fleet.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import small_pool, write_jsonl
from spreading import Pickling, stopping_after

from ila_core.blocks import here, keeping, row_blocks
from ila_core.lm.part import score_part
from ila_core.lm.score import score as score_by_model
from ila_core.lm.settings import LmSettings
from ila_core.loss.ngram import score as scoring
from ila_core.loss.ngram import tokens as tokenising
from ila_core.loss.ngram.score import count_tokens, score
from ila_core.loss.result import LossResult
from ila_core.pool.ingest import ingest
from ila_core.pool.records import Records
from ila_core.space import domains
from ila_core.space import landmarks as placing
from ila_core.space.encode import embed
from ila_core.space.encoders import Encoder, load_encoder, load_speller
from ila_core.space.landmarks import place
from ila_core.space.lexical import learn
from ila_core.space.project import ProjectionSettings, projected


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """150 records: the last 30 repeat the instructions of others, one has no answer."""
    folder = tmp_path_factory.mktemp("records")
    pool = small_pool(120)
    pool[7]["output"] = ""
    again = [{**record, "output": f"Again: {record['output']}"} for record in pool[40:70]]
    return ingest(write_jsonl(folder / "pool.jsonl", [*pool, *again]), out=folder)


def encoder_of(name: str, records: Records) -> Encoder:
    if name == "lexical":
        return learn(records.instructions, len(records), load_speller())
    return load_encoder(name)


@pytest.mark.parametrize("name", ["multilingual", "static", "lexical"])
def test_vectors(name: str, records: Records, tmp_path: Path) -> None:
    n = len(records)
    whole, parts = tmp_path / "whole.npy", tmp_path / "parts.npy"
    embed(records.instructions, n, encoder_of(name, records), out=whole)
    spread = Pickling()
    encoder = encoder_of(name, records)
    embed(records.instructions, n, encoder, out=parts, spread=spread, batch=7)
    assert whole.read_bytes() == parts.read_bytes()
    assert [len(rows) for rows in spread.made] == [28, 28, 28, 28, 8]  # equal texts once


def test_vectors_go_on_where_they_were(records: Records, tmp_path: Path) -> None:
    n, work = len(records), tmp_path / "work"
    whole, parts = tmp_path / "whole.npy", tmp_path / "parts.npy"
    embed(records.instructions, n, load_encoder(), out=whole, batch=7)
    first = stopping_after(2, Pickling())
    with pytest.raises(KeyboardInterrupt):
        embed(records.instructions, n, load_encoder(), out=parts, work=work, spread=first, batch=7)
    rest = Pickling()
    embed(records.instructions, n, load_encoder(), out=parts, work=work, spread=rest, batch=7)
    assert whole.read_bytes() == parts.read_bytes()
    assert len(rest.made) == 3


def test_either_engine_goes_on_with_the_vectors_of_the_other(
    records: Records, tmp_path: Path
) -> None:
    n, work = len(records), tmp_path / "work"
    whole, parts = tmp_path / "whole.npy", tmp_path / "parts.npy"
    embed(records.instructions, n, load_encoder(), out=whole, batch=7)
    with pytest.raises(KeyboardInterrupt):
        embed(records.instructions, n, load_encoder(), out=parts, work=work,
              spread=stopping_after(2, Pickling()), batch=7)  # fmt: skip
    told: list[int] = []
    embed(records.instructions, n, load_encoder(), out=parts, work=work, batch=7,
          progress=lambda done, _: told.append(done))  # fmt: skip
    assert whole.read_bytes() == parts.read_bytes()
    assert min(told) > 56


def same(left: LossResult, right: LossResult) -> None:
    for name in ("loss", "tokens"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert left.extra.keys() == right.extra.keys()
    for name, values in left.extra.items():
        np.testing.assert_array_equal(values, right.extra[name])
    assert (left.missing, left.truncated) == (right.missing, right.truncated)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (scoring, tokenising):
        monkeypatch.setattr(module, "BATCH_RECORDS", 32)
    monkeypatch.setattr(placing, "QUERIES", 16)


@pytest.mark.usefixtures("small_blocks")
def test_ngram_losses(records: Records, tmp_path: Path) -> None:
    n, spread = len(records), Pickling()
    whole = score(records.conversations, n)
    parts = score(records.conversations, n, work=tmp_path, spread=spread)
    same(whole, parts)
    assert whole.meta == parts.meta
    assert spread.made == 2 * row_blocks(n, 32)  # tokens, then losses
    assert parts.missing == {"no response": 1}


@pytest.mark.usefixtures("small_blocks")
def test_ngram_losses_go_on_where_they_were(records: Records, tmp_path: Path) -> None:
    n = len(records)
    whole = score(records.conversations, n)
    for stop in (3, 2):  # among the tokens; two blocks further, among the losses
        with pytest.raises(KeyboardInterrupt):
            score(records.conversations, n, work=tmp_path, spread=stopping_after(stop, Pickling()))
    rest = Pickling()
    same(whole, score(records.conversations, n, work=tmp_path, spread=rest))
    assert rest.made == row_blocks(n, 32)[2:]


@pytest.mark.usefixtures("small_blocks")
def test_token_counts(records: Records) -> None:
    n = len(records)
    whole = count_tokens(records.conversations, n)
    parts = count_tokens(records.conversations, n, spread=Pickling())
    np.testing.assert_array_equal(whole, parts)


@pytest.mark.usefixtures("small_blocks")
def test_places_among_landmarks(rng: np.random.Generator, tmp_path: Path) -> None:
    vectors = rng.normal(size=(90, 8)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    xy = rng.normal(size=(40, 2))
    rows = np.arange(89, 39, -1)
    whole = place(vectors[:40], xy, vectors, rows=rows)
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        place(vectors[:40], xy, mapped, rows=rows, work=work,
              spread=stopping_after(2, Pickling()))  # fmt: skip
    rest = Pickling()
    parts = place(vectors[:40], xy, mapped, rows=rows, work=work, spread=rest)
    assert rest.made == [(32, 48), (48, 50)]
    for name in ("xy", "nearest", "distance"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_a_map_of_landmarks(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ila_core.space import project

    monkeypatch.setitem(project.FITTED, "landmarks", 30)
    vectors = rng.normal(size=(60, 5)).astype(np.float32)
    settings = ProjectionSettings(method="landmarks")
    whole = projected(vectors, settings)
    spread = Pickling()
    parts = projected(vectors, settings, work=tmp_path, spread=spread)
    np.testing.assert_array_equal(whole.xy, parts.xy)
    assert spread.made == [(0, 30)]


def test_domains(rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.cluster import MiniBatchKMeans

    monkeypatch.setattr(domains, "LARGE", 500)
    monkeypatch.setattr(domains, "ASSIGNED", 256)
    vectors = rng.normal(size=(900, 24)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    texts = [f"word{i % 7} and {i}" for i in range(900)]
    spread = Pickling()
    whole = domains.domains_by_kmeans(vectors, lambda: texts, seed=3)
    parts = domains.domains_by_kmeans(mapped, lambda: texts, seed=3, spread=spread)
    np.testing.assert_array_equal(whole.domain, parts.domain)
    assert whole.names == parts.names
    assert spread.made == [(0, 256), (256, 512), (512, 768), (768, 900)]
    labels = MiniBatchKMeans(21, batch_size=4096, n_init=1, random_state=3).fit(vectors).labels_
    assert len({*zip(labels.tolist(), whole.domain.tolist(), strict=True)}) == 21 == len({*labels})


def test_losses_of_a_language_model(
    records: Records, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ila_core.lm import jobs
    from ila_core.lm import score as model_scoring

    for module in (jobs, model_scoring):
        monkeypatch.setattr(module, "WINDOW", 64)
    chat = str(models / "chat")
    settings = LmSettings(lm=chat, tuned_lm=chat, device="cpu", unconditional=True, max_length=40)
    n, spread = len(records), Pickling()
    whole = score_by_model(records.conversations, n, settings)
    parts = score_by_model(records.conversations, n, settings, work=tmp_path, spread=spread)
    same(whole, parts)
    assert spread.made == [(0, 64), (64, 128), (128, 150)]
    told = {name: parts.meta[name] for name in whole.meta if "second" not in name}
    assert told == {name: whole.meta[name] for name in told}
    part = score_part(records.conversations, n, np.arange(1, n, 2), settings)
    beside = score_part(records.conversations, n, np.arange(1, n, 2), settings, spread=Pickling())
    same(part, beside)


def test_what_is_kept_is_not_made_again(tmp_path: Path) -> None:
    made: list[tuple[int, int]] = []

    def double(rows: tuple[int, int]) -> dict[str, np.ndarray]:
        made.append(rows)
        return {"twice": 2 * np.arange(*rows)}

    kept = keeping(here, tmp_path)
    for n in (5, 7):
        results = list(kept(lambda: double, row_blocks(n, 2)))
        assert np.concatenate([one["twice"] for one in results]).tolist() == list(
            range(0, 2 * n, 2)
        )
    assert made == [(0, 2), (2, 4), (4, 5), (4, 6), (6, 7)]
    torn = next(tmp_path.glob("*-000000002.npz"))
    torn.write_bytes(torn.read_bytes()[:50])
    list(kept(lambda: double, row_blocks(7, 2)))
    assert made[-1] == (0, 2)


@pytest.mark.parametrize("first", [0, 1, 2047, 2048, 2500, 4999])
def test_records_are_read_from_any_row_on(first: int, long_pool: Records) -> None:
    assert list(long_pool.instructions(first)) == list(long_pool.instructions())[first:]
    assert list(long_pool.conversations(first)) == list(long_pool.conversations())[first:]


def test_behind_the_last_row_there_is_nothing(long_pool: Records) -> None:
    assert list(long_pool.instructions(5000)) == []


@pytest.fixture(scope="module")
def long_pool(tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder = tmp_path_factory.mktemp("long")
    return ingest(write_jsonl(folder / "pool.jsonl", small_pool(5000)), out=folder)
