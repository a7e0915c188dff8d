"""The findings of a study in plain words, whoever wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ila_core.options import options_of
from ila_core.selection.spec import Spec
from ila_core.studies.regression import worth_of_each
from ila_core.studies.seeds import Mean, listed
from ila_core.studies.variant import ILA, LOSSES, PAPER, RANDOM, Loss, Unit

if TYPE_CHECKING:
    from ila_core.studies.findings import Study


def summary(study: Study) -> str:
    """Return the findings in plain words, whoever wins, by both losses."""
    lines = [f"Student {study.student}, judged by {study.dev_records:,} held-out records."]
    if study.untrained:
        before = (f"{Mean.of(row[loss] for row in study.untrained)} {words}"
                  for loss, words in LOSSES.items())  # fmt: skip
        lines.append(f"Before it learns, its loss is {listed(list(before))}.")
    for loss, words in LOSSES.items():
        for unit in study.units:
            lines += ["", f"Loss at equal {unit} (nats per token {words}, ± deviation):"]
            lines += _table(study, unit, loss)
            lines += _beside_random(study, unit) if loss == "micro" else []
        if verdicts := study.verdicts(loss):
            paper = [study.headline(loss, PAPER)] if PAPER in study.variants else []
            lines += ["", f"{words[0].upper()}{words[1:]}:", *verdicts, *paper]
    advice = [study.advised.summary()] if study.advised else []
    for more in (_parts(study), _explained(study), advice):
        lines += ["", *more] if more else []
    return "\n".join(lines)


def _table(study: Study, unit: Unit, loss: Loss) -> list[str]:
    places = study.places_of(unit)
    lines = [f"  {'method':<18}" + "".join(f"{place.budget:>16}" for place in places)]
    for variant in study.variants:
        means = (study.mean(variant, place, loss) for place in places)
        lines.append(f"  {variant!s:<18}" + "".join(f"{mean!s:>16}" for mean in means))
    return lines


def _beside_random(study: Study, unit: Unit) -> list[str]:
    """Return the losses less random's with their intervals over held-out records, if known."""
    places, lines = study.places_of(unit), []
    for variant in study.variants:
        gaps = [study.against_random(variant, place) for place in places]
        if variant != RANDOM and any(gap and gap.interval for gap in gaps):
            cells = (f"{gap.mean:+.3f} ({gap.interval})" if gap else "" for gap in gaps)
            lines.append(f"  {variant!s:<18}" + "".join(f"{cell:>26}" for cell in cells))
    head = "  less random's on the same records (95 % interval over them):"
    return [head, *lines] if lines else []


def _parts(study: Study) -> list[str]:
    """Return what ILA loses where one of its parts is another, over the budgets together."""
    lines = []
    for variant in study.variants:
        if variant.method != ILA.method or len(variant.turned) != 1:
            continue
        (name,) = variant.turned
        gaps = {unit: study.against(ILA, variant, study.places_of(unit)) for unit in study.units}
        words = [f"{gap} at equal {unit}" for unit, gap in gaps.items() if gap is not None]
        if words:
            part = " ".join(options_of(Spec)[name].written(variant.spec.studied[name]))
            lines.append(f"  {part:<24}{listed(words)}")
    head = "ILA with one part of it changed, beside ILA (loss over all tokens, all budgets):"
    return [head, *lines] if lines else []


def _explained(study: Study) -> list[str]:
    if not study.regression:
        return []
    fits = {loss: study.fit(loss) for loss in reversed(LOSSES)}
    shares = [
        f"{max(fit.r2_cv, 0):.0%} of the {loss} loss ({fit.r2_cv_low:.2f} to {fit.r2_cv_high:.2f})"
        for loss, fit in fits.items()
        if fit is not None
    ]
    subsets = f"Over {study.regression['subsets']} subsets that no method chose,"
    depth = study.regression.get("depth")
    lines = []
    if shares:
        lines.append(
            f"{subsets} log coverage and mean relative depth{f' ({depth})' if depth else ''} "
            f"explain {listed(shares)}: cross-validated R2, with its 95 % interval."
        )
    lines += [
        f"{subsets} the {loss} loss is the same: nothing can be explained."
        for loss, fit in fits.items()
        if fit is None
    ]
    alone = [
        f"{max(fit.r2_cv_coverage, 0):.0%}"
        for fit in fits.values()
        if fit is not None and fit.r2_cv_coverage is not None
    ]
    if alone:
        lines.append(f"Log coverage alone explains {listed(alone)}.")
    return lines + worth_of_each(study.regression)
