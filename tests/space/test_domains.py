"""Domains: of a column's values, and of clusters."""

from __future__ import annotations

import numpy as np

from ila_core.space.domains import (
    domains_by_kmeans,
    domains_from_values,
    domains_joined,
    nearest_domains,
)

NAN = float("nan")


# -- domains from a column ------------------------------------------------------------------------


def test_values_of_every_kind_become_named_domains_the_largest_first() -> None:
    values = ["b", "a", "a", None, "", "  ", NAN, [], 3, True, ["x", "y"], " a ", "line\nbreak"]
    domains = domains_from_values(values)
    assert domains.names == ("(none)", "a", "b", "3", "true", "x, y", "line break")
    assert domains.domain.tolist() == [2, 1, 1, 0, 0, 0, 0, 0, 3, 4, 5, 1, 6]
    assert domains.domain.dtype == np.int32


def test_an_empty_column_has_no_domains() -> None:
    domains = domains_from_values([])
    assert (domains.names, len(domains.domain)) == ((), 0)


# -- domains by k-means ---------------------------------------------------------------------------


def three_groups(sizes: tuple[int, int, int]) -> tuple[np.ndarray, list[str]]:
    chance = np.random.default_rng(0)
    group = np.repeat(np.arange(3), sizes)
    vectors = np.eye(3, 16)[group] + chance.normal(scale=0.01, size=(len(group), 16))
    topics = ["write a poem about spring", "sort this list in python", "solve the equation"]
    return vectors.astype(np.float32), [topics[k] for k in group]


def test_groups_that_lie_apart_share_no_domain() -> None:
    vectors, texts = three_groups((60, 40, 20))
    domains = domains_by_kmeans(vectors, lambda: texts, seed=3)
    assert len(domains.names) == len(set(domains.names)) == 8
    groups = [set(domains.domain[:60]), set(domains.domain[60:100]), set(domains.domain[100:])]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 8
    sizes = np.bincount(domains.domain)
    assert (np.diff(sizes) <= 0).all(), "the largest domain comes first"
    again = domains_by_kmeans(vectors, lambda: texts, seed=3)
    np.testing.assert_array_equal(domains.domain, again.domain)


def test_no_more_domains_than_distinct_vectors() -> None:
    vectors = np.eye(3, dtype=np.float32)[[1, 1, 0, 2, 1, 0]]
    domains = domains_by_kmeans(vectors, lambda: ["x"] * 6)
    assert domains.domain.tolist() == [0, 0, 1, 2, 0, 1]
    one = domains_by_kmeans(np.ones((4, 2), np.float32), lambda: ["same text"] * 4)
    assert one.domain.tolist() == [0] * 4


def test_mini_batches_take_over_above_20_000_records() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(20_001, 4)).astype(np.float32)
    domains = domains_by_kmeans(vectors, lambda: ["word"] * len(vectors))
    assert 90 <= len(domains.names) <= 100  # round(sqrt(20,001 / 2)), some may stay empty
    assert len(set(domains.names)) == len(domains.names)


def test_an_empty_pool_has_no_domains() -> None:
    domains = domains_by_kmeans(np.zeros((0, 4), np.float32), list)
    assert (domains.names, len(domains.domain)) == ((), 0)


# -- domains of further records -------------------------------------------------------------------


def test_further_vectors_fall_to_the_domain_whose_mean_is_nearest() -> None:
    chance = np.random.default_rng(1)
    known, domain = chance.normal(size=(300, 6)), chance.integers(0, 7, 300)
    domain[domain == 4] = 5  # a number that no record has gets none
    others = chance.normal(size=(50, 6))
    means = [known[domain == number].mean(axis=0) for number in (0, 1, 2, 3, 5, 6)]
    apart = np.linalg.norm(others[:, None] - np.array(means), axis=2)
    expected = np.array([0, 1, 2, 3, 5, 6])[apart.argmin(axis=1)]
    np.testing.assert_array_equal(nearest_domains(known, domain, others), expected)
    np.testing.assert_array_equal(nearest_domains(known, domain, others, chunk=7), expected)


def test_what_k_means_left_is_found_again() -> None:
    vectors, texts = three_groups((60, 40, 20))
    domains = domains_by_kmeans(vectors, lambda: texts, seed=3)
    np.testing.assert_array_equal(nearest_domains(vectors, domains.domain, vectors), domains.domain)


def test_domains_of_one_name_are_one_and_the_first_keep_their_numbers() -> None:
    first = domains_from_values(["a", "b", "b"])
    both = domains_joined(first, domains_from_values(["c", "c", "a", None]))
    assert both.names == ("b", "a", "c", "(none)")
    assert both.domain.tolist() == [1, 0, 0, 2, 2, 1, 3]
    nothing = domains_from_values([])
    assert domains_joined(first, nothing).domain.tolist() == first.domain.tolist()
    assert domains_joined(nothing, first).names == first.names
