"""NeuralNetwork: layers of perceptrons that learn from data; scikit-learn's estimators over it.

``AinoClassifier`` and ``AinoRegressor`` are scikit-learn's own kind, and are loaded, with
scikit-learn, when they are asked for.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from aino.estimators.neural_network import NeuralNetwork

if TYPE_CHECKING:
    from aino.estimators.scikit_learn import AinoClassifier as AinoClassifier
    from aino.estimators.scikit_learn import AinoRegressor as AinoRegressor

_ESTIMATORS = ("AinoClassifier", "AinoRegressor")


def __dir__() -> list[str]:
    return [*globals(), *_ESTIMATORS]


def _scikit_learn(name: str) -> Any:
    """Return the room of scikit-learn's estimators; ``ImportError`` names what is missing."""
    try:
        return _import_module("aino.estimators.scikit_learn")
    except ImportError as error:
        # None at all, or one that is too old to have all that is imported.
        if error.name is None or error.name.partition(".")[0] != "sklearn":
            raise
        raise ImportError(
            f"{name} is an estimator of scikit-learn's, 1.6 or newer: pip install 'aino[sklearn]'"
        ) from error


def revived(content: dict[str, Any]) -> Any:
    """Return the estimator that the content of a ``.dit`` file describes."""
    return _scikit_learn("what the file holds").estimator_of(content)


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _ESTIMATORS:
            raise AttributeError(f"module 'aino.estimators' has no attribute {name!r}")
        return getattr(_scikit_learn(f"aino.estimators.{name}"), name)
