"""Pools, settings and studies that several test modules use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import small_pool, write_jsonl

import ila_core as ila
from ila_core.landscape.landscape import Landscape
from ila_core.selection.spec import Spec
from ila_core.studies.findings import Study
from ila_core.studies.settings import StudySettings
from ila_core.studies.variant import Variant

NAN = float("nan")
ALONE = {"patches": [], "depths": [], "depth_targets": []}
"""Settings of a study that turns no knob of ILA."""
SMALL = {
    "methods": ["random", "coverage-only", "ila", "deita"],
    "budgets": ["5%", "20%"],
    "seeds": 2,
    "subsets": 12,
    **ALONE,
    "depth_targets": [0.5],
}
STUDENTS = 5 * 2 * 2 * 2 + 12  # variants x budgets x units x seeds, and the regression


def pool_of(
    n: int, *, seed: int = 0, missing: float = 0.1, silent: float = 0.05, kinds: int = 1
) -> Landscape:
    """Records of chance; some have no depth, some no response at all; of up to three kinds."""
    rng = np.random.default_rng(seed)
    depth, tokens = rng.random(n), rng.integers(1, 60, n).astype(float)
    depth[rng.random(n) < missing] = NAN
    tokens[rng.random(n) < silent] = 0
    place, domain = rng.random((n, 2)), rng.integers(0, 3, n)
    others = {name: rng.random(n) for name in ("loss", "loss_reduction")[: kinds - 1]}
    return Landscape.from_arrays(place, depth=depth, tokens=tokens, domain=domain, **others)


def settings(**options: object) -> StudySettings:
    """Settings of two methods at one budget, unless said otherwise."""
    small = {"methods": ["random", "ila"], "budgets": ["10%"], **ALONE}
    return StudySettings.of(**{**small, **options})


def study_of(**losses: list[float]) -> Study:
    """A study of one budget: by method, such as ila or ila@depth_target=1.0, the loss by seed."""
    curves = [
        {**curve_of(name).as_row("loss-reduction"), "budget": "10%", "unit": "records",
         "seed": seed, "records": 9, "tokens": 99.0, "micro": loss, "macro": loss}
        for name, values in losses.items()
        for seed, loss in enumerate(values)
    ]  # fmt: skip
    return Study("ngram", 200, curves, depth="loss-reduction")


def curve_of(name: str) -> Variant:
    """The curve of a name such as even_random or ila@patches=grid."""
    method, _, knob = name.partition("@")
    name, _, value = knob.partition("=")
    turned = {name: float(value) if name == "depth_target" else value} if knob else {}
    return Variant(Spec(method.replace("_", "-"), **turned))


def built(folder: Path, **options: object) -> Landscape:
    """Return a landscape of 900 records with their texts, projected by PCA."""
    pool = write_jsonl(folder / "pool.jsonl", small_pool(900))
    return ila.build(pool, out=folder / "run", projection="pca", **options)
