"""Complex numbers: their parts, conjugates and angles.

A rule carries the cotangent unconjugated (``aino.autograd.engine`` conjugates at its doors), so
that of a real part is real and that of ``w(z)`` is ``g · ∂w/∂z + conj(g · ∂w/∂z̄)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast, primitive
from aino.autograd.rules.compare import chosen_from

real = primitive(
    "real", lambda x: x.real, formula="Re x", view=True,
    x=lambda g, x_dtype: cast(g, x_dtype),
)  # fmt: skip

imag = primitive(
    "imag", lambda x: x.imag, formula="Im x", view=True,
    x=lambda g, x_dtype: cast(g, x_dtype) * -1j,
)  # fmt: skip

conj = primitive("conj", np.conjugate, formula="x̄", x=lambda g: np.conjugate(g))


def _complex(a, b):
    # Put together, not added up: inf · i would be nan + inf i.
    parts = [(x * np.ones_like(other))[..., None] for x, other in ((a, b), (b, a))]
    return _view_as_complex(np.concatenate(parts, -1))


complex = primitive(
    "complex", _complex, formula="a + bi", jacobian="linear", broadcasts=True,
    a=lambda g: g.real,
    b=lambda g: -g.imag,
)  # fmt: skip


def _angle(x):
    if x.dtype.kind == "c":
        return np.arctan2(x.imag, x.real)
    return chosen_from(x == x, (x < 0).astype(x.dtype) * math.pi, x)


def _angle_to_x(g, x):
    if x.dtype.kind != "c":
        return np.zeros_like(g)
    return np.where(x == 0, 0, g * -1j / np.where(x == 0, 1.0, x))


angle = primitive(
    "angle", _angle, formula="the angle of x", jacobian="diagonal", promotes="float", x=_angle_to_x
)

view_as_real = primitive(
    "view_as_real", lambda x: x[..., None].view(x.real.dtype), formula="[Re x, Im x]", view=True,
    x=lambda g: np.conjugate(view_as_complex(g)),
)  # fmt: skip


def _view_as_complex(x):
    pairs = x.view(np.result_type(x.dtype, np.complex64))
    return pairs.reshape(pairs.shape[:-1])


view_as_complex: Any = primitive(
    "view_as_complex", _view_as_complex, formula="x₀ + x₁i", view=True,
    x=lambda g: view_as_real(np.conjugate(g)),
)  # fmt: skip
