"""Facets: what records can be sorted by, counted over the pool and parts of it."""

from __future__ import annotations

import json
import math
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ila_core as ila
from ila_core.artifacts import BESIDE
from ila_core.errors import IlaError, UsageError
from ila_core.landscape import facets, languages
from ila_core.landscape.facets import Categories, Numbers, facet
from ila_core.landscape.landscape import Landscape
from ila_core.pool.languages import Teller
from ila_core.selection.rules import Rule

RECORDS = [
    ("Name a long river in Peru, please.", "The Ucayali.", ["geo", "list"], "a"),
    ("Nenne mir bitte drei Flüsse in Deutschland.", "Elbe, Rhein, Oder.", ["geo"], "b"),
    ("中国最长的河是哪一条？", "长江。", [], "b"),
    ("Write a short poem about the autumn.", "Leaves fall.", ["art", "art"], "b"),
    ("x = 3 + 4", "7", None, None),
]


OWN: list[dict[str, Any]] = [
    {"quality": 3, "stars": "4.5", "topics": ["a", "b", "a"], "meta": {"hard": True}},
    {"quality": 1.5, "stars": "2", "topics": "c", "meta": {"hard": False}},
    {"quality": None, "stars": "", "topics": []},
    {"quality": 9, "stars": "4.5", "topics": ["b"], "meta": {}},
    {"quality": 3, "stars": " 1 ", "mixed": "3..5"},
]
"""Fields of their own that these records have."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of five records of three languages, with labels and sources."""
    folder = tmp_path_factory.mktemp("few")
    pool = folder / "pool.jsonl"
    lines = []
    for instruction, output, labels, source in RECORDS:
        entry = {"instruction": instruction, "output": output, "labels": labels, "source": source}
        entry |= OWN[len(lines)]
        lines.append(json.dumps({key: value for key, value in entry.items() if value is not None}))
    pool.write_text("\n".join(lines), encoding="utf-8")
    ila.build(pool, out=folder / "run", projection="pca")
    return folder / "run"


@pytest.fixture
def built(few: Path, tmp_path: Path) -> Landscape:
    """A copy of it that nobody has asked anything yet."""
    shutil.copytree(few, tmp_path / "run")
    return ila.open(tmp_path / "run")


def test_a_field_of_numbers_is_one_however_they_are_written(built: Landscape) -> None:
    quality, stars = facet(built, "field.quality"), facet(built, "field.stars")
    assert isinstance(quality, Numbers) and isinstance(stars, Numbers)
    np.testing.assert_array_equal(quality.values, np.float32([3, 1.5, np.nan, 9, 3]))
    np.testing.assert_array_equal(stars.values, np.float32([4.5, 2, np.nan, 4.5, 1]))
    for rule, rows in (
        ("field.quality=3..", [0, 3, 4]), ("field.quality=3|9", [0, 3, 4]),
        ("field.quality=", [2]), ("field.stars=..2", [1, 4]),
    ):  # fmt: skip
        assert Rule.parse(rule).rows(built).tolist() == rows, rule
    with pytest.raises(UsageError, match=r"names texts, but field\.quality holds numbers"):
        Rule.parse("field.quality=high").rows(built)


def test_a_field_of_texts_lists_or_parts_has_categories(built: Landscape) -> None:
    topics, hard = facet(built, "field.topics"), facet(built, "field.meta.hard")
    assert isinstance(topics, Categories) and isinstance(hard, Categories)
    assert topics.names == ("b", "a", "c", "") and topics.counts().tolist() == [2, 1, 1, 2]
    assert sorted(hard.names) == ["", "false", "true"]
    for rule, rows in (
        ("field.topics=a|c", [0, 1]), ("field.topics=", [2, 4]), ("field.meta.hard=true", [0]),
        ("field.mixed=3%2E%2E5", [4]),
    ):  # fmt: skip
        assert Rule.parse(rule).rows(built).tolist() == rows, rule
    assert facet(built, "field.topics") is topics
    assert "field.topics" not in facets.names(built)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("field.topics=1..3", "is a range, but field.topics holds texts; name some, as field.top"),
        ("field.meta=a", "Field 'meta' holds objects; name a part of them, such as field.meta.NAM"),
        ("field.nope=a", "Field 'nope' not found in the pool; fields are"),
        ("field.=a", "choose source, domain, label, language, tokens, loss, reduction, depth, ski"),
        ("field.topics=z", "No record has the field.topics 'z'; there are"),
    ],
)
def test_what_a_field_cannot_mean_is_told(built: Landscape, rule: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        Rule.parse(rule).rows(built)
    assert says in str(told.value)


def test_sources_the_most_frequent_first_and_none_last(built: Landscape) -> None:
    source = facet(built, "source")
    assert source.names == ("b", "a", "")
    assert source.counts().tolist() == [3, 1, 1]
    assert source.counts(np.array([0, 1, 4])).tolist() == [1, 1, 1]
    assert source.among(["a", ""]).tolist() == [True, False, False, False, True]


def test_a_record_counts_once_in_each_of_its_labels(built: Landscape) -> None:
    label = facet(built, "label")
    assert label.names == ("geo", "art", "list", "")
    assert label.counts().tolist() == [2, 1, 1, 2]
    mask = np.array([True, False, True, False, False])
    assert label.counts(mask).tolist() == [1, 0, 1, 1]
    assert label.counts(np.array([0, 2])).tolist() == [1, 0, 1, 1]
    assert label.among(["geo", "list"]).tolist() == [True, True, False, False, False]


def test_languages_are_worked_out_once_and_kept_beside(built: Landscape) -> None:
    assert not languages.known(built)
    assert "language" not in facets.names(built)
    told = []
    found = languages.languages(built, lambda done, total: told.append((done, total)))
    assert [found.names[code] for code in found.code] == ["en", "de", "zh", "en", "unknown"]
    assert found.names == ("en", "de", "zh", "unknown")
    assert told[-1] == (5, 5)
    assert languages.known(built)
    assert len(list((built.run / BESIDE).glob("languages-*"))) == 1
    again = ila.open(built.run)
    assert facet(again, "language").names == found.names
    assert "language" in facets.names(again)


def test_a_run_folder_that_cannot_be_written_has_its_languages_in_the_cache(
    built: Landscape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (built.run / BESIDE).write_text("in the way")  # root may write everywhere else
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache"))
    assert facet(built, "language").counts().tolist() == [2, 1, 1, 1]
    assert languages.known(ila.open(built.run))
    (tmp_path / "cache2").write_text("in the way too")
    monkeypatch.setenv("ILA_CACHE_DIR", str(tmp_path / "cache2"))
    with pytest.raises(IlaError, match="name a folder that can be written with ILA_CACHE_DIR"):
        languages.languages(ila.open(built.run))


def test_languages_of_these_records_take_the_place_of_others(built: Landscape) -> None:
    languages.languages(built)
    (old,) = (built.run / BESIDE).glob("languages-*")
    old.rename(old.with_name("languages-0123456789abcdef"))
    again = ila.open(built.run)
    assert not languages.known(again)
    languages.languages(again)
    assert [path.name for path in (built.run / BESIDE).glob("languages-*")] == [old.name]


def test_arrays_alone_have_what_they_hold() -> None:
    bare = Landscape.from_arrays(np.zeros((3, 2)))
    assert facets.names(bare) == ()
    with pytest.raises(UsageError, match="holds no texts"):
        facet(bare, "language")
    with pytest.raises(UsageError, match="Records cannot be sorted by 'size'; choose source"):
        facet(bare, "size")
    full = Landscape.from_arrays(np.zeros((3, 2)), tokens=[1, 2, 80], domain=[0, 1, 1])
    assert facets.names(full) == ("domain", "tokens")


def test_what_has_one_value_tells_nothing_apart() -> None:
    one = Landscape.from_arrays(np.zeros((3, 2)), tokens=[7, 7, 7], skills=[1, 1, 1])
    assert facets.names(one) == ()
    assert facet(one, "tokens").counts().tolist() == [3, 0]


def test_counts_equal_the_obvious_ones() -> None:
    rng = np.random.default_rng(0)
    n = 5000
    tokens = rng.lognormal(4, 1, n).round()
    tokens[::50] = math.nan
    loss = rng.normal(2, 1, n)
    landscape = Landscape.from_arrays(
        rng.normal(size=(n, 2)), tokens=tokens, loss=loss, domain=rng.integers(0, 9, n)
    )
    mask = rng.random(n) < 0.3
    for name in ("tokens", "loss", "depth"):
        numbers = facet(landscape, name)
        edges = numbers.edges.copy()
        edges[[0, -1]] = -np.inf, np.inf
        for part in (np.ones(n, dtype=bool), mask):
            values = numbers.values[part].astype(np.float64)
            obvious = [
                np.sum((values >= low) & (values < high))
                for low, high in zip(
                    edges[:-1].astype(np.float32), edges[1:].astype(np.float32), strict=True
                )
            ]
            counts = numbers.counts(part)
            assert counts[:-1].tolist() == obvious, name
            assert counts[-1] == np.isnan(values).sum()
        assert (numbers.counts(np.flatnonzero(mask)) == numbers.counts(mask)).all()
    domain = facet(landscape, "domain")
    assert domain.counts(mask).tolist() == [
        int((landscape.domain[mask] == int(name)).sum()) for name in domain.names
    ]


def test_bins_are_round_and_outliers_widen_none() -> None:
    rng = np.random.default_rng(1)
    loss = np.append(rng.normal(2, 0.5, 9999), 4000.0)
    numbers = facet(Landscape.from_arrays(np.zeros((10_000, 2)), loss=loss), "loss")
    assert 15 <= numbers.size <= 40
    assert np.diff(numbers.edges).max() < 0.21
    assert numbers.counts().sum() == 10_000
    assert numbers.counts()[numbers.size - 1] >= 1


def test_a_depth_of_another_kind_has_a_facet_of_its_own() -> None:
    landscape = Landscape.from_arrays(
        np.zeros((9, 2)), loss=np.arange(9.0), loss_reduction=np.arange(9.0)[::-1]
    )
    one, other = facet(landscape, "depth"), facet(landscape.by("loss"), "depth")
    assert (one.values == other.values[::-1]).all()
    assert facet(landscape.by("loss"), "loss") is facet(landscape, "loss")


# -- languages ------------------------------------------------------------------------------------

SENTENCES = {
    "en": "What is the capital of France?",
    "de": "Was ist die Hauptstadt von Österreich?",
    "fr": "Quelle est la capitale de la France ?",
    "es": "¿Cuál es la capital de Perú?",
    "pl": "Jaka jest stolica Polski?",
    "tr": "Türkiye'nin başkenti neresidir?",
    "vi": "Thủ đô của Việt Nam là gì?",
    "ru": "Какая столица России?",
    "uk": "Яка столиця України?",
    "ar": "ما هي عاصمة مصر؟",
    "fa": "پایتخت ایران کجاست؟",
    "hi": "भारत की राजधानी क्या है?",
    "zh": "给出三个保持健康的建议。",
    "ja": "健康を保つための三つの方法を教えてください。",
    "ko": "한국의 수도는 어디입니까?",
    "th": "ประเทศไทยมีเมืองหลวงชื่ออะไร",
    "el": "Ποια είναι η πρωτεύουσα της Ελλάδας;",
    "ta": "இந்தியாவின் தலைநகரம் எது?",
}


def test_sentences_of_many_languages() -> None:
    tell = Teller()
    assert {language: tell(text) for language, text in SENTENCES.items()} == {
        language: language for language in SENTENCES
    }


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "12 + 35 * 7 =", "{}", "!!!", "3.14159", "😀😀", "ab", "def f(x):\n    return x*x",
     "https://example.com/a?b=1", '<div class="a"></div>'],
)  # fmt: skip
def test_no_language_is_made_up(text: str) -> None:
    assert Teller()(text) == "unknown"


def test_code_in_a_question_does_not_make_it_english() -> None:
    tell = Teller()
    assert tell("请用 Python 写一个快速排序函数 quicksort") == "zh"
    code = "```python\nfor i in range(3): pass\n```"
    assert tell(f"Erkläre bitte, was dieser Code macht:\n{code}") == "de"


def test_no_network_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert Teller()("Where is the nearest railway station?") == "en"
