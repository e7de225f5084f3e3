"""Iris: three species of flower, told apart by four measurements.

A third of the flowers is held out: the network never sees them while it learns, and is judged by
them alone. The data are Fisher's (see data/README.md).

    python examples/iris.py
"""

import csv
from pathlib import Path

import numpy as np

import aino

DATA = Path(__file__).parent / "data" / "iris.csv"


def load():
    """Return the measurements in cm (150, 4), the species as 0, 1, 2 (150,), and their names."""
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["species"] for row in rows})
    X = [[float(row[key]) for key in rows[0] if key != "species"] for row in rows]
    y = [names.index(row["species"]) for row in rows]
    return np.array(X), np.array(y), names


def split(X, y, held_out=1 / 3, seed=0):
    """Shuffle the flowers, and hold a part of them out."""
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = np.split(order, [round(len(X) * (1 - held_out))])
    return X[train], y[train], X[test], y[test]


def main():
    X, y, names = load()
    X_train, y_train, X_test, y_test = split(X, y)

    model = aino.NeuralNetwork([4, 16, 3], activation_type="tanh")
    model.fit(X_train, y_train, epochs=100, seed=0, verbose=False)

    accuracy = model.score(X_test, y_test)
    print(f"{len(X_train)} flowers to learn from, {len(X_test)} held out")
    print(f"held-out accuracy: {accuracy:.1%}")

    predicted = np.asarray(model.predict(X_test))
    for i in np.flatnonzero(predicted != y_test):
        print(f"  mistaken: a {names[y_test[i]]} taken for a {names[predicted[i]]}")
    assert accuracy >= 0.95


if __name__ == "__main__":
    main()
