"""The lines and tables of a study. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from draw.curves import Part, Series
from draw.layers import Theme
from draw.theme import TONES
from ila_core.studies.findings import Study
from ila_core.studies.regression import PLACES, entry_name
from ila_core.studies.seeds import Mean
from ila_core.studies.variant import ILA, RANDOM, Loss, Unit, Variant
from parts.depth_knobs import KINDS
from parts.recipe import patches_words
from parts.texts import DASH


def scaling_lines(study: Study, unit: Unit, loss: Loss) -> list[Series]:
    """Return one line a method, and one for each part of ILA changed: loss against the budget.

    The budget is what was trained on, ascending.
    """
    lines = []
    for variant in study.variants:
        points = []
        for place in study.places_of(unit):
            mean = study.mean(variant, place, loss)
            if mean.seeds:
                size = study.mean(variant, place, unit).mean
                points.append((size, mean.mean, mean.std, place.budget))
        points.sort()
        if points:
            x, y, spread, notes = (list(part) for part in zip(*points, strict=True))
            lines.append(Series(str(variant), x, y, spread, notes))
    return lines


@dataclass(frozen=True, eq=False)
class LossTable:
    """The losses of a study, a line a method and a column a budget; all three are alike."""

    values: pd.DataFrame
    """The mean losses: what it sorts by."""
    texts: pd.DataFrame
    """What is read."""
    styles: pd.DataFrame
    """CSS of every cell: better or worse than random, the lowest of a budget bold."""

    @property
    def styled(self) -> pd.io.formats.style.Styler:
        """The table as it is read."""
        style = self.values.style.apply(lambda _: self.styles, axis=None)
        for line, budget in product(self.values.index, self.values.columns[1:]):
            text = self.texts.loc[line, budget]
            style = style.format(lambda _, text=text: text, subset=pd.IndexSlice[[line], [budget]])
        return style


def losses(study: Study, unit: Unit, loss: Loss, theme: Theme) -> LossTable:
    """Return the losses of every variant, each beside random's."""
    variants, places = study.variants, study.places_of(unit)
    names = [str(variant) for variant in variants]
    values, texts, styles = (pd.DataFrame({"Method": names}) for _ in range(3))
    styles["Method"] = ""
    tones = {"better": f"color: {TONES[theme][0]}", "worse": f"color: {TONES[theme][1]}"}
    for place in places:
        means = [study.mean(variant, place, loss) for variant in variants]
        gaps = [study.against_random(variant, place, loss) for variant in variants]
        gaps = [None if one == RANDOM else gap for one, gap in zip(variants, gaps, strict=True)]
        known = np.array([mean.mean for mean in means])
        lowest = np.zeros(len(known), dtype=bool)
        if np.isfinite(known).any():
            lowest[np.nanargmin(known)] = True
        values[place.budget] = known
        texts[place.budget] = [
            (str(mean) or DASH) + (f"   {gap.mean:+.3f}" if gap else "")
            for mean, gap in zip(means, gaps, strict=True)
        ]
        styles[place.budget] = [
            (tones.get(gap.outcome, "") if gap else "") + ("; font-weight: 700" if best else "")
            for gap, best in zip(gaps, lowest, strict=True)
        ]
    return LossTable(values, texts, styles)


def sweep_lines(
    study: Study, unit: Unit, loss: Loss, swept: Sequence[Variant]
) -> tuple[list[Series], list[dict[str, object]]]:
    """Return how far variants of a method are from random by depth target, and all as a table.

    A line a budget, from the smallest depth target.
    """
    lines, rows = [], []
    for place in study.places_of(unit):
        x, y = [], []
        for variant in sorted(swept, key=lambda variant: variant.swept):
            mean = study.mean(variant, place, loss)
            if not mean.seeds:
                continue
            rows.append(
                {
                    "Budget": place.budget,
                    "q": variant.swept,
                    "Loss": mean.mean,
                    "Records": study.mean(variant, place, "records").mean,
                    "Tokens": study.mean(variant, place, "tokens").mean,
                }
            )
            gap = study.against_random(variant, place, loss)
            if gap is not None:
                x.append(variant.swept)
                y.append(gap.mean)
        lines.append(Series(place.budget, x, y))
    return lines, rows


def parts_lines(study: Study, unit: Unit, loss: Loss) -> list[Part]:
    """Return what each part of ILA is worth: its loss with one knob turned, less its own.

    The mean over the budgets at equal numbers of a unit. Random is the last, as what all parts
    together are worth. Empty where a study has not tried any part alone.
    """
    places = study.places_of(unit)
    alone = [one for one in study.variants if one.method == ILA.method and len(one.turned) == 1]
    parts = []
    for variant in [*alone, RANDOM] if alone else []:
        gap = study.against(ILA, variant, places, loss)
        if gap is not None:
            half = Mean(gap.mean, gap.std, gap.seeds).half_interval
            parts.append(Part(part_words(variant), gap.mean, half, gap.outcome))
    return parts


def part_words(variant: Variant) -> str:
    """Return what was taken back, in words.

    >>> from ila_core.selection.spec import Spec
    >>> part_words(Variant(Spec(patches="grid"))), part_words(Variant(Spec(depth_target=1.0)))
    ('a grid in place of even patches', 'depth target 100% in place of 75%')
    """
    if variant == RANDOM:
        return "random in place of all"
    [knob] = variant.turned
    spec = variant.spec
    if knob == "patches":
        return f"{patches_words(spec)} in place of {patches_words(ILA.spec)}"
    if knob == "depth":
        return f"depth by {KINDS.get(spec.depth, spec.depth).lower()}"
    return f"depth target {spec.depth_target:.0%} in place of {ILA.spec.depth_target:.0%}"


def explained(study: Study, loss: Loss) -> pd.DataFrame:
    """Return what every set of variables explains of the loss: R2 with its interval, a line each.

    Empty for a study that did not measure it.
    """
    rows = [
        {"Explained by": " + ".join(map(variable_words, entry["variables"])),
         "R²": entry[entry_name("r2_cv", loss)],
         "95 %": _interval(entry[entry_name("r2_cv_low", loss)],
                           entry[entry_name("r2_cv_high", loss)], ".2f")}
        for entry in study.regression.get("models", ())
        if entry[entry_name("r2_cv", loss)] is not None
    ]  # fmt: skip
    return pd.DataFrame(rows)


def added(study: Study, loss: Loss) -> pd.DataFrame:
    """Return what each variable adds to another, in R2 with its interval, a line each."""
    rows = [
        {"What": f"{variable_words(entry['variable'])}, to {variable_words(entry['to'])}",
         "Adds": entry[loss],
         "95 %": _interval(entry[f"{loss}_low"], entry[f"{loss}_high"], "+.2f")}
        for entry in study.regression.get("adds", ())
        if entry[loss] is not None
    ]  # fmt: skip
    return pd.DataFrame(rows)


def variable_words(name: str) -> str:
    """Return what a variable of the regression is called.

    >>> variable_words("coverage"), variable_words("loss")
    ('coverage', 'depth (loss)')
    """
    return name if name in PLACES else f"depth ({KINDS.get(name, name).lower()})"


def _interval(low: float, high: float, form: str) -> str:
    return f"{low:{form}} to {high:{form}}"
