"""NeuralNetwork: layers of perceptrons that learn from data."""

from aino.estimators.neural_network import NeuralNetwork
