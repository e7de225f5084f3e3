"""Named tuples of tensors, as PyTorch's functions return them."""

from __future__ import annotations

from collections import namedtuple


def returned(name: str, fields: str = "values indices", module: str = __name__):
    """Return a named tuple that prints as PyTorch's; ``module`` is where it is found."""

    def show(self) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self))
        return f"aino.return_types.{name}(\n{parts})"

    # The name is that of the function, given when the type is made.
    kind = namedtuple(name, fields, module=module)  # type: ignore[misc]
    kind.__repr__ = show  # type: ignore[method-assign]
    kind.__doc__ = f"What ``aino.{name}`` returns: ({', '.join(kind._fields)})."
    return kind


max = returned("max")
min = returned("min")
median = returned("median")
nanmedian = returned("nanmedian")
mode = returned("mode")
sort = returned("sort")
topk = returned("topk")
kthvalue = returned("kthvalue")
cummax = returned("cummax")
cummin = returned("cummin")
aminmax = returned("aminmax", "min max")
slogdet = returned("slogdet", "sign logabsdet")
frexp = returned("frexp", "mantissa exponent")
histogram = returned("histogram", "hist bin_edges")
histogramdd = returned("histogramdd", "hist bin_edges")
