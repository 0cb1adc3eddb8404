"""A small GPT and its training in plain scalar code, on any class of Values: names, one character a token, one name a step.

    python tests/microgpt.py

The algorithm is that of Andrej Karpathy's microgpt (https://karpathy.github.io/2026/02/12/microgpt/), reproduced to the last
few bits: one seeded generator shuffles the names and draws the weights; one layer of 16 dimensions, 4 heads, context 16, no
biases, root mean square normalisation, relu; Adam with a rate that falls linearly. tests/data/microgpt_gold.json has the
first losses.

A class of Values needs ``+ - * / **`` on two Values and on a Value and a number, `log`, `exp`, `relu`, `backward`, and the
attributes `data` and `grad`.
"""

import random
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
WIDTH, HEADS, CONTEXT = 16, 4, 16
HEAD_WIDTH = WIDTH // HEADS
RATE, MOMENTUM, DECAY, EPSILON, STEPS = 0.01, 0.85, 0.99, 1e-8, 1000


def dot(xs, ys):
    return sum([x * y for x, y in zip(xs, ys, strict=True)])


def added(xs, ys):
    return [x + y for x, y in zip(xs, ys, strict=True)]


def linear(matrix, xs):
    return [dot(row, xs) for row in matrix]


def softmax(xs):
    largest = max([x.data for x in xs])  # subtracted for exp not to overflow
    exponentials = [(x - largest).exp() for x in xs]
    total = sum(exponentials)
    return [e / total for e in exponentials]


def normalised(xs):
    """Divided by their root mean square."""
    scale = (dot(xs, xs) / len(xs) + 1e-5) ** -0.5
    return [x * scale for x in xs]


class SmallGPT:
    """The model, the shuffled names and the optimizer's state; `step` is one step of training and gives its loss."""

    def __init__(self, value_class, seed=42):
        generator = random.Random(seed)
        self.documents = (DATA / "names.txt").read_text(encoding="utf-8").split()
        generator.shuffle(self.documents)
        self.alphabet = sorted(set("".join(self.documents)))
        self.boundary = len(self.alphabet)  # the token before the first character and after the last
        vocabulary = len(self.alphabet) + 1
        self.parameters = []

        def matrix(rows, columns):
            numbers = [[value_class(generator.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]
            self.parameters += [x for row in numbers for x in row]
            return numbers

        # The draws are part of the algorithm, and so is their order.
        self.token_embedding = matrix(vocabulary, WIDTH)
        self.position_embedding = matrix(CONTEXT, WIDTH)
        self.head = matrix(vocabulary, WIDTH)
        self.query, self.key, self.value, self.output = [matrix(WIDTH, WIDTH) for _ in range(4)]
        self.widen, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)
        self.steps = 0

    def logits(self, token, position, keys, values):
        """Of every token to come next; the key and the value of this position are appended to those before."""
        x = normalised(added(self.token_embedding[token], self.position_embedding[position]))
        x = added(self.attention(normalised(x), keys, values), x)
        hidden = [y.relu() for y in linear(self.widen, normalised(x))]
        x = added(linear(self.narrow, hidden), x)
        return linear(self.head, x)

    def attention(self, x, keys, values):
        """Every head mixes the values so far by how well their keys match the query."""
        query = linear(self.query, x)
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        mixed = []
        for start in range(0, WIDTH, HEAD_WIDTH):
            part = slice(start, start + HEAD_WIDTH)
            shares = softmax([dot(query[part], key[part]) / HEAD_WIDTH**0.5 for key in keys])
            mixed += [dot(shares, column) for column in zip(*[value[part] for value in values], strict=True)]
        return linear(self.output, mixed)

    def loss(self):
        """The mean over the positions of this step's name of -log(the next character's probability)."""
        document = self.documents[self.steps % len(self.documents)]
        tokens = [self.boundary, *[self.alphabet.index(character) for character in document], self.boundary]
        keys, values, losses = [], [], []
        for position in range(min(CONTEXT, len(tokens) - 1)):
            probabilities = softmax(self.logits(tokens[position], position, keys, values))
            losses.append(-probabilities[tokens[position + 1]].log())
        return sum(losses) / len(losses)

    def update(self):
        """One step of Adam; the gradients start from zero again."""
        rate = RATE * (1.0 - self.steps / STEPS)
        self.steps += 1
        mean_share, square_share = 1.0 - MOMENTUM**self.steps, 1.0 - DECAY**self.steps
        means, squares = self.means, self.squares
        for i, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            means[i] = mean = MOMENTUM * means[i] + (1.0 - MOMENTUM) * gradient
            squares[i] = square = DECAY * squares[i] + (1.0 - DECAY) * gradient * gradient
            parameter.data -= rate * (mean / mean_share) / ((square / square_share) ** 0.5 + EPSILON)
            parameter.grad = 0.0

    def step(self):
        loss = self.loss()
        loss.backward()
        self.update()
        return loss.data


def main(steps=10):
    from autograd_lite import Value

    model = SmallGPT(Value)
    print(f"{len(model.documents):,} names, {len(model.parameters):,} parameters")
    for k in range(steps):
        print(f"step {k}  {model.documents[k]:<12} loss {model.step():.16f}")


if __name__ == "__main__":
    main()
