"""Contexts that watch or change what is recorded: `no_grad`, `scope`, `anomaly`.

A mode is asked about every node made while it is active in the current thread or task. The engine looks at `active_modes`
alone, a list that is empty nearly always, so that recording costs nothing when no mode is active anywhere.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

active_modes: list[Mode] = []
_current: ContextVar[tuple[Mode, ...]] = ContextVar("modes", default=())
_PACKAGE = __file__.removesuffix("modes.py")


class AnomalyError(ArithmeticError):
    """A nan or an infinity was born where `anomaly()` was watching.

    >>> import autograd_lite as ag
    >>> with ag.anomaly():
    ...     try:
    ...         1.0 / ag.Value(0.0)
    ...     except ag.AnomalyError as error:
    ...         print(str(error).partition(", File")[0])
    divide(1.0, 0.0) is inf
    """


class Mode:
    """The base: it leaves every node and every edge as it is."""

    def recorded(self, node: Any) -> Any:
        """Called with each node as it is made; what it returns takes the node's place."""
        return node

    def swept(self, edge: Any) -> None:
        """Called with each edge of a reverse sweep."""

    def pushed(self, edge: Any) -> None:
        """Called with each edge of a forward sweep, whose `adjoint` is the tangent of the operand."""

    def made(self, leaf: Any) -> None:
        """Called with each leaf as it is made by its class."""

    def asked(self, node: Any, what: str) -> None:
        """Called before a number of a node is read or assigned: `what` is "data", "data = ", "grad" or "copy"."""

    def raised(self, primitive: Any, operands: tuple[Any, ...], error: Exception) -> float | None:
        """Called where a primitive raises on operands with a Value among them; a number takes the result's place."""

    def compared(self, comparison: str, node: Any, other: Any) -> Any:
        """Called before a node is compared with something; gives the outcome, or None: as the numbers have it."""


def current_modes() -> tuple[Mode, ...]:
    """The modes of this thread or task: `anomaly`, then the outermost first. One has ended for all when its block is left."""
    return tuple([mode for mode in _current.get() if mode in active_modes])


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
    first = isinstance(mode, _Anomaly)  # it sees a node before no_grad takes its operands away
    _current.set((mode, *_current.get()) if first else (*_current.get(), mode))
    active_modes.append(mode)
    try:
        yield
    finally:
        active_modes.remove(mode)
        # Blocks need not end in the order in which they began: one in a generator ends when the generator goes on.
        _current.set(tuple([other for other in _current.get() if other is not mode]))


class ModeContext(AbstractContextManager[None]):
    """A mode for a ``with`` block, or, as a decorator, for the bodies of functions: each entry has a mode of its own.

    Decorated may be a function, a coroutine function, a generator function or an asynchronous one: the mode is active while
    the body of a generator runs, not in its consumer between two items. A ``with`` block in the body of a generator is
    another thing: at a ``yield`` inside it the mode stays active in the consumer, until the generator goes on and leaves the
    block. Decorate the generator, or leave the block before each ``yield``.
    """

    def __init__(self, name: str, make: Callable[[], Mode]) -> None:
        self._name, self._make = name, make
        self._entered: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        block = enter(self._make())
        block.__enter__()
        self._entered.append(block)

    def __exit__(self, *error: Any) -> None:  # noqa: PYI036 -- passed on as it is
        self._entered.pop().__exit__(*error)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with the mode active in its body. Raises TypeError for a class, and for what is not callable."""
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"{self._name} decorates a function or a method, not {function!r:.60}: decorate each method")

        def block() -> AbstractContextManager[None]:
            return enter(self._make())

        def is_kind(test: Callable[[Any], bool]) -> bool:
            return test(function) or test(getattr(function, "__call__", None))  # noqa: B004 -- of an instance, its method

        wrapper: Callable[..., Any]
        if is_kind(inspect.iscoroutinefunction):

            async def wrapper(*args: Any, **keywords: Any) -> Any:
                with block():
                    return await function(*args, **keywords)

        elif is_kind(inspect.isasyncgenfunction):

            async def wrapper(*args: Any, **keywords: Any) -> Any:
                body = function(*args, **keywords)
                step = body.asend(None)
                while True:
                    try:
                        with block():
                            item = await step
                    except StopAsyncIteration:
                        return
                    try:
                        step = body.asend((yield item))
                    except GeneratorExit:
                        with block():
                            await body.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 -- thrown in by the consumer, for the body
                        step = body.athrow(error)

        elif is_kind(inspect.isgeneratorfunction):

            def wrapper(*args: Any, **keywords: Any) -> Any:
                return (yield from _Steps(function(*args, **keywords), block))

        else:

            def wrapper(*args: Any, **keywords: Any) -> Any:
                with block():
                    return function(*args, **keywords)

        return functools.wraps(function)(wrapper)


class _Steps(Generator[Any, Any, Any]):
    """A generator with a block around each step of its body: from the start or a `yield` to the next `yield` or the end."""

    def __init__(self, body: Generator[Any, Any, Any], block: Callable[[], AbstractContextManager[None]]) -> None:
        self._body, self._block = body, block

    def send(self, item: Any) -> Any:
        with self._block():
            return self._body.send(item)

    def throw(self, *error: Any) -> Any:
        with self._block():
            return self._body.throw(*error)

    def close(self) -> None:
        with self._block():
            self._body.close()


def source_line() -> tuple[str, int, str] | None:
    """File, line number and function of the innermost caller outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith((_PACKAGE, contextlib.__file__)):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return None


class _NoGrad(Mode):
    def recorded(self, node: Any) -> Any:
        kind: Any = type(node)
        leaf = kind.__new__(kind)  # a user's class is made without its __init__, as by any operation
        base = next(c for c in reversed(kind.__mro__) if "__record__" in vars(c))  # Value
        base.__init__(leaf, node.data)
        return leaf


def is_recording() -> bool:
    """Whether operations have a history here: no `no_grad` is active."""
    return not any([isinstance(mode, _NoGrad) for mode in current_modes()])


@contextmanager
def lifted_no_grad() -> Iterator[bool]:
    """Record again inside a `no_grad`; gives whether there was one."""
    active = current_modes()
    kept = tuple([mode for mode in active if not isinstance(mode, _NoGrad)])
    token = _current.set(kept)
    try:
        yield len(kept) < len(active)
    finally:
        _current.reset(token)


@contextmanager
def suspended() -> Iterator[None]:
    """Have no mode asked inside the ``with`` block."""
    token = _current.set(())
    try:
        yield
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
        if _born(*_numbers_along(edge)):
            raise AnomalyError(_told(edge, "backward", "adjoint"))

    def pushed(self, edge: Any) -> None:
        contribution, factors = _numbers_along(edge)
        if math.isnan(contribution) and _born(contribution, factors):  # an infinity may still meet an edge that is not there
            raise AnomalyError(_told(edge, "forward", "tangent"))


def _numbers_along(edge: Any) -> tuple[float, list[float]]:
    """The contribution of an edge, and the adjoint or tangent it was made of."""
    return getattr(edge.contribution, "data", edge.contribution), [getattr(edge.adjoint, "data", edge.adjoint)]


def _told(edge: Any, direction: str, factor: str) -> str:
    contribution, (number,) = _numbers_along(edge)
    operands = ", ".join([f"{getattr(x, 'data', x)!r}" for x in edge.node.args])
    partial = getattr(edge.partial, "data", edge.partial)
    return (
        f"in the {direction} sweep, the partial of {edge.node.op.name}({operands}) by its argument {edge.slot + 1} is"
        f" {partial!r} and the contribution {contribution!r} ({factor} {number!r}), {_where(edge.node)}"
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
    """Context manager and decorator: operations on Values give Values without a history.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> y
    Value(9.0, grad=0.0)
    """
    return ModeContext("no_grad()", _NoGrad)


def scope(name: str) -> Any:
    """Context manager and decorator: nodes made inside belong to the group of that name; scopes nest as ``outer.inner``.

    Raises TypeError if the name is no string.

    >>> import autograd_lite as ag
    >>> with ag.scope("layer"), ag.scope("neuron"):
    ...     y = ag.Value(3.0).tanh()
    >>> y.note.scope
    'layer.neuron'
    """
    if not isinstance(name, str):
        raise TypeError(f"scope takes the name of a group, not {type(name).__name__} {name!r:.60}")
    return ModeContext(f"scope({name!r})", lambda: _Scope(name))


def anomaly() -> Any:
    """Context manager and decorator: raise AnomalyError where a nan or an infinity is born.

    That is an operation or the edge of a sweep: the message names it, its operands and the source line. Recording is slower
    meanwhile. A compiled function is watched too: it runs on Values at each point, before its machine code does.

    >>> import autograd_lite as ag
    >>> with ag.anomaly():
    ...     ag.log(ag.Value(1.0) - 1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd_lite.modes.AnomalyError: log(0.0) is -inf, File ...
    """
    return ModeContext("anomaly()", _Anomaly)


def is_anomaly_watched() -> bool:
    """Whether `anomaly` is active here."""
    return any([isinstance(mode, _Anomaly) for mode in current_modes()])
