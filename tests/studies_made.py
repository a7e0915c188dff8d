"""Studies made by hand, for the pages and figures that show one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ila_core.landscape.landscape import Landscape
from ila_core.selection.spec import Spec
from ila_core.studies.advice import Advice
from ila_core.studies.findings import Study
from ila_core.studies.journal import Journal
from ila_core.studies.settings import StudySettings
from ila_core.studies.variant import Variant


def study_of(**losses: dict[str, list[float]]) -> Study:
    """A study: by method, and by budget, the micro loss of each seed; macro is one more."""
    curves = [
        {**_curve(method).as_row(), "budget": budget, "unit": "records", "seed": seed,
         "records": int(budget), "tokens": 10.0 * int(budget), "micro": loss,
         "macro": loss + 1}
        for method, by_budget in losses.items()
        for budget, values in by_budget.items()
        for seed, loss in enumerate(values)
    ]  # fmt: skip
    return Study("ngram", 200, curves)


def _curve(name: str) -> Variant:
    """The curve of a name such as even_random or ila@0.5."""
    method, _, target = name.partition("@")
    turned = {"depth_target": float(target)} if target else {}
    return Variant(Spec(method.replace("_", "-"), **turned))


FOUND = study_of(
    random={"100": [4.0, 4.2], "10": [5.0, 5.2]},
    ila={"100": [3.5, 3.7], "10": [5.3, 5.5]},
    **{"ila@0.5": {"100": [3.0, 3.2], "10": [5.0, 5.2]}},
    deita={"100": [4.5, 3.7]},
)


def advising(landscape: Landscape, folder: Path, advice: Advice) -> Path:
    """Write a finished study of a landscape that gives this advice; return its folder."""
    with Journal.of(folder, landscape, StudySettings()):
        replace(FOUND, advice=advice.as_dict()).save(folder)
    return folder
