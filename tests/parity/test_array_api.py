"""The namespace of the array standard, function by function beside ``array-api-strict``."""

import inspect
import warnings

import numpy as np
import pytest

import aino
from aino import array_api as xp
from tests.array_api.calls import CALLS, MADE
from tests.parity.compare import torch  # noqa: F401  # skips where parity is not installed

strict = pytest.importorskip("array_api_strict")

#: What is no function of the standard.
OWN = {"ArrayAPIStrictFlags", "Device"}
#: Functions whose results differ by signs or by the order of what is equal; tested elsewhere.
AMBIGUOUS = {"linalg.eig", "linalg.eigh", "linalg.eigvals", "linalg.qr", "linalg.svd"}


def functions():
    """Every function of the standard by its name, with its signature."""
    found = {}
    for place, module in (("", strict), ("linalg.", strict.linalg), ("fft.", strict.fft)):
        for name in [*module.__all__, *(["eig", "eigvals"] if place == "linalg." else [])]:
            thing = getattr(module, name)
            if inspect.isfunction(thing) and "array_api_strict" not in name and name not in OWN:
                found[place + name] = thing
    return found


FUNCTIONS = functions()


def of(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature(name):
    mine, its = (inspect.signature(x).parameters.values() for x in (of(xp, name), FUNCTIONS[name]))
    assert [(p.name, p.kind) for p in mine] == [(p.name, p.kind) for p in its]
    unsaid = {"astype", "from_dlpack"}  # array-api-strict marks what was not given
    if name not in unsaid:
        wanted = {p.name: p.default for p in its}
        assert {p.name: p.default for p in mine if p.name in wanted} == wanted


def test_every_function_is_called():
    uncalled = {"broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type"}
    wanted = FUNCTIONS.keys() - uncalled - AMBIGUOUS - {"__array_namespace_info__"}
    assert wanted == CALLS.keys() | MADE.keys()


def assert_alike(mine, its):
    if isinstance(its, (tuple, list)):
        assert len(mine) == len(its)
        for a, b in zip(mine, its, strict=True):
            assert_alike(a, b)
        return
    assert type(mine) is aino.Tensor
    wanted = np.from_dlpack(its) if its.dtype != strict.bool else np.asarray(its)
    found = mine.numpy()
    assert found.dtype == wanted.dtype
    close = 1e-5 if wanted.dtype in (np.float32, np.complex64) else 1e-11
    np.testing.assert_allclose(found, wanted, rtol=close, atol=close)


def given(make, item):
    if isinstance(item, np.ndarray):
        return make(item)
    return [given(make, x) for x in item] if isinstance(item, list) else item


@pytest.mark.parametrize("name", CALLS)
def test_values(name):
    for arrays, options in CALLS[name]:
        if "invert" in options:
            continue  # array-api-strict does not read it; NumPy is the oracle elsewhere
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            its = of(strict, name)(*[given(strict.asarray, x) for x in arrays], **options)
            mine = of(xp, name)(*[given(aino.from_numpy, x) for x in arrays], **options)
        assert_alike(mine, its)


@pytest.mark.parametrize("name", MADE)
def test_what_is_made(name):
    for make in MADE[name]:
        assert_alike(make(xp), make(strict))


_DTYPES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
"""
DTYPES = _DTYPES.split()


def test_dtypes_come_to_those_of_the_standard():
    for first in DTYPES:
        for second in DTYPES:
            try:
                wanted = strict.result_type(getattr(strict, first), getattr(strict, second))
            except TypeError:
                continue  # the standard leaves it open
            found = xp.result_type(getattr(xp, first), getattr(xp, second))
            assert str(found) == str(wanted).rpartition(".")[2]
            cast = strict.can_cast(getattr(strict, first), getattr(strict, second))
            assert xp.can_cast(getattr(xp, first), getattr(xp, second)) == cast


@pytest.mark.parametrize("name", DTYPES[1:])
def test_limits(name):
    kind = "iinfo" if "int" in name else "finfo"
    mine, its = (getattr(m, kind)(getattr(m, name)) for m in (xp, strict))
    for limit in ("bits", "max", "min", *(("eps", "smallest_normal") if kind == "finfo" else ())):
        assert getattr(mine, limit) == getattr(its, limit)


def test_kinds():
    for name in DTYPES:
        for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating",
                     "complex floating", "numeric", ("integral", "bool")):  # fmt: skip
            wanted = strict.isdtype(getattr(strict, name), kind)
            assert xp.isdtype(getattr(xp, name), kind) == wanted


def test_what_the_namespace_says_of_itself():
    mine, its = xp.__array_namespace_info__(), strict.__array_namespace_info__()
    assert mine.dtypes().keys() == its.dtypes().keys()
    assert mine.capabilities().keys() == its.capabilities().keys()
    assert mine.default_dtypes().keys() == its.default_dtypes().keys()
    assert mine.dtypes(kind="integral").keys() == its.dtypes(kind="integral").keys()
    assert [str(device) for device in mine.devices()] == ["cpu"]
