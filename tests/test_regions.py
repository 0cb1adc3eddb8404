"""Decision regions: outlines against the levels they are drawn around, machine code against the engine, classes and margins."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.show import regions
from autograd_lite.show.regions import BANDS, LEVELS, UNIT, Runner, Scale, leveled, outline, outlines, winner
from trainings import area, loops, where

NODES = 5
fields = st.lists(st.integers(-40, 40).filter(bool), min_size=NODES * NODES, max_size=NODES * NODES)


@given(fields, st.sampled_from([0, 3, 20]))
def test_a_point_of_the_grid_lies_within_the_outline_if_it_is_above(field, above):
    found = loops(outline(field, NODES, above))
    for i in range(1, NODES - 1):
        for j in range(1, NODES - 1):
            level = field[j * NODES + i]
            inside = where(found, i * UNIT, j * UNIT)
            if level == above:
                continue  # on the edge, and there may be an edge of no length
            if inside is not None:  # on the outline lies what is above by less than the coordinates can say
                assert inside == (level > above)
            else:
                assert any(abs(level - above) * UNIT <= abs(level - other) for other in field)


@given(fields)
@example([-7 if k == 14 else 7 if k in (8, 15) else 1 for k in range(25)])
@example([(-1) ** (i + j) for i in range(5) for j in range(5)])
def test_two_classes_share_the_square(field):
    areas = [area(loops(outline([sign * x for x in field], NODES, 0))) for sign in (1, -1)]
    whole = ((NODES - 1) * UNIT) ** 2
    assert abs(sum(areas) - whole) <= UNIT * (NODES - 1) ** 2  # coordinates are whole numbers


def test_an_outline_crosses_where_the_level_does():
    column = [9, 3, -1, -3]  # interpolated, it is 0 at 3/4 of the second step
    field = [x for x in column for _ in range(4)]
    ((*corners,),) = loops(outline(field, 4, 0))
    assert {y for _, y in corners} == {0, UNIT + UNIT * 3 // 4}
    assert outline([1] * 16, 4, 0) == f"M0 0l{3 * UNIT} 0 0 {3 * UNIT}-{3 * UNIT} 0z"
    assert outline([-1] * 16, 4, 0) == ""


def test_margins_make_levels():
    one = Scale()
    assert [leveled([x], one) for x in (0.0, -0.0, 1e-300, 1.0, -1.0, math.inf, -1e300)] == [
        (0, 1), (0, 1), (1, 1), (1, 300), (0, 300), (1, LEVELS), (0, LEVELS)
    ]  # fmt: skip
    assert [winner([x], Scale(threshold=0.5)) for x in (0.25, 0.75)] == [(0, 0.25), (1, 0.25)]
    assert winner([1.0, 3.0, 2.5], one) == (1, 0.5)
    assert winner([math.inf, math.inf], one) == (0, 0.0)
    assert leveled([1.0, math.nan], one) == (-1, 0)
    assert all(before < after for before, after in pairwise(BANDS))


def test_nowhere_is_a_class_where_there_is_no_number():
    assert outlines([(-1, 0)] * 9, 3, 2) == [[""] * 4] * 2


class Branching(ag.nn.Module):
    """What goes another way for other inputs, and for another parameter."""

    def __init__(self):
        self.w, self.sign = ag.Value(0.5), ag.Value(1.0)

    def __call__(self, x):
        score = x[0] * self.w if x[0] > x[1] else (x[1] - self.w).sin()
        return score if self.sign > 0 else -score


def points(count):
    rng = random.Random(2)
    return [(rng.uniform(-2, 2), rng.uniform(-2, 2)) for _ in range(count)]


@pytest.mark.parametrize("model", [ag.nn.MLP(2, [5, 3], activation="tanh", rng=random.Random(1)), Branching()])
def test_machine_code_gives_the_engines_numbers(model, monkeypatch):
    pytest.importorskip("llvmlite")
    runner, some = Runner(model), points(300)
    found = runner.scores(some, model.parameters())
    assert runner._kernel is not None
    model.parameters()[0].data = 0.75
    changed = runner.scores(some, model.parameters())
    assert changed != found
    monkeypatch.setattr(regions, "is_compiled", lambda: False)
    assert Runner(model).scores(some, model.parameters()) == changed


def test_a_branch_on_a_value_from_outside_is_taken_anew():
    model, some = Branching(), points(300)
    runner = Runner(model)
    before = runner.scores(some, model.parameters())
    model.sign.data = -1.0
    assert runner.scores(some, model.parameters()) == [[-x] for [x] in before]


def test_parameters_that_are_other_values_are_read():
    model, some = Branching(), points(300)
    runner = Runner(model)
    before = runner.scores(some, model.parameters())
    model.w = ag.Value(-0.5)
    assert runner.scores(some, model.parameters()) == Runner(model).scores(some, model.parameters()) != before


def test_what_cannot_be_recorded_is_called():
    model = lambda x: ag.Value(float(x[0].data if isinstance(x[0], ag.Value) else x[0]))
    assert Runner(model).scores([(1.5, 2.0)] * 300, []) == [[1.5]] * 300
