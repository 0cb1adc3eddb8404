"""Processes that end, or fork, while machine code is being made in the background."""

import os
import subprocess
import sys

import pytest

# Machine code whose making takes long enough to be in the midst of it for sure.
SLOW = """
import os, sys, threading, time
import autograd_lite as ag
from autograd_lite.compiler import llvm

begun = threading.Event()

class Slow(llvm.Code):
    def __init__(self, source, digest, level):
        if threading.current_thread() is not threading.main_thread():
            print("begun", flush=True)
            begun.set()
            time.sleep(0.5)
        super().__init__(source, digest, level)
        if threading.current_thread() is not threading.main_thread():
            print("ended", flush=True)

def long(n):
    def f(x):
        y = x
        for _ in range(150 + n):
            y = ag.sin(y) * x + y
        return y
    return ag.compile(f)

kernels = [long(n) for n in range(3)]
for kernel in kernels:
    kernel(0.5)  # quickly
llvm.Code = Slow
for kernel in kernels:
    kernel(0.5)  # from now on better code is made, a thread for each kernel
begun.wait()
"""
AFTERWARDS = {  # what the main thread does then, and the status
    "ends": ("", 0),
    "exits": ("sys.exit(3)", 3),
    "raises": ("raise KeyboardInterrupt", None),
    "forgets": ("del kernel, kernels", 0),
}


def run(program, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.mark.parametrize("name", AFTERWARDS)
def test_the_end_waits_for_what_llvm_is_at_and_for_nothing_more(name):
    statement, status = AFTERWARDS[name]
    ended = run(SLOW + statement)
    assert ended.stdout.split() == ["begun", "ended"], ended.stderr
    assert status is None or ended.returncode == status
    assert "Fatal" not in ended.stderr
    assert ended.returncode not in (-6, -11)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_waits_and_its_child_compiles():
    program = SLOW + (
        "child = os.fork()\n"
        "if not child:\n"
        "    print(ag.compile(ag.grad(lambda x: x * x * x))(2.0), flush=True)\n"
        "    print(kernels[2](0.0), flush=True)\n"
        "    sys.exit(5)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5\n"
    )
    ended = run(program)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split()[:2] == ["begun", "ended"]
    assert "12.0" in ended.stdout.split()
    assert "0.0" in ended.stdout.split()


@pytest.mark.parametrize("pause", ["0.02", "0.06"])
def test_ends_in_the_midst_of_real_work(pause):
    program = """
import sys, time
import autograd_lite as ag

def f(x):
    y = x
    for _ in range(300):
        y = ag.sin(y) * x + ag.exp(-y * y)
    return y

kernel = ag.compile(ag.grad(f))
kernel(0.5), kernel(0.5)
time.sleep(float(sys.argv[1]))
"""
    ended = run(program, pause)
    assert (ended.returncode, ended.stderr) == (0, "")
