"""The registry of benchmarks, and the command that runs them, prints a table and writes JSON."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import autograd_lite as ag
from benchmarks.compiled.rows import COMPILED_ROWS
from benchmarks.drawings import run_drawings
from benchmarks.explorer import run_explorer
from benchmarks.growth import run_growth
from benchmarks.measure import (
    OURS,
    QUICK,
    DisagreementError,
    Result,
    Settings,
    machine,
    pin_to_one_core,
    version_of,
)
from benchmarks.moons import run_moons
from benchmarks.scripts import run_functions, run_script
from benchmarks.small_gpt import run_small_gpt


class Row(NamedTuple):
    """A benchmark: what it does, and the function that gives its results one by one."""

    summary: str
    run: Callable[[Settings], Iterator[Result]]


ROWS = {
    "script": Row("record, sweep and free a mix of + - * /", run_script),
    "functions": Row("the same with relu and powers, and with exp, tanh and log; each function alone", run_functions),
    "B1": Row("moons, eager: whole training steps of micrograd's demo", run_moons),
    "B2": Row("small GPT, eager: whole training steps in plain scalar code", run_small_gpt),
    "B9": Row("growth, eager: nanoseconds and bytes a node as graphs grow", run_growth),
    "S6": Row("drawings: milliseconds and bytes of pictures of 50 to 5,000 values", run_drawings),
    "X8": Row("explorer: milliseconds to open a page of 3,000 and 5,000 values, and to move a leaf in it", run_explorer),
    **{name: Row(*row) for name, row in COMPILED_ROWS.items()},
}
"""Every benchmark by name; adding one is adding an entry."""

DISTRIBUTIONS = ("micrograd", "xad", "llvmlite", "numpy", "jax", "casadi", "numba", "torch", "ddx-ad", "autograd")
"""What rows are about, besides the engine; one that is absent is left out with a note."""

DESCRIPTION = """\
Benchmarks of autograd_lite beside other libraries. Run as `python tests/benchmarks`.

All sides of a row run in one process on one core, in turn, and every row in a process of its own; the table shows medians
and, in brackets, ratios: the peer's time over ours, above 1 is good. A row is reported only if its numbers agree. Peers come
with `pip install -e '.[bench]'`, those of the eager rows alone with `bench-eager` (one that is absent is left out with
a note). Others are "pure", a second copy of this package with the engine in Python, for B2 "local gradients", a Value of 40
lines, and functions written by hand, which gcc compiles where it is there. The exit status is 1 if numbers disagree.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    settings = QUICK if options.quick else Settings()
    chosen = {name: value for name in vars(settings) if (value := getattr(options, name, None)) is not None}
    settings = replace(settings, **chosen)
    report: dict[str, Any] = {"machine": machine(pin_to_one_core())}
    report["versions"] = {OURS: ag.__version__, "engine": ag.engine_name}
    report["versions"] |= {name: version_of(name) for name in DISTRIBUTIONS}
    report["settings"] = vars(settings)
    report["rows"] = []
    print(_heading(report), end="\n\n")
    sys.stdout.flush()
    failure = None
    # A fresh interpreter a row: what a row leaves behind moves memory and the collector's thresholds for those after it.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn, max_tasks_per_child=1) as interpreters:
        for name in options.only or ROWS:
            rows, failure = interpreters.submit(run_row, name, settings).result()
            report["rows"] += rows
            if failure is not None:
                break
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if failure is not None and not isinstance(failure, DisagreementError):
        raise failure
    if failure is not None:
        print(f"numbers disagree: {failure}", file=sys.stderr)
    return 0 if failure is None else 1


def run_row(name: str, settings: Settings) -> tuple[list[dict[str, Any]], Exception | None]:
    """Run and print one row; its results as JSON has them, and what stopped it."""
    rows: list[dict[str, Any]] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            for result in ROWS[name].run(settings):
                rows.append(result.as_json())
                print(table(result), flush=True)
        except Exception as failure:
            failure.add_note(traceback.format_exc())  # the traceback itself stays in this process
            failures.append(failure)

    _in_deep_thread(work)
    return rows, failures[0] if failures else None


def table(result: Result) -> str:
    """One result, as printed."""
    lines = [f"{result.row}: {result.title}"]
    if result.times:
        lines[0] += f" ({result.unit}, median of {result.repetitions})"
        lines += _line_a_side(result) if result.first_result else _line_a_phase(result)
    lines += [f"  {name.replace('_', ' ')}: {figure:.4g}" for name, figure in result.figures.items()]
    for goal in result.goals:
        bound = "at least" if goal.at_least else "at most"
        lines.append(f"  goal: {goal.figure} {bound} {goal.limit:g}: {goal.reached:.5g}, {'met' if goal.met else 'MISSED'}")
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines) + "\n"


def _line_a_phase(result: Result) -> Iterator[str]:
    """The sides are columns."""
    names = list(result.times)
    yield " ".join([f"  {'':<16}", *[f"{name:>15}" if name == OURS else f"{name:>24}" for name in names]])
    ratios = {name: result.ratios(name) for name in names}
    for phase, ours in result.times[OURS].items():
        cells = [
            f"{result.times[name][phase]['median']:>15.4g} {'(' + format(ratios[name][phase], '.2f') + ')':>8}"
            if phase in ratios[name]
            else f"{'':>24}"
            for name in names[1:]
        ]
        yield " ".join([f"  {phase:<16}", f"{ours['median']:>15.4g}", *cells]).rstrip()


def _line_a_side(result: Result) -> Iterator[str]:
    """Sides with one phase, whose first results took other times."""
    width = max(32, *map(len, result.times))
    yield f"  {'':<{width}} {'median':>12} {'ratio':>9} {'fastest':>12} {'first result, ms':>17}"
    for name, phases in result.times.items():
        total, ratio = phases["total"], result.ratios(name).get("total")
        shown = "" if ratio is None or name == OURS else f"({ratio:.2f})"
        first = result.first_result[name]
        yield f"  {name:<{width}} {total['median']:>12.4g} {shown:>9} {total['minimum']:>12.4g} {first:>17.4g}"


def _heading(report: dict[str, Any]) -> str:
    facts, versions = report["machine"], report["versions"]
    pinned = "not pinned" if facts["pinned_to_core"] is None else f"pinned to core {facts['pinned_to_core']}"
    others = ", ".join([f"{name} {versions[name] or 'absent'}" for name in DISTRIBUTIONS])
    load = "" if facts["load_average"] is None else f", load {facts['load_average']:.1f}"
    return (
        f"{facts['implementation']} {facts['python']} on {facts['cpu']}, {pinned}{load}; autograd_lite {versions[OURS]}"
        f" ({versions['engine']} engine), {others}"
    )


def _in_deep_thread(work: Callable[[], None]) -> None:
    """Run where micrograd's recursive sort of a deep graph fits: a thread with a large stack and no low recursion limit."""
    limit = sys.getrecursionlimit()
    size = threading.stack_size(512 * 2**20)
    sys.setrecursionlimit(10**7)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)


def _parser() -> argparse.ArgumentParser:
    rows = "\n".join([f"  {name:<12} {row.summary}" for name, row in ROWS.items()])
    parser = argparse.ArgumentParser(
        prog="python tests/benchmarks",
        description=DESCRIPTION,
        epilog=f"rows:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer repetitions, smaller graphs, of compiled functions the first problem of a row: about a minute",
    )
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="ROW", help="run this row; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--operations", type=_positive, metavar="N", help="operations of a script (10,000)")
    parser.add_argument("--repetitions", type=_positive, metavar="N", help="times each side runs (15, quick 7)")
    parser.add_argument(
        "--steps", type=_positive, metavar="N", help="training steps of B1 and B2 (100, quick 3; B2 10 at most)"
    )
    parser.add_argument("--largest", type=_positive, metavar="N", help="nodes of the largest graph of B9 (10^6, quick 10^5)")
    parser.add_argument("--largest-of-peer", type=_positive, metavar="N", help="the same for the peers (10^5, quick 10^4)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
