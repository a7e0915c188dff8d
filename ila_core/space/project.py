"""Vectors to points of the plane: UMAP, t-SNE or principal components.

The projection is fitted on the distinct vectors and copied to their repetitions, so equal
instructions lie on one point. Above a number of distinct vectors it is fitted on a sample of
them, the landmarks, and the others are placed among their nearest landmarks. Who is a landmark is
told by the vectors themselves, and so is the order in which quick UMAP takes them: their maps do
not depend on the order of the records.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ila_core.blocks import Spread, once
from ila_core.chance import stream
from ila_core.errors import UsageError
from ila_core.progress import Progress, no_progress
from ila_core.space.distinct import CHUNK, distinct_rows
from ila_core.space.landmarks import choose, place, unit_rows
from ila_core.space.neighbours import nearest_among

Method = Literal["umap", "quick-umap", "landmarks", "tsne", "pca"]

FEWEST = 15
"""Distinct vectors below which neighbourhoods mean nothing and principal components are used."""

FITTED: dict[str, int] = {
    "umap": 250_000, "quick-umap": 2_000_000, "landmarks": 20_000, "tsne": 250_000,
}  # fmt: skip
"""Distinct vectors that each method is fitted on at most: of more so many are its landmarks.

With 20,000 landmarks of 71,802 the map is as trustworthy as UMAP's of all (k = 15, among 5,000:
0.917 and 0.859), and half of the time goes into the fit, half into placing the others.
"""

NEIGHBOURS, MIN_DIST = 15, 0.1
"""UMAP's own defaults."""

COMPARED = {"umap": 60_000, "quick-umap": 120_000, "tsne": 60_000}
"""Points up to which all pairs are compared for the nearest. The library's search compiles for most
of a minute: longer than this takes among 120,000 points of 128 axes or 60,000 of 512."""
QUICK_SEARCH = 0.2
"""Share of quick UMAP's time that the search for neighbours takes."""
AXES, EPOCHS = 128, 100
"""Quick UMAP's: principal axes in which it looks for neighbours, and passes over the pool. Of
71,802 vectors of 512 dimensions it takes 18 s where UMAP itself, with 200 passes, takes 37."""

PERPLEXITY = 30.0
"""t-SNE's own default."""

QUICK = 3
"""Raised whenever quick UMAP would put a vector elsewhere."""

Report = Callable[[float], None]
"""Called with the share of some work that is done, 0 to 1."""


@dataclass(frozen=True)
class ProjectionSettings:
    """How vectors become points; distances are by cosine. The seed is from 0 to 2^32 - 1.

    `landmarks` is UMAP on fewer vectors, and UMAP itself where there are no more than those;
    `quick-umap` is UMAP of all, with neighbours that it finds among their principal components and
    half as many passes, and where there are too many for that one of landmarks too.
    """

    method: Method = "umap"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise UsageError(
                f"Unknown projection {self.method!r}; choose {', '.join(get_args(Method))}."
            )


@dataclass(frozen=True, eq=False)
class Projected:
    """The points of n vectors, and what they were made of."""

    xy: np.ndarray
    """(n, 2) float32, all finite."""
    distinct: int
    """Distinct vectors among them."""
    fitted: int
    """How many of those the projection was fitted on; the others lie among these."""


def project(
    vectors: np.ndarray,
    settings: ProjectionSettings | None = None,
    *,
    progress: Progress = no_progress,
) -> np.ndarray:
    """Return the points of vectors (n, d), of shape (n, 2), float32, all finite: see `projected`.

    >>> project(np.array([[3.0, 0.0], [1.0, 0.0], [3.0, 0.0]])).tolist()
    [[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]
    """
    return projected(vectors, settings or ProjectionSettings(), progress=progress).xy


def projected(
    vectors: np.ndarray,
    settings: ProjectionSettings,
    *,
    work: Path | None = None,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Projected:
    """Return the points of vectors (n, d), and how many of them the projection was fitted on.

    Equal rows give equal points, the same seed the same bytes on one machine; where the map is one
    of landmarks, in whatever order the rows stand. Fewer than 15 distinct vectors are projected on
    their principal components, whatever the method. `work` and `spread` are for what is placed
    among landmarks, as in `landmarks.place`; a fit is made in this process. `progress` tells the
    share of the work as records. UsageError where t-SNE's library is not installed.

    >>> made = projected(np.array([[3.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), ProjectionSettings())
    >>> made.xy[0].tolist(), made.distinct, made.fitted
    ([1.0, 0.0], 2, 2)
    """
    if len(vectors) == 0:
        return Projected(np.zeros((0, 2), np.float32), 0, 0)
    rows, copies = distinct_rows(vectors)
    fitted = len(rows)
    portion = _Portion(progress, len(vectors))
    if is_linear(settings.method, len(rows), vectors.shape[1]):
        xy = principal_components(vectors, rows)
    elif settings.method == "quick-umap":
        if len(rows) > FITTED["quick-umap"]:
            among = replace(settings, method="landmarks")
            return projected(vectors, among, work=work, spread=spread, progress=progress)
        xy = _fit_in_order(vectors, rows, settings, portion)
    elif len(rows) <= FITTED[settings.method]:
        xy = _fit(np.asarray(vectors[rows], np.float32), settings, portion)
    else:
        xy = _fit_on_landmarks(vectors, rows, settings, portion, work, spread)
        fitted = FITTED[settings.method]
    portion(1.0)
    return Projected(xy[copies], len(rows), fitted)


def is_linear(method: str, distinct: int, dimensions: int) -> bool:
    """Tell whether so many distinct vectors are put on their principal components."""
    return method == "pca" or distinct < FEWEST or dimensions < 2


# -- principal components -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Axes:
    """A plane through d dimensions: the mean of vectors (d,) and two directions (d, 2)."""

    mean: np.ndarray
    directions: np.ndarray

    def places(self, vectors: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the coordinates of vectors[rows] in the plane, (m, 2) float32."""
        rows = np.arange(len(vectors)) if rows is None else rows
        parts = [(part - self.mean) @ self.directions for part in _parts(vectors, rows)]
        return np.concatenate([np.zeros((0, 2)), *parts]).astype(np.float32)


def principal_axes(vectors: np.ndarray, rows: np.ndarray | None = None) -> Axes:
    """Return the plane of the first two principal axes of vectors[rows].

    The entry of largest size in each axis is positive. A direction without extent is zero, as is
    the second axis where d is 1.
    """
    rows = np.arange(len(vectors)) if rows is None else rows
    mean = sum(part.sum(axis=0) for part in _parts(vectors, rows)) / len(rows)
    axes = _principal_axes(sum((part - mean).T @ (part - mean) for part in _parts(vectors, rows)))
    return Axes(mean, axes)


def principal_components(vectors: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the first two principal coordinates of vectors[rows], (m, 2) float32.

    A direction without extent gives exact zeros, as does a second axis where d is 1.

    >>> principal_components(np.array([[0.0], [2.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    return principal_axes(vectors, rows).places(vectors, rows)


def _principal_axes(covariance: np.ndarray) -> np.ndarray:
    """Return the two axes of largest variance as columns, (d, 2); zeros where there is none."""
    from scipy.linalg import eigh

    dim = len(covariance)
    count = min(2, dim)
    variances, axes = eigh(covariance, subset_by_index=[dim - count, dim - 1])
    variances, axes = variances[::-1], axes[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(count)])
    # Below this a variance is what rounding float32 entries leaves behind.
    axes[:, variances <= max(1e-10 * variances[0], 1e-14)] = 0
    return np.pad(axes, ((0, 0), (0, 2 - count)))


def _parts(vectors: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield vectors[rows] in float64, some at a time."""
    for start in range(0, len(rows), CHUNK):
        yield np.asarray(vectors[rows[start : start + CHUNK]], np.float64)


# -- UMAP and t-SNE -------------------------------------------------------------------------------


class _Portion:
    """A portion of the work, reported as records of the whole; parts of it are portions too."""

    SEARCH = 0.4
    """Share of a projection's time that the search for neighbours takes."""

    def __init__(self, progress: Progress, n: int, low: float = 0.0, high: float = 1.0) -> None:
        self._progress, self._n = progress, n
        self._low, self._high = low, high

    def __call__(self, share: float) -> None:
        self._progress(int(self._n * (self._low + (self._high - self._low) * share)), self._n)

    def part(self, low: float, high: float) -> _Portion:
        width = self._high - self._low
        return _Portion(self._progress, self._n, self._low + width * low, self._low + width * high)


def _fit(points: np.ndarray, settings: ProjectionSettings, work: _Portion) -> np.ndarray:
    """Return the projection of distinct points (m, d), m >= 15, as (m, 2) float32."""
    start = _parted_start(principal_components(points), settings.seed)
    layout = LAYOUTS.get(settings.method, _umap)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries among themselves
        return layout(points, start, settings, work).astype(np.float32)


def _parted_start(start: np.ndarray, seed: int) -> np.ndarray:
    """Return a start within 10 of the middle, with a noise that parts what lies together."""
    noise = stream(seed, "projection start").normal(scale=1e-4, size=start.shape)
    return (start * (10 / np.abs(start).max()) + noise).astype(np.float32)


def neighbours_by_cosine(
    points: np.ndarray, k: int, most: int, report: Report = lambda share: None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return each point's k nearest, itself first, and their cosine distances; None above `most`.

    All pairs are compared.
    """
    if len(points) > most:
        return None
    rows, cosines = nearest_among(
        unit_rows(points), k, progress=lambda done, n: report(done / (n or 1))
    )
    # Rounding may have put another point before the point itself, or in its stead.
    own = np.arange(len(points), dtype=np.int32)[:, None]
    order = np.argsort(rows != own, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)
    distances = np.maximum(1 - np.take_along_axis(cosines, order, axis=1), 0)
    rows[:, :1], distances[:, 0] = own, 0
    return rows, distances


def _umap(
    points: np.ndarray, start: np.ndarray, settings: ProjectionSettings, work: _Portion
) -> np.ndarray:
    k = min(NEIGHBOURS, len(points) - 1)
    search = work.part(0.0, work.SEARCH)
    known = neighbours_by_cosine(points, k, COMPARED["umap"], search) or (None, None)
    return _laid_out(points, start, settings, work.part(work.SEARCH, 1.0), k, known)


def _laid_out(
    points: np.ndarray,
    start: np.ndarray,
    settings: ProjectionSettings,
    work: _Portion,
    k: int,
    known: tuple[np.ndarray | None, np.ndarray | None],
    epochs: int | None = None,
) -> np.ndarray:
    """Return UMAP's layout of points whose k nearest are known or not, with its own epochs."""
    model = _library()(
        n_neighbors=k,
        n_epochs=epochs,
        min_dist=MIN_DIST,
        metric="cosine",
        init=start,
        random_state=settings.seed,
        n_jobs=1,  # more threads race, and the seed would not fix the result
        disconnection_distance=np.inf,  # a lonely point keeps its place instead of NaN
        precomputed_knn=(*known, None),
        tqdm_kwds={
            "disable": False,
            "file": _Epochs(work),
            "bar_format": "{n_fmt}/{total_fmt}",
            "mininterval": 0.3,
        },
    )
    return model.fit_transform(points)


LOOPS = {
    "umap.umap_": ("smooth_knn_dist", "compute_membership_strengths"),
    "umap.layouts": ("_nb_optimize_layout_euclidean_single_epoch",),
}
"""What umap-learn compiles for a layout and does not keep, by its modules."""


def _library() -> type:
    """Return umap-learn's class, with its loops kept on disk once they are compiled.

    It has them compiled anew by every process, which takes longer than the map of a small pool.
    """
    from umap import UMAP

    for module, names in LOOPS.items():
        for name in names:
            # A version may call it otherwise, and there may be no folder that can be written to.
            with suppress(AttributeError, RuntimeError):
                getattr(import_module(module), name).enable_caching()
    return UMAP


def _fit_in_order(
    vectors: np.ndarray, rows: np.ndarray, settings: ProjectionSettings, work: _Portion
) -> np.ndarray:
    """Return the points of the distinct vectors[rows] by quick UMAP, (m, 2) float32.

    They are taken in the order of a hash of their content, so that what depends on it, sums and
    searches by chance, comes out alike however the rows are shuffled.
    """
    order = choose(vectors, rows, len(rows), seed=settings.seed)
    xy = np.empty((len(rows), 2), np.float32)
    xy[order] = _fit(reduced(vectors, rows[order], AXES), settings, work)
    return xy


def reduced(vectors: np.ndarray, rows: np.ndarray, axes: int) -> np.ndarray:
    """Return the directions of vectors[rows] along their principal axes, (m, axes) float32.

    They are those of the second moments about zero, which keep cosines as well as so many axes can;
    fewer dimensions than `axes` are all kept, turned. Vectors may be memory-mapped.
    """
    from scipy.linalg import eigh

    dim = vectors.shape[1]
    moments = np.zeros((dim, dim))
    for start in range(0, len(rows), CHUNK):
        part = unit_rows(vectors[rows[start : start + CHUNK]])
        moments += part.T @ part
    count = min(axes, dim)
    turned = eigh(moments, subset_by_index=[dim - count, dim - 1])[1][:, ::-1].astype(np.float32)
    found = np.empty((len(rows), count), np.float32)
    for start in range(0, len(rows), CHUNK):
        block = slice(start, start + CHUNK)
        found[block] = unit_rows(vectors[rows[block]]) @ turned
    return found


def _quick_umap(
    points: np.ndarray, start: np.ndarray, settings: ProjectionSettings, work: _Portion
) -> np.ndarray:
    k = min(NEIGHBOURS, len(points) - 1)
    search = work.part(0.0, QUICK_SEARCH)
    known = neighbours_by_cosine(points, k, COMPARED["quick-umap"], search)
    known = known or neighbours_by_search(points, k, settings.seed)
    work(QUICK_SEARCH)
    return _laid_out(points, start, settings, work.part(QUICK_SEARCH, 1.0), k, known, EPOCHS)


def neighbours_by_search(points: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what `neighbours_by_cosine` does, nearly; the index takes more than the points do."""
    from pynndescent import NNDescent

    # With more threads than one the same seed finds others.
    index = NNDescent(points, metric="cosine", n_neighbors=k, random_state=seed, n_jobs=1)
    return index.neighbor_graph


class _Epochs:
    """The file that UMAP's progress bar writes to: reads `done/total` off it and passes it on."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def write(self, text: str) -> None:
        if count := re.search(r"(\d+)/(\d+)", text):
            self._report(int(count[1]) / int(count[2]))

    def flush(self) -> None:
        """Nothing is held back."""


def _tsne(
    points: np.ndarray, start: np.ndarray, settings: ProjectionSettings, work: _Portion
) -> np.ndarray:
    try:
        from openTSNE import TSNE, affinity, nearest_neighbors
    except ImportError as error:
        raise UsageError(
            "The projection tsne needs the library openTSNE, which is not installed: "
            'pip install "ila-landscape[tsne]", or use --projection umap.'
        ) from error
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    k = min(int(3 * perplexity) + 1, len(points))
    known = neighbours_by_cosine(points, k, COMPARED["tsne"], work.part(0.0, work.SEARCH))
    if known:
        index = nearest_neighbors.PrecomputedNeighbors(known[0][:, 1:], known[1][:, 1:])
        source = {"knn_index": index}
    else:
        source = {"data": points, "metric": "cosine"}
    affinities = affinity.PerplexityBasedNN(
        **source, perplexity=perplexity, n_jobs=1, random_state=settings.seed
    )
    model = TSNE(
        random_state=settings.seed,
        n_jobs=1,
        callbacks=_Iterations(work.part(work.SEARCH, 1.0)),
        callbacks_every_iters=_Iterations.EVERY,
    )
    # The library wants a start that is small: its attraction works on near points.
    small = start.astype(np.float64) * (1e-4 / start[:, 0].std())
    return np.asarray(model.fit(affinities=affinities, initialization=small))


LAYOUTS = {"tsne": _tsne, "quick-umap": _quick_umap}
"""What lays points out that is not UMAP itself."""


class _Iterations:
    """t-SNE's callback, which gets the iteration of one of its two phases: counts calls."""

    EVERY = 50
    TOTAL = 250 + 500

    def __init__(self, report: Report) -> None:
        self._report = report
        self._done = 0

    def __call__(self, *_: object) -> None:
        self._done = min(self._done + self.EVERY, self.TOTAL)
        self._report(self._done / self.TOTAL)


# -- landmarks ------------------------------------------------------------------------------------


def _fit_on_landmarks(
    vectors: np.ndarray,
    rows: np.ndarray,
    settings: ProjectionSettings,
    portion: _Portion,
    work: Path | None,
    spread: Spread | None,
) -> np.ndarray:
    """Return the points of the distinct vectors[rows], the landmarks' and the others', (m, 2).

    The fit is kept in the folder `work` where others place the rest: they must all lie among the
    same places, also those that are placed after a kill.
    """
    chosen = choose(vectors, rows, FITTED[settings.method], seed=settings.seed)
    landmarks = np.asarray(vectors[rows[chosen]], np.float32)
    fitting = portion.part(0.0, 0.6)
    file = None if work is None else work / "landmarks.npz"
    fitted = once(file, lambda: {"xy": _fit(landmarks, settings, fitting)})["xy"]
    placing = portion.part(0.6, 1.0)
    others = np.setdiff1d(np.arange(len(rows)), chosen)
    placed = place(
        landmarks, fitted, vectors, rows=rows[others], seed=settings.seed, work=work, spread=spread,
        progress=lambda done, total: placing(done / (total or 1)),
    )  # fmt: skip
    xy = np.empty((len(rows), 2), np.float32)
    xy[chosen], xy[others] = fitted, placed.xy
    return xy
