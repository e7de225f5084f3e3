"""Which samples pull hardest? The gradient of each one, in one backward pass.

The norm of a sample's own gradient finds labels that are wrong, and bounds what a single person's
data can do (clipped and blurred it is differentially private training).

    python examples/per_sample_gradients.py
"""

import aino
from aino import nn
from aino.func import functional_call, grad, vmap

aino.manual_seed(1)
x = aino.randn(200, 2)
labels = (x[:, 0] + x[:, 1] > 0).long()
wrong = aino.randperm(200)[:6]
labels[wrong] = 1 - labels[wrong]  # six labels are wrong

model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = aino.optim.Adam(model.parameters(), lr=0.02)
for _ in range(60):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), labels).backward()
    optimizer.step()


def loss(weights, sample, label):
    """The loss of one sample."""
    return nn.functional.cross_entropy(functional_call(model, weights, (sample,)), label)


weights = {name: value.detach() for name, value in model.named_parameters()}
gradients = vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, labels)
print("the gradients of all samples:", {name: tuple(g.shape) for name, g in gradients.items()})

squares = [(g.flatten(1) ** 2).sum(1) for g in gradients.values()]
norms = aino.stack(squares).sum(0).sqrt()
suspects = norms.argsort(descending=True)[:6]
found = set(suspects.tolist()) & set(wrong.tolist())
print(f"of the six with the largest gradients {len(found)} have a wrong label")
print(f"their norms: {[round(n, 2) for n in norms[suspects].tolist()]}, ", end="")
print(f"the median of all: {norms.median().item():.4f}")

# Their mean is the gradient of the whole batch.
optimizer.zero_grad()
nn.functional.cross_entropy(model(x), labels).backward()
for name, parameter in model.named_parameters():
    assert parameter.grad is not None
    assert aino.allclose(gradients[name].mean(0), parameter.grad, atol=1e-6)
assert len(found) >= 5
