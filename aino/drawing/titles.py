"""What operations are called: by the names that users know, not by those of the calculus."""

from __future__ import annotations

from typing import Any

from aino.autograd.function_node import FunctionNode
from aino.autograd.node import Node, TupleOutput

#: Primitives whose name is no public one, and the public operation that they carry out. A ∂
#: stands before what arises in derivatives alone.
PUBLIC = {
    "airy": "airy_ai", "airy_slope": "∂airy_ai", "alias": "view_as", "attention":
    "scaled_dot_product_attention", "cast": "to", "channel_sums": "sum", "choose": "gather",
    "chosen": "scatter", "cofactors": "∂det", "convolution": "conv_d",
    "convolution_transpose": "conv_transpose_d",
    "convolution_weight": "∂conv", "ctc": "ctc_loss",
    "distinct": "unique", "doubled": "mul", "enter": "vmap", "everywhere": "vmap",
    "farthest": "vector_norm", "folded": "fold", "gamma_moment": "∂Gamma", "gather_of": "gather",
    "gelu_tanh": "gelu", "huber": "huber_loss", "i_ratio": "∂i0",
    "inverse_or_inf": "inv_ex", "j0": "bessel_j0", "j1": "bessel_j1", "j_ratio": "∂bessel_j1",
    "k0": "modified_bessel_k0", "k0e": "scaled_modified_bessel_k0", "k1": "modified_bessel_k1",
    "k1e": "scaled_modified_bessel_k1", "ldl": "ldl_factor", "least_squares": "lstsq",
    "leave": "vmap", "lerp_number": "lerp", "log_gamma_sample": "Gamma",
    "log_gamma_slope": "∂Gamma", "logabsdet": "slogdet", "mT": "mT", "make_dual": "make_dual",
    "masked": "where", "mm": "matmul", "negative_part": "clamp", "normal_cdf": "ndtr",
    "on_diagonal": "diag_embed", "overwrite": "setitem", "pick": "getitem",
    "pick_sum": "index_put", "place": "index_put", "pow_number": "pow",
    "put_diagonal": "diagonal_scatter", "put": "index_put", "qr_complete": "qr",
    "recurrence": "∂cumprod", "replace": "copy_", "rows_mm": "matmul", "bmm": "matmul",
    "mv": "matmul", "scale": "mul", "scatter_extreme": "scatter_reduce",
    "scatter_product": "scatter_reduce", "scatter_sum": "scatter_add", "signdet": "slogdet",
    "signum": "sgn", "singular_values": "svdvals", "solve_or_nan": "solve_ex",
    "span_max": "adaptive_max_pool_d", "spherical_bessel": "spherical_bessel_j0",
    "spread": "expand", "strided_sum": "as_strided", "take": "index_select",
    "take_of": "index_select", "take_sum": "index_add", "trunc_divide": "div",
    "unfolded": "unfold", "unmoved": "where", "unpack_primal": "unpack_dual",
    "unpack_tangent": "unpack_dual", "weighted": "interpolate", "weighted_share": "∂norm",
    "weighted_turn": "∂norm", "weighted_vectors": "∂norm", "window_max": "max_pool_d",
    "window_pick": "max_pool_d", "window_place": "∂max_pool_d", "window_spread": "∂avg_pool_d",
    "window_sum": "fold", "window_total": "avg_pool_d", "windows": "unfold", "y0": "bessel_y0",
    "y1": "bessel_y1",
}  # fmt: skip
_ENDS = {"laguerre": "laguerre_polynomial_l", "legendre": "legendre_polynomial_p"}


def title_of(node: Node, given: dict[str, Any] | None = None) -> str:
    """Return what the operation of a node is called: ``matmul`` for any product of matrices.

    ``given``: its parameters, where they are known.
    """
    if isinstance(node, FunctionNode):
        return node.function.__name__
    if isinstance(node, TupleOutput):
        return f"output {node.index}"
    if node.primitive is None:
        return node.name()
    name = node.primitive.name
    if name == "rnn":
        return "rnn_relu" if (given or {}).get("rectified") else "rnn_tanh"
    if name == "polynomial":
        return _polynomial((given or {}).get("family"))
    public = PUBLIC.get(name, name)
    if public.endswith("_d"):  # over so many dimensions, beside those of samples and channels
        public = f"{public[:-2]}{max(len(node.shape) - 2, 1)}d"
    return public


def _polynomial(family: Any) -> str:
    """Return ``hermite_polynomial_he`` for the family ``hermite_he``."""
    if not isinstance(family, str):
        return "polynomial"
    if family in _ENDS:
        return _ENDS[family]
    kind, _, letter = family.rpartition("_")
    return f"{kind}_polynomial_{letter}"
