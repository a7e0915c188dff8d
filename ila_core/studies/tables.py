"""Several studies side by side, as Markdown: the evidence is a table over pools, not over one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ila_core.studies.findings import Study
from ila_core.studies.regression import entry_name
from ila_core.studies.variant import LOSSES, RANDOM, Loss, Place, Variant

T = TypeVar("T")
_MARKS = {"better": "**", "worse": "*", "even": ""}
NOTHING = "–"
"""What stands in a cell that a study has nothing for."""


def named(folders: Iterable[str | Path]) -> dict[str, Study]:
    """Open finished studies, each by the name of its folder without "study-" before it.

    RunError where one is missing or damaged. Folders of one name are told apart by their number.
    """
    studies: dict[str, Study] = {}
    for folder in map(Path, folders):
        name = folder.resolve().name.removeprefix("study-")
        again = sum(known == name or known.startswith(f"{name} (") for known in studies)
        studies[f"{name} ({again + 1})" if again else name] = Study.open(folder)
    return studies


def markdown(studies: Mapping[str, Study]) -> str:
    """Return what several studies found, as Markdown tables, a pool after another in each.

    By either loss, every curve less random at equal records / equal tokens, with the deviation over
    seeds; then what explains the loss, and the advice of each pool.
    """
    parts = [
        part
        for loss, words in LOSSES.items()
        if (table := differences(studies, loss))
        for part in (
            f"Loss {words}, nats per token, less random's on the same held-out records at equal "
            "records / at equal tokens: mean ± deviation over seeds. **Bold** is better and "
            "*italic* worse than random: on every seed, and 0 is outside the 95 % interval. Under "
            "random its own loss.",
            table,
        )
    ]
    if table := shares(studies):
        parts += [
            "Share of the loss over all tokens (micro) and of its mean over domains (macro) that "
            "is explained over random subsets: cross-validated R2 with its 95 % interval.",
            table,
        ]
    advised = [
        f"- {name}: {study.advised.summary()}" for name, study in studies.items() if study.advised
    ]
    return "\n\n".join([*parts, *(["\n".join(advised)] if advised else [])])


def differences(studies: Mapping[str, Study], loss: Loss) -> str:
    """Return the table of every curve less random; empty without any to show."""
    curves = [one for one in _all(study.variants for study in studies.values()) if one != RANDOM]
    lines = []
    for name, study in studies.items():
        for budget in dict.fromkeys(place.budget for place in study.places):
            places = [place for place in study.places if place.budget == budget]
            chance = [f"{study.mean(RANDOM, place, loss)}" or NOTHING for place in places]
            cells = [" / ".join(_gap(study, one, place, loss) for place in places)
                     for one in curves]  # fmt: skip
            lines.append([name, budget, " / ".join(chance), *cells])
    return _table(["pool", "budget", str(RANDOM), *map(str, curves)], lines) if lines else ""


def shares(studies: Mapping[str, Study]) -> str:
    """Return the table of what each set of variables explains and adds; empty without any."""
    known = {name: study.regression for name, study in studies.items() if study.regression}
    models = {
        name: {" + ".join(entry["variables"]): entry for entry in regression.get("models", ())}
        for name, regression in known.items()
    }
    adds = {
        name: {
            f"{entry['variable']} adds to {entry['to']}": entry
            for entry in regression.get("adds", ())
        }
        for name, regression in known.items()
    }
    heads = [f"{name}, {loss}" for name in known for loss in LOSSES]
    lines = [
        [words, *(_share(of[name].get(words, {}), loss, form)
                  for name in known for loss in LOSSES)]
        for of, form in ((models, ".2f"), (adds, "+.2f"))
        for words in _all(of[name] for name in known)
    ]  # fmt: skip
    return _table(["explained by", *heads], lines) if lines else ""


def _share(entry: Mapping[str, float | None], loss: Loss, form: str) -> str:
    """Return a share with its interval, of a model (R2) or of what a variable adds."""
    stem = entry_name("r2_cv", loss) if "variables" in entry else loss
    numbers = [entry.get(stem + end) for end in ("", "_low", "_high")]
    known = [format(number, form) for number in numbers if number is not None]
    return f"{known[0]} ({known[1]} to {known[2]})" if len(known) == len(numbers) else NOTHING


def _gap(study: Study, variant: Variant, place: Place, loss: Loss) -> str:
    gap = study.against_random(variant, place, loss)
    if gap is None:
        return NOTHING
    mark = _MARKS[gap.outcome]
    interval = f" ({gap.interval})" if study.student == "lm" and gap.interval else ""
    return f"{mark}{gap}{mark}{interval}"


def _all(lists: Iterable[Iterable[T]]) -> list[T]:
    """Return what stands in any of the lists, in the order in which it is met."""
    return list(dict.fromkeys(one for each in lists for one in each))


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
