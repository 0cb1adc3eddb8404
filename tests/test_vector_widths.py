"""Compiled functions on processors with other vectors, with and without vector functions and fused products."""

import numpy as np
import pytest

import autograd_lite as ag

rng = np.random.default_rng(4)


def mixed(x, y):
    z = ag.exp(x) * ag.log(y) + ag.sigmoid(x) / y + ag.normal_cdf(x) + ag.erf(y) * ag.tanh(x)
    if z > 1.0:
        z = z * ag.arctan2(x, y) + y**2.5
    return z + ag.gelu(x) + ag.hypot(x, y) + ag.logsumexp([x, y, z])


@pytest.mark.usefixtures("processor")
def test_values_and_gradients_are_right_and_do_not_depend_on_the_batch():
    function = ag.value_and_grad(mixed, (0, 1))
    kernel = ag.compile(function)
    xs, ys = rng.normal(size=203) * 3.0, rng.uniform(0.1, 5.0, 203)
    value, gradient = kernel(xs, ys)
    assert kernel.paths == 2
    for i, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
        expected, slopes = function(x, y)
        assert value[i] == pytest.approx(expected, rel=1e-13, abs=1e-13)
        assert [gradient[0][i], gradient[1][i]] == pytest.approx(list(slopes), rel=1e-12, abs=1e-12)
    for i in range(0, 203, 20):
        alone = kernel(float(xs[i]), float(ys[i]))
        assert alone == (value[i], (gradient[0][i], gradient[1][i]))
    assert np.array_equal(kernel(xs[50:121], ys[50:121])[0], value[50:121])


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("count", [41, 300])
def test_functions_of_many_arguments(count):
    def function(x):
        many = [ag.sin(x * i) for i in range(count)]
        return ag.maximum(many) + ag.minimum(many) + ag.logsumexp(many) + ag.sum(many) + ag.dot(many, many)

    gradient = ag.value_and_grad(function)
    kernel, xs = ag.compile(gradient), rng.uniform(0.1, 2.0, 11)
    values, slopes = kernel(xs)
    for x, value, slope in zip(xs.tolist(), values, slopes, strict=True):
        assert (value, slope) == pytest.approx(gradient(x), rel=1e-12, abs=1e-10)
        assert kernel(x) == (value, slope)
