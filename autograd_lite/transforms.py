"""Functions of numbers made into functions that give their derivatives: grad, jacobian, hessian and the products.

All go the same way: the arguments become nodes, the function runs once on them, and sweeps (reverse or forward) over what it
recorded give the result. A differentiated argument is always a new node, also where the argument is a Value already, so nested
derivatives refer to different nodes and cannot be confused with one another.

Results are floats unless something else could still differentiate them. They are Values (those that are constant are floats all
the same) where an argument or a vector holds a Value, where the function works on the argument of another derivative that is
under way, and where it uses a Value of the user's, made outside or inside it. `no_grad` around a transform says that nothing
is going to differentiate its results, which are floats then; the function is recorded all the same, for its own derivatives.

With `has_aux`, or where aux holds no number at all, the function returns a pair (y, aux): y is differentiated, and aux is
handed on, its Values made floats as those of a result are. Objects that are no lists, tuples, dicts or arrays, and those of
them that hold no Value, pass as they are.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from types import MethodType
from typing import Any

from autograd_lite import modes, structures
from autograd_lite.engine import Value
from autograd_lite.pickling import Wrapper, own_name
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE
from autograd_lite.sweep import arguments_under_way, has_leaf, pull_back, push_forward, topological_order, under_way

_Leaves = list[Any]  # the leaves of a structure: Values and numbers


class _Recording:
    """What a function did, on new nodes in the place of its argument's leaves, and the sweeps over it."""

    def __init__(self, role: str, name: str, call: Callable[[Any], Any], argument: Any, outer: bool, has_aux: bool) -> None:
        """Call the function on the argument. `outer` says whether anything but this transform may differentiate its results."""
        self.role, self.name = role, name
        leaves, self.rebuild_inputs = structures.flatten(argument)
        self.inputs = [_input(x, f"{role}: the argument of {name}") for x in leaves]
        with arguments_under_way(self.inputs):
            self.result = call(self.rebuild_inputs(iter(self.inputs)))
        self.has_aux, self.aux = has_aux or self._holds_more_than_numbers(), None
        if self.has_aux:
            self.result, self.aux = self._pair()
        self.outputs, self.rebuild_outputs = structures.flatten(self.result)
        for y in self.outputs:
            if not isinstance(y, Value):
                self._check_constant(y)
        self.order = topological_order(*_nodes(self.outputs), above=self.inputs)
        self.outer = outer
        self.nested = outer and (_has_node(leaves) or has_leaf(self.order, under_way))

    def _holds_more_than_numbers(self) -> bool:
        """Whether the result is a pair of which the first part alone can be differentiated: the second holds no number."""
        if type(self.result) is not tuple or len(self.result) != 2:
            return False
        others = structures.flatten(self.result[1])[0]
        return not any([isinstance(x, Real) for x in others])

    def _pair(self) -> tuple[Any, Any]:
        if isinstance(self.result, tuple) and len(self.result) == 2:
            return self.result
        raise TypeError(f"{self.role}: with has_aux {self.name} returns a pair (y, aux), not {self.result!r:.60}")

    def _check_constant(self, y: Any) -> None:
        try:
            real_number(y, f"{self.role}: a result of {self.name}")
        except TypeError:
            raise TypeError(
                f"{self.role}: {self.name} returned {type(y).__name__} {y!r:.60}, which is no real number; a result is a number"
                f" or a list, tuple, dict or NumPy array of numbers{self._aux_advice()}"
            ) from None

    def _aux_advice(self) -> str:
        is_pair = isinstance(self.result, tuple) and len(self.result) == 2 and not self.has_aux
        return "; if it returns a pair (y, aux), of which y alone is differentiated, give has_aux=True" if is_pair else ""

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
                f"{self._aux_advice()}"
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

    def with_aux(self, result: Any) -> Any:
        """The result, in a pair with what the function returned beside it if `has_aux`."""
        if not self.has_aux:
            return result
        nodes: list[Value] = []
        structures.replaced(self.aux, Value, nodes.append)
        if self.nested or (self.outer and has_leaf(topological_order(*nodes, above=self.inputs), under_way)):
            return result, self.aux
        return result, structures.replaced(self.aux, Value, lambda x: x.data)


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


@contextmanager
def _recording(
    role: str, f: Callable[..., Any], call: Callable[[Any], Any], argument: Any, has_aux: bool
) -> Iterator[_Recording]:
    """Call f on the argument (by `call`) and have the sweeps recorded, both in spite of a `no_grad` outside."""
    with modes.lifted_no_grad() as lifted:
        yield _Recording(role, _name(f), call, argument, not lifted, has_aux)


def _positions(argnums: Any) -> tuple[int, ...]:
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if not chosen or not all([isinstance(i, int) and not isinstance(i, bool) for i in chosen]):
        raise TypeError(f"argnums is the position of an argument or a tuple of positions, not {argnums!r:.60}")
    return chosen


def _places(role: str, argnums: tuple[int, ...], count: int) -> list[int]:
    for i in argnums:
        if not -count <= i < count:
            raise IndexError(f"{role}: argnums names argument {i}, but {count} positional arguments were given")
    places = [i % count for i in argnums]
    if len(set(places)) != len(places):
        raise ValueError(f"{role}: argnums {argnums} names an argument twice")
    return places


class _Transformed(Wrapper):
    """A function under a transform: recorded when it is called, by the arguments `argnums`; `compute` makes the result of that.

    It has the name, text and signature of the function, and is a method where the function would be one. It is pickled as the
    call that made it, `made_by` on a function and its options; or by its own name, where it has taken the function's.
    """

    def __init__(
        self,
        role: str,
        f: Callable[..., Any],
        argnums: int | tuple[int, ...],
        has_aux: bool,
        compute: Callable[[_Recording], Any],
        made_by: tuple[Any, ...],
    ) -> None:
        _check_callable(role, f)
        functools.update_wrapper(self, f, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        self.__name__ = _name(f)
        self._role, self.function, self._has_aux, self._compute, self._made_by = role, f, has_aux, compute, made_by
        self._several, self._argnums = isinstance(argnums, tuple), _positions(argnums)

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        places = _places(self._role, self._argnums, len(args))

        def call(given: Any) -> Any:
            complete = list(args)
            for i, x in zip(places, given if self._several else (given,), strict=True):
                complete[i] = x
            return self.function(*complete, **keywords)

        chosen = tuple([args[i] for i in places]) if self._several else args[places[0]]
        with _recording(self._role, self.function, call, chosen, self._has_aux) as recording:
            return self._compute(recording)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self._role} of {self.__name__}>"

    def __copy__(self) -> _Transformed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Transformed:
        make, f, *options = self._made_by
        twin = copy.deepcopy(f, memo)
        return self if twin is f else make(twin, *options)

    def __reduce__(self) -> str | tuple[Any, ...]:
        make, f, *options = self._made_by
        return own_name(self, f, f"{self._role} of {self.__name__}") or (make, (f, *options))


def value_and_grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient by the argument `argnums`, or a tuple of gradients by several.

    An argument is a number, or a nested structure (list, tuple, dict, NumPy array) of numbers; its gradient has the same
    structure. Other arguments, and keyword arguments, are passed on as they are. With `has_aux` f returns a pair (y, aux), of
    which y is differentiated, and the new function ((value, aux), gradient). Raises TypeError if f is not callable or
    `argnums` no position. When it is called, the new function raises TypeError if an argument holds something else than real
    numbers and Values, or f's result is not one real number; IndexError if it gets fewer positional arguments than `argnums`
    names, ValueError if one is named twice (as 1 and -1).

    Functions that are found by their names in a module can be pickled under a transform; PicklingError says of others why not.

    >>> import autograd_lite as ag
    >>> ag.value_and_grad(lambda x, y: x * x * y, (0, 1))(3.0, 4.0)
    (36.0, (24.0, 9.0))
    >>> ag.value_and_grad(lambda p: p["slope"] * 2.0 + p["shift"])({"slope": 3.0, "shift": 1.0})
    (7.0, {'slope': 2.0, 'shift': 1.0})
    """

    def value_and_gradient(recording: _Recording) -> tuple[Any, Any]:
        value, gradient = _value_and_gradient(recording, "sum the results")
        return recording.with_aux(value), gradient

    made_by = value_and_grad, f, argnums, has_aux
    return _Transformed("value_and_grad", f, argnums, has_aux, value_and_gradient, made_by)


def _value_and_gradient(recording: _Recording, advice: str) -> tuple[Any, Any]:
    y = recording.scalar(advice)
    derivatives = recording.pull({y: 1.0} if isinstance(y, Value) else {})
    value, *finished = recording.finish([y, *derivatives])
    return value, recording.rebuild_inputs(iter(finished))


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of f, or with `has_aux` (gradient, aux); the rest as for `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: x**3)(2.0)
    12.0
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    12.0
    """
    compute = _gradient_computer("use jacobian, or sum the results")
    return _Transformed("grad", f, argnums, has_aux, compute, (grad, f, argnums, has_aux))


def _gradient_computer(advice: str) -> Callable[[_Recording], Any]:
    return lambda recording: recording.with_aux(_value_and_gradient(recording, advice)[1])


def jacobian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the derivatives of all results of f by all elements of the argument `argnums`.

    The result has the structure of f's result, with the argument's structure in the place of each number: for lists, a list of
    rows; for NumPy arrays of shapes (m,) and (n,), an array of shape (m, n). For a tuple of `argnums` a tuple, with an entry
    for each argument, stands in the place of each number, and of each array, of f's result. With `has_aux` the new function
    gives (derivatives, aux). One reverse sweep a result, or one forward sweep an element where those are fewer. Other
    arguments are passed on as they are. Errors as for `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    compute = _jacobian_computer(argnums)
    return _Transformed("jacobian", f, argnums, has_aux, compute, (jacobian, f, argnums, has_aux))


def _jacobian_computer(argnums: Any) -> Callable[[_Recording], Any]:
    if not isinstance(argnums, tuple):
        return lambda recording: recording.with_aux(recording.rebuild_outputs(_derivatives(recording)))

    def by_several(recording: _Recording) -> Any:
        outputs, rebuild = structures.flatten(recording.result, arrays=False)
        derivatives = _derivatives(recording)
        places = []
        for y in outputs:
            numbers, rebuild_numbers = structures.flatten(y)
            rows = [next(derivatives) for _ in numbers]
            places.append(tuple([rebuild_numbers(iter([row[i] for row in rows])) for i in range(len(argnums))]))
        return recording.with_aux(rebuild(iter(places)))

    return by_several


def _derivatives(recording: _Recording) -> Iterator[Any]:
    """For each output its derivatives, in the structure of the inputs."""
    return iter([recording.rebuild_inputs(iter(recording.finish(row))) for row in _rows(recording)])


def _rows(recording: _Recording) -> list[_Leaves]:
    """For each output its derivatives by all inputs."""
    inputs, outputs = recording.inputs, recording.outputs
    if 0 < len(inputs) < len(outputs):
        columns = [recording.push({x: 1.0}, outputs, recording.order) for x in inputs]
        return [list(row) for row in zip(*columns, strict=True)]
    return [recording.pull({y: 1.0} if isinstance(y, Value) else {}) for y in outputs]


def hessian(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the second derivatives of f, which has one result, by all elements of the argument `argnums`.

    The result has the argument's structure, with the argument's structure in the place of each number: for a list, a list of
    rows; for a NumPy array of shape (n,), an array of shape (n, n). For a tuple of `argnums` it is the `jacobian` of the tuple
    of gradients: for numbers and arrays, a tuple of tuples. With `has_aux` the new function gives (derivatives, aux). Other
    arguments are passed on as they are. Errors as for `value_and_grad`.

    >>> import autograd_lite as ag
    >>> ag.hessian(lambda p: p[0] ** 2 * p[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    made_by, compute = (hessian, f, argnums, has_aux), _gradient_computer("use jacobian(jacobian(f)), or sum the results")
    gradient = _Transformed("hessian", f, argnums, has_aux, compute, made_by)
    return _Transformed("hessian", gradient, argnums, has_aux, _jacobian_computer(argnums), made_by)


def _caller(role: str, f: Any, xs: Any) -> Callable[[Any], Any]:
    """What calls f on the nodes that stand in the place of xs: a tuple holds several arguments, if f takes as many.

    Raises TypeError where f takes neither, or where both could be meant.
    """
    _check_callable(role, f)

    def call(given: Any) -> Any:
        try:
            return f(given)
        except TypeError as error:
            if _takes(f, 1):
                raise
            raise TypeError(f"{role}: {error}; xs is one argument, and several are given as a tuple (x, y)") from error

    def call_with_several(given: Any) -> Any:
        try:
            return f(*given)
        except TypeError as error:
            if len(given) == 1:
                error.add_note(f"{role}: the tuple xs holds the argument of {_name(f)}; one that is a tuple itself is (xs,)")
            raise

    if type(xs) is not tuple:
        return call
    as_one, several = _takes(f, 1), _takes(f, len(xs))
    if several and (not as_one or len(xs) == 1):
        return call_with_several
    if as_one and not several:
        return call
    if several:
        raise TypeError(
            f"{role}: {_name(f)} could take the tuple xs as {len(xs)} arguments or as one; say which: by (xs,) and (vs,) as"
            " one, or by a function that takes neither more nor fewer arguments than are meant"
        )
    raise TypeError(f"{role}: {_name(f)} takes neither {len(xs)} arguments, as many as the tuple xs holds, nor one")


def _takes(f: Any, count: int) -> bool:
    """Whether f can be called with `count` positional arguments, as far as is known."""
    if isinstance(f, Primitive):
        return f.variadic or 0 <= len(f.domain) - count <= len(f.defaults)
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # some functions written in C do not say
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def jvp(f: Callable[..., Any], xs: Any, vs: Any, has_aux: bool = False) -> Any:
    """The Jacobian of f at xs times the vector vs, in the structure of f's result: one forward sweep.

    xs is f's argument, a number or a structure of numbers, and vs has its structure. A tuple xs holds the arguments of a
    function of several, or a single one, and vs is the tuple of their vectors: ``jvp(f, (x, y), (v, w))``. (A tuple of two or
    more is the one argument of a function that takes just one; a named tuple is always one.) With `has_aux` f returns a pair
    (y, aux), and this (product, aux).

    Raises ValueError if vs has another structure than xs; TypeError as `value_and_grad` does, and where a tuple could be meant
    either way, for a function with optional arguments: then ``((x, y),)`` is one argument that is a tuple.

    >>> import autograd_lite as ag
    >>> ag.jvp(lambda p: [p[0] * p[1], p[0] + p[1]], [2.0, 3.0], [1.0, 10.0])
    [23.0, 11.0]
    """
    with _recording("jvp", f, _caller("jvp", f, xs), xs, has_aux) as recording:
        tangents = dict(zip(recording.inputs, recording.vector(vs, xs), strict=True))
        results = recording.finish(recording.push(tangents, recording.outputs, recording.order))
        return recording.with_aux(recording.rebuild_outputs(iter(results)))


def vjp(f: Callable[..., Any], xs: Any, ws: Any, has_aux: bool = False) -> Any:
    """The vector ws times the Jacobian of f at xs, in the structure of xs: one reverse sweep.

    xs is f's argument or a tuple of several, as for `jvp`. With `has_aux` f returns a pair (y, aux), and this (product, aux).
    Raises ValueError if ws has another structure than f's result, TypeError as `jvp` does.

    >>> import autograd_lite as ag
    >>> ag.vjp(lambda p: [p[0] * p[1], p[0] + p[1]], [2.0, 3.0], [1.0, 10.0])
    [13.0, 12.0]
    """
    with _recording("vjp", f, _caller("vjp", f, xs), xs, has_aux) as recording:
        roots: dict[Value, Any] = {}
        for y, w in zip(recording.outputs, recording.vector(ws, recording.result), strict=True):
            if isinstance(y, Value):
                roots[y] = roots[y] + w if y in roots else w
        results = recording.finish(recording.pull(roots))
        return recording.with_aux(recording.rebuild_inputs(iter(results)))


def hvp(f: Callable[..., Any], xs: Any, vs: Any, has_aux: bool = False) -> Any:
    """The Hessian of f at xs times the vector vs, in the structure of xs: a forward sweep over the gradient's graph.

    xs is f's argument or a tuple of several, as for `jvp`. With `has_aux` f returns a pair (y, aux), and this (product, aux).
    Raises ValueError if vs has another structure than xs, TypeError as `jvp` does.

    >>> import autograd_lite as ag
    >>> ag.hvp(lambda p: p[0] ** 2 * p[1], [2.0, 3.0], [1.0, 10.0])
    [46.0, 4.0]
    """
    with _recording("hvp", f, _caller("hvp", f, xs), xs, has_aux) as recording:
        y = recording.scalar("sum the results")
        gradients = recording.pull({y: 1.0} if isinstance(y, Value) else {}, create_graph=True)
        tangents = dict(zip(recording.inputs, recording.vector(vs, xs), strict=True))
        order = topological_order(*_nodes(gradients), above=recording.inputs)
        results = recording.finish(recording.push(tangents, gradients, order))
        return recording.with_aux(recording.rebuild_inputs(iter(results)))
