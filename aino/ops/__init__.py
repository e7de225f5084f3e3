"""PyTorch's function language, composed of primitives."""
