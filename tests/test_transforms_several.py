"""Transforms by several arguments, with auxiliary results, and what a tuple of jvp, vjp and hvp stands for."""

import functools
import inspect
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value

integers = st.integers(-50, 50).map(float)


def cubic(x, y):
    return x * x * y + 3.0 * y * y * y


# --- argnums


@given(integers, integers)
def test_jacobians_and_hessians_by_any_argument(x, y):
    """Integers: every result is exact."""
    by_x, by_y = 2.0 * x * y, x * x + 9.0 * y * y
    f = lambda x, y: [cubic(x, y), y]
    assert ag.jacobian(f, 0)(x, y) == [by_x, 0.0]
    assert ag.jacobian(f, argnums=-1)(x, y) == [by_y, 1.0]
    assert ag.jacobian(f, (0, 1))(x, y) == [(by_x, by_y), (0.0, 1.0)]
    assert ag.jacobian(f, (1,))(x, y) == [(by_y,), (1.0,)]
    assert ag.jacobian(cubic, (1, 0))(x, y) == (by_y, by_x)
    assert ag.hessian(cubic)(x, y) == 2.0 * y
    assert ag.hessian(cubic, 1)(x, y) == 18.0 * y
    assert ag.hessian(cubic, argnums=(0, 1))(x, y) == ((2.0 * y, 2.0 * x), (2.0 * x, 18.0 * y))
    assert ag.hessian(cubic, (1, 0))(x, y) == ((18.0 * y, 2.0 * x), (2.0 * x, 2.0 * y))


def test_argnums_of_structures_stand_where_jax_puts_them():
    """A tuple, an entry for each argument, in the place of each number, and of each array, of the result."""
    f = lambda v, d: {"p": v[0] * d["a"], "q": [v[1], 2.0 * d["a"]]}
    assert ag.jacobian(f, (0, 1))([2.0, 3.0], {"a": 5.0}) == {
        "p": ([5.0, 0.0], {"a": 2.0}),
        "q": [([0.0, 1.0], {"a": 0.0}), ([0.0, 0.0], {"a": 2.0})],
    }
    h = ag.hessian(lambda v, d: v[0] * v[0] * v[1] * d["a"], (0, 1))([2.0, 3.0], {"a": 5.0})
    assert h == (
        [([30.0, 20.0], {"a": 12.0}), ([20.0, 0.0], {"a": 4.0})],
        {"a": ([12.0, 4.0], {"a": 0.0})},
    )


def test_argnums_of_arrays_give_arrays():
    m, n = np.arange(6.0).reshape(3, 2), np.arange(12.0).reshape(3, 4)
    by_u, by_v, by_c = ag.jacobian(lambda u, v, c: m @ u + n @ v * c, (0, 1, 2))(np.ones(2), np.ones(4), 2.0)
    assert (by_u == m).all()
    assert (by_v == 2.0 * n).all()
    assert (by_c == n.sum(axis=1)).all()
    assert (by_u.shape, by_v.shape, by_c.shape, by_u.dtype) == ((3, 2), (3, 4), (3,), float)
    (uu, uv), (vu, vv) = ag.hessian(lambda u, v: (u @ (m.T @ n) @ v) * u[0], (0, 1))(np.array([2.0, 0.0]), np.ones(4))
    k = m.T @ n
    first = np.array([1.0, 0.0])
    assert (uu == np.outer(k @ np.ones(4), first) + np.outer(first, k @ np.ones(4))).all()
    assert (uv == np.outer(first, [2.0, 0.0] @ k) + 2.0 * k).all()
    assert (vu == uv.T).all()
    assert (vv == np.zeros((4, 4))).all()
    nothing = ag.jacobian(lambda u, v: m[:0] @ u, (0, 1))(np.ones(2), np.ones(4))
    assert [x.shape[0] for x in nothing] == [0, 0]


def test_the_other_arguments_are_passed_as_they_are():
    options = object()

    def f(x, given, y, *, scale):
        assert given is options
        return [x * x * y * scale]

    assert ag.jacobian(f, 2)(2.0, options, 3.0, scale=10.0) == [40.0]
    assert ag.jacobian(f, (2, 0))(2.0, options, 3.0, scale=10.0) == [(40.0, 120.0)]
    assert ag.hessian(lambda *xs, scale: f(*xs, scale=scale)[0], -1)(2.0, options, 3.0, scale=10.0) == 0.0


@pytest.mark.parametrize("transform", [ag.jacobian, ag.hessian])
def test_errors_of_argnums(transform):
    with pytest.raises(IndexError, match=f"{transform.__name__}: argnums names argument 2, but 2 positional"):
        transform(cubic, 2)(1.0, 2.0)
    with pytest.raises(ValueError, match=f"{transform.__name__}: argnums .* names an argument twice"):
        transform(cubic, (0, -2))(1.0, 2.0)
    with pytest.raises(TypeError, match="argnums is the position"):
        transform(cubic, "x")


# --- jvp, vjp and hvp of several arguments


@given(integers, integers, integers, integers)
def test_products_of_several_arguments(x, y, v, w):
    by_x, by_y = 2.0 * x * y, x * x + 9.0 * y * y
    assert ag.jvp(cubic, (x, y), (v, w)) == by_x * v + by_y * w
    assert ag.vjp(cubic, (x, y), v) == (by_x * v, by_y * v)
    assert ag.hvp(cubic, (x, y), (v, w)) == (2.0 * y * v + 2.0 * x * w, 2.0 * x * v + 18.0 * y * w)
    assert ag.jvp(lambda x: x * x, (x,), (v,)) == 2.0 * x * v
    assert ag.vjp(lambda x: x * x, (x,), v) == (2.0 * x * v,)
    assert ag.hvp(lambda x: x * x * x, (x,), (v,)) == (6.0 * x * v,)


def test_arguments_of_products_are_structures_too():
    f = lambda p, x: {"y": p["w"] * x[0] + p["b"], "z": x[1]}
    point = {"w": 2.0, "b": 1.0}, [3.0, 4.0]
    assert ag.jvp(f, point, ({"b": 1.0, "w": 10.0}, [0.0, 5.0])) == {"y": 31.0, "z": 5.0}
    assert ag.vjp(f, point, {"y": 1.0, "z": 10.0}) == ({"w": 3.0, "b": 1.0}, [2.0, 10.0])
    with pytest.raises(ValueError, match="jvp: the vector is a tuple of length 1; a sequence of length 2"):
        ag.jvp(f, point, ({"b": 1.0, "w": 10.0},))
    with pytest.raises(ValueError, match=r"jvp: the vector is float 1\.0; a sequence of length 1"):
        ag.jvp(ag.sin, (1.0,), 1.0)


class Pair(NamedTuple):
    left: Any
    right: Any


def test_one_argument_may_be_a_tuple():
    """A tuple of two or more is the one argument of a function that takes no more; a named tuple always is one."""
    product = lambda p: p[0] * p[1]
    assert ag.jvp(product, (2.0, 3.0), (1.0, 10.0)) == 23.0
    assert ag.vjp(product, (2.0, 3.0), 1.0) == (3.0, 2.0)
    assert ag.hvp(product, (2.0, 3.0), (1.0, 10.0)) == (10.0, 1.0)
    assert ag.jvp(product, ((2.0, 3.0),), ((1.0, 10.0),)) == 23.0
    assert ag.vjp(product, ((2.0, 3.0),), 1.0) == ((3.0, 2.0),)
    assert ag.vjp(product, [2.0, 3.0], 1.0) == [3.0, 2.0]
    assert ag.vjp(lambda p, scale=1.0: p.left * p.right * scale, Pair(2.0, 3.0), 1.0) == Pair(3.0, 2.0)


@pytest.mark.parametrize("product", [ag.jvp, ag.hvp, ag.vjp])
def test_tuples_that_could_be_meant_either_way_are_refused(product):
    vector = 1.0 if product is ag.vjp else (1.0, 1.0)
    several = [lambda x, y=2.0: x * y, lambda *xs: ag.sum(xs), ag.sum, sum, max, functools.partial(max, 1.0)]
    for f in several:
        with pytest.raises(TypeError, match=rf"{product.__name__}: .* could take the tuple xs as 2 arguments or as one; say"):
            product(f, (1.0, 2.0), vector)
    f = lambda x, y=2.0: x * y
    expected = {ag.jvp: 5.0, ag.vjp: (3.0, 2.0), ag.hvp: (1.0, 1.0)}[product]
    assert product(lambda x, y: f(x, y), (2.0, 3.0), vector) == expected
    assert product(lambda p: ag.multiply(*p), (2.0, 3.0), vector) == expected
    assert product(ag.multiply, (2.0, 3.0), vector) == expected


def test_the_wrong_number_of_arguments_is_an_error_that_says_how():
    with pytest.raises(TypeError, match="jvp: cubic takes neither 3 arguments, as many as the tuple xs holds, nor one"):
        ag.jvp(cubic, (1.0, 2.0, 3.0), (1.0, 0.0, 0.0))
    with pytest.raises(TypeError, match=r"hvp: .*missing 1 required .*'y'; xs is one argument, and several are given as"):
        ag.hvp(cubic, [1.0, 2.0], [1.0, 0.0])
    with pytest.raises(TypeError, match="not subscriptable") as caught:
        ag.jvp(lambda p: p[0], (1.0,), (1.0,))
    assert caught.value.__notes__ == ["jvp: the tuple xs holds the argument of <lambda>; one that is a tuple itself is (xs,)"]
    with pytest.raises(TypeError, match="a bug of the function"):
        ag.jvp(lambda p: throw(TypeError("a bug of the function")), 1.0, 1.0)


def throw(error):
    raise error


# --- nested, and compiled

DERIVATIVES = {
    "jacobian": lambda x, y: ag.jacobian(lambda x, y: [cubic(x, y), x], (0, 1))(x, y),
    "hessian": lambda x, y: ag.hessian(cubic, (0, 1))(x, y),
    "hessian by the second": lambda x, y: ag.hessian(cubic, 1)(x, y),
    "jvp": lambda x, y: ag.jvp(cubic, (x, y), (y, x)),
    "vjp": lambda x, y: ag.vjp(cubic, (x, y), x),
    "hvp": lambda x, y: ag.hvp(cubic, (x, y), (1.0, y)),
    "aux": lambda x, y: ag.value_and_grad(lambda x, y: (cubic(x, y), [x * y, 2]), (0, 1), has_aux=True)(x, y),
    "aux of all": lambda x, y: [
        ag.grad(lambda x: (cubic(x, y), x), has_aux=True)(x),
        ag.jacobian(lambda x: ([cubic(x, y)], x), has_aux=True)(x),
        ag.hessian(lambda x: (cubic(x, y), x), has_aux=True)(x),
        ag.jvp(lambda x: (cubic(x, y), x), (x,), (y,), has_aux=True),
        ag.vjp(lambda x: (cubic(x, y), x), (x,), y, has_aux=True),
        ag.hvp(lambda x: (cubic(x, y), x), (x,), (y,), has_aux=True),
    ],
}


def flat(x):
    if isinstance(x, dict):
        x = list(x.values())
    return [z for y in x for z in flat(y)] if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize("name", DERIVATIVES)
@given(integers, integers)
def test_inside_other_derivatives_they_are_exact(name, x, y):
    """The polynomials that results are have derivatives that integers show exactly: by central differences of order 4."""
    f = lambda x, y: flat(DERIVATIVES[name](x, y))
    assert all(type(z) is float or z == 2 for z in f(x, y))
    got = ag.jacobian(f, (0, 1))(x, y)
    for i, (by_x, by_y) in enumerate(got):
        assert by_x == slope(lambda t: f(t, y)[i], x)
        assert by_y == slope(lambda t: f(x, t)[i], y)


def slope(f, x):
    """Exact for polynomials to degree 4."""
    return (8.0 * (f(x + 1.0) - f(x - 1.0)) - (f(x + 2.0) - f(x - 2.0))) / 12.0


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", DERIVATIVES)
def test_compiled_they_are_the_same(name, exact):
    kernel = ag.compile(DERIVATIVES[name], exact=exact)
    points = [(2.0, 3.0), (-1.0, 4.0), (0.0, 0.0)]
    for x, y in points:
        assert kernel(x, y) == DERIVATIVES[name](x, y)
    batch = flat(kernel(np.array([x for x, _ in points]), np.array([y for _, y in points])))
    for i, point in enumerate(points):
        assert [float(x[i]) if np.ndim(x) else x for x in batch] == flat(kernel(*point))


def test_transforms_compile_directly():
    assert ag.compile(ag.hessian(cubic, argnums=(0, 1)))(2.0, 3.0) == ((6.0, 4.0), (4.0, 54.0))
    assert ag.compile(ag.jacobian(cubic, 1))(2.0, 3.0) == 85.0
    assert ag.compile(ag.grad(lambda x: (x * x, {"twice": 2.0 * x}), has_aux=True))(3.0) == (6.0, {"twice": 6.0})
    with pytest.raises(TypeError, match="returned str 'log', which is no real number"):
        ag.compile(ag.grad(lambda x: (x * x, "log"), has_aux=True))(3.0)


# --- has_aux


def with_log(x, y=1.0):
    return x * x * y, "log"


def test_results_with_aux_are_those_of_jax():
    assert ag.value_and_grad(with_log, has_aux=True)(3.0) == ((9.0, "log"), 6.0)
    assert ag.value_and_grad(with_log, (0, 1), has_aux=True)(3.0, 2.0) == ((18.0, "log"), (12.0, 9.0))
    assert ag.grad(with_log, has_aux=True)(3.0) == (6.0, "log")
    assert ag.jacobian(lambda x: ([x, x * x], None), has_aux=True)(3.0) == ([1.0, 6.0], None)
    assert ag.jacobian(lambda x: (np.array([x, x * x]), None), (0,), has_aux=True)(3.0)[0][0].tolist() == [1.0, 6.0]
    assert ag.hessian(with_log, has_aux=True)(3.0) == (2.0, "log")
    assert ag.jvp(lambda x: with_log(x), 3.0, 10.0, has_aux=True) == (60.0, "log")
    assert ag.vjp(lambda x: with_log(x), 3.0, 10.0, has_aux=True) == (60.0, "log")
    assert ag.hvp(lambda x: with_log(x), 3.0, 10.0, has_aux=True) == (20.0, "log")


class Stack(list):
    """Of which flattening makes a plain list."""


def test_whatever_is_in_aux_comes_back_as_it_is_but_for_values():
    opaque = object()
    untouched = {"text": "log", "object": opaque, "array": np.array([1, 2]), "stack": Stack([1, "a"]), "set": {1}, "none": None}

    def f(x):
        return x * x, {**untouched, "loss": x * 2.0, "all": Stack([x, np.array([x, 1.0], dtype=object), (Pair(x, "r"), 7)])}

    derivative, aux = ag.grad(f, has_aux=True)(3.0)
    assert derivative == 6.0
    assert all(aux[name] is x for name, x in untouched.items())
    assert aux["loss"] == 6.0
    assert type(aux["loss"]) is float
    loss, array, (pair, seven) = aux["all"]
    assert (loss, array.tolist(), array.dtype, pair, seven) == (3.0, [3.0, 1.0], float, Pair(3.0, "r"), 7)
    assert type(pair) is Pair
    assert type(loss) is float
    assert ag.grad(lambda x: (x, untouched), has_aux=True)(3.0)[1] is untouched


def test_values_in_aux_stay_where_something_else_may_differentiate_them():
    w = Value(5.0)
    _, aux = ag.grad(lambda x: (x * x, w * 2.0), has_aux=True)(3.0)
    assert ag.gradient(aux, w) == 2.0
    assert ag.grad(lambda u: ag.grad(lambda x: (x * x, u * x), has_aux=True)(3.0)[1])(2.0) == 3.0
    assert ag.grad(lambda u: ag.grad(lambda x: (x * x, u * u), has_aux=True)(3.0)[1])(2.0) == 4.0
    with ag.no_grad():
        assert type(ag.grad(lambda x: (x * x, w * 2.0), has_aux=True)(3.0)[1]) is float


@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian])
def test_errors_tell_of_has_aux(transform):
    with pytest.raises(TypeError, match=rf"{transform.__name__}: <lambda> returned str 'log'.*give has_aux=True"):
        transform(lambda x: (x * x, [x, "log"]))(3.0)
    for bad in (lambda x: x, lambda x: [x, "log"], lambda x: (x, 1, 2)):
        with pytest.raises(TypeError, match=rf"{transform.__name__}: with has_aux <lambda> returns a pair \(y, aux\), not"):
            transform(bad, has_aux=True)(3.0)
    with pytest.raises(TypeError, match=r"returned 2 numbers.*give has_aux=True"):
        ag.grad(lambda x: (x, x))(3.0)
    with pytest.raises(TypeError, match=r"returned 3 numbers(?!.*has_aux)"):
        ag.grad(lambda x: (x, x, x))(3.0)


@pytest.mark.parametrize("transform", [ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian])
@pytest.mark.parametrize("aux", ["log", None, ["a", "b"], {"a": None}, {}, [], ()])
def test_what_holds_no_number_is_aux_unasked(transform, aux):
    """Of such a pair one part alone can be differentiated."""
    assert transform(lambda x: (x * x, aux))(3.0) == transform(lambda x: (x * x, aux), has_aux=True)(3.0)


def test_the_keywords_are_in_the_signatures():
    for transform in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        assert list(inspect.signature(transform).parameters) == ["f", "argnums", "has_aux"]
    for product in (ag.jvp, ag.vjp, ag.hvp):
        assert list(inspect.signature(product).parameters)[-1] == "has_aux"
