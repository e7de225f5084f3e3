"""What a backward step does, in words, where no formula of operators says it."""

from __future__ import annotations

from typing import Any

from aino.autograd.function_node import FunctionNode
from aino.explaining import expressions as e
from aino.explaining.expressions import Expression
from aino.explaining.passing import title_of

#: Slopes of rules that are written for speed rather than to be read.
SLOPES: dict[tuple[str, str], Expression] = {
    ("tanh", "x"): e.sub(e.ONE, e.power(e.symbol("y"), e.number(2))),
    ("relu", "x"): e.where(Expression(">", (e.symbol("y"), e.ZERO)), e.ONE, e.ZERO),
    ("mse_loss", "x"): e.phrase(
        "2 {0} / {1}", e.sub(e.symbol("x"), e.symbol("target")), e.symbol("n")
    ),
}

#: Formulas in which the operands are called as the operation calls them.
FORMULAS: dict[str, str] = {
    "linear": "x weightᵀ + bias",
    "convolution": "x ∗ weight + bias",
    "convolution_transpose": "(∗ weight)ᵀ x + bias",
    "layer_norm": "(x - E[x]) / √(Var[x] + ε) · weight + bias",
    "batch_norm": "(x - E[x]) / √(Var[x] + ε) · weight + bias",
    "rms_norm": "x / √(E[x²] + ε) · weight",
    "mse_loss": "Σ (x - target)² / n",
    "huber": "d²/2 where |d| < δ, else δ (|d| - δ/2), d = x - target",
    "binary_cross_entropy": "-(target ln x + (1 - target) ln(1 - x))",
    "binary_cross_entropy_with_logits": "ln(1 + eˣ) - x target",
}
#: What happens to a bias, and to the scale of a norm.
_OF_BIAS = "the gradient, added over all that the bias was added to"
_OF_SCALE = "the gradient times the normalized input, added over all that was scaled"

#: Operation -> what happens to the incoming gradient.
_WORDS: dict[str, str] = {
    "reshape": "the gradient, in the operand's shape",
    "permute": "the gradient, its axes put back",
    "mT": "the gradient, transposed back",
    "expand": "the gradients of all copies, added",
    "spread": "the gradients of all copies, added",
    "repeat": "the gradients of all copies, added",
    "sum": "the gradient, handed to each element of the sum",
    "mean": "the gradient divided by the count, handed to each element",
    "getitem": "the gradient, put back where the elements were taken from; 0 elsewhere",
    "place": "the gradient at the places that were filled",
    "take": "the gradients, each added where its element was taken from; 0 elsewhere",
    "take_of": "the gradients, each added where its element was taken from; 0 elsewhere",
    "pick": "the gradients, each added where its element was taken from; 0 elsewhere",
    "gather": "the gradients, each added where its element was taken from; 0 elsewhere",
    "gather_of": "the gradients, each added where its element was taken from; 0 elsewhere",
    "choose": "the gradients, each put where its element was taken from; 0 elsewhere",
    "embedding": "the gradients, each added to the row that was looked up; 0 for other rows",
    "take_sum": "the gradient at the places that were added to",
    "pick_sum": "the gradient at the places that were added to",
    "scatter_sum": "the gradient at the places that were added to",
    "chosen": "the gradient at the places that were filled",
    "scatter": "the gradient, 0 where something else was written over",
    "put": "the gradient, 0 where something else was written over",
    "overwrite": "the gradient, 0 where something else was written over",
    "put_diagonal": "the gradient, 0 where something else was written over",
    "cat": "the part of the gradient that belongs to this operand",
    "stack": "the part of the gradient that belongs to this operand",
    "pad": "the gradient without the frame",
    "flip": "the gradient, turned back",
    "roll": "the gradient, turned back",
    "diagonal": "the gradient on the diagonal; 0 elsewhere",
    "on_diagonal": "the diagonal of the gradient",
    "tril": "the gradient where elements were kept; 0 elsewhere",
    "triu": "the gradient where elements were kept; 0 elsewhere",
    "windows": "the gradients of all windows that an element stands in, added",
    "cumsum": "the gradients from each place to the end, added",
    "cumprod": "the gradients from each place to the end, each by what the product is without it",
    "cast": "the gradient, in the operand's dtype",
    "view_as_real": "the gradient, as complex numbers",
    "view_as_complex": "the gradient, as pairs of real numbers",
    "linear": "the gradient through the matrix product",
    "softmax": "y · (g - Σ g · y): a share that grows takes from the others",
    "log_softmax": "g - softmax(x) · Σ g",
    "cross_entropy": "(softmax(x) - 1 at the target) / n, times the gradient",
    "layer_norm": "the gradient, less its mean and its share along the normalized input, by the "
    "standard deviation",
    "batch_norm": "the gradient, less its mean and its share along the normalized input, by the "
    "standard deviation, over the batch",
    "rms_norm": "the gradient, less its share along the normalized input, by the root mean square",
    "convolution": "the gradient, convolved back",
    "convolution_transpose": "the gradient, convolved",
    "attention": "the gradient back through softmax(q kᵀ) v",
    "channel_sums": "the gradient of each channel, handed to all of its elements",
    "window_max": "the gradient goes to the largest element of each window; 0 elsewhere",
    "span_max": "the gradient goes to the largest element of each span; 0 elsewhere",
    "window_total": "the gradient of each window, handed to all of its elements",
    "rnn": "the gradient back through time, step by step",
    "gru": "the gradient back through time, step by step",
    "lstm": "the gradient back through time, step by step",
    "fft": "the gradient, transformed back",
    "ifft": "the gradient, transformed back",
    "rfft": "the gradient, transformed back",
    "irfft": "the gradient, transformed back",
    "prod": "the gradient times the product of all the others",
}


def backward_words(node: Any, letter: str) -> str:
    """Return what a step does for one of the operands where it is no formula."""
    if letter == "bias":
        return _OF_BIAS
    if letter == "weight" and title_of(node).endswith("_norm"):
        return _OF_SCALE
    if isinstance(node, FunctionNode):
        return f"what {node.function.__name__}.backward returns"
    if node.primitive is None:
        return "what the operation's backward returns"
    return _WORDS.get(node.primitive.name, "the incoming gradient times the Jacobian")


def undone_words(shape: tuple[int, ...], repeated: tuple[int, ...]) -> str:
    """Return how broadcasting is undone: by adding over the axes of repetition."""
    surplus = len(repeated) - len(shape)
    axes = [
        axis
        for axis, length in enumerate(repeated)
        if axis < surplus or (shape[axis - surplus] == 1 != length)
    ]
    over = f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"
    return (
        f"broadcast from {_shape(shape)} to {_shape(repeated)}: the gradients of its copies are "
        f"added, over {over}"
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "one number" if not shape else str(tuple(shape))
