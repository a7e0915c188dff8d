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

from ila_core.errors import RunError
from ila_core.files import replacing, write_text
from ila_core.studies.journal import FINDINGS
from ila_core.studies.regression import Regression, of_entries, out_of_fold
from ila_core.studies.seeds import Gap, Mean
from ila_core.studies.settings import SUBJECT
from ila_core.studies.variant import RANDOM, Loss, Place, Unit, Variant

ILA = Variant(SUBJECT)
"""The curve that the verdicts are about."""
LOSSES: dict[Loss, str] = {"micro": "over all tokens", "macro": "as the mean over domains"}
Column = Literal["micro", "macro", "records", "tokens"]
"""What is known of every student on a curve."""

_BESIDE_RANDOM = {
    "better": "better than",
    "worse": "WORSE than",
    "even": "no better and no worse than",
}
_WINNERS = {"better": "ILA beats random", "worse": "random beats ILA", "even": "neither wins"}


@dataclass(frozen=True)
class Study:
    """A study's results: one row per student, and the regressions for micro and macro loss."""

    student: str
    dev_records: int
    curves: list[dict[str, Any]]
    subsets: list[dict[str, Any]] = field(default_factory=list)
    regression: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return study.json: student, dev_records, curves, regression."""
        return {
            "student": self.student,
            "dev_records": self.dev_records,
            "curves": self.curves,
            "regression": self.regression,
        }

    def save(self, folder: Path) -> None:
        """Write curves.parquet, regression.parquet and study.json."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for name, rows in (("curves", self.curves), ("regression", self.subsets)):
            if rows:
                with replacing(folder / f"{name}.parquet") as temporary:
                    pq.write_table(pa.Table.from_pylist(rows), temporary)
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        write_text(folder / FINDINGS, text + "\n")

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Read a finished study; RunError where there is none or it is damaged."""
        import pyarrow.parquet as pq

        path = Path(folder) / FINDINGS
        if not path.is_file():
            raise RunError(f"{folder} holds no finished study (no study.json); run ila study.")
        try:
            entries = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
            subsets = path.with_name("regression.parquet")
            rows = pq.read_table(subsets).to_pylist() if subsets.is_file() else []
            return cls(subsets=rows, **entries)
        except (ValueError, TypeError, OSError) as error:
            raise RunError(f"{path} is damaged ({error}); run the study again.") from error

    # -- numbers --

    @cached_property
    def _rows(self) -> dict[tuple[Variant, Place], list[dict[str, Any]]]:
        rows: dict[tuple[Variant, Place], list[dict[str, Any]]] = {}
        for row in self.curves:
            rows.setdefault((Variant.of_row(row), Place.of_row(row)), []).append(row)
        return rows

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
        own, random = (self.by_seed(one, place, loss) for one in (variant, RANDOM))
        return Gap.between(own, random)

    def fit(self, loss: Loss = "micro") -> Regression | None:
        """Return the regression of a loss; None where there is none, or nothing to explain."""
        return of_entries(self.regression, loss)

    def predictions(self, loss: Loss = "micro") -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every subset and what the other folds predict for it, (k,) each."""
        if not self.subsets or self.fit(loss) is None:
            return np.zeros(0), np.zeros(0)
        coverage, depth, actual = (
            np.array([row[name] for row in self.subsets])
            for name in ("coverage", "mean_relative_depth", loss)
        )
        return actual, out_of_fold(coverage, depth, actual, self.subsets[0]["seed"])

    # -- in words --

    def summary(self) -> str:
        """Return the findings in plain words, whoever wins, by both losses."""
        lines = [f"Student {self.student}, judged by {self.dev_records:,} held-out records."]
        for loss, words in LOSSES.items():
            for unit in self.units:
                lines += ["", f"Loss at equal {unit} (nats per token {words}, ± deviation):"]
                lines += self._table(unit, loss)
            if verdicts := self.verdicts(loss):
                lines += ["", f"{words[0].upper()}{words[1:]}:", *verdicts]
        return "\n".join([*lines, "", *self._explained()]).rstrip("\n")

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
                    f"{_BESIDE_RANDOM[gap.outcome]} random ({gap.mean:+.3f}{alone}); "
                    f"{self._lowest(place, loss)}."
                )
        return lines

    def headline(self, loss: Loss = "micro") -> str:
        """Return in a sentence where ILA beats random, where random wins, and where neither."""
        sentences = []
        for unit in self.units:
            budgets: dict[str, list[str]] = {}
            for place in self.places_of(unit):
                gap = self.against_random(ILA, place, loss)
                if gap is not None:
                    budgets.setdefault(gap.outcome, []).append(place.budget)
            parts = [
                f"{words} at {_listed(budgets[outcome])}"
                for outcome, words in _WINNERS.items()
                if outcome in budgets
            ]
            if parts:
                sentences.append(f"At equal {unit} {', '.join(parts)}.")
        return " ".join(sentences) or "This study does not set ILA against random."

    def _table(self, unit: Unit, loss: Loss) -> list[str]:
        places = self.places_of(unit)
        lines = [f"  {'method':<18}" + "".join(f"{place.budget:>16}" for place in places)]
        for variant in self.variants:
            means = (self.mean(variant, place, loss) for place in places)
            lines.append(f"  {variant!s:<18}" + "".join(f"{mean!s:>16}" for mean in means))
        return lines

    def _lowest(self, place: Place, loss: Loss) -> str:
        means = {variant: self.mean(variant, place, loss).mean for variant in self.variants}
        best = min((one for one in means if not math.isnan(means[one])), key=means.__getitem__)
        return f"the lowest loss is that of {best}, {means[best]:.3f}"

    def _explained(self) -> list[str]:
        if not self.regression:
            return []
        fits = {loss: self.fit(loss) for loss in reversed(LOSSES)}
        shares = [
            f"{max(fit.r2_cv, 0):.0%} of the {loss} loss ({fit.r2_cv_low:.2f} to "
            f"{fit.r2_cv_high:.2f})"
            for loss, fit in fits.items()
            if fit is not None
        ]
        subsets = f"Over {self.regression['subsets']} subsets that no method chose,"
        lines = []
        if shares:
            lines.append(
                f"{subsets} log coverage and mean relative depth explain {_listed(shares)}: "
                "cross-validated R2, with its 95 % interval."
            )
        alone = [
            f"{max(fit.r2_cv_coverage, 0):.0%}"
            for fit in fits.values()
            if fit is not None and fit.r2_cv_coverage is not None
        ]
        if alone:
            lines.append(f"Log coverage alone explains {_listed(alone)}.")
        lines += [
            f"{subsets} the {loss} loss is the same: nothing can be explained."
            for loss, fit in fits.items()
            if fit is None
        ]
        return lines


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _no_number(word: str) -> None:
    """Read NaN, which studies once wrote and JSON does not know, as null."""
    del word
