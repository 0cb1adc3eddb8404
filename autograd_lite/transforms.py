"""Functions of numbers made into functions that give their derivatives: grad, jacobian, hessian and the products.

All go the same way: the arguments become Values, the function runs once on them, and one sweep (reverse or forward) over what it
recorded gives the result. A differentiated argument is a node of its own, also where the argument is a Value already, so nested
derivatives refer to different nodes and cannot be confused with one another. Results are floats unless something outside could
still differentiate them: where an argument is a Value, or the function used a Value from outside, they are Values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite import structures
from autograd_lite.engine import Value
from autograd_lite.primitives import positive, real_number
from autograd_lite.sweep import dependents, pull_back, push_forward, topological_order


class _Recorded:
    """A function's outputs at a point, as leaves, with the nodes that its differentiated arguments became."""

    def __init__(self, f: Callable[..., Any], given: Any, call: Callable[[Any], Any], role: str) -> None:
        leaves, self.rebuild_inputs = structures.flatten(given)
        self.inputs = [
            positive(x) if isinstance(x, Value) else Value(real_number(x, f"{role}: a differentiated argument")) for x in leaves
        ]
        outputs = call(self.rebuild_inputs(iter(self.inputs)))
        self.outputs, self.rebuild_outputs = structures.flatten(outputs)
        self.role, self.name = role, getattr(f, "__name__", repr(f))
        for y in self.outputs:
            if not isinstance(y, Value):
                real_number(y, f"{role}: a result of {self.name}")
        self.order = topological_order(*[y for y in self.outputs if isinstance(y, Value)])
        ours = set(self.inputs)
        self.nested = any([isinstance(x, Value) for x in leaves]) or any(
            [node.op is None and node not in ours for node in self.order]
        )

    @property
    def scalar(self) -> Value | float:
        """The only output. Raises TypeError if there is not exactly one."""
        if len(self.outputs) != 1:
            raise TypeError(
                f"{self.role} differentiates a function with one real result; {self.name} gave {len(self.outputs)};"
                " use jacobian, or sum the results"
            )
        return self.outputs[0]  # type: ignore[no-any-return]

    def result(self, x: Any) -> Any:
        """A result as the caller gets it: a float unless it can be differentiated further."""
        if self.nested:
            return x
        return x.data if isinstance(x, Value) else float(x)

    def pull(self, roots: dict[Value, Any], create_graph: bool | None = None) -> list[Any]:
        """The adjoints of the inputs, given those of some outputs."""
        return pull_back(roots, self.inputs, self.nested if create_graph is None else create_graph)

    def gradient(self, create_graph: bool | None = None) -> list[Any]:
        """The derivatives of the only output by each input."""
        y = self.scalar
        return self.pull({y: 1.0} if isinstance(y, Value) else {}, create_graph)

    def push(self, vectors: list[Any], outputs: list[Any] | None = None) -> list[Any]:
        """The tangents of the outputs (or of other nodes), given those of the inputs."""
        outputs = self.outputs if outputs is None else outputs
        order = topological_order(*[y for y in outputs if isinstance(y, Value)])
        tangents = dict(zip(self.inputs, vectors, strict=True))
        # An argument that is a Value below the point of differentiation has no tangent of its own.
        push_forward(_above(order, self.inputs), tangents, self.nested)
        return [tangents.get(y, 0.0) if isinstance(y, Value) else 0.0 for y in outputs]


def _above(order: list[Value], inputs: list[Value]) -> list[Value]:
    wanted = dependents(order, inputs)
    return [node for node in order if node in wanted]


def _record(f: Callable[..., Any], argument: Any, role: str) -> _Recorded:
    return _Recorded(f, argument, f, role)


def _vector(like: list[Any], vector: Any, role: str) -> list[Any]:
    """The leaves of a vector, as many as `like` has. Raises ValueError if there are more or fewer."""
    leaves, _ = structures.flatten(vector)
    if len(leaves) != len(like):
        raise ValueError(f"{role}: the vector has {len(leaves)} elements, {len(like)} are needed")
    return [x if isinstance(x, Value) else real_number(x, f"{role}: the vector") for x in leaves]


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient by the argument `argnums`, or a tuple of gradients by several.

    An argument is a number, or a nested structure (list, tuple, dict, NumPy array) of numbers; its gradient has the same structure.
    Other arguments, and keyword arguments, are passed on as they are. The result's first call raises TypeError if f's result is
    not one number, IndexError if f gets fewer positional arguments than `argnums` names.
    """
    several = isinstance(argnums, tuple)
    chosen: Sequence[int] = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(i, int) and not isinstance(i, bool) for i in chosen) or len(set(chosen)) != len(chosen) or not chosen:
        raise TypeError(f"argnums is a position or a tuple of different positions, not {argnums!r}")

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def differentiated(*args: Any, **keywords: Any) -> tuple[Any, Any]:
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise IndexError(f"argnums names argument {i}, but {len(args)} positional arguments were given")

        def call(inputs: Any) -> Any:
            complete = list(args)
            for i, x in zip(chosen, inputs, strict=True):
                complete[i] = x
            return f(*complete, **keywords)

        recorded = _Recorded(f, tuple([args[i] for i in chosen]), call, "grad")
        gradients = recorded.rebuild_inputs(iter([recorded.result(g) for g in recorded.gradient()]))
        return recorded.result(recorded.scalar), gradients if several else gradients[0]

    return differentiated


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives the gradient of f; arguments and errors as for `value_and_grad`."""
    both = value_and_grad(f, argnums)

    @functools.wraps(both, updated=())
    def differentiated(*args: Any, **keywords: Any) -> Any:
        return both(*args, **keywords)[1]

    return differentiated


def jacobian(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that gives the derivatives of all results of f by all elements of its one argument.

    The result has the structure of f's result, with the argument's structure in the place of each number: for lists, a list of rows;
    for NumPy arrays of shapes (m,) and (n,), an array of shape (m, n). One reverse sweep a result, or one forward sweep an
    argument where those are fewer.
    """

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def differentiated(x: Any) -> Any:
        recorded = _record(f, x, "jacobian")
        n = len(recorded.inputs)
        if n < len(recorded.outputs):
            units = [[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)]
            columns = [recorded.push(unit) for unit in units]
            rows = [list(row) for row in zip(*columns, strict=True)]
        else:
            rows = [recorded.pull({y: 1.0} if isinstance(y, Value) else {}) for y in recorded.outputs]
        finished = [recorded.rebuild_inputs(iter([recorded.result(d) for d in row])) for row in rows]
        return recorded.rebuild_outputs(iter(finished))

    return differentiated


def hessian(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that gives the second derivatives of f, a function of one argument with one result: jacobian(grad(f)).

    The result has the argument's structure, with the argument's structure in the place of each number: for a list, a list of rows.
    """
    return jacobian(grad(f))


def jvp(f: Callable[[Any], Any], xs: Any, vs: Any) -> Any:
    """The Jacobian of f at xs times the vector vs, in the structure of f's result: one forward sweep.

    Raises ValueError if vs has not as many elements as xs.
    """
    recorded = _record(f, xs, "jvp")
    tangents = recorded.push(_vector(recorded.inputs, vs, "jvp"))
    return recorded.rebuild_outputs(iter([recorded.result(t) for t in tangents]))


def vjp(f: Callable[[Any], Any], xs: Any, ws: Any) -> Any:
    """The vector ws times the Jacobian of f at xs, in the structure of xs: one reverse sweep.

    Raises ValueError if ws has not as many elements as f has results.
    """
    recorded = _record(f, xs, "vjp")
    roots: dict[Value, Any] = {}
    for y, w in zip(recorded.outputs, _vector(recorded.outputs, ws, "vjp"), strict=True):
        if isinstance(y, Value):
            roots[y] = roots[y] + w if y in roots else w
    return recorded.rebuild_inputs(iter([recorded.result(g) for g in recorded.pull(roots)]))


def hvp(f: Callable[[Any], Any], xs: Any, vs: Any) -> Any:
    """The Hessian of f at xs times the vector vs, in the structure of xs: a forward sweep over the gradient's graph."""
    recorded = _record(f, xs, "hvp")
    gradients = recorded.gradient(create_graph=True)
    products = recorded.push(_vector(recorded.inputs, vs, "hvp"), gradients)
    return recorded.rebuild_inputs(iter([recorded.result(p) for p in products]))
