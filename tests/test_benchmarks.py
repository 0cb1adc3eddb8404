"""The benchmark runner: its report has the right shape, peers may be absent, wrong numbers are noticed. Nothing is timed."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite
from benchmarks import growth
from benchmarks.growth import RandomGraphs
from benchmarks.measure import DisagreementError, Goal, require_agreement, seconds_to_free
from benchmarks.peers import engines
from benchmarks.runner import ROWS

RUNNER = Path(__file__).parent / "benchmarks"
PACKAGE = Path(autograd_lite.__file__).parent.parent
TINY = ["--quick", "--operations", "64", "--repetitions", "2"]
PHASES = {"record", "sweep", "free", "first gradient", "total"}

ABSENT = "raise ImportError('no micrograd here')"
SAME = "from autograd_lite import Value as Value"
WRONG = "import autograd_lite\ndef Value(data): return autograd_lite.Value(data * (1.0 + 1e-9))"


def run(tmp_path, micrograd, *arguments):
    """The finished process and its report, with a module of that text in micrograd's place."""
    (tmp_path / "micrograd").mkdir()
    (tmp_path / "micrograd" / "__init__.py").write_text("")
    (tmp_path / "micrograd" / "engine.py").write_text(micrograd)
    report = tmp_path / "report.json"
    process = subprocess.run(
        [sys.executable, RUNNER, *arguments, "--json", report],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGE)])},
        capture_output=True,
        text=True,
        check=False,
    )
    return process, json.loads(report.read_text())


def test_report_without_the_peer(tmp_path):
    process, report = run(tmp_path, ABSENT, *TINY, "--only", "script")
    assert process.returncode == 0, process.stderr
    assert {"machine", "versions", "settings", "rows"} == set(report)
    assert report["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert report["machine"]["cpu"]
    assert [row["row"] for row in report["rows"]] == ["script", "script"]
    for row in report["rows"]:
        assert set(row["times"]) == {"autograd_lite"}
        assert row["ratios"] == {}
        assert row["goals"] == []
        assert any("micrograd is not installed" in note for note in row["notes"])
    assert "micrograd is not installed" in process.stdout


def test_report_with_a_peer(tmp_path):
    process, report = run(tmp_path, SAME, *TINY, "--only", "script", "--only", "B9", "--largest", "100")
    assert process.returncode == 0, process.stderr
    assert [row["row"] for row in report["rows"]] == ["script", "script", "B9"]
    for row in report["rows"]:
        assert row["figures"]["largest_difference"] == 0.0
        ours, theirs = row["times"]["autograd_lite"], row["times"]["micrograd"]
        assert set(ours) == set(theirs) == set(row["ratios"]) == PHASES
        for phase in PHASES:
            assert 0.0 <= ours[phase]["minimum"] <= ours[phase]["median"]
            assert row["ratios"][phase] == theirs[phase]["median"] / ours[phase]["median"]
        assert row["title"] in process.stdout
    assert report["rows"][0]["goals"][0]["limit"] == 5.0
    assert report["rows"][-1]["figures"]["total_with_the_collector_off"] > 0
    assert report["rows"][-1]["figures"]["traced_bytes_a_node_of_autograd_lite"] > 0


def test_moons_follow_the_published_losses(tmp_path):
    process, report = run(tmp_path, ABSENT, "--quick", "--only", "B1", "--steps", "2")
    assert process.returncode == 0, process.stderr
    (row,) = report["rows"]
    assert row["figures"]["largest_loss_difference_of_autograd_lite"] <= 1e-12
    assert set(row["times"]["autograd_lite"]) == PHASES | {"update"}


@pytest.mark.parametrize("row", list(ROWS))
def test_a_peer_with_other_numbers_is_refused(tmp_path, row):
    process, report = run(tmp_path, WRONG, *TINY, "--only", row, "--largest", "100", "--steps", "1")
    assert process.returncode == 1
    assert "numbers disagree" in process.stderr
    assert report["rows"] == []


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
    engine = engines()[0]["autograd_lite"]
    graphs = RandomGraphs()
    for nodes in (32, 320, 6400):
        order = autograd_lite.topological_order(graphs.record(graphs.leaves(engine), nodes))
        assert sum(node.op is not None for node in order) == nodes
    numbers = [node.data for node in order if node.op is not None and node.op.name != "add"]
    assert all(0.25 <= abs(number) <= 4.0 for number in numbers)


def test_the_collector_is_left_on():
    graphs, states = RandomGraphs(), []
    record = graphs.record
    graphs.record = lambda leaves, size: states.append(gc.isenabled()) or record(leaves, size)
    row = growth._run_size(graphs, 1000, {"autograd_lite": engines()[0]["autograd_lite"]}, 1)
    assert gc.isenabled()
    assert states.count(False) == row.repetitions + 1  # those of the figure that says so, and their warm-up
    assert states.count(True) > row.repetitions + 1
    assert not row.goals  # too small to tell the bytes of a node
    assert 80 < row.figures["traced_bytes_a_node_of_autograd_lite"] < 200


def test_a_peer_pays_for_its_own_garbage_alone():
    assert seconds_to_free(float("inf"), cyclic=True) == 0.0  # never negative, whatever the collector's own time is


def test_help_names_every_row():
    process = subprocess.run([sys.executable, RUNNER, "--help"], capture_output=True, text=True, check=True)
    assert "python tests/benchmarks" in process.stdout
    assert all(f"  {name} " in process.stdout for name in ROWS)
