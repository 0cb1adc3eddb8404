"""A small neural-network wing: neurons, layers and perceptrons of Values, and modules of one's own.

>>> import autograd_lite as ag
>>> model = ag.nn.MLP(2, [4, 1])
>>> model
MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(4)]]
>>> len(model.parameters())
17
"""

from autograd_lite.nn.modules import MLP as MLP
from autograd_lite.nn.modules import Layer as Layer
from autograd_lite.nn.modules import Module as Module
from autograd_lite.nn.modules import Neuron as Neuron
from autograd_lite.nn.storage import ModelFormatError as ModelFormatError
from autograd_lite.nn.storage import read_state as read_state

__all__ = ["MLP", "Layer", "ModelFormatError", "Module", "Neuron", "read_state"]
