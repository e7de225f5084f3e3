"""Functions whose room is loaded when one of them is first used, so that it costs no import time.

``aino.gcd`` loads its room, and so does the method ``Tensor.gcd`` when it is called.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

from aino.autograd.inplace import inplace
from aino.autograd.tensor import Tensor
from aino.ops.given import takes_tensors

#: The functions of each room that are methods of ``Tensor`` too. A name that ends in ``_`` and is
#: not in the room is the form in place of the one without.
_METHODS = {
    "aino.ops.creation.older": "new",
    "aino.ops.index.numbering": "nonzero_static",
    "aino.ops.fft.short_time": "stft istft",
    "aino.ops.linalg.decompositions": "svd qr geqrf",
    "aino.ops.linalg.functions": "matrix_exp",
    "aino.ops.linalg.householder": "orgqr ormqr",
    "aino.ops.linalg.least_squares": "pinverse",
    "aino.ops.linalg.lu": "lu lu_solve",
    "aino.ops.linalg.triangular": "cholesky_inverse cholesky_solve triangular_solve",
    "aino.ops.pointwise.exponents": "frexp ldexp ldexp_ nextafter nextafter_",
    "aino.ops.pointwise.whole_numbers": "gcd gcd_ lcm lcm_",
    "aino.ops.pointwise.renorm": "renorm renorm_",
    "aino.ops.reduce.differences": "dist sum_to_size",
    "aino.ops.reduce.hashing": "hash_tensor",
    "aino.ops.reduce.histograms": "histogram",
    "aino.ops.shape.copies": "narrow_copy unsafe_chunk unsafe_split unsafe_split_with_sizes",
    "aino.ops.shape.strided": "as_strided as_strided_scatter new_empty_strided slice_inverse",
    "aino.ops.special.bessel": "i0 i0_",
    "aino.ops.special.gamma": "igamma igamma_ igammac igammac_",
    "aino.ops.tensor.elementwise_calls": "apply_ fill_diagonal_ map_ map2_",
    "aino.ops.tensor.facts": "const_data_ptr dim_order is_conj is_inference is_neg",
    "aino.ops.tensor.reshaping": """
        as_strided_ is_set_to resize resize_ resize_as resize_as_ set_ squeeze_ swapaxes_ swapdims_
        t_ transpose_ unsqueeze_
    """,
    "aino.ops.tensor.storage": "storage storage_type untyped_storage",
}
#: Those that are not.
_FUNCTIONS = {
    "aino.ops.creation.files": "from_file",
    "aino.ops.index.membership": "isin",
    "aino.ops.index.numbering": "combinations unravel_index",
    "aino.ops.linalg.functions": "vander",
    "aino.ops.linalg.lobpcg": "lobpcg",
    "aino.ops.linalg.low_rank": "pca_lowrank svd_lowrank",
    "aino.ops.linalg.lu": "lu_unpack",
    "aino.ops.pointwise.renorm": "fill",
    "aino.ops.reduce.histograms": "histogramdd",
    "aino.ops.reduce.integration": "cumulative_trapezoid gradient trapezoid trapz",
    "aino.ops.reduce.older_norms": "frobenius_norm norm_except_dim nuclear_norm",
    "aino.ops.shape.copies": """
        alias_copy as_strided_copy constant_pad_nd detach_copy diagonal_copy expand_copy
        permute_copy select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy
        transpose_copy unbind_copy unfold_copy unsqueeze_copy view_as_complex_copy
        view_as_real_copy view_copy
    """,
    "aino.ops.shape.strided": "empty_permuted empty_strided",
    "aino.ops.tensor.facts": "detach",
    "aino.ops.tensor.storage": "TypedStorage UntypedStorage",
    "aino.ops.windows.periodic": """
        bartlett_window blackman_window hamming_window hann_window kaiser_window
    """,
}
#: The methods that are no functions.
_ONLY_METHODS = {"const_data_ptr", "dim_order", "is_set_to", "new", "new_empty_strided", "resize",
                 "resize_as", "storage", "storage_type", "sum_to_size",
                 "untyped_storage"}  # fmt: skip
#: The methods in place that are functions of the ``aino`` namespace, too.
_IN_PLACE = """
    abs acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh as_strided asin asinh
    atan atanh ceil clamp clamp_max clamp_min clip conj_physical cos cosh deg2rad detach erf
    erfc exp exp2 expm1 fill fix floor frac gcd i0 index_put lcm ldexp log log10 log1p log2
    logit nan_to_num neg negative rad2deg reciprocal relu resize_as round rsqrt sigmoid sin
    sinc sinh sqrt square tan tanh trunc xlogy zero
"""

#: The room of each name of the ``aino`` namespace, ``""`` for a method of ``Tensor``.
ROOM_OF = {
    name: room
    for table in (_METHODS, _FUNCTIONS)
    for room, names in table.items()
    for name in names.split()
    if name[-1] != "_" and name not in _ONLY_METHODS
} | {f"{name}_": "" for name in _IN_PLACE.split()}

_ROOM_OF_METHOD = {name: room for room, names in _METHODS.items() for name in names.split()}


def _found(room: str, name: str) -> Any:
    module = import_module(room)
    if name[-1] == "_" and not hasattr(module, name):
        return inplace(getattr(module, name[:-1]))
    return getattr(module, name)


@functools.cache
def loaded(name: str) -> Any:
    """Return a function of the ``aino`` namespace, which says in words what it was given."""
    room = ROOM_OF[name]
    function = _found(room, name) if room else getattr(Tensor, name)
    if isinstance(function, type):
        return function
    return takes_tensors(function, "aino", name, out=True)


@functools.cache
def loaded_method(name: str) -> Any:
    """Return the function that a method is."""
    return takes_tensors(_found(_ROOM_OF_METHOD[name], name), "aino", name)


def _method(name: str) -> Any:
    def call(self, *arguments, **keywords):
        return loaded_method(name)(self, *arguments, **keywords)

    call.__name__, call.__qualname__ = name, f"Tensor.{name}"
    call.__doc__ = f"Do what ``aino.{name}`` does, with this tensor as its first argument."
    return call


#: The methods, by name.
METHODS = {name: _method(name) for name in _ROOM_OF_METHOD}
