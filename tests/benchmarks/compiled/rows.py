"""The rows on compiled functions, by name. What they need is imported when one is run: NumPy may be absent."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from benchmarks.measure import Result, Settings


def run_problems(row: str, functions: tuple[tuple[str, str], ...], settings: Settings) -> Iterator[Result]:
    """The problems of those functions, each given with its module; or the first alone."""
    if importlib.util.find_spec("numpy") is None:
        note = "numpy is not installed (pip install -e '.[compile]'): nothing was run"
        yield Result(row, COMPILED_ROWS[row][0], notes=[note])
        return

    def problems() -> Iterator[Result]:
        for module, function in functions:
            yield from getattr(importlib.import_module(f"benchmarks.compiled.{module}"), function)(settings)

    yield from islice(problems(), None if settings.all_problems else 1)


def _row(row: str, summary: str, *functions: tuple[str, str]) -> tuple[str, Callable[[Settings], Iterator[Result]]]:
    return summary, partial(run_problems, row, functions)


COMPILED_ROWS: dict[str, tuple[str, Callable[[Settings], Iterator[Result]]]] = {
    "B3": _row("B3", "training steps, compiled: the moons and the small GPT", ("networks", "run_networks")),
    "B4": _row(
        "B4", "bundle adjustment, compiled: Jacobians of reprojection errors", ("bundle_adjustment", "run_bundle_adjustment")
    ),
    "B5": _row(
        "B5", "Monte-Carlo greeks, compiled: an Asian call, a call under Heston's model", ("monte_carlo", "run_monte_carlo")
    ),
    "B6": _row("B6", "closed form, compiled: Black-Scholes, value and greeks", ("black_scholes", "run_closed_form")),
    "B7": _row("B7", "mixture models, compiled: Gaussian mixtures and k-means", ("mixtures", "run_mixtures")),
    "B8": _row(
        "B8",
        "optimal control and fits, compiled: cart and pole, Lotka-Volterra, Rosenbrock",
        ("cart_pole", "run_cart_pole"),
        ("fits", "run_fits"),
    ),
    "B9-compiled": _row(
        "B9-compiled", "growth: nanoseconds a node to record, compile and run", ("growth", "run_compiled_growth")
    ),
}
"""Every row: what it does, and the function that gives its results one by one."""
