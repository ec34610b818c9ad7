"""Several ways to do the same, measured side by side: in turns, in one process, for several rounds."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Way:
    """One of them. `run` does `times` of it; `prepare` makes that possible, and isn't measured."""

    name: str
    run: Callable[[int], None]
    times: int
    prepare: Callable[[int], None] = lambda times: None
    # CPU seconds that were used so far, by whoever does it.
    cpu: Callable[[], float] = lambda: own_cpu()


@dataclass(frozen=True)
class Cost:
    """Of one time, in microseconds."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Measured:
    """Each way's cost in every round, in order."""

    rounds: Mapping[str, Sequence[Cost]]

    def typical(self, name: str) -> Cost:
        costs = self.rounds[name]
        return Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs))

    def ratio(self, name: str, base: str) -> Cost:
        """How many times `base`'s cost it has: the median over the rounds, in each of which both took part."""
        pairs = list(zip(self.rounds[name], self.rounds[base], strict=True))
        return Cost(
            median(one.cpu / other.cpu for one, other in pairs), median(one.wall / other.wall for one, other in pairs)
        )


def own_cpu() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_of(pid: int) -> float:
    """CPU seconds of another process, of its threads that are alive (Linux)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def side_by_side(ways: Sequence[Way], *, rounds: int, warm_up: int) -> Measured:
    """All of them in every round, beginning with another each time; before that `warm_up` times each, unmeasured."""
    for way in ways:
        way.prepare(warm_up)
        way.run(warm_up)
    costs: dict[str, list[Cost]] = {way.name: [] for way in ways}
    for number in range(rounds):
        start = number % len(ways)
        for way in (*ways[start:], *ways[:start]):
            costs[way.name].append(_measured(way))
    return Measured(costs)


def _measured(way: Way) -> Cost:
    way.prepare(way.times)
    cpu, wall = way.cpu(), time.perf_counter()
    way.run(way.times)
    wall = time.perf_counter() - wall
    cpu = way.cpu() - cpu
    return Cost(max(cpu, 1e-9) / way.times * 1e6, wall / way.times * 1e6)
