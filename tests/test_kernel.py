"""Compiled functions: structures, composition with every derivative, options, pickles, what is loaded when."""

import copy
import functools
import inspect
import math
import operator
import os
import pickle
import random
import subprocess
import sys
import threading
from collections import OrderedDict, defaultdict, namedtuple
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Value, structures
from autograd_lite.compiler.program import Program
from autograd_lite.on_demand import how_to_install
from values import bits

CASES = int(os.environ.get("AUTOGRAD_LITE_POINTS", "100"))
ROOT = Path(ag.__file__).parents[1]
Pair = namedtuple("Pair", ["first", "second"])  # noqa: PYI024


def flat(x):
    return structures.flatten(x)[0]


def equal(found, expected):
    """The same structure of the same floats, bit for bit."""
    if isinstance(expected, np.ndarray):
        assert type(found) is np.ndarray
        assert found.shape == expected.shape
    assert structures.flatten(found)[1] == structures.flatten(expected)[1]
    assert [bits(x) for x in flat(found)] == [bits(x.data if isinstance(x, Value) else float(x)) for x in flat(expected)]


# --- structures of arguments and results

numbers = st.floats(-4.0, 4.0).map(lambda x: round(x, 2))
nested = st.recursive(
    numbers,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3),
        st.tuples(parts, parts),
        st.dictionaries(st.sampled_from("abc"), parts, max_size=3),
        st.builds(Pair, parts, parts),
        st.lists(numbers, min_size=1, max_size=4).map(np.array),
        st.lists(st.tuples(numbers, numbers), min_size=1, max_size=3).map(np.array),
    ),
    max_leaves=8,
)


def shaken(x):
    """The same structure with other numbers, lists for tuples and the other way round."""
    leaves, structure = structures.flatten(x)
    return structure(iter([y + 0.5 for y in leaves]))


@given(st.lists(nested, max_size=3))
@settings(max_examples=max(20, CASES // 2))
def test_arguments_and_results_of_any_structure(args):
    def function(*given):
        leaves, structure = structures.flatten(list(given))
        return {"same": structure(iter([2.0 * x for x in leaves])), "sum": ag.sum(leaves)}

    batch = (None,) * len(args)  # arrays are arguments of the function, not points
    kernel = ag.compile(function, batch=batch, exact=True)
    for given_args in (args, [shaken(x) for x in args], args):
        equal(kernel(*given_args), function(*given_args))


def test_classes_of_containers():
    kernel = ag.compile(lambda d, p: [d, p, {"x": d["a"]}, OrderedDict(b=p.first)])
    given_dict = defaultdict(list, a=1.0)
    result = kernel(given_dict, Pair(2.0, (3.0,)))
    assert result == [{"a": 1.0}, Pair(2.0, (3.0,)), {"x": 1.0}, {"b": 2.0}]
    assert [type(x) for x in result] == [defaultdict, Pair, dict, OrderedDict]
    assert result[0] is not given_dict
    assert result[0].default_factory is list
    assert kernel({"a": 5.0}, (2.0, [3.0]))[0] == {"a": 5.0}


@pytest.mark.parametrize(
    "number",
    [2, True, Fraction(1, 3), np.float64(0.7), np.float32(0.7), np.int8(-3), np.array(1.5), 2**70, -0.0, math.nan, 10**300],
)
def test_numbers_of_any_kind(number):
    kernel = ag.compile(lambda x, y: x - 0.0 * y, exact=True)
    assert bits(kernel(number, 1.0)) == bits(float(number))
    assert bits(kernel(number, 1.0)) == bits(float(number))
    nested = ag.compile(lambda xs, p: xs[0] - 0.0 * p["a"][0][1], exact=True)
    for result in (kernel(number, 1.0), *[nested([number, 1.0], {"a": [(number, 1.0)]}) for _ in range(2)]):
        assert type(result) is float
        assert bits(result) == bits(float(number))


# --- derivatives


def smooth(x):
    return ag.exp(x[0] * x[1]) * ag.sin(x[2]) + x[0] ** 3.0 * x[2] + ag.hypot(x[1], x[2])


def field(x):
    return [x[0] * x[1], ag.sin(x[2]) * x[0], {"third": ag.tanh(x[1])}]


def cubic(x):
    return x**3.0 * ag.exp(x)


X, V = [0.5, -1.25, 2.0], [1.0, 0.5, -0.25]
DERIVATIVES = {
    "grad": (ag.grad(smooth), (X,)),
    "value_and_grad": (ag.value_and_grad(smooth), (X,)),
    "grad by several": (ag.grad(lambda x, y, z: x * y - z * x * x, (0, -1)), (2.0, 3.0, 0.5)),
    "hessian": (ag.hessian(smooth), (X,)),
    "jacobian": (ag.jacobian(field), (X,)),
    "jacobian, tall": (ag.jacobian(lambda x: [x, x * x, ag.sin(x), x**4.0]), (1.5,)),
    "jvp": (lambda x, v: ag.jvp(field, x, v), (X, V)),
    "vjp": (lambda x, w: ag.vjp(field, x, [w[0], w[1], {"third": w[2]}]), (X, V)),
    "hvp": (lambda x, v: ag.hvp(smooth, x, v), (X, V)),
    "third derivative": (ag.grad(ag.grad(ag.grad(cubic))), (0.75,)),
    "grad of the norm of a gradient": (ag.grad(lambda x: ag.sum([g * g for g in ag.grad(smooth)(x)])), (X,)),
    "grad of a hessian's trace": (ag.grad(lambda x: ag.sum([ag.hessian(smooth)(x)[i][i] for i in range(3)])), (X,)),
    "jacobian of a gradient": (ag.jacobian(ag.grad(smooth)), (X,)),
    "nested levels": (lambda x: ag.grad(lambda y: y * ag.grad(lambda z: y * z)(3.0))(x), (4.0,)),
    "derivative by a derivative": (lambda x: x * ag.grad(lambda y: x + y)(1.0), (2.0,)),
    "gradient": (lambda x: ag.gradient(smooth(x), x, create_graph=True), (X,)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_compose(name):
    function, args = DERIVATIVES[name]
    exact, fast = ag.compile(function, exact=True), ag.compile(function)
    for scale in (1.0, -0.75, 1.5):
        scaled = [[scale * x for x in arg] if isinstance(arg, list) else scale * arg for arg in args]
        expected = function(*[[Value(x) for x in arg] if isinstance(arg, list) else Value(arg) for arg in scaled]
                            if name == "gradient" else scaled)  # fmt: skip
        equal(exact(*scaled), expected)
        found = np.array(flat(fast(*scaled)))
        assert np.allclose(
            found, [float(x.data) if isinstance(x, Value) else x for x in flat(expected)], rtol=1e-12, atol=1e-12
        )
    assert exact.paths == fast.paths == 1


def test_derivatives_of_arrays_stay_arrays():
    x = np.array([0.5, -1.25, 2.0])
    for transform, shape in ((ag.grad, (3,)), (ag.hessian, (3, 3))):
        found = ag.compile(transform(smooth), batch=(None,), exact=True)(x)
        assert found.shape == shape
        assert np.array_equal(found, transform(smooth)(x))


def test_steps_of_a_method_with_derivatives_inside():
    """Newton's method for a minimum, as long as it takes: derivatives within a loop that depends on them."""

    def minimum(a):
        x = a
        for _ in range(50):
            slope = ag.grad(lambda x: (x - a) ** 4.0 + x * x)(x)
            if abs(slope) < 1e-9:
                break
            x = x - slope / ag.grad(ag.grad(lambda x: (x - a) ** 4.0 + x * x))(x)
        return x

    kernel = ag.compile(minimum, exact=True)
    for a in (0.0, 0.5, 2.0, -3.0, 10.0):
        assert bits(kernel(a)) == bits(minimum(Value(a)).data if a else minimum(a))
    by_a = ag.compile(ag.grad(minimum))(2.0)
    step = 1e-5
    assert math.isclose(by_a, (minimum(2.0 + step) - minimum(2.0 - step)) / (2.0 * step), rel_tol=1e-4)


# --- the kernel itself


def test_a_kernel_looks_like_its_function():
    def area(width, height=2.0):
        """The product."""
        return width * height

    kernel = ag.compile(area)
    assert (kernel.__name__, kernel.__doc__, kernel.__wrapped__) == ("area", "The product.", area)
    assert inspect.signature(kernel) == inspect.signature(area)
    assert repr(kernel) == "<compiled area: 0 paths>"
    assert kernel(3.0) == 6.0
    assert isinstance(kernel, ag.Kernel)
    assert isinstance(kernel.program, Program)
    assert kernel.programs == (kernel.program,)
    assert repr(ag.compile(functools.partial(area, 3.0))).startswith("<compiled functools.partial(")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 1}, "batch is None, 0, or a tuple of None and 0, one an argument, not 1"),
        ({"batch": True}, "batch is None, 0"),
        ({"batch": False}, "batch is None, 0"),
        ({"batch": (0, 1)}, "batch is None, 0"),
        ({"batch": [0]}, "batch is None, 0"),
        ({"batch": "0"}, "batch is None, 0"),
        ({"reduce": "max"}, "reduce is None, 'sum' or 'mean', not 'max'"),
        ({"reduce": 0}, "reduce is None"),
        ({"threads": 0}, "threads is a whole number of at least 1, not 0"),
        ({"threads": 1.5}, "threads is a whole number of at least 1, not 1.5"),
        ({"threads": True}, "threads is a whole number"),
        ({"max_paths": 0}, "max_paths is a whole number of at least 1, not 0"),
        ({"max_paths": "64"}, "max_paths is a whole number"),
    ],
)
def test_options_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=f"compile: {message}"):
        ag.compile(abs, **options)


def test_what_is_no_function():
    for wrong in (3, None, "f", [abs]):
        with pytest.raises(TypeError, match=f"compile takes a function, not {type(wrong).__name__}"):
            ag.compile(wrong)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        ag.compile(abs, lanes=4)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        ag.compile(lambda x, y: x)(1.0)


def test_wrong_arguments_of_single_points():
    kernel = ag.compile(lambda x, p: x * p["w"][1])
    right = (2.0, {"w": [1.0, 3.0]})
    wrong = [
        (("a", right[1]), TypeError, "argument 1 takes a real number, not str 'a'"),
        ((None, right[1]), TypeError, "argument 1 takes a real number, not NoneType None"),
        ((1j, right[1]), TypeError, "argument 1 takes a real number, not complex 1j"),
        ((10**400, right[1]), ValueError, "argument 1: the number of 1329 bits lies beyond the largest float, 1.8e308"),
        ((1.0, {"w": [1.0, -(10**400)]}), ValueError, "argument 2: the number of 1329 bits lies beyond"),
        ((Fraction(10**400, 3), right[1]), ValueError, r"argument 1: the number .* lies beyond the largest float"),
        ((1.0, {"w": [1.0, "b"]}), TypeError, "argument 2 takes a real number, not str 'b'"),
    ]
    later = [
        ((2.0,), TypeError, "missing 1 required positional argument: 'p'"),
        ((2.0, right[1], 3.0), TypeError, "takes 2 positional arguments but 3 were given"),
        (([2.0], right[1]), ValueError, "argument 1 is a list of length 1; a number is needed"),
        ((2.0, {"v": [1.0, 3.0]}), ValueError, r"argument 2 is a dict with keys \['v'\]; a dict with keys \['w'\] is needed"),
        ((2.0, {"w": [1.0]}), ValueError, r"argument 2\['w'\] is a list of length 1; a sequence of length 2 is needed"),
        ((2.0, {"w": 1.0}), ValueError, r"argument 2\['w'\] is float 1.0; a sequence of length 2 is needed"),
        ((2.0, [[1.0, 3.0]]), ValueError, "argument 2 is a list of length 1; a dict with keys"),
        ((2.0, {"w": [1.0, [3.0]]}), TypeError, r"argument 2 takes a real number, not list \[3.0\]"),
    ]
    for cases in (wrong, [*wrong, *later]):  # before anything is recorded, and after
        for args, error, message in cases:
            with pytest.raises(error, match=f"<lambda>.*{message}"):
                kernel(*args)
        assert kernel(*right) == 6.0


def test_values_as_arguments_are_differentiated_through():
    kernel = ag.compile(lambda x, p: ag.exp(x) * p["a"] if x > 0 else p["b"][0] - x, exact=True)
    x, p = Value(1.5), {"a": Value(2.0), "b": [3.0]}
    y = kernel(x, p)
    y.backward()
    assert (y.data, x.grad, p["a"].grad) == (2.0 * math.exp(1.5), 2.0 * math.exp(1.5), math.exp(1.5))
    assert kernel(1.5, {"a": 2.0, "b": [3.0]}) == y.data
    z = kernel(-1.0, {"a": 1.0, "b": [Value(3.0)]})
    assert (type(z), z.data) == (Value, 4.0)
    derivative = ag.compile(ag.grad(lambda x: x**3.0))
    w = derivative(Value(2.0))
    assert (w.data, ag.gradient(w, w)) == (12.0, 1.0)
    assert ag.grad(derivative)(2.0) == 12.0


def test_partial_functions_and_callable_objects():
    class Line:
        def __init__(self, slope):
            self.slope = slope

        def __call__(self, x):
            return self.slope * x if x > 0 else -x

    assert ag.compile(Line(3.0))(np.array([1.0, -1.0])).tolist() == [3.0, 1.0]
    assert ag.compile(functools.partial(operator.mul, 4.0))(2.0) == 8.0
    assert ag.compile(ag.sin, exact=True)(2.0) == math.sin(2.0)


# --- pickles and copies


def branching(x, p):
    return ag.sin(x) * p["a"] if x > p["b"] else ag.log(x)


SCALE = Value(2.0)


def scaled(x):
    return x * SCALE if x > 0 else SCALE


LOAD = """
import pickle, sys
sys.path.insert(0, {tests!r})
kernel, points = pickle.loads(sys.stdin.buffer.read())
before = kernel.paths
results = [kernel(*args) for args in points]
sys.stdout.buffer.write(pickle.dumps((before, kernel.paths, kernel.compile_seconds > 0.0, results)))
"""


@pytest.mark.parametrize("exact", [False, True])
def test_pickles_are_compiled_where_they_land(exact):
    function = ag.value_and_grad(branching)
    kernel = ag.compile(functools.partial(pickled, exact), exact=exact)
    points = [(2.0, {"a": 3.0, "b": 1.0}), (0.5, {"a": 3.0, "b": 1.0}), (math.nan, {"a": 1.0, "b": -0.0})]
    expected = [kernel(*args) for args in points[:2]]
    assert kernel.paths == 2
    text = pickle.dumps((kernel, points))
    result = subprocess.run(
        [sys.executable, "-c", LOAD.format(tests=str(Path(__file__).parent))], input=text, capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    before, after, compiled, results = pickle.loads(result.stdout)
    assert (before, after, compiled) == (2, 2, True)
    assert [[bits(x) for x in flat(y)] for y in results[:2]] == [[bits(x) for x in flat(y)] for y in expected]
    assert [bits(x) for x in flat(results[2])] == [bits(x) for x in flat(function(*points[2]))]


def pickled(exact, x, p):
    return ag.value_and_grad(branching)(x, p)


def test_pickles_keep_options_and_structure():
    kernel = ag.compile(branching, batch=(0, None), reduce="mean", exact=True, threads=2, max_paths=7)
    xs = np.linspace(0.5, 2.5, 9)
    expected = kernel(xs, {"a": 3.0, "b": 1.0})
    for twin in (pickle.loads(pickle.dumps(kernel)), copy.copy(kernel), copy.deepcopy(kernel)):
        assert (twin.batch, twin.reduce, twin.exact, twin.threads, twin.max_paths) == ((0, None), "mean", True, 2, 7)
        assert twin.programs == kernel.programs
        assert twin(xs, {"a": 3.0, "b": 1.0}) == expected
        assert twin.paths == kernel.paths == 2
        with pytest.raises(ValueError, match=r"argument 2 is a dict with keys \['a'\]"):
            twin(xs, {"a": 3.0})
    fresh = pickle.loads(pickle.dumps(ag.compile(branching)))
    assert fresh.paths == 0
    assert fresh(0.5, {"a": 3.0, "b": 1.0}) == math.log(0.5)


def test_values_from_outside_are_those_of_the_place_where_a_pickle_lands():
    kernel = ag.compile(scaled)
    assert [kernel(3.0), kernel(-1.0)] == [6.0, 2.0]
    twin = pickle.loads(pickle.dumps(kernel))
    try:
        SCALE.data = 5.0
        assert [kernel(3.0), kernel(-1.0), twin(3.0), twin(-1.0)] == [15.0, 5.0, 15.0, 5.0]
    finally:
        SCALE.data = 2.0


# --- threads


def test_one_kernel_in_many_threads():
    """Each thread takes paths that no other has recorded, all at once."""

    def function(x):
        for i in range(40):
            if x < i:
                return ag.exp(-x) * i
        return x

    kernel = ag.compile(function, exact=True)
    points = [random.Random(i).uniform(0.0, 45.0) for i in range(300)]
    expected = [bits(function(Value(x)).data) for x in points]
    found, errors = [None] * 4, []

    def work(i):
        try:
            order = random.Random(i).sample(range(300), 300)
            single = {k: bits(kernel(points[k])) for k in order[:100]}
            several = kernel(np.array([points[k] for k in order])).tolist()
            found[i] = all(single[k] == expected[k] for k in single) and [bits(x) for x in several] == [
                expected[k] for k in order
            ]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert found == [True] * 4
    assert kernel.paths == len({min(math.floor(x) + 1, 40) for x in points})


def test_errors_of_python_functions_stay_in_their_thread(forget):
    barrier, own = threading.Barrier(2, timeout=30), threading.local()

    def meeting(x):
        if x >= 50.0 and not hasattr(own, "has_met"):  # in machine code: then the function is called once more
            own.has_met = True
            barrier.wait()
        if x > 100.0:
            raise LookupError("here")
        return x

    primitive = ag.define_primitive("meeting", meeting, lambda r, x: 1.0, domain=(0.0, 1.0))
    kernels = [ag.compile(lambda x: primitive(x) + 1.0, exact=True) for _ in range(2)]
    assert [kernel(1.0) for kernel in kernels] == [2.0, 2.0]
    outcomes = [None, None]

    def work(i, x):
        try:
            outcomes[i] = kernels[i](x)
        except LookupError as error:
            outcomes[i] = str(error)

    threads = [threading.Thread(target=work, args=arguments) for arguments in ((0, 60.0), (1, 200.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [61.0, "here"]


# --- what is loaded when

HIDDEN = """
import sys
class Hiding:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hiding())
import autograd_lite as ag
assert ag.grad(lambda x: x * x)(3.0) == 6.0
for name in ("compile", "Kernel", "PathWarning", "RecordingError"):
    try:
        getattr(ag, name)
    except ImportError as error:
        print(error)
"""


def run(program):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout.splitlines()  # fmt: skip


def test_importing_the_package_loads_neither_numpy_nor_llvmlite():
    program = "import sys, autograd_lite as ag; print('numpy' in sys.modules, 'llvmlite' in sys.modules)"
    assert run(program) == ["False False"]
    used = "; ag.compile(lambda x: x)(1.0); print('numpy' in sys.modules, 'llvmlite' in sys.modules)"
    assert run(program + used) == ["False False", "True True"]


@pytest.mark.parametrize("hidden", ["llvmlite", "numpy"])
def test_without_what_compiling_needs_the_error_says_what_to_install(hidden):
    lines = run(HIDDEN.format(hidden=[hidden]))
    assert lines[0] == (
        f"autograd_lite.compile needs NumPy and llvmlite, and {hidden} is not installed:"
        f" {how_to_install('compile', 'numpy', 'llvmlite')}"
    )
    assert all(f"{hidden} is not installed" in line for line in lines)


def test_names_that_there_are_not():
    with pytest.raises(AttributeError, match="module 'autograd_lite' has no attribute 'compiled'"):
        _ = ag.compiled
    assert issubclass(ag.RecordingError, TypeError)
    assert issubclass(ag.PathWarning, RuntimeWarning)
