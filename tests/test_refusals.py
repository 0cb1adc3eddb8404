"""A function that is compiled cannot catch a RecordingError, in whatever way it tries."""

import contextlib

import pytest

import autograd_lite as ag
from autograd_lite.compiler.record import RecordingError
from test_record import FREEZING


def except_exception(refused, x):
    try:
        refused(x)
    except Exception:
        return x * 2.0


def except_type_error(refused, x):
    try:
        refused(x)
    except TypeError:
        return x * 2.0


def except_anything(refused, x):
    try:
        refused(x)
    except:  # noqa: E722
        return x * 2.0


def finally_return(refused, x):
    try:
        refused(x)
    finally:
        return x * 2.0


def suppressed(refused, x):
    with contextlib.suppress(Exception):
        refused(x)
    return x * 2.0


def another_error(refused, x):
    try:
        refused(x)
    except TypeError:
        raise LookupError("another") from None


@pytest.mark.parametrize(
    "catching", [except_exception, except_type_error, except_anything, finally_return, suppressed, another_error]
)
@pytest.mark.parametrize("kind", FREEZING)
def test_a_refusal_cannot_be_caught(kind, catching):
    for transform in (lambda f: f, ag.grad):
        with pytest.raises(RecordingError, match=r'File ".*test_record.py", line \d+, in <lambda>: '):
            ag.compile(transform(lambda x: catching(FREEZING[kind], x)))(2.0)


def test_a_refusal_does_not_hold_back_an_interrupt():
    def interrupted(x):
        with contextlib.suppress(TypeError):
            float(x)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ag.compile(interrupted)(1.0)
