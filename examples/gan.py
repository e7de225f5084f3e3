"""A generative adversarial network: noise is learned to be thrown onto eight spots on a circle.

The generator makes points of noise, the discriminator tells them from real ones, and each learns
from the other (Goodfellow et al., "Generative adversarial nets", 2014). Left alone the generator
likes to make one spot only; a penalty on the discriminator's gradient at the real points, which
takes derivatives of derivatives, keeps the game fair (Mescheder et al., "Which training methods
for GANs do actually converge?", 2018).

    python examples/gan.py [folder]

With matplotlib it draws ``gan.svg``: real points and made ones.
"""

import sys
from pathlib import Path

import aino
import aino.nn.functional as F
from aino import nn

SPOTS, DEVIATION, NOISE = 8, 0.05, 4
ANGLES = aino.arange(SPOTS) * (2.0 * aino.pi / SPOTS)
CENTERS = aino.stack([ANGLES.cos(), ANGLES.sin()], dim=1)


def real_points(count):
    """Return points (count, 2), each at one of the spots."""
    return CENTERS[aino.randint(SPOTS, (count,))] + DEVIATION * aino.randn(count, 2)


def network(inputs, outputs, width=64):
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )


def judged(points):
    """Return how many spots have their share of the points, and how many points are at a spot.

    A point is at a spot within four deviations; a share is at least a third of what is fair.
    """
    distances, nearest = aino.cdist(points, CENTERS).min(dim=1)
    good = distances < 4.0 * DEVIATION
    shares = aino.bincount(nearest[good], minlength=SPOTS) / len(points)
    return int((shares > 1.0 / (3 * SPOTS)).sum()), good.float().mean().item()


def main():
    aino.manual_seed(0)
    generator, discriminator = network(NOISE, 2), network(2, 1)
    makes = aino.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    tells = aino.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))

    @aino.compile
    def step(real, noise, more_noise):
        # The discriminator: real points are to score high, made ones low.
        real = real.detach().requires_grad_()
        scores = discriminator(real)
        (slope,) = aino.autograd.grad(scores.sum(), real, create_graph=True)
        made = generator(noise).detach()
        told = F.softplus(-scores).mean() + F.softplus(discriminator(made)).mean()
        tells.zero_grad()
        (told + 0.1 * slope.square().sum(dim=1).mean()).backward()
        tells.step()
        # The generator: what it makes is to score high.
        makes.zero_grad()
        fooled = F.softplus(-discriminator(generator(more_noise))).mean()
        fooled.backward()
        makes.step()
        return told, fooled

    batch, steps = 256, 3000
    rates = [aino.optim.lr_scheduler.CosineAnnealingLR(o, steps) for o in (makes, tells)]
    for i in range(1, steps + 1):
        told, fooled = step(real_points(batch), aino.randn(batch, NOISE), aino.randn(batch, NOISE))
        for rate in rates:
            rate.step()
        if i % 1000 == 0:
            with aino.no_grad():
                spots, share = judged(generator(aino.randn(4000, NOISE)))
            print(
                f"step {i}: losses {told.item():.3f} and {fooled.item():.3f}, {spots} of {SPOTS} "
                f"spots, {share:.1%} of the points at a spot"
            )
    assert spots == SPOTS
    assert share > 0.7

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("no picture without matplotlib: pip install 'aino[plot]'")
        return
    with aino.no_grad():
        made = generator(aino.randn(1000, NOISE))
    figure, axes = plt.subplots(1, 2, figsize=(7, 3.5), sharex=True, sharey=True)
    for axis, points, label in zip(axes, (real_points(1000), made), ("real", "made")):
        axis.scatter(points[:, 0].numpy(), points[:, 1].numpy(), s=2)
        axis.set_title(label)
        axis.set_aspect("equal")
    figure.savefig(folder / "gan.svg")
    print(f"drawn: {folder / 'gan.svg'}")


if __name__ == "__main__":
    main()
