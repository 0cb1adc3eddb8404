"""The engines that are compared, each with what a program needs besides operators, and how it is freed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd_lite as ag
from benchmarks.measure import OURS, PEER


@dataclass(frozen=True)
class Engine:
    """A class of nodes, functions on them, and whether a graph is cyclic garbage."""

    Value: Callable[[float], Any]
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    cyclic: bool


def engines() -> tuple[dict[str, Engine], list[str]]:
    """The engines that are installed, ours first, and a note on each that is not."""
    found, notes = {OURS: Engine(ag.Value, ag.exp, ag.log, ag.tanh, cyclic=False)}, []
    try:
        found[PEER] = _micrograd()
    except ImportError:
        notes.append("micrograd is not installed (pip install 'autograd_lite[bench]'): its side was left out")
    return found, notes


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

    return Engine(Value, exp, log, tanh, cyclic=True)
