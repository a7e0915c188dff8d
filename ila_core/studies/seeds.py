"""A few numbers, one a seed: their mean, its spread, and what a difference between them says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

Outcome = Literal["better", "worse", "even"]
_NORMAL = 1.96
"""Standard errors on either side of a mean that hold 95 % of a normal distribution."""


class Mean(NamedTuple):
    """A mean over seeds with its standard deviation (NaN for one seed)."""

    mean: float
    std: float
    seeds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        known = np.asarray(list(values), dtype=np.float64)
        if not len(known):
            return cls(float("nan"), float("nan"), 0)
        std = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
        return cls(float(known.mean()), std, len(known))

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


class Gap(NamedTuple):
    """A loss less another's at the same place, as the mean over seeds: below 0 it is better.

    The outcome is better or worse if the sign is the same on every seed and 0 lies outside the
    mean's 95 % interval (Student's t, so few seeds need a clear difference), else even. One seed
    alone has no such interval: there the held-out records' decides, and where that is not known
    either, the sign.
    """

    mean: float
    std: float
    """The standard deviation over seeds, NaN for one."""
    seeds: int
    outcome: Outcome
    error: float | None = None
    """The mean's standard error over held-out records, the students being what they are; None
    where the losses record by record are not known."""

    @classmethod
    def between(
        cls,
        own: Mapping[int, float],
        other: Mapping[int, float],
        errors: Mapping[int, float | None] | None = None,
    ) -> Gap | None:
        """Return the gap of losses by seed, over the seeds that both have; None without one.

        `errors` are the standard errors of the seeds' differences over their held-out records.

        >>> Gap.between({0: 2.0, 1: 3.0}, {0: 2.5, 1: 3.5})
        Gap(mean=-0.5, std=0.0, seeds=2, outcome='better', error=None)
        """
        both = sorted(own.keys() & other.keys())
        if not both:
            return None
        mean = Mean.of(own[seed] - other[seed] for seed in both)
        same_sign = len({own[seed] < other[seed] for seed in both}) == 1
        outcome: Outcome = "better" if mean.mean < 0 else "worse"
        known = [error for seed in both if (error := (errors or {}).get(seed)) is not None]
        error = sum(e**2 for e in known) ** 0.5 / len(both) if len(known) == len(both) else None
        least = mean.half_interval
        if len(both) == 1 and error is not None:
            least = _NORMAL * error
        if not (same_sign and abs(mean.mean) > least):
            outcome = "even"
        return cls(mean.mean, mean.std, len(both), outcome, error)

    @property
    def interval(self) -> str:
        """The 95 % interval over held-out records, in words; empty where it is not known.

        >>> Gap(-0.25, 0.01, 3, "better", 0.1).interval
        '-0.446 to -0.054'
        """
        if self.error is None:
            return ""
        low, high = self.mean - _NORMAL * self.error, self.mean + _NORMAL * self.error
        return f"{low:+.3f} to {high:+.3f}"

    def __str__(self) -> str:
        """Return it as tables show it.

        >>> str(Gap(-0.25, 0.0123, 3, "better"))
        '-0.250 ± 0.012'
        """
        return f"{self.mean:+.3f}" + (f" ± {self.std:.3f}" if self.seeds > 1 else "")


def listed(parts: Sequence[str]) -> str:
    """Return parts as a sentence lists them.

    >>> listed(["1%", "3%", "10%"])
    '1%, 3% and 10%'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
