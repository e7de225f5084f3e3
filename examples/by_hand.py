"""Backpropagation by hand: the chain rule written out for a 2-3-1 network, line by line.

AINO does the same arithmetic in the same order: the gradients are equal to the last digit.

    python examples/by_hand.py
"""

import numpy as np

import aino

random = np.random.default_rng(0)
x, target = random.normal(size=2), random.normal(size=1)
w1, b1 = random.normal(size=(2, 3)), random.normal(size=3)
w2, b2 = random.normal(size=(3, 1)), random.normal(size=1)

# ---------------------------------------------------------------- with AINO
W1, B1, W2, B2 = (aino.tensor(array, requires_grad=True) for array in (w1, b1, w2, b2))
hidden = aino.tanh(aino.tensor(x) @ W1 + B1)
error = hidden @ W2 + B2 - aino.tensor(target)
loss = (error * error).sum()
loss.backward()

# ------------------------------------------------------------------ by hand
# forward                            the derivative of the line
a1 = x @ w1 + b1  #                  ∂a₁/∂w₁ = x, ∂a₁/∂b₁ = 1
h = np.tanh(a1)  #                   ∂h/∂a₁ = 1 - h²
a2 = h @ w2 + b2  #                  ∂a₂/∂w₂ = h, ∂a₂/∂b₂ = 1, ∂a₂/∂h = w₂
e = a2 - target  #                   ∂e/∂a₂ = 1
j = (e * e).sum()  #                 ∂j/∂e = 2e

# backward: from the last line to the first, each derivative times what came from below
dj_de = e + e
dj_da2 = dj_de
dj_db2 = dj_da2
dj_dw2 = np.outer(h, dj_da2)
dj_dh = w2 @ dj_da2
dj_da1 = dj_dh * (1 - h * h)
dj_db1 = dj_da1
dj_dw1 = np.outer(x, dj_da1)

# ------------------------------------------------------------------ compare
assert loss.item() == j
for name, tensor, by_hand in [
    ("w₁", W1, dj_dw1),
    ("b₁", B1, dj_db1),
    ("w₂", W2, dj_dw2),
    ("b₂", B2, dj_db2),
]:
    assert np.array_equal(tensor.grad.numpy(), by_hand), name
    print(f"∂j/∂{name} =", np.array2string(by_hand, precision=6, prefix=" " * 8))
print("AINO's gradients are equal to these to the last digit.")
