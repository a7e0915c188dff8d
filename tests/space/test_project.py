"""Projection: places worked out by hand, equal points, degenerate pools, landmarks."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ila_core.space.project as module
from ila_core.errors import UsageError
from ila_core.space.landmarks import choose, unit_rows
from ila_core.space.neighbours import TILE, nearest, nearest_among
from ila_core.space.project import (
    ProjectionSettings,
    neighbours_by_cosine,
    principal_axes,
    principal_components,
    project,
    projected,
    reduced,
)


def groups(n: int, dim: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return n unit vectors around four directions, and which direction each is of."""
    chance = np.random.default_rng(seed)
    group = np.arange(n) % 4
    vectors = np.eye(4, dim)[group] + chance.normal(scale=0.08, size=(n, dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), group


def purity(xy: np.ndarray, group: np.ndarray) -> float:
    """Return the share of points whose nearest other point on the map is of their group."""
    distance = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((group[distance.argmin(axis=1)] == group).mean())


# -- principal components -------------------------------------------------------------------------


def test_principal_components_by_hand() -> None:
    vectors = np.array([[0, 0, 5], [4, 0, 5], [0, 2, 5], [4, 2, 5.0]])
    expected = [[-2, -1], [2, -1], [-2, 1], [2, 1]]
    np.testing.assert_allclose(principal_components(vectors), expected, atol=1e-6)


def test_principal_components_are_sklearns_up_to_sign() -> None:
    from sklearn.decomposition import PCA

    vectors, _ = groups(200)
    ours, theirs = principal_components(vectors), PCA(2).fit_transform(vectors)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


def test_the_larger_side_of_each_axis_is_positive_whatever_the_rows_order() -> None:
    vectors, _ = groups(50)
    order = np.random.default_rng(1).permutation(50)
    first, second = principal_components(vectors), principal_components(vectors[order])
    np.testing.assert_allclose(first[order], second, atol=1e-5)


def test_many_rows_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = groups(100)
    whole = principal_components(vectors)
    monkeypatch.setattr(module, "CHUNK", 7)
    np.testing.assert_allclose(principal_components(vectors), whole, atol=1e-6)
    rows = np.array([3, 50, 99, 4])
    np.testing.assert_allclose(
        principal_components(vectors, rows), principal_components(vectors[rows]), atol=1e-6
    )


# -- degenerate pools -----------------------------------------------------------------------------

CORNERS = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize("method", ["umap", "quick-umap", "landmarks", "tsne", "pca"])
@pytest.mark.parametrize(
    "vectors",
    [
        CORNERS[:1],
        CORNERS[[0] * 40],
        CORNERS[[0, 1] * 20],
        np.array([[1.0], [-1.0], [1.0]]),
        np.linspace(1, 2, 30)[:, None],
        CORNERS,
    ],
    ids=["one", "identical", "two points", "one dimension", "many in one dimension", "three"],
)
def test_every_pool_has_finite_places(vectors: np.ndarray, method: str) -> None:
    xy = project(vectors, ProjectionSettings(method=method))  # type: ignore[arg-type]
    assert xy.shape == (len(vectors), 2) and xy.dtype == np.float32
    assert np.isfinite(xy).all()
    assert len(np.unique(xy, axis=0)) == len(np.unique(vectors, axis=0))


def test_an_empty_pool_has_an_empty_map() -> None:
    assert project(np.zeros((0, 5), np.float32)).shape == (0, 2)


def test_two_points_lie_on_a_line_of_no_height() -> None:
    xy = project(CORNERS[[0, 1, 1]])
    assert xy[:, 1].tolist() == [0, 0, 0]
    assert xy[0, 0] == -xy[1, 0] != 0


def test_points_on_one_line_still_get_a_map() -> None:
    angle = np.linspace(0, 0.5, 40)
    vectors = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle]).astype(np.float32)
    vectors[:, 1] = 0.3  # of rank one about the mean
    for method in ("umap", "tsne"):
        xy = project(vectors, ProjectionSettings(method=method))  # type: ignore[arg-type]
        assert np.isfinite(xy).all()


# -- UMAP and t-SNE -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mapped() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, group = groups(160)
    vectors = np.concatenate([vectors, vectors[:40]])  # the first forty twice
    return vectors, np.concatenate([group, group[:40]]), project(vectors)


def test_umap_parts_the_groups_and_equal_vectors_lie_on_one_point(mapped) -> None:
    _, group, xy = mapped
    np.testing.assert_array_equal(xy[:40], xy[160:])
    assert purity(xy[:160], group[:160]) > 0.95


def test_what_the_library_compiles_is_kept_for_the_next_process(mapped) -> None:
    kernels = [
        getattr(sys.modules[of], name) for of, names in module.LOOPS.items() for name in names
    ]
    assert len(kernels) == 3 and all(kernel.stats.cache_path for kernel in kernels)


def test_what_cannot_be_kept_is_compiled_as_ever(mapped, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _, xy = mapped
    asked: list[str] = []

    def no_folder(kernel: Any) -> None:
        asked.append(kernel.py_func.__name__)
        raise RuntimeError("cannot cache function: no locator available")

    loops = module.LOOPS | {"umap.layouts": ("_named_otherwise",)}
    monkeypatch.setattr(module, "LOOPS", loops)
    monkeypatch.setattr(
        type(sys.modules["umap.umap_"].smooth_knn_dist), "enable_caching", no_folder
    )
    np.testing.assert_array_equal(project(vectors), xy)
    assert asked == ["smooth_knn_dist", "compute_membership_strengths"]


def test_the_seed_alone_decides_the_map(mapped) -> None:
    vectors, _, xy = mapped
    np.testing.assert_array_equal(project(vectors, ProjectionSettings(seed=0)), xy)
    assert (project(vectors, ProjectionSettings(seed=1)) != xy).any()


def test_repetitions_do_not_move_the_others(mapped) -> None:
    vectors, _, xy = mapped
    np.testing.assert_array_equal(project(vectors[:160]), xy[:160])


def test_progress_rises_to_the_number_of_records_and_nothing_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    vectors, _ = groups(100)
    for method in ("umap", "tsne", "pca"):
        steps: list[int] = []
        totals: set[int | None] = set()

        def progress(done: int, total: int | None, steps=steps, totals=totals) -> None:
            steps.append(done)
            totals.add(total)

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            project(vectors, ProjectionSettings(method=method), progress=progress)  # type: ignore
        assert steps == sorted(steps) and steps[-1] == 100 and totals == {100}
        assert method == "pca" or len(steps) > 3
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def test_tsne_parts_the_groups() -> None:
    vectors, group = groups(120)
    xy = project(vectors, ProjectionSettings(method="tsne"))
    assert purity(xy, group) > 0.95
    np.testing.assert_array_equal(project(vectors, ProjectionSettings(method="tsne")), xy)


def test_without_its_library_tsne_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(UsageError, match=r'pip install "ila-landscape\[tsne\]"'):
        project(groups(20)[0], ProjectionSettings(method="tsne"))


# -- many points ----------------------------------------------------------------------------------


LANDMARKS = ProjectionSettings("landmarks")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred landmarks."""
    monkeypatch.setitem(module.FITTED, "landmarks", 100)


@pytest.mark.parametrize("compared", [5_000, 0])
def test_quick_umap_keeps_groups_together_in_whatever_order_they_stand(
    compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbours found by comparing all, and by the search that a large pool has."""
    monkeypatch.setitem(module.COMPARED, "quick-umap", compared)
    vectors, group = groups(300)
    vectors, group = np.concatenate([vectors, vectors[:40]]), np.concatenate([group, group[:40]])
    quick = ProjectionSettings("quick-umap")
    made = projected(vectors, quick)
    assert (made.distinct, made.fitted) == (300, 300)
    assert purity(made.xy, group) > 0.95
    np.testing.assert_array_equal(made.xy[300:], made.xy[:40])
    order = np.random.default_rng(2).permutation(340)
    np.testing.assert_array_equal(project(vectors[order], quick), made.xy[order])
    assert (project(vectors, ProjectionSettings("quick-umap", seed=1)) != made.xy).any()


def test_reduced_directions_keep_cosines() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 12)) * np.array([9.0] * 4 + [0.03] * 8)
    unit, small = unit_rows(vectors), reduced(vectors, np.arange(200), 4)
    assert small.shape == (200, 4) and small.dtype == np.float32
    np.testing.assert_allclose(small @ small.T, unit @ unit.T, atol=0.01)
    whole = reduced(vectors, np.arange(200), 128)
    assert whole.shape == (200, 12)
    np.testing.assert_allclose(whole @ whole.T, unit @ unit.T, atol=1e-5)


def test_quick_umap_of_too_many_is_a_map_of_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.FITTED, "landmarks", 100)
    monkeypatch.setitem(module.FITTED, "quick-umap", 150)
    vectors, _ = groups(200)
    made = projected(vectors, ProjectionSettings("quick-umap"))
    assert made.fitted == 100
    np.testing.assert_array_equal(made.xy, project(vectors, LANDMARKS))


@pytest.mark.usefixtures("few")
def test_the_others_lie_among_their_landmarks() -> None:
    vectors, group = groups(400)
    made = projected(vectors, LANDMARKS)
    assert np.isfinite(made.xy).all() and made.xy.shape == (400, 2)
    assert (made.distinct, made.fitted) == (400, 100)
    assert purity(made.xy, group) > 0.95
    np.testing.assert_array_equal(project(vectors, LANDMARKS), made.xy)
    assert (project(vectors, ProjectionSettings("landmarks", seed=1)) != made.xy).any()


@given(st.permutations(range(240)))
@settings(max_examples=8)
def test_the_order_of_the_records_moves_none_of_them_among_landmarks(order: list[int]) -> None:
    vectors = groups(200)[0]
    vectors = np.concatenate([vectors, vectors[:40]])  # the first forty twice
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(module.FITTED, "landmarks", 100)
        xy, turned = project(vectors, LANDMARKS), project(vectors[order], LANDMARKS)
    np.testing.assert_array_equal(turned, xy[order])
    np.testing.assert_array_equal(xy[200:], xy[:40])


@pytest.mark.usefixtures("few")
def test_a_landmark_has_the_place_that_it_was_fitted_at_and_the_others_lie_within() -> None:
    vectors, _ = groups(300)
    chosen = choose(vectors, np.arange(300), 100)
    alone, whole = project(vectors[chosen], LANDMARKS), project(vectors, LANDMARKS)
    np.testing.assert_array_equal(whole[chosen], alone)
    assert (whole >= alone.min(axis=0)).all() and (whole <= alone.max(axis=0)).all()


@pytest.mark.usefixtures("few")
def test_a_pool_of_no_more_than_the_landmarks_has_umaps_own_map() -> None:
    vectors, _ = groups(100)
    again = np.concatenate([vectors, vectors[:50]])  # distinct ones count
    made = projected(again, LANDMARKS)
    assert (made.distinct, made.fitted) == (100, 100)
    np.testing.assert_array_equal(made.xy, project(again, ProjectionSettings("umap")))


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_a_pool_that_is_too_large_for_a_method_has_landmarks_too(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.FITTED, method, 60)
    vectors, group = groups(200)
    made = projected(vectors, ProjectionSettings(method))  # type: ignore[arg-type]
    assert made.fitted == 60
    assert purity(made.xy, group) > 0.95


@pytest.mark.usefixtures("few")
def test_progress_of_landmarks_rises_too() -> None:
    steps: list[int] = []
    project(groups(200)[0], LANDMARKS, progress=lambda done, _: steps.append(done))
    assert steps == sorted(steps) and steps[-1] == 200


def test_more_points_than_are_compared_are_left_to_the_library() -> None:
    vectors, _ = groups(120)
    assert neighbours_by_cosine(vectors, 3, 119) is None
    assert neighbours_by_cosine(vectors, 3, 120) is not None


def test_axes_of_some_vectors_place_others_on_the_same_plane() -> None:
    vectors = np.random.default_rng(2).normal(size=(50, 6))
    axes = principal_axes(vectors)
    np.testing.assert_array_equal(axes.places(vectors), principal_components(vectors))
    halfway = (vectors[:1] + vectors[1:2]) / 2
    expected = principal_components(vectors)[:2].mean(axis=0)
    np.testing.assert_allclose(axes.places(halfway)[0], expected, atol=1e-6)
    assert axes.places(vectors[:0]).shape == (0, 2)


# -- neighbours -----------------------------------------------------------------------------------


def test_nearest_by_hand_with_ties_by_position() -> None:
    points = np.array([[1, 0], [0, 1], [1, 0], [-1, 0]], np.float32)
    rows, cosines = nearest(points[2:], points, 3)
    assert rows.tolist() == [[0, 2, 1], [3, 1, 0]]
    assert cosines.tolist() == [[1, 1, 0], [1, 0, -1]]


def test_nearest_is_what_sorting_all_gives() -> None:
    chance = np.random.default_rng(0)
    points = chance.normal(size=(1500, 5)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    rows, cosines = nearest(points, points, 7)
    similarity = points @ points.T
    np.testing.assert_allclose(cosines, -np.sort(-similarity, axis=1)[:, :7], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(similarity, rows, axis=1), cosines, atol=1e-6)


@pytest.mark.parametrize("count", [1, TILE - 1, TILE, 2 * TILE + 300])
def test_nearest_among_all_is_what_each_finds_by_itself(count: int) -> None:
    chance = np.random.default_rng(1)
    # Of small whole numbers, so that sums are exact and many are equally near.
    points = chance.integers(-2, 3, size=(count, 6)).astype(np.float32)
    k, done = min(9, count), list[int]()
    rows, cosines = nearest_among(points, k, progress=lambda now, _: done.append(now))
    each_rows, each_cosines = nearest(points, points, k)
    np.testing.assert_array_equal(cosines, each_cosines)
    np.testing.assert_array_equal(rows, each_rows)
    products = points @ points.T
    np.testing.assert_array_equal(rows, np.argsort(-products, axis=1, kind="stable")[:, :k])
    assert done == sorted(done) and done[-1] == count


@given(st.integers(2, 12), st.integers(0, 100))
@settings(max_examples=20)
def test_a_point_is_its_own_first_neighbour_even_among_near_copies(k: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    points = (np.ones(8) + chance.normal(scale=1e-7, size=(40, 8))).astype(np.float32)
    known = neighbours_by_cosine(points, k, len(points))
    assert known is not None
    rows, distances = known
    assert rows[:, 0].tolist() == list(range(40))
    assert not distances[:, 0].any() and (distances >= 0).all()
    assert all(len(set(row)) == k for row in rows.tolist())


# -- settings -------------------------------------------------------------------------------------


def test_a_projection_that_is_not_known_is_refused_with_its_name() -> None:
    with pytest.raises(
        UsageError, match="Unknown projection 'mds'; choose umap, quick-umap, landmarks, tsne, pca"
    ):
        ProjectionSettings(method="mds")  # type: ignore[arg-type]
