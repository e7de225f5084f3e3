"""Asking models for a picture: networks, estimators, modules, functions; without changing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.autograd.mode import enable_grad
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.estimators.data import as_array, as_inputs
from aino.estimators.neural_network import NeuralNetwork
from aino.nn.base.found import as_found, random_as_found
from aino.nn.base.module import Module
from aino.train.evaluation import asking

#: How many samples are asked about at once.
_AT_ONCE = 8192
#: What arranges numbers and leaves them as they are.
_ARRANGING = ("reshape", "getitem", "transpose", "alias", "cast")
_OUTPUTS = ("logits", "probabilities")


@dataclass
class Answer:
    """What a model says of samples.

    ``labels``: the classes. ``chosen``: the place of the class that is predicted, for each sample.
    ``shares``: probabilities (samples, classes), None where there are none.
    """

    labels: list[Any]
    chosen: np.ndarray
    shares: np.ndarray | None


def module_of(model: Any) -> Module | None:
    """Return the module that a model is, or that an estimator has learned; None for neither."""
    if isinstance(model, Module):
        return model
    inner = getattr(model, "module_", None)
    return inner if isinstance(inner, Module) else None


def needed_module(model: Any, what: str) -> Module:
    """Return the module of a model; raise where there is none, or an estimator has not learned."""
    module = module_of(model)
    if module is None:
        if hasattr(model, "fit") and type(model).__module__.startswith("aino."):
            raise ValueError(f"this {type(model).__name__} has not learned: call fit(X, y) first")
        raise TypeError(
            f"{what} are those of a module of aino.nn, of a NeuralNetwork or of AINO's estimators, "
            f"not of {_named(model)}"
        )
    return module


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Have a model in eval mode within a ``with`` block; it is as it was afterwards.

    So are its buffers, all else that it holds, and every random generator.
    """
    module = module_of(model)
    with random_as_found():
        if module is None:
            yield
        else:
            with as_found(module), asking(module):
                yield


class Asked:
    """A model, and what its answers are: classes or numbers.

    Arguments:
        model: a module, a network, an estimator with ``predict``, or a function of an array.
        y: targets, which say what the answers are where the model does not; or None.
        task: "classes" or "numbers" where neither says it.
        outputs: "logits" or "probabilities": what a module's outputs are, where they are classes.
    """

    def __init__(self, model: Any, y: Any, task: str | None, outputs: str | None) -> None:
        if isinstance(model, type):
            raise TypeError(f"a model is wanted, not the class: give {model.__name__}(...)")
        if not hasattr(model, "predict") and not callable(model):
            raise TypeError(
                "a model is a module, an estimator with predict, or a function of samples, "
                f"not {_named(model)}"
            )
        if task not in ("classes", "numbers", None):
            raise ValueError(f"task is 'classes', 'numbers' or None, not {task!r}")
        if outputs not in (*_OUTPUTS, None):
            raise ValueError(f"outputs is 'logits', 'probabilities' or None, not {outputs!r}")
        self.model, self.outputs = model, outputs
        # A network that has not learned gives outputs, as a module does.
        unlearned = isinstance(model, NeuralNetwork) and model.kind is None
        self.predicts = hasattr(model, "predict") and not unlearned
        if isinstance(model, Module) and not isinstance(model, NeuralNetwork):
            self.predicts = False
        self.y = None if y is None else _targets(y)
        self.task = task or self._task()
        self.labels = self._labels() if self.task == "classes" else []

    def _task(self) -> str:
        """Return what the answers are, by the model, or else by the targets."""
        model = self.model
        if isinstance(model, NeuralNetwork) and model.kind is not None:
            return "numbers" if model.kind == "numbers" else "classes"
        kind = _estimator_type(model)
        if kind is not None:
            return kind
        if self.y is None:
            raise ValueError(
                "without y nothing says what this model answers: task='classes' or 'numbers'"
            )
        whole = self.y.dtype.kind != "f" or bool(np.isin(self.y, (0.0, 1.0)).all())
        return "classes" if whole else "numbers"

    def _labels(self) -> list[Any]:
        if self.predicts and hasattr(self.model, "classes_"):
            return np.asarray(self.model.classes_).tolist()
        return [] if self.y is None else sorted(set(self.y.tolist()), key=_order)

    def numbers(self, samples: Any, output: int | None = None) -> np.ndarray:
        """Return a number for each sample; ``output`` says which, where there are several."""
        found = np.asarray(self._predicted(samples) if self.predicts else self._outputs(samples))
        found = found.reshape(len(found), -1)
        if found.shape[1] > 1 and output is None:
            raise ValueError(
                f"this model gives {found.shape[1]} numbers for a sample: choose one with output=0 "
                f"to {found.shape[1] - 1}, or say task='classes'"
            )
        if not -found.shape[1] <= (output or 0) < found.shape[1]:
            raise ValueError(f"there is no output {output}: this model gives {found.shape[1]}")
        return found[:, output or 0].astype(np.float64)

    def classes(self, samples: Any) -> Answer:
        """Return the classes that the model tells apart, and what it says of each sample."""
        return self._predicted_classes(samples) if self.predicts else self._of_outputs(samples)

    def _predicted(self, samples: Any) -> Any:
        return _plain(self.model.predict(samples))

    def _predicted_classes(self, samples: Any) -> Answer:
        model = self.model
        shares = None
        if hasattr(model, "predict_proba"):
            shares = _plain(model.predict_proba(samples))
            if isinstance(shares, list) or _tells_several(model):
                raise ValueError(
                    "this model gives several labels to a sample: a picture shows one of them. "
                    "Give a function of samples that returns it"
                )
            shares = _two_columns(np.asarray(shares, np.float64))
        labels = self.labels
        if isinstance(model, NeuralNetwork):
            assert shares is not None
            return Answer(labels, shares.argmax(axis=1), shares)
        said = _plain(self._predicted(samples))
        said = np.asarray(said)
        if said.ndim > 1 and said.shape[1:] != (1,):
            raise ValueError(f"predict gives {said.shape[1]} columns: one label a sample is wanted")
        said = said.ravel().tolist()
        labels = labels + sorted(set(said) - set(labels), key=_order)
        places = {label: place for place, label in enumerate(labels)}
        if shares is not None and shares.shape[1] != len(labels):
            shares = None
        return Answer(labels, np.array([places[label] for label in said], np.int64), shares)

    def _of_outputs(self, samples: Any) -> Answer:
        """Return classes from a module's outputs: logits, or probabilities."""
        outputs = self._outputs(samples)
        outputs = outputs.reshape(len(outputs), -1).astype(np.float64)
        if outputs.shape[1] == 1:
            shares = _two_columns(self._one_column(outputs, samples))
        else:
            shares = self._several_columns(outputs)
        labels = self.labels
        if len(labels) > shares.shape[1]:
            raise ShapeError(
                f"y has {len(labels)} classes, and the model gives "
                f"{outputs.shape[1]} {'output' if outputs.shape[1] == 1 else 'outputs'} a sample"
            )
        if labels != list(range(len(labels))) and len(labels) == shares.shape[1]:
            return Answer(labels, shares.argmax(axis=1), shares)
        if any(label not in range(shares.shape[1]) for label in labels):
            raise ValueError(
                f"the classes in y are {labels}, and the model gives {shares.shape[1]}: which is "
                "which can't be told"
            )
        return Answer(list(range(shares.shape[1])), shares.argmax(axis=1), shares)

    def _one_column(self, outputs: np.ndarray, samples: Any) -> np.ndarray:
        kind = self.outputs
        within = bool(((outputs >= 0) & (outputs <= 1)).all())
        if kind == "probabilities" and not within:
            raise ValueError(
                f"outputs from {outputs.min():.3g} to {outputs.max():.3g} are no probabilities"
            )
        if kind is None:
            if not within:
                kind = "logits"
            elif self._ends_with(("sigmoid", "hardsigmoid"), samples):
                kind = "probabilities"
            else:
                raise ValueError(
                    "every output lies between 0 and 1, and nothing says what it is: say "
                    "outputs='logits' (above 0 is the second class) or 'probabilities' (above 0.5)"
                )
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-outputs)) if kind == "logits" else outputs

    def _several_columns(self, outputs: np.ndarray) -> np.ndarray:
        def sums_to_one(values: np.ndarray) -> bool:
            with np.errstate(over="ignore"):
                return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-4))

        given = sums_to_one(outputs)
        if self.outputs == "probabilities" and not given:
            raise ValueError(
                "the outputs of a sample do not add up to 1: they are no probabilities"
            )
        if given and self.outputs != "logits":
            return outputs
        # Logarithms of probabilities come out of this as the probabilities.
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def _ends_with(self, names: tuple[str, ...], samples: Any) -> bool:
        """Tell whether the last thing that a module computes is one of these operations."""
        if not isinstance(self.model, Module):
            return False
        with enable_grad():
            output = self.model(self._tensor(_rows(samples[:1])))
        node = getattr(output, "grad_fn", None)
        while node is not None and node.primitive.name in _ARRANGING:
            node = node.inputs[0]
        return node is not None and node.primitive is not None and node.primitive.name in names

    def _outputs(self, samples: Any) -> np.ndarray:
        """Return a module's or a function's outputs for samples, block by block."""
        rows, parts = _rows(samples), []
        for start in range(0, len(rows), _AT_ONCE):
            block = rows[start : start + _AT_ONCE]
            given = self._tensor(block) if isinstance(self.model, Module) else block
            found = _plain(self.model(given))
            found = np.asarray(found)
            if found.ndim == 0 or len(found) != len(block):
                raise ShapeError(
                    f"the model has to give an output for each of {len(block)} samples, and gives "
                    f"an array of shape {found.shape}"
                )
            parts.append(found)
        return np.concatenate(parts)

    def _tensor(self, rows: np.ndarray) -> Tensor:
        """Return samples as a tensor in the dtype that the module computes in."""
        floating = [p.dtype for p in self.model.parameters() if p.dtype.kind == "f"]
        return make(rows.astype(floating[0] if floating else rows.dtype))


def _rows(samples: Any) -> np.ndarray:
    return samples if isinstance(samples, np.ndarray) else as_inputs("X", samples).rows


def _plain(answer: Any) -> Any:
    """Return an answer as an array or a list of them."""
    return answer.detach().numpy() if isinstance(answer, Tensor) else answer


def _targets(y: Any) -> np.ndarray:
    """Return targets as one column: labels, numbers, or which column of one-hot rows is 1."""
    array = as_array("y", y)
    if array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind != "O":
        if np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all():
            return array.argmax(axis=1)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ShapeError(f"y has shape {array.shape}: one label or number a sample is wanted")
    if array.dtype.kind == "f" and array.size and np.isin(array, (0.0, 1.0)).all():
        return array.astype(np.int64)
    return array


def _two_columns(shares: np.ndarray) -> np.ndarray:
    """Return probabilities of both classes where those of the second are given."""
    if shares.ndim == 1 or shares.shape[1] == 1:
        ones = shares.reshape(-1)
        return np.stack([1 - ones, ones], axis=1)
    return shares


def _tells_several(model: Any) -> bool:
    """Tell whether several labels may hold of one sample."""
    if isinstance(model, NeuralNetwork):
        return model.kind == "binary" and model.sizes[-1] > 1
    return bool(getattr(model, "_multilabel", False))


def _estimator_type(model: Any) -> str | None:
    """Return what scikit-learn knows an estimator to answer."""
    kind = getattr(model, "_estimator_type", None)
    if kind is None and hasattr(model, "__sklearn_tags__"):
        kind = getattr(model.__sklearn_tags__(), "estimator_type", None)
    known = {"classifier": "classes", "regressor": "numbers"}
    if kind not in known and hasattr(model, "classes_"):
        return "classes"
    return known.get(str(kind))


def _order(label: Any) -> tuple[str, Any]:
    """Sort numbers among themselves, and text among itself."""
    return ("", label) if not isinstance(label, str) else ("text", label)


def _named(model: Any) -> str:
    return f"a {type(model).__name__}" if model is not None else "None"
