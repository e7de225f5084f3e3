"""scikit-learn's estimators: ``AinoClassifier`` beside ``MLPClassifier``, the same networks.

The same layers, solver, batches and epochs on both sides. Fits of one network share a compiled
step, which is traced in the first of them; "a first fit" forgets it each time.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender


@dataclass(frozen=True)
class Task:
    """A data set, and how a network learns it with Adam."""

    data: Callable[[], tuple[np.ndarray, np.ndarray]]
    hidden: int
    batch: int
    epochs: int
    wanted: float
    #: How many fits there are, of as many rates and seeds, and whether each is a first one.
    fits: int = 1
    first: bool = False


def loaded(name: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Return what loads one of scikit-learn's data sets, float32 and of deviation 1."""

    def data() -> tuple[np.ndarray, np.ndarray]:
        X, y = getattr(peers.optional("sklearn.datasets"), name)(return_X_y=True)
        return ((X - X.mean(0)) / (X.std(0) + 1e-6)).astype(np.float32), y

    return data


def many() -> tuple[np.ndarray, np.ndarray]:
    """Return 20,000 samples of 50 features in five classes."""
    X, y = peers.optional("sklearn.datasets").make_classification(
        20_000, 50, n_informative=20, n_classes=5, random_state=0
    )
    return X.astype(np.float32), y


iris, digits = loaded("load_iris"), loaded("load_digits")
TASKS = {
    "Iris, 4-16-3, batch 32, 50 epochs": Task(iris, 16, 32, 50, 3),
    "Iris, 4-16-3, batch 32, 50 epochs, a first fit": Task(iris, 16, 32, 50, 1, first=True),
    "Iris, 4-16-3, batch 150, 5 epochs": Task(iris, 16, 150, 5, 1),
    "digits, 64-64-10, batch 64, 20 epochs": Task(digits, 64, 64, 20, 3),
    "20,000 x 50, 50-64-5, batch 200, 5 epochs": Task(many, 64, 200, 5, 3),
    "100 fits of Iris, 4-16-3, batch 32, 20 epochs": Task(iris, 16, 32, 20, 1, fits=100),
}


def cases() -> list[Case]:
    if peers.sklearn() is None:
        return []
    return [
        Case(
            "estimators",
            f"{name}, Adam",
            lambda task=task: contenders(task),
            {"scikit-learn": task.wanted},
            calls_before_check=int(task.epochs > 5),  # before that they know little
            tolerance=0.04,
            unit="fit" if task.fits == 1 else "search",
            rounds=3 if task.fits > 1 else None,
        )
        for name, task in TASKS.items()
    ]


def contenders(task: Task) -> list[Contender]:
    """Return both estimators; they should come to know the samples equally well."""
    from aino.estimators import AinoClassifier, templates

    X, y = task.data()
    peer = peers.optional("sklearn.neural_network").MLPClassifier
    shared = {
        "hidden_layer_sizes": (task.hidden,), "activation": "relu", "solver": "adam",
        "batch_size": task.batch, "max_iter": task.epochs,
    }  # fmt: skip
    settings = list(itertools.islice(itertools.product(range(25), (5e-3, 1e-2, 2e-2, 5e-2)),
                                     task.fits))  # fmt: skip

    def learn() -> Any:
        for seed, rate in settings:
            if task.first:
                templates.forget()
            model = AinoClassifier(**shared, learning_rate_init=rate, random_state=seed).fit(X, y)
        return model

    def learn_there() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it could have gone on
            for seed, rate in settings:
                model = peer(
                    **shared, learning_rate_init=rate, random_state=seed, alpha=0.0,
                    n_iter_no_change=task.epochs + 1,
                ).fit(X, y)  # fmt: skip
        return model

    def score(model: Any) -> float:
        return float(np.mean(model.predict(X) == y))

    return [
        Contender("AINO", learn, show=score),
        Contender("scikit-learn", learn_there, show=score),
    ]
