"""Row B8, optimal control: a cart and pole, 300 Runge-Kutta steps.

Multiple shooting, as solvers want it: of every step the Jacobian by state and control (4 by 5) and the Hessian of its share of
the Lagrangian (5 by 5): its cost, plus the multipliers times the step. Single shooting: the cost of all steps, one program of
tens of thousands of operations, and its gradient by the controls.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
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

CART, POLE, LENGTH, GRAVITY, STEP = 1.0, 0.1, 0.5, 9.81, 0.02
STEPS, FEW, FEW_SETUP = 300, 5, 30
STATE, INPUTS = 4, 5
START = (0.1, 0.2, 0.0, 0.0)
WHOLE, WHOLE_COMPILED = "CasADi, whole problem", "CasADi, whole problem, compiled"


def motion(state: Any, force: Any, maths: Any = ag) -> list[Any]:
    """The derivatives in time of position, angle from upright, and their speeds (Barto et al. 1983, no friction)."""
    _, angle, speed, turn = state
    sine, cosine = maths.sin(angle), maths.cos(angle)
    push = (force + POLE * LENGTH * turn * turn * sine) / (CART + POLE)
    twist = (GRAVITY * sine - cosine * push) / (LENGTH * (4.0 / 3.0 - POLE * cosine * cosine / (CART + POLE)))
    return [speed, turn, push - POLE * LENGTH * twist * cosine / (CART + POLE), twist]


def step(state: Any, force: Any, maths: Any = ag) -> list[Any]:
    """The state after one step of the classical Runge-Kutta method, the force held."""

    def ahead(slope: Any, time: float) -> list[Any]:
        return [x + time * k for x, k in zip(state, slope, strict=True)]

    first = motion(state, force, maths)
    second = motion(ahead(first, 0.5 * STEP), force, maths)
    third = motion(ahead(second, 0.5 * STEP), force, maths)
    fourth = motion(ahead(third, STEP), force, maths)
    slopes = zip(state, first, second, third, fourth, strict=True)
    return [x + STEP / 6.0 * (a + 2.0 * b + 2.0 * c + d) for x, a, b, c, d in slopes]


def cost(state: Any, force: Any) -> Any:
    """Of one step."""
    return 0.5 * (sum([x * x for x in state]) + 0.1 * force * force)


def constraint(inputs: Any, maths: Any = ag) -> list[Any]:
    """The state after a step, from state and force in one list."""
    return step(inputs[:STATE], inputs[STATE], maths)


def lagrangian(inputs: Any, multipliers: Any, maths: Any = ag) -> Any:
    """A step's share of it."""
    reached = constraint(inputs, maths)
    return cost(inputs[:STATE], inputs[STATE]) + sum([m * x for m, x in zip(multipliers, reached, strict=True)])


def derivatives(inputs: Any, multipliers: Any) -> tuple[Any, Any]:
    """The step's Jacobian, the Lagrangian's Hessian."""
    return ag.jacobian(constraint)(inputs), ag.hessian(lagrangian)(inputs, multipliers)


def total_cost(forces: Any, maths: Any = ag) -> Any:
    """Of all steps from the start."""
    state, total = list(START), 0.0
    for force in forces:
        state = step(state, force, maths)
        total = total + cost(state, force)
    return total


def ours_steps(inputs: Any, multipliers: Any) -> Call:
    """The derivatives compiled, a batch of steps."""
    function = ag.compile(derivatives, batch=(0, 0))
    return lambda: function(inputs, multipliers)


def ours_shooting(forces: Any) -> Call:
    """Value and gradient of the whole program compiled; one point."""
    function = ag.compile(ag.value_and_grad(total_cost))
    return lambda: function(forces)


def steps_data(count: int) -> list[Any]:
    """States and forces (count, 5), multipliers (count, 4)."""
    generator = np.random.default_rng(8)
    return [0.5 * generator.standard_normal((count, INPUTS)), generator.standard_normal((count, STATE))]


def shooting_data(count: int) -> Any:
    """The forces."""
    return 0.3 * np.random.default_rng(8).standard_normal(count)


def expected_steps(inputs: Any, multipliers: Any) -> list[Any]:
    """By the eager engine."""
    pairs = zip(inputs.tolist(), multipliers.tolist(), strict=True)
    return [list(x) for x in zip(*[derivatives(*pair) for pair in pairs], strict=True)]


def casadi_step() -> Any:
    """The Jacobian and the Hessian of one step; the first's rows follow each other."""
    import casadi as ca

    inputs, multipliers = ca.SX.sym("inputs", INPUTS), ca.SX.sym("multipliers", STATE)
    reached = ca.vertcat(*constraint(ca.vertsplit(inputs), ca))
    rows = ca.densify(ca.jacobian(reached, inputs)).T
    hessian, _ = ca.hessian(lagrangian(ca.vertsplit(inputs), ca.vertsplit(multipliers), ca), inputs)
    return ca.Function("step", [inputs, multipliers], [rows, ca.densify(hessian)], {"cse": True})


def casadi_steps(inputs: Any, multipliers: Any, by_gcc: bool) -> Call:
    """A map over the steps, on the virtual machine or of compiled code."""
    function, count = compiled(casadi_step()) if by_gcc else casadi_step(), len(inputs)
    results = np.zeros((count, STATE, INPUTS)), np.zeros((count, INPUTS, INPUTS))
    return in_buffers(function.map(count), [inputs, multipliers], results)


def casadi_whole(inputs: Any, multipliers: Any, by_gcc: bool) -> Call:
    """The sparse Jacobian and Hessian of all steps as one function, as one gives them to a solver."""
    import casadi as ca

    count = len(inputs)
    one = ca.SX.sym("inputs", INPUTS)
    advance = ca.Function("advance", [one], [ca.vertcat(*constraint(ca.vertsplit(one), ca))])
    variables, weights = ca.SX.sym("variables", INPUTS * count + STATE), ca.SX.sym("weights", STATE * count)
    starts = [variables[INPUTS * k : INPUTS * (k + 1)] for k in range(count)]
    ends = [variables[INPUTS * (k + 1) : INPUTS * (k + 1) + STATE] for k in range(count)]
    gaps = ca.vertcat(*[advance(a) - b for a, b in zip(starts, ends, strict=True)])
    costs = sum([cost(ca.vertsplit(a[:STATE]), a[STATE]) for a in starts])
    hessian, _ = ca.hessian(costs + ca.dot(weights, gaps), variables)
    function = ca.Function("whole", [variables, weights], [ca.jacobian(gaps, variables), hessian])
    results = [np.zeros(function.nnz_out(k)) for k in range(2)]
    given = [np.concatenate([inputs.reshape(-1), np.zeros(STATE)]), multipliers]
    call = in_buffers(compiled(function, "-O1") if by_gcc else function, given, results)
    return lambda: [function.sparsity_out(k) for k in range(2)] + call()


def blocks(whole: Any) -> list[Any]:
    """The steps' blocks of sparse matrices."""
    found = []
    for pattern, numbers, height in zip(whole[:2], whole[2:], (STATE, INPUTS), strict=True):
        rows, columns = map(np.asarray, pattern.get_triplet())
        inside = (rows // height == columns // INPUTS) & (rows // height < (pattern.size2() - STATE) // INPUTS)
        result = np.zeros(((pattern.size2() - STATE) // INPUTS, height, INPUTS))
        result[rows[inside] // height, rows[inside] % height, columns[inside] % INPUTS] = numbers[inside]
        found.append(result)
    return found


def casadi_shooting(forces: Any, by_gcc: bool) -> Call:
    """Value and gradient of the whole program."""
    import casadi as ca

    symbols = ca.SX.sym("forces", len(forces))
    total = total_cost(ca.vertsplit(symbols), ca)
    function = ca.Function("shooting", [symbols], [total, ca.gradient(total, symbols)])
    results = np.zeros(1), np.zeros(len(forces))
    call = in_buffers(compiled(function, "-O1") if by_gcc else function, [forces], results)
    return lambda: [call()[0][0], results[1]]


def jax_steps(inputs: Any, multipliers: Any) -> Call:
    """jit(vmap(...)) of the same program."""
    jax = jax_on_one_core()
    jnp = jax.numpy

    def both(inputs: Any, multipliers: Any) -> Any:
        rows = jax.jacrev(lambda x: jnp.stack(constraint(list(x), jnp)))(inputs)
        return rows, jax.hessian(lambda x: lagrangian(list(x), list(multipliers), jnp))(inputs)

    function = jax.jit(jax.vmap(both))
    there = jnp.array(inputs), jnp.array(multipliers)
    return lambda: jax.block_until_ready(function(*there))


def jax_shooting(forces: Any) -> Call:
    """jit(value_and_grad) of a scan."""
    jax = jax_on_one_core()
    jnp = jax.numpy

    def one(carried: Any, force: Any) -> Any:
        state = step(list(carried[0]), force, jnp)
        return (jnp.stack(state), carried[1] + cost(state, force)), None

    @jax.jit
    @jax.value_and_grad
    def function(forces: Any) -> Any:
        return jax.lax.scan(one, (jnp.array(START), 0.0), forces)[0][1]

    there = jnp.array(forces)
    return lambda: jax.block_until_ready(function(there))


def ddx_steps(inputs: Any, multipliers: Any) -> Call:
    """Two kernels for the batch: the system's Jacobian, the Lagrangian's Hessian with the multipliers as parameters."""
    import ddx

    names, weights = [f"x{k}" for k in range(INPUTS)], [f"weight{k}" for k in range(STATE)]
    options = {"points": len(inputs), "veclib": ddx.VecLib.AUTO}
    system = ddx.equation(lambda: tuple(constraint([ddx.var(x) for x in names], ddx))).compile(**options)
    scalar = ddx.equation(lambda: lagrangian([ddx.var(x) for x in names], [ddx.param(x) for x in weights], ddx)).compile(
        **options
    )
    # A call is bound to its point: an array with a row for every input.
    rows = system.buffer(np.ascontiguousarray(inputs.T))
    hessians = scalar.buffer(np.ascontiguousarray(np.hstack([inputs, multipliers]).T), want=ddx.Want.HESSIAN)

    def call() -> list[Any]:
        rows()
        hessians()
        return [rows.jacobian, hessians.hessian]

    return call


def steps_workload(count: int, whole: bool = False) -> Workload:
    """Multiple shooting with so many steps; CasADi on the whole problem too, if asked: that takes long to compile."""
    given = steps_data(count)
    peers = {
        CASADI: Side(partial(casadi_steps, *given, by_gcc=False), ("casadi",)),
        CASADI_COMPILED: Side(partial(casadi_steps, *given, by_gcc=True), ("casadi", "gcc")),
        WHOLE: Side(partial(casadi_whole, *given, by_gcc=False), ("casadi",), arrays=blocks),
        JAX: Side(partial(jax_steps, *given), ("jax",)),
        DDX: Side(partial(ddx_steps, *given), ("ddx",), arrays=lambda both: [np.moveaxis(x, -1, 0) for x in both]),
    }
    if whole:
        needs = ("casadi", "gcc")
        peers = {WHOLE_COMPILED: Side(partial(casadi_whole, *given, by_gcc=True), needs, arrays=blocks)}
    return Workload(
        row="B8",
        title=f"cart and pole, Jacobians and Hessians of {count} steps",
        unit="us",
        scale=1e6,
        ours=Side(partial(ours_steps, *given), arrays=lambda both: [np.stack(both[0], axis=1), both[1]]),
        peers=peers,
        expected=partial(expected_steps, *given),
        goals={CASADI: 3.0, WHOLE: 3.0},
        setup_goals={WHOLE_COMPILED: 100.0},
    )


def shooting_workload(count: int, by_gcc: bool = False) -> Workload:
    """Single shooting with so many steps; CasADi's function compiled too, if asked: that takes long."""
    forces = shooting_data(count)
    peers = {
        CASADI: Side(partial(casadi_shooting, forces, by_gcc=False), ("casadi",)),
        JAX: Side(partial(jax_shooting, forces), ("jax",)),
    }
    if by_gcc:
        peers[CASADI_COMPILED] = Side(partial(casadi_shooting, forces, by_gcc=True), ("casadi", "gcc"))
    return Workload(
        row="B8",
        title=f"cart and pole, cost of {count} steps and its gradient by the controls",
        unit="us",
        scale=1e6,
        ours=Side(partial(ours_shooting, forces.tolist())),
        peers=peers,
        expected=lambda: ag.value_and_grad(total_cost)(forces.tolist()),
        goals={CASADI: 3.0},
        setup_goals={CASADI_COMPILED: 100.0},
    )


def run_cart_pole(settings: Settings) -> Iterator[Result]:
    """The first part of row B8. What gcc takes minutes for at 300 steps is compiled for 30."""
    yield run_workload(steps_workload(STEPS), settings)
    yield run_workload(steps_workload(FEW_SETUP, whole=True), settings)
    yield run_workload(shooting_workload(STEPS), settings)
    yield run_workload(shooting_workload(FEW_SETUP, by_gcc=True), settings)
