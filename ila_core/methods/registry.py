"""The methods by name, and one way to run any of them.

A method is a function (landscape, count, seed, *, its own parameters) that returns at most `count`
row numbers in pick order; `select` fills up, pins, excludes and cuts. A package adds one under
the entry-point group "ila.methods", in its pyproject.toml:

    [project.entry-points."ila.methods"]
    shortest = "my_package:shortest"

and it is then a name like any other, for `--method`, `ila compare` and the app. In Python the
function itself can be handed to `select`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.methods.inputs import check_inputs
from ila_core.selection.selection import Budget, Locks, Rule, Selection, select_ila, select_nested

if TYPE_CHECKING:
    from ila_core.landscape.landscape import Landscape

Pick = Callable[..., np.ndarray]
"""(landscape, count, seed, **parameters) -> row numbers in pick order, at most `count`."""

ENTRY_POINTS = "ila.methods"
"""Packages add methods under this entry-point group: a name, and a function that is a Pick."""


@dataclass(frozen=True)
class Method:
    """A way to choose records: its rule in a sentence, who proposed it, and the function."""

    name: str
    rule: str
    source: str
    needs: tuple[str, ...]
    """Names of `inputs.INPUTS` that a landscape must have; without them it does not run."""
    home: str
    """Where the function is, as entry points say it: "package.module:function"."""
    fast: bool = False
    """Whether it takes a few seconds at most on 75,000 records."""
    prefix: bool = True
    """Whether the picks of a bigger budget begin with those of a smaller one."""
    function: Pick | None = None

    @property
    def pick(self) -> Pick:
        """The function; its module is imported on first use."""
        if self.function is not None:
            return self.function
        try:
            return EntryPoint(self.name, self.home, ENTRY_POINTS).load()
        except (ImportError, AttributeError, TypeError) as error:
            raise IlaError(
                f"Method {self.name} could not be loaded from {self.home} ({error}); update or "
                "uninstall the package that adds it."
            ) from error

    @property
    def defaults(self) -> Mapping[str, object]:
        """Its own parameters and their defaults: the keyword-only ones of the function."""
        parameters = inspect.signature(self.pick).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def check(self, parameters: Mapping[str, Any]) -> None:
        """UsageError for a parameter that the function does not take."""
        unknown = [repr(name) for name in parameters if name not in self.defaults]
        if unknown:
            raise UsageError(
                f"Method {self.name} takes no parameter {', '.join(unknown)}; "
                f"it takes {', '.join(self.defaults) or 'none'}."
            )


def _built_in(
    name: str,
    rule: str,
    source: str,
    needs: str,
    function: str,
    *,
    fast: bool = False,
    prefix: bool = True,
) -> Method:
    home = f"ila_core.methods.{function}"
    return Method(name, rule, source, tuple(needs.split()), home, fast, prefix)


_BUILT_IN = (
    _built_in("random", "uniform over the pool", "the baseline", "", "simple:random", fast=True),
    _built_in("balanced", "an equal share of random records per domain", "stratified sampling",
              "", "simple:balanced", fast=True),
    _built_in("loss-top", "highest loss per token", "perplexity pruning, arXiv 2309.04564",
              "loss", "simple:loss_top", fast=True),
    _built_in("loss-mid", "from a third of the way down the descending loss",
              "perplexity pruning, arXiv 2309.04564", "loss", "simple:loss_mid"),
    _built_in("longest", "most response tokens", "arXiv 2402.04833",
              "tokens", "simple:longest", fast=True),
    _built_in("coverage-only", "a random record per patch of the automatic grid",
              "ILA without depth", "", "simple:coverage_only", fast=True, prefix=False),
    _built_in("depth-only", "highest relative depth anywhere", "ILA without coverage",
              "depth", "simple:depth_only", fast=True),
    _built_in("ila", "the deepest record of each patch", "arXiv 2509.06463",
              "", "simple:ila", fast=True, prefix=False),
    _built_in("nested", "the deepest record of each patch, from coarse patches to fine",
              "progressive ILA", "", "simple:nested", fast=True),
    _built_in("ifd", "highest loss ratio with to without the instruction, below 1",
              "Cherry_LLM, arXiv 2308.12032", "loss unconditional_loss", "simple:ifd"),
    _built_in("deita", "by score, unless too similar to what is accepted", "arXiv 2312.15685",
              "score vectors", "deita:deita", fast=True),
    _built_in("k-center", "always the record farthest from the chosen ones",
              "core-set, arXiv 1708.00489", "vectors", "k_center:k_center"),
    _built_in("k-means", "the deepest record of each of B clusters", "CaR, arXiv 2402.18191",
              "depth vectors", "k_means:k_means", prefix=False),
    _built_in("facility-location", "greedy on the sum of the similarity to the nearest pick",
              "lazy greedy, Minoux 1978", "vectors", "facility:facility_location"),
    _built_in("qdit", "greedy on facility-location gain and relative depth together",
              "arXiv 2311.14736", "depth vectors", "facility:qdit"),
    _built_in("semdedup", "what is left when near-duplicates of a cluster are dropped",
              "arXiv 2303.09540", "vectors", "semdedup:semdedup"),
)  # fmt: skip


@cache
def methods() -> Mapping[str, Method]:
    """Return every method by name: those shipped, then those that installed packages add."""
    found = {method.name: method for method in _BUILT_IN}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in found:
            raise IlaError(
                f"Package entry point {point.value!r} names its method {point.name!r}, which "
                "exists already; it needs another name."
            )
        package = point.dist.name if point.dist else point.module
        found[point.name] = Method(
            point.name, f"added by {package}", point.value, (), point.value, prefix=False
        )
    return found


def names() -> list[str]:
    """Return the names of all methods.

    >>> names()[:3]
    ['random', 'balanced', 'loss-top']
    """
    return list(methods())


def from_function(name: str, function: Pick) -> Method:
    """Return a plain function (landscape, count, seed) -> rows as a Method."""
    doc = (function.__doc__ or "").strip().splitlines()
    home = f"{function.__module__}:{name}"
    return Method(name, doc[0] if doc else name, home, (), home, prefix=False, function=function)


def select(
    landscape: Landscape,
    *,
    budget: str | int | Budget,
    method: str | Pick = "ila",
    resolution: str | int = "auto",
    depth_target: float = 1.0,
    seed: int = 0,
    pin: Sequence[int] | np.ndarray = (),
    exclude: Sequence[int] | np.ndarray = (),
    **parameters: Any,
) -> Selection:
    """Choose exactly min(budget, what can be chosen) records and return them in pick order.

    budget: a count, "10%" or "2M-tokens". method: a name of `names()` or a function
    (landscape, count, seed) -> rows. resolution and depth_target are read by "ila" (and
    depth_target by "nested") alone; `parameters` are the method's own. A method that runs dry is
    filled up with the highest relative depth among the rest; `Selection.filled` counts these.
    Pins come first. The methods with a grid know of them; the others choose among the records
    that are neither pinned nor excluded, as if these were the pool. UsageError on an unknown name
    or value, IlaError where the method lacks an input.

    >>> from ila_core import Landscape
    >>> pool = Landscape.from_arrays([[0, 0], [0, 1], [1, 1]], depth=[1.0, 3.0, 2.0])
    >>> select(pool, budget=2, method="depth-only").rows.tolist()
    [1, 2]
    >>> def last(landscape, count, seed):
    ...     return np.arange(len(landscape))[::-1][:count]
    >>> select(pool, budget=2, method=last).rows.tolist()
    [2, 1]
    """
    asked, known = Budget.parse(budget), find(method)
    known.check(parameters)
    check_inputs(known.name, known.needs, landscape)
    if known.name == "ila":
        return select_ila(
            landscape,
            asked,
            resolution=resolution,
            depth_target=depth_target,
            pin=pin,
            exclude=exclude,
        )
    if known.name == "nested":
        return select_nested(landscape, asked, depth_target=depth_target, pin=pin, exclude=exclude)
    if known.name == "coverage-only":
        from ila_core.methods.simple import select_blindly

        return select_blindly(landscape, asked, seed, pin=pin, exclude=exclude)
    locks = Locks.of(pin, exclude, len(landscape))
    return _select_by(known, landscape, asked, seed, locks, parameters)


def find(method: str | Pick) -> Method:
    """Return the method of that name, or wrap a function; UsageError lists the names."""
    if callable(method):
        return from_function(getattr(method, "__name__", "function"), method)
    if method not in methods():
        raise UsageError(f"Unknown method {method!r}; methods are {', '.join(names())}.")
    return methods()[method]


def _select_by(
    method: Method,
    landscape: Landscape,
    budget: Budget,
    seed: int,
    locks: Locks,
    parameters: Mapping[str, Any],
) -> Selection:
    started = time.perf_counter()
    free = np.setdiff1d(np.arange(len(landscape)), np.r_[locks.pinned, locks.excluded])
    most = len(locks.pinned) + len(free)
    whole = len(free) in (0, len(landscape))
    pool = landscape if whole else landscape.subset(free)

    def ranked(count: int) -> tuple[np.ndarray, int]:
        """Return the pins and then picks, `count` in all, and how many of them only fill up."""
        wanted = count - len(locks.pinned)
        if wanted <= 0:
            return locks.pinned[:count], 0
        own = _checked(method, method.pick(pool, wanted, seed, **parameters), wanted, len(pool))
        rest = pool.order[~np.isin(pool.order, own)][: wanted - len(own)]
        return np.concatenate([locks.pinned, free[own], free[rest]]), len(rest)

    count = min(budget.records(landscape), most)
    rows, filled = ranked(count)
    while count < most and budget.kind == "tokens" and budget.cut(landscape, rows) == count:
        count = min(most, count + max(1, count // 3))  # their tokens leave room for more
        rows, filled = ranked(count)
    size = locks.checked_cut(budget, landscape, rows)
    rule = Rule(
        method.name,
        budget.text,
        seed=seed,
        pinned=tuple(locks.pinned.tolist()),
        excluded=tuple(locks.excluded.tolist()),
        parameters={**method.defaults, **parameters},
    )
    return Selection.of_rows(
        landscape,
        rows[:size],
        rule,
        filled=max(filled - (len(rows) - size), 0),
        seconds=time.perf_counter() - started,
    )


def _checked(method: Method, rows: Any, wanted: int, n: int) -> np.ndarray:
    """Return a method's answer as row numbers, or say what is wrong with it."""
    found = np.asarray(rows)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise IlaError(
            f"Method {method.name} returned {found.dtype} of shape {found.shape}; a method returns "
            "a flat array of row numbers."
        )
    found = found.astype(np.int64)
    if len(found) > wanted:
        raise IlaError(
            f"Method {method.name} returned {len(found)} rows where {wanted} were asked."
        )
    if len(found) and (found.min() < 0 or found.max() >= n):
        raise IlaError(f"Method {method.name} returned rows outside 0 to {n - 1}.")
    if len(np.unique(found)) != len(found):
        raise IlaError(f"Method {method.name} returned a row twice.")
    return found
