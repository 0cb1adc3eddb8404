"""`compile`: a function of numbers as machine code that is right on every branch.

The function is recorded at the first point it is called at. Comparisons it made are guards: a point that would go another way
is noticed, the function recorded anew there, and the new path kept beside the others. Points of a batch are split by path.
"""

from __future__ import annotations

import copy
import functools
import weakref
from array import array
from collections.abc import Callable, Sequence
from threading import Lock
from types import MethodType
from typing import Any, NamedTuple, Unpack, overload

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler import outputs
from autograd_lite.compiler.batches import Points, Results, result_at_some_point, result_without_points
from autograd_lite.compiler.calls import Calls, Options, of_values, warn
from autograd_lite.compiler.calls import PathWarning as PathWarning
from autograd_lite.compiler.entry import entry
from autograd_lite.compiler.environment import Environment
from autograd_lite.compiler.fingerprint import recorded_from, still_right
from autograd_lite.compiler.paths import Path
from autograd_lite.compiler.program import Program
from autograd_lite.compiler.reader import Reader, StructureError
from autograd_lite.compiler.record import Trace, evaluate, record
from autograd_lite.compiler.watching import look_for_anomalies, recorded_result, refuse_batch
from autograd_lite.engine import Value
from autograd_lite.modes import active_modes
from autograd_lite.pickling import own_name
from autograd_lite.primitive import on_replacement

MAX_PATHS = 64
_CHUNK = 1 << 20  # so many numbers of outputs are held at once where they are only summed
_NUMBERS = {float, int}
_RENEWALS = 64  # how often a function is recorded anew without a warning


@overload
def compile(f: Callable[..., Any], **options: Unpack[Options]) -> Kernel: ...  # noqa: A001
@overload
def compile(**options: Unpack[Options]) -> Callable[[Callable[..., Any]], Kernel]: ...  # noqa: A001
def compile(  # noqa: A001
    f: Any = Ellipsis,
    *,
    batch: int | tuple[int | None, ...] | None = None,
    reduce: str | None = None,
    exact: bool = False,
    threads: int = 1,
    max_paths: int = MAX_PATHS,
    static: str | int | tuple[str | int, ...] = (),
) -> Any:
    """f as machine code: a callable that takes what f takes and gives what f gives, on numbers and on batches of them.

    Without f a decorator: ``@compile(threads=2)``. Arguments are given by position or by keyword.

    f is a function of numbers in nested lists, tuples, dicts and arrays, that has no side effects, starts no threads and draws
    no random numbers: it runs when a path is recorded (and once or twice more, to see that it does the same), not at every
    call. It sees Values, of a class of their own whose text tells no number. Derivatives compose:
    ``compile(value_and_grad(f))``, ``compile(hessian(f))``. Within `anomaly` f runs on Values at every point, before its
    machine code does.

    Values that f uses from outside are read and compared anew at every call. Everything else that f reads from outside may
    change too: f is recorded anew. Noticed are its globals, variables of enclosing functions, defaults, attributes that have a
    name in the code, items of lists and dicts, numbers of arrays, and those of the functions and methods it calls. Not noticed,
    so that `Kernel.clear` has to be called when they change: items of sets and of other containers, what functions of installed
    packages read, attributes whose names are computed or that are read by vars(), files, the environment and the clock, and
    what another thread changes while f is recorded. All is compared at every call: large lists and arrays are better arguments.

    What f catches of the errors that powers and the user's primitives raise makes paths. An error that it does not catch is
    raised; but a power that is complex at one point of a batch is nan there.

    batch: None: every array among the arguments holds a number a point, and they are broadcast as NumPy's functions do it. A
        tuple says of each argument 0 (its arrays have a leading axis of points) or None (it is shared by all points); 0 alone
        is said of all.
    reduce: "sum" or "mean" of the results over the points.
    exact: the bits of the engine; without it, every function is right to 4 units in the last place, and faster. An adjoint that
        is 0 may have another sign then, and a sum with a product in it is rounded once: inf - inf may stay infinite.
    threads: so many at once share a batch; Python's lock is released. The bits do not depend on it. Up to 128 MiB of memory of
        large results that nobody has any more is kept for the next ones.
    max_paths: how many paths through f's branches are kept; at points on further ones f runs on Values, as the engine does.
    static: the names or positions of arguments that are no numbers, but hashable and do not change: f gets them as they are,
        and machine code is kept for each combination of them, max_paths in all. Strings, None, True and False, members of
        enumerations, functions and classes are so by themselves, alone or in lists and dicts with numbers, and an int is once
        f counts with it, as in range(n).

    Of an object (a method's, or one that is an argument) the numbers in attributes are arguments too, and may change between
    calls; f gets a twin of it, and may not change it. Values in attributes are read as those from outside are.

    An array without points gives empty arrays, 0.0 with reduce="sum", and nan with "mean", with NumPy's RuntimeWarning.

    Raises TypeError if f is not callable, ValueError for an option that there is not. The kernel raises RecordingError where f
    asks for a number itself, whether f catches that or not; TypeError or ValueError, naming the argument, where one is not of
    the structure recorded.

    >>> import autograd_lite as ag
    >>> slope = ag.compile(ag.grad(lambda x: x * x if x > 0.0 else -x))
    >>> slope(3.0), slope(-3.0), slope.paths
    (6.0, -1.0, 2)
    >>> import numpy as np
    >>> slope(np.array([1.0, 2.0, -1.0])).tolist()
    [2.0, 4.0, -1.0]
    """
    if f is not Ellipsis and not callable(f):
        raise TypeError(f"compile takes a function, not {type(f).__name__} {f!r:.60}")
    if reduce not in (None, "sum", "mean"):
        raise ValueError(f"compile: reduce is None, 'sum' or 'mean', not {reduce!r:.60}")
    axes = batch if isinstance(batch, tuple) else (batch,)
    if not all([axis is None or (axis == 0 and not isinstance(axis, bool)) for axis in axes]):
        raise ValueError(f"compile: batch is None, 0, or a tuple of None and 0, one an argument, not {batch!r:.60}")
    for name, count in (("threads", threads), ("max_paths", max_paths)):
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"compile: {name} is a whole number of at least 1, not {count!r:.60}")
    fixed = static if isinstance(static, tuple) else (static,)
    if not all([isinstance(x, str) or (isinstance(x, int) and not isinstance(x, bool) and x >= 0) for x in fixed]):
        raise ValueError(f"compile: static is a name, a position, or a tuple of these, not {static!r:.60}")
    if f is Ellipsis:
        return functools.partial(
            compile, batch=batch, reduce=reduce, exact=exact, threads=threads, max_paths=max_paths, static=static
        )
    return Kernel(f, batch, reduce, exact, threads, max_paths, fixed)


class Kernel(Reader):
    """A compiled function; `compile` makes it.

    A call gives what the function gives for these arguments; in the arrays of `out`, of the result's structure, if that is
    given. With Values among the arguments the function itself is called: who differentiates the result differentiates that.

    It is pickled with its paths, which are compiled where they land. Where the function, or what it refers to, is not the same
    there, a RuntimeWarning says so, and the function is recorded anew.

    >>> import autograd_lite as ag
    >>> kernel = ag.compile(lambda x: x * x)
    >>> kernel(3.0), kernel.paths
    (9.0, 1)
    """

    def __init__(
        self,
        f: Callable[..., Any],
        batch: Any,
        reduce: str | None,
        exact: bool,
        threads: int,
        max_paths: int,
        static: tuple[str | int, ...] = (),
    ) -> None:
        functools.update_wrapper(self, f, updated=())
        self.function = f
        self.batch, self.reduce, self.exact, self.threads, self.max_paths = batch, reduce, exact, threads, max_paths
        self.static = static
        self._calls: Calls | None = Calls(f, self._name, static)  # None: a variant
        self._places: tuple[str, ...] = ()  # what arguments are called in errors; else by their positions
        self._paths: list[Path] = []
        self._arguments: tuple[structures.Structure, ...] | None = None
        self._warned = False
        self._lock = Lock()
        self._environment = Environment()  # what the function reads from outside, as it was when the last path was recorded
        self._renewals = 0  # so often it was another one
        self._entries: tuple[Callable[[tuple[Any, ...]], Any], ...] = ()  # direct ways
        self._tried: set[tuple[bool, ...]] = set()  # which arguments have points, of calls that it was looked for
        _kernels.add(self)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<compiled {name}: {self.paths} path{'s' * (self.paths != 1)}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """The method of an instance, where this is an attribute of its class. Raises TypeError for a list's, say."""
        if isinstance(instance, (list, tuple, dict, np.ndarray)) and not hasattr(instance, "_make"):
            raise TypeError(f"{self._name}: methods of a {type(instance).__name__}, a list, dict or array, are not compiled")
        return self if instance is None else MethodType(self, instance)

    def _every_path(self) -> list[Path]:
        """The paths for arguments of any kind, in the order of their recording."""
        kernels = [self, *(self._calls.variants.values() if self._calls else ())]
        return sorted([path for kernel in kernels for path in kernel._paths], key=lambda path: path.number)

    @property
    def paths(self) -> int:
        """How many paths through the function have been recorded."""
        return len(self._every_path())

    @property
    def program(self) -> Program:
        """The program of the path recorded last. Raises RuntimeError before the first call."""
        if not (paths := self._every_path()):
            raise RuntimeError("the function has not been recorded yet; call it once")
        return paths[-1].trace.program

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs of all paths, in the order of their recording."""
        return tuple([path.trace.program for path in self._every_path()])

    def to_c(self, name: str = "kernel") -> str:
        """The path recorded last as a C99 file of its own, of a function with this name; see `Program.to_c`.

        Inputs and outputs are the numbers of arguments and result from left to right. Values that the function uses from
        outside are further inputs, in the order of their use. Raises RuntimeError before the first call.
        """
        return self.program.to_c(name)

    @property
    def compile_seconds(self) -> float:
        """The seconds spent on making machine code so far."""
        return sum([path.seconds for path in self._every_path()])

    def _call(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What no direct way gives."""
        self._renew()
        out = keywords.pop("out", None)
        if self._calls is None:
            return self._computed(args, out)
        result = NotImplemented if keywords else self._of_plain(args, out)
        return self._calls(self, args, keywords, out) if result is NotImplemented else result

    def _of_plain(self, args: tuple[Any, ...], out: Any) -> Any:
        """The result for arguments of the types that are expected; NotImplemented for others."""
        plain = self._plain(args) if self._paths else None
        if plain is None:
            return NotImplemented
        result = self._results(plain, (plain.count,)) if plain.columns else self._at(plain.shared)
        self._look_for_entry(args, plain)
        return self._given(result, out)

    def _variant(self, function: Callable[..., Any], batch: Any, places: tuple[str, ...], max_paths: int) -> Kernel:
        """A kernel with the same options for other arguments."""
        variant = Kernel(function, batch, self.reduce, self.exact, self.threads, max_paths)
        variant._calls, variant._places = None, places
        return variant

    def _computed(self, args: tuple[Any, ...], out: Any) -> Any:
        """The result for arguments that are all numbers."""
        for enter in self._entries if out is None else ():
            result = enter(args)
            if result is not NotImplemented:
                return result
        self._renew()
        result = self._of_plain(args, out)
        if result is not NotImplemented:
            return result
        try:
            leaves = self._leaves(args)
        except ValueError as error:
            raise StructureError(*error.args) from None
        kinds = set(map(type, leaves))
        if kinds <= _NUMBERS:
            return self._given(self._at(self._numbers(leaves, args)), out)
        if any([issubclass(kind, Value) for kind in kinds]):
            return of_values(self.function, args, {}, out, self._name)
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
        if self._calls is not None:
            self._calls.clear()

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
            warn(
                f"{self._name} has been recorded anew {_RENEWALS} times, the last time because of {', '.join(changes[:3])},"
                " which it reads from outside: give as an argument what changes from call to call"
            )

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
            warn(
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
            return self._without_points(leaves, shape, args)
        columns = [np.ascontiguousarray(np.broadcast_to(x, shape), dtype=np.float64).reshape(-1) for x in arrays]
        points = Points(self._numbers(leaves, args), columns, tuple([int(x) for x in batched]))
        if not self._paths:
            self._new_path(points.at(0), complex_as_nan=True)
        return self._results(self._plain(args) or points, shape)

    def _without_points(self, leaves: list[Any], shape: tuple[int, ...], args: tuple[Any, ...]) -> Any:
        """Empty arrays, or the sums or means of nothing."""
        shared = iter(self._numbers(leaves, args))
        known = [None if isinstance(x, np.ndarray) else next(shared) for x in leaves]
        arguments = structures.Sequence(tuple, self._arguments or (), is_flat=False)
        result = self._paths[0].trace.result if self._paths else result_at_some_point(self.function, known, arguments)
        return result_without_points(result, shape, self.reduce, self._name)

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
        return result if out is None else outputs.put(result, out, self._name)

    # --- pickle: programs, which are compiled where they land; those that read Values from outside are recorded there

    def __reduce__(self) -> str | tuple[Any, ...]:
        parts = self._parts()
        name = own_name(self, self.function, f"compile of {self._name}")
        return name or (_unpickled, (recorded_from(self.function, parts[-1]), *parts))

    def __copy__(self) -> Kernel:
        return _restored(*self._parts())

    def __deepcopy__(self, memo: dict[int, Any]) -> Kernel:
        return _restored(*copy.deepcopy(self._parts(), memo))

    def _parts(self) -> tuple[Any, ...]:
        self._renew()
        options = self.batch, self.reduce, self.exact, self.threads, self.max_paths, self.static
        traces = [path.trace for path in self._paths if not path.trace.captured]
        return self.function, options, self._arguments, traces


def _restored(function: Callable[..., Any], options: tuple[Any, ...], arguments: Any, traces: list[Trace]) -> Kernel:
    kernel = Kernel(function, *options)
    kernel._arguments = arguments
    kernel._paths = [kernel._path(trace) for trace in traces]
    kernel._environment = Environment(function)
    return kernel


def _unpickled(digest: str, function: Callable[..., Any], options: Any, arguments: Any, traces: list[Any]) -> Kernel:
    return _restored(function, options, arguments, still_right(traces, function, digest))


def _forget_all() -> None:
    """Have all kernels record their functions anew, for a primitive has been defined anew."""
    for kernel in list(_kernels):
        kernel.clear()


_kernels: weakref.WeakSet[Kernel] = weakref.WeakSet()
on_replacement.append(_forget_all)


class _Computed(NamedTuple):
    """A result that the function itself has computed: its numbers from left to right, and the structure of them."""

    numbers: array[float]
    value: Any
