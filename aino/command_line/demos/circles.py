"""A network learns a boundary, drawn in letters while it does."""

import math

import aino
from aino import nn

_ROWS, _COLUMNS = 15, 40


def main() -> None:
    """Learn which points lie within a ring of others; draw what is learned, three times."""
    aino.manual_seed(0)
    angle = 2 * math.pi * aino.rand(200)
    inside = aino.arange(200) < 100
    radius = aino.where(inside, 0.5, 1.5) + 0.15 * aino.randn(200)
    points = aino.stack([radius * aino.cos(angle), radius * aino.sin(angle)], 1)
    labels = inside.float()[:, None]
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = aino.optim.Adam(model.parameters(), lr=0.03)
    for step in range(201):
        loss = nn.functional.binary_cross_entropy_with_logits(model(points), labels)
        if step in (0, 40, 200):
            right = ((model(points) > 0) == (labels > 0.5)).float().mean().item()
            print(f"step {step}: loss {loss.item():.3f}, {right:.0%} right\n{picture(model)}\n")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def picture(model: nn.Module) -> str:
    """Return a map of the plane: # where the network says inside, . where outside."""
    across = aino.linspace(-2.0, 2.0, _COLUMNS)
    lines = []
    with aino.no_grad():
        for height in aino.linspace(2.0, -2.0, _ROWS):
            row = aino.stack([across, height.expand(_COLUMNS)], 1)
            lines.append("  " + "".join(["#" if v > 0 else "." for v in model(row)[:, 0].tolist()]))
    return "\n".join(lines)
