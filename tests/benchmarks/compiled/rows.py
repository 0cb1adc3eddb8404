"""The rows on compiled functions, by name; run as `python tests/benchmarks/compiled`, the peers alone where ours is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.compiled.black_scholes import run_closed_form
from benchmarks.compiled.bundle_adjustment import run_bundle_adjustment
from benchmarks.compiled.cart_pole import run_cart_pole
from benchmarks.compiled.fits import run_fits
from benchmarks.compiled.mixtures import run_mixtures
from benchmarks.compiled.monte_carlo import run_monte_carlo
from benchmarks.compiled.networks import run_networks
from benchmarks.measure import Result, Settings


def run_control(settings: Settings) -> Iterator[Result]:
    """Row B8."""
    yield from run_cart_pole(settings)
    yield from run_fits(settings)


COMPILED_ROWS: dict[str, tuple[str, Callable[[Settings], Iterator[Result]]]] = {
    "B3": ("training steps: the moons and the small GPT", run_networks),
    "B4": ("bundle adjustment: Jacobians of reprojection errors", run_bundle_adjustment),
    "B5": ("Monte-Carlo greeks: an arithmetic Asian call, a call under Heston's model", run_monte_carlo),
    "B6": ("closed form: Black-Scholes, value and greeks", run_closed_form),
    "B7": ("mixture models: Gaussian mixtures and k-means", run_mixtures),
    "B8": ("optimal control and fits: cart and pole, Lotka-Volterra, Rosenbrock", run_control),
}
"""Every row: what it does, and the function that gives its results one by one."""
