"""Places among landmarks: by hand, what they depend on, and whom they lie beside."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from threadpoolctl import threadpool_limits

import ila_core.space.landmarks as module
from ila_core.errors import IlaError
from ila_core.space.landmarks import choose, place, usual_distance
from ila_core.space.neighbours import nearest

CORNERS = np.array([[0, 0], [0, 9], [9, 0], [9, 9.0]])


def blobs(n: int, *, dim: int = 24, groups: int = 12, seed: int = 0) -> np.ndarray:
    """Return n vectors around some directions, of lengths that differ."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(groups, dim))
    vectors = centres[np.arange(n) % groups] + chance.normal(scale=0.5, size=(n, dim))
    return (vectors * chance.uniform(0.5, 2, size=(n, 1))).astype(np.float32)


def circle(angles: np.ndarray) -> np.ndarray:
    """Return unit vectors of the plane at these angles."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


# -- who is a landmark ----------------------------------------------------------------------------


@given(st.integers(1, 59), st.integers(0, 50), st.permutations(range(60)))
def test_landmarks_are_chosen_by_their_content_and_stand_in_its_order(
    count: int, seed: int, order: list[int]
) -> None:
    vectors = blobs(60)
    chosen = choose(vectors, np.arange(60), count, seed=seed)
    assert len(set(chosen.tolist())) == len(chosen) == count
    np.testing.assert_array_equal(chosen, choose(vectors, np.arange(60), 60, seed=seed)[:count])
    turned = choose(vectors[order], np.arange(60), count, seed=seed)
    np.testing.assert_array_equal(vectors[order][turned], vectors[chosen])
    rows = np.array(order)
    np.testing.assert_array_equal(rows[choose(vectors, rows, count, seed=seed)], chosen)


def test_a_record_that_comes_takes_the_place_of_one_landmark_at_most() -> None:
    vectors = blobs(301)
    before = choose(vectors, np.arange(300), 100)
    after = choose(vectors, np.arange(301), 100)
    assert len(set(before.tolist()) - set(after.tolist())) <= 1


def test_every_part_of_a_pool_has_its_share_of_the_landmarks_at_every_seed() -> None:
    vectors = blobs(4000, groups=8)
    vectors[:, 0] = np.arange(4000)  # numbers that rise, as ill for a hash as there may be
    counts = []
    for seed in range(20):
        chosen = choose(vectors, np.arange(4000), 1000, seed=seed)
        counts += [*np.bincount(chosen % 8, minlength=8), *(np.bincount(chosen // 500))]
    # Of 500 records a quarter is chosen: 125, with a deviation of 9 without replacement.
    assert np.abs(np.array(counts) - 125).max() < 5 * 9
    assert 7 < np.std(counts) < 11


# -- by hand --------------------------------------------------------------------------------------


def test_the_mean_of_the_nearer_half_round_the_most_central() -> None:
    landmarks = circle(np.radians([0.0, 60.0, 180.0]))
    placed = place(landmarks, [[0, 0], [6, 0], [0, 600]], circle(np.radians([20.0])), k=3)
    near, far = (1 - np.cos(np.radians([20.0, 40.0]))) ** -2
    assert placed.xy[0] == pytest.approx([6 * far / (near + far), 0], rel=1e-6)
    assert placed.nearest.tolist() == [0]
    assert placed.distance[0] == pytest.approx(1 - np.cos(np.radians(20)))


def test_neighbours_in_two_regions_put_it_into_one_of_them() -> None:
    """The nearest lies apart from all others: neither it nor the middle of the way is taken."""
    landmarks = circle(np.radians([10.0, 12.0, 12.1, 12.2, 12.3, 12.4]))
    xy = np.array([[100.0, 0], [0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5]])
    placed = place(landmarks, xy, circle(np.radians([0.0])))
    assert (placed.xy[0] >= 0).all() and (placed.xy[0] <= 1).all()
    assert placed.nearest.tolist() == [0]


def test_the_same_direction_has_the_landmarks_place_to_the_bit() -> None:
    vectors, chance = blobs(300), np.random.default_rng(1)
    xy = chance.normal(size=(300, 2)).astype(np.float32)
    placed = place(vectors, xy, vectors[::3] * 7)
    np.testing.assert_array_equal(placed.xy, xy[::3])
    assert placed.same.all() and placed.nearest.tolist() == list(range(0, 300, 3))


def test_a_text_read_again_with_other_rounding_is_the_same() -> None:
    vectors = blobs(200, dim=512)
    again = vectors * (1 + np.random.default_rng(2).normal(scale=1e-6, size=vectors.shape))
    assert place(vectors, np.zeros((200, 2)), again).same.all()
    moved = vectors * (1 + np.random.default_rng(2).normal(scale=1e-3, size=vectors.shape))
    assert not place(vectors, np.zeros((200, 2)), moved).same.any()


def test_equal_landmarks_count_once() -> None:
    landmarks = circle(np.array([0.0] * 50 + [0.5, 0.6]))
    xy = np.array([[0.0, 0.0]] * 50 + [[8.0, 0.0], [9.0, 0.0]])
    placed = place(landmarks, xy, circle(np.array([0.2])), k=3)
    near, far = (1 - np.cos([0.2, 0.3])) ** -2
    assert placed.xy[0] == pytest.approx([8 * far / (near + far), 0], rel=1e-6)
    assert placed.nearest.tolist() == [0]


def test_fewer_landmarks_than_neighbours_are_all_taken() -> None:
    placed = place(np.eye(2), CORNERS[1:3], np.array([[1.0, 0.5]]), k=9)
    assert placed.xy.tolist() == [CORNERS[1].tolist()]
    assert place(np.eye(2)[:1], CORNERS[:1], -np.eye(2)).xy.tolist() == [[0, 0], [0, 0]]


def test_a_vector_without_a_direction_has_a_place_and_is_nobodys_twin() -> None:
    placed = place(np.eye(3), CORNERS[:3], np.zeros((1, 3)))
    assert np.isfinite(placed.xy).all() and not placed.same.any()


def test_nothing_to_place() -> None:
    placed = place(np.eye(2), CORNERS[:2], np.zeros((0, 2)))
    assert placed.xy.shape == (0, 2) and len(placed.nearest) == len(placed.distance) == 0


@pytest.mark.parametrize(
    ("landmarks", "xy", "vectors", "told"),
    [
        (np.zeros((0, 3)), np.zeros((0, 2)), np.ones((1, 3)), "no landmark"),
        (np.eye(3), CORNERS, np.ones((1, 3)), r"\(4, 2\); 3 landmarks need \(3, 2\)"),
        (np.eye(3), CORNERS[:3], np.ones((1, 4)), "4 dimensions; those of the map have 3"),
    ],
)
def test_what_does_not_fit_is_told(
    landmarks: np.ndarray, xy: np.ndarray, vectors: np.ndarray, told: str
) -> None:
    with pytest.raises(IlaError, match=told):
        place(landmarks, xy, vectors)


# -- what a place depends on ----------------------------------------------------------------------


@given(st.permutations(range(60)), st.integers(1, 60))
@settings(max_examples=25)
def test_a_place_depends_on_no_vector_beside_it(order: list[int], many: int) -> None:
    landmarks, others = blobs(500, dim=19), blobs(60, dim=19, seed=3)
    xy = np.random.default_rng(4).normal(size=(500, 2))
    whole = place(landmarks, xy, others)
    rows = np.array(order[:many])
    part = place(landmarks, xy, others, rows=rows)
    np.testing.assert_array_equal(part.xy, whole.xy[rows])
    np.testing.assert_array_equal(part.nearest, whole.nearest[rows])
    np.testing.assert_array_equal(part.distance, whole.distance[rows])


@pytest.mark.parametrize(("queries", "chunk"), [(7, 16_384), (4096, 31), (1, 100)])
def test_neither_blocks_nor_threads_change_a_bit(
    monkeypatch: pytest.MonkeyPatch, queries: int, chunk: int
) -> None:
    landmarks, others = blobs(700, dim=40), blobs(90, dim=40, seed=5)
    xy = np.random.default_rng(6).normal(size=(700, 2))
    with threadpool_limits(limits=2):
        whole = place(landmarks, xy, others)
    monkeypatch.setattr(module, "QUERIES", queries)
    monkeypatch.setattr(module, "CHUNK", chunk)
    with threadpool_limits(limits=1):
        np.testing.assert_array_equal(place(landmarks, xy, others).xy, whole.xy)


def test_the_order_of_the_landmarks_changes_rounding_at_most() -> None:
    landmarks, others = blobs(400), blobs(50, seed=7)
    xy = np.random.default_rng(8).normal(size=(400, 2))
    order = np.random.default_rng(9).permutation(400)
    first, second = place(landmarks, xy, others), place(landmarks[order], xy[order], others)
    np.testing.assert_allclose(first.xy, second.xy, atol=1e-6)
    np.testing.assert_array_equal(first.nearest, order[second.nearest])


def test_all_lie_inside_the_map() -> None:
    landmarks, others = blobs(300), blobs(200, groups=5, seed=10)
    xy = np.random.default_rng(11).normal(size=(300, 2))
    placed = place(landmarks, xy, others).xy
    assert (placed >= xy.min(axis=0)).all() and (placed <= xy.max(axis=0)).all()


def test_arrays_on_disk_are_read_where_they_lie(tmp_path) -> None:
    landmarks, others = blobs(300), blobs(40, seed=12)
    xy = np.random.default_rng(13).normal(size=(300, 2))
    for name, array in (("landmarks", landmarks), ("others", others)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("landmarks", "others")]
    told: list[tuple[int, int | None]] = []
    placed = place(mapped[0], xy, mapped[1], progress=lambda *done: told.append(done))
    np.testing.assert_array_equal(placed.xy, place(landmarks, xy, others).xy)
    assert told == [(40, 40)]


# -- whom they lie beside -------------------------------------------------------------------------


def test_the_map_with_the_placed_is_about_as_trustworthy_as_the_whole_one() -> None:
    """On a sphere, whose map is known: what is placed has the neighbours that it had there."""
    chance = np.random.default_rng(14)
    points = chance.normal(size=(1500, 3))
    points[:, 2] = np.abs(points[:, 2]) + 1  # one side of it, which a plane can hold
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    xy = points[:, :2] / points[:, 2:]
    old, new = points[:1200], points[1200:]
    placed = place(old, xy[:1200], new).xy
    whole = trustworthiness(points, xy, n_neighbors=15, metric="cosine")
    mixed = np.concatenate([xy[:1200], placed])
    assert trustworthiness(points, mixed, n_neighbors=15, metric="cosine") > whole - 0.002
    by_chance = np.concatenate([xy[:1200], xy[chance.permutation(1200)[:300]]])
    assert trustworthiness(points, by_chance, n_neighbors=15, metric="cosine") < whole - 0.05


def test_neighbours_are_those_that_comparing_all_finds() -> None:
    landmarks, others = blobs(400), blobs(80, seed=15)
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (landmarks, others)]
    cosines = unit[1] @ unit[0].T
    placed = place(landmarks, np.zeros((400, 2)), others)
    np.testing.assert_array_equal(placed.nearest, cosines.argmax(axis=1))
    np.testing.assert_allclose(placed.distance, 1 - cosines.max(axis=1), atol=1e-6)


# -- what is far ----------------------------------------------------------------------------------


def test_the_usual_distance_is_that_of_the_landmarks_to_their_nearest() -> None:
    ring = circle(np.radians(np.arange(0, 360, 3.0)))
    assert usual_distance(ring) == pytest.approx(1 - np.cos(np.radians(3.0)), abs=1e-7)
    repeated = np.concatenate([ring, ring])
    assert usual_distance(repeated) == pytest.approx(usual_distance(ring), abs=1e-7)


def test_one_landmark_alone_makes_nothing_far() -> None:
    assert usual_distance(np.ones((3, 2))) == 2


def test_of_vectors_like_the_landmarks_few_are_far_and_of_others_all() -> None:
    landmarks, alike = blobs(1000, groups=6), blobs(2000, groups=6)[1000:]
    usual = usual_distance(landmarks)
    xy = np.zeros((1000, 2))
    assert (place(landmarks, xy, alike).distance > usual).mean() < 0.05
    strange = np.random.default_rng(16).normal(size=(100, 24))
    assert (place(landmarks, xy, strange).distance > usual).mean() > 0.95


# -- the index ------------------------------------------------------------------------------------


def test_where_both_are_many_a_seeded_search_index_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real index takes most of a minute to compile: this one has its interface."""
    landmarks, others = blobs(80), blobs(40, seed=17)
    others[7] = 0  # of which the real one finds nothing
    made: list[tuple[str, int, int]] = []
    asked: list[int] = []

    class Index:
        def __init__(self, data: np.ndarray, metric: str, random_state: int, **_: object) -> None:
            self.data = data
            made.append((metric, len(data), random_state))

        def prepare(self) -> None:
            """The real one builds its search graph here."""

        def query(self, part: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
            asked.append(len(part))
            rows, cosines = nearest(part, self.data, k)
            rows[~part.any(axis=1)] = -1
            return rows, 1 - cosines

    xy = np.random.default_rng(18).normal(size=(80, 2))
    exact = place(landmarks, xy, others, seed=5)
    monkeypatch.setitem(sys.modules, "pynndescent", types.SimpleNamespace(NNDescent=Index))
    monkeypatch.setattr(module, "EXACT_AMONG", 79)
    np.testing.assert_array_equal(place(landmarks, xy, others, seed=5).xy, exact.xy)
    assert not made, "few enough to be compared with all"
    monkeypatch.setattr(module, "EXACT_PAIRS", 40 * 79)
    np.testing.assert_array_equal(place(landmarks, xy, others, seed=5).xy, exact.xy)
    assert made == [("cosine", 80, 5)]
    assert asked == [1] * 40, "together they would share the index's chance"
