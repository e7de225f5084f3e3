"""The ``aino`` namespace beside ``torch``'s: functions of nn, in-place functions, types, limits."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.ops import later
from tests.parity.compare import torch

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4))
POSITIVE = np.abs(A) + 0.1
SIGNS = np.array([1.0, -1.0, 1.0])
TABLE, PLACES = RNG.standard_normal((5, 2)), np.array([[0, 4], [2, 2]])
LOG = np.log(POSITIVE / POSITIVE.sum(-1, keepdims=True))

#: Calls of functions that stand elsewhere in AINO, in PyTorch's order.
CALLS = {
    "layer_norm": [(A, (4,)), (A, (4,), A[0], B[0], 1e-3, False)],
    "dropout": [(A, 0.5, False), (A, 1.0, True)],
    "dropout_": [(A, 0.5, False)],
    "alpha_dropout": [(A, 0.5, False)],
    "alpha_dropout_": [(A, 0.5, False)],
    "feature_dropout": [(A, 0.5, False), (A, 1.0, True)],
    "feature_dropout_": [(A, 1.0, True)],
    "feature_alpha_dropout": [(A, 0.5, False), (A, 1.0, True)],
    "feature_alpha_dropout_": [(A, 0.5, False), (A, 1.0, True)],
    "embedding_renorm_": [(TABLE, PLACES, 0.5, 2.0), (TABLE, PLACES, 1.0, 1.0)],
    "embedding": [(TABLE, PLACES), (TABLE, PLACES, 2)],
    "kl_div": [(LOG, POSITIVE), (LOG, POSITIVE, 0), (LOG, POSITIVE, 2), (LOG, LOG)],
    "binary_cross_entropy_with_logits": [(A, POSITIVE), (A, POSITIVE, B[0], B[1], 2)],
    "hinge_embedding_loss": [(A[:, 0], SIGNS), (A[:, 0], SIGNS, 0.5, 0)],
    "poisson_nll_loss": [(A, POSITIVE, True, True, 1e-8, 1), (POSITIVE, B, False, False, 1e-3, 0)],
    "triplet_margin_loss": [(A, B, POSITIVE), (A, B, POSITIVE, 0.5, 1.0, 1e-6, True, 0)],
    "margin_ranking_loss": [(A[:, 0], B[:, 0], SIGNS), (A[:, 0], B[:, 0], SIGNS, 0.3, 2)],
    "cosine_embedding_loss": [(A, B, SIGNS), (A, B, SIGNS, 0.3, 0)],
    "cosine_similarity": [(A, B), (A, B, 0, 1e-3)],
    "pairwise_distance": [(A, B), (A, B, 1.0, 1e-3, True)],
    "pdist": [(A,), (A, 1.0)],
    "rms_norm": [(A, (4,)), (A, (4,), B[0], 1e-3)],
    "bilinear": [(A, B, RNG.standard_normal((2, 4, 4)))],
    "celu_": [(A,), (A, 0.5)],
    "selu_": [(A,)],
    "threshold_": [(A, 0.1, 5.0)],
    "rrelu_": [(A,), (A, 0.1, 0.4)],
}


def tensors(library, arguments):
    return [library.from_numpy(x.copy()) if isinstance(x, np.ndarray) else x for x in arguments]


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n in CALLS for a in CALLS[n]])
def test_a_function_of_nn(name, arguments):
    mine, its = tensors(aino, arguments), tensors(torch, arguments)
    for x, y in zip(mine[:2], its[:2]):
        if name[-1] != "_" and isinstance(y, torch.Tensor) and y.is_floating_point():
            x.requires_grad_()
            y.requires_grad_()
    found, expected = getattr(aino, name)(*mine), getattr(torch, name)(*its)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-9)
    if name[-1] == "_":
        assert found is mine[0]
    elif expected.requires_grad:
        (found * found).sum().backward()
        (expected * expected).sum().backward()
        for x, y in zip(mine, its):
            if isinstance(y, torch.Tensor) and y.grad is not None:
                np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-7, atol=1e-10)


def test_a_reduction_that_is_no_number():
    with pytest.raises(ValueError, match=r"nn.functional.kl_div takes its name"):
        aino.kl_div(aino.zeros(1), aino.ones(1), "sum")


OTHERS = {
    "addmv_": (A, RNG.standard_normal((3, 2)), RNG.standard_normal(2)),
    "as_strided_": (A, (2,), (3,)), "clamp_": (A, -0.5, 0.5), "clip_": (A, -0.5, 0.5),
    "clamp_max_": (A, 0.1), "clamp_min_": (A, 0.1), "fill_": (A, 2.0),
    "gcd_": (PLACES, PLACES.T), "lcm_": (PLACES, PLACES.T),
    "index_put_": None, "ldexp_": (A, PLACES[:1, :1]), "logit_": (np.clip(A, 0.1, 0.9),),
    "resize_as_": (A, B[0]), "xlogy_": (A, POSITIVE), "detach_": (A,),
    "acosh_": (POSITIVE + 1,), "arccosh_": (POSITIVE + 1,),
    "addmv": (), "i0_": (A,),
}  # fmt: skip
SMALL = np.clip(POSITIVE, 0.1, 0.9)


@pytest.mark.parametrize("name", [name for name, room in later.ROOM_OF.items() if not room])
def test_a_function_in_place(name):
    arguments = OTHERS.get(name, (SMALL,))
    if arguments is None:
        arguments = (A, None, np.array([1.0, 2.0]))
    first = None
    for library in (torch, aino):
        given = tensors(library, arguments)
        if name == "index_put_":
            given[1] = tuple(tensors(library, (np.array([0, 1]), np.array([2, 3]))))
        if name == "addmv_":
            given[0] = given[0][:, 0]
        result = getattr(library, name)(*given)
        assert result is given[0] or name == "addmv_"
        if first is None:
            first = result
    np.testing.assert_allclose(result.numpy(), first.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64", "complex128"])
def test_limits_of_floats(name):
    mine, its = aino.finfo(getattr(aino, name)), torch.finfo(getattr(torch, name))
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(mine, field) == getattr(its, field), field
    assert repr(mine) == repr(its)
    assert mine == aino.finfo(getattr(aino, name))


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers(name):
    mine, its = aino.iinfo(getattr(aino, name)), torch.iinfo(getattr(torch, name))
    for field in ("bits", "max", "min", "dtype"):
        assert getattr(mine, field) == getattr(its, field), field
    if mine.bits < 20:  # PyTorch rounds larger ones
        assert repr(mine) == repr(its)


def test_limits_of_what_has_none():
    for wrong in (lambda: aino.finfo(aino.int8), lambda: aino.iinfo(aino.float32),
                  lambda: aino.iinfo(aino.bool)):  # fmt: skip
        with pytest.raises(TypeError):
            wrong()
    assert aino.finfo() == aino.finfo(aino.get_default_dtype())
    assert isinstance(aino.float32, aino.dtype)


@pytest.mark.parametrize(
    "name", ["Float", "Double", "Half", "Byte", "Char", "Short", "Int", "Long", "Bool"]
)
def test_older_types(name):
    name = f"{name}Tensor"
    mine, its = getattr(aino, name), getattr(torch, name)
    assert mine(2, 3).shape == its(2, 3).shape
    assert mine().shape == its().shape
    for numbers in ([1, 0], (1.5, 2.0), [[1], [2]]):
        x, y = mine(numbers), its(numbers)
        assert x.tolist() == y.tolist()
        assert x.type().replace("aino", "torch") == y.type()
        assert isinstance(x, mine)
        assert aino.typename(x).replace("aino", "torch") == torch.typename(y)
    assert isinstance(aino.zeros(1, dtype=mine.dtype), mine)
    assert not isinstance(aino.zeros(1, dtype=aino.complex64), mine)
    assert aino.zeros(1, dtype=mine.dtype).new([1.5, 0]).tolist() == its([1.5, 0]).tolist()
    assert aino.zeros(1, dtype=mine.dtype).new(2, 3).shape == (2, 3)
    with pytest.raises(TypeError):
        mine(1.5)


CLOSE = [
    (1.0, 1.0), (1.0, 1.1), (1, 1.0), (1, 2), ([1.0, 2], [1.0, 3]), ([1], [1, 2]),
    ({"a": 1}, {"a": 1}), ({"a": 1}, {"b": 1}), (A, A), (A, A + 1e-9), (A, A + 1e-3), (A, B),
    (A, A[:2]), (PLACES, PLACES), (PLACES, PLACES + 1), (A, A.astype(np.float32)),
    (A.astype(np.float32), A.astype(np.float32) * np.float32(1 + 1e-7)), ([A, B], [A, A]),
    (np.array([np.nan]), np.array([np.nan])), (np.array([np.inf]), np.array([np.inf])),
    (np.array([np.inf]), np.array([1.0])), (np.array(1.0), np.array(2.0)),
    (np.array([True]), np.array([False])), (A + 1j, A + 1j), (A + 1j, A),
]  # fmt: skip
OPTIONS = [{}, {"rtol": 0.1, "atol": 0.0}, {"equal_nan": True}, {"check_dtype": False}]


def made(library, value):
    if isinstance(value, list):
        return [made(library, item) for item in value]
    if isinstance(value, dict):
        return {key: made(library, item) for key, item in value.items()}
    return library.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def said(library, pair, options):
    try:
        library.testing.assert_close(*[made(library, value) for value in pair], **options)
    except (AssertionError, TypeError, ValueError) as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("pair", CLOSE, ids=range(len(CLOSE)))
def test_assert_close(pair, options):
    mine, its = said(aino, pair, options), said(torch, pair, options)
    if its is None:
        assert mine is None
    else:
        assert mine is not None
        assert mine[0] is its[0]
        assert mine[1].splitlines()[0][:30] == its[1].splitlines()[0][:30]
        # The count of what differs is the same; figures may be printed otherwise.
        counts = [[line for line in text.splitlines() if line.startswith("Mismatched")]
                  for text in (mine[1], its[1])]  # fmt: skip
        assert counts[0] == counts[1]


def test_assert_close_in_other_words():
    for message in ("words", lambda text: f"words, not {text[:6]}"):
        with pytest.raises(AssertionError, match="words"):
            aino.testing.assert_close(1.0, 2.0, msg=message)
    with pytest.raises(ValueError, match="atol is missing"):
        aino.testing.assert_close(1.0, 1.0, rtol=1.0)


@pytest.mark.parametrize("name", ["float16", "float32", "complex128", "int8", "uint8", "bool"])
def test_make_tensor(name):
    aino.manual_seed(0)
    dtype = getattr(aino, name)
    x = aino.testing.make_tensor(40, 50, dtype=dtype, device="cpu")
    assert x.shape == (40, 50)
    assert x.dtype == dtype
    y = aino.testing.make_tensor((7, 5), dtype=dtype, low=0, high=2, exclude_zero=True,
                                 noncontiguous=True)  # fmt: skip
    assert (y != 0).all()
    assert not y.is_contiguous()
    with pytest.raises(ValueError, match="between"):
        aino.testing.make_tensor(2, dtype=dtype, low=3, high=3)
    if dtype.kind in "fc":
        assert aino.testing.make_tensor(2, dtype=dtype, requires_grad=True).requires_grad
