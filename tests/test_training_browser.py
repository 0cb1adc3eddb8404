"""The page of a training in Debian's Chromium, with the network cut: training.mjs compares it with the pictures drawn here."""

import json
import math
import random
import re
from xml.etree import ElementTree as ET

import pytest

import autograd_lite as ag
from browser.node import HERE, need, run
from drawings import SVG
from test_explorer_browser import inserted_html, notebook_html
from trainings import classed, moons, parts

CHECKS = re.findall(r"^  async (\w+)\(", (HERE / "training.mjs").read_text(encoding="utf-8"), re.MULTILINE)
HOSTILE = ("</script><script>attacked=1</script>", "<img src=x onerror=attacked=1>")


def changing(svg):
    """What an epoch changes in a picture, as training.mjs reads it from the page."""
    root = ET.fromstring(svg)
    (title,) = root.findall(f"{SVG}title")
    told = {x.get("class").split()[-1]: x.text or "" for x in root.iter(f"{SVG}tspan")}
    return {
        "title": title.text,
        "epoch": told["epoch"],
        "words": told["words"],
        "regions": [[x.get("d")] for x in parts(root, "regions", "path")],
        "weights": [[x.get("class"), x.get("stroke-width")] for x in parts(root, "weights", "path")],
        "biases": [[x.get("class"), x.get("r")] for x in parts(root, "biases", "circle")],
        "points": [[" ".join(sorted(x.get("class").split()))] for x in parts(root, "points", "path")],
        "marks": [[float(x.get(name)) for name in ("cx", "cy", "r")] for x in classed(svg, "circle", "mark")],
        "now": [[x.get("transform")] for x in classed(svg, "path", "now")],
    }


def odd():
    """A training in which nearly everything went wrong, with labels that would be markup."""
    rng = random.Random(1)
    model = ag.nn.MLP(2, [3, 1], rng=rng)
    view = ag.show.TrainingView(
        model, [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(20)], [HOSTILE[i % 2] for i in range(20)]
    )
    for x in (0.5, math.nan, math.inf, 0.0):
        model.layers[0].neurons[0].w[0].data = x
        view.record(x, accuracy=0.5 if x == x else math.nan)
    return view


def classes():
    """Seven classes with long names."""
    rng = random.Random(2)
    points = [(rng.gauss(0, 1), rng.gauss(0, 1e6)) for _ in range(70)]
    view = ag.show.TrainingView(ag.nn.MLP(2, [7], rng=rng), points, [f"{'abcdefg'[i % 7]}-class of points" for i in range(70)])
    for k in range(40):
        view.record(1e-300 * 10.0 ** (k * 7), accuracy=k / 40)
    return view


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    need("playwright-core", "axe-core", browser=True)
    folder = tmp_path_factory.mktemp("pages")
    view, _, _ = moons(24)
    view.save(folder / "moons.html")
    odd().save(folder / "odd.html")
    classes().save(folder / "classes.html")
    network = ag.show.TrainingView(ag.nn.MLP(12, [300, 40, 1]))
    network.record(1.0)
    network.explore(theme="dark").save(folder / "network.html")
    two = view.explore()._repr_html_()
    (folder / "two.html").write_text(f"<!DOCTYPE html><html lang=en><title>two</title>{two}{two}</html>", encoding="utf-8")
    (folder / "inserted.html").write_text(inserted_html(view.explore()), encoding="utf-8")
    (folder / "notebook.html").write_text(notebook_html(view.explore()), encoding="utf-8")
    expected = {"moons": [changing(view.at(k).to_svg()) for k in view.epochs]}
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    return run("training.mjs", folder)


@pytest.mark.parametrize("check", CHECKS)
def test_in_chromium(outcomes, check):
    assert outcomes[check] == "ok", outcomes[check]


def test_there_are_checks():
    assert len(CHECKS) >= 13
