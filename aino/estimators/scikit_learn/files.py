"""An estimator as what a ``.dit`` file holds, and the way back."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aino import dit
from aino.errors import DitError
from aino.nn.base.module import Module
from aino.train import History

#: What says, in a file, that it holds an estimator.
KIND = "aino.estimator"


class LeftOut:
    """Stands for a parameter that no file can hold: a function, a class, a random generator."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}, left out of the file>"


def check_parameters(estimator: Any) -> None:
    """Raise ``ValueError`` for a parameter that a file did not hold, and that learning needs."""
    for name, value in vars(estimator).items():
        if isinstance(value, LeftOut):
            raise ValueError(
                f"{name} was {value.name}, which the file could not hold: say it anew with "
                f"set_params({name}=...)"
            )


def content_of(estimator: Any) -> dict[str, Any]:
    """Return what a file holds of an estimator."""
    parameters = estimator.get_params(deep=False)
    return {
        KIND: type(estimator).__name__,
        "parameters": {name: _stored(value) for name, value in parameters.items()},
        "learned": learned_of(estimator),
    }


def learned_of(estimator: Any) -> dict[str, Any]:
    """Return what an estimator has learned: everything but its parameters."""
    parameters = estimator.get_params(deep=False)
    learned = {
        name: _as_text(value) for name, value in vars(estimator).items() if name not in parameters
    }
    if "history_" in learned:
        learned["history_"] = dict(learned["history_"])
    optimizer = learned.pop("_optimizer", None)
    if optimizer is not None:
        learned["_optimizer_state"] = optimizer.state_dict()
    return learned


def learn_again(estimator: Any, learned: Mapping[str, Any]) -> None:
    """Give an estimator back what ``learned_of`` returned."""
    for name, value in learned.items():
        setattr(estimator, name, History(value) if name == "history_" else _from_text(value))


def estimator_of(content: Mapping[str, Any], classes: Iterable[type]) -> Any:
    """Return the estimator that a file holds; ``DitError`` for what none wrote."""
    try:
        estimator: Any = {known.__name__: known for known in classes}[content[KIND]]()
        parameters = {
            name: LeftOut(value["$left out"]) if _is_left_out(value) else value
            for name, value in content["parameters"].items()
        }
        estimator.set_params(**parameters)
        learned = dict(content["learned"])
        if any(name in parameters or not _is_learned(name) for name in learned):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DitError(f"the file does not describe an estimator of AINO's: {error!r}") from None
    learn_again(estimator, learned)
    return estimator


def packed(estimator: Any) -> bytes | None:
    """Return what was learned as the bytes of a file; None for what no file can hold."""
    file = io.BytesIO()
    try:
        dit.save(learned_of(estimator), file)
    except DitError:
        return None
    return file.getvalue()


def unpacked(data: bytes) -> dict[str, Any]:
    """Return what ``packed`` was given."""
    return dit.load(io.BytesIO(data))


def _stored(value: Any) -> Any:
    """Return a parameter as a file holds it, or what it was if that cannot be."""
    if isinstance(value, LeftOut):
        return {"$left out": value.name}
    try:
        dit.save({"value": value}, io.BytesIO())
    except DitError:
        if isinstance(value, Module):
            raise
        name = getattr(value, "__qualname__", None) or f"a {type(value).__name__}"
        return {"$left out": name}
    return value


def _is_left_out(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["$left out"]


def _is_learned(name: str) -> bool:
    return not name.startswith("__") and (name.startswith("_") or name.endswith("_"))


def _as_text(value: Any) -> Any:
    """Return arrays of text, which a file has no dtype for, as lists."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        return {"text": value.tolist(), "dtype": value.dtype.kind}
    return value


def _from_text(value: Any) -> Any:
    if isinstance(value, dict) and list(value) == ["text", "dtype"]:
        return np.array(value["text"], object if value["dtype"] == "O" else None)
    return value
