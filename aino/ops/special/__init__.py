"""Special functions, one family a file."""

from aino.ops.special import bessel, elementary, gamma, normal, polynomials
from aino.ops.special.bessel import *
from aino.ops.special.elementary import *
from aino.ops.special.gamma import *
from aino.ops.special.normal import *
from aino.ops.special.polynomials import *

__all__: list[str] = []
__all__ += bessel.__all__
__all__ += elementary.__all__
__all__ += gamma.__all__
__all__ += normal.__all__
__all__ += polynomials.__all__
