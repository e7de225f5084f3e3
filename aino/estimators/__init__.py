"""NeuralNetwork: layers of perceptrons that learn from data by themselves."""

from aino.estimators.neural_network import NeuralNetwork
