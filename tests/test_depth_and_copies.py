"""Graphs as a whole: deep ones, their memory, garbage, copies and pickles."""

import copy
import dataclasses
import gc
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.engine import Value
from autograd_lite.sweep import topological_order
from programs import EVERYTHING, Program, programs
from values import SPECIAL, bits, classic, in_small_thread, same

# --- depth, memory, garbage


def test_a_chain_of_a_million_nodes():
    """Recorded, swept, pickled, copied, written as JSON and freed, at recursion limit 60 on a stack of 256 kB."""

    def work():
        x = y = Value(1.0)
        for _ in range(10**6):
            y = y * 1.000001
        y.backward()
        expected = y.data
        assert abs(x.grad - expected) <= 1e-9 * expected
        for copied in (copy.deepcopy(y), pickle.loads(pickle.dumps(y)), ag.graph_from_json(ag.graph_to_json(y))):
            assert copied is not y
            assert copied.data == expected
            leaf = topological_order(copied)[0]
            assert leaf is not x
            assert ag.gradient(copied, leaf) == x.grad
            del copied, leaf
        collecting = gc.isenabled()
        gc.disable()
        del x, y
        if collecting:
            gc.enable()

    in_small_thread(work)


def test_a_deep_second_derivative_and_a_deep_forward_sweep():
    def work():
        def f(x):
            y = x
            for _ in range(20_000):
                y = y * 1.0001
            return y * y

        assert ag.grad(ag.grad(f))(1.0) == ag.hvp(f, 1.0, 1.0)

    in_small_thread(work)


def test_memory_a_node():
    """At most 112 bytes a recorded node (promise R9), the number and the node together."""
    y = Value(1.0)
    for _ in range(100):
        y = y * 1.0001
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50_000):
            y = y * 1.0001
        assert (tracemalloc.get_traced_memory()[0] - before) / 50_000 <= 112
    finally:
        tracemalloc.stop()


def test_a_dropped_graph_is_freed_at_once_and_leaves_no_garbage():
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(50):
            x = Value(0.5)
            y = (x.sin() * x).exp().clip(0.0, 3.0) + ag.sum([x, x, 1.0])
            y.backward()
            ag.gradient(y, x, create_graph=True)
            ag.hessian(lambda v: v[0] * v[1])([1.0, 2.0])
            pickle.loads(pickle.dumps(y))
            copy.deepcopy(y)
            del x, y
        assert len(gc.get_objects()) - before < 20
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_memory_stays_flat_over_ten_thousand_training_steps():
    w, shift = Value(0.1), Value(0.0)

    def train(steps):
        for k in range(steps):
            x = 0.1 * (k % 7)
            loss = ((w * x + shift).tanh() - 0.5) ** 2
            for p in (w, shift):
                p.grad = 0.0
            loss.backward()
            for p in (w, shift):
                p.data -= 0.05 * p.grad

    train(200)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        train(10_000)
        assert tracemalloc.get_traced_memory()[0] - before < 4096
    finally:
        tracemalloc.stop()


# --- copies


@given(programs(EVERYTHING, SPECIAL, valid=False, max_lines=8))
def test_copies_have_the_same_bits_and_are_independent(program):
    xs = [Value(x, label=f"x{i}") for i, x in enumerate(program.inputs)]
    results = program.run(xs)
    y = results[-1]
    if not isinstance(y, Value):
        return
    y.backward()

    def picture(v):
        order = topological_order(v)
        index = {node: i for i, node in enumerate(order)}
        return [
            (
                node.op,
                node.label,
                bits(node.data),
                bits(node.grad),
                [bits(a) if type(a) is float else index[a] for a in node.args],
            )
            for node in order
        ]

    expected = picture(y)
    for twin in (
        copy.deepcopy(y),
        *[pickle.loads(pickle.dumps(y, p)) for p in range(6)],
        ag.graph_from_json(ag.graph_to_json(y)),
    ):
        assert picture(twin) == expected
        assert not set(topological_order(twin)) & set(topological_order(y))
        twin.backward()
    assert picture(y) == expected
    shallow = copy.copy(y)
    assert shallow is not y
    assert same(shallow.args, y.args)
    shallow.grad = 7.0
    shallow.label = "shallow"
    assert picture(y) == expected


def test_sharing_is_kept_across_one_pickle_and_one_deepcopy():
    a, b, c, d, e = classic()
    for copied in (pickle.loads(pickle.dumps([e, c, [b, a], d])), copy.deepcopy([e, c, [b, a], d])):
        e2, c2, (b2, a2), d2 = copied
        assert same([*e2.args, *c2.args], [c2, d2, a2, b2])
        assert d2.args[0] is b2
    for copied in (pickle.loads(pickle.dumps([a, c, e, d, b])), pickle.loads(pickle._dumps([a, c, e, d, b]))):
        a2, c2, e2, d2, b2 = copied
        assert same([*e2.args, *c2.args], [c2, d2, a2, b2])


# --- copies inside a function that is being differentiated


@dataclasses.dataclass
class State:
    w: object
    rate: float = 0.5


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "of a list": lambda x: copy.deepcopy([x, [x]])[1][0],
    "of a dict": lambda x: copy.deepcopy({"w": x})["w"],
    "of an array": lambda x: copy.deepcopy(np.array([x]))[0],
    "asdict": lambda x: dataclasses.asdict(State(x))["w"],
    "astuple": lambda x: dataclasses.astuple(State(x))[0],
    "replace": lambda x: dataclasses.replace(State(0.0), w=copy.deepcopy(x)).w,
    "twice": lambda x: copy.deepcopy(copy.copy(copy.deepcopy(x))),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_inside_a_differentiated_function_keep_the_derivative(kind):
    """Of arguments and of what is computed of them, at every level, by every transform, interpreted and compiled."""
    twin = COPIES[kind]
    for f in (
        lambda x: twin(x) * x * x,
        lambda x: twin(x * x) * twin(x),
        lambda x: twin(twin(x * 1.0) * x + 0.0) * twin(x),
        lambda x: ag.grad(lambda y: twin(twin(x) * y**2 / 2.0) * twin(y))(x) * 2.0 / 3.0,
    ):
        for around in (lambda g: g, ag.compile):
            assert around(ag.grad(f))(3.0) == pytest.approx(27.0, rel=1e-15)
            assert around(ag.jacobian(lambda x, f=f: [f(x), x]))(3.0) == pytest.approx([27.0, 1.0], rel=1e-15)
            assert around(lambda x, f=f: ag.jvp(f, x, 2.0))(3.0) == pytest.approx(54.0, rel=1e-15)
            assert around(lambda x, f=f: ag.vjp(f, x, 2.0))(3.0) == pytest.approx(54.0, rel=1e-15)
            assert around(lambda x, f=f: ag.hvp(f, x, 2.0))(3.0) == pytest.approx(36.0, rel=1e-15)
            assert around(ag.hessian(f))(3.0) == pytest.approx(18.0, rel=1e-15)
            assert around(ag.grad(ag.grad(ag.grad(f))))(3.0) == pytest.approx(6.0, rel=1e-15)
            assert around(f)(3.0) == pytest.approx(27.0, rel=1e-15)


@given(programs(EVERYTHING), st.integers(0, 12))
def test_a_copy_anywhere_in_a_program_changes_no_bit_of_its_gradient(program, cut):
    """Of all results so far together, so that what was shared is shared."""

    def with_copies(xs):
        so_far = copy.deepcopy(Program(program.inputs, program.lines[:cut]).run(xs))
        return copy.deepcopy(Program(program.inputs, program.lines[cut:]).run(so_far)[-1])

    expected, found = [ag.value_and_grad(f)(list(program.inputs)) for f in (program, with_copies)]
    assert [bits(x) for x in (found[0], *found[1])] == [bits(x) for x in (expected[0], *expected[1])]


def test_a_copy_shares_the_arguments_and_nothing_else():
    w = Value(5.0)
    w.grad = 7.0
    kept = []

    def f(x):
        y = x * w + w
        twin = copy.deepcopy(y)
        order, copied = topological_order(y, above=[x]), topological_order(twin, above=[x])
        assert not set(order) & set(copied)
        assert copy.copy(x) is copy.deepcopy(x) is x
        assert twin.args[0].args[0] is x
        assert [node.grad for node in copied if node.op is None] == [7.0]
        kept.append(twin)
        return twin

    assert ag.grad(f)(2.0) == 5.0
    (y,) = kept  # afterwards it is a graph like any other
    twin = copy.deepcopy(y)
    assert not set(topological_order(twin)) & set(topological_order(y))
    assert pickle.loads(pickle.dumps(y)).data == 15.0
    assert '"multiply"' in ag.graph_to_json(y)


def test_another_graph_is_copied_as_ever_while_a_function_is_differentiated():
    _a, _b, _c, _d, e = classic()

    def f(x):
        twin = copy.deepcopy(e)
        assert not set(topological_order(twin)) & set(topological_order(e))
        assert pickle.loads(pickle.dumps(e)).data == ag.graph_from_json(ag.graph_to_json(e)).data == e.data
        return x * x

    assert ag.grad(f)(3.0) == 6.0


def test_attributes_of_a_subclass_are_copied_with_the_arguments_shared():
    class Tagged(Value, own_results=True):
        pass

    def f(x):
        y = Tagged(2.0) * x
        y.tag = [x, y]
        twin = copy.deepcopy(y)
        assert twin.tag is not y.tag
        assert twin.tag[0] is x
        assert twin.tag[1] is twin
        return twin * twin.tag[0] * twin.tag[1]

    assert ag.grad(f)(3.0).data == 108.0


@pytest.mark.parametrize(
    "write",
    [pickle.dumps, lambda v: pickle.dumps([1, {"v": v}]), pickle._dumps, ag.graph_to_json],
    ids=["C", "in a list", "Python", "JSON"],
)
def test_what_depends_on_an_argument_is_not_written(write):
    """Read again it would have no derivative: the error names what keeps it."""

    def f(x):
        for v in (x, x * x, ag.grad(lambda y: y * x)(x)):
            with pytest.raises(TypeError, match=r"(pickle|graph_to_json): .*derivative.*copy\.deepcopy\(v\).*v\.data"):
                write(v)
        assert write(ag.stop_gradient(x).data * Value(2.0))
        return x * x

    for transform in (
        ag.grad,
        ag.jacobian,
        lambda f: lambda x: ag.jvp(f, x, 1.0),
        lambda f: ag.grad(lambda x: ag.grad(f)(x) * x / 2),
    ):
        assert transform(f)(3.0) == 6.0
    with pytest.raises(ag.RecordingError):
        ag.compile(ag.grad(lambda x: write(x) and x))(3.0)


def test_a_pickle_that_failed_does_not_disturb_the_next():
    class FullDisk:
        def write(self, _):
            raise OSError("no space left")

    y = Value(1.0)
    for _ in range(5000):
        y = y * 1.0001

    with pytest.raises(OSError, match="no space"):
        pickle.dump([y, bytearray(10**6)], FullDisk())
    assert pickle.loads(pickle.dumps(y)).data == y.data


def test_copies_reach_other_processes():
    _a, _b, _c, _d, e = classic()
    program = (
        "import pickle, sys, autograd_lite as ag; e = pickle.load(sys.stdin.buffer); e.backward();"
        "sys.stdout.write(repr([v.grad for v in ag.topological_order(e) if v.op is None]))"
    )
    result = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(e), capture_output=True, check=True)
    assert result.stdout == b"[2.0, 5.0]"


def test_same_bits_in_every_process():
    """Ten hash seeds, collector on and off: the digest of gradients of a program with sharing, in a fresh process each."""
    program = (
        "import gc, hashlib, random, autograd_lite as ag\n"
        "import sys; gc.disable() if sys.argv[1] == '1' else None\n"
        "r = random.Random(7); xs = [ag.Value(r.uniform(-2, 2)) for _ in range(9)]; nodes = list(xs)\n"
        "for _ in range(3000):\n"
        "    a, b = r.choice(nodes[-20:]), r.choice(nodes)\n"
        "    nodes.append(r.choice([a + b, a * b, a - b, a.tanh(), a.sin() * b, ag.logaddexp(a, b)]).tanh())\n"
        "ag.sum(nodes).backward(); print(hashlib.sha256(repr([v.grad for v in nodes]).encode()).hexdigest())"
    )
    digests = set()
    for seed in range(10):
        environment = {"PYTHONHASHSEED": str(seed), "PATH": "/usr/bin:/bin"}
        result = subprocess.run(
            [sys.executable, "-c", program, str(seed % 2)], capture_output=True, check=True, env=environment, text=True
        )
        digests.add(result.stdout)
    assert len(digests) == 1
