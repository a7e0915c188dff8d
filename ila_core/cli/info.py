"""`ila info`: what is in a landscape and how it was made, or what studies found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ila_core as ila
from ila_core.artifacts import FINDINGS, MANIFEST
from ila_core.cli.arguments import add_command
from ila_core.cli.terminal import print_pairs
from ila_core.errors import RunError, UsageError

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape


def add(commands: Any) -> None:
    command = add_command(
        commands, "info", run, "what is in a landscape and how it was made, or what studies found"
    )
    command.add_argument("folders", metavar="FOLDER", nargs="+",
                         help="a landscape's folder, or those of studies, each told in "
                         "turn")  # fmt: skip
    command.add_argument("--table", action="store_true",
                         help="several studies side by side, as Markdown tables")  # fmt: skip
    command.add_argument("--json", action="store_true",
                         help="print the manifest, or study.json")  # fmt: skip


def run(options: argparse.Namespace) -> None:
    from ila_core.studies.findings import Study
    from ila_core.studies.tables import markdown, named

    if options.table and options.json:
        raise UsageError("--table and --json are two forms of the same; leave one out.")
    if options.json and len(options.folders) > 1:
        raise UsageError("--json prints one JSON object; name one folder.")
    if options.table:
        print(markdown(named(options.folders)))
        return
    for number, folder in enumerate(options.folders):
        if number:
            print()
        if (Path(folder) / FINDINGS).is_file():
            study = Study.open(folder)
            print(json.dumps(study.as_dict()) if options.json else study.summary())
        else:
            _tell_landscape(folder, as_json=options.json)


def _tell_landscape(folder: str, *, as_json: bool) -> None:
    from ila_core.landscape.folder import read_manifest, size_of

    manifest = read_manifest(folder)
    if as_json:
        print(json.dumps(manifest, ensure_ascii=False))
        return
    landscape = ila.open(folder)
    try:
        pairs = lines(manifest, landscape, size_of(folder))
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{folder}/{MANIFEST} is damaged ({error} is missing or broken); run ila build "
            "again on the same pool and folder."
        ) from error
    print_pairs(pairs, width=16)


def lines(manifest: Mapping[str, Any], landscape: Landscape, size: int) -> list[tuple[str, str]]:
    """Return what is to be told of a landscape, by name."""
    from ila_core.landscape.folder import projection_of

    counts = manifest["counts"]
    pairs = [
        ("records", f"{counts['kept']:,} kept, {counts['rejected']:,} rejected"),
        ("read as", manifest.get("understood", "")),
        ("formats", ", ".join(f"{name} ({n:,})" for name, n in counts.get("formats", {}).items())),
        ("inputs", ", ".join(f["name"] for f in manifest["inputs"])),
        *(("added", _added(one)) for one in manifest.get("additions", [])),
        ("encoder", _encoder(manifest["stages"]["embedding"])),
        ("projection", projection_of(manifest)),
        ("loss", _loss(manifest)),
        ("depth", _depths(landscape)),
        ("domains", f"{len(landscape.domain_names):,}"),
        ("response tokens", f"{landscape.total_tokens:,.0f}"),
        ("built", f"{manifest['built']} by ila {manifest['ila']}{_older(manifest)}"),
        ("size", f"{size / 1e6:,.1f} MB"),
        ("command", manifest["command"]),
    ]
    pairs += [("rejected", f"{reason} ({n:,})") for reason, n in counts.get("reasons", {}).items()]
    pairs += [("note", f"{note} ({n:,})") for note, n in counts.get("notes", {}).items()]
    return pairs + [("note", note) for note in manifest["notes"]]


def _added(one: Mapping[str, Any]) -> str:
    """Say what was added, and when."""
    names = ", ".join(file["name"] for file in one["inputs"])
    first, stop = one["rows"]
    return (
        f"{one['counts']['kept']:,} records from {names}, rows {first:,} to {stop - 1:,}, "
        f"{one['added']}; {one['known']:,} known already, {one['far']:,} far from all others"
    )


def _encoder(facts: Mapping[str, Any]) -> str:
    """Say who made the vectors, and what they say of the pool."""
    parts = [str(facts.get("encoder", ""))]
    if dimensions := facts.get("dimensions"):
        parts.append(f"{dimensions} dimensions")
    if (likeness := facts.get("likeness")) is not None:
        parts.append(f"two records have a mean cosine of {likeness:.2f}")
    if (unread := facts.get("unread")) is not None:
        parts.append(f"{unread:.1%} could not be read")
    if long := facts.get("long"):
        parts.append(f"{long:,} read by head and tail")
    return "; ".join(parts)


def _older(manifest: Mapping[str, Any]) -> str:
    """Say which stages another version of the program has made."""
    others = {
        name: stage["made_by"]
        for name, stage in manifest["stages"].items()
        if stage.get("made_by", manifest["ila"]) != manifest["ila"]
    }
    return "".join(f"; {name} by {version}" for name, version in others.items())


def _loss(manifest: Mapping[str, Any]) -> str:
    """Say who supplied the loss, and how a language model did it."""
    loss, meta = manifest["settings"]["loss"], manifest.get("loss") or {}
    if loss != "lm":
        return str(loss)
    models = meta.get("lm", "") + (f" and {meta['tuned_lm']}" if meta.get("tuned_lm") else "")
    template = "plain headings" if meta.get("template") == "plain" else "its chat template"
    parts = [models, template, f"{meta.get('max_length'):,} tokens at most"]
    parts.append(f"{meta.get('dtype')} on {', '.join(meta.get('devices', []))}")
    if meta.get("tokens_per_second"):
        parts.append(f"{meta['tokens_per_second']:,.0f} tokens/s")
    return f"lm: {'; '.join(parts)}; {meta.get('padding_share', 0):.1%} padding"


def _depths(landscape: Landscape) -> str:
    """Return which kinds of depth there are, and for how many records none of the first."""
    kinds = ", ".join(landscape.kinds) or "none"
    if "loss" in landscape.kinds and "loss-reduction" not in landscape.kinds:
        kinds += " (no loss reduction: build it again to have it)"
    return f"{kinds}; missing for {landscape.missing:,} records"
