"""Threads, re-entrant rules and interrupts: the bits of one thread, and gradients all or none."""

import dataclasses
import signal
import threading
import time

import pytest

import autograd_lite as ag
from autograd_lite.primitives import TABLE

THREADS = 8


def rule_in_python(act):
    """The sine, its derivative found after `act` has run: a primitive for which there is no compiled rule."""

    def partial(r, x):
        act()
        return ag.cos(x)

    return dataclasses.replace(TABLE["sin"], name="acting_sine", partials=(partial,))


def in_threads(work):
    """What `work(i)` gives in each of the threads."""
    found = [None] * THREADS

    def body(i):
        found[i] = work(i)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def graph(x, y, length=500):
    z = x
    for i in range(length):
        z = ag.tanh(z * y) + ag.hypot(x, 0.001 * i) + ag.sum([x, y, z, 1.0])
        z = z * 0.25
    return z


def independent(i):
    x, y = ag.Value(0.1 * i - 0.4), ag.Value(0.75)
    z = graph(x, y)
    z.backward()
    return z.data.hex(), x.grad.hex(), y.grad.hex()


def test_independent_graphs_have_the_bits_of_one_thread():
    assert in_threads(independent) == [independent(i) for i in range(THREADS)]


@pytest.mark.parametrize("act", [lambda: None, lambda: time.sleep(0.002)], ids=["at once", "sleeping"])
def test_gradients_on_shared_leaves_have_the_bits_of_one_thread(act):
    sine = rule_in_python(act)
    x, y = ag.Value(0.3), ag.Value(-0.7)

    def work(i):
        return [g.hex() for _ in range(3) for g in ag.gradient(sine(graph(sine(x + i), sine(y), 50)), [x, y])]

    assert in_threads(work) == [work(i) for i in range(THREADS)]


def test_a_rule_may_sweep_the_graph_being_swept():
    x = ag.Value(0.5)
    inner = x * x * x
    found = []
    sine = rule_in_python(lambda: found.append((ag.gradient(inner, x), inner.backward())))
    y = sine(inner) * x
    plain = ag.sin(x * x * x) * x
    expected = ag.gradient(plain, x)
    assert ag.gradient(y, x) == expected
    assert x.grad == found[0][0] == 0.75
    y.backward()
    assert x.grad == 0.75 + 0.75 + expected
    assert len(found) == 2


def test_a_rule_that_raises_leaves_all_gradients():
    def fail():
        raise ZeroDivisionError("a rule that raises")

    x = ag.Value(0.5)
    y = rule_in_python(fail)(x * 2.0) + x
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            y.backward()
        with pytest.raises(ZeroDivisionError):
            ag.gradient(y, x)
    assert (x.grad, y.grad) == (0.0, 0.0)
    z = ag.exp(x)
    z.backward()
    assert x.grad == z.data


class AlarmError(Exception):
    """What the handler of the signal raises."""


def test_an_interrupt_changes_all_gradients_or_none():
    def interrupt(number, frame):
        raise AlarmError

    x = ag.Value(1.0)
    y = rule_in_python(lambda: None)(x)
    nodes = [x, y]
    for _ in range(20_000):
        y = y * 1.0
        nodes.append(y)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0001 * (i + 1))
                y.backward()
                time.sleep(0.1)
            except AlarmError:
                pass
            counts = {node.grad for node in nodes[1:]}
            assert len(counts) == 1
            assert x.grad == counts.pop() * ag.cos(1.0) or abs(x.grad - y.grad * ag.cos(1.0)) < 1e-9
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
