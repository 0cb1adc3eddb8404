"""Nonlinear regression on NIST's reference datasets: gradients and Hessians of the engine in SciPy's steps.

Levenberg and Marquardt's Gauss-Newton steps (MINPACK) go from NIST's start to the neighbourhood of the minimum, on rows of the
Jacobian by `ag.grad`, one small graph an observation; two Newton steps on `ag.hessian` of the residual sum of squares finish.
The result is compared with NIST's certified one to the last digit printed, as far as doubles allow: the rounding error of the
gradient, and of the data, which are decimal, moves the minimum by H^-1 times that error.
"""

import functools
import math

import numpy as np
import pytest
from scipy import linalg, optimize

import autograd_lite as ag
import nist
from autograd_lite import Value
from rounding import ULP, a_priori_bound

CASES = [(name, start) for name in nist.MODELS for start in (1, 2)]


def residuals(problem, b):
    """As numbers, 1e10 in the place of what overflows or is not real, so that the step is taken back."""
    try:
        r = np.array(problem.residuals(b.tolist()))
    except ValueError:  # a power that would be complex
        r = np.full(len(problem.responses), math.nan)
    return np.where(np.isfinite(r), r, 1e10)


def jacobian(problem, b):
    row, b = ag.grad(nist.MODELS[problem.name]), b.tolist()
    return np.array([row(b, x) for x in problem.predictors])


def sum_of_squares(problem, b):
    return ag.sum([r * r for r in problem.residuals(b)])


def inverse(hessian):
    """By Cholesky's factors, which it has at a minimum, with parameters scaled to a diagonal of 1: their units differ."""
    scale = 1.0 / np.sqrt(hessian.diagonal())
    scaled = linalg.cho_factor(hessian * np.outer(scale, scale))
    return linalg.cho_solve(scaled, np.eye(len(scale))) * np.outer(scale, scale)


@functools.cache
def fitted(name, start):
    """The problem, and the parameters found by Gauss-Newton steps and by Newton steps after them."""
    problem = nist.load(name)
    solution = optimize.least_squares(
        functools.partial(residuals, problem), problem.starts[start - 1], functools.partial(jacobian, problem), method="lm",
        x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=2000,
    )  # fmt: skip
    b, objective = solution.x, functools.partial(sum_of_squares, problem)
    for _ in range(2):
        b = b - inverse(ag.hessian(objective)(b)) @ ag.grad(objective)(b)
    return problem, solution.x, b


def digits(b, certified):
    """How many digits agree, of the parameter with the fewest."""
    return min([-math.log10(abs(x - c) / abs(c) + 1e-17) for x, c in zip(b, certified, strict=True)])


def last_digit(certified):
    """One unit of the last of the eleven digits that NIST prints."""
    return 10.0 ** (math.floor(math.log10(abs(certified))) - 10)


def with_inexact_data(problem):
    """The same problem on Values in the place of the data, and these Values: a decimal number is no double."""
    responses = [Value(y) for y in problem.responses]
    predictors = [tuple(map(Value, x)) if isinstance(x, tuple) else Value(x) for x in problem.predictors]
    flat = [v for x in predictors for v in (x if isinstance(x, tuple) else (x,))]
    return nist.Problem(problem.name, responses, predictors, problem.starts, problem.certified, 0.0), responses + flat


@pytest.mark.parametrize(("name", "start"), CASES)
def test_certified_parameters_are_reached(name, start, record_property):
    problem, gauss_newton, b = fitted(name, start)
    record_property("digits by Gauss-Newton steps", digits(gauss_newton, problem.certified))
    record_property("digits by Newton steps after them", digits(b, problem.certified))
    assert digits(b, problem.certified) >= 6.0


@pytest.mark.parametrize("name", nist.MODELS)
def test_the_minimum_is_certified_to_the_last_digit_printed(name):
    problem, _, b = fitted(name, 2)
    twin, data = with_inexact_data(problem)
    objective = functools.partial(sum_of_squares, twin)
    total, gradient = ag.value_and_grad(objective)([Value(x) for x in b])
    allowed = last_digit(problem.residual_sum_of_squares) + a_priori_bound(total, data)
    assert abs(total.data - problem.residual_sum_of_squares) <= allowed

    hessian = ag.hessian(functools.partial(sum_of_squares, problem))(b)
    errors = np.array([a_priori_bound(g, data) for g in gradient])
    gradient = np.array([g.data for g in gradient])
    assert (abs(gradient) <= errors + abs(hessian) @ abs(b) * ULP).all()  # zero, for doubles

    moved = abs(inverse(hessian)) @ (errors + abs(gradient)) + abs(b) * ULP
    for x, certified, error in zip(b, problem.certified, moved, strict=True):
        assert abs(x - certified) <= last_digit(certified) + error
        assert error <= 1e-6 * abs(certified), "rounding alone would explain a wrong result"


def test_files_are_read_as_nist_describes_them():
    counts = {name: (len(problem.certified), len(problem.responses)) for name in nist.MODELS for problem in [nist.load(name)]}
    assert counts["Misra1a"] == (2, 14)
    assert counts["Nelson"] == (3, 128)
    assert counts["ENSO"] == (9, 168)
    assert counts["Gauss3"] == (8, 250)
    assert set(counts) == {path.stem for path in nist.FOLDER.glob("*.dat")}
    misra = nist.load("Misra1a")
    assert misra.starts == ([500.0, 0.0001], [250.0, 0.0005])
    assert misra.certified == [238.94212918, 5.5015643181e-4]
    assert (misra.responses[0], misra.predictors[-1]) == (10.07, 760.0)
    assert nist.load("Nelson").predictors[0] == (1.0, 180.0)


def report():
    """For each problem and start, the digits that agree with the certified parameters."""
    print(f"{'':10}  start  Gauss-Newton  then Newton")
    for name, start in CASES:
        problem, gauss_newton, b = fitted(name, start)
        print(f"{name:10}  {start:5}  {digits(gauss_newton, problem.certified):12.1f}  {digits(b, problem.certified):11.1f}")


if __name__ == "__main__":
    report()
