"""AINO: an autograd tensor engine with a neural-network layer, in pure Python on NumPy."""

__version__ = "3.0.0"
