"""How long things take: many at once, in rounds that take turns, told as medians and tails."""

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

MILLI = 1000.0
Work = Callable[[], None]


@dataclass(slots=True)
class Series:
    """One thing that is measured: seconds of each go, by round."""

    name: str
    rounds: list[list[float]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  # seconds of each round from start to end

    def percentile(self, percent: float) -> float:
        """Return the median over the rounds of this percentile, in milliseconds."""
        return statistics.median(_percentile(goes, percent) for goes in self.rounds) * MILLI

    def rate(self) -> float:
        """Return how many a second, the median over the rounds."""
        pairs = zip(self.rounds, self.took, strict=True)
        return statistics.median(len(goes) / took for goes, took in pairs)

    def line(self) -> str:
        """Return it as a row of a table."""
        told = " ".join(f"{self.percentile(p):8.1f}" for p in (50, 95, 99))
        return f"  {self.name:<44} {told} {self.rate():9.1f}"


HEAD = f"  {'':<44} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'per s':>9}"


def at_once(work: Iterable[Work], parallel: int) -> tuple[list[float], float]:
    """Do all of it, `parallel` at a time; return the seconds of each, and of the whole.

    What one of them raises is raised here, when all have ended.
    """
    waiting: SimpleQueue[Work] = SimpleQueue()
    for one in work:
        waiting.put(one)
    goes: list[float] = []
    errors: list[Exception] = []

    def run() -> None:
        while not errors:
            try:
                one = waiting.get_nowait()
            except Empty:
                return
            began = time.perf_counter()
            try:
                one()
            except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
                errors.append(error)
            goes.append(time.perf_counter() - began)

    threads = [threading.Thread(target=run) for _ in range(parallel)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return goes, time.perf_counter() - began


def take(series: Series, work: Iterable[Work], parallel: int) -> None:
    """Measure one round of a series."""
    goes, took = at_once(work, parallel)
    series.rounds.append(goes)
    series.took.append(took)


def _percentile(goes: Sequence[float], percent: float) -> float:
    ordered = sorted(goes)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
