"""Elementwise mathematics: one name a function, as PyTorch has them."""

from aino.ops.compare import isfinite, isinf, isnan
from aino.ops.math import arithmetic, choosing, complex_numbers, elementary, rounding, special
from aino.ops.math.arithmetic import *
from aino.ops.math.choosing import *
from aino.ops.math.complex_numbers import *
from aino.ops.math.elementary import *
from aino.ops.math.rounding import *
from aino.ops.math.special import *

__all__ = [
    *arithmetic.__all__,
    *choosing.__all__,
    *complex_numbers.__all__,
    *elementary.__all__,
    *rounding.__all__,
    *special.__all__,
]
