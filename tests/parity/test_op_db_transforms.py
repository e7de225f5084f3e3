"""PyTorch's own table of operations under ``vmap`` and ``jvp``: AINO gives what PyTorch gives."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity import op_db, op_db_transforms  # noqa: E402

#: (entry, transform) -> why AINO gives something else than PyTorch, on purpose.
OTHERWISE = {
    ("linspace tensor_overload", "vmap"): "bounds that differ from sample to sample are refused",
    ("argwhere", "vmap"): "as many places as there are depends on the data, and is refused",
    ("linalg.eig", "vmap"): "eigenvectors have any sign",
    ("linalg.eigh", "vmap"): "eigenvectors have any sign",
    ("special.bessel_j0", "vmap"): "beyond 5 PyTorch's has five digits",
    ("special.bessel_y1", "vmap"): "beyond 5 PyTorch's has five digits",
    ("as_strided partial_views", "jvp"): "the memory around a part is not handed over with it",
    ("linalg.eig", "jvp"): "eigenvectors have any sign",
    ("linalg.eigh", "jvp"): "eigenvectors have any sign",
    ("logcumsumexp", "jvp"): "PyTorch's has five digits",
    ("native_layer_norm", "jvp"): "PyTorch's tangents of the mean and the deviation are 0",
    ("nn.functional.nll_loss", "jvp"): "PyTorch's tangent leaves that of the weights out",
    ("pca_lowrank", "jvp"): "singular vectors have any sign",
    ("scatter_reduce prod", "jvp"): "PyTorch's tangent is 0",
    ("special.bessel_j0", "jvp"): "beyond 5 PyTorch's has five digits",
    ("svd_lowrank", "jvp"): "singular vectors have any sign",
    ("triangular_solve", "jvp"): "PyTorch's reads of the tangent what the operation does not",
    **{
        (f"special.{name}", "jvp"): "PyTorch has no derivative, and says 0"
        for name in (
            "airy_ai", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0",
            "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
            "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
        )
    },
    **{
        (f"special.{name}", "jvp"): "a degree has no derivative, and is refused"
        for name in (
            "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
            "chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
            "laguerre_polynomial_l", "legendre_polynomial_p", "shifted_chebyshev_polynomial_t",
            "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
            "shifted_chebyshev_polynomial_w",
        )
    },
    **dict.fromkeys(
        [(f"nn.functional.linear_cross_entropy {k}", "jvp") for k in ("chunked", "chunked_none")],
        "PyTorch's way in pieces has no tangents, and gives 0",
    ),
    **dict.fromkeys(
        [("nn.functional.triplet_margin_with_distance_loss", name) for name in ("vmap", "jvp")],
        "the samples give a module of PyTorch's as distance",
    ),
}  # fmt: skip


def rows():
    for name, op in op_db.entries().items():
        if op_db.operation_of(op) is None or op_db.is_random(name):
            continue
        for transform in op_db_transforms.TRANSFORMS:
            if torch.float64 in op.dtypes:
                yield pytest.param(name, transform, id=f"{name}-{transform}".replace(" ", "-"))


@pytest.mark.parametrize(("name", "transform"), list(rows()))
def test_what_pytorch_gives(name, transform):
    found = op_db_transforms.compare_entry(name, transform)
    if (name, transform) in OTHERWISE:
        assert found, f"no longer otherwise: {OTHERWISE[name, transform]}"
    else:
        assert found is None
