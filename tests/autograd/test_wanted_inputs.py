"""Rules that give all cotangents together: an input that wants none has no part in it."""

from itertools import product

import pytest

import aino
from aino.nn import functional as F

normal = {"dtype": aino.float64}
ROWS = {
    "attention": (F.scaled_dot_product_attention, [(2, 3, 4)] * 3),
    "attention, no heads": (F.scaled_dot_product_attention, [(3, 4)] * 3),
    "batch_norm": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), [(5, 3), (3,), (3,)],
    ),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (3,), w, b), [(5, 3), (3,), (3,)]),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), [(5, 4), (4,), (4,)]),
    "rnn": (
        lambda x, h, *ws: aino.rnn_tanh(x, h, ws, True, 1, 0.0, False, False, False)[0],
        [(4, 2, 3), (1, 2, 5), (5, 3), (5, 5), (5,), (5,)],
    ),
    "lstm": (
        lambda x, h, d, w, u: aino.lstm(x, (h, d), (w, u), False, 1, 0.0, False, False, False)[0],
        [(4, 2, 3), (1, 2, 5), (1, 2, 5), (20, 3), (20, 5)],
    ),
    "gru": (
        lambda x, h, w, u: aino.gru(x, h, (w, u), False, 1, 0.0, False, False, False)[0],
        [(4, 2, 3), (1, 2, 5), (15, 3), (15, 5)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_each_choice_of_inputs(row):
    function, shapes = ROWS[row]
    aino.manual_seed(0)
    values = [aino.randn(*shape, **normal) for shape in shapes]
    out = function(*values)
    seed = aino.randn(*out.shape, **normal)

    def gradients(choice):
        inputs = [x.clone().requires_grad_(wanted) for x, wanted in zip(values, choice)]
        # An input that was computed from a leaf has an edge that is none.
        function(*[x * 1.0 if wanted else x for x, wanted in zip(inputs, choice)]).backward(seed)
        return [x.grad for x in inputs]

    whole = gradients([True] * len(values))
    for choice in product([False, True], repeat=len(values)):
        if any(choice):
            for found, expected, wanted in zip(gradients(choice), whole, choice):
                assert found is None if not wanted else aino.allclose(found, expected)
