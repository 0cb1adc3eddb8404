"""Pictures in Debian's Chromium, with the network cut: no text overlaps a box or another text."""

import math

import pytest

import autograd_lite as ag
from browser.node import need, run
from drawings import chain, fixture, network, tangle


def values():
    """Pictures by name, with what they are drawn with."""
    loss, parameters = network((3, 4, 4, 1))
    yield "fixture", fixture(), {}
    yield "network", loss, {"parameters": parameters}
    yield "neurons", loss, {"depth": 1}
    yield "layers", loss, {"depth": 0}
    yield "chain", chain(12), {}
    x = ag.Value(-0.0, "long_label_of_a_single_leaf_" * 3)
    y = ag.sum(
        x * x,
        1e-300,
        x,
        -1.2345678e-300,
        math.nan,
        ag.Value(1.0, "中文标签"),
        ag.Value(2.0, "θ₁ Привет"),
        ag.Value(3.0, "WWW 😀"),
    )
    y.backward()
    yield "labels", y, {}
    for seed in range(12):
        yield f"tangle{seed}", tangle(20 + 10 * seed, seed), {"depth": math.inf, "theme": ("auto", "light", "dark")[seed % 3]}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    need("playwright-core", "axe-core", browser=True)
    folder = tmp_path_factory.mktemp("pictures")
    for name, value, options in values():
        value.graph(**options).save(folder / f"{name}.html")
    return run("drawings.mjs", folder)


def overlap(a, b, slack=0.0):
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    return across > slack and min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]) > slack


def within(a, b, slack=0.5):
    """Whether a text is as wide as what it lies in, and its middle is in it: its line may be higher than its letters are."""
    middle = a[1] + a[3] / 2
    return b[0] - slack <= a[0] and a[0] + a[2] <= b[0] + b[2] + slack and b[1] < middle < b[1] + b[3]


def test_no_text_overlaps_a_box_or_another_text(measured):
    assert len(measured["found"]) == 18
    for name, found in measured["found"].items():
        for i, text, rectangle in found["texts"]:
            assert within(rectangle, found["boxes"][i]), (name, text)
            assert not [other for j, other in enumerate(found["boxes"]) if j != i and overlap(rectangle, other)], (name, text)
        for text, pill, inside in found["chips"]:
            assert within(inside, pill), (name, text)
            assert not [box for box in found["boxes"] if overlap(pill, box)], (name, text)
        outer = [rectangle for _, rectangle in found["labels"]] + [rectangle for _, _, rectangle in found["chips"]]
        outer += [title for title, _ in found["titles"]]
        for k, a in enumerate(outer):
            assert not [box for box in found["boxes"] if overlap(a, box)], name
            assert not [b for b in outer[:k] if overlap(a, b, slack=3.0)], name  # lines of text are higher than their letters
        for title, tab in found["titles"]:
            assert within(title, tab)


def test_texts_of_a_box_lie_side_by_side(measured):
    for name, found in measured["found"].items():
        texts = {}
        for i, text, rectangle in found["texts"]:
            assert not [other for other in texts.get(i, []) if overlap(rectangle, other, slack=3.0)], (name, text)
            texts.setdefault(i, []).append(rectangle)


def test_axe_finds_nothing_and_nothing_is_fetched(measured):
    assert measured["violations"] == []
    assert measured["outside"] == []
