"""Pictures of graphs and of trainings, pages to step through them, derivations, and formulas of rules.

This room gives `Value` its methods `graph`, `derivation` and `explore`; the engine knows of no picture.
"""

from autograd_lite.engine import Value as _Value
from autograd_lite.show import derivation as _derivation
from autograd_lite.show import explorer as _explorer
from autograd_lite.show import graph as graph
from autograd_lite.show.derivation import Derivation as Derivation
from autograd_lite.show.explorer import Explorer as Explorer
from autograd_lite.show.formula import partial_formulas as partial_formulas
from autograd_lite.show.formula import primitive_table as primitive_table
from autograd_lite.show.graph import Graph as Graph
from autograd_lite.show.graph import to_dot as to_dot
from autograd_lite.show.graph import to_graphviz as to_graphviz
from autograd_lite.show.graph import tree as tree
from autograd_lite.show.routes import Route as Route
from autograd_lite.show.routes import Routes as Routes
from autograd_lite.show.routes import routes as routes
from autograd_lite.show.training import TrainingView as TrainingView

for _method in (graph.graph, _derivation.derivation, _explorer.explore):
    setattr(_Value, _method.__name__, _method)
