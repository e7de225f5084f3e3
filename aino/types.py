"""The names that signatures use for what may be given: numbers, dtypes, devices."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from aino.devices import Device

#: One of Python's numbers.
Number: TypeAlias = int | float | bool | complex
#: What names a dtype: ``aino.float32``, ``np.float32``, ``float`` or ``"float32"``.
DType: TypeAlias = np.dtype | type | str
#: What names a device: ``aino.device("cpu")`` or ``"cpu"``.
DeviceLike: TypeAlias = Device | str | None
