"""Pictures of graphs and of trainings, pages to step through them, derivations, and formulas of rules.

The methods `graph`, `derivation` and `explore` of `Value` are functions of this room; the engine knows of no picture.

>>> import autograd_lite as ag
>>> a = ag.Value(3.0, label="a")
>>> y = a * a
>>> print(ag.show.tree(y))
n1 = a * a = 9 (grad 0)
├─ 3 ─ a = 3 (grad 0)
└─ 3 ─ a (shown above)
"""

from autograd_lite.on_demand import names_on_demand

# These two are not imported on demand: submodules have the same names.
from autograd_lite.show.routes import routes as routes
from autograd_lite.show.tree import tree as tree

# The public names by the submodule that has them; for type checkers they are listed in __init__.pyi.
_NAMES = {
    "": ("graph",),
    "derivation": ("Derivation",),
    "dot": ("to_dot", "to_graphviz"),
    "explorer": ("Explorer",),
    "formula": ("partial_formulas", "primitive_table"),
    "graph": ("Graph",),
    "routes": ("Route", "Routes", "routes"),
    "training": ("TrainingView",),
    "tree": ("tree",),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)  # noqa: PLE0605
__getattr__, __dir__ = names_on_demand(__name__, _NAMES)
