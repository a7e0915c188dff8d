"""Many visitors on one landscape at once: what each waits, and what they cost together.

    python tests/benchmarks/bench_visitors.py RUN [--visitors 20] [--minutes 1] [--pause 1]
                                                  [--build POOL]

Visitors without a browser, who say what a browser would: each comes by a link, pins a record of
its own, and then moves budget and number of patches in turn, with a pause of chance around
--pause seconds between, until the time is up. After every answer the pins on its map are held
against its own. RUN is only read; what visitors keep goes to a folder that is dropped. With --build
a pool is built beside them all the while, again and again, as a process of its own.
Memory is what the server's process alone holds, the pages that are shared with the file cache
aside: after one visitor has come and gone, each second, and after all have moved. What it grew by
over the second half of the time is told alone: a leak goes on, and what is kept does not.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from bench_page import used_seconds  # noqa: E402
from served import Served, opened_on, serving  # noqa: E402
from visitor import Visitor, visiting  # noqa: E402

import ila_core as ila  # noqa: E402

PATCHES = "Number of even patches"
AMOUNT = "Budget in percent"


class Told:
    """What all visitors have met."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.strange: list[str] = []
        """Pins on a map that are not its visitor's own."""
        self.bytes: list[int] = []


async def stay(page: Served, number: int, row: int, until: float, pause: float, told: Told) -> None:
    """Visit the page until the time is up: pin a row, then move budget and patches in turn."""
    chance = random.Random(number)
    query = {"budget": "5%", "resolution": "500", "layer": "representation", "record": str(row)}
    async with visiting(page.address, urlencode(query)) as visitor:
        await ask(visitor, "first run", told, [])
        await ask(visitor, "pin", told, [row], visitor.press("Pin"))
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)
            if chance.random() < 0.5:
                moved = visitor.number(AMOUNT, round(chance.uniform(2, 20), 2))
                await ask(visitor, "budget", told, [row], moved)
            else:
                moved = visitor.number(PATCHES, chance.randrange(200, 2_000))
                await ask(visitor, "resolution", told, [row], moved)


async def ask(visitor: Visitor, what: str, told: Told, pinned: list[int], *moved: object) -> None:
    """Ask, and hold what came back against what this visitor has pinned."""
    answer = await visitor.ask(*moved)  # type: ignore[arg-type]
    told.seconds.setdefault(what, []).append(answer.seconds)
    told.bytes.append(answer.bytes)
    told.errors += answer.errors
    found = visitor.marked("pins")
    if found != pinned:
        told.strange.append(f"{what}: {found} instead of {pinned}")


def memory(process: int) -> float:
    """Return the megabytes that a process alone holds."""
    fields = Path(f"/proc/{process}/status").read_text().split("RssAnon:")[1].split()
    return int(fields[0]) / 1e3


async def watch(process: int, until: float) -> list[float]:
    """Return what a process holds, in megabytes, each second until the time is up."""
    held = []
    while time.monotonic() < until:
        held.append(memory(process))
        await asyncio.sleep(1)
    return held


async def build_on(pool: Path, folder: Path, until: float, told: Told) -> int:
    """Build a pool again and again, each time anew, until the time is up; return how often."""
    done = 0
    while time.monotonic() < until:
        words = [sys.executable, "-m", "ila_core.cli", "build", str(pool)]
        words += ["--out", str(folder / f"build-{done}")]
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            left = max(until - time.monotonic(), 0.1)
            _, said = await asyncio.wait_for(process.communicate(), left)
        except TimeoutError:
            process.terminate()
            await process.wait()
            return done
        if process.returncode:
            told.errors.append(f"build: {said.decode(errors='replace').strip()[-200:]}")
            return done
        done += 1
        shutil.rmtree(folder / f"build-{done - 1}", ignore_errors=True)
    return done


async def visit(
    page: Served, rows: list[int], seconds: float, pause: float, pool: Path | None, folder: Path
) -> None:
    warm, told, process = Told(), Told(), page.process.pid
    await stay(page, -1, rows[-1], time.monotonic() + 10, pause, warm)
    before, used, started = memory(process), used_seconds(process), time.monotonic()
    until = started + seconds
    visits = [stay(page, number, row, until, pause, told) for number, row in enumerate(rows[:-1])]
    watched = asyncio.create_task(watch(process, until))
    building = asyncio.create_task(build_on(pool, folder, until, told)) if pool else None
    ended = await asyncio.gather(*visits, return_exceptions=True)
    held = await watched
    told.errors += [repr(one) for one in ended if isinstance(one, BaseException)]
    told.errors += [line for line in page.log.read_text().splitlines() if "Error" in line]
    took, after = time.monotonic() - started, memory(process)
    print(f"{len(rows) - 1} visitors, {took:.0f} s, {sum(map(len, told.seconds.values())):,} runs")
    moves = [*told.seconds.get("budget", []), *told.seconds.get("resolution", [])]
    for name, values in {**told.seconds, "both moves": moves or [math.nan]}.items():
        print(f"{name:<12}{len(values):>6} runs, median {np.median(values):6.2f} s, "
              f"95th percentile {np.percentile(values, 95):6.2f} s")  # fmt: skip
    print(f"bytes a run: median {np.median(told.bytes) / 1e3:.0f} kB")
    print(f"the server used {(used_seconds(process) - used) / took:.2f} cores")
    print(f"errors: {len(told.errors)}; pins of others seen: {len(told.strange)}")
    for line in [*told.errors, *told.strange][:10]:
        print(f"  {line}")
    each = (after - before) / (len(rows) - 1)
    print(f"memory: {before:,.0f} MB, then {after:,.0f} MB: {each:.1f} MB a visitor")
    half = held[len(held) // 2 :]
    slope = np.polyfit(np.arange(len(half)), half, 1)[0] * 60 if len(half) > 1 else 0.0
    print(f"second half: {half[0]:,.0f} MB to {half[-1]:,.0f} MB, at most {max(held):,.0f} MB; "
          f"{slope:+.1f} MB a minute")  # fmt: skip
    if building:
        print(f"builds beside them: {await building} ended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--build", type=Path, metavar="POOL")
    parser.add_argument("--pause", type=float, default=1)
    options = parser.parse_args()
    run = options.run.resolve()
    records = len(ila.open(run))
    rows = np.random.default_rng(0).permutation(records)[: options.visitors + 1].tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder, **opened_on(run, folder)) as page:
            pool = options.build.resolve() if options.build else None
            asyncio.run(visit(page, rows, options.minutes * 60, options.pause, pool, folder))


if __name__ == "__main__":
    main()
