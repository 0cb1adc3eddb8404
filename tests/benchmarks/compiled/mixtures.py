"""Row B7: ADBench's Gaussian mixture objective, value and gradient; k-means, value, gradient and diagonal Hessian.

A mixture of k Gaussians in d dimensions: `alphas` (k), `means` (k, d) and `factors` (k, d(d+1)/2), which are the logarithms of
the diagonal of a triangular factor of the inverse covariance, then the entries below it, column by column; a Wishart prior with
gamma 1 and m 0. GradBench has both problems too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.workloads import (
    HIPS,
    JAX,
    TORCH,
    Call,
    Side,
    Workload,
    jax_on_one_core,
    run_workload,
    torch_on_one_core,
)
from benchmarks.measure import Result, Settings

FEW = 12
NUMPY_PRIMAL = "NumPy primal"


def mixture_term(alphas: Any, means: Any, factors: Any, point: Any) -> Any:
    """What a point adds to the objective: the logarithm of the sum of the Gaussians there, but for a constant."""
    terms = []
    for alpha, mean, factor in zip(alphas, means, factors, strict=True):
        centered = [x - m for x, m in zip(point, mean, strict=True)]
        rows = [ag.exp(q) * c for q, c in zip(factor[: len(point)], centered, strict=True)]
        below = iter(factor[len(point) :])
        for column, c in enumerate(centered):
            for row in range(column + 1, len(point)):
                rows[row] = rows[row] + next(below) * c
        terms.append(alpha + sum(factor[: len(point)]) - 0.5 * sum([r * r for r in rows]))
    return ag.logsumexp(*terms)


def mixture_prior(alphas: Any, factors: Any, dimensions: int, count: int) -> Any:
    """What does not depend on the points: the weights' normalisation, the prior, and the constants of `count` Gaussians."""
    squares = [sum([ag.exp(2.0 * q) for q in factor[:dimensions]] + [q * q for q in factor[dimensions:]]) for factor in factors]
    return 0.5 * sum(squares) - count * ag.logsumexp(*alphas) + constant(len(alphas), dimensions, count)


def constant(gaussians: int, dimensions: int, count: int) -> float:
    """The Gaussians' normalisation and the Wishart distribution's, gamma 1 and m 0."""
    half = 0.5 * (dimensions + 1)
    gamma = 0.25 * dimensions * (dimensions - 1) * math.log(math.pi)
    gamma += sum([math.lgamma(half - 0.5 * j) for j in range(dimensions)])
    prior = (dimensions + 1) * dimensions * math.log(1.0 / math.sqrt(2.0)) - gamma
    return -0.5 * count * dimensions * math.log(2.0 * math.pi) - gaussians * prior


def kmeans_cost(centroids: Any, point: Any) -> Any:
    """The square of a point's distance from the nearest centroid."""
    squares = [sum([(x - c) * (x - c) for x, c in zip(point, centroid, strict=True)]) for centroid in centroids]
    nearest = squares[0]
    for square in squares[1:]:
        nearest = ag.minimum(nearest, square)
    return nearest


def kmeans_derivatives(centroids: Any, point: Any) -> tuple[Any, Any, Any]:
    """Value, gradient, and the Hessian times ones: its diagonal, for it is nothing else."""
    value, gradient = ag.value_and_grad(kmeans_cost)(centroids, point)
    ones = [[1.0] * len(centroid) for centroid in centroids]
    return value, gradient, ag.hvp(lambda given: kmeans_cost(given, point), centroids, ones)


def ours_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> Call:
    """Two compiled functions: the points' terms, summed inside the kernel, and what does not depend on them."""
    count, dimensions = points.shape
    terms = ag.compile(ag.value_and_grad(mixture_term, argnums=(0, 1, 2)), batch=(None, None, None, 0), reduce="sum")
    prior = ag.compile(
        ag.value_and_grad(partial(mixture_prior, dimensions=dimensions, count=count), argnums=(0, 1)), batch=(None, None)
    )

    def call() -> list[Any]:
        value, (by_alphas, by_means, by_factors) = terms(alphas, means, factors, points)
        constant_value, (more_by_alphas, more_by_factors) = prior(alphas, factors)
        by_alphas, by_factors = np.add(by_alphas, more_by_alphas), np.add(by_factors, more_by_factors)
        return [value + constant_value, by_alphas, by_means, by_factors]

    return call


def ours_kmeans(centroids: Any, points: Any) -> Call:
    """One compiled function, summed over the points inside the kernel."""
    compiled = ag.compile(kmeans_derivatives, batch=(None, 0), reduce="sum")
    return lambda: compiled(centroids, points)


def mixture_data(dimensions: int, gaussians: int, count: int) -> list[Any]:
    """Alphas, means, factors and points, drawn as ADBench draws them (from another generator)."""
    generator = np.random.default_rng(7)
    alphas = generator.standard_normal(gaussians)
    means = generator.uniform(0.0, 1.0, (gaussians, dimensions))
    factors = generator.standard_normal((gaussians, dimensions * (dimensions + 1) // 2))
    return [alphas, means, factors, generator.standard_normal((count, dimensions))]


def kmeans_data(dimensions: int, centroids: int, count: int) -> list[Any]:
    """Centroids and points, uniform in the unit cube; the last points are the centroids, so that none is without points."""
    points = np.random.default_rng(7).uniform(0.0, 1.0, (max(count, centroids), dimensions))
    return [points[-centroids:].copy(), points]


def expected_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> list[Any]:
    """The whole objective by the eager engine."""

    def objective(alphas: Any, means: Any, factors: Any) -> Any:
        terms = sum([mixture_term(alphas, means, factors, point) for point in points.tolist()])
        return terms + mixture_prior(alphas, factors, points.shape[1], len(points))

    given = [x.tolist() for x in (alphas, means, factors)]
    value, gradient = ag.value_and_grad(objective, argnums=(0, 1, 2))(*given)
    return [value, *gradient]


def expected_kmeans(centroids: Any, points: Any) -> list[Any]:
    """The same: the sum over the points."""
    results = [kmeans_derivatives(centroids.tolist(), point) for point in points.tolist()]
    return [np.sum([np.asarray(result[k]) for result in results], axis=0) for k in range(3)]


def mixture_of_arrays(package: Any, logsumexp: Callable[..., Any], points: Any) -> Callable[..., Any]:
    """The objective in operations on arrays, for the peers: `package` has exp and einsum, arrays have sum over an axis."""
    count, dimensions = points.shape
    # The place among a Gaussian's factors of the entry at a row and a column below the diagonal.
    place, mask = np.zeros((dimensions, dimensions), dtype=np.int64), np.zeros((dimensions, dimensions))
    columns, rows = np.triu_indices(dimensions, 1)
    place[rows, columns], mask[rows, columns] = dimensions + np.arange(len(rows)), 1.0

    def objective(alphas: Any, means: Any, factors: Any, mask: Any = mask, points: Any = points) -> Any:
        diagonals, logarithms = package.exp(factors[:, :dimensions]), factors[:, :dimensions].sum(1)
        centered = points[:, None, :] - means[None]
        rows = diagonals * centered + package.einsum("kij,nkj->nki", factors[:, place] * mask, centered)
        terms = logsumexp(alphas + logarithms - 0.5 * (rows * rows).sum(2), 1).sum()
        squares = (diagonals * diagonals).sum() + (factors[:, dimensions:] * factors[:, dimensions:]).sum()
        return terms - count * logsumexp(alphas, 0) + 0.5 * squares + constant(len(alphas), dimensions, count)

    return objective


def kmeans_of_arrays(smallest: Callable[..., Any], centroids: Any, points: Any) -> Any:
    """The cost in operations on arrays, the products of points and centroids as a matrix product."""
    products = points @ centroids.T
    return smallest((points * points).sum(1)[:, None] + (centroids * centroids).sum(1)[None] - 2.0 * products).sum()


def numpy_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> Call:
    """The value alone."""
    from scipy.special import logsumexp

    objective = mixture_of_arrays(np, logsumexp, points)
    return lambda: [objective(alphas, means, factors)]


def numpy_kmeans(centroids: Any, points: Any) -> Call:
    """The value alone."""
    return lambda: [kmeans_of_arrays(lambda x: x.min(1), centroids, points)]


def jax_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> Call:
    """jit(value_and_grad)."""
    jax = jax_on_one_core()
    objective = mixture_of_arrays(jax.numpy, jax.scipy.special.logsumexp, points)
    compiled = jax.jit(jax.value_and_grad(objective, argnums=(0, 1, 2)))
    given = [jax.numpy.array(x) for x in (alphas, means, factors)]

    def call() -> list[Any]:
        value, gradient = jax.block_until_ready(compiled(*given))
        return [value, *gradient]

    return call


def jax_kmeans(centroids: Any, points: Any) -> Call:
    """jit of the gradient and of its derivative along ones, as GradBench has it."""
    jax = jax_on_one_core()
    there = [jax.numpy.array(x) for x in (centroids, points)]

    @jax.jit
    def derivatives(centroids: Any, points: Any) -> Any:
        both = jax.value_and_grad(lambda given: kmeans_of_arrays(lambda x: x.min(1), given, points))
        (value, gradient), (_, diagonal) = jax.jvp(both, [centroids], [jax.numpy.ones_like(centroids)])
        return value, gradient, diagonal

    return lambda: jax.block_until_ready(derivatives(*there))


def torch_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> Call:
    """Eager tensors."""
    torch = torch_on_one_core()
    given = [torch.tensor(x, requires_grad=True) for x in (alphas, means, factors)]
    objective = mixture_of_arrays(torch, torch.logsumexp, points)
    mask = torch.tensor(np.tril(np.ones((points.shape[1],) * 2), -1))
    there = torch.tensor(points)

    def call() -> list[Any]:
        value = objective(*given, mask, there)
        return [value.detach(), *torch.autograd.grad(value, given)]

    return call


def torch_kmeans(centroids: Any, points: Any) -> Call:
    """Eager tensors, a sweep over the gradient's graph."""
    torch = torch_on_one_core()
    given, there = torch.tensor(centroids, requires_grad=True), torch.tensor(points)

    def call() -> list[Any]:
        value = kmeans_of_arrays(lambda x: x.min(1).values, given, there)
        (gradient,) = torch.autograd.grad(value, given, create_graph=True)
        (diagonal,) = torch.autograd.grad(gradient.sum(), given)
        return [value.detach(), gradient.detach(), diagonal]

    return call


def hips_mixture(alphas: Any, means: Any, factors: Any, points: Any) -> Call:
    """HIPS autograd's gradient."""
    import autograd
    from autograd.scipy.special import logsumexp

    objective = mixture_of_arrays(autograd.numpy, logsumexp, points)
    derivative = autograd.value_and_grad(lambda given: objective(*given))

    def call() -> list[Any]:
        value, gradient = derivative((alphas, means, factors))
        return [value, *gradient]

    return call


def hips_kmeans(centroids: Any, points: Any) -> Call:
    """HIPS autograd's gradient, and the gradient of its sum."""
    import autograd

    def cost(centroids: Any) -> Any:
        return kmeans_of_arrays(lambda x: autograd.numpy.min(x, axis=1), centroids, points)

    both, diagonal = autograd.value_and_grad(cost), autograd.elementwise_grad(autograd.grad(cost))
    return lambda: [*both(centroids), diagonal(centroids)]


def mixture(dimensions: int, gaussians: int, count: int) -> Workload:
    """The mixture's objective on so many points, checked on a few if they are more."""
    given = mixture_data(dimensions, gaussians, count)
    return Workload(
        row="B7",
        title=f"Gaussian mixture, value and gradient, d={dimensions}, k={gaussians}, n={count:,}",
        unit="ms",
        scale=1e3,
        ours=Side(partial(ours_mixture, *given)),
        peers={
            NUMPY_PRIMAL: Side(partial(numpy_mixture, *given), ("scipy",), 1),
            JAX: Side(partial(jax_mixture, *given), ("jax",)),
            TORCH: Side(partial(torch_mixture, *given), ("torch",)),
            HIPS: Side(partial(hips_mixture, *given), ("autograd",)),
        },
        expected=partial(expected_mixture, *given),
        small=mixture(dimensions, gaussians, FEW) if count > FEW else None,
        goals={JAX: 3.0} if dimensions == 2 else {},
    )


def kmeans(dimensions: int, centroids: int, count: int) -> Workload:
    """k-means on so many points, checked on a few if they are more."""
    given = kmeans_data(dimensions, centroids, count)
    return Workload(
        row="B7",
        title=f"k-means, value, gradient and diagonal Hessian, d={dimensions}, k={centroids}, n={count:,}",
        unit="ms",
        scale=1e3,
        ours=Side(partial(ours_kmeans, *given)),
        peers={
            NUMPY_PRIMAL: Side(partial(numpy_kmeans, *given), ("scipy",), 1),
            JAX: Side(partial(jax_kmeans, *given), ("jax",)),
            TORCH: Side(partial(torch_kmeans, *given), ("torch",)),
            HIPS: Side(partial(hips_kmeans, *given), ("autograd",)),
        },
        expected=partial(expected_kmeans, *given),
        small=kmeans(dimensions, centroids, FEW) if count > max(FEW, centroids) else None,
    )


def run_mixtures(settings: Settings) -> Iterator[Result]:
    """Row B7."""
    for dimensions, gaussians in ((2, 5), (10, 5), (10, 25)):
        yield run_workload(mixture(dimensions, gaussians, 1000), settings)
    yield run_workload(kmeans(8, 10, settings.largest // 100), settings)
