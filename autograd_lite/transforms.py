"""Functions of numbers made into functions that give their derivatives: grad, jacobian, hessian and the products.

All go the same way: the arguments become nodes, the function runs once on them, and sweeps (reverse or forward) over what it
recorded give the result. A differentiated argument is always a new node, also where the argument is a Value already, so nested
derivatives refer to different nodes and cannot be confused with one another.

Results are floats unless something else could still differentiate them. They are Values (those that are constant are floats all
the same) where an argument or a vector holds a Value, where the function works on the argument of another derivative that is
under way, and where it uses a Value of the user's, made outside or inside it. `no_grad` around a transform says that nothing
is going to differentiate its results, which are floats then; the function is recorded all the same, for its own derivatives.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd_lite import modes, structures
from autograd_lite.engine import Value
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import arguments_under_way, has_leaf, pull_back, push_forward, topological_order, under_way

_Leaves = list[Any]  # the leaves of a structure: Values and numbers


class _Recording:
    """What a function did, on new nodes in the place of its argument's leaves, and the sweeps over it."""

    def __init__(self, role: str, name: str, call: Callable[[Any], Any], argument: Any, outer: bool) -> None:
        """Call the function on the argument. `outer` says whether anything but this transform may differentiate its results."""
        self.role, self.name = role, name
        leaves, self.rebuild_inputs = structures.flatten(argument)
        self.inputs = [_input(x, f"{role}: the argument of {name}") for x in leaves]
        with arguments_under_way(self.inputs):
            self.result = call(self.rebuild_inputs(iter(self.inputs)))
        self.outputs, self.rebuild_outputs = structures.flatten(self.result)
        for y in self.outputs:
            if not isinstance(y, Value):
                self._check_constant(y)
        self.order = topological_order(*_nodes(self.outputs), above=self.inputs)
        self.outer = outer
        self.nested = outer and (_has_node(leaves) or has_leaf(self.order, under_way))

    def _check_constant(self, y: Any) -> None:
        try:
            real_number(y, f"{self.role}: a result of {self.name}")
        except TypeError:
            raise TypeError(
                f"{self.role}: {self.name} returned {type(y).__name__} {y!r:.60}, which is no real number; a result is a number"
                " or a list, tuple, dict or NumPy array of numbers"
            ) from None

    def vector(self, vector: Any, structure: Any) -> _Leaves:
        """The leaves of a vector over `structure`, in the order of its leaves. Raises ValueError if the structures differ."""
        found = structures.leaves_like(vector, structure, f"{self.role}: the vector")
        if not self.outer:
            found = [x.data if isinstance(x, Value) else x for x in found]
        self.nested = self.nested or _has_node(found)
        return [x if isinstance(x, Value) else real_number(x, f"{self.role}: the vector") for x in found]

    def scalar(self, advice: str) -> Any:
        """The only output. Raises TypeError if there is not exactly one."""
        if len(self.outputs) != 1:
            raise TypeError(
                f"{self.role}: {self.name} returned {len(self.outputs)} numbers, and only one can be differentiated; {advice}"
            )
        return self.outputs[0]

    def pull(self, roots: dict[Value, Any], create_graph: bool = False) -> _Leaves:
        """The adjoints of the inputs, given those of some outputs: one reverse sweep."""
        return pull_back(roots, self.inputs, create_graph=create_graph or self.nested, prune=True)

    def push(self, tangents: dict[Value, Any], outputs: _Leaves, order: list[Value]) -> _Leaves:
        """The tangents of some nodes, given those of inputs and the order of the nodes' graph: one forward sweep."""
        sums = push_forward(order, tangents, self.nested)
        return [sums.total(y) if isinstance(y, Value) else 0.0 for y in outputs]

    def finish(self, results: _Leaves) -> _Leaves:
        """Results as the caller gets them."""
        if self.nested:
            return [x if isinstance(x, Value) else float(x) for x in results]
        return [x.data if isinstance(x, Value) else float(x) for x in results]


def _input(x: Any, role: str) -> Value:
    """A node to differentiate with respect to: on top of a Value, or a constant, which no later derivative takes for a leaf."""
    return Value.__record__(TABLE["positive"], (x if isinstance(x, Value) else real_number(x, role),))


def _nodes(leaves: _Leaves) -> list[Value]:
    return [x for x in leaves if isinstance(x, Value)]


def _has_node(leaves: _Leaves) -> bool:
    return any([isinstance(x, Value) for x in leaves])


def _name(f: Callable[..., Any]) -> str:
    while isinstance(f, functools.partial):
        f = f.func
    return f.name if isinstance(f, Primitive) else getattr(f, "__name__", type(f).__name__)


def _check_callable(role: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(f"{role} takes a function, not {type(f).__name__} {f!r:.60}")


def _named_like(f: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """functools.wraps, which gives callables without a name (partial, instances) one too."""

    def named(derivative: Callable[..., Any]) -> Callable[..., Any]:
        functools.update_wrapper(derivative, f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        derivative.__name__ = _name(f)
        return derivative

    return named


@contextmanager
def _recording(role: str, f: Callable[..., Any], call: Callable[[Any], Any], argument: Any) -> Iterator[_Recording]:
    """Call f on the argument (by `call`) and have the sweeps recorded, both in spite of a `no_grad` outside."""
    with modes.lifted_no_grad() as lifted:
        yield _Recording(role, _name(f), call, argument, outer=not lifted)


def _positions(argnums: Any) -> tuple[int, ...]:
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if not chosen or not all([isinstance(i, int) and not isinstance(i, bool) for i in chosen]):
        raise TypeError(f"argnums is the position of an argument or a tuple of positions, not {argnums!r:.60}")
    return chosen


def _differentiator(
    role: str, f: Callable[..., Any], argnums: int | tuple[int, ...], advice: str
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, Any]]:
    """The function that gives f's value and gradient, given its positional and its keyword arguments."""
    _check_callable(role, f)
    chosen = _positions(argnums)

    def differentiated(args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
        places = _places(role, chosen, len(args))

        def call(given: Sequence[Any]) -> Any:
            complete = list(args)
            for i, x in zip(places, given, strict=True):
                complete[i] = x
            return f(*complete, **keywords)

        with _recording(role, f, call, tuple([args[i] for i in places])) as recording:
            y = recording.scalar(advice)
            derivatives = recording.pull({y: 1.0} if isinstance(y, Value) else {})
            value, *finished = recording.finish([y, *derivatives])
        gradients = recording.rebuild_inputs(iter(finished))
        return value, gradients if isinstance(argnums, tuple) else gradients[0]

    return differentiated


def _places(role: str, argnums: tuple[int, ...], count: int) -> list[int]:
    for i in argnums:
        if not -count <= i < count:
            raise IndexError(f"{role}: argnums names argument {i}, but {count} positional arguments were given")
    places = [i % count for i in argnums]
    if len(set(places)) != len(places):
        raise ValueError(f"{role}: argnums {argnums} names an argument twice")
    return places


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient by the argument `argnums`, or a tuple of gradients by several.

    An argument is a number, or a nested structure (list, tuple, dict, NumPy array) of numbers; its gradient has the same
    structure. Other arguments, and keyword arguments, are passed on as they are. Raises TypeError if f is not callable or
    `argnums` no position. When it is called, the new function raises TypeError if an argument holds something else than real
    numbers and Values, or f's result is not one real number; IndexError if it gets fewer positional arguments than `argnums`
    names, ValueError if one is named twice (as 1 and -1).

    >>> import autograd_lite as ag
    >>> ag.value_and_grad(lambda x, y: x * x * y, (0, 1))(3.0, 4.0)
    (36.0, (24.0, 9.0))
    >>> ag.value_and_grad(lambda p: p["slope"] * 2.0 + p["shift"])({"slope": 3.0, "shift": 1.0})
    (7.0, {'slope': 2.0, 'shift': 1.0})
    """
    both = _differentiator("value_and_grad", f, argnums, "sum the results")

    @_named_like(f)
    def differentiated(*args: Any, **keywords: Any) -> tuple[Any, Any]:
        return both(args, keywords)

    return differentiated


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives the gradient of f; arguments and errors as for `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: x**3)(2.0)
    12.0
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    12.0
    """
    return _gradient_function("grad", f, argnums, "use jacobian, or sum the results")


def _gradient_function(role: str, f: Callable[..., Any], argnums: int | tuple[int, ...], advice: str) -> Callable[..., Any]:
    both = _differentiator(role, f, argnums, advice)

    @_named_like(f)
    def differentiated(*args: Any, **keywords: Any) -> Any:
        return both(args, keywords)[1]

    return differentiated


def jacobian(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function that gives the derivatives of all results of f by all elements of its first argument.

    The result has the structure of f's result, with the argument's structure in the place of each number: for lists, a list of
    rows; for NumPy arrays of shapes (m,) and (n,), an array of shape (m, n). One reverse sweep a result, or one forward sweep
    an element where those are fewer. Further arguments are passed on as they are. Errors as for `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    return _jacobian_function("jacobian", f)


def _jacobian_function(role: str, f: Callable[..., Any]) -> Callable[..., Any]:
    _check_callable(role, f)

    @_named_like(f)
    def differentiated(x: Any, /, *others: Any, **keywords: Any) -> Any:
        with _recording(role, f, lambda given: f(given, *others, **keywords), x) as recording:
            rows = [recording.rebuild_inputs(iter(recording.finish(row))) for row in _rows(recording)]
        return recording.rebuild_outputs(iter(rows))

    return differentiated


def _rows(recording: _Recording) -> list[_Leaves]:
    """For each output its derivatives by all inputs."""
    inputs, outputs = recording.inputs, recording.outputs
    if 0 < len(inputs) < len(outputs):
        columns = [recording.push({x: 1.0}, outputs, recording.order) for x in inputs]
        return [list(row) for row in zip(*columns, strict=True)]
    return [recording.pull({y: 1.0} if isinstance(y, Value) else {}) for y in outputs]


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function that gives the second derivatives of f, which has one result, by all elements of its first argument.

    The result has the argument's structure, with the argument's structure in the place of each number: for a list, a list of
    rows; for a NumPy array of shape (n,), an array of shape (n, n). Further arguments are passed on as they are. Errors as for
    `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.hessian(lambda p: p[0] ** 2 * p[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    return _jacobian_function("hessian", _gradient_function("hessian", f, 0, "use jacobian(jacobian(f)), or sum the results"))


def jvp(f: Callable[[Any], Any], xs: Any, vs: Any) -> Any:
    """The Jacobian of f at xs times the vector vs, in the structure of f's result: one forward sweep.

    Raises ValueError if vs has another structure than xs, TypeError as `value_and_grad` does.

    >>> import autograd_lite as ag
    >>> ag.jvp(lambda p: [p[0] * p[1], p[0] + p[1]], [2.0, 3.0], [1.0, 10.0])
    [23.0, 11.0]
    """
    _check_callable("jvp", f)
    with _recording("jvp", f, f, xs) as recording:
        tangents = dict(zip(recording.inputs, recording.vector(vs, xs), strict=True))
        results = recording.finish(recording.push(tangents, recording.outputs, recording.order))
    return recording.rebuild_outputs(iter(results))


def vjp(f: Callable[[Any], Any], xs: Any, ws: Any) -> Any:
    """The vector ws times the Jacobian of f at xs, in the structure of xs: one reverse sweep.

    Raises ValueError if ws has another structure than f's result, TypeError as `value_and_grad` does.

    >>> import autograd_lite as ag
    >>> ag.vjp(lambda p: [p[0] * p[1], p[0] + p[1]], [2.0, 3.0], [1.0, 10.0])
    [13.0, 12.0]
    """
    _check_callable("vjp", f)
    with _recording("vjp", f, f, xs) as recording:
        roots: dict[Value, Any] = {}
        for y, w in zip(recording.outputs, recording.vector(ws, recording.result), strict=True):
            if isinstance(y, Value):
                roots[y] = roots[y] + w if y in roots else w
        results = recording.finish(recording.pull(roots))
    return recording.rebuild_inputs(iter(results))


def hvp(f: Callable[[Any], Any], xs: Any, vs: Any) -> Any:
    """The Hessian of f at xs times the vector vs, in the structure of xs: a forward sweep over the gradient's graph.

    Raises ValueError if vs has another structure than xs, TypeError as `value_and_grad` does.

    >>> import autograd_lite as ag
    >>> ag.hvp(lambda p: p[0] ** 2 * p[1], [2.0, 3.0], [1.0, 10.0])
    [46.0, 4.0]
    """
    _check_callable("hvp", f)
    with _recording("hvp", f, f, xs) as recording:
        y = recording.scalar("sum the results")
        gradients = recording.pull({y: 1.0} if isinstance(y, Value) else {}, create_graph=True)
        tangents = dict(zip(recording.inputs, recording.vector(vs, xs), strict=True))
        order = topological_order(*_nodes(gradients), above=recording.inputs)
        results = recording.finish(recording.push(tangents, gradients, order))
    return recording.rebuild_inputs(iter(results))
