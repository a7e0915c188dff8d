"""Advice: which knobs of ILA a study found best, and whether that held on a split of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

import numpy as np

from ila_core.options import options_of
from ila_core.selection.spec import STUDIED, Spec
from ila_core.studies.variant import ILA, PAPER, RANDOM, Place, Unit, Variant

Losses = Mapping[tuple[Variant, Place], Mapping[int, float]]
"""The micro loss of every student of a study, by curve, place and seed."""


@dataclass(frozen=True)
class Advice:
    """The knobs of the best of a study's ILA, and what they gained on a seed that did not choose.

    Gains are random's loss less theirs in nats per token, as the mean over the budgets, on the last
    seed; None where the study has no budgets of that unit, or no seed but the one that chose.
    """

    spec: Spec
    confirmed: bool
    gain_records: float | None
    gain_tokens: float | None

    @property
    def knobs(self) -> dict[str, Any]:
        """The fields of Spec that take it over."""
        return self.spec.studied

    @property
    def tried(self) -> bool:
        """Whether a seed that had no part in choosing has tried it."""
        return not (self.gain_records is None and self.gain_tokens is None)

    @classmethod
    def of_entries(cls, entries: Mapping[str, Any]) -> Advice | None:
        """Return the advice of study.json, None where it has none; entries of others are passed."""
        if not entries:
            return None
        spec = Spec(**{name: entries[name] for name in STUDIED})
        return cls(spec, *(entries[field.name] for field in fields(cls)[1:]))

    def as_dict(self) -> dict[str, Any]:
        """Return what study.json has of it."""
        others = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return self.knobs | others

    def __str__(self) -> str:
        """Return the knobs as the command line takes them.

        >>> str(Advice(Spec(depth="loss"), False, None, None))
        '--patches even --depth loss --depth-target 0.75'
        """
        options = options_of(Spec)
        words = [options[name].written(value) for name, value in self.knobs.items()]
        return " ".join(word for knob in words for word in knob)

    def summary(self, knobs: str = "") -> str:
        """Return it in plain words, with what it rests on; the knobs as the command line has them.

        knobs: how a front end says them instead.
        """
        knobs = knobs or str(self)
        if not self.tried:
            return (
                f"Advice: {knobs}, which has the lowest loss on the one seed of this study. No "
                "other seed could try it, so it is not confirmed; two seeds are the least."
            )
        gains = {"records": self.gain_records, "tokens": self.gain_tokens}
        beside = " and ".join(
            f"{-gain:+.3f} at equal {unit}" for unit, gain in gains.items() if gain is not None
        )
        if self.confirmed:
            return (
                f"Advice: {knobs}. Chosen on the other seeds and tried on the last, its loss "
                f"beside random's is {beside} on average: confirmed."
            )
        return (
            "Nothing beats random on this pool with this student: the best on the other seeds, "
            f"{knobs}, is {beside} beside random on the last one, which had no part in choosing."
        )


def advise(losses: Losses, kind: str) -> Advice | None:
    """Return the advice of a study; None without random or without a curve that could be advised.

    Candidates are the curves of ILA, and the paper's, which is one of its settings. The one with
    the lowest loss is chosen on all seeds but the last, the first of equals: the mean over seeds
    and budgets at equal records, and that at equal tokens, count alike. It is confirmed if on the
    last seed its mean loss over the budgets is below random's at equal records and at equal tokens.
    Places and seeds count only where random and every candidate have them. One seed alone chooses,
    and confirms nothing. `kind` is the depth that is read unasked.
    """
    curves = list(dict.fromkeys(variant for variant, _ in losses))
    candidates = [one for one in curves if one == PAPER or one.method == ILA.method]
    if RANDOM not in curves or not candidates:
        return None
    shared = _shared(losses, [RANDOM, *candidates])
    seeds = sorted({seed for _, seed in shared})
    if not seeds:
        return None
    choosing = seeds[:-1] or seeds
    best = min(candidates, key=lambda one: _score(losses, one, shared, choosing))
    gains = dict.fromkeys(get_args(Unit))
    if len(seeds) > 1:
        chance, own = (_means(losses, one, shared, seeds[-1:]) for one in (RANDOM, best))
        gains |= {unit: chance[unit] - own[unit] for unit in own}
    known = [gain for gain in gains.values() if gain is not None]
    row = best.as_row(kind)
    return Advice(
        Spec(**{name: row[name] for name in STUDIED}),
        confirmed=bool(known) and min(known) > 0,
        gain_records=gains["records"],
        gain_tokens=gains["tokens"],
    )


def _shared(losses: Losses, curves: list[Variant]) -> list[tuple[Place, int]]:
    """Return the places, with seeds, that all of the curves have."""
    first, *others = ({*_points(losses, one)} for one in curves)
    return sorted(first.intersection(*others), key=str)


def _points(losses: Losses, curve: Variant) -> Iterator[tuple[Place, int]]:
    for (variant, place), by_seed in losses.items():
        if variant == curve:
            yield from ((place, seed) for seed in by_seed)


def _means(
    losses: Losses, curve: Variant, shared: list[tuple[Place, int]], seeds: list[int]
) -> dict[Unit, float]:
    """Return a curve's mean loss over some seeds and the budgets of each unit that there is."""
    by_unit: dict[Unit, list[float]] = {}
    for place, seed in shared:
        if seed in seeds:
            by_unit.setdefault(place.unit, []).append(losses[curve, place][seed])
    return {unit: float(np.mean(values)) for unit, values in by_unit.items()}


def _score(
    losses: Losses, curve: Variant, shared: list[tuple[Place, int]], seeds: list[int]
) -> float:
    return float(np.mean(list(_means(losses, curve, shared, seeds).values())))
