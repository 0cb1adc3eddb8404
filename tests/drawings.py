"""Graphs to be drawn, and what drawings are read back with: nothing of the package's own writers."""

import itertools
import random
import re
from contextlib import nullcontext
from xml.etree import ElementTree as ET

import autograd_lite as ag
from values import classic

SVG = "{http://www.w3.org/2000/svg}"


def fixture():
    """e = (a + b) * (b + 1), labelled and swept."""
    *_, c, d, e = classic()
    c.label, d.label, e.label = "c", "d", "e"
    e.backward()
    return e


def network(sizes, scopes=True, activation="tanh", seed=1):
    """A multilayer perceptron in single operations, as micrograd has it; its result, swept, and its parameters by name."""
    draw = random.Random(seed)
    values = [ag.Value(draw.uniform(-1, 1), f"x{i}") for i in range(sizes[0])]
    parameters = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        results = []
        for neuron in range(outputs):
            w = [ag.Value(draw.uniform(-1, 1)) for _ in range(inputs)]
            b = ag.Value(draw.uniform(-1, 1))
            parameters |= {f"w{layer}{neuron}{i}": x for i, x in enumerate(w)} | {f"b{layer}{neuron}": b}
            with ag.scope(f"layer{layer}.neuron{neuron}") if scopes else nullcontext():
                total = b
                for weight, x in zip(w, values):
                    total = total + weight * x
                last = layer == len(sizes) - 2
                results.append(total if last else getattr(total, activation)())
        values = results
    loss = values[0]
    for x in values[1:]:
        loss = loss + x
    loss.backward()
    return loss, parameters


def chain(length):
    y = ag.Value(0.5, "x")
    for _ in range(length):
        y = y.sin()
    y.backward()
    return y


def tangle(count, seed, window=12):
    """A random graph of about so many values, each used; swept."""
    draw = random.Random(seed)
    values = [ag.Value(draw.uniform(0.5, 1.5), f"x{i}" if i % 2 else None) for i in range(5)]
    while len(values) < count:
        a, b = draw.choice(values[-window:]), draw.choice(values if draw.random() < 0.1 else values[-window:])
        kind = draw.randrange(6)
        y = [a.tanh, a.relu, lambda: a * draw.uniform(-2.0, 2.0), lambda: a + b, lambda: a * b, lambda: a - b][kind]()
        values.append(y if abs(y.data) < 1e6 else y.tanh())
    used = {x for y in values for x in y.args}
    loss = ag.sum([y for y in values if y not in used])
    loss.backward()
    return loss


class Picture:
    """An SVG taken apart: its root, the groups of boxes, and edges as (path, kind of flow, width, title), as they are drawn."""

    def __init__(self, svg):
        self.root = ET.fromstring(svg)
        parents = {child: parent for parent in self.root.iter() for child in parent}
        self.boxes = [group for group in self.root.iter(f"{SVG}g") if "data-id" in group.attrib]
        self.edges = []
        for path in self.root.iter(f"{SVG}path"):
            if "data-edge" in path.attrib:
                around, title = path, path.find(f"{SVG}title")
                while "data-flow" not in around.attrib:
                    around = parents[around]
                    title = around.find(f"{SVG}title") if title is None else title
                self.edges.append(
                    (path, around.attrib["data-flow"], float(around.attrib["stroke-width"]), title is not None and title.text)
                )
        self.style = self.root.find(f"{SVG}style").text
        self.shapes = {f"#{shape.attrib['id']}": shape for shape in self.root.find(f"{SVG}defs")}

    def ends(self):
        """(tail, head, slot) of each edge; the tail of a constant's is empty."""
        return [tuple(path.attrib["data-edge"].split(" ")) for path, *_ in self.edges]

    def texts(self, box):
        return [text.text for text in box.findall(f"{SVG}text")]

    def shape(self, box):
        return self.shapes[box.find(f"{SVG}use").attrib["href"]]

    def rule(self, selector):
        """The declarations of all rules for a selector, the later over the earlier."""
        found = {}
        for selectors, body in re.findall(r"([^{}]+){([^{}]*)}", self.style):
            if any(part.partition(" ")[2] == selector for part in selectors.split(",")):
                found |= dict(item.split(":", 1) for item in body.split(";"))
        return found
