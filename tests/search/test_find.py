"""Records found by words, by meaning, and like another, in a run folder of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.search import index
from ila_core.search.find import by_meaning, by_words, nearest, similar
from ila_core.search.query import Query

RECORDS = [
    ("Sort a list of numbers in Python.", "Use sorted(numbers)."),
    ("How do I sort a Java array?", "Call Arrays.sort(array); it is in java.util."),
    ("What is a capital gains tax?", "A tax on the gains of capital that was sold."),
    ("Explain gains in capital letters.", "GAINS are what is won."),
    ("中国最长的河是哪一条？", "长江是中国最长的河。"),
    ("東京タワーの高さは？", "333メートルです。"),
    ("เมืองหลวงของประเทศไทยคืออะไร", "กรุงเทพมหานคร"),
    ("서울은 어떤 도시입니까?", "대한민국의 수도입니다."),
    ("ما هي عاصمة مصر؟", "القاهرة هي عاصمة مصر."),
    ("What does my_var += 1 do?", "It adds one to my_var."),
    ("Where is the nearest café?", "Around the corner."),
    ("Sort a list of numbers in Python.", "numbers.sort() does it in place."),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    lines = [json.dumps({"instruction": one, "output": two}) for one, two in RECORDS]
    (folder / "pool.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ila.build(folder / "pool.jsonl", out=folder / "run", projection="pca")
    return folder / "run"


@pytest.fixture(scope="module")
def pool(made: Path) -> Landscape:
    return ila.open(made)


@pytest.fixture
def fresh(made: Path, tmp_path: Path) -> Landscape:
    """A copy of the run folder that nobody has searched."""
    shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns(BESIDE))
    return ila.open(tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sort", [0, 1, 11]),
        ("SORT python", [0, 11]),
        ("sort -python", [1]),
        ('"capital gains"', [2]),
        ("capital gains", [2, 3]),
        ("cap* -letters", [2]),
        ("中国", [4]),
        ("最长的河", [4]),
        ("国中", []),
        ("タワー", [5]),
        ("เมืองหลวง", [6]),
        ("ประเทศ", [6]),
        ("수도", [7]),
        ("서울", [7]),
        ("عاصمة", [8]),
        ("my_var", [9]),
        ("arrays.sort(array)", [1]),
        ("cafe", [10]),
        ("Ｐｙｔｈｏｎ", [0, 11]),
        ("sorted", [0]),  # of the response
        ("unheard", []),
    ],
)
def test_words(pool: Landscape, text: str, rows: list[int]) -> None:
    found = by_words(pool, text)
    assert sorted(found.rows.tolist()) == rows
    assert found.rows.dtype == np.int64


def test_the_best_come_first(pool: Landscape) -> None:
    assert by_words(pool, "gains capital").rows.tolist() == [2, 3]
    assert by_words(pool, "vari* OR sort").rows.tolist() == []  # OR is a word


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from("abcsort \"*-^:(){}[]+'\x00中ก 1é"), max_size=12))
def test_no_query_upsets_the_index(pool: Landscape, text: str) -> None:
    try:
        by_words(pool, text)
    except UsageError as error:
        assert str(error).endswith(".")


def test_the_index_is_made_once_and_kept_beside(fresh: Landscape) -> None:
    told: list[tuple[int, int | None]] = []
    assert not index.is_made(fresh)
    by_words(fresh, "sort", lambda done, total: told.append((done, total)))
    assert told[-1] == (len(RECORDS), len(RECORDS))
    assert index.is_made(ila.open(fresh.run))
    assert len(list((fresh.run / BESIDE).iterdir())) == 1
    told.clear()
    by_words(ila.open(fresh.run), "sort", lambda done, total: told.append((done, total)))
    assert told == []


def test_an_index_of_other_records_is_not_read(fresh: Landscape) -> None:
    path = index.made(fresh)
    path.rename(path.with_name("words-0123456789abcdef"))
    assert not index.is_made(fresh)
    assert sorted(by_words(ila.open(fresh.run), "sort").rows.tolist()) == [0, 1, 11]
    assert [file.name for file in (fresh.run / BESIDE).iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written(
    fresh: Landscape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fresh.run / BESIDE).write_text("in the way")  # root may write everywhere else
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    assert len(by_words(fresh, "sort")) == 3
    assert index.made(fresh).is_relative_to(tmp_path / "cache")


def test_a_damaged_index_is_told(fresh: Landscape) -> None:
    path = index.made(fresh)
    path.write_bytes(b"no index at all" * 1000)
    with pytest.raises(IlaError, match=r"cannot be read .*; delete it and search again"):
        index.matches(path, Query.parse("sort"))


def test_many_hits_come_in_the_order_of_the_pool(
    pool: Landscape, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = index.matches(index.made(pool), Query.parse("gains"))
    monkeypatch.setattr(index, "MOST_RANKED", 1)
    assert index.matches(index.made(pool), Query.parse("gains")).tolist() == sorted(best)


def test_arrays_alone_have_no_words(pool: Landscape) -> None:
    bare = Landscape.from_arrays(np.zeros((3, 2)))
    with pytest.raises(IlaError, match="holds no texts"):
        by_words(bare, "sort")
    for ask in (lambda: by_meaning(bare, "sort"), lambda: similar(bare, 0)):
        with pytest.raises(UsageError, match="has no vectors"):
            ask()


# -- meaning --------------------------------------------------------------------------------------


def test_meaning_finds_the_same_in_other_words(pool: Landscape) -> None:
    found = by_meaning(pool, "ordering the elements of a list with Python", 3)
    assert set(found.rows[:2].tolist()) == {0, 11}
    assert (np.diff(found.score) <= 0).all()


def test_a_records_own_instruction_is_nearest_to_itself(pool: Landscape) -> None:
    found = by_meaning(pool, RECORDS[2][0], 1)
    assert found.rows.tolist() == [2]
    assert found.score[0] == pytest.approx(1, abs=1e-4)


def test_similar_records_leave_the_record_itself_out(pool: Landscape) -> None:
    found = similar(pool, 0, 3)
    assert found.rows[0] == 11 and 0 not in found.rows and len(found) == 3
    assert len(similar(pool, 0, 500)) == len(RECORDS) - 1
    with pytest.raises(UsageError, match="Row 99 does not exist; rows go from 0 to 11"):
        similar(pool, 99)


def test_duplicates_do_not_bring_a_record_back() -> None:
    vectors = np.tile([1.0, 0.0], (9, 1)).astype(np.float32)
    landscape = Landscape.from_arrays(np.zeros((9, 2)), vectors=vectors)
    found = similar(landscape, 8, 3)
    assert len(found) == 3 and 8 not in found.rows


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_nearest_is_the_sorted_cosine(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    landscape = Landscape.from_arrays(np.zeros((n, 2)), vectors=vectors)
    cosine = vectors @ vectors[0]
    found = nearest(landscape, vectors[0], count)
    assert found.rows.tolist() == np.lexsort((np.arange(n), -cosine))[:count].tolist()


def test_given_vectors_take_no_question(made: Path, tmp_path: Path) -> None:
    def with_settings(**changed: object) -> Landscape:
        opened = ila.open(made)
        manifest = dict(opened.manifest)
        manifest["settings"] = {**manifest["settings"], **changed}
        return Landscape.from_arrays(
            opened.xy, vectors=opened.vectors, records=opened.records, manifest=manifest
        )

    with pytest.raises(UsageError, match=r"came from a file .given.npy., and nothing here"):
        by_meaning(with_settings(embeddings="given.npy"), "sort")
    with pytest.raises(UsageError, match="gives other vectors now than when"):
        by_meaning(with_settings(encoder="static"), "sort")
    with pytest.raises(UsageError, match="not known what made the vectors"):
        by_meaning(with_settings(encoder=None), "sort")


@pytest.mark.parametrize("text", ["", "  ?! "])
def test_a_question_that_says_nothing(pool: Landscape, text: str) -> None:
    with pytest.raises(UsageError, match="says nothing; describe in a few words"):
        by_meaning(pool, text)
