"""Binds the methods and operators of ``Tensor``.

A method is a function of this package, the tensor being its first argument
(``aino.ops.public.method``); an operator is the primitive itself, so that ``a * b`` costs one call.
"""

from __future__ import annotations

from aino.autograd import engine
from aino.autograd.inplace import inplace as in_place
from aino.autograd.rules import elementwise
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.ops import later, pointwise
from aino.ops.creation import filled, from_data, ranges
from aino.ops.given import public
from aino.ops.index import indexing, scattering, slices, sorting, subscript
from aino.ops.linalg import adding, chains, contraction, linear, matrices
from aino.ops.pointwise import activation, compare, softmax
from aino.ops.public import IN_PLACE, METHODS
from aino.ops.random import distributions, fill, generator, sampling
from aino.ops.reduce import extremes, norms, reduction, scanning, statistics, truth
from aino.ops.shape import arranging, broadcasting, joining, padding, shaping, transposing
from aino.ops.tensor import (
    conversion,
    copying,
    facts,
    inplace,
    numpy_protocol,
    placement,
    printing,
    properties,
)

MODULES = (
    activation, adding, arranging, broadcasting, chains, compare, contraction, conversion,
    distributions, extremes, fill, filled, from_data, generator, indexing, joining, linear,
    matrices, norms, padding, placement, pointwise, properties, ranges, reduction, sampling,
    scanning, scattering, shaping, slices, softmax, sorting, statistics, transposing, truth,
)  # fmt: skip

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
    "backward": engine.backward_of,
    "__dlpack__": conversion.dlpack,
    "__dlpack_device__": conversion.dlpack_device,
    "__array_namespace__": placement.array_namespace,
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
    "_repr_html_": printing.tensor_html,
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
    "name": facts.name,
    "output_nr": facts.output_nr,
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


#: How the parameters are called that take a tensor beside the first.
_TENSORS = {
    "batch1", "batch2", "boundaries", "condition", "end", "index", "indices", "mask", "mat",
    "mat1", "mat2", "other", "source", "src", "tensor", "tensor1", "tensor2", "values", "vec",
    "vec1", "vec2", "weight", "weights",
}  # fmt: skip


def _takes_another_tensor(function) -> bool:
    code = getattr(function, "__wrapped__", function).__code__
    return not _TENSORS.isdisjoint(code.co_varnames[1 : code.co_argcount])


def _bind() -> None:
    others = {name: f for name, f in METHODS.items() if _takes_another_tensor(f)}
    bound = METHODS | PROTOCOLS | later.METHODS | public(others, hot=("matmul",))
    for name, ufunc in IN_PLACE.items():
        bound[f"{name}_"] = in_place(bound[name], ufunc)
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
    for name, value in placement.PLACE.items():
        setattr(Tensor, name, value)


_bind()
