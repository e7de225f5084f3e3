"""The functions that a predictor may need, in C; see ``aino/compiler/backends/c/needed.py``."""
