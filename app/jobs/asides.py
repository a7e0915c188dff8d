"""What is worked out of a landscape on the side, once for all visitors, while the page goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ila_core.errors import IlaError
from ila_core.progress import Progress

Work = Callable[[Progress], object]
"""What is done on the side; it tells how far it is."""

_ASIDES: dict[str, Aside] = {}
_LOCK = threading.Lock()


@dataclass
class Aside:
    """How far a piece of work is."""

    done: int = 0
    total: int | None = None
    over: bool = False
    error: str = ""
    """Why it failed, in a sentence."""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


def begun(key: str, work: Work) -> Aside:
    """Return the piece of work of this key, begun now unless it has been.

    What failed stays so until it is told to begin anew.
    """
    with _LOCK:
        aside = _ASIDES.get(key)
        if aside is not None and not (aside.over and not aside.error):
            return aside
        aside = _ASIDES[key] = Aside()
    threading.Thread(target=_run, args=(aside, work), daemon=True).start()
    return aside


def forget(key: str) -> None:
    """Let a piece of work that failed begin anew when it is next asked for."""
    with _LOCK:
        if key in _ASIDES and _ASIDES[key].over:
            del _ASIDES[key]


def _run(aside: Aside, work: Work) -> None:
    def progress(done: int, total: int | None) -> None:
        aside.done, aside.total = done, total

    try:
        work(progress)
    except IlaError as error:
        aside.error = str(error)
    except Exception as error:  # a thread of its own: nobody else would tell
        aside.error = f"{type(error).__name__}: {error}"
    finally:
        aside.over = True
