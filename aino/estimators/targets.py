"""What y is: labels of classes, zeros and ones, or numbers, and how many outputs that takes.

- Text, booleans, categories: labels. Two of them are told apart by one output or by two, more by
  one output each.
- Zeros and ones: one column is yes or no, several are one-hot rows where each row holds a single
  one, else a yes or no each.
- -1 and 1, or two different whole numbers, in one column: labels, unless the loss is one of
  numbers.
- Other whole numbers in one column: classes, where the network has several outputs, or where its
  sizes come from the data; numbers where it has one.
- All else: numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.errors import DtypeError, ShapeError
from aino.estimators.data import Inputs, as_array, check_finite, is_sparse

#: So many different whole numbers are classes in any case; of more, classes have two samples each.
_SURELY_CLASSES = 20


class Targets(NamedTuple):
    """The targets of a network, and what kind of thing they are.

    ``kind``: ``"classes"`` (``values`` are class indices (n,)), ``"one-hot"`` (one row of
    probabilities a sample), ``"binary"`` (zeros and ones) or ``"numbers"``; all but the first
    have the shape of the outputs, (n, outputs), in float64. ``flat``: y had one dimension;
    ``dtype`` is what it came in.
    ``classes``: the labels, in order, that ``predict`` gives; of rows of zeros and ones, these two
    in their dtype. None where it gives the outputs.
    """

    kind: str
    values: np.ndarray
    flat: bool
    classes: np.ndarray | None = None
    dtype: Any = np.dtype(np.float64)

    def as_learned(self, kind: str) -> Learned:
        """Return these as what a network has learned, as targets of this kind."""
        return Learned(kind, self.classes if kind == self.kind else None)

    def some(self, chosen: Any) -> Targets:
        """Return those of some samples."""
        return self._replace(values=self.values[chosen])

    @property
    def exclusive(self) -> bool:
        """Whether each sample is of one class."""
        return self.kind in ("classes", "one-hot") or (
            self.kind == "binary" and self.values.shape[1] == 1
        )

    def indices(self) -> np.ndarray:
        """Return the class of each sample, counted from 0."""
        if self.kind == "classes":
            return self.values
        if self.values.shape[1] == 1:
            return (self.values[:, 0] > 0.5).astype(np.int64)
        return self.values.argmax(axis=1)


class Samples(NamedTuple):
    """Checked samples, their targets, and how much each counts (None: all the same)."""

    X: Inputs
    targets: Targets
    weights: np.ndarray | None = None

    def some(self, chosen: Any) -> Samples:
        """Return some of them."""
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.X.some(chosen), self.targets.some(chosen), weights)


class Learned(NamedTuple):
    """What the targets of a network were when it learned: ``kind`` and ``classes`` of them."""

    kind: str
    classes: np.ndarray | None


def as_targets(
    name: str,
    data: Any,
    samples: int,
    outputs: int | None = None,
    *,
    loss: Any = None,
    learned: Learned | None = None,
    classes: np.ndarray | None = None,
) -> Targets:
    """Return the targets of ``samples`` samples.

    Raises ``ShapeError`` where they do not fit, ``DtypeError`` for what is neither a number nor a
    label, ``ValueError`` for labels that do not fit.

    Arguments:
        name: what an error calls them.
        data: an array, list, tensor, column or table.
        samples: how many there are of X.
        outputs: how many outputs the network has; None where the targets decide it.
        loss: the loss that was asked for; "mse", "l1" and their kin compare numbers, "bce" and
            "cross_entropy" classes.
        learned: what the network knows already: the targets are read as these.
        classes: all labels that there are, of which these may lack some.
    """
    if classes is not None and learned is None:
        wanted = 1 if len(classes) == 2 else len(classes)
        if outputs not in (None, wanted, len(classes)) or len(classes) < 2:
            raise ValueError(
                f"there are {len(classes)} classes ({_listed(classes)}), and the network has "
                f"{outputs or 'no'} outputs for them"
            )
        binary = (outputs or wanted) == 1
        learned = Learned("binary" if binary else "classes", classes)
    array = as_array(name, data.toarray() if is_sparse(data) else data)
    found = _read(name, array, samples, outputs, loss, learned)
    return found._replace(dtype=array.dtype)


def _read(
    name: str, array: np.ndarray, samples: int, outputs: int | None, loss: Any,
    learned: Learned | None,
) -> Targets:  # fmt: skip
    """Return targets of an array of numbers, booleans or text."""
    if array.ndim == 0 or array.ndim > 2:
        raise ShapeError(f"{name} has shape {array.shape}; it has one or two dimensions")
    if len(array) != samples:
        raise ShapeError(f"{samples} samples in X, but {len(array)} in {name}")
    check_finite(name, array) if array.dtype.kind == "f" else None
    if array.ndim == 2 and array.shape[1] != 1:
        return _rows(name, array, outputs, learned)
    column, flat = array.reshape(-1), array.ndim == 1
    if learned is not None and (outputs in (None, 1) or learned.kind == "classes"):
        return _as_learned(name, column, flat, outputs, learned)
    if learned is not None and learned.kind != "one-hot":
        raise ShapeError(
            f"{name} has shape {array.shape}; a network that has learned {outputs} columns takes "
            f"({samples}, {outputs})"
        )
    if outputs is not None and outputs > 1:
        return _of_several_outputs(name, column, flat, outputs)
    if outputs is None and loss == "cross_entropy" and _fractional(column) is None:
        classes, indices = _unique(name, column)
        return Targets("classes", indices, flat, classes)
    if _are_labels(name, column, outputs, loss):
        classes, indices = _unique(name, column)
        if len(classes) < 2:
            raise ValueError(
                f"{name} holds a single class, {classes[0]!r}: there is nothing to tell apart"
            )
        if len(classes) == 2:
            return Targets("binary", indices[:, None].astype(np.float64), flat, classes)
        if outputs == 1:
            raise ValueError(
                f"{name} holds {len(classes)} classes ({_listed(classes)}), and a network of one "
                f"output tells two apart: give it {len(classes)} outputs"
            )
        return Targets("classes", indices, flat, classes)
    values = column.astype(np.float64)[:, None]
    binary = _zeros_and_ones(column) and outputs is not None
    return Targets("binary" if binary else "numbers", values, flat)


def _are_labels(name: str, column: np.ndarray, outputs: int | None, loss: Any) -> bool:
    """Tell whether one column, for one output or for as many as it takes, names classes."""
    if column.dtype.kind in "Ob":
        return True
    if not len(column) or (loss is not None and loss not in ("bce", "binary_cross_entropy")):
        return False
    if outputs is not None and _zeros_and_ones(column):
        return False
    different = np.unique(column)
    if different.tolist() in ([0, 1], [-1, 1]):
        return True
    if column.dtype.kind == "f":
        return False
    if outputs is not None:
        return len(different) == 2
    if len(different) > max(_SURELY_CLASSES, len(column) // 2):
        raise ValueError(
            f"{name} holds {len(different)} different whole numbers in {len(column)} samples: "
            f"{name}.astype(float) says that they are numbers, loss='cross_entropy' that they are "
            "classes"
        )
    return True


def _rows(name: str, array: np.ndarray, outputs: int | None, learned: Learned | None) -> Targets:
    """Return targets of several columns."""
    samples, columns = array.shape
    if array.dtype.kind == "O":
        raise DtypeError(f"{name} has {columns} columns of text; labels are one column")
    if outputs not in (None, columns) or not columns:
        one = f", or ({samples},)" if outputs == 1 else ", or class indices"
        raise ShapeError(
            f"{name} has shape {array.shape}; a network of {outputs} outputs takes "
            f"({samples}, {outputs}){one}"
        )
    values = array.astype(np.float64)
    whole = _zeros_and_ones(values)
    single = whole and bool((values.sum(axis=1) == 1).all())
    kind = "one-hot" if single else "binary" if whole else "numbers"
    if learned is not None:
        kind = "one-hot" if learned.kind == "classes" else learned.kind
        if kind != "numbers" and ((values < 0) | (values > 1)).any():
            raise ValueError(f"{name} holds numbers below 0 or above 1, which are no probabilities")
        if kind == "one-hot" and whole and not single:
            row = int(np.flatnonzero(values.sum(axis=1) != 1)[0])
            raise ValueError(f"{name}[{row}] is {array[row]}; it has a single one, for its class")
    both = np.array([0, 1], array.dtype) if whole and kind != "numbers" else None
    return Targets(kind, values, False, both)


def _of_several_outputs(name: str, column: np.ndarray, flat: bool, outputs: int) -> Targets:
    """Return one column of classes for a network that has an output for each."""
    numeric = column.dtype.kind in "iuf"
    if numeric:
        fractional = _fractional(column)
        if fractional is not None:
            raise ValueError(
                f"{name}[{fractional}] is {column[fractional]}; one number a sample is a class, 0 "
                f"to {outputs - 1}, as the network has {outputs} outputs"
            )
        if ((column >= 0) & (column < outputs)).all():
            return Targets("classes", column.astype(np.int64), flat, np.arange(outputs))
    classes, indices = _unique(name, column)
    if len(classes) == outputs:
        return Targets("classes", indices, flat, classes)
    if numeric:
        place = int(np.flatnonzero((column < 0) | (column >= outputs))[0])
        raise ValueError(
            f"{name}[{place}] is {column[place]}, out of range: a network of {outputs} outputs "
            f"tells the classes 0 to {outputs - 1} apart, or {outputs} others, and {name} holds "
            f"{len(classes)}"
        )
    raise ValueError(
        f"{name} holds {len(classes)} classes ({_listed(classes)}), and the network has {outputs} "
        "outputs"
    )


def _as_learned(
    name: str, column: np.ndarray, flat: bool, outputs: int | None, learned: Learned
) -> Targets:
    """Return one column read as what the network has learned."""
    kind, classes = learned
    if kind == "numbers" or classes is None:
        if column.dtype.kind == "O":
            raise DtypeError(f"{name} holds text, and this network has learned numbers")
        if kind == "classes":
            return _of_several_outputs(name, column, flat, outputs or 1)
        values = column.astype(np.float64)[:, None]
        if kind == "binary" and ((values < 0) | (values > 1)).any():
            place = int(np.flatnonzero((values < 0) | (values > 1))[0])
            raise ValueError(
                f"{name}[{place}] is {column[place]}, and this network has learned 0 and 1; "
                "fit(..., warm_start=False) begins anew"
            )
        return Targets(kind, values, flat)
    indices = encode(name, column, classes)
    if kind == "binary":
        return Targets(kind, indices[:, None].astype(np.float64), flat, classes)
    return Targets(kind, indices, flat, classes)


def encode(name: str, column: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return which of the classes each label is; ``ValueError`` names the first that is none."""
    if (column.dtype.kind == "O") is not (classes.dtype.kind == "O"):
        unknown = 0
    else:
        indices = np.searchsorted(classes, column)
        wrong = classes[np.minimum(indices, len(classes) - 1)] != column
        if not wrong.any():
            return indices.astype(np.int64)
        unknown = int(np.flatnonzero(wrong)[0])
    label = column[unknown : unknown + 1].tolist()[0]
    raise ValueError(
        f"{name}[{unknown}] is {label!r}, which is none of the classes that this network has "
        f"learned: {_listed(classes)}"
    )


def as_classes(name: str, data: Any) -> np.ndarray:
    """Return labels that were listed, each once and in order."""
    return _unique(name, as_array(name, data).reshape(-1))[0]


def one_hot(targets: Targets, outputs: int) -> np.ndarray:
    """Return targets in the shape of the outputs, class indices as rows with a single one."""
    if targets.kind != "classes":
        return targets.values
    return np.eye(outputs)[targets.values]


def _unique(name: str, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different labels in order, and which of them each is."""
    if not len(column):
        raise ShapeError(f"{name} holds no labels")
    classes, indices = np.unique(column, return_inverse=True)
    return classes, indices.reshape(-1).astype(np.int64)


def _zeros_and_ones(values: np.ndarray) -> bool:
    return len(values) > 0 and bool(((values == 0) | (values == 1)).all())


def _fractional(column: np.ndarray) -> int | None:
    """Return where the first number stands that is not whole, None where there is none."""
    if column.dtype.kind != "f":
        return None
    found = np.flatnonzero(np.floor(column) != column)
    return int(found[0]) if len(found) else None


def _listed(classes: np.ndarray) -> str:
    shown = ", ".join(repr(label) for label in classes[:10].tolist())
    return shown if len(classes) <= 10 else f"{shown}, ..."
