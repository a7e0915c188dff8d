"""The command line: parse, call the package, print. No arithmetic lives here."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ila_core._version import __version__
from ila_core.errors import IlaError, RunError, UsageError

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape
    from ila_core.measure.describe import Numbers
    from ila_core.progress import Monitor
    from ila_core.selection.selection import Selection

BUILD_OPTIONS = (
    ("--map", "ROLES", "fields by role: instruction=FIELD,response=FIELD (also input, system, "
     "history, labels, source)"),
    ("--encoder", "NAME", "static (shipped), minilm, or a sentence-transformers id or path"),
    ("--embeddings", "FILE", "vectors that exist: a .npy of shape (records, d)"),
    ("--projection", "HOW", "umap, tsne, pca or columns:X,Y"),
    ("--loss", "WHO", "ngram (needs nothing), lm, column:NAME or none"),
    ("--depth", "HOW", "loss, loss-reduction or column:NAME"),
    ("--lm", "ID_OR_PATH", "the causal language model of --loss lm"),
    ("--tuned-lm", "ID_OR_PATH", "the same model tuned on a part of the pool (loss-reduction)"),
    ("--tokenizer", "ID_OR_PATH", "counts response tokens where --loss is a column or none"),
    ("--device", "NAME", "auto, cpu, cuda, cuda:1, mps"),
    ("--dtype", "NAME", "auto, float32, bfloat16, float16"),
    ("--labels", "WHO", "auto, taxonomy, column:NAME, endpoint or none"),
    ("--labels-url", "URL", "the OpenAI-compatible server of --labels endpoint"),
    ("--labels-model", "NAME", "the model it is asked for"),
    ("--domains", "HOW", "auto (k-means), labels or column:NAME"),
    ("--engine", "NAME", "local"),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 a failure, 2 wrong usage."""
    options = parser().parse_args(arguments)
    warnings.simplefilter("ignore")  # of libraries; what a user should know stands in the notes
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options) or 0)
    except IlaError as error:
        _say(f"ila: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("ila: stopped; what was finished is kept.")
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        _say("ila: There is not enough memory for this; what was finished is kept.")
        return 1
    except OSError as error:  # where nobody knew better what it is about
        place = f"{error.filename}: " if error.filename else ""
        _say(f"ila: {place}{error.strerror or error}.")
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the whole command line's grammar."""
    top = argparse.ArgumentParser(
        prog="ila",
        description="See the landscape of an instruction pool, and select the part of it worth "
        "training on.",
    )
    top.add_argument("--version", action="version", version=f"ila {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _build_parser(commands)
    _select_parser(commands)
    _compare_parser(commands)
    _tune_parser(commands)
    _study_parser(commands)

    app = _command(commands, "app", run_app, "open the app in a browser")
    app.add_argument("path", nargs="?", help="a run folder or a pool to open; else the sample")
    app.add_argument("--root", action="append", default=[], metavar="DIR",
                     help="a folder whose files the page may open (repeatable)")  # fmt: skip
    app.add_argument("--address", help="address to bind to (127.0.0.1 unless given)")
    app.add_argument("--port", type=int, help="port to serve on (8501 unless taken)")

    info = _command(commands, "info", run_info, "what is in a landscape and how it was made")
    info.add_argument("run_folder", metavar="RUN")
    info.add_argument("--json", action="store_true", help="print the manifest as JSON")

    doctor = _command(
        commands, "doctor", run_doctor, "what is installed and found, what a run would use"
    )
    doctor.add_argument(
        "pool", nargs="*", metavar="POOL", help="a pool to estimate the time for, with the options "
        "of build; a language model is tried for some seconds"
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    _build_options(doctor)
    return top


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], what: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    command.set_defaults(run=run)
    return command


def _build_parser(commands: Any) -> None:
    build = _command(commands, "build", run_build, "compute the landscape of a pool")
    build.add_argument("pool", nargs="+", metavar="POOL", help="files or globs")
    build.add_argument("--out", required=True, metavar="RUN", help="folder for the landscape")
    _build_options(build)


def _build_options(build: argparse.ArgumentParser) -> None:
    for flag, metavar, what in BUILD_OPTIONS:
        build.add_argument(flag, metavar=metavar, help=what, default=argparse.SUPPRESS)
    build.add_argument("--max-length", type=int, metavar="N", default=argparse.SUPPRESS,
                       help="tokens a model reads of one record")  # fmt: skip
    build.add_argument("--seed", type=_seed, metavar="N", default=argparse.SUPPRESS,
                       help="seed of everything that chance enters")  # fmt: skip
    for flag, what in (("--partial", "take the records of a file that is cut off"),
                       ("--unconditional", "also the loss without the instruction")):  # fmt: skip
        build.add_argument(flag, action="store_true", help=what, default=argparse.SUPPRESS)


def _budget(command: argparse.ArgumentParser) -> None:
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument(
        "--budget", required=True, metavar="B", help="a count, 10%%, or 2M-tokens of responses"
    )
    command.add_argument("--seed", type=_seed, default=0, metavar="N")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _select_parser(commands: Any) -> None:
    select = _command(commands, "select", run_select, "choose records by coverage and depth")
    _budget(select)
    select.add_argument("--method", default="ila", metavar="NAME", help="ila, nested, random, ...")
    select.add_argument("--resolution", default="auto", metavar="G", help="auto, or 1 to 8192")
    select.add_argument(
        "--depth-target",
        type=float,
        default=1.0,
        metavar="Q",
        help="1 takes the deepest record of a patch first, 0.5 the median one",
    )
    select.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of the method's own (repeatable)")  # fmt: skip
    select.add_argument("--pin", metavar="FILE", help="row numbers that are chosen first")
    select.add_argument("--exclude", metavar="FILE", help="row numbers that are never chosen")
    select.add_argument("--out", metavar="FILE", help="where to write the selected records")
    select.add_argument("--format", default="jsonl", choices=("jsonl", "scored", "parquet"))
    select.add_argument(
        "--dataset-info",
        action="store_true",
        help="also register the file in LLaMA-Factory's dataset_info.json",
    )
    select.add_argument("--novelty", action="store_true", help="also NovelSum, which takes time")


def _compare_parser(commands: Any) -> None:
    compare = _command(commands, "compare", run_compare, "compare methods at one budget")
    _budget(compare)
    compare.add_argument("--methods", metavar="A,B,C", help="the nine fast ones unless given")
    compare.add_argument(
        "--stability", action="store_true", help="also over projection seeds and grid offsets"
    )
    compare.add_argument("--novelty", action="store_true", help="also NovelSum, which takes time")


def _tune_parser(commands: Any) -> None:
    tune = _command(commands, "tune", run_tune, "fine-tune a model on a random part of the pool")
    tune.add_argument("run_folder", metavar="RUN")
    tune.add_argument("--lm", required=True, metavar="BASE")
    tune.add_argument("--out", required=True, metavar="DIR")
    tune.add_argument("--share", type=float, default=argparse.SUPPRESS, metavar="P",
                      help="share of the pool to train on")  # fmt: skip
    tune.add_argument("--full", action="store_true", default=argparse.SUPPRESS,
                      help="train all weights instead of a LoRA adapter")  # fmt: skip
    tune.add_argument("--max-length", type=int, default=argparse.SUPPRESS, metavar="N")
    tune.add_argument("--epochs", type=float, default=argparse.SUPPRESS, metavar="N")
    tune.add_argument("--steps", type=int, default=argparse.SUPPRESS, metavar="N",
                      help="optimiser steps instead of epochs")  # fmt: skip
    tune.add_argument("--lr", type=float, default=argparse.SUPPRESS, metavar="R",
                      help="peak learning rate")  # fmt: skip
    tune.add_argument("--batch-tokens", type=int, default=argparse.SUPPRESS, metavar="N",
                      help="tokens of a step")  # fmt: skip
    tune.add_argument("--rank", type=int, default=argparse.SUPPRESS, metavar="N",
                      help="rank of the LoRA adapter")  # fmt: skip
    tune.add_argument("--seed", type=_seed, default=argparse.SUPPRESS, metavar="N")
    tune.add_argument("--device", default=argparse.SUPPRESS, metavar="NAME")
    tune.add_argument("--dtype", default=argparse.SUPPRESS, metavar="NAME")


def _study_parser(commands: Any) -> None:
    study = _command(commands, "study", run_study, "train students on selections: the evidence")
    study.add_argument("run_folder", metavar="RUN")
    study.add_argument("--out", required=True, metavar="DIR")
    study.add_argument("--student", default="ngram", choices=("ngram", "lm"))
    study.add_argument("--lm", default=argparse.SUPPRESS, metavar="ID_OR_PATH")
    study.add_argument("--budgets", default=argparse.SUPPRESS, metavar="1%,3%,...")
    study.add_argument("--methods", default=argparse.SUPPRESS, metavar="A,B,C")
    study.add_argument("--seeds", type=int, default=argparse.SUPPRESS, metavar="N")
    study.add_argument("--steps", type=int, default=argparse.SUPPRESS, metavar="N")
    study.add_argument("--subsets", type=int, default=argparse.SUPPRESS, metavar="N")
    study.add_argument("--depth-targets", default=argparse.SUPPRESS, metavar="Q,Q")
    for flag, kind in (("--seed", int), ("--epochs", float), ("--batch-tokens", int),
                       ("--max-length", int), ("--lr", float)):  # fmt: skip
        study.add_argument(flag, type=kind, default=argparse.SUPPRESS, metavar="N")
    study.add_argument("--full", action="store_true", default=argparse.SUPPRESS,
                       help="train all weights instead of a LoRA adapter")  # fmt: skip
    study.add_argument("--json", action="store_true", help="print study.json")


def _given(options: argparse.Namespace, *without: str) -> dict[str, Any]:
    """Return the options that were written on the command line, as keyword arguments."""
    skip = {"run", "run_folder", *without}
    return {name: value for name, value in vars(options).items() if name not in skip}


# -- commands -------------------------------------------------------------------------------------


def run_build(options: argparse.Namespace) -> None:
    from ila_core.pipeline.run import build

    landscape = build(
        options.pool, out=options.out, listener=Ticker(), **_given(options, "pool", "out")
    )
    manifest = landscape.manifest
    counts = manifest["counts"]
    _say(
        f"{counts['kept']:,} of {counts['read']:,} records on the map of {options.out}"
        + (f"; {counts['rejected']:,} rejected, see rejects.jsonl:" if counts["rejected"] else ".")
    )
    for reason, count in counts["reasons"].items():
        _say(f"  rejected: {reason} ({count:,})")
    for note, count in counts.get("notes", {}).items():
        _say(f"  note: {note} ({count:,})")
    for note in manifest["notes"]:
        _say(f"  note: {note}")
    _say(f"Next: ila app {options.out}    or    ila select {options.out} --budget 10%")


def run_select(options: argparse.Namespace) -> None:
    import ila_core as ila
    from ila_core.landscape.landscape import TUNED
    from ila_core.measure.describe import describe
    from ila_core.options import options_of
    from ila_core.selection.locks import read_locks
    from ila_core.selection.spec import Spec, parameter

    if options.dataset_info and not options.out:
        raise UsageError("--dataset-info needs --out FILE: it registers the file that is written.")
    landscape = ila.open(options.run_folder)
    n = len(landscape)
    selection = ila.select(
        landscape,
        budget=options.budget,
        method=options.method,
        resolution=options.resolution,
        depth_target=options.depth_target,
        seed=options.seed,
        pin=read_locks(options.pin, n) if options.pin else (),
        exclude=read_locks(options.exclude, n) if options.exclude else (),
        **dict(map(parameter, options.set)),
    ).nonempty()
    for knob in options_of(Spec).values():
        if (
            knob.default
            != knob.check(str(getattr(options, knob.name)))
            != knob.check(str(getattr(selection.spec, knob.name)))
        ):
            _say(f"note: {knob.flag} is not read by {options.method}.")
    if options.out:
        ila.export(selection, options.out, format=options.format, dataset_info=options.dataset_info)
    numbers = describe(selection, novelty=options.novelty)
    if options.json:
        print(json.dumps(numbers.as_dict()))
    else:
        _print_numbers(selection, numbers)
    if tuned := len(set(selection.rows.tolist()) & set(landscape.tuned_rows.tolist())):
        _say(
            f"note: the tuned model has learned from {tuned:,} of these records, which look deeper "
            f"for it; leave such records out with --exclude {landscape.run}/{TUNED}"
        )
    if options.out:
        _say(f"{len(selection.rows):,} records written to {options.out}")


def run_compare(options: argparse.Namespace) -> None:
    import ila_core as ila
    from ila_core.cli.comparison import print_comparison

    with _Live("compare") as live:
        comparison = ila.compare(
            ila.open(options.run_folder),
            budget=options.budget,
            methods=_names(options.methods),
            seed=options.seed,
            stability=options.stability,
            novelty=options.novelty,
            say=live,
        )
    if options.json:
        print(json.dumps(comparison.as_dict()))
    else:
        print(print_comparison(comparison))


def run_tune(options: argparse.Namespace) -> None:
    import ila_core as ila
    from ila_core.lm.tune import TuneSettings, tune

    landscape = ila.open(options.run_folder)
    records = landscape.records
    settings = TuneSettings(**_given(options, "out"))
    result = tune(
        records.conversations, len(records), settings, out=Path(options.out), progress=_Line("tune")
    )
    print(result.table)
    _say(
        f"{result.summary} Use it with --loss lm --lm {options.lm} --depth loss-reduction "
        f"--tuned-lm {options.out}"
    )


def run_study(options: argparse.Namespace) -> None:
    import ila_core as ila

    landscape = ila.open(options.run_folder)
    result = ila.study(landscape, out=options.out, say=_say, **given_to_study(options))
    print(json.dumps(result.as_dict()) if options.json else result.summary())


def given_to_study(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a command line asks of a study, as StudySettings takes it."""
    given = _given(options, "json", "out")
    for name in ("budgets", "methods", "depth_targets"):
        if name in given:
            given[name] = _names(given[name])
    return given


def run_app(options: argparse.Namespace) -> None:
    from ila_core.paths import APP

    environment = os.environ
    address = options.address or environment.get("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
    roots = [Path(root).resolve() for root in options.root]
    if not roots:
        roots = [Path.cwd()]
        if address in ("127.0.0.1", "localhost", "::1"):
            roots.append(Path.home())
    for root in roots:
        if not root.is_dir():
            raise UsageError(f"--root names {str(root)!r}, which is no folder.")
    if options.path:
        path = Path(options.path).resolve()
        if not path.exists():
            raise UsageError(f"{options.path} does not exist; name a run folder or a pool's file.")
        environment["ILA_APP_OPEN"] = str(path)
        roots.append(path.parent)
    environment["ILA_APP_ROOTS"] = os.pathsep.join(dict.fromkeys(map(str, roots)))
    command = [sys.executable, "-m", "streamlit", "run", str(APP / "main.py")]
    command += ["--server.address", address, "--browser.gatherUsageStats", "false"]
    if options.port:
        command += ["--server.port", str(options.port)]
    os.execv(sys.executable, command)


def run_info(options: argparse.Namespace) -> None:
    from ila_core.pipeline.store import read_manifest, size_of

    manifest = read_manifest(options.run_folder)
    if options.json:
        print(json.dumps(manifest, ensure_ascii=False))
        return
    import ila_core as ila

    landscape = ila.open(options.run_folder)
    try:
        lines = _info_lines(manifest, landscape, size_of(options.run_folder))
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{options.run_folder}/manifest.json is damaged ({error} is missing or broken); run "
            "ila build again on the same pool and folder."
        ) from error
    for name, value in lines:
        print(f"{name:>16}  {value}")


def _info_lines(
    manifest: Mapping[str, Any], landscape: Landscape, size: int
) -> list[tuple[str, str]]:
    counts = manifest["counts"]
    lines = [
        ("records", f"{counts['kept']:,} kept, {counts['rejected']:,} rejected"),
        ("formats", ", ".join(f"{name} ({n:,})" for name, n in counts.get("formats", {}).items())),
        ("inputs", ", ".join(f["name"] for f in manifest["inputs"])),
        ("encoder", str(manifest["stages"]["embedding"].get("encoder", ""))),
        ("projection", manifest["settings"]["projection"]),
        ("loss", _loss_line(manifest)),
        ("depth", f"{manifest['settings']['depth']}; missing for {landscape.missing:,} records"),
        ("domains", f"{len(landscape.domain_names):,}"),
        ("response tokens", f"{landscape.total_tokens:,.0f}"),
        ("built", f"{manifest['built']} by ila {manifest['ila']}"),
        ("size", f"{size / 1e6:,.1f} MB"),
        ("command", manifest["command"]),
    ]
    lines += [("rejected", f"{reason} ({n:,})") for reason, n in counts.get("reasons", {}).items()]
    lines += [("note", f"{note} ({n:,})") for note, n in counts.get("notes", {}).items()]
    return lines + [("note", note) for note in manifest["notes"]]


def run_doctor(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from ila_core.pipeline.estimate import estimate, examine

    found = estimate(options.pool, **_given(options, "pool", "json")) if options.pool else None
    lines = list(examine())
    if options.json:
        told = found and {**asdict(found), "sentence": found.sentence(), "details": found.details()}
        print(json.dumps({"found": dict(lines), "estimate": told}))
        return
    for sentence in [found.sentence(), *found.details()] if found else []:
        lines.append(("estimate", sentence))
    for name, value in lines:
        print(f"{name:>22}  {value}")


def _loss_line(manifest: Mapping[str, Any]) -> str:
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


# -- printing -------------------------------------------------------------------------------------


def _print_numbers(selection: Selection, numbers: Numbers) -> None:
    reference = numbers.reference_grid
    rows = [
        ("method", numbers.method),
        ("records", f"{numbers.rows:,} of {len(selection.landscape):,}"),
        ("response tokens", f"{numbers.tokens:,.0f}"),
        ("resolution", "" if numbers.resolution is None
         else f"{numbers.resolution} x {numbers.resolution}, "
         f"{numbers.occupied:,} occupied patches, {numbers.rounds} rounds"),
        (f"coverage at {reference}", f"{numbers.coverage:.1%}"),
        (f"fidelity at {reference}", _known(numbers.fidelity, ".1%")),
        ("mean relative depth", _known(numbers.mean_relative_depth, ".3f")),
        ("embedding distance", _distance(numbers)),
        ("NovelSum", _known(numbers.novelsum, ".4f")),
    ]  # fmt: skip
    for name, value in rows:
        if value:
            print(f"{name:>22}  {value}")


def _known(value: float | None, form: str) -> str:
    """Return a number as text, nothing for one that was not measured or is not a number."""
    return "" if value is None or value != value else format(value, form)


def _distance(numbers: Numbers) -> str:
    if numbers.embedding_distance_mean is None:
        return ""
    sample = numbers.distance_sample
    return (
        f"mean {numbers.embedding_distance_mean:.3f}, 95th percentile "
        f"{numbers.embedding_distance_p95:.3f}"
        + (f", from {sample:,} records of the pool" if sample else "")
    )


QUIET = 60.0
"""Seconds after which a build that nobody watches says again how far it is."""


class Ticker:
    """Prints a build's progress to standard error.

    One live line on a terminal; else a line a stage, and one a minute of what takes longer.
    """

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.told = time.monotonic()
        self.seen: set[int] = set()
        self.noticed = 0

    def __call__(self, monitor: Monitor) -> None:
        for notice in monitor.notices[self.noticed :]:
            self._line(notice, end="\n")
        self.noticed = len(monitor.notices)
        for number, stage in enumerate(monitor.stages):
            if stage.ended is not None and number not in self.seen:
                self.seen.add(number)
                how = "used again" if stage.reused else f"{stage.seconds:.1f} s"
                how += f", {stage.words}" if stage.words else ""
                self._line(f"{stage.name}: {how}", end="\n")
        if monitor.running and (self.live or time.monotonic() - self.told > QUIET):
            self.told = time.monotonic()
            line = "   ".join(_status(stage) for stage in monitor.running)
            self._line(line, end="" if self.live else "\n")

    def _line(self, text: str, end: str) -> None:
        start = "\r\x1b[2K" if self.live else ""
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)


def _status(stage: Any) -> str:
    from ila_core.progress import duration

    parts = [stage.name]
    if stage.total:
        parts.append(f"{min(stage.done / stage.total, 1):.0%}")
    elif stage.done:
        parts.append(f"{stage.done:,}")
    if stage.rate:
        parts.append(f"{stage.rate:,.0f}/s")
    if stage.words:
        parts.append(stage.words)
    if stage.eta is not None and stage.seconds > 2:
        parts.append(f"{duration(stage.eta)} left")
    return " ".join(parts)


class _Line:
    """A progress callback that prints a line to standard error every few seconds."""

    def __init__(self, name: str) -> None:
        from ila_core.progress import StageStatus

        self.stage, self.told = StageStatus(name), 0.0

    def __call__(self, done: int, total: int | None) -> None:
        from ila_core.progress import duration

        self.stage.advance(done, total)
        if time.monotonic() - self.told > 5 or done == total:
            self.told = time.monotonic()
            line = f"{self.stage.name}: {done:,}" + (f" of {total:,}" if total else "")
            left = self.stage.eta if done != total else None
            _say(line if left is None else f"{line}, {duration(left)} left")


class _Live:
    """Tells what is going on, on standard error: one line written over on a terminal, else lines.

    The one line is gone in the end.
    """

    def __init__(self, name: str) -> None:
        self.name, self.live = name, sys.stderr.isatty()

    def __enter__(self) -> _Live:
        return self

    def __call__(self, text: str) -> None:
        if self.live:
            print(f"\r\x1b[2K{self.name}: {text}", end="", file=sys.stderr, flush=True)
        else:
            _say(f"{self.name}: {text}")

    def __exit__(self, *_: object) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _resolution(text: str) -> str | int:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"Resolution {text!r} is not auto or a whole number.") from None


def _seed(text: str) -> int:
    """Return a seed that every library takes."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {2**32 - 1}")
    return int(text)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
