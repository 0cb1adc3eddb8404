"""Paths through a function as machine code, run at single points and on batches."""

from __future__ import annotations

import ctypes
import functools
import time
from array import array
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd_lite.compiler import llvm
from autograd_lite.compiler.record import Trace

_SMALL = 4096  # batches of fewer points are not worth a thread
_PROTOTYPE = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)


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
        self.trace, self.exact = trace, exact
        self.seconds = 0.0  # spent on making machine code
        self._code: dict[tuple[int, tuple[bool, ...]], tuple[Any, llvm.Code]] = {}

    def at(self, numbers: array[float]) -> tuple[array[float], bool]:
        """The outputs at one point, and whether it is on this path."""
        trace = self.trace
        if trace.captured:
            numbers = array("d", [*numbers, *[x._data for x in trace.captured]])
        outputs, ok = array("d", bytes(8 * len(trace.program.outputs))), array("b", b"\1")
        address, length = outputs.buffer_info()
        addresses = array("Q", range(address, address + 8 * length, 8))
        shared = numbers.buffer_info()[0]
        function = self.function(1, self.one_point)
        function(shared, None, addresses.buffer_info()[0], ok.buffer_info()[0], 0, 1)
        _raise_errors()
        return outputs, bool(ok[0])

    def fill(self, results: Any, points: Points, chosen: Any, threads: int) -> Any:
        """Fill in the rows of `results` at the chosen points (None: all); gives the indices of those not on this path."""
        if chosen is None:
            is_on_path = self.run(results, points, threads)
            return np.empty(0, dtype=np.intp) if is_on_path is None else np.flatnonzero(~is_on_path)
        some = points.only(chosen)
        found = np.empty((len(results), some.count))
        is_on_path = self.run(found, some, threads)
        if is_on_path is None:
            results[:, chosen] = found
            return chosen[:0]
        results[:, chosen[is_on_path]] = found[:, is_on_path]
        return chosen[~is_on_path]

    def run(self, results: Any, points: Points, threads: int) -> Any:
        """Fill in the rows of `results` at all points; gives an array of truths, which are on this path, or None: all."""
        width = 1 if self.exact else llvm.machine().width
        shared = array("d", [*points.shared, *[x._data for x in self.trace.captured]])
        function = self.function(width, (*points.batched, *[False] * len(self.trace.captured)))
        held = np.empty(points.count, dtype=np.bool_) if self.trace.program.guards else None
        groups, rest = divmod(points.count, width)
        inputs, outputs = _addresses(points.columns), _addresses(results)
        parts = threads if groups * width >= _SMALL else 1
        bounds = [groups * i // parts for i in range(parts + 1)]

        def work(first: int, last: int) -> None:
            if first < last:
                function(shared.buffer_info()[0], _pointer(inputs), _pointer(outputs), _pointer(held), first, last)

        if parts > 1:
            with ThreadPoolExecutor(parts) as pool:
                list(pool.map(work, bounds[:-1], bounds[1:]))
        else:
            work(0, groups)
        if rest:
            self._run_rest(function, shared, points, results, held, width, rest)
        _raise_errors()
        return None if held is None or held.all() else held

    def _run_rest(
        self, function: Any, shared: array[float], points: Points, results: Any, held: Any, width: int, rest: int
    ) -> None:
        """The points behind the last whole group: as a group filled up with the last of them."""
        inputs = [np.concatenate([column[-rest:], np.repeat(column[-1:], width - rest)]) for column in points.columns]
        outputs, more = np.empty((len(results), width)), np.empty(width, dtype=np.bool_)
        addresses = _addresses(inputs), _addresses(outputs)
        function(shared.buffer_info()[0], _pointer(addresses[0]), _pointer(addresses[1]), _pointer(more), 0, 1)
        results[:, -rest:] = outputs[:, :rest]
        if held is not None:
            held[-rest:] = more[:rest]

    @functools.cached_property
    def one_point(self) -> tuple[bool, ...]:
        """That no input is batched."""
        return (False,) * self.trace.program.inputs

    def function(self, width: int, batched: tuple[bool, ...]) -> Callable[..., None]:
        """The machine code for points in groups of `width`, of which these inputs have their own numbers."""
        found = self._code.get((width, batched))
        if found is None:
            start = time.perf_counter()
            code = llvm.compiled(self.trace.program, exact=self.exact, width=width, batched=batched)
            found = self._code[width, batched] = _PROTOTYPE(code.address), code
            self.seconds += time.perf_counter() - start
        return found[0]


def _pointer(x: Any) -> int | None:
    return None if x is None or not x.size else x.__array_interface__["data"][0]


def _addresses(rows: Iterable[Any]) -> Any:
    return np.array([_pointer(row) or 0 for row in rows], dtype=np.uint64)


def _raise_errors() -> None:
    """Raise what a function in Python has raised that machine code has called."""
    if llvm.errors:
        error = llvm.errors[0]
        llvm.errors.clear()
        raise error
