"""Tools to test gradients with."""

from autograd_lite.testing.differences import Estimate as Estimate
from autograd_lite.testing.differences import finite_difference as finite_difference

__all__ = ["Estimate", "finite_difference"]
