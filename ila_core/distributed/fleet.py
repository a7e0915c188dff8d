"""Blocks of work on a Ray cluster: handed to actors as they come free, results back in order.

Ray's actors are used as they are. Ray Data, which stands on them, was tried first and gave the same
bytes; but it starts its actors anew for every stage, and helpers of its own for every build, which
on two cores took several times as long as these take to begin, and it would stream rows that are
read where they lie: a block here is two numbers.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, TypeVar

from ila_core.errors import IlaError, UsageError, first_line

B = TypeVar("B")
R = TypeVar("R")

RETRIES = 3
"""How often a block whose worker dies is made anew: one that kills every worker, for lack of
memory, say, must come to an end."""
SLOTS = 4
"""Fewest places for actors that a Ray of our own gets: two stages run side by side, each in two
actors."""
STORE = 2 << 30
"""Bytes of shared memory of a Ray of our own; the n-gram models of a large pool fill it once, and
what does not fit goes to the disk."""
HANDED = 2
"""Blocks that an actor has at a time: the next one is there when it has done one."""
AHEAD = 4
"""Blocks for each actor that may be done before their turn has come, and wait in memory."""


class Fleet:
    """A `blocks.Spread` over the actors of a Ray cluster.

    Use it in a `with` block. It joins the Ray that runs at `address`, "auto" for this machine's;
    without one, a Ray that this process has started, or starts one that ends with the block.
    UsageError where the library is not installed, or nobody answers at the address.

    Actors have a CPU each, and take half of the cluster's, because two stages run side by side; a
    model that runs on GPUs gets an actor for each of these. They are started with the first spread
    and serve all others, each with what was prepared last.
    """

    def __init__(self, address: str | None = None) -> None:
        self._given = address
        self._ours = False
        self._crew: list[Any] = []
        _ray()

    def __enter__(self) -> Fleet:
        ray = _ray()
        if ray.is_initialized():
            return self
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")  # or whatever else runs goes first
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if self._given is not None:
                ray.init(address=self._given, **quiet)
            else:
                slots = max(SLOTS, 2 * (os.cpu_count() or 1))
                ray.init(
                    address="local", num_cpus=slots, object_store_memory=STORE,
                    include_dashboard=False, **quiet,
                )  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = f" at {self._given}" if self._given else ""
            raise UsageError(
                f"Ray{where} did not answer ({first_line(error)}); start it with ray start --head "
                "and name its address, or leave --ray-address out."
            ) from error
        self._ours = True
        return self

    def __exit__(self, *_: object) -> None:
        self._dismiss(self._crew)
        if self._ours:
            _ray().shutdown()
            self._ours = False

    @property
    def address(self) -> str:
        """Where another process joins the same cluster."""
        return _ray().get_runtime_context().gcs_address

    def __call__(
        self,
        prepare: Callable[[], Callable[[B], R]],
        blocks: Iterable[B],
        *,
        device: bool = False,
    ) -> Iterator[R]:
        """Yield the result of every block, in their order: see `blocks.Spread`."""
        if isinstance(blocks, Sized) and not len(blocks):
            return
        prepared = [_ray().put(prepare)]  # in a list, or it would be sent with every block
        crew, gpus = self._called(len(blocks) if isinstance(blocks, Sized) else None, device)
        try:
            for outcome in _in_order(crew, prepared, iter(blocks)):
                if isinstance(outcome, _Failure):
                    raise outcome.error
                yield outcome
        except _ray().exceptions.RayError as error:
            raise IlaError(
                f"Ray gave a block of work up after {RETRIES + 1} tries ({first_line(error)}), "
                "most often for lack of memory; what is finished is kept: run the same command "
                "again."
            ) from error
        finally:
            if gpus:  # they are left to others
                self._dismiss(crew)

    def _called(self, blocks: int | None, device: bool) -> tuple[list[Any], int]:
        """The actors that do so many blocks, or nobody knows how many; how many have a GPU."""
        resources = _ray().cluster_resources()
        if device and (gpus := int(resources.get("GPU", 0))):
            return [_actor(num_gpus=1) for _ in range(min(blocks or gpus, gpus))], gpus
        most = max(1, int(resources.get("CPU", 1)) // 2)
        size = min(blocks or most, most)
        self._crew += [_actor() for _ in range(size - len(self._crew))]
        return self._crew[:size], 0

    def _dismiss(self, crew: Sequence[Any]) -> None:
        for actor in list(crew):
            _ray().kill(actor)
            if actor in self._crew:
                self._crew.remove(actor)


def _in_order(crew: Sequence[Any], prepared: list[Any], blocks: Iterator[Any]) -> Iterator[Any]:
    """Yield what the actors make of the blocks; one that has not started yet is not waited for."""
    ray = _ray()
    starting = {actor.ready.remote(): actor for actor in crew}
    load: dict[Any, int] = {}
    busy: dict[Any, Any] = {}
    results: deque[Any] = deque()
    more = True
    while more or results:
        while more and len(results) < AHEAD * len(crew):
            actor = min(load, key=lambda one: load[one], default=None)
            if actor is None or load[actor] == HANDED:
                break
            try:
                block = next(blocks)
            except StopIteration:
                more = False
                break
            results.append(actor.make.remote(prepared, block))
            busy[results[-1]] = actor
            load[actor] += 1
        if results and results[0] not in busy:
            yield ray.get(results.popleft())
        elif starting or busy:
            for told in ray.wait([*starting, *busy])[0]:
                if told in starting:
                    ray.get(told)
                    load[starting.pop(told)] = 0
                else:
                    load[busy.pop(told)] -= 1


def _actor(**resources: int) -> Any:
    """An actor that is started again wherever and as often as it dies."""
    options = {"max_restarts": -1, "max_task_retries": RETRIES, "scheduling_strategy": "SPREAD"}
    return _ray().remote(_Worker).options(num_cpus=1, **options, **resources).remote(os.getcwd())


class _Failure:
    """What a worker raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class _Worker:
    """An actor: what a stage has prepared, ready for blocks."""

    def __init__(self, folder: str) -> None:
        if os.path.isdir(folder):  # relative names of models and pools mean what they did
            os.chdir(folder)
        self._prepared: Any = None
        self._work: Callable[[Any], Any] | None = None

    def ready(self) -> None:
        """Answer, once it is there."""

    def make(self, prepared: list[Any], block: Any) -> Any:
        """The result of a block, by what was prepared."""
        try:
            if self._work is None or self._prepared != prepared[0]:
                self._work = None  # the memory of the one before it goes first
                self._work, self._prepared = _ray().get(prepared[0])(), prepared[0]
            return self._work(block)
        except Exception as error:  # told where it is awaited, and not tried again
            return _Failure(error if isinstance(error, IlaError) else _told(error))


def _told(error: Exception) -> IlaError:
    return IlaError(f"A worker failed ({type(error).__name__}: {first_line(error)}).")


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "--engine ray needs the library ray, which is not installed: "
            'pip install "ila-landscape[ray]", or leave --engine out.'
        ) from error
    return ray
