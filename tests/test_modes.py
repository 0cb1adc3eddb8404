"""no_grad, scope and anomaly: what they change, what they name, and that they end where they should."""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.modes import active_modes, current_modes
from autograd_lite.primitives import TABLE
from values import same


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
    assert same((x * x).args, (x, x))


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


# --- decorators, and blocks that do not end in the order in which they began


def is_recorded(x):
    return (x * 3.0).op is not None


@ag.no_grad()
def plain(x):
    """Doubles."""
    return is_recorded(x), x * 2.0


@ag.no_grad()
def generator(x):
    """Yields what it was sent, with what it could record."""
    sent = []
    try:
        while len(sent) < 3:
            try:
                sent.append((yield is_recorded(x)))
            except KeyError:
                sent.append(is_recorded(x))
        return sent
    finally:
        x.grad += is_recorded(x)


@ag.no_grad()
async def coroutine(x):
    before = is_recorded(x)
    await asyncio.sleep(0)
    inner = await asyncio.gather(*[asyncio.sleep(0, is_recorded(x)), nested(x)])
    return [before, *inner, is_recorded(x)]


async def nested(x):
    await asyncio.sleep(0)
    return is_recorded(x)


@ag.no_grad()
async def asynchronous_generator(x):
    sent = []
    try:
        while len(sent) < 3:
            try:
                sent.append((yield is_recorded(x)))
            except KeyError:
                sent.append(is_recorded(x))
            await asyncio.sleep(0)
    finally:
        x.grad += is_recorded(x)


class Callable:
    async def __call__(self, x):
        await asyncio.sleep(0)
        return is_recorded(x)


def test_a_decorated_function_runs_in_the_mode_at_every_call():
    x = Value(2.0)
    for _ in range(3):
        recorded, y = plain(x)
        assert (recorded, y.op, y.data) == (False, None, 4.0)
        assert is_recorded(x)
    assert (plain.__name__, plain.__doc__) == ("plain", "Doubles.")
    with pytest.raises(ZeroDivisionError):
        ag.no_grad()(lambda: 1 / 0)()
    assert is_recorded(x)


def test_a_decorated_generator_runs_in_the_mode_and_its_consumer_does_not():
    x = Value(2.0)
    assert inspect.isgeneratorfunction(generator)
    items = generator(x)
    assert is_recorded(x)
    assert next(items) is False
    assert is_recorded(x)
    assert items.send("a") is False
    assert is_recorded(x)
    assert items.throw(KeyError("k")) is False
    assert is_recorded(x)
    with pytest.raises(StopIteration) as stopped:
        items.send("b")
    assert stopped.value.value == ["a", False, "b"]
    assert x.grad == 0.0
    for end in (lambda items: items.close(), lambda items: items.throw(ValueError("not for it"))):
        items = generator(x)
        next(items)
        with contextlib.suppress(ValueError):
            end(items)
        assert x.grad == 0.0
        assert is_recorded(x)
    assert list(generator(x)) == [False] * 3
    assert not active_modes


def test_decorated_coroutines_and_asynchronous_generators_run_in_the_mode():
    x = Value(2.0)

    async def watcher(found):
        for _ in range(10):
            found.append(is_recorded(x))
            await asyncio.sleep(0)

    async def main():
        found = []
        beside = asyncio.ensure_future(watcher(found))
        assert await coroutine(x) == [False] * 4
        assert is_recorded(x)
        assert await ag.no_grad()(Callable())(x) is False
        assert await ag.no_grad()(functools.partial(nested, x))() is False
        async for item in asynchronous_generator(x):
            assert item is False
            assert is_recorded(x)
            await asyncio.sleep(0)
        items = asynchronous_generator(x)
        assert await anext(items) is False
        assert await items.asend("a") is False
        assert await items.athrow(KeyError("k")) is False
        await items.aclose()
        with pytest.raises(ValueError, match="not for it"):
            items = asynchronous_generator(x)
            await anext(items)
            await items.athrow(ValueError("not for it"))
        assert is_recorded(x)
        await beside
        assert found == [True] * 10  # another task

    asyncio.run(main())
    assert x.grad == 0.0
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isasyncgenfunction(asynchronous_generator)
    assert not active_modes


def test_anomaly_and_scope_decorate_generators_too():
    @ag.anomaly()
    def logarithms(x):
        yield ag.log(x)

    with pytest.raises(ag.AnomalyError, match=r"log\(0\.0\) is -inf"):
        next(logarithms(Value(0.0)))

    @ag.scope("outer")
    def scoped(x):
        yield x * 2.0
        yield x * 3.0

    with ag.scope("consumer"):
        x = Value(1.0)
        notes = [(y.note.scope, (x * 2.0).note.scope) for y in scoped(x)]
    assert notes == [("consumer.outer", "consumer")] * 2


@pytest.mark.parametrize("context", [ag.no_grad(), ag.anomaly(), ag.scope("s")], ids=["no_grad()", "anomaly()", "scope('s')"])
def test_what_is_no_function_is_not_decorated(context):
    for wrong in (Value, classmethod(lambda cls: cls), 3):
        with pytest.raises(TypeError, match=r"(no_grad\(\)|anomaly\(\)|scope\('s'\)) decorates a function or a method, not "):
            context(wrong)


def test_one_context_serves_several_blocks():
    x, context = Value(2.0), ag.no_grad()
    with context:
        with context:
            assert not is_recorded(x)
        assert not is_recorded(x)
    assert is_recorded(x)
    with context:
        assert not is_recorded(x)
    assert is_recorded(x)


def test_a_block_in_a_generator_ends_by_itself():
    """It is active in the consumer meanwhile; neither takes the other's mode away, and nothing is left behind."""

    def block():
        with ag.no_grad():
            yield
        yield

    x = Value(2.0)
    items = block()
    next(items)
    assert not is_recorded(x)
    with ag.scope("consumer"):
        next(items)
        assert (x * 2.0).note.scope == "consumer"
    assert is_recorded(x)
    with ag.scope("another"):  # some mode is active, and only this one
        assert is_recorded(x)
        assert len(current_modes()) == 1
    assert not active_modes


def test_a_mode_has_ended_for_a_context_that_was_copied_inside_it():
    x = Value(2.0)
    with ag.no_grad():
        context = contextvars.copy_context()
        assert context.run(is_recorded, x) is False
    assert context.run(is_recorded, x) is True
    with ag.scope("elsewhere"):
        assert context.run(is_recorded, x) is True


def test_anomaly_watches_forward_sweeps_for_nan():
    """An infinite tangent may still meet an edge that is not there."""
    with ag.anomaly():
        for call in (
            lambda: ag.jvp(lambda x: ag.sqrt(x) ** 2, 0.0, 1.0),
            lambda: ag.jacobian(lambda x: [ag.sqrt(x) ** 2, x])(0.0),
        ):
            with pytest.raises(
                ag.AnomalyError, match=r"in the forward sweep, .* power\(0.0, 2.0\) .* nan \(tangent inf\), File"
            ):
                call()
        assert ag.jvp(lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), 0.0, 1.0) == 0.0


def test_anomaly_sees_operands_inside_no_grad_and_names_the_users_line():
    with ag.no_grad(), ag.anomaly():
        assert (Value(math.inf) * 2.0).data == math.inf
        with pytest.raises(ag.AnomalyError, match=r"log\(0.0\) is -inf"):
            ag.log(Value(0.0))
    with ag.anomaly(), pytest.raises(ag.AnomalyError, match="test_modes.py"):
        ag.grad(ag.grad(lambda x: x**1.5))(0.0)


def test_no_grad_makes_results_without_their_init():
    class Celsius(Value, own_results=True):
        def __init__(self, degrees, unit):
            super().__init__(degrees + 273.15)
            self.unit = unit

    x = Celsius(20.0, "C")
    with ag.no_grad():
        y = x * 1.0
    assert (type(y), y.data, y.op) == (Celsius, 293.15, None)
