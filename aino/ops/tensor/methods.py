"""The one table that makes functions the methods and operators of ``Tensor``.

A method is the function of that name in this package, the tensor being its first argument; an
operator is the primitive itself, so that ``a * b`` costs one call.
"""

from __future__ import annotations

import numpy as np

from aino.autograd import engine
from aino.autograd.rules import elementwise
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.ops import pointwise
from aino.ops.creation import filled, from_data
from aino.ops.index import indexing, scattering, sorting, subscript
from aino.ops.linalg import contraction, linear, matrices
from aino.ops.pointwise import activation, compare
from aino.ops.random import fill, generator, sampling
from aino.ops.reduce import extremes, reduction, scanning, statistics
from aino.ops.shape import arranging, joining, padding, shaping, transposing
from aino.ops.tensor import conversion, copying, inplace, numpy_protocol, printing

MODULES = (
    activation, arranging, compare, contraction, conversion, extremes, filled, from_data, generator,
    indexing, joining, linear, matrices, padding, pointwise, reduction, sampling, scanning,
    scattering, shaping, sorting, statistics, transposing,
)  # fmt: skip

#: Functions that are methods too, under the same name.
METHODS = """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr adjoint all allclose amax
    amin aminmax angle any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
    argsort argwhere asin asinh atan atan2 atanh baddbmm bernoulli bincount bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm broadcast_to
    ceil cholesky chunk clamp clamp_max clamp_min clip clone conj conj_physical copysign corrcoef
    cos cosh count_nonzero cov cross cummax cummin cumprod cumsum deg2rad det diag diag_embed
    diagflat diagonal diagonal_scatter diff digamma div divide dot dsplit eq equal erf erfc erfinv
    exp exp2 expm1 fix flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod
    frac gather ge ger get_device greater greater_equal gt hardshrink heaviside histc hsplit hypot
    imag index_add index_copy index_fill index_put index_reduce index_select inner inverse
    is_complex is_floating_point is_nonzero is_same_size is_signed isclose isfinite isinf isnan
    isneginf isposinf isreal kron kthvalue le lerp less less_equal lgamma log log10 log1p log2
    log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not logical_or
    logical_xor logit logsumexp lt masked_fill masked_scatter masked_select matmul matrix_power
    max maximum mean median min minimum mm mode moveaxis movedim msort mul multinomial multiply mv
    mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow ne neg negative nonzero norm
    not_equal numel outer permute polygamma positive pow prelu prod put quantile rad2deg ravel
    real reciprocal relu remainder repeat_interleave reshape resolve_conj resolve_neg roll rot90
    round rsqrt scatter scatter_add scatter_reduce select select_scatter sgn sigmoid sign signbit
    sin sinc sinh slice_scatter slogdet softmax sort split split_with_sizes sqrt square squeeze
    std sub subtract sum swapaxes swapdims t take take_along_dim tan tanh tensor_split tile topk
    trace transpose tril triu true_divide trunc unbind unflatten unique unique_consecutive
    unsqueeze var vdot vsplit where xlogy
"""

#: Methods that have no function beside them, or that go by another name there.
OWN_METHODS = {
    "backward": engine.backward_of,
    "view": shaping.view,
    "view_as": shaping.view_as,
    "reshape_as": shaping.reshape_as,
    "expand": shaping.expand,
    "expand_as": shaping.expand_as,
    "repeat": arranging.repeat,
    "unfold": shaping.unfold,
    "contiguous": shaping.contiguous,
    "new_tensor": from_data.new_tensor,
    "new_zeros": filled.new_zeros,
    "new_ones": filled.new_ones,
    "new_full": filled.new_full,
    "new_empty": filled.new_empty,
    "item": conversion.item,
    "tolist": conversion.tolist,
    "to": conversion.to,
    "type": conversion.type,
    "type_as": conversion.type_as,
    "cpu": conversion.cpu,
    "cuda": conversion.cuda,
    "nelement": conversion.numel,
    "element_size": conversion.element_size,
    "dim": conversion.dim,
    "ndimension": conversion.dim,
    "size": conversion.size,
    "stride": conversion.stride,
    "data_ptr": conversion.data_ptr,
    "storage_offset": conversion.storage_offset,
    "is_contiguous": conversion.is_contiguous,
    "__dlpack__": conversion.dlpack,
    "__dlpack_device__": conversion.dlpack_device,
    "copy_": inplace.copy_,
    "fill_": inplace.fill_,
    "zero_": inplace.zero_,
}

_OTHERS_IN_PLACE = """
    abs absolute acos acosh addcdiv addcmul addmm arccos arcsin arctan asin asinh atan atan2 atanh
    baddbmm bitwise_and bitwise_not bitwise_or bitwise_xor clamp clamp_max clamp_min clip
    copysign cosh cumprod cumsum digamma eq erf erfc erfinv exp2 expm1 fix float_power floor_divide
    fmod frac ge gt heaviside hypot index_add index_copy index_fill index_put le lerp lgamma log10
    log1p log2 logical_and logical_not logical_or logical_xor logit lt masked_fill masked_scatter
    nan_to_num ne negative pow reciprocal relu remainder round rsqrt scatter scatter_add sgn
    sigmoid sign sinc sinh tan tril triu xlogy
"""

#: Functions that have a form in place, ``name_``; with the ufunc that writes it, where one does.
IN_PLACE: dict[str, np.ufunc | None] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide,
    "subtract": np.subtract, "multiply": np.multiply, "divide": np.true_divide,
    "true_divide": np.true_divide, "exp": np.exp, "sqrt": np.sqrt, "neg": np.negative,
    "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "log": np.log, "floor": np.floor,
    "ceil": np.ceil, "trunc": np.trunc, "square": np.square,
} | dict.fromkeys(_OTHERS_IN_PLACE.split())  # fmt: skip

OPERATORS = {
    "add": elementwise.add, "sub": elementwise.sub, "mul": elementwise.mul,
    "truediv": elementwise.div, "pow": pointwise.pow, "floordiv": pointwise.floor_divide,
    "mod": pointwise.remainder, "matmul": linear.matmul, "and": compare.bitwise_and,
    "or": compare.bitwise_or, "xor": compare.bitwise_xor,
    "lshift": compare.bitwise_left_shift, "rshift": compare.bitwise_right_shift,
}  # fmt: skip

COMPARISONS = {
    "eq": compare.eq, "ne": compare.ne, "lt": compare.lt, "le": compare.le, "gt": compare.gt,
    "ge": compare.ge,
}  # fmt: skip

PROTOCOLS = {
    "__neg__": elementwise.neg,
    "__pos__": lambda self: self,
    "__abs__": pointwise.abs,
    "__invert__": compare.bitwise_not,
    "__getitem__": subscript.getitem,
    "__setitem__": inplace.set_item,
    "__len__": conversion.length,
    "__iter__": conversion.iterate,
    "__contains__": conversion.contains,
    "__float__": conversion.as_float,
    "__int__": conversion.as_int,
    "__complex__": conversion.as_complex,
    "__bool__": conversion.as_bool,
    "__index__": conversion.as_index,
    "__repr__": printing.tensor_repr,
    "__format__": printing.tensor_format,
    "__copy__": copying.shallow_copy,
    "__deepcopy__": copying.deepcopy,
    "__reduce_ex__": copying.reduce,
    "__array_ufunc__": numpy_protocol.array_ufunc,
    "__array_function__": numpy_protocol.array_function,
}

PROPERTIES = {
    "T": transposing.T,
    "mT": transposing.mT,
    "H": transposing.H,
    "mH": transposing.adjoint,
    "real": pointwise.real,
    "imag": pointwise.imag,
}


def _reflected(function):
    def reflected(self, other):
        return function(other, self)

    return reflected


def _comparison(function):
    """Return a comparison that leaves what is no number to Python: ``t == None`` is False."""

    def compare(self, other):
        if other is None:
            return NotImplemented
        try:
            return function(self, other)
        except DtypeError:
            return NotImplemented

    return compare


#: The functions of the package by their names: the ``aino`` namespace.
FUNCTIONS = {name: getattr(module, name) for module in MODULES for name in module.__all__}


def _bind() -> None:
    bound = {name: FUNCTIONS[name] for name in METHODS.split()}
    bound |= {name: getattr(conversion, name) for name in conversion.CASTS}
    bound |= {name: getattr(fill, name) for name in fill.FILLERS}
    bound |= OWN_METHODS | PROTOCOLS
    for name, ufunc in IN_PLACE.items():
        bound[f"{name}_"] = inplace.inplace(FUNCTIONS[name], ufunc)
    for name, function in OPERATORS.items():
        bound[f"__{name}__"] = function
        bound[f"__r{name}__"] = _reflected(function)
    for name in ("add", "sub", "mul", "pow", "floordiv", "mod", "truediv", "and", "or", "xor"):
        spelled = {"floordiv": "floor_divide", "mod": "remainder", "truediv": "div",
                   "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}  # fmt: skip
        bound[f"__i{name}__"] = bound[f"{spelled.get(name, name)}_"]
    for name, function in COMPARISONS.items():
        bound[f"__{name}__"] = _comparison(function)
    for name, function in bound.items():
        setattr(Tensor, name, function)
    for name, function in PROPERTIES.items():
        setattr(Tensor, name, property(function))


_bind()
