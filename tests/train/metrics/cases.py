"""Outputs and targets of every kind, small enough to be computed by scikit-learn in no time."""

import numpy as np


def drawn(seed, samples, classes):
    """Probabilities (samples, classes) that know something of the targets, and these."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes, samples)
    scores = random.normal(size=(samples, classes)) + 1.5 * (targets[:, None] == range(classes))
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum(1, keepdims=True), targets


def weights(samples, seed=5):
    """Weights, some of which are 0."""
    random = np.random.default_rng(seed)
    return np.where(random.random(samples) < 0.2, 0.0, random.exponential(size=samples))


def binary(seed=0, samples=40):
    probabilities, targets = drawn(seed, samples, 2)
    return probabilities[:, 1], targets


def rounded(seed=1):
    """Scores with many ties."""
    scores, targets = binary(seed)
    return scores.round(1), targets


def multilabel(seed=2, samples=30, labels=4):
    random = np.random.default_rng(seed)
    targets = (random.random((samples, labels)) < 0.4).astype(int)
    return np.clip(0.5 * targets + 0.6 * random.random((samples, labels)), 0, 1), targets


#: Name -> labels that are said, and that are right.
LABELS = {
    "two classes": ([0, 1, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1, 1, 1]),
    "three classes": (drawn(3, 50, 3)[0].argmax(1), drawn(3, 50, 3)[1]),
    "all right": ([0, 1, 2, 1], [0, 1, 2, 1]),
    "none right": ([1, 2, 0, 0], [0, 1, 2, 1]),
    "one class": ([1, 1, 1], [1, 1, 1]),
    "one class, the other": ([0, 0, 0], [0, 0, 0]),
    "a class that is never right": ([0, 2, 2, 1], [0, 1, 1, 1]),
    "a class that is never said": ([0, 1, 1, 1], [0, 2, 2, 1]),
    "a class that is missing": ([0, 3, 3, 0], [0, 3, 0, 0]),
    "text": (["b", "a", "c", "a"], ["b", "b", "c", "a"]),
    "booleans": ([True, False, True], [True, True, False]),
    "-1 and 1": ([-1, 1, 1, -1], [1, 1, -1, -1]),
    "one sample": ([1], [0]),
}

#: Name -> scores of the second of two classes, and what is right.
BINARY = {
    "drawn": binary(),
    "ties": rounded(),
    "all scores equal": (np.full(6, 0.5), np.array([0, 1, 1, 0, 0, 1])),
    "perfect": (np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1])),
    "upside down": (np.array([0.9, 0.8, 0.2, 0.1]), np.array([0, 0, 1, 1])),
    "0 and 1": (np.array([0.0, 1.0, 1.0, 0.0]), np.array([0, 1, 0, 1])),
    "float32": (binary(7)[0].astype(np.float32), binary(7)[1]),
    "a rare class": (binary(8, 60)[0], (np.arange(60) == 3).astype(int)),
}

#: Name -> scores of classes, and what is right.
MULTICLASS = {
    "three classes": drawn(10, 50, 3),
    "ties": (np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]] * 4),
             np.array([0, 1, 2, 0, 2, 1, 1, 0, 0, 2, 2, 1])),
    "two columns": drawn(11, 30, 2),
    "five classes": drawn(12, 60, 5),
}  # fmt: skip

MULTILABEL = {
    "drawn": multilabel(),
    "a label that is never there": (
        multilabel()[0], multilabel()[1] * np.array([1, 1, 0, 1])
    ),
    "a sample without labels": (multilabel(4)[0], multilabel(4)[1] * (np.arange(30) > 3)[:, None]),
}  # fmt: skip


def regression(seed, samples=30, outputs=None, offset=0.0, scale=1.0):
    random = np.random.default_rng(seed)
    shape = (samples,) if outputs is None else (samples, outputs)
    targets = random.normal(size=shape)
    return (offset + scale * (targets + 0.3 * random.normal(size=shape)),
            offset + scale * targets)  # fmt: skip


REGRESSION = {
    "one output": regression(20),
    "three outputs": regression(21, outputs=3),
    "a large offset": regression(22, offset=1e9),
    "constant targets": (regression(23)[0], np.full(30, 0.5)),
    "constant and right": (np.full(10, 0.5), np.full(10, 0.5)),
    "one constant output of two": (
        regression(24, outputs=2)[0], regression(24, outputs=2)[1] * [1.0, 0.0]
    ),
    "two samples": ([1.0, 2.0], [1.5, 1.0]),
    "whole numbers": ([1, 2, 3, 5], [1, 3, 3, 4]),
}  # fmt: skip
