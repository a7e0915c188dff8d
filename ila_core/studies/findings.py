"""What a study found: its tables on disk, and its findings in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ila_core.errors import RunError
from ila_core.files import replacing, write_text


@dataclass(frozen=True)
class Study:
    """What a study found: one row per student, and the regressions for micro and macro loss."""

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
        import pyarrow as pa
        import pyarrow.parquet as pq

        for name, rows in (("curves", self.curves), ("regression", self.subsets)):
            if rows:
                with replacing(folder / f"{name}.parquet") as temporary:
                    pq.write_table(pa.Table.from_pylist(rows), temporary)
        write_text(folder / "study.json", json.dumps(self.as_dict(), indent=1) + "\n")

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Read a finished study; RunError where there is none or it is damaged."""
        import pyarrow.parquet as pq

        path = Path(folder) / "study.json"
        if not path.is_file():
            raise RunError(f"{folder} holds no finished study (no study.json); run ila study.")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            subsets = path.with_name("regression.parquet")
            rows = pq.read_table(subsets).to_pylist() if subsets.is_file() else []
            return cls(subsets=rows, **found)
        except (ValueError, TypeError, OSError) as error:
            raise RunError(f"{path} is damaged ({error}); run the study again.") from error

    def by_seed(
        self, method: str, budget: str, unit: str, depth_target: float = 1.0, which: str = "micro"
    ) -> dict[int, float]:
        """Return the micro (or macro) loss of one method at one budget, by seed."""
        return {
            row["seed"]: row[which]
            for row in self.curves
            if (row["method"], row["budget"], row["unit"], row["depth_target"])
            == (method, budget, unit, depth_target)
        }

    def mean(
        self, method: str, budget: str, unit: str, depth_target: float = 1.0, which: str = "micro"
    ) -> Mean:
        """Return the mean of `by_seed` and its spread."""
        return Mean.of(self.by_seed(method, budget, unit, depth_target, which).values())

    @property
    def variants(self) -> list[tuple[str, float]]:
        """The methods and their depth targets, in the order of the curves."""
        return list(dict.fromkeys((row["method"], row["depth_target"]) for row in self.curves))

    @property
    def places(self) -> list[tuple[str, str]]:
        """Where methods can be compared: (unit, budget), the equal records first."""
        found = dict.fromkeys((row["unit"], row["budget"]) for row in self.curves)
        return sorted(found, key=lambda place: place[0])

    def summary(self) -> str:
        """Return the findings in plain words, whoever wins, by both losses."""
        lines = [f"Student {self.student}, judged by {self.dev_records:,} held-out records."]
        for which, words in LOSSES.items():
            for unit in dict.fromkeys(unit for unit, _ in self.places):
                lines += ["", f"Loss at equal {unit} (nats per token {words}, ± deviation):"]
                lines += self._table(unit, which)
            if told := self.verdicts(which):
                lines += ["", f"{words[0].upper()}{words[1:]}:", *told]
        return "\n".join([*lines, "", *self._explained()]).rstrip("\n")

    def _table(self, unit: str, which: str) -> list[str]:
        budgets = [budget for of_unit, budget in self.places if of_unit == unit]
        lines = [f"  {'method':<18}" + "".join(f"{budget:>16}" for budget in budgets)]
        for method, q in self.variants:
            cells = (self.mean(method, budget, unit, q, which) for budget in budgets)
            lines.append(f"  {_named(method, q):<18}" + "".join(f"{cell!s:>16}" for cell in cells))
        return lines

    def verdicts(self, which: str = "micro") -> list[str]:
        """Return, budget by budget, whether ILA beats random, loses to it, or neither.

        The two are compared seed by seed, on the same held-out records: see `Gap`.
        """
        lines = []
        for unit, budget in self.places:
            gap = self.against_random("ila", budget, unit, which=which)
            if gap is not None:
                alone = ", on one seed" if gap.seeds == 1 else ""
                lines.append(
                    f"At {budget} and equal {unit}, ILA is {_WORDS[gap.outcome]} random "
                    f"({gap.mean:+.3f}{alone}); {self._lowest(unit, budget, which)}."
                )
        return lines

    def headline(self, which: str = "micro") -> str:
        """Return in a sentence where ILA beats random, where random wins, and where neither."""
        told = []
        for unit in dict.fromkeys(unit for unit, _ in self.places):
            where: dict[str, list[str]] = {}
            for budget in (budget for of_unit, budget in self.places if of_unit == unit):
                gap = self.against_random("ila", budget, unit, which=which)
                if gap is not None:
                    where.setdefault(gap.outcome, []).append(budget)
            parts = [
                f"{words} at {_listed(where[outcome])}"
                for outcome, words in _WINNERS.items()
                if outcome in where
            ]
            if parts:
                told.append(f"At equal {unit} {', '.join(parts)}.")
        return " ".join(told) or "This study does not set ILA against random."

    def against_random(
        self, method: str, budget: str, unit: str, depth_target: float = 1.0, which: str = "micro"
    ) -> Gap | None:
        """Return a method's loss beside random's, seed by seed; None where one is missing."""
        own = self.by_seed(method, budget, unit, depth_target, which)
        chance = self.by_seed("random", budget, unit, which=which)
        both = sorted(own.keys() & chance.keys())
        if not both:
            return None
        gap = Mean.of(own[seed] - chance[seed] for seed in both)
        same_sign = len({own[seed] < chance[seed] for seed in both}) == 1
        outcome: Outcome = "better" if gap.mean < 0 else "worse"
        if not (same_sign and abs(gap.mean) > gap.half_interval):
            outcome = "even"
        return Gap(gap.mean, len(both), outcome)

    def predictions(self, which: str = "micro") -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every subset and what the other folds predict for it, (k,) each."""
        from ila_core.studies.regression import out_of_fold

        if not self.subsets:
            return np.zeros(0), np.zeros(0)
        coverage, depth, loss = (
            np.array([row[name] for row in self.subsets])
            for name in ("coverage", "mean_relative_depth", which)
        )
        return loss, out_of_fold(coverage, depth, loss, self.subsets[0]["seed"])

    def _lowest(self, unit: str, budget: str, which: str) -> str:
        of = {_named(m, q): self.mean(m, budget, unit, q, which).mean for m, q in self.variants}
        best = min(of, key=lambda name: of[name])
        return f"the lowest loss is that of {best}, {of[best]:.3f}"

    def _explained(self) -> list[str]:
        r = self.regression
        if not r:
            return []
        shares = [
            f"{max(r[f'r2_{which}_cv'], 0):.0%} of the {which} loss ({r[f'r2_{which}_cv_low']:.2f} "
            f"to {r[f'r2_{which}_cv_high']:.2f})"
            for which in ("macro", "micro")
        ]
        lines = [
            f"Over {r['subsets']} subsets that no method chose, log coverage and mean relative "
            f"depth explain {' and '.join(shares)}: cross-validated R2, with its 95 % interval."
        ]
        if "r2_macro_cv_coverage" in r:  # absent from studies made before it was measured
            alone = [f"{max(r[f'r2_{which}_cv_coverage'], 0):.0%}" for which in ("macro", "micro")]
            lines.append(f"Log coverage alone explains {' and '.join(alone)}.")
        return lines


LOSSES = {"micro": "over all tokens", "macro": "as the mean over domains"}
Outcome = Literal["better", "worse", "even"]
_WORDS = {"better": "better than", "worse": "WORSE than", "even": "no better and no worse than"}
_WINNERS = {"better": "ILA beats random", "worse": "random beats ILA", "even": "neither wins"}


class Gap(NamedTuple):
    """A loss less random's at the same place, as the mean over seeds: below 0 it is better.

    The outcome is better or worse if the sign is the same on every seed and 0 lies outside the
    mean's 95 % interval (Student's t, so few seeds need a clear difference), else even. One seed
    alone has no interval: its sign decides.
    """

    mean: float
    seeds: int
    outcome: Outcome


class Mean(NamedTuple):
    """A mean over seeds with its standard deviation (NaN for one seed)."""

    mean: float
    std: float
    seeds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        found = np.asarray(list(values), dtype=np.float64)
        if not len(found):
            return cls(float("nan"), float("nan"), 0)
        std = float(found.std(ddof=1)) if len(found) > 1 else float("nan")
        return cls(float(found.mean()), std, len(found))

    @property
    def half_interval(self) -> float:
        """Half the width of its 95 % interval by Student's t; 0 for one seed, where none is known.

        >>> round(Mean.of([1.0, 2.0, 3.0]).half_interval, 3)
        2.484
        """
        if self.seeds < 2:
            return 0.0
        from scipy.special import stdtrit

        return float(stdtrit(self.seeds - 1, 0.975)) * self.std / self.seeds**0.5

    def __str__(self) -> str:
        if not self.seeds:
            return ""
        return f"{self.mean:.3f}" + (f" ± {self.std:.3f}" if self.seeds > 1 else "")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _named(method: str, depth_target: float) -> str:
    return method if depth_target == 1 else f"{method} q={depth_target:g}"
