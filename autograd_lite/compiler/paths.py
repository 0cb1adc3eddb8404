"""Paths through a function as machine code, run at single points and on batches."""

from __future__ import annotations

import ctypes
import functools
import itertools
import operator
import time
import weakref
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeAlias

import numpy as np

from autograd_lite.compiler import llvm, lowering
from autograd_lite.compiler.batches import Points, Results, placed
from autograd_lite.compiler.lowering import Mode
from autograd_lite.compiler.memory import empty
from autograd_lite.compiler.record import Trace

_QUICK = 300  # a program of more instructions is worth making quickly first
BLOCKS = 64  # parts that sums are made in, at most
SMALL = 4096  # batches of fewer points are not worth a thread
OFF_PATH, IN_DOUBT = 1, 2  # flags of a kernel's result
_numbers = itertools.count()
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)


class Path:
    """One way through a function, and its machine code for each kind of call."""

    def __init__(self, trace: Trace, exact: bool, changed: Callable[[], object] = lambda: None) -> None:
        self.trace = trace
        self.number = next(_numbers)  # in the order of recording
        self.exact = exact
        self.changed = changed  # called when there is other machine code
        self.seconds = 0.0  # spent on making machine code
        constants = trace.program.constants
        self.template = array("d", [constants[-1 - place] if place < 0 else 0.0 for place in trace.program.outputs])
        self.variable = [i for i, place in enumerate(trace.program.outputs) if place >= 0]
        self._constant = [i for i, place in enumerate(trace.program.outputs) if place < 0]
        self.placed = placed(trace.result)
        self._code: dict[_Key, Machine] = {}
        self._all_code: list[Machine] = []

    def at(self, numbers: array[float], mode: Mode | None = None) -> tuple[array[float], bool]:
        """The outputs at one point, and whether it is on this path; by `mode` "exact" as the engine has them."""
        trace = self.trace
        if trace.captured:
            numbers = array("d", [*numbers, *[x._number for x in trace.captured]])
        outputs = array("d", self.template)
        held = array("b", b"\1")
        places = numbers.buffer_info()[0], None, outputs.buffer_info()[0], held.buffer_info()[0]
        flags = self.function(mode or self.mode, 1, self.one_point)(*places, 0, 1)
        llvm.raise_error()
        if flags & IN_DOUBT:
            self.function("careful", 1, self.one_point)(*places, 0, 1)
            llvm.raise_error()
        return outputs, held[0] != 0

    def outputs(self, numbers: array[float]) -> array[float]:
        """The outputs at a point that is on this path by the engine's numbers: by those of fast code it may be off it."""
        outputs, is_on_path = self.at(numbers)
        return outputs if is_on_path else self.at(numbers, "exact")[0]

    @property
    def mode(self) -> Mode:
        """The code that points are computed by at first."""
        return "exact" if self.exact else "fast"

    @property
    def width(self) -> int:
        """How many points of a batch are computed together."""
        return 1 if self.exact else llvm.machine().width

    def fill(self, results: Results, points: Points, chosen: Any, threads: int) -> Any:
        """Fill in the results at the chosen points (None: all); gives the indices of those not on this path."""
        if chosen is None:
            is_on_path = self.run(results, points, threads)
            return np.empty(0, dtype=np.intp) if is_on_path is None else np.flatnonzero(~is_on_path)
        some = points.only(chosen)
        found = Results(self.placed, some.count)
        is_on_path = self.run(found, some, threads)
        if is_on_path is None:
            results.put(chosen, found)
            return chosen[:0]
        results.put(chosen[is_on_path], found, is_on_path)
        return chosen[~is_on_path]

    def run(self, results: Results, points: Points, threads: int) -> Any:
        """Fill in the results at all points; gives an array of truths, which are on this path, or None: all."""
        held, flags = self._run(self.mode, results, points, threads)
        if flags & IN_DOUBT:
            doubtful = np.flatnonzero(held == 2)
            again = Results(self.placed, len(doubtful))
            decided, more = self._run("careful", again, points.only(doubtful), threads)
            results.put(doubtful, again)
            held[doubtful] = decided
            flags |= more
        if self._constant:
            numbers = results.numbers
            for i in self._constant:
                numbers[i][...] = self.template[i]
        return held.astype(np.bool_) if flags & OFF_PATH else None

    def _on(self, points: Points, mode: Mode, reduce: bool = False) -> tuple[int, Callable[[Any, Any, Any, int, int], int]]:
        """How many points are computed together, and what runs the machine code on some: on so many at least.

        That takes the addresses of the points' arrays and of the outputs' (or where to add the outputs), the points' bytes, and
        the first point and the one behind the last. It gives the kernel's flags.
        """
        width = self.width
        shared = array("d", [*points.shared, *[x._number for x in self.trace.captured]])
        function = self.function(mode, width, (*points.batched, *[0] * len(self.trace.captured)), reduce)

        def run(inputs: Any, outputs: Any, held: Any, first: int, last: int) -> int:
            flags = function(shared.buffer_info()[0], _pointer(inputs), _pointer(outputs), _pointer(held), first, last)
            llvm.raise_error()
            return flags

        return width, run

    def _run(self, mode: Mode, results: Results, points: Points, threads: int) -> tuple[Any, int]:
        """The same by one mode's code: gives the bytes of the points, and the kernel's flags."""
        width, run = self._on(points, mode)
        held = _ones(max(points.count, width))
        if points.count < width:
            columns, found = points.filled(width), Results(self.placed, width)
            flags = run(_addresses(columns), _addresses(found.arrays), held, 0, width)
            results.put(slice(None), found, slice(points.count))
            return held[: points.count], flags
        inputs, outputs = _addresses(points.columns), _addresses(results.arrays)
        parts = _bounds(points.count, width, threads if points.count >= SMALL else 1)
        return held, _in_threads(lambda first, last: run(inputs, outputs, held, first, last), parts, threads)

    @np.errstate(all="ignore")
    def sums(self, points: Points, threads: int) -> tuple[Any, Any]:
        """The sums of the outputs over points, and the indices of points that are not in them.

        Sums are made in `BLOCKS` parts at most, whatever the number of threads; in each a lane adds in the points' order. Then
        lanes are added two by two, and the parts one after the other: `sums.h` does the same.
        """
        width, run = self._on(points, self.mode, reduce=True)
        count = points.count
        held = _ones(max(count, width))
        if count < width:
            columns, blocks = points.filled(width), np.zeros((1, len(self.variable), width))
            flags = run(_addresses(columns), blocks, held, 0, width)
            blocks[:, :, count:] = 0.0
            held = held[:count]
        else:
            inputs, parts = _addresses(points.columns), _bounds(count, width, max(1, min(BLOCKS, count // width // 16)))
            blocks = np.zeros((len(parts), len(self.variable), width))
            flags = _in_threads(
                lambda i, first, last: run(inputs, blocks[i], held, first, last),
                [(i, *part) for i, part in enumerate(parts)],
                threads if count >= SMALL else 1,
            )
        while blocks.shape[2] > 1:
            blocks = blocks[:, :, 0::2] + blocks[:, :, 1::2]
        sums = functools.reduce(operator.add, blocks[:, :, 0])
        outside = np.flatnonzero(held != 1) if flags else np.arange(0)
        if not self._constant:
            return sums, outside
        inside = points.count - len(outside)
        every = np.array(self.template) * inside if inside else np.zeros(len(self.template))  # inf * 0 is nan
        every[self.variable] = sums
        return every, outside

    @functools.cached_property
    def one_point(self) -> tuple[int, ...]:
        """That no input is batched."""
        return (0,) * self.trace.program.inputs

    def function(self, mode: Mode, width: int, batched: tuple[int, ...], reduce: bool = False) -> Callable[..., int]:
        """The machine code for points in groups of `width`, of which these inputs have their own numbers."""
        return self.machine(mode, width, batched, reduce).call

    def machine(self, mode: Mode, width: int, batched: tuple[int, ...], reduce: bool = False) -> Machine:
        """The same with what it lives in.

        Long programs are made quickly first. From the second call on the code that runs faster is made beside the program's
        work, and takes its place: with the same bits.
        """
        key = mode, width, batched, reduce
        found = self._code.get(key)
        if found is None:
            found = self._made(key, quick=len(self.trace.program.instructions) > _QUICK)
        elif found.is_quick:
            found.is_quick = False
            if len(self.trace.program.instructions) <= lowering.WHOLE:
                with suppress(RuntimeError):  # the process is ending: no thread starts
                    Thread(target=_improve, args=(weakref.ref(self), key), daemon=True).start()
        return found

    def made(self, mode: Mode, width: int, batched: tuple[int, ...]) -> Machine | None:
        """The same if it has been made."""
        return self._code.get((mode, width, batched, False))

    def _made(self, key: _Key, quick: bool) -> Machine:
        mode, width, batched, reduce = key
        start = time.perf_counter()
        code = llvm.compiled(
            self.trace.program, mode=mode, width=width, batched=batched, placed=self.placed, reduce=reduce, quick=quick
        )
        found = Machine(_PROTOTYPE(code.address), code, quick)
        self._all_code.append(found)  # calls of what is replaced may be under way
        self._code[key] = found
        self.changed()
        self.seconds += time.perf_counter() - start
        return found


@dataclass
class Machine:
    """Machine code, which lives as long as `code`."""

    call: Callable[..., int]
    code: llvm.Code
    is_quick: bool


_Key: TypeAlias = tuple[Mode, int, tuple[int, ...], bool]


def _improve(reference: weakref.ref[Path], key: _Key) -> None:
    """Make the code that runs faster, if the path is still there."""
    path = reference()
    if path is not None:
        path._made(key, quick=False)
    with llvm.turn():  # perhaps the path has been let go of meanwhile, and its machine code goes with it here
        del path


def _bounds(count: int, width: int, parts: int) -> list[tuple[int, int]]:
    """Points in so many parts of about one length, of whole groups but for the last: the first of each, and the one behind."""
    bounds = [count // width * i // parts * width for i in range(parts)]
    return list(itertools.pairwise([*bounds, count]))


def _in_threads(work: Callable[..., int], arguments: Sequence[tuple[int, ...]], threads: int) -> int:
    """Do the work for all arguments, so many at once; gives the flags of all."""
    if threads == 1 or len(arguments) == 1:
        return functools.reduce(operator.or_, [work(*given) for given in arguments], 0)
    with ThreadPoolExecutor(threads) as pool:
        return functools.reduce(operator.or_, pool.map(lambda given: work(*given), arguments), 0)


def _ones(count: int) -> Any:
    """So many bytes of 1, in memory that is kept for them."""
    bytes_ = empty((-(-count // 8),)).view(np.uint8)[:count]
    bytes_.fill(1)
    return bytes_


def _pointer(x: Any) -> int | None:
    return None if x is None or not x.size else x.__array_interface__["data"][0]


def _addresses(arrays: Sequence[Any]) -> Any:
    return np.array([_pointer(x) or 0 for x in arrays], dtype=np.uint64)
