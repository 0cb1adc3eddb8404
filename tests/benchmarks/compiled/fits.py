"""Row B8, programs at one point: the Lotka-Volterra fit of the lynx and hare counts; Rosenbrock's function's Hessian.

The fit: counts of 1900 to 1920, a differential equation solved by Runge-Kutta steps, the sum of the squared differences of
logarithms, with its gradient by four rates and two first counts. Rosenbrock: 100 variables; the Hessian has three diagonals.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.casadi_calls import compiled, in_buffers
from benchmarks.compiled.workloads import (
    CASADI,
    CASADI_COMPILED,
    DDX,
    JAX,
    Call,
    Side,
    Workload,
    jax_on_one_core,
    run_workload,
)
from benchmarks.measure import Result, Settings

DATA = Path(__file__).resolve().parents[2] / "data" / "hudson-bay-lynx-hare.csv"
PARAMETERS = (0.55, 0.028, 0.80, 0.024, 34.0, 6.0)
CASADI_SPARSE = "CasADi, sparse"
SUBSTEPS, FEW_YEARS, VARIABLES = 10, 3, 100


def counts(years: int) -> list[tuple[float, float]]:
    """Hare and lynx in thousands of pelts, the first so many years."""
    with DATA.open(newline="") as file:
        return [(float(row["Hare"]), float(row["Lynx"])) for row in csv.DictReader(file)][:years]


def growth(hare: Any, lynx: Any, rates: Any) -> tuple[Any, Any]:
    """The equations of Lotka and Volterra."""
    birth, hunt, death, feed = rates
    return (birth - hunt * lynx) * hare, (feed * hare - death) * lynx


def advanced(hare: Any, lynx: Any, rates: Any) -> tuple[Any, Any]:
    """After one of the year's Runge-Kutta steps."""
    step = 1.0 / SUBSTEPS
    a, p = growth(hare, lynx, rates)
    b, q = growth(hare + 0.5 * step * a, lynx + 0.5 * step * p, rates)
    c, r = growth(hare + 0.5 * step * b, lynx + 0.5 * step * q, rates)
    d, s = growth(hare + step * c, lynx + step * r, rates)
    return hare + step / 6.0 * (a + 2.0 * (b + c) + d), lynx + step / 6.0 * (p + 2.0 * (q + r) + s)


def misfit(parameters: Any, observed: Any, maths: Any = ag) -> Any:
    """The sum of the squared differences of the counts' logarithms."""
    rates, (hare, lynx), total = parameters[:4], parameters[4:], 0.0
    for k, (hares, lynxes) in enumerate(observed):
        for _ in range(SUBSTEPS if k > 0 else 0):
            hare, lynx = advanced(hare, lynx, rates)
        first, second = maths.log(hare) - float(np.log(hares)), maths.log(lynx) - float(np.log(lynxes))
        total = total + first * first + second * second
    return total


def rosenbrock(xs: Any) -> Any:
    """Rosenbrock's function, chained."""
    return sum([100.0 * (y - x * x) * (y - x * x) + (1.0 - x) * (1.0 - x) for x, y in pairwise(xs)])


def ours_fit(observed: Any) -> Call:
    """Value and gradient compiled."""
    function = ag.compile(ag.value_and_grad(partial(misfit, observed=observed)))
    parameters = list(PARAMETERS)
    return lambda: function(parameters)


def ours_rosenbrock(xs: Any) -> Call:
    """The Hessian compiled; the variables are one array, not a batch."""
    function = ag.compile(ag.hessian(rosenbrock), batch=(None,))
    return lambda: [function(xs)]


def point(variables: int) -> Any:
    """Where the Hessian is taken."""
    return np.random.default_rng(8).uniform(-1.5, 1.5, variables)


def casadi_fit(observed: Any, by_gcc: bool) -> Call:
    """Value and gradient."""
    import casadi as ca

    symbols = ca.SX.sym("parameters", len(PARAMETERS))
    total = misfit(ca.vertsplit(symbols), observed, ca)
    function = ca.Function("misfit", [symbols], [total, ca.gradient(total, symbols)])
    results = np.zeros(1), np.zeros(len(PARAMETERS))
    call = in_buffers(compiled(function, "-O1") if by_gcc else function, [np.array(PARAMETERS)], results)
    return lambda: [call()[0][0], results[1]]


def casadi_rosenbrock(xs: Any, by_gcc: bool, sparse: bool) -> Call:
    """The Hessian, as a matrix like everyone's, or as the entries of its diagonals alone, which no other side can give."""
    import casadi as ca

    symbols = ca.SX.sym("xs", len(xs))
    hessian, _ = ca.hessian(rosenbrock(ca.vertsplit(symbols)), symbols)
    function = ca.Function("rosenbrock", [symbols], [hessian if sparse else ca.densify(hessian)])
    rows, columns = function.sparsity_out(0).get_triplet()
    call = in_buffers(compiled(function) if by_gcc else function, [xs], [np.zeros(len(rows))])
    return lambda: (rows, columns, call()[0])


def dense(sparse: Any) -> list[Any]:
    """The matrix of these rows, columns and entries."""
    rows, columns, entries = sparse
    result = np.zeros((max(rows) + 1, max(columns) + 1))
    result[rows, columns] = entries
    return [result]


def jax_fit(observed: Any) -> Call:
    """jit(value_and_grad) of a scan over the years, and one over a year's steps: it takes minutes to compile these in a row."""
    jax = jax_on_one_core()
    jnp = jax.numpy
    logarithms = jnp.log(jnp.array(observed))

    def squares(pair: Any, logarithms: Any) -> Any:
        return jnp.sum((jnp.log(jnp.stack(pair)) - logarithms) ** 2)

    @jax.jit
    @jax.value_and_grad
    def function(parameters: Any) -> Any:
        def one(carried: Any, logarithms: Any) -> Any:
            rates = list(parameters[:4])
            pair, _ = jax.lax.scan(lambda pair, _: (advanced(*pair, rates), None), carried[0], length=SUBSTEPS)
            return (pair, carried[1] + squares(pair, logarithms)), None

        start = (parameters[4], parameters[5])
        return jax.lax.scan(one, (start, squares(start, logarithms[0])), logarithms[1:])[0][1]

    there = jnp.array(PARAMETERS)
    return lambda: jax.block_until_ready(function(there))


def jax_rosenbrock(xs: Any) -> Call:
    """jit(hessian) of the function in operations on arrays."""
    jax = jax_on_one_core()

    def function(xs: Any) -> Any:
        x, y = xs[:-1], xs[1:]
        return jax.numpy.sum(100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2)

    there, hessian = jax.numpy.array(xs), jax.jit(jax.hessian(function))
    return lambda: [jax.block_until_ready(hessian(there))]


def ddx_fit(observed: Any) -> Call:
    """A kernel bound to the point."""
    import ddx

    names = [f"x{k}" for k in range(len(PARAMETERS))]
    equation = ddx.equation(lambda: misfit([ddx.var(x) for x in names], observed, ddx)).compile()
    bound = equation.buffer(np.array(PARAMETERS))

    def call() -> list[Any]:
        bound()
        return [bound.value, bound.jacobian]

    return call


def ddx_rosenbrock(xs: Any) -> Call:
    """A kernel for the Hessian bound to the point."""
    import ddx

    equation = ddx.equation(lambda: rosenbrock([ddx.var(f"x{k:03}") for k in range(len(xs))])).compile()
    bound = equation.buffer(xs, want=ddx.Want.HESSIAN)

    def call() -> list[Any]:
        bound()
        return [bound.hessian]

    return call


def fit(years: int, by_gcc: bool = False) -> Workload:
    """The fit to so many years; CasADi's function compiled too, if asked: that takes long."""
    observed = counts(years)
    peers = {
        CASADI: Side(partial(casadi_fit, observed, by_gcc=False), ("casadi",)),
        JAX: Side(partial(jax_fit, observed), ("jax",)),
        DDX: Side(partial(ddx_fit, observed), ("ddx",)),
    }
    if by_gcc:
        peers[CASADI_COMPILED] = Side(partial(casadi_fit, observed, by_gcc=True), ("casadi", "gcc"))
    return Workload(
        row="B8",
        title=f"Lotka-Volterra fit to {years} years, value and gradient",
        unit="us",
        scale=1e6,
        ours=Side(partial(ours_fit, observed)),
        peers=peers,
        expected=lambda: ag.value_and_grad(misfit)(list(PARAMETERS), observed),
        goals={CASADI: 3.0},
        setup_goals={CASADI_COMPILED: 100.0},
    )


def rosenbrock_hessian(variables: int) -> Workload:
    """Rosenbrock's function in so many variables."""
    xs = point(variables)
    return Workload(
        row="B8",
        title=f"Rosenbrock's function in {variables} variables, Hessian",
        unit="us",
        scale=1e6,
        ours=Side(partial(ours_rosenbrock, xs)),
        peers={
            CASADI: Side(partial(casadi_rosenbrock, xs, by_gcc=False, sparse=False), ("casadi",), arrays=dense),
            CASADI_SPARSE: Side(partial(casadi_rosenbrock, xs, by_gcc=False, sparse=True), ("casadi",), arrays=dense),
            CASADI_COMPILED: Side(partial(casadi_rosenbrock, xs, by_gcc=True, sparse=False), ("casadi", "gcc"), arrays=dense),
            JAX: Side(partial(jax_rosenbrock, xs), ("jax",)),
            DDX: Side(partial(ddx_rosenbrock, xs), ("ddx",)),
        },
        expected=lambda: [ag.hessian(rosenbrock)(xs.tolist())],
        goals={CASADI: 3.0},
        setup_goals={CASADI_COMPILED: 100.0},
    )


def run_fits(settings: Settings) -> Iterator[Result]:
    """The second part of row B8. What gcc takes long for is compiled for a few years."""
    yield run_workload(fit(len(counts(100))), settings)
    yield run_workload(fit(FEW_YEARS, by_gcc=True), settings)
    yield run_workload(rosenbrock_hessian(VARIABLES), settings)
