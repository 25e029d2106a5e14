"""Where work is done: here, or by workers of a Ray cluster. What comes out is the same, in the same order.

An engine is given a recipe for a worker and things to be worked on. What it yields must not depend on who did it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from tacit.errors import TacitError, unknown

Worker = Callable[[Any], Any]  # one thing -> what becomes of it
Each = Callable[[Iterable[Any]], Iterator[Any]]  # things -> what becomes of each, in their order
AHEAD = 2  # things that each worker of a cluster has before it: one in work, one waiting
DEATHS = 8  # of one worker, after which the work is given up


class Engine(Protocol):
    """What work can be given to."""

    apart: ClassVar[bool]  # whether workers open what they need by its address: they share no memory with the caller

    def workers(self, make: Callable[[], Worker]) -> AbstractContextManager[Each]:
        """Workers, each made by `make`, for as long as the context lasts."""
        ...


@dataclass(frozen=True)
class Local:
    """One worker, which is the caller."""

    apart: ClassVar[bool] = False

    @contextmanager
    def workers(self, make: Callable[[], Worker]) -> Iterator[Each]:
        worker = make()
        yield lambda things: map(worker, things)


@dataclass(frozen=True)
class Ray:
    """Workers of the Ray cluster at RAY_ADDRESS, or of one that is started on this machine.

    Each machine has the same packages, and finds sources, runs and tables under the same paths. A worker that dies is made
    anew, and what it had in work is worked on again.

    count  workers; 0: one for each GPU of the cluster, or where it has none for each CPU
    """

    count: int = 0
    apart: ClassVar[bool] = True

    @contextmanager
    def workers(self, make: Callable[[], Worker]) -> Iterator[Each]:
        ray = _ray()
        if self.count < 0:
            raise TacitError(f"{self.count} workers were asked for; give 1 or more, or 0 for as many as there is room for.")
        own = not ray.is_initialized()
        if own:
            ray.init(log_to_driver=False, logging_level="error")
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0))
        count = self.count or gpus or max(int(there.get("CPU", 1)), 1)
        how = {"num_cpus": 1, "num_gpus": min(gpus / count, 1), "max_restarts": DEATHS, "max_task_retries": DEATHS}
        actor = ray.remote(_Made).options(scheduling_strategy="SPREAD", **how)
        made = [actor.remote(make) for _ in range(count)]
        try:
            yield lambda things: _in_order(ray, made, things)
        finally:
            for one in made:
                ray.kill(one)
            if own:
                ray.shutdown()


ENGINES = {"local": Local, "ray": Ray}


def engine_of(engine: "Engine | str") -> Engine:
    """An engine, or that of a name."""
    if not isinstance(engine, str):
        return engine
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    return ENGINES[engine]()


class _Made:
    """A worker in a process of its own, made there at the first thing: what it cannot open is then said as any error is."""

    def __init__(self, make: Callable[[], Worker]):
        self.make, self.worker = make, None

    def work(self, thing: Any) -> Any:
        self.worker = self.worker or self.make()  # type: ignore[assignment, func-returns-value]
        return self.worker(thing)  # type: ignore[misc]


def _in_order(ray: Any, made: list[Any], things: Iterable[Any]) -> Iterator[Any]:
    """Things go round the workers, as many as they may have before them at once; what becomes of each, in their order."""
    waiting: deque[Any] = deque()
    for number, thing in enumerate(things):
        if len(waiting) == AHEAD * len(made):
            yield _got(ray, waiting.popleft())
        waiting.append(made[number % len(made)].work.remote(thing))
    while waiting:
        yield _got(ray, waiting.popleft())


def _got(ray: Any, future: Any) -> Any:
    try:
        return ray.get(future)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, TacitError):
            raise TacitError(str(error.cause)) from None
        raise
    except ray.exceptions.RayActorError as error:
        raise TacitError(
            f"A worker of the Ray cluster died {DEATHS} times ({' '.join(str(error).split())[:120]}); what was written before "
            "is kept: see why it died (memory?), and start the same command again."
        ) from None


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise TacitError("--engine ray needs ray, which is not installed; pip install 'tacit[ray]'.") from None
    return ray
