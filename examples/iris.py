"""Iris: three species of flower, told apart by four measurements.

Three networks learn, each from two thirds of the flowers, and each is judged by the third that it
has never seen: in the end every flower was held out once. The data are Fisher's (data/README.md).

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


def split(X, y, fold=0):
    """Hold every third flower out, from the one numbered `fold` on."""
    held_out = np.arange(len(X)) % 3 == fold
    return X[~held_out], y[~held_out], X[held_out], y[held_out]


def main():
    X, y, names = load()
    right = 0
    for fold in range(3):
        X_train, y_train, X_test, y_test = split(X, y, fold)
        model = aino.NeuralNetwork([4, 16, 3], activation_type="tanh")
        model.fit(X_train, y_train, epochs=100, seed=0, verbose=False)

        predicted = np.asarray(model.predict(X_test))
        right += (predicted == y_test).sum()
        print(f"{len(X_train)} flowers learned, {len(X_test)} held out:", end=" ")
        print(f"{model.score(X_test, y_test):.0%} of these are named rightly")
        for i in np.flatnonzero(predicted != y_test):
            print(f"    a {names[y_test[i]]} was taken for a {names[predicted[i]]}")

    accuracy = right / len(X)
    print(f"held-out accuracy: {accuracy:.1%}")
    assert accuracy >= 0.95


if __name__ == "__main__":
    main()
