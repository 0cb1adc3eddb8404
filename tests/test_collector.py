"""The cyclic collector is as it was after work that it was kept out of."""

import gc

import pytest

import autograd_lite as ag
from autograd_lite.compiler import collector


@pytest.fixture(params=[True, False])
def enabled(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_the_collector_is_off_inside_and_as_it_was_outside(enabled):
    @collector.paused()
    def work(fail):
        assert not gc.isenabled()
        if fail:
            raise LookupError

    for _ in range(2):
        work(fail=False)
        assert gc.isenabled() == enabled
    with pytest.raises(LookupError):
        work(fail=True)
    assert gc.isenabled() == enabled


def test_compiling_leaves_the_collector_as_it_was(enabled):
    seen = []

    def function(x):
        seen.append(gc.isenabled())
        return x * 2.0

    assert ag.compile(function)(1.5) == 3.0
    assert set(seen) == {enabled}
    with pytest.raises(ag.RecordingError):
        ag.compile(lambda x: x.data)(1.0)
    assert gc.isenabled() == enabled
