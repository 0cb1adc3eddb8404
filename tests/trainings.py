"""Trainings to be looked at, and what their pictures are read back with: nothing of the package's own writers."""

import functools
import re
from xml.etree import ElementTree as ET

import autograd_lite as ag
import moons_demo
from drawings import SVG

X, Y = moons_demo.DEMO["X"], moons_demo.DEMO["y"]


@functools.cache
def moons(epochs):
    """micrograd's demonstration, recorded: the view, the model, and the parameters of every epoch."""
    model = moons_demo.model()
    view = ag.show.TrainingView(model, X, Y)
    states = []
    for k in range(epochs):
        loss, accuracy = moons_demo.loss(model, X, Y)
        model.zero_grad()
        loss.backward()
        states.append([p.data for p in model.parameters()])
        view.record(loss, accuracy)
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return view, model, states


def parts(svg, group, tag):
    """The elements of a tag in the groups of a class, of which there is one."""
    root = ET.fromstring(svg) if isinstance(svg, str) else svg
    (found,) = [g for g in root.iter(f"{SVG}g") if g.get("class") == group]
    return list(found.iter(f"{SVG}{tag}"))


def classed(svg, tag, name):
    """The elements of a tag that have a class."""
    return [x for x in ET.fromstring(svg).iter(f"{SVG}{tag}") if name in (x.get("class") or "").split()]


def loops(path):
    """The corners of each closed loop of a path of relative lines."""
    found = []
    for loop in re.findall(r"M([^z]*)z", path):
        start, _, steps = loop.partition("l")
        x, y = [int(z) for z in re.findall(r"-?\d+", start)]
        corners = [(x, y)]
        numbers = [int(z) for z in re.findall(r"-?\d+", steps)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            corners.append((x, y))
        found.append(corners)
    return found


def sides(corners):
    return zip(corners, corners[1:] + corners[:1], strict=True)


def where(found, x, y):
    """Whether a point lies within loops (by the winding number) or, None, on one of them."""
    winding = 0
    for corners in found:
        for (a, b), (c, d) in sides(corners):
            turn = (c - a) * (y - b) - (x - a) * (d - b)
            if turn == 0 and min(a, c) <= x <= max(a, c) and min(b, d) <= y <= max(b, d):
                return None
            if b <= y < d and turn > 0:
                winding += 1
            elif d <= y < b and turn < 0:
                winding -= 1
    return winding != 0


def area(found):
    return abs(sum(a * d - c * b for corners in found for (a, b), (c, d) in sides(corners))) / 2
