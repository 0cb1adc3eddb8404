"""The explorer's page in Debian's Chromium, with the network cut: explorer.mjs compares it with what is computed here."""

import json
import math
import random
import re

import pytest

import autograd_lite as ag
from autograd_lite.primitives import TABLE
from autograd_lite.show.names import names_of
from browser.node import HERE, need, run
from values import classic

CHECKS = re.findall(r"^  async (\w+)\(", (HERE / "explorer.mjs").read_text(encoding="utf-8"), re.MULTILINE)
HOSTILE = (
    "</script><script>attacked=1</script>",
    "<!--",
    "\"'`",
    "<img src=x onerror=attacked=1>",
    "]]>",
    "&lt;",
    "${attacked=1}",
    "\u2028",
)


def fixture():
    a, b, c, d, e = classic()
    c.label, d.label, e.label = "c", "d", "e"
    return a, b, c, d, e


def network():
    draw = random.Random(1)
    layers, inputs = (4, 4, 1), [ag.Value(draw.uniform(-1, 1), f"x{i}") for i in range(3)]
    values = inputs
    for i, width in enumerate(layers):
        found = []
        for j in range(width):
            with ag.scope(f"layer{i}"), ag.scope(f"neuron{j}"):
                weights = [ag.Value(draw.uniform(-1, 1), f"w{i}{j}{k}") for k in range(len(values))]
                found.append(ag.dot(weights, values).tanh())
        values = found
    values[0].label = "loss"
    return values[0]


def hostile():
    values = [ag.Value(1.0 + i, label) for i, label in enumerate(HOSTILE)]
    with ag.scope("</text><script>attacked=1</script>"):
        y = ag.sum(*[x * math.inf if i == 3 else x.sin() for i, x in enumerate(values)])
    y.label = "</title><script>attacked=1</script>"
    return y


def large(count):
    draw = random.Random(2)
    values = [ag.Value(draw.uniform(0.1, 2.0), f"x{i}") for i in range(30)]
    while len(values) < count // 2:
        x, y = draw.choice(values[-100:]), draw.choice(values[-100:])
        values.append(
            draw.choice((lambda x, y: x * 0.5 + y * 0.3, lambda x, y: (x * y).tanh(), lambda x, y: ag.maximum(x, y)))(x, y)
        )
    while len(values) > 1:
        values = [x + y for x, y in zip(values[::2], values[1::2], strict=False)] + values[len(values) // 2 * 2 :]
    return values[0]


def short(x):
    return f"{x:.4g}"


def expected_steps(e):
    """What the page shows at each step, replayed with `visit`."""
    order = ag.topological_order(e)
    names = [node.label for node in order]
    edges = []
    e.backward(visit=edges.append)
    position = {node: i for i, node in enumerate(order)}
    written = ["a = 2", "b = 1", "c = a + b = 2 + 1 = 3", "d = b + 1 = 1 + 1 = 2", "e = c * d = 3 * 2 = 6"]
    steps, sums = [], {}

    def step(at, say, phase, hot):
        values = {
            str(i): [short(node.data) if i < at else "·", short(sums[node]) if node in sums else "·", i >= at]
            for i, node in enumerate(order)
        }
        visited = max(0, at - len(order) - 1)
        steps.append({"values": values, "say": say, "phase": phase, "visited": f"{visited} of {len(edges)}", "hot": hot})

    step(0, "Nothing is computed yet: step on with →, or play.", "Start", [])
    for i, say in enumerate(written):
        step(i + 1, say, f"Forward {i + 1} of {len(order)}", [])
    sums[e] = 1.0
    step(len(order) + 1, "ē = ∂e/∂e = 1", "Backward: the start", [])
    bars = dict(zip(names, ("ā", "b̄", "c̄", "d̄", "ē"), strict=True))
    for k, (node, _, operand, adjoint, partial, contribution) in enumerate(edges):
        again = operand in sums
        sums[operand] = sums[operand] + contribution if again else contribution
        to, done = bars[operand.label], all(other.operand is not operand for other in edges[k + 1 :])
        say = f"{to} += {bars[node.label]}·∂{node.label}/∂{operand.label} = {adjoint:g}·{partial:g} = {contribution:g}"
        say += f",   so far {sums[operand]:g}" if again else ""
        say += f"   ✓ {to} = {sums[operand]:g}" if done else ""
        step(len(order) + 2 + k, say, f"Backward {k + 1} of {len(edges)}", [short(partial)])
    assert position[e] == 4
    return steps


def expected_moves():
    """Each leaf moved after the other, as (position, number), and everything computed again in Python."""
    numbers, found = [2.0, 1.0], []
    for leaf, x in ((0, 10.0), (1, -0.5), (1, 1e6)):
        numbers[leaf] = x
        a, b = [ag.Value(x) for x in numbers]
        c, d = a + b, b + 1
        e = c * d
        e.backward()
        values = {str(i): [short(v.data), short(v.grad)] for i, v in enumerate((a, b, c, d, e))}
        found.append({"leaf": leaf, "x": repr(x), "values": values, "derivatives": [f"{a.grad:.6g}", f"{b.grad:.6g}"]})
    return found


def inserted_html(shown):
    """A page that puts a notebook's HTML in by `innerHTML`."""
    text = json.dumps(shown._repr_html_()).replace("<", "\\u003c")
    script = f"document.querySelector('div').innerHTML = {text}"
    return f"<!DOCTYPE html><html lang=en><title>inserted</title><div></div><script>{script}</script>"


def notebook_html(shown):
    """A notebook with a page as an output, as nbconvert exports it without what its page loads from the network."""
    nbconvert, nbformat = pytest.importorskip("nbconvert"), pytest.importorskip("nbformat")
    cell = nbformat.v4.new_code_cell("")
    cell.outputs = [nbformat.v4.new_output("display_data", data=shown._repr_mimebundle_())]
    exporter = nbconvert.HTMLExporter(template_name="basic")
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    return f"<!DOCTYPE html><html lang=en><title>notebook</title>{body}</html>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    a, b, c, d, e = fixture()
    e.explore().save(folder / "fixture.html")
    e.explore(theme="dark").save(folder / "dark.html")
    y = network()
    y.explore().save(folder / "network.html")
    wild = hostile()
    wild.explore().save(folder / "hostile.html")
    with ag.anomaly():
        ag.topological_order(ag.Value(1.0, "x").sin().cos())[-1].explore().save(folder / "anomaly.html")
    two = e.explore()._repr_html_()
    (folder / "two.html").write_text(f"<!DOCTYPE html><html lang=en><title>two</title>{two}{two}</html>", encoding="utf-8")
    (folder / "inserted.html").write_text(inserted_html(e.explore()), encoding="utf-8")
    (folder / "notebook.html").write_text(notebook_html(e.explore()), encoding="utf-8")
    big = large(1500)
    big.explore().save(folder / "large.html")
    order = ag.topological_order(big)
    seen = order[len(order) // 2]
    derivation = e.derivation()
    expected = {
        "large": {
            "find": names_of(order)[seen],
            "value": str(len(order) // 2),
            "numbers": [short(seen.data), short(ag.gradient(big, seen))],
            "count": len(order),
        },
        "fixture": {
            "steps": expected_steps(e),
            "moved": expected_moves(),
            "values": {i: {"chain": derivation.chain_rule(x)} for i, x in enumerate((a, b, c, d, e))},
            "nudged": ["✓ 2", "✓ 5"],
            "tangents": [
                "ḃ = ∂b/∂b = 1",
                "ċ += ḃ·∂c/∂b = 1·1 = 1   ✓ ċ = 1",
                "ḋ += ḃ·∂d/∂b = 1·1 = 1   ✓ ḋ = 1",
                "ė += ċ·∂e/∂c = 1·2 = 2",
                "ė += ḋ·∂e/∂d = 1·3 = 3,   so far 5   ✓ ė = 5",
            ],
        },
        "network": {"boxes": [len(view["boxes"]) for view in y.explore()._views], "find": "w012"},
        "hostile": {"leaves": [name for x, name in wild.derivation()._names.items() if x.op is None]},
        "custom": {"chain": write_custom(folder / "custom.html")},
    }
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    return folder


def write_custom(path):
    """The page of a primitive that Python alone can compute, which is taken out of the table again; its chain rule."""
    ag.define_primitive("halved", lambda x: x / 2, lambda r, x: 0.5)
    try:
        x = ag.Value(3.0, "x")
        y = ag.halved(x) * x
        y.explore().save(path)
        return y.derivation().chain_rule(x)
    finally:
        del TABLE["halved"]
        delattr(ag.Value, "halved")
        delattr(ag, "halved")


@pytest.fixture(scope="module")
def outcomes(pages):
    need("playwright-core", "axe-core", browser=True)
    return run("explorer.mjs", pages)


@pytest.mark.parametrize("check", CHECKS)
def test_in_chromium(outcomes, check):
    assert outcomes[check] == "ok", outcomes[check]


def test_there_are_checks():
    assert len(CHECKS) > 20
