"""A command that meets a fault again and again, each time in a fork of this process.

It is killed in three ways: right before each of the changes that it makes to a folder, with each
file at a length at which the system ends whoever would write on, and at moments that chance draws.
It meets a disk without room, and one that cannot be written to. And it runs twice at once.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
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
UNMOUNTING = 100
"""Tenths of a second that a disk may be busy with what has not ended yet."""
FULL = "The disk is full"
State = dict[str, object]


class Command:
    """Words of the command line that change one folder, and how that is made ready for them.

    last: the name of the file that says of all others that they are whole; none where each says
    it of one beside it, as the manifest of an export does. reads: what a reader sees in the folder,
    which is that of before or that of afterwards at any time. other: words that fill the same
    folder otherwise, to be run beside these.
    """

    def __init__(
        self,
        folder: Path,
        ready: Callable[[Path], None],
        *words: object,
        last: str = "",
        reads: Callable[[Path], object] = lambda folder: None,
        other: Sequence[object] = (),
    ) -> None:
        self.folder, self.ready, self.last, self.reads = folder, ready, last, reads
        self.words, self.other = list(map(str, words)), list(map(str, other))
        self.afresh()
        before = reads(folder)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            assert main(self.words) == 0  # what it imports and compiles, the forks have then
        self.afresh()
        started = time.monotonic()
        assert _ended(self.run) == 0, "it fails without a fault"
        self.seconds = time.monotonic() - started
        self.sizes = sorted({path.stat().st_size for path in self.folder.rglob("*")} - {0})
        self.whole, self.may_be = self.state(), (before, reads(folder))

    def run(self, said: int | None = None, words: Sequence[str] = ()) -> None:
        """Do what the words say, in a process that ends with it; it prints to a descriptor."""
        told = os.open(os.devnull, os.O_WRONLY) if said is None else said
        os.dup2(told, 1)
        os.dup2(told, 2)
        code = main(words or self.words)
        sys.stderr.flush()
        os._exit(code)

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
        for number in range(lengths):
            length = int(chance.integers(self.sizes[number % len(self.sizes)]))
            self.afresh()
            if _ended(self.run, length=length) == -signal.SIGXFSZ:
                self.check(f"at byte {length} of a file")
                done["lengths"] += 1
        for _ in range(3 * moments):  # on a machine that is less busy now it ends sooner
            if done["moments"] == moments:
                break
            moment = chance.random() * self.seconds
            self.afresh()
            if _ended(self.run, seconds=moment) == -signal.SIGKILL:
                self.check(f"after {moment:.3f} seconds")
                done["moments"] += 1
        return done

    def narrowed(self, times: int, seed: int = 0) -> Counter[str]:
        """Run it so often where files may have no more than some length, as under a quota.

        It says so in a sentence, leaves what was there, and ends well once there is room.
        """
        chance, done = np.random.default_rng(seed), Counter[str]()
        for number in range(times):
            length = int(chance.integers(self.sizes[number % len(self.sizes)]))
            self.afresh()
            done["length"] += self.told(f"with files of {length} bytes", FULL, length=length)
        return done

    def crowded(self, times: int, seed: int = 0) -> Counter[str]:
        """Run it so often on a small disk of its own, which is full but for some bytes.

        PermissionError where this process may not mount one.
        """
        chance, done = np.random.default_rng(seed), Counter[str]()
        needed = sum(-(-size // 4096) * 4096 for size in self.sizes)
        with disk(self.folder.parent, 2 * needed + (64 << 20)) as ballast:
            for _ in range(times):
                self.afresh()
                room = int(needed * chance.random() ** 3)  # most need little beside what is there
                free = os.statvfs(self.folder)
                with open(ballast, "wb") as stream:
                    os.posix_fallocate(
                        stream.fileno(), 0, max(free.f_bavail * free.f_frsize - room, 1)
                    )
                how = f"with {room} bytes of disk"
                done["full"] += self.told(how, FULL, before=lambda: ballast.unlink())
        return done

    def barred(self) -> Counter[str]:
        """Run it on a disk that cannot be written to; PermissionError as for `crowded`."""
        done = Counter[str]()
        with disk(self.folder.parent, 512 << 20):
            self.afresh()
            _mount("-o", "remount,ro", self.folder.parent)
            again = functools.partial(_mount, "-o", "remount,rw", self.folder.parent)
            done["read-only"] += self.told("read-only", "Read-only file system", before=again)
        return done

    def told(
        self,
        how: str,
        sentence: str,
        *,
        before: Callable[[], object] = lambda: None,
        length: int | None = None,
    ) -> bool:
        """Run it under a fault that is over when `before` was called; return whether it met it.

        It then says so in a sentence, and the next one ends well.
        """
        reads, writes = os.pipe()
        code = _ended(lambda: self.run(writes), length=length, ignored=True)
        words = _said(reads, writes)
        before()
        assert code in (0, 1), (how, code, words)
        if code:
            last = words.strip().splitlines()[-1]
            assert last.startswith("ila: ") and sentence in last, (how, words)
            assert "Traceback" not in words, (how, words)
        self.check(how)
        return code == 1

    def at_once(self, times: int) -> Counter[str]:
        """Run it so often twice at once, the second time by its other words where it has some.

        One of the two ends well, the other does too or is refused in a sentence; the folder is as
        the last to end well leaves it alone.
        """
        done, ends = Counter[str](), [self.whole]
        if self.other:
            ends.append(Command(self.folder, self.ready, *self.other).whole)
        for number in range(times):
            self.afresh()
            pipes = [os.pipe(), os.pipe()]
            children = [
                _forked(functools.partial(self.run, pipe[1], line))
                for pipe, line in zip(pipes, (self.words, self.other), strict=True)
            ]
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            said = [_said(*pipe) for pipe in pipes]
            assert sorted(codes) in ([0, 0], [0, 1]), (number, codes, said)
            for code, text in zip(codes, said, strict=True):
                assert "Traceback" not in text, text
                if code:
                    assert "wait for it" in text, text
                    done["refused"] += 1
            assert self.state() in ends, (number, codes, said)
            done["at once"] += 1
        return done


def _ended(
    act: Callable[[], None],
    *,
    seconds: float = 0.0,
    length: int | None = None,
    ignored: bool = False,
) -> int:
    """Run a function in a fork; return its exit code, below 0 the signal that ended it.

    It is killed after some seconds, or by the first write beyond a length of whatever file; that
    write fails instead where the signal is ignored.
    """

    def limited() -> None:
        if length is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN if ignored else signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (length, length))
        act()

    child = _forked(limited)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _forked(act: Callable[[], None]) -> int:
    """Run a function in a fork, and return the number of that process."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            act()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(99)
    return child


def _said(reads: int, writes: int) -> str:
    """Return what processes that have ended wrote to a pipe: no more than it holds."""
    os.close(writes)
    with open(reads, encoding="utf-8") as stream:
        return stream.read()


def _mount(*words: object) -> None:
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise PermissionError(done.stderr.strip())


@contextmanager
def disk(place: Path, size: int) -> Iterator[Path]:
    """Mount a disk in memory over an empty folder; yield the place of a file that may fill it."""
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
    try:
        yield place / "ballast"
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    """Take the disk away, as soon as the processes that a command started there have ended too."""
    for _ in range(UNMOUNTING):
        if not subprocess.run(["umount", str(place)], capture_output=True).returncode:
            return
        time.sleep(0.1)
    subprocess.run(["umount", str(place)], check=True)


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
    out, more = place / "out", run.with_name("more.jsonl")
    write_jsonl(more, [{**record, "topic": "more"} for record in small_pool(70)[60:]])

    def command(
        name: str, *words: object, ready: Callable[[Path], None] = nothing, **how: Any
    ) -> tuple[str, Callable[[], Command]]:
        return name, lambda: Command(out, ready, *words, **how)

    def again(name: str, *words: object) -> tuple[str, Callable[[], Command]]:
        sooner, other = ([*words, "--budget", budget] for budget in (10, 30))
        return command(name, *words, "--budget", 20, ready=doing(*sooner), other=other)

    grown: dict[str, Any] = {"ready": copying(run), "reads": landscape_of}
    anew = ["build", run.with_name("pool.jsonl"), "--out", out]
    built = ["build", run.with_name("pool.jsonl"), "--out", out, "--projection", "pca"]
    studied = ["study", large, "--out", out, "--methods", "random,ila", "--budgets", "10%",
               "--patches", "even", "--depths", "loss", "--depth-targets", 1,
               "--seeds", 1, "--subsets", 0]  # fmt: skip
    tuned = ["tune", run, "--out", out, "--lm", base, "--share", 0.5, "--steps", 5,
             "--batch-tokens", 400, "--device", "cpu"]  # fmt: skip
    train.CHECKPOINT_STEPS = 2
    return dict([
        command("build", *built, "--labels", "none", "--depth-column", "score", **grown),
        command("build anew", *anew, "--loss", "none", "--projection", "pca"),
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
        command, done = known[name](), Counter[str]()
        for way, *numbers in (part.split(",") for part in how.split("|")):
            done += getattr(command, way)(*map(int, numbers))
        print(json.dumps([name, done]), flush=True)
