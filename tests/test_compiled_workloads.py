"""The workloads for compiled functions, at small sizes: ours and the hand-written peers agree with the eager engine."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats

import autograd_lite as ag
from benchmarks.compiled import black_scholes, bundle_adjustment, cart_pole, fits, growth, mixtures, monte_carlo, networks
from benchmarks.compiled.rows import COMPILED_ROWS
from benchmarks.compiled.workloads import Side, built, check, run_workload
from benchmarks.measure import OURS, QUICK, DisagreementError, Settings

ONCE = replace(QUICK, repetitions=1)
PROBLEMS = {
    f"B6 {name}": lambda name=name: black_scholes.workload(name, 37) for name in ("gradient", "greeks", "second_greeks")
}
PROBLEMS |= {"B4": lambda: bundle_adjustment.workload(9)}
PROBLEMS |= {"B7 mixture": lambda: mixtures.mixture(3, 2, 7), "B7 k-means": lambda: mixtures.kmeans(2, 3, 9)}
PROBLEMS |= {"B8 steps": lambda: cart_pole.steps_workload(4), "B8 shooting": lambda: cart_pole.shooting_workload(6)}
PROBLEMS |= {"B8 fit": lambda: fits.fit(2), "B8 Rosenbrock": lambda: fits.rosenbrock_hessian(5)}
PROBLEMS |= {"B3 moons": lambda: networks.moons(7), "B3 GPT": lambda: networks.gpt(1)}
PROBLEMS |= {f"B5 {name}": lambda name=name: monte_carlo.workload(name, 11) for name in monte_carlo.PROBLEMS}


def handwritten(workload):
    """The workload with only those peers that need no package but those of the tests."""
    needs = {"gcc", "g++", "scipy"}
    return replace(workload, peers={name: side for name, side in workload.peers.items() if set(side.needs) <= needs})


@pytest.mark.parametrize("name", PROBLEMS)
def test_sides_agree_with_the_eager_engine(name):
    workload = handwritten(PROBLEMS[name]())
    result = run_workload(workload, ONCE)
    assert len(result.times) + len(result.notes) == 1 + len(workload.peers)
    assert result.times.keys() <= {OURS, *workload.peers}
    assert result.figures.get("largest_difference", 0.0) <= workload.tolerance <= 1e-9


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_number_that_is_a_little_off_is_refused(name):
    workload = PROBLEMS[name]()
    expected = [np.asarray(x, dtype=float) for x in workload.expected()]
    whole = replace(workload, sample=None)
    assert check(whole, {"itself": (expected, None)}) == 0.0
    for k, array in enumerate(expected):
        wrong = array.copy().reshape(-1)
        wrong[np.argmax(abs(wrong))] *= 1 + 1e-6
        with pytest.raises(DisagreementError, match=f"other and the eager engine, array {k}"):
            check(whole, {"other": ([*expected[:k], wrong.reshape(array.shape), *expected[k + 1 :]], None)})
        with pytest.raises(DisagreementError, match="nan"):
            check(whole, {"other": ([*expected[:k], array * np.nan, *expected[k + 1 :]], None)})


def test_sides_are_compared_with_each_other_on_all_points():
    workload = replace(PROBLEMS["B6 gradient"](), sample=[0], expected=lambda: np.ones((6, 1)))
    expected = np.ones((6, 3))
    wrong = [x * [1.0, 1.0, 1.0 + 1e-6] for x in expected]
    with pytest.raises(DisagreementError, match="second and the first side, array 0"):
        check(workload, {"first": (expected, None), "second": (wrong, None)})
    with pytest.raises(DisagreementError, match="shapes"):
        check(workload, {"first": (expected, None), "second": ([x[:2] for x in expected], None)})


def test_an_absent_package_is_left_out_with_a_note():
    def never():
        raise AssertionError

    absent = Side(never, ("no_such_module",))
    result = run_workload(replace(PROBLEMS["B6 gradient"](), peers={"absent": absent}), ONCE)
    assert "absent" not in result.times
    assert "no_such_module is not installed: the side absent was left out" in result.notes


def test_a_side_that_gives_less_is_compared_in_that_part():
    workload = replace(PROBLEMS["B6 gradient"](), sample=None)
    expected = workload.expected()
    assert check(workload, {"all": (expected, None), "value alone": (expected[:1], 1)}) == 0.0
    with pytest.raises(DisagreementError, match="value alone"):
        check(workload, {"all": (expected, None), "value alone": (expected[1:2], 1)})


@pytest.mark.parametrize("rotation", [[0.0, 0.0, 0.0], [1e-9, 0.0, 0.0], [0.0, 3.0, -1.0]])
def test_a_camera_that_does_not_turn_has_a_branch_of_its_own(rotation):
    inputs, features = bundle_adjustment.data(2)
    inputs[0, :3] = rotation
    workload = bundle_adjustment.workload(2)
    changed = replace(workload, expected=lambda: bundle_adjustment.expected(inputs, features))
    if not Side(list, ("g++",)).missing():
        results = bundle_adjustment.handwritten(inputs, features)()
        assert check(changed, {"C++": (results, None)}) <= 1e-12
    assert np.isfinite(changed.expected()[0]).all()


def test_the_networks_are_those_of_the_eager_benchmarks():
    moons, gold = [json.loads((networks.DATA / f"{name}.json").read_text()) for name in ("micrograd_moons", "microgpt_gold")]
    assert networks.numpy_moons(*networks.moons_data(100))()[0] == pytest.approx(moons["published_loss_per_step"][0], rel=1e-12)
    loss, gradient, _ = networks.numpy_gpt(*networks.gpt_data())()
    assert loss == pytest.approx(gold["loss"][0], rel=1e-12)
    assert gradient @ gradient == pytest.approx(gold["grad_step0_norm2"], rel=1e-12)


def test_the_mixture_is_one_of_normal_densities():
    alphas, means, factors, points = given = mixtures.mixture_data(3, 2, 7)
    densities = []
    for alpha, mean, factor in zip(alphas, means, factors, strict=True):
        root = np.diag(np.exp(factor[:3]))
        root[[1, 2, 2], [0, 0, 1]] = factor[3:]
        normal = scipy.stats.multivariate_normal(mean, np.linalg.inv(root.T @ root))
        densities.append(alpha - scipy.special.logsumexp(alphas) + normal.logpdf(points))
    squares = np.sum(np.exp(factors[:, :3]) ** 2) + np.sum(factors[:, 3:] ** 2)
    wishart = 0.5 * squares - 2 * (4 * 3 * np.log(0.5**0.5) - scipy.special.multigammaln(2.0, 3))
    expected = scipy.special.logsumexp(densities, axis=0).sum() + wishart
    assert mixtures.expected_mixture(*given)[0] == pytest.approx(expected, rel=1e-12)


def test_rosenbrocks_function_is_that_of_scipy():
    xs = fits.point(7)
    assert fits.rosenbrock(xs.tolist()) == pytest.approx(scipy.optimize.rosen(xs), rel=1e-13)
    hessian = fits.rosenbrock_hessian(7).expected()[0]
    np.testing.assert_allclose(hessian, scipy.optimize.rosen_hess(xs), rtol=1e-13)


def test_every_row_finds_its_problems(monkeypatch):
    for module in (black_scholes, bundle_adjustment, cart_pole, fits, mixtures, monte_carlo, networks):
        monkeypatch.setattr(module, "run_workload", lambda workload, settings: workload)
    for row in COMPILED_ROWS.keys() - {"B9-compiled"}:
        workloads = list(COMPILED_ROWS[row][1](Settings(largest=1000)))
        assert {workload.row for workload in workloads} == {row}
        (first,) = COMPILED_ROWS[row][1](replace(QUICK, largest=1000))
        assert first.title == workloads[0].title
    assert len(list(COMPILED_ROWS["B8"][1](Settings()))) == 7  # of two modules


def test_growth_is_told_in_what_a_node_costs():
    results = list(COMPILED_ROWS["B9-compiled"][1](replace(ONCE, largest=200, largest_of_peer=1, all_problems=True)))
    assert [result.title for result in results] == [f"compiled growth: random graph of {n} nodes" for n in (96, 192)]
    for result in results:
        times = result.times[OURS]
        assert times["first gradient"]["median"] == pytest.approx(
            sum(times[phase]["median"] for phase in ("record", "compile", "run")), rel=1e-9
        )
        assert set(times) >= {"optimise", "run, optimised"}  # more than 300 instructions
        assert result.figures["instructions"] > 300
        assert result.figures["largest_difference"] <= 1e-12
    assert [[goal.figure for goal in result.goals] for result in results] == [[], ["milliseconds to compile"]]


def test_a_growing_function_with_other_numbers_is_refused(monkeypatch):
    honest = growth.ours

    def wrong(graphs, size, facts):
        phases, numbers = honest(graphs, size, facts)
        return phases, [*numbers[:-1], numbers[-1] + 1e-6]

    monkeypatch.setattr(growth, "ours", wrong)
    with pytest.raises(DisagreementError, match="96 nodes: autograd_lite"):
        growth.run_size(100, replace(ONCE, largest_of_peer=1))


def test_the_compiled_graphs_have_the_nodes_they_claim_and_none_twice():
    graphs = growth.DistinctGraphs(3200)
    assert len({str(expression) for expression in graphs.expressions}) == 100
    order = ag.topological_order(graphs.record([ag.Value(number) for number in graphs.numbers], 3200))
    assert sum(node.op is not None for node in order) == 3200


def test_the_libraries_of_peers_leave_subnormal_numbers_alone():
    """gcc's start-up code for -ffast-math would flush them to 0 in the whole process."""
    if shutil.which("gcc"):
        built("black_scholes.c")
    smallest, half = float("5e-324"), float("0.5")
    assert (smallest * (half + half)).hex() == "0x0.0000000000001p-1022"  # flushed, they would equal 0 and one another
