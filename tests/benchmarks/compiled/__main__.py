"""The rows on compiled functions alone: python tests/benchmarks/compiled [--quick] [--json FILE] [ROW...]"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # not this folder, whose modules would hide others of their names
sys.path.pop(1)

from benchmarks.measure import QUICK, Settings, machine, pin_to_one_core

CORE = pin_to_one_core()  # before NumPy counts the cores, for as many threads to share a matrix product

from benchmarks.compiled.rows import COMPILED_ROWS  # noqa: E402

parser = argparse.ArgumentParser(prog="python tests/benchmarks/compiled", description=__doc__)
parser.add_argument("rows", nargs="*", choices=[[], *COMPILED_ROWS], metavar="ROW")
parser.add_argument("--quick", action="store_true", help="smaller problems, fewer repetitions")
parser.add_argument("--repetitions", type=int, metavar="N", help="times each side runs (15, quick 7)")
parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
options = parser.parse_args()
settings = QUICK if options.quick else Settings()
if options.repetitions:
    settings = Settings(**{**vars(settings), "repetitions": options.repetitions})
report = {"machine": machine(CORE), "rows": []}
for name in options.rows or COMPILED_ROWS:
    for result in COMPILED_ROWS[name][1](settings):
        report["rows"].append(result.as_json())
        print(f"{result.row}: {result.title} ({result.unit}, median of {result.repetitions})")
        for side, phases in result.times.items():
            first = result.figures[f"milliseconds_to_the_first_result_of_{side}"]
            total = phases["total"]
            print(f"  {side:<32} {total['median']:12.4g}  (fastest {total['minimum']:.4g}; first result after {first:.4g} ms)")
        for goal in result.goals:
            print(f"  goal: {goal.figure} at least {goal.limit:g}: {goal.reached:.4g}, {'met' if goal.met else 'MISSED'}")
        print(f"  largest difference: {result.figures['largest_difference']:.1e}")
        for note in result.notes:
            print(f"  note: {note}")
        print(flush=True)
if options.json:
    options.json.write_text(json.dumps(report, indent=1) + "\n")
