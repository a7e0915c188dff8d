"""A command that is killed again and again, each time in a fork of this process.

It is killed in three ways: right before each of the changes that it makes to a folder, with each
file at a length at which the system ends whoever would write on, and at moments that chance draws.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from conftest import small_pool, write_jsonl
from killed import killed_before

import ila_core as ila
from ila_core.cli import main
from ila_core.exports.commands import PARQUET
from ila_core.exports.write import FORMATS
from ila_core.lm import train

CLOCK = frozenset({"written", "built", "added", "seconds"})
"""Entries of our JSON that tell a moment, or how long something took."""
PROGRESS = "progress.json"
State = dict[str, object]


class Command:
    """Words of the command line that change one folder, and how that is made ready for them.

    last: the name of the file that says of all others that they are whole; none where each says
    it of one beside it, as the manifest of an export does. reads: what a reader sees in the folder,
    which is that of before or that of afterwards at any time.
    """

    def __init__(
        self,
        folder: Path,
        ready: Callable[[Path], None],
        *words: object,
        last: str = "",
        reads: Callable[[Path], object] = lambda folder: None,
    ) -> None:
        self.folder, self.ready, self.last, self.reads = folder, ready, last, reads
        self.words = list(map(str, words))
        self.afresh()
        before = reads(folder)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            assert main(self.words) == 0  # what it imports and compiles, the forks have then
        self.afresh()
        started = time.monotonic()
        assert _ended(self.run) == 0, "it fails without being killed"
        self.seconds = time.monotonic() - started
        self.whole, self.may_be = self.state(), (before, reads(folder))

    def run(self) -> None:
        """Do what the words say, in a process that ends with it, and prints nothing."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(main(self.words))

    def afresh(self) -> None:
        """Make the folder ready."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.ready(self.folder)

    def state(self) -> State:
        """Return what every file of the folder holds, but for moments."""
        return {
            str(path.relative_to(self.folder)): _told(path)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def check(self, how: str) -> None:
        """Hold what a kill has left against what may be, then run the command again."""
        left = self.state()
        assert self.reads(self.folder) in self.may_be, f"a mixture {how}"
        if self.last and left.get(self.last) == self.whole[self.last]:
            assert all(left.get(name) == told for name, told in self.whole.items()), how
        for name in left:
            told = self.folder / f"{name}.manifest.json"
            if told.is_file():
                digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
                assert json.loads(told.read_bytes())["sha256"] == digest, (how, name)
        assert _ended(self.run) == 0, (how, sorted(left))
        again = self.state()
        assert sorted(again) == sorted(self.whole), (how, sorted(again))
        assert self.reads(self.folder) == self.may_be[1], how
        assert again == self.whole, (how, [n for n in again if again[n] != self.whole[n]])

    def killed(self, every: int, lengths: int, moments: int, seed: int = 0) -> Counter[str]:
        """Kill it before every so many of its changes, and so often in the other two ways.

        Returns how many kills of each way there were.
        """
        chance, done = np.random.default_rng(seed), Counter[str]()
        for step in range(1, 1 << 20, every):
            self.afresh()
            if not killed_before(step, self.folder, self.run):
                break
            self.check(f"before change {step}")
            done["changes"] += 1
        sizes = sorted({len(told) for told in self.whole.values() if isinstance(told, bytes)})
        for number in range(lengths):
            most = sizes[number % len(sizes)]
            length = int(chance.integers(max(most, 1)))
            self.afresh()
            if _ended(self.run, length=length) == -signal.SIGXFSZ:
                self.check(f"at byte {length} of a file")
                done["lengths"] += 1
        for _ in range(moments):
            moment = chance.random() * self.seconds
            self.afresh()
            if _ended(self.run, seconds=moment) == -signal.SIGKILL:
                self.check(f"after {moment:.3f} seconds")
                done["moments"] += 1
        return done


def _ended(act: Callable[[], None], *, seconds: float = 0.0, length: int | None = None) -> int:
    """Run a function in a fork; return its exit code, below 0 the signal that ended it.

    It is killed after some seconds, or by the first write beyond a length of whatever file.
    """
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            if length is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (length, length))
            act()
        finally:
            os._exit(99)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _told(path: Path) -> object:
    content = path.read_bytes()
    if path.name == PROGRESS:
        return None
    if path.name.endswith(("manifest.json", "done.json")):
        return _timeless(json.loads(content))
    return content


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if name not in CLOCK}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def commands(run: Path, large: Path, base: Path, place: Path) -> dict[str, Callable[[], Command]]:
    """Return what makes each command that is tried ready, by the command's name.

    run: a landscape of pool.jsonl beside it, `large` one of enough records for a study, `base` a
    model.
    """
    out, more = place / "out", place / "more.jsonl"
    write_jsonl(more, [{**record, "topic": "more"} for record in small_pool(70)[60:]])

    def command(
        name: str, *words: object, ready: Callable[[Path], None] = nothing, **how: Any
    ) -> tuple[str, Callable[[], Command]]:
        return name, lambda: Command(out, ready, *words, **how)

    def again(name: str, *words: object) -> tuple[str, Callable[[], Command]]:
        return command(name, *words, "--budget", 20, ready=doing(*words, "--budget", 10))

    grown: dict[str, Any] = {"ready": copying(run), "reads": landscape_of}
    built = ["build", run.with_name("pool.jsonl"), "--out", out, "--projection", "pca"]
    studied = ["study", large, "--out", out, "--methods", "random,ila", "--budgets", "10%",
               "--patches", "even", "--depths", "loss", "--depth-targets", 1,
               "--seeds", 1, "--subsets", 0]  # fmt: skip
    tuned = ["tune", run, "--out", out, "--lm", base, "--share", 0.5, "--steps", 5,
             "--batch-tokens", 400, "--device", "cpu"]  # fmt: skip
    train.CHECKPOINT_STEPS = 2
    return dict([
        command("build", *built, "--labels", "none", "--depth-column", "score", **grown),
        command("add", "add", out, more, "--loss", "none", **grown),
        *(
            again(f"select --format {format}", "select", run, "--format", format, "--out",
                  out / ("chosen.parquet" if format in PARQUET else "chosen.jsonl"),
                  *([] if format in PARQUET else ["--validation", "20%", "--dataset-info"]))
            for format in FORMATS
        ),
        again("report", "report", run, "--out", out / "page.html"),
        command("study", *studied, last="study.json"),
        command("tune", *tuned, last="tune.json"),
        command("tune --full", *tuned, "--full", last="tune.json"),
    ])  # fmt: skip


def nothing(folder: Path) -> None:
    """Leave a folder as it is: empty."""


def copying(run: Path) -> Callable[[Path], None]:
    """Return what fills a folder with what is in another one."""

    def ready(folder: Path) -> None:
        shutil.copytree(run, folder, dirs_exist_ok=True)

    return ready


def landscape_of(folder: Path) -> object:
    """Return what a reader of a landscape sees."""
    found = ila.open(folder)
    depth, vectors = found.depth.tobytes(), np.asarray(found.vectors).tobytes()
    return found.xy.tobytes(), depth, vectors, list(found.records.originals())


def doing(*words: object) -> Callable[[Path], None]:
    """Return what makes a folder ready by words of the command line, run once."""
    kept: dict[Path, bytes] = {}

    def ready(folder: Path) -> None:
        if not kept:
            Command(folder, nothing, *words)
            kept.update({path: path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        for path, content in kept.items():
            path.write_bytes(content)

    return ready


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    known = commands(*map(Path, sys.argv[1:5]))
    for name, _, how in (word.partition("=") for word in sys.argv[5:]):
        print(json.dumps([name, known[name]().killed(*map(int, how.split(",")))]), flush=True)
