"""A chaotic time series, forecast by an LSTM that has seen its first part.

The series is Mackey and Glass's: how much blood cells there are now decides how many are made 17
days later, and so it never repeats itself. The network reads it value by value and says at each
one what comes six days later. What it has not seen is forecast, too, by two others: that nothing
changes, and by the combination of the last 24 values that fits best.

    python examples/time_series_lstm.py [folder]
"""

import sys
from pathlib import Path

import numpy as np

import aino
from aino import nn, optim

DELAY, AHEAD = 17, 6  #            days
LENGTH, HELD_OUT = 3_000, 1_000  # days, of which the last are held out
WINDOW, BATCH, STEPS = 64, 32, 400
WARM_UP = 24  #                    days that the network reads before its forecasts count


def mackey_glass(days, per_day=10):
    """Return x at each day, where dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)¹⁰) - 0.1 x."""
    delay, start = DELAY * per_day, 200 * per_day
    x = np.full(delay + start + days * per_day, 1.2)
    for i in range(delay, len(x) - 1):
        before = x[i - delay]
        x[i + 1] = x[i] + (0.2 * before / (1.0 + before**10) - 0.1 * x[i]) / per_day
    return x[delay + start :: per_day]


class Forecast(nn.Module):
    """What comes six days later, for each day of a sequence (days, batch, 1)."""

    def __init__(self, hidden=32):
        super().__init__()
        self.memory = nn.LSTM(1, hidden)
        self.change = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.memory(x)
        return x + self.change(h)


def train(series):
    """Return a network that has learned from windows of the series."""
    aino.manual_seed(0)
    model = Forecast()
    optimizer = optim.Adam(model.parameters(), lr=2e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x)[WARM_UP:], y[WARM_UP:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    rng = np.random.default_rng(0)
    for number in range(STEPS):
        starts = rng.integers(0, len(series) - WINDOW - AHEAD, BATCH)
        x = np.stack([series[i : i + WINDOW] for i in starts], 1)[..., None]
        y = np.stack([series[i + AHEAD : i + AHEAD + WINDOW] for i in starts], 1)[..., None]
        loss = step(aino.from_numpy(x), aino.from_numpy(y))
        schedule.step()
        if number % 100 == 99:
            print(f"step {number + 1}: root mean square error {loss.item() ** 0.5:.4f}")
    return model


def straight(series, known):
    """Return the forecast by the combination of the last values that fits the known part best."""
    lags = np.lib.stride_tricks.sliding_window_view(series, WARM_UP)
    columns = np.column_stack([lags, np.ones(len(lags))])
    fit = known - WARM_UP - AHEAD
    weights = np.linalg.lstsq(columns[:fit], series[WARM_UP + AHEAD - 1 :][:fit], rcond=None)[0]
    return columns[:-AHEAD] @ weights  # of the days from WARM_UP + AHEAD - 1 on


def draw(days, truth, forecasts, path):
    """Draw the first held-out days and their forecasts."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
    axes.plot(days, truth, color="black", label="the series")
    for (name, values), colour in zip(forecasts.items(), ("tab:orange", "tab:gray")):
        axes.plot(days, values, "--", color=colour, label=name)
    axes.set(xlabel="day", ylabel="x", title=f"forecast {AHEAD} days ahead, held out")
    axes.legend(loc="upper right", ncols=3, fontsize="small")
    figure.savefig(path)
    print(f"drawn: {path}")


def main():
    series = mackey_glass(LENGTH).astype(np.float32)
    known = LENGTH - HELD_OUT
    series = (series - series[:known].mean()) / series[:known].std()
    model = train(series[:known])

    with aino.no_grad():
        read = model(aino.from_numpy(series[:-AHEAD, None, None]))
    days = slice(known, LENGTH)
    truth = series[days]
    forecasts = {
        "LSTM": read.numpy().ravel()[known - AHEAD :],
        "nothing changes": series[known - AHEAD : -AHEAD],
        "straight": straight(series, known)[known - AHEAD - WARM_UP + 1 :],
    }
    errors = {name: np.sqrt(np.mean((f - truth) ** 2)) for name, f in forecasts.items()}
    print(f"root mean square error over {HELD_OUT} held-out days, in standard deviations:")
    for name, error in errors.items():
        print(f"    {name:16} {error:.4f}")
    assert errors["LSTM"] < errors["straight"] < errors["nothing changes"]
    assert errors["LSTM"] < 0.15 * errors["nothing changes"]

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    try:
        shown = {name: forecasts[name][:200] for name in ("LSTM", "nothing changes")}
        draw(np.arange(known, known + 200), truth[:200], shown, folder / "time_series_lstm.svg")
    except ImportError:
        print("a picture is drawn where matplotlib is: pip install 'aino[plot]'")


if __name__ == "__main__":
    main()
