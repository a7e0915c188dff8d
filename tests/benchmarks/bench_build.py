"""A whole build beside its two unavoidable parts, measured in one run.

    python tests/benchmarks/bench_build.py POOL

The parts: tokenising the pool once with the tokenizers library (by the tokenizer the build
trained), and umap-learn's own seeded fit on the vectors the build made. A build also reads,
embeds, fits and scores the n-gram model, and clusters; its stages overlap where they can.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(pool: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ila_core.cli", "build", pool, "--out", str(run)],
                       check=True)  # fmt: skip
        build = time.perf_counter() - started
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        tokens = tokenise(run)
        fit = own_umap(run)
    print(f"build             {build:7.1f} s, peak of its largest process {memory:.2f} GB")
    print(f"tokenising once   {tokens:7.1f} s")
    print(f"umap-learn's fit  {fit:7.1f} s")
    print(f"build / (tokenising + umap-learn's fit) = {build / (tokens + fit):.2f}")


def tokenise(run: Path) -> float:
    """Return the seconds that the library takes to encode every turn of the pool."""
    import ila_core as ila
    from ila_core.loss.ngram.tokenizer import sample_texts, train_tokenizer

    records = ila.open(run).records
    texts = [turn.text for turns in records.conversations() for turn in turns]
    tokenizer = train_tokenizer(sample_texts(records.conversations, len(records))).bpe
    started = time.perf_counter()
    for first in range(0, len(texts), 4096):
        tokenizer.encode_batch_fast(texts[first : first + 4096], add_special_tokens=False)
    return time.perf_counter() - started


FIT = """
import sys, time, numpy
vectors = numpy.array(numpy.load(sys.argv[1]))
started = time.perf_counter()
import umap
umap.UMAP(metric="cosine", random_state=0, init="pca").fit_transform(vectors)
print(time.perf_counter() - started)
"""


def own_umap(run: Path) -> float:
    """Return the seconds of umap-learn's fit with the build's settings, in a process of its own.

    As in a build, what the library compiles counts.
    """
    command = [sys.executable, "-W", "ignore", "-c", FIT, str(run / "embeddings.npy")]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(told.stdout.split()[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
