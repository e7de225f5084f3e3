"""A variational autoencoder of handwritten digits: it learns to draw digits that nobody wrote.

The encoder says of an image of 8 x 8 pixels where in a space of eight dimensions it lies, and how
sure that is; the decoder draws what lies at a place. Both are trained together to make the
evidence lower bound large: the pixels are to be probable, and the places a normal distribution
(Kingma and Welling, "Auto-encoding variational Bayes", 2013).

    pip install 'aino[sklearn]'
    python examples/autoencoder.py [folder]

With matplotlib it draws ``autoencoder.svg``: digits, what is left of them after the narrow place,
and digits from places that are drawn at random.
"""

import sys
from pathlib import Path

import aino
import aino.nn.functional as F
from aino import nn

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit("autoencoder.py learns scikit-learn's digits: pip install 'aino[sklearn]'")

LATENT = 8


class Autoencoder(nn.Module):
    """Images (N, 1, 8, 8) to the logits of their pixels, by a place in few dimensions."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 4 * 4, 2 * LATENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, 16 * 4 * 4),
            nn.ReLU(),
            nn.Unflatten(1, (16, 4, 4)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
        )

    def forward(self, images):
        """Return logits of the pixels, and mean and logarithm of the variance of the place."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        place = mean + aino.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(place), mean, log_variance


def bound(images, logits, mean, log_variance):
    """Return the negative evidence lower bound of an image, in nats, on the average."""
    pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum()
    return (pixels + divergence) / len(images)


def draw(model, images, path):
    """Draw digits, their reconstructions, and new ones, each in a row of its own."""
    import matplotlib.pyplot as plt

    count = 12
    with aino.no_grad():
        rows = [
            images[:count],
            model(images[:count])[0].sigmoid(),
            model.decoder(aino.randn(count, LATENT)).sigmoid(),
        ]
    figure, axes = plt.subplots(len(rows), count, figsize=(count * 0.7, len(rows) * 0.8))
    for line, row, label in zip(axes, rows, ("digits", "decoded", "drawn")):
        for axis, image in zip(line, row):
            axis.imshow(image[0].numpy(), cmap="gray_r", vmin=0.0, vmax=1.0)
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(label)
    figure.savefig(path)
    print(f"drawn: {path}")


def main():
    aino.manual_seed(0)
    images = aino.tensor(load_digits().images > 7.0, dtype=aino.float32).unsqueeze(1)
    images = images[aino.randperm(len(images))]
    train, test = images[:1500], images[1500:]

    model = Autoencoder()
    optimizer = aino.optim.Adam(model.parameters(), lr=2e-3)

    @aino.compile
    def step(batch):
        optimizer.zero_grad()
        loss = bound(batch, *model(batch))
        loss.backward()
        optimizer.step()
        return loss

    for epoch in range(30):
        losses = [step(train[batch]) for batch in aino.randperm(len(train)).split(50)]
        if epoch % 10 == 9:
            mean = sum(loss.item() for loss in losses) / len(losses)
            print(f"epoch {epoch + 1:2d}: bound {mean:.2f} nats an image")

    with aino.no_grad():
        found = bound(test, *model(test)).item()
        # What is told of an image by the mean of all of them.
        usual = train.mean(0).clamp(1e-3, 1.0 - 1e-3).logit().expand(len(test), 1, 8, 8)
        without = F.binary_cross_entropy_with_logits(usual, test, reduction="sum").item()
    print(f"held out: bound {found:.2f} nats an image, {without / len(test):.2f} by the mean image")
    assert found < 20.0

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        draw(model, test, folder / "autoencoder.svg")
    except ImportError:
        print("no picture without matplotlib: pip install 'aino[plot]'")


if __name__ == "__main__":
    main()
