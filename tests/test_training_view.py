"""The training view: its pictures read back by an XML parser and compared with the model, its page, and what it refuses."""

import hashlib
import html
import json
import math
import os
import random
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.nn import MLP
from autograd_lite.show import regions, training_page
from autograd_lite.show.regions import NODES, UNIT
from autograd_lite.show.theme import THEMES, theme_of
from autograd_lite.show.training_picture import colours_of
from drawings import SVG
from test_svg import contrast
from trainings import X, Y, classed, loops, moons, parts, where

ODD = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1.7e308, 1e308, 1.0, -0.25]


def text_of(svg):
    return "".join(ET.fromstring(svg).itertext())


def test_every_weight_is_an_edge_and_every_bias_a_disc():
    view, model, states = moons(24)
    names = list(model.named_parameters())
    for k in (0, 8, 23):
        state = dict(zip(names, states[k], strict=True))
        edges = parts(view.at(k).to_svg(), "weights", "path")
        weights = [
            state[f"layers[{layer - 1}].neurons[{head}].w[{tail}]"]
            for layer, tail, head in [map(int, edge.get("data-edge").split()) for edge in edges]
        ]
        assert len(weights) == len({edge.get("data-edge") for edge in edges}) == 2 * 16 + 16 * 16 + 16
        signs = {edge.get("class") for edge, w in zip(edges, weights, strict=True) if w > 0.0}
        assert signs == {"w positive"}
        ordered = sorted(zip(map(abs, weights), [float(edge.get("stroke-width")) for edge in edges], strict=True))
        assert all(one[1] <= other[1] for one, other in pairwise(ordered))
        assert ordered[-1][1] > 2 * ordered[len(ordered) // 2][1] > 4 * ordered[0][1]
        biases = [state[f"layers[{i}].neurons[{j}].b"] for i, size in enumerate((16, 16, 1)) for j in range(size)]
        discs = parts(view.at(k).to_svg(), "biases", "circle")
        ordered = sorted(zip(map(abs, biases), [float(disc.get("r")) for disc in discs], strict=True))
        assert all(one[1] <= other[1] for one, other in pairwise(ordered))
        assert [disc.get("class").split()[1] for disc in discs] == [
            "positive" if b > 0.0 else "negative" if b else "zero" for b in biases
        ]


def test_widths_are_comparable_between_epochs():
    model = MLP(2, [1])
    view = ag.show.TrainingView(model)
    for w in (4.0, 1.0):
        model.layers[0].neurons[0].w[0].data = w
        view.record(1.0)
    wide, narrow = [float(parts(view.at(k).to_svg(), "weights", "path")[0].get("stroke-width")) for k in (0, 1)]
    assert wide > 2 * narrow


def test_the_loss_curve_goes_through_the_losses():
    view, _, _ = moons(24)
    losses = [float(re.search(r"loss (\S+)", repr(view.at(k)))[1]) for k in view.epochs]
    assert view.epochs == list(range(24))
    (path,) = classed(view.at().to_svg(), "path", "loss")
    points = [tuple(map(float, point.split())) for point in re.findall(r"[ML](\S+ [\d.]+)", path.get("d"))]
    assert len(points) == 24
    steps = [b[0] - a[0] for a, b in pairwise(points)]
    frame = classed(view.at().to_svg(), "rect", "frame")[-1]
    assert (points[0][0], points[-1][0]) == (float(frame.get("x")), float(frame.get("x")) + float(frame.get("width")))
    assert max(steps) - min(steps) < 0.11
    low, high = min(losses), max(losses)
    at = {loss: y for loss, (_, y) in zip(losses, points, strict=True)}
    for loss, (_, y) in zip(losses, points, strict=True):
        share = math.log(loss / low) / math.log(high / low) if high / low >= 20 else (loss - low) / (high - low)
        assert abs(y - (at[low] + share * (at[high] - at[low]))) < 0.2
    for k in (0, 11, 23):
        circle = classed(view.at(k).to_svg(), "circle", "loss")[0]
        assert (float(circle.get("cx")), float(circle.get("cy"))) == points[k]


def test_a_logarithmic_axis_where_losses_vary_much():
    view = ag.show.TrainingView(MLP(2, [1]))
    for k in range(5):
        view.record(10.0**-k)
    svg = view.at().to_svg()
    (path,) = classed(svg, "path", "loss")
    heights = [float(y) for y in re.findall(r"[ML]\S+ ([\d.]+)", path.get("d"))]
    assert max(abs((b - a) - (heights[1] - heights[0])) for a, b in pairwise(heights)) < 0.21
    assert "Loss by epoch, logarithmic" in text_of(svg)


def test_long_trainings_keep_their_extremes():
    view = ag.show.TrainingView(MLP(2, [1]))
    for k in range(5_000):
        view.record(50.0 if k == 3_217 else 1.0 + (k == 777))
    svg = view.at().to_svg()
    (path,) = classed(svg, "path", "loss")
    heights = [float(y) for y in re.findall(r"[ML]\S+ ([\d.]+)", path.get("d"))]
    assert len(heights) < 700
    assert heights.count(min(heights)) == 1
    assert len(set(heights)) == 3


@pytest.mark.parametrize("epoch", [0, 12, 23])
def test_regions_have_the_models_sign(epoch):
    view, _, states = moons(24)
    other = MLP(2, [16, 16, 1])
    for p, x in zip(other.parameters(), states[epoch], strict=True):
        p.data = x
    svg = view.at(epoch).to_svg()
    paths = {path.get("class"): loops(path.get("d")) for path in parts(svg, "regions", "path")}
    assert set(paths) == {f"r{i}{k}" for i in (0, 1) for k in range(4)}
    checked = 0
    xs, ys = [sorted(p[i] for p in X) for i in (0, 1)]
    low, high = [[z[i] for z in (xs, ys)] for i in (0, -1)]
    room = [0.08 * (b - a) for a, b in zip(low, high, strict=True)]
    for i in range(2, NODES - 2, 3):
        for j in range(2, NODES - 2, 3):
            x = low[0] - room[0] + (high[0] - low[0] + 2 * room[0]) * i / (NODES - 1)
            y = high[1] + room[1] - (high[1] - low[1] + 2 * room[1]) * j / (NODES - 1)
            score = other([x, y]).data
            inside = [where(paths[f"r{kind}0"], i * UNIT, j * UNIT) for kind in (0, 1)]
            if None not in inside:
                assert inside == [score <= 0.0, score > 0.0]
                checked += 1
            for kind, sign in ((0, -1.0), (1, 1.0)):
                for band, margin in enumerate((0.0, 1 / 3, 1.0, 3.0)):
                    if abs(sign * score - margin) > 0.01:
                        assert where(paths[f"r{kind}{band}"], i * UNIT, j * UNIT) in (sign * score > margin, None)
    assert checked > 150


def test_points_lie_where_they_are_and_wrong_ones_are_marked():
    view, _, states = moons(24)
    other = MLP(2, [16, 16, 1])
    for epoch in (0, 23):
        for p, x in zip(other.parameters(), states[epoch], strict=True):
            p.data = x
        svg = view.at(epoch).to_svg()
        points = parts(svg, "points", "path")
        wrong = [(other(x).data > 0.0) != (y > 0) for x, y in zip(X, Y, strict=True)]
        assert [("wrong" in point.get("class")) for point in points] == wrong
        assert [point.get("class").split()[1] for point in points] == ["c1" if y > 0 else "c0" for y in Y]
        assert f"{sum(wrong)} of 100 points wrong" in text_of(svg)
        places = [tuple(map(float, re.match(r"M(\S+) ([\d.]+)", point.get("d")).groups())) for point in points]
        assert sorted(range(100), key=lambda i: X[i][0]) == sorted(range(100), key=lambda i: places[i][0])
        assert sorted(range(100), key=lambda i: -X[i][1]) == sorted(range(100), key=lambda i: places[i][1])


def test_pictures_leave_the_model_alone():
    view, model, states = moons(24)
    before = [(p.data, p.grad) for p in model.parameters()]
    early, late = view.at(0).to_svg(), view.at(23).to_svg()
    assert early != late
    assert view.explore().html
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert [p.data for p in model.parameters()] != states[23]


def test_a_model_that_raises_is_left_as_it_was():
    class Picky(MLP):
        def __call__(self, x):
            if self.layers[0].neurons[0].b.data > 5.0:
                raise ArithmeticError("too much")
            return super().__call__(x)

    model = Picky(2, [1])
    view = ag.show.TrainingView(model, X, Y)
    for bias in (1.0, 9.0, 2.0):
        model.layers[0].neurons[0].b.data = bias
        view.record(0.5)
    assert "100 of 100 points wrong" in repr(view.at(1))
    assert "too much" in text_of((setattr(model.layers[0].neurons[0].b, "data", 6.0), view.at(0).to_svg())[1])
    assert model.layers[0].neurons[0].b.data == 6.0


@settings(max_examples=60)
@given(st.integers(0, 700), st.integers(2, 40))
def test_epochs_are_kept_evenly(count, limit):
    view = ag.show.TrainingView(MLP(1, [1]), frames=limit)
    for k in range(count):
        view.record(float(k))
    kept = view.epochs
    assert len(kept) <= limit
    if count:
        assert (kept[0], kept[-1]) == (0, count - 1)
        steps = {b - a for a, b in pairwise(kept[:-1])}
        assert len(steps) <= 1
        assert len(kept) > min(count, limit) // 2 - 1
    else:
        assert kept == []


def test_numbers_of_an_epoch_are_those_of_its_record():
    model = MLP(2, [1])
    view = ag.show.TrainingView(model)
    svgs = []
    for k in range(3):
        for p in model.parameters():
            p.data = 1.0 - k
        view.record(1.0)
    svgs = [[edge.get("class") for edge in parts(view.at(k).to_svg(), "weights", "path")] for k in range(3)]
    assert svgs == [["w positive"] * 2, ["w zero"] * 2, ["w negative"] * 2]


def test_compiled_or_not_the_picture_is_the_same(monkeypatch):
    view, model, _ = moons(24)
    svg, page = view.at(8).to_svg(), view.explore().html
    monkeypatch.setattr(regions, "is_compiled", lambda: False)
    other = ag.show.TrainingView(model, X, Y)
    other.__dict__.update({**view.__dict__, "_runner": regions.Runner(model)})
    assert other.at(8).to_svg() == svg
    assert hashlib.sha256(other.at(23).to_svg().encode()).digest() == hashlib.sha256(view.at(23).to_svg().encode()).digest()
    assert page


SCRIPT = """
import hashlib, trainings
view, _, _ = trainings.moons(6)
text = view.at(3).to_svg() + view.explore().html
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_same_bytes_everywhere():
    found = set()
    for seed, pure in (("1", ""), ("2", "1")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "AUTOGRAD_LITE_PURE": pure}
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
        if not pure:
            del environment["AUTOGRAD_LITE_PURE"]
        result = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
        found.add(result.stdout)
    assert len(found) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(ODD), min_size=9, max_size=9),
    st.lists(st.sampled_from(ODD), max_size=4),
    st.lists(st.tuples(st.sampled_from(ODD), st.sampled_from(ODD)), max_size=3),
    st.sampled_from([[2, 1], [1, 2]]),
    st.sampled_from(["auto", "light", "dark"]),
)
def test_nothing_makes_a_picture_fail(numbers, losses, points, sizes, theme):
    model = MLP(2, sizes)
    for p, x in zip(model.parameters(), numbers, strict=False):
        p.data = x
    view = ag.show.TrainingView(model, points, [i % 2 for i in range(len(points))], theme=theme)
    for loss in losses:
        view.record(loss, accuracy=math.nan)
    svg = view.at().to_svg()
    assert len(parts(svg, "weights", "path")) == sum(len(n.w) for layer in model.layers for n in layer.neurons)
    numbers_in = re.findall(r'(?:d|x|y|cx|cy|r|width|height)="[^"]*(?:nan|inf)', svg)
    assert not numbers_in
    assert json.loads(re.search(r"tape = (.*);\n", view.explore().html)[1])["moments"]
    assert str(view.at())


def test_large_networks_are_drawn_in_part():
    view = ag.show.TrainingView(MLP(30, [200, 100, 1]))
    view.record(1.0)
    svg = view.at().to_svg()
    assert len(svg) < 250_000
    assert "neurons are not drawn" in text_of(svg)
    neurons = [x for x in ET.fromstring(svg).iter(f"{SVG}circle") if x.get("data-neuron")]
    shown = [sum(x.get("data-neuron").startswith(f"{k} ") for x in neurons) for k in range(4)]
    assert len(parts(svg, "weights", "path")) == sum(a * b for a, b in pairwise(shown)) <= 1_500
    told = re.search(r"([\d,]+) of ([\d,]+) neurons", text_of(svg))
    assert int(told[1]) == 331 - sum(shown)
    assert int(told[2]) == 331
    deep = ag.show.TrainingView(MLP(2, [3] * 40))
    deep.record(1.0)
    assert "33 of 40 layers are not drawn" in text_of(deep.at().to_svg())


@pytest.mark.parametrize(
    ("model", "points", "labels", "note"),
    [
        (MLP(3, [1]), [(1.0, 2.0, 3.0)], [1], "the points have 3 coordinates, not 2"),
        (MLP(3, [1]), [(1.0, 2.0)], [1], "the model raises ValueError"),
        (MLP(2, [1]), [(1.0, 2.0)] * 3, [1, 2, 3], "one score tells two classes apart, and the labels are of 3 kinds"),
        (MLP(2, [3]), [(1.0, 2.0)] * 2, ["a", "b"], "the model has 3 outputs, and the labels are of 2 kinds"),
        (MLP(2, [8]), [(1.0, 2.0)], None, "the model has 8 outputs, and there are colours for 7"),
        (MLP(2, [250, 400, 1]), [(1.0, 2.0)], None, "the model has 101,551 parameters, more than 100,000"),
    ],
)
def test_what_is_left_out_is_said(model, points, labels, note):
    view = ag.show.TrainingView(model, points, labels)
    view.record(1.0)
    svg = view.at().to_svg()
    assert f"The decision regions are left out: {note}" in text_of(svg)
    assert not classed(svg, "g", "regions")
    assert "Network" in text_of(svg)


def test_a_model_without_layers_has_regions_and_no_network():
    class Line(ag.nn.Module):
        def __init__(self):
            self.a = ag.Value(1.0)

        def __call__(self, x):
            return self.a * x[0] - x[1]

    view = ag.show.TrainingView(Line(), [(0.0, 1.0), (1.0, 0.0)], ["low", "high"])
    svg = view.at().to_svg()
    assert "The network is left out: the model has no layers of neurons" in text_of(svg)
    assert "1 of 2" not in text_of(svg)  # "high" comes first, so both are wrong
    assert "2 of 2 points wrong" in text_of(svg)
    assert len(parts(svg, "regions", "path")) == 8


def test_classes_by_outputs():
    rng = random.Random(4)
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(60)]
    model = MLP(2, [3], rng=rng)
    best = [max(range(3), key=lambda i: model(p)[i].data) for p in points]
    for labels in (best, [f"{'abc'[i]}" for i in best]):
        view = ag.show.TrainingView(model, points, labels)
        assert "0 of 60 points wrong" in repr(view.at())
    sigmoid = MLP(2, [1], output_activation="sigmoid", rng=rng)
    labels = [int(sigmoid(p).data > 0.5) for p in points]
    assert "0 of 60 points wrong" in repr(ag.show.TrainingView(sigmoid, points, labels).at())
    wrong = sum(label == 0 for label in labels)  # every score is above 0
    assert f"{wrong} of 60 points wrong" in repr(ag.show.TrainingView(sigmoid, points, labels, threshold=0.0).at())


def test_colours_can_be_told_apart_and_read():
    for theme in THEMES:
        c = colours_of(theme_of(theme))
        assert contrast(c["ink"], c["card"]) >= 4.5
        assert contrast(c["muted"], c["card"]) >= 4.5
        for name in ["positive", "negative", "zero", "bad", "accuracy", *[f"class{i}" for i in range(regions.CLASSES)]]:
            assert contrast(c[name], c["card"]) >= 3.0, (theme, name)


def test_forms_of_a_notebook():
    view, _, _ = moons(24)
    bundle, metadata = view._repr_mimebundle_()
    assert {"image/svg+xml", "text/plain"} <= set(bundle) <= {"image/svg+xml", "text/plain", "image/png"}
    assert bundle["image/svg+xml"] == view.at(23).to_svg()
    assert bundle["text/plain"].startswith("Training, Epoch 23: loss 0.1")
    assert len(bundle["text/plain"].splitlines()[1]) == 24
    if "image/png" in bundle:
        assert bundle["image/png"].startswith(b"\x89PNG")
        assert metadata["image/png"]["width"] == int(ET.fromstring(bundle["image/svg+xml"]).get("width"))
    assert set(view._repr_mimebundle_(include=["text/plain"])[0]) == {"text/plain"}
    assert not hasattr(view, "_ipython_display_")
    page = view.explore()._repr_mimebundle_()
    assert set(page) == {"text/html", "image/svg+xml", "text/plain"}
    assert html.unescape(re.search('srcdoc="([^"]*)"', page["text/html"])[1]) == view.explore().html


def test_save_by_suffix(tmp_path):
    view, _, _ = moons(24)
    view.save(tmp_path / "a.html")
    view.save(tmp_path / "a.svg")
    view.at(4).save(tmp_path / "b.txt")
    view.at(4).save(tmp_path / "b.svg")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == view.explore().html
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == view.at(23).to_svg()
    assert (tmp_path / "b.txt").read_text(encoding="utf-8").startswith("Training, Epoch 4: ")
    assert (tmp_path / "b.svg").read_bytes() != (tmp_path / "a.svg").read_bytes()
    with pytest.raises(ValueError, match="not '.gif'; TrainingView.save writes .html too"):
        view.at().save(tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"saved as \.svg, \.png, \.pdf, \.txt"):
        view.save(tmp_path / "a")


def test_png_and_pdf(tmp_path):
    pytest.importorskip("typst")
    view, _, _ = moons(24)
    view.save(tmp_path / "a.png")
    view.at(2).save(tmp_path / "a.pdf")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_the_page_is_small():
    view, _, _ = moons(100)
    assert len(view.epochs) == 51
    assert view.epochs[:3] == [0, 2, 4]
    page = view.explore().html
    assert len(page.encode()) <= 320_000  # 278 kB: the picture 59, each of 51 epochs 4.2, three quarters of it outlines
    own = sum(len(training_page.part(f"training.{kind}").encode()) for kind in ("js", "css"))
    assert own <= 6_000


def test_a_page_of_ragged_regions_has_fewer_epochs(monkeypatch):
    view, _, _ = moons(24)
    monkeypatch.setattr(training_page, "OUTLINES", 20_000)
    tape = json.loads(re.search(r"tape = (.*);\n", view.explore().html)[1])
    shown = [int(moment["epoch"].removeprefix("Epoch ")) for moment in tape["moments"]]
    assert 2 < len(shown) < 12
    assert (shown[0], shown[-1]) == (0, 23)
    assert len({b - a for a, b in pairwise(shown[:-1])}) == 1


def test_the_page_names_nothing_outside_of_it_and_labels_are_text():
    view = ag.show.TrainingView(MLP(2, [1]), [(0.0, 1.0), (1.0, 0.0)], ["</script><script>attacked=1</script>", "<!--"])
    view.record(1.0)
    page = view.explore().html
    assert not re.findall(
        r"https?:|//[a-z]+\.|\bsrc=|\bhref=|@import|\bfetch\b|\beval\b", page.replace("http://www.w3.org/2000/svg", "")
    )
    assert "default-src 'none'" in page
    assert page.count("<script>") == page.count("</script>") == 1
    assert "<!--" not in page


def test_one_epoch_and_none():
    view = ag.show.TrainingView(MLP(2, [1]), [(0.0, 1.0)], [1])
    assert repr(view.at()).startswith("<TrainingPicture of now: nothing recorded yet · ")
    assert "nothing recorded yet" in text_of(view.at().to_svg())
    assert "nothing recorded yet" in view.explore().html
    with pytest.raises(ValueError, match="there was no epoch 0: nothing was recorded yet"):
        view.at(0)
    view.record(ag.Value(0.5), accuracy=1)
    assert "loss 0.5 · accuracy 100 %" in repr(view.at(0))
    with pytest.raises(ValueError, match="there was no epoch 1: the last one was 0"):
        view.at(1)
    with pytest.raises(ValueError, match="there was no epoch -1"):
        view.at(-1)


def test_parameters_may_be_replaced():
    model = MLP(2, [1])
    neuron = model.layers[0].neurons[0]
    view = ag.show.TrainingView(model, X, Y)
    svgs = []
    for k in range(3):
        neuron.w = [ag.Value(1.0 - k), ag.Value(k - 1.0)]
        view.record(1.0)
        svgs.append(MLP(2, [1]))
        svgs[-1].load_state(model.state())
    for k, other in enumerate(svgs):
        alone = ag.show.TrainingView(other, X, Y)
        alone.record(1.0)
        svg = view.at(k).to_svg()
        assert [x.get("d") for x in parts(svg, "regions", "path")] == [
            x.get("d") for x in parts(alone.at().to_svg(), "regions", "path")
        ]
        signs = [edge.get("class") for edge in parts(svg, "weights", "path")]
        assert signs == [["w positive", "w negative"], ["w zero"] * 2, ["w negative", "w positive"]][k]


def test_a_model_that_has_grown_is_drawn():
    model = MLP(2, [1])
    view = ag.show.TrainingView(model, X, Y)
    view.record(1.0)
    model.layers.append(ag.nn.Layer(1, 2))
    assert len(parts(view.at().to_svg(), "weights", "path")) == 4
