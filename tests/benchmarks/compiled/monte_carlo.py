"""Row B5: Monte-Carlo greeks: an arithmetic Asian call (252 steps) and a call under Heston's model (100 steps, 8 parameters).

The value is a mean over paths and comes with its derivatives in the parameters; the normals are drawn before. The C peers and
numba compute the value alone, path by path or, "lanes", several paths at a time with vector functions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.casadi_calls import in_buffers
from benchmarks.compiled.workloads import (
    CASADI,
    FLAGS,
    JAX,
    NUMBA,
    Call,
    Side,
    Workload,
    addresses,
    built,
    jax_on_one_core,
    run_workload,
)
from benchmarks.measure import XAD, Result, Settings

MATURITY = 1.0  # of the Heston call; the Asian one's is a parameter
FLOOR = 1e-10  # of the variance: below it the scheme goes on as if it were there, and its root stays differentiable
FEW, FEW_FOR_XAD = 12, 100
JAX_BLOCK = 1000  # paths: 2.5 times as fast as all at once
PLAIN = tuple(flag for flag in FLAGS if flag != "-ffast-math")
C_PRIMAL, C_LANES, NUMBA_PRIMAL = "C primal", "C primal, lanes", f"{NUMBA} primal"


def asian(spot: Any, strike: Any, rate: Any, volatility: Any, maturity: Any, normals: Any) -> Any:
    """The discounted payoff on one path of a call on the arithmetic mean of the price after every step."""
    step = maturity / len(normals)
    drift, deviation = (rate - 0.5 * volatility * volatility) * step, volatility * ag.sqrt(step)
    price, total = spot, 0.0
    for z in normals:
        price = price * ag.exp(drift + deviation * z)
        total = total + price
    return ag.exp(-rate * maturity) * ag.maximum(total / len(normals) - strike, 0.0)


def heston(
    spot: Any,
    strike: Any,
    rate: Any,
    variance: Any,
    reversion: Any,
    mean: Any,
    deviation: Any,
    correlation: Any,
    first: Any,
    second: Any,
) -> Any:
    """The discounted payoff on one path of a call under Heston's model: Euler steps of the logarithm and the variance."""
    step = MATURITY / len(first)
    rest = ag.sqrt(1.0 - correlation * correlation)
    logarithm = ag.log(spot)
    for z, independent in zip(first, second, strict=True):
        positive = ag.maximum(variance, FLOOR)
        root = ag.sqrt(positive * step)
        logarithm = logarithm + (rate - 0.5 * positive) * step + root * z
        noise = deviation * root * (correlation * z + rest * independent)
        variance = variance + reversion * (mean - positive) * step + noise
    return ag.exp(-rate * MATURITY) * ag.maximum(ag.exp(logarithm) - strike, 0.0)


class Problem(NamedTuple):
    """A payoff, its parameters, how many steps a path has, and how many normals each."""

    payoff: Callable[..., Any]
    parameters: tuple[float, ...]
    steps: int
    normals: int


PROBLEMS = {
    "asian": Problem(asian, (100.0, 100.0, 0.03, 0.25, 1.0), 252, 1),
    "heston": Problem(heston, (100.0, 100.0, 0.03, 0.04, 2.0, 0.05, 0.4, -0.7), 100, 2),
}


def ours(problem: Problem, normals: list[Any]) -> Call:
    """Value and gradient compiled; the normals have a leading axis of paths, over which the kernel takes the mean."""
    shared = len(problem.parameters)
    derivative = ag.value_and_grad(problem.payoff, argnums=tuple(range(shared)))
    compiled = ag.compile(derivative, batch=(*[None] * shared, *[0] * problem.normals), reduce="mean")

    def call() -> list[Any]:
        value, gradient = compiled(*problem.parameters, *normals)
        return [value, *gradient]

    return call


def data(problem: Problem, paths: int) -> list[Any]:
    """The normals: arrays of paths by steps."""
    generator = np.random.default_rng(5)
    return [generator.standard_normal((paths, problem.steps)) for _ in range(problem.normals)]


def expected(problem: Problem, normals: list[Any]) -> list[float]:
    """Value and gradient by the eager engine."""
    derivative = ag.value_and_grad(problem.payoff, argnums=tuple(range(len(problem.parameters))))
    results = [derivative(*problem.parameters, *[x.tolist() for x in path]) for path in zip(*normals, strict=True)]
    return list(np.mean([[value, *gradient] for value, gradient in results], axis=0))


def handwritten(name: str, problem: Problem, normals: list[Any], flags: tuple[str, ...] = FLAGS) -> Call:
    """A function of monte_carlo.c: the value alone."""
    function = getattr(built("monte_carlo.c", flags=flags), name)
    function.restype = ctypes.c_double
    parameters = np.array(problem.parameters)
    arguments = [ctypes.c_size_t(x) for x in normals[0].shape]
    arguments += [ctypes.c_double(MATURITY)] * (problem.payoff is heston)
    pointers = addresses(parameters, *normals)

    def call(parameters: Any = parameters) -> list[float]:  # the pointers alone do not keep it alive
        return [function(*arguments, *pointers)]

    return call


def numba_side(problem: Problem, normals: list[Any]) -> Call:
    """The value alone, path by path."""
    import numba

    @numba.njit(fastmath=True)
    def asian_mean(spot: Any, strike: Any, rate: Any, volatility: Any, maturity: Any, normals: Any) -> Any:
        paths, steps = normals.shape
        step = maturity / steps
        drift, deviation = (rate - 0.5 * volatility * volatility) * step, volatility * np.sqrt(step)
        total = 0.0
        for i in range(paths):
            price, path = spot, 0.0
            for j in range(steps):
                price *= np.exp(drift + deviation * normals[i, j])
                path += price
            total += max(path / steps - strike, 0.0)
        return np.exp(-rate * maturity) * total / paths

    @numba.njit(fastmath=True)
    def heston_mean(
        spot: Any,
        strike: Any,
        rate: Any,
        start: Any,
        reversion: Any,
        mean: Any,
        deviation: Any,
        correlation: Any,
        first: Any,
        second: Any,
    ) -> Any:
        paths, steps = first.shape
        step, rest, total = MATURITY / steps, np.sqrt(1.0 - correlation * correlation), 0.0
        for i in range(paths):
            x, variance = np.log(spot), start
            for j in range(steps):
                positive = max(variance, FLOOR)
                root = np.sqrt(positive * step)
                x += (rate - 0.5 * positive) * step + root * first[i, j]
                noise = deviation * root * (correlation * first[i, j] + rest * second[i, j])
                variance += reversion * (mean - positive) * step + noise
            total += max(np.exp(x) - strike, 0.0)
        return np.exp(-rate * MATURITY) * total / paths

    function = asian_mean if problem.payoff is asian else heston_mean
    return lambda: [function(*problem.parameters, *normals)]


def jax_side(problem: Problem, normals: list[Any]) -> Call:
    """jit of a map, over blocks of paths that fit the caches, of the gradient of a scan over the steps."""
    jax = jax_on_one_core()
    jnp = jax.numpy

    def asian_mean(parameters: Any, normals: Any) -> Any:
        spot, strike, rate, volatility, maturity = parameters
        step = maturity / problem.steps
        drift, deviation = (rate - 0.5 * volatility * volatility) * step, volatility * jnp.sqrt(step)

        def one(state: Any, z: Any) -> Any:
            price = state[0] * jnp.exp(drift + deviation * z)
            return (price, state[1] + price), None

        zeros = jnp.zeros(normals.shape[1])
        (_, total), _ = jax.lax.scan(one, (zeros + spot, zeros), normals)
        return jnp.exp(-rate * maturity) * jnp.mean(jnp.maximum(total / problem.steps - strike, 0.0))

    def heston_mean(parameters: Any, first: Any, second: Any) -> Any:
        spot, strike, rate, start, reversion, mean, deviation, correlation = parameters
        step, rest = MATURITY / problem.steps, jnp.sqrt(1.0 - correlation * correlation)

        def one(state: Any, pair: Any) -> Any:
            x, variance = state
            positive = jnp.maximum(variance, FLOOR)
            root = jnp.sqrt(positive * step)
            noise = deviation * root * (correlation * pair[0] + rest * pair[1])
            return (
                x + (rate - 0.5 * positive) * step + root * pair[0],
                variance + reversion * (mean - positive) * step + noise,
            ), None

        zeros = jnp.zeros(first.shape[1])
        (x, _), _ = jax.lax.scan(one, (zeros + jnp.log(spot), zeros + start), (first, second))
        return jnp.exp(-rate * MATURITY) * jnp.mean(jnp.maximum(jnp.exp(x) - strike, 0.0))

    derivative = jax.value_and_grad(asian_mean if problem.payoff is asian else heston_mean)
    parameters, paths = jnp.array(problem.parameters), len(normals[0])
    block = JAX_BLOCK if paths % JAX_BLOCK == 0 else paths
    there = [jnp.array(x.reshape(-1, block, problem.steps).transpose(0, 2, 1)) for x in normals]

    @jax.jit
    def means(*there: Any) -> Any:
        results = jax.lax.map(lambda normals: derivative(parameters, *normals), there)
        return jax.tree.map(lambda x: x.mean(axis=0), results)

    def call() -> list[Any]:
        value, gradient = jax.block_until_ready(means(*there))
        return [value, *np.asarray(gradient)]

    return call


def casadi_side(problem: Problem, normals: list[Any]) -> Call:
    """The virtual machine on a map over the paths, whose results NumPy averages."""
    import casadi as ca

    parameters = ca.SX.sym("parameters", len(problem.parameters))
    symbols = [ca.SX.sym(f"normals{k}", problem.steps) for k in range(problem.normals)]
    if problem.payoff is asian:
        spot, strike, rate, volatility, maturity = ca.vertsplit(parameters)
        step = maturity / problem.steps
        drift, deviation = (rate - 0.5 * volatility * volatility) * step, volatility * ca.sqrt(step)
        price, total = spot, 0.0
        for z in ca.vertsplit(symbols[0]):
            price = price * ca.exp(drift + deviation * z)
            total = total + price
        value = ca.exp(-rate * maturity) * ca.fmax(total / problem.steps - strike, 0.0)
    else:
        spot, strike, rate, variance, reversion, mean, deviation, correlation = ca.vertsplit(parameters)
        step, rest, x = MATURITY / problem.steps, ca.sqrt(1.0 - correlation * correlation), ca.log(spot)
        for z, independent in zip(*map(ca.vertsplit, symbols), strict=True):
            positive = ca.fmax(variance, FLOOR)
            root = ca.sqrt(positive * step)
            x = x + (rate - 0.5 * positive) * step + root * z
            noise = deviation * root * (correlation * z + rest * independent)
            variance = variance + reversion * (mean - positive) * step + noise
        value = ca.exp(-rate * MATURITY) * ca.fmax(ca.exp(x) - strike, 0.0)
    function = ca.Function("payoff", [parameters, *symbols], [value, ca.gradient(value, parameters)])
    paths = len(normals[0])
    values, gradients = results = np.zeros(paths), np.zeros((paths, len(problem.parameters)))
    run = in_buffers(function.map("mapped", "serial", paths, [0], []), [np.array(problem.parameters), *normals], results)

    def call() -> list[Any]:
        run()
        return [values.mean(), *gradients.mean(axis=0)]

    return call


def xad_side(problem: Problem, normals: list[Any]) -> Call:
    """One tape after another, one a path."""
    from xad import math
    from xad.adj_1st import Real

    from benchmarks.peers import XadEngine

    engine = XadEngine(Real)

    def payoff(spot: Any, strike: Any, rate: Any, volatility: Any, maturity: Any, path: Any) -> Any:
        step = maturity / problem.steps
        drift, deviation = (rate - 0.5 * volatility * volatility) * step, volatility * math.sqrt(step)
        price, total = spot, 0.0
        for z in path:
            price = price * math.exp(drift + deviation * z)
            total = total + price
        return math.exp(-rate * maturity) * math.max(0.0, total / problem.steps - strike)

    def value_and_gradient(path: Any) -> list[float]:
        leaves = engine.leaves(problem.parameters)
        result = payoff(*leaves, path)
        engine.sweep(result)
        return engine.numbers(result, leaves)  # all nodes are gone before the next tape: they would take slots from it

    return lambda: list(np.mean([value_and_gradient(path) for path in normals[0].tolist()], axis=0))


def workload(name: str, paths: int) -> Workload:
    """The problem of that name on so many paths, checked on a few if they are more."""
    problem = PROBLEMS[name]
    normals = data(problem, paths)
    primal = partial(handwritten, name, problem, normals, PLAIN)
    peers = {
        C_PRIMAL: Side(primal, ("gcc",), 1),
        C_LANES: Side(partial(handwritten, f"{name}_lanes", problem, normals), ("gcc",), 1),
        JAX: Side(partial(jax_side, problem, normals), ("jax",)),
        NUMBA_PRIMAL: Side(partial(numba_side, problem, normals), ("numba",), 1),
        CASADI: Side(partial(casadi_side, problem, normals), ("casadi",)),
    }
    if name == "asian" and paths <= FEW_FOR_XAD:
        peers[XAD] = Side(partial(xad_side, problem, normals), ("xad",))
    title = {"asian": "arithmetic Asian call", "heston": "call under Heston's model"}[name]
    return Workload(
        row="B5",
        title=f"{title}, {problem.steps} steps, value and {len(problem.parameters)} derivatives, {paths:,} paths",
        unit="ns/path",
        scale=1e9 / paths,
        ours=Side(partial(ours, problem, normals)),
        peers=peers,
        expected=partial(expected, problem, normals),
        small=workload(name, FEW) if paths > FEW_FOR_XAD else None,
        goals={C_PRIMAL: 1.0, JAX: 3.0},
    )


def run_monte_carlo(settings: Settings) -> Iterator[Result]:
    """Row B5: so many paths as a tenth of the largest graph for the Asian call, a hundredth for Heston's model."""
    yield run_workload(workload("asian", settings.largest // 10), settings)
    yield run_workload(workload("asian", FEW_FOR_XAD), settings)
    yield run_workload(workload("heston", settings.largest // 100), settings)
