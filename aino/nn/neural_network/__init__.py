"""NeuralNetwork: layers of perceptrons that learn from data by themselves."""

from aino.nn.neural_network.network import NeuralNetwork
