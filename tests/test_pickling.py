"""Transforms and compiled functions in pickles: found by name, with their options; changed code is noticed."""

import copy
import functools
import inspect
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import types
from pathlib import Path

import pytest

import autograd_lite as ag

ROOT = Path(ag.__file__).parents[1]


def square(x):
    """x * x"""
    return x * x


def product(x, y, *, scale=1.0):
    return x * x * y * scale, "aux"


@ag.grad
def cube(x):
    """The derivative of x ** 3."""
    return x * x * x


@ag.compile
@ag.value_and_grad
def fourth(x):
    return x * x * x * x


class Model:
    def __init__(self, w):
        self.w = w

    def loss(self, x):
        return self.w * x * x

    @functools.partial(ag.grad, argnums=1)
    def slope(self, x):
        return self.w * x * x

    @staticmethod
    @ag.grad
    def static(x):
        return x * x


def again(x):
    return pickle.loads(pickle.dumps(x))


MADE = {
    "grad": (lambda: ag.grad(square), (3.0,), 6.0),
    "value_and_grad": (lambda: ag.value_and_grad(square), (3.0,), (9.0, 6.0)),
    "jacobian": (lambda: ag.jacobian(square), (3.0,), 6.0),
    "hessian": (lambda: ag.hessian(square), (3.0,), 2.0),
    "nested": (lambda: ag.grad(ag.grad(square)), (3.0,), 2.0),
    "options": (lambda: ag.value_and_grad(product, (1, 0), has_aux=True), (3.0, 2.0), ((18.0, "aux"), (9.0, 12.0))),
    "options of all": (lambda: ag.hessian(product, (0, 1), has_aux=True), (3.0, 2.0), (((4.0, 6.0), (6.0, 0.0)), "aux")),
    "jacobian with options": (lambda: ag.jacobian(product, 1, True), (3.0, 2.0), (9.0, "aux")),
    "partial": (lambda: ag.grad(functools.partial(product, scale=2.0), has_aux=True), (3.0, 2.0), (24.0, "aux")),
    "method": (lambda: ag.grad(Model(5.0).loss), (3.0,), 30.0),
    "primitive": (lambda: ag.grad(ag.square), (3.0,), 6.0),
    "decorated": (lambda: cube, (3.0,), 27.0),  # 3 x^2
    "derivative of a decorated": (lambda: ag.grad(cube), (3.0,), 18.0),
    "bound": (lambda: Model(5.0).slope, (3.0,), 30.0),
    "static": (lambda: Model.static, (3.0,), 6.0),
    "compiled": (lambda: ag.compile(ag.grad(square)), (3.0,), 6.0),
    "compiled with options": (lambda: ag.compile(ag.jacobian(square, (0,))), (3.0,), (6.0,)),
    "compiled decorated": (lambda: ag.compile(cube), (3.0,), 27.0),
    "decorated twice": (lambda: fourth, (2.0,), (16.0, 32.0)),
    "derivative of a compiled one": (lambda: ag.grad(ag.compile(square)), (3.0,), 6.0),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("duplicate", [again, copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle._dumps(x))])
def test_transforms_are_pickled_and_copied(name, duplicate):
    make, args, expected = MADE[name]
    for f in (make(), again(make())):
        assert duplicate(f)(*args) == expected
        assert f(*args) == expected
        assert duplicate(f)(*args) == expected  # where it is compiled, with its paths


def test_what_has_its_functions_name_is_pickled_by_that_name():
    assert again(cube) is cube
    assert again(fourth) is fourth
    assert again(Model.static) is Model.static
    assert again(ag.grad(cube)).__wrapped__ is cube


def test_a_function_that_its_name_does_not_lead_to_is_named_with_the_remedy():
    def local(x):
        return x * x

    for f, name in ((local, "local"), (lambda x: x, "<lambda>")):
        for make in (ag.grad, ag.hessian, ag.compile, lambda f: ag.compile(ag.grad(f)), lambda f: ag.grad(ag.grad(f))):
            with pytest.raises(pickle.PicklingError, match=rf"{__name__}\..*{name} is a lambda or .*cloudpickle"):
                pickle.dumps(make(f))
            assert copy.deepcopy(make(f))(3.0) == copy.copy(make(f))(3.0) == make(f)(3.0)
    with pytest.raises(pickle.PicklingError, match=f"grad of cube cannot be pickled: {__name__}.cube is another object now"):
        pickle.dumps(ag.grad(cube.__wrapped__))


def test_picklers_that_write_code_are_given_the_function():
    """As cloudpickle and dill do: what they are given is seen from a module of their name."""
    reduced = types.FunctionType((lambda x: x.__reduce__()).__code__, {"__name__": "cloudpickle.cloudpickle"})
    local = lambda x: x * x
    make, args = reduced(ag.grad(local, 0, True))
    assert (make, args) == (ag.grad, (local, 0, True))
    assert reduced(cube) == (ag.grad, (cube.__wrapped__, 0, False))
    assert reduced(ag.compile(local))[1][1] is local


def test_deep_copies_copy_the_object_of_a_method():
    model = Model([1.0])
    derivative = ag.grad(lambda x: x)
    assert copy.deepcopy(derivative) is derivative
    f = ag.grad(model.loss)
    twin = copy.deepcopy(f)
    assert twin.__wrapped__.__self__ is not model
    assert twin.__wrapped__.__self__.w == [1.0]


def test_a_pool_maps_transforms():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(ag.grad(square), [1.0, 2.0, 3.0]) == [2.0, 4.0, 6.0]
        assert pool.map(cube, [1.0, 2.0]) == [3.0, 12.0]
        assert pool.map(ag.compile(ag.value_and_grad(square)), [3.0]) == [(9.0, 6.0)]


def test_names_texts_and_signatures_are_the_functions():
    f = ag.value_and_grad(product, has_aux=True)
    for g in (f, again(f), copy.copy(f)):
        assert (g.__name__, g.__qualname__, g.__module__, g.__doc__) == ("product", "product", __name__, None)
        assert str(inspect.signature(g)) == "(x, y, *, scale=1.0)"
        assert inspect.unwrap(g) is product
    assert cube.__doc__ == "The derivative of x ** 3."
    assert repr(ag.hessian(square)) == "<hessian of square>"
    assert Model(5.0).slope.__self__.w == 5.0


# --- kernels whose function has changed meanwhile

MODULE = """
import functools
from dataclasses import dataclass
import numpy as np
import autograd_lite as ag
import {helpers} as helpers

FACTOR = 2.0
TABLE = {{"a": [1.0, 2.0], "b": np.array([1.0, 2.0])}}
FORM = {{"sin", "cos", "tan"}}


class Scale:
    offset = 1.0

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        return self.shifted(x) * self.k

    def shifted(self, x):
        return x + self.offset

    @property
    def doubled(self):
        return 2.0


    @staticmethod
    def plain(x):
        return x * 0.5

    @functools.cached_property
    def cached(self):
        return 1.5


@dataclass(slots=True)
class Config:
    k: float


SCALE = Scale(3.0)
CONFIG = Config(1.25)


def inner(x):
    return x * x


@functools.lru_cache(maxsize=None)
def cached(x):
    return x * 0.75


def made(k):
    def closure(x):
        return x * k
    return closure


closed = made(4.0)
derivative = ag.grad(inner)
ag.define_primitive("tripled_there", lambda x: 3.0 * x, lambda r, x: 3.0, replace=True)


def f(x, power=2.0):
    '''What it does.'''
    name = "sin" if "sin" in FORM else "cos"
    y = inner(x) * FACTOR + helpers.helped(x) + closed(x) + SCALE(x) * SCALE.doubled + TABLE["a"][1] * TABLE["b"][0]
    y = y + Scale.plain(x) * CONFIG.k + cached(x)
    return y + ag.tripled_there(x) ** power + derivative(x) + (lambda z: z * 5.0)(x) if x > 0.0 else -x


class Method:
    def __init__(self):
        self.state = 7.0

    def run(self, x):
        return x * self.state


def roots():
    return {{
        "plain": f,
        "grad": ag.grad(f),
        "partial": functools.partial(f, power=3.0),
        "callable": Scale(2.0),
        "method": Method().run,
    }}
"""
HELPERS = """
def helped(x):
    return below(x) * 2.0

def below(x):
    return x + 1.0

def unused(x):
    return x
"""
SAVE = """
import pickle, {module} as m, autograd_lite as ag
from pathlib import Path
for name, f in m.roots().items():
    kernel = ag.compile(f, exact=True)
    assert kernel(1.5) is not None and (kernel(-1.0) is not None)
    Path(name + ".pickle").write_bytes(pickle.dumps(kernel))
"""
LOAD = """
import importlib, json, pickle, sys, warnings
from pathlib import Path
for change, texts in json.loads(sys.stdin.read()):
    for name, text in texts.items():
        Path(name + ".py").write_text(text)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    m = importlib.import_module({module!r})
    for name, f in m.roots().items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            kernel = pickle.loads(Path(name + ".pickle").read_bytes())
        told = [str(w.message) for w in caught]
        assert all(w.category is RuntimeWarning and w.filename == "<string>" for w in caught), [str(w) for w in caught]
        noticed = any("is not what it was when this kernel was pickled" in text for text in told)
        print(json.dumps([change, name, kernel.paths, noticed, len(told)]))
        assert not noticed or kernel(1.5) == f(1.5)
"""

CHANGES = {  # what is changed into what, and which kernels notice
    "nothing": ("", "", ()),
    "lines": ("class Scale:", "\n\n\nclass Scale:", ()),
    "what is not used": ("return x\n", "return -x\n", ()),
    "a constant": ("z * 5.0", "z * 6.0", ("plain", "grad", "partial")),
    "an operation": ("+ closed(x)", "- closed(x)", ("plain", "grad", "partial")),
    "a branch": ("if x > 0.0", "if x > 1.0", ("plain", "grad", "partial")),
    "a default": ("power=2.0", "power=4.0", ("plain", "grad", "partial")),
    "a function that is called": ("return x * x\n", "return x * x * x\n", ("plain", "grad", "partial")),
    "one in another module": ("return x + 1.0", "return x + 2.0", ("plain", "grad", "partial")),
    "a global number": ("FACTOR = 2.0", "FACTOR = 3.0", ("plain", "grad", "partial")),
    "a list in a dict": ("[1.0, 2.0], ", "[1.0, 3.0], ", ("plain", "grad", "partial")),
    "an array": ("np.array([1.0", "np.array([2.0", ("plain", "grad", "partial")),
    "a closure": ("made(4.0)", "made(5.0)", ("plain", "grad", "partial")),
    "an object": ("Scale(3.0)", "Scale(4.0)", ("plain", "grad", "partial")),
    "a member of a class": ("offset = 1.0", "offset = 2.0", ("plain", "grad", "partial")),
    "a method": ("return x + self.offset", "return x - self.offset", ("plain", "grad", "partial")),
    "a property": ("return 2.0", "return 2.5", ("plain", "grad", "partial")),
    "a static method": ("return x * 0.5", "return x * 0.25", ("plain", "grad", "partial")),
    "a cached property": ("return 1.5", "return 2.5", ("plain", "grad", "partial")),
    "an object with slots": ("Config(1.25)", "Config(1.5)", ("plain", "grad", "partial")),
    "a cached function": ("return x * 0.75", "return x * 0.25", ("plain", "grad", "partial")),
    "a bound method": ("return x * self.state", "return x + self.state", ()),
    "a transform": ("ag.grad(inner)", "ag.hessian(inner)", ("plain", "grad", "partial")),
    "a primitive": ("lambda x: 3.0 * x, lambda r, x: 3.0", "lambda x: 4.0 * x, lambda r, x: 4.0", ("plain", "grad", "partial")),
}


def run(folder, program, text=""):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=folder, env=environment, input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_kernel_notices_that_its_function_has_changed(tmp_path):
    """One process writes kernels of a module's functions; another reads them after each change of a line of the module."""
    sources = {"changing_module": MODULE.format(helpers="changing_helpers"), "changing_helpers": HELPERS}
    for name, text in sources.items():
        (tmp_path / f"{name}.py").write_text(text)
    run(tmp_path, SAVE.format(module="changing_module"))
    changes = []
    for what, (old, new, _) in CHANGES.items():
        assert any(old in text for text in sources.values())
        changes.append((what, {name: text.replace(old, new) if old else text for name, text in sources.items()}))
    lines = run(tmp_path, LOAD.format(module="changing_module"), json.dumps(changes))
    assert len(lines) == 5 * len(CHANGES)
    for what, name, *outcome in lines:
        paths = 0 if name in ("callable", "method") else 2  # where attributes are inputs, no path is pickled
        assert outcome == ([0, True, 1] if name in CHANGES[what][2] else [paths, False, 0]), (what, name)


def test_kernels_of_one_process_are_pickled_with_their_paths():
    kernel = ag.compile(ag.grad(square))
    kernel(3.0)
    assert again(kernel).paths == again(again(kernel)).paths == 1
