"""Learning from start to end: ``NeuralNetwork.fit`` beside scikit-learn's ``MLPClassifier.fit``."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender


@dataclass(frozen=True)
class Task:
    """A data set, the hidden layers, and how long to learn from it with Adam."""

    loader: str
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    lr: float

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 inputs of deviation 1, and class indices."""
        datasets = peers.optional("sklearn.datasets")
        X, y = getattr(datasets, self.loader)(return_X_y=True)
        return ((X - X.mean(0)) / (X.std(0) + 1e-6)).astype(np.float32), y


TASKS = {
    "Iris, 4-16-3": Task("load_iris", (16,), 32, 50, 1e-2),
    "8x8 digits, 64-64-10": Task("load_digits", (64,), 64, 20, 1e-2),
}


def cases() -> list[Case]:
    if peers.sklearn() is None:
        return []
    return [
        Case(
            "fit",
            f"{name}, batch {task.batch}, {task.epochs} epochs, Adam",
            lambda task=task: contenders(task),
            {"scikit-learn": 3},
            calls_before_check=1,
            tolerance=0.03,
            unit="fit",
        )
        for name, task in TASKS.items()
    ]


def contenders(task: Task) -> list[Contender]:
    """Return both ways of learning; they should come to know the samples equally well."""
    import aino

    X, y = task.data()
    classifier = peers.optional("sklearn.neural_network").MLPClassifier
    sizes = [X.shape[1], *task.hidden, int(y.max()) + 1]

    def learn() -> Any:
        model = aino.NeuralNetwork(sizes, activation_type="relu", seed=0)
        return model.fit(
            X,
            y,
            epochs=task.epochs,
            lr=task.lr,
            optimizer="adam",
            batch_size=task.batch,
            verbose=False,
        )

    def learn_there() -> Any:
        model = classifier(
            task.hidden,
            activation="relu",
            solver="adam",
            alpha=0.0,
            batch_size=task.batch,
            learning_rate_init=task.lr,
            max_iter=task.epochs,
            n_iter_no_change=task.epochs + 1,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it could have gone on
            return model.fit(X, y)

    def score(model: Any) -> float:
        return float(np.mean(np.asarray(model.predict(X)).ravel() == y))

    return [
        Contender("AINO", learn, show=score),
        Contender("scikit-learn", learn_there, show=score),
    ]
