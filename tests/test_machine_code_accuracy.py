"""Default machine code on processors of each kind against mpmath: values and partials of every primitive within 4 ulp.

AUTOGRAD_LITE_POINTS sets the number of points a primitive.
"""

import math
import os

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import llvm
from autograd_lite.primitives import TABLE
from points import points
from reference import REFERENCES, evaluate, ulps

POINTS = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
BOUND = 4.0
WORST = 6  # so many results are compared with the reference: those furthest from the engine's
NAMES = sorted(name for name in REFERENCES if not TABLE[name].variadic)


def functions(primitive):
    """The value and each partial, as functions of the arguments, with what they are in real numbers and their larger terms."""
    reference = REFERENCES[primitive.name]
    larger = (*reference.larger, *[None] * 8)
    yield primitive, primitive.fn, reference.value, larger[0]
    for i, (rule, on_numbers) in enumerate(zip(primitive.partials, primitive.number_partials, strict=True)):
        if rule is not None:
            yield (
                lambda *xs, rule=rule: rule(primitive(*xs), *xs),
                lambda *xs, rule=on_numbers: rule(primitive.fn(*xs), *xs),
                reference.partials[i],
                larger[1 + i],
            )


def distance(x, y):
    return abs(x - y) / math.ulp(min(abs(x), abs(y)))


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("name", NAMES)
def test_values_and_partials_are_right_to_4_ulp_on_any_processor(name):
    primitive = TABLE[name]
    rows = [args for args in points(primitive, POINTS, "accuracy") if primitive.kink is None or not primitive.kink(*args)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    for function, on_numbers, exact_function, larger in functions(primitive):
        results = np.broadcast_to(ag.compile(function)(*columns), len(rows)).tolist()
        expected = [on_numbers(*args) for args in rows]
        compared = list(zip(results, expected, rows, strict=True))
        odd = [(math.inf, args, x) for x, y, args in compared if x - y != x - y and x != y == y]
        far = [(distance(x, y), args, x) for x, y, args in compared if x != y and x - y == x - y]
        for _, args, result in [*odd[:WORST], *sorted(far, reverse=True)[:WORST]]:
            exact = evaluate(exact_function, *args)
            if exact is not None:
                error = ulps(result, exact)
                if error > BOUND and larger is not None:
                    error = ulps(result, exact, evaluate(larger, *args))
                assert error <= BOUND, f"{llvm.machine().width} lanes, {name}{args}: {result!r} is {error:.3g} ulp from {exact}"


# Arguments at which libmvec's exp, exp2, tanh and tan led to more than 4 ulp: of a primitive, or of its derivative.
HARD = (
    ("tan", True, 545.1922326731938),
    ("exp2", True, 607.4438449493923),
    ("normal_cdf", True, -37.57935591427022),
    ("erf", True, -26.467146276364044),
    ("softplus", False, -2.752075404442489),
    ("logistic_pdf", True, 0.5287213550682623),
    ("silu", False, -7.574346773892815),
)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize(("name", "derivative", "x"), HARD)
def test_hard_points_are_right_to_4_ulp_on_any_processor(name, derivative, x):
    primitive, reference = TABLE[name], REFERENCES[name]
    kernel = ag.compile(ag.grad(primitive) if derivative else primitive)
    exact = evaluate(reference.partials[0] if derivative else reference.value, x)
    assert ulps(kernel(x), exact) <= BOUND


@pytest.mark.usefixtures("processor")
def test_tan_and_exponentials_at_their_limits():
    """Large arguments of tan go to libm; results that are infinite or subnormal, signs of 0, nan."""
    far = [2.0**20, 2.0**20 + 0.5, 2.0**40, 2.0**40 + 0.5, -(2.0**41), 1e22, 1e300, math.inf, -math.inf, math.nan, 0.0, -0.0]
    edges = [
        709.782712893384,
        709.7827128933841,
        -745.13,
        -745.14,
        1023.9999999999999,
        1024.0,
        -1074.0,
        -1075.0,
        -1075.1,
        5e-324,
    ]
    for primitive in (ag.exp, ag.exp2, ag.tanh, ag.tan):
        kernel = ag.compile(primitive)
        results = kernel(np.array([*far, *edges])).tolist()
        for x, result in zip([*far, *edges], results, strict=True):
            expected = primitive.fn(x)
            assert repr(kernel(x)) == repr(result)
            if math.isfinite(expected) and expected != 0.0:
                assert abs(result - expected) <= 2.0 * math.ulp(expected), (primitive.name, x)
            else:
                assert repr(result) == repr(expected), (primitive.name, x)
