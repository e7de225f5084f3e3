"""Pictures of models and of how they learn, by Matplotlib: ``pip install 'aino[plot]'``."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.plot.boundary import decision_boundary as decision_boundary
    from aino.plot.confusion import confusion_matrix as confusion_matrix
    from aino.plot.curves import history as history
    from aino.plot.directions import WeightPath as WeightPath
    from aino.plot.gradient_history import GradientHistory as GradientHistory
    from aino.plot.gradient_history import gradients as gradients
    from aino.plot.heads import attention as attention
    from aino.plot.landscape import loss_surface as loss_surface
    from aino.plot.layers import activations as activations
    from aino.plot.layers import weights as weights

#: What is loaded when it is first asked for.
_LAZY = {
    "GradientHistory": "aino.plot.gradient_history",
    "WeightPath": "aino.plot.directions",
    "activations": "aino.plot.layers",
    "attention": "aino.plot.heads",
    "confusion_matrix": "aino.plot.confusion",
    "decision_boundary": "aino.plot.boundary",
    "gradients": "aino.plot.gradient_history",
    "history": "aino.plot.curves",
    "loss_surface": "aino.plot.landscape",
    "weights": "aino.plot.layers",
}

__all__ = sorted(_LAZY)


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module 'aino.plot' has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(_LAZY[name]), name)
        return value
