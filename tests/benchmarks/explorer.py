"""Row of the explorer: making its page in Python; opening it in full, and moving a leaf, in Chromium where it is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import autograd_lite as ag
from benchmarks.measure import Goal, Result, Settings
from drawings import tangle

SIZES = {"three": 3_000, "five": 5_000}
PROGRAM = Path(__file__).parents[1] / "browser" / "explorer.mjs"
CHROMIUM = os.environ.get("AUTOGRAD_LITE_CHROMIUM", "/usr/bin/chromium")
OPENED, EXPANDED, FRAME = 1_000.0, 1_000.0, 16.0  # milliseconds


def run_explorer(settings: Settings) -> Iterator[Result]:
    """Row 'X8': random graphs of 3,000 and 5,000 values."""
    with tempfile.TemporaryDirectory() as folder:
        results = {name: _made(Path(folder), name, size) for name, size in SIZES.items()}
        measured = _in_chromium(folder)
    for name, result in results.items():
        if measured is None:
            result.notes.append(
                "Chromium, node or playwright-core are not there: tests/browser/node.py says how they are found"
            )
        else:
            for what, limit in (("opened", OPENED), ("expanded", EXPANDED), ("frame", FRAME)):
                result.goals.append(Goal(f"milliseconds, {what}", limit, measured[name][what], at_least=False))
        yield result


def _made(folder: Path, name: str, size: int) -> Result:
    value = tangle(size, 1)
    count = len(ag.topological_order(value))
    start = perf_counter()
    page = value.explore()
    result = Result("X8", f"explorer of {count:,} values, in Chromium", "ms", 1)
    result.figures["milliseconds to make the page"] = 1e3 * (perf_counter() - start)
    result.figures["bytes a value"] = len(page.html.encode()) / count
    page.save(folder / f"{name}_thousand.html")
    (folder / "expected.json").write_text("{}")
    return result


def _in_chromium(folder: str) -> dict[str, dict[str, float]] | None:
    modules = Path(os.environ.get("AUTOGRAD_LITE_NODE_MODULES", PROGRAM.parent / "node_modules"))
    if not (modules / "playwright-core").exists() or shutil.which("node") is None or shutil.which(CHROMIUM) is None:
        return None
    environment = {**os.environ, "AUTOGRAD_LITE_NODE_MODULES": str(modules), "ONLY": "nothing"}
    command = ["node", str(PROGRAM), folder, "measure"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    measured: dict[str, dict[str, float]] = json.loads(printed)["measured"]
    return measured
