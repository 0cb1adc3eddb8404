"""Values: numbers that record the graph of what is computed with them.

A `Value` holds a number, the primitive that made it and that primitive's arguments (Values, and plain floats for constants).
Methods and operators are made from the table of `primitives`; the only operations named here are Python's operators.
`backward` and `gradient` hand the graph to `sweep`.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from numbers import Number, Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, SupportsFloat

from autograd_lite import structures
from autograd_lite.modes import active_modes, current_modes, in_place_of
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
    its arguments (Values, and floats for constants) and `label` a name for drawings. Equality, order and truth go by `data`, as
    those of floats do. The hash goes by identity: nodes of equal data are two in a set or a dict; in a list, look a node up by
    ``is``. The result of an operation is a plain Value, unless an operand is of a class made as
    ``class Own(Value, own_results=True)``: then it is of the first such operand's class, made without its `__init__`.

    `copy` and `deepcopy` share the arguments of a function that is being differentiated, so that derivatives go through the
    copy, and copy all else; pickle refuses a graph with such an argument.

    Raises TypeError if `data` is no real number, ValueError if it lies beyond the largest float.

    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y
    Value(10.0, grad=0.0, op=add)
    >>> y.backward()
    >>> x.grad
    6.0
    """

    __slots__ = {  # a dict, whose texts `help` shows
        **dict.fromkeys(("_number", "_first", "_grad", "_note", "_second")),
        "op": "The primitive that made the node; None for a leaf.",
    }

    _number: float
    _grad: float
    _first: Any  # the first argument; the tuple of all of three or more, or of a variadic operation
    _second: Any  # the second argument, or None
    _note: Note  # unset unless there is something to note
    op: Primitive | None
    _result_class: ClassVar[type[Value]]
    __sympy__: ClassVar[bool] = False  # SymPy's numbers leave operators and comparisons to the Value

    def __init_subclass__(cls, own_results: bool = False, **options: Any) -> None:
        super(Value, cls).__init_subclass__(**options)  # noqa: UP008 -- the function serves the compiled Value too
        own_hash = vars(cls).get("__hash__", Value.__hash__)
        if own_hash is None:  # a class with an __eq__ of its own
            cls.__hash__ = Value.__hash__  # type: ignore[method-assign]
        elif own_hash is not Value.__hash__:
            raise TypeError(f"{cls.__name__} has a __hash__ of its own: graphs tell nodes apart by identity; remove it")
        if own_results:
            cls._result_class = cls

    def __init__(self, data: SupportsFloat, label: str | None = None) -> None:
        self._number = data if data.__class__ is float else real_number(data, "Value")
        self._grad = 0.0
        self.op = None
        self._first = self._second = None
        if label is not None:
            self.label = label
        if active_modes:
            _made(self)

    @property
    def data(self) -> float:
        """The number. Assigning to it leaves graphs already recorded behind: sweeping one raises StaleGraphError."""
        if active_modes:
            _asked(self, "data")
        data = self._number
        return data if data.__class__ is float else float(data)

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        if active_modes:
            _asked(self, "data = ")
        self._number = _Assigned(real_number(data, "data"))

    @property
    def grad(self) -> float:
        """What calls of `backward` have added up."""
        if active_modes:
            _asked(self, "grad")
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

        >>> import autograd_lite as ag
        >>> a, b = ag.Value(2.0), ag.Value(3.0)
        >>> (a * b).backward()
        >>> a.grad, b.grad
        (3.0, 2.0)
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
        try:
            data = primitive.fn(*[x._number if isinstance(x, Value) else x for x in operands])
        except Exception as error:  # noqa: BLE001 -- raised again
            data = in_place_of(primitive, operands, error)
        return make_node(data, primitive, operands)

    __array_ufunc__ = array_ufunc

    def __repr__(self) -> str:
        note = self.note
        label = "" if note.label is None else f", label={note.label if len(note.label) < 40 else note.label[:37] + '...'!r}"
        op = "" if self.op is None else f", op={self.op.name}"
        return f"Value({self._number!r}, grad={self._grad!r}{op}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    def __bool__(self) -> bool:
        if active_modes:
            outcome = _compared("!=", self, 0.0)
            if outcome is not None:
                return bool(outcome)
        return self._number != 0.0

    def __float__(self) -> float:
        raise TypeError(_DETACHED.format(kind="float", data=self._number))

    def __int__(self) -> int:
        raise TypeError(_DETACHED.format(kind="int", data=self._number))

    def __complex__(self) -> complex:
        raise TypeError(_DETACHED.format(kind="complex", data=self._number))

    @property
    def real(self) -> Value:
        """The Value itself, as of any real number."""
        return self

    @property
    def imag(self) -> float:
        """0.0, as of any real number."""
        return 0.0

    def conjugate(self) -> Value:
        """The Value itself, as of any real number."""
        return self

    def item(self) -> Value:
        """The Value itself, as the element of an array of Values is; `data` is the number without a derivative."""
        return self

    def __round__(self, digits: int | None = None) -> Value:
        return self.around(digits or 0)

    def round(self, decimals: Any = 0, out: None = None) -> Value:
        """`around` under the name by which NumPy's ``round`` calls it. Raises TypeError for an `out`."""
        return called_as_method(TABLE["around"], (self, decimals), {"out": out})  # type: ignore[no-any-return]

    def __divmod__(self, other: Any) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Value, Value]:
        return other // self, other % self


_DETACHED = (
    "{kind}(Value) would drop the derivative: use the functions of autograd_lite (ag.sin(v), not math.sin(v)),"
    " or v.data for the number {data!r} alone"
)
Value._result_class = Value
Real.register(Value)
_new_value = object.__new__
_set_grad = Value._grad.__set__  # type: ignore[attr-defined]


def _operand(x: Any, role: str) -> Value | float:
    return x if x.__class__ is float or isinstance(x, Value) else real_number(x, role)


def _blank(kind: type[Value], args: tuple[Any, ...]) -> Value:  # noqa: ARG001 -- the native engine asks what is below a node
    """An instance, still empty, that will be given these arguments."""
    return _new_value(kind)


def make_node(data: float, primitive: Primitive, operands: tuple[Value | float, ...]) -> Value:
    """A node with its number already known. `operands` are Values and floats, as many as the primitive takes."""
    node = _new_value(_result_class(operands))
    node._number = data
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


def _observed(node: Value) -> Value:
    for mode in current_modes():
        node = mode.recorded(node)
    return node


def _made(leaf: Value) -> None:
    for mode in current_modes():
        mode.made(leaf)


def _asked(node: Value, what: str) -> None:
    for mode in current_modes():
        mode.asked(node, what)


def _compared(comparison: str, node: Value, other: Any) -> Any:
    for mode in current_modes():
        outcome = mode.compared(comparison, node, other)
        if outcome is not None:
            return outcome
    return None


# --- methods and operators, made from the table


def _unary_method(primitive: Primitive) -> Callable[..., Any]:
    fn = primitive.fn

    def method(self: Value, *others: Any, **keywords: Any) -> Value:
        if others or keywords:  # too many; or as NumPy's functions call methods
            return called_as_method(primitive, (self, *others), keywords)  # type: ignore[no-any-return]
        node = _new_value(self._result_class)
        try:
            node._number = fn(self._number)
        except Exception as error:  # noqa: BLE001 -- raised again
            node._number = in_place_of(primitive, (self,), error)
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
            number = other._number
        elif kind is int or isinstance(other, (Value, Real)):  # int first: asking an abstract class costs ten times as much
            other = _operand(other, primitive.name)
            if other.__class__ is float:
                number = other
            else:
                number = other._number
                own = _result_class((other, self) if reflected else (self, other))
        else:
            return NotImplemented
        node = _new_value(own)
        node._grad = 0.0
        node.op = primitive
        if reflected:
            node._first = other
            node._second = self
        else:
            node._first = self
            node._second = other
        try:
            node._number = fn(number, self._number) if reflected else fn(self._number, number)
        except Exception as error:  # noqa: BLE001 -- raised again
            node._number = in_place_of(primitive, (node._first, node._second), error)
        return _observed(node) if active_modes else node

    return method


def _method(primitive: Primitive) -> Callable[..., Any]:
    def method(self: Value, *args: Any, **keywords: Any) -> Value:
        if keywords:
            return called_as_method(primitive, (self, *args), keywords)  # type: ignore[no-any-return]
        return primitive(self, *args)  # type: ignore[no-any-return]

    return method


def _comparison(name: str) -> Callable[..., Any]:
    compare, symbol = getattr(operator, name), COMPARISONS[name]
    comparable = Number if name in ("__eq__", "__ne__") else Real  # a complex number may equal one, and has no order

    def method(self: Value, other: Any) -> Any:
        if active_modes:
            outcome = _compared(symbol, self, other)
            if outcome is not None:
                return outcome
        if isinstance(other, Value):
            other = other._number
        is_number = other.__class__ in (float, int) or isinstance(other, comparable)  # an abstract class is slow to ask
        return bool(compare(self._number, other)) if is_number else NotImplemented

    return method


def install_method(primitive: Primitive) -> None:
    """Make a primitive a method of `Value`. Raises ValueError if `Value` has another attribute of that name."""
    if hasattr(Value, primitive.name):
        raise ValueError(f"Value has an attribute {primitive.name!r} already; choose another name for the primitive")
    setattr(Value, primitive.name, method_of(primitive, primitive.name))


def method_of(primitive: Primitive, name: str) -> Callable[..., Any]:
    """The method of `Value` that applies a primitive."""
    simple = len(primitive.domain) == 1 and not primitive.variadic
    method = _named(_unary_method(primitive) if simple else _method(primitive), name, primitive.method_doc())
    method.__signature__ = primitive.call_signature(method=True)  # type: ignore[attr-defined]
    return method


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
COMPARISONS = {"__lt__": "<", "__le__": "<=", "__eq__": "==", "__ne__": "!=", "__gt__": ">", "__ge__": ">="}
for _primitive in TABLE.values():
    if _primitive.public:
        install_method(_primitive)
    for _reflected, _name in enumerate(OPERATORS.get(_primitive.name, ())):
        _two = len(_primitive.domain) == 2
        _operator = _binary_method(_primitive, bool(_reflected)) if _two else _unary_method(_primitive)
        setattr(Value, _name, _named(_operator, _name, _primitive.doc))
for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):  # the hash stays the identity
    setattr(Value, _name, _named(_comparison(_name), _name, f"Compare the numbers, as float.{_name} does."))


def gradient(y: Value | float, xs: Any, create_graph: bool = False, visit: Callable[[Edge], object] | None = None) -> Any:
    """The derivatives of a recorded y with respect to a structure of Values, in the same structure.

    Floats; with `create_graph` Values, which can be differentiated again. What y does not depend on has derivative 0.
    `visit` is called with each `Edge` that lies on a route from `xs` to y, once, as the sweep passes it.
    Raises TypeError if an element of `xs` is no Value, StaleGraphError if `.data` was changed after recording.

    >>> import autograd_lite as ag
    >>> x, y = ag.Value(3.0), ag.Value(4.0)
    >>> ag.gradient(x * x * y, [x, y])
    [24.0, 9.0]
    >>> (slope,) = ag.gradient(x * x * y, [x], create_graph=True)
    >>> ag.gradient(slope, x)
    8.0
    """
    leaves, rebuild = structures.flatten(xs)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(f"gradient differentiates with respect to Values, not {type(leaf).__name__} {leaf!r:.60}")
    if not isinstance(y, Value):
        real_number(y, "gradient: y")
    roots = {y: 1.0} if isinstance(y, Value) else {}
    adjoints = pull_back(roots, leaves, create_graph=create_graph, visit=visit)
    return rebuild(iter([x if isinstance(x, Value) else Value(x) for x in adjoints] if create_graph else adjoints))
