"""What a report says: sentences, numbers beside random's, records to judge by, the commands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ila_core.exports.commands import select_command
from ila_core.landscape.folder import projection_of
from ila_core.landscape.landscape import Landscape
from ila_core.measure.baseline import Baseline, baseline
from ila_core.measure.describe import Numbers, describe, domain_shares
from ila_core.measure.pairs import pairs
from ila_core.pool.record import Record
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

PAIRS = 10
"""Records that are shown as kept, each with a near one that is left."""
LETTERS = 1200
"""Characters of an instruction or a response that are shown; two screenfuls."""
DOMAINS = 12
"""The largest ones are held against the pool."""


@dataclass(frozen=True)
class Line:
    """A number of the selection, random's, and the difference; texts as they are shown."""

    name: str
    about: str
    own: str
    chance: str = ""
    difference: str = ""
    better: bool | None = None
    """Whether the difference is for the better; None where it is neither, or none."""


@dataclass(frozen=True)
class Share:
    """A domain: what part of the pool it is, and what part of the selection; 0 to 1."""

    name: str
    pool: float
    kept: float


@dataclass(frozen=True)
class Shown:
    """A record as a report shows it."""

    row: int
    why: str
    facts: str
    instruction: str
    response: str
    more: int
    """Characters that are not shown."""


@dataclass(frozen=True)
class Contents:
    """All that a report says in words and numbers."""

    title: str
    summary: str
    lines: Sequence[Line]
    seeds: int
    """Random selections that the numbers are held against."""
    domains: Sequence[Share]
    pairs: Sequence[tuple[Shown, Shown]]
    """Records that are kept, each with a near one that is left."""
    named: str
    """What the names on its maps are."""
    commands: Sequence[str]
    """What makes the landscape, and the selection from it."""
    built: Sequence[tuple[str, str]]
    """How, in names and values."""
    notes: Sequence[str]


def contents(selection: Selection) -> Contents:
    """Return what a report of a selection says."""
    landscape = selection.landscape
    chance = baseline(landscape, replace(selection.spec, depth=cast(Any, landscape.kind)))
    numbers = describe(selection, distances=False)
    manifest = landscape.manifest
    built = str(manifest.get("command") or "")
    return Contents(
        title=title_of(landscape),
        summary=_summary(selection),
        lines=_lines(numbers, chance),
        seeds=chance.seeds,
        domains=_domains(selection),
        pairs=_examples(selection),
        named=_named(manifest),
        commands=[*([built] if built else []), select_command(selection)],
        built=list(_built(landscape)),
        notes=[*map(str, manifest.get("notes") or []), *_locks(selection)],
    )


def title_of(landscape: Landscape) -> str:
    """Return a landscape's name as people know it: its pool's files, or its folder."""
    files = [str(entry["name"]) for entry in landscape.manifest.get("inputs") or []]
    if not files:
        return landscape.run.name if landscape.run else "A landscape"
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _summary(selection: Selection) -> str:
    n, k = len(selection.landscape), len(selection)
    how = f"by {selection.spec.method}"
    if selection.cut is not None:
        cut = f"{selection.resolution:,}"
        even = f" from {cut} even patch{'es' * (selection.resolution != 1)}"
        how += even if selection.spec.even else f" from a {cut} x {cut} grid"
    return (
        f"{k:,} of {n:,} records ({k / n:.1%}) are kept, {selection.tokens:,.0f} response tokens: "
        f"chosen for a budget of {selection.spec.budget} {how}, depth by "
        f"{selection.landscape.kind.replace('-', ' ')}{_by_hand(selection.spec)}."
    )


def _by_hand(spec: Spec) -> str:
    """What was settled by hand, for the end of a sentence; nothing where nothing was."""
    settled = [(spec.pinned, "pinned"), (spec.excluded, "excluded")]
    parts = [f"{len(rows):,} {word}" for rows, word in settled if rows]
    for texts, word in ((spec.only, "rule"), (spec.quotas, "quota")):
        if texts:
            parts.append(f"{len(texts):,} {word}{'s' * (len(texts) != 1)}")
    return f"; by hand {', '.join(parts)}" if parts else ""


def _named(manifest: Mapping[str, Any]) -> str:
    """Say what the names on a map are: those of given domains, or words that were found."""
    domains = str((manifest.get("settings") or {}).get("domains") or "auto")
    if domains == "auto":
        return "Names are the words that tell a region."
    column = domains.removeprefix("column:")
    given = "the labels tell" if column == domains else f"the field {column} tells"
    return f"Names are those of the domains, as {given} them."


def _lines(numbers: Numbers, chance: Baseline) -> list[Line]:
    reference = f"{numbers.reference_grid} x {numbers.reference_grid} patches"
    mean = chance.mean
    return [
        Line("Records", "how many are kept", f"{numbers.rows:,}", f"{mean.rows:,}"),
        Line("Response tokens", "of the records that are kept", f"{numbers.tokens:,.0f}",
             f"{mean.tokens:,.0f}"),
        _share("Coverage", f"of the pool's part of {reference}, what is touched",
               numbers.coverage, mean.coverage),
        _share("Reach", "of the pool's records, what lies in a touched patch",
               numbers.reach, mean.reach),
        _share("Fidelity", "depth of the best kept record of each patch, beside the best there is",
               numbers.fidelity, mean.fidelity),
        _number("Mean relative depth", "rank of the depth within its domain, 0 to 1",
                numbers.mean_relative_depth, mean.mean_relative_depth),
        _number("Divergence of domains", "of their shares from the pool's, in nats; 0 is the same",
                numbers.domain_divergence, mean.domain_divergence, judged=False),
    ]  # fmt: skip


def _share(name: str, about: str, own: float, chance: float) -> Line:
    if math.isnan(own) or math.isnan(chance):
        return Line(name, about, "not known")
    points = 100 * (own - chance)
    better = None if abs(points) < 0.05 else points > 0
    return Line(name, about, f"{own:.1%}", f"{chance:.1%}", f"{points:+.1f} points", better)


def _number(name: str, about: str, own: float, chance: float, *, judged: bool = True) -> Line:
    if math.isnan(own) or math.isnan(chance):
        return Line(name, about, "not known")
    more = own - chance
    better = None if abs(more) < 0.0005 or not judged else more > 0
    return Line(name, about, f"{own:.3f}", f"{chance:.3f}", f"{more:+.3f}", better)


def _domains(selection: Selection) -> list[Share]:
    landscape = selection.landscape
    pool, kept = domain_shares(landscape), domain_shares(landscape, selection.rows)
    largest = np.argsort(-pool, kind="stable")[:DOMAINS]
    return [
        Share(landscape.domain_names[one], float(pool[one]), float(kept[one]))
        for one in largest.tolist()
        if pool[one] > 0
    ]


# -- records to judge by --------------------------------------------------------------------------


def _examples(selection: Selection) -> list[tuple[Shown, Shown]]:
    found, records = pairs(selection, PAIRS), selection.landscape.records
    if records is None:
        return []
    rows = [row for pair in found for row in pair]
    taken = records.take(rows)
    shown = [_shown(selection, row, one) for row, one in zip(rows, taken, strict=True)]
    return list(zip(shown[::2], shown[1::2], strict=True))


def _shown(selection: Selection, row: int, record: Record) -> Shown:
    instruction, response = record.instruction[:LETTERS], record.response[:LETTERS]
    more = len(record.instruction) + len(record.response) - len(instruction) - len(response)
    facts = " · ".join(_facts(selection.landscape, row, record.source))
    return Shown(row, selection.why(row).sentence, facts, instruction, response, more)


def _facts(landscape: Landscape, row: int, source: str | None) -> Iterable[str]:
    yield f"row {row:,}"
    if not math.isnan(depth := float(landscape.relative_depth[row])):
        yield f"relative depth {depth:.0%}"
    if not math.isnan(reduction := float(landscape.loss_reduction[row])):
        yield f"loss reduction {reduction:.2f}"
    if not math.isnan(loss := float(landscape.loss[row])):
        yield f"loss {loss:.2f}"
    yield f"{np.nan_to_num(landscape.tokens[row]):,.0f} response tokens"
    yield landscape.domain_names[landscape.domain[row]]
    if source:
        yield source


# -- how it was made ------------------------------------------------------------------------------


def _built(landscape: Landscape) -> Iterable[tuple[str, str]]:
    manifest: dict[str, Any] = dict(landscape.manifest)
    for entry in manifest.get("inputs") or []:
        yield "pool", f"{entry['name']}, {entry['bytes']:,} bytes, sha256 {entry['sha256']}"
    counts = manifest.get("counts") or {}
    if counts:
        yield (
            "records",
            f"{counts['kept']:,} of {counts['read']:,} read, {counts['rejected']:,} rejected",
        )
    if understood := manifest.get("understood"):
        yield "read as", str(understood)
    settings = dict(manifest.get("settings") or {})
    if "projection" in settings:
        settings["projection"] = projection_of(manifest)
    for name in ("encoder", "projection", "loss", "labels", "domains", "seed"):
        if name in settings:
            yield name, str(settings[name])
    if built := manifest.get("built"):
        yield "built", f"{built} with ila {manifest.get('ila', '')}"
    yield "fingerprint", landscape.fingerprint


def _locks(selection: Selection) -> Iterable[str]:
    spec = selection.spec
    if spec.pinned:
        yield f"{_were(len(spec.pinned))} pinned by hand, which means chosen first."
    if spec.excluded:
        yield f"{_were(len(spec.excluded))} excluded, which means never chosen."
    for rule in spec.only:
        yield f"Chosen only among records that fit {rule}."
    for tally in selection.tallies:
        asked = f"{tally.least:,} to {tally.most:,} were asked for"
        picks = f"{tally.picks:,} pick{'s' * (tally.picks != 1)}"
        yield f"Quota {tally.quota}: {picks}; {asked}."
    if selection.filled:
        fill = (
            "1 pick only fills"
            if selection.filled == 1
            else f"{selection.filled:,} picks only fill"
        )
        yield f"{fill} the budget: the method ran dry."


def _were(number: int) -> str:
    return "1 record was" if number == 1 else f"{number:,} records were"
