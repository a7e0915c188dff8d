"""How fast, how exact and how small the causal-language-model scorer is.

    python tests/benchmarks/bench_causal_lm.py speed POOL.jsonl [--vocabulary 8192] [--records 400]
    python tests/benchmarks/bench_causal_lm.py speed POOL.jsonl --vocabulary 32000 --hidden 192
    python tests/benchmarks/bench_causal_lm.py kill
    python tests/benchmarks/bench_causal_lm.py memory [--vocabulary 150000]

`speed` compares with two loops in interleaved rounds, on records of instruction, input, output:
"one at a time", what published selection scripts do (tokenise the prompt and the whole, one
forward pass with labels, the prompt's labels masked), and "sorted batches", what a careful user of
transformers does (sorted by length, padded, an attention mask, labels; the best of several batch
sizes). Small models with random weights are made on the spot: times depend on shapes alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tiny_lm  # noqa: E402
from transformers.utils import logging  # noqa: E402

from ila_core.lm import jobs, workers  # noqa: E402
from ila_core.lm import score as scoring  # noqa: E402
from ila_core.lm.chat import ChatTemplate  # noqa: E402
from ila_core.lm.encode import encode_records  # noqa: E402
from ila_core.lm.losses import Scorer  # noqa: E402
from ila_core.lm.model import load_model, load_tokenizer  # noqa: E402
from ila_core.lm.settings import LmSettings  # noqa: E402
from ila_core.loss.result import LossResult  # noqa: E402
from ila_core.loss.turns import Conversation  # noqa: E402

IGNORED = -100
clock = time.perf_counter


def conversations(path: str, records: int) -> list[Conversation]:
    """Evenly spread records of a pool of instruction, input, output."""
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = rows[:: max(1, len(rows) // records)][:records]
    return [
        tiny_lm.ask("\n\n".join(filter(None, [r["instruction"], r.get("input")])), r["output"])
        for r in chosen
    ]


def make(folder: Path, pool: Sequence[Conversation], vocabulary: int, hidden: int = 288) -> str:
    """A Llama of eight layers: 10 M parameters with 8k words and 288 wide, or with 32k and 192."""
    texts = (turn.text for turns in pool for turn in turns)
    tokenizer = tiny_lm.make_tokenizer(texts=texts, vocabulary=min(vocabulary, 16_000))
    model = tiny_lm.make_model(
        vocabulary=vocabulary, hidden=hidden, num_hidden_layers=8, num_attention_heads=hidden // 48,
        num_key_value_heads=hidden // 48, head_dim=48, intermediate_size=hidden * 8 // 3,
        max_position_embeddings=4096, tie_word_embeddings=True,
    )  # fmt: skip
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters", flush=True)
    return tiny_lm.save(folder / f"lm-{vocabulary}", model, tokenizer)


def one_at_a_time(path: str, pool: Sequence[Conversation]) -> np.ndarray:
    """Loss per record by the loop of published selection scripts."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path).eval()
    losses = []
    begun = clock()
    for turns in pool:
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        asked = tokenizer.apply_chat_template(
            messages[:-1], tokenize=False, add_generation_prompt=True
        )
        prompt = tokenizer(asked, return_tensors="pt", max_length=4096, truncation=True).input_ids
        end = "<|im_end|>"
        whole = tokenizer(
            asked + turns[-1].text + end, return_tensors="pt", max_length=4096, truncation=True
        ).input_ids
        labels = whole.clone()
        labels[0, : prompt.shape[1]] = IGNORED
        with torch.no_grad():
            losses.append(float(model(whole, labels=labels).loss))
    one_at_a_time.seconds = clock() - begun  # type: ignore[attr-defined]
    return np.array(losses)


def sorted_batches(size: int) -> Callable[[str, Sequence[Conversation]], np.ndarray]:
    """Loss per record by padded batches of `size` records, sorted by length."""

    def run(path: str, pool: Sequence[Conversation]) -> np.ndarray:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(path).eval()
        begun = clock()
        texts, prompts = [], []
        for turns in pool:
            messages = [{"role": turn.role, "content": turn.text} for turn in turns]
            asked = tokenizer.apply_chat_template(
                messages[:-1], tokenize=False, add_generation_prompt=True
            )
            prompts.append(asked)
            texts.append(asked + turns[-1].text + "<|im_end|>")
        asked_ids = tokenizer(prompts, truncation=True, max_length=4096).input_ids
        ids = tokenizer(texts, truncation=True, max_length=4096).input_ids
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        losses = np.full(len(ids), np.nan)
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
            labels = batch.input_ids.masked_fill(batch.attention_mask == 0, IGNORED)
            for row, i in enumerate(rows):
                labels[row, : len(asked_ids[i])] = IGNORED
            with torch.inference_mode():
                logits = model(batch.input_ids, attention_mask=batch.attention_mask).logits
                wanted = labels[:, 1:]
                nats = torch.nn.functional.cross_entropy(
                    logits[:, :-1].flatten(0, 1), wanted.flatten(), reduction="none"
                ).view(wanted.shape)
            losses[rows] = (nats.sum(1) / (wanted != IGNORED).sum(1)).numpy()
        run.seconds = clock() - begun  # type: ignore[attr-defined]
        return losses

    return run


def ours(path: str, pool: Sequence[Conversation]) -> np.ndarray:
    """Loss per record by `score`; the time is without loading, tokenising included."""
    result = scoring.score(lambda: iter(pool), len(pool), LmSettings(lm=path, device="cpu"))
    ours.meta = result.meta  # type: ignore[attr-defined]
    return result.loss


def timed_ours(path: str, pool: Sequence[Conversation]) -> np.ndarray:
    """`ours` with the seconds that loading models takes left out, as in the other loops."""
    loading = 0.0
    plain = workers.load_model

    def load(*arguments: Any) -> Any:
        nonlocal loading
        begun = clock()
        loaded = plain(*arguments)
        loading += clock() - begun
        return loaded

    workers.load_model = load  # type: ignore[assignment]
    tokenizer_begun = clock()
    load_tokenizer(path)
    loading += clock() - tokenizer_begun
    begun = clock()
    try:
        losses = ours(path, pool)
    finally:
        workers.load_model = plain
    timed_ours.seconds = clock() - begun - loading  # type: ignore[attr-defined]
    return losses


def speed(arguments: argparse.Namespace) -> None:
    """Records per second of the three, medians of interleaved rounds."""
    import torch

    global clock
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    torch.set_num_threads(arguments.threads)
    pool = conversations(arguments.pool, arguments.records)
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), pool, arguments.vocabulary, arguments.hidden)
        ways: dict[str, Any] = {"one at a time": one_at_a_time, "ours": timed_ours}
        ways |= {f"sorted batches of {s}": sorted_batches(s) for s in arguments.sizes}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        losses = {}
        for round_ in range(arguments.rounds):
            for name in sorted(ways, key=lambda name: hash((name, round_))):
                losses[name] = ways[name](path, pool)
                seconds[name].append(ways[name].seconds)
        rate = {name: len(pool) / float(np.median(times)) for name, times in seconds.items()}
        ratios = {
            name: float(np.median(np.array(times) / np.array(seconds["ours"])))
            for name, times in seconds.items()
        }
        for name in ways:
            apart = np.abs(losses[name] - losses["ours"])
            print(
                f"{name:22} {rate[name]:8.2f} records/s   ours is {ratios[name]:5.2f} x"
                f"   losses differ by {np.median(apart):.1e} (median) {np.max(apart):.1e} (largest)"
            )
        print("padding share", round(ours.meta["padding_share"], 4))  # type: ignore[attr-defined]
        print("tokens/s", round(ours.meta["tokens_per_second"]))  # type: ignore[attr-defined]


def kill(arguments: argparse.Namespace) -> None:
    """Kill a run at random moments, resume it to the end, compare bytes with an undisturbed one."""
    import torch

    torch.set_num_threads(1)
    chance = random.Random(arguments.seed)
    words = tiny_lm.WORDS.split(" ")
    pool = [
        tiny_lm.ask(*(" ".join(chance.choices(words, k=chance.randint(1, 60))) for _ in range(2)))
        for _ in range(600)
    ]
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokenizer = tiny_lm.make_tokenizer()
        model = tiny_lm.make_model(vocabulary=len(tokenizer), hidden=64)
        saved = tiny_lm.save(folder / "lm", model, tokenizer)
        settings = LmSettings(lm=saved, device="cpu", unconditional=True)
        jobs.WINDOW, workers.CPU_BATCH_TOKENS, scoring.SAVE_SECONDS = 100, 1000, 0.02

        def run(work: Path | None) -> LossResult:
            return scoring.score(lambda: iter(pool), len(pool), settings, work=work)

        whole = run(None)
        plain = Scorer.losses

        def slowly(*given: Any) -> Any:
            time.sleep(0.02)  # long enough for kills to come early and late
            return plain(*given)

        Scorer.losses = slowly  # type: ignore[method-assign]
        kills = wrong = finished = 0
        open_end = True  # killed and not yet resumed to the end
        while kills < arguments.kills or open_end:
            process = context.Process(target=run, args=(folder / f"work-{finished}",))
            process.start()
            process.join(None if kills >= arguments.kills else 0.1 + 1.5 * chance.random())
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGKILL)
                process.join()
                kills += 1
                open_end = True
                saved = (folder / f"work-{finished}").glob("window-*.npz")
                done = sum(int(np.load(path)["done"].sum()) for path in saved)
                print(f"killed with {done} batches kept", flush=True)
            else:
                resumed = run(folder / f"work-{finished}")
                finished += 1
                open_end = False
                wrong += resumed.loss.tobytes() != whole.loss.tobytes() or any(
                    resumed.extra[name].tobytes() != whole.extra[name].tobytes()
                    for name in whole.extra
                )
                print("reached the end", flush=True)
        print(f"{kills} kills, {finished} resumed to the end, {wrong} with other bytes")


def memory(arguments: argparse.Namespace) -> None:
    """Peak resident memory above the weights, 4,096 tokens that are nearly all response."""
    import torch

    torch.set_num_threads(arguments.threads)
    model = tiny_lm.make_model(
        vocabulary=arguments.vocabulary, hidden=512, num_attention_heads=8, head_dim=64,
        intermediate_size=2048, max_position_embeddings=4096, tie_word_embeddings=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = tiny_lm.make_tokenizer()
        path = tiny_lm.save(Path(folder), model, tokenizer)
        del model
        scorer = Scorer(load_model(path, "cpu"))
        pool = [tiny_lm.ask("q", "red " * 8000)] * 2
        sequences = encode_records(pool, ChatTemplate.of(tokenizer), 4096).sequences
        ready = [sequence for sequence in sequences if sequence is not None]
        weights = sum(p.numel() * 4 for p in scorer.model.parameters())
        peak = Peak()
        before = resident()
        with peak:
            scorer.losses(ready[:1])
    mib = 1 << 20
    print(
        f"{len(ready[0].ids)} tokens, {len(ready[0].targets)} scored, {arguments.vocabulary} words"
    )
    print(f"weights {weights / mib:.0f} MiB, peak above them {(peak.most - before) / mib:.0f} MiB")
    logits = len(ready[0].ids) * arguments.vocabulary * 4
    print(f"(one float32 copy of all logits is {logits / mib:.0f} MiB)")


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The most resident memory while the block ran, looked at every millisecond."""

    def __enter__(self) -> None:
        self.most, self._over = resident(), threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.001):
            self.most = max(self.most, resident())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def main() -> None:
    logging.disable_progress_bar()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("speed")
    command.add_argument("pool")
    command.add_argument("--vocabulary", type=int, default=8192)
    command.add_argument("--hidden", type=int, default=288, help="the model's width, n x 48")
    command.add_argument("--records", type=int, default=400)
    command.add_argument("--rounds", type=int, default=3)
    command.add_argument("--threads", type=int, default=2)
    command.add_argument(
        "--cpu-time",
        action="store_true",
        help="count processor time: on a busy machine, with --threads 1",
    )
    command.add_argument("--sizes", type=int, nargs="*", default=[4, 16])
    command.set_defaults(run=speed)
    command = commands.add_parser("kill")
    command.add_argument("--kills", type=int, default=10)
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=kill)
    command = commands.add_parser("memory")
    command.add_argument("--vocabulary", type=int, default=150_000)
    command.add_argument("--threads", type=int, default=2)
    command.set_defaults(run=memory)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
