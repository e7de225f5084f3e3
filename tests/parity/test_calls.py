"""Arguments by place, by name, left out and unknown: AINO takes what PyTorch takes, or refuses.

A row is a call, ``t`` being either library: both return the same, or both raise.
"""

import pytest

import aino
from aino.layouts import Layout, MemoryFormat
from tests.parity import compare

torch = compare.torch

CREATION = """
    arange(4)  arange(end=4)  arange(end=4, start=1)  arange(start=1, end=4, step=2)  arange()
    arange(1, 4, dtype=None)  arange(4, layout=t.strided)  arange(4, pin_memory=False)
    range(1, 4)  range(start=1, end=4)  range()
    linspace(0, 1, 3)  linspace(start=0, end=1, steps=3)  linspace(0, 1)
    logspace(0, 2, 3, 2)  logspace(0, 2, 3, base=2)
    zeros(2)  zeros((2, 3))  zeros(size=(2,))  zeros(2, size=(2,))  zeros(2, layout=t.strided)
    zeros(2, layout=3)  zeros(2, pin_memory=False)  zeros(2, pin_memory=True)  zeros(2, foo=1)
    zeros(2, foo=None)  zeros(2, memory_format=None)  zeros(2, requires_grad=True)
    ones(2, foo=1)  empty(0, memory_format=t.contiguous_format)  empty(2, memory_format=3)
    full((2,), 3)  full(size=(2,), fill_value=3)  full((2,), 1.0, layout=3)
    full((2,), 1.0, pin_memory=True)  full((2,), 1.0, foo=1)
    eye(2, m=3)  eye(2, pin_memory=False)  eye(2, pin_memory=True)  eye(2, layout=3)
    tril_indices(2, 2)  tril_indices(2, 2, dtype=None)  tril_indices(-1, 2)
    tril_indices(row=2, col=3, offset=1)  tril_indices(2, 2, requires_grad=False)
    triu_indices(2, 3, 1)  triu_indices(2, 3, dtype=None)  triu_indices(2, -3)
    zeros_like(x)  zeros_like(x, dtype=None)  zeros_like(x, memory_format=t.preserve_format)
    zeros_like(x.t(), memory_format=t.contiguous_format).stride()  zeros_like(x.t()).stride()
    zeros_like(x, foo=1)  zeros_like(x, foo=None)  zeros_like(x, size=3)  zeros_like(x, layout=3)
    zeros_like(x, pin_memory=False)  zeros_like(x, pin_memory=True)  ones_like(x, foo=1)
    ones_like(x, layout=t.strided)  empty_like(x, foo=1)  full_like(x, 3)  full_like(x, 3, foo=1)
    full_like(x, fill_value=3, memory_format=None)
    x.new_zeros(2, 3)  x.new_zeros(size=(2, 3))  x.new_zeros((2,), dtype=None)
    x.new_zeros(2, pin_memory=False)  x.new_zeros(2, foo=1)  x.new_ones(2, foo=None)
    x.new_full((2,), 1.0, pin_memory=False, layout=None)  x.new_full((2,), 1.0, foo=1)
    x.new_tensor([1, 2], pin_memory=False)  x.new_tensor([1, 2], pin_memory=True)
    tensor([1, 2], pin_memory=True)  tensor([1, 2], dtype=None)  tensor([1], foo=1)
    scalar_tensor(3)  scalar_tensor(s=3)  scalar_tensor(3, layout=3)
    asarray([1.0], dtype=None)  as_tensor([1.0], dtype=None)  frombuffer(bytearray(4), dtype=None)
    fft.fftfreq(4, layout=3)  fft.rfftfreq(4, layout=t.strided)  x.layout
    strided  preserve_format  contiguous_format  channels_last  channels_last_3d
"""

RANDOM = """
    rand(2)  rand(size=(2,))  rand(2, foo=1)  rand(2, pin_memory=True)  rand(2, layout=3)
    randn(2, generator=None)  randn(2, foo=None)  rand_like(x)  rand_like(x, foo=1)
    rand_like(x, layout=5)  rand_like(x, memory_format=None)  rand_like(x, pin_memory=False)
    randn_like(x, foo=1)  randn_like(x, pin_memory=True)  randint_like(x, 5, foo=1)
    randint_like(x, 3)  randint_like(x, high=3)  randint_like(x, 0, 3)  randint_like(x)
    randint_like(x, low=0, high=3)  randint(3, (2,))  randint(0, 3, (2,))
    randint(low=0, high=3, size=(2,))  randint(high=3, size=(2,))  randint(3, (2,), dtype=None)
    randint(3, (2,), pin_memory=False)  randint(3, (2,), pin_memory=True)  randint(3, (2,), foo=1)
    randint(3, 2)  randint(3, (2,), layout=3)
    randperm(3, dtype=None)  randperm(3, foo=1)
    normal(0.0, 1.0, (2,))  normal(mean=0.0, std=1.0, size=(2,))  normal(x)  normal(x, 1.0)
    normal(1.0, x)  normal(std=x)  normal(x, x, dtype=t.float64)  normal(x, x, device="cpu")
    normal(x, x, requires_grad=True)  normal(x, 1.0, dtype=t.float64)  normal(x, x, (2,))
    normal(0.0, 1.0, (2,), pin_memory=True)  normal(0.0, 1.0)
    bernoulli(x, p=0.5)  bernoulli(x, 0.5)  bernoulli(x, foo=1)  multinomial(x[0], 1, True)
    poisson(x, None)  binomial(x, x, None)  binomial(count=x, prob=x)
    x.uniform_(0, 1)  x.uniform_(to=2)  x.normal_(mean=0, std=1)  x.random_(3)  x.random_(0, 3)
    x.random_(to=3)  x.exponential_(lambd=1)  x.bernoulli_(p=0.5)  x.geometric_(0.5)
    x.cauchy_(median=0, sigma=1)  x.log_normal_(mean=0, std=1)
"""

DTYPES = """
    can_cast(t.float32, t.int32)  can_cast(from_=t.float32, to=t.int32)
    promote_types(t.float32, t.int32)  promote_types(type1=t.float32, type2=t.int32)
    result_type(x, 1)
"""

POINTWISE = """
    rsub(x, 3, 2)  rsub(x, 3, alpha=2)  rsub(x, x, alpha=2)  sub(x, 3, alpha=2)
    add(x, other=x, alpha=2)  div(x, 2, rounding_mode="floor")  div(x, 2, rounding_mode="up")
    addcmul(x, x, x, value=2)  lerp(x, end=x, weight=0.5)  pow(x, exponent=2)  float_power(2, x)
    clamp(x, 0, 1)  clamp(x, max=0)  clamp(x)  clamp_min(x, min=2)  clip(x, max=0)
    isclose(x, x, 1e-5, 1e-8, True)  allclose(x, x, rtol=1e-5, atol=1e-8, equal_nan=True)
    logit(x, eps=0.1)  round(x, decimals=1)  heaviside(x, values=x)  nan_to_num(x, nan=None)
    polygamma(1, x)  polygamma(n=1, input=x)  x.polygamma(n=1)  mvlgamma(3 * x, p=2)
    complex(real=x, imag=x)  where(x > 0, x, 0)  where(condition=x > 0, input=x, other=x)
    where(x > 0, x)  xlogy(2, x)  remainder(2, x)  copysign(x, -1)
    rrelu(x, 0.1, 0.2, False, None)  rrelu(x, training=False, generator=None)
    prelu(x, weight=x[0])  celu(x, alpha=2.0)  hardshrink(x, lambd=0.1)
    threshold(x, threshold=0.1, value=3)
    softmax(x, 0)  softmax(x, dim=0, dtype=t.float64)  softmax(x)  softmax(x, axis=0)
    softmax(x, 0, t.float64)  softmax(x, dim=0, axis=0)  log_softmax(x, dim=0)
"""

REDUCE = """
    sum(x, 0)  sum(x, axis=0)  sum(x, axis=0, keepdims=True)  sum(x, (0, 1), True, dtype=t.float64)
    sum(x, dim=0, axis=1)  mean(x, dim=0, axis=1)  amax(x, dim=0, axis=1)  max(x, 0, axis=1)
    max(x, other=x)  max(x, 0, other=x)  min(x, 0, True)  min(x, 0, other=x)  amax(x, ())
    argmax(x, None, True)  aminmax(x, dim=0, keepdim=True)  aminmax(x, 0)
    var(x, 0)  var(x, False)  var(x, unbiased=False)  var(x, 0, False, True)  var(x, 0, 0.5)
    var(x, 0, True, correction=0)  var(x, True, True)  var(x, False, keepdim=True)  var(x, 0, 1)
    var(x, correction=0.5)  var(x, dim=0, correction=None, keepdim=True)  var(x, axis=0)
    std(x, dim=1, unbiased=True, correction=0)  std(x, False)  std(x, 0, True, True)
    std_mean(x, False)  std_mean(x, 0, True, True)  var_mean(x, correction=0)  var_mean(x, 0, 2)
    prod(x, 0, True, dtype=t.float64)  nansum(x, None, True)  nanmean(x, 0)  logsumexp(x, (0, 1))
    logsumexp(x)  any(x, dim=(0, 1), keepdim=True)  all(x, dim=())  count_nonzero(x, (0, 1))
    count_nonzero(x, dim=0, keepdim=True)  norm(x, p=1, dim=0, keepdim=True)  norm(x, 2, 0, True)
    linalg.norm(x[0], "fro")  linalg.norm(x, "fro")  linalg.norm(x, "fro", 0)  linalg.norm(x, 3)
    linalg.norm(input=x, ord=1)  linalg.norm(x, 2, 0)  linalg.matrix_norm(input=x)
    linalg.matrix_norm(x, "nuc", keepdim=True)  linalg.vector_norm(x, "fro")
    linalg.vector_norm(x=x, ord=2)  linalg.vecdot(x=x, y=x, dim=-1)  linalg.vecdot(x, x, -1)
    cumsum(x, 0, dtype=t.float64)  cumsum(x, axis=0)  cumsum(x)  cummax(x, dim=0)
    diff(x, 1, -1, x, x)  diff(x, prepend=x)  quantile(x, 0.5, None, True)  median(x, 0, True)
    quantile(x, q=0.5, dim=0, keepdim=True, interpolation="nearest")  mode(x, 0, True)
    histc(x, 2, 0, 3)  histc(x, bins=2)  cov(x, correction=0)
"""

SHAPE = """
    x.flip(0, 1)  x.flip((0,))  x.flip(dims=(0,))  x.flip(0, dims=(1,))  flip(x, dims=[1])
    x.expand(size=(2, 2, 3))  x.expand(2, 2, 3)  x.expand(2, size=(2, 2, 3))
    x.repeat(repeats=(2, 1))  x.repeat(2, 1)  x.repeat(2)  x.repeat(2, -1)  x.view(size=(3, 2))
    x.view(dtype=t.int32)  x.view(t.int32)  x.view(3, -1)  x.view(-1, -1)  x.t().view(6)
    x.view((3, 2))  x.view()  x.reshape(shape=(3, 2))  x.reshape(3, shape=(3, 2))  x.reshape()
    reshape(x, (-1,))  x.permute(dims=(1, 0))  x.permute(1, 0)  x.permute(1)  x.permute(1, 1)
    x.tile(dims=(2, 2))  x.tile(2, 2)  tile(x, (2,))  x.hsplit(sections=3)  x.hsplit(indices=[1])
    x.hsplit(2)  x.vsplit(indices=(1,))  tensor_split(x, sections=2)
    tensor_split(x, indices=[1], dim=1)  tensor_split(x, 0)
    tensor_split(x, tensor_indices_or_sections=t.tensor(2))  x.split(split_size=1)
    x.split([1, 2], 1)  x.split([1, 3], 1)  x.split(0)  x.chunk(0)  x.chunk(2, 1)
    concat((x, x), axis=1)  cat((x, x), dim=0, axis=1)  cat((x, t.zeros(0)))  cat((x, x[0]))
    stack((x, x[0]))  cat([])  repeat_interleave(t.tensor([1, 2]))
    repeat_interleave(repeats=t.tensor([1, 2]))  repeat_interleave(x, 2, output_size=12)
    repeat_interleave(x, 2, output_size=11)  repeat_interleave(x, 2, dim=1, output_size=6)
    repeat_interleave(x, t.tensor([1, 2]), 0, output_size=3)
    repeat_interleave(x, t.tensor([1, 2]), 0, output_size=4)
    repeat_interleave(x, t.tensor([1, -2]), 0)  repeat_interleave(x, t.tensor([1, 2, 3]), 0)
    x.repeat_interleave(2)  roll(x, (1, 1), (0, 1))  roll(x, (1, 1), 0)  roll(x, 1, ())
    rot90(x, -1)  tril(x[0])  triu(x, -1)  diag(t.zeros(1, 1, 1))  diag_embed(t.tensor(1.))
    diagonal(x, 0, 1, 1)  meshgrid(x, x)  meshgrid(x[0], x[0], indexing="xy")
    meshgrid(x[0], x[0], indexing="zz")  x.flatten(1, 0)  x.unflatten(1, (2, 2))
    x.unflatten(1, (-1, 3))  unsqueeze(x, 3)  squeeze(x, (0, 1))  x.unfold(1, 4, 1)
    x.unfold(1, 2, 0)  x.clone(memory_format=t.contiguous_format).stride()
    x.t().clone(memory_format=t.contiguous_format).stride()
    x.t().clone(memory_format=t.preserve_format).stride()  x.t().clone().stride()
    x.t().contiguous(memory_format=t.contiguous_format).stride()  x.contiguous(memory_format=3)
    x.clone(memory_format=3)  x.movedim((0, 1), (1,))  x.view_as(t.zeros(3, 2))
    x.t().view_as(t.zeros(6))
"""

INDEX = """
    sort(x, -1, True, True)  argsort(x, 0, True, True)  argsort(x, stable=True, dim=0)
    x.sort(stable=True)  sort(x, axis=0)  topk(x, 9)  kthvalue(x, 0)
    kthvalue(x, 2, dim=1, keepdim=True)  unique(x, False, True, True)
    unique(x, dim=0, return_counts=True)  unique_consecutive(x, True, True, 0)
    searchsorted(x[0], 0.2)  searchsorted(x[0], x, right=True)
    searchsorted(x[0], x, side="left", right=True)  searchsorted(x, x[:1])  bucketize(0.2, x[0])
    bucketize(x, x)  bucketize(x, boundaries=x[0], right=True, out_int32=True)
    index_select(x, 0, t.tensor([-1]))  index_select(x, 0, t.tensor([[1]]))
    index_select(x, 0, t.tensor(1))  select(x, 0, -1)  select(x, 0, 2)  narrow(x, 0, -1, 1)
    narrow(x, 0, 1, 2)  narrow(x, 0, 3, 1)  narrow(x, 1, t.tensor(1), 2)  take(x, t.tensor([[-1]]))
    take(x, t.tensor([1], dtype=t.int32))  take(x, t.tensor([9]))  gather(x, 0, t.tensor([[0, 1]]))
    gather(x, 0, t.tensor([[0, 1, 1, 1]]))  gather(x, 0, t.tensor([[2]]))
    gather(x, 1, t.tensor([[0], [1]]), sparse_grad=True)  take_along_dim(x, t.tensor([[-1]]), 1)
    take_along_dim(x, t.tensor([0]), 1)  masked_select(x, t.tensor([1]))  nonzero(x, as_tuple=True)
    select_scatter(x, t.ones(3), 0, -1)  select_scatter(x, t.ones(2), 0, 1)
    slice_scatter(x, t.ones(1, 3), 0, 1)  slice_scatter(x, t.ones(1, 3), 0, 1, None, 0)
    diagonal_scatter(x, t.ones(3))  scatter(x, 0, t.tensor([[0, 1]]))
    scatter(x, 0, t.tensor([[0, 1]]), src=x, value=2.0)
    scatter(x, 0, t.tensor([[0, 1]]), value=2.0)  scatter(x, 0, t.tensor([[0, 1]]), x, reduce="add")
    scatter(x, 0, t.tensor([[0, 1]]), x, reduce="mean")
    scatter(x, 0, t.tensor([[0, 1]]), x.double())  scatter(x, 0, t.tensor([[0, 2]]), x)
    scatter(x, 0, t.tensor([[0, 1]]), x[:, :1])  scatter_add(x, 0, t.tensor([[0, 0]]), x)
    scatter_add(x, dim=0, index=t.tensor([[0, 0]]), src=x)
    scatter_reduce(x, 0, t.tensor([[0, 0, 0]]), x, "amax", include_self=False)
    index_add(x, 0, t.tensor([0, 0]), x, alpha=2)  index_add(x, 0, t.tensor([0]), x)
    index_copy(x, 0, t.tensor([1]), x[:1])  index_copy(x, 0, t.tensor([-1]), x[:1])
    index_fill(x, 0, t.tensor([1]), 2)  index_fill(x, 0, t.tensor([-1]), 2)
    index_fill(x, 0, t.tensor([1]), t.tensor([1., 2.]))
    index_reduce(x, 0, t.tensor([1]), x[:1], "sum")
    index_reduce(x, 0, t.tensor([1]), x[:1], reduce="amax", include_self=False)
    index_put(x, (t.tensor([0, 0]),), t.ones(2, 3), True)
    index_put(x, (t.tensor([0, 0]),), t.ones(3).double())
    index_put(x, (t.tensor([0, 5]),), t.ones(3))  put(x, t.tensor([-1]), t.ones(1))
    put(x, t.tensor([0, 0]), t.ones(2), accumulate=True)  put(x, t.tensor([0, 0]), t.ones(1))
    masked_fill(x, x>0.2, value=3)  masked_fill(x, x, 3)  masked_scatter(x, x>0.2, t.ones(9))
    masked_scatter(x, x>0.2, t.ones(1))
"""

TENSOR_AND_LINALG = """
    x.to(t.float64, t.int32)  x.to("cpu", "cpu")  x.to(t.float64, dtype=t.int32)
    x.to("cpu", t.float64)  x.to("cpu", t.float64, False, True)  x.to(t.float64, False, True)
    x.to(t.float64, True, True, True)  x.to()  x.to(None)  x.to(3)  x.to("cpu", 3)
    x.to(x.double(), False, True)  x.to(x.double(), t.int32)  x.to(x.double(), dtype=t.int32)
    x.to(dtype=t.float64, copy=True)  x.to(t.float64, copy=True, memory_format=t.preserve_format)
    x.t().to(t.float64, memory_format=t.contiguous_format).stride()
    x.t().to(t.float32, memory_format=t.contiguous_format).stride()
    x.t().to(t.float32, copy=True, memory_format=t.contiguous_format).stride()
    x.t().to(t.float64).stride()  x.to(t.float64, memory_format=3)
    x.t().double(memory_format=t.contiguous_format).stride()  x.double(memory_format=3)
    x.double(True)  x.type(t.float64, True)  x.type(dtype=t.float64, non_blocking=False)
    x.type("nonsense")  x.copy_(other=x)  x.copy_(x, True)  x.copy_(src=x)  x.is_same_size(x.t())
    is_same_size(x, other=x)  x.is_contiguous(memory_format=t.contiguous_format)
    x.is_contiguous(memory_format=3)  x.is_contiguous(memory_format=t.channels_last)
    x.cpu(memory_format=t.preserve_format)  x.cpu(memory_format=3)  x.fill_(value=3)  x.fill_(3, 4)
    x.size(dim=0)  x.stride(dim=0)  numel(input=x)  x.is_pinned()  is_tensor(x)
    cholesky(t.eye(2), True)  eye(2).cholesky(upper=True)  linalg.det(A=t.eye(2))
    det(input=t.eye(2))  linalg.slogdet(A=t.eye(2))  linalg.inv(A=t.eye(2))
    linalg.solve(A=t.eye(2), B=t.eye(2), left=False)  linalg.matrix_power(t.eye(2), n=2)
    matrix_power(t.eye(2), -1)  cdist(x, x, p=1.0)  cdist(x, x, compute_mode="nonsense")
    cdist(x, x, 2.0, "donot_use_mm_for_euclid_dist")  cdist(x, x, -1.0)  tensordot(x, x.t(), dims=1)
    tensordot(x, x, ([0], [0]))  tensordot(x, x, 3)  tensordot(x, x, 1)  inner(x, other=x)
    matmul(x, other=x.t())  mm(x, mat2=x.t())  mm(x, x)  mv(x, vec=x[0])  dot(x[0], tensor=x[0])
    dot(x, x)  vdot(x[0], other=x[0])  outer(x[0], vec2=x[0])  kron(x, other=x)  cross(x, x, 1)
    cross(x, x)  cross(x, x, 0)  linalg.cross(x, x, dim=1)  linalg.cross(x, x, 1)
    linalg.multi_dot([x])  linalg.multi_dot(tensors=[x, x.t()])  chain_matmul(x, x.t())
    addmm(x, x, t.eye(3), beta=2, alpha=3)  addmm(x, x, t.eye(3), 2)
    addmv(x[0, :2], x, x[0], beta=2)  addr(x, x[0, :2], x[0], beta=0)
    baddbmm(x[None], x[None], t.eye(3)[None], alpha=2)  addbmm(x, x[None], t.eye(3)[None])
    block_diag(x, x)  trace(x)  linalg.vecdot(x, x)  x.new_empty(2, memory_format=None)
    from_dlpack(x, copy=True)  from_dlpack(x, device="cpu")  from_dlpack(x, copy=False)
    polar(abs=x, angle=x)
"""

#: Of random numbers the shape and the dtype are compared.
ROWS = [
    pytest.param(call, rows is RANDOM, id=call)
    for rows in (CREATION, RANDOM, DTYPES, POINTWISE, REDUCE, SHAPE, INDEX, TENSOR_AND_LINALG)
    for line in rows.strip().splitlines()
    for call in line.strip().split("  ")
]


def outcome(call, module, drawn):
    text = call if call.startswith("x.") else f"t.{call}"

    def program():
        x = module.arange(6.0).reshape(2, 3) / 8
        result = eval(text, {"t": module, "x": x})
        if drawn:
            return tuple(result.shape), str(result.dtype).replace("torch.", "")
        constant = isinstance(result, (Layout, MemoryFormat, torch.layout, torch.memory_format))
        return str(result).replace("torch.", "aino.") if constant else result

    return compare.outcome(program)


@pytest.mark.parametrize(("call", "drawn"), ROWS)
def test_a_call_is_taken_or_refused_as_by_pytorch(call, drawn):
    found = compare.difference(outcome(call, aino, drawn), outcome(call, torch, drawn), rtol=1e-5)
    assert not found, found
