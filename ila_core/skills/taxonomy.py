"""Labels by likeness: a record carries the shipped skills whose descriptions it resembles.

The encoder is handed in and must be the shipped static one, whatever encoder the landscape itself
uses: the threshold was calibrated for it (``assets/make_skills.py``) and means nothing elsewhere.

How far to trust it is in ``assets/skills_calibration.json``. On the sample pool the first label is
right for about two records in five, and the number of labels does not follow the true number at
all: good enough to name a region of the map, not to weigh a depth. So it is never used unless it
is asked for (``auto`` does not).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from ila_core.chance import stream
from ila_core.errors import IlaError
from ila_core.paths import ASSETS
from ila_core.pool.labels import Labels, distinct, record_text
from ila_core.progress import Progress, no_progress

MAX_LABELS = 8
READ_CHARS = 600
"""How much of a record is compared: the calibration holds for this length."""

_BATCH = 1024


class Encoder(Protocol):
    """Anything that turns texts into rows of a (len(texts), d) float array."""

    def encode(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Skill:
    """One entry of the taxonomy; ``parent`` is the name of a broader one, None at the top."""

    name: str
    parent: str | None
    description: str


@dataclass(frozen=True)
class Calibration:
    """How well a threshold tells the right labels, measured on records it was not chosen on.

    ``precision``, ``recall`` and ``f1`` are micro averages over labels: each half of the records
    was labelled with the threshold that was best on the other half. ``threshold`` is the best one
    on all of them. ``curve`` holds (threshold, precision, recall) on all records, in sample.
    ``count_correlation`` is Spearman's between the true and the given number of labels, which is
    all that the depth takes from them. ``first_right`` is the share of records of which the most
    similar skill is a true label. ``unknown`` is the share of true labels that the taxonomy
    does not have; they count as missed.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    count_correlation: float
    first_right: float
    unknown: float
    n: int
    curve: tuple[tuple[float, float, float], ...]


def load_skills(path: Path | None = None) -> tuple[Skill, ...]:
    """The skills of the shipped taxonomy, or of another file of the same shape.

    >>> skills = load_skills()
    >>> len(skills) >= 120, skills[0].parent
    (True, None)
    """
    path = path or ASSETS / "skills.json"
    try:
        return tuple(Skill(**skill) for skill in json.loads(path.read_text("utf-8"))["skills"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IlaError(f"The list of skills {path} cannot be read: {error}.") from error


def shipped_calibration() -> dict[str, float]:
    """How far to trust the shipped taxonomy: what `Calibration` says of it, without its curve."""
    path = ASSETS / "skills_calibration.json"
    try:
        figures = json.loads(path.read_text("utf-8"))
        return {
            name: float(value) for name, value in figures.items() if isinstance(value, int | float)
        }
    except (OSError, ValueError, AttributeError) as error:
        raise IlaError(
            f"The calibration {path} cannot be read ({error}); "
            "make it with: python assets/make_skills.py"
        ) from error


def shipped_threshold() -> float:
    """The calibrated threshold that ships with the taxonomy: a cosine similarity."""
    return shipped_calibration()["threshold"]


def taxonomy_identity() -> str:
    """A digest of all that the labels depend on besides the record, for a stage's key."""
    rule = f"{MAX_LABELS} {READ_CHARS} {shipped_threshold()} {load_skills()}"
    digest = blake2b(rule.encode(), digest_size=16)
    for path in sorted((ASSETS / "encoder").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def taxonomy(
    pairs: Callable[[], Iterable[tuple[str, str]]],
    n: int,
    encoder: Encoder,
    *,
    threshold: float | None = None,
    skills: Sequence[Skill] | None = None,
    progress: Progress = no_progress,
) -> list[Labels]:
    """The skills that each of ``n`` records resembles, most similar first, 1 to 8 of them.

    A skill is given where its similarity reaches ``threshold`` (None: the calibrated one); the
    most similar is given in any case. A record of which the encoder knows nothing gets None.
    ``pairs`` gives instruction and response of every record and is called once.
    """
    skills = load_skills() if skills is None else skills
    threshold = shipped_threshold() if threshold is None else threshold
    names = [skill.name for skill in skills]
    labels: list[Labels] = []
    for similarity in _similarities(pairs(), encoder, skills):
        labels.extend(_above(row, threshold, names) for row in similarity)
        progress(len(labels), n)
    return labels


def _similarities(
    pairs: Iterable[tuple[str, str]], encoder: Encoder, skills: Sequence[Skill]
) -> Iterator[np.ndarray]:
    """Batches of (len(batch), len(skills)) cosine similarities; a row of NaN for a zero vector."""
    # Not the names: "go" and "reasoning" alone would draw in half of the pool.
    described = _unit(np.asarray(encoder.encode([skill.description for skill in skills])))
    # What all descriptions share ("and", "the", commas) would make every text resemble each.
    common = described.mean(axis=0)
    anchors = _unit(described - common)
    texts = (record_text(*pair, chars=READ_CHARS) for pair in pairs)
    while batch := list(islice(texts, _BATCH)):
        vectors = np.asarray(encoder.encode(batch))
        known = np.any(vectors != 0, axis=1, keepdims=True)
        similarity = _unit(_unit(vectors) - common) @ anchors.T
        yield np.where(known, similarity, np.nan)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length one; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _above(similarity: np.ndarray, threshold: float, names: Sequence[str]) -> Labels:
    if np.isnan(similarity[0]):
        return None
    best = np.argsort(-similarity, kind="stable")[:MAX_LABELS]
    count = max(1, int(np.count_nonzero(similarity[best] >= threshold)))
    return tuple(names[skill] for skill in best[:count])


def calibrate(
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[Labels],
    *,
    encoder: Encoder,
    skills: Sequence[Skill] | None = None,
    seed: int = 0,
) -> Calibration:
    """The threshold with the best F1 on hand-labelled records, and what to expect of it.

    ``pairs`` (instruction, response) and ``labels`` are in the same order; records without
    labels are left out. The others are halved by ``seed`` and each half is judged with the
    other's threshold.
    """
    skills = load_skills() if skills is None else skills
    labelled = [row for row, some in enumerate(labels) if some]
    if len(labelled) < 4:
        raise IlaError(f"{len(labelled)} labelled records are too few to calibrate on; give 4.")
    similarity = np.concatenate(
        list(_similarities([pairs[row] for row in labelled], encoder, skills))
    )
    truth = _truth_table([labels[row] or () for row in labelled], skills)
    known = ~np.isnan(similarity[:, 0])
    judge = _Judge(similarity[known], *(part[known] for part in truth))
    order = stream(seed, "taxonomy calibration").permutation(len(judge.extra))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    hits, given, true = np.zeros(3)
    counted = np.zeros(len(order))
    for half, other in (halves, halves[::-1]):
        threshold = judge.on(other).best_threshold()
        result = judge.on(half).totals(threshold)
        hits, given, true = hits + result[0], given + result[1], true + result[2]
        counted[half] = judge.on(half).given(threshold).sum(axis=1)
    curve = tuple(
        (float(t), hit / made, hit / real)
        for t in _THRESHOLDS
        for hit, made, real in [judge.totals(t)]
    )
    return Calibration(
        threshold=judge.best_threshold(),
        precision=float(hits / given),
        recall=float(hits / true),
        f1=float(2 * hits / (given + true)),
        count_correlation=_rank_correlation(counted, judge.true_counts()),
        first_right=float((judge.truth & judge.given(np.inf)).any(axis=1).mean()),
        unknown=float(judge.extra.sum() / judge.true_counts().sum()),
        n=len(order),
        curve=curve,
    )


_THRESHOLDS = np.round(np.arange(0.0, 0.91, 0.02), 2)


@dataclass(frozen=True)
class _Judge:
    """Similarities and truth of some records: (n, k), (n, k) bool, (n,) labels not in the list."""

    similarity: np.ndarray
    truth: np.ndarray
    extra: np.ndarray

    def on(self, rows: np.ndarray) -> _Judge:
        return _Judge(self.similarity[rows], self.truth[rows], self.extra[rows])

    def true_counts(self) -> np.ndarray:
        return self.truth.sum(axis=1) + self.extra

    def given(self, threshold: float) -> np.ndarray:
        """(n, k) bool: the labels that ``taxonomy`` would give."""
        rank = np.argsort(np.argsort(-self.similarity, axis=1, kind="stable"), axis=1)
        return (rank == 0) | ((rank < MAX_LABELS) & (self.similarity >= threshold))

    def totals(self, threshold: float) -> tuple[float, float, float]:
        """Right labels given, labels given, true labels."""
        given = self.given(threshold)
        return (
            float((given & self.truth).sum()),
            float(given.sum()),
            float(self.true_counts().sum()),
        )

    def best_threshold(self) -> float:
        def f1(threshold: float) -> float:
            hits, given, true = self.totals(threshold)
            return 2 * hits / (given + true)

        return float(max(_THRESHOLDS, key=f1))


def _truth_table(
    labels: Sequence[Sequence[str]], skills: Sequence[Skill]
) -> tuple[np.ndarray, np.ndarray]:
    column = {skill.name.casefold(): k for k, skill in enumerate(skills)}
    truth = np.zeros((len(labels), len(skills)), dtype=bool)
    extra = np.zeros(len(labels), dtype=np.int64)
    for row, names in enumerate(labels):
        for name in distinct(names):
            if (k := column.get(name.casefold())) is None:
                extra[row] += 1
            else:
                truth[row, k] = True
    return truth, extra


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation; 0 where one side is constant and there is nothing to rank."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)
