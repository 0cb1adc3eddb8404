"""Machine code that calls the user's own primitives, which are functions in Python; and powers, which call none."""

import math

import numpy as np
import pytest

import autograd_lite as ag


def test_primitives_of_the_users(forget):
    """Python functions, called for every point; their rules are made of the table."""
    cubed = ag.define_primitive("cubed", lambda x: x * x * x, lambda r, x: 3.0 * ag.square(x))
    scaled = ag.define_primitive("scaled", lambda x, y: x * y + 1.0, (lambda r, x, y: y, lambda r, x, y: x), doc="x * y + 1")
    function = ag.value_and_grad(lambda x, y: ag.sin(scaled(cubed(x), y)) + cubed(y), (0, 1))
    xs, ys = np.linspace(-2.0, 2.0, 21), np.linspace(0.5, 3.0, 21)
    value, (by_x, by_y) = ag.compile(function, exact=True)(xs, ys)
    for i, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
        assert (value[i], (by_x[i], by_y[i])) == function(x, y)
    kernel = ag.compile(function)
    loose, _ = kernel(xs, ys)
    assert np.allclose(loose, value, rtol=1e-14, atol=0.0)
    assert kernel(xs[3].item(), ys[3].item())[0] == loose[3]


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("name", ["sin", "exp", "erfc", "pow"])
def test_a_primitive_of_the_users_whose_function_has_the_name_of_a_librarys(name):
    def function(x):
        return 2.0 * x

    function.__name__ = name
    doubled = ag.define_primitive("doubled", function, lambda r, x: 2.0)
    for exact in (False, True):
        kernel = ag.compile(lambda x: doubled(x) + 1.0, exact=exact)
        assert kernel(3.0) == 7.0
        assert kernel(np.arange(9.0)).tolist() == [2.0 * x + 1.0 for x in range(9)]


def test_a_variadic_primitive_of_the_users(forget):
    largest = ag.define_primitive("spread", lambda *xs: math.fsum(xs) * 2.0, lambda r, *xs: [2.0] * len(xs), variadic=True)
    for exact in (True, False):
        kernel = ag.compile(lambda x, y: largest(x, y, 1.0) + largest(x), exact=exact)
        assert kernel(2.0, 3.0) == 16.0
        assert kernel(np.array([2.0, 1.0]), 3.0).tolist() == [16.0, 12.0]


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_what_a_primitive_of_the_users_raises(exact, forget):
    def picky(x):
        if x > 100.0:
            raise LookupError(f"no {x}")
        return x + 1.0

    primitive = ag.define_primitive("picky", picky, lambda r, x: 1.0, domain=(0.0, 1.0))
    kernel = ag.compile(lambda x: primitive(x) * 2.0, exact=exact)
    assert kernel(1.0) == 4.0
    for x in (1000.0, np.array([1.0, 2.0, 1000.0])):
        with pytest.raises(LookupError, match="no 1000.0"):
            kernel(x)
    assert kernel(np.array([1.0, 2.0])).tolist() == [4.0, 6.0]
    with pytest.raises(LookupError, match="no 1000.0"):
        ag.compile(lambda x: primitive(x) * 2.0, exact=exact)(1000.0)


# --- powers


@pytest.mark.parametrize("exact", [False, True])
def test_powers_call_no_python(exact):
    """Functions of C alone: what calls Python runs under its lock, at twenty times the price."""

    def power(x, y):
        return x**y

    for function in (power, ag.value_and_grad(power, (0, 1)), lambda x, y: ag.hessian(lambda v: v[0] ** v[1])([x, y])):
        kernel = ag.compile(function, exact=exact)
        kernel(np.array([0.0, 2.0, math.inf]), np.array([2.0, -1.0, 0.5]))
        kernel(1e-200, 2.0)
        codes = [machine.code for path in kernel._paths for machine in path._all_code]
        assert codes
        assert not any([code.calls_python for code in codes])
