import math

import pytest

import moons_demo


def test_the_seed_gives_the_first_parameters():
    assert [p.data for p in moons_demo.model().parameters()] == moons_demo.DEMO["params0"]
    assert len(moons_demo.DEMO["params0"]) == 337


def test_every_loss_is_the_published_one(capsys):
    steps = moons_demo.main()  # all 100; most of this file's 10 to 20 s
    assert len(steps) == len(moons_demo.DEMO["published_loss_per_step"]) == 100
    for step, published in zip(steps, moons_demo.DEMO["published_loss_per_step"], strict=True):
        assert step.loss == pytest.approx(published, rel=1e-12, abs=0.0)
        assert step.deviation == abs(step.loss / published - 1.0)
    assert [step.accuracy for step in steps[:1] + steps[-1:]] == [0.5, 1.0]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 101
    assert printed[-1].endswith(f"{max(step.deviation for step in steps):.1e}")


def test_the_gradient_of_the_first_loss_is_its_slope():
    model = moons_demo.model()
    points, classes = moons_demo.DEMO["X"][:20], moons_demo.DEMO["y"][:20]
    total, _ = moons_demo.loss(model, points, classes)
    total.backward()
    gradient = [p.grad for p in model.parameters()]
    # Between kinks the loss along a line is a polynomial of degree 3 (a product of weights of three layers), which the
    # five-point formula differentiates exactly; what is left is the rounding of the loss, about 1e-14, over h.
    start, h = [p.data for p in model.parameters()], 2.0**-10
    direction = [math.sin(i) for i in range(337)]

    def at(t):
        for p, x, d in zip(model.parameters(), start, direction, strict=True):
            p.data = x + t * d
        return moons_demo.loss(model, points, classes)[0].data

    slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    along = math.fsum(g * d for g, d in zip(gradient, direction, strict=True))
    assert slope == pytest.approx(along, rel=1e-9)
