"""Arrays with a row for each point are read and written column by column, on vectors of any width."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import lowering
from autograd_lite.compiler.columns import Columns

COUNTS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23)


def rows(count, columns):
    return np.arange(1.0, count * columns + 1.0).reshape(count, columns)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("columns", COUNTS)
def test_every_number_comes_from_its_place_and_goes_to_it(columns):
    kernel = ag.compile(lambda xs: np.roll(xs, 1) * 2.0, batch=0)
    for count in (1, 2, 5, 8, 9, 16, 19, 40):
        xs = rows(count, columns)
        result = kernel(xs)
        assert result.flags.c_contiguous
        assert np.array_equal(result, 2.0 * np.roll(xs, 1, axis=1))


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("columns", COUNTS)
def test_some_columns(columns):
    """Few enough to be gathered, and others of the same array read together."""
    random = np.random.default_rng(columns)
    xs = rows(21, columns)
    for used in (1, 2, 3, columns):
        chosen = random.choice(columns, min(used, columns), replace=False)
        kernel = ag.compile(lambda x, chosen=chosen: [x[i] - 1.0 for i in chosen], batch=0)
        assert [result.tolist() for result in kernel(xs)] == [(xs[:, i] - 1.0).tolist() for i in chosen]


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("columns", COUNTS)
def test_constants_among_others_and_arrays_of_several_axes(columns):
    def function(xs, y):
        table = np.empty((2, columns), dtype=object)
        table[0] = xs * y
        table[1] = 0.5
        table[1, -1] = y
        return {"table": table, "y": 3.0 * y, "constant": 2.0, "empty": xs[:0]}

    kernel = ag.compile(function, batch=(0, 0))
    xs, ys = rows(13, columns), np.arange(13.0)
    found = kernel(xs, ys)
    expected = np.full((13, 2, columns), 0.5)
    expected[:, 0] = xs * ys[:, None]
    expected[:, 1, -1] = ys
    assert np.array_equal(found["table"], expected)
    assert found["y"].tolist() == (3.0 * ys).tolist()
    assert found["constant"].tolist() == [2.0] * 13
    assert found["empty"].shape == (13, 0)


@pytest.mark.usefixtures("processor")
def test_points_of_several_paths_in_arrays():
    kernel = ag.compile(lambda xs: np.array([xs[0] if xs[1] > 10.0 else -xs[0], 1.0, xs[1]], dtype=object), batch=0)
    xs = rows(33, 2)
    found = kernel(xs)
    assert np.array_equal(found, np.stack([np.where(xs[:, 1] > 10.0, xs[:, 0], -xs[:, 0]), np.ones(33), xs[:, 1]], axis=1))
    assert kernel.paths == 2


@pytest.mark.usefixtures("processor")
def test_long_programs(monkeypatch):
    """Programs in several functions, which write columns as they come."""
    monkeypatch.setattr(lowering, "WHOLE", 20)
    monkeypatch.setattr(lowering, "SEGMENT", 7)
    monkeypatch.setattr("autograd_lite.compiler.paths._QUICK", 10)

    def function(xs):
        results = np.array([sum([x * y for y in xs]) for x in xs] + [1.5, xs[0]], dtype=object)
        return results, sum(xs)

    kernel = ag.compile(function, batch=0)
    for columns, count in ((11, 3), (11, 29)):
        xs = np.random.default_rng(1).integers(-9, 9, (count, columns)).astype(float)
        found, total = kernel(xs)
        expected = np.concatenate([xs * xs.sum(axis=1, keepdims=True), np.full((count, 1), 1.5), xs[:, :1]], axis=1)
        assert np.array_equal(found, expected)
        assert np.array_equal(total, xs.sum(axis=1))


def test_the_places_of_numbers():
    columns = Columns([0, 1, 3, 3, 3, 0, 2, 2])
    assert columns.row == [0, 0, 1, 1, 1, 1, 2, 2]
    assert columns.column == [0, 0, 0, 1, 2, 0, 0, 1]
    assert columns.arrays == 3
