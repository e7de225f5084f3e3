"""NumPy's rounding functions on tensors, and numbers beside integer tensors."""

import types

import numpy as np
import pytest

import aino
from aino.autograd.gradcheck import gradcheck
from tests.ops.test_numpy_functions import DISPATCHED


@pytest.mark.parametrize("function", [np.floor, np.ceil, np.trunc, np.rint])
def test_rounding(function):
    values = [0.5, -1.5, 2.25]
    assert function(aino.tensor(values)).tolist() == function(values).tolist()


def test_functions_of_two():
    x = aino.tensor([0.5, -1.5, 0.0])
    assert np.heaviside(x, 0.5).tolist() == [1.0, 0.0, 0.5]
    assert np.float_power(x, 2).tolist() == [0.25, 2.25, 0.0]
    assert np.vecdot(x, x).item() == 2.5


@pytest.mark.parametrize("dtype", [aino.uint8, aino.int8, aino.int64])
@pytest.mark.parametrize("number", [-1, 200, 300])
def test_a_number_that_an_integer_dtype_does_not_hold(dtype, number):
    x = aino.tensor([1, 2], dtype=dtype)
    np.testing.assert_allclose((x / number).numpy(), [1 / number, 2 / number], rtol=1e-6)
    np.testing.assert_allclose((number / x).numpy(), [number, number / 2], rtol=1e-6)


#: What stands in NumPy's namespaces and does not ask a tensor what it means, by the reason.
NOT_ASKED = {
    "makes an array of a tensor, or looks at one: one that requires a gradient is refused": """
        asarray_chkfinite asmatrix broadcast c_ flatiter from_dlpack matrix memmap nditer
        nested_iters ndenumerate r_ recarray vectorize
    """,
    "is composed of functions that do ask, and keeps gradients": "bmat poly1d row_stack",
    "looks at what any object shows of itself": "info isscalar iterable",
    "asks an array how it lies in memory: a tensor says it by is_contiguous()": "isfortran",
    "makes ufuncs, which ask": "frompyfunc ufunc",
    "makes an array of lengths and numbers": """
        bartlett blackman diag_indices fft.fftfreq fft.rfftfreq fromregex hamming hanning indices
        kaiser load mask_indices mgrid ogrid tril_indices triu_indices
    """,
    "is about dtypes and shapes": """
        ScalarType broadcast_shapes busdaycalendar datetime_data dtype finfo iinfo isdtype
        issubdtype mintypecode ndindex promote_types sctypeDict typecodes typename
    """,
    "writes numbers, which tensors of one element are": """
        base_repr binary_repr format_float_positional format_float_scientific
    """,
    "is how NumPy is set, shown and tested": """
        errstate fft.test get_include get_printoptions getbufsize geterr geterrcall linalg.test
        printoptions set_printoptions setbufsize seterr seterrcall show_config show_runtime test
    """,
    "is a number, an index, a class or an error": """
        False_ True_ e euler_gamma inf index_exp linalg.LinAlgError little_endian nan ndarray
        newaxis pi s_
    """,
}  # fmt: skip


def undecided(modules):
    """Return NumPy's public names that neither ask tensors nor stand above."""
    listed = {name for names in NOT_ASKED.values() for name in names.split()}
    for prefix, module in modules.items():
        for name in dir(module):
            value = getattr(module, name)
            asks = prefix + name in DISPATCHED or isinstance(value, np.ufunc)
            kind = isinstance(value, type) and issubclass(value, (np.generic, Exception))
            other = isinstance(value, types.ModuleType) or kind or name[0] == "_"
            if not asks and not other and prefix + name not in listed:
                yield prefix + name


def test_every_name_of_numpys_asks_tensors_or_stands_here_with_the_reason():
    modules = {"": np, "linalg.": np.linalg, "fft.": np.fft}
    # A name that this version of NumPy has on top is looked at when it comes.
    assert sorted(undecided(modules)) == []


@pytest.mark.filterwarnings("ignore")
def test_a_name_of_tomorrow_is_noticed(monkeypatch):
    monkeypatch.setattr(np, "brandnew", lambda x: x, raising=False)
    assert list(undecided({"": np})) == ["brandnew"]


A = np.array([[1.0, 2.0], [3.0, 4.0]])
LOOKING = {
    "asarray_chkfinite": np.asarray_chkfinite,
    "asmatrix": np.asmatrix,
    "broadcast": lambda x: np.array([pair[1] for pair in np.broadcast(A, x)]),
    "c_": lambda x: np.c_[x, A],
    "from_dlpack": np.from_dlpack,
    "nditer": lambda x: np.array([float(value) for value in np.nditer(x)]),
    "ndenumerate": lambda x: np.array([value for _, value in np.ndenumerate(x)]),
    "r_": lambda x: np.r_[x, A],
    "vectorize": lambda x: np.vectorize(lambda value: 2 * value)(x),
    "an array's dot": lambda x: A.dot(x),
    "an item that is set": lambda x: A.copy().__setitem__(slice(None), x),
    "random": lambda x: np.random.default_rng(0).normal(x),
    "a masked array": lambda x: np.ma.array(x).sum(),
}


@pytest.mark.parametrize("name", LOOKING)
def test_what_makes_an_array_of_a_tensor(name):
    look, x = LOOKING[name], aino.from_numpy(A.copy())
    np.testing.assert_array_equal(look(x), look(A))
    with pytest.raises((RuntimeError, BufferError), match=r"requires a gradient"):
        look(x.requires_grad_())


KEEPING = {
    "poly1d": lambda x: np.poly1d(x[0])(2.0),
    "row_stack": lambda x: np.vstack([x, A]),
    "an array's clip": lambda x: A.clip(x - 1.0, x + 1.0) + A.clip(None, 0.5 * x),
    "an array's product": lambda x: A @ x,
}


@pytest.mark.parametrize("name", KEEPING)
def test_what_keeps_gradients(name):
    keep, x = KEEPING[name], aino.from_numpy(A.copy()).requires_grad_()
    np.testing.assert_allclose(keep(x).detach().numpy(), keep(A))
    assert gradcheck(keep, (x,))
