"""The neural tangent kernel: how much the weights of a network let one sample move another.

K(x, x') = ⟨∂f(x)/∂w, ∂f(x')/∂w⟩. A wide network that is trained by gradient descent ends where
regression with this kernel does, which needs no training at all.

Source: Jacot, Gabriel and Hongler, "Neural tangent kernel" (2018).

    python examples/neural_tangent_kernel.py
"""

import aino
from aino import nn
from aino.func import functional_call, jacrev, vmap

WIDTH = 512
aino.manual_seed(0)
aino.set_default_dtype(aino.float64)
x = aino.linspace(-2, 2, 9).reshape(-1, 1)
y = aino.sin(2 * x)
places = aino.linspace(-1.8, 1.8, 7).reshape(-1, 1)

model = nn.Sequential(nn.Linear(1, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))
for layer in (model[0], model[2]):
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
model[2].weight.data /= WIDTH**0.5
weights = {name: value.detach() for name, value in model.named_parameters()}


def output(weights, sample):
    """What the network says of one sample."""
    return functional_call(model, weights, (sample,)).squeeze(0)


def slopes(samples):
    """The derivative of each sample's output by all weights, a row for each."""
    found = vmap(jacrev(output), in_dims=(None, 0))(weights, samples)
    return aino.cat([part.flatten(1) for part in found.values()], 1)


def kernel(first, second):
    return slopes(first) @ slopes(second).T


K = kernel(x, x)
print("K of three samples:")
print(K[::4, ::4])
assert aino.allclose(K, K.T)
assert aino.linalg.eigvalsh(K)[0] > 0

# Regression with the kernel, from what the untrained network says.
rest = aino.linalg.solve(K + 1e-6 * aino.eye(len(x)), y - model(x).detach())
predicted = model(places).detach() + kernel(places, x) @ rest

# The network itself, trained by small steps down the whole gradient.
rate = 1.0 / aino.linalg.eigvalsh(K)[-1].item()
optimizer = aino.optim.SGD(model.parameters(), lr=rate, momentum=0.95)


@aino.compile
def step():
    optimizer.zero_grad()
    loss = 0.5 * ((model(x) - y) ** 2).sum()
    loss.backward()
    optimizer.step()
    return loss


for _ in range(4000):
    loss = step()
trained = model(places).detach()
print(f"after training the loss is {loss.item():.1e}")
print("  place   kernel  network    sin 2x")
for place, k, n in zip(places[:, 0].tolist(), predicted[:, 0].tolist(), trained[:, 0].tolist(),
                       strict=True):  # fmt: skip
    print(f"{place:7.2f} {k:8.3f} {n:8.3f} {aino.sin(aino.tensor(2 * place)).item():9.3f}")
assert (predicted - trained).abs().max() < 0.15
