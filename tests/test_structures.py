"""Structures: taken apart and put together again, matched by position and by key."""

import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import Value, structures


class Pair(NamedTuple):
    left: Any
    right: Any


numbers = st.floats(allow_nan=False)
nested = st.recursive(
    numbers | st.integers(-5, 5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.builds(Pair, inner, inner)
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal, of the same classes all the way down, dicts in the same order."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(nested)
def test_rebuilding_from_the_leaves_gives_the_structure(structure):
    leaves, rebuild = structures.flatten(structure)
    assert same(rebuild(iter(leaves)), structure)


@given(nested)
def test_a_structure_is_rebuilt_as_often_as_one_likes(structure):
    leaves, rebuild = structures.flatten(structure)
    marked = rebuild(iter(range(len(leaves))))
    assert structures.flatten(marked)[0] == list(range(len(leaves)))
    assert same(rebuild(iter(leaves)), structure)


@given(nested)
def test_a_structure_matches_itself(structure):
    assert structures.leaves_like(structure, structure, "v") == structures.flatten(structure)[0]


def test_leaves_come_from_left_to_right():
    assert structures.flatten({"b": [1, (2, 3)], "a": np.array([[4.0, 5.0], [6.0, 7.0]])})[0] == [1, 2, 3, 4.0, 5.0, 6.0, 7.0]


def test_what_is_rebuilt_shares_no_container_with_the_original():
    inner = [1.0, 2.0]
    given_structure = {"a": inner, "b": inner}
    leaves, rebuild = structures.flatten(given_structure)
    twin = rebuild(iter(leaves))
    twin["a"].append(3.0)
    twin["c"] = 4.0
    assert given_structure == {"a": [1.0, 2.0], "b": [1.0, 2.0]}
    assert rebuild(iter(leaves)) == given_structure


def test_structures_are_equal_where_keys_are_the_same_in_the_same_order():
    a, twin = Value(1.0), Value(1.0)
    dicts = [{a: 1}, {twin: 1}, {a: 1, twin: 2}, {twin: 2, a: 1}]
    of_a, of_twin, of_both, reordered = [structures.flatten(x)[1] for x in dicts]
    assert of_a == structures.flatten({a: 2.5})[1]
    assert of_a != of_twin  # another node, though of the same number
    assert of_both != reordered
    assert structures.flatten({1: 0.0})[1] == structures.flatten({1.0: 0.0})[1]
    assert structures.flatten({"a": 0.0})[1] != structures.flatten({"b": 0.0})[1] != structures.flatten([0.0])[1]


def test_subclasses_of_dict_keep_class_and_behaviour():
    counts = defaultdict(lambda: 7.0, a=1.0)
    leaves, rebuild = structures.flatten(counts)
    twin = rebuild(iter([x + 1.0 for x in leaves]))
    assert type(twin) is defaultdict
    assert twin["a"] == 2.0
    assert twin["missing"] == 7.0
    assert counts == {"a": 1.0}
    ordered = OrderedDict([("z", 1.0), ("a", 2.0)])
    assert same(structures.flatten(ordered)[1](iter([1.0, 2.0])), ordered)
    assert structures.flatten(Counter(x=2))[1](iter([5])) == Counter(x=5)  # set, not added to


def test_subclasses_of_list_become_lists():
    class Row(list):
        pass

    assert type(structures.flatten(Row([1.0]))[1](iter([2.0]))) is list


@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3), (2, 0, 3), (1, 1), (2, 1, 3)])
def test_arrays_keep_their_shape(shape):
    array = np.arange(float(np.prod(shape))).reshape(shape)
    leaves, rebuild = structures.flatten(array)
    assert leaves == list(range(array.size))
    twin = rebuild(iter(leaves))
    assert twin.shape == shape
    assert twin.dtype == float
    assert (twin == array).all()


def test_arrays_in_other_memory_layouts_are_read_by_index():
    array = np.arange(6.0).reshape(2, 3)
    assert structures.flatten(array.T)[0] == [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    assert structures.flatten(np.asfortranarray(array))[0] == list(range(6))
    assert structures.flatten(array[:, ::-2])[0] == [2.0, 0.0, 5.0, 3.0]


def test_an_array_of_other_things_than_floats_is_an_array_of_objects():
    _, rebuild = structures.flatten(np.zeros(2))
    v = Value(1.0)
    twin = rebuild(iter([v, 2.0]))
    assert twin.dtype == object
    assert twin[0] is v
    for items in ([[1.0, 2.0], [3.0, 4.0]], [(1.0,), (2.0,)], [{"a": 1.0}, {}], [[], []], [[1.0], 2.0], [Pair(1.0, 2.0), v]):
        cells = rebuild(iter(items))
        assert cells.shape == (2,)
        assert cells.tolist() == items
    assert structures.flatten(np.zeros(1))[1](iter([[1.0, 2.0]])).shape == (1,)


def test_an_array_of_arrays_of_one_shape_has_both_shapes():
    _, rebuild = structures.flatten(np.zeros((2, 1)))
    assert rebuild(iter([np.zeros((3, 4)), np.ones((3, 4))])).shape == (2, 1, 3, 4)
    mixed = rebuild(iter([np.zeros(3), np.zeros(2)]))
    assert mixed.dtype == object
    assert mixed.shape == (2, 1)


def test_numpy_scalars_and_arrays_without_dimension_are_leaves():
    assert structures.flatten(np.float64(2.0))[0] == [2.0]
    assert structures.flatten(np.array(2))[0] == [2]
    v = Value(1.0)
    assert structures.flatten(np.array(v))[0][0] is v
    assert structures.leaves_like(np.array(v), 1.0, "v")[0] is v
    assert type(structures.flatten(np.array(2.0))[0][0]) is float
    assert not structures.is_array(np.array(2.0))
    assert structures.is_array(np.array([]))


@pytest.mark.parametrize("leaf", ["text", b"bytes", None, 1j, {1.0}, range(2), iter(())])
def test_what_is_no_container_here_is_a_leaf(leaf):
    leaves, rebuild = structures.flatten(leaf)
    assert leaves == [leaf]
    assert rebuild(iter(leaves)) is leaf


def test_vectors_are_matched_by_key_not_by_order():
    structure = {"a": 1.0, "b": [2.0, 3.0]}
    assert structures.leaves_like({"b": [20.0, 30.0], "a": 10.0}, structure, "v") == [10.0, 20.0, 30.0]


def test_lists_tuples_and_arrays_stand_for_one_another():
    structure = [np.zeros((2, 2)), Pair(1.0, 2.0)]
    vector = ([[1, 2], (3, 4)], np.array([5.0, 6.0]))
    assert structures.leaves_like(vector, structure, "v") == [1, 2, 3, 4, 5.0, 6.0]
    assert structures.leaves_like(np.array([[1.0, 2.0], [3.0, 4.0]]), [[0.0, 0.0], [0.0, 0.0]], "v") == [1.0, 2.0, 3.0, 4.0]
    assert structures.leaves_like(np.array(3.0), 0.0, "v") == [3.0]


@pytest.mark.parametrize(
    ("vector", "structure", "message"),
    [
        ([1.0], [1.0, 2.0], r"v is a list of length 1; a sequence of length 2 is needed"),
        ([[1.0], 3.0], [[1.0, 2.0], 3.0], r"v\[0\] is a list of length 1; a sequence of length 2"),
        ({"a": 1.0}, {"b": 1.0}, r"v is a dict with keys \['a'\]; a dict with keys \['b'\] is needed"),
        ({"a": [1.0]}, {"a": 1.0}, r"v\['a'\] is a list of length 1; a number is needed"),
        (1.0, [1.0], r"v is float 1\.0; a sequence of length 1"),
        ([1.0], {0: 1.0}, r"v is a list of length 1; a dict with keys \[0\]"),
        ({0: 1.0}, [1.0], r"v is a dict with keys \[0\]; a sequence of length 1"),
        ({}, 1.0, r"v is a dict with keys \[\]; a number"),
        (np.zeros((2, 3)), np.zeros((3, 2)), r"v is an array of shape \(2, 3\); a sequence of length 3"),
        (np.zeros(6), np.zeros((2, 3)), r"v is an array of shape \(6,\)"),
    ],
)
def test_vectors_of_another_structure_are_refused(vector, structure, message):
    with pytest.raises(ValueError, match=message):
        structures.leaves_like(vector, structure, "v")


def test_numpy_is_neither_needed_nor_imported():
    script = (
        "import sys, autograd_lite as ag\n"
        "assert ag.hessian(lambda d: d['a'][0] * d['a'][1])({'a': [2.0, 3.0]})['a'][0] == {'a': [0.0, 1.0]}\n"
        "assert 'numpy' not in sys.modules\n"
        "sys.modules['numpy'] = None\n"
        "assert ag.grad(lambda v: v[0] * v[1])([2.0, 3.0]) == [3.0, 2.0]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
