"""Many visitors on one landscape at once: what each waits, and what they cost together.

    python tests/benchmarks/bench_visitors.py RUN [--visitors 20] [--seconds 60] [--pause 1]

Visitors without a browser, who say what a browser would: each comes by a link, pins a record of
its own, and then moves budget and number of patches in turn, with a pause of chance around
--pause seconds between, until the time is up. After every answer the pins on its map are held
against its own. RUN is only read; what visitors keep goes to a folder that is dropped.
Memory is what the server's process alone holds: after one visitor has come and gone, and again
after all have moved, the pages that are shared with the file cache aside.
"""

from __future__ import annotations

import argparse
import asyncio
import random
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


async def visit(page: Served, rows: list[int], seconds: float, pause: float) -> None:
    warm, told, process = Told(), Told(), page.process.pid
    await stay(page, -1, rows[-1], time.monotonic() + 10, pause, warm)
    before, used, started = memory(process), used_seconds(process), time.monotonic()
    until = started + seconds
    visits = [stay(page, number, row, until, pause, told) for number, row in enumerate(rows[:-1])]
    ended = await asyncio.gather(*visits, return_exceptions=True)
    told.errors += [repr(one) for one in ended if isinstance(one, BaseException)]
    told.errors += [line for line in page.log.read_text().splitlines() if "Error" in line]
    took, after = time.monotonic() - started, memory(process)
    print(f"{len(rows) - 1} visitors, {took:.0f} s, {sum(map(len, told.seconds.values())):,} runs")
    for name, values in told.seconds.items():
        print(f"{name:<12}{len(values):>6} runs, median {np.median(values):6.2f} s, "
              f"95th percentile {np.percentile(values, 95):6.2f} s")  # fmt: skip
    print(f"bytes a run: median {np.median(told.bytes) / 1e3:.0f} kB")
    print(f"the server used {(used_seconds(process) - used) / took:.2f} cores")
    print(f"errors: {len(told.errors)}; pins of others seen: {len(told.strange)}")
    for line in [*told.errors, *told.strange][:10]:
        print(f"  {line}")
    each = (after - before) / (len(rows) - 1)
    print(f"memory: {before:,.0f} MB, then {after:,.0f} MB: {each:.1f} MB a visitor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=1)
    options = parser.parse_args()
    run = options.run.resolve()
    records = len(ila.open(run))
    rows = np.random.default_rng(0).permutation(records)[: options.visitors + 1].tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder, **opened_on(run, folder)) as page:
            asyncio.run(visit(page, rows, options.seconds, options.pause))


if __name__ == "__main__":
    main()
