"""The module that an estimator learns with: layers of given sizes, or whatever the user gives."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from aino.autograd.tensor import make
from aino.estimators.arguments import count
from aino.estimators.neural_network import NeuralNetwork
from aino.estimators.scikit_learn.learning import core
from aino.nn.base.module import Module
from aino.train.evaluation import asking

#: scikit-learn's names of activations, and AINO's.
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}


def hidden_sizes(sizes: Any) -> list[int]:
    """Return the sizes of the hidden layers; one number is one layer, as in scikit-learn."""
    given = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    return [count("each of hidden_layer_sizes", size) for size in given]


def build(estimator: Any, inputs: int, outputs: int, dtype: np.dtype) -> Any:
    """Return the module of an estimator's parameters, with weights that have learned nothing."""
    given = estimator.module
    if given is None:
        sizes = [inputs, *hidden_sizes(estimator.hidden_layer_sizes), outputs]
        name = estimator.activation
        several = isinstance(name, (list, tuple))
        names = [ACTIVATIONS.get(one, one) for one in (name if several else [name])]
        return NeuralNetwork(
            sizes, names if several else names[0], "linear", dropout=estimator.dropout,
            batch_norm=estimator.batch_norm,
        ).to(dtype)  # fmt: skip
    if isinstance(given, Module):
        return copy.deepcopy(given)
    if not callable(given):
        raise TypeError(f"module is a Module, its class or a function, not {given!r}")
    wanted = _required(given)
    if wanted not in (0, 2):
        raise TypeError(
            f"module takes {wanted} arguments; it is called with the numbers of inputs and "
            "outputs, or with nothing"
        )
    made = given(inputs, outputs) if wanted else given()
    if not isinstance(made, Module):
        raise TypeError(f"module has to make a Module, not a {type(made).__name__}")
    return made


def _required(function: Any) -> int:
    """Return how many arguments a class or a function cannot do without."""
    parameters = inspect.signature(function).parameters.values()
    return sum(
        parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )


def draws(estimator: Any) -> bool:
    """Tell whether learning may draw random numbers, which a module of the user's may."""
    if estimator.module is not None:
        return True
    dropout = estimator.dropout
    return any(dropout) if isinstance(dropout, (list, tuple)) else bool(dropout)


def check_outputs(module: Any, rows: np.ndarray, outputs: int, kind: str) -> None:
    """Raise ``ValueError`` unless a module gives as many scores for a sample as it has to.

    A lazy module takes its shape from these rows.
    """
    with asking(module):
        found = core(module)(make(rows)).array
    wide = found.reshape(len(found), -1).shape[1]
    if len(found) != len(rows) or wide != outputs:
        raise ValueError(
            f"module gives outputs of shape {found.shape} for {len(rows)} samples, and these "
            f"targets take ({len(rows)}, {outputs})"
        )
    sums = found.sum(axis=-1)
    if kind == "classes" and (found >= 0).all() and np.allclose(sums, 1.0, atol=1e-4):
        raise ValueError(
            "module gives probabilities, which add up to 1; it has to give scores: leave its "
            "softmax out, which the loss applies"
        )


def dtype_of(module: Any, default: np.dtype) -> np.dtype:
    """Return the dtype that a module computes in: that of its parameters."""
    for parameter in module.parameters():
        if parameter.dtype.kind == "f":
            return parameter.dtype
    return default
