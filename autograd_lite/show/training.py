"""The training of a model, to be seen: what it decides, its weights, and its loss, epoch by epoch.

    >>> import random
    >>> import autograd_lite as ag
    >>> model = ag.nn.MLP(2, [4, 1], rng=random.Random(1))
    >>> view = ag.show.TrainingView(model, [(0.0, 1.0), (1.0, 0.0)], [1, -1])
    >>> for epoch in range(3):
    ...     view.record(loss=1.0 / (epoch + 1))
    >>> view
    <TrainingView of MLP; epochs: 3, kept: 3>
    >>> view.at(1)
    <TrainingPicture of epoch 1: loss 0.5 · 1 of 2 points wrong>

The parameters of some epochs are kept, evenly spaced, and pictures are made of them when they are asked for. A picture runs
the model with the numbers of its epoch and gives back those of today.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograd_lite.engine import Value
from autograd_lite.primitive import real_number
from autograd_lite.show.axis import Axis, axis_of
from autograd_lite.show.curves import curve_of, curve_point
from autograd_lite.show.network import Network, largest_of, levels_of, network_of
from autograd_lite.show.page import Page, checked_theme
from autograd_lite.show.regions import CLASSES, NODES, Runner, Scale, leveled, outlines, winner
from autograd_lite.show.samples import Samples, samples_of
from autograd_lite.show.text import short, shortened, shorter
from autograd_lite.show.training_page import page_of
from autograd_lite.show.training_picture import Moment, Scene, TrainingPicture

FRAMES = 60  # epochs whose parameters are kept
LARGEST = 100_000  # parameters of a model that is run for its decision regions
MARGIN = 0.08  # beside the points
LINES = 10  # of progress
_SPARKS = "▁▂▃▄▅▆▇█"


class TrainingView:
    """What becomes of a model in training; see `record` and `progress`. A notebook shows the picture of the last epoch.

    points, labels: what it is trained on. Where the points are pairs of numbers, the model is run on a grid, and its decision
        regions are drawn: a model with one output says by its sign which of two classes a point belongs to (the larger label is
        above `threshold`, which is 0, or 1/2 where the last layer is a sigmoid), one with more outputs by which is the largest.
    frames: so many epochs at most are kept, evenly spaced, and the last; `epochs` says which.
    theme: "auto" (readable on any background), "light" or "dark".

    Raises TypeError if the model has no parameters(), or points and labels are no sequences of numbers (labels may be strings);
    ValueError if they do not fit one another, for another theme, and for less than 2 frames.

    >>> import autograd_lite as ag
    >>> model = ag.nn.MLP(1, [2, 1])
    >>> view = ag.show.TrainingView(model)
    >>> view.record(loss=0.5)
    >>> view.epochs
    [0]
    """

    def __init__(
        self,
        model: Any,
        points: Any = None,
        labels: Any = None,
        *,
        frames: int = FRAMES,
        theme: str = "auto",
        threshold: float | None = None,
    ) -> None:
        if not callable(getattr(model, "parameters", None)):
            raise TypeError(
                "TrainingView takes a model with a method parameters(), as ag.nn.MLP and every ag.nn.Module have it;"
                f" not {type(model).__name__} {model!r:.60}"
            )
        if not isinstance(frames, int) or frames < 2:
            raise ValueError(f"frames is a whole number of at least 2, not {frames!r:.60}")
        self._model = model
        self._samples = samples_of(points, labels)
        self._limit = frames
        self._theme = checked_theme(theme, "a TrainingView")
        self._threshold = _threshold(model) if threshold is None else real_number(threshold, "threshold")
        self._runner = Runner(model)
        self._losses: list[float] = []
        self._accuracies: list[float | None] = []
        self._frames: dict[int, array[float]] = {}
        self._every = 1

    # --- while the model is trained

    def record(self, loss: float | Value, accuracy: float | None = None) -> None:
        """Note an epoch: its loss, its accuracy (0 to 1) if given, and the parameters as they are now, which are copied.

        A picture shows loss and parameters of the same moment if this is called before the parameters are changed.
        Raises TypeError if one is no number, ValueError if the model has another number of parameters
        than before, or the accuracy is not from 0 to 1.
        """
        number = loss.data if isinstance(loss, Value) else real_number(loss, "loss")
        share = None if accuracy is None else real_number(accuracy, "accuracy")
        if share is not None and (share < 0.0 or share > 1.0):
            raise ValueError(
                f"accuracy is a share, from 0 to 1, not {share!r}: divide percents by 100, numbers of points by all"
            )
        numbers = self._now()
        before = next(iter(self._frames.values()), numbers)
        if len(before) != len(numbers):
            raise ValueError(
                f"the model has {len(numbers):,} parameters now and had {len(before):,}: make another TrainingView for it"
            )
        epoch = len(self._losses)
        self._losses.append(number)
        self._accuracies.append(share)
        if epoch and (epoch - 1) % self._every:
            del self._frames[epoch - 1]
        self._frames[epoch] = numbers
        if len(self._frames) > self._limit:
            self._every *= 2
            self._frames = {k: kept for k, kept in self._frames.items() if k % self._every == 0 or k == epoch}

    def progress(self, epochs: Iterable[Any], total: int | None = None) -> Iterator[Any]:
        """The same epochs, with a progress bar where tqdm is installed, else ten lines in a terminal at most."""
        bar = _bar(epochs, total)
        return self._lines(epochs, total) if bar is None else self._barred(bar)

    def _barred(self, bar: Any) -> Iterator[Any]:
        try:
            for epoch in bar:
                yield epoch
                if self._losses:
                    bar.set_postfix_str(f"loss {shorter(self._losses[-1])}", refresh=False)
        finally:
            bar.close()

    def _lines(self, epochs: Iterable[Any], total: int | None) -> Iterator[Any]:
        count = total if total is not None else len(epochs) if isinstance(epochs, Sized) else 0
        told = 0
        for done, epoch in enumerate(epochs, 1):
            yield epoch
            if count and done * LINES // count > told and sys.stderr.isatty():
                told = done * LINES // count
                loss = f", loss {shorter(self._losses[-1])}" if self._losses else ""
                sys.stderr.write(f"{done} of {count}{loss}\n")

    def _now(self) -> array[float]:
        return array("d", [parameter.data for parameter in self._model.parameters()])

    # --- afterwards

    @property
    def epochs(self) -> list[int]:
        """The epochs whose parameters are kept, counted from 0."""
        return list(self._frames)

    def at(self, epoch: int | None = None) -> TrainingPicture:
        """The picture of an epoch, counted from 0; of the last one, or of the model as it is if nothing was recorded.

        Raises ValueError if there was no such epoch, or its parameters were not kept.
        """
        if epoch is None:
            epoch = len(self._losses) - 1
        elif epoch not in self._frames:
            count = len(self._losses)
            if not 0 <= epoch < count:
                there = f"the last one was {count - 1}" if count else "nothing was recorded yet"
                raise ValueError(f"there was no epoch {epoch!r:.60}: {there}")
            near = sorted(self._frames, key=lambda k: (abs(k - epoch), k))[:2]
            raise ValueError(
                f"the parameters of epoch {epoch} were not kept, as there are at most {self._limit} frames: ask for"
                f" {' or '.join([str(k) for k in sorted(near)])}, or make TrainingView(..., frames={count})"
            )
        scene = self._scene()
        return TrainingPicture(scene, self._moment(scene, epoch), self._theme, self._sparks())

    def explore(self, theme: str | None = None, height: int | None = None) -> Page:
        """One page with all the epochs that are kept, and a slider over them: it needs no kernel and no network.

        `height` is that of the frame in a notebook before its script runs. Raises ValueError for another theme than "auto",
        "light" and "dark".
        """
        scene = self._scene()
        epochs = self.epochs or [-1]
        moments = [self._moment(scene, epoch) for epoch in epochs]
        theme = checked_theme(self._theme if theme is None else theme, "the page of a training")
        name = type(self._model).__name__
        last = TrainingPicture(scene, moments[-1], self._theme, "")
        words = f"<Training of {name}; epochs: {len(self._losses):,}, shown: {len(self._frames):,}>"
        return Page(page_of(scene, moments, theme, f"Training of {name}"), last.to_svg, words, height or scene.height + 150)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page (html), or the picture of the last epoch (svg, png, pdf, txt), as the suffix says.

        Raises ValueError for another suffix, ImportError if what draws PNG and PDF is missing, OSError if it cannot be written.
        """
        if Path(path).suffix.lower() in (".html", ".htm"):
            self.explore().save(path)
        else:
            self.at().save(path)

    def __repr__(self) -> str:
        return f"<TrainingView of {type(self._model).__name__}; epochs: {len(self._losses):,}, kept: {len(self._frames):,}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The picture of the last epoch."""
        return self.at()._repr_mimebundle_(include, exclude)

    def _sparks(self) -> str:
        """The loss in small bars."""
        losses = self._losses[:: max(1, math.ceil(len(self._losses) / 40))]
        axis = axis_of(losses, logarithmic=True)
        shares = [axis.share(x) if math.isfinite(x) else None for x in losses]
        return "".join(["?" if share is None else _SPARKS[min(7, max(0, int(share * 8)))] for share in shares])

    # --- what is drawn

    @contextmanager
    def _as_of(self, epoch: int) -> Iterator[list[Value]]:
        """The parameters, which are those of an epoch for a while."""
        parameters = list(self._model.parameters())
        kept = [parameter.data for parameter in parameters]
        try:
            for parameter, number in zip(parameters, self._frames.get(epoch, kept), strict=True):
                parameter.data = number
            yield parameters
        finally:
            for parameter, number in zip(parameters, kept, strict=True):
                parameter.data = number

    def _scene(self) -> Scene:
        network = network_of(self._model)
        notes = network.notes() if network else []
        if network is None:
            notes = ["The network is left out: the model has no layers of neurons, as ag.nn.MLP has them"]
        samples, classes, reason = self._classes()
        if reason:
            notes.append(f"The decision regions are left out: {reason}")
        elif samples and len(samples.drawn) < len(samples.rows):
            notes.append(f"One in {samples.drawn.step:,} of {len(samples.rows):,} points is drawn")
        axes = None
        if samples and classes:
            axes = axis_of([row[0] for row in samples.rows], MARGIN), axis_of([row[1] for row in samples.rows], MARGIN)
        drawn = [self._drawn(network, frame) for frame in self._frames.values() or [self._now()]]
        largest = [largest_of([x for kinds in drawn for x in kinds[i]]) for i in (0, 1)]
        scene = Scene(samples, axes, classes, network, largest, Axis(0.0, max(1.0, len(self._losses) - 1.0)), {}, notes)
        if not self._losses:
            return scene
        figures = {"loss": (self._losses, axis_of(self._losses, 0.05, logarithmic=True))}
        if any([x is not None for x in self._accuracies]):
            figures["accuracy"] = (self._accuracies, Axis(0.0, 1.0))  # type: ignore[assignment]
        scene = scene._replace(curves=dict.fromkeys(figures))  # type: ignore[arg-type] # the plot is narrower for two of them
        return scene._replace(curves={name: curve_of(x, axis, scene.plot) for name, (x, axis) in figures.items()})

    def _classes(self) -> tuple[Samples | None, list[str], str]:
        """The points with the classes of the model, their names, and why there are none."""
        samples = self._samples
        if samples is None:
            return None, [], ""
        inputs = len(samples.rows[0])
        if inputs != 2:
            return samples, [], f"the points have {inputs} coordinate{'s' * (inputs != 1)}, not 2"
        count = len(self._now())
        if count > LARGEST:
            return samples, [], f"the model has {count:,} parameters, more than {LARGEST:,}"
        try:
            with self._as_of(-1) as parameters:
                outputs = len(self._runner.scores([[0.0, 0.0]], parameters)[0])
        except Exception as error:  # noqa: BLE001 - a model may raise anything, and the rest can still be drawn
            return samples, [], f"the model raises {type(error).__name__}: {shortened(str(error), 70)}"
        return _matched(samples, outputs, self._threshold)

    def _moment(self, scene: Scene, epoch: int) -> Moment:
        paths, wrong = self._decided(scene, epoch)
        weights, biases = self._levels(scene, epoch)
        numbers = {"loss": self._losses[epoch], "accuracy": self._accuracies[epoch]} if epoch >= 0 else {}
        marks = [
            curve_point(epoch, numbers[name], len(self._losses), curve.axis, scene.plot) for name, curve in scene.curves.items()
        ]
        loss, accuracy = numbers.get("loss"), numbers.get("accuracy")
        words = ["nothing recorded yet" if loss is None else f"loss {shorter(loss)}"]
        if accuracy is not None:
            words.append(f"accuracy {shorter(100.0 * accuracy)} %")
        if scene.axes and scene.samples and scene.samples.names:
            words.append(f"{sum(wrong):,} of {len(wrong):,} points wrong")
        return Moment(f"Epoch {epoch}" if epoch >= 0 else "Now", " · ".join(words), paths, weights, biases, wrong, marks)

    def _decided(self, scene: Scene, epoch: int) -> tuple[list[list[str]], list[bool]]:
        """The outlines of the decision regions at an epoch, and which of the points drawn lie on the wrong side."""
        if scene.axes is None or scene.samples is None:
            return [], []
        samples = scene.samples
        across, up = scene.axes
        grid = [
            (across.low + (across.high - across.low) * i / (NODES - 1), up.high - (up.high - up.low) * j / (NODES - 1))
            for j in range(NODES)
            for i in range(NODES)
        ]
        rows = [samples.rows[i] for i in samples.drawn]
        try:
            with self._as_of(epoch) as parameters:
                scores = self._runner.scores([*grid, *rows], parameters)
        except Exception:  # noqa: BLE001 - a model may raise anything with these parameters: nothing is decided then
            scores = [[math.nan]] * (len(grid) + len(rows))
        scale = Scale(self._threshold, 1.0 if self._threshold != 0.5 else 1.0 / 6.0)
        found = [winner(row, scale)[0] for row in scores[len(grid) :]]
        wrong = [bool(samples.names) and found[k] != samples.classes[i] for k, i in enumerate(samples.drawn)]
        return outlines([leveled(row, scale) for row in scores[: len(grid)]], NODES, len(scene.classes)), wrong

    def _levels(self, scene: Scene, epoch: int) -> list[list[int | None]]:
        """Weights and biases at an epoch, beside the largest of all epochs."""
        frame = self._frames.get(epoch)
        kinds = zip(self._drawn(scene.network, self._now() if frame is None else frame), scene.largest, strict=True)
        return [levels_of(numbers, largest) for numbers, largest in kinds]

    def _drawn(self, network: Network | None, frame: array[float]) -> list[list[float]]:
        """The weights and the biases that are drawn; what is no parameter, and what was none then, has the number of today."""
        if network is None:
            return [[], []]
        position = {parameter: i for i, parameter in enumerate(self._model.parameters())}
        kinds = [link.weight for link in network.links], [bias for _, _, bias in network.biases]
        places = [[(value, position.get(value, len(frame))) for value in values] for values in kinds]
        return [[frame[i] if i < len(frame) else value.data for value, i in each] for each in places]


def _matched(samples: Samples, outputs: int, threshold: float) -> tuple[Samples, list[str], str]:
    """Points in the classes of a model with so many outputs, the names of these, and why they cannot be told."""
    if outputs > CLASSES:
        return samples, [], f"the model has {outputs} outputs, and there are colours for {CLASSES}"
    kinds = len(samples.names)
    if outputs == 1:
        if kinds == 0:
            return samples, [f"below {short(threshold)}", f"above {short(threshold)}"], ""
        if kinds == 1:  # which of the two it is, its number says
            number = samples.names[0].replace("−", "-")
            is_upper = not number.startswith("-") and number != "0"
            classes = [int(is_upper)] * len(samples.rows)
            return samples._replace(classes=classes), ["other", number] if is_upper else [samples.names[0], "other"], ""
        if kinds == 2:
            return samples, samples.names, ""
        return samples, [], f"one score tells two classes apart, and the labels are of {kinds} kinds"
    numbers = [str(i) for i in range(outputs)]
    if kinds == 0:
        return samples, numbers, ""
    if set(samples.names) <= set(numbers):
        return samples._replace(classes=[int(samples.names[k]) for k in samples.classes], names=numbers), numbers, ""
    if kinds == outputs:
        return samples, samples.names, ""
    return samples, [], f"the model has {outputs} outputs, and the labels are of {kinds} kinds"


def _threshold(model: Any) -> float:
    """What the score of a model is compared with: in the middle of a sigmoid's results, else 0."""
    try:
        neuron = model.layers[-1].neurons[0]
    except (AttributeError, IndexError, TypeError):
        return 0.0
    return 0.5 if getattr(getattr(neuron, "activation", None), "name", None) == "sigmoid" else 0.0


def _bar(epochs: Iterable[Any], total: int | None) -> Any:
    """The progress bar of tqdm over these; None where tqdm is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a notebook has no widgets: it has a bar of text then
            tqdm: Callable[..., Any] = importlib.import_module("tqdm.auto").tqdm  # an extra, imported where it is used
    except ImportError:
        return None
    return tqdm(epochs, total=total, desc="training")
