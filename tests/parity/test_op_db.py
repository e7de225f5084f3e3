"""PyTorch's own table of operations: AINO gives what PyTorch gives, gradients included."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity import op_db  # noqa: E402

#: (entry, dtype) -> why AINO gives something else than PyTorch, on purpose.
OTHERWISE = {
    **{
        ("nn.functional.triplet_margin_with_distance_loss", dtype): (
            "the samples give a module of PyTorch's as distance"
        )
        for dtype in ("float64", "complex128", "float16", "int64")
    },
    **{
        ("linalg.norm subgradients_at_zero", dtype): (
            "the second derivative at zero, where there is none: 0 as for the first, not nan"
        )
        for dtype in ("float64", "complex128")
    },
    **dict.fromkeys(
        (
            ("mode", "int64"),
            ("mode", "float16"),
            ("mode", "bool"),
            ("sort", "float16"),
            ("sort", "bool"),
            ("msort", "float16"),
            ("argsort", "float16"),
            ("argsort", "bool"),
        ),
        "among thousands of equal numbers PyTorch's unstable sort leaves any first",
    ),
    ("nn.functional.normalize", "float16"): "the norm's powers are taken in float32",
    ("nn.functional.soft_margin_loss", "float16"): "PyTorch's exponentials overflow",
    ("logcumsumexp", "float16"): "PyTorch's gradient of large numbers is 0",
    ("matrix_exp", "float16"): "PyTorch's powers overflow, AINO's are taken in float32",
    ("special.bessel_j0", "float64"): "beyond 5 PyTorch's has five digits",
    ("special.bessel_y1", "float64"): "beyond 5 PyTorch's has five digits",
    ("svd_lowrank", "float64"): "where the rank is above q, random numbers have their part",
    ("tan", "float16"): "near its poles every bit of the input counts",
    **dict.fromkeys(
        [
            ("as_strided partial_views", dtype)
            for dtype in ("float64", "complex128", "float16", "int64", "bool")
        ],
        "the sample is a part of a larger memory, which is not handed over with it",
    ),
    **dict.fromkeys(
        [("as_strided_scatter", dtype) for dtype in ("float64", "complex128", "float16")],
        "PyTorch's gradient of what was overwritten is not 0",
    ),
    ("sum_to_size", "bool"): "where nothing is added up a boolean stays one",
    ("masked.logaddexp", "float64"): "where both are masked the slope is 0, not nan",
    ("complex", "float16"): "NumPy has no complex numbers of half precision",
    ("view_as_complex", "float16"): "NumPy has no complex numbers of half precision",
}
DTYPES = ("float64", "complex128", "float16", "int64", "bool")


def rows():
    for name, op in op_db.entries().items():
        if op_db.operation_of(op) is None:
            continue  # tests/parity/test_coverage.py tells what AINO has
        for dtype in DTYPES:
            if getattr(torch, dtype) in op.dtypes:
                yield pytest.param(name, dtype, id=f"{name}-{dtype}".replace(" ", "-"))


@pytest.mark.parametrize(("name", "dtype"), list(rows()))
def test_what_pytorch_gives(name, dtype):
    found = op_db.compare_entry(name, dtype, 25 if dtype == "float64" else 8)
    if (name, dtype) in OTHERWISE:
        assert found, f"no longer otherwise: {OTHERWISE[name, dtype]}"
    else:
        assert found is None
