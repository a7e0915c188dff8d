"""Names on the map: the largest first, none over another."""

from __future__ import annotations

import numpy as np

from draw.names import columns, isolated, places, short_name, told_apart
from ila_core.landscape.cells import count, frame
from ila_core.landscape.landscape import Landscape


def test_names_do_not_collide_and_the_largest_come_first() -> None:
    rng = np.random.default_rng(0)
    domain = np.repeat(np.arange(40), np.arange(1, 41))
    xy = rng.random((40, 2))[domain] + rng.normal(scale=0.01, size=(len(domain), 2))
    pool = Landscape.from_arrays(
        xy, domain=domain, domain_names=[f"word{k} · other{k}" for k in range(40)]
    )
    shown = places(pool, count(pool, frame(pool, pool.grid(473), side=64)))
    assert shown[0].text == "word39 · other39"
    assert [place.count for place in shown] == sorted((p.count for p in shown), reverse=True)
    heights = [(p.x, p.y, len(p.text)) for p in shown]
    for k, (x, y, letters) in enumerate(heights):
        for other_x, other_y, others in heights[:k]:
            apart_x = (letters + others) * 3.7 / 760 * 64
            assert abs(x - other_x) >= apart_x or abs(y - other_y) >= 26 / 560 * 64


def test_a_long_name_is_shortened() -> None:
    assert short_name("an extraordinarily long single domain name") == "an extraordinarily long s…"
    assert short_name("") == ""


def test_a_name_in_wide_signs_is_shortened_sooner_and_no_mark_is_torn_off() -> None:
    assert short_name("人工智能 · 机器学习神经网络模型", letters=26) == "人工智能"
    assert short_name("人工智能机器学习神经网络模型") == "人工智能机器学习神经网络…"
    assert columns(short_name("กี่กี่กี่กี่", letters=3)) == 3 and short_name("กี่" * 4, letters=3) == "กี่กี่…"


def test_only_what_runs_leftwards_is_isolated() -> None:
    assert isolated("poem · 诗歌") == "poem · 诗歌"
    for name in ("قصيدة", "שיר", "python · قصيدة"):
        assert isolated(name) == f"\u2068{name}\u2069"


def test_names_of_one_legend_differ_as_far_as_their_words_do() -> None:
    names = ["movie · film · mood", "movie · film · mood · acting", "sky · sea", "same", "same"]
    assert told_apart(names, letters=34) == [
        "movie · film · mood", "movie · film · mood · acting", "sky · sea", "same", "same",
    ]  # fmt: skip
    long = [f"{'long' * 6} · {'name' * 6} · {word}" for word in ("one", "two")]
    assert told_apart(long, letters=34) == long and told_apart(long[:1], letters=34) == ["long" * 6]
