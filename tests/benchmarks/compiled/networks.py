"""Row B3: a training step of two networks: micrograd's demo on 100 points at once, and the small GPT on one name.

A step gives the loss, its gradient and the parameters after the update, and starts from the same parameters at every call. The
update is NumPy's for ours and the hand-written backpropagation; theirs for JAX and PyTorch. The GPT's function takes the
embeddings of a name's characters and one-hot targets, so that one kernel serves all names of a length.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.compiled.workloads import JAX, TORCH, Call, Side, Workload, jax_on_one_core, run_workload, torch_on_one_core
from benchmarks.measure import Result, Settings
from microgpt import CONTEXT, DECAY, EPSILON, HEAD_WIDTH, HEADS, MOMENTUM, RATE, WIDTH, SmallGPT

DATA = Path(__file__).resolve().parents[2] / "data"
SIZES = (2, 16, 16, 1)
NUMPY = "NumPy by hand"
SQUARES_FLOOR = 1e-5  # of the normalisation


def score(parameters: Any, point: Any) -> Any:
    """The network of the demo; a neuron's parameters are its weights and its bias, neurons and layers follow each other."""
    unused, xs = iter(parameters), list(point)
    for k, (inputs, outputs) in enumerate(pairwise(SIZES)):
        sums = []
        for _ in range(outputs):
            weights = [next(unused) for _ in range(inputs)]
            sums.append(sum([w * x for w, x in zip(weights, xs, strict=True)]) + next(unused))
        xs = sums if k == len(SIZES) - 2 else [ag.relu(x) for x in sums]
    return xs[0]


def hinge(parameters: Any, point: Any, label: Any) -> Any:
    """A point's loss."""
    return ag.relu(1.0 - label * score(parameters, point))


SHAPES = {
    "position": (CONTEXT, WIDTH),
    "head": (27, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "output": (WIDTH, WIDTH),
    "widen": (4 * WIDTH, WIDTH),
    "narrow": (WIDTH, 4 * WIDTH),
}
"""The GPT's matrices after the embedding of the characters, in their order."""


def matrices(flat: Any) -> dict[str, Any]:
    """The matrices of a flat array."""
    found, start = {}, 0
    for name, (rows, columns) in SHAPES.items():
        found[name] = flat[start : start + rows * columns].reshape(rows, columns)
        start += rows * columns
    return found


def dot(xs: Any, ys: Any) -> Any:
    return sum([x * y for x, y in zip(xs, ys, strict=True)])


def linear(matrix: Any, xs: Any) -> list[Any]:
    return [dot(row, xs) for row in matrix]


def normalised(xs: Any) -> list[Any]:
    """Divided by their root mean square."""
    scale = 1.0 / ag.sqrt(dot(xs, xs) / len(xs) + SQUARES_FLOOR)
    return [x * scale for x in xs]


def name_loss(model: Any, embedded: Any, targets: Any) -> Any:
    """The small GPT of tests/microgpt.py: the mean over positions of the surprise at the next character."""
    keys, values, losses = [], [], []
    for token, position, target in zip(embedded, model["position"], targets, strict=False):
        x = normalised([a + b for a, b in zip(token, position, strict=True)])
        inside = normalised(x)
        query = linear(model["query"], inside)
        keys.append(linear(model["key"], inside))
        values.append(linear(model["value"], inside))
        mixed = []
        for start in range(0, WIDTH, HEAD_WIDTH):
            part = slice(start, start + HEAD_WIDTH)
            scores = [dot(query[part], key[part]) / HEAD_WIDTH**0.5 for key in keys]
            total = ag.logsumexp(*scores)
            shares = [ag.exp(s - total) for s in scores]
            mixed += [dot(shares, column) for column in zip(*[value[part] for value in values], strict=True)]
        x = [a + b for a, b in zip(linear(model["output"], mixed), x, strict=True)]
        hidden = [ag.relu(h) for h in linear(model["widen"], normalised(x))]
        x = [a + b for a, b in zip(linear(model["narrow"], hidden), x, strict=True)]
        logits = linear(model["head"], x)
        losses.append(ag.logsumexp(*logits) - dot(logits, target))
    return sum(losses) / len(losses)


def ours_moons(parameters: Any, points: Any, labels: Any, alpha: float) -> Call:
    """The points' mean loss compiled; the penalty on the parameters is added outside, and so is the update."""
    function = ag.compile(ag.value_and_grad(hinge), batch=(None, 0, 0), reduce="mean")

    def call() -> list[Any]:
        loss, gradient = function(parameters, points, labels)
        gradient = gradient + 2.0 * alpha * parameters
        return [loss + alpha * (parameters @ parameters), gradient, parameters - gradient]

    return call


def ours_gpt(parameters: Any, tokens: list[int]) -> Call:
    """The loss of a name of this length compiled: a function of the embedded characters and of all other parameters."""
    derivative = ag.value_and_grad(lambda flat, embedded, targets: name_loss(matrices(flat), embedded, targets), (0, 1))
    function = ag.compile(derivative, batch=(None, None, None))
    embedding, _, targets = split(parameters, tokens)
    others, places, adam = parameters[embedding.size :], tokens[:-1], Adam(parameters)

    def call() -> list[Any]:
        loss, (by_others, by_embedded) = function(others, embedding[places], targets)
        gradient = np.zeros(len(parameters))
        gradient[embedding.size :] = by_others
        np.add.at(gradient[: embedding.size].reshape(embedding.shape), places, by_embedded)
        return [loss, gradient, adam(gradient)]

    return call


def split(parameters: Any, tokens: list[int]) -> tuple[Any, dict[str, Any], Any]:
    """The embedding of the characters, the other matrices, and the one-hot targets."""
    vocabulary = SHAPES["head"][0]
    embedding = parameters[: vocabulary * WIDTH].reshape(vocabulary, WIDTH)
    return embedding, matrices(parameters[vocabulary * WIDTH :]), np.eye(vocabulary)[tokens[1:]]


class Adam:
    """The first step of Adam from these parameters."""

    def __init__(self, parameters: Any) -> None:
        self.parameters, self.means, self.squares = parameters, np.zeros(len(parameters)), np.zeros(len(parameters))

    def __call__(self, gradient: Any) -> Any:
        means = MOMENTUM * self.means + (1.0 - MOMENTUM) * gradient
        squares = DECAY * self.squares + (1.0 - DECAY) * gradient * gradient
        return self.parameters - RATE * (means / (1.0 - MOMENTUM)) / (np.sqrt(squares / (1.0 - DECAY)) + EPSILON)


def moons_data(count: int) -> list[Any]:
    """The demo's first parameters, so many of its points, their labels, and the weight of the penalty."""
    moons = json.loads((DATA / "micrograd_moons.json").read_text())
    arrays = [np.array(moons["params0"]), np.array(moons["X"])[:count], np.array(moons["y"], dtype=float)[:count]]
    return [*arrays, moons["alpha"]]


def gpt_data(length: int | None = None) -> list[Any]:
    """The first parameters and the tokens of the first name, or of its first characters."""
    model = SmallGPT(float)
    name = model.documents[0][:length]
    return [np.array(model.parameters), [model.boundary, *map(model.alphabet.index, name), model.boundary]]


def expected_moons(parameters: Any, points: Any, labels: Any, alpha: float) -> list[Any]:
    """By the eager engine, the penalty included."""

    def loss(parameters: Any) -> Any:
        losses = [hinge(parameters, point, label) for point, label in zip(points.tolist(), labels.tolist(), strict=True)]
        return sum(losses) / len(losses) + alpha * sum([p * p for p in parameters])

    value, gradient = ag.value_and_grad(loss)(parameters.tolist())
    return [value, gradient, parameters - gradient]


def expected_gpt(parameters: Any, tokens: list[int]) -> list[Any]:
    """By the eager engine, the lookup of embeddings included."""

    def loss(parameters: Any) -> Any:
        embedding, model, targets = split(parameters, tokens)
        return name_loss(model, embedding[tokens[:-1]], targets)

    value, gradient = ag.value_and_grad(loss)(parameters)
    return [value, gradient, Adam(parameters)(gradient)]


def numpy_moons(parameters: Any, points: Any, labels: Any, alpha: float) -> Call:
    """Backpropagation by hand, a matrix product a layer and direction."""
    layers, start = [], 0
    for inputs, outputs in pairwise(SIZES):
        layers.append(parameters[start : start + outputs * (inputs + 1)].reshape(outputs, inputs + 1))
        start += outputs * (inputs + 1)

    def call() -> list[Any]:
        xs, x = [], points
        for k, layer in enumerate(layers):
            xs.append(x)
            x = x @ layer[:, :-1].T + layer[:, -1]
            if k < len(layers) - 1:
                x = np.maximum(x, 0.0)
        margins = 1.0 - labels * x[:, 0]
        loss = np.maximum(margins, 0.0).mean() + alpha * (parameters @ parameters)
        bar = (-labels * (margins > 0.0) / len(labels))[:, None]
        parts = []
        for k in range(len(layers) - 1, -1, -1):
            parts += [np.hstack([bar.T @ xs[k], bar.sum(0)[:, None]]).reshape(-1)]
            if k > 0:
                bar = (bar @ layers[k][:, :-1]) * (xs[k] > 0.0)
        gradient = np.concatenate(parts[::-1]) + 2.0 * alpha * parameters
        return [loss, gradient, parameters - gradient]

    return call


def numpy_gpt(parameters: Any, tokens: list[int]) -> Call:
    """Backpropagation by hand on all positions and heads at once."""
    embedding, model, _ = split(parameters, tokens)
    places, targets, count = np.array(tokens[:-1]), np.array(tokens[1:]), len(tokens) - 1
    later, scale = np.triu(np.full((count, count), -np.inf), 1), HEAD_WIDTH**-0.5
    inward = np.concatenate([model["query"], model["key"], model["value"]])
    adam, rows = Adam(parameters), np.arange(count)

    def norm(x: Any) -> tuple[Any, Any]:
        factor = 1.0 / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / WIDTH + SQUARES_FLOOR)
        return x * factor, factor

    def norm_back(bar: Any, y: Any, factor: Any) -> Any:
        return factor * (bar - y * (np.einsum("ij,ij->i", bar, y)[:, None] / WIDTH))

    def heads(x: Any) -> Any:
        return x.reshape(count, HEADS, HEAD_WIDTH).transpose(1, 0, 2)

    def together(x: Any) -> Any:
        return x.transpose(1, 0, 2).reshape(count, WIDTH)

    def call() -> list[Any]:
        x0, factor0 = norm(embedding[places] + model["position"][:count])
        inside, factor1 = norm(x0)
        q, k, v = [heads(x) for x in np.split(inside @ inward.T, 3, axis=1)]
        shares = np.exp(q @ k.transpose(0, 2, 1) * scale + later)
        shares /= shares.sum(2, keepdims=True)
        mixed = together(shares @ v)
        x1 = mixed @ model["output"].T + x0
        y1, factor2 = norm(x1)
        hidden = np.maximum(y1 @ model["widen"].T, 0.0)
        x2 = hidden @ model["narrow"].T + x1
        chances = np.exp(x2 @ model["head"].T)
        sums = chances.sum(1)
        loss = -np.log(chances[rows, targets] / sums).mean()

        bar = chances / (sums[:, None] * count)
        bar[rows, targets] -= 1.0 / count
        by_head, x2_bar = bar.T @ x2, bar @ model["head"]
        hidden_bar = (x2_bar @ model["narrow"]) * (hidden > 0.0)
        x1_bar = x2_bar + norm_back(hidden_bar @ model["widen"], y1, factor2)
        mixed_bar = heads(x1_bar @ model["output"])
        shares_bar = mixed_bar @ v.transpose(0, 2, 1)
        scores_bar = shares * (shares_bar - (shares_bar * shares).sum(2, keepdims=True)) * scale
        parts = scores_bar @ k, scores_bar.transpose(0, 2, 1) @ q, shares.transpose(0, 2, 1) @ mixed_bar
        inward_bar = np.concatenate([together(x) for x in parts], axis=1)
        x0_bar = norm_back(x1_bar + norm_back(inward_bar @ inward, inside, factor1), x0, factor0)

        by_embedding, by_position = np.zeros_like(embedding), np.zeros((CONTEXT, WIDTH))
        np.add.at(by_embedding, places, x0_bar)
        by_position[:count] = x0_bar
        ends = x1_bar.T @ mixed, hidden_bar.T @ y1, x2_bar.T @ hidden
        found = by_embedding, by_position, by_head, inward_bar.T @ inside, *ends
        gradient = np.concatenate([x.reshape(-1) for x in found])
        return [loss, gradient, adam(gradient)]

    return call


def gpt_of_arrays(package: Any, logsumexp: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The loss in operations on arrays, for JAX and PyTorch."""

    def norm(x: Any) -> Any:
        return x / package.sqrt((x * x).mean(1)[:, None] + SQUARES_FLOOR)

    def loss(parameters: Any, places: Any, targets: Any, later: Any) -> Any:
        size = SHAPES["head"][0] * WIDTH
        embedding, model = parameters[:size].reshape(-1, WIDTH), matrices(parameters[size:])
        x = norm(embedding[places] + model["position"][:count])
        inside = norm(x)
        q, k, v = [(inside @ model[name].T).reshape(count, HEADS, HEAD_WIDTH) for name in ("query", "key", "value")]
        scores = package.einsum("ihd,jhd->hij", q, k) * HEAD_WIDTH**-0.5 + later
        shares = package.exp(scores - logsumexp(scores, 2)[:, :, None])
        x = package.einsum("hij,jhd->ihd", shares, v).reshape(count, WIDTH) @ model["output"].T + x
        hidden = norm(x) @ model["widen"].T
        x = (hidden * (hidden > 0.0)) @ model["narrow"].T + x
        logits = x @ model["head"].T
        return (logsumexp(logits, 1) - (logits * targets).sum(1)).mean()

    return loss


def moons_of_arrays(parameters: Any, points: Any, labels: Any, alpha: float) -> Any:
    """The loss in operations on arrays, for JAX and PyTorch."""
    x, start = points, 0
    for k, (inputs, outputs) in enumerate(pairwise(SIZES)):
        layer = parameters[start : start + outputs * (inputs + 1)].reshape(outputs, inputs + 1)
        start += outputs * (inputs + 1)
        x = x @ layer[:, :-1].T + layer[:, -1]
        if k < len(SIZES) - 2:
            x = x * (x > 0.0)
    margins = 1.0 - labels * x[:, 0]
    return (margins * (margins > 0.0)).mean() + alpha * (parameters * parameters).sum()


def gpt_arrays(tokens: list[int]) -> list[Any]:
    """Places, one-hot targets and the mask of later positions."""
    count = len(tokens) - 1
    later = np.triu(np.full((count, count), -np.inf), 1)
    return [np.array(tokens[:-1]), np.eye(SHAPES["head"][0])[tokens[1:]], later]


def jax_moons(parameters: Any, points: Any, labels: Any, alpha: float) -> Call:
    """One jit for the whole step."""
    jax = jax_on_one_core()

    @jax.jit
    def step(parameters: Any, points: Any, labels: Any) -> Any:
        loss, gradient = jax.value_and_grad(moons_of_arrays)(parameters, points, labels, alpha)
        return loss, gradient, parameters - gradient

    there = [jax.numpy.array(x) for x in (parameters, points, labels)]
    return lambda: jax.block_until_ready(step(*there))


def jax_gpt(parameters: Any, tokens: list[int]) -> Call:
    """One jit for the whole step."""
    jax = jax_on_one_core()
    loss_of = gpt_of_arrays(jax.numpy, jax.scipy.special.logsumexp, len(tokens) - 1)

    @jax.jit
    def step(parameters: Any, *others: Any) -> Any:
        loss, gradient = jax.value_and_grad(loss_of)(parameters, *others)
        return loss, gradient, parameters - RATE * gradient / (jax.numpy.abs(gradient) + EPSILON)  # Adam's first step

    there = [jax.numpy.array(x) for x in (parameters, *gpt_arrays(tokens))]
    return lambda: jax.block_until_ready(step(*there))


def torch_moons(parameters: Any, points: Any, labels: Any, alpha: float) -> Call:
    """Eager tensors."""
    torch = torch_on_one_core()
    given = torch.tensor(parameters, requires_grad=True)
    there = torch.tensor(points), torch.tensor(labels)

    def call() -> list[Any]:
        loss = moons_of_arrays(given, *there, alpha)
        (gradient,) = torch.autograd.grad(loss, given)
        return [loss.detach(), gradient, (given - gradient).detach()]

    return call


def torch_gpt(parameters: Any, tokens: list[int]) -> Call:
    """Eager tensors."""
    torch = torch_on_one_core()
    given = torch.tensor(parameters, requires_grad=True)
    there = [torch.tensor(x) for x in gpt_arrays(tokens)]
    loss_of = gpt_of_arrays(torch, torch.logsumexp, len(tokens) - 1)

    def call() -> list[Any]:
        loss = loss_of(given, *there)
        (gradient,) = torch.autograd.grad(loss, given)
        with torch.no_grad():
            return [loss.detach(), gradient, given - RATE * gradient / (abs(gradient) + EPSILON)]  # Adam's first step

    return call


def moons(count: int) -> Workload:
    """A step of the demo on so many points."""
    given = moons_data(count)
    return Workload(
        row="B3",
        title=f"moons, a step on {count} points",
        unit="us/step",
        scale=1e6,
        ours=Side(partial(ours_moons, *given)),
        peers={
            NUMPY: Side(partial(numpy_moons, *given)),
            JAX: Side(partial(jax_moons, *given), ("jax",)),
            TORCH: Side(partial(torch_moons, *given), ("torch",)),
        },
        expected=partial(expected_moons, *given),
        goals={TORCH: 10.0},
    )


def gpt(length: int | None = None) -> Workload:
    """A step of the GPT on the first name, or its first characters."""
    given = gpt_data(length)
    return Workload(
        row="B3",
        title=f"small GPT, a step on a name of {len(given[1]) - 2} characters",
        unit="us/step",
        scale=1e6,
        ours=Side(partial(ours_gpt, *given)),
        peers={
            NUMPY: Side(partial(numpy_gpt, *given)),
            JAX: Side(partial(jax_gpt, *given), ("jax",)),
            TORCH: Side(partial(torch_gpt, *given), ("torch",)),
        },
        expected=partial(expected_gpt, *given),
        goals={NUMPY: 1.0},
    )


def run_networks(settings: Settings) -> Iterator[Result]:
    """Row B3."""
    yield run_workload(moons(100), settings)
    yield run_workload(gpt(), settings)
