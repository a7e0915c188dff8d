"""Tokens per second of scoring on a GPU, and their share of what the card can do at most.

    python tests/benchmarks/bench_gpu_scoring.py POOL_PARQUET --lm smollm2 --sizes 0.5b,7b

Models of these shapes get random weights on the card: times depend on shapes alone. The tokenizer
is that of `--lm`, the records those of a records.parquet. The scorer runs as it is, and with its
layers compiled as it does for large pools. Beside it run two plain loops: one record at a time with
labels, and padded batches of records sorted by length with an attention mask. A token costs two
operations a weight of the layers and what attention adds; the head counts at response tokens alone,
for all of them, so shares are of useful work.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from ila_core.lm.batches import token_batches
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.compiling import quicken
from ila_core.lm.encode import Encoded, encode_records
from ila_core.lm.losses import Scorer, trial
from ila_core.lm.model import load_tokenizer
from ila_core.lm.workers import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS
from ila_core.pool.records import Records

IGNORED = -100
SHAPES = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 49_152},
    "0.5b": {"hidden_size": 896, "intermediate_size": 4_864, "num_hidden_layers": 24,
             "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151_936},
    "7b": {"hidden_size": 3_584, "intermediate_size": 18_944, "num_hidden_layers": 28,
           "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152_064},
}  # fmt: skip
"""A tiny one to try the script with, and the shapes of Qwen2.5's."""


def made(size: str, device: str, dtype: torch.dtype) -> Any:
    """Return a model of random weights on the device."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            shape = {"tie_word_embeddings": True, "max_position_embeddings": 4_096, **SHAPES[size]}
            return Qwen2ForCausalLM(Qwen2Config(**shape)).eval()
    finally:
        torch.set_default_dtype(torch.float32)


def operations(model: Any, sequences: Sequence[Encoded]) -> float:
    """Return the floating-point operations that these sequences' losses need."""
    config = model.config
    head = config.vocab_size * config.hidden_size
    layers = sum(p.numel() for p in model.parameters()) - head * (
        1 if config.tie_word_embeddings else 2
    )
    lengths = np.array([len(one.ids) for one in sequences], dtype=np.float64)
    scored = sum(len(one.targets) for one in sequences)
    attention = 2 * config.num_hidden_layers * config.hidden_size * (lengths**2).sum()
    return float(2 * layers * lengths.sum() + attention + 2 * head * scored)


def one_at_a_time(model: Any, sequences: Sequence[Encoded]) -> None:
    for one in sequences:
        ids = torch.from_numpy(one.ids.astype(np.int64))[None].to(model.device)
        labels = torch.full_like(ids, IGNORED)
        places = torch.from_numpy(one.targets.astype(np.int64)).to(model.device)
        labels[0, places] = ids[0, places]
        with torch.inference_mode():
            float(model(ids, labels=labels).loss)


def padded_batches(model: Any, sequences: Sequence[Encoded], size: int) -> None:
    ordered = sorted(sequences, key=lambda one: len(one.ids))
    for first in range(0, len(ordered), size):
        batch = ordered[first : first + size]
        width = max(len(one.ids) for one in batch)
        ids = torch.zeros((len(batch), width), dtype=torch.int64)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
        for row, one in enumerate(batch):
            ids[row, : len(one.ids)] = torch.from_numpy(one.ids.astype(np.int64))
            mask[row, : len(one.ids)] = 1
            labels[row, one.targets] = ids[row, one.targets]
        ids, mask, labels = (t.to(model.device) for t in (ids, mask, labels))
        with torch.inference_mode():
            logits = model(ids, attention_mask=mask).logits[:, :-1]
            torch.nn.functional.cross_entropy(
                logits.flatten(0, 1).float(), labels[:, 1:].flatten(), reduction="none"
            ).cpu()


def ours(scorer: Scorer, sequences: Sequence[Encoded]) -> None:
    model: Any = scorer.model
    most = GPU_BATCH_TOKENS if model.device.type == "cuda" else CPU_BATCH_TOKENS
    for batch in token_batches(np.array([len(one.ids) for one in sequences]), most):
        scorer.losses([sequences[i] for i in batch])


def best_product(device: str, dtype: torch.dtype) -> float:
    """Return operations per second of a large matrix product: the most that the card does here."""
    side = 8_192 if device == "cuda" else 512
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    times = []
    for _ in range(8):
        begun = clock(device)
        for _ in range(5):
            a @ b
        times.append((clock(device) - begun) / 5)
    return 2 * side**3 / float(np.median(times))


def clock(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records")
    parser.add_argument("--lm", default="smollm2")
    parser.add_argument("--sizes", default="0.5b,7b")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="about, of a plain loop")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    tokenizer = load_tokenizer(arguments.lm)
    records = Records.open(arguments.records)
    rows = np.sort(np.random.default_rng(0).permutation(len(records))[:6_000])
    turns = [record.turns for record in records.take(rows)]
    begun = time.perf_counter()
    encoded, _, _ = encode_records(turns, ChatTemplate.of(tokenizer), 2_048)
    sequences = [one for one in encoded if one and len(one.targets)]
    rate = sum(len(one.ids) for one in sequences) / (time.perf_counter() - begun)
    mean = np.mean([len(one.ids) for one in sequences])
    scored = sum(len(one.targets) for one in sequences) / sum(len(one.ids) for one in sequences)
    print(f"tokenising: {rate:,.0f} tokens/s; {mean:.0f} tokens a record, {scored:.0%} scored")
    peak = best_product(device, dtype)
    name = torch.cuda.get_device_name() if device == "cuda" else "the CPU"
    print(f"{name}: {peak / 1e12:,.1f} TFLOP/s in a large {dtype} product")
    for size in arguments.sizes.split(","):
        model = made(size, device, dtype)
        count = sum(p.numel() for p in model.parameters())
        print(f"{size}: {count / 1e9:.2f} B weights")
        scorer = Scorer(model)

        def compiled(_: Any, part: Sequence[Encoded], scorer: Scorer = scorer) -> None:
            if not scorer.compiled:
                begun = clock(device)
                if not quicken(scorer, trial(scorer.model, tokenizer)):
                    raise SystemExit("the layers cannot be compiled here")
                print(f"  compiled in {clock(device) - begun:.0f} s")
            ours(scorer, part)

        ways: dict[str, Any] = {
            "scorer": lambda _, part, scorer=scorer: ours(scorer, part),
            f"padded batches of {arguments.batch}": lambda m, s: padded_batches(
                m, s, arguments.batch
            ),
            "one at a time": one_at_a_time,
            "scorer, compiled": compiled,
        }
        for way, run in ways.items():
            warm, part = sequences[:64], sequences
            run(model, warm)
            begun = clock(device)
            run(model, warm)
            spent = clock(device) - begun
            wanted = arguments.tokens
            if "scorer" not in way:
                wanted = int(arguments.seconds / spent * 64 * mean)
            ends = np.cumsum([len(one.ids) for one in sequences])
            part = sequences[: max(64, int(np.searchsorted(ends, wanted)))]
            if "scorer" in way:
                run(model, part)  # every shape of a batch is met once
            begun = clock(device)
            run(model, part)
            spent = clock(device) - begun
            tokens = sum(len(one.ids) for one in part)
            share = operations(model, part) / spent / peak
            print(
                f"  {way:22} {tokens / spent:>10,.0f} tokens/s  {share:6.1%} of the product's rate"
                f"  ({tokens:,} tokens in {spent:.1f} s)",
                flush=True,
            )
        del model
        if device == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
