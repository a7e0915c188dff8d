"""Search for bytes that break a reader, guided by which lines they reach (libFuzzer by atheris).

    pip install atheris          # Linux, Python 3.11 to 3.13; no part of what the tests need
    python tests/faults/fuzz.py --minutes 60 --keep FOLDER

goes round all readers of `targets.py`, a part of the time each, and prints how many inputs each was
given and what was found: an error that is no sentence of ours, a hang of more than ten seconds, or
2 GB of memory. FOLDER keeps the inputs that reached something new, for the next time, and below
`found` each finding with its traceback. What was found becomes a case of test_fuzz.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ROUND = 60
"""Seconds that one reader is tried at a time."""
HANG, MEMORY = 10, 2048
"""Seconds and megabytes that an input may take."""
LONGEST = 1 << 16
PIECES: list[Any] = [
    None, True, 0, -1, 1 << 70, 1e308, "", "a", "\ud800", "../x", [], {}, [None], [[]], {"a": []},
]  # fmt: skip

SIGNS = [
    b"\0", b"\xff", b"\r", b"\n", b'"', b"\\", b"{", b"[", b",", b"=", b"%", b"-", b"9" * 20,
    b"null", b"1e999", "\u2028".encode(), "\ud800".encode("utf-8", "surrogatepass"),
]  # fmt: skip


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", help="readers to try; all of them where none is named")
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--keep", type=Path, required=True, metavar="FOLDER")
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked, rest = options.parse_known_args()
    if asked.one:
        search(asked.one[0], Path(asked.one[1]), asked.keep, rest)
        return 0
    sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1]), str(HERE.parents[2] / "app")]
    from faults.targets import TARGETS

    names = asked.names or list(TARGETS)
    rounds = max(1, round(asked.minutes * 60 / ROUND / len(names)))
    seconds = min(ROUND, asked.minutes * 60 / len(names))
    tried = dict.fromkeys(names, 0)
    for _ in range(rounds):
        for name in names:
            tried[name] += one_round(name, seconds, asked.keep)
            print(f"{name}: {tried[name]:,} inputs", flush=True)
    found = sorted((asked.keep / "found").glob("*"))
    print(f"{sum(tried.values()):,} inputs, {len(found)} findings")
    for path in found:
        print(path)
    return 1 if found else 0


def one_round(name: str, seconds: float, keep: Path) -> int:
    """Try one reader in a process of its own; return how many inputs it was given."""
    inputs, found = keep / name, keep / "found"
    for folder in (inputs, found):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, HERE, "--keep", keep, "--one", name, work, inputs,
             f"-max_total_time={int(seconds)}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}",
             f"-max_len={LONGEST}", f"-artifact_prefix={found}/{name}-", "-print_final_stats=1"],
            capture_output=True, text=True, errors="replace", cwd=work,
        )  # fmt: skip
    count = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    if count is None:  # it ended before its time: a hang, too much memory, a crash
        (found / f"{name}-last.log").write_text(done.stderr[-4000:], encoding="utf-8")
        seen = re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
        return int(seen[-1]) if seen else 0
    return int(count[1])


def search(name: str, work: Path, keep: Path, words: list[str]) -> None:
    """Run libFuzzer on one reader; it leaves the process when its time is up."""
    import atheris  # type: ignore[import-not-found]

    sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1]), str(HERE.parents[2] / "app")]
    with atheris.instrument_imports(include=["ila_core", "view"]):
        import ila_core as ila
        from faults.targets import TARGETS, harmless
    landscape = ila.open(a_landscape(work))
    (work / "here").mkdir()
    target = TARGETS[name]
    read = target.make(work / "here", landscape)
    for number, seed in enumerate(target.seeds(landscape)):
        (keep / name / f"seed-{number}").write_bytes(seed)
        harmless(read, seed)

    def one(data: bytes) -> None:
        try:
            harmless(read, data)
        except Exception as error:
            note(error, name, data, keep / "found")

    how = {"custom_mutator": mutated} if target.is_json else {}
    atheris.Setup([sys.argv[0], *words], one, **how)
    atheris.Fuzz()


def a_landscape(work: Path) -> Path:
    """Build a small landscape by a program that is not watched, and return its folder."""
    records = (
        {"instruction": f"Ask {i}?", "output": f"Say {i}.", "label": i % 3} for i in range(40)
    )
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (work / "pool.jsonl").write_text(lines, encoding="utf-8")
    words = ["build", work / "pool.jsonl", "--out", work / "landscape", "--projection", "pca"]
    root = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    subprocess.run([sys.executable, "-m", "ila_core.cli", *words], check=True, env=root)
    return work / "landscape"


def note(error: Exception, name: str, data: bytes, found: Path) -> None:
    """Keep an input that broke a reader, the first of those that break in one place."""
    frames = list(traceback.extract_tb(error.__traceback__))
    where = [f"{frame.filename}:{frame.lineno}" for frame in frames[-2:]]
    place = hashlib.sha256(repr((type(error).__name__, where)).encode()).hexdigest()[:12]
    if not (found / f"{name}-{place}.txt").exists():
        (found / f"{name}-{place}").write_bytes(data)
        lines = traceback.format_exception(error)
        (found / f"{name}-{place}.txt").write_text("".join(lines), "utf-8", "backslashreplace")


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Change a JSON text at one place of its value, or as libFuzzer changes any bytes."""
    import atheris

    chance = random.Random(seed)
    if chance.random() < 0.3:
        return bytes(atheris.Mutate(data, len(data) + 64))[:most]
    return changed(data, chance, is_json=True)[:most]


def changed(data: bytes, chance: random.Random, *, is_json: bool) -> bytes:
    """Return bytes with one change: some of them, or one part of the value of a JSON text."""
    try:
        value = json.loads(data) if is_json else None
    except (ValueError, RecursionError):
        value = None
    if value is None or chance.random() < 0.1:
        return _other_bytes(bytearray(data), chance)
    part = holder = value
    step: Any = None
    while isinstance(part, (dict, list)) and part and (step is None or chance.random() < 0.8):
        step = chance.choice(list(part)) if isinstance(part, dict) else chance.randrange(len(part))
        holder, part = part, part[step]
    if step is None:
        return json.dumps(chance.choice(PIECES)).encode()
    if chance.random() < 0.2:
        del holder[step]
    else:
        holder[step] = chance.choice([*PIECES, part + 1 if isinstance(part, int) else part])
    return json.dumps(value).encode()


def _other_bytes(data: bytearray, chance: random.Random) -> bytes:
    """Return bytes with a bit flipped, a piece taken out, doubled, moved or put in, or cut."""
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    way = chance.randrange(5)
    if way == 0 and first < len(data):
        data[first] ^= 1 << chance.randrange(8)
    elif way == 1:
        del data[first : min(last, first + 16)]
    elif way == 2:
        data[last:last] = data[first : first + chance.choice((1, 16, 256))]
    elif way == 3:
        data[first:first] = chance.choice(SIGNS)
    else:
        del data[last:]
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
