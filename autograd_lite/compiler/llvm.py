"""Machine code in memory, through llvmlite: LLVM comes inside its wheel, and no compiler is needed.

Equal programs share their machine code. With the environment's AUTOGRAD_LITE_CACHE, a folder, machine code is kept there for
other processes: whoever may write to that folder decides what is executed.
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import functools
import hashlib
import itertools
import math
import os
import re
import struct
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import llvmlite
import llvmlite.binding as llvm

from autograd_lite.compiler import csource, lowering, vector_math
from autograd_lite.compiler.ir import parameter_count
from autograd_lite.compiler.program import Program


class Machine:
    """The processor this runs on."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.triple = llvm.get_process_triple()
        self.cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features()
        self.features = features.flatten()
        self.width = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
        self.has_fma = bool(features.get("fma")) or self.triple.startswith("aarch64")
        self.vector_library = self._load_vector_library()

    def _load_vector_library(self) -> Any:
        name = ctypes.util.find_library("mvec")
        if name is None or not self.triple.startswith("x86_64"):
            return None
        try:
            llvm.load_library_permanently(name)
            return ctypes.CDLL(name)
        except (OSError, RuntimeError):
            return None

    def target_machine(self, level: int) -> Any:
        """What makes machine code, optimised to a level of 0 to 3."""
        target = llvm.Target.from_triple(self.triple)
        return target.create_target_machine(cpu=self.cpu, features=self.features, opt=level, jit=True, codemodel="jitdefault")


@functools.cache
def machine() -> Machine:
    """The processor this runs on, asked once."""
    return Machine()


@functools.cache
def vector_function(name: str, arguments: int, width: int) -> tuple[str | None, int]:
    """libmvec's function, and how many numbers it takes at once."""
    here = machine()
    at_once = here.width if width == 1 else width
    symbol = f"_ZGV{ {8: 'e', 4: 'd', 2: 'b'}[at_once] }N{at_once}{'v' * arguments}_{name}"
    return (symbol, at_once) if here.vector_library is not None and hasattr(here.vector_library, symbol) else (None, at_once)


# Held while LLVM works for this package. Whoever ends the process waits for it and keeps it: LLVM's own exit handlers take down
# what a thread in the background would still be using, which ends the process with a signal. What LLVM is at cannot be broken
# off, so the wait is as long as it needs for that one program, half a second for 5,000 instructions; what has not begun is
# left. A fork waits too: a child has no thread that would go on with the work, or let go of LLVM's own locks.
# Reentrant, as finalizers may compile.
lock = threading.RLock()
_ending = threading.Event()


def _end() -> None:
    _ending.set()
    lock.acquire()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


@contextmanager
def turn() -> Iterator[None]:
    """Have LLVM alone. When the process is ending, other threads than the main one (daemons all) do not come back from here."""
    with lock:
        if not _ending.is_set() or threading.current_thread() is threading.main_thread():
            yield
            return
    threading.Event().wait()  # rather than an exception: what that lets go of may be LLVM's


_symbols: dict[Callable[..., Any], tuple[str, Any]] = {}
_numbers = itertools.count()
_thread = threading.local()
_IN_PYTHON = "autograd_lite_python_"  # begins the names of functions in Python, which are others in every process


_RAISED: float = struct.unpack("<d", lowering.RAISED.to_bytes(8, "little"))[0]


def _callback(function: Callable[..., Any]) -> Callable[..., float]:
    """The function as machine code calls it, through which no exception can pass: it gives a nan that a guard knows."""

    def called(*args: float) -> float:
        try:
            number = float(function(*args))
        except Exception:  # noqa: BLE001 -- the point is on another path, where the function raises again
            return _RAISED
        except BaseException as error:  # noqa: BLE001 -- an interruption; see raise_error
            _thread.error = error
            return _RAISED
        return number if number == number else math.nan

    return called


def raise_error() -> None:
    """Raise the interruption (KeyboardInterrupt, say) of a function in Python that machine code has called in this thread."""
    error = getattr(_thread, "error", None)
    if error is not None:
        _thread.error = None
        raise error


def _symbol(function: Callable[..., Any]) -> str:
    """The name by which machine code calls a function: of C's library, or in Python."""
    if function not in _symbols:
        if csource.is_library_function(function) and function is not math.hypot:
            name = f"autograd_lite_{function.__name__}"
            pointer: Any = getattr(_library(), {"round": "rint"}.get(function.__name__, function.__name__))
        else:
            name = f"{_IN_PYTHON}{next(_numbers)}"
            prototype = ctypes.CFUNCTYPE(*[ctypes.c_double] * (1 + parameter_count(function)))
            pointer = prototype(_callback(function))
        address = ctypes.cast(pointer, ctypes.c_void_p).value
        llvm.add_symbol(name, address)
        _symbols[function] = name, pointer  # which must live as long as the name
    return _symbols[function][0]


@functools.cache
def _library() -> Any:
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


class Code:
    """Machine code in memory: `address` of the kernel. `digest` tells its source from any other."""

    def __init__(self, source: str, digest: str, level: int) -> None:
        parsed = llvm.parse_assembly(source)
        self.engine = llvm.create_mcjit_compiler(parsed, machine().target_machine(level))
        folder = os.environ.get("AUTOGRAD_LITE_CACHE")
        if folder and _IN_PYTHON not in source:
            self.file = Path(folder) / f"{digest}.o"
            self.engine.set_object_cache(self._keep, self._kept)
        self.engine.finalize_object()
        self.address = self.engine.get_function_address("kernel")
        self.calls_python = _IN_PYTHON in source

    def _keep(self, module: Any, code: bytes) -> None:  # noqa: ARG002
        """Write machine code to disk: under its name only when it is whole."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.file.parent, delete=False) as unfinished:
                unfinished.write(code)
            Path(unfinished.name).replace(self.file)
        except OSError as error:
            warnings.warn(f"AUTOGRAD_LITE_CACHE: machine code is not kept: {error}", RuntimeWarning, stacklevel=2)

    def _kept(self, module: Any) -> bytes | None:  # noqa: ARG002
        try:
            return self.file.read_bytes()
        except OSError:
            return None


_made: WeakValueDictionary[str, Code] = WeakValueDictionary()  # by digest: equal programs share their machine code


def compiled(
    program: Program,
    *,
    mode: lowering.Mode,
    width: int,
    batched: Sequence[int],
    placed: Sequence[int],
    reduce: bool = False,
    quick: bool = False,
) -> Code:
    """The machine code of a program: `quick` to make, or quick to run."""
    here = machine()
    source, module = lowering.text(
        program,
        mode=mode,
        width=width,
        batched=batched,
        placed=placed,
        vector_function=vector_function,
        has_wide_vectors=here.width == vector_math.WIDTH,
        has_fma=here.has_fma,
        reduce=reduce,
        quick=quick,
    )
    names = {name: _symbol(function) for name, function in module.outside.items()}
    if names:
        source = re.sub(r"@(m_\w+)", lambda found: f"@{names.get(found[1], found[1])}", source)
    level = 0 if quick or len(program.instructions) > lowering.WHOLE else 2
    versions = llvmlite.__version__, here.triple, here.cpu, here.features, level
    digest = hashlib.sha256("\n".join([*map(str, versions), source]).encode()).hexdigest()
    with turn():
        found = _made.get(digest)
        if found is None:
            found = _made[digest] = Code(source, digest, level)
    return found
