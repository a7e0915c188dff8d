"""The lines and tables of a study. No Streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from draw.curves import Series
from draw.layers import Theme
from draw.theme import TONES
from ila_core.measure.baseline import CHANCE
from ila_core.studies import Gap, Mean, Study
from parts.texts import DASH


def scaling_lines(study: Study, unit: str, which: str) -> list[Series]:
    """Return one line a method and depth target: loss against what was trained on, ascending."""
    budgets = [budget for of, budget in study.places if of == unit]
    lines = []
    for method, target in study.variants:
        points = []
        for budget in budgets:
            size = study.mean(method, budget, unit, target, unit).mean
            loss = study.mean(method, budget, unit, target, which)
            if loss.seeds:
                points.append((size, loss.mean, loss.std, budget))
        points.sort()
        x, y, spread, notes = (list(part) for part in zip(*points, strict=True))
        lines.append(Series(named(method, target), x, y, spread, notes))
    return lines


def named(method: str, target: float) -> str:
    return method if target == 1 else f"{method} q={target:g}"


def losses(
    names: Sequence[str],
    budgets: Sequence[str],
    means: Sequence[Sequence[Mean]],
    gaps: Sequence[Sequence[Gap | None]],
    theme: Theme,
) -> pd.io.formats.style.Styler:
    """Return the table as it is read; its values are the mean losses, so that it sorts by them."""
    values = np.array([[cell.mean for cell in line] for line in means]).reshape(len(names), -1)
    frame = pd.DataFrame(values, columns=list(budgets))
    frame.insert(0, "Method", list(names))
    better, worse = TONES[theme]
    styles = pd.DataFrame("", index=frame.index, columns=frame.columns)
    texts = {}
    for column, budget in enumerate(budgets):
        known = values[:, column]
        lowest = int(np.nanargmin(known)) if np.isfinite(known).any() else -1
        for line in range(len(names)):
            gap = gaps[line][column]
            text = str(means[line][column]) or DASH
            if gap is not None and names[line] != CHANCE:
                text += f"   {gap.mean:+.3f}"
                styles.loc[line, budget] = {
                    "better": f"color: {better}",
                    "worse": f"color: {worse}",
                    "even": "",
                }[gap.outcome]
            if line == lowest:
                styles.loc[line, budget] += "; font-weight: 700"
            texts[line, budget] = text
    style = frame.style.apply(lambda _: styles, axis=None)
    for (line, budget), text in texts.items():
        style = style.format(lambda _, text=text: text, subset=pd.IndexSlice[[line], [budget]])
    return style


def sweep_lines(
    study: Study, unit: str, which: str, targets: Sequence[float]
) -> tuple[list[Series], list[dict[str, object]]]:
    """Return ILA's distance to random by depth target, a line a budget, and all as a table."""
    lines, rows = [], []
    for budget in (budget for of, budget in study.places if of == unit):
        x, y = [], []
        for target in targets:
            loss = study.mean("ila", budget, unit, target, which)
            if not loss.seeds:
                continue
            rows.append(
                {
                    "Budget": budget,
                    "q": target,
                    "Loss": loss.mean,
                    "Records": study.mean("ila", budget, unit, target, "records").mean,
                    "Tokens": study.mean("ila", budget, unit, target, "tokens").mean,
                }
            )
            gap = study.against_random("ila", budget, unit, target, which)
            if gap is not None:
                x.append(target)
                y.append(gap.mean)
        lines.append(Series(budget, x, y))
    return lines, rows
