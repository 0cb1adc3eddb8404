"""Where a compiled function runs on Values after all: at points past max_paths, and within `anomaly`."""

import math
import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value
from test_kernel_branches import PROGRAMS, any_points, function_of, programs
from values import bits

OUTSIDE = Value(2.0)


# --- past max_paths


@given(programs, st.integers(0, 2**32))
@settings(max_examples=max(10, PROGRAMS // 2))
def test_points_past_max_paths_are_computed_as_on_a_path(program, seed):
    function, rows = function_of(program), any_points(random.Random(seed), 12)
    derivatives = ag.value_and_grad(function, (0, 1, 2))
    for f in (function, derivatives, lambda *xs: {"a": np.array([function(*xs), 1])}):
        kernel, few = ag.compile(f, exact=True, max_paths=10_000), ag.compile(f, exact=True, max_paths=1)
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ag.PathWarning)
            for args in (*rows, columns):
                assert repr(few(*args)) == repr(kernel(*args))
        assert few.paths == 1


ODD_ONES = {  # x, the result or the error there
    "method": (lambda x: x if x > 2.0 else x.sin(), 0.5, math.sin(0.5)),
    "division": (lambda x: x if x > 2.0 else 1.0 / x, -0.0, -math.inf),
    "overflow": (lambda x: x if x > 2.0 else x**400.0, -1e300, math.inf),
    "integer": (lambda x: x if x > 2.0 else 3, 1.0, 3.0),
    "Value": (lambda x: x if x > 2.0 else OUTSIDE, 1.0, 2.0),
    "array": (lambda x: np.array([x if x > 2.0 else -x]), 1.0, np.array([-1.0])),
    "complex": (lambda x: x if x > 2.0 else x**0.5, -1.0, ValueError),
    "structure": (lambda x: x if x > 2.0 else [x], 1.0, ValueError),
    "no number": (lambda x: x if x > 2.0 else "text", 1.0, TypeError),
    "frozen": (lambda x: x if x > 2.0 else x * x.data, 1.0, ag.RecordingError),
    "float": (lambda x: x if x > 2.0 else x * float(x), 1.0, ag.RecordingError),
    "caught": (lambda x: x if x > 2.0 else caught(x), 1.0, ag.RecordingError),
}  # fmt: skip


def caught(x):
    try:
        return x.data
    except Exception:
        return x


@pytest.mark.parametrize("kind", ODD_ONES)
def test_results_and_errors_past_max_paths_are_those_of_a_path(kind):
    function, x, expected = ODD_ONES[kind]
    for max_paths in (1, 2):
        kernel = ag.compile(function, exact=True, max_paths=max_paths)
        kernel(3.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ag.PathWarning)
            if isinstance(expected, type):
                for point in (x, *([] if kind == "complex" else [np.array([3.0, x])])):
                    with pytest.raises(expected) as error:
                        kernel(point)
                    assert type(error.value) is expected
                assert kind != "complex" or bits(kernel(np.array([3.0, x]))[1]) == "nan"  # at its point of a batch
                continue
            result, batch = kernel(x), kernel(np.array([3.0, x]))
        assert type(result) is type(expected)
        assert repr(result) == repr(expected)
        assert bits(np.ravel(batch)[1]) == bits(np.ravel(expected)[0])


# --- modes


def test_anomaly_names_the_operation_and_the_line():
    kernel = ag.compile(lambda x: ag.log(x) * 2.0)
    derivative = ag.compile(ag.grad(lambda x: ag.sqrt(x) if x < 1.0 else ag.where(ag.step(-x), ag.log(-x), x)))
    xs = np.array([1.0, 2.0, 0.0])
    with np.errstate(all="ignore"):
        expected = [kernel(x) for x in (2.0, 0.0, xs)], derivative(2.0)
    with ag.anomaly():
        for point, note in ((0.0, None), (xs, ["at point 2 of the batch"])):
            with pytest.raises(
                ag.AnomalyError, match=rf'^log\(0.0\) is -inf, File "{__file__}", line \d+, in <lambda>'
            ) as caught:
                kernel(point)
            assert getattr(caught.value, "__notes__", None) == note
        with pytest.raises(ag.AnomalyError, match=r"in the backward sweep, the partial of sqrt\(0.0\) .* is inf"):
            derivative(0.0)
        with pytest.raises(ag.AnomalyError, match=r"^log\(-1.0\) is nan"):
            ag.compile(ag.log, reduce="sum")(np.array([1.0, -1.0]))
        assert kernel(2.0) == expected[0][0]
        assert kernel(xs[:2]).tolist() == expected[0][2][:2].tolist()
    assert derivative(2.0) == expected[1]
    assert kernel(0.0) == -math.inf


def test_other_modes_change_nothing():
    kernel = ag.compile(ag.value_and_grad(lambda x: OUTSIDE * x if x > OUTSIDE else -x))
    for mode in (ag.no_grad(), ag.scope("outer")):
        with mode:
            assert [kernel(x) for x in (3.0, 1.0)] == [(6.0, 2.0), (-1.0, -1.0)]
