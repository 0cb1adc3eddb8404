"""Recording a training: what is refused, arrays as points, and progress with and without tqdm."""

import random
import sys

import pytest

import autograd_lite as ag
from autograd_lite.nn import MLP


def test_errors_say_what_to_do():
    View, model = ag.show.TrainingView, MLP(2, [1])
    with pytest.raises(TypeError, match=r"a method parameters\(\), as ag.nn.MLP"):
        View([1.0])
    with pytest.raises(ValueError, match="2 points and 1 labels: there is one label for each point"):
        View(model, [(1, 2), (3, 4)], [1])
    with pytest.raises(ValueError, match=r"labels, but no points: TrainingView\(model, points, labels\)"):
        View(model, labels=[1])
    with pytest.raises(ValueError, match="different numbers of coordinates"):
        View(model, [(1, 2), (3,)])
    with pytest.raises(TypeError, match="point 1 is a sequence of numbers"):
        View(model, [(1, 2), 3])
    with pytest.raises(TypeError, match="a coordinate of point 0 takes a real number, not str"):
        View(model, [("1", 2)])
    with pytest.raises(TypeError, match="a label is a number or a string, not NoneType"):
        View(model, [(1, 2)], [None])
    with pytest.raises(TypeError, match="points are a sequence"):
        View(model, 3)
    with pytest.raises(ValueError, match="the theme of a TrainingView is auto, light or dark"):
        View(model, theme="blue")
    with pytest.raises(ValueError, match="frames is a whole number of at least 2"):
        View(model, frames=1)
    view = View(model, frames=4)
    with pytest.raises(TypeError, match="loss takes a real number"):
        view.record("small")
    with pytest.raises(ValueError, match="accuracy is a share, from 0 to 1, not 98.0: divide percents by 100"):
        view.record(1.0, accuracy=98)
    for _ in range(20):
        view.record(1.0)
    with pytest.raises(ValueError, match=r"epoch 3 were not kept, as there are at most 4 frames: ask for 0 or 8, .* frames=20"):
        view.at(3)
    model.extra = ag.Value(1.0)
    with pytest.raises(ValueError, match="4 parameters now and had 3: make another TrainingView"):
        view.record(1.0)
    assert len(view._losses) == 20


def test_arrays_of_numpy_are_points_and_labels():
    numpy = pytest.importorskip("numpy")
    points, labels = numpy.array([[0.0, 1.0], [1.0, 0.0]]), numpy.array([True, False])
    model = MLP(2, [1], rng=random.Random(1))
    one, other = [ag.show.TrainingView(model, *given).at().to_svg() for given in ((points, labels), (points.tolist(), [1, 0]))]
    assert one == other


def trained(epochs, **options):
    view = ag.show.TrainingView(MLP(1, [1]))
    seen = []
    for epoch in view.progress(epochs, **options):
        seen.append(epoch)
        view.record(1.0 / (len(seen)))
    return seen


def test_progress_with_tqdm(capsys):
    pytest.importorskip("tqdm")
    assert trained(range(5)) == [0, 1, 2, 3, 4]
    told = capsys.readouterr()
    assert "training" in told.err
    assert "5/5" in told.err
    assert told.out == ""
    assert trained(iter("abc"), total=3) == ["a", "b", "c"]


def test_progress_without_tqdm(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert trained(range(57)) == list(range(57))
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    trained(range(57))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "57 of 57, loss 0.01754"
    assert trained(iter("abc")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
    trained(range(3))
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_progress_can_be_left():
    view = ag.show.TrainingView(MLP(1, [1]))
    epochs = view.progress(range(5))
    assert next(epochs) == 0
    epochs.close()
