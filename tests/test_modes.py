"""no_grad, scope and anomaly: what they change, what they name, and that they end where they should."""

import inspect
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.primitives import TABLE


def test_no_grad_records_nothing():
    x = Value(2.0)
    with ag.no_grad():
        results = [x * 3.0, x.exp(), ag.sum([x, x]), ag.where(1.0, x, 0.0)]
    assert [y.args for y in results] == [()] * 4
    assert [y.op for y in results] == [None] * 4
    assert results[0].data == 6.0
    assert (x * 3.0).args == (x, 3.0)


def test_modes_end_on_an_exception():
    x = Value(2.0)
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        _ = 1 / 0
    assert (x * x).args == (x, x)


def test_modes_belong_to_their_thread():
    x = Value(2.0)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with ag.no_grad():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(10)
    recorded = (x * x).args
    leave.set()
    thread.join()
    assert recorded == (x, x)


def test_scopes_nest_and_name_their_nodes():
    x = Value(2.0)
    with ag.scope("layer1"):
        y = x * 2.0
        with ag.scope("neuron2"):
            z = y + 1.0
    w = z * z
    assert [v.note.scope for v in (x, y, z, w)] == ["", "layer1", "layer1.neuron2", ""]
    z.label = "z"
    assert (z.label, z.note.scope) == ("z", "layer1.neuron2")
    with pytest.raises(TypeError, match="scope takes the name of a group, not int 3"):
        ag.scope(3)


BIRTHS = [
    (lambda x: x.log(), 0.0, r"log\(0\.0\) is -inf"),
    (lambda x: x.log(), -1.0, r"log\(-1\.0\) is nan"),
    (lambda x: 1.0 / x, 0.0, r"divide\(1\.0, 0\.0\) is inf"),
    (lambda x: x * 1e308, 1e10, r"multiply\(10000000000\.0, 1e\+308\) is inf"),
    (lambda x: x.exp(), 1e3, r"exp\(1000\.0\) is inf"),
    (lambda x: x - x, math.inf, r"subtract\(inf, inf\) is nan"),
    (lambda x: x % 0.0, 1.0, r"mod\(1\.0, 0\.0\) is nan"),
]


@pytest.mark.parametrize(("operation", "x", "message"), BIRTHS)
def test_anomaly_names_operation_operands_and_line(operation, x, message):
    v = Value(x)
    line = operation.__code__.co_firstlineno
    with ag.anomaly(), pytest.raises(ag.AnomalyError, match=message) as raised:
        operation(v)
    assert f'test_modes.py", line {line}, in <lambda>' in str(raised.value)
    assert not math.isfinite(operation(v).data)


def test_anomaly_lets_an_old_nan_pass():
    nan, inf = Value(math.nan), Value(math.inf)
    with ag.anomaly():
        assert math.isnan((nan * 2.0).data)
        assert (inf + 1.0).data == math.inf
        assert (1.0 / inf).data == 0.0


def test_anomaly_in_the_sweep():
    x = Value(0.0)
    with ag.anomaly():
        y = x.sqrt() * 2.0  # the line to be named
        line = inspect.currentframe().f_lineno - 1
        with pytest.raises(
            ag.AnomalyError, match=r"backward sweep, the partial of sqrt\(0\.0\) by its argument 1 is inf"
        ) as raised:
            y.backward()
        assert f"line {line}" in str(raised.value)
    assert x.grad == 0.0
    y.backward()
    assert x.grad == math.inf


@given(
    st.sampled_from([name for name, p in TABLE.items() if p.public and not p.variadic]),
    st.lists(st.floats(), min_size=3, max_size=3),
)
def test_anomaly_raises_exactly_where_something_is_born(name, numbers):
    primitive = TABLE[name]
    args = numbers[: len(primitive.domain)]
    try:
        expected = primitive.fn(*args)
    except ValueError:
        return
    if math.isnan(expected):
        born = not any(math.isnan(x) for x in args)
    else:
        born = math.isinf(expected) and all(math.isfinite(x) for x in args)
    with ag.anomaly():
        try:
            primitive(*[Value(x) for x in args])
            raised = False
        except ag.AnomalyError as error:
            raised = True
            assert name in str(error)
            assert __file__.rpartition("/")[2] in str(error)
    assert raised == born
