"""Row B6: the Black-Scholes call in closed form on 10^6 points: value and gradient, the five greeks, those of second order.

Three problems: the value and its five first derivatives; the value and the greeks delta, gamma, vega, theta, rho; the same with
vanna and volga. The hand-written C goes backwards through the operations as an engine does ("C adjoint"), or uses the
simplified formulas of the textbook ("C closed form", which no engine can know). Ours and C return new arrays;
"into given arrays" is the same C writing to arrays that are there already.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.casadi_calls import in_buffers
from benchmarks.compiled.workloads import (
    CASADI,
    DDX,
    JAX,
    TORCH,
    Call,
    Side,
    Workload,
    addresses,
    built,
    jax_on_one_core,
    run_workload,
    torch_on_one_core,
)
from benchmarks.measure import Result, Settings

ARGUMENTS = ("spot", "strike", "rate", "volatility", "time")
SAMPLE = 20
C_ADJOINT, C_CLOSED, GIVEN = "C adjoint", "C closed form", ", into given arrays"


def price(spot: Any, strike: Any, rate: Any, volatility: Any, time: Any) -> Any:
    """A European call without dividends; time in years, rate and volatility a year. Black and Scholes 1973."""
    deviation = volatility * ag.sqrt(time)
    d1 = (ag.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / deviation
    d2 = d1 - deviation
    return spot * ag.normal_cdf(d1) - strike * ag.exp(-rate * time) * ag.normal_cdf(d2)


def gradient(*point: Any) -> tuple[Any, ...]:
    """The value, and its derivatives in the order of the arguments."""
    value, derivatives = ag.value_and_grad(price, argnums=(0, 1, 2, 3, 4))(*point)
    return value, *derivatives


def greeks(*point: Any) -> tuple[Any, ...]:
    """Value, delta, gamma, vega, theta, rho."""
    value, (delta, rho, vega, slope) = ag.value_and_grad(price, argnums=(0, 2, 3, 4))(*point)
    gamma = ag.grad(ag.grad(price))(*point)
    return value, delta, gamma, vega, -slope, rho


def second_greeks(*point: Any) -> tuple[Any, ...]:
    """The same, and vanna and volga: the derivatives of vega with respect to spot and volatility."""
    vanna, volga = ag.grad(ag.grad(price, argnums=3), argnums=(0, 3))(*point)
    return *greeks(*point), vanna, volga


def ours(function: Callable[..., tuple[Any, ...]], points: list[Any]) -> Call:
    """The function compiled; every argument is an array."""
    compiled = ag.compile(function)
    return lambda: compiled(*points)


def data(count: int) -> list[Any]:
    """The arguments, arrays of `count` numbers each."""
    generator = np.random.default_rng(6)
    bounds = ((50.0, 150.0), (50.0, 150.0), (0.0, 0.1), (0.05, 0.6), (0.1, 3.0))
    return [generator.uniform(low, high, count) for low, high in bounds]


def handwritten(name: str, outputs: int, points: list[Any], given: bool = False) -> Call:
    """A function of black_scholes.c."""
    function = getattr(built("black_scholes.c"), name)
    function.restype = None
    count = ctypes.c_size_t(len(points[0]))
    kept = np.zeros((outputs, len(points[0]))) if given else None

    def call() -> list[Any]:
        results = [np.empty(len(points[0])) for _ in range(outputs)] if kept is None else list(kept)
        function(count, *addresses(*points, *results))
        return results

    return call


def jax_side(name: str, points: list[Any]) -> Call:
    """jit(vmap(...)) of the function of that name."""
    jax = jax_on_one_core()

    def cumulative(x: Any) -> Any:
        return 0.5 + 0.5 * jax.lax.erf(x * 0.5**0.5)

    def formula(spot: Any, strike: Any, rate: Any, volatility: Any, time: Any) -> Any:
        deviation = volatility * jax.numpy.sqrt(time)
        d1 = (jax.numpy.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / deviation
        return spot * cumulative(d1) - strike * jax.numpy.exp(-rate * time) * cumulative(d1 - deviation)

    def function(*point: Any) -> Any:
        value, (delta, dual, rho, vega, slope) = jax.value_and_grad(formula, argnums=(0, 1, 2, 3, 4))(*point)
        if name == "gradient":
            return value, delta, dual, rho, vega, slope
        found = value, delta, jax.grad(jax.grad(formula))(*point), vega, -slope, rho
        return found if name == "greeks" else (*found, *jax.grad(jax.grad(formula, argnums=3), argnums=(0, 3))(*point))

    compiled = jax.jit(jax.vmap(function))
    there = [jax.numpy.asarray(x) for x in points]
    return lambda: jax.block_until_ready(compiled(*there))


def torch_side(name: str, points: list[Any]) -> Call:
    """Operations on whole tensors, and as many sweeps as the order needs."""
    torch = torch_on_one_core()
    spot, strike, rate, volatility, time = there = [torch.from_numpy(x).requires_grad_() for x in points]

    def call() -> list[Any]:
        deviation = volatility * torch.sqrt(time)
        d1 = (torch.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / deviation
        value = spot * torch.special.ndtr(d1) - strike * torch.exp(-rate * time) * torch.special.ndtr(d1 - deviation)
        if name == "gradient":
            return [x.detach() for x in (value, *torch.autograd.grad(value.sum(), there))]
        delta, rho, vega, slope = torch.autograd.grad(value.sum(), [spot, rate, volatility, time], create_graph=True)
        second = name != "greeks"
        (gamma,) = torch.autograd.grad(delta.sum(), [spot], retain_graph=second)
        last = torch.autograd.grad(vega.sum(), [spot, volatility]) if second else ()
        return [x.detach() for x in (value, delta, gamma, vega, -slope, rho, *last)]

    return call


def casadi_side(name: str, points: list[Any]) -> Call:
    """The virtual machine on a map over the points."""
    import casadi as ca

    symbols = [ca.SX.sym(argument) for argument in ARGUMENTS]
    spot, strike, rate, volatility, time = symbols
    deviation = volatility * ca.sqrt(time)
    d1 = (ca.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / deviation
    first, second = [0.5 + 0.5 * ca.erf(x * 0.5**0.5) for x in (d1, d1 - deviation)]
    value = spot * first - strike * ca.exp(-rate * time) * second
    delta, dual, rho, vega, slope = [ca.gradient(value, x) for x in symbols]
    outputs = [value, delta, dual, rho, vega, slope]
    if name != "gradient":
        outputs = [value, delta, ca.gradient(delta, spot), vega, -slope, rho]
    if name == "second_greeks":
        outputs += [ca.gradient(vega, spot), ca.gradient(vega, volatility)]
    function = ca.Function("price", symbols, outputs, {"cse": True})
    return in_buffers(function.map(len(points[0])), points, [np.zeros(len(points[0])) for _ in outputs])


def ddx_side(name: str, points: list[Any]) -> Call:
    """A kernel for the batch: the Jacobian; with gamma, also its derivative along the spot. (Both are more than the greeks.)"""
    import ddx

    def model() -> Any:
        spot, strike, rate, volatility, time = [ddx.var(letter) for letter in "abcde"]  # it sorts symbols by name
        deviation = volatility * ddx.sqrt(time)
        d1 = (ddx.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / deviation
        first, second = [0.5 + 0.5 * ddx.erf(x * 0.5**0.5) for x in (d1, d1 - deviation)]
        return spot * first - strike * ddx.exp(-rate * time) * second

    there = np.ascontiguousarray(points)
    equation = ddx.equation(model).compile(points=there.shape[1], veclib=ddx.VecLib.AUTO)
    if name == "gradient":
        run = equation.buffer(there)

        def call() -> list[Any]:
            run()
            return [run.value, *run.jacobian]

        return call
    along = np.zeros_like(there)
    along[0] = 1.0

    def call_along() -> list[Any]:
        value, (delta, _, rho, vega, slope), (gamma, *_) = equation.jacobian_jvp(along, there)
        return [value, delta, gamma, vega, -slope, rho]

    return call_along


def workload(name: str, count: int) -> Workload:
    """The problem of that name on so many points."""
    function, outputs, title = {
        "gradient": (gradient, 6, "value and five first derivatives"),
        "greeks": (greeks, 6, "value, delta, gamma, vega, theta, rho"),
        "second_greeks": (second_greeks, 8, "value, delta, gamma, vega, theta, rho, vanna, volga"),
    }[name]
    points = data(count)
    written = {
        "gradient": {C_ADJOINT: "adjoint"},
        "greeks": {C_ADJOINT: "adjoint_gamma", C_CLOSED: "closed"},
        "second_greeks": {C_CLOSED: "closed_second"},
    }[name]
    peers = {
        side + suffix: Side(partial(handwritten, symbol, outputs, points, bool(suffix)), ("gcc",))
        for side, symbol in written.items()
        for suffix in ("", GIVEN)
    }
    peers[JAX] = Side(partial(jax_side, name, points), ("jax",))
    peers[TORCH] = Side(partial(torch_side, name, points), ("torch",))
    peers[CASADI] = Side(partial(casadi_side, name, points), ("casadi",))
    if name != "second_greeks":
        peers[DDX] = Side(partial(ddx_side, name, points), ("ddx",))
    sample = range(0, count, max(1, count // SAMPLE))

    def expected() -> list[Any]:
        return list(np.transpose([function(*[float(x[k]) for x in points]) for k in sample]))

    return Workload(
        row="B6",
        title=f"Black-Scholes, {title}, {count:,} points",
        unit="ns/point",
        scale=1e9 / count,
        ours=Side(partial(ours, function, points)),
        peers=peers,
        expected=expected,
        sample=sample,
        goals={C_ADJOINT: 1.0, JAX: 4.0, DDX: 3.0},
    )


def run_closed_form(settings: Settings) -> Iterator[Result]:
    """Row B6."""
    for name in ("gradient", "greeks", "second_greeks"):
        yield run_workload(workload(name, settings.largest), settings)
