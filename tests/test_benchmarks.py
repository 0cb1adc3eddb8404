"""The benchmark runner: its report has the right shape, peers may be absent, wrong numbers are noticed. Nothing is timed."""

import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import autograd_lite
from benchmarks import growth, local_gradients, small_gpt
from benchmarks.compiled import rows as compiled_rows
from benchmarks.compiled.rows import COMPILED_ROWS
from benchmarks.growth import RandomGraphs
from benchmarks.measure import (
    LOCAL_GRADIENTS,
    MICROGRAD,
    OURS,
    PURE,
    QUICK,
    XAD,
    DisagreementError,
    Goal,
    Result,
    _seconds_to_free,
    require_agreement,
)
from benchmarks.operations import LIMITED, TIMED, new_leaves, script_of
from benchmarks.peers import Engine, engines
from benchmarks.runner import ROWS, table

RUNNER = Path(__file__).parent / "benchmarks"
PACKAGE = Path(autograd_lite.__file__).parent.parent
TINY = ["--quick", "--operations", "64", "--repetitions", "2"]
EAGER_ROWS = [
    row for row in ROWS if row not in COMPILED_ROWS and row not in ("S6", "X8")
]  # the others: test_compiled_workloads.py
PHASES = {"record", "sweep", "free", "first gradient", "total"}
PURE_IF_NATIVE = {PURE} if autograd_lite.engine_name == "native" else set()

ABSENT = "raise ImportError('not here')"
SAME = "from autograd_lite import Value as Value"
WRONG = "import autograd_lite\ndef Value(data): return autograd_lite.Value(data * (1.0 + 1e-9))"
XAD_ALIKE = """
from benchmarks.local_gradients import Value

Value.value, Value.derivative = Value.data, Value.grad
exp, log = Value.exp, Value.log
max = lambda limit, x: (x - limit).relu()
tanh = lambda x: 1.0 - 2.0 / ((x * 2.0).exp() + 1.0)
Real = lambda number: Value(number * SCALE)

class Tape:
    active = None
    getActive = staticmethod(lambda: Tape.active)
    def activate(self): assert Tape.active is None; Tape.active = self
    def deactivate(self): Tape.active = None
    def registerInputs(self, leaves): self.leaves = leaves
    def newRecording(self): assert self.leaves and Tape.active is self
    def registerOutput(self, result): self.result = result
    def computeAdjoints(self): assert self.result.derivative == 1.0; self.result.backward()
    def clearAll(self): del self.leaves, self.result
"""
SAME_XAD, WRONG_XAD = XAD_ALIKE.replace("SCALE", "1.0"), XAD_ALIKE.replace("SCALE", "(1.0 + 1e-9)")


def run(tmp_path, micrograd, *arguments, xad=ABSENT):
    """The finished process and its report, with modules of those texts in the peers' places."""
    for path, text in {"micrograd/engine": micrograd, "xad/math": xad, "xad/adj_1st": xad}.items():
        module = tmp_path / f"{path}.py"
        module.parent.mkdir(exist_ok=True)
        (module.parent / "__init__.py").touch()
        module.write_text(text)
    report = tmp_path / "report.json"
    process = subprocess.run(
        [sys.executable, RUNNER, *arguments, "--json", report],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGE)])},
        capture_output=True,
        text=True,
        check=False,
    )
    return process, json.loads(report.read_text())


def test_report_without_peers(tmp_path):
    process, report = run(tmp_path, ABSENT, *TINY, "--only", "script")
    assert process.returncode == 0, process.stderr
    assert {"machine", "versions", "settings", "rows"} == set(report)
    assert report["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert report["machine"]["cpu"]
    assert report["versions"]["engine"] == autograd_lite.engine_name
    assert [row["row"] for row in report["rows"]] == ["script", "script"]
    for row in report["rows"]:
        assert set(row["times"]) == {OURS, *PURE_IF_NATIVE}
        assert row["ratios"] == {}
        assert set(row["ratios_by_peer"]) == PURE_IF_NATIVE
        assert len(row["goals"]) == len(PURE_IF_NATIVE)
        for peer in {MICROGRAD, XAD}:
            assert any(f"{peer} is not installed" in note for note in row["notes"])
        assert any("the side 'pure' was left out" in note for note in row["notes"]) == (not PURE_IF_NATIVE)
    assert "micrograd is not installed" in process.stdout


def test_report_with_peers(tmp_path):
    process, report = run(tmp_path, SAME, *TINY, "--only", "script", "--only", "B9", "--largest", "100", xad=SAME_XAD)
    assert process.returncode == 0, process.stderr
    assert [row["row"] for row in report["rows"]] == ["script", "script", "B9"]
    for row in report["rows"]:
        assert row["figures"]["largest_difference"] <= 1e-12
        assert set(row["times"]) == {OURS, MICROGRAD, XAD, *PURE_IF_NATIVE}
        assert row["ratios"] == row["ratios_by_peer"][MICROGRAD]
        ours = row["times"][OURS]
        for peer, ratios in row["ratios_by_peer"].items():
            theirs = row["times"][peer]
            assert set(ours) == set(theirs) == set(ratios) == PHASES
            for phase in PHASES:
                assert 0.0 <= ours[phase]["minimum"] <= ours[phase]["median"]
                assert ratios[phase] == theirs[phase]["median"] / ours[phase]["median"]
        assert row["title"] in process.stdout
    for row in report["rows"][:2]:
        assert [goal["figure"].split()[2] for goal in row["goals"]] == [MICROGRAD, *PURE_IF_NATIVE, XAD]
    growth = report["rows"][-1]["figures"]
    assert growth["total_with_the_collector_off"] > 0
    assert growth[f"traced_bytes_a_node_of_{MICROGRAD if not PURE_IF_NATIVE else PURE}"] > 0
    assert f"traced_bytes_a_node_of_{XAD}" not in growth


@pytest.mark.parametrize("row", [row for row in EAGER_ROWS if row not in {"B1", "B2"}])
def test_xad_with_other_numbers_is_refused(tmp_path, row):
    process, report = run(tmp_path, ABSENT, *TINY, "--only", row, "--largest", "100", xad=WRONG_XAD)
    assert process.returncode == 1
    assert "numbers disagree" in process.stderr
    assert report["rows"] == []


def test_drawings_tell_times_and_bytes(tmp_path):
    process, report = run(tmp_path, ABSENT, *TINY, "--only", "S6", "--largest", "1000")
    assert process.returncode == 0, process.stderr
    assert [set(row["times"][OURS]) for row in report["rows"]] == [{"network", "random graph"}] * 4 + [
        {"network in boxes", "chain"}
    ]
    sizes = [goal for row in report["rows"] for goal in row["goals"] if goal["figure"].startswith("bytes")]
    assert len(sizes) == 3
    assert all(goal["met"] for goal in sizes)


def test_the_row_of_the_explorer_says_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_NODE_MODULES", str(tmp_path))
    process, report = run(tmp_path, ABSENT, *TINY, "--only", "X8")
    assert process.returncode == 0
    assert [row["figures"]["bytes a value"] < 1000 for row in report["rows"]] == [True, True]
    assert all("playwright-core are not there" in row["notes"][0] for row in report["rows"])


def test_moons_follow_the_published_losses(tmp_path):
    process, report = run(tmp_path, ABSENT, "--quick", "--only", "B1", "--steps", "2")
    assert process.returncode == 0, process.stderr
    assert len(report["rows"]) == 2
    for row in report["rows"]:
        for name in {OURS, *PURE_IF_NATIVE}:
            assert row["figures"][f"largest_loss_difference_of_{name}"] <= 1e-12
            assert set(row["times"][name]) == PHASES | {"update"}
    assert report["rows"][0]["times"] != report["rows"][1]["times"]


def test_the_small_gpt_follows_the_recorded_losses(tmp_path):
    process, report = run(tmp_path, ABSENT, "--quick", "--only", "B2", "--steps", "2")
    assert process.returncode == 0, process.stderr
    (row,) = report["rows"]
    assert row["figures"]["nodes_of_the_first_step"] > 50_000
    for name in {OURS, LOCAL_GRADIENTS, *PURE_IF_NATIVE}:
        assert row["figures"][f"largest_loss_difference_of_{name}"] <= 1e-12
        assert row["figures"][f"steps_a_second_of_{name}"] == 1e3 / row["times"][name]["total"]["median"]
        assert set(row["times"][name]) == PHASES | {"update"}
    assert [goal["limit"] for goal in row["goals"]] == [15.0]


@pytest.mark.parametrize("row", [row for row in EAGER_ROWS if row != "B2"])
def test_a_peer_with_other_numbers_is_refused(tmp_path, row):
    process, report = run(tmp_path, WRONG, *TINY, "--only", row, "--largest", "100", "--steps", "1")
    assert process.returncode == 1
    assert "numbers disagree" in process.stderr
    assert report["rows"] == []


def test_a_wrong_rule_or_a_wrong_loss_is_refused_in_the_small_gpt(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(local_gradients.Value, "relu", lambda x: local_gradients.Value(max(0.0, x.data), (x,), (1.0,)))
        with pytest.raises(DisagreementError, match="first gradient's square of local gradients"):
            small_gpt.Training(Engine(local_gradients.Value), LOCAL_GRADIENTS)
    with monkeypatch.context() as patch:
        patch.setitem(small_gpt.GOLD, "loss", [small_gpt.GOLD["loss"][0] + 1e-9])
        with pytest.raises(DisagreementError, match="step 0: the loss of autograd_lite"):
            list(small_gpt.run_small_gpt(replace(QUICK, steps=1)))


def test_the_local_gradients_are_right():
    def formula(x, y):
        return (x * y + 2.0 / x - y / x + (1.0 - x) ** 3 * -y).exp().log() + (x - y).relu() + x / 3.0 + 0.5 * (y - 1.0)

    ours, theirs = [
        [value_class(number) for number in (0.7, 0.4)] for value_class in (autograd_lite.Value, local_gradients.Value)
    ]
    results = [formula(*leaves) for leaves in (ours, theirs)]
    for result in results:
        result.backward()
    assert results[0].data == pytest.approx(results[1].data, rel=1e-15)
    assert [leaf.grad for leaf in ours] == pytest.approx([leaf.grad for leaf in theirs], rel=1e-14)


@pytest.mark.parametrize("expression", TIMED + LIMITED)
def test_an_operation_alone_is_what_its_script_adds_up(expression):
    xs, ys = new_leaves()
    names = {name: getattr(autograd_lite, name) for name in ("exp", "tanh", "relu", "log")}
    total = script_of(expression)(xs, ys, 3, **names)
    number = xs[0].data
    for x, y in 3 * list(zip(xs, ys)):
        number = number + eval(expression, {**names, "x": x, "y": y}).data  # noqa: S307 - the expressions of the benchmark
    assert total.data == number
    total.backward()
    assert all(1e-3 < abs(x.grad) < 1e3 for x in xs)  # nothing overflows or dies out


def test_the_row_of_operations_names_its_goals(tmp_path):
    process, report = run(tmp_path, ABSENT, *TINY, "--only", "functions")
    assert process.returncode == 0, process.stderr
    row = report["rows"][-1]
    assert list(row["times"][OURS]) == ["addition", *TIMED, *LIMITED]
    assert [goal["figure"] for goal in row["goals"]] == [f"{expression} over an addition" for expression in LIMITED]
    for goal in row["goals"]:
        assert goal["limit"] == 2.5
        assert goal["met"] == (goal["reached"] <= 2.5)


def test_a_table_has_a_ratio_for_every_peer():
    times = {name: {"total": {"median": time, "minimum": time}} for name, time in ((OURS, 2.0), (MICROGRAD, 50.0), (XAD, 8.0))}
    result = Result("row", "title", "ns", 7, times)
    result.aim(MICROGRAD, 20.0)
    result.aim(XAD, 5.0)
    result.aim(PURE, 1.0)  # not measured
    lines = table(result).splitlines()
    assert lines[2].split() == ["total", "2", "50", "(25.00)", "8", "(4.00)"]
    assert lines[3:] == [
        "  goal: total of micrograd over ours at least 20: 25, met",
        "  goal: total of xad over ours at least 5: 4, MISSED",
    ]


def test_a_table_has_no_ratio_where_a_peer_has_no_such_phase():
    times = {
        OURS: {"run": {"median": 2.0, "minimum": 2.0}, "compile": {"median": 3.0, "minimum": 3.0}},
        XAD: {"compile": {"median": 6.0, "minimum": 6.0}},
        MICROGRAD: {"run": {"median": 8.0, "minimum": 8.0}},
    }
    head, run_line, compile_line = table(Result("row", "title", "ns", 7, times)).splitlines()[1:]
    assert run_line.split() == ["run", "2", "8", "(4.00)"]
    assert compile_line.split() == ["compile", "3", "6", "(2.00)"]
    for line, name in ((run_line, MICROGRAD), (compile_line, XAD)):  # below their names
        assert line.index(")") + 1 == head.index(name) + len(name)


def test_a_table_of_first_results_has_a_line_a_side():
    peers = ["CasADi, whole problem, compiled", "a name that is longer than thirty-two characters"]
    times = {name: {"total": {"median": t, "minimum": t / 2}} for name, t in zip((OURS, *peers), (2.0, 5.0, 1.0))}
    first = {OURS: 30.0, peers[0]: 4e3, peers[1]: 0.25}
    result = Result("row", "title", "us", 7, times, first_result=first)
    lines = table(result).splitlines()
    assert lines[1].split() == ["median", "ratio", "fastest", "first", "result,", "ms"]
    assert lines[2].split() == [OURS, "2", "1", "30"]
    assert lines[3].removeprefix(f"  {peers[0]} ").split() == ["5", "(2.50)", "2.5", "4000"]
    assert lines[4].removeprefix(f"  {peers[1]} ").split() == ["1", "(0.50)", "0.5", "0.25"]
    assert len({len(line) for line in lines[1:]}) == 1
    assert result.as_json()["first_result"] == first


def test_rows_of_compiled_functions_say_that_numpy_is_absent(monkeypatch):
    monkeypatch.setattr(compiled_rows.importlib.util, "find_spec", lambda name: None)
    for row in COMPILED_ROWS:
        (result,) = ROWS[row].run(QUICK)
        assert "numpy is not installed" in table(result)
        assert not result.times


def test_agreement():
    assert require_agreement("x", [1.0, 2.0], [1.0, 2.0]) == 0.0
    assert require_agreement("x", [4.0, 1.0], [4.0, 1.0 + 2**-50]) == 2**-52
    assert require_agreement("x", [0.0], [0.0]) == 0.0
    for ours, theirs in [([1.0], [1.0 + 1e-11]), ([1.0], [float("nan")]), ([float("inf")], [1.0])]:
        with pytest.raises(DisagreementError, match="the sides differ"):
            require_agreement("x", ours, theirs)
    with pytest.raises(ValueError, match="zip"):
        require_agreement("x", [1.0], [1.0, 2.0])


def test_goals():
    assert Goal("ratio", 5.0, 5.0).met
    assert not Goal("ratio", 5.0, 4.9).met
    assert Goal("bytes", 112.0, 112.0, at_least=False).met
    assert not Goal("bytes", 112.0, 112.1, at_least=False).met


def test_the_growing_graphs_have_the_nodes_they_claim():
    engine = engines()[0][OURS]
    graphs = RandomGraphs()
    for nodes in (32, 320, 6400):
        order = autograd_lite.topological_order(graphs.record(engine.leaves(graphs.numbers), nodes))
        assert sum(node.op is not None for node in order) == nodes
    numbers = [node.data for node in order if node.op is not None and node.op.name != "add"]
    assert all(0.25 <= abs(number) <= 4.0 for number in numbers)


def test_the_collector_is_left_on():
    graphs, states = RandomGraphs(), []
    record = graphs.record
    graphs.record = lambda leaves, size: states.append(gc.isenabled()) or record(leaves, size)
    was_on = gc.isenabled()  # not where the suite runs without it
    gc.enable()
    try:
        row = growth._run_size(graphs, 1000, engines()[0], 1)
        assert gc.isenabled()
    finally:
        (gc.enable if was_on else gc.disable)()
    assert states.count(False) == row.repetitions + 1  # those of the figure that says so, and their warm-up
    assert states.count(True) > row.repetitions + 1
    assert not row.goals  # too small to tell the bytes of a node
    if not PURE_IF_NATIVE:
        assert 80 < row.figures[f"traced_bytes_a_node_of_{OURS}"] < 200


def test_a_peer_pays_for_its_own_garbage_alone():
    assert _seconds_to_free(float("inf"), cyclic=True) == 0.0  # never negative, whatever the collector's own time is


def test_help_names_every_row():
    process = subprocess.run([sys.executable, RUNNER, "--help"], capture_output=True, text=True, check=True)
    assert "python tests/benchmarks" in process.stdout
    assert all(f"  {name} " in process.stdout for name in ROWS)
