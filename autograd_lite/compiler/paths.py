"""Paths through a function as machine code, run at single points and on batches."""

from __future__ import annotations

import ctypes
import functools
import operator
import time
from array import array
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd_lite.compiler import llvm
from autograd_lite.compiler.lowering import Mode
from autograd_lite.compiler.record import Trace

_SMALL = 4096  # batches of fewer points are not worth a thread
_LARGE = 1 << 21  # numbers in an array that memory is mapped for anew, page by page
OFF_PATH, IN_DOUBT = 1, 2  # flags of a kernel's result
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)


class Points:
    """The points of a batch: the numbers they share, and a contiguous array for each of the others."""

    def __init__(self, shared: list[float], columns: list[Any], batched: tuple[bool, ...]) -> None:
        self.shared, self.columns, self.batched = shared, columns, batched
        self.count = len(columns[0])

    def at(self, index: int) -> list[float]:
        """The numbers of one point."""
        shared, columns = iter(self.shared), iter(self.columns)
        return [float(next(columns)[index]) if is_batched else next(shared) for is_batched in self.batched]

    def only(self, indices: Any) -> Points:
        """Some of the points."""
        return Points(self.shared, [column[indices] for column in self.columns], self.batched)

    def part(self, start: int, stop: int) -> Points:
        """Points in a row."""
        if start == 0 and stop >= self.count:
            return self
        return Points(self.shared, [column[start:stop] for column in self.columns], self.batched)


class Path:
    """One way through a function, and its machine code for each kind of call."""

    def __init__(self, trace: Trace, exact: bool) -> None:
        self.trace = trace
        self.exact = exact
        self.seconds = 0.0  # spent on making machine code
        self._code: dict[tuple[Mode, int, tuple[bool, ...]], tuple[Any, llvm.Code]] = {}

    def at(self, numbers: array[float]) -> tuple[array[float], bool]:
        """The outputs at one point, and whether it is on this path."""
        trace = self.trace
        if trace.captured:
            numbers = array("d", [*numbers, *[x._data for x in trace.captured]])
        outputs, held = array("d", bytes(8 * len(trace.program.outputs))), array("b", b"\1")
        address, length = outputs.buffer_info()
        addresses = array("Q", range(address, address + 8 * length, 8))
        places = numbers.buffer_info()[0], None, addresses.buffer_info()[0], held.buffer_info()[0]
        if self.function(self.mode, 1, self.one_point)(*places, 0, 1) & IN_DOUBT:
            self.function("careful", 1, self.one_point)(*places, 0, 1)
        llvm.raise_error()
        return outputs, held[0] != 0

    @property
    def mode(self) -> Mode:
        """The code that points are computed by at first."""
        return "exact" if self.exact else "fast"

    def fill(self, results: Any, points: Points, chosen: Any, threads: int) -> Any:
        """Fill in the rows of `results` at the chosen points (None: all); gives the indices of those not on this path."""
        if chosen is None:
            is_on_path = self.run(results, points, threads)
            return np.empty(0, dtype=np.intp) if is_on_path is None else np.flatnonzero(~is_on_path)
        some = points.only(chosen)
        found = np.empty((len(results), some.count))
        is_on_path = self.run(found, some, threads)
        if is_on_path is None:
            put(results, chosen, found)
            return chosen[:0]
        put(results, chosen[is_on_path], found[:, is_on_path])
        return chosen[~is_on_path]

    def run(self, results: Any, points: Points, threads: int) -> Any:
        """Fill in the rows of `results` at all points; gives an array of truths, which are on this path, or None: all."""
        held, flags = self._run(self.mode, results, points, threads)
        if flags & IN_DOUBT:
            doubtful = np.flatnonzero(held == 2)
            again = np.empty((len(results), len(doubtful)))
            decided, more = self._run("careful", again, points.only(doubtful), threads)
            put(results, doubtful, again)
            held[doubtful] = decided
            flags |= more
        return held.astype(np.bool_) if flags & OFF_PATH else None

    def _run(self, mode: Mode, results: Any, points: Points, threads: int) -> tuple[Any, int]:
        """The same by one mode's code: gives the bytes of the points, and the kernel's flags."""
        width = 1 if self.exact else llvm.machine().width
        shared = array("d", [*points.shared, *[x._data for x in self.trace.captured]])
        function = self.function(mode, width, (*points.batched, *[False] * len(self.trace.captured)))
        held = np.ones(points.count, dtype=np.uint8)
        groups, rest = divmod(points.count, width)
        inputs, outputs = _addresses(points.columns), _addresses(results)
        parts = threads if groups * width >= _SMALL else 1
        bounds = [groups * i // parts for i in range(parts + 1)]

        def work(first: int, last: int) -> int:
            places = shared.buffer_info()[0], _pointer(inputs), _pointer(outputs), _pointer(held)
            found = function(*places, first, last) if first < last else 0
            llvm.raise_error()
            return found

        if parts > 1:
            with ThreadPoolExecutor(parts) as pool:
                flags = functools.reduce(operator.or_, pool.map(work, bounds[:-1], bounds[1:]))
        else:
            flags = work(0, groups)
        if rest:  # the points behind the last whole group, in a group filled up with the last of them
            columns = [np.concatenate([column[-rest:], np.repeat(column[-1:], width - rest)]) for column in points.columns]
            last, bytes_ = np.empty((len(results), width)), np.ones(width, dtype=np.uint8)
            addresses = _addresses(columns), _addresses(last)
            flags |= function(shared.buffer_info()[0], _pointer(addresses[0]), _pointer(addresses[1]), _pointer(bytes_), 0, 1)
            put(results, slice(points.count - rest, None), last[:, :rest])
            held[-rest:] = bytes_[:rest]
        llvm.raise_error()
        return held, flags

    @functools.cached_property
    def one_point(self) -> tuple[bool, ...]:
        """That no input is batched."""
        return (False,) * self.trace.program.inputs

    def function(self, mode: Mode, width: int, batched: tuple[bool, ...]) -> Callable[..., int]:
        """The machine code for points in groups of `width`, of which these inputs have their own numbers."""
        found = self._code.get((mode, width, batched))
        if found is None:
            start = time.perf_counter()
            code = llvm.compiled(self.trace.program, mode=mode, width=width, batched=batched)
            found = self._code[mode, width, batched] = _PROTOTYPE(code.address), code
            self.seconds += time.perf_counter() - start
        return found[0]


def empty_results(rows: int, count: int) -> Any:
    """Room for `count` numbers in each of so many rows: in one array, or in many where the C library would fetch new pages."""
    return np.empty((rows, count)) if rows * count < _LARGE else [np.empty(count) for _ in range(rows)]


def put(results: Any, chosen: Any, found: Any) -> None:
    """Have these numbers at the chosen points."""
    if isinstance(results, list):
        for row, numbers in zip(results, found, strict=True):
            row[chosen] = numbers
    else:
        results[:, chosen] = found


def _pointer(x: Any) -> int | None:
    return None if x is None or not x.size else x.__array_interface__["data"][0]


def _addresses(rows: Iterable[Any]) -> Any:
    return np.array([_pointer(row) or 0 for row in rows], dtype=np.uint64)
