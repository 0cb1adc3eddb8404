"""Classes that programs written for other packages expect, on this package's engine, in modules of their names."""

from autograd_lite.on_demand import names_on_demand

__all__ = ["micrograd"]
__getattr__, __dir__ = names_on_demand(__name__, {"": __all__})
