# Generated from the table by tests/stubs.py; tests/test_stubs.py keeps it current.
from autograd_lite.show import graph as graph
from autograd_lite.show.derivation import Derivation as Derivation
from autograd_lite.show.dot import to_dot as to_dot
from autograd_lite.show.dot import to_graphviz as to_graphviz
from autograd_lite.show.explorer import Explorer as Explorer
from autograd_lite.show.formula import partial_formulas as partial_formulas
from autograd_lite.show.formula import primitive_table as primitive_table
from autograd_lite.show.graph import Graph as Graph
from autograd_lite.show.routes import Route as Route
from autograd_lite.show.routes import Routes as Routes
from autograd_lite.show.routes import routes as routes
from autograd_lite.show.training import TrainingView as TrainingView
from autograd_lite.show.tree import tree as tree
