"""What `help` shows: every public name has a docstring, a signature and an example that runs, on either engine."""

import ast
import doctest
import inspect
import pydoc
from pathlib import Path
from types import ModuleType

import pytest

import autograd_lite as ag
from autograd_lite.interop import micrograd
from engines import load_engine

PACKAGES = {"ag": ag, "ag.nn": ag.nn, "ag.show": ag.show, "ag.testing": ag.testing}
MICROGRAD = {f"micrograd.{name}": getattr(micrograd, name) for name in micrograd.__all__}
NAMED = {f"{path}.{name}": getattr(package, name) for path, package in PACKAGES.items() for name in package.__all__} | MICROGRAD
ROOMS = {path: x for path, x in NAMED.items() if isinstance(x, ModuleType)}
DOCUMENTED = {path: x for path, x in NAMED.items() if path not in ROOMS and path != "ag.engine_name"}
METHODS = {f"ag.Value.{name}": getattr(ag.Value, name) for name in ("backward", "graph", "derivation", "explore")}
METHODS |= {f"ag.Value.{p.name}": getattr(ag.Value, p.name) for p in ag.primitives.TABLE.values() if p.public}
MEMBERS = {
    f"{path}.{name}": getattr(kind, name)
    for path, kind in DOCUMENTED.items()
    if inspect.isclass(kind) and not issubclass(kind, tuple)
    for name in vars(kind)
    if not name.startswith("_") and not inspect.ismemberdescriptor(vars(kind)[name])
}


def described(x):
    return inspect.getdoc(x) or ""


@pytest.mark.parametrize("path", [*DOCUMENTED, *METHODS])
def test_every_public_name_has_an_example_and_it_runs(path, forget):
    text = described({**DOCUMENTED, **METHODS}[path])
    examples = doctest.DocTestParser().get_doctest(text, {"ag": ag}, path, None, None)
    assert examples.examples, path
    written = []
    results = doctest.DocTestRunner().run(examples, out=written.append)
    assert results.failed == 0, "".join(written)


@pytest.mark.parametrize("path", [*DOCUMENTED, *METHODS, *MEMBERS])
def test_every_public_name_has_a_docstring_and_a_signature(path):
    x = {**DOCUMENTED, **METHODS, **MEMBERS}[path]
    assert described(x).split(), path
    if callable(x) and not (inspect.isclass(x) and issubclass(x, Exception)):  # those take what every exception takes
        assert inspect.signature(x) is not None


def test_the_page_of_a_primitive_is_about_the_primitive():
    page = pydoc.render_doc(ag.sqrt, renderer=pydoc.plaintext)
    for line in ("Primitive in module autograd_lite", "sqrt(x)", "square root", "∂x: 0.5/r", "Domain: 0 < x", "ag.sqrt(0.5)"):
        assert line in page
    assert "class Primitive" not in page
    assert "Where there is no derivative" not in page
    kinked = pydoc.render_doc(ag.relu, renderer=pydoc.plaintext)
    assert ">>> ag.grad(ag.relu)(0.0)\n    0.0" in kinked[kinked.index("Where there is no derivative") :]
    assert "class Primitive" in pydoc.render_doc(type(ag.sqrt), renderer=pydoc.plaintext)


@pytest.mark.parametrize(
    ("x", "signature"),
    [
        (ag.sin, "(x)"),
        (ag.power, "(x, y)"),
        (ag.leaky_relu, "(x, slope=0.01)"),
        (ag.maximum, "(*xs)"),
        (ag.Value.sin, "(self, /)"),
        (ag.Value.clip, "(self, /, low, high)"),
        (ag.Value.around, "(self, /, decimals=0.0)"),
        (ag.Value.sum, "(self, /, *others)"),
        (ag.Value(1.0).power, "(y)"),
        (ag.Value, "(data, label=None)"),
        (ag.Value(1.0).backward, "(seed=1.0, visit=None)"),
        (ag.topological_order, "(*roots, above=())"),
    ],
)
def test_signatures_are_those_of_the_calls(x, signature):
    found = inspect.signature(x)
    found = found.replace(
        parameters=[p.replace(annotation=p.empty) for p in found.parameters.values()], return_annotation=found.empty
    )
    assert str(found) == signature


def test_both_engines_show_the_same():
    other = load_engine(pure=True)
    for name in ("ag.Value", *METHODS, "ag.Value.data", "ag.Value.grad", "ag.Value.op", "ag.Value.args", "ag.Value.label"):
        ours, theirs = ag, other
        for part in name.split(".")[1:]:
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        assert described(ours) == described(theirs), name


def test_a_private_entry_and_a_rule_that_is_no_formula_have_a_page(forget):
    assert ">>>" not in described(ag.primitives.TABLE["flat"])
    odd = ag.define_primitive("odd_one", lambda x: 2.0 * x, [lambda r, x: 2.0 if x is not None else 1.0], domain=(10.0, 20.0))
    assert ">>> ag.odd_one(15.0)\n30.0" in described(odd)
    assert inspect.signature(ag.Value.odd_one)
    assert "odd_one" in dir(ag)
    assert "odd_one" in ag.__all__


@pytest.mark.parametrize("package", [ag, ag.nn, ag.show, ag.testing, ag.interop], ids=lambda package: package.__name__)
def test_dir_names_what_is_public(package):
    public = [name for name in dir(package) if not name.startswith("_")]
    assert set(package.__all__) <= set(public)
    assert package in (ag.nn, ag.testing) or sorted(public) == sorted(package.__all__)
    for name in package.__all__:
        getattr(package, name)


def test_the_stub_names_what_is_public():
    tree = ast.parse((Path(ag.__file__).parent / "__init__.pyi").read_text())
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names if alias.asname}
    assert imported | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} == set(ag.__all__)
