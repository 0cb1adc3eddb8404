"""A digest of what a function says, to tell in another process whether it is the function that was recorded.

It covers bytecode and constants, defaults, what closures hold, and the globals that are named, down through the functions and
classes found there. Of installed packages, this one and the standard library only the names count, unless the function comes
from there itself. Values are left out: they are read at every call. Bytecode is that of one version of Python: under another
one every function has another digest.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import warnings
from array import array
from collections.abc import Iterable, Iterator
from numbers import Number
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd_lite import primitives
from autograd_lite.compiler.record import Trace
from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive

_CONSTANTS = (type(None), type(...), bool, int, float, complex, str, bytes)
_DESCRIPTORS = (property, functools.cached_property, staticmethod, classmethod)
_IMMUTABLE = (*_CONSTANTS, tuple, frozenset, CodeType)  # equal ones may be one object in this process, and two in another


def recorded_from(function: Any, traces: list[Trace]) -> str:
    """The digest of a function and of the primitives that it was recorded with."""
    used = {primitive.name: primitive for trace in traces for primitive in trace.program.instructions.primitives}
    return fingerprint(function, [used[name] for name in sorted(used)])


def still_right(traces: list[Trace], function: Any, digest: str) -> list[Trace]:
    """The traces of a function, or none, with a warning, if it was not recorded from what has the digest."""
    if not traces or recorded_from(function, traces) == digest:
        return traces
    warnings.warn(
        f"{getattr(function, '__name__', 'the compiled function')}: the function, or what it uses, is not what it was when this"
        " kernel was pickled (or Python has another version), and the kernel will record it anew",
        RuntimeWarning,
        stacklevel=3,
    )
    return []


def fingerprint(function: Any, used: Iterable[Primitive] = ()) -> str:
    """The digest of a function and of primitives, the same in every process of one version of Python.

    The state of an object that is called, or has a method called, is left out: it is pickled with the function.
    """
    digest = hashlib.blake2b(str(sys.implementation.cache_tag).encode(), digest_size=16)
    met: dict[int, tuple[int, Any]] = {}  # by identity, and kept alive
    is_object = not isinstance(function, (FunctionType, MethodType, functools.partial, Primitive, type))
    roots = [type(function) if is_object and not _is_wrapper(function) else function, *used]
    own = {_package(root.fn if isinstance(root, Primitive) else root) for root in roots if not _is_of_the_table(root)}
    stack = roots[::-1]
    while stack:
        x = stack.pop()
        if not isinstance(x, _IMMUTABLE):
            if id(x) in met:
                digest.update(f"again {met[id(x)][0]}\n".encode())
                continue
            met[id(x)] = len(met), x
        text, parts = _described(x, own)
        digest.update(f"{type(x).__name__} {text} {len(parts)}\n".encode(errors="backslashreplace"))
        stack.extend(reversed(parts))
    return digest.hexdigest()


def _described(x: Any, own: set[str]) -> tuple[str, list[Any]]:
    """What tells an object from others: text, and the objects that it is made of."""
    name = f"{getattr(x, '__module__', '')}.{getattr(x, '__qualname__', getattr(x, '__name__', ''))}"
    if isinstance(x, _CONSTANTS):
        return float.__repr__(x) if isinstance(x, float) else repr(x), []  # NumPy writes its own floats otherwise
    if isinstance(x, (list, tuple)):
        return "", list(x)
    if isinstance(x, (set, frozenset)):
        return repr(sorted(map(repr, x))), []
    if isinstance(x, dict):
        return "", [part for item in x.items() for part in item]
    if isinstance(x, (np.ndarray, array)):
        numbers = np.asarray(x)
        return f"{numbers.dtype} {numbers.shape}", numbers.ravel().tolist() if numbers.dtype.hasobject else [numbers.tobytes()]
    if isinstance(x, CodeType):
        counts = x.co_argcount, x.co_posonlyargcount, x.co_kwonlyargcount, x.co_flags, x.co_freevars, x.co_cellvars
        return f"{x.co_name} {counts}", [x.co_code, getattr(x, "co_exceptiontable", b""), x.co_names, x.co_consts]
    if isinstance(x, Value) or _is_of_the_table(x):
        return getattr(x, "name", ""), []
    if isinstance(x, Number):
        return str(x), []
    if isinstance(x, Primitive):
        return x.name, [x.fn, *x.partials]
    if isinstance(x, MethodType):
        return "", [x.__func__, type(x.__self__)]
    if isinstance(x, functools.partial):
        return "", [x.func, x.args, x.keywords]
    if isinstance(x, _DESCRIPTORS):
        return "", [x.fget if isinstance(x, property) else x.func if isinstance(x, functools.cached_property) else x.__func__]
    if _is_wrapper(x):  # a transform, a compiled function, a cached one
        return "", [x.__wrapped__, getattr(x, "_made_by", None)]
    if isinstance(x, ModuleType):
        return x.__name__, []
    if _is_elsewhere(x, own):
        return name, []
    name = getattr(x, "__qualname__", "")  # a script is another module where multiprocessing imports it
    if isinstance(x, FunctionType):
        return name, [x.__code__, x.__defaults__, x.__kwdefaults__, *_cells(x), *_globals(x, own)]
    if isinstance(x, type):
        return name, [
            *x.__bases__,
            *[part for key, member in vars(x).items() if _is_code(key, member) for part in (key, member)],
        ]
    return "", [type(x), object.__getstate__(x)]  # its attributes, those in slots too


def _is_of_the_table(x: Any) -> bool:
    return isinstance(x, Primitive) and getattr(primitives, x.name, None) is x


def _package(x: Any) -> str:
    while isinstance(x, functools.partial):
        x = x.func
    return str(getattr(x, "__module__", None) or "builtins").partition(".")[0]


def _is_elsewhere(x: Any, own: set[str]) -> bool:
    """Whether an object, or a module, is of an installed package, of which the names are enough."""
    package = x.__name__.partition(".")[0] if isinstance(x, ModuleType) else _package(x)
    if package in own:
        return False
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    is_library = package in sys.stdlib_module_names or package == _package(fingerprint)
    return is_library or "site-packages" in file or "dist-packages" in file


def _is_code(key: str, x: Any) -> bool:
    """Whether a member of a class says what its objects do: not where its source stands."""
    is_constant = isinstance(x, _CONSTANTS) and not key.startswith("__")
    return is_constant or isinstance(x, (FunctionType, type, *_DESCRIPTORS)) or _is_wrapper(x)


def _is_wrapper(x: Any) -> bool:
    return not isinstance(x, FunctionType) and "__wrapped__" in getattr(x, "__dict__", ())


def _cells(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # of a variable that is not set yet
            yield None


def _globals(function: FunctionType, own: set[str]) -> Iterator[Any]:
    """The globals that a function names, and what it may name in modules among them."""
    names: dict[str, None] = {}
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        names.update(dict.fromkeys(code.co_names))
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for name in names:
        if name in function.__globals__:
            found = function.__globals__[name]
            yield from (name, found)
            if isinstance(found, ModuleType) and not _is_elsewhere(found, own):
                yield from [vars(found)[attribute] for attribute in names if attribute in vars(found)]
