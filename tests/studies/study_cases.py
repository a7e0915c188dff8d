"""Pools, settings and studies that several test modules use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.studies.findings import Study
from ila_core.studies.settings import StudySettings

NAN = float("nan")
SMALL = {
    "methods": ["random", "coverage-only", "ila", "deita"],
    "budgets": ["5%", "20%"],
    "seeds": 2,
    "subsets": 12,
    "depth_targets": [0.5],
}
STUDENTS = 5 * 2 * 2 * 2 + 12  # variants x budgets x units x seeds, and the regression


def pool_of(n: int, *, seed: int = 0, missing: float = 0.1, silent: float = 0.05) -> Landscape:
    """Records of chance; some have no depth, some no response at all."""
    rng = np.random.default_rng(seed)
    depth, tokens = rng.random(n), rng.integers(1, 60, n).astype(float)
    depth[rng.random(n) < missing] = NAN
    tokens[rng.random(n) < silent] = 0
    return Landscape.from_arrays(
        rng.random((n, 2)), depth=depth, tokens=tokens, domain=rng.integers(0, 3, n)
    )


def settings(**options: object) -> StudySettings:
    """Settings of two methods at one budget, unless said otherwise."""
    small = {"methods": ["random", "ila"], "budgets": ["10%"], "depth_targets": []}
    return StudySettings.of(**{**small, **options})


def study_of(**losses: list[float]) -> Study:
    """A study of one budget: by method, the micro loss of each seed."""
    curves = [
        {"method": method.replace("_", "-"), "depth_target": 1.0, "budget": "10%",
         "unit": "records", "seed": seed, "records": 9, "tokens": 99.0, "micro": loss,
         "macro": loss}
        for method, values in losses.items()
        for seed, loss in enumerate(values)
    ]  # fmt: skip
    return Study("ngram", 200, curves)


def built(folder: Path, **options: object) -> Landscape:
    """Return a landscape of 900 records with their texts, projected by PCA."""
    pool = write_jsonl(folder / "pool.jsonl", small_pool(900))
    return ila.build(pool, out=folder / "run", projection="pca", **options)
