"""What type checkers see of the public names: checked by mypy (see pyproject.toml), and run by test_stubs.py."""

from typing import assert_type

import autograd_lite as ag

a, b = ag.Value(2.0, label="a"), ag.Value(1)
assert_type(a + b, ag.Value)
assert_type((a + 1) * (2 - b) / 3**a, ag.Value)
assert_type(abs(-a) % 2 // b, ag.Value)
assert_type(a < b, bool)
assert_type(a.data, float)
assert_type(a.grad, float)
assert_type(a.label, str | None)
assert_type(a.sin().logaddexp(2.0), ag.Value)
assert_type(a.clip(0.0, b), ag.Value)
assert_type(a.leaky_relu(), ag.Value)
assert_type(ag.exp(1.0), float)
assert_type(ag.exp(a), ag.Value)
assert_type(ag.hypot(3, 4), float)
assert_type(ag.hypot(3, a), ag.Value)
assert_type(ag.hypot(a, 3), ag.Value)
assert_type(ag.where(a > b, a, 0.0), ag.Value)
assert_type(ag.leaky_relu(2.0), float)
assert_type(ag.maximum(a, 1.0, b), ag.Value)
assert_type(ag.sum([1.0, 2.0]), float)
assert_type(ag.sum([a, b]), ag.Value)
assert_type(ag.clip(a, low=0.0, high=1.0), ag.Value)
assert_type(ag.normal_pdf(1.0, order=2), float)
assert_type(a.round(2), ag.Value)
assert_type(ag.dot([a, b], [1.0, 2.0]), ag.Value)
