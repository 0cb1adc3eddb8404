"""Contexts that watch or change what is recorded: `no_grad`, `scope`, `anomaly`.

A mode is asked about every node made while it is active in the current thread or task. The engine looks at `active_modes`
alone, a list that is empty nearly always, so that recording costs nothing when no mode is active anywhere.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

active_modes: list[Mode] = []
_current: ContextVar[tuple[Mode, ...]] = ContextVar("modes", default=())
_PACKAGE = __file__.removesuffix("modes.py")


class AnomalyError(ArithmeticError):
    """A nan or an infinity was born where `anomaly()` was watching."""


class Mode:
    """The base: it leaves every node and every edge as it is."""

    def recorded(self, node: Any) -> Any:
        """Called with each node as it is made; what it returns takes the node's place."""
        return node

    def swept(self, edge: Any) -> None:
        """Called with each edge of a sweep."""

    def made(self, leaf: Any) -> None:
        """Called with each leaf as it is made by its class."""

    def asked(self, node: Any, what: str) -> None:
        """Called before a number of a node is read or assigned: `what` is "data", "data = ", "grad" or "copy"."""

    def raised(self, primitive: Any, operands: tuple[Any, ...], error: Exception) -> float | None:
        """Called where a primitive raises on operands with a Value among them; a number takes the result's place."""

    def compared(self, comparison: str, node: Any, other: Any) -> Any:
        """Called before a node is compared with something; gives the outcome, or None: as the numbers have it."""


def current_modes() -> tuple[Mode, ...]:
    """The modes of this thread or task, the outermost first."""
    return _current.get()


def in_place_of(primitive: Any, operands: tuple[Any, ...], error: Exception) -> float:
    """The number that a mode has in the place of the result of a primitive that has raised. Raises the error if none has."""
    for mode in current_modes():
        number = mode.raised(primitive, operands, error)
        if number is not None:
            return number
    raise error


@contextmanager
def enter(mode: Mode) -> Iterator[None]:
    """Have the mode asked about what is recorded inside the ``with`` block."""
    token = _current.set((*_current.get(), mode))
    active_modes.append(mode)
    try:
        yield
    finally:
        active_modes.remove(mode)
        _current.reset(token)


def source_line() -> tuple[str, int, str] | None:
    """File, line number and function of the innermost caller outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return None


class _NoGrad(Mode):
    def recorded(self, node: Any) -> Any:
        return type(node)(node.data)


def is_recording() -> bool:
    """Whether operations have a history here: no `no_grad` is active."""
    return not any([isinstance(mode, _NoGrad) for mode in _current.get()])


@contextmanager
def lifted_no_grad() -> Iterator[bool]:
    """Record again inside a `no_grad`; gives whether there was one."""
    active = _current.get()
    kept = tuple([mode for mode in active if not isinstance(mode, _NoGrad)])
    token = _current.set(kept)
    try:
        yield len(kept) < len(active)
    finally:
        _current.reset(token)


class _Scope(Mode):
    def __init__(self, name: str) -> None:
        self.name = name

    def recorded(self, node: Any) -> Any:
        outer = node.note.scope
        node._note = node.note._replace(scope=f"{outer}.{self.name}" if outer else self.name)
        return node


class _Anomaly(Mode):
    def recorded(self, node: Any) -> Any:
        node._note = node.note._replace(source=source_line())
        numbers = [getattr(x, "data", x) for x in node.args]
        if _born(node.data, numbers):
            operands = ", ".join([f"{x!r}" for x in numbers])
            raise AnomalyError(f"{node.op.name}({operands}) is {node.data!r}, {_where(node)}")
        return node

    def swept(self, edge: Any) -> None:
        adjoint, partial, contribution = [getattr(x, "data", x) for x in (edge.adjoint, edge.partial, edge.contribution)]
        if _born(contribution, [adjoint]):
            op = edge.node.op
            operands = ", ".join([f"{getattr(x, 'data', x)!r}" for x in edge.node.args])
            raise AnomalyError(
                f"in the backward sweep, the partial of {op.name}({operands}) by its argument {edge.slot + 1} is {partial!r}"
                f" and the contribution {contribution!r} (adjoint {adjoint!r}), {_where(edge.node)}"
            )


def _born(result: float, operands: list[float]) -> bool:
    """Whether a nan or an infinity has come up that no operand had."""
    if math.isnan(result):
        return not any([math.isnan(x) for x in operands])
    return math.isinf(result) and all([math.isfinite(x) for x in operands])


def _where(node: Any) -> str:
    source = node.note.source
    return f'File "{source[0]}", line {source[1]}, in {source[2]}' if source else "recorded at an unknown line"


def no_grad() -> Any:
    """Context manager: operations on Values give Values without a history."""
    return enter(_NoGrad())


def scope(name: str) -> Any:
    """Context manager: nodes made inside belong to the group of that name; scopes nest as ``outer.inner``.

    Raises TypeError if the name is no string.
    """
    if not isinstance(name, str):
        raise TypeError(f"scope takes the name of a group, not {type(name).__name__} {name!r:.60}")
    return enter(_Scope(name))


def anomaly() -> Any:
    """Context manager: raise AnomalyError at the operation, or the edge of a sweep, where a nan or an infinity is born.

    The message names the operation, its operands and the source line. Recording is slower meanwhile. A compiled function is
    watched too: it runs on Values at each point, before its machine code does.
    """
    return enter(_Anomaly())


def is_anomaly_watched() -> bool:
    """Whether `anomaly` is active here."""
    return any([isinstance(mode, _Anomaly) for mode in _current.get()])
