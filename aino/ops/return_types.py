"""Named tuples of tensors, as PyTorch's functions return them."""

from __future__ import annotations

from collections import namedtuple


def _returned(name: str, fields: str = "values indices"):
    """Return a named tuple that prints as PyTorch's."""

    def show(self) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self))
        return f"aino.return_types.{name}(\n{parts})"

    # The name is that of the function, given when the type is made.
    kind = namedtuple(name, fields, module=__name__)  # type: ignore[misc]
    kind.__repr__ = show  # type: ignore[method-assign]
    kind.__doc__ = f"What ``aino.{name}`` returns: ({', '.join(kind._fields)})."
    return kind


max = _returned("max")
min = _returned("min")
median = _returned("median")
nanmedian = _returned("nanmedian")
mode = _returned("mode")
sort = _returned("sort")
topk = _returned("topk")
kthvalue = _returned("kthvalue")
cummax = _returned("cummax")
cummin = _returned("cummin")
aminmax = _returned("aminmax", "min max")
slogdet = _returned("slogdet", "sign logabsdet")
