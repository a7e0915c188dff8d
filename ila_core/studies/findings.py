"""What a study has found out: its tables on disk, and its findings in plain words."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ila_core.artifacts import CURVES, FINDINGS, REGRESSION
from ila_core.errors import RunError, first_line
from ila_core.files import replacing, write_text
from ila_core.landscape.kinds import AUTO
from ila_core.shapes import NUMBER, misfit
from ila_core.studies.advice import Advice, Losses
from ila_core.studies.regression import (
    Regression,
    columns_of,
    fitted,
    of_entries,
    variables_of,
)
from ila_core.studies.seeds import Gap, Mean, listed
from ila_core.studies.variant import ILA, RANDOM, Loss, Place, Unit, Variant

Column = Literal["micro", "macro", "records", "tokens"]
"""What is known of every student on a curve."""

_SHAPE: dict[str, Any] = {
    "student": str, "dev_records": int, "depth?": str, "untrained?": [dict],
    "regression?": dict, "advice?": dict,
    "curves": [{
        "method": str, "budget": str, "unit": str, "seed": int, "records": NUMBER,
        "tokens": NUMBER, "micro": NUMBER, "macro": NUMBER, "error?": (*NUMBER, type(None)),
        "patches?": (str, type(None)), "depth?": (str, type(None)),
        "depth_target?": (*NUMBER, type(None)),
    }],
}  # fmt: skip
"""What study.json holds."""

_BESIDE = {
    "better": "better than",
    "worse": "WORSE than",
    "even": "no better and no worse than",
}
_WINNERS = {"better": "ILA beats {}", "worse": "{} beats ILA", "even": "neither wins"}


@dataclass(frozen=True)
class Study:
    """A study's results: a row per student, the regressions for both losses, and the advice."""

    student: str
    dev_records: int
    curves: list[dict[str, Any]]
    subsets: list[dict[str, Any]] = field(default_factory=list)
    regression: dict[str, Any] = field(default_factory=dict)
    advice: dict[str, Any] = field(default_factory=dict)
    """As `Advice` has it; empty where nothing could be advised."""
    untrained: list[dict[str, Any]] = field(default_factory=list)
    """A row a seed of what the held-out records cost a pre-trained student as it is."""
    depth: str = AUTO
    """The kind of depth that its landscape reads unasked; "auto" in studies made before kinds."""

    def as_dict(self) -> dict[str, Any]:
        """Return what study.json holds."""
        return {
            "student": self.student,
            "dev_records": self.dev_records,
            "depth": self.depth,
            "untrained": self.untrained,
            "curves": self.curves,
            "regression": self.regression,
            "advice": self.advice,
        }

    def save(self, folder: Path) -> None:
        """Write curves.parquet, regression.parquet and study.json."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for name, rows in ((CURVES, self.curves), (REGRESSION, self.subsets)):
            if rows:
                with replacing(folder / name) as temporary:
                    pq.write_table(pa.Table.from_pylist(rows), temporary)
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        write_text(folder / FINDINGS, text + "\n")

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Read a finished study; RunError where there is none or it is damaged."""
        import pyarrow.parquet as pq

        path = Path(folder) / FINDINGS
        if not path.is_file():
            raise RunError(f"{folder} holds no finished study (no {FINDINGS}); run ila study.")
        try:
            entries = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
            if (broken := misfit(entries, _SHAPE)) is not None:
                raise ValueError(f"its entry {broken!r} is missing or broken")
            subsets = path.with_name(REGRESSION)
            rows = pq.read_table(subsets).to_pylist() if subsets.is_file() else []
            study = cls(subsets=rows, **entries)
            study.summary()  # whatever else may be broken is met here, not on a screen
        except PermissionError as error:
            raise RunError(f"{path} cannot be read ({error.strerror}).") from error
        except RunError:
            raise
        except Exception as error:
            raise RunError(
                f"{path} is damaged ({first_line(error)}); run the study again."
            ) from error
        return study

    # -- numbers --

    @cached_property
    def _rows(self) -> dict[tuple[Variant, Place], list[dict[str, Any]]]:
        rows: dict[tuple[Variant, Place], list[dict[str, Any]]] = {}
        for row in self.curves:
            curve = Variant.of_row(row, self.depth)
            rows.setdefault((curve, Place.of_row(row)), []).append(row)
        return rows

    @property
    def losses(self) -> Losses:
        """The micro loss of every student, by curve, place and seed."""
        return {
            key: {row["seed"]: row["micro"] for row in rows} for key, rows in self._rows.items()
        }

    @property
    def advised(self) -> Advice | None:
        """What it advises; None where it has nothing to advise."""
        return Advice.of_entries(self.advice)

    @property
    def variants(self) -> list[Variant]:
        """The curves, in their order."""
        return list(dict.fromkeys(variant for variant, _ in self._rows))

    @property
    def places(self) -> list[Place]:
        """Where curves can be compared, at equal records first."""
        places = dict.fromkeys(place for _, place in self._rows)
        return sorted(places, key=lambda place: place.unit)

    @property
    def units(self) -> list[Unit]:
        """What curves can be compared at equal numbers of."""
        return list(dict.fromkeys(place.unit for place in self.places))

    def places_of(self, unit: Unit) -> list[Place]:
        """Return the places at equal numbers of one unit."""
        return [place for place in self.places if place.unit == unit]

    def by_seed(self, variant: Variant, place: Place, column: Column = "micro") -> dict[int, float]:
        """Return the micro (or macro) loss of one curve at one place, by seed."""
        return {row["seed"]: row[column] for row in self._rows.get((variant, place), ())}

    def mean(self, variant: Variant, place: Place, column: Column = "micro") -> Mean:
        """Return the mean of `by_seed` and its spread."""
        return Mean.of(self.by_seed(variant, place, column).values())

    def against_random(self, variant: Variant, place: Place, loss: Loss = "micro") -> Gap | None:
        """Return a curve's loss beside random's, seed by seed; None where one is missing."""
        own, chance = (self.by_seed(one, place, loss) for one in (variant, RANDOM))
        rows = self._rows.get((variant, place), ()) if loss == "micro" else ()
        return Gap.between(own, chance, {row["seed"]: row.get("error") for row in rows})

    def against(
        self, other: Variant, variant: Variant, places: Sequence[Place], loss: Loss = "micro"
    ) -> Gap | None:
        """Return a curve's loss less another's, as the mean over places, seed by seed.

        A seed counts where both have it at every place; None without one.
        """
        of_both = [[self.by_seed(one, place, loss) for place in places] for one in (variant, other)]
        own, beside = (
            {
                seed: float(np.mean([by_seed[seed] for by_seed in each]))
                for seed in (each[0] if each else ())
                if all(seed in by_seed for by_seed in each)
            }
            for each in of_both
        )
        return Gap.between(own, beside)

    def fit(self, loss: Loss = "micro") -> Regression | None:
        """Return the regression of a loss; None where there is none, or nothing to explain."""
        return of_entries(self.regression, loss)

    def predictions(self, loss: Loss = "micro") -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every subset and what the other folds predict for it, (k,) each."""
        if not self.subsets or self.fit(loss) is None:
            return np.zeros(0), np.zeros(0)
        actual = np.array([row[loss] for row in self.subsets])
        columns = columns_of(self.subsets)
        fit = fitted(columns, variables_of(columns), actual, self.subsets[0]["seed"])
        return actual, fit.predicted

    # -- in words --

    def summary(self) -> str:
        """Return the findings in plain words, whoever wins, by both losses."""
        from ila_core.studies.summary import summary

        return summary(self)

    def verdicts(self, loss: Loss = "micro") -> list[str]:
        """Return, place by place, whether ILA beats random, loses to it, or neither.

        The two are compared seed by seed, on the same held-out records: see `Gap`.
        """
        lines = []
        for place in self.places:
            gap = self.against_random(ILA, place, loss)
            if gap is not None:
                alone = ", on one seed" if gap.seeds == 1 else ""
                lines.append(
                    f"At {place.budget} and equal {place.unit}, ILA is "
                    f"{_BESIDE[gap.outcome]} random ({gap.mean:+.3f}{alone}); "
                    f"{self._lowest(place, loss)}."
                )
        return lines

    def headline(self, loss: Loss = "micro", other: Variant = RANDOM) -> str:
        """Return in a sentence where ILA beats random, where random wins, and where neither.

        Or another curve in random's place.
        """
        sentences = []
        for unit in self.units:
            budgets: dict[str, list[str]] = {}
            for place in self.places_of(unit):
                gap = self.against(other, ILA, [place], loss)
                if gap is not None:
                    budgets.setdefault(gap.outcome, []).append(place.budget)
            parts = [
                f"{words.format(other)} at {listed(budgets[outcome])}"
                for outcome, words in _WINNERS.items()
                if outcome in budgets
            ]
            if parts:
                sentences.append(f"At equal {unit} {', '.join(parts)}.")
        return " ".join(sentences) or f"This study does not set ILA against {other}."

    def _lowest(self, place: Place, loss: Loss) -> str:
        means = {variant: self.mean(variant, place, loss).mean for variant in self.variants}
        best = min((one for one in means if not math.isnan(means[one])), key=means.__getitem__)
        return f"the lowest loss is that of {best}, {means[best]:.3f}"


def _no_number(word: str) -> None:
    """Read NaN, which studies once wrote and JSON does not know, as null."""
    del word
