"""CasADi's functions called as fast as Python can, on arrays that they read and write in place; and compiled by gcc."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def in_buffers(function: Any, given: Sequence[Any], results: Sequence[Any]) -> Callable[[], Any]:
    """A call that reads the arrays `given`, writes `results` and returns them; all are as large as CasADi's."""
    buffer, run = function.buffer()
    for k, x in enumerate(given):
        if x.size != function.nnz_in(k):
            raise ValueError(f"argument {k} has {function.nnz_in(k)} numbers, not {x.size}")
        buffer.set_arg(k, memoryview(x.reshape(-1)))
    for k, x in enumerate(results):
        if x.size != function.nnz_out(k):
            raise ValueError(f"result {k} has {function.nnz_out(k)} numbers, not {x.size}")
        buffer.set_res(k, memoryview(x.reshape(-1)))

    def call(kept: Any = (buffer, given)) -> Any:  # `run` alone does not keep them alive
        run()
        return results

    return call


def compiled(function: Any, level: str = "-O3") -> Any:
    """The function as C, compiled by gcc and loaded."""
    import casadi as ca

    generator = ca.CodeGenerator(f"{function.name()}.c")
    generator.add(function)
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "function.c", Path(folder) / "function.so"
        source.write_text(generator.dump())
        subprocess.run(["gcc", level, "-march=native", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
        return ca.external(function.name(), str(library))
