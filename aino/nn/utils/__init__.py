"""Helpers for parameters, their gradients, and what is computed of them, under PyTorch's names."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aino.nn.utils import rnn as rnn
from aino.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from aino.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters

# Of a file and a function of one name the function is meant: it has to be there first.
from aino.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from aino.nn.utils.weight_norm import remove_weight_norm, weight_norm

if TYPE_CHECKING:
    from aino.nn.utils import parametrizations, parametrize, prune, stateless
    from aino.nn.utils.fusion import (
        fuse_conv_bn_eval,
        fuse_conv_bn_weights,
        fuse_linear_bn_eval,
        fuse_linear_bn_weights,
    )
    from aino.nn.utils.init import skip_init
    from aino.nn.utils.memory_format import (
        convert_conv2d_weight_memory_format,
        convert_conv3d_weight_memory_format,
    )

#: What is loaded when it is first asked for: the functions of each file, and the files.
_LATER = {
    "fuse_conv_bn_eval": "fusion",
    "fuse_conv_bn_weights": "fusion",
    "fuse_linear_bn_eval": "fusion",
    "fuse_linear_bn_weights": "fusion",
    "skip_init": "init",
    "convert_conv2d_weight_memory_format": "memory_format",
    "convert_conv3d_weight_memory_format": "memory_format",
}
_FILES = (
    "fusion", "init", "memory_format", "parametrizations", "parametrize", "prune", "stateless",
)  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*[name for name in globals() if name[0] != "_"], *_LATER, *_FILES} - _INTERNAL)


_INTERNAL = {"Any", "TYPE_CHECKING", "import_module"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        if name in _FILES:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
