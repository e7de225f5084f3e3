"""What a network and its ``fit`` are given beside data, checked."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from aino import optim
from aino.errors import ShapeError
from aino.estimators.data import numbers
from aino.estimators.targets import Targets, encode
from aino.nn.modules.activation_names import suggestion
from aino.train import Callback
from aino.train.arguments import checked, count
from aino.train.named import OPTIMIZERS

#: The hidden layer of a network that was given no sizes at all.
HIDDEN = (32,)
#: For how many epochs early stopping waits.
PATIENCE = 10


def sizes_of_layers(sizes: Any) -> list[int]:
    """Return the sizes of all layers, inputs and outputs included."""
    if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
        raise TypeError(f"sizes is a list of whole numbers, such as [2, 3, 1], not {sizes!r}")
    found = [count("each of the sizes", size) for size in sizes]
    if len(found) < 2:
        raise ValueError(f"sizes counts inputs and outputs at least, got {list(sizes)}")
    return found


def hidden_sizes(hidden: Any) -> list[int]:
    """Return the sizes of the hidden layers of a network whose other sizes the data give."""
    if hidden is None:
        return list(HIDDEN)
    if isinstance(hidden, str) or not hasattr(hidden, "__iter__"):
        return [count("hidden", hidden)]
    return [count("each of hidden", size) for size in hidden]


def each(name: str, given: Any, count: int) -> list[Any]:
    """Return what is given for each of the hidden layers, or once for all of them."""
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        layers = "is 1 hidden layer" if count == 1 else f"are {count} hidden layers"
        raise ValueError(f"{name} is a list of {len(given)}, and there {layers}")
    return list(given)


def seed_of(seed: Any, random_state: Any) -> int | None:
    """Return the seed under either of its names; a generator of NumPy's draws one."""
    if seed is not None and random_state is not None and seed is not random_state:
        raise ValueError("seed and random_state both fix the weights; one is enough")
    given = random_state if seed is None else seed
    if given is None:
        return None
    if isinstance(given, np.random.RandomState):
        return int(given.randint(2**31 - 1))
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**31))
    try:
        return operator.index(given)
    except TypeError:
        raise TypeError(f"a seed is a whole number, not {given!r}") from None


def learning_rate(n: Any, lr: Any) -> float | None:
    """Return the learning rate under either of its names."""
    if n is not None and lr is not None and n != lr:
        raise ValueError(f"n={n} and lr={lr} both give the learning rate; one is enough")
    rate = lr if n is None else n
    if rate is None:
        return None
    try:
        value = float(rate)
    except TypeError:
        raise TypeError(f"the learning rate n is a number, not {rate!r}") from None
    if not 0.0 < value < math.inf:
        raise ValueError(f"the learning rate n has to be above 0, got {rate}")
    return value


def check_optimizer(
    optimizer: Any, rate: float | None, parameters: list, weight_decay: float | None = None
) -> None:
    """Raise unless ``optimizer`` is None, a name, a class, or an optimizer of these parameters."""
    if isinstance(optimizer, str) and optimizer.lower() not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {optimizer!r}" + suggestion(optimizer, OPTIMIZERS))
    if isinstance(optimizer, optim.Optimizer):
        if rate is not None:
            raise ValueError("the optimizer has a learning rate already; leave n out")
        if weight_decay is not None:
            raise ValueError("the optimizer has a weight decay already; leave weight_decay out")
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        if not held.intersection(map(id, parameters)):
            raise ValueError(
                "the optimizer holds no parameter that this network learns: make it of "
                "network.parameters()" + ("" if parameters else ", once fit has made them")
            )
    elif optimizer is not None and not isinstance(optimizer, str) and not callable(optimizer):
        raise TypeError(
            f"an optimizer is a name, a class or an optimizer, not {type(optimizer).__name__}"
        )


def patience(given: Any) -> int | None:
    """Return for how many epochs early stopping waits; None where learning goes on to the end."""
    if isinstance(given, (bool, np.bool_)):
        return PATIENCE if given else None
    return None if given is None else count("early_stopping", given)


def share(given: Any) -> float:
    """Return the share of samples that is held out."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < 1:
        raise ValueError(f"validation_fraction is a share, between 0 and 1, not {given!r}")
    return float(given)


def decay(given: Any) -> float | None:
    """Return how fast weights decay; None is the optimizer's own."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given < math.inf:
        raise ValueError(f"weight_decay is a number from 0 up, not {given!r}")
    return float(given)


def callbacks_of(given: Any) -> tuple[Callback, ...]:
    """Return callbacks as a tuple; one may be given as it is."""
    return tuple(checked([given] if isinstance(given, Callback) else given or ()))


def sample_weights(given: Any, samples: int) -> np.ndarray | None:
    """Return how much each sample counts; None for all the same."""
    if given is None:
        return None
    weights = numbers("sample_weight", given).astype(np.float64)
    if weights.ndim == 0:
        weights = np.full(samples, float(weights))
    if weights.shape != (samples,):
        raise ShapeError(f"sample_weight has shape {weights.shape}; X has {samples} samples")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(f"sample_weight[{place}] is {weights[place]}; no weight is below 0")
    if not weights.any():
        raise ValueError("sample_weight is 0 everywhere: no sample counts")
    return weights


def class_weights(given: Any, targets: Targets) -> np.ndarray | None:
    """Return how much each sample counts by its class; None for all the same.

    ``"balanced"``: samples / (classes · samples of the class).
    """
    if given is None:
        return None
    if not targets.exclusive:
        raise ValueError("class_weight weighs classes, and y is numbers or several yes and no")
    indices = targets.indices()
    outputs = 1 if targets.values.ndim == 1 else targets.values.shape[1]
    size = max(outputs, 2, int(indices.max()) + 1)
    if given == "balanced":
        counts = np.bincount(indices, minlength=size)
        present = int((counts > 0).sum())
        return (len(indices) / (present * np.maximum(counts, 1)))[indices]
    if not isinstance(given, dict):
        raise TypeError(f"class_weight is a dict or 'balanced', not {given!r}")
    classes = targets.classes if targets.kind != "one-hot" else None
    if classes is None:
        classes = np.arange(size)
    by_class = np.ones(max(size, len(classes)))
    for label, weight in given.items():
        if not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise ValueError(f"class_weight[{label!r}] is {weight!r}; it is a number from 0 up")
        kind = object if isinstance(label, str) else None
        by_class[encode("class_weight", np.array([label], kind), classes)[0]] = weight
    return by_class[indices]
