"""Values: numbers that record the graph of what is computed with them.

A `Value` holds a number, the primitive that made it and that primitive's arguments (Values, and plain floats for constants).
Methods and operators are made from the table of `primitives`; the only operations named here are Python's operators.
`backward` and `gradient` hand the graph to `sweep`.
"""

from __future__ import annotations

import copy
import operator
import threading
import weakref
from collections import deque
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, SupportsFloat

from autograd_lite import structures
from autograd_lite.modes import active_modes, current_modes
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import Edge, pull_back, sweep, topological_order
from autograd_lite.ufuncs import array_ufunc, called_as_method

if TYPE_CHECKING:
    from autograd_lite._methods import Methods
else:
    Methods = object


class _Assigned(float):
    """A number assigned to `.data` after the node was made: whoever used the node before must be checked."""

    __slots__ = ()


class Note(NamedTuple):
    """What is known of a node besides its number; most nodes have none."""

    label: str | None = None
    scope: str = ""
    source: tuple[str, int, str] | None = None


class Value(Methods):
    """A number that remembers how it was computed.

    `data` and `grad` are floats and may be assigned to; `op` is the primitive that made the node (None for a leaf), `args`
    its arguments (Values, and floats for constants) and `label` a name for drawings. Equality and hash go by identity, order
    and truth by `data`. The result of an operation is a plain Value, unless an operand is of a class made as
    ``class Own(Value, own_results=True)``: then it is of the first such operand's class, made without its `__init__`.

    Raises TypeError if `data` is no real number, ValueError if it lies beyond the largest float.
    """

    __slots__ = ("_data", "_first", "_grad", "_note", "_second", "op")

    _data: float
    _grad: float
    _first: Any  # the first argument; the tuple of all of three or more, or of a variadic operation
    _second: Any  # the second argument, or None
    _note: Note  # unset unless there is something to note
    op: Primitive | None
    _result_class: ClassVar[type[Value]]

    def __init_subclass__(cls, own_results: bool = False, **options: Any) -> None:
        super(Value, cls).__init_subclass__(**options)  # noqa: UP008 -- the function serves the compiled Value too
        if own_results:
            cls._result_class = cls

    def __init__(self, data: SupportsFloat, label: str | None = None) -> None:
        self._data = data if data.__class__ is float else real_number(data, "Value")
        self._grad = 0.0
        self.op = None
        self._first = self._second = None
        if label is not None:
            self.label = label

    @property
    def data(self) -> float:
        """The number. Assigning to it leaves graphs already recorded behind: sweeping one raises StaleGraphError."""
        data = self._data
        return data if data.__class__ is float else float(data)

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        self._data = _Assigned(real_number(data, "data"))

    @property
    def grad(self) -> float:
        """What calls of `backward` have added up."""
        return self._grad

    @grad.setter
    def grad(self, grad: SupportsFloat) -> None:
        self._grad = grad if grad.__class__ is float else real_number(grad, "grad")

    @property
    def args(self) -> tuple[Value | float, ...]:
        """The arguments of `op`, in order; of a leaf, none."""
        first = self._first
        if first.__class__ is tuple:
            return first
        if self._second is not None:
            return (first, self._second)
        return () if first is None else (first,)

    @property
    def note(self) -> Note:
        """Label, scope and source line, as far as they are known."""
        try:
            return self._note
        except AttributeError:
            return Note()

    @property
    def label(self) -> str | None:
        """The name in drawings and derivations."""
        return self.note.label

    @label.setter
    def label(self, label: str | None) -> None:
        if not (label is None or isinstance(label, str)):
            raise TypeError(f"a label is a string, not {type(label).__name__} {label!r:.60}")
        self._note = self.note._replace(label=label)

    def backward(self, seed: SupportsFloat = 1.0, visit: Callable[[Edge], object] | None = None) -> None:
        """Add seed * d(self)/d(node) to the `.grad` of self and of every node below it.

        `visit` is called with each `Edge` as the sweep passes it, once an edge. All gradients change, or (when an exception
        leaves this function) none. Raises StaleGraphError if `.data` was changed since the expression was recorded.
        """
        order = topological_order(self)
        adjoints: dict[Value, Any] = {self: real_number(seed, "seed")}
        sweep(order, adjoints, visit=visit)
        sums = [node._grad + adjoint for node, adjoint in adjoints.items()]
        # One loop in C: no signal handler, hence no KeyboardInterrupt, can come between two nodes.
        deque(map(_set_grad, adjoints, sums), maxlen=0)

    @staticmethod
    def __record__(primitive: Primitive, args: tuple[Any, ...]) -> Value:
        """The node of a primitive applied to Values and numbers; `Primitive.__call__` comes here."""
        operands = tuple([_operand(arg, primitive.name) for arg in args])
        data = primitive.fn(*[x._data if isinstance(x, Value) else x for x in operands])
        return make_node(data, primitive, operands)

    __array_ufunc__ = array_ufunc

    def __repr__(self) -> str:
        note = self.note
        label = "" if note.label is None else f", label={note.label if len(note.label) < 40 else note.label[:37] + '...'!r}"
        op = "" if self.op is None else f", op={self.op.name}"
        return f"Value({self.data!r}, grad={self._grad!r}{op}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    def __bool__(self) -> bool:
        return self._data != 0.0

    def __float__(self) -> float:
        raise TypeError(_DETACHED.format(kind="float", data=self.data))

    def __int__(self) -> int:
        raise TypeError(_DETACHED.format(kind="int", data=self.data))

    def __complex__(self) -> complex:
        raise TypeError(_DETACHED.format(kind="complex", data=self.data))

    def __round__(self, digits: int | None = None) -> Value:
        return self.around(digits or 0)

    def round(self, decimals: Any = 0, out: None = None) -> Value:
        """`around` under the name by which NumPy's ``round`` calls it. Raises TypeError for an `out`."""
        return called_as_method(TABLE["around"], (self, decimals), {"out": out})  # type: ignore[no-any-return]

    def __divmod__(self, other: Any) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Value, Value]:
        return other // self, other % self

    def __copy__(self) -> Value:
        twin = _new_value(type(self))
        twin._data, twin._grad, twin.op = self._data, self._grad, self.op
        twin._first, twin._second = self._first, self._second
        if any(self.note):
            twin._note = self.note
        if hasattr(self, "__dict__"):  # of a subclass
            twin.__dict__.update(self.__dict__)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        twins: list[Value] = []
        for node in topological_order(self):
            if id(node) not in memo:
                memo[id(node)] = copy_with_operands(node, lambda operand: memo[id(operand)])
                twins.append(memo[id(node)])
        for twin in twins:  # attributes may refer to any node
            if hasattr(twin, "__dict__"):
                copied = copy.deepcopy(twin.__dict__, memo)
                twin.__dict__.update(copied)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        graph = _pickling.graph() if _pickling.graph else None
        if graph is not None and self in graph.members:
            state = (type(self), self.op, self.args, self.data, self._grad, tuple(self.note), type(self._data) is _Assigned)
            return _restore, state, getattr(self, "__dict__", None) or None
        graph = _PickledGraph(topological_order(self))
        _pickling.graph = weakref.ref(graph)
        return _last, (graph.order, graph)


_DETACHED = (
    "{kind}(Value) would drop the derivative: use the functions of autograd_lite (ag.sin(v), not math.sin(v)),"
    " or v.data for the number {data!r} alone"
)
Value._result_class = Value
_new_value = object.__new__
_set_grad = Value._grad.__set__  # type: ignore[attr-defined]


def _operand(x: Any, role: str) -> Value | float:
    return x if x.__class__ is float or isinstance(x, Value) else real_number(x, role)


def make_node(data: float, primitive: Primitive, operands: tuple[Value | float, ...]) -> Value:
    """A node with its number already known. `operands` are Values and floats, as many as the primitive takes."""
    node = _new_value(_result_class(operands))
    node._data = data
    node._grad = 0.0
    node.op = primitive
    _set_operands(node, primitive, operands)
    return _observed(node) if active_modes else node


def _result_class(operands: tuple[Value | float, ...]) -> type[Value]:
    for x in operands:
        if x.__class__ is not float and x._result_class is not Value:  # type: ignore[union-attr]
            return x._result_class  # type: ignore[union-attr]
    return Value


def _set_operands(node: Value, primitive: Primitive, operands: tuple[Value | float, ...]) -> None:
    if primitive.variadic or len(operands) > 2:
        node._first, node._second = operands, None
    else:
        node._first, node._second = operands if len(operands) == 2 else (operands[0], None)


def share_notes(nodes: list[Any], notes: list[Note]) -> None:
    """Give each node its note, and the same one to its first argument; leaves, and nodes that have a note, keep what they have.

    For what makes nodes by twos many times over: a note is shared, and costs a node no memory.
    """
    for made, note in zip(nodes, notes, strict=False):
        for node in (made, made._first) if isinstance(made, Value) else ():
            if isinstance(node, Value) and node.op is not None and not hasattr(node, "_note"):
                node._note = note


def copy_with_operands(node: Value, twin_of: Callable[[Value], Value]) -> Value:
    """A copy of a node on the twins of its operands."""
    twin = node.__copy__()
    if node.op is not None:
        _set_operands(twin, node.op, tuple([x if x.__class__ is float else twin_of(x) for x in node.args]))  # type: ignore[arg-type]
    return twin


def _observed(node: Value) -> Value:
    for mode in current_modes():
        node = mode.recorded(node)
    return node


# --- methods and operators, made from the table


def _unary_method(primitive: Primitive) -> Callable[..., Any]:
    fn = primitive.fn

    def method(self: Value, *others: Any, **keywords: Any) -> Value:
        if others or keywords:  # too many; or as NumPy's functions call methods
            return called_as_method(primitive, (self, *others), keywords)  # type: ignore[no-any-return]
        node = _new_value(self._result_class)
        node._data = fn(self._data)
        node._grad = 0.0
        node.op = primitive
        node._first = self
        node._second = None
        return _observed(node) if active_modes else node

    return method


def _binary_method(primitive: Primitive, reflected: bool = False) -> Callable[..., Any]:
    fn = primitive.fn

    def method(self: Value, other: Any) -> Any:
        kind = other.__class__
        own = self._result_class
        if kind is float:
            number = other
        elif kind is Value or kind is self.__class__:
            number = other._data
        elif kind is int or isinstance(other, (Value, Real)):  # int first: asking an abstract class costs ten times as much
            other = _operand(other, primitive.name)
            if other.__class__ is float:
                number = other
            else:
                number = other._data
                own = _result_class((other, self) if reflected else (self, other))
        else:
            return NotImplemented
        node = _new_value(own)
        node._grad = 0.0
        node.op = primitive
        if reflected:
            node._data = fn(number, self._data)
            node._first = other
            node._second = self
        else:
            node._data = fn(self._data, number)
            node._first = self
            node._second = other
        return _observed(node) if active_modes else node

    return method


def _method(primitive: Primitive) -> Callable[..., Any]:
    def method(self: Value, *args: Any, **keywords: Any) -> Value:
        if keywords:
            return called_as_method(primitive, (self, *args), keywords)  # type: ignore[no-any-return]
        return primitive(self, *args)  # type: ignore[no-any-return]

    return method


def _comparison(name: str) -> Callable[..., Any]:
    compare = getattr(operator, name)

    def method(self: Value, other: Any) -> Any:
        if isinstance(other, Value):
            other = other._data
        return bool(compare(self._data, other)) if isinstance(other, Real) else NotImplemented

    return method


def install_method(primitive: Primitive) -> None:
    """Make a primitive a method of `Value`. Raises ValueError if `Value` has another attribute of that name."""
    if hasattr(Value, primitive.name):
        raise ValueError(f"Value has an attribute {primitive.name!r} already; choose another name for the primitive")
    setattr(Value, primitive.name, method_of(primitive, primitive.name))


def method_of(primitive: Primitive, name: str) -> Callable[..., Any]:
    """The method of `Value` that applies a primitive."""
    simple = len(primitive.domain) == 1 and not primitive.variadic
    return _named(_unary_method(primitive) if simple else _method(primitive), name, primitive.doc)


def _named(method: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    method.__name__, method.__qualname__, method.__doc__ = name, f"Value.{name}", doc
    return method


OPERATORS = {
    "add": ("__add__", "__radd__"),
    "subtract": ("__sub__", "__rsub__"),
    "multiply": ("__mul__", "__rmul__"),
    "divide": ("__truediv__", "__rtruediv__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__"),
    "mod": ("__mod__", "__rmod__"),
    "power": ("__pow__", "__rpow__"),
    "negative": ("__neg__",),
    "positive": ("__pos__",),
    "absolute": ("__abs__",),
    "floor": ("__floor__",),
    "ceil": ("__ceil__",),
    "trunc": ("__trunc__",),
}
for _primitive in TABLE.values():
    if _primitive.public:
        install_method(_primitive)
    for _reflected, _name in enumerate(OPERATORS.get(_primitive.name, ())):
        _two = len(_primitive.domain) == 2
        _operator = _binary_method(_primitive, bool(_reflected)) if _two else _unary_method(_primitive)
        setattr(Value, _name, _named(_operator, _name, _primitive.doc))
for _name in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Value, _name, _named(_comparison(_name), _name, f"Compare the numbers, as float.{_name} does."))


def gradient(y: Value | float, xs: Any, create_graph: bool = False, visit: Callable[[Edge], object] | None = None) -> Any:
    """The derivatives of a recorded y with respect to a structure of Values, in the same structure.

    Floats; with `create_graph` Values, which can be differentiated again. What y does not depend on has derivative 0.
    `visit` is called with each `Edge` that lies on a route from `xs` to y, once, as the sweep passes it.
    Raises TypeError if an element of `xs` is no Value, StaleGraphError if `.data` was changed after recording.
    """
    leaves, rebuild = structures.flatten(xs)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(f"gradient differentiates with respect to Values, not {type(leaf).__name__} {leaf!r:.60}")
    roots = {y: 1.0} if isinstance(y, Value) else {}
    adjoints = pull_back(roots, leaves, create_graph=create_graph, visit=visit)
    return rebuild(iter([x if isinstance(x, Value) else Value(x) for x in adjoints] if create_graph else adjoints))


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


def _last(order: list[Value], _end: object) -> Value:
    return order[-1]


def _restore(
    kind: type[Value],
    op: Primitive | None,
    args: tuple[Any, ...],
    data: float,
    grad: float,
    note: tuple[Any, ...],
    assigned: bool,
) -> Value:
    node = _new_value(kind)
    node._data = _Assigned(data) if assigned else data
    node._grad = grad
    node.op = op
    node._first = node._second = None
    if op is not None:
        _set_operands(node, op, args)
    if any(note):
        node._note = Note(*note)
    return node
