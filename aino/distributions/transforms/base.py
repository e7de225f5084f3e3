"""What a transform is, and its inverse."""

from __future__ import annotations

import weakref
from typing import Any

from aino.autograd.tensor import Size, Tensor


class Transform:
    """A function y = T(x) of tensors, with its inverse and the determinant of its Jacobian.

    A subclass has ``domain`` and ``codomain``, the constraints of x and y, ``bijective``, for an
    increasing or decreasing function ``sign`` (1 or -1), and writes ``_call(x)``, ``_inverse(y)``
    and ``log_abs_det_jacobian(x, y)``.

    Arguments:
        cache_size: 1 keeps the last x and its y, so that the inverse of y is that x itself.
    """

    bijective: Any = False
    domain: Any
    codomain: Any

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size must be 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._inv: Any = None
        self._cached: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_inv": None, "_cached": (None, None)}

    @property
    def event_dim(self) -> int:
        """Over how many dimensions x is one event, where y is one over as many."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim
        raise ValueError("x and y are events of different dimensions: see domain and codomain")

    @property
    def inv(self) -> Transform:
        """The inverse transform, whose inverse is this one."""
        found = None if self._inv is None else self._inv()
        if found is None:
            found = self._inverted()
            self._inv = weakref.ref(found)
        return found

    def _inverted(self) -> Transform:
        return _InverseTransform(self)

    @property
    def sign(self) -> Any:
        """1 for an increasing function, -1 for a decreasing one."""
        raise NotImplementedError(f"{type(self).__name__} has no sign")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """Return this transform with another size of its cache."""
        if cache_size == self._cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(f"{type(self).__name__} has no with_cache")

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        """Return y = T(x)."""
        if self._cache_size == 0:
            return self._call(x)
        last_x, last_y = self._cached
        if x is last_x:
            return last_y
        y = self._call(x)
        self._cached = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        """Return x = T⁻¹(y)."""
        if self._cache_size == 0:
            return self._inverse(y)
        last_x, last_y = self._cached
        if y is last_y:
            return last_x
        x = self._inverse(y)
        self._cached = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no _call")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return ``ln |det ∂y/∂x|``.

        Arguments:
            x: the argument; not read where y says enough.
            y: the transform's value there; not read where x says enough.
        """
        raise NotImplementedError(f"{type(self).__name__} has no log_abs_det_jacobian")

    def forward_shape(self, shape: Any) -> Size:
        """Return the shape of y, given that of x."""
        return Size(shape)

    def inverse_shape(self, shape: Any) -> Size:
        """Return the shape of x, given that of y."""
        return Size(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._transform = transform

    def _inverted(self) -> Transform:
        return self._transform

    @property
    def domain(self) -> Any:
        return self._transform.codomain

    @property
    def codomain(self) -> Any:
        return self._transform.domain

    @property
    def bijective(self) -> Any:
        return self._transform.bijective

    @property
    def sign(self) -> Any:
        return self._transform.sign

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._transform.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._transform == other._transform

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        return self._transform._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._transform(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._transform.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Size:
        return self._transform.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Size:
        return self._transform.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._transform!r})"
