"""What is learned at defaults: held-out scores beside scikit-learn's MLPs and skorch.

python -m benchmarks accuracy            all data sets (a few minutes)
python -m benchmarks accuracy wine raw   those whose name contains all of these
python -m benchmarks accuracy --quick    two seeds

Each data set is split five times into three quarters to learn from and one to be asked about. Every
contender sees the same splits, with the seed of the split for its own, once with the features as
they are and once with those of deviation 1. Scores are accuracies, R² for numbers, and balanced
accuracy where one class of 97 in 100 would hide the other.

AINO's network and its estimators, and scikit-learn's MLPs, are at their defaults. skorch asks for a
module: a hidden layer of 100 rectifiers, as the others have; all else is its default (stochastic
gradient descent at 0.01, 10 epochs, batches of 128, a fifth held out). Without skorch the same is
done by PyTorch alone.
"""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers

SEEDS = range(5)
#: What every module for skorch has, as scikit-learn's MLPs do.
HIDDEN = 100
AINO_NAMES = ("NeuralNetwork", "Aino estimator")


@dataclass(frozen=True)
class Problem:
    """A data set, what its targets are, and how many of 100 samples are of the frequent class."""

    name: str
    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    kind: str = "classes"
    score: str = "accuracy"

    def splits(self, scaled: bool, seeds: Sequence[int]) -> Any:
        """Yield each seed, what to learn from (X, y), and what to ask about."""
        from sklearn.model_selection import train_test_split
        from sklearn.preprocessing import StandardScaler

        X, y = self.load()
        for seed in seeds:
            stratify = y if self.kind == "classes" else None
            X_train, X_test, y_train, y_test = train_test_split(
                X, y, test_size=0.25, random_state=seed, stratify=stratify
            )
            if scaled:
                scaler = StandardScaler().fit(X_train)
                X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
            yield seed, (X_train, y_train), (X_test, y_test)

    def judge(self, said: np.ndarray, right: np.ndarray) -> float:
        """Return the score of what a model says."""
        from sklearn import metrics

        judges = {
            "accuracy": metrics.accuracy_score,
            "balanced accuracy": metrics.balanced_accuracy_score,
            "R²": metrics.r2_score,
        }
        return float(judges[self.score](right, said))


def loaded(name: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    return lambda: getattr(peers.optional("sklearn.datasets"), name)(return_X_y=True)


def friedman() -> tuple[np.ndarray, np.ndarray]:
    return peers.optional("sklearn.datasets").make_friedman1(500, noise=1.0, random_state=0)


def imbalanced() -> tuple[np.ndarray, np.ndarray]:
    return peers.optional("sklearn.datasets").make_classification(
        2000, n_features=20, n_informative=5, weights=[0.97], class_sep=1.5, random_state=0
    )


PROBLEMS = (
    Problem("iris", loaded("load_iris")),
    Problem("wine", loaded("load_wine")),
    Problem("breast cancer", loaded("load_breast_cancer")),
    Problem("digits", loaded("load_digits")),
    Problem("diabetes", loaded("load_diabetes"), "numbers", "R²"),
    Problem("Friedman 1", friedman, "numbers", "R²"),
    Problem("97 to 3", imbalanced, score="balanced accuracy"),
)


# Contenders: (kind, seed, X, y) -> a function that says what X is.


def network(kind: str, seed: int, X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Any]:
    import aino

    model = aino.NeuralNetwork(random_state=seed).fit(X, y, verbose=False)
    return lambda X: np.asarray(model.predict(X)).ravel()


def estimator(kind: str, seed: int, X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Any]:
    from aino import estimators

    made = estimators.AinoClassifier if kind == "classes" else estimators.AinoRegressor
    return made(random_state=seed).fit(X, y).predict


def perceptron(kind: str, seed: int, X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Any]:
    from sklearn import neural_network

    made = neural_network.MLPClassifier if kind == "classes" else neural_network.MLPRegressor
    return made(random_state=seed).fit(X, y).predict


def module(kind: str, features: int, outputs: int) -> Any:
    """Return a module for skorch: it gives probabilities of classes, or numbers."""
    from torch import nn

    layers = [nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs)]
    return nn.Sequential(*layers, *([nn.Softmax(-1)] if kind == "classes" else []))


def of_skorch(kind: str, seed: int, X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Any]:
    torch, skorch = peers.torch(), peers.optional("skorch")
    torch.manual_seed(seed)
    outputs = int(y.max()) + 1 if kind == "classes" else 1
    made = skorch.NeuralNetClassifier if kind == "classes" else skorch.NeuralNetRegressor
    model = made(module(kind, X.shape[1], outputs), verbose=0)
    targets = y.astype(np.int64) if kind == "classes" else y.astype(np.float32)[:, None]
    model.fit(X.astype(np.float32), targets)
    return lambda X: model.predict(X.astype(np.float32)).ravel()


def by_hand(kind: str, seed: int, X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Any]:
    """Do with PyTorch alone what skorch does at its defaults."""
    torch = peers.torch()
    torch.manual_seed(seed)
    outputs = int(y.max()) + 1 if kind == "classes" else 1
    model = module(kind, X.shape[1], outputs)
    inputs = torch.from_numpy(X.astype(np.float32))
    targets = torch.from_numpy(
        y.astype(np.int64) if kind == "classes" else y.astype(np.float32)[:, None]
    )
    order = torch.randperm(len(inputs))[len(inputs) // 5 :]
    inputs, targets = inputs[order], targets[order]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(10):
        for start in range(0, len(inputs), 128):
            said, right = model(inputs[start : start + 128]), targets[start : start + 128]
            if kind == "classes":
                loss = torch.nn.functional.nll_loss(torch.log(said), right)
            else:
                loss = torch.nn.functional.mse_loss(said, right)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def predict(X: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            said = model(torch.from_numpy(X.astype(np.float32))).numpy()
        return said.argmax(1) if kind == "classes" else said[:, 0]

    return predict


def contenders() -> dict[str, Callable]:
    """Return all contenders that are installed."""
    found: dict[str, Callable] = dict(zip(AINO_NAMES, (network, estimator)))
    found["scikit-learn"] = perceptron
    if peers.torch() is not None:
        if peers.optional("skorch") is not None:
            found["skorch"] = of_skorch
        else:
            found["skorch's defaults"] = by_hand
    return found


# Measuring and reporting


@dataclass(frozen=True)
class Row:
    """The scores of every contender on one problem, one a seed."""

    name: str
    score: str
    scores: dict[str, list[float]]

    def mean(self, name: str) -> float:
        return statistics.fmean(self.scores[name])

    def deviation(self, name: str) -> float:
        values = self.scores[name]
        return statistics.stdev(values) if len(values) > 1 else 0.0

    def behind(self, name: str) -> list[str]:
        """Return the others that are ahead by more than a standard deviation, theirs and ours.

        The deviation is the root of the mean square of both. A score that is no number, and one
        that fell below that of a model that knows nothing, is ahead of none.
        """
        ahead = []
        for other in self.scores:
            apart = self.mean(other) - self.mean(name)
            spread = ((self.deviation(other) ** 2 + self.deviation(name) ** 2) / 2) ** 0.5
            if other not in AINO_NAMES and apart > spread:
                ahead.append(other)
        return ahead


def measure(problem: Problem, scaled: bool, seeds: Sequence[int]) -> Row:
    """Return the scores of all contenders."""
    scores: dict[str, list[float]] = {name: [] for name in contenders()}
    for seed, learned, asked in problem.splits(scaled, seeds):
        for name, learn in contenders().items():
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # that it could have gone on
                said = learn(problem.kind, seed, *learned)(asked[0])
            # What has diverged knows nothing; -100 is as bad as that, and can be averaged.
            said = np.nan_to_num(said, posinf=0.0, neginf=0.0) if said.dtype.kind == "f" else said
            scores[name].append(max(problem.judge(said, asked[1]), -100.0))
    return Row(f"{problem.name}, {'scaled' if scaled else 'raw'}", problem.score, scores)


def line(row: Row) -> str:
    """Return a line of the table: mean ± standard deviation, and who is ahead of AINO."""
    cells = [f"{row.mean(name):7.3f} ± {row.deviation(name):.3f}" for name in row.scores]
    verdicts = [
        f"{name} is behind {' and '.join(ahead)}"
        for name in AINO_NAMES
        if name in row.scores and (ahead := row.behind(name))
    ]
    table = "  ".join(f"{cell:>17}" for cell in cells)
    return f"{row.name:22} {row.score:18} {table}   {'; '.join(verdicts) or 'not behind'}"


def main(names: Sequence[str], seeds: Sequence[int], out: Path) -> int:
    """Print the table, write the figures; return how many rows AINO is behind in."""
    if peers.sklearn() is None:
        print("scikit-learn is not installed, and its data sets and MLPs are what this is about")
        return 1
    heads = "  ".join(f"{name:>17}" for name in contenders())
    print(f"{'':22} {'score':18} {heads}   by more than a standard deviation", flush=True)
    rows = []
    for problem in PROBLEMS:
        for scaled in (False, True):
            title = f"{problem.name} {'scaled' if scaled else 'raw'}"
            if all(name in title for name in names):
                rows.append(measure(problem, scaled, seeds))
                print(line(rows[-1]), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "accuracy.json"
    path.write_text(json.dumps(figures(rows), indent=1) + "\n", encoding="utf-8")
    print(f"figures are in {path}")
    return sum(any(row.behind(name) for name in AINO_NAMES) for row in rows)


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "environment": peers.environment(),
        "results": [
            {
                "name": row.name,
                "score": row.score,
                "means": {name: row.mean(name) for name in row.scores},
                "deviations": {name: row.deviation(name) for name in row.scores},
                "behind": {name: row.behind(name) for name in AINO_NAMES},
                "scores": row.scores,
            }
            for row in rows
        ],
    }
