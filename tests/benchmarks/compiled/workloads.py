"""What a row on compiled functions is made of: sides that are prepared, checked against the eager engine, and timed in turn.

A side prepares once (compiles, records, allocates) and gives a call without arguments; one call is what is timed. Every call of
a row gives the same arrays in the same order, so all sides are compared number by number before anything is timed: on a few
points with the eager engine, on all points with each other. A side whose package is absent is left out with a note.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.measure import OURS, DisagreementError, Goal, Phases, Result, Settings, in_turn

JAX, NUMBA, TORCH, CASADI, CASADI_COMPILED, DDX, HIPS = (
    "JAX",
    "numba",
    "PyTorch",
    "CasADi",
    "CasADi, compiled",
    "ddx-ad",
    "autograd",
)
LARGEST_DIFFERENCE = 1e-9  # relative to the largest number of an array; vector functions of both sides err by a few ulp
SHORT = 0.02
COMPILER = ("llvmlite", "autograd_lite.compiler.kernel")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp-simd", "-fPIC")
COMPILERS = {".c": "gcc", ".cpp": "g++"}

Call = Callable[[], Any]


@dataclass(frozen=True)
class Side:
    """How a side prepares its call, the modules or commands it needs, and how many of the row's arrays it gives.

    `part` is below the number of arrays for a side that does less: a function without its derivatives. `arrays` makes the
    row's arrays of what the call gives, where that is something else; its time is not the call's.
    """

    prepare: Callable[[], Call]
    needs: tuple[str, ...] = ()
    part: int | None = None
    arrays: Callable[[Any], Sequence[Any]] = list

    def missing(self) -> list[str]:
        """What of its needs is not here."""
        return [need for need in self.needs if importlib.util.find_spec(need) is None and shutil.which(need) is None]


@dataclass(frozen=True)
class Workload:
    """A row's problem.

    `ours` is the compiled function. `expected` gives the arrays on the points of `sample` by the eager engine; `sample`
    indexes the last axis of every array of a result, None compares them whole. Where a result is a sum over so many points that
    the eager engine takes long, `small` is the same problem on fewer, on which all sides are compared with the eager engine
    first, and `expected` is not asked. `scale` turns seconds into `unit`.
    """

    row: str
    title: str
    unit: str
    scale: float
    ours: Side
    peers: Mapping[str, Side]
    expected: Callable[[], Sequence[Any]]
    sample: Sequence[int] | None = None
    small: Workload | None = None
    tolerance: float = LARGEST_DIFFERENCE
    goals: Mapping[str, float] = field(default_factory=dict)
    setup_goals: Mapping[str, float] = field(default_factory=dict)


def run_workload(workload: Workload, settings: Settings) -> Result:
    """Prepare all sides, compare their numbers, time their calls; raises DisagreementError instead of timing wrong numbers."""
    result = Result(workload.row, workload.title, workload.unit, settings.repetitions)
    sides = _sides(workload, result.notes)
    if not sides:
        return result
    differences = []
    if workload.small is not None:
        small = {name: (side.arrays(side.prepare()()), side.part) for name, side in _sides(workload.small, []).items()}
        differences.append(check(workload.small, small))
    calls, setup = {}, {}
    for name, side in sides.items():
        start = perf_counter()
        calls[name] = side.prepare()
        calls[name]()
        setup[name] = perf_counter() - start
    differences.append(check(workload, {name: (sides[name].arrays(call()), sides[name].part) for name, call in calls.items()}))
    result.figures["largest_difference"] = max(differences)
    timed = {name: functools.partial(_timed, call) for name, call in calls.items()}
    result.times = in_turn(timed, settings.repetitions, workload.scale)
    result.first_result = {name: 1e3 * seconds for name, seconds in setup.items()}
    if OURS in sides:
        for name, limit in workload.goals.items():
            result.aim(name, limit)
        for name, limit in workload.setup_goals.items():
            if name in setup:
                result.goals.append(Goal(f"setup of {name} over ours", limit, setup[name] / setup[OURS]))
    return result


def _sides(workload: Workload, notes: list[str]) -> dict[str, Side]:
    """Ours and the peers that are here, their packages imported: that is not part of their setup."""
    return present({OURS: replace(workload.ours, needs=COMPILER), **workload.peers}, notes)


def present(sides: Mapping[str, Side], notes: list[str]) -> dict[str, Side]:
    """Those whose packages are here, and are imported now. Notes on the others."""
    sides = dict(sides)
    for name, side in list(sides.items()):
        if absent := side.missing():
            notes.append(f"{', '.join(absent)} is not installed: the side {name} was left out")
            del sides[name]
            continue
        for need in side.needs:
            if shutil.which(need) is None:
                importlib.import_module(need)
    return sides


def check(workload: Workload, results: Mapping[str, tuple[Sequence[Any], int | None]]) -> float:
    """The largest difference of any side's numbers from the eager engine's and from the first side's, relative to its array.

    Raises DisagreementError if it is above the workload's tolerance, or no number.
    """
    expected = [np.asarray(x, dtype=float) for x in workload.expected()] if workload.small is None else []
    first: list[Any] = []
    largest = 0.0
    for name, (arrays, part) in results.items():
        found = [np.asarray(x, dtype=float) for x in arrays]
        wanted = expected[:part]
        sampled = found if workload.sample is None else [x[..., list(workload.sample)] for x in found]
        pairs = [("the eager engine", k, *pair) for k, pair in enumerate(zip(wanted, sampled, strict=bool(expected)))]
        pairs += [("the first side", k, *pair) for k, pair in enumerate(zip(first, found, strict=False))]
        for against, k, a, b in pairs:
            largest = max(largest, _difference(f"{workload.title}: {name} and {against}, array {k}", a, b, workload.tolerance))
        if len(found) > len(first):
            first = found
    return largest


def _difference(what: str, a: Any, b: Any, limit: float) -> float:
    if a.shape != b.shape:
        raise DisagreementError(f"{what}: shapes {a.shape} and {b.shape}")
    difference = float(np.max(np.abs(a - b)) / (np.max(np.abs(a)) or 1.0))
    if not difference <= limit:
        raise DisagreementError(f"{what}: the sides differ by {difference:.1e} of the largest number, above {limit:.0e}")
    return difference


def _timed(call: Call) -> Phases:
    """The seconds of a call; of a short one the mean of as many as take `SHORT` seconds, for the first finds cold caches."""
    start = perf_counter()
    count = 0
    while (total := perf_counter() - start) < SHORT or count == 0:
        call()
        count += 1
    return {"total": total / count}


@functools.cache
def built(source: str, *, flags: tuple[str, ...] = FLAGS) -> ctypes.CDLL:
    """A hand-written peer's library: the file of that name beside this one, compiled into a temporary folder and loaded."""
    path = Path(__file__).with_name(source)
    with tempfile.TemporaryDirectory() as folder:
        library, objects, compiler = Path(folder) / f"{path.stem}.so", Path(folder) / f"{path.stem}.o", COMPILERS[path.suffix]
        subprocess.run([compiler, *flags, "-c", str(path), "-o", str(objects)], check=True)
        # Linked without -ffast-math: with it the library, once loaded, makes the whole process flush subnormal numbers to 0.
        subprocess.run([compiler, "-shared", str(objects), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))  # stays loaded when its file is gone


def addresses(*arrays: Any) -> list[ctypes.c_void_p]:
    """Arrays of doubles as a function in C wants them."""
    for x in arrays:
        if x.dtype != np.float64 or not x.flags.c_contiguous:
            raise TypeError(f"an array of doubles without gaps is wanted, not {x.dtype} with strides {x.strides}")
    return [ctypes.c_void_p(x.ctypes.data) for x in arrays]


def jax_on_one_core() -> ModuleType:
    """JAX in double precision and one thread."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def torch_on_one_core() -> ModuleType:
    """PyTorch in one thread."""
    import torch

    torch.set_num_threads(1)
    return torch
