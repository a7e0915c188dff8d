"""The methods by name, and one way to run any of them.

Most methods are a function (landscape, count, seed, *, its own parameters) that returns at most
`count` row numbers in pick order; `Method.select` fills up, pins, excludes and cuts. A package
adds one under the entry-point group "ila.methods", in its pyproject.toml:

    [project.entry-points."ila.methods"]
    shortest = "my_package:shortest"

and it is then a name like any other, for `--method`, `ila compare` and the page. In Python the
function itself can be handed to `select`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, cast

import numpy as np

from ila_core.errors import IlaError, UsageError
from ila_core.landscape.landscape import Landscape
from ila_core.methods.fill import fill
from ila_core.methods.needs import check_needs
from ila_core.methods.quotas import within
from ila_core.options import options_of
from ila_core.selection.locks import Locks
from ila_core.selection.selection import Selection
from ila_core.selection.spec import Spec

Speed = Literal["moments", "seconds", "minutes"]
"""How long a method takes on 75,000 records and two cores: under a second, some seconds, more."""

Pick = Callable[..., np.ndarray]
"""(landscape, count, seed, **parameters) -> row numbers in pick order, at most `count`."""

BUILT_IN = "ila_core.methods."
"""Where the functions of the methods are that are shipped."""
ENTRY_POINTS = "ila.methods"
"""Packages add methods under this entry-point group: a name, and a function that is a Pick."""


@dataclass(frozen=True)
class Method:
    """A way to choose records: its rule in a sentence, who proposed it, what it reads."""

    name: str
    rule: str
    source: str
    needs: tuple[str, ...]
    """Names of `needs.NEEDS` that a landscape must have; without them it does not run."""
    home: str
    """Where the function is, as entry points say it: "package.module:function"."""
    reads: frozenset[str] = frozenset()
    """The fields of a Spec that it reads beside budget, locks, rules and quotas, "depth" where
    another kind of it makes another selection; and "map" where it cuts the map into patches."""
    compared: bool = False
    """Whether it is compared where no method is named: it takes a few seconds at most on 75,000
    records and needs nothing that a usual landscape lacks."""
    prefix: bool = False
    """Whether the picks of a bigger budget begin with those of a smaller one."""
    draws: int = 1
    """Over how many seeds it is measured: several where all that it does is chance."""
    by_spec: bool = False
    """Whether the function takes (landscape, spec, locks) and returns the Selection itself."""
    function: Callable[..., Any] | None = None

    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Knobs of a Spec that are the method itself and cannot be turned."""

    @property
    def speed(self) -> Speed:
        """How long it takes on a large pool, the longest where that is not known.

        >>> find("ila").speed, find("deita").speed, find("facility-location").speed
        ('moments', 'seconds', 'minutes')
        """
        if not self.home.startswith(BUILT_IN):
            return "minutes"
        if "vectors" in self.needs:  # each record is held against others
            return "seconds" if self.compared else "minutes"
        return "moments"

    @property
    def pick(self) -> Callable[..., Any]:
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

    def extends(self, spec: Spec) -> bool:
        """Whether its picks at a bigger budget begin with those at a smaller one, as it is asked.

        With quotas they do not: a share of few picks is not the start of a share of many.
        """
        return self.prefix and not spec.quotas

    def applied(self, spec: Spec) -> Spec:
        """Return the spec with this method, and the knobs that it does not read at their default.

        The kind of depth stays, unless it is the method's own: numbers are measured with it.

        >>> find("random").applied(Spec(resolution=64, seed=3)) == Spec("random", seed=3)
        True
        """
        knobs = options_of(Spec).keys() - ASKED_OF_ALL - self.reads
        own = tuple((name, value) for name, value in spec.parameters if name in self.defaults)
        idle = {name: options_of(Spec)[name].default for name in knobs}
        return replace(spec, method=self.name, parameters=own, **{**idle, **self.fixed})

    def select(self, landscape: Landscape, spec: Spec) -> Selection:
        """Return what this method selects, exactly as many records as the spec asks for.

        The selection's spec is the applied one. A method that runs dry is filled up with the
        highest relative depth among the rest; `Selection.filled` counts these. UsageError for a
        parameter that it does not take, IlaError where the landscape lacks an input.
        """
        check_needs(self.name, self.needs, landscape)
        parameters = dict(spec.parameters)
        self.check(parameters)
        spec = self.applied(spec)
        landscape = landscape.by(spec.depth)
        spec = replace(spec, depth=cast(Any, landscape.kind))
        started = time.perf_counter()

        def choose(spec: Spec, locks: Locks) -> Selection:
            if self.by_spec:
                chosen = self.pick(landscape, spec, locks, **parameters)
            else:
                looks = "vectors" in self.needs or not self.home.startswith(BUILT_IN)
                chosen = fill(
                    self.name, self.pick, landscape, spec, locks, parameters, vectors=looks
                )
            return replace(chosen, locks=locks)

        selection = within(landscape, spec, choose)
        return replace(selection, seconds=time.perf_counter() - started)

    def check(self, parameters: Mapping[str, Any]) -> None:
        """UsageError for a parameter that the function does not take."""
        unknown = [repr(name) for name in parameters if name not in self.defaults]
        if unknown:
            raise UsageError(
                f"Method {self.name} takes no parameter {', '.join(unknown)}; "
                f"it takes {', '.join(self.defaults) or 'none'}."
            )


ASKED_OF_ALL = frozenset(("method", "budget", "depth", "only", "quotas"))
"""The knobs that a spec keeps whatever its method: to these all methods answer."""

PAPER = {"patches": "grid", "resolution": "auto", "depth": "loss", "depth_target": 1.0}
"""The algorithm of the ILA paper, as a spec says it."""


def _built_in(
    name: str, rule: str, source: str, needs: str, function: str, reads: str = "", **more: Any
) -> Method:
    home = f"{BUILT_IN}{function}"
    words = (tuple(needs.split()), home, frozenset(reads.split()))
    return Method(name, rule, source, *words, **{"prefix": True, **more})


_BUILT_IN = (
    _built_in("random", "uniform over the pool", "the baseline",
              "", "simple:random", "seed", compared=True, draws=5),
    _built_in("balanced", "an equal share of random records per domain", "stratified sampling",
              "", "simple:balanced", "seed", compared=True),
    _built_in("loss-top", "highest loss per token", "perplexity pruning, arXiv 2309.04564",
              "loss", "simple:loss_top", compared=True),
    _built_in("loss-mid", "from a third of the way down the descending loss",
              "perplexity pruning, arXiv 2309.04564", "loss", "simple:loss_mid"),
    _built_in("longest", "most response tokens", "arXiv 2402.04833",
              "tokens", "simple:longest", compared=True),
    _built_in("coverage-only", "a random record per patch of the automatic grid",
              "ILA without depth", "", "coverage_only:coverage_only", "seed map",
              compared=True, prefix=False, by_spec=True),
    _built_in("even-random", "a random record of each of as many even patches as picks",
              "even patches without depth", "", "coverage_only:even_random", "seed map",
              compared=True, prefix=False, by_spec=True),
    _built_in("depth-only", "highest relative depth anywhere", "ILA without coverage",
              "depth", "simple:depth_only", "depth", compared=True),
    _built_in("ila", "the record at the depth target of each patch", "arXiv 2509.06463, amended",
              "", "ila:ila", "patches resolution depth depth_target map",
              compared=True, prefix=False, by_spec=True),
    _built_in("nested", "the record at the depth target of each patch, from few patches to many",
              "progressive ILA", "", "nested:nested", "patches depth depth_target map",
              compared=True, by_spec=True),
    _built_in("paper", "the record of highest loss of each patch of the automatic grid",
              "arXiv 2509.06463 as published first", "loss", "ila:ila", "map",
              compared=True, prefix=False, by_spec=True, fixed=PAPER),
    _built_in("ifd", "highest loss ratio with to without the instruction, below 1",
              "Cherry_LLM, arXiv 2308.12032", "loss unconditional_loss", "simple:ifd"),
    _built_in("deita", "by score, unless too similar to what is accepted", "arXiv 2312.15685",
              "score vectors", "deita:deita", "depth", compared=True),
    _built_in("k-center", "always the record farthest from the chosen ones",
              "core-set, arXiv 1708.00489", "vectors", "k_center:k_center", "seed"),
    _built_in("k-means", "the deepest record of each of B clusters", "CaR, arXiv 2402.18191",
              "depth vectors", "k_means:k_means", "depth seed", prefix=False),
    _built_in("facility-location", "greedy on the sum of the similarity to the nearest pick",
              "lazy greedy, Minoux 1978", "vectors", "facility:facility_location", "seed"),
    _built_in("qdit", "greedy on facility-location gain and relative depth together",
              "arXiv 2311.14736", "depth vectors", "facility:qdit", "depth seed"),
    _built_in("semdedup", "what is left when near-duplicates of a cluster are dropped",
              "arXiv 2303.09540", "vectors", "semdedup:semdedup", "seed"),
)  # fmt: skip


@cache
def methods() -> Mapping[str, Method]:
    """Return every method by name: those shipped, then those that installed packages add."""
    known = {method.name: method for method in _BUILT_IN}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in known:
            raise IlaError(
                f"Package entry point {point.value!r} names its method {point.name!r}, which "
                "exists already; it needs another name."
            )
        package = point.dist.name if point.dist else point.module
        known[point.name] = Method(
            point.name, f"added by {package}", point.value, (), point.value, frozenset({"seed"})
        )
    return known


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
    rule = doc[0] if doc else name
    return Method(name, rule, home, (), home, frozenset({"seed"}), function=function)


def find(method: str | Pick) -> Method:
    """Return the method of that name, or wrap a function; UsageError lists the names."""
    if callable(method):
        return from_function(getattr(method, "__name__", "function"), method)
    if method not in methods():
        raise UsageError(f"Unknown method {method!r}; methods are {', '.join(names())}.")
    return methods()[method]
