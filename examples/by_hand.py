"""Backpropagation by hand: the chain rule written out for a 2-3-1 network, line by line.

AINO does the same arithmetic in the same order: the gradients are equal to the last digit.

    python examples/by_hand.py
"""

import numpy as np

import aino

random = np.random.default_rng(0)
x = random.normal(size=(5, 2))  # five samples of two features
target = random.normal(size=(5, 1))
w1, b1 = random.normal(size=(2, 3)), random.normal(size=3)
w2, b2 = random.normal(size=(3, 1)), random.normal(size=1)

# ---------------------------------------------------------------- with AINO
W1, B1, W2, B2 = (aino.tensor(array, requires_grad=True) for array in (w1, b1, w2, b2))
hidden = aino.tanh(aino.tensor(x) @ W1 + B1)
output = hidden @ W2 + B2
error = output - aino.tensor(target)
loss = (error * error).sum()
loss.backward()

# ------------------------------------------------------------------ by hand
# forward                           the derivative of the line
a1 = x @ w1 + b1  #                 ∂a₁/∂w₁ = x, ∂a₁/∂b₁ = 1
h = np.tanh(a1)  #                  ∂h/∂a₁ = 1 - h²
a2 = h @ w2 + b2  #                 ∂a₂/∂w₂ = h, ∂a₂/∂b₂ = 1, ∂a₂/∂h = w₂
e = a2 - target  #                  ∂e/∂a₂ = 1
j = (e * e).sum()  #                ∂j/∂e = 2e

# backward: from the last line to the first, each derivative times what came from below
dj_da2 = e + e  #                   e enters the product twice, each time with the other factor e
dj_dw2 = h.T @ dj_da2
dj_db2 = dj_da2.sum(axis=0)
dj_dh = dj_da2 @ w2.T
dj_da1 = dj_dh - dj_dh * h * h  #   which is ∂j/∂h · (1 - h²)
dj_dw1 = x.T @ dj_da1
dj_db1 = dj_da1.sum(axis=0)

# ------------------------------------------------------------------ compare
assert loss.item() == j
for name, tensor, by_hand in [
    ("w1", W1, dj_dw1),
    ("b1", B1, dj_db1),
    ("w2", W2, dj_dw2),
    ("b2", B2, dj_db2),
]:
    assert np.array_equal(tensor.grad.numpy(), by_hand), name
    print(f"∂loss/∂{name} =", np.array2string(by_hand, precision=6, prefix=" " * 12))
print("AINO's gradients are equal to these to the last digit.")
