"""How good is the default loss? Its rank correlation with a transformer's, on unseen records.

    python tests/benchmarks/bench_default_loss.py POOL.jsonl [--minutes 10] [--records 30000]
    python tests/benchmarks/bench_default_loss.py sample_data/pool.jsonl --minutes 2

The pool (or its first so many records, repeated ones left out) is halved by seed. One half trains
a BPE, the n-gram model of the default loss, and, for the given minutes, a small Llama from random
weights. Both then score records of the other half, which neither has seen, and Spearman's rank
correlation of their losses per token is printed: over all these records, and within groups of
them (a field such as task or domain), which is what relative depth ranks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from scipy.stats import spearmanr

from ila_core.lm.batches import padded, token_batches
from ila_core.lm.chat import ChatTemplate
from ila_core.lm.encode import Encoded, encode_records
from ila_core.lm.score import score
from ila_core.lm.settings import LmSettings
from ila_core.loss.ngram.model import NgramModel, NgramSettings
from ila_core.loss.ngram.tokenizer import sample_texts, train_tokenizer
from ila_core.loss.ngram.tokens import encode_pool
from ila_core.loss.result import LossResult
from ila_core.pool.reading import read_pool
from ila_core.pool.record import Record
from ila_core.pool.settings import ReadSettings

GROUPS = ("task", "domain", "source")
SMALLEST_GROUP = 20
END = "<|end|>"
LEARNING_RATE = 3e-3


def records_of(pool: str, most: int) -> list[Record]:
    """The first records of a pool that have a response, each of them once."""
    settings = ReadSettings(partial=True)
    read = (item for item in read_pool([pool], settings) if isinstance(item, Record))
    distinct: dict[tuple[str, str], Record] = {}
    for record in islice(read, most):
        if record.response:
            distinct.setdefault((record.instruction, record.response), record)
    return list(distinct.values())


def tokenizer_of(bpe: Any) -> Any:
    """The n-gram model's own BPE as transformers know it, with an end-of-text token."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    copy = tokenizers.Tokenizer.from_str(bpe.to_str())
    copy.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=copy, eos_token=END, pad_token=END)


def new_model(vocabulary: int, options: argparse.Namespace) -> Any:
    """A Llama with random weights; its input and output embeddings are one."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(options.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=options.hidden,
            intermediate_size=3 * options.hidden,
            num_hidden_layers=options.layers,
            num_attention_heads=options.hidden // 32,
            max_position_embeddings=options.max_length,
            tie_word_embeddings=True,
        )
    )


def train(model: Any, sequences: Sequence[Encoded], options: argparse.Namespace) -> None:
    """Next-token training on whole records, responses and prompts, until the time is over."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05, betas=(0.9, 0.98))
    model.train()
    begun, told, tokens, mean = time.monotonic(), 0.0, 0, float("nan")
    for batch in batches(sequences, options):
        passed = time.monotonic() - begun
        share = passed / (60 * options.minutes)
        if share >= 1:
            break
        rate = LEARNING_RATE * min(1.0, share / 0.03) * (0.05 + 0.95 * (1 + cos(pi * share)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids = torch.from_numpy(padded(batch))
        lengths = torch.tensor([len(sequence.ids) for sequence in batch])
        real = torch.arange(1, ids.shape[1]) < lengths[:, None]
        logits = model(ids, use_cache=False).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits[real], ids[:, 1:][real])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += int(real.sum())
        mean = float(loss.detach()) if np.isnan(mean) else 0.97 * mean + 0.03 * float(loss.detach())
        if passed - told > 60:
            told = passed
            print(f"  {passed / 60:.1f} min, {tokens:,} tokens, loss {mean:.3f}", flush=True)
    available = sum(len(sequence.ids) for sequence in sequences)
    print(f"trained on {tokens:,} tokens, {tokens / available:.2f} passes over the half")
    model.eval()


def batches(sequences: Sequence[Encoded], options: argparse.Namespace) -> Iterator[list[Encoded]]:
    """Batches of about equally long records, in another order every pass."""
    lengths = np.array([len(sequence.ids) for sequence in sequences])
    chance = np.random.default_rng(options.seed)
    while True:
        jittered = lengths * chance.uniform(0.95, 1.05, len(lengths))  # other company every pass
        made = token_batches(jittered.astype(np.int64), options.batch_tokens)
        for number in chance.permutation(len(made)):
            yield [sequences[i] for i in made[number]]


def by_transformer(
    seen: Sequence[Record], judged: Sequence[Record], bpe: Any, options: argparse.Namespace
) -> LossResult:
    """Losses of the judged records under a model trained on the seen ones."""
    tokenizer = tokenizer_of(bpe)
    template = ChatTemplate.of(tokenizer)
    model = new_model(len(tokenizer), options)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters", flush=True)
    encoded = encode_records([record.turns for record in seen], template, options.max_length)
    train(model, [s for s in encoded.sequences if s is not None and len(s.ids) > 1], options)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        settings = LmSettings(lm=folder, max_length=options.max_length, device="cpu")
        return score(lambda: [r.turns for r in judged], len(judged), settings)


def by_ngram(
    seen: Sequence[Record], judged: Sequence[Record], tokenizer: Any, seed: int
) -> np.ndarray:
    """(m,) losses per token of the judged records under the default's model of the seen ones."""
    both = [*seen, *judged]
    pool = encode_pool(lambda: [record.turns for record in both], len(both), tokenizer)
    model = NgramModel.fit(pool, np.arange(len(seen)), NgramSettings(seed=seed))
    nats, tokens = model.losses(pool, np.arange(len(seen), len(both)))
    return nats / np.maximum(tokens, 1)


def within_groups(
    a: np.ndarray, b: np.ndarray, records: Sequence[Record]
) -> Iterator[tuple[str, float, int, int]]:
    """Field, mean correlation within its values (weighted by records), records, values."""
    originals = [json.loads(record.original) for record in records]
    for field in GROUPS:
        values = np.array([str(original.get(field)) for original in originals])
        found = []
        for value in np.unique(values):
            rows = np.flatnonzero(values == value)
            if len(rows) >= SMALLEST_GROUP and np.ptp(a[rows]) > 0 and np.ptp(b[rows]) > 0:
                found.append((float(spearmanr(a[rows], b[rows]).statistic), len(rows)))
        if len(found) > 1:
            correlations, sizes = np.array(found).T
            mean = float(np.average(correlations, weights=sizes))
            yield field, mean, int(sizes.sum()), len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pool")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--records", type=int, default=30_000, help="taken from the pool's start")
    parser.add_argument("--judged", type=int, default=4_000, help="most records of the other half")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--batch-tokens", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    records = records_of(options.pool, options.records)
    order = np.random.default_rng(options.seed).permutation(len(records))
    middle = len(records) // 2
    seen = [records[row] for row in order[:middle]]
    judged = [records[row] for row in order[middle:][: options.judged]]
    texts = sample_texts(lambda: [record.turns for record in seen], len(seen), seed=options.seed)
    tokenizer = train_tokenizer(texts, vocab_size=options.vocabulary)
    print(f"{len(seen):,} records to learn from, {len(judged):,} to judge")
    print(f"vocabulary {tokenizer.vocab}")
    ngram = by_ngram(seen, judged, tokenizer, options.seed)
    result = by_transformer(seen, judged, tokenizer.bpe, options)
    known = np.isfinite(result.loss)
    a, b = ngram[known], result.loss[known].astype(np.float64)
    kept = [record for record, is_known in zip(judged, known, strict=True) if is_known]
    weights = result.tokens[known]
    print(
        "nats per token over all response tokens: "
        f"n-gram {np.average(a, weights=weights):.3f}, "
        f"transformer {np.average(b, weights=weights):.3f}"
    )
    print(f"rank correlation over {len(a):,} records: {spearmanr(a, b).statistic:.3f}")
    for field, correlation, count, values in within_groups(a, b, kept):
        print(f"  within {field}: {correlation:.3f} ({count:,} records in {values} groups)")


if __name__ == "__main__":
    main()
