"""``aino.compile``: the straight-line NumPy program behind a function of tensors."""
