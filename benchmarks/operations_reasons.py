"""Why some operations take more than three times as long as PyTorch's, on one core.

Each reason names what it holds for. ``python -m benchmarks operations`` compares this with what it
measures, and tells which slow operation has no reason, and which reason is not needed any more.
"""

from __future__ import annotations

_LISTED = {
    "NumPy computes this function, or what it is made of, one element at a time on processors "
    "without AVX-512, where PyTorch computes eight at once": """
        acos acosh asin asinh atan atan2 atanh celu cosh div_floor elu exp2 expm1 floor_divide fmod
        frexp gelu hypot log10 log1p logaddexp logaddexp2 logsigmoid masked.logaddexp nextafter
        nn.functional.binary_cross_entropy_with_logits nn.functional.multilabel_soft_margin_loss
        nn.functional.soft_margin_loss nn.functional.softplus remainder selu sinh softplus
        special.exp2 special.expm1
        special.log1p special.entr tan
    """,
    "A special function is computed in float64 and rounded once, in a dozen and more passes of "
    "NumPy, where PyTorch runs one compiled loop in float32": """
        digamma erf erfc erfinv lgamma mvlgamma normal_cdf polygamma special.digamma special.erf
        special.erfc special.erfinv special.gammaln special.i0e special.i1 special.i1e
        special.log_ndtr special.multigammaln special.ndtr special.ndtri special.polygamma
        special.psi special.sinc special.spherical_bessel_j0
    """,
    "sinc's slope is a spherical Bessel function, which divides by nothing and is right at 0": """
        sinc
    """,
    "SciPy's kernel computes in float64, PyTorch's in float32": """
        igamma igammac special.airy_ai special.bessel_j0 special.bessel_y0 special.bessel_y1
        special.gammainc special.gammaincc
    """,
    "A recurrence from degree to degree takes a few passes of NumPy in float64 for each": """
        special.chebyshev_polynomial_t special.chebyshev_polynomial_u
        special.chebyshev_polynomial_v special.chebyshev_polynomial_w special.hermite_polynomial_h
        special.hermite_polynomial_he special.laguerre_polynomial_l special.legendre_polynomial_p
        special.shifted_chebyshev_polynomial_t special.shifted_chebyshev_polynomial_u
        special.shifted_chebyshev_polynomial_v special.shifted_chebyshev_polynomial_w
    """,
    "NumPy has no LU or LDL factors and no triangular systems: they are written in NumPy, for "
    "stacks of matrices, in blocks; what is not a product of blocks costs some calls a column": """
        linalg.ldl_solve linalg.lu linalg.lu_factor linalg.lu_factor_ex linalg.lu_solve
        linalg.solve_triangular lu lu_solve lu_unpack
    """,
    "NumPy brings OpenBLAS's LAPACK, PyTorch MKL's": """
        cholesky_inverse det geqrf linalg.eigvals linalg.householder_product linalg.lstsq
        linalg.solve_ex linalg.tensorsolve logdet ormqr signdet slogdet
    """,
    "NumPy's transforms are pocketfft's, PyTorch's are MKL's": """
        fft.fft fft.fft2 fft.fftn fft.hfft fft.hfft2 fft.hfftn fft.ifft fft.ifftn fft.rfft2
        fft.rfftn
    """,
    "A running sum is added up in float64, so that it keeps its digits, and NumPy accumulates one "
    "element after the other": "cumsum cumulative_trapezoid",
    "Slopes of products are found without a division, so that zeros and overflow are nothing "
    "special: by doubling, in as many rounds as the length has bits": """
        cumprod index_reduce_prod masked.cumprod masked.prod prod scatter_reduce_prod
    """,
    "NumPy keeps the index of a running extreme in passes of its own": "cummax cummin",
    "The differences of all pairs are formed, so that points near one another keep their digits; "
    "PyTorch multiplies matrices": "cdist nn.functional.pdist",
    "np.add.at and its kin combine one element after the other": """
        index_add index_reduce_amax index_reduce_amin index_reduce_mean masked_scatter
    """,
    "It makes as many tensors as there are elements, of some microseconds of Python each": """
        split unbind
    """,
    "NumPy chooses between values, and changes signs, in several passes": """
        angle hardshrink lerp nan_to_num nansum nn.functional.huber_loss
        nn.functional.smooth_l1_loss prelu renorm sign threshold tril
    """,
    "Which elements of the memory a view shows, and whether two of them are one, is looked up": """
        as_strided as_strided_copy as_strided_scatter
    """,
    "Each power is computed by itself, so that none has the rounding errors of those before it": """
        linalg.vander vander
    """,
    "NumPy subtracts, squares, sums and divides in passes of their own": """
        nn.functional.cross_entropy nn.functional.layer_norm nn.functional.multi_margin_loss
        softmax special.log_softmax
    """,
    "What follows what is equal to it is found by passes over all elements, and counted by "
    "others": "unique_consecutive unique_consecutive_counted",
    "A product of two factors is summed over axes of a tensor that has to be made first": "inner",
    "Windows of different lengths are searched one after the other, each a short reduction of "
    "NumPy, and where the largest stands is counted in integers of 64 bits, axis by axis": """
        nn.functional.adaptive_max_pool2d nn.functional.adaptive_max_pool2d_with_indices
        nn.functional.adaptive_max_pool3d nn.functional.adaptive_max_pool3d_with_indices
        nn.functional.max_pool2d_with_indices nn.functional.max_pool3d_with_indices
    """,
}

#: Why, by the name of the operation. What stands in brackets behind a name belongs to its case.
REASONS = {name: reason for reason, names in _LISTED.items() for name in names.split()}


def reason_for(name: str) -> str | None:
    """Return why an operation is slow, None where no reason is given."""
    return REASONS.get(name) or REASONS.get(name.split(" ")[0])
