"""Rows of bags of embeddings, and of the losses of sequences, clusters and many labels."""

import numpy as np

from aino import nn
from tests.calculus import rows_bags as calculus
from tests.calculus.row import given, integers, nonzero, real
from tests.nn.row import row


def log_softmax(x):
    e = x - x.max(-1, keepdims=True)
    return e - np.log(np.exp(e).sum(-1, keepdims=True))


def adaptive(x, t, **state):
    """Clusters of classes: 0 and 1, 2 to 4, 5 and 6."""
    head = log_softmax(x @ state["head.weight"].T)
    found = np.zeros(len(x))
    for n, c in enumerate(t):
        if c < 2:
            found[n] = head[n, c]
            continue
        cluster = 0 if c < 5 else 1
        first, second = (state[f"tail.{cluster}.{i}.weight"] for i in (0, 1))
        inside = log_softmax(x[n] @ first.T @ second.T)
        found[n] = head[n, 2 + cluster] + inside[c - (2, 5)[cluster]]
    return found


def linear_loss(x, t, **state):
    return calculus.linear_cross_entropy(x, state["linear.weight"], t, state.get("linear.bias"))


index, lengths = given(np.array([[1, 4, 0], [2, 2, 1]])), given(np.array([4, 3]))
labels, counts = given(np.array([[1, 2], [2, 2]])), given(np.array([2, 1]))

ROWS = [
    row("EmbeddingBag", 5, 3, inputs=index, text="EmbeddingBag(5, 3, mode='mean')",
        oracle=lambda i, weight: calculus.embedding_bag(i, weight),
        errors=[((5, 3), {"padding_idx": 7}, ValueError)],
        bad_inputs=[(real(2, 2),), (given(np.array([[5]])),), (given(np.array([1])),)]),
    row("EmbeddingBag", 5, 3, mode="sum", padding_idx=2, include_last_offset=True,
        inputs=(given(np.array([1, 4, 0, 2, 2])), given(np.array([0, 2, 5]))), order=0,
        oracle=lambda i, o, weight: calculus.embedding_bag(
            i, weight, o, "sum", padding_idx=2, include_last_offset=True),
        text="EmbeddingBag(5, 3, mode='sum', padding_idx=2)"),
    row("EmbeddingBag", 5, 3, max_norm=1e9, norm_type=1.0, scale_grad_by_freq=True, order=0,
        inputs=index, oracle=lambda i, weight: calculus.embedding_bag(i, weight),
        text="EmbeddingBag(5, 3, max_norm=1000000000.0, norm_type=1.0, scale_grad_by_freq=True, "
             "mode='mean')"),
    # PyTorch's gradient is right of what log_softmax gave alone.
    row("CTCLoss", inputs=(real(4, 2, 3), labels, lengths, counts), oracle=calculus.ctc,
        text="CTCLoss()", torch=False),
    row("CTCLoss", 1, "sum", True, text="CTCLoss()", order=0,
        inputs=(real(4, 2, 3), given(np.array([[0, 2], [2, 0]])), lengths, counts),
        oracle=lambda *arguments: calculus.ctc(*arguments, blank=1, reduction="sum")),
    row("MultiLabelMarginLoss",
        inputs=(real(2, 4), given(np.array([[3, 0, -1, 1], [1, 2, 0, -1]]))),
        oracle=calculus.multilabel_margin, text="MultiLabelMarginLoss()",
        bad_inputs=[(real(2, 4), integers(0, 4, 2, 3))]),
    row("NLLLoss2d", inputs=(real(2, 3, 2, 2), integers(0, 3, 2, 2, 2)), text="NLLLoss2d()",
        oracle=lambda x, t: -np.take_along_axis(x, t[:, None], 1).mean()),
    row("AdaptiveLogSoftmaxWithLoss", 8, 7, [2, 5], 2.0, output=0,
        inputs=(nonzero(4, 8), given(np.array([0, 6, 3, 1]))), oracle=adaptive,
        text="""AdaptiveLogSoftmaxWithLoss(
  (head): Linear(in_features=8, out_features=4, bias=False)
  (tail): ModuleList(
    (0): Sequential(
      (0): Linear(in_features=8, out_features=4, bias=False)
      (1): Linear(in_features=4, out_features=3, bias=False)
    )
    (1): Sequential(
      (0): Linear(in_features=8, out_features=2, bias=False)
      (1): Linear(in_features=2, out_features=2, bias=False)
    )
  )
)""", errors=[((8, 7, []), {}, ValueError), ((8, 7, [5, 2]), {}, ValueError),
              ((8, 7, [2, 7]), {}, ValueError)],
        bad_inputs=[(real(4, 8), given(np.array([0, 7, 1, 1]))), (real(8), given(np.array([1]))),
                    (real(3, 8), given(np.array([1])))]),
    row("LinearCrossEntropyLoss", 3, 5, bias=True, inputs=(real(4, 3), integers(0, 5, 4)),
        oracle=linear_loss, text="""LinearCrossEntropyLoss(
  in_features=3, num_classes=5, out_features=(), bias=True, reduction=mean, ignore_index=None, \
label_smoothing=0.0, options=None
  (linear): Linear(in_features=3, out_features=5, bias=True)
)""", errors=[((3, 5), {"weight": nn.Linear(2, 3).bias.detach()}, ValueError),
              ((3, 5), {"label_smoothing": 2.0}, ValueError)]),
]  # fmt: skip
