"""The engines that are compared: what a program needs of each besides operators, and how its graphs are made and freed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from types import ModuleType
from typing import Any

import autograd_lite as ag
from benchmarks import local_gradients
from benchmarks.measure import LOCAL_GRADIENTS, MICROGRAD, OURS, PURE, XAD
from engines import load_engine

FUNCTIONS = ("exp", "log", "tanh", "relu")


@dataclass
class Engine:
    """A class of nodes, functions on them, whether a graph is cyclic garbage, and whether `tracemalloc` sees its memory.

    `package` is the copy of autograd_lite that it comes from, if it does.
    """

    Value: Callable[[float], Any]
    functions: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    cyclic: bool = False
    traced: bool = True
    package: ModuleType | None = None

    def leaves(self, numbers: Iterable[float]) -> list[Any]:
        """New leaves to record a graph on."""
        return [self.Value(number) for number in numbers]

    def sweep(self, result: Any) -> None:
        """The gradient of the result, into the leaves."""
        result.backward()

    def clear(self) -> None:
        """Free what the engine keeps of a graph once its result is dropped."""

    def numbers(self, result: Any, leaves: list[Any]) -> list[float]:
        """The result's number and the gradient."""
        return [result.data, *[leaf.grad for leaf in leaves]]


class XadEngine(Engine):
    """xad: its nodes are numbers with a slot on the thread's active tape. A recording starts on a new tape."""

    def leaves(self, numbers: Iterable[float]) -> list[Any]:
        """New leaves, registered on a new tape: a tape that is used again grows by 8 bytes for every node of its past."""
        from xad.adj_1st import Tape

        if (used := Tape.getActive()) is not None:
            used.deactivate()
        tape = Tape()
        tape.activate()
        leaves = super().leaves(numbers)
        tape.registerInputs(leaves)
        tape.newRecording()
        self._tape = tape  # being active does not keep it alive
        return leaves

    def sweep(self, result: Any) -> None:
        self._tape.registerOutput(result)
        result.derivative = 1.0
        self._tape.computeAdjoints()

    def clear(self) -> None:
        self._tape.clearAll()

    def numbers(self, result: Any, leaves: list[Any]) -> list[float]:
        return [result.value, *[leaf.derivative for leaf in leaves]]


def engines(*names: str) -> tuple[dict[str, Engine], list[str]]:
    """Ours, then those of the named peers that are there, and a note on each that is not."""
    found, notes = {OURS: _autograd_lite(ag)}, []
    for name in names:
        try:
            peer = PEERS[name]()
        except ImportError:
            notes.append(f"{name} is not installed (pip install -e '.[bench-eager]'): its side was left out")
            continue
        if peer is None:
            notes.append("ours is the pure engine already: the side 'pure' was left out")
        else:
            found[name] = peer
    return found, notes


def by_engine(native: float, python: float) -> float:
    """The figure for the engine that is `autograd_lite` here."""
    return python if ag.engine_name == "python" else native


def _autograd_lite(package: ModuleType) -> Engine:
    return Engine(
        package.Value,
        {name: getattr(package, name) for name in FUNCTIONS},
        traced=package.engine_name == "python",
        package=package,
    )


def _pure() -> Engine | None:
    return None if ag.engine_name == "python" else _autograd_lite(load_engine(pure=True))


def _xad() -> Engine:
    from xad import math as xad_math
    from xad.adj_1st import Real

    functions = {name: getattr(xad_math, name) for name in FUNCTIONS if name != "relu"}
    return XadEngine(Real, {**functions, "relu": partial(xad_math.max, 0.0)}, traced=False)


def _local_gradients() -> Engine:
    return Engine(local_gradients.Value)


def _micrograd() -> Engine:
    """micrograd, with the three functions it lacks written as it writes its own."""
    from micrograd.engine import Value

    def exp(x: Any) -> Any:
        out = Value(math.exp(x.data), (x,), "exp")

        def _backward() -> None:
            x.grad += out.data * out.grad

        out._backward = _backward
        return out

    def log(x: Any) -> Any:
        out = Value(math.log(x.data), (x,), "log")

        def _backward() -> None:
            x.grad += 1.0 / x.data * out.grad

        out._backward = _backward
        return out

    def tanh(x: Any) -> Any:
        out = Value(math.tanh(x.data), (x,), "tanh")

        def _backward() -> None:
            x.grad += (1.0 - out.data * out.data) * out.grad

        out._backward = _backward
        return out

    return Engine(Value, {"exp": exp, "log": log, "tanh": tanh, "relu": methodcaller("relu")}, cyclic=True)


PEERS: dict[str, Callable[[], Engine | None]] = {
    MICROGRAD: _micrograd,
    XAD: _xad,
    PURE: _pure,
    LOCAL_GRADIENTS: _local_gradients,
}
"""Every peer by name; adding one is adding an entry."""
