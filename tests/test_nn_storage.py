import copy
import json
import math
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.nn import MLP, Layer, ModelFormatError, Module, Neuron, read_state, storage
from networks import Net, Scaled, bits, data

any_floats = st.floats() | st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan])
ZEROS = SimpleNamespace(uniform=lambda low, high: 0.0)
activations = st.sampled_from([None, "relu", "tanh", "sigmoid", "leaky_relu", "gelu", "sin"])
models = st.one_of(
    st.builds(
        MLP,
        st.integers(1, 4),
        st.lists(st.integers(1, 4), min_size=1, max_size=3),
        st.sampled_from(["relu", "tanh", None]),
        activations,
        st.just(ZEROS),
    ),
    st.builds(Layer, st.integers(1, 4), st.integers(1, 4), st.booleans(), activations, st.just(ZEROS)),
    st.builds(Neuron, st.integers(1, 5), st.booleans(), activations, st.just(ZEROS)),
)


# --- state


@given(models, st.data())
def test_state_goes_from_one_model_to_another(model, draw):
    numbers = {name: draw.draw(any_floats) for name in model.named_parameters()}
    model.load_state(dict(reversed(list(numbers.items()))))
    assert bits(model.state().values()) == bits(numbers.values())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: s.pop("b"), ModelFormatError, "'b' missing"),
        (lambda s: s.update(c=1.0, d=1.0), ModelFormatError, "'c', 'd' unexpected"),
        (
            lambda s: s.update({f"w[{i}]": 0.0 for i in range(9)}),
            ModelFormatError,
            r"'w\[2\]', 'w\[3\]', .* and 4 more unexpected",
        ),
        (lambda s: s.update(b="1.0"), TypeError, "parameter b .* str '1.0'"),
        (lambda s: s.update(b=None), TypeError, "parameter b"),
        (lambda s: s.update(b=ag.Value(1.0)), TypeError, "parameter b"),
        (lambda s: s.update(b=10**400), ValueError, "parameter b"),
    ],
)
def test_a_wrong_state_changes_nothing(change, error, words):
    model = Neuron(2)
    before, state = model.state(), {"w[0]": 9.0, "w[1]": 9.0, "b": 9.0}
    change(state)
    with pytest.raises(error, match=words):
        model.load_state(state)
    assert model.state() == before


def test_a_state_is_a_mapping():
    with pytest.raises(TypeError, match="not list"):
        Neuron(2).load_state([1.0, 2.0, 3.0])


def test_a_graph_recorded_before_loading_is_stale():
    model = Neuron(1, rng=random.Random(4))
    y = model(1.0)
    model.load_state({"w[0]": 5.0, "b": 1.0})
    with pytest.raises(ag.StaleGraphError):
        y.backward()


# --- JSON


@given(models, st.data())
def test_json_brings_back_class_shape_activations_and_bits(model, draw):
    for p in model.parameters():
        p.data = draw.draw(any_floats)
    before, text = random.getstate(), model.to_json()
    twins = [Module.from_json(text), type(model).from_json(text)]
    assert random.getstate() == before
    for twin in twins:
        assert type(twin) is type(model)
        assert repr(twin) == repr(model)
        assert bits(twin.state().values()) == bits(model.state().values())
        assert twin.to_json() == text
        assert twin.architecture() == model.architecture()
        inputs = [0.5] * model.architecture()["inputs"]
        assert bits(data(twin(inputs))) == bits(data(model(inputs)))
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_files(tmp_path):
    model, path = MLP(2, [3, 1], output_activation="tanh"), tmp_path / "model.json"
    model.save(path)
    assert path.read_text() == model.to_json()
    for twin in (MLP.load(path), Module.load(str(path))):
        assert twin.to_json() == model.to_json()
    assert read_state(path) == model.state()
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]
    with pytest.raises(ModelFormatError, match=r"model.json: Layer cannot read the model of a class 'MLP'"):
        Layer.load(path)
    with pytest.raises(FileNotFoundError):
        MLP.load(tmp_path / "other.json")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelFormatError, match=r"model.json: .*utf-8"):
        MLP.load(path)


def test_classes_of_ones_own(tmp_path):
    net, path = Net(seed=1), tmp_path / "net.json"
    net.save(path)
    other = Net(seed=2)
    assert other.state() != net.state()
    other.load_state(read_state(path))
    assert other.state() == net.state()
    with pytest.raises(ModelFormatError, match=r"no constructor's arguments .* load_state\(autograd_lite.nn.read_state"):
        Net.load(path)
    with pytest.raises(ModelFormatError, match="Module cannot read the model of a class 'Net'"):
        Module.load(path)
    scaled = Scaled(3, ["a"])
    twin = Scaled.from_json(scaled.to_json())
    assert (twin.state(), twin.names) == (scaled.state(), ["a"])
    with pytest.raises(ModelFormatError, match=r"make no Scaled: .*unexpected keyword"):
        Scaled.from_json(scaled.to_json().replace('"width"', '"breadth"'))


class Named:
    """A function that has a name of the table without being in it."""

    name = "tanh"

    def __call__(self, z):
        return z


def altered(change):
    model = MLP(2, [2, 2, 1])
    change(model)
    return model


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m.layers[0].neurons[1], "activation", ag.tanh),
        lambda m: setattr(m.layers[1], "neurons", [Neuron(2, activation="tanh"), Neuron(2, activation="tanh")]),
        lambda m: setattr(m.layers[0].neurons[0], "activation", lambda v: v * v),
        lambda m: setattr(m.layers[-1].neurons[0], "activation", Named()),
        lambda m: m.layers.insert(1, Layer(3, 2)),
        lambda m: m.layers.clear(),
        lambda m: m.layers[0].neurons.__setitem__(0, type("Mine", (Neuron,), {})(2)),
        lambda m: m.layers.__setitem__(1, type("Mine", (Layer,), {})(2, 2)),
    ],
)
def test_a_model_that_no_arguments_make_is_saved_all_the_same(change, tmp_path):
    model = altered(change)
    assert model.architecture() is None
    model.save(tmp_path / "model.json")
    twin = altered(change)
    twin.load_state(read_state(tmp_path / "model.json"))
    assert twin.state() == model.state()
    with pytest.raises(ModelFormatError, match="make one as it was"):
        MLP.load(tmp_path / "model.json")


def test_tied_weights_are_not_untied_in_silence():
    model = MLP(2, [2, 2])
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    with pytest.raises(ModelFormatError, match="missing"):
        MLP.from_json(model.to_json())


TEXT = MLP(1, [2, 1], activation="tanh", rng=random.Random(0)).to_json()


def edited(**changes):
    return json.dumps({**json.loads(TEXT), **changes})


WRONG_TEXTS = [
    ("", "not JSON, or a truncated file"),
    ("not a model", "not JSON"),
    (TEXT[:-3], "not JSON, or a truncated file"),
    ("[]", '"format" should be'),
    (edited(format="autograd_lite model 2"), "another version"),
    (edited(format=["autograd_lite model 1"]), '"format" should be'),
    (edited(extra=1), "has the keys"),
    (edited(**{"class": ["MLP"]}), '"class" should be a name'),
    (edited(**{"class": "os.system"}), "cannot read the model of a class 'os.system'"),
    (edited(arguments=[1]), '"arguments" should be'),
    (edited(arguments={}), "make no MLP"),
    (edited(arguments={"inputs": 1, "outputs": [2, 1]}), "the arguments of MLP should read"),
    (edited(parameters=[1.0]), '"parameters" should be'),
    (edited(parameters={}), "more weights than there are parameters"),
    (edited(parameters={**json.loads(TEXT)["parameters"], "c": 1.0}), "'c' unexpected"),
    (TEXT.replace('[0].b": 0.0', '[0].b": true', 1), r"\[0\].b.*True is no number"),
    (TEXT.replace('[0].b": 0.0', '[0].b": null', 1), "None is no number"),
    (TEXT.replace('[0].b": 0.0', '[0].b": "Infinity"', 1), "'Infinity' is no number"),
    (TEXT.replace('[0].b": 0.0', '[0].b": [0.0]', 1), "is no number"),
    (TEXT.replace('[0].b": 0.0', '[0].b": NaN', 1), 'NaN is no number of JSON; the strings "nan"'),
    (TEXT.replace('[0].b": 0.0', '[0].b": -1e999', 1), "-1e999 lies beyond the largest float"),
    (TEXT.replace('[0].b": 0.0', '[0].b": 1' + "0" * 400, 1), "lies beyond the largest float"),
    (TEXT.replace('[0].b": 0.0', '[0].b": 1' + "0" * 9999, 1), "not JSON"),
    (TEXT.replace('"format"', '"class": "MLP", "format"'), "'class' comes twice"),
    (TEXT.replace("null", '"no such"'), "make no MLP: no activation 'no such'"),
    (TEXT.replace("null", '["tanh"]'), "make no MLP: no activation"),
    (TEXT.replace('"inputs": 1', '"inputs": 2'), r"does not fit MLP of .*'layers\[0\].neurons\[0\].w\[1\]', .* missing"),
    (TEXT.replace('"inputs": 1', '"inputs": true'), "not bool"),
    (TEXT.replace('"inputs": 1', '"inputs": 1.0'), "not float"),
    (TEXT.replace('"inputs": 1', f'"inputs": {10**15}'), "more weights than there are parameters"),
    (TEXT.replace('"inputs": 1', '"rng": null, "inputs": 1'), "multiple values for keyword argument 'rng'"),
    (TEXT.replace('"inputs": 1', '"self": null, "inputs": 1'), "multiple values for argument 'self'"),
    (TEXT.replace('"inputs": 1', f'"inputs": {"[" * 40 + "]" * 40}'), "more than 32 brackets"),
    ("[" * 1_000_000, "more than 32 brackets"),
    ('{"a":' * 1_000_000, "more than 32 brackets"),
    ('"\\' * 1_000_000, "not JSON"),
    ('"' + "\\\n" * 1_000_000, "not JSON"),
]


@pytest.mark.parametrize(("text", "words"), WRONG_TEXTS, ids=range(len(WRONG_TEXTS)))
def test_wrong_texts_get_a_clear_error(text, words):
    with pytest.raises(ModelFormatError, match=words):
        Module.from_json(text)


def test_brackets_in_strings_do_not_count():
    net = Module()
    net.table = {"[{" * 50 + '"\\': ag.Value(1.0)}
    twin = copy.deepcopy(net)
    net.table["[{" * 50 + '"\\'].data = 2.0
    twin.load_state(storage.from_text(net.to_json()).parameters)
    assert data(twin.parameters()) == [2.0]


@pytest.mark.parametrize("text", [None, b"{}", 3])
def test_a_saved_model_is_a_string(text):
    with pytest.raises(TypeError, match="JSON in a string"):
        Module.from_json(text)


def read_or_refuse(text):
    """A text gives a model that says what the text says, or the one error, and nothing else."""
    before = random.getstate()
    try:
        model = Module.from_json(text)
    except ModelFormatError as refusal:
        said = str(refusal)
    else:
        said = ""
        assert json.loads(model.to_json())["arguments"] == json.loads(text)["arguments"]
        assert Module.from_json(model.to_json()).to_json() == model.to_json()
    assert len(said) < 1000
    assert random.getstate() == before


def test_every_truncation_is_noticed():
    for length in range(len(TEXT.rstrip())):
        with pytest.raises(ModelFormatError):
            Module.from_json(TEXT[:length])


@given(st.integers(0, len(TEXT)), st.integers(0, 8), st.text(max_size=8) | st.text('[]{}",:.-+0123456789eE\\naif', max_size=8))
def test_fuzz_of_characters(start, length, instead):
    read_or_refuse(TEXT[:start] + instead + TEXT[start + length :])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.just("MLP"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("inputs"), inner, max_size=3),
)


def places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


@given(st.sampled_from(list(places(json.loads(TEXT)))), json_values, st.booleans())
def test_fuzz_of_structure(path, instead, remove):
    whole = holder = [json.loads(TEXT)]
    for key in (0, *path)[:-1]:
        holder = holder[key]
    if remove and path:
        del holder[path[-1]]
    else:
        holder[(0, *path)[-1]] = instead
    read_or_refuse(json.dumps(whole[0]))


@given(json_values)
def test_fuzz_of_arguments(arguments):
    read_or_refuse(edited(arguments={"inputs": arguments, "outputs": [2, 1], "activation": "tanh", "output_activation": None}))
    read_or_refuse(edited(arguments={"inputs": 1, "outputs": arguments, "activation": "tanh", "output_activation": None}))
    read_or_refuse(edited(arguments=arguments))


# --- saving is all or nothing


@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.replace", "shutil.copymode"])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
def test_an_interrupted_save_leaves_the_older_file(tmp_path, monkeypatch, place, fault):
    path = tmp_path / "model.json"
    old = MLP(2, [2, 1])
    old.save(path)

    def fail(*_):
        raise fault("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(place, fail)
        with pytest.raises(fault, match="in the middle"):
            MLP(2, [3, 1]).save(path)
    assert path.read_text() == old.to_json()
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]
    new = MLP(2, [3, 1])
    new.save(path)
    assert path.read_text() == new.to_json()


def test_a_process_killed_while_saving_leaves_the_older_file(tmp_path):
    path = tmp_path / "model.json"
    Neuron(2).save(path)
    before = path.read_text()
    program = (
        "import os, sys; from autograd_lite.nn import Neuron; os.fsync = lambda _: os._exit(9); Neuron(3).save(sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 9
    assert path.read_text() == before


def test_a_save_that_cannot_be_written_as_json_leaves_the_older_file(tmp_path):
    path = tmp_path / "model.json"
    scaled = Scaled(2)
    scaled.save(path)
    before = path.read_text()
    scaled.names = [object()]
    with pytest.raises(TypeError, match="JSON"):
        scaled.save(path)
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.json"]


def test_a_save_follows_links_and_keeps_permissions(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    Neuron(1).save(real)
    real.chmod(0o640)
    link.symlink_to(real)
    model = Neuron(2)
    model.save(link)
    assert link.is_symlink()
    assert real.read_text() == model.to_json()
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_save_replaces_only_files(tmp_path):
    for path in (tmp_path, os.devnull):
        with pytest.raises(OSError, match="no regular file"):
            Neuron(1).save(path)
    with pytest.raises(FileNotFoundError):
        Neuron(1).save(tmp_path / "nowhere" / "model.json")
