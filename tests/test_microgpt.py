"""The small GPT in plain scalar code: it learns as recorded, on every class of Values."""

import json

import pytest

import autograd_lite
from benchmarks import local_gradients
from engines import load_engine
from microgpt import CONTEXT, DATA, SmallGPT, softmax

GOLD = json.loads((DATA / "microgpt_gold.json").read_text())
CLASSES = {"ours": autograd_lite.Value, "pure": load_engine(pure=True).Value, "local gradients": local_gradients.Value}


@pytest.mark.parametrize("value_class", CLASSES.values(), ids=CLASSES)
def test_losses_and_first_gradient_are_those_recorded(value_class):
    model = SmallGPT(value_class)
    assert model.documents[: len(GOLD["docs"])] == GOLD["docs"]
    assert len(model.parameters) == 4192
    loss = model.loss()
    loss.backward()
    gradient = [parameter.grad for parameter in model.parameters]
    assert gradient[: len(GOLD["grad_step0_first64"])] == GOLD["grad_step0_first64"]
    assert sum([x * x for x in gradient]) == pytest.approx(GOLD["grad_step0_norm2"], rel=1e-13)
    model.update()
    losses = [loss.data, model.step(), model.step()]
    assert losses == pytest.approx(GOLD["loss"][:3], rel=1e-12)


def test_both_engines_learn_the_same_bits():
    ours, pure = SmallGPT(CLASSES["ours"]), SmallGPT(CLASSES["pure"])
    assert [ours.step().hex() for _ in range(2)] == [pure.step().hex() for _ in range(2)]
    assert [p.data.hex() for p in ours.parameters] == [p.data.hex() for p in pure.parameters]


def test_a_long_name_fills_the_context_and_no_more():
    model = SmallGPT(local_gradients.Value)
    model.documents = ["a" * (CONTEXT - 1), "a" * (CONTEXT + 3)]
    positions = []
    logits = model.logits
    model.logits = lambda token, position, *cache: positions.append(position) or logits(token, position, *cache)
    model.loss()
    model.steps = 1
    model.loss()
    assert positions == 2 * list(range(CONTEXT))


def test_softmax_of_large_numbers():
    shares = softmax([autograd_lite.Value(x) for x in (1000.0, 1000.0, -1000.0)])
    assert [share.data for share in shares] == [0.5, 0.5, 0.0]
