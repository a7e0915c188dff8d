"""What a build on a cluster would take and cost, on paper, from rates that were measured here.

    python tests/benchmarks/bench_rates.py POOL RUN [--records N] [--gpus 8 64] [--json FILE]

RUN is the landscape of a large pool, built on this machine: its manifest has the seconds of every
stage. Some of POOL, any file that `ila build` reads, and RUN's vectors are worked on once more to
tell a stage's work in blocks, which a cluster divides, from what the process that asked for the
build does alone. Loss and domains are made in processes that give way to others, so that their
seconds in the manifest say little: theirs are the processor's, of the records worked on here. What
that one does on samples of bounded size (learning n-grams, fitting the map) grows no more. All else
is an assumption, and an option: prices, GPUs' tokens a second, CPUs beside them, the network and
the object store.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import ila_core as ila
from ila_core.loss.ngram.score import score
from ila_core.pool.ingest import ingest
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record
from ila_core.space.domains import domains_by_kmeans
from ila_core.space.encode import embed
from ila_core.space.encoders import load_encoder
from ila_core.space.landmarks import place

MEASURED = 20_000
"""Records of POOL that are worked on once more."""


class Timed:
    """A Spread in this process that counts the seconds of its blocks, and those between them."""

    def __init__(self) -> None:
        self.inside = self.between = 0.0

    def __call__(
        self, prepare: Callable[[], Callable[[Any], Any]], blocks: Iterable[Any], **_: Any
    ) -> Iterator[Any]:
        work = prepare()
        inside, began = self.inside, time.process_time()
        for block in blocks:
            started = time.process_time()
            made = work(block)
            self.inside += time.process_time() - started
            yield made
        self.between += time.process_time() - began - (self.inside - inside)


@dataclass(frozen=True)
class Rate:
    """Processor seconds of a stage."""

    spread: float
    """A record, in blocks."""
    alone: float
    """A record, in the one process."""
    fitted: float = 0.0
    """However many records there are, in the one process."""


def measured(stage: Callable[[Timed], Any], n: int, *, warm: bool = True) -> tuple[Timed, float]:
    """Return what a stage of n records takes in blocks, and in all."""
    if warm:  # what is compiled and cached
        stage(Timed())
    timed, started = Timed(), time.process_time()
    stage(timed)
    return timed, time.process_time() - started


def rates(pool: Path, run: Path) -> dict[str, Rate]:
    """Return the rates of the stages, those of RUN divided as they are here."""
    landscape = ila.open(run)
    told = landscape.manifest["stages"]
    n = len(landscape)
    found = {}

    def divided(name: str, timed: Timed, alone: float) -> None:
        grows = told[name]["seconds"] / n
        share = timed.inside / (timed.inside + alone)
        found[name] = Rate(grows * share, grows * (1 - share))

    with tempfile.TemporaryDirectory() as place_of:
        folder = Path(place_of)
        part = folder / "part.jsonl"
        with part.open("w", encoding="utf-8") as file:
            kept = (one for one in read_pool(str(pool)) if isinstance(one, Record))
            file.writelines(f"{one.original}\n" for one in islice(kept, MEASURED))
        records = ingest(part, out=folder)
        count, encoder, out = len(records), load_encoder(), folder / "vectors.npy"
        texts, turns = records.instructions, records.conversations
        timed, whole = measured(lambda spread: ingest(part, out=folder, spread=spread), count)
        divided("records", timed, whole - timed.inside)
        timed, whole = measured(
            lambda spread: embed(texts, count, encoder, out=out, spread=spread), count
        )
        divided("embedding", timed, whole - timed.inside)
        timed, whole = measured(lambda spread: score(turns, count, spread=spread), count)
        learned = sum(landscape.manifest["loss"]["fitted_records"]) / count
        found["loss"] = Rate(
            timed.inside / count,
            timed.between / count,
            learned * (whole - timed.inside - timed.between),
        )
    vectors = landscape.vectors
    texts = landscape.records.instructions
    timed, whole = measured(
        lambda spread: domains_by_kmeans(vectors, texts, spread=spread), n, warm=False
    )
    found["domains"] = Rate(timed.inside / n, (whole - timed.inside) / n)
    among, others = vectors[:MEASURED], vectors[MEASURED : 2 * MEASURED]
    timed, whole = measured(
        lambda spread: place(among, landscape.xy[:MEASURED], others, spread=spread), MEASURED
    )
    fit = told["projection"]["seconds"]
    found["projection"] = Rate(timed.inside / MEASURED, (whole - timed.inside) / MEASURED, fit)
    return found


@dataclass(frozen=True)
class Cluster:
    """What is assumed of a cluster."""

    gpus: int
    cores_each: int
    price: float
    tokens_each: float
    passes: int
    network: float
    store: float


WORDS = {
    "records": "reading", "embedding": "vectors", "projection": "map", "domains": "domains",
    "loss": "n-gram loss",
}  # fmt: skip


def hours_of(
    name: str, rate: Rate, carried: float, fetched: float, records: int, cluster: Cluster
) -> dict[str, float]:
    """Return the hours of a stage by what they are spent on; these run beside one another.

    `carried` bytes a record pass the network card of the one process, `fetched` come to it from
    the object store.
    """
    cores = max(1.0, cluster.gpus * cluster.cores_each / 2)  # the fleet takes half of them a stage
    seconds = {
        "the one process": rate.alone * records + rate.fitted,
        "CPUs": rate.spread * records / cores,
        "network": carried * records / (cluster.network * 1e9 / 8),
        "object store": fetched * records / (cluster.store * 1e9),
    }
    return {what: took / 3600 for what, took in seconds.items()}


def option_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pool", type=Path)
    parser.add_argument("run", type=Path)
    number = parser.add_argument
    number("--records", type=int, default=100_000_000)
    number("--gpus", type=int, nargs="+", default=[8, 64])
    number("--cores-each", type=int, default=16, help="CPUs beside each GPU: assumed")
    number("--price", type=float, default=3.5, help="$ an hour of a GPU and its CPUs: assumed")
    number("--tokens-each", type=float, default=499_600,
           help="tokens a second of a GPU: 0.5 B weights on an H200, by bench_gpu_scoring.py; 7 B "
           "read 44,600")  # fmt: skip
    number("--tokens", type=float, default=240, help="tokens of a record")
    number("--passes", type=int, default=1, help="models that read a record, 2 with a tuned one")
    number("--network", type=float, default=25, help="Gbit/s of a machine: assumed")
    number("--store", type=float, default=1, help="GB/s from the object store: assumed")
    number("--json", type=Path, help="write the figures here too")
    return parser


def main() -> None:
    options = option_parser().parse_args()
    manifest = json.loads((options.run / "manifest.json").read_text())
    n = manifest["counts"]["kept"]
    files = {name: entry["bytes"] / n for name, entry in manifest["artifacts"].items()}
    pool = sum(file["bytes"] for file in manifest["inputs"]) / n
    text, vector = files["records.parquet"], files["embeddings.npy"]
    # Lines go out and come back laid out; vectors come back; the landscape is on a shared disk.
    carried = {"records": pool + text, "embedding": vector, "loss": 0.1 * text}
    fetched = {"records": pool, "embedding": vector}
    found = rates(options.pool, options.run)
    print(f"{'microseconds a record':<22}{'in blocks':>12}{'alone':>8}{'fitting, s':>12}")
    for name, rate in found.items():
        print(f"{WORDS[name]:<22}{1e6 * rate.spread:>12.1f}{1e6 * rate.alone:>8.1f}"
              f"{rate.fitted:>12.0f}")  # fmt: skip
    outcomes = []
    for gpus in options.gpus:
        cluster = Cluster(gpus, options.cores_each, options.price, options.tokens_each,
                          options.passes, options.network, options.store)  # fmt: skip
        parts = {
            WORDS[name]: hours_of(name, rate, carried.get(name, 0), fetched.get(name, 0),
                                  options.records, cluster)
            for name, rate in found.items()
        }  # fmt: skip
        read = options.tokens * options.passes * options.records
        parts["language model"] = {"GPUs": read / (gpus * options.tokens_each) / 3600}
        for loss in ("n-gram loss", "language model"):
            outcomes.append(outcome(loss, parts, cluster, options.records))
    if options.json:
        told = {"rates": {name: asdict(rate) for name, rate in found.items()}, "found": outcomes}
        options.json.write_text(json.dumps(told, indent=1) + "\n")


def outcome(
    loss: str, parts: dict[str, dict[str, float]], cluster: Cluster, records: int
) -> dict[str, Any]:
    """Print and return what a build with this loss comes to.

    The n-gram loss runs beside vectors, map and domains, a language model after them.
    """
    took = {name: max(hours.values()) for name, hours in parts.items()}
    others = took["vectors"] + took["map"] + took["domains"]
    rest = max(others, took[loss]) if loss == "n-gram loss" else others + took[loss]
    hours = took["reading"] + rest
    stages = ["reading", "vectors", "map", "domains", loss]
    print(f"\n{cluster.gpus} GPUs, {loss}: {hours:.2f} hours, {records / hours / 1e6:.1f} million "
          f"records an hour, ${hours * cluster.gpus * cluster.price:,.0f}")  # fmt: skip
    for name in stages:
        told = sorted(parts[name].items(), key=lambda part: -part[1])
        print(
            f"  {name:<16}" + ", ".join(f"{what} {one:.2f} h" for what, one in told if one > 0.005)
        )
    return {**asdict(cluster), "loss": loss, "hours": hours,
            "cost": hours * cluster.gpus * cluster.price,
            "stages": {name: parts[name] for name in stages}}  # fmt: skip


if __name__ == "__main__":
    main()
