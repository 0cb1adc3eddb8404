"""Calls of a compiled function where its operations are of interest: within `anomaly`, or while another one is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd_lite import modes, structures
from autograd_lite.compiler.record import Recorded, is_recording, refuse
from autograd_lite.engine import Value
from autograd_lite.pickling import Wrapper


def look_for_anomalies(
    f: Callable[..., Any], arguments: structures.Structure, points: Iterable[Sequence[float]], are_many: bool = True
) -> None:
    """Where `anomaly` is active, call f at these points, of such arguments, as it is called without `compile`.

    That is on Values; on the numbers themselves where f is a derivative of another function. Raises AnomalyError, with a note
    that has the index of the point.
    """
    if not modes.is_anomaly_watched():
        return
    is_derivative = isinstance(f, Wrapper)
    for i, numbers in enumerate(points):
        try:
            f(*arguments(iter(numbers if is_derivative else [Value(x) for x in numbers])))
        except modes.AnomalyError as error:
            if are_many:
                error.add_note(f"at point {i} of the batch")
            raise


def recorded_result(f: Callable[..., Any], arguments: structures.Structure, numbers: Sequence[float]) -> Any:
    """What f gives for these numbers, if another function is being recorded that has to record it: else None.

    For then f uses Values from outside, whose numbers are read again at every call of that other function.
    """
    if is_recording():
        result = f(*arguments(iter([Value(x) for x in numbers])))
        if any([isinstance(x, Recorded) for x in structures.flatten(result)[0]]):
            return result
    return None


def refuse_batch(name: str, uses_values: bool) -> None:
    """Raise RecordingError where a batch is computed while another function is recorded, if f uses Values from outside."""
    if uses_values and is_recording():
        refuse(
            f"{name} is called on a batch, and uses Values from outside whose numbers would not be read again at later calls:"
            " call it point by point, or outside of the function that is compiled"
        )
