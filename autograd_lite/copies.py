"""Copies of graphs: copy, deepcopy and pickle of Values, installed as methods of `Value`.

Inside a function that is being differentiated, copies share the arguments under way, for other nodes would be other variables;
pickle refuses what depends on them.
"""

from __future__ import annotations

import copy
import copyreg
import threading
import weakref
from collections.abc import Callable
from typing import Any

from autograd_lite import engine, sweep
from autograd_lite.engine import Note, Value
from autograd_lite.modes import active_modes
from autograd_lite.primitive import Primitive
from autograd_lite.sweep import refuse_under_way, under_way, under_way_in

_OWN = frozenset(Value.__slots__)  # the fields of every node


def _in_slots(node: Value) -> dict[str, Any]:
    """The attributes that a subclass keeps in slots of its own."""
    names = [name for name in copyreg._slotnames(type(node)) if name not in _OWN]  # type: ignore[attr-defined]
    return {name: getattr(node, name) for name in names if hasattr(node, name)}


def _set(node: Value, attributes: dict[str, Any]) -> None:
    for name, attribute in attributes.items():
        setattr(node, name, attribute)


def shallow(node: Value) -> Value:
    """`copy.copy`: a node with the same arguments, number, gradient and attributes; an argument under way is itself."""
    if node in under_way:
        return node
    if active_modes:
        engine._asked(node, "copy")
    twin = engine._blank(type(node), node.args)
    twin._number, twin._grad, twin.op = node._number, node._grad, node.op
    twin._first, twin._second = node._first, node._second
    if any(node.note):
        twin._note = node.note
    if type(node) is not engine.Value:
        _set(twin, _in_slots(node))
    if hasattr(node, "__dict__"):
        twin.__dict__.update(node.__dict__)
    return twin


def with_operands(node: Value, twin_of: Callable[[Value], Value]) -> Value:
    """A copy of a node on the twins of its operands."""
    twin = copy.copy(node)
    if node.op is not None:
        engine._set_operands(twin, node.op, tuple([x if x.__class__ is float else twin_of(x) for x in node.args]))  # type: ignore[arg-type]
    return twin


def deep(node: Value, memo: dict[int, Any]) -> Value:
    """`copy.deepcopy`: a copy of the graph below a node."""
    twins: list[Value] = []
    order = sweep.topological_order(node)
    memo.update({id(x): x for x in under_way_in(order)})
    for x in order:
        if id(x) not in memo:
            memo[id(x)] = with_operands(x, lambda operand: memo[id(operand)])
            twins.append(memo[id(x)])
    for twin in twins:  # attributes may refer to any node
        if type(twin) is not engine.Value:
            _set(twin, copy.deepcopy(_in_slots(twin), memo))
        if hasattr(twin, "__dict__"):
            copied = copy.deepcopy(twin.__dict__, memo)
            twin.__dict__.update(copied)
    return memo[id(node)]  # type: ignore[no-any-return]


# --- pickle: the nodes of a graph are written in topological order, so that none waits for its operands


class _Pickling(threading.local):
    graph: weakref.ref[_PickledGraph] | None = None


class _PickledGraph:
    """Alive while a pickler writes the nodes of one graph, and written itself when it is done with them."""

    def __init__(self, order: list[Value]) -> None:
        self.order = order
        self.members = set(order)
        self.outer = _pickling.graph  # another, of which a node refers to this one by an attribute

    def __reduce__(self) -> tuple[Any, ...]:
        _pickling.graph = self.outer
        return tuple, ()


_pickling = _Pickling()


def reduced(node: Value, protocol: Any) -> tuple[Any, ...]:  # noqa: ARG001 -- as pickle calls it
    """What pickle writes of a node: with the first one asked for, the graph below it."""
    graph = _pickling.graph() if _pickling.graph else None
    if graph is not None and node in graph.members:
        is_assigned = type(node._number) is engine._Assigned
        state = (type(node), node.op, node.args, node.data, node._grad, tuple(node.note), is_assigned)
        attributes, slots = getattr(node, "__dict__", None) or None, _in_slots(node)
        return restored, state, (attributes, slots) if slots else attributes
    graph = _PickledGraph(sweep.topological_order(node))
    refuse_under_way(graph.order, "pickle")
    _pickling.graph = weakref.ref(graph)
    return _last, (graph.order, graph)


def _last(order: list[Value], _end: object) -> Value:
    return order[-1]


def restored(
    kind: type[Value],
    op: Primitive | None,
    args: tuple[Any, ...],
    data: float,
    grad: float,
    note: tuple[Any, ...],
    assigned: bool,
) -> Value:
    """A node with these fields, made without asking its class."""
    node = engine._blank(kind, args)
    node._number = engine._Assigned(data) if assigned else data
    node._grad = grad
    node.op = op
    node._first = node._second = None
    if op is not None:
        engine._set_operands(node, op, args)
    if any(note):
        node._note = Note(*note)
    return node


METHODS = {"__copy__": shallow, "__deepcopy__": deep, "__reduce_ex__": reduced}
for _name, _method in METHODS.items():
    setattr(Value, _name, _method)
