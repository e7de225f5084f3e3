"""NumPy's functions that have no entry of their own: which of them take the arrays of tensors.

A function in neither table is refused by name, one that a later NumPy adds too.
"""

from __future__ import annotations


def _names(module: str, names: str) -> set[str]:
    return {f"{module}.{name}" for name in names.split()}


#: Questions, indices and text: nothing that a gradient would go through.
WITHOUT_GRADIENT = _names(
    "np",
    """
    array2string array_repr array_str can_cast common_type min_scalar_type result_type
    save savetxt savez savez_compressed shares_memory may_share_memory
    iscomplex iscomplexobj isreal isrealobj isneginf isposinf isclose allclose array_equal
    array_equiv isin
    argpartition argwhere flatnonzero lexsort digitize nanargmax nanargmin
    diag_indices_from tril_indices_from triu_indices_from ix_
    packbits unpackbits ravel_multi_index unravel_index einsum_path
    histogram_bin_edges
    """,
) | {"np.linalg.matrix_rank"}

#: What has a derivative that is not written down here: taken where no gradient is wanted.
WITHOUT_RECORD = _names(
    "np",
    """
        histogram histogram2d histogramdd intersect1d setdiff1d setxor1d union1d polydiv polyfit
        """,
)

#: What keeps the gradient where NumPy's function would not.
ADVICE = {
    "np.polyfit": "np.linalg.lstsq of np.vander(x, degree + 1) and y keeps it",
}

_OF_TEXT = """
    capitalize center decode encode equal expandtabs greater greater_equal join less less_equal
    ljust lower mod multiply not_equal partition replace rjust rpartition rsplit split splitlines
    swapcase title translate upper zfill
"""
_OF_DATES = "busday_count busday_offset datetime_as_string is_busday"
_OF_FILES = "fromfile fromiter fromstring frombuffer genfromtxt loadtxt"

#: What is not about numbers, and why.
MEANINGLESS = (
    dict.fromkeys(
        _names("np.strings", _OF_TEXT) | _names("np.char", _OF_TEXT),
        "is for text, and tensors hold numbers",
    )
    | dict.fromkeys(_names("np", _OF_DATES), "is for dates, and tensors hold numbers")
    | dict.fromkeys(_names("np", _OF_FILES), "makes arrays of files and text, not of tensors")
)
