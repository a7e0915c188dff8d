"""How often each fault is tried, and how many of each were."""

from __future__ import annotations

import os
from collections import Counter

FAULTS = int(os.environ.get("ILA_FAULTS", "24"))
"""How many of what chance draws; 24 in the small size, 200 for the README's figures."""
EXAMPLES = int(os.environ.get("ILA_FUZZ_EXAMPLES", "60"))
"""How many broken inputs of each kind; a fuzz of its own says more."""
FULL = FAULTS >= 200
TRIED: Counter[str] = Counter()
"""What this session has tried, by name; told in its last lines."""


def count(what: str, number: int = 1) -> None:
    """Note that so many faults of a kind were tried and let nothing through."""
    TRIED[what] += number
