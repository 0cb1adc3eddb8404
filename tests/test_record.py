"""Functions recorded as programs: what would freeze a number is refused, what is read from outside is read at every call."""

import copy
import json
import math
import operator
import os
import pickle
import random
import struct
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite import Value, structures
from autograd_lite.compiler.program import Program
from autograd_lite.compiler.record import Recorded, RecordingError, record
from autograd_lite.interop import micrograd
from programs import EVERYTHING, programs
from values import SPECIAL, bits

PROGRAMS = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


def arguments(count):
    return structures.Sequence(tuple, (structures.LEAF,) * count, is_flat=True)


def program_of(function, *numbers):
    return record(function, [float(x) for x in numbers], arguments(len(numbers))).program


# --- what would freeze a number

FREEZING = {
    "data": lambda x: x.data * 2.0,
    "getattr": lambda x: getattr(x, "data"),
    "data of a result": lambda x: ag.sin(x).data,
    "data assigned": lambda x: setattr(x, "data", 1.0),
    "grad": lambda x: x.grad,
    "grad assigned": lambda x: setattr(x, "grad", 0.0),
    "backward": lambda x: (x * x).backward(),
    "backward watched": lambda x: (x * x).backward(2.0, visit=print),
    "gradient as numbers": lambda x: ag.gradient(x * x * x, x),
    "gradient in no_grad": lambda x: without_grad(lambda: ag.grad(lambda y: y * y)(x)),
    "float": lambda x: float(x),
    "int": lambda x: int(x),
    "complex": lambda x: complex(x),
    "math.sin": lambda x: math.sin(x),
    "math.hypot": lambda x: math.hypot(x, 1.0),
    "math.fsum": lambda x: math.fsum([x, x]),
    "math.isnan": lambda x: 0.0 if math.isnan(x) else x,
    "math.isclose": lambda x: math.isclose(x, 1.0),
    "range": lambda x: sum(i * x for i in range(x)),
    "index": lambda x: [1.0, 2.0, 3.0][x],
    "slice": lambda x: [1.0, 2.0][:x],
    "list repeated": lambda x: [x] * x,
    "chr": lambda x: chr(x),
    "format": lambda x: f"{x}",
    "format with digits": lambda x: f"{x:.3f}",
    "format by percent": lambda x: "%f" % x,  # noqa: UP031
    "str.format": lambda x: "{:>10}".format(x),  # noqa: UP032
    "float array": lambda x: np.asarray([x], dtype=float),
    "array to float": lambda x: np.array([x]).astype(float),
    "assigned to an array": lambda x: np.zeros(2).__setitem__(0, x),
    "NumPy number": lambda x: np.float64(x),
    "pickle": lambda x: pickle.dumps(x),
    "pickle of a graph": lambda x: pickle.dumps([x * x]),
    "graph to JSON": lambda x: ag.graph_to_json(x * x),
    "equal": lambda x: 1.0 if x == 3.0 else x,
    "unequal": lambda x: 1.0 if x != 3 else x,
    "equal, reflected": lambda x: 1.0 if Fraction(3, 2) == x else x,
    "in": lambda x: x in (1.0, 2.0),
    "count": lambda x: [1.0, 2.0].count(x),
}  # fmt: skip


def without_grad(work):
    with ag.no_grad():
        return work()


@pytest.mark.parametrize("kind", FREEZING)
def test_what_would_freeze_a_number_is_refused_and_the_line_named(kind):
    function = FREEZING[kind]
    line = function.__code__.co_firstlineno
    for transform in (lambda f: f, lambda f: ag.value_and_grad(lambda x: f(ag.exp(x)))):
        with pytest.raises(RecordingError) as caught:
            ag.compile(transform(function))(2.0)
        message = str(caught.value)
        assert f'File "{__file__}", line {line}, in <lambda>: ' in message
        assert f'"{kind}": ' in LINES[line - 1]
        remedy = message.partition("in <lambda>: ")[2]
        assert len(remedy) > 20


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: Value(x), "Value takes a number, not <recorded"),
        (lambda x: json.dumps([x]), "not JSON serializable"),
        (lambda x: Decimal(x), "conversion from Recorded to Decimal"),
        (lambda x: Fraction(x), "argument should be a string or"),
        (lambda x: bytes(x), "a number that something is counted with is only known"),
        (lambda x: x * 1j, "unsupported operand"),
        (lambda x: np.isfinite(np.array([x])), "not supported for the input types"),
        (lambda x: copy.copy(x) * 2.0, "of another recording is used"),
        (lambda x: copy.deepcopy(x * x), "of another recording is used"),
    ],
)
def test_what_cannot_be_recorded_for_other_reasons(function, message):
    with pytest.raises(TypeError, match=message):
        ag.compile(function)(2.0)


def test_the_text_of_a_recorded_number_tells_no_number():
    seen = []
    ag.compile(lambda x: seen.extend([repr(x), str(x), str([x * 2.0])]) or x)(12345.0)
    assert set(seen) == {"<recorded input>", "[<recorded multiply>]"}


# --- what stands for the same is recorded

OPERATIONS = {
    "round": lambda x: round(x),
    "round to digits": lambda x: round(x, 2),
    "math.floor": lambda x: math.floor(x),
    "math.trunc": lambda x: math.trunc(x),
    "divmod": lambda x: list(divmod(x, 0.7)) + list(divmod(0.7, x)),
    "abs": lambda x: abs(x),
    "sum": lambda x: sum([x, 2 * x, True]),
    "dict": lambda x: {x: 3.0}[x] + len({x, x, x + 0.0}),
    "np.sin": lambda x: np.sin(np.array([x, x * x], dtype=object)),
    "matrix product": lambda x: np.array([[x, 1.0], [2.0, x]]) @ np.array([3.0, x]),
    "np.float64 first": lambda x: np.float64(2.0) * x - np.float32(1.5),
    "np.maximum": lambda x: np.maximum(np.array([x, -x]), 0.25),
    "gradient": lambda x: ag.gradient(ag.exp(x) * x, [x], create_graph=True),
    "gradient as a graph": lambda x: ag.grad(lambda y: ag.sin(y * x))(x) * ag.gradient(x**3.0, x, create_graph=True),
    "stop_gradient": lambda x: ag.grad(lambda y: ag.stop_gradient(y) * y)(x),
    "scope": lambda x: in_scope(x),
    "label": lambda x: labelled(x),
    "args": lambda x: (x * 3.0).args,
}  # fmt: skip


def in_scope(x):
    with ag.scope("inner"):
        y = ag.sin(x)
        assert y.note.scope == "inner"
    return y * x


def labelled(x):
    x.label = "x"
    assert x.label == "x"
    return x + 1.0


@pytest.mark.parametrize("kind", OPERATIONS)
def test_operations_of_python_and_numpy_are_recorded(kind):
    function = OPERATIONS[kind]
    kernel = ag.compile(function, exact=True)
    for x in (0.73, -2.345, 2.5, 1e-300, -1e300):
        with np.errstate(all="ignore"):
            expected = structures.flatten(function(Value(x)))[0]
            found = structures.flatten(kernel(x))[0]
        assert [bits(y) for y in found] == [bits(y.data if isinstance(y, Value) else float(y)) for y in expected], x


@given(programs(EVERYTHING, SPECIAL, max_lines=8, valid=False))
@settings(max_examples=max(10, PROGRAMS // 2))
def test_the_program_of_a_straight_function_does_what_the_function_does(program):
    """On floats, on Values, and recorded once more; also with a sweep in it."""
    xs = list(program.inputs)

    def values(*leaves):
        return program.run(leaves)

    def swept(*leaves):
        y = program.run(leaves)[-1] + 0.0 * leaves[0]
        return [y, *ag.gradient(y, leaves, create_graph=True)]

    for function in (values, swept):
        try:
            expected = [bits(y.data) for y in structures.flatten(function(*[Value(x) for x in xs]))[0]]
        except ValueError:  # a power that would be complex, in a derivative
            continue
        trace = record(function, xs, arguments(len(xs)))
        recorded, captured = trace.program, [x.data for x in trace.captured]  # constant derivatives are Values of their own
        assert [bits(y) for y in recorded(*xs, *captured)] == expected
        leaves = [Value(x) for x in (*xs, *captured)]
        results = recorded(*leaves)
        assert [bits(y.data if isinstance(y, Value) else y) for y in results] == expected
        again = program_of(lambda *ys, recorded=recorded: recorded(*ys), *xs, *captured)
        assert (again.instructions, again.outputs) == (recorded.instructions, recorded.outputs)
        assert recorded == program_of(function, *xs)
        assert hash(recorded) == hash(program_of(function, *xs))
        assert pickle.loads(pickle.dumps(recorded)) == recorded


def test_programs_are_short():
    """Equal operations once, constants at once, nothing that no result needs."""
    program = program_of(
        lambda x: [x * 2.0 + x * 2.0, ag.exp(Value(2.0).data), ag.log(x) and 1.0 * x + -0.0, x / 1.0 - 0.0], 3.0
    )
    assert [instruction.primitive.name for instruction in program.instructions] == ["multiply", "add", "log"]
    first, constant, *others = program.outputs
    assert (first, others) == (2, [0, 0])
    (guard,) = program.guards
    assert (guard.comparison, guard.left, guard.outcome) == ("!=", 3, True)
    assert [program.constants[-1 - place] for place in (constant, guard.right)] == [math.exp(2.0), 0.0]
    assert sorted(program.constants) == [0.0, 2.0, math.exp(2.0)]


@pytest.mark.parametrize("constant", [0.0, -0.0, 1.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "absorbing_multiply", "selecting_multiply"])
def test_what_is_left_out_of_a_program_changes_no_bit(name, constant):
    primitive = ag.primitives.TABLE[name]
    draw = random.Random(name)
    numbers = [0.0, -0.0, 1.0, -1.0, 5e-324, math.inf, -math.inf, math.nan]
    numbers += [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(50)]
    for function in (lambda x: primitive(x, constant), lambda x: primitive(constant, x)):
        program = program_of(function, 2.0)
        for x in numbers:
            try:
                expected = bits(function(x))
            except ValueError:
                continue
            assert bits(program(x)[0]) == expected, x


def test_equal_programs():
    def constant(c):
        return program_of(lambda x: x * c, 2.0)

    assert constant(math.nan) == constant(float("nan"))
    assert constant(0.0) != constant(-0.0)
    assert constant(3.0) == Program(1, (3.0,), constant(1.5).instructions, (1,))
    assert constant(3.0) != 3.0
    assert len({constant(x) for x in (math.nan, float("nan"), 0.0, -0.0, 2, 2.0)}) == 4
    higher, lower = [program_of(lambda x: x if x > 1.0 else x + 0.0, x) for x in (2.0, 0.0)]
    assert higher != lower
    assert program_of(lambda x: x if x > 1.0 else x + 0.0, 3.0) == higher


# --- modes


def test_modes_that_ask_for_numbers_are_refused_inside():
    def without(x):
        with ag.no_grad():
            y = x * x
        return y * x

    def watched(x):
        with ag.anomaly():
            return ag.log(x)

    for function in (without, watched):
        with pytest.raises(
            RecordingError, match=r"what no_grad\(\) and anomaly\(\) ask for is only known .*, in w.*use stop_grad"
        ):
            ag.compile(function)(2.0)


def test_modes_outside_are_none_of_the_kernels_business():
    def compiled():
        return ag.compile(ag.value_and_grad(lambda x: ag.sin(x) * x if x > 0 else ag.log(x)))

    kernel = compiled()
    expected = kernel(2.0)
    for mode in (ag.no_grad(), ag.scope("outer")):
        with mode:
            assert compiled()(2.0) == expected
            assert kernel(2.0) == expected
            assert bits(kernel(-1.0)[0]) == "nan"


def test_what_a_function_raises_leaves_nothing_behind():
    def function(x):
        with ag.scope("inner"):
            raise LookupError("none")

    with pytest.raises(LookupError, match="none"):
        ag.compile(function)(1.0)
    with pytest.raises(RecordingError, match="was kept after the function had been recorded"):
        _ = Recorded(1.0) > 0.0
    assert ag.compile(lambda x: x if x > 0 else -x)(-2.0) == 2.0


# --- Values from outside


def test_values_from_outside_are_read_at_every_call():
    scale, offset = Value(2.0), Value(1.0)
    kernel = ag.compile(lambda x: ag.exp(scale) * x + offset if x > scale else offset, exact=True)
    xs = np.array([1.0, 3.0, 5.0])
    for new in (2.0, -1.0, 4.0, math.nan):
        scale.data = new
        expected = [math.exp(new) * x + 1.0 if x > new else 1.0 for x in xs.tolist()]
        assert [bits(y) for y in kernel(xs).tolist()] == [bits(y) for y in expected]
        assert [bits(kernel(x)) for x in xs.tolist()] == [bits(y) for y in expected]
    offset.data = 7.0
    assert kernel(-1e9) == 7.0
    assert kernel.paths == 2


def test_values_from_outside_with_a_history_are_numbers():
    w = Value(2.0) * Value(3.0)
    kernel = ag.compile(lambda x: [x * w, w, w > x, [w, w + 1.0][x > 0.0]])
    assert kernel(2.0) == [12.0, 6.0, 1.0, 7.0]
    assert kernel(7.0) == [42.0, 6.0, 0.0, 7.0]
    assert ag.compile(lambda x: ag.log(Value(-1.0) * 2.0) * x)(1.0) != 1.0


def test_derivatives_by_values_from_outside():
    w = Value(3.0)
    kernel = ag.compile(lambda x: ag.gradient(w * w * x, [w, x], create_graph=True))
    assert kernel(2.0) == [12.0, 9.0]
    w.data = 5.0
    assert kernel(np.array([2.0, 1.0]))[0].tolist() == [20.0, 10.0]


def test_results_of_users_classes_are_recorded_numbers():
    class Own(Value, own_results=True):
        pass

    own = Own(3.0)
    for number in (own, micrograd.Value(3.0)):
        for function, expected in (
            (lambda x: number * x, [3.0, 6.0, 12.0]),
            (lambda x: x * number, [3.0, 6.0, 12.0]),
            (lambda x: number * x if number * x > 5.0 else x, [1.0, 6.0, 12.0]),
            (lambda x: ag.maximum(number, x, 0.0), [3.0, 3.0, 4.0]),
            (lambda x: ag.grad(lambda y: number * y * y)(x), [6.0, 12.0, 24.0]),
        ):
            kernel = ag.compile(function)
            assert [kernel(x) for x in (1.0, 2.0, 4.0)] == expected
        with pytest.raises(RecordingError, match="x.data is only known"):
            ag.compile(lambda x: (number + x).data)(1.0)
    assert type(own * 2.0) is Own


# --- nodes that outlive their recording


def test_kept_nodes_are_refused():
    kept = []
    kernel = ag.compile(lambda x: [kept.append(x * x), x][1])
    assert kernel(2.0) == 2.0
    for use in (lambda y: kept[0] * y, lambda y: kept[0], lambda y: y if kept[0] > y else 1.0, lambda y: [y, {"a": kept[0]}]):
        with pytest.raises(RecordingError, match="of another recording is used: return it from the function"):
            ag.compile(use)(1.0)
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(RecordingError, match=r"<recorded multiply> was kept after the function had been recorded, File"):
            compare(kept[0], 1.0)
    with pytest.raises(RecordingError, match="was kept after"):
        bool(kept[0])
    with pytest.raises(RecordingError, match="float"):
        float(kept[0])


# --- results


def test_results_of_any_structure():
    Pair = structures_pair()
    kernel = ag.compile(
        lambda x: [1, x, True, Fraction(1, 4), {"a": (2.5, np.array([x, 2.0]))}, Pair(x, [x * x]), (), np.int64(3)]
    )
    first, second, *others = kernel(2.0)
    assert (first, second) == (1.0, 2.0)
    assert others[:2] == [1.0, 0.25]
    assert others[2]["a"][0] == 2.5
    assert others[2]["a"][1].tolist() == [2.0, 2.0]
    assert others[2]["a"][1].dtype == np.float64
    assert (others[3], type(others[3])) == (Pair(2.0, [4.0]), Pair)
    assert others[4:] == [(), 3.0]
    assert all(type(x) is float for x in (first, second, *others[:2]))


def structures_pair():
    from collections import namedtuple

    return namedtuple("Pair", ["first", "second"])  # noqa: PYI024


@pytest.mark.parametrize("constant", [0.0, -0.0, 3, math.nan, math.inf, True, Fraction(1, 3)])
def test_constants_as_results(constant):
    kernel = ag.compile(lambda x: constant)
    assert bits(kernel(1.0)) == bits(float(constant))
    assert [bits(x) for x in kernel(np.ones(3)).tolist()] == [bits(float(constant))] * 3
    assert kernel.program.instructions == ()


@pytest.mark.parametrize(
    "result", [None, "text", 1j, {1.0}, object(), [1.0, None], {"a": "b"}, np.array(["a"]), 10**400], ids=lambda x: f"{x!r:.20}"
)
def test_results_that_are_no_numbers(result):
    def returning(x):
        return result

    kernel = ag.compile(returning)
    with pytest.raises(
        (TypeError, ValueError), match=r"compile: returning returned .*, which is no real number|beyond the largest float"
    ):
        kernel(1.0)
    assert kernel.paths == 0


def test_a_function_of_nothing():
    assert ag.compile(lambda: [1.0, ag.exp(1.0)])() == [1.0, math.e]
    assert ag.compile(lambda xs: [1.0, len(xs)])([]) == [1.0, 0.0]
    assert ag.compile(lambda x: [])(1.0) == []


@pytest.mark.parametrize("function", [lambda x: x[0], lambda x: len(x), lambda x: [a for a in x], lambda x: operator.add(*x)])
def test_an_array_of_points_that_is_taken_for_a_vector(function):
    with pytest.raises(RecordingError, match=r"a number is taken for a sequence .* give a vector as a list"):
        ag.compile(function)(np.array([1.0, 2.0]))


def test_errors_of_the_function_itself_are_its_own():
    def wrong(x):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="^mine$"):
        ag.compile(wrong)(1.0)


def test_structures_in_errors_are_words():
    with pytest.raises(ValueError, match="returns a number here, and a list of 2 at other points"):
        ag.compile(lambda x: [x, x] if x > 0 else x)(np.array([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"the result, which is a tuple of 2 \(a number; a dict with keys \['a'\]\)"):
        ag.compile(lambda x: (x, {"a": x}))(np.array([1.0, -1.0]), out=np.zeros(2))
