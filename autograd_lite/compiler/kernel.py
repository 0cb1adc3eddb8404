"""`compile`: a function of numbers as machine code that is right on every branch.

The function is recorded at the first point it is called at. Comparisons it made are guards: a point that would go another way
is noticed, the function recorded anew there, and the new path kept beside the others. Points of a batch are split by path.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from array import array
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.arguments import columns_of, described, leaf_count, plain_points, take_plain
from autograd_lite.compiler.batches import Points, Results
from autograd_lite.compiler.entry import entry
from autograd_lite.compiler.environment import Environment
from autograd_lite.compiler.paths import Path
from autograd_lite.compiler.program import Program
from autograd_lite.compiler.record import Trace, evaluate, record
from autograd_lite.compiler.watching import look_for_anomalies, recorded_result, refuse_batch
from autograd_lite.engine import Value
from autograd_lite.modes import active_modes, source_line
from autograd_lite.primitive import real_number

MAX_PATHS = 64
_CHUNK = 1 << 20  # so many numbers of outputs are held at once where they are only summed
_NUMBERS = {float, int}
_RENEWALS = 64  # so many times a function is recorded anew without a warning


class PathWarning(RuntimeWarning):
    """Points of a compiled function are computed without machine code, or it is recorded again and again; the text says why."""


def compile(  # noqa: A001
    f: Callable[..., Any],
    *,
    batch: int | tuple[int | None, ...] | None = None,
    reduce: str | None = None,
    exact: bool = False,
    threads: int = 1,
    max_paths: int = MAX_PATHS,
) -> Kernel:
    """f as machine code: a callable that takes what f takes and gives what f gives, on numbers and on batches of them.

    f is a function of numbers in nested lists, tuples, dicts and arrays, that has no side effects, starts no threads and draws
    no random numbers: it runs when a path is recorded (and once or twice more, to see that it does the same), not at every
    call. It sees Values, of a class of their own whose text tells no number. Derivatives compose:
    ``compile(value_and_grad(f))``, ``compile(hessian(f))``. Within `anomaly` f runs on Values at every point, before its
    machine code does.

    Values that f uses from outside are read and compared anew at every call. Everything else that f reads from outside may
    change too: f is recorded anew. Noticed are its globals, variables of enclosing functions, defaults, attributes that have a
    name in the code, items of lists and dicts, numbers of arrays, and those of the functions and methods it calls. Not noticed,
    so that `Kernel.clear` has to be called when they change: items of sets and of other containers, what functions of installed
    packages read, attributes whose names are computed, files, the environment and the clock.

    What f catches of the errors that powers and the user's primitives raise makes paths. An error that it does not catch is
    raised; but a power that is complex at one point of a batch is nan there.

    batch: None: every array among the arguments holds a number a point, and they are broadcast as NumPy's functions do it. A
        tuple says of each argument 0 (its arrays have a leading axis of points) or None (it is shared by all points); 0 alone
        is said of all.
    reduce: "sum" or "mean" of the results over the points.
    exact: the bits of the engine; without it, every function is right to 4 units in the last place, and faster. An adjoint that
        is 0 may have another sign then.
    threads: so many at once share a batch; Python's lock is released. The bits do not depend on it. Up to 128 MiB of memory of
        large results that nobody has any more is kept for the next ones.
    max_paths: so many paths through f's branches are kept; at points on further ones f runs on Values, as the engine does.

    Raises TypeError if f is not callable, ValueError for an option that there is not. The kernel raises RecordingError where f
    asks for a number itself, whether f catches that or not; TypeError or ValueError, naming the argument, where one is not of
    the structure recorded.
    """
    if not callable(f):
        raise TypeError(f"compile takes a function, not {type(f).__name__} {f!r:.60}")
    if reduce not in (None, "sum", "mean"):
        raise ValueError(f"compile: reduce is None, 'sum' or 'mean', not {reduce!r:.60}")
    axes = batch if isinstance(batch, tuple) else (batch,)
    if not all([axis is None or (axis == 0 and not isinstance(axis, bool)) for axis in axes]):
        raise ValueError(f"compile: batch is None, 0, or a tuple of None and 0, one an argument, not {batch!r:.60}")
    for name, count in (("threads", threads), ("max_paths", max_paths)):
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"compile: {name} is a whole number of at least 1, not {count!r:.60}")
    return Kernel(f, batch, reduce, exact, threads, max_paths)


class Kernel:
    """A compiled function; `compile` makes it."""

    def __init__(
        self,
        f: Callable[..., Any],
        batch: int | tuple[int | None, ...] | None,
        reduce: str | None,
        exact: bool,
        threads: int,
        max_paths: int,
    ) -> None:
        functools.update_wrapper(self, f, updated=())
        self.function = f
        self.batch, self.reduce, self.exact, self.threads, self.max_paths = batch, reduce, exact, threads, max_paths
        self._paths: list[Path] = []
        self._arguments: tuple[structures.Structure, ...] | None = None
        self._warned = False
        self._lock = Lock()
        self._environment = Environment()  # what the function reads from outside, as it was when the last path was recorded
        self._renewals = 0  # so often it was another one
        self._entries: tuple[Callable[[tuple[Any, ...]], Any], ...] = ()  # direct ways
        self._tried: set[tuple[bool, ...]] = set()  # which arguments have points, of calls that it was looked for

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<compiled {name}: {len(self._paths)} path{'s' * (len(self._paths) != 1)}>"

    @property
    def paths(self) -> int:
        """How many paths through the function have been recorded."""
        return len(self._paths)

    @property
    def program(self) -> Program:
        """The program of the path recorded last. Raises RuntimeError before the first call."""
        if not self._paths:
            raise RuntimeError("the function has not been recorded yet; call it once")
        return self._paths[-1].trace.program

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs of all paths, in the order of their recording."""
        return tuple([path.trace.program for path in self._paths])

    def to_c(self, name: str = "kernel") -> str:
        """The path recorded last as a C99 file of its own, of a function with this name; see `Program.to_c`.

        Inputs and outputs are the numbers of arguments and result from left to right. Values that the function uses from
        outside are further inputs, in the order of their use. Raises RuntimeError before the first call.
        """
        return self.program.to_c(name)

    @property
    def compile_seconds(self) -> float:
        """The seconds spent on making machine code so far."""
        return sum([path.seconds for path in self._paths])

    def __call__(self, *args: Any, out: Any = None) -> Any:
        """What the function gives for these arguments; in the arrays of `out`, of the result's structure, if that is given.

        With Values among the arguments the function itself is called: who differentiates the result differentiates that.
        """
        if out is None:
            for enter in self._entries:
                result = enter(args)
                if result is not NotImplemented:
                    return result
        self._renew()
        plain = self._plain(args) if self._paths else None
        if plain is not None:
            result = self._results(plain, (plain.count,)) if plain.columns else self._at(plain.shared)
            self._look_for_entry(args, plain)
            return self._given(result, out)
        leaves = self._leaves(args)
        kinds = set(map(type, leaves))
        if kinds <= _NUMBERS:
            return self._given(self._at(self._numbers(leaves, args)), out)
        if any([issubclass(kind, Value) for kind in kinds]):
            return self.function(*args)
        if any([issubclass(kind, np.ndarray) for kind in kinds]):
            leaves = [x.item() if isinstance(x, np.ndarray) and not x.ndim else x for x in leaves]  # in a flat sequence
            batched = tuple([isinstance(x, np.ndarray) for x in leaves])
            if any(batched):
                return self._given(self._batch(leaves, batched, args), out)
        return self._given(self._at(self._numbers(leaves, args)), out)

    def _look_for_entry(self, args: tuple[Any, ...], points: Points) -> None:
        """Have a direct way for calls like this one, if there is any."""
        tried, has_points = self._tried, tuple([self._has_points(i, x, len(args)) for i, x in enumerate(args)])
        if has_points not in tried:
            tried.add(has_points)
            found = entry(self._paths, self._arguments or (), has_points, points.batched, self.reduce, self.threads,
                          self._environment.watched)  # fmt: skip
            if found is not None and tried is self._tried:
                self._entries = (*self._entries, found)

    def _path(self, trace: Trace) -> Path:
        """A path that tells this kernel of other machine code, and does not keep it alive."""
        kernel = weakref.ref(self)

        def changed() -> None:
            if (found := kernel()) is not None:
                found._changed()

        return Path(trace, self.exact, changed)

    def _changed(self) -> None:
        """There is other machine code, to which no direct way leads yet."""
        self._tried = set()
        self._entries = ()

    # --- what the function reads from outside

    def clear(self) -> None:
        """Forget all paths: the function is recorded anew at the next call.

        For what it reads from outside may be another in a way that is not noticed; see `compile`.
        """
        with self._lock:
            self._paths, self._arguments, self._environment = [], None, Environment()
            self._changed()

    def _renew(self) -> None:
        """Forget the paths if the function would read something else from outside than when they were recorded."""
        if self._environment.is_current():
            return
        with self._lock:
            changes = self._environment.changes()
            self._environment = Environment(self.function)
            self._changed()
            if not changes:
                return
            self._paths = []
            self._renewals += 1
        if self._renewals == _RENEWALS:
            _warn(
                f"{self._name} has been recorded anew {_RENEWALS} times, the last time because of {', '.join(changes[:3])},"
                " which it reads from outside: give as an argument what changes from call to call"
            )

    # --- arguments

    def _plain(self, args: tuple[Any, ...]) -> Points | None:
        """The points of arguments that are floats and arrays of float64, as recorded; None: they need a closer look."""
        known = self._arguments or ()
        if len(args) != len(known):
            return None
        numbers = array("d")
        columns: list[Any] = []
        batched: list[int] = []
        for i, (x, part) in enumerate(zip(args, known, strict=True)):
            if self._has_points(i, x, len(args)):
                found = plain_points(part, x)
                if found is None or (columns and len(found) != len(columns[0])) or (self.batch is None and x.ndim != 1):
                    return None
                columns.append(found)
                count = 1 if found.ndim == 1 else found.shape[1]
                batched += [count] * count
            else:
                before = len(numbers)
                if not take_plain(part, x, numbers):
                    return None
                batched += [0] * (len(numbers) - before)
        return Points(numbers, columns, tuple(batched))

    def _has_points(self, i: int, x: Any, count: int) -> bool:
        """Whether an argument is one number a point, or more."""
        axis = self._axis(i, count)
        return axis == "points" or (axis == "broadcast" and type(x) is np.ndarray)

    def _axis(self, i: int, count: int) -> str:
        if not isinstance(self.batch, tuple):
            return "broadcast" if self.batch is None else "points"
        if len(self.batch) != count:
            raise TypeError(f"{self._name}: batch tells of {len(self.batch)} arguments, and {count} were given")
        return "shared" if self.batch[i] is None else "points"

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the compiled function")

    def _leaves(self, args: tuple[Any, ...]) -> list[Any]:
        """The numbers of the arguments, and arrays with one for each point."""
        known = self._arguments if self._paths else None
        if known is not None and len(args) != len(known):
            raise TypeError(f"{self._name} was recorded with {len(known)} arguments, and {len(args)} were given")
        leaves: list[Any] = []
        parts: list[structures.Structure] = []
        for i, x in enumerate(args):
            axis, place = self._axis(i, len(args)), f"{self._name}: argument {i + 1}"
            if axis == "points":
                columns, part = columns_of(x, place, None if known is None else known[i])
                if known is not None and part != known[i]:
                    raise ValueError(f"{place} has another structure than when the function was recorded: {described(x)}")
                leaves += columns
            elif known is None:
                found, part = structures.flatten(x, arrays=axis == "shared")
                leaves += found
            else:
                part = known[i]
                part.read(x, place, leaves)
            parts.append(part)
        if known is None:
            self._arguments = tuple(parts)
        return leaves

    def _numbers(self, leaves: list[Any], args: tuple[Any, ...]) -> array[float]:
        """The leaves that are no arrays."""
        single = [x for x in leaves if not isinstance(x, np.ndarray)]
        if set(map(type, single)) <= _NUMBERS:
            try:
                return array("d", single)
            except OverflowError:
                pass  # what follows says where the number is
        numbers = array("d")
        for i, x in enumerate(leaves):
            if isinstance(x, np.ndarray):
                continue
            try:
                numbers.append(real_number(x, "an argument"))
            except (TypeError, ValueError):
                real_number(x, f"{self._name}: {self._place(i, args)}")
                raise
        return numbers

    def _place(self, index: int, args: tuple[Any, ...]) -> str:
        """Which argument the leaf of that index is in."""
        at = 0
        for i, part in enumerate(self._arguments or ()):
            at += leaf_count(part)
            if index < at:
                return f"argument {i + 1}" if part is structures.LEAF else f"a number in argument {i + 1}"
        return f"one of {len(args)} arguments"

    # --- paths

    def _new_path(self, numbers: Sequence[float], complex_as_nan: bool = False) -> Path | _Computed:
        """The path at a point that is on none of those known so far; or the result there, if no more paths are kept."""
        arguments = structures.Sequence(tuple, self._arguments or (), is_flat=False)
        if len(self._paths) >= self.max_paths:
            self._warn()
            outputs, result = evaluate(self.function, numbers, arguments, complex_as_nan)
            self._check_structure(result)
            return _Computed(outputs, structures.of_numbers(result, outputs))
        trace = record(self.function, numbers, arguments, complex_as_nan)
        with self._lock:
            self._environment = Environment(self.function)
            for path in self._paths:  # a comparison came out otherwise in machine code, by a rounding
                if path.trace.program == trace.program:
                    return path
            self._check_structure(trace.result)
            self._paths = [*self._paths, path := self._path(trace)]
            self._changed()
        return path

    def _check_structure(self, result: structures.Structure) -> None:
        if self._paths and result != (first := self._paths[0].trace.result):
            raise ValueError(
                f"{self._name} returns {result} here, and {first} at other points: results of a compiled function have one"
                " structure"
            )

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _warn(
                f"{self._name} has taken {self.max_paths} paths (max_paths), and further ones are not compiled: at their points"
                " the function itself runs on Values; where, minimum and maximum make no paths"
            )

    # --- one point

    def _at(self, numbers: array[float]) -> Any:
        """The result at one point."""
        if active_modes:
            arguments = structures.Sequence(tuple, self._arguments or (), is_flat=False)
            look_for_anomalies(self.function, arguments, [numbers], are_many=False)
            recorded = recorded_result(self.function, arguments, numbers)
            if recorded is not None:
                return recorded
        for path in reversed(self._paths):
            outputs, is_on_path = path.at(numbers)
            if is_on_path and not path.trace.raises:
                return structures.of_numbers(path.trace.result, outputs)
        new = self._new_path(numbers)
        return new.value if isinstance(new, _Computed) else structures.of_numbers(new.trace.result, new.outputs(numbers))

    # --- batches

    def _batch(self, leaves: list[Any], batched: tuple[bool, ...], args: tuple[Any, ...]) -> Any:
        """The results at all points."""
        arrays: list[Any] = []
        for i, x in enumerate(leaves):
            if batched[i]:
                if x.dtype.kind not in "fiub":
                    raise TypeError(f"{self._name}: {self._place(i, args)} is an array of {x.dtype}, not of real numbers")
                arrays.append(x)
        shape = self._common_shape(leaves, args)
        if 0 in shape:
            raise ValueError(f"{self._name}: the arguments hold no points, being arrays of shape {shape}")
        columns = [np.ascontiguousarray(np.broadcast_to(x, shape), dtype=np.float64).reshape(-1) for x in arrays]
        points = Points(self._numbers(leaves, args), columns, tuple([int(x) for x in batched]))
        if not self._paths:
            self._new_path(points.at(0), complex_as_nan=True)
        return self._results(self._plain(args) or points, shape)

    def _results(self, points: Points, shape: tuple[int, ...]) -> Any:
        """The results at points that are arranged in this shape."""
        if active_modes:
            arguments = structures.Sequence(tuple, self._arguments or (), is_flat=False)
            look_for_anomalies(self.function, arguments, map(points.at, range(points.count)))
            refuse_batch(self._name, any([path.trace.captured for path in self._paths]))
        result = self._paths[0].trace.result
        if self.reduce:
            return structures.of_numbers(result, array("d", self._reduced(points).tobytes()))
        return result.of_arrays(iter(self._all(points).arrays), shape)

    def _common_shape(self, leaves: list[Any], args: tuple[Any, ...]) -> tuple[int, ...]:
        shapes = {i: x.shape for i, x in enumerate(leaves) if isinstance(x, np.ndarray)}
        try:
            return np.broadcast_shapes(*shapes.values())
        except ValueError:
            places = [(self._place(i, args).removeprefix("a number in "), shape) for i, shape in shapes.items()]
            listed = dict.fromkeys([f"{place} has the shape {shape}" for place, shape in places])
            raise ValueError(f"{self._name}: arrays of no common shape: {', '.join(listed)}") from None

    def _all(self, points: Points) -> Results:
        """The results at all points."""
        results = Results(self._paths[0].placed, points.count)
        todo: Any = None  # indices of points without a result; None: all
        for path in reversed(self._paths):
            todo = path.fill(results, points, todo, self.threads)
            if not len(todo):
                return results
        while len(todo):
            known = self._paths
            here = todo[0]
            found = self._new_path(points.at(here), complex_as_nan=True)
            if isinstance(found, Path) and found not in known:
                todo = found.fill(results, points, todo, self.threads)
            if len(todo) and todo[0] == here:  # on the path by the engine's numbers, or computed
                numbers = found.outputs(array("d", points.at(here))) if isinstance(found, Path) else found.numbers
                results.put_point(here, numbers)
                todo = todo[1:]
        return results

    def _reduced(self, points: Points) -> Any:
        """The sums of results over the points, or their means."""
        path = self._paths[0]  # whatever was recorded later: the same points have the same bits again
        sums, outside = path.sums(points, self.threads)
        if len(outside):
            length = max(1024, _CHUNK // max(1, len(sums)))
            for start in range(0, len(outside), length):
                results = self._all(points.only(outside[start : start + length]))
                with np.errstate(all="ignore"):
                    sums = sums + np.array([x.sum() for x in results.numbers])
        return sums / points.count if self.reduce == "mean" else sums

    # --- results

    def _given(self, result: Any, out: Any) -> Any:
        """The result, or `out` with the result in it."""
        if out is None:
            return result
        targets, structure = structures.flatten(out, arrays=False)
        leaves, own = structures.flatten(result, arrays=False)
        if structure != own:
            raise ValueError(f"{self._name}: out has another structure than the result, which is {own}")
        if not all([isinstance(source, np.ndarray) for source in leaves]):
            raise ValueError(f"{self._name}: out takes arrays, and the result is of single numbers")
        for target, source in zip(targets, leaves, strict=True):
            if not isinstance(target, np.ndarray) or target.dtype != np.float64 or target.shape != np.shape(source):
                needed = f"an array of float64 of shape {np.shape(source)}"
                raise ValueError(f"{self._name}: out holds {described(target)} where the result is {needed}")
        for target, source in zip(targets, leaves, strict=True):
            target[...] = source
        return out

    # --- pickle: programs, which are compiled where they land; those that read Values from outside are recorded there

    def __reduce__(self) -> tuple[Any, ...]:
        options = self.batch, self.reduce, self.exact, self.threads, self.max_paths
        traces = [path.trace for path in self._paths if not path.trace.captured]
        return _restored, (self.function, options, self._arguments, traces)


def _restored(function: Callable[..., Any], options: tuple[Any, ...], arguments: Any, traces: list[Trace]) -> Kernel:
    kernel = Kernel(function, *options)
    kernel._arguments = arguments
    kernel._paths = [kernel._path(trace) for trace in traces]
    kernel._environment = Environment(function)
    return kernel


class _Computed(NamedTuple):
    """A result that the function itself has computed: its numbers from left to right, and the structure of them."""

    numbers: array[float]
    value: Any


def _warn(message: str) -> None:
    """A PathWarning at the innermost line outside of this package."""
    file, line, _ = source_line() or ("<unknown>", 0, "")
    warnings.warn_explicit(message, PathWarning, file, line)
