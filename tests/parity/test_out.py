"""``out=`` of every function at the top that has it in PyTorch: written, resized, refused."""

from __future__ import annotations

import ast
import dis
import inspect
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import aino
from aino.errors import AinoError, GradientError
from tests.parity.compare import plain, torch

UNARY = """
    abs absolute acos alias_copy amax amin angle arccos arcsin arcsinh arctan arctanh argmax argmin
    asin asinh atan atanh ceil conj_physical cos cosh deg2rad detach_copy diag digamma erf
    erfc erfinv exp exp2 expm1 fix floor frac hardshrink hash_tensor histc i0 isneginf isposinf
    lgamma log log10 log1p log2 logical_not logit max min msort nan_to_num neg negative nonzero
    nuclear_norm rad2deg reciprocal round rsqrt sgn sigmoid sign signbit sin sinc sinh sqrt square
    squeeze_copy tan tanh t_copy tril triu trunc inverse cholesky_inverse all any
"""
BINARY = """
    add arctan2 atan2 copysign div divide eq float_power fmax fmin fmod ge greater greater_equal gt
    heaviside hypot inner kron ldexp le less less_equal logaddexp logaddexp2 logical_and logical_or
    logical_xor lt matmul maximum minimum mm mul multiply ne nextafter not_equal pow remainder sub
    subtract true_divide xlogy floor_divide clamp clip igamma igammac max min isin searchsorted
"""
WHOLE = """
    bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift gcd lcm bitwise_not
"""
JOINING = "cat concat concatenate stack hstack vstack row_stack dstack column_stack"
DIM = """
    argmax argmin cummax cummin cumprod cumsum diff log_softmax logcumsumexp logsumexp max
    mean median min mode nanmean nanmedian nansum prod select_copy softmax sort std sum var all any
    unsqueeze_copy frobenius_norm
"""

#: What else is called, by name: ``m`` is the library, ``t`` its tensors, ``out`` a keyword or none.
OTHERS = {
    "acosh": lambda m, t, **out: m.acosh(t.x + 1, **out),
    "arccosh": lambda m, t, **out: m.arccosh(t.x + 1, **out),
    "addbmm": lambda m, t, **out: m.addbmm(t.x, t.b, t.b, beta=2, **out),
    "addcdiv": lambda m, t, **out: m.addcdiv(t.x, t.x, t.y, value=0.5, **out),
    "addcmul": lambda m, t, **out: m.addcmul(t.x, t.x, t.y, value=0.5, **out),
    "addmm": lambda m, t, **out: m.addmm(t.x, t.x, t.y, alpha=2, **out),
    "addmv": lambda m, t, **out: m.addmv(t.v, t.x, t.v, **out),
    "addr": lambda m, t, **out: m.addr(t.x, t.v, t.v, **out),
    "aminmax": lambda m, t, **out: m.aminmax(t.x, dim=0, **out),
    "argsort": lambda m, t, **out: m.argsort(t.x, stable=True, **out),
    "arange": lambda m, t, **out: m.arange(4, **out),
    "as_strided_copy": lambda m, t, **out: m.as_strided_copy(t.x, (2,), (3,), **out),
    "baddbmm": lambda m, t, **out: m.baddbmm(t.b, t.b, t.b, **out),
    "bernoulli": lambda m, t, **out: m.bernoulli(t.x.round(), **out),
    "bmm": lambda m, t, **out: m.bmm(t.b, t.b, **out),
    "bucketize": lambda m, t, **out: m.bucketize(t.x, t.v, right=True, **out),
    "cholesky": lambda m, t, **out: m.cholesky(t.definite, **out),
    "cholesky_solve": lambda m, t, **out: m.cholesky_solve(t.x, t.definite, **out),
    "clamp_max": lambda m, t, **out: m.clamp_max(t.x, 0.5, **out),
    "clamp_min": lambda m, t, **out: m.clamp_min(t.x, 0.5, **out),
    "complex": lambda m, t, **out: m.complex(t.x, t.y, **out),
    "cross": lambda m, t, **out: m.cross(t.x, t.y, dim=0, **out),
    "diagonal_copy": lambda m, t, **out: m.diagonal_copy(t.x, **out),
    "dot": lambda m, t, **out: m.dot(t.v, t.v, **out),
    "empty": lambda m, t, **out: m.empty(2, 3, **out),
    "expand_copy": lambda m, t, **out: m.expand_copy(t.v, (2, 3), **out),
    "eye": lambda m, t, **out: m.eye(3, **out),
    "frexp": lambda m, t, **out: m.frexp(t.x, **out),
    "full": lambda m, t, **out: m.full((2, 3), 2, **out),
    "gather": lambda m, t, **out: m.gather(t.x, 0, t.i % 3, **out),
    "geqrf": lambda m, t, **out: m.geqrf(t.x, **out),
    "ger": lambda m, t, **out: m.ger(t.v, t.v, **out),
    "histogram": lambda m, t, **out: m.histogram(t.x, 4, **out),
    "index_add": lambda m, t, **out: m.index_add(t.x, 0, t.k, t.y, **out),
    "index_copy": lambda m, t, **out: m.index_copy(t.x, 0, t.k, t.y, **out),
    "index_reduce": lambda m, t, **out: m.index_reduce(t.x, 0, t.k, t.y, "amax", **out),
    "index_select": lambda m, t, **out: m.index_select(t.x, 0, t.k, **out),
    "kthvalue": lambda m, t, **out: m.kthvalue(t.x, 2, **out),
    "lerp": lambda m, t, **out: m.lerp(t.x, t.y, 0.25, **out),
    "linspace": lambda m, t, **out: m.linspace(0, 8, 5, **out),
    "logspace": lambda m, t, **out: m.logspace(0, 2, 3, **out),
    "lu_solve": lambda m, t, **out: m.lu_solve(t.x, *m.linalg.lu_factor(t.y), **out),
    "lu_unpack": lambda m, t, **out: m.lu_unpack(*m.linalg.lu_factor(t.y), **out),
    "masked_select": lambda m, t, **out: m.masked_select(t.x, t.c, **out),
    "matrix_power": lambda m, t, **out: m.matrix_power(t.x, 3, **out),
    "multinomial": lambda m, t, **out: m.multinomial(t.v, 2, **out),
    "mv": lambda m, t, **out: m.mv(t.x, t.v, **out),
    "mvlgamma": lambda m, t, **out: m.mvlgamma(t.x + 2, 2, **out),
    "nanquantile": lambda m, t, **out: m.nanquantile(t.x, 0.3, 0, **out),
    "narrow_copy": lambda m, t, **out: m.narrow_copy(t.x, 0, 1, 2, **out),
    "nonzero_static": lambda m, t, **out: m.nonzero_static(t.x, size=4, **out),
    "normal": lambda m, t, **out: m.normal(t.x, t.y, **out),
    "ones": lambda m, t, **out: m.ones(2, 3, **out),
    "orgqr": lambda m, t, **out: m.orgqr(t.x, t.v, **out),
    "ormqr": lambda m, t, **out: m.ormqr(t.x, t.v, t.y, **out),
    "outer": lambda m, t, **out: m.outer(t.v, t.v, **out),
    "permute_copy": lambda m, t, **out: m.permute_copy(t.b, (2, 0, 1), **out),
    "polar": lambda m, t, **out: m.polar(t.x, t.y, **out),
    "polygamma": lambda m, t, **out: m.polygamma(1, t.x, **out),
    "qr": lambda m, t, **out: m.qr(t.x, **out),
    "quantile": lambda m, t, **out: m.quantile(t.x, 0.3, 0, **out),
    "rand": lambda m, t, **out: m.rand(2, 3, **out),
    "randint": lambda m, t, **out: m.randint(3, (2, 3), **out),
    "randn": lambda m, t, **out: m.randn(2, 3, **out),
    "randperm": lambda m, t, **out: m.randperm(4, **out),
    "range": lambda m, t, **out: m.range(1, 4, **out),
    "renorm": lambda m, t, **out: m.renorm(t.x, 2, 0, 1.0, **out),
    "scatter": lambda m, t, **out: m.scatter(t.x, 0, t.i % 3, t.y, **out),
    "scatter_add": lambda m, t, **out: m.scatter_add(t.x, 0, t.i % 3, t.y, **out),
    "scatter_reduce": lambda m, t, **out: m.scatter_reduce(t.x, 0, t.i % 3, t.y, "amin", **out),
    "slice_copy": lambda m, t, **out: m.slice_copy(t.x, 0, 1, 3, **out),
    "slice_scatter": lambda m, t, **out: m.slice_scatter(t.x, t.y[:2], 0, 1, 3, **out),
    "slogdet": lambda m, t, **out: m.slogdet(t.x, **out),
    "split_copy": lambda m, t, **out: m.split_copy(t.x, 2, **out),
    "split_with_sizes_copy": lambda m, t, **out: m.split_with_sizes_copy(t.x, [1, 2], **out),
    "svd": lambda m, t, **out: m.svd(t.x, **out),
    "take": lambda m, t, **out: m.take(t.x, t.k, **out),
    "take_along_dim": lambda m, t, **out: m.take_along_dim(t.x, t.i % 3, 0, **out),
    "threshold": lambda m, t, **out: m.threshold(t.x, 0.5, 2.0, **out),
    "topk": lambda m, t, **out: m.topk(t.x, 2, **out),
    "transpose_copy": lambda m, t, **out: m.transpose_copy(t.b, 0, 2, **out),
    "triangular_solve": lambda m, t, **out: m.triangular_solve(t.x, t.definite, **out),
    "unbind_copy": lambda m, t, **out: m.unbind_copy(t.x, **out),
    "unfold_copy": lambda m, t, **out: m.unfold_copy(t.x, 0, 2, 1, **out),
    "vdot": lambda m, t, **out: m.vdot(t.v, t.v, **out),
    "view_as_complex_copy": lambda m, t, **out: m.view_as_complex_copy(t.pairs, **out),
    "view_as_real_copy": lambda m, t, **out: m.view_as_real_copy(m.complex(t.x, t.y), **out),
    "view_copy": lambda m, t, **out: m.view_copy(t.x, (9,), **out),
    "where": lambda m, t, **out: m.where(t.c, t.x, t.y, **out),
    "zeros": lambda m, t, **out: m.zeros(2, 3, **out),
}  # fmt: skip


def _rows():
    for name in UNARY.split():
        yield name, name, lambda m, t, f=name, **out: getattr(m, f)(t.x, **out)
    for name in BINARY.split():
        yield f"{name} of two", name, lambda m, t, f=name, **out: getattr(m, f)(t.x, t.y, **out)
    for name in WHOLE.split():
        second = () if name == "bitwise_not" else ("k",)
        yield (
            name,
            name,
            lambda m, t, f=name, s=second, **out: getattr(m, f)(
                t.i, *[getattr(t, x) for x in s], **out
            ),
        )
    for name in JOINING.split():
        yield name, name, lambda m, t, f=name, **out: getattr(m, f)([t.x, t.y], **out)
    for name in DIM.split():
        second = (0, 1) if name == "select_copy" else (0,)
        yield (
            f"{name} over a dim",
            name,
            lambda m, t, f=name, s=second, **out: getattr(m, f)(t.x, *s, **out),
        )
    yield from ((name, name, call) for name, call in OTHERS.items())


ROWS = {label: (name, call) for label, name, call in _rows()}
#: What is drawn, or found in memory: shapes and dtypes are compared.
RANDOM = {"bernoulli", "empty", "multinomial", "normal", "rand", "randint", "randn", "randperm"}


def tensors(m, requires_grad=False):
    """Return the operands, in AINO or in PyTorch."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.1, 0.9, (2, 3, 3))
    values = {
        "x": x, "y": y, "v": rng.uniform(0.1, 0.9, 3), "b": rng.uniform(0.1, 0.9, (3, 3, 3)),
        "definite": np.tril(x @ x.T + np.eye(3)), "i": rng.integers(0, 9, (3, 3)),
        "k": rng.permutation(3), "c": x > y,
        "pairs": rng.uniform(0.1, 0.9, (3, 2)),
    }  # fmt: skip
    made = {name: m.from_numpy(value.copy()) for name, value in values.items()}
    if requires_grad:
        for name in ("x", "y", "v", "b", "definite", "pairs"):
            made[name].requires_grad_()
    return SimpleNamespace(**made)


def called(m, call, *arguments, **keywords):
    """Return what a call returned, or its error; and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        try:
            return call(m, *arguments, **keywords), given
        except Exception as error:
            return error, given


def parts_of(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def targets(m, result, shape=None, dtype=None):
    """Return what ``out=`` is given for a result: empty tensors, or of a shape and a dtype."""
    made = [
        m.zeros(y.shape if shape is None else shape, dtype=y.dtype if dtype is None else dtype)
        for y in parts_of(result)
    ]
    return tuple(made) if isinstance(result, (tuple, list)) else made[0]


def same(ours, theirs, label):
    """Assert that the parts of a result agree."""
    for a, b in zip(parts_of(ours), parts_of(theirs), strict=True):
        a, b = plain(a), plain(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if ROWS[label][0] not in RANDOM:
            exact = a.dtype not in (np.float32, np.complex64)
            np.testing.assert_allclose(a, b, rtol=1e-9 if exact else 1e-5, atol=1e-12)


labels = pytest.mark.parametrize("label", ROWS)


def test_every_function_that_has_it_in_pytorch_is_here():
    body = ast.parse((Path(torch.__file__).parent / "_C" / "_VariableFunctions.pyi").read_text())
    declared = {
        node.name
        for node in body.body
        if isinstance(node, ast.FunctionDef) and "out" in [a.arg for a in node.args.kwonlyargs]
    }
    have = {name for name in declared if name[0] != "_" and hasattr(aino, name)}
    have -= {"native_batch_norm"}  # of its running statistics, which it writes, there is enough
    assert have == {name for name, _ in ROWS.values()}
    assert len(have) > 250


@labels
def test_it_is_shown(label):
    name = ROWS[label][0]
    shown = inspect.signature(getattr(aino, name)).parameters["out"]
    assert (shown.kind, shown.default) == (shown.KEYWORD_ONLY, None)
    assert "out" in getattr(aino, name).__doc__


@labels
def test_the_result_is_written_into_it_and_it_is_returned(label):
    call = ROWS[label][1]
    ours, theirs = call(aino, tensors(aino)), call(torch, tensors(torch))
    same(call(aino, tensors(aino), out=None), ours, label)
    for shape in (None, (0,)):
        out, expected = targets(aino, ours, shape), targets(torch, theirs, shape)
        (found, given), (returned, _) = (
            called(aino, call, tensors(aino), out=out),
            called(torch, call, tensors(torch), out=expected),
        )
        assert not given
        assert all(a is b for a, b in zip(parts_of(found), parts_of(out), strict=True))
        if returned is not None and not isinstance(returned, Exception):  # PyTorch's split_copy
            assert type(found).__name__ == type(returned).__name__.removesuffix("_out")
        same(out, theirs, label)


@labels
def test_another_shape_is_changed_with_a_warning(label):
    call = ROWS[label][1]
    ours, theirs = call(aino, tensors(aino)), call(torch, tensors(torch))
    out = targets(aino, ours, (7, 7))
    given = called(aino, call, tensors(aino), out=out)[1]
    assert [w.category for w in given] == [UserWarning] * len(parts_of(out))
    assert all("was resized" in str(w.message) for w in given)
    same(out, theirs, label)


#: What PyTorch casts without a question, be it to a boolean; AINO says that it does not fit.
CAST = {"bernoulli", "split_copy", "split_with_sizes_copy", "unbind_copy"}


@labels
@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "complex128"])
def test_a_dtype_that_does_not_fit_is_refused_as_in_pytorch(label, dtype):
    name, call = ROWS[label]
    ours, theirs = call(aino, tensors(aino)), call(torch, tensors(torch))
    out = targets(aino, ours, dtype=getattr(aino, dtype))
    expected = targets(torch, theirs, dtype=getattr(torch, dtype))
    before = plain(parts_of(out)[0])
    found = called(aino, call, tensors(aino), out=out)[0]
    refusal = called(torch, call, tensors(torch), out=expected)[0]
    if isinstance(found, Exception):
        assert isinstance(found, AinoError)
        ungiven = isinstance(refusal, NotImplementedError)  # a dtype that has no kernel
        assert ungiven or isinstance(found, type(refusal)) or name in CAST
        np.testing.assert_array_equal(plain(parts_of(out)[0]), before)
    elif isinstance(refusal, NotImplementedError):
        pass
    elif isinstance(refusal, Exception):
        # Where PyTorch wants the very dtype, what can be cast is cast.
        assert all(aino.can_cast(y.dtype, getattr(aino, dtype)) for y in parts_of(ours))
        for y, z in zip(parts_of(ours), parts_of(out), strict=True):
            if ROWS[label][0] not in RANDOM:
                np.testing.assert_allclose(plain(z), plain(y).astype(plain(z).dtype), rtol=1e-6)
    else:
        same(out, expected, label)


@labels
def test_a_target_without_memory_in_a_row(label):
    call = ROWS[label][1]
    ours = call(aino, tensors(aino))
    wide = [aino.zeros((*y.shape, 2), dtype=y.dtype) for y in parts_of(ours)]
    views = [w[..., 0] for w in wide]
    call(aino, tensors(aino), out=tuple(views) if isinstance(ours, (tuple, list)) else views[0])
    same(views, ours, label)
    assert not any(w[..., 1].any() for w in wide if ROWS[label][0] != "empty")


@labels
@pytest.mark.parametrize("operand", ["x", "y", "v", "b", "i"])
def test_the_target_may_be_an_operand_or_overlap_it(label, operand):
    call = ROWS[label][1]
    ours = call(aino, tensors(aino))
    t = tensors(aino)
    place = getattr(t, operand)
    first = parts_of(ours)[0]
    if first.shape != place.shape or first.dtype != place.dtype or len(parts_of(ours)) > 1:
        return
    call(aino, t, out=place)
    same(place, ours, label)
    # Memory that begins one element later.
    count = place.array.size
    memory = aino.zeros(count + 1, dtype=place.dtype)
    t = tensors(aino)
    memory[:-1] = getattr(t, operand).reshape(-1)
    setattr(t, operand, memory[:-1].view(place.shape))
    out = memory[1:].view(place.shape)
    call(aino, t, out=out)
    same(out, ours, label)


@labels
def test_gradients_are_refused(label):
    call = ROWS[label][1]
    ours, theirs = call(aino, tensors(aino)), call(torch, tensors(torch))
    found = called(aino, call, tensors(aino, True), out=targets(aino, ours))[0]
    if isinstance(found, Exception):
        assert isinstance(found, GradientError)
        assert "don't support automatic differentiation" in str(found)
    elif any(y.dtype.kind in "fc" for y in parts_of(ours)):
        refusal = called(torch, call, tensors(torch, True), out=targets(torch, theirs))[0]
        assert not isinstance(refusal, Exception)
    if any(y.dtype.kind in "fc" for y in parts_of(ours)):
        out = targets(aino, ours)
        for one in parts_of(out):
            if one.dtype.kind in "fc":
                one.requires_grad_()
        assert isinstance(called(aino, call, tensors(aino), out=out)[0], GradientError)
        with aino.no_grad():
            call(aino, tensors(aino, True), out=out)
        same(out, ours, label)


@labels
def test_what_is_no_tensor_is_refused(label):
    call = ROWS[label][1]
    several = isinstance(call(aino, tensors(aino)), (tuple, list))
    other = aino.zeros(3) if several else (aino.zeros(3),)
    for wrong in (5, "text", np.zeros(3), (), other):
        found = called(aino, call, tensors(aino), out=wrong)[0]
        assert isinstance(found, (TypeError, ValueError)), wrong
        assert "out=" in str(found)


@labels
def test_as_a_method_it_has_none(label):
    method = getattr(aino.Tensor, ROWS[label][0], None)
    if hasattr(method, "with_out"):  # the older ones say it in their bodies, and take it
        assert "out" not in inspect.signature(method).parameters


@labels
def test_the_body_does_not_know_of_it(label):
    declared = getattr(getattr(aino, ROWS[label][0]), "with_out", None)
    if inspect.isfunction(declared):
        read = [i for i in dis.get_instructions(declared) if i.argval == "out"]
        assert not read, "a call without it would find no value there"


@pytest.mark.parametrize("shape", [None, (0,), (7,)], ids=["fits", "empty", "another"])
@pytest.mark.parametrize(
    "label",
    ["add of two", "exp", "mm of two", "sum over a dim", "max over a dim", "cat", "where", "arange",
     "topk", "svd", "select_copy over a dim", "zeros"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*was resized")
@pytest.mark.filterwarnings("ignore::aino.errors.CompileWarning")
def test_compiled_it_is_written_too(label, shape):
    call = ROWS[label][1]
    t = tensors(aino)
    ours = call(aino, t)

    def inside(x):
        out = targets(aino, ours, shape)
        call(aino, SimpleNamespace(**{**vars(t), "x": x}), out=out)
        return parts_of(out)

    def outside(x, out):
        call(aino, SimpleNamespace(**{**vars(t), "x": x}), out=out)

    inside_too, outside_too = aino.compile(inside), aino.compile(outside)
    for _ in range(3):
        same(inside_too(t.x), ours, label)
        out = targets(aino, ours, shape)
        outside_too(t.x, out)
        same(out, ours, label)
