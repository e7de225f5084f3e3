"""Discrete Fourier transforms of one dimension and of several, and what belongs to them."""

from aino.ops.fft import frequencies, one_dimension, several_dimensions
from aino.ops.fft.frequencies import *
from aino.ops.fft.one_dimension import *
from aino.ops.fft.several_dimensions import *

__all__: list[str] = []
__all__ += one_dimension.__all__
__all__ += several_dimensions.__all__
__all__ += frequencies.__all__
