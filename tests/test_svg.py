"""Pictures as SVG, read back by an XML parser: what is in them, their colours, their bytes, and whatever a label may hold."""

import hashlib
import html
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.show.formula import partial_formulas
from autograd_lite.show.metrics import CELL, width_of
from autograd_lite.show.svg import flow_width
from autograd_lite.show.text import shorter
from autograd_lite.show.theme import THEMES
from drawings import SVG, Picture, chain, fixture, network, tangle
from programs import EVERYTHING, programs

ROOT = Path(ag.__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "data" / "fixture.svg"


def drawn(value, **options):
    return Picture(value.graph(**{"depth": math.inf, **options}).to_svg())


# --- S1 and S2: boxes and edges


def test_the_classic_expression():
    picture = drawn(fixture())
    told = [
        (box.attrib["data-id"], box.attrib["data-op"], box.attrib["data-kind"], *picture.texts(box)) for box in picture.boxes
    ]
    assert told == [
        ("n0", "", "leaf", "a", "2", "2"),
        ("n1", "", "leaf", "b", "1", "5"),
        ("n2", "add", "operation", "c", "3", "2"),
        ("n3", "add", "operation", "d", "2", "3"),
        ("n4", "multiply", "output", "e", "6", "1"),
    ]
    assert sorted(picture.ends()) == sorted(
        [("n0", "n2", "0"), ("n1", "n2", "1"), ("n1", "n3", "0"), ("", "n3", "1"), ("n2", "n4", "0"), ("n3", "n4", "1")]
    )
    assert {path.attrib["data-edge"]: title for path, _, _, title in picture.edges}["n3 n4 1"] == "∂/∂y = x = 3.0; brings 3.0"
    assert [shape.text for shape in picture.shape(picture.boxes[4]).findall(f"{SVG}text")] == ["×", "data", "grad"]


@given(programs(EVERYTHING, numbers=st.floats(), valid=False))
def test_every_value_is_a_box_with_its_numbers_and_every_slot_an_edge_with_its_partial(program):
    y = program([ag.Value(x) for x in program.inputs])
    y.backward()
    picture, order = drawn(y), ag.topological_order(y)
    assert len(picture.boxes) == len(order)
    for i, (box, node) in enumerate(zip(picture.boxes, order, strict=True)):
        kind = "output" if node is y else "operation" if node.op else "leaf"
        told = box.attrib["data-id"], box.attrib["data-op"], box.attrib["data-kind"], *picture.texts(box)
        assert told == (f"n{i}", node.op.name if node.op else "", kind, shorter(node.data), shorter(node.grad))
    ids = {node: f"n{i}" for i, node in enumerate(order)}
    slots = [(ids.get(x, ""), ids[node], str(slot)) for node in order for slot, x in enumerate(node.args)]
    assert sorted(picture.ends()) == sorted(slots)
    titles = {path.attrib["data-edge"]: title for path, _, _, title in picture.edges}
    passed = []
    y.backward(visit=passed.append)
    for edge in passed:
        title = titles[f"{ids[edge.operand]} {ids[edge.node]} {edge.slot}"]
        number = re.search(
            r"= (\S+?)(;|$)", title[title.rindex("= ") if ";" not in title else title.rindex("= ", 0, title.index(";")) :]
        )
        assert float(number[1]).hex() == float(edge.partial).hex() or edge.partial != edge.partial
        if not edge.node.op.variadic:
            assert partial_formulas(edge.node.op)[edge.slot] in title


@given(st.floats())
def test_numbers_are_as_short_as_four_digits_allow(x):
    text = shorter(x)
    assert len(text) <= 11
    if math.isfinite(x) and abs(x) < 1.797e308:  # which four digits round up to infinity
        assert float(text) == x if x == int(x) and abs(x) < 1e6 else abs(float(text) - x) <= 0.00051 * abs(x)
        assert math.copysign(1.0, float(text)) == math.copysign(1.0, x)
    elif not math.isfinite(x):
        assert text == repr(x)


def test_a_square_has_two_edges_apart_from_each_other():
    x = ag.Value(3.0)
    picture = drawn(x * x)
    assert sorted(picture.ends()) == [("n0", "n1", "0"), ("n0", "n1", "1")]
    assert len({path.attrib["d"] for path, *_ in picture.edges}) == 2


def test_kinds_differ_by_shape_or_border_as_well_as_by_colour():
    loss, parameters = network((2, 2, 1))
    pictures = [
        drawn(loss, parameters=parameters, depth=0),
        drawn(loss, parameters=parameters),
        drawn(ag.Value(1.0)),
        drawn(fixture()),
    ]
    looks, colours = {}, {}
    for picture in pictures:
        for box in picture.boxes:
            kind = box.attrib["data-kind"] + (" leaf" if not box.attrib["data-op"] else "") * (
                box.attrib["data-kind"] == "output"
            )
            outline = [part for part in picture.shape(box) if part.tag != f"{SVG}text" and "fill" not in part.attrib]
            rings = len(picture.shape(box).findall(f"{SVG}rect"))
            corner = [float(part.attrib.get("rx", -1)) > 4 for part in outline][-1:] or [False]
            dashed = picture.rule(f"[data-kind={box.attrib['data-kind']}]").get("stroke-dasharray")
            looks.setdefault(kind, set()).add((outline[-1].tag, rings, *corner, dashed, "data-values" in box.attrib))
            colours[kind] = picture.rule(f"[data-kind={box.attrib['data-kind']}]")["fill"]
    assert set(looks) == {"leaf", "parameter", "operation", "output", "output leaf", "group"}
    assert len(set().union(*looks.values())) == sum(map(len, looks.values()))
    assert len(set(colours.values())) == len(colours) - 1  # the output leaf has the output's
    constants = pictures[3].rule("[data-kind=constant]")
    assert constants["stroke-dasharray"]


# --- S3: bytes

PROGRAM = """
import sys, hashlib
sys.path.insert(0, sys.argv[1])
import autograd_lite as ag
from drawings import fixture, network, tangle
text = "".join([v.graph(depth=d).to_svg() for v in (fixture(), network((3, 4, 4, 1))[0], tangle(120, 3)) for d in (None, 9, 0)])
sys.stdout.write(ag.engine_name + " " + hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_bytes_depend_on_neither_hash_seed_nor_engine():
    results = {}
    for pure in ("0", "1"):
        for seed in ("0", "1", "4294967295"):
            env = {**os.environ, "PYTHONHASHSEED": seed, "AUTOGRAD_LITE_PURE": pure, "PYTHONPATH": str(ROOT)}
            found = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(ROOT / "tests")], env=env, capture_output=True, text=True, check=True
            )
            engine, digest = found.stdout.split()
            results.setdefault(digest, set()).add(engine)
    assert len(results) == 1
    assert "python" in results.popitem()[1]


def test_the_golden_picture():
    """`python tests/test_svg.py` writes it anew; look at it then."""
    assert fixture().graph().to_svg() == GOLDEN.read_text(encoding="utf-8")


# --- S7: colours


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def pictures_with_everything(theme):
    dead, x = ag.Value(-1.0, "d"), ag.Value(0.0, "x")
    loss = dead.relu() * 2 + x.log() * 0.0 - x.exp() + ag.stop_gradient(x)
    loss.backward()
    network_loss, parameters = network((2, 3, 1))
    yield drawn(loss, theme=theme)
    yield drawn(network_loss, theme=theme, parameters=parameters)
    yield drawn(network_loss, theme=theme, depth=0)
    yield drawn(fixture(), theme=theme, wrt=[])
    e = fixture()
    yield drawn(e, theme=theme, wrt=e.args[0].args[0])
    yield drawn(chain(400), theme=theme, depth=None)


@pytest.mark.parametrize("theme", THEMES)
def test_everything_is_readable_on_its_background(theme):
    backgrounds = [THEMES[theme].background] if THEMES[theme].background else ["#ffffff", "#111111"]
    lines, fills, kinds = set(), set(), set()
    for picture in pictures_with_everything(theme):
        rules = re.findall(r"([^{}]+){([^{}]*)}", picture.style)
        for selector, body in rules:
            style = dict(item.split(":", 1) for item in body.split(";"))
            if (
                "[data-flow" in selector
                or ".f" in selector
                or "[data-bad" in selector
                or "data-kind" in selector
                or "data-aside" in selector
            ):
                lines |= {style["stroke"]} if style.get("stroke", "")[:1] == "#" else set()
                kinds.add(selector.partition(" ")[2])
            if style.get("fill", "")[:1] == "#" and " text" not in selector and " .c" not in selector:
                fills.add(style["fill"])
        fills |= {
            part.attrib["fill"]
            for part in picture.root.iter(f"{SVG}path")
            if "fill" in part.attrib and part not in list(picture.root.iter(f"{SVG}marker"))
        }
        heads = {path.attrib["fill"] for marker in picture.root.iter(f"{SVG}marker") for path in marker}
        fills -= heads
        lines |= heads
        fills.add(picture.rule(".p")["stroke"])
        assert not re.search(r"opacity|rgba", picture.style)
        rect = picture.root.find(f"{SVG}rect")
        assert (rect is None) == (THEMES[theme].background is None)
    assert {
        "[data-flow=positive]",
        "[data-flow=negative]",
        "[data-flow=zero]",
        "[data-flow=bad]",
        "[data-flow=cold]",
        "[data-flow=aside]",
    } <= kinds
    for line in lines:
        for background in backgrounds:
            assert contrast(line, background) >= 3.0, (line, background)
    for fill in fills:
        for text in (THEMES[theme].text, THEMES[theme].muted):
            assert contrast(text, fill) >= 4.5, (text, fill)
    assert len(fills) >= 8
    assert len(lines) >= 8


# --- S10: flow


@given(st.integers(20, 60), st.integers(0, 1000))
@settings(max_examples=40)
def test_width_and_hue_follow_what_the_sweep_brings(count, seed):
    y = tangle(count, seed)
    order = ag.topological_order(y)
    positions = {node: i for i, node in enumerate(order)}
    brought = {}
    y.grad = 0.0
    for node in order:
        node.grad = 0.0
    y.backward(
        visit=lambda edge: brought.setdefault((positions[edge.operand], positions[edge.node], edge.slot), edge.contribution)
    )
    largest = max(map(abs, brought.values()))
    picture = drawn(y)
    widths = []
    for path, kind, width, title in picture.edges:
        tail, head, slot = path.attrib["data-edge"].split(" ")
        if not tail:
            assert kind == "cold"
            continue
        flow = brought[int(tail[1:]), int(head[1:]), int(slot)]
        assert kind == ("positive" if flow > 0 else "negative" if flow < 0 else "zero")
        assert ("brings" in title) == (flow != 0)
        if flow:
            assert width == flow_width(flow, largest)
            widths.append((abs(flow), width))
    widths.sort()
    assert [width for _, width in widths] == sorted(width for _, width in widths)
    for box, node in zip(picture.boxes, order, strict=True):
        assert ("data-zero" in box.attrib) == (node.grad == 0.0)


def test_nothing_has_a_hue_before_the_sweep_but_a_dead_relu_is_seen():
    x = ag.Value(-1.0)
    picture = drawn(x.relu() * 2.0 + x)
    assert sorted(kind for _, kind, _, _ in picture.edges) == ["cold", "flat", "flat", "flat", "zero"]
    assert not [box for box in picture.boxes if "data-zero" in box.attrib]


def test_nan_and_infinity_have_a_red_outline():
    x = ag.Value(0.0)
    y = x.log() + ag.Value(math.nan)
    y.backward()
    picture = drawn(y)
    assert ["data-bad" in box.attrib for box in picture.boxes] == [True, True, True, True]
    assert picture.rule("[data-bad]")["stroke"] == THEMES["auto"].edges["bad"]
    assert {path.attrib["data-edge"]: kind for path, kind, _, _ in picture.edges} == {
        "n0 n1 0": "bad",
        "n1 n3 0": "positive",
        "n2 n3 1": "positive",
    }


# --- S12 and S13: whatever a label holds, and for those who do not see


@given(st.text() | st.text(alphabet="<>&\"'/;{}\x00\x1b\u202e\ud800\ufffe中é😀\n") | st.just("</svg><script>alert(1)</script>"))
@example("x" * 10_000)
@example("]]>")
def test_any_label_is_drawn_and_none_is_markup(label):
    x = ag.Value(1.0, label)
    with ag.scope(label.replace(".", "")):
        y = x + 1
        z = y * 2
    z.label = label
    svg = z.graph(depth=math.inf).to_svg()
    svg.encode()
    assert len(svg) < 12_000
    assert "<script" not in svg
    picture = Picture(svg)
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in (label if len(label) <= 24 else label[:23] + "…"))
    assert picture.texts(picture.boxes[0])[:-2] == ([visible] if label else [])
    assert len(picture.boxes) == 3


@pytest.mark.parametrize(
    "value", [lambda: ag.Value(math.nan), lambda: ag.Value(1.0), lambda: ag.sum(ag.Value(1.0)), lambda: chain(3000)]
)
def test_there_is_always_a_picture(value):
    for depth in (None, 0):
        assert Picture(value().graph(depth=depth).to_svg()).boxes


def test_a_stale_graph_is_drawn_with_what_is_wrong():
    x = ag.Value(2.0)
    y = x.square()
    x.data = 3.0
    ((_, kind, _, title),) = drawn(y).edges
    assert kind == "bad"
    assert ".data was changed" in title


def test_a_picture_tells_what_it_shows():
    root = drawn(fixture()).root
    assert root.attrib["role"] == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == "Computational graph of e = 6"
    assert root[1].text == "5 values in 5 boxes, 5 edges. a = 2 with gradient 2; b = 1 with gradient 5."
    assert html.escape("a < b") in ag.Value(1.0, "a < b").graph().to_svg()


def test_pictures_on_one_page_share_only_what_is_equal():
    """Definitions with the same name have the same content, whatever the picture."""
    found = {}
    for theme in THEMES:
        for value in (fixture(), network((2, 2, 1))[0], tangle(60, 1), chain(5)):
            for definition in drawn(value, theme=theme).root.find(f"{SVG}defs"):
                text = hashlib.sha256(
                    repr([(part.tag, part.attrib, part.text) for part in definition.iter()]).encode()
                ).hexdigest()
                assert found.setdefault(definition.attrib["id"], text) == text
    assert len(found) > 30


def test_a_picture_of_many_values_stays_small():
    for sizes in ((3, 11, 5, 1), (2, 16, 16, 1)):
        value, _ = network(sizes, scopes=False)
        svg = value.graph(depth=math.inf).to_svg()
        assert len(svg.encode()) <= 350 * len(ag.topological_order(value))


def test_widths_of_text_are_never_below_those_of_the_font():
    assert width_of("x" * 10, 11) == 10 * CELL * 11
    assert width_of("θ₁", 10) == 2 * CELL * 10
    assert width_of("中", 10) > 10
    assert width_of("e\u0301", 10) == CELL * 10


def test_an_unknown_theme_or_engine_is_named():
    with pytest.raises(ValueError, match="no theme 'pink': there are auto, light, dark"):
        fixture().graph(theme="pink")
    with pytest.raises(ValueError, match="no engine 'neato': there are builtin and dot"):
        fixture().graph(engine="neato")


if __name__ == "__main__":
    GOLDEN.write_text(fixture().graph().to_svg(), encoding="utf-8")
