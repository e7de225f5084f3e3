"""Elementwise mathematics: one name a function, as PyTorch has them."""

from aino.ops.pointwise import arithmetic, choosing, complex_numbers, elementary, rounding, special
from aino.ops.pointwise.arithmetic import *
from aino.ops.pointwise.choosing import *
from aino.ops.pointwise.compare import isfinite, isinf, isnan
from aino.ops.pointwise.complex_numbers import *
from aino.ops.pointwise.elementary import *
from aino.ops.pointwise.rounding import *
from aino.ops.pointwise.special import *

__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += choosing.__all__
__all__ += complex_numbers.__all__
__all__ += elementary.__all__
__all__ += rounding.__all__
__all__ += special.__all__
