"""Row B4: bundle adjustment: of every observation's reprojection error the Jacobian, and the derivative of its weight's error.

GradBench's and ADBench's definition: a camera has 11 parameters (rotation vector, center, focal length, principal point, two
radial distortions), a point 3, an observation a weight: 2 + 1 results, 15 inputs. The instance's file holds one camera, point,
weight and feature, which are repeated; here each observation's differ a little, so that none computes what another did.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.casadi_calls import in_buffers
from benchmarks.compiled.workloads import (
    CASADI,
    FLAGS,
    JAX,
    Call,
    Side,
    Workload,
    addresses,
    built,
    jax_on_one_core,
    run_workload,
)
from benchmarks.measure import Result, Settings

DATA = Path(__file__).resolve().parents[2] / "data" / "ba" / "ba1_n49_m7776_p31843.txt"
CAMERA, INPUTS, FEW = 11, 15, 50
CPP, CPP_FAST, GIVEN = "C++ adjoint, -O3", "C++ adjoint, fast flags", ", into given arrays"
O3 = ("-O3", "-shared", "-fPIC")  # the fast flags add the instructions of this machine and sums in any order


def rotated(rotation: Any, point: Any) -> Any:
    """Rodrigues' formula: the point turned about the vector's direction by its length."""
    square = sum([r * r for r in rotation])
    if square <= 0.0:  # not ==, which for nodes is identity
        return [x + turned for x, turned in zip(point, cross(rotation, point), strict=True)]
    angle = ag.sqrt(square)
    cosine, sine = ag.cos(angle), ag.sin(angle)
    axis = [r / angle for r in rotation]
    along = sum([a * x for a, x in zip(axis, point, strict=True)]) * (1.0 - cosine)
    turned = cross(axis, point)
    return [x * cosine + t * sine + a * along for x, t, a in zip(point, turned, axis, strict=True)]


def cross(a: Any, b: Any) -> list[Any]:
    """The cross product."""
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def reprojection_error(inputs: Any, feature: Any) -> list[Any]:
    """How far from the feature the camera sees the point, times the weight; inputs: camera 11, point 3, weight 1."""
    rotation, center, focal, offset, radial = inputs[:3], inputs[3:6], inputs[6], inputs[7:9], inputs[9:11]
    point, weight = inputs[11:14], inputs[14]
    x, y, depth = rotated(rotation, [p - c for p, c in zip(point, center, strict=True)])
    projected = [x / depth, y / depth]
    radius = projected[0] * projected[0] + projected[1] * projected[1]
    factor = 1.0 + radial[0] * radius + radial[1] * radius * radius
    return [weight * (focal * factor * projected[k] + offset[k] - feature[k]) for k in range(2)]


def weight_error(weight: Any) -> Any:
    """Zero for a weight of 1 or -1."""
    return 1.0 - weight * weight


def derivatives(inputs: Any, feature: Any) -> tuple[Any, Any]:
    """The Jacobian of the reprojection error, two rows of fifteen, and the derivative of the weight's error."""
    return ag.jacobian(reprojection_error)(inputs, feature), ag.grad(weight_error)(inputs[14])


def ours(inputs: Any, features: Any) -> Call:
    """The derivatives compiled; both arguments have a leading axis of observations, and so do both results."""
    compiled = ag.compile(derivatives, batch=(0, 0))
    return lambda: compiled(inputs, features)


def data(count: int) -> tuple[Any, Any]:
    """Inputs and features of so many observations: (count, 15) and (count, 2)."""
    numbers = [float(word) for line in DATA.read_text().splitlines()[1:] for word in line.split()]
    generator = np.random.default_rng(4)
    inputs = np.array(numbers[:INPUTS]) * (1.0 + 0.01 * generator.standard_normal((count, INPUTS)))
    return inputs, np.array(numbers[INPUTS:]) * (1.0 + 0.01 * generator.standard_normal((count, 2)))


def expected(inputs: Any, features: Any) -> list[Any]:
    """By the eager engine."""
    pairs = zip(inputs.tolist(), features.tolist(), strict=True)
    return [list(x) for x in zip(*[derivatives(*pair) for pair in pairs], strict=True)]


def handwritten(inputs: Any, features: Any, flags: tuple[str, ...] = FLAGS, given: bool = False) -> Call:
    """bundle_adjustment.cpp, into new arrays like ours, or into the same ones at every call."""
    function = built("bundle_adjustment.cpp", flags=flags).jacobians
    function.restype = None
    count = len(inputs)
    parts = [np.ascontiguousarray(x) for x in (inputs[:, :CAMERA], inputs[:, CAMERA:14], inputs[:, 14], features)]
    kept = [np.zeros((count, 2, INPUTS)), np.zeros(count)] if given else None

    def call() -> list[Any]:
        rows, weights = kept or [np.empty((count, 2, INPUTS)), np.empty(count)]
        function(ctypes.c_size_t(count), *addresses(*parts, rows, weights))
        return [rows, weights]

    return call


def jax_side(inputs: Any, features: Any) -> Call:
    """jit(vmap(jacrev))."""
    jax = jax_on_one_core()
    jnp = jax.numpy

    def error(inputs: Any, feature: Any) -> Any:
        rotation, center, focal, offset, radial = inputs[:3], inputs[3:6], inputs[6], inputs[7:9], inputs[9:11]
        point, weight = inputs[11:14], inputs[14]
        angle = jnp.sqrt(jnp.sum(rotation * rotation))
        cosine, sine, axis, x = jnp.cos(angle), jnp.sin(angle), rotation / angle, point - center
        y = x * cosine + jnp.cross(axis, x) * sine + axis * (jnp.dot(axis, x) * (1.0 - cosine))
        projected = y[:2] / y[2]
        radius = jnp.sum(projected * projected)
        factor = 1.0 + radial[0] * radius + radial[1] * radius * radius
        return weight * (focal * factor * projected + offset - feature)

    def both(inputs: Any, feature: Any) -> Any:
        return jax.jacrev(error)(inputs, feature), jax.grad(lambda weight: 1.0 - weight * weight)(inputs[14])

    compiled = jax.jit(jax.vmap(both))
    there = jnp.array(inputs), jnp.array(features)
    return lambda: jax.block_until_ready(compiled(*there))


def casadi_side(inputs: Any, features: Any) -> Call:
    """The virtual machine on a map over the observations; a column of its results is an observation's."""
    import casadi as ca

    symbols, feature = ca.SX.sym("inputs", INPUTS), ca.SX.sym("feature", 2)
    rotation, weight = symbols[:3], symbols[14]
    angle = ca.sqrt(ca.sumsqr(rotation))
    cosine, axis, x = ca.cos(angle), rotation / angle, symbols[11:14] - symbols[3:6]
    y = x * cosine + ca.cross(axis, x) * ca.sin(angle) + axis * (ca.dot(axis, x) * (1.0 - cosine))
    projected = y[:2] / y[2]
    radius = ca.sumsqr(projected)
    factor = 1.0 + symbols[9] * radius + symbols[10] * radius * radius
    error = weight * (symbols[6] * factor * projected + symbols[7:9] - feature)
    rows = ca.densify(ca.jacobian(error, symbols)).T.reshape((2 * INPUTS, 1))
    function = ca.Function("both", [symbols, feature], [rows, ca.gradient(1.0 - weight * weight, weight)], {"cse": True})
    results = np.zeros((len(inputs), 2, INPUTS)), np.zeros(len(inputs))
    return in_buffers(function.map(len(inputs)), [inputs, features], results)


def workload(count: int) -> Workload:
    """So many observations, checked on a few if they are more."""
    given = data(count)
    return Workload(
        row="B4",
        title=f"bundle adjustment, Jacobian of 2 + 1 errors by 15 inputs, {count:,} observations",
        unit="ns/observation",
        scale=1e9 / count,
        ours=Side(partial(ours, *given), arrays=lambda both: [np.stack(both[0], axis=1), both[1]]),
        peers={
            CPP: Side(partial(handwritten, *given, O3), ("g++",)),
            CPP_FAST: Side(partial(handwritten, *given), ("g++",)),
            CPP_FAST + GIVEN: Side(partial(handwritten, *given, given=True), ("g++",)),
            JAX: Side(partial(jax_side, *given), ("jax",)),
            CASADI: Side(partial(casadi_side, *given), ("casadi",)),
        },
        expected=partial(expected, *given),
        small=workload(FEW) if count > FEW else None,
        goals={CPP: 2.0},
    )


def run_bundle_adjustment(settings: Settings) -> Iterator[Result]:
    """Row B4: as many observations as the instance has."""
    yield run_workload(workload(int(DATA.read_text().split()[2])), settings)
