"""Questions to a network that does not learn: where is the NaN, are its gradients right, does it
learn one batch, where does it part from another one."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.debug.comparing import Comparison as Comparison
    from aino.debug.comparing import compare as compare
    from aino.debug.gradients import GradientReport as GradientReport
    from aino.debug.gradients import check_gradients as check_gradients
    from aino.debug.nan import Finding as Finding
    from aino.debug.nan import NanError as NanError
    from aino.debug.nan import find_nan as find_nan
    from aino.debug.overfitting import Overfit as Overfit
    from aino.debug.overfitting import overfit_one_batch as overfit_one_batch

_LAZY = {
    "Comparison": "comparing", "compare": "comparing",
    "GradientReport": "gradients", "check_gradients": "gradients",
    "Finding": "nan", "NanError": "nan", "find_nan": "nan",
    "Overfit": "overfitting", "overfit_one_batch": "overfitting",
}  # fmt: skip
__all__ = [
    "Comparison", "Finding", "GradientReport", "NanError", "Overfit", "check_gradients", "compare",
    "find_nan", "overfit_one_batch",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module 'aino.debug' has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(f"aino.debug.{_LAZY[name]}"), name)
        return value
