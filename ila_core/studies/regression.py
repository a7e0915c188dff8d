"""How much of the loss coverage, reach and depth explain, over subsets that no method selected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

import numpy as np

from ila_core.chance import stream
from ila_core.landscape.kinds import KINDS
from ila_core.studies.lessons import REGRESSION_GRID, depth_column
from ila_core.studies.settings import FOLDS
from ila_core.studies.variant import Loss

BOOTSTRAPS = 2_000
PLACES = ("coverage", "reach")
"""The variables that say how much of the map a subset touches; their logarithm is regressed on.
The others are kinds of depth."""

Columns = Mapping[str, np.ndarray]
"""The variables of every subset by name, (k,) each, as they are regressed on."""


@dataclass(frozen=True)
class Regression:
    """Dev loss on (log coverage, mean relative depth): how much of its variance they explain.

    The share is given in sample, and from 10-fold cross-validation with the 2.5 and 97.5
    percentiles of a bootstrap over the subsets; r2_cv_coverage is what log coverage explains
    without depth, None in studies made before it was measured. coefficients: intercept, log
    coverage, depth.
    """

    r2_cv: float
    r2_cv_low: float
    r2_cv_high: float
    r2_cv_coverage: float | None
    r2_in_sample: float
    coefficients: tuple[float, float, float]


NUMBERS = tuple(field.name for field in fields(Regression))
SHARES = ("r2_cv", "r2_cv_low", "r2_cv_high", "r2_in_sample")
"""What is known of every set of variables."""


def columns_of(subsets: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return the variables of subsets as regression.parquet has them, those that all of them have.

    The depth that is read unasked comes before the others.
    """
    names = {name: name for name in PLACES} | {kind: depth_column(kind) for kind in KINDS}
    columns = {}
    for variable, column in names.items():
        values = np.array([row.get(column, np.nan) for row in subsets], dtype=np.float64)
        if np.isfinite(values).all() and len(values):
            columns[variable] = np.log(values) if variable in PLACES else values
    if "mean_relative_depth" in (subsets[0] if subsets else ()):  # of studies with one depth
        columns["loss"] = np.array([row["mean_relative_depth"] for row in subsets])
    return columns


def sets_of(variables: Iterable[str]) -> list[tuple[str, ...]]:
    """Return which variables are tried together: each alone, and each place with each depth.

    >>> sets_of(["coverage", "loss"])
    [('coverage',), ('loss',), ('coverage', 'loss')]
    """
    known = list(variables)
    pairs = [(a, b) for a in known if a in PLACES for b in known if b not in PLACES]
    return [*((one,) for one in known), *pairs]


def variables_of(columns: Columns) -> tuple[str, ...]:
    """Return the variables of the regression: coverage, and the depth that is read unasked."""
    return ("coverage", *[name for name in columns if name not in PLACES][:1])


@dataclass(frozen=True, eq=False)
class Fit:
    """A least-squares fit of a loss on some variables, over k subsets."""

    predicted: np.ndarray
    """(k,) what the fit over the nine other folds says of each subset."""
    drawn: np.ndarray
    """(BOOTSTRAPS,) cross-validated R2 of subsets drawn again; the same draws for every fit."""
    r2_cv: float
    r2_in_sample: float
    coefficients: tuple[float, ...]
    """The intercept first."""

    @property
    def interval(self) -> tuple[float, float]:
        """The bootstrap's 2.5 and 97.5 percentiles of the cross-validated R2."""
        return _interval(self.drawn)


def fitted(columns: Columns, variables: Sequence[str], loss: np.ndarray, seed: int) -> Fit:
    """Fit loss = a + sum of b x variable by least squares; no variable leaves the mean."""
    inputs = np.column_stack([np.ones(len(loss)), *(columns[name] for name in variables)])
    fold, predicted = folds(len(loss), seed), np.empty(len(loss))
    for held in np.unique(fold):
        known = fold != held
        predicted[~known] = inputs[~known] @ _least_squares(inputs[known], loss[known])
    drawn = stream(seed, "bootstrap").integers(len(loss), size=(BOOTSTRAPS, len(loss)))
    coefficients = _least_squares(inputs, loss)
    return Fit(
        predicted,
        np.array([r_squared(loss[rows], predicted[rows]) for rows in drawn]),
        r_squared(loss, predicted),
        r_squared(loss, inputs @ coefficients),
        tuple(float(value) for value in coefficients),
    )


def folds(subsets: int, seed: int) -> np.ndarray:
    """Return the fold of each subset, (k,), from 0: ten of them, as large as each other."""
    return stream(seed, "regression folds").permutation(subsets) % FOLDS


def r_squared(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Return 1 - (squared error) / (variance); below 0 where the mean would predict better.

    NaN where all are the same.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    if np.ptp(actual) == 0:
        return float("nan")
    around = float(((actual - actual.mean()) ** 2).sum())
    return 1 - float(((actual - predicted) ** 2).sum()) / around


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _least_squares(inputs: np.ndarray, output: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(inputs, output, rcond=None)[0]


# -- as study.json has it -------------------------------------------------------------------------


def explained(subsets: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """Return the regressions of macro and micro loss by name; empty for too few subsets.

    `r2_*` and `coefficients_*` are of log coverage and the depth that is read unasked, named by
    `depth`; `models` has the shares that each set of variables explains, `adds` what each variable
    adds to another: the difference of the two cross-validated shares, with its interval. A loss
    that is the same for all subsets has None in the place of every number.
    """
    columns = columns_of(subsets)
    kinds = [name for name in columns if name not in PLACES]
    if len(subsets) < FOLDS or not kinds:
        return {}
    sets = sets_of(columns)
    models: list[dict[str, Any]] = [{"variables": list(one)} for one in sets]
    pairs = [(a, b) for one in sets if len(one) == 2 for a, b in (one, one[::-1])]
    adds: list[dict[str, Any]] = [{"variable": b, "to": a} for a, b in pairs]
    entries: dict[str, Any] = {
        "subsets": len(subsets), "grid": REGRESSION_GRID, "depth": kinds[0],
    }  # fmt: skip
    for which in reversed(get_args(Loss)):
        loss = np.array([row[which] for row in subsets])
        known = np.ptp(loss) > 0
        fits = {frozenset(one): fitted(columns, one, loss, seed) for one in sets} if known else {}
        main = _regression(fits, variables_of(columns)) if known else None
        numbers = dict.fromkeys(NUMBERS) if main is None else asdict(main)
        entries |= {entry_name(name, which): _listed(value) for name, value in numbers.items()}
        for entry, one in zip(models, sets, strict=True):
            shares = _shares(fits[frozenset(one)]) if known else dict.fromkeys(SHARES)
            entry |= {entry_name(name, which): value for name, value in shares.items()}
        for entry, (a, b) in zip(adds, pairs, strict=True):
            more = _added(fits[frozenset((a, b))], fits[frozenset((a,))]) if known else [None] * 3
            names = (which, f"{which}_low", f"{which}_high")
            entry |= dict(zip(names, more, strict=True))
    return {**entries, "models": models, "adds": adds}


def _regression(fits: Mapping[frozenset[str], Fit], variables: tuple[str, ...]) -> Regression:
    fit = fits[frozenset(variables)]
    return Regression(
        **_shares(fit),
        r2_cv_coverage=fits[frozenset(variables[:1])].r2_cv,
        coefficients=fit.coefficients,  # type: ignore[arg-type]
    )


def _shares(fit: Fit) -> dict[str, float]:
    values = (fit.r2_cv, *fit.interval, fit.r2_in_sample)
    return dict(zip(SHARES, values, strict=True))


def _added(both: Fit, alone: Fit) -> list[float]:
    return [both.r2_cv - alone.r2_cv, *_interval(both.drawn - alone.drawn)]


def of_entries(entries: Mapping[str, Any], which: Loss) -> Regression | None:
    """Return the regression of one loss from what `explained` wrote, None where there is none."""
    numbers: dict[str, Any] = {name: entries.get(entry_name(name, which)) for name in NUMBERS}
    if numbers["r2_cv"] is None:
        return None
    return Regression(**numbers | {"coefficients": tuple(numbers["coefficients"])})


def _listed(value: Any) -> Any:
    """Return a number or numbers as JSON reads them back."""
    return list(value) if isinstance(value, tuple) else value


def entry_name(name: str, which: Loss) -> str:
    """Return the name of a number in study.json.

    >>> entry_name("r2_cv_low", "macro"), entry_name("coefficients", "micro")
    ('r2_macro_cv_low', 'coefficients_micro')
    """
    head, _, tail = name.partition("_")
    return f"{head}_{which}_{tail}" if tail else f"{head}_{which}"


# -- in words -------------------------------------------------------------------------------------


def worth_of_each(entries: Mapping[str, Any]) -> list[str]:
    """Return, a line each, what every set of variables explains and what each one adds.

    Nothing for a study that did not measure it, or where no loss can be explained.
    """
    losses = [
        which for which in get_args(Loss) if entries.get(entry_name("r2_cv", which)) is not None
    ]
    if not losses or "models" not in entries:
        return []
    head = "".join(f"{which:>24}" for which in losses)
    lines = [f"  {'cross-validated R2 of':<34}{head}"]
    for entry in entries["models"]:
        shares = [
            _ranged([entry[entry_name(name, which)] for name in SHARES[:3]], ".2f")
            for which in losses
        ]
        words = " + ".join(entry["variables"])
        lines.append(f"  {words:<34}" + "".join(f"{share:>24}" for share in shares))
    for entry in entries["adds"]:
        shares = [
            _ranged([entry[which + end] for end in ("", "_low", "_high")], "+.2f")
            for which in losses
        ]
        words = f"{entry['variable']} adds to {entry['to']}"
        lines.append(f"  {words:<34}" + "".join(f"{share:>24}" for share in shares))
    return lines


def _ranged(numbers: Sequence[float], form: str) -> str:
    value, low, high = numbers
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
