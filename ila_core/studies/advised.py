"""The advice of a study's folder, for a selection of the landscape that it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ila_core.artifacts import PLAN
from ila_core.errors import RunError
from ila_core.studies.advice import Advice
from ila_core.studies.findings import Study
from ila_core.studies.journal import identity, planned

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def advice_for(landscape: Landscape, folder: str | Path) -> Advice:
    """Return what a finished study advises for a landscape, confirmed or not.

    RunError where there is none, or for the study of another landscape: its depths and places are
    others, and nobody has tried them here.
    """
    study, plan = Study.open(folder), planned(folder)
    if plan is None:
        raise RunError(
            f"{folder} does not say which landscape its study is of ({PLAN} is missing or "
            "damaged); run ila study again."
        )
    if plan[0] != identity(landscape):
        raise RunError(
            f"{folder} holds the study of another landscape than {landscape.run or 'this one'}; "
            "give a study of the same one, or leave --advice out."
        )
    if study.advised is None:
        raise RunError(
            f"The study in {folder} advises nothing: that takes the methods random and ila, at the "
            "same budgets. Run ila study again with both."
        )
    return study.advised
