"""What every row is measured with: phases timed in turn, the memory of a graph, the numbers' agreement, the machine.

How a phase is timed. *record* runs the program, *sweep* is `backward()`, *free* drops the result. The cyclic collector stays
as the interpreter starts it, for all sides. A peer whose graph is cyclic garbage is freed by `gc.collect()` after `del`, less
the time that a second `gc.collect()` takes, which finds nothing to free: the peer pays for its own garbage alone.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.peers import Engine

OURS = "autograd_lite"
MICROGRAD, XAD, PURE, LOCAL_GRADIENTS = "micrograd", "xad", "pure", "local gradients"
LARGEST_DIFFERENCE = 1e-12  # relative to the largest number compared; sides add in different orders and divide differently


class DisagreementError(ArithmeticError):
    """The sides of a row do not compute the same numbers, so their times say nothing."""


@dataclass(frozen=True)
class Settings:
    """How much a run measures."""

    operations: int = 10_000
    repetitions: int = 15
    steps: int = 100
    largest: int = 1_000_000
    largest_of_peer: int = 100_000
    all_problems: bool = True  # of a row of compiled functions, or the first alone


QUICK = Settings(repetitions=7, steps=3, largest=100_000, largest_of_peer=10_000, all_problems=False)


@dataclass(frozen=True)
class Goal:
    """What a figure should reach: at least, or at most, the limit."""

    figure: str
    limit: float
    reached: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.reached >= self.limit if self.at_least else self.reached <= self.limit


@dataclass
class Result:
    """One row of the report: times by side and phase in `unit`, each peer's time over ours by phase, other figures, goals.

    `first_result` has the milliseconds that a side took to prepare and to give its first result, where that is told.
    """

    row: str
    title: str
    unit: str = ""
    repetitions: int = 0
    times: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first_result: dict[str, float] = field(default_factory=dict)

    def ratios(self, peer: str) -> dict[str, float]:
        """The peer's median over ours, by phase: above 1 is good. Empty where the peer was not measured."""
        ours, theirs = self.times.get(OURS, {}), self.times.get(peer, {})
        return {phase: theirs[phase]["median"] / ours[phase]["median"] for phase in ours if phase in theirs}

    def aim(self, peer: str, limit: float, phase: str = "total") -> None:
        """Add the goal that the peer takes so many times as long as ours, if the peer was measured."""
        if peer in self.times:
            self.goals.append(Goal(f"{phase} of {peer} over ours", limit, self.ratios(peer)[phase]))

    def as_json(self) -> dict[str, Any]:
        """The same, as JSON has it: `ratios` are micrograd's, `ratios_by_peer` are everyone's."""
        goals = [{**vars(goal), "met": goal.met} for goal in self.goals]
        by_peer = {peer: self.ratios(peer) for peer in self.times if peer != OURS}
        return {**vars(self), "ratios": self.ratios(MICROGRAD), "ratios_by_peer": by_peer, "goals": goals}


Phases = dict[str, float]


def in_turn(
    sides: Mapping[str, Callable[[], Phases]], repetitions: int, scale: float, warm_up: bool = True
) -> dict[str, dict[str, dict[str, float]]]:
    """Median and minimum of each phase of each side, in seconds times `scale`.

    The sides take turns, one repetition each, and in every round another one is first, so that none is always the one that
    finds the caches as the collector leaves them. A first round is left out unless `warm_up` is false.
    """
    rounds: list[dict[str, Phases]] = []
    order = list(sides)
    for _ in range(repetitions + warm_up):
        gc.collect()
        rounds.append({name: sides[name]() for name in order})
        order.append(order.pop(0))
    del rounds[: int(warm_up)]
    times: dict[str, dict[str, dict[str, float]]] = {}
    for name in sides:
        runs = [phases[name] for phases in rounds]
        times[name] = {
            phase: {
                "median": scale * statistics.median([run[phase] for run in runs]),
                "minimum": scale * min([run[phase] for run in runs]),
            }
            for phase in runs[0]
        }
    return times


def record_sweep_free(engine: Engine, numbers: Iterable[float], record: Callable[[list[Any]], Any]) -> Phases:
    """The seconds that one graph takes from its first operation until its memory is returned; its leaves are there before."""
    leaves = engine.leaves(numbers)
    start = perf_counter()
    result = record(leaves)
    recorded = perf_counter()
    engine.sweep(result)
    swept = perf_counter()
    del result
    engine.clear()
    return _phases({"record": recorded - start, "sweep": swept - recorded, "free": _seconds_to_free(swept, engine.cyclic)})


def training_step(
    loss: Callable[[], Any], sweep: Callable[[Any], None], update: Callable[[], None], cyclic: bool
) -> tuple[Phases, float]:
    """The seconds that one step of training takes by phase, and its loss."""
    start = perf_counter()
    result = loss()
    recorded = perf_counter()
    sweep(result)
    swept = perf_counter()
    update()
    updated = perf_counter()
    number = result.data
    before = perf_counter()
    del result
    free = _seconds_to_free(before, cyclic)
    phases = {"record": recorded - start, "sweep": swept - recorded, "update": updated - swept, "free": free}
    return _phases(phases), number


def _phases(seconds: Phases) -> Phases:
    """With the sums that are reported too."""
    return {**seconds, "first gradient": seconds["record"] + seconds["sweep"], "total": sum(seconds.values())}


def _seconds_to_free(start: float, cyclic: bool) -> float:
    """The seconds since `start`, when the last reference to a graph was about to be dropped, until it is freed."""
    if not cyclic:
        return perf_counter() - start
    gc.collect()
    freed = perf_counter()
    gc.collect()
    idle = perf_counter() - freed
    return max(0.0, freed - start - idle)


def require_agreement(what: str, ours: Iterable[float], theirs: Iterable[float], limit: float = LARGEST_DIFFERENCE) -> float:
    """The largest difference between two lists of numbers, relative to the largest number.

    Raises DisagreementError if it is above the limit, or no number.
    """
    ours, theirs = list(ours), list(theirs)
    scale = max([abs(x) for x in ours]) or 1.0
    difference = max([abs(x - y) for x, y in zip(ours, theirs, strict=True)]) / scale
    if not difference <= limit:
        raise DisagreementError(f"{what}: the sides differ by {difference:.1e} of the largest number, above {limit:.0e}")
    return difference


def traced_bytes(record: Callable[[], Any]) -> int:
    """The bytes that `tracemalloc` counts in what `record` returns."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = record()
        after = tracemalloc.get_traced_memory()[0]
        del result
    finally:
        tracemalloc.stop()
    return after - before


def resident_bytes() -> int | None:
    """The resident set of this process; None where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def output_of(script: Path, *arguments: str) -> str:
    """What a script prints in a fresh interpreter with this one's path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.run([sys.executable, str(script), *arguments], env=environment, capture_output=True, text=True, check=True)
    return run.stdout


def pin_to_one_core() -> int | None:
    """Keep this process on the last core it may use, and say which; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def machine(core: int | None) -> dict[str, Any]:
    """What the times depend on besides the programs."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "cpu": _cpu_model(),
        "system": platform.platform(),
        "pinned_to_core": core,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,  # above the cores there are, times are noise
        "collector_thresholds": list(gc.get_threshold()),
    }


def version_of(distribution: str) -> str | None:
    """The installed version; None if there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
