"""A rocket's flight, learned from simulated launches: position from launch angle and time.

The flights are integrated here: a point mass under thrust, drag and gravity that burns its
propellant away. The network sees some launch angles and is asked for others.

    pip install 'aino[plot]'
    python examples/rocket.py [folder]
"""

import sys
from pathlib import Path

import numpy as np

import aino

try:
    import matplotlib.pyplot as plt
except ImportError:
    sys.exit("rocket.py draws with matplotlib: pip install 'aino[plot]'")

# The rocket                        The Earth
DRY_MASS = 50.0  #         kg       (without propellant)
PROPELLANT = 70.0  #       kg
BURN_TIME = 18.0  #        s
THRUST = 9_000.0  #        N        (70 kg in 18 s leave at 2314 m/s)
DRAG_COEFFICIENT = 0.35  # 1
CROSS_SECTION = 0.0314  #  m²       (20 cm across)
RAIL = 12.0  #             m        (guides the rocket until it is fast enough to fly straight)
GRAVITY = 9.80665  #       m/s²     at sea level
EARTH_RADIUS = 6.371e6  #  m
AIR_DENSITY = 1.225  #     kg/m³    at sea level
SCALE_HEIGHT = 8_500.0  #  m        (density falls by 1/e)


def rate(time, state, direction):
    """The time derivative of the state [x, y, vx, vy] in m and m/s, at `time` in s."""
    position, velocity = state[:2], state[2:]
    speed, height = np.linalg.norm(velocity), position[1]
    burning = time < BURN_TIME
    mass = DRY_MASS + PROPELLANT * max(0.0, 1.0 - time / BURN_TIME)
    heading = direction if np.linalg.norm(position) < RAIL else velocity / speed
    density = AIR_DENSITY * np.exp(-height / SCALE_HEIGHT)
    drag = 0.5 * density * speed**2 * DRAG_COEFFICIENT * CROSS_SECTION
    gravity = GRAVITY * (EARTH_RADIUS / (EARTH_RADIUS + height)) ** 2
    acceleration = (THRUST * burning - drag) / mass * heading - np.array([0.0, gravity])
    return np.concatenate([velocity, acceleration])


def fly(angle, step=0.05):
    """Integrate a launch at `angle` degrees (Runge-Kutta 4); return times (s), positions (km)."""
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    time, state = 0.0, np.zeros(4)
    times, positions = [time], [state[:2]]
    while state[1] >= 0.0:
        k1 = rate(time, state, direction)
        k2 = rate(time + step / 2, state + step / 2 * k1, direction)
        k3 = rate(time + step / 2, state + step / 2 * k2, direction)
        k4 = rate(time + step, state + step * k3, direction)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        time += step
        times.append(time)
        positions.append(state[:2])
    return np.array(times), np.array(positions) / 1000.0


def samples(angle, count=80):
    """Return `count` samples of a flight: inputs [angle (°), time (s)], targets [x, y] (km)."""
    times, positions = fly(angle)
    chosen = np.linspace(0, len(times) - 1, count).round().astype(int)
    return np.column_stack([np.full(count, angle), times[chosen]]), positions[chosen]


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    seen = np.arange(50.0, 86.0, 2.5)
    unseen = [56.3, 68.8, 81.2]

    flights = [samples(angle) for angle in seen]
    X, y = (np.concatenate(parts) for parts in zip(*flights, strict=True))
    model = aino.NeuralNetwork([2, 48, 48, 2], activation_type="tanh")
    for rate in (1e-2, 2e-3, 4e-4):  # first coarse, then fine
        model.fit(X, y, epochs=150, optimizer="adam", lr=rate, seed=1, verbose=False)

    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for _, truth in flights:
        axes.plot(*truth.T, color="0.85", linewidth=0.8, zorder=1)
    for angle, color in zip(unseen, ["#d1495b", "#2e7d6b", "#30638e"], strict=True):
        inputs, truth = samples(angle)
        predicted = np.asarray(model.predict(inputs))
        miss = np.linalg.norm(predicted - truth, axis=1)
        print(
            f"{angle:.1f}°: apogee {truth[:, 1].max():5.1f} km, range {truth[-1, 0]:5.1f} km,"
            f" predicted to {miss.mean():.2f} km on average, {miss.max():.2f} km at worst"
        )
        assert miss.mean() < 0.02 * np.ptp(truth)
        axes.plot(*truth.T, color=color, linewidth=1.5, label=f"{angle:.1f}°, true")
        axes.plot(*predicted.T, ".", color=color, markersize=5, label=f"{angle:.1f}°, predicted")
    axes.plot([], [], color="0.85", label="learned from")
    axes.set(xlabel="downrange, km", ylabel="altitude, km", ylim=(0, None), xlim=(0, None))
    axes.set_title("A sounding rocket at launch angles that the network has not seen")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_aspect("equal")
    figure.savefig(folder / "rocket.svg")
    print(folder / "rocket.svg")


if __name__ == "__main__":
    main()
