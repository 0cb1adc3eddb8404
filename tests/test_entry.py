"""The direct way into machine code gives what the way through Python gives: structures, bits, errors; it loses no reference."""

import gc
import itertools
import resource
import struct
import sys
import time
import weakref
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import structures
from autograd_lite.compiler import entry as entries
from autograd_lite.compiler import llvm, memory

NEEDED = ag.engine_name == "native"  # where the engine's extension was built, this one was too
NUMBERS = st.floats(-4.0, 4.0)


class Pair(NamedTuple):
    """A sequence with a class of its own."""

    first: Any
    second: Any


def arrays(children):
    del children
    shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
    return shapes.flatmap(lambda shape: st.lists(NUMBERS, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))).map(
        lambda numbers: np.array(numbers).reshape(shape)))  # fmt: skip


STRUCTURES = st.recursive(
    NUMBERS,
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.lists(children, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("abc"), children, max_size=3),
        st.tuples(children, children).map(lambda pair: Pair(*pair)),
        arrays(children),
    ),
    max_leaves=8,
)


def same(x, y):
    """Whether two structures are equal, to their types and bits."""
    if type(x) is not type(y):
        return False
    if isinstance(x, np.ndarray):
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    if isinstance(x, dict):
        return list(x) == list(y) and all(same(x[key], y[key]) for key in x)
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(same, x, y))
    return struct.pack("d", x) == struct.pack("d", y)


def in_python(kernel, *args):
    """The result without the direct way."""
    direct, kernel._entries = kernel._entries, ()
    try:
        return kernel(*args)
    finally:
        kernel._entries = direct


def entered(kernel, *args):
    """What the direct way gives, once there is one."""
    for _ in range(3):
        kernel(*args)
    assert bool(kernel._entries) == NEEDED
    return directly(kernel, *args) if NEEDED else in_python(kernel, *args)


def directly(kernel, *args):
    """What the first direct way says."""
    return kernel._entries[0](args)


def mixed(*args):
    """A function whose result has the structure of its arguments, and some constants."""
    leaves, structure = structures.flatten(args)
    total = sum(leaves, 0.0)
    return structure(iter([x * total + ag.sin(x) if i % 3 else 2.5 for i, x in enumerate(leaves)]))


def test_it_is_there_where_the_engine_is_compiled():
    assert (memory.extension() is not None) == NEEDED


@given(st.lists(STRUCTURES, min_size=1, max_size=3))
def test_structures_and_bits_are_those_of_the_way_through_python(args):
    kernel = ag.compile(mixed, batch=(None,) * len(args))
    found = entered(kernel, *args)
    assert same(found, in_python(kernel, *args))
    assert same(kernel(*args), found)


def test_integers_and_numpys_numbers_are_numbers():
    kernel = ag.compile(lambda x, ys: [x * y for y in ys])
    expected = [6.0, 8.0]
    assert entered(kernel, 2.0, [3.0, 4.0]) == expected
    for args in ((2, [3, 4]), (np.float64(2.0), (np.float64(3.0), 4)), (2, (3.0, 4))):
        result = directly(kernel, *args) if NEEDED else kernel(*args)
        assert result == expected
        assert [type(x) for x in result] == [float, float]


@pytest.mark.parametrize(
    "args",
    [
        (10**400, [1.0, 2.0], {"a": 1.0}, np.ones(3)),
        ("2", [1.0, 2.0], {"a": 1.0}, np.ones(3)),
        (2.0, [1.0], {"a": 1.0}, np.ones(3)),
        (2.0, [1.0, 2.0, 3.0], {"a": 1.0}, np.ones(3)),
        (2.0, [1.0, None], {"a": 1.0}, np.ones(3)),
        (2.0, 1.0, {"a": 1.0}, np.ones(3)),
        (2.0, [1.0, 2.0], {"b": 1.0}, np.ones(3)),
        (2.0, [1.0, 2.0], {"a": 1.0, "b": 1.0}, np.ones(3)),
        (2.0, [1.0, 2.0], [1.0], np.ones(3)),
        (2.0, [1.0, 2.0], {"a": 1.0}, np.ones(4)),
        (2.0, [1.0, 2.0], {"a": 1.0}, np.ones((3, 1))),
        (2.0, [1.0, 2.0], {"a": 1.0}, 3.0),
        (2.0, [1.0, 2.0], {"a": 1.0}),
        (2.0, [1.0, 2.0], {"a": 1j}, np.ones(3)),
    ],
)
def test_what_is_wrong_is_the_same_error(args):
    kernel = ag.compile(mixed, batch=(None,) * len(args))
    right = 2.0, [1.0, 2.0], {"a": 1.0}, np.ones(3)
    kernel = ag.compile(mixed, batch=(None,) * 4)
    entered(kernel, *right)
    with pytest.raises((TypeError, ValueError)) as direct:
        kernel(*args)
    with pytest.raises((TypeError, ValueError)) as other:
        in_python(kernel, *args)
    assert (type(direct.value), str(direct.value)) == (type(other.value), str(other.value))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool, object, ">f8"])
def test_other_arrays_are_left_to_python(dtype):
    kernel = ag.compile(lambda xs: sum(xs), batch=(None,))
    entered(kernel, np.ones(4))
    assert kernel(np.ones(4).astype(dtype)) == 4.0
    assert kernel(np.arange(8.0)[::2]) == 12.0
    assert kernel(np.arange(4.0).view(type("Own", (np.ndarray,), {}))) == 6.0


def test_values_are_differentiated_after_all():
    kernel = ag.compile(lambda x: x * x)
    entered(kernel, 3.0)
    x = ag.Value(3.0)
    assert ag.gradient(kernel(x), x) == 6.0


def test_paths_are_recorded_and_found():
    kernel = ag.compile(lambda x: x * x if x > 0.0 else (ag.exp(x) if x > -1.0 else 0.5))
    for x in [1.0, -0.5, -2.0, 2.0, -0.25, -3.0, 1.0] * 3:
        expected = x * x if x > 0.0 else (ag.exp(x) if x > -1.0 else 0.5)
        assert kernel(x) == pytest.approx(expected, rel=1e-15)
    assert kernel.paths == 3
    assert bool(kernel._entries) == NEEDED
    if NEEDED:
        assert [directly(kernel, x) for x in (3.0, -3.0)] == [9.0, 0.5]
        assert directly(kernel, float("nan")) == 0.5  # no comparison holds, as at -3


def test_what_fast_code_leaves_out_is_computed_by_the_careful_code():
    kernel = ag.compile(ag.grad(lambda x: ag.where(ag.step(x), ag.sqrt(x), 0.0) + x))
    entered(kernel, 2.0)
    for _ in range(3):
        assert kernel(0.0) == 1.0
        assert kernel(4.0) == 1.25
    assert bool(kernel._entries) == NEEDED


def test_functions_of_values_outside_are_asked_for_them_at_every_call():
    w = ag.Value(2.0)
    kernel = ag.compile(lambda x: w * x)
    assert [kernel(3.0) for _ in range(4)] == [6.0] * 4
    w.data = 5.0
    assert kernel(3.0) == 15.0
    assert not kernel._entries


def test_results_in_other_dicts_go_the_other_way():
    kernel = ag.compile(lambda x: defaultdict(list, a=x, b=2.0 * x))
    for _ in range(4):
        result = kernel(3.0)
    assert result == {"a": 3.0, "b": 6.0}
    assert result["c"] == []
    assert not kernel._entries


class Hostile(str):
    """A key that fails when it is compared."""

    __slots__ = ()

    def __hash__(self):
        return hash("a")

    def __eq__(self, other):
        raise ZeroDivisionError("compared")


def test_an_error_of_a_key_comes_through():
    kernel = ag.compile(lambda d: d["a"] * 2.0)
    entered(kernel, {"a": 3.0})
    with pytest.raises(ZeroDivisionError, match="compared"):
        kernel({Hostile("x"): 3.0})


class Growing(str):
    """A key that takes the rest of the list away when it is compared."""

    __slots__ = ()

    def __hash__(self):
        return hash("a")

    def __eq__(self, other):
        del TAKEN[1:]
        return False


TAKEN = []


def test_a_list_that_shrinks_while_it_is_read_is_an_error():
    kernel = ag.compile(lambda parts: parts[0]["a"] + parts[1] + parts[2])
    entered(kernel, [{"a": 1.0}, 2.0, 3.0])
    TAKEN[:] = [{Growing("x"): 1.0}, 2.0, 3.0]
    with pytest.raises(ValueError, match="argument 1"):
        kernel(TAKEN)


def loss(parameters, point, label):
    """With a branch, constants in its result, and products that absorb."""
    score = parameters["w"][0] * point[0] + parameters["w"][1] * point[1] + parameters["b"]
    margin = ag.relu(1.0 - label * score)
    return margin, 3.0, [score, ag.exp(-score * score)]


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_results_over_points_have_the_bits_of_the_way_through_python(reduce, exact, threads):
    random = np.random.default_rng(1)
    kernel = ag.compile(loss, batch=(None, 0, 0), reduce=reduce, exact=exact, threads=threads)
    parameters = {"w": random.normal(size=2), "b": 0.25}
    for count in (1, 2, 7, 8, 9, 63, 64, 65, 100, 127, 128, 129, 300, 1000, 5000):
        points, labels = random.normal(size=(count, 2)), random.choice([-1.0, 1.0], count)
        direct = [kernel(parameters, points, labels) for _ in range(3)]
        assert bool(kernel._entries) == NEEDED
        expected = in_python(kernel, parameters, points, labels)
        assert all(same(result, expected) for result in direct), count
        assert np.all(expected[1] == (3.0 * count if reduce == "sum" else 3.0))


@given(structure=STRUCTURES, count=st.integers(8, 40), exact=st.booleans())
@example(structure=[0.0, {"a": 0.0, "b": np.array([0.0])}], count=8, exact=False)  # a constant alone in its array
def test_structures_of_results_at_points(structure, count, exact):
    kernel = ag.compile(lambda x, given: mixed(x, given), batch=(0, None), exact=exact)
    points = np.linspace(-1.0, 1.0, count)
    for _ in range(3):
        result = kernel(points, structure)
    assert bool(kernel._entries) == NEEDED
    assert same(result, in_python(kernel, points, structure))
    at_each = [structures.flatten(mixed(x, structure))[0] for x in points.tolist()]
    found = [np.asarray(x).reshape(count, -1) for x in structures.flatten(result, arrays=False)[0]]
    whole = np.concatenate(found, axis=1)
    assert np.array_equal(whole, at_each) if exact else np.allclose(whole, at_each, rtol=1e-13, atol=1e-13)


def test_numbers_and_points_have_direct_ways_of_their_own():
    kernel = ag.compile(lambda x, y: x * y)
    points = np.arange(10.0)
    for _ in range(3):
        assert kernel(3.0, 4.0) == 12.0
        assert kernel(points, 2.0).tolist() == (2.0 * points).tolist()
        assert kernel(2.0, points).tolist() == (2.0 * points).tolist()
    assert len(kernel._entries) == (3 if NEEDED else 0)


def test_points_in_doubt_end_the_direct_way():
    kernel = ag.compile(ag.grad(lambda x: ag.where(ag.step(x), ag.sqrt(x), 0.0) + x))
    points = np.array([1.0, 4.0] * 8)
    for _ in range(3):
        assert kernel(points).tolist() == [1.5, 1.25] * 8
    points[3] = 0.0
    for _ in range(6):
        assert kernel(points).tolist() == [1.5, 1.25, 1.5, 1.0, *[1.5, 1.25] * 6]
    points[3] = 4.0
    if NEEDED:
        assert directly(kernel, points) is NotImplemented
    assert kernel(points).tolist() == [1.5, 1.25] * 8


def test_sums_over_points_on_several_paths():
    kernel = ag.compile(lambda w, x: w * x if x > 0.0 else w * w * x, batch=(None, 0), reduce="sum")
    ahead, mixed_ = np.arange(1.0, 101.0), np.arange(-50.0, 50.0)
    for _ in range(3):
        assert kernel(2.0, ahead) == 2.0 * ahead.sum()
        assert kernel(2.0, mixed_) == np.where(mixed_ > 0.0, 2.0 * mixed_, 4.0 * mixed_).sum()
    assert kernel(2.0, np.zeros(0)) == 0.0
    with pytest.raises(ValueError, match="no common shape"):
        ag.compile(lambda x, y: x * y, batch=0, reduce="sum")(np.ones(3), np.ones(4))


def test_arrays_are_broadcast_without_batch():
    kernel = ag.compile(lambda w, x: w * x, reduce="mean")
    for _ in range(3):
        assert kernel(2.0, np.arange(101.0)) == 100.0
        assert kernel(2.0, 4.0) == 8.0
        assert kernel(np.array([1.0, 3.0]), np.array([2.0, 2.0])) == 4.0


def test_no_reference_is_lost():
    key, shape = "key", (2, 3)
    kernel = ag.compile(
        lambda d, p, xs: {"key": d["key"] * p[0], "pair": Pair(p[1], xs[0, 0]), "xs": xs * 2.0}, batch=(None,) * 3
    )
    args = {key: 1.5}, (2.0, 3.0), np.ones(shape)
    entered(kernel, *args)
    wrong = {key: 1.5}, (2.0, 3.0), np.ones((3, 2))
    watched = [None, NotImplemented, key, np.ndarray, np.float64, np.empty, Pair, list, *args, *wrong, Pair._make.__func__]
    before = [sys.getrefcount(x) for x in watched]
    for _ in range(50):
        kernel(*args)
        with pytest.raises(ValueError, match="argument 3"):
            kernel(*wrong)
    after = [sys.getrefcount(x) for x in watched]
    # What is left of errors varies by a few; a lost or forgotten reference would show 50 times.
    assert all(abs(x - y) < 25 for x, y in zip(before, after, strict=True))


def test_memory_of_many_numbers_is_freed():
    count = 50_000
    kernel = ag.compile(lambda xs: [2.0 * x for x in xs])
    xs = [1.0] * count
    entered(kernel, xs)

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    kernel(xs)
    before = peak()
    for _ in range(1000):  # 1,000 times 800 kB, if they were kept
        kernel(xs)
    assert peak() - before < 400_000  # sanitizers keep 256 MiB of what is freed for a while


def test_memory_of_large_results_is_used_again_when_nobody_has_it():
    kernel = ag.compile(lambda x: (x * 2.0, np.array([x, x + 1.0], dtype=object)))
    points = np.arange(100_000.0)
    first, pairs = kernel(points)
    for _ in range(3):
        second, others = kernel(points)
        assert not any(np.shares_memory(x, y) for x in (first, pairs) for y in (second, others))
    assert np.array_equal(first, 2.0 * points)
    view = first[::1000]
    del first, second
    third, _ = kernel(points[::-1])
    assert np.array_equal(view, 2.0 * points[::1000])
    assert np.array_equal(third, 2.0 * points[::-1])
    assert all(x.flags.writeable and x.flags.c_contiguous and x.dtype == np.float64 for x in (third, pairs, others))


def test_what_is_kept_of_large_results_has_a_bound():
    def resident():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    arrays = [memory.empty((n,)) for n in range(1_000_000, 1_600_000, 10_000)]
    for x in arrays:
        x[:] = 1.0
    before = resident()
    del arrays, x
    for n in range(2_000_000, 20_000_000, 500_000):
        memory.empty((n,))[:] = 1.0
    assert resident() - before < 400_000


def test_arrays_of_impossible_shapes_are_numpys_error():
    for shape in ((-1,), (1 << 62, 1 << 62), ("x",)):
        with pytest.raises((TypeError, ValueError, MemoryError)):
            memory.empty(shape)
    assert memory.empty((0, 5)).shape == (0, 5)
    assert memory.empty((3, 40_000)).shape == (3, 40_000)


def test_better_code_takes_the_place_of_the_first():
    size = 400
    kernel = ag.compile(lambda xs: sum([x * y for x, y in itertools.pairwise(xs)]))
    xs = [0.5 + 0.001 * i for i in range(size)]
    results = set()
    for _ in range(200):
        results.add(kernel(xs))
        if kernel._entries and not any(code.is_quick for code in kernel._paths[0]._code.values()):
            break
        time.sleep(0.01)
    results.add(kernel(xs))
    assert len(results) == 1


def test_machine_code_that_calls_python_has_no_direct_way():
    calls = []
    kernel = ag.compile(lambda x: x * 2.0)
    entered(kernel, 1.0)
    path = kernel._paths[0]
    for machine in path._code.values():
        machine.code.calls_python = True
    try:
        assert entries.entry([path], kernel._arguments, [False], (0,), None, 1) is None
    finally:
        for machine in path._code.values():
            machine.code.calls_python = llvm._IN_PYTHON in calls


def test_calls_leave_what_they_are_given_as_it_is():
    kernel = ag.compile(lambda x, *, p=1.0: x * p)
    keywords = {"p": 3.0, "out": None}
    assert kernel(2.0, **keywords) == 6.0
    assert keywords == {"p": 3.0, "out": None}
    assert ag.compile(lambda self, args, keywords: self * args - keywords)(keywords=1.0, args=2.0, self=3.0) == 5.0


def test_kernels_are_freed_with_what_they_hold():
    function = lambda x: x * x
    kernel = ag.compile(function)
    entered(kernel, 2.0)
    function.kernel = kernel  # a cycle
    watched = weakref.ref(kernel)
    del kernel, function
    gc.collect()
    assert watched() is None


def test_direct_ways_are_a_tuple():
    kernel = ag.compile(lambda x: x)
    kernel._entries = (lambda args: NotImplemented, lambda args: 1 / args[0])
    with pytest.raises(ZeroDivisionError):
        kernel(0)
    assert kernel(2) == 0.5
    if NEEDED:
        with pytest.raises(TypeError, match="the direct ways are a tuple"):
            kernel._entries = [abs]
        with pytest.raises(TypeError, match="the direct ways are a tuple"):
            del kernel._entries
