"""What the first selection of a large landscape waits for, worked out while it is built."""

from __future__ import annotations

from ila_core.landscape.even import curve_order
from ila_core.landscape.kept import LARGE
from ila_core.landscape.landscape import Landscape
from ila_core.progress import Monitor


def leave_order(landscape: Landscape, monitor: Monitor) -> None:
    """Leave beside a large landscape in which order its records stand, for whoever opens it."""
    if len(landscape) >= LARGE:
        with monitor.stage("order"):
            _ = landscape.order
            curve_order(landscape)
