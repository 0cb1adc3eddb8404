"""`Value, Module, Neuron, Layer, MLP` as programs written for micrograd expect them: changing the import is enough.

    >>> from autograd_lite.interop.micrograd import Value
    >>> a, b = Value(-4.0), Value(2.0)
    >>> c = (a * b + b**3).relu()
    >>> c.backward()
    >>> a, sorted(operand.data for operand in c._prev), c._op
    (Value(data=-4.0, grad=0.0), [0.0], 'ReLU')

Programs with a class of their own in that style, or in microgpt's (`Value(data, children, local_grads)`), can take this one.
Numbers are those of micrograd on a new graph, to rounding. What differs, by intent:

- Data and gradients are floats, also where the program gave integers.
- A constant is no node, ``a - b``, ``a / b`` and ``-a`` are one node each, and a neuron's sum is one, so `_prev` holds less.
- A second `backward` through nodes that an earlier one has passed adds the true derivatives once more. In micrograd it starts
  from the gradients which the first has left in these nodes, so that they count again.
- Where `.data` was assigned after recording, `backward` raises StaleGraphError if a recorded number is no longer right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, SupportsFloat
from weakref import WeakSet

from autograd_lite import copies, engine, nn
from autograd_lite.nn import Module as Module
from autograd_lite.primitive import REAL, Primitive
from autograd_lite.sweep import Edge, partials_of, sweep, topological_order

__all__ = ["MLP", "Layer", "Module", "Neuron", "Value"]

_SPELLINGS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "negative": "neg", "power": "**", "relu": "ReLU"}


class _HandMade(Primitive):
    """The operation of nodes made with operands by the program. Their arguments: operands, a partial for each, and the number.

    So the engine sweeps, copies and pickles them as it does any node. No part of the table.
    """

    __slots__ = ()

    def __reduce__(self) -> str:  # type: ignore[override]
        return f"_{self.name}".upper()


def _number(*args: float) -> float:
    return args[-1]


def _given(r: Any, *args: Any) -> list[Any]:  # noqa: ARG001
    count = len(args) // 2
    return [*args[count:-1], *[0.0] * (count + 1)]


def _unknown(r: Any, *args: Any) -> list[Any]:  # noqa: ARG001
    raise TypeError(
        "a node has a hand-written _backward, which only the method backward of autograd_lite.interop.micrograd.Value calls:"
        " for other derivatives give it local gradients, Value(data, children, local_grads)"
    )


_LOCAL_GRADIENTS = _HandMade(
    "local_gradients",
    _number,
    (_given,),
    (REAL,),
    "a number with given partials",
    selects=(False,),
    variadic=True,
    public=False,
)
_HAND_WRITTEN = _HandMade(
    "hand_written", _number, (_unknown,), (REAL,), "a number with a _backward", selects=(False,), variadic=True, public=False
)
_hand_written: WeakSet[Value] = WeakSet()  # while it is empty, no graph need be searched for such nodes


class Value(engine.Value, own_results=True):
    """A node as in micrograd: an `autograd_lite.Value` with micrograd's private attributes and room for any others.

    `_children` are the operands of a node made by hand and `_op` the name of its operation, or a derivative by each operand.
    Results of operators, methods and functions of autograd_lite are of this class.

    Raises TypeError if an operand is no Value, ValueError if there are more or fewer derivatives than operands.

    >>> from autograd_lite.interop.micrograd import Value
    >>> a = Value(3.0)
    >>> b = a * a
    >>> b.backward()
    >>> a.grad, b._op, len(b._prev)
    (6.0, '*', 1)
    """

    _hand_op: str

    def __init__(
        self,
        data: SupportsFloat,
        _children: Iterable[engine.Value] = (),
        _op: str | Iterable[SupportsFloat] = "",
        label: str = "",
    ) -> None:
        super().__init__(data)
        if label:
            self.label = label
        children = tuple(_children)
        if isinstance(_op, str):
            if _op:
                self._op = _op
            if children:
                self._connect(children, (0.0,) * len(children))
        elif children or _op:
            self._connect(children, tuple(_op))

    def _connect(self, children: tuple[engine.Value, ...], partials: tuple[SupportsFloat, ...]) -> None:
        """Make this the node of a hand-made operation."""
        for child in children:
            if not isinstance(child, engine.Value):
                raise TypeError(f"the children of a node are Values, not {type(child).__name__} {child!r:.60}")
        if len(partials) != len(children):
            raise ValueError(f"a node has one local gradient for each child: {len(partials)} for {len(children)}")
        self.op = _LOCAL_GRADIENTS
        self._first = (*children, *[float(partial) for partial in partials], self.data)
        self._second = None

    @property
    def label(self) -> str:
        """The name in drawings; empty if there is none."""
        return self.note.label or ""

    @label.setter
    def label(self, label: str | None) -> None:
        if not isinstance(label, str | None):
            raise TypeError(f"a label is a string, not {type(label).__name__} {label!r:.60}")
        self._note = self.note._replace(label=label or None)

    @property
    def _op(self) -> str:
        """The operation as micrograd spells it; empty for a leaf."""
        own = self.__dict__.get("_hand_op")
        if own is not None or self.op is None:
            return own or ""
        if isinstance(self.op, _HandMade):
            return ""
        exponent = self._second if self.op.name == "power" else None
        if exponent.__class__ is not float:
            return _SPELLINGS.get(self.op.name, self.op.name)
        return f"**{int(exponent) if exponent.is_integer() else exponent}"

    @_op.setter
    def _op(self, name: str) -> None:
        self._hand_op = name

    @property
    def _children(self) -> tuple[engine.Value, ...]:
        """The operands in order, constants left out."""
        return tuple([x for x in self.args if isinstance(x, engine.Value)])

    @_children.setter
    def _children(self, children: Iterable[engine.Value]) -> None:
        self._prev = children

    @property
    def _prev(self) -> frozenset[engine.Value]:
        """The operands. Assigning others makes this a node made by hand, with local gradients of 0."""
        return frozenset(self._children)

    @_prev.setter
    def _prev(self, children: Iterable[engine.Value]) -> None:
        children = tuple(children)
        self._connect(children, (0.0,) * len(children))
        if self in _hand_written:
            self.op = _HAND_WRITTEN

    @property
    def _local_grads(self) -> tuple[float, ...]:
        """The derivative by each of `_children`."""
        needed = [isinstance(x, engine.Value) for x in self.args]
        if self.op is None or not any(needed):
            return ()
        partials = partials_of(self, needed, create_graph=False)
        return tuple([partial or 0.0 for partial, need in zip(partials, needed, strict=True) if need])

    @_local_grads.setter
    def _local_grads(self, partials: Iterable[SupportsFloat]) -> None:
        self._connect(self._children, tuple(partials))

    @property
    def _backward(self) -> Callable[[], object]:
        """Adds this node's share to the gradients of its operands. A function assigned here is called in its place."""
        return self.__dict__.get("_backward") or functools.partial(_pull, self)

    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None:
        if not callable(function):
            raise TypeError(f"_backward is a function without arguments, not {type(function).__name__} {function!r:.60}")
        if not isinstance(self.op, _HandMade):
            self.__dict__["_recorded"] = copies.shallow(self)
            name, children = self._op, self._children
            self._connect(children, (0.0,) * len(children))
            self._op = name
        self.op = _HAND_WRITTEN
        self.__dict__["_backward"] = function
        _hand_written.add(self)

    def backward(self, seed: SupportsFloat = 1.0, visit: Callable[[Edge], object] | None = None) -> None:
        """Set the gradient of this node to `seed` and add seed * d(self)/d(node) to that of every node below it.

        A hand-written `_backward` is called when `.grad` of its node holds what this call has brought there, and nothing else.
        All gradients of the graph change, or (when an exception leaves this function) none.
        """
        order = topological_order(self) if _hand_written else []
        if any([node.op is _HAND_WRITTEN for node in order]):
            _sweep_with_functions(order, seed, visit)
        elif visit is None:
            super().backward(seed)
        else:
            super().backward(seed, visit)
        self.grad = seed

    def __repr__(self) -> str:
        return f"Value(data={self._number}, grad={self._grad})"

    def __eq__(self, other: object) -> bool:
        """Whether it is the same node, as in micrograd: programs look nodes up in lists."""
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = engine.Value.__hash__

    def __copy__(self) -> engine.Value:
        if self.op is _HAND_WRITTEN:
            raise TypeError("a node with a hand-written _backward cannot be copied: the function refers to the original nodes")
        return copies.shallow(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        if self.op is _HAND_WRITTEN:
            raise TypeError("a node with a hand-written _backward cannot be pickled: the function refers to this graph's nodes")
        return copies.reduced(self, protocol)


def _pull(node: engine.Value, visit: Callable[[Edge], object] | None = None) -> None:
    """Add a node's share to the gradients of its operands, edge by edge."""

    def add(edge: Edge) -> None:
        if visit is not None:
            visit(edge)
        edge.operand.grad += edge.contribution

    recorded = node.__dict__.get("_recorded", node) if hasattr(node, "__dict__") else node
    sweep([recorded], {recorded: node.grad}, visit=add)


def _sweep_with_functions(order: list[engine.Value], seed: SupportsFloat, visit: Callable[[Edge], object] | None) -> None:
    """`backward` over an order with hand-written functions, which take and leave gradients in `.grad`."""
    before = [node.grad for node in order]
    try:
        for node in order:
            node.grad = 0.0
        order[-1].grad = seed
        for node in reversed(order):
            if node.op is _HAND_WRITTEN:
                node._backward()  # type: ignore[attr-defined]
            else:
                _pull(node, visit)
    except BaseException:
        for node, grad in zip(order, before, strict=True):
            node.grad = grad
        raise
    for node, grad in zip(order, before, strict=True):
        node.grad += grad


# --- modules: those of autograd_lite.nn, with parameters of the class above


class Neuron(nn.Neuron):
    """A neuron of `nin` inputs: weights drawn from `random` in order, uniform in -1 to 1, a bias of 0, and relu if `nonlin`.

    Raises TypeError or ValueError if `nin` is no positive integer.

    >>> from autograd_lite.interop.micrograd import Neuron
    >>> Neuron(2)
    ReLUNeuron(2)
    """

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        super().__init__(nin, nonlin)
        self.w = [Value(weight.data) for weight in self.w]
        self.b = Value(self.b.data)


class Layer(nn.Layer):
    """`nout` neurons side by side; a single one's output comes alone. `kwargs` are those of `Neuron`.

    >>> from autograd_lite.interop.micrograd import Layer
    >>> Layer(2, 3)
    Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **kwargs: bool) -> None:
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]
        self._name_scopes("")


class MLP(nn.MLP):
    """Layers of as many neurons as `nouts` lists, one behind the other: all relu but the last, which is linear.

    >>> from autograd_lite.interop.micrograd import MLP
    >>> MLP(2, [4, 1])
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(4)]]
    """

    def __init__(self, nin: int, nouts: list[int]) -> None:
        sizes = [nin, *nouts]
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))]
