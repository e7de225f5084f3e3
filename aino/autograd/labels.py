"""Labels of tensors, kept beside them: a tensor without a label pays nothing."""

from __future__ import annotations

import weakref
from typing import Any

from aino.autograd.node import extras_of
from aino.tracing import forbid_in_trace

#: The labelled tensors by their identity: a weak reference to each, and its label.
_labels: dict[int, tuple[weakref.ref, str]] = {}


def label_of(tensor: Any) -> str | None:
    """Return what a tensor is called, None where it has no label."""
    found = _labels.get(id(tensor))
    return None if found is None else found[1]


def set_label(tensor: Any, label: str | None) -> None:
    """Give a tensor a label, and the operation that made it as well; None takes it away."""
    if label is not None and not isinstance(label, str):
        raise TypeError(f"a label is a string, or None for none, not {type(label).__name__}")
    forbid_in_trace("the label of a tensor", "set it outside the compiled function")
    key = id(tensor)
    if label is None:
        _labels.pop(key, None)
    else:
        _labels[key] = weakref.ref(tensor, lambda _: _labels.pop(key, None)), label
    node = tensor.node
    if node is not None and (label is not None or node.extras is not None):
        # A drawing shows the operation even when the tensor itself is gone.
        extras_of(node).label = label


def labelled() -> list[tuple[str, Any]]:
    """Return the labels and the tensors that have them, those set first first."""
    pairs = [(label, reference()) for reference, label in list(_labels.values())]
    return [(label, tensor) for label, tensor in pairs if tensor is not None]
