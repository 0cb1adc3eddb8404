"""The direct way into machine code: plain arguments are taken apart, and results put together, in C.

A call costs a tenth of what it costs in Python, which matters where a small function is called often: by an optimiser, in a
simulation, in a training loop. Without the extension `_entry` (it was not built, or AUTOGRAD_LITE_PURE is set) every call goes
the other way, `Kernel`'s own, with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.environment import Watch
from autograd_lite.compiler.memory import empty, extension
from autograd_lite.compiler.paths import BLOCKS, SMALL, Path
from autograd_lite.modes import active_modes

_LONG = 2000  # a program of more instructions runs without Python's lock
_LARGEST = 1 << 62
_NUMBER, _NUMBERS, _SEQUENCE, _MAPPING, _ARRAY = range(5)
_DIMENSIONS = 8  # of an array, at most


class FrontInPython:
    """Calls that go the direct ways in `_entries` first, then to `_call(arguments, keywords)`."""

    _entries: tuple[Callable[[tuple[Any, ...]], Any], ...] = ()

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """The result of the first way that gives one."""
        if not keywords:
            for enter in self._entries:
                result = enter(args)
                if result is not NotImplemented:
                    return result
        return self._call(args, keywords)

    def _call(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        raise NotImplementedError


if TYPE_CHECKING:
    Front = FrontInPython
else:
    Front = getattr(extension(), "Front", FrontInPython)


class _NotPlainError(Exception):
    """A structure that has no direct way."""


def entry(
    paths: Sequence[Path],
    arguments: Sequence[structures.Structure],
    has_points: Sequence[bool],
    batched: tuple[int, ...],
    reduce: str | None,
    threads: int,
    watched: tuple[Watch, ...] = (),
) -> Callable[[tuple[Any, ...]], Any] | None:
    """What gives the result for a tuple of arguments, and NotImplemented where they are not plain or on none of the paths.

    Plain are floats, integers and contiguous arrays of float64 in lists, tuples and dicts. `has_points` says of each argument
    whether it is an array with a leading axis of points: only points that are all on the first path have a direct way. With
    `reduce`, "sum" or "mean", their results are added up. `batched` is as in `Points`. NotImplemented comes also while a mode
    is active, or where something in `watched` is not as it was found. None where there is no direct way: there is no extension,
    the function uses Values from outside, or its machine code calls Python.
    """
    compiled = extension()
    if compiled is None or any([path.trace.captured for path in paths]):
        return None
    over_points = any(has_points)
    if not over_points:
        paths = [path for path in paths if not path.trace.raises]
    if not paths:
        return None
    if over_points and reduce is None and len(paths) > 1:
        return None  # as a rule the points of a batch are on several of them
    width = paths[0].width if over_points else 1
    ways, owners = [], []
    for path in paths[:1] if over_points else reversed(paths):
        machine = path.machine(path.mode, width, batched, over_points and reduce is not None)
        careful = None if over_points else path.made("careful", 1, batched)
        owners += [found.code for found in (machine, careful) if found is not None]
        ways.append((machine.code.address, careful.code.address if careful is not None else 0, path.template.tobytes()))
    if any([code.calls_python for code in owners]):
        return None
    try:
        return compiled.Entry(  # type: ignore[no-any-return]
            arguments=tuple([_description(part) for part in arguments]),
            has_points=tuple(has_points),
            result=_description(paths[0].trace.result),
            ways=tuple(ways),
            variable=tuple(paths[0].variable),
            width=width,
            reduce=reduce is not None,
            mean=reduce == "mean",
            release=len(paths[0].trace.program.instructions) > _LONG,
            most=SMALL if threads > 1 else _LARGEST,
            parts=BLOCKS,
            array=np.ndarray,
            number=np.float64,
            empty=empty,
            owners=owners,
            watched=watched,
            modes=active_modes,
        ).enter
    except _NotPlainError:
        return None


def _description(part: structures.Structure) -> tuple[Any, ...]:
    """A structure as entry.c reads it."""
    match part:
        case structures.Leaf():
            return _NUMBER, None, None
        case structures.Sequence(make=make, parts=parts, is_flat=True):
            return _NUMBERS, make, len(parts), part.named_class
        case structures.Sequence(make=make, parts=parts):
            return _SEQUENCE, make, tuple([_description(item) for item in parts]), part.named_class
        case structures.Mapping(like=like, keys=keys, parts=parts) if type(like) is dict:
            return _MAPPING, keys, tuple([_description(item) for item in parts])
        case structures.Array(shape=shape) if len(shape) <= _DIMENSIONS:
            return _ARRAY, shape, None
        case _:
            raise _NotPlainError
