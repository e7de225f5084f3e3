"""The array standard's namespace: what libraries write that take anybody's arrays.

``Tensor.__array_namespace__()`` returns it, so that SciPy and scikit-learn compute with tensors
where they follow the standard; derivatives go through. It is that of 2025.12 with the extensions
``linalg`` and ``fft``, https://data-apis.org/array-api/latest.
"""

import numpy as _np

from aino.array_api import (
    creation as _creation,
)
from aino.array_api import (
    data_types as _data_types,
)
from aino.array_api import (
    elementwise as _elementwise,
)
from aino.array_api import (
    fft as fft,
)
from aino.array_api import (
    linalg as linalg,
)
from aino.array_api import (
    linear as _linear,
)
from aino.array_api import (
    manipulation as _manipulation,
)
from aino.array_api import (
    reductions as _reductions,
)
from aino.array_api import (
    searching as _searching,
)
from aino.array_api.creation import *
from aino.array_api.data_types import *
from aino.array_api.elementwise import *
from aino.array_api.info import Info as __array_namespace_info__
from aino.array_api.linear import *
from aino.array_api.manipulation import *
from aino.array_api.reductions import *
from aino.array_api.searching import *

__array_api_version__ = "2025.12"

bool = _np.dtype(_np.bool_)
int8, int16 = _np.dtype(_np.int8), _np.dtype(_np.int16)
int32, int64 = _np.dtype(_np.int32), _np.dtype(_np.int64)
uint8, uint16 = _np.dtype(_np.uint8), _np.dtype(_np.uint16)
uint32, uint64 = _np.dtype(_np.uint32), _np.dtype(_np.uint64)
float32, float64 = _np.dtype(_np.float32), _np.dtype(_np.float64)
complex64, complex128 = _np.dtype(_np.complex64), _np.dtype(_np.complex128)
e, inf, nan, pi = _np.e, _np.inf, _np.nan, _np.pi
newaxis = None

_ROOMS = (
    _creation, _data_types, _elementwise, _linear, _manipulation, _reductions, _searching,
)  # fmt: skip
_DTYPES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
"""


def __dir__() -> list[str]:
    """Return what the standard names."""
    functions = [name for room in _ROOMS for name in room.__all__]
    others = ["e", "fft", "inf", "linalg", "nan", "newaxis", "pi"]
    return sorted([*functions, *_DTYPES.split(), *others])
