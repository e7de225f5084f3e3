"""Attention in blocks: however it is cut, the numbers are those of all scores at once."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.rules import attention as rules
from aino.nn import functional as F
from aino.nn.attention import SDPBackend, bias, sdpa_kernel
from tests.calculus.rows_attention import attention

#: (heads, queries, keys, width, width of values)
SHAPES = [
    ((2, 3), 6, 6, 4, 4), ((3, 2), 5, 9, 2, 3), ((1, 4), 40, 40, 1, 1), ((2, 2), 9, 5, 8, 8),
    ((5, 1), 33, 20, 16, 2),
]  # fmt: skip


@pytest.fixture(params=[16, 64, 1 << 16])
def blocks(request, monkeypatch):
    monkeypatch.setattr(rules, "BLOCK", request.param)
    monkeypatch.setattr(rules, "SHARED", 2 * request.param)


def drawn(heads, rows, columns, width, outer, scale=1.0):
    rng = np.random.default_rng(0)
    sizes = (rows, width), (columns, width), (columns, outer)
    return [rng.standard_normal((*heads, *size)) * scale for size in sizes]


def masks(heads, rows, columns):
    rng = np.random.default_rng(1)
    seen = rng.random((rows, columns)) > 0.3
    seen[rows // 2] = False
    return {
        "none": {}, "causal": {"is_causal": True}, "booleans": {"attn_mask": seen},
        "numbers": {"attn_mask": rng.standard_normal((*heads, rows, columns))},
    }  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("mask", ["none", "causal", "booleans", "numbers"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_blocks_give_what_all_scores_give(blocks, shape, mask, scale):
    arrays, keywords = drawn(*shape, scale), masks(*shape[:3])[mask]
    tensors = [aino.from_numpy(a).requires_grad_() for a in arrays]
    given = {
        key: aino.from_numpy(value) if isinstance(value, np.ndarray) else value
        for key, value in keywords.items()
    }
    y = F.scaled_dot_product_attention(*tensors, **given)
    told = {"mask": keywords["attn_mask"]} if "attn_mask" in keywords else keywords
    expected = attention(*arrays, **told)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-9, atol=1e-11)
    g = aino.from_numpy(np.random.default_rng(2).standard_normal(expected.shape))
    slopes = aino.autograd.grad(y, tensors, g)
    # The definition is differentiated where the slopes are to be differentiated again.
    recorded = aino.autograd.grad(
        F.scaled_dot_product_attention(*tensors, **given), tensors, g, create_graph=True
    )
    for slope, other in zip(slopes, recorded):
        np.testing.assert_allclose(
            slope.numpy(), other.detach().numpy(), rtol=1e-7, atol=1e-9 * scale
        )


def test_what_is_not_a_number_stays_in_its_row():
    q, k, v = (aino.from_numpy(a) for a in drawn((1, 1), 3, 4, 2, 2))
    q[0, 0, 1, 0] = float("nan")
    y = F.scaled_dot_product_attention(q, k, v)
    assert y.isnan().any(-1).tolist() == [[[False, True, False]]]


def test_weights_are_dropped_at_random():
    aino.manual_seed(0)
    q = aino.zeros(1, 1, 1, 4)
    k, v = aino.zeros(1, 1, 1000, 4), aino.ones(1, 1, 1000, 1)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)
    assert y.item() == pytest.approx(1.0, abs=0.15)
    assert y.item() != 1.0


def test_kernels_can_be_chosen_and_change_nothing():
    q = aino.from_numpy(drawn((1, 2), 3, 3, 2, 2)[0])
    expected = F.scaled_dot_product_attention(q, q, q).tolist()
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        assert F.scaled_dot_product_attention(q, q, q).tolist() == expected
    with pytest.raises(TypeError, match="SDPBackend"), sdpa_kernel(["math"]):
        pass
    upper, causal = bias.causal_upper_left(3, 3), {"is_causal": True}
    assert (
        F.scaled_dot_product_attention(q, q, q, attn_mask=upper).tolist()
        == F.scaled_dot_product_attention(q, q, q, **causal).tolist()
    )


def test_the_causal_mask_of_a_layer_and_its_promise():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    x, mask = aino.randn(2, 5, 4), nn.Transformer.generate_square_subsequent_mask(5)
    expected = layer(x, src_mask=mask)
    told = layer(x, src_mask=mask, is_causal=True)
    np.testing.assert_allclose(told.detach().numpy(), expected.detach().numpy(), atol=1e-6)
    with pytest.raises(ValueError, match="is_causal"):
        layer.self_attn(x, x, x, is_causal=True)


@pytest.mark.parametrize("average", [True, False])
def test_padding_is_not_looked_at(average):
    attention = nn.MultiheadAttention(4, 2, batch_first=True, add_zero_attn=True)
    x, padding = aino.randn(2, 3, 4), aino.tensor([[False, False, True], [False, True, True]])
    y, weights = attention(x, x, x, key_padding_mask=padding, average_attn_weights=average)
    assert weights.shape == ((2, 3, 4) if average else (2, 2, 3, 4))
    assert (weights[0, ..., 2] == 0.0).all()
    assert (weights[1, ..., 1:3] == 0.0).all()
    other, none = attention(x, x, x, key_padding_mask=padding, need_weights=False)
    assert none is None
    np.testing.assert_allclose(other.detach().numpy(), y.detach().numpy(), atol=1e-6)


def test_a_compiled_step_learns_to_copy():
    aino.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", norm_first=True)
    optimizer = aino.optim.AdamW(layer.parameters(), lr=1e-2)
    x = aino.randn(6, 4, 8)

    @aino.compile
    def step():
        optimizer.zero_grad()
        loss = (layer(x) - x.flip(0)).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    losses = [step().item() for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
