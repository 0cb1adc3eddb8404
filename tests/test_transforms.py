"""Transforms inside transforms, and what comes out: floats, or Values where something could still be differentiated."""

import inspect
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd_lite as ag
from autograd_lite import Value, sweep, transforms
from autograd_lite.sweep import topological_order

D = ag.grad


def is_float(x, number):
    """A float with exactly this number; a Value is none."""
    return type(x) is float and x == number


def constant(x):
    return 3


# --- nested derivatives

TRANSFORMS = {
    "grad": (1, ag.grad),
    "value_and_grad": (1, lambda f: lambda x: ag.value_and_grad(f)(x)[1]),
    "jacobian": (1, ag.jacobian),
    "forward": (1, lambda f: lambda x: ag.jacobian(lambda u: [f(u), 1.0])(x)[0]),
    "jvp": (1, lambda f: lambda x: ag.jvp(f, x, 1.0)),
    "vjp": (1, lambda f: lambda x: ag.vjp(f, x, 1.0)),
    "hessian": (2, ag.hessian),
    "hvp": (2, lambda f: lambda x: ag.hvp(f, x, 1.0)),
}


@pytest.mark.parametrize("outer", TRANSFORMS)
@pytest.mark.parametrize("middle", TRANSFORMS)
@pytest.mark.parametrize("inner", TRANSFORMS)
def test_any_transform_of_any_other_is_exact_and_gives_a_float(outer, middle, inner):
    f, order = (lambda x: x * x * x * x * x), 0
    for name in (inner, middle, outer):
        more, transform = TRANSFORMS[name]
        f, order = transform(f), order + more
    assert is_float(f(3.0), math.perm(5, order) * 3.0 ** (5 - order) if order <= 5 else 0.0)


@pytest.mark.parametrize("outer", TRANSFORMS)
@pytest.mark.parametrize("inner", TRANSFORMS)
def test_a_derivative_inside_may_use_the_outer_argument(outer, inner):
    (outer_order, differentiate), (inner_order, inside) = TRANSFORMS[outer], TRANSFORMS[inner]
    factor = math.perm(2, inner_order) * 3 ** (2 - inner_order)  # x * D^k(x * y * y)(3) = factor * x * x
    f = differentiate(lambda x: x * inside(lambda y: x * y * y)(3.0))
    assert is_float(f(5.0), factor * math.perm(2, outer_order) * 5.0 ** (2 - outer_order))


@pytest.mark.parametrize("outer", TRANSFORMS)
@pytest.mark.parametrize(
    ("product", "order"), [(ag.jvp, 1), (ag.vjp, 1), (ag.hvp, 2)], ids=lambda x: getattr(x, "__name__", str(x))
)
def test_products_are_differentiable_by_point_and_by_vector(outer, product, order):
    orders, differentiate = TRANSFORMS[outer]
    cube = lambda x: x * x * x
    slope = math.perm(3, order)  # the product of cube at x and v is slope * x ** (3 - order) * v
    at_three = slope * 3.0 ** (3 - order)
    assert is_float(differentiate(lambda v: product(cube, 3.0, v))(2.0), at_three if orders == 1 else 0.0)
    assert is_float(
        differentiate(lambda v: v * product(cube, 3.0, v))(2.0), at_three * math.perm(2, orders) * 2.0 ** (2 - orders)
    )
    both = differentiate(lambda x: product(cube, x, x))(2.0)
    assert is_float(both, slope * math.perm(4 - order, orders) * 2.0 ** (4 - order - orders))


@pytest.mark.parametrize(
    ("derivative", "expected"),
    [
        (lambda: D(lambda x: x * D(lambda y: x + y)(1.0))(1.0), 1.0),
        (lambda: D(lambda x: x * D(lambda y: x * y)(1.0))(4.0), 8.0),
        (lambda: D(lambda x: x * D(lambda y: y * y)(x))(1.0), 4.0),
        (lambda: D(D(D(lambda x: x * ag.exp(x))))(1.0), 4.0 * math.e),
        (lambda: D(D(D(D(D(D(lambda x: x**5))))))(3.0), 0.0),
        (lambda: D(D(D(D(D(D(lambda x: x**5.0))))))(0.0), 0.0),
        (lambda: D(D(D(D(lambda x: ag.exp(-(x**2))))))(0.0), 12.0),
        (lambda: D(D(D(lambda x: x**2.0)))(0.0), 0.0),
        (lambda: D(D(lambda x: x**1.0))(0.0), 0.0),
        (lambda: D(constant)(1.0), 0.0),
        (lambda: D(D(constant))(1.0), 0.0),
        (lambda: D(lambda x: D(lambda y: x)(2.0) + x)(3.0), 1.0),
        (lambda: D(lambda x: D(lambda x: x * x)(x) * D(lambda x: x * x)(2.0))(5.0), 8.0),  # one name on three levels
    ],
)
def test_nested_derivatives_are_not_confused(derivative, expected):
    result = derivative()
    assert type(result) is float
    assert result == pytest.approx(expected, rel=1e-15, abs=0.0)


def test_three_levels_with_mixed_structures():
    def innermost(x, d):
        return D(lambda v: x * v[0] * v[0] * d["a"] * v[1])([d["a"], 2.0])[0]  # 4 x a^2

    middle = lambda x: D(lambda d: innermost(x, d))({"a": x, "b": 1.0})["a"]  # 8 x^2
    assert is_float(D(middle)(3.0), 48.0)


# --- what comes out: floats, or Values where something could still be differentiated


def test_results_are_values_where_the_argument_is_one():
    x = Value(3.0)
    value, derivative = ag.value_and_grad(lambda u: u * u * u)(x)
    assert (value.data, derivative.data) == (27.0, 27.0)
    assert ag.gradient(value, x) == 27.0
    assert ag.gradient(derivative, x) == 18.0
    rows = ag.hessian(lambda v: v[0] * v[0] * v[1])([x, 2.0])
    assert ag.gradient(rows[0][1], x) == 2.0
    assert ag.gradient(ag.hvp(lambda v: v[0] * v[0] * v[1], [x, 2.0], [0.0, 1.0])[0], x) == 2.0


@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_are_values_where_the_function_uses_one(name):
    w = Value(2.0)
    order, transform = TRANSFORMS[name]
    for f in (lambda x: w * x * x, lambda x: (w * w) * x * x / w):
        result = transform(f)(3.0)
        assert ag.gradient(result, w) == {1: 6.0, 2: 2.0}[order]
    assert w.grad == 0.0


def test_results_are_values_where_another_argument_holds_one():
    w = Value(2.0)
    derivative = D(lambda x, weights: weights["w"] * x * x)(3.0, {"w": w})
    assert ag.gradient(derivative, w) == 6.0


def test_results_are_values_where_the_argument_comes_from_a_finished_derivative():
    kept = []
    D(lambda x: kept.append(x) or x * x)(2.0)
    assert ag.gradient(D(lambda x: x * x * x)(kept[0]), kept[0]) == 12.0


def test_constant_results_are_floats():
    for x in (1.0, Value(1.0)):
        assert is_float(ag.value_and_grad(constant)(x)[0], 3.0)
        assert is_float(ag.value_and_grad(constant)(x)[1], 0.0)


def test_a_value_that_does_not_depend_on_the_argument_is_kept_too():
    w = Value(2.0)
    value, derivative = ag.value_and_grad(lambda x: w * w)(3.0)
    assert ag.gradient(value, w) == 4.0
    assert is_float(derivative, 0.0)


def test_transforms_leave_grad_alone():
    w = Value(2.0)
    D(D(lambda x: w * x * x * x))(Value(3.0))
    ag.jacobian(lambda v: [w * v, v])(w)
    assert w.grad == 0.0


def test_the_function_may_differentiate_and_sweep_values_of_its_own():
    def f(x):
        own = Value(4.0)
        (own * own).backward()
        slope = ag.gradient(own * own * own, own)
        return x * x * own.grad * slope

    assert is_float(D(f)(2.0), 4.0 * 8.0 * 48.0)


def test_the_function_may_call_gradient_on_its_argument():
    def slope(x):
        (derivative,) = ag.gradient(x * x * x, [x], create_graph=True)
        return derivative

    assert is_float(D(slope)(2.0), 12.0)
    assert is_float(D(D(slope))(2.0), 6.0)
    assert is_float(ag.jvp(slope, 2.0, 1.0), 12.0)


def test_no_grad_around_a_transform_asks_for_numbers_not_for_zeros():
    w = Value(2.0)
    with ag.no_grad():
        assert is_float(D(lambda x: x * x * w)(3.0), 12.0)
        assert is_float(D(lambda x: x * x)(w), 4.0)
        assert is_float(ag.hvp(lambda x: x * x * x, w, w), 24.0)
        assert is_float(ag.jvp(lambda x: x * x, 3.0, w), 12.0)
        assert is_float(ag.vjp(lambda x: x * x, 3.0, w), 12.0)
        assert is_float(D(lambda x: D(lambda y: x * y * y)(3.0))(2.0), 6.0)
        assert (w * w).op is None  # and it is in force again


def test_no_grad_inside_the_function_makes_constants():
    def f(x):
        with ag.no_grad():
            factor = x * x
        return x * factor

    derivative = D(f)(3.0)
    assert getattr(derivative, "data", derivative) == 9.0


def test_an_exception_leaves_nothing_behind():
    def fails(x):
        raise RuntimeError(f"at {x.data}")

    for call in (D(fails), D(D(fails)), ag.jacobian(fails), lambda x: ag.jvp(fails, x, 1.0)):
        with ag.no_grad(), pytest.raises(RuntimeError, match=r"at 2\.0"):
            call(2.0)
    assert not sweep.under_way
    assert is_float(D(lambda x: x * x)(2.0), 4.0)
    with ag.no_grad(), pytest.raises(RuntimeError):
        D(fails)(2.0)
    assert (Value(1.0) * 2.0).op is not None


def test_derivatives_inside_may_run_in_other_threads():
    def f(x):
        with ThreadPoolExecutor(4) as pool:
            return ag.sum(list(pool.map(lambda k: D(lambda y: x * y * y * k)(3.0), range(5))))

    assert is_float(D(f)(2.0), 60.0)


def test_nothing_recurses_on_a_deep_graph():
    def chain(x):
        for _ in range(100_000):
            x = x + 1.0
        return x

    assert is_float(D(chain)(0.0), 1.0)
    assert is_float(ag.jvp(chain, 0.0, 1.0), 1.0)


def test_all_transforms_of_the_package_are_tested_here():
    public = {name for name, f in vars(transforms).items() if inspect.isfunction(f) and f.__module__ == transforms.__name__}
    assert {name for name in public if not name.startswith("_")} == (set(TRANSFORMS) - {"forward"})


def test_an_inner_derivative_does_not_walk_the_outer_graph(monkeypatch):
    """An unrolled gradient descent of n steps, itself differentiated, visits a number of nodes that is linear in n."""
    visited = []

    def counted(*roots, above=()):
        order = topological_order(*roots, above=above)
        visited.append(len(order))
        return order

    monkeypatch.setattr(transforms, "topological_order", counted)

    def descent(w, steps):
        for _ in range(steps):
            w = w - 0.25 * ag.grad(lambda u: u * u)(w)
        return w

    for steps in (10, 100):
        visited.clear()
        assert ag.grad(lambda w, n=steps: descent(w, n))(1.0) == 0.5**steps
        assert sum(visited) <= 20 * steps
