"""Tensors, the recorded graph, and differentiation."""
